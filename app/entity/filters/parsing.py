"""From what people write (YAML, JSON, a query string) to a typed filter.

Every name is looked up in the entity, every operator must suit the field's kind and every operand becomes a value of
that kind. What is wrong is said with its place inside the filter and what was allowed.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.entity.labels import Label, UserError
from app.entity.periods import Period
from app.entity.registry import EntityType, FieldKind, Registry, registry

from .columns import DAYS, NUMBERS, TEXTS, Column, Source, UnknownColumn, resolve_column
from .dates import ANCHORS
from .tree import All, AnyOf, DateOperand, FieldOperand, Filter, NoneOf, Operand, Operator, Test

Permission = Callable[[EntityType, str], bool]
"""Whether the caller may filter by a field of an entity."""

_EQUALITY = frozenset({Operator.EQ, Operator.NE, Operator.IN, Operator.NOT_IN, Operator.NULL})
_ORDER = frozenset({Operator.LT, Operator.LTE, Operator.GT, Operator.GTE, Operator.BETWEEN})
_TEXT = frozenset({Operator.CONTAINS, Operator.STARTS_WITH})
_LISTS = frozenset({Operator.IN, Operator.NOT_IN, Operator.BETWEEN})

_OFFSET = r"(?:\s*(?P<sign>[+-])\s*(?P<count>\d{1,5})(?P<unit>[dmy]))?"
_DATE_OPERAND = re.compile(rf"(?P<anchor>{'|'.join(ANCHORS)}){_OFFSET}")
_FIELD_OPERAND = re.compile(rf"(?P<path>[A-Za-z_][\w.]*){_OFFSET}")


class FilterError(UserError):
    """A filter that cannot be read. ``path`` are the steps to the fault inside it (``("or", "1", "status", "in")``),
    ``problem`` says what is wrong without saying where, ``label`` says both."""

    def __init__(self, path: tuple[str, ...], problem: Label, allowed: Iterable[str] = ()) -> None:
        place = ".".join(path)
        super().__init__(
            f"筛选条件 {place}：{problem.zh}" if path else f"筛选条件：{problem.zh}",
            f"Filter at {place}: {problem.en}" if path else f"Filter: {problem.en}",
        )
        self.path, self.problem, self.allowed = path, problem, tuple(allowed)


def operators_for(kind: FieldKind) -> frozenset[Operator]:
    """The operators that suit a kind of field."""
    if kind in NUMBERS or kind in DAYS:
        return _EQUALITY | _ORDER
    if kind in (FieldKind.TEXT, FieldKind.LONG_TEXT):
        return _EQUALITY | _TEXT
    if kind is FieldKind.ENCRYPTED:
        return frozenset({Operator.NULL})
    return _EQUALITY


def parse_filter(
    raw: Any,
    source: Source,
    *,
    entities: Registry = registry,
    allowed: Permission | None = None,
    anchors: Collection[str] = ANCHORS,
    from_text: bool = False,
) -> Filter:
    """Read a filter over ``source``: an entity, or the columns of a frame.

    ``allowed`` says which fields the caller may filter by (all, if None; relations are asked for by their column);
    ``anchors`` which dates may be named (a rule without a period knows no ``period_start``). ``from_text`` reads
    operands that arrive as text, as in a query string: ``3``, ``true``, ``a,b`` for a list. Raises FilterError.
    """
    return _Reader(source, entities, allowed, anchors, from_text).read(raw, ())


@dataclass(frozen=True)
class _Reader:
    source: Source
    entities: Registry
    allowed: Permission | None
    anchors: Collection[str]
    from_text: bool

    def read(self, raw: Any, place: tuple[str, ...]) -> Filter:
        if not isinstance(raw, Mapping):
            raise FilterError(
                place,
                Label(
                    "这里要写 {字段: 值}，或 and、or、not",
                    "expected {field: value}, or and, or, not",
                ),
            )
        if not raw:
            raise FilterError(place, Label("没有任何条件", "there is no condition in it"))
        parts: list[Filter] = []
        for key, value in raw.items():
            name = str(key)
            step = (*place, name)
            if name in ("and", "or"):
                if not isinstance(value, list | tuple) or not value:
                    raise FilterError(step, Label(f"“{name}”后面要写一组条件", f"“{name}” takes a list of conditions"))
                branches = tuple(self.read(branch, (*step, str(number))) for number, branch in enumerate(value))
                parts.append(All(branches) if name == "and" else AnyOf(branches))
            elif name == "not":
                parts.append(NoneOf(self.read(value, step)))
            else:
                parts.extend(self.field(name, value, step))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def field(self, path: str, value: Any, place: tuple[str, ...]) -> Iterable[Test]:
        column = self.column(path, place)
        if isinstance(value, Mapping) and set(map(str, value)) != {"field"}:
            if not value:
                raise FilterError(place, Label("没有写比较方式", "there is no operator in it"))
            return [
                self.test(column, "null" if operator is None else str(operator), operand, place)
                for operator, operand in value.items()
            ]
        if isinstance(value, list | tuple):
            raise FilterError(
                place,
                Label("多个值请写成 {in: […]}", "for several values write {in: […]}"),
                [Operator.IN],
            )
        return [self.test(column, None, value, place)]

    def column(self, path: str, place: tuple[str, ...]) -> Column:
        try:
            column = resolve_column(self.source, path, self.entities)
        except UnknownColumn as error:
            raise FilterError(place, error.label, error.allowed) from None
        if self.allowed and column.entity:
            owner = self.source
            assert isinstance(owner, EntityType)
            for hop in column.hops:
                if not self.allowed(owner, hop.column):
                    raise self._forbidden(path, place)
                owner = self.entities[hop.target]
            if not self.allowed(column.entity, column.name):
                raise self._forbidden(path, place)
        return column

    @staticmethod
    def _forbidden(path: str, place: tuple[str, ...]) -> FilterError:
        return FilterError(place, Label(f"您不能按“{path}”筛选", f"you may not filter by “{path}”"))

    def test(self, column: Column, name: str | None, value: Any, place: tuple[str, ...]) -> Test:
        suits = operators_for(column.kind)
        allowed = [operator.value for operator in Operator if operator in suits]
        if name is None:
            operator = Operator.EQ
        else:
            place = (*place, name)
            if name not in set(Operator):
                listed = ", ".join(allowed)
                raise FilterError(
                    place,
                    Label(f"没有“{name}”这种比较；可用：{listed}", f"there is no operator “{name}”; allowed: {listed}"),
                    allowed,
                )
            operator = Operator(name)
        if operator not in suits:
            listed = ", ".join(allowed)
            raise FilterError(
                place,
                Label(
                    f"“{column.path}”不能用 {operator} 比较；可用：{listed}",
                    f"“{column.path}” cannot be compared by {operator}; allowed: {listed}",
                ),
                allowed,
            )
        if operator is Operator.NULL:
            return Test(column.path, operator, self.truth(value, place))
        if operator in _LISTS:
            return Test(column.path, operator, self.items(column, operator, value, place))
        return Test(column.path, operator, self.operand(column, value, place))

    def items(self, column: Column, operator: Operator, value: Any, place: tuple[str, ...]) -> tuple[Operand, ...]:
        if self.from_text and isinstance(value, str):
            value = [part.strip() for part in value.split(",")]
        if not isinstance(value, list | tuple):
            raise FilterError(place, Label(f"{operator} 要写一组值：[a, b]", f"{operator} takes a list: [a, b]"))
        if operator is Operator.BETWEEN and len(value) != 2:
            raise FilterError(
                place, Label("between 要写两个值：[最小, 最大]", "between takes two values: [lowest, highest]")
            )
        if not value:
            raise FilterError(place, Label("至少要写一个值", "at least one value is needed"))
        return tuple(self.operand(column, item, (*place, str(number))) for number, item in enumerate(value))

    def operand(self, column: Column, value: Any, place: tuple[str, ...]) -> Operand:
        if value is None:
            raise FilterError(
                place, Label("要找没有填写的，请写 {null: true}", "to find missing values write {null: true}")
            )
        if isinstance(value, Mapping):
            if set(map(str, value)) != {"field"}:
                raise FilterError(
                    place, Label("这里要写一个值，或 {field: 字段}", "expected a value, or {field: other}"), ["field"]
                )
            return self.other_field(column, next(iter(value.values())), (*place, "field"))
        if isinstance(value, list | tuple):
            raise FilterError(place, Label("这里只能写一个值", "expected one value"))
        if column.kind in DAYS:
            return self.day(column, value, place)
        if column.kind in NUMBERS or (column.kind is FieldKind.REFERENCE and column.relation is None):
            return self.number(value, place)
        if column.kind is FieldKind.BOOLEAN:
            return self.truth(value, place)
        return self.text(column, value, place)

    def other_field(self, column: Column, written: Any, place: tuple[str, ...]) -> FieldOperand:
        found = _FIELD_OPERAND.fullmatch(written.strip()) if isinstance(written, str) else None
        if not found:
            raise FilterError(place, Label("这里要写另一个字段的名称", "expected the name of another field"))
        other = self.column(found["path"], place)
        operand = FieldOperand(found["path"], **_offset(found))
        if (operand.days or operand.months) and other.kind not in DAYS:
            raise FilterError(place, Label("只有日期可以加减", "only dates take an offset"))
        if not _comparable(column, other):
            raise FilterError(
                place,
                Label(
                    f"“{column.path}”和“{other.path}”不是同一类，不能比较",
                    f"“{column.path}” and “{other.path}” are of different kinds",
                ),
            )
        return operand

    def day(self, column: Column, value: Any, place: tuple[str, ...]) -> date | DateOperand:
        if isinstance(value, datetime):
            return value if column.kind is FieldKind.MOMENT else value.date()
        if isinstance(value, date):
            return value
        if isinstance(value, str):
            text = value.strip()
            if found := _DATE_OPERAND.fullmatch(text):
                if found["anchor"] in self.anchors:
                    return DateOperand(found["anchor"], **_offset(found))
                listed = ", ".join(self.anchors)
                raise FilterError(
                    place,
                    Label(
                        f"这里没有“{found['anchor']}”（规则没有周期）；可用：{listed}",
                        f"there is no “{found['anchor']}” here (the rule has no period); allowed: {listed}",
                    ),
                    self.anchors,
                )
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                moment = None
            if moment is not None and re.fullmatch(r"\d{4}-\d\d-\d\d.*", text) and moment.tzinfo is None:
                return moment if column.kind is FieldKind.MOMENT and len(text) > 10 else moment.date()
        if column.kind is FieldKind.PERIOD and isinstance(value, int | str) and not isinstance(value, bool):
            with contextlib.suppress(UserError):
                return Period.parse(str(value)).start
        listed = ", ".join(self.anchors)
        example = "2026、2026H1、2026Q3、2026-09、" if column.kind is FieldKind.PERIOD else ""
        raise FilterError(
            place,
            Label(
                f"“{value}”不是日期；请写 {example}2026-09-30，或 {listed}（可加减，如 as_of-15d、as_of+3m）",
                f"“{value}” is not a date; write {example.replace('、', ', ')}2026-09-30, or {listed} "
                "(with an offset, as in as_of-15d or as_of+3m)",
            ),
            self.anchors,
        )

    def number(self, value: Any, place: tuple[str, ...]) -> int | float:
        if self.from_text and isinstance(value, str):
            with contextlib.suppress(ValueError):
                value = int(value) if re.fullmatch(r"\s*[+-]?\d+\s*", value) else float(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise FilterError(place, Label(f"“{value}”不是数字", f"“{value}” is not a number"))
        return value

    def truth(self, value: Any, place: tuple[str, ...]) -> bool:
        if self.from_text and isinstance(value, str):
            value = {"true": True, "1": True, "false": False, "0": False}.get(value.strip().lower(), value)
        if not isinstance(value, bool):
            raise FilterError(
                place, Label(f"“{value}”不是 true 或 false", f"“{value}” is neither true nor false"), ["true", "false"]
            )
        return value

    def text(self, column: Column, value: Any, place: tuple[str, ...]) -> str:
        if column.codes is not None and (not isinstance(value, str) or value not in column.codes):
            listed = ", ".join(column.codes)
            raise FilterError(
                place,
                Label(
                    f"“{value}”不是“{column.label.zh}”的代码；可用：{listed}",
                    f"“{value}” is not a code of “{column.path}”; allowed: {listed}",
                ),
                column.codes,
            )
        if not isinstance(value, str):
            raise FilterError(
                place,
                Label(f"{value} 要写成文字，请加引号：'{value}'", f"{value} must be text; put it in quotes: '{value}'"),
            )
        return str(value)


def _offset(found: re.Match[str]) -> dict[str, int]:
    if not found["sign"]:
        return {}
    count = int(found["count"]) * (-1 if found["sign"] == "-" else 1)
    return {"days": count} if found["unit"] == "d" else {"months": count * (12 if found["unit"] == "y" else 1)}


def _comparable(one: Column, other: Column) -> bool:
    for group in (NUMBERS, DAYS):
        if one.kind in group:
            return other.kind in group
    if one.relation or other.relation:
        return bool(one.relation and other.relation and one.relation.target == other.relation.target)
    if one.kind in TEXTS:
        return other.kind in TEXTS
    return one.kind is other.kind
