"""Entities of every kind of field for tests of filters, apart from Beacon's own, and a plain reading of filters."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import MetaData
from sqlalchemy.orm import Mapped, relationship

from app.entity.code_lists import CodeList
from app.entity.fields import code, code_of, day, encrypted, flag, moment, money, number, period, reference, text
from app.entity.filters import All, AnyOf, DateOperand, FieldOperand, Filter, NoneOf, Operator, Test
from app.entity.labels import Label
from app.entity.periods import Period
from app.entity.registry import Entity, EntityOptions, Registry
from app.entity.visibility import Visibility

entities = Registry()


class Colour(CodeList):
    RED = "red", "红", "Red"
    BLUE = "blue", "蓝", "Blue"


class _Apart(Entity):
    """Tables of their own metadata, which migrations never see."""

    __abstract__ = True
    metadata = MetaData(naming_convention=Entity.metadata.naming_convention)


def _options(**more: Any) -> EntityOptions:
    return EntityOptions(
        label=Label("测试", "Test"), visibility=Visibility.PUBLIC, title="code", group="system", owner=None, **more
    )


@entities.register
class Shelf(_Apart):
    __tablename__ = "bc_t_shelf"
    __entity__ = _options()

    code: Mapped[str] = code("代码", "Code")
    name: Mapped[str | None] = text("名称", "Name")
    height: Mapped[int | None] = number("高", "Height")
    above_id: Mapped[int | None] = reference("t_shelf", "上层", "Above")
    above: Mapped[Shelf | None] = relationship(remote_side="Shelf.id", foreign_keys=[above_id])


@entities.register
class Thing(_Apart):
    __tablename__ = "bc_t_thing"
    __entity__ = _options()

    code: Mapped[str] = code("代码", "Code")
    name: Mapped[str | None] = text("名称", "Name")
    nick: Mapped[str | None] = text("别名", "Nickname")
    colour: Mapped[Colour | None] = code_of(Colour, "颜色", "Colour")
    size: Mapped[int | None] = number("大小", "Size")
    weight: Mapped[float | None] = number("重量", "Weight")
    price: Mapped[Decimal | None] = money("价格", "Price")
    sound: Mapped[bool | None] = flag("完好", "Sound", default=None)
    made_on: Mapped[date | None] = day("制造日期", "Made on")
    sold_on: Mapped[date | None] = day("售出日期", "Sold on")
    seen_at: Mapped[datetime | None] = moment("所见时间", "Seen at")
    term: Mapped[str | None] = period("周期", "Term")
    secret: Mapped[str | None] = encrypted("密", "Secret")
    shelf_id: Mapped[int | None] = reference("t_shelf", "架", "Shelf")
    shelf: Mapped[Shelf | None] = relationship(foreign_keys=[shelf_id])
    home_id: Mapped[int | None] = reference("t_shelf", "原架", "Home")
    home: Mapped[Shelf | None] = relationship(foreign_keys=[home_id])


THING = entities["t_thing"]


def holds(filter_: Filter, row: Mapping[str, Any], anchors: Mapping[str, date]) -> bool:
    """The filter read plainly: ``row`` has the columns by name, and its relations as rows or None."""
    match filter_:
        case All(parts=parts):
            return all(holds(part, row, anchors) for part in parts)
        case AnyOf(parts=parts):
            return any(holds(part, row, anchors) for part in parts)
        case NoneOf(part=part):
            return not holds(part, row, anchors)
    assert isinstance(filter_, Test)
    left = value_of(filter_.path, row)
    if filter_.operator is Operator.NULL:
        return (left is None) is filter_.operand
    if isinstance(left, Mapping):
        left = left["code"]
    if left is None:
        return False
    listed = filter_.operand if isinstance(filter_.operand, tuple) else (filter_.operand,)
    right = [_operand(operand, row, anchors) for operand in listed]
    match filter_.operator:
        case Operator.IN:
            return any(_compared(Operator.EQ, left, one) for one in right)
        case Operator.NOT_IN:
            return all(_compared(Operator.NE, left, one) for one in right)
        case Operator.BETWEEN:
            return _compared(Operator.GTE, left, right[0]) and _compared(Operator.LTE, left, right[1])
    return _compared(filter_.operator, left, right[0])


def combined(comparisons: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Filters as people write them: comparisons under ``and``, ``or`` and ``not``."""
    return st.recursive(
        comparisons,
        lambda inner: st.one_of(
            st.builds(lambda part: {"not": part}, inner),
            st.builds(lambda parts: {"and": parts}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda parts: {"or": parts}, st.lists(inner, min_size=1, max_size=3)),
        ),
        max_leaves=5,
    )


def value_of(path: str, row: Mapping[str, Any]) -> Any:
    value: Any = row
    for name in path.split("."):
        value = None if value is None else value[name]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, str) and len(value) >= 4 and value[:4].isdigit():
        return Period.parse(value).start  # the only texts here that begin with four digits are periods
    return float(value) if isinstance(value, Decimal) else value


def _operand(operand: Any, row: Mapping[str, Any], anchors: Mapping[str, date]) -> Any:
    if isinstance(operand, DateOperand):
        return _moved(anchors[operand.anchor], operand.days, operand.months)
    if isinstance(operand, FieldOperand):
        value = value_of(operand.path, row)
        if isinstance(value, Mapping):
            value = value["code"]
        value = _plain(value)
        if value is not None and (operand.days or operand.months):
            value = value.date() if isinstance(value, datetime) else value
            value = _moved(value, operand.days, operand.months)
        return value
    return operand


def _moved(day: date, days: int, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1])) + timedelta(days=days)


def _folded(text: str) -> str:
    return "".join(one.lower() if one.isascii() else one for one in text)


def _compared(operator: Operator, left: Any, right: Any) -> bool:
    left, right = _plain(left), _plain(right)
    if left is None or right is None:
        return False
    if isinstance(left, date) and isinstance(left, datetime) is not isinstance(right, datetime):
        left, right = (one.date() if isinstance(one, datetime) else one for one in (left, right))
    match operator:
        case Operator.EQ:
            return left == right
        case Operator.NE:
            return left != right
        case Operator.LT:
            return left < right
        case Operator.LTE:
            return left <= right
        case Operator.GT:
            return left > right
        case Operator.GTE:
            return left >= right
        case Operator.CONTAINS:
            return _folded(right) in _folded(left)
        case Operator.STARTS_WITH:
            return _folded(left).startswith(_folded(right))
    raise AssertionError(operator)
