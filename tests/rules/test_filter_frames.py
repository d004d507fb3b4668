"""Filters over frames of results mean what they mean over tables: both are held to the same plain reading."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.entity.filters import Column, DateContext, FrameColumns, parse_filter
from app.entity.filters.dates import ANCHORS
from app.entity.filters.parsing import operators_for
from app.entity.filters.tree import Operator
from app.entity.labels import Label
from app.entity.periods import Period
from app.entity.registry import FieldKind
from app.rules.filter_frames import filter_frame
from tests.entity.filters_world import combined, holds

DATES = DateContext(date(2026, 8, 31), Period.parse("2026Q3"))
ANCHOR_DAYS = {name: DATES.anchor(name) for name in ANCHORS}
LIGHTS = ("red", "orange", "green")
VALUES: dict[str, tuple[FieldKind, pl.DataType, list[Any]]] = {
    "score": (FieldKind.DECIMAL, pl.Float64(), [0.0, 59.5, 60.0, 100.0]),
    "study": (FieldKind.DECIMAL, pl.Float64(), [0.0, 60.0, 100.0]),
    "rank": (FieldKind.INTEGER, pl.Int64(), [1, 2, 60]),
    "light": (FieldKind.CODE, pl.String(), list(LIGHTS)),
    "grade": (FieldKind.TEXT, pl.String(), ["a%b", "A_B", "ab", "Á", "á", "组"]),
    "since": (FieldKind.DATE, pl.Date(), [date(2026, 7, 31), date(2026, 8, 31), date(2026, 2, 28)]),
    "until": (FieldKind.DATE, pl.Date(), [date(2026, 8, 31), date(2026, 9, 1)]),
}
SOURCE = FrameColumns(
    Label("结果", "results"),
    {
        name: Column(name, name, kind, Label(name, name), codes=LIGHTS if name == "light" else None)
        for name, (kind, _, _) in VALUES.items()
    },
)
_chance = random.Random(3)
ROWS = [
    {name: None if _chance.random() < 0.2 else _chance.choice(values) for name, (_, _, values) in VALUES.items()}
    for _ in range(60)
]
FRAME = pl.DataFrame(ROWS, schema={name: dtype for name, (_, dtype, _) in VALUES.items()})


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    path = draw(st.sampled_from(sorted(VALUES)))
    kind, _, values = VALUES[path]
    operator = draw(st.sampled_from(sorted(operators_for(kind))))
    others = {
        FieldKind.DECIMAL: [{"field": "rank"}, 60],
        FieldKind.INTEGER: [{"field": "score"}, 59.5],
        FieldKind.DATE: ["as_of", "as_of-1m", "period_end+1d", {"field": "until"}, {"field": "since+6m"}],
    }
    operand = st.sampled_from([*values, *others.get(kind, [])])
    if operator == Operator.NULL:
        return {path: {operator: draw(st.booleans())}}
    if operator in (Operator.CONTAINS, Operator.STARTS_WITH):
        return {path: {operator: draw(st.sampled_from(["", "A", "a", "%", "_", "á", "组", "B"]))}}
    if operator == Operator.BETWEEN:
        return {path: {operator: [draw(operand), draw(operand)]}}
    if operator in (Operator.IN, Operator.NOT_IN):
        return {path: {operator: draw(st.lists(operand, min_size=1, max_size=3))}}
    return {path: {operator: draw(operand)}}


filters = combined(comparisons())


@hypothesis_settings(deadline=None, max_examples=300)
@given(raw=filters)
def test_frames_hold_what_the_plain_reading_holds(raw: dict[str, Any]) -> None:
    filter_ = parse_filter(raw, SOURCE)
    held = FRAME.select(filter_frame(filter_, DATES).alias("held")).get_column("held").to_list()
    assert held == [holds(filter_, row, ANCHOR_DAYS) for row in ROWS]
