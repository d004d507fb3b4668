"""Random rules and frames for hypothesis: small, but with every part of the language.

Numbers are small fractions, so that ties, zeros and empty ranges happen often; nothing overflows.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import strategies as st

from app.entity.filters import All, Operator, Test
from app.entity.labels import Label
from app.entity.periods import Period
from app.rules.context import Calendar, Context
from app.rules.expressions import Arithmetic, Call, Comparison, Expression, Literal, Logical, Name, Negation, Not
from app.rules.frames import column_of_held, filters_of, held_conditions
from app.rules.model import (
    SEVERITY,
    Adjustment,
    Aggregate,
    Bands,
    Categories,
    Combine,
    Curve,
    Figure,
    Formula,
    Index,
    LightRule,
    Metric,
    Missing,
    Node,
    ObservedRange,
    Parameter,
    Percentile,
    Range,
    RollUp,
    Rule,
    Target,
    Veto,
    Warning,
    ZScore,
)

LABEL = Label("标签", "label")

NUMBERS = ("a", "b", "figure", "size", "due", "elapsed")
TRUTHS = ("done", "flag")
TEXTS = ("grade", "kind")
DATES = ("last", "founded_on", "as_of", "period_start", "period_end", "year_start")

COLUMNS = {
    "m.a": pl.Float64,
    "m.b": pl.Float64,
    "m.done": pl.Boolean,
    "m.grade": pl.String,
    "m.last": pl.Date,
    "s.size": pl.Float64,
    "s.flag": pl.Boolean,
    "s.kind": pl.String,
    "s.founded_on": pl.Date,
}

small_numbers = st.one_of(
    st.integers(-3, 12).map(float), st.sampled_from([0.1, 0.25, 0.3, 0.65, 1.5, 2.675, 33.3, 60.0, 80.0, 100.0])
)
days = st.dates(date(2023, 1, 1), date(2027, 12, 31)) | st.sampled_from(
    [date(2024, 2, 29), date(2026, 1, 31), date(2026, 3, 31), date(2026, 8, 31)]
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Missing one time in four."""
    return st.one_of(strategy, strategy, strategy, st.none())


# Expressions --------------------------------------------------------------------------------------------------


def call(function: str, *arguments: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.tuples(*arguments).map(lambda given: Call(function, given))


def numbers(depth: int = 2, extra: tuple[str, ...] = (), held: bool = False) -> st.SearchStrategy[Expression]:
    """Expressions whose values are numbers. ``held`` allows ``days_held``."""
    leaves = st.one_of(small_numbers.map(Literal), st.sampled_from((*NUMBERS, *extra)).map(Name))
    if depth == 0:
        return leaves
    inner = numbers(depth - 1, extra, held)
    truth = truths(depth - 1, extra, held)
    day = dates(depth - 1)
    anything = st.one_of(inner, truth, day, st.sampled_from(TEXTS).map(Name))
    choices = [
        leaves,
        st.builds(Arithmetic, st.sampled_from("+-*/"), inner, inner | truth),
        st.builds(Negation, inner),
        call("if", truth, inner, inner),
        call("min", inner, inner),
        call("max", inner, inner, inner),
        call("abs", inner),
        call("round", inner, st.sampled_from([0, 1, 2]).map(lambda digits: Literal(float(digits)))),
        call("log", inner),
        call("coalesce", inner, inner),
        call("filled", anything, anything),
        call("days_until", day),
        call("days_since", day),
        call("months_since", day),
        call("periods_since", day),
        call("days_between", day, day),
        call("workdays_between", day, day),
        call("year", day),
        call("month", day),
        call("day", day),
    ]
    if held:
        choices.append(call("days_held", truth))
    return st.one_of(choices)


def truths(depth: int = 2, extra: tuple[str, ...] = (), held: bool = False) -> st.SearchStrategy[Expression]:
    """Expressions whose values are true or false."""
    leaves = st.one_of(st.booleans().map(Literal), st.sampled_from(TRUTHS).map(Name))
    signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    number = numbers(max(depth - 1, 0), extra, held)
    texts = st.sampled_from(["x", "y"]).map(Literal) | st.sampled_from(TEXTS).map(Name)
    compared = st.one_of(
        st.builds(Comparison, signs, number, number),
        st.builds(Comparison, signs, dates(max(depth - 1, 0)), dates(0)),
        st.builds(Comparison, st.sampled_from(["==", "!="]), texts, texts),
    )
    if depth == 0:
        return st.one_of(leaves, compared)
    inner = truths(depth - 1, extra, held)
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        leaves, compared, st.builds(Not, inner), st.builds(Logical, st.sampled_from(["and", "or"]), several)
    )


def dates(depth: int = 1) -> st.SearchStrategy[Expression]:
    """Expressions whose values are dates."""
    leaves = st.sampled_from(DATES).map(Name)
    if depth == 0:
        return leaves
    inner, number = dates(depth - 1), st.integers(-40, 40).map(lambda n: Literal(float(n))) | st.just(Name("a"))
    part = st.integers(0, 32).map(lambda n: Literal(float(n)))
    return st.one_of(
        leaves,
        call("add_days", inner, number),
        call("add_months", inner, number),
        call("coalesce", inner, inner),
        call("date", st.integers(2020, 2027).map(lambda n: Literal(float(n))), part, part),
    )


# Rules --------------------------------------------------------------------------------------------------------

filters = st.sampled_from(["x", "y"]).map(lambda text: Test("kind", Operator.EQ, text)) | st.just(
    All((Test("flag", Operator.EQ, True),))
)
conditions = st.lists(filters | truths(1), max_size=1).map(tuple)

points = st.lists(
    st.tuples(st.integers(-2, 12).map(float), st.sampled_from([0.0, 40.0, 60.0, 80.0, 100.0])),
    min_size=1,
    max_size=4,
    unique_by=lambda point: point[0],
).map(lambda given: tuple(sorted(given)))

shapes = st.one_of(
    st.none(),
    numbers(1).map(Target),
    st.builds(Range, numbers(0), numbers(0), st.booleans()),
    st.builds(ObservedRange, st.booleans()),
    points.map(Bands),
    points.map(Curve),
    st.just(Percentile()),
    st.just(ZScore()),
    numbers(1, ("value",)).map(Formula),
)


@st.composite
def nodes(draw: st.DrawFn, code: str, depth: int, weight: float | None) -> Node:
    common: dict[str, Any] = {
        "weight": weight,
        "missing": draw(st.sampled_from([Missing.SKIP, Missing.SKIP, *Missing])),
        "applies_to": draw(st.just(()) | conditions) if code else (),
        "enabled": not code or draw(st.integers(0, 9)) > 0,
    }
    if depth and (not code or draw(st.booleans())):
        count = draw(st.integers(1, 3))
        weighted = draw(st.booleans())
        weights = [draw(st.sampled_from([0.0, 1.0, 2.0, 5.0])) if weighted else None for _ in range(count)]
        below = [draw(nodes(f"{code}n{position}", depth - 1, weights[position])) for position in range(count)]
        return Node(code, LABEL, children=tuple(below), combine=draw(st.sampled_from(Combine)), **common)
    if draw(st.integers(0, 5)) == 0:
        scores = st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from([0.0, 50.0, 100.0]), min_size=1)
        value: Expression = Name(draw(st.sampled_from(TEXTS)))
        return Node(code, LABEL, value=value, shape=Categories(draw(scores)), reverse=draw(st.booleans()), **common)
    value = draw(numbers(2) | truths(1))
    return Node(code, LABEL, value=value, shape=draw(shapes), reverse=draw(st.booleans()), **common)


def light_rules(name: str | None, held: bool = False) -> st.SearchStrategy[tuple[LightRule, ...]]:
    """Lights of scores, or levels of the value ``name``."""
    extra = (name,) if name else ()
    operand = small_numbers.map(Literal) | numbers(0)
    compares = st.tuples(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), operand)
    either = st.one_of(compares, compares, truths(1, extra, held))

    @st.composite
    def rules(draw: st.DrawFn) -> tuple[LightRule, ...]:
        found = []
        for light in draw(st.lists(st.sampled_from(SEVERITY), unique=True, max_size=4)):
            text = draw(either)
            threshold = isinstance(text, tuple)
            found.append(LightRule(light, *text) if threshold else LightRule(light, condition=text))
        return tuple(found)

    return rules()


METRICS = (
    Metric("a", Aggregate.SUM, "meeting"),
    Metric("b", Aggregate.AVERAGE, "meeting"),
    Metric("done", Aggregate.EXISTS, "meeting"),
    Metric("grade", Aggregate.LATEST, "appraisal"),
    Metric("last", Aggregate.MAXIMUM, "meeting"),
    Figure("figure", Arithmetic("/", Name("a"), Name("b"))),
)
PARAMETERS = (Parameter("due", 2.0, "kind", {"x": 3.0, "y": 0.0}),)


@st.composite
def indices(draw: st.DrawFn, *, roll_up: bool = True) -> Index:
    weights = st.sampled_from([None, "a", "size"])
    items = st.lists(st.tuples(numbers(1), st.sampled_from([0.5, 1.0, 2.0]), maybe(st.just(5.0))), max_size=2)
    bonus = [Adjustment(f"plus{n}", LABEL, *item) for n, item in enumerate(draw(items))]
    penalty = [Adjustment(f"minus{n}", LABEL, *item) for n, item in enumerate(draw(items))]
    vetoes = draw(st.lists(st.tuples(truths(1), st.sampled_from([0.0, 59.0])), max_size=2))
    return Index(
        code="index",
        label=LABEL,
        subject="organization",
        file="index.yaml",
        version="1",
        applies_to=draw(st.just(()) | conditions),
        parameters=PARAMETERS,
        metrics=METRICS,
        recover=draw(st.sampled_from([0.0, 2.0, 20.0])),
        root=draw(nodes("", 3, None)),
        peers=draw(st.sampled_from([(), ("kind",), ("kind", "flag")])),
        scale=draw(st.sampled_from([(0.0, 100.0), (0.0, 1.0), (-10.0, 10.0)])),
        decimals=draw(st.sampled_from([None, 0, 2, 3])),
        bonus=tuple(bonus),
        penalty=tuple(penalty),
        bonus_at_most=draw(st.sampled_from([None, 3.0])),
        penalty_at_most=draw(st.sampled_from([None, 3.0])),
        bounds=draw(st.sampled_from([None, (0.0, 110.0)])),
        veto=tuple(Veto(f"veto{n}", LABEL, when, cap) for n, (when, cap) in enumerate(vetoes)),
        roll_up=RollUp(0.3, 0.7, draw(weights)) if roll_up and draw(st.booleans()) else None,
        lights=draw(light_rules(None)),
        grades=draw(st.sampled_from([(), ((0.0, LABEL), (60.0, LABEL), (80.0, LABEL))])),
        min_coverage=draw(st.sampled_from([0.0, 0.0, 0.5, 1.0])),
    )


@st.composite
def warnings(draw: st.DrawFn) -> Warning:
    value = draw(st.none() | numbers(2, held=True))
    levels = draw(light_rules("value" if value is not None else None, held=True))
    if value is None:
        levels = tuple(rule for rule in levels if rule.operator is None)
    return Warning(
        code="warning",
        label=LABEL,
        subject="organization",
        file="warning.yaml",
        version="1",
        applies_to=draw(st.just(()) | conditions),
        parameters=PARAMETERS,
        metrics=METRICS,
        recover=draw(st.sampled_from([0.0, 2.0, 20.0])),
        value=value,
        levels=levels,
    )


# Frames -------------------------------------------------------------------------------------------------------

_VALUES = {
    pl.Float64: maybe(small_numbers),
    pl.Boolean: maybe(st.booleans()),
    pl.String: maybe(st.sampled_from(["x", "y", "z"])),
    pl.Date: maybe(days),
}

contexts = st.builds(
    Context,
    st.sampled_from([date(2026, 2, 28), date(2026, 9, 30), date(2026, 8, 31), date(2024, 2, 29)]),
    st.sampled_from(["2026", "2026H2", "2026Q3", "2026-08"]).map(Period.parse),
    st.just(
        Calendar(
            frozenset(date(2026, 10, 1) + timedelta(n) for n in range(7)),
            frozenset({date(2026, 2, 28), date(2026, 10, 10)}),
        )
    ),
)


@st.composite
def subjects(draw: st.DrawFn, rule: Rule, most: int = 7) -> list[dict[str, Any]]:
    """Rows of a subjects frame for a rule, its filters already worked out."""
    rows = []
    for position in range(draw(st.integers(0, most))):
        row: dict[str, Any] = {"subject_id": 10 + position}
        row["parent_id"] = 10 + draw(st.integers(0, position - 1)) if position and draw(st.booleans()) else None
        row |= {name: draw(_VALUES[dtype]) for name, dtype in COLUMNS.items()}
        row["present"] = draw(st.sampled_from([None, "no_data", *map(str, SEVERITY)]))
        for number, condition in enumerate(filters_of(rule)):
            flag = condition == All((Test("flag", Operator.EQ, True),))
            row[f"f.{number}"] = row["s.flag"] is True if flag else row["s.kind"] == condition.operand
        for condition in held_conditions(rule):
            row[column_of_held(condition)] = draw(maybe(days))
        rows.append(row)
    return rows


def frame_of(rule: Rule, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema: dict[str, Any] = {"subject_id": pl.Int64, "parent_id": pl.Int64, **COLUMNS, "present": pl.String}
    schema |= {f"f.{number}": pl.Boolean for number, _ in enumerate(filters_of(rule))}
    schema |= {column_of_held(condition): pl.Date for condition in held_conditions(rule)}
    return pl.DataFrame(rows, schema=schema, orient="row")
