"""The editor: what is saved, for whom, and that nothing else of a rule's text changes."""

from __future__ import annotations

import difflib
import html
import json
import re
from typing import Any

import pytest
from sqlalchemy import select

from app.access.actor import system_actor
from app.console.workshop.desk import Desk
from app.console.workshop.editor import OF_THE_TREE, sentence_of
from app.console.workshop.forms.panels import NODE, panels_of
from app.console.workshop.forms.shape_form import HINTS
from app.database.session import make_session
from app.entity.labels import Label
from app.rules.library import RuleLibrary, rule_files
from app.rules.parsing import read_file
from app.rules.source import plain
from app.workshop.models import Draft
from config import PROJECT_DIR
from tests.console.site import Visitor

from .conftest import Workshop
from .html_forms import fields_of

RULES_DIR = PROJECT_DIR / "rules"
FILES = rule_files(RULES_DIR)


@pytest.fixture(scope="module")
def library() -> RuleLibrary:
    return RuleLibrary(RULES_DIR)


@pytest.mark.parametrize("file", FILES)
def test_every_panel_opened_and_saved_untouched_gives_the_same_bytes(
    workshop: Workshop, library: RuleLibrary, file: str
) -> None:
    """The form as the browser gets it, sent back as it came."""
    kind, code = ("index" if file.startswith("indices") else "warning"), file.split("/")[1].removesuffix(".yaml")
    text = (RULES_DIR / file).read_bytes().decode()
    desk = Desk(kind, code, text, text, library)
    with workshop.site.app.test_request_context():
        template = workshop.site.app.jinja_env.get_template("workshop/panel.html")
        for panel in panels_of(desk.ground):
            form = panel.form(desk.ground)
            page = template.render(
                panel=panel, form=form, ground=desk.ground, faults={}, other_faults=[], way=None, title=Label("", ""),
                sentence=sentence_of(desk, panel), urls={"save": "/", "preview": "/"}, categories=None,
                shape_hint=HINTS[form.shape.data or ""] if panel.kind == NODE else None,
            )  # fmt: skip
            data = panel.form(desk.ground, formdata=fields_of(page)).data
            data |= {name: value for name, value in panel.read(desk.ground).items() if name in OF_THE_TREE}
            assert desk.with_document(panel.document(desk.ground, data)).encode() == text.encode(), panel.key


# --- over HTTP ---


def begin(visitor: Visitor, code: str = "organization_strength") -> str:
    """The address of a fresh draft."""
    visitor.get("/workshop/")
    address = visitor.post(f"/workshop/rules/{code}/edit").headers["Location"]
    visitor.get(address)
    return address.partition("?")[0]


def draft_of(workshop: Workshop, address: str) -> Draft:
    with make_session(workshop.site.engine, system_actor("tests")) as session:
        return session.scalars(select(Draft).where(Draft.id == int(address.rsplit("/", 1)[1]))).one()


def opened(visitor: Visitor, address: str, key: str) -> dict[str, Any]:
    """The fields of a panel, with the revision that they were shown at."""
    page = visitor.get(f"{address}?part={key}").text
    revision = re.search(r'name="revision" value="(\d+)"', page)
    assert revision
    return {**fields_of(page).to_dict(flat=False), "revision": revision[1]}


def save(visitor: Visitor, address: str, key: str, fields: dict[str, Any], **more: Any) -> Any:
    return visitor.post(f"{address}/panel/{key}", {**fields, **more}, headers={"HX-Request": "true"})


def told(answer: Any) -> dict[str, list[str]]:
    """What is said at which field."""
    found = re.search(r'data-faults="([^"]*)"', answer.text)
    assert found
    return json.loads(html.unescape(html.unescape(found[1])))


def changed_lines(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


@pytest.fixture
def rules(workshop: Workshop) -> Visitor:
    return workshop.site.visitor("rules")


def test_a_band_changed_in_the_form_changes_one_line_of_the_text(workshop: Workshop, rules: Visitor) -> None:
    address = begin(rules)
    before = draft_of(workshop, address).source_text
    fields = opened(rules, address, "node:turnout")
    answer = save(rules, address, "node:turnout", fields, **{"bands-1-score": "45"})
    assert answer.status_code == 200
    assert "达到 50% 得 45 分" in answer.text
    after = draft_of(workshop, address).source_text
    assert changed_lines(before, after) == [
        "-        score: {bands: [[0, 0], [0.5, 40], [0.65, 60], [0.8, 80], [0.95, 100]]}",
        "+        score: {bands: [[0, 0], [0.5, 45], [0.65, 60], [0.8, 80], [0.95, 100]]}",
    ]


def test_a_fault_is_told_at_its_field_and_nothing_typed_is_lost(workshop: Workshop, rules: Visitor) -> None:
    address = begin(rules, "member_vanguard")
    fields = opened(rules, address, "node:study")
    answer = save(rules, address, "node:study", fields, target="hours_dua *")
    assert any("表达式" in words for words in told(answer)["target"])
    assert "hours_dua *" in draft_of(workshop, address).source_text
    assert 'value="hours_dua *"' in rules.get(f"{address}?part=node:study").text
    fields = opened(rules, address, "node:study")
    answer = save(rules, address, "node:study", fields, target="hours_dua * 2")
    assert any("hours_dua" in words for words in told(answer)["target"])


def test_points_are_given_out_with_one_click(workshop: Workshop, rules: Visitor) -> None:
    address = begin(rules, "organization_strength")

    def tree(command: str, **more: str) -> str:
        revision = draft_of(workshop, address).revision
        fields = {"command": command, "revision": revision, "open_panel": "node:turnout", **more}
        return rules.post(f"{address}/tree", fields, headers={"HX-Request": "true"}).text

    assert "剩 2 分" in tree("weights:", **{"weight-turnout": "1"})
    assert "剩 2 分" not in tree("top-up:turnout")
    tree("weights:", **{"weight-turnout": "5"})
    assert "多 2 分" in rules.get(address).text
    assert "多 2 分" not in tree("balance:party_life")
    text = draft_of(workshop, address).source_text
    given = [node["weight"] for node in plain(read_file(text.encode(), "x.yaml")[0])["tree"][2]["children"]]
    assert given == [5, 5, 3, 5, 3, 4]
    tree("even:party_life")
    assert draft_of(workshop, address).source_text.count("weight: 4") > text.count("weight: 4")
    before = draft_of(workshop, address).source_text
    tree("off:theme_day")
    assert changed_lines(before, draft_of(workshop, address).source_text) == ["+        enabled: false"]
    tree("on:theme_day")
    assert draft_of(workshop, address).source_text == before
    tree("down:assembly")
    tree("up:assembly")
    assert draft_of(workshop, address).source_text == before
    tree("move:assembly", under="service")
    moved = draft_of(workshop, address).source_text
    assert moved.index("code: assembly") > moved.index("code: satisfied")
    tree("remove:assembly")
    assert "code: assembly" not in draft_of(workshop, address).source_text


def test_an_indicator_is_added_with_the_figure_that_it_takes(workshop: Workshop, rules: Visitor) -> None:
    address = begin(rules)
    before = draft_of(workshop, address).source_text
    rules.post(
        f"{address}/add",
        {"revision": draft_of(workshop, address).revision, "name": "学习学时", "under": "service", "weight": "5",
         "kind": "counted", "source": "study_record", "how": "sum", "column": "hours", "window": "year"},
        headers={"HX-Request": "true"},
    )  # fmt: skip
    after = draft_of(workshop, address).source_text
    added = [line for line in changed_lines(before, after) if line.startswith("+")]
    assert len(changed_lines(before, after)) == len(added)
    assert any("{sum: study_record, of: hours, window: year, label: 学习学时}" in line for line in added)
    assert any("code: study_record_hours" in line for line in added)


def test_the_text_and_the_forms_follow_each_other(workshop: Workshop, rules: Visitor) -> None:
    address = begin(rules, "monthly_theme_day")
    draft = draft_of(workshop, address)
    typed = draft.source_text.replace('red: ">= 3"', 'red:   ">= 4"')
    fields = {"text": typed, "revision": draft.revision, "open_panel": "lights"}
    answer = rules.post(f"{address}/text", fields, headers={"HX-Request": "true"})
    assert 'value="4"' in answer.text
    assert draft_of(workshop, address).source_text == typed
    broken = {"text": typed + "\n  - [", "revision": draft_of(workshop, address).revision, "open_panel": "lights"}
    answer = rules.post(f"{address}/text", broken, headers={"HX-Request": "true"})
    assert "不是有效的 YAML" in answer.text
    assert rules.get(address).status_code == 200


def test_nobodys_work_is_overwritten(workshop: Workshop, rules: Visitor) -> None:
    address = begin(rules, "turnout")
    fields = opened(rules, address, "lights")
    save(rules, address, "lights", fields, recover="0.03")
    text = draft_of(workshop, address).source_text
    answer = save(rules, address, "lights", fields, recover="0.05")
    assert "没有保存" in answer.text
    assert draft_of(workshop, address).source_text == text
    assert 'value="0.03"' in answer.text


def test_a_draft_is_its_authors(workshop: Workshop, rules: Visitor) -> None:
    address = begin(rules, "term_expiry")
    other = workshop.site.visitor("other_rules")
    for path in (address, f"{address}/panel/lights", f"{address}/preview/lights"):
        assert other.get(path, headers={"HX-Request": "true"}).status_code == 404
    assert other.post(f"{address}/tree", {"command": "even:"}).status_code == 404


@pytest.mark.parametrize("name", ["street", "secretary", "it", "auditor", "member"])
def test_who_may_not_see_rules_sees_nothing_of_them(workshop: Workshop, name: str) -> None:
    visitor = workshop.site.visitor(name)
    for path in ("/workshop/", "/workshop/rules/turnout", "/workshop/new", "/workshop/drafts/1"):
        assert visitor.get(path).status_code in (302, 403), path
    assert "规则工坊" not in visitor.get("/", follow_redirects=True).text


def test_who_may_read_rules_reads_sentences_and_changes_nothing(workshop: Workshop) -> None:
    reader = workshop.site.visitor("district")
    page = reader.get("/workshop/rules/organization_strength").text
    assert "达到 50% 得 40 分" in page
    assert 'aria-label="修改' not in reader.get("/workshop/").text
    assert reader.post("/workshop/rules/turnout/edit").status_code == 403
    assert reader.get("/workshop/drafts/1").status_code == 403
    english = workshop.site.visitor("district", "en").get("/workshop/rules/turnout").text
    assert "Red where that value is less than 0.5" in english


def test_a_change_without_a_token_is_refused(workshop: Workshop, rules: Visitor) -> None:
    address = begin(rules, "turnout")
    answer = rules.client.post(f"{address}/tree", data={"command": "even:"})
    assert answer.status_code == 400


def test_a_new_rule_begins_whole(workshop: Workshop, rules: Visitor) -> None:
    rules.get("/workshop/new")
    answer = rules.post(
        "/workshop/new", {"label": "党课天数", "code": "no spaces", "kind": "warning", "subject": "organization"}
    )
    assert answer.status_code == 422
    assert "党课天数" in answer.text
    for kind in ("index", "warning"):
        for subject in ("organization", "member", "meeting"):
            code = f"{kind}_{subject}"
            answer = rules.post("/workshop/new", {"label": "新规则", "code": code, "kind": kind, "subject": subject})
            assert answer.status_code == 302, answer.text
            page = rules.get(answer.headers["Location"]).text
            assert "要改正" not in page, code
            assert "新规则" in page


def test_two_who_change_one_rule_see_each_other(workshop: Workshop, rules: Visitor) -> None:
    address = begin(rules, "yearly_life_meeting")
    other = workshop.site.visitor("other_rules")
    beside = begin(other, "yearly_life_meeting")
    assert beside != address
    assert "也在看" not in rules.get(address).text
    assert other.post(f"{beside}/presence", {"open_panel": "lights"}).status_code == 200
    assert "other_rules" in rules.post(f"{address}/presence", {"open_panel": "lights"}).text
    assert "也在看" in rules.get(address).text
