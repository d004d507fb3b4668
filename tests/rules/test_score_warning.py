"""Warnings by hand: levels, recovering, what is missing, and how long a condition has held."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from app.entity.periods import Period
from app.rules.context import Context
from app.rules.expression_parser import parse_expression

from .by_hand import frame, warn, warning

AS_OF = date(2026, 9, 30)


def levels_of(subjects: pl.DataFrame, value: str | None, context: Context | None = None, **options: Any) -> list[Any]:
    options.setdefault("levels", {"yellow": "<= 180", "orange": "<= 60", "red": "< 0"})
    return warn(warning(subjects, value, **options), subjects, context or Context(AS_OF))["level"].to_list()


def test_the_term_that_expires() -> None:
    """The contract's example: days until the extension, else until the term's end."""
    ends = [date(2027, 9, 30), date(2027, 3, 29), date(2026, 11, 29), date(2026, 9, 30), date(2026, 9, 29), None]
    extended = [None, None, None, None, date(2026, 12, 1), None]
    subjects = frame(s_term_ends_on=ends, s_extended_to=extended)
    found = warn(
        warning(
            subjects,
            "days_until(coalesce(extended_to, term_ends_on))",
            levels={"yellow": "<= 180", "orange": "<= 60", "red": "< 0"},
        ),
        subjects,
        Context(AS_OF),
    )
    assert found["value"].to_list() == [365, 180, 60, 0, 62, None]
    assert found["level"].to_list() == [None, "yellow", "orange", "orange", "yellow", "no_data"]


def test_the_monthly_theme_day() -> None:
    """The contract's example: 0 held this month, 1 not yet, 2 last month was missed; red too if a branch has had
    fewer than three members for more than 180 days."""
    month = Context(AS_OF, Period.parse("2026-09"))
    last = [date(2026, 9, 3), date(2026, 8, 3), date(2026, 7, 31), None, date(2026, 9, 3), date(2026, 9, 3), None]
    subjects = frame(
        members=[5.0, 5.0, 5.0, 5.0, 2.0, 2.0, 5.0],
        last=last,
        s_founded_on=[date(2020, 1, 1)] * 6 + [None],
    ).with_columns(
        pl.Series("held.(members < 3)", [None, None, None, None, date(2026, 3, 1), None, None], dtype=pl.Date)
    )
    rule = warning(
        subjects,
        "periods_since(coalesce(last, founded_on))",
        levels={
            "yellow": "value >= 1 and day(as_of) >= 25",
            "orange": ">= 2",
            "red": "value >= 3 or days_held(members < 3) > 180",
        },
        applies_to=(parse_expression("members > 0"),),
    )
    found = warn(rule, subjects, month)
    assert found["value"].to_list() == [0, 1, 2, 80, 0, 0, None]
    assert found["level"].to_list() == [None, "yellow", "orange", "red", "red", None, "no_data"]
    held = found["held.(members < 3)"].to_list()
    assert held == [None, None, None, None, date(2026, 3, 1), AS_OF, None]
    # Before the 25th a meeting not yet held is no warning; and nothing is missing, although not all is known.
    assert warn(rule, subjects, Context(date(2026, 9, 24), month.period))["level"].to_list()[:2] == [None, None]


def test_days_held_as_the_value() -> None:
    """While the condition is false there is no value, yet nothing is missing: the branch is well."""
    subjects = frame(full=[5.0, 2.0, 2.0, None]).with_columns(
        pl.Series("held.(full < 3)", [date(2026, 1, 1), date(2026, 6, 1), None, date(2026, 1, 1)])
    )
    rule = warning(subjects, "days_held(full < 3)", levels={"yellow": ">= 0", "orange": "> 90"})
    found = warn(rule, subjects, Context(AS_OF))
    assert found["value"].to_list() == [None, 121, 0, None]
    assert found["level"].to_list() == [None, "orange", "yellow", "no_data"]
    assert found["held.(full < 3)"].to_list() == [None, date(2026, 6, 1), AS_OF, None]


def test_a_state_from_a_later_day_counts_from_today() -> None:
    subjects = frame(full=[2.0]).with_columns(pl.Series("held.(full < 3)", [date(2026, 12, 1)]))
    rule = warning(subjects, "days_held(full < 3)", levels={"yellow": ">= 0"})
    assert warn(rule, subjects, Context(AS_OF)).row(0) == (1, 0.0, "yellow", AS_OF)


def test_held_conditions_may_name_the_value() -> None:
    subjects = frame(members=[55.0, 40.0]).with_columns(pl.Series("held.(value > 50)", [date(2026, 1, 1), None]))
    rule = warning(subjects, "members", levels={"orange": "> 50", "red": "value > 60 or days_held(value > 50) > 180"})
    assert warn(rule, subjects, Context(AS_OF))["level"].to_list() == ["red", None]


def test_without_state_every_condition_holds_for_the_first_time() -> None:
    subjects = frame(full=[2.0, 5.0])
    found = warn(warning(subjects, "days_held(full < 3)", levels={"yellow": ">= 0"}), subjects, Context(AS_OF))
    assert found.rows() == [(1, 0.0, "yellow", AS_OF), (2, None, None, None)]


def test_recovering_shifts_the_value_against_each_comparison() -> None:
    """Turnout under 0.8 is yellow; it stays so until 0.82 is reached. Days over 30 stay orange until 25."""
    falling = {"yellow": "< 0.8", "orange": "< 0.65"}
    turnout = frame(v=[0.79, 0.8, 0.81, 0.82, 0.66, 0.67, 0.64], light_now=["yellow"] * 4 + ["orange"] * 3)
    expected = ["yellow", "yellow", "yellow", None, "orange", "yellow", "orange"]
    assert levels_of(turnout, "v", levels=falling, recover=0.02) == expected
    rising = {"yellow": "> 10", "orange": ">= 30"}
    days = frame(v=[30.0, 26.0, 25.0, 24.0, 6.0, 5.0, 29.0], light_now=["orange"] * 6 + [None])
    expected = ["orange", "orange", "orange", "yellow", "yellow", None, "yellow"]
    assert levels_of(days, "v", levels=rising, recover=5.0) == expected


def test_recovering_never_delays_getting_worse_and_does_not_shift_conditions() -> None:
    rule = {"yellow": "> 10", "red": "value > 30 and urgent"}
    subjects = frame(v=[31.0, 28.0, 28.0, 8.0], urgent=[True] * 4, light_now=["yellow", "red", "yellow", "yellow"])
    assert levels_of(subjects, "v", levels=rule, recover=5.0) == ["red", "yellow", "yellow", "yellow"]


def test_levels_without_a_value() -> None:
    subjects = frame(s_from=[date(2026, 9, 21), date(2026, 9, 18), None], s_to=[date(2026, 9, 25)] * 3)
    rule = warning(subjects, levels={"red": "workdays_between(from, to) < 5"})
    found = warn(rule, subjects, Context(AS_OF))
    assert found.rows() == [(1, None, "red"), (2, None, None), (3, None, "no_data")]


def test_no_data_only_where_nothing_holds() -> None:
    subjects = frame(a=[None, None, 1.0], b=[9.0, 1.0, 1.0])
    assert levels_of(subjects, None, levels={"yellow": "a > 5", "red": "b > 5"}) == ["red", "no_data", None]
    # What is decided without it is not missing.
    assert levels_of(subjects, None, levels={"yellow": "a > 5 and b > 100"}) == [None, None, None]
    # A value that is missing is, even where no level asks for it.
    assert levels_of(subjects, "a", levels={"yellow": "b > 5"}) == ["yellow", "no_data", None]


def test_a_warning_without_levels_or_subjects() -> None:
    subjects = frame(a=[1.0, None])
    assert levels_of(subjects, "a", levels={}) == [None, "no_data"]
    empty = warn(warning(subjects.clear(), "a", levels={"red": "> 1"}), subjects.clear(), Context(AS_OF))
    assert (empty.height, empty.columns) == (0, ["subject_id", "value", "level"])


def test_dates_and_truth_as_values() -> None:
    subjects = frame(done=[True, False, None], s_day=[date(2026, 9, 1), date(2026, 10, 1), None])
    assert levels_of(subjects, "done", levels={"red": "== 0"}) == [None, "red", "no_data"]
    late = warn(warning(subjects, "day", levels={"red": "< as_of"}), subjects, Context(AS_OF))
    assert late.rows() == [(1, None, "red"), (2, None, None), (3, None, "no_data")]


@pytest.mark.parametrize("value", ["a", None])
def test_subjects_to_which_it_does_not_apply_have_no_row(value: str | None) -> None:
    subjects = frame(a=[1.0, 2.0, None])
    rule = warning(subjects, value, levels={"red": "a > 1"}, applies_to=(parse_expression("a > 0"),))
    assert warn(rule, subjects, Context(AS_OF))["subject_id"].to_list() == [1, 2]
