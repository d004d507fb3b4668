"""From a draft to a rule in force and back, over HTTP: what is shown, who may decide, and who sees whose subjects."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from app.access.actor import system_actor
from app.database.encryption import use_keyring
from app.database.engine import make_engine
from app.database.session import make_session, unit_of_work
from app.evaluation.progress import Progress
from app.evaluation.running import Request, evaluate
from app.rules.library import RuleLibrary
from app.workshop import approvals, drafts
from app.workshop.models import Draft, DraftState
from tests.access.world import World, build
from tests.conftest import KEYRING, settings_in
from tests.console.site import Site
from tests.evaluation.conftest import STRENGTH, TERM, VANGUARD


@dataclass
class Place:
    site: Site
    world: World
    library: RuleLibrary
    rules_dir: Path


@pytest.fixture(scope="module")
def place(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A site with a rules folder of its own, evaluated, with those who write rules and those who approve them."""
    use_keyring(KEYRING)
    folder = tmp_path_factory.mktemp("approval")
    for name, text in {
        "indices/strength.yaml": STRENGTH,
        "indices/vanguard.yaml": VANGUARD,
        "warnings/term.yaml": TERM,
    }.items():
        (folder / "rules" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "rules" / name).write_text(text, encoding="utf-8")
    settings = replace(settings_in(folder / "data"), rules_dir=folder / "rules")
    shutil.copyfile(migrated_file, make_url(settings.database_url).database)
    engine = make_engine(settings.database_url)
    session = make_session(engine, system_actor("tests"))
    world = build(session)
    session.commit()
    session.close()
    library = RuleLibrary(settings.rules_dir, settings.data_dir)
    evaluate(engine, library, Request(), progress=Progress())
    approvals.take_up_files(engine, library)
    engine.dispose()
    site = Site(settings)
    for name, role, where in (
        ("writer", "rule_administrator", "district"),
        ("local_writer", "rule_administrator", "street_b"),
        ("approver", "district_administrator", "district"),
        ("street", "street_administrator", "street_a"),
        ("secretary", "branch_secretary", "branch_a1"),
    ):
        site.add_account(name, role, world.organizations[where].id)
    yield Place(site, world, library, settings.rules_dir)
    site.engine.dispose()


def draft_of(place: Place, name: str, old: str, new: str, code: str = "strength") -> Draft:
    """A fresh draft of an account's with one change."""
    with unit_of_work(place.site.engine, system_actor("tests")) as session:
        user = session.scalar(select(drafts.User).where(drafts.User.username == name))
        place.library.refresh()
        text = place.library.rule(code).source_text
        assert old in text
        kind = "warning" if code == "term" else "index"
        return drafts.add(
            session, user.id, kind, code, text.replace(old, new), base_version=place.library.rule(code).version
        )


def state(place: Place, draft: Draft) -> Draft:
    with unit_of_work(place.site.engine, system_actor("tests"), writes=False) as session:
        return session.get_one(Draft, draft.id)


def test_from_the_draft_to_the_rule_in_force_and_back(place: Place) -> None:
    draft = draft_of(place, "writer", 'orange: "< 70"', 'orange: "< 69"')
    writer, approver = place.site.visitor("writer"), place.site.visitor("approver")
    trial = writer.get(f"/workshop/dry-runs/{draft.id}").get_data(as_text=True)
    assert "发布后谁会变灯" in trial
    ask = writer.get(f"/workshop/approvals/{draft.id}/ask").get_data(as_text=True)
    assert "橙灯 70 → 69" in ask
    writer.post(f"/workshop/approvals/{draft.id}/send", {"revision": "1", "reason": "略放宽"})
    assert state(place, draft).state == DraftState.SUBMITTED
    page = approver.get(f"/workshop/approvals/{draft.id}").get_data(as_text=True)
    assert "略放宽" in page
    tests = f"/workshop/approvals/{draft.id}/tests"
    assert tests in page or "全部通过" in page or "还没有测试用例" in page
    outcome = approver.get(tests).get_data(as_text=True)
    assert "全部通过" in outcome or "还没有测试用例" in outcome
    assert 'value="approve"' not in writer.get(f"/workshop/approvals/{draft.id}").get_data(as_text=True)
    writer.post(f"/workshop/approvals/{draft.id}/decide", {"revision": "2", "decision": "approve"})
    assert state(place, draft).state == DraftState.SUBMITTED
    approver.post(f"/workshop/approvals/{draft.id}/decide", {"revision": "2", "decision": "approve"})
    assert state(place, draft).state == DraftState.PUBLISHED
    assert '"< 69"' in (place.rules_dir / "indices/strength.yaml").read_text(encoding="utf-8")
    versions = approver.get("/workshop/versions/strength").get_data(as_text=True)
    assert "第 2 版" in versions
    assert "橙灯 70 → 69" in versions
    writer.post("/workshop/versions/strength/1/roll-back", {"reason": "不合适"})
    assert '"< 69"' in (place.rules_dir / "indices/strength.yaml").read_text(encoding="utf-8")
    approver.post("/workshop/versions/strength/1/roll-back", {"reason": "不合适"})
    assert '"< 70"' in (place.rules_dir / "indices/strength.yaml").read_text(encoding="utf-8")
    assert "第 3 版" in approver.get("/workshop/versions/strength?version=3").get_data(as_text=True)


def test_sent_back_needs_a_reason(place: Place) -> None:
    draft = draft_of(place, "writer", 'red: "< 60"', 'red: "< 55"')
    place.site.visitor("writer").post(f"/workshop/approvals/{draft.id}/send", {"revision": "1", "reason": "试试"})
    approver = place.site.visitor("approver")
    approver.post(f"/workshop/approvals/{draft.id}/decide", {"revision": "2", "decision": "reject", "note": ""})
    assert state(place, draft).state == DraftState.SUBMITTED
    approver.post(f"/workshop/approvals/{draft.id}/decide", {"revision": "2", "decision": "reject", "note": "先别"})
    assert (state(place, draft).state, state(place, draft).decision_reason) == (DraftState.REJECTED, "先别")


@pytest.mark.parametrize("name", ["street", "secretary", "local_writer", "approver"])
def test_a_draft_is_nobody_elses(place: Place, name: str) -> None:
    draft = draft_of(place, "writer", 'red: "< 60"', 'red: "< 50"')
    visitor = place.site.visitor(name)
    for address in (
        f"/workshop/dry-runs/{draft.id}",
        f"/workshop/approvals/{draft.id}",
        f"/workshop/approvals/{draft.id}/ask",
        f"/workshop/approvals/{draft.id}/tests",
    ):
        answer = visitor.get(address)
        assert answer.status_code in (302, 403, 404)
        assert "发布后谁会变灯" not in answer.get_data(as_text=True)
    visitor.post(f"/workshop/approvals/{draft.id}/send", {"revision": "1", "reason": "x"})
    visitor.post(f"/workshop/approvals/{draft.id}/decide", {"revision": "1", "decision": "approve"})
    visitor.post(f"/workshop/approvals/{draft.id}/withdraw")
    assert state(place, draft).state == DraftState.EDITING


def test_a_dry_run_names_those_in_scope_alone(place: Place) -> None:
    draft = draft_of(
        place,
        "local_writer",
        'lights: {red: "< 60", orange: "< 70", yellow: "< 80", green: ">= 80"}',
        'lights: {green: "<= 100"}',
    )
    page = place.site.visitor("local_writer").get(f"/workshop/dry-runs/{draft.id}").get_data(as_text=True)
    assert place.world.organizations["branch_b1"].code in page
    for name in ("branch_a1", "branch_a2", "street_a"):
        assert place.world.organizations[name].code not in page


def test_a_case_is_frozen_from_a_scorecard_and_tells_what_is_not_covered(place: Place) -> None:
    code = place.world.organizations["branch_a1"].code
    writer = place.site.visitor("writer")
    address = f"/workshop/cases/freeze/strength/{code}"
    assert address in writer.get(f"/scorecard/strength/{code}").get_data(as_text=True)
    answer = writer.post(address)
    assert answer.status_code == 302
    page = writer.get(answer.headers["Location"]).get_data(as_text=True)
    assert "code: CASE" in page
    assert code not in page
    assert "全部通过" in page
    assert "没有覆盖到的部分" in page
    assert place.site.visitor("local_writer").post(address).status_code == 404
    assert address not in place.site.visitor("street").get(f"/scorecard/strength/{code}").get_data(as_text=True)


def test_the_pages_speak_english(place: Place) -> None:
    draft = draft_of(place, "writer", 'red: "< 60"', 'red: "< 58"')
    visitor = place.site.visitor("writer", "en")
    for address in (
        f"/workshop/dry-runs/{draft.id}?back=1",
        f"/workshop/approvals/{draft.id}/ask",
        "/workshop/versions/strength?version=1",
    ):
        body = re.search(r"<main.*</main>", visitor.get(address).get_data(as_text=True), re.DOTALL)
        assert body is not None
        words = re.sub(r"<pre.*?</pre>|<[^>]+>", " ", body[0], flags=re.DOTALL)
        # What people wrote, and what the rule and the records are called, has no English here.
        assert set(re.findall(r"[\u4e00-\u9fff]+", words)) <= {"党课", "先锋", "街道", "不合适", "略放宽"}, address
