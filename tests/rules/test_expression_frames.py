"""Expressions over frames: what each function gives, and where missing values go."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import polars as pl
import pytest

from app.entity.labels import UserError
from app.entity.periods import Period
from app.rules.context import Calendar, Context
from app.rules.expression_frames import Compiler, Kind, column, literal
from app.rules.expression_parser import ExpressionError, parse_expression

AS_OF = date(2026, 2, 28)
NATIONAL_DAY = frozenset(date(2026, 10, day) for day in range(1, 9))
WORKED = frozenset({date(2026, 9, 27), date(2026, 10, 10)})
CONTEXT = Context(AS_OF, Period.parse("2026Q1"), Calendar(NATIONAL_DAY, WORKED))

VALUES = {
    "three": 3.0,
    "zero": 0.0,
    "nothing": None,
    "yes": True,
    "no": False,
    "unknown": None,
    "kind": "branch",
    "founded": date(2024, 1, 31),
    "no_day": None,
}
FRAME = pl.DataFrame(
    {name: [value, value] for name, value in VALUES.items()},
    schema_overrides={"nothing": pl.Float64, "unknown": pl.Boolean, "no_day": pl.Date},
)


def compiler(frame: pl.DataFrame = FRAME, context: Context = CONTEXT) -> Compiler:
    names = {name: column(name, dtype) for name, dtype in frame.schema.items()}
    names |= {name: literal(day) for name, day in context.dates().items()}
    return Compiler(names, context)


def value_of(text: str, frame: pl.DataFrame = FRAME, context: Context = CONTEXT) -> Any:
    """Of the last row; the first must be the same, so that nothing depends on a column having one row."""
    found = frame.with_columns(compiler(frame, context).value(parse_expression(text)).frame.alias("found"))["found"]
    assert len(found) == frame.height
    return found[-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("three + 1", 4.0),
        ("three - 1 - 1", 1.0),
        ("-three * 2", -6.0),
        ("three / 2", 1.5),
        ("yes + yes", 2.0),
        ("three * no", 0.0),
        ("min(three, 2, 7)", 2.0),
        ("max(three, yes)", 3.0),
        ("max(founded, as_of)", AS_OF),
        ("abs(-three)", 3.0),
        ("log(three / 3)", 0.0),
        ("round(2.675, 2)", 2.68),
        ("round(-2.675, 2)", -2.68),
        ("round(1.005, 2)", 1.01),  # stored as 1.00499999999999989
        ("round(-1.005, 2)", -1.01),
        ("round(2.5, 0)", 3.0),
        ("round(-2.5, 0)", -3.0),
        ("round(2.4999, 0)", 2.0),
        ("round(1234.5, -2)", 1200.0),
        ("round(4503599627370497.0, 0)", 4503599627370497.0),
        ("kind == 'branch'", True),
        ("kind != 'branch'", False),
        ("three == 3", True),
        ("yes == true", True),
        ("founded < as_of", True),
        ("if(three > 2, 'a', 'b')", "a"),
        ("if(zero, 1, 2)", 2.0),
        ("filled(three, nothing, kind, no_day)", 0.5),
        ("filled(no)", 1.0),
    ],
)
def test_values(text: str, expected: Any) -> None:
    assert value_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "nothing + 1",
        "-nothing",
        "three * nothing",
        "three / zero",
        "zero / zero",
        "three / nothing",
        "log(zero)",
        "log(-three)",
        "min(three, nothing)",
        "max(nothing, three)",
        "abs(nothing)",
        "round(nothing, 1)",
        "nothing > 1",
        "nothing == nothing",
        "nothing != 1",
        "three < log(0)",
        "not unknown",
        "not nothing > 1",
        "coalesce(nothing, three / zero)",
        "if(yes, nothing, 1)",
        "days_until(no_day)",
        "months_since(no_day)",
        "workdays_between(no_day, as_of)",
        "add_days(founded, nothing)",
        "add_months(no_day, 1)",
        "date(2026, 2, 29)",
        "date(2026, 13, 1)",
        "date(2026, nothing, 1)",
        "date(0, 1, 1)",
        "add_days(as_of, 10000000)",
        "add_months(as_of, -100000)",
        "1e308 * 10",
        "1e308 * 10 - 1e308 * 10",
        "three * 1e308 * 1e308 * 0",
    ],
)
def test_missing_in_missing_out(text: str) -> None:
    assert value_of(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("coalesce(nothing, three)", 3.0),
        ("coalesce(no_day, founded)", date(2024, 1, 31)),
        ("if(nothing > 1, 1, 2)", 2.0),
        ("if(no, nothing, 2)", 2.0),
        ("if(yes, 1, nothing)", 1.0),
        ("no and unknown", False),
        ("unknown and no", False),
        ("yes and unknown", None),
        ("yes or unknown", True),
        ("unknown or yes", True),
        ("no or unknown", None),
        ("unknown and unknown", None),
        ("not (no and unknown)", True),
        ("nothing > 1 or three > 1", True),
    ],
)
def test_what_gets_round_a_missing_value(text: str, expected: Any) -> None:
    assert value_of(text) is expected or value_of(text) == expected


def test_a_missing_condition_counts_as_false() -> None:
    texts = {"plain": "nothing > 1", "negated": "not nothing > 1"}
    found = FRAME.select(compiler().condition(parse_expression(text)).alias(name) for name, text in texts.items())
    assert found.rows() == [(False, False)] * 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("days_until(date(2026, 3, 1))", 1.0),
        ("days_since(date(2026, 3, 1))", -1.0),
        ("days_between(founded, as_of)", 759.0),
        ("months_since(date(2026, 1, 31))", 1.0),  # the last day of February completes a month begun on the 31st
        ("months_since(date(2026, 1, 28))", 1.0),
        ("months_since(date(2026, 1, 29))", 1.0),
        ("months_since(date(2025, 2, 28))", 12.0),
        ("months_since(as_of)", 0.0),
        ("months_since(date(2026, 3, 1))", -1.0),
        ("months_since(date(2026, 3, 28))", -1.0),
        ("months_since(date(2026, 3, 31))", -1.0),
        ("months_since(date(2026, 4, 1))", -2.0),
        ("periods_since(date(2026, 1, 1))", 0.0),
        ("periods_since(date(2025, 12, 31))", 1.0),
        ("periods_since(date(2025, 9, 30))", 2.0),
        ("periods_since(date(2027, 1, 1))", 0.0),
        ("add_days(as_of, 1)", date(2026, 3, 1)),
        ("add_days(as_of, -28.9)", date(2026, 1, 31)),
        ("add_months(date(2026, 1, 31), 1)", date(2026, 2, 28)),
        ("add_months(date(2024, 1, 31), 1)", date(2024, 2, 29)),
        ("add_months(date(2024, 2, 29), 12)", date(2025, 2, 28)),
        ("add_months(date(2026, 1, 15), -2)", date(2025, 11, 15)),
        ("add_months(date(2026, 1, 15), -13)", date(2024, 12, 15)),
        ("date(2024, 2, 29)", date(2024, 2, 29)),
        ("year(founded)", 2024.0),
        ("month(founded)", 1.0),
        ("day(founded)", 31.0),
        ("year_start", date(2026, 1, 1)),
        ("period_end", date(2026, 3, 31)),
    ],
)
def test_dates(text: str, expected: Any) -> None:
    assert value_of(text) == expected


@pytest.mark.parametrize(
    ("after", "until", "expected"),
    [
        ("2026-09-25", "2026-09-26", 0),  # Friday to Saturday
        ("2026-09-25", "2026-09-27", 1),  # a Sunday worked in exchange
        ("2026-09-30", "2026-10-09", 1),  # eight days off, then Friday
        ("2026-09-30", "2026-10-10", 2),  # and a Saturday worked
        ("2026-09-30", "2026-09-30", 0),
        ("2026-10-12", "2026-10-16", 4),  # the first day does not count, the last does
        ("2026-10-16", "2026-10-12", -4),
        ("1969-12-22", "1970-01-05", 10),
    ],
)
def test_workdays(after: str, until: str, expected: int) -> None:
    frame = pl.DataFrame({"a": [date.fromisoformat(after)] * 2, "b": [date.fromisoformat(until)] * 2})
    assert value_of("workdays_between(a, b)", frame) == expected


def test_periods_need_a_period() -> None:
    without = Context(AS_OF)
    with pytest.raises(UserError, match="period"):
        value_of("periods_since(founded)", context=without)
    with pytest.raises(UserError, match="period_start"):
        value_of("period_start", context=without)
    assert value_of("year_end", context=without) == date(2026, 12, 31)


@pytest.mark.parametrize("divisor", [3, 49, 98, 103, 107, 161])
def test_a_number_divided_by_itself_is_one(divisor: int) -> None:
    """Polars multiplies by the reciprocal when the divisor is one number for the whole column."""
    assert value_of(f"three * {divisor} / 3 / {divisor}") == 1.0
    frame = pl.DataFrame({"a": [float(divisor)] * 2}).with_columns(b=pl.lit(float(divisor)))
    assert value_of(f"a / {divisor} == 1", frame) is True
    assert value_of("a / b == 1", frame) is True


@pytest.mark.parametrize("digits", range(10))
def test_rounding_gives_the_number_that_its_decimals_say(digits: int) -> None:
    numbers = [n / 10**digits for n in (1, 59, 478, 123456789)]
    frame = pl.DataFrame({"a": [number + 1e-14 for number in numbers]})
    found = frame.select(x=compiler(frame).value(parse_expression(f"round(a, {digits})")).frame)["x"].to_list()
    assert found == numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [("false and 0 == three", False), ("true or 0 == three", True), ("true and 3 == three", True), ("1 < 2", True)],
)
def test_constants_spread_over_the_whole_column(text: str, expected: bool) -> None:
    found = FRAME.with_columns(compiler().condition(parse_expression(text)).alias("found"))["found"]
    assert found.to_list() == [expected] * FRAME.height


@pytest.mark.parametrize("text", ["kind + 1", "three == 'x'", "coalesce(founded, 1)", "days_until(three)", "not kind"])
def test_kinds_do_not_mix(text: str) -> None:
    with pytest.raises(UserError):
        value_of(text)


def test_a_column_without_any_value_goes_with_every_kind() -> None:
    frame = pl.DataFrame({"none": [None, None], "kind": ["x", "y"], "day": [AS_OF, AS_OF]})
    assert value_of("none + 1", frame) is None
    assert value_of("none == kind", frame) is None
    assert value_of("coalesce(none, day)", frame) == AS_OF
    assert value_of("if(none, 1, 2)", frame) == 2.0


@pytest.mark.parametrize(
    "function",
    [
        "min({}, three)",
        "round({}, 1)",
        "log({})",
        "1 / (1 + {})",
        "1 + {}",
        "if({} > 1, 1, 2)",
        "days_since(add_months(as_of, {}))",
        "workdays_between(add_days(as_of, {}), as_of)",
        "year(date({}, 1, 1))",
    ],
)
def test_nesting_as_deep_as_the_parser_allows_costs_no_more_than_its_length(function: str) -> None:
    """Written out plainly, Polars would work on twice or three times as much with every level."""
    text = deeper = "three"
    while parses(deeper):
        text, deeper = deeper, function.format(deeper)
    started = time.monotonic()
    value_of(text)
    assert time.monotonic() - started < 10


def parses(text: str) -> bool:
    try:
        parse_expression(text)
    except ExpressionError:
        return False
    return True


def test_kinds_of_columns() -> None:
    assert column("a", pl.Int32()).kind is Kind.NUMBER
    assert column("a", pl.Decimal(10, 2)).kind is Kind.NUMBER
    assert column("a", pl.Categorical()).kind is Kind.TEXT
    assert column("a", pl.Datetime()).kind is Kind.DATE
    with pytest.raises(TypeError):
        column("a", pl.List(pl.Int8))
