"""Rule tests from ``rules/tests/*.yaml``: what is given, when, and what is expected."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from app.entity.labels import UserError
from app.entity.periods import Period
from app.entity.registry import EntityType, Registry

from .expression_parser import ExpressionError, parse_expression
from .expressions import written
from .model import SEVERITY, Light, Metric, Rule, Warning
from .parsing import read_file
from .problems import Problem
from .reading import Place, Report
from .source import Scalar, ScalarValue

CASE_KEYS = ("name", "given", "index", "warning", "as_of", "period", "expect")
_STATE_KEYS = ("previous", "held_since", "figures")
_PREVIOUS_LIGHTS = tuple(str(light) for light in (*SEVERITY, Light.NO_DATA))


@dataclass(frozen=True)
class Given:
    """One row or result, as written."""

    values: dict[str, ScalarValue]
    place: Place


@dataclass(frozen=True)
class Expectation:
    """One figure that a case expects. ``subject`` is the code of the subject meant, None for the only one."""

    name: str
    value: ScalarValue
    text: str
    """As written: numbers agree to its decimals."""
    subject: str | None
    place: Place


@dataclass(frozen=True)
class Case:
    """One rule test."""

    place: Place
    name: str
    rule: Rule
    as_of: date
    period: Period | None
    rows: dict[str, list[Given]] = field(default_factory=dict)
    results: dict[str, list[Given]] = field(default_factory=dict)
    """Given results of indices, by code."""
    warnings: list[Given] | None = None
    """Given warnings; None if they are to be computed."""
    previous: str | None = None
    held_since: date | dict[str, date] | None = None
    """One day for every condition, or by the condition in its normal form."""
    expected: tuple[Expectation, ...] = ()
    figures: dict[str, ScalarValue] = field(default_factory=dict)
    """Metrics of the rule that are given instead of counted."""

    @property
    def title(self) -> str:
        return self.name or f"{self.rule.code} {self.as_of}"


def parse_cases(
    content: bytes, file: str, rules: dict[str, Rule], broken: Collection[str], entities: Registry
) -> tuple[list[Case], list[Problem]]:
    """The cases of one file, and what is wrong with it. Cases with faults are left out."""
    root, problems = read_file(content, file)
    if root is None:
        return [], problems
    report = Report(file, root)
    cases = []
    for place in Place(root, (), report).items():
        before = len(report.problems)
        case = _case(place, rules, broken, entities)
        if case is not None and len(report.problems) == before:
            cases.append(case)
    return cases, report.problems


def _case(place: Place, rules: dict[str, Rule], broken: Collection[str], entities: Registry) -> Case | None:
    keys = place.fields(CASE_KEYS, ("expect",))
    rule = _rule(place, keys, rules, broken)
    when = _when(place, keys, rule)
    if rule is None or when is None or "expect" not in keys:
        return None
    as_of, period = when
    given = keys["given"].entries("{entity: rows}") if "given" in keys else {}
    entity_codes = [entity.code for entity in entities]
    allowed = (*entity_codes, "index", "warning", *_STATE_KEYS)
    for name, part in given.items():
        if name not in allowed:
            part.unknown_word(name, allowed)
    rows = {
        name: [_row(item, entities[name]) for item in part.one_or_several()]
        for name, part in given.items()
        if name in entities
    }
    return Case(
        place,
        keys["name"].text() if "name" in keys else "",
        rule,
        as_of,
        period,
        rows,
        _given_results(given["index"], rules) if "index" in given else {},
        _given_warnings(given["warning"], rules, entities) if "warning" in given else None,
        _previous(given["previous"], rule) if "previous" in given else None,
        _held_since(given["held_since"]) if "held_since" in given else None,
        _expected(keys["expect"]),
        _given_figures(given["figures"], rule) if "figures" in given else {},
    )


def _rule(place: Place, keys: dict[str, Place], rules: dict[str, Rule], broken: Collection[str]) -> Rule | None:
    kinds = [kind for kind in ("index", "warning") if kind in keys]
    if len(kinds) != 1:
        if place.is_mapping:
            place.fault("要以 index: 或 warning: 说明测试哪条规则", "say with index: or warning: which rule is tested")
        return None
    kind = kinds[0]
    code = keys[kind].text()
    if code in broken:
        keys[kind].fault(f"规则“{code}”有误（见 rules check）", f"the rule “{code}” has faults (see rules check)")
        return None
    fitting = sorted(known for known, rule in rules.items() if isinstance(rule, Warning) == (kind == "warning"))
    if code and code not in fitting:
        keys[kind].unknown_word(code, fitting)
    return rules.get(code) if code in fitting else None


def _when(place: Place, keys: dict[str, Place], rule: Rule | None) -> tuple[date, Period | None] | None:
    """The day and the period: the one that contains the day, unless it is stated."""
    as_of = keys["as_of"].day() if "as_of" in keys else None
    stated: Period | None = None
    if "period" in keys:
        part = keys["period"].part
        try:
            stated = Period.parse(part.text if isinstance(part, Scalar) else "")
        except UserError as error:
            keys["period"].fault(error.label.zh, error.label.en)
            return None
        if rule is not None and stated.kind is not rule.period:
            keys["period"].fault(
                f"规则的周期是 {rule.period or '—'}，不是 {stated.kind}",
                f"the rule's period is {rule.period or '—'}, not {stated.kind}",
            )
    if as_of is None:
        if "as_of" not in keys and stated is None:
            place.fault("缺少“as_of”", "“as_of” is missing")
        as_of = stated.end if stated else None
    if as_of is None or rule is None:
        return None
    return as_of, stated or (Period.containing(as_of, rule.period) if rule.period else None)


def _values(place: Place) -> dict[str, ScalarValue]:
    values: dict[str, ScalarValue] = {}
    for name, part in place.entries("{column: value}").items():
        if isinstance(part.part, Scalar):
            values[name] = part.part.value
        else:
            part.expected("一个值", "a single value")
    return values


def _row(place: Place, entity: EntityType) -> Given:
    allowed = [name for name in entity.fields if not name.endswith("_id")] + list(entity.relations)
    values = _values(place)
    found: dict[str, ScalarValue] = {}
    for name, value in values.items():
        # Files name relations by <relation>_code; both are understood.
        relation = name.removesuffix("_code")
        key = relation if name not in allowed and relation in entity.relations else name
        if key not in allowed:
            Place(place.part, (*place.steps, name), place.report).unknown_word(name, allowed)
        found[key] = value
    return Given(found, place)


def _given_results(place: Place, rules: dict[str, Rule]) -> dict[str, list[Given]]:
    known = sorted(code for code, rule in rules.items() if not isinstance(rule, Warning))
    found = {}
    for code, part in place.entries("{index: {score: 80}}").items():
        if code not in known:
            part.unknown_word(code, known)
        found[code] = [Given(_values(item), item) for item in part.one_or_several()]
    return found


def _given_warnings(place: Place, rules: dict[str, Rule], entities: Registry) -> list[Given]:
    known = sorted(code for code, rule in rules.items() if isinstance(rule, Warning))
    found = []
    for item in place.one_or_several():
        keys = item.fields(("warning", "level", "entity", "since", "until", "code"))
        if "warning" in keys:
            keys["warning"].word(known)
        if "level" in keys:
            keys["level"].word([str(light) for light in SEVERITY])
        if "entity" in keys:
            keys["entity"].word([entity.code for entity in entities])
        values = {name: part.part.value for name, part in keys.items() if isinstance(part.part, Scalar)}
        for name in ("since", "until"):
            if name in keys:
                values[name] = keys[name].day()
        found.append(Given(values, item))
    return found


def _given_figures(place: Place, rule: Rule) -> dict[str, ScalarValue]:
    known = [metric.name for metric in rule.metrics if isinstance(metric, Metric)]
    values = _values(place)
    for name, part in place.entries("{metric: value}").items():
        if name not in known:
            part.unknown_word(name, known)
    return values


def _previous(place: Place, rule: Rule) -> str | None:
    keys = place.fields(("light", "level"))
    texts = [part.word(_PREVIOUS_LIGHTS) for part in keys.values() if not _is_null(part)]
    return texts[0] if texts else None


def _held_since(place: Place) -> date | dict[str, date] | None:
    if not place.is_mapping:
        return place.day()
    found: dict[str, date] = {}
    for condition, part in place.entries("{condition: date}").items():
        day = part.day()
        try:
            key = written(parse_expression(condition))
        except ExpressionError as error:
            part.fault(error.label.zh, error.label.en)
            continue
        if day is not None:
            found[key] = day
    return found


def _is_null(place: Place) -> bool:
    return isinstance(place.part, Scalar) and place.part.value is None


def _expected(place: Place) -> tuple[Expectation, ...]:
    found: list[Expectation] = []
    for name, part in place.entries("{name: value}").items():
        if part.is_mapping:
            found += [_expectation(inner, value, name) for inner, value in part.entries("").items()]
        else:
            found.append(_expectation(name, part, None))
    if place.is_mapping and not found:
        place.fault("没有写期望的结果", "nothing is expected")
    return tuple(found)


def _expectation(name: str, place: Place, subject: str | None) -> Expectation:
    if not isinstance(place.part, Scalar):
        place.expected("一个值", "a single value")
        return Expectation(name, None, "", subject, place)
    return Expectation(name, place.part.value, place.part.text, subject, place)
