"""The forms of rules: whatever a rule file says can be said in them, and a form saved unchanged changes nothing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest

import app.domains.all  # noqa: F401 - declares the entities that rules speak of
from app.console.workshop.forms.documents import part_at, same, with_part, without_absent
from app.console.workshop.forms.ground import FormGround
from app.console.workshop.forms.panels import FIGURE, NODE, panel_of, panels_of
from app.console.workshop.forms.row_commands import carried_out
from app.entity.filters import Operator, Test
from app.rules.library import read_contents, read_rules
from app.rules.model import Rule
from app.rules.parsing import parse_rule, read_file
from app.rules.result_columns import Catalogue
from app.rules.source import plain
from config import PROJECT_DIR
from tests.rules.rule_folders import MEMBER_INDEX

RULES = read_rules(read_contents(PROJECT_DIR / "rules")).rules
UNCOMPARED = {"line", "position", "version", "source_text"}


def ground_of(text: str, file: str, others: dict[str, Rule] | None = None) -> FormGround:
    known = dict(others if others is not None else RULES)
    root, problems = read_file(text.encode(), file)
    assert root is not None, problems
    first = parse_rule(text.encode(), file).attempt
    catalogue = Catalogue.of([*known.values(), *([first] if first else [])])
    attempt = parse_rule(text.encode(), file, catalogue=catalogue).attempt
    return FormGround(plain(root), attempt, known)


def meaning(value: Any) -> Any:
    """A rule without where its parts stand in the file, lists of codes as sets."""
    if isinstance(value, Test) and value.operator in (Operator.IN, Operator.NOT_IN):
        return value.path, value.operator, sorted(map(str, value.operand))  # type: ignore[arg-type]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field.name for field in dataclasses.fields(value) if field.name not in UNCOMPARED]
        return type(value).__name__, {name: meaning(getattr(value, name)) for name in fields}
    if isinstance(value, tuple | list):
        return [meaning(each) for each in value]
    if isinstance(value, dict):
        return {key: meaning(each) for key, each in value.items()}
    return value


def as_text(document: dict[str, Any]) -> str:
    """A document in JSON, which is YAML."""
    return json.dumps(document, ensure_ascii=False, default=str, indent=1)


def rebuilt(ground: FormGround) -> dict[str, Any]:
    """A document made of nothing but its skeleton (codes of nodes) and of what the forms write."""

    def skeleton(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {"code": node["code"], **({"children": skeleton(node["children"])} if "children" in node else {})}
            for node in nodes
        ]

    kind = "index" if ground.is_index else "warning"
    document: dict[str, Any] = {kind: ground.code}
    if ground.is_index:
        document["tree"] = skeleton(ground.document["tree"])
    for panel in panels_of(ground):
        written = without_absent(panel.write(panel.form(ground).data, ground))
        if panel.kind == FIGURE:
            document = with_part(document, panel.path, written)
        elif isinstance(written, dict):
            document = with_part(document, panel.path, {**part_at(document, panel.path), **written})
    return document


def shipped() -> Iterator[Any]:
    for code, rule in RULES.items():
        yield pytest.param(rule, id=code)


@pytest.mark.parametrize("rule", list(shipped()))
def test_a_form_saved_unchanged_changes_nothing(rule: Rule) -> None:
    ground = ground_of(rule.source_text, rule.file)
    for panel in panels_of(ground):
        after = panel.document(ground, panel.form(ground).data)
        assert same(after, ground.document), panel.key


@pytest.mark.parametrize("rule", list(shipped()))
def test_a_shipped_rule_can_be_written_in_the_forms_alone(rule: Rule) -> None:
    ground = ground_of(rule.source_text, rule.file)
    again = parse_rule(as_text(rebuilt(ground)).encode(), rule.file, catalogue=Catalogue.of(RULES.values()))
    assert again.problems == []
    assert meaning(again.rule) == meaning(rule)


# ruff: noqa: E501
METRICS = {
    "count with conditions and a window": "{count: meeting, where: {kind: lecture, status: held}, window: period}",
    "a year before": "{count: meeting, window: year, back: 1}",
    "a length": "{sum: meeting, of: attended, window: 90d}",
    "another column with an offset": "{count: fee_payment, where: {paid_on: {gt: {field: pay_by+15d}}}}",
    "a date with an offset": "{count: meeting, where: {held_on: {between: [as_of-3m, 2026-09-30]}}}",
    "arithmetic over rows": "{maximum: fee_payment, of: abs(paid - due) / due}",
    "filled": "{average: member, of: \"filled(mobile, birth_date)\", window: current}",
    "subtree": "{count: member, over: subtree, window: current}",
    "via": "{count: organization, via: parent}",
    "a path": "{count: meeting, via: organization.parent}",
    "distinct": "{distinct: meeting, of: kind}",
    "latest": "{latest: observation, of: value, where: {metric: satisfaction}}",
    "exists": "{exists: meeting, where: {kind: theme_day}}",
    "streak": "{streak: meeting, where: {status: held}, among: {kind: {ne: lecture}}}",
    "weighted average": "{average: meeting, of: attended, weight: expected}",
    "minimum of a date": "{minimum: meeting, of: held_on}",
    "an index": "{average: index, of: vanguard}",
    "a node of an index": "{average: index, of: vanguard.study, where: {study: {gte: 50}, light: green}}",
    "an index before": "{average: index, of: vanguard, back: 1}",
    "warnings": "{count: warning, where: {level: {in: [red, orange]}}, window: quarter, back: 2}",
    "a label": "{count: meeting, label: {zh: 会议, en: Meetings}}",
    "nested conditions": "{count: meeting, where: {or: [{kind: lecture}, {not: {status: held, attended: {lt: 3}}}], attended: {gt: 1, lt: 9}}}",
    "the same join twice": "{count: meeting, where: {and: [{or: [{kind: lecture}, {kind: theme_day}]}, {or: [{attended: 1}, {attended: 2}]}]}}",
    "texts": "{count: organization, via: parent, where: {name: {contains: 社区}, short_name: {starts_with: 上海}, founded_on: {null: true}}}",
    "truth": "{count: member, where: {is_floating: true, left_on: {null: false}}}",
    "related": "{count: attendance, where: {meeting.status: held, meeting.organization.tier: branch}}",
    "a relation by its code": "{count: meeting, where: {organization: {in: [A1, B2]}}}",
    "a figure": "named / 2",
    "a number": "3",
}  # fmt: skip
NODES = {
    "target": "score: {target: 3 * elapsed}",
    "target of a number": "score: {target: 0.8}, missing: zero",
    "range": "score: {range: [10, 0]}",
    "range of logarithms": "score: {range: [1, named], scale: log}",
    "observed range": "score: {range: observed, scale: log}",
    "bands": "score: {bands: [[0, 0], [0.65, 60], [0.95, 100]]}, missing: peer_average",
    "curve": "score: {curve: [[-1, 0], [4, 80], [8, 100]]}, missing: fail",
    "percentile": "score: {percentile: true}",
    "z-score, reversed within": "score: {zscore: true, reverse: true}",
    "formula, reversed beside": "score: {formula: 100 - value * 5}, reverse: true",
    "reversed alone": "score: {reverse: true}",
    "none": "weight: 3, enabled: false",
    "everything beside": "weight: 2.5, label: {zh: 名, en: Name}, basis: 条例, applies_to: [{tier: branch}, named > 0, {not: {unit_type: agency}}]",
    "a condition alone": "applies_to: named > 0",
}  # fmt: skip
HEAD = """\
index: words
subject: organization
period: quarter
metrics:
  named: {count: meeting, where: {status: held}}
"""
LIGHTS = 'lights: {red: "< 60", green: ">= 60"}\n'


def vanguard() -> dict[str, Rule]:
    rule = parse_rule(MEMBER_INDEX.encode(), "indices/vanguard.yaml").rule
    assert rule is not None
    return {"vanguard": rule}


def check_forms_make(text: str, file: str = "indices/words.yaml") -> None:
    """What the text says can be said in the forms, and saving them unchanged changes nothing of it."""
    others = vanguard()
    ground = ground_of(text, file, others)
    catalogue = Catalogue.of([*others.values(), *([ground.attempt] if ground.attempt else [])])
    wanted = parse_rule(text.encode(), file, catalogue=catalogue)
    assert wanted.rule is not None, wanted.problems
    again = parse_rule(as_text(rebuilt(ground)).encode(), file, catalogue=catalogue)
    assert again.problems == []
    assert meaning(again.rule) == meaning(wanted.rule)
    for panel in panels_of(ground):
        assert same(panel.document(ground, panel.form(ground).data), ground.document), panel.key


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_every_kind_of_metric(metric: str) -> None:
    check_forms_make(f"{HEAD}  tried: {metric}\ntree: [{{code: one, value: named}}]\n{LIGHTS}")


@pytest.mark.parametrize("node", NODES.values(), ids=NODES)
def test_every_kind_of_node(node: str) -> None:
    check_forms_make(f"{HEAD}tree: [{{code: one, value: named, {node}}}]\n{LIGHTS}")


@pytest.mark.parametrize("value", ["named", "named / named", "if(named > 1, 2, 3)", "true", "7", "-1"])
def test_every_kind_of_value(value: str) -> None:
    check_forms_make(
        f'{HEAD}tree: [{{code: one, value: "{value}"}}]\n{LIGHTS}'.replace('"7"', "7").replace('"-1"', "-1")
    )


def test_categories_and_parents() -> None:
    check_forms_make(
        f"{HEAD}tree:\n"
        "  - {code: one, weight: 60, combine: geometric, missing: zero, children: [{code: a, value: unit_type, "
        "score: {categories: {agency: 100, village: 40.5}}}, {code: b, value: named}]}\n"
        "  - {code: two, weight: 40, combine: minimum, children: [{code: c, value: named}]}\n"
        f"combine: geometric\nmissing: fail\nweights: relative\n{LIGHTS}"
    )


def test_the_rest_of_an_index() -> None:
    check_forms_make(
        f"{HEAD}label: {{zh: 指数, en: Index}}\napplies_to: [{{tier: branch}}, named > 0]\npeers: [tier, unit_type]\n"
        "scale: [0, 120]\ndecimals: 1\nparameters: {hours: {by: unit_type, values: {agency: 56}, default: 32}, plain: 1.5, "
        "some: {by: tier, values: {branch: 1}}}\ntree: [{code: one, value: named * hours * plain * some}]\n"
        "bonus: [{code: b1, label: 加, value: named, each: 2, at_most: 10}]\npenalty: [{code: p1, value: named / 2}]\n"
        "bonus_at_most: 10\npenalty_at_most: 15\nbounds: [0, 110]\n"
        "veto: [{code: v1, label: {zh: 否, en: Veto}, when: named > 3 and tier == 'branch', cap: 59}]\n"
        "roll_up: {own: 0.3, children: 0.7, weight: named}\n"
        'lights: {red: "< 60", orange: named > 9, yellow: "< plain * 50", green: true}\n'
        "grades: [[0, 后进], [60, {zh: 合格, en: Adequate}]]\nrecover: 2\nmin_coverage: 0.65\n"
        "effective_from: 2026-01-01\nbasis: {zh: 依据, en: Basis}\n"
    )


def test_the_rest_of_a_warning() -> None:
    check_forms_make(
        "warning: w\nlabel: 预警\nsubject: organization\napplies_to: {status: active}\nperiod: month\n"
        "metrics: {named: {count: meeting}}\nvalue: days_until(coalesce(extended_to, term_ends_on))\n"
        'reading: {zh: "还有 {value} 天", en: "{value} days left"}\n'
        'levels: {yellow: "<= 180", orange: value < 60 and day(as_of) > 3, red: "value >= 3 or days_held(named < 3) > 180"}\n'
        "handle_within: {yellow: 30d, red: 3d}\nnotify: {yellow: [secretary, parent], red: [district]}\nrecover: 0\n",
        "warnings/w.yaml",
    )


def test_what_is_typed_wrongly_is_kept_and_told_at_its_field() -> None:
    text = f"{HEAD}tree: [{{code: one, weight: 3, value: named, score: {{target: 3}}}}]\n{LIGHTS}"
    ground = ground_of(text, "indices/words.yaml", {})
    panel = panel_of("node:one", ground)
    assert panel is not None
    data = {**panel.form(ground).data, "weight": "three", "target": "3 +"}
    changed = panel.document(ground, data)
    assert changed["tree"][0]["weight"] == "three"
    said = {problem.path for problem in parse_rule(as_text(changed).encode(), "indices/words.yaml").problems}
    assert said >= {"tree[0].weight", "tree[0].score.target"}


def test_rows_are_added_moved_and_removed() -> None:
    text = f"{HEAD}tree: [{{code: one, value: named, score: {{bands: [[0, 0], [5, 100]]}}}}]\n{LIGHTS}"
    ground = ground_of(text, "indices/words.yaml", {})
    panel = panel_of("node:one", ground)
    assert panel is not None
    assert panel.kind == NODE
    data = panel.form(ground).data
    for command in ("add:bands", "up:bands-1", "add:conditions", "add-test:conditions-0-filter",
                    "add-group:conditions-0-filter", "add-operand:conditions-0-filter-p2-p0", "remove:conditions-0-filter-p0",
                    "add-expression:conditions", "remove:conditions-1"):  # fmt: skip
        carried_out(command, data)
    assert [row["start"] for row in data["bands"]] == ["5", "0", ""]
    parts = data["conditions"][0]["filter"].parts
    assert [type(part).__name__ for part in parts] == ["Row", "Group"]
    assert len(parts[1].parts[0].operands) == 2
    shown = panel.form(ground, data=data)
    assert [entry.form.start.data for entry in shown.bands] == ["5", "0", ""]
    assert panel.document(ground, data)["tree"][0]["score"] == {"bands": [[5, 100], [0, 0]]}
