"""What filters may say, what they become, and what a person is told who writes another."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from app.entity.filters import All, AnyOf, DateOperand, FieldOperand, FilterError, NoneOf, Operator, Test, parse_filter
from app.entity.filters.dates import DateContext, shifted
from app.entity.periods import Period
from app.entity.registry import EntityType
from tests.entity.filters_world import THING, entities

Test.__test__ = False  # a syntax tree's node, not a class of tests


def parsed(raw: Any, **options: Any) -> Any:
    return parse_filter(raw, THING, entities=entities, **options)


def test_a_value_is_equality() -> None:
    assert parsed({"size": 3}) == Test("size", Operator.EQ, 3)


def test_several_fields_and_several_operators_must_all_hold() -> None:
    assert parsed({"size": {"gte": 1, "lt": 3}, "sound": True}) == All(
        (Test("size", Operator.GTE, 1), Test("size", Operator.LT, 3), Test("sound", Operator.EQ, True))
    )


def test_and_or_not_combine() -> None:
    assert parsed({"or": [{"size": 1}, {"not": {"name": "a"}}]}) == AnyOf(
        (Test("size", Operator.EQ, 1), NoneOf(Test("name", Operator.EQ, "a")))
    )


def test_dates_take_offsets() -> None:
    assert parsed({"made_on": {"lt": "as_of-15d"}}) == Test("made_on", Operator.LT, DateOperand("as_of", days=-15))
    assert parsed({"made_on": "year_start + 1y"}) == Test("made_on", Operator.EQ, DateOperand("year_start", months=12))
    assert parsed({"made_on": {"gt": {"field": "sold_on-3m"}}}) == Test(
        "made_on", Operator.GT, FieldOperand("sold_on", months=-3)
    )


def test_days_are_read_from_text_and_dates() -> None:
    for written in ("2026-07-01", date(2026, 7, 1), datetime(2026, 7, 1, 9)):
        assert parsed({"made_on": written}) == Test("made_on", Operator.EQ, date(2026, 7, 1))


def test_periods_stand_for_their_first_day() -> None:
    assert parsed({"term": "2026Q3"}) == Test("term", Operator.EQ, date(2026, 7, 1))
    assert parsed({"term": 2026}) == Test("term", Operator.EQ, date(2026, 1, 1))


def test_null_is_read_however_yaml_gives_it() -> None:
    assert parsed({"secret": {None: True}}) == parsed({"secret": {"null": True}}) == Test("secret", Operator.NULL, True)


def test_relations_are_followed_and_compared_by_code() -> None:
    assert parsed({"shelf.above.name": "a"}) == Test("shelf.above.name", Operator.EQ, "a")
    assert parsed({"shelf": {"in": ["s1"]}}) == Test("shelf", Operator.IN, ("s1",))


def test_query_strings_give_text() -> None:
    assert parsed({"size": {"gte": "3"}, "sound": "true", "colour": {"in": "red,blue"}}, from_text=True) == All(
        (
            Test("size", Operator.GTE, 3),
            Test("sound", Operator.EQ, True),
            Test("colour", Operator.IN, ("red", "blue")),
        )
    )


@pytest.mark.parametrize(
    ("raw", "path", "allowed"),
    [
        ({"sise": 1}, ("sise",), "size"),
        ({"shelf.nam": 1}, ("shelf.nam",), "name"),
        ({"size.x": 1}, ("size.x",), "shelf.…"),
        ({"colour": "green"}, ("colour",), "red"),
        ({"colour": {"in": ["red", "green"]}}, ("colour", "in", "1"), "blue"),
        ({"colour": {"lt": "red"}}, ("colour", "lt"), "not_in"),
        ({"size": {"contains": "1"}}, ("size", "contains"), "between"),
        ({"secret": "x"}, ("secret",), "null"),
        ({"size": {"like": 1}}, ("size", "like"), "eq"),
        ({"made_on": {"gt": "asof"}}, ("made_on", "gt"), "as_of"),
    ],
)
def test_what_is_unknown_is_told_with_its_place_and_what_was_allowed(raw: Any, path: Any, allowed: str) -> None:
    with pytest.raises(FilterError) as caught:
        parsed({"or": [{"size": 1}, raw]})
    assert caught.value.path == ("or", "1", *path)
    assert allowed in caught.value.allowed
    assert allowed in caught.value.label.zh
    assert allowed in caught.value.label.en


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {},
        "size",
        {"size": None},
        {"size": "3"},
        {"size": True},
        {"size": [1, 2]},
        {"size": {}},
        {"size": {"in": []}},
        {"size": {"in": 1}},
        {"size": {"between": [1]}},
        {"size": {"eq": {"other": 1}}},
        {"size": {"field": "name"}},
        {"size": {"field": "weight+1d"}},
        {"name": 3},
        {"name": {"starts_with": 3}},
        {"sound": 1},
        {"sound": {"null": "yes"}},
        {"made_on": "2026Q3"},
        {"made_on": "2026-02-30"},
        {"made_on": 2026},
        {"term": "2026Q5"},
        {"shelf": 1},
        {"shelf": {"contains": "s"}},
        {"shelf": {"field": "name"}},
        {"and": {"size": 1}},
        {"or": []},
        {"not": [{"size": 1}]},
        {"secret": {"field": "name"}},
        {"name": {"field": "secret"}},
    ],
)
def test_what_fits_no_field_is_refused(raw: Any) -> None:
    with pytest.raises(FilterError):
        parsed(raw)


def test_a_rule_without_a_period_knows_no_period_names() -> None:
    with pytest.raises(FilterError, match="period_start"):
        parsed({"made_on": {"gte": "period_start"}}, anchors=("as_of", "year_start", "year_end"))


@pytest.mark.parametrize(
    "raw", [{"price": 1}, {"size": {"gt": {"field": "price"}}}, {"shelf.name": "a"}, {"home": "s1"}, {"shelf": "s1"}]
)
def test_fields_that_the_caller_may_not_filter_by_are_refused_wherever_they_stand(raw: Any) -> None:
    def allowed(entity: EntityType, name: str) -> bool:
        return (entity.code, name) not in {("t_thing", "price"), ("t_shelf", "name"), ("t_thing", "home_id")} and (
            name != "shelf_id" or raw != {"shelf": "s1"}
        )

    parsed({"size": 1, "shelf.height": 2}, allowed=lambda entity, name: True)
    with pytest.raises(FilterError):
        parsed(raw, allowed=allowed)


def test_dates_stand_for_days_of_their_year_and_period() -> None:
    dates = DateContext(date(2026, 2, 28), Period.parse("2026Q1"))
    found = {name: dates.anchor(name) for name in ("as_of", "period_start", "period_end", "year_start", "year_end")}
    assert list(found.values()) == [
        date(2026, 2, 28),
        date(2026, 1, 1),
        date(2026, 3, 31),
        date(2026, 1, 1),
        date(2026, 12, 31),
    ]
    with pytest.raises(ValueError, match="period_end"):
        DateContext(date(2026, 2, 28)).anchor("period_end")


def test_months_are_clamped_and_the_calendar_ends() -> None:
    assert shifted(date(2026, 1, 31), months=1) == date(2026, 2, 28)
    assert shifted(date(2024, 2, 29), months=12, days=1) == date(2025, 3, 1)
    assert shifted(date(2026, 1, 1), days=-99_999_999 // 100) == date.min
    assert shifted(date(2026, 1, 1), months=99_999 * 12) == date.max
