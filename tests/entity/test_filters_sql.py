"""Filters mean the same in SQL, on every database, as read plainly over the same rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, insert, select

from app.database.encryption import use_keyring
from app.entity.filters import Filter, filter_clause, parse_filter
from app.entity.filters.columns import resolve_column
from app.entity.filters.dates import ANCHORS, DateContext
from app.entity.filters.parsing import operators_for
from app.entity.filters.tree import Operator
from app.entity.periods import Period
from app.entity.registry import FieldKind
from app.rules.row_source import RowSource
from tests.conftest import KEYRING, server_database
from tests.entity.filters_world import THING, Colour, Shelf, Thing, combined, entities, holds

DATES = DateContext(date(2026, 8, 31), Period.parse("2026Q3"))
ANCHOR_DAYS = {name: DATES.anchor(name) for name in ANCHORS}

TEXTS = ["", "a", "A", "á", "Á", "ab%c", "AB_C", "ab", "a\\b", "组织", "İx", "K", "\u212a", "a ", "o'b", "$1 :x %(y)s"]
NUMBERS = [-1, 0, 1, 2, 2.5, 10**12]
DAYS = [date(2026, 1, 1), date(2026, 2, 28), date(2026, 7, 1), date(2026, 7, 31), date(2026, 8, 31), date(2026, 10, 1)]
MOMENTS = [datetime(2026, 7, 1), datetime(2026, 7, 1, 10, 30), datetime(2026, 8, 31, 23, 59, 59), datetime(2026, 9, 1)]
PERIODS = ["2026", "2026H1", "2026H2", "2026Q1", "2026Q3", "2026-01", "2026-07", "2026-08", "2026-10", "2025-12"]


def random_rows() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Shelves and things with every kind of value and many that are missing; the same on every run."""
    chance = random.Random(7)

    def pick(values: list[Any]) -> Any:
        return None if chance.random() < 0.2 else chance.choice(values)

    shelves = [
        {
            "id": one,
            "code": f"s{one}",
            "name": pick(TEXTS),
            "height": pick([0, 1, 2]),
            "above_id": one - 1 if one > 1 and chance.random() < 0.8 else None,
        }
        for one in range(1, 6)
    ]
    things = [
        {
            "id": one,
            "code": f"t{one}",
            "name": pick(TEXTS),
            "nick": pick(TEXTS),
            "colour": pick(list(Colour)),
            "size": pick([-1, 0, 1, 2]),
            "weight": pick([-1.0, 0.5, 2.5, 1e12]),
            "price": pick([Decimal("0.10"), Decimal("2.50"), Decimal("1.00")]),
            "sound": pick([True, False]),
            "made_on": pick(DAYS),
            "sold_on": pick(DAYS),
            "seen_at": pick(MOMENTS),
            "term": pick(PERIODS),
            "secret": pick(["x"]),
            "shelf_id": pick([1, 2, 3, 4, 5]),
            "home_id": pick([1, 2]),
        }
        for one in range(1, 81)
    ]
    return shelves, things


SHELVES, THINGS = random_rows()


def _linked() -> list[dict[str, Any]]:
    by_id: dict[int | None, dict[str, Any]] = {}
    for shelf in SHELVES:
        by_id[shelf["id"]] = {**shelf, "above": by_id.get(shelf["above_id"])}
    return [{**row, "shelf": by_id.get(row["shelf_id"]), "home": by_id.get(row["home_id"])} for row in THINGS]


ROWS = _linked()


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    if request.param == "sqlite":
        yield from _filled("sqlite://")
        return
    with server_database(request.param) as url:
        yield from _filled(url)


def _filled(url: str) -> Iterator[Connection]:
    use_keyring(KEYRING)
    engine = create_engine(url)
    Thing.metadata.create_all(engine)
    with engine.connect() as connection:
        connection.execute(insert(Shelf.__table__), SHELVES)
        connection.execute(insert(Thing.__table__), THINGS)
        yield connection
        connection.rollback()
    engine.dispose()


PATHS = [
    *THING.fields,
    *THING.relations,
    "shelf.name",
    "shelf.height",
    "shelf.above",
    "shelf.above.name",
    "home.height",
]


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    """One field compared, as people write it."""
    path = draw(st.sampled_from(PATHS))
    column = resolve_column(THING, path, entities)
    operator = draw(st.sampled_from(sorted(operators_for(column.kind))))
    if operator == Operator.NULL:
        return {path: {"null": draw(st.booleans())}}
    operand = st.sampled_from(_operands(path, column))
    if operator in (Operator.CONTAINS, Operator.STARTS_WITH):
        operand = st.sampled_from(TEXTS)
    if operator == Operator.BETWEEN:
        return {path: {operator: [draw(operand), draw(operand)]}}
    if operator in (Operator.IN, Operator.NOT_IN):
        return {path: {operator: draw(st.lists(operand, min_size=1, max_size=3))}}
    return {path: {operator: draw(operand)}}


def _operands(path: str, column: Any) -> list[Any]:
    if column.relation:
        others = [{"field": "home"}, {"field": "shelf.above"}, {"field": "shelf"}]
        return ["s1", "s2", "S3", *others]
    match column.kind:
        case FieldKind.TEXT:
            return [*TEXTS, {"field": "nick"}, {"field": "shelf.name"}, {"field": "colour"}]
        case FieldKind.CODE:
            return ["red", "blue", {"field": "colour"}]
        case FieldKind.INTEGER | FieldKind.DECIMAL:
            return [*NUMBERS, 0.1, {"field": "weight"}, {"field": "price"}, {"field": "shelf.height"}]
        case FieldKind.REFERENCE:
            return [1, 2, 3]
        case FieldKind.BOOLEAN:
            return [True, False, {"field": "sound"}]
    days: list[Any] = [*DAYS, "2026-08-31", "as_of", "as_of-15d", "period_start", "year_end-5m", "as_of - 6m"]
    days += [{"field": "sold_on"}, {"field": "seen_at"}, {"field": "term"}, {"field": "made_on+1m"}]
    days += [{"field": "term-1d"}, {"field": "sold_on+6m"}, {"field": "seen_at-1m"}, {"field": "term+1y"}]
    if column.kind is FieldKind.PERIOD:
        days += [*PERIODS, 2026]
    if column.kind is FieldKind.MOMENT:
        days += [*MOMENTS, "2026-07-01T10:30:00"]
    return days


filters = combined(comparisons())


def found(connection: Connection, filter_: Filter) -> set[int]:
    clause = filter_clause(filter_, THING, Thing, DATES, entities=entities)
    return set(connection.execute(select(Thing.id).where(clause)).scalars())


@hypothesis_settings(deadline=None, max_examples=150)
@given(raw=filters)
def test_sql_finds_what_the_plain_reading_finds(connection: Connection, raw: dict[str, Any]) -> None:
    filter_ = parse_filter(raw, THING, entities=entities)
    wanted = {row["id"] for row in ROWS if holds(filter_, row, ANCHOR_DAYS)}
    assert found(connection, filter_) == wanted
    # The condition has two values: its opposite finds exactly the others, wherever it stands.
    clause = filter_clause(filter_, THING, Thing, DATES, entities=entities)
    assert set(connection.execute(select(Thing.id).where(~clause)).scalars()) == {row["id"] for row in ROWS} - wanted


@hypothesis_settings(deadline=None, max_examples=60)
@given(raw=filters)
def test_joined_relations_mean_the_same_as_subqueries(connection: Connection, raw: dict[str, Any]) -> None:
    from_rows = RowSource(THING, entities)
    filter_ = parse_filter(raw, THING, entities=entities)
    clause = filter_clause(
        filter_, THING, from_rows.root, DATES, entities=entities, reach=from_rows.reach, two_valued=False
    )
    rows = connection.execute(from_rows.join(select(from_rows.root.id).select_from(from_rows.root)).where(clause))
    assert sorted(rows.scalars()) == sorted(found(connection, filter_))
