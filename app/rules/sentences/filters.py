"""Filters and the conditions of ``applies_to`` in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from app.entity.filters import (
    All,
    AnyOf,
    DateOperand,
    FieldOperand,
    Filter,
    NoneOf,
    Operand,
    Operator,
    Test,
)
from app.entity.filters.columns import DAYS
from app.entity.labels import Label
from app.entity.registry import EntityType, FieldKind

from ..frames import is_filter
from ..model import Condition
from . import expressions
from .vocabulary import DATES, RESULT_COLUMNS, Vocabulary, chosen, day, lowered, number, tidy

_NUMBERS = {
    Operator.LT: Label("小于", "is less than"),
    Operator.LTE: Label("不大于", "is at most"),
    Operator.GT: Label("大于", "is more than"),
    Operator.GTE: Label("不小于", "is at least"),
}
_DATES = {
    Operator.LT: Label("早于", "is before"),
    Operator.LTE: Label("不晚于", "is not after"),
    Operator.GT: Label("晚于", "is after"),
    Operator.GTE: Label("不早于", "is not before"),
}


def read_filter(condition: Filter, words: Vocabulary, source: EntityType | str | None) -> Label:
    """A filter in words. ``source``: the entity whose rows it chooses, or the code of an index or ``warning``, whose
    results it chooses."""
    return tidy(_read(condition, words, source))


def _read(condition: Filter, words: Vocabulary, source: EntityType | str | None) -> Label:
    match condition:
        case Test():
            return _test(condition, words, source)
        case All(parts=parts):
            return _joined([_grouped(part, words, source) for part in parts], "，且", " and ")
        case AnyOf(parts=parts):
            return _joined([_grouped(part, words, source) for part in parts], "，或", " or ")
        case NoneOf(part=Test(operator=Operator.EQ | Operator.IN) as test):
            return _test(test, words, source, opposite=True)
        case NoneOf(part=part):
            inner = _read(part, words, source)
            return Label(f"不满足“{inner.zh}”", f"not ({inner.en})")
    raise TypeError(condition)


def read_conditions(conditions: Sequence[Condition], words: Vocabulary) -> Label:
    """The conditions of ``applies_to``, which must all hold; empty where there are none."""
    read = [
        read_filter(condition, words, words.subject)
        if is_filter(condition)
        else expressions.read_expression(condition, words)
        for condition in conditions
    ]
    return _joined(read, "，且", " and ") if read else Label("", "")


def _joined(parts: Sequence[Label], zh: str, en: str) -> Label:
    return Label(zh.join(part.zh for part in parts), en.join(part.en for part in parts))


def _grouped(part: Filter, words: Vocabulary, source: EntityType | str | None) -> Label:
    read = _read(part, words, source)
    if isinstance(part, AnyOf | All) and len(part.parts) > 1:
        return Label(f"（{read.zh}）", f"({read.en})")
    return read


def _test(test: Test, words: Vocabulary, source: EntityType | str | None, *, opposite: bool = False) -> Label:
    name = _column_called(test.path, words, source)
    if test.operator is Operator.NULL:
        zh, en = ("没有填写", "is not filled in") if test.operand else ("已填写", "is filled in")
        return Label(f"{zh}{name.zh}", f"{name.en} {en}")
    operands = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    read = [_operand(test.path, each, words, source) for each in operands]
    if test.operator is Operator.BETWEEN:
        return Label(
            f"{name.zh}在 {read[0].zh} 至 {read[1].zh} 之间", f"{name.en} is from {read[0].en} to {read[1].en}"
        )
    if test.operator in (Operator.CONTAINS, Operator.STARTS_WITH):
        verb = Label("包含", "contains") if test.operator is Operator.CONTAINS else Label("的开头是", "begins with")
        return Label(f"{name.zh}{verb.zh}{read[0].zh}", f"{name.en} {verb.en} {read[0].en}")
    value = chosen(read)
    if test.operator in (Operator.EQ, Operator.IN, Operator.NE, Operator.NOT_IN):
        negative = (test.operator in (Operator.NE, Operator.NOT_IN)) != opposite
        zh, en = ("不是", "is not") if negative else ("为", "is")
        return Label(f"{name.zh}{zh}{value.zh}", f"{name.en} {en} {value.en}")
    verb = (_DATES if _is_day(test.path, words, source) else _NUMBERS)[test.operator]
    return Label(f"{name.zh}{verb.zh} {value.zh}", f"{name.en} {verb.en} {value.en}")


def _column_called(path: str, words: Vocabulary, source: EntityType | str | None) -> Label:
    if not isinstance(source, str):
        return words.column_called(source, path)
    return RESULT_COLUMNS.get(path) or words.node_called(source, path)


def _is_day(path: str, words: Vocabulary, source: EntityType | str | None) -> bool:
    if isinstance(source, str):
        return path == "since"
    column = words.column(source, path)
    return column is not None and column.kind in DAYS


def _operand(path: str, operand: Operand, words: Vocabulary, source: EntityType | str | None) -> Label:
    match operand:
        case FieldOperand(path=other, days=days, months=months):
            return _moved(_column_called(other, words, source), days, months)
        case DateOperand(anchor=anchor, days=days, months=months):
            return _moved(DATES[anchor], days, months)
        case date():
            return day(operand)
        case bool():
            return Label("“是”", "yes") if operand else Label("“否”", "no")
        case int() | float():
            return Label(number(operand), number(operand))
    if isinstance(source, str):
        called = words.result_code_called(path, operand)
    else:
        called = words.code_called(source, path, operand)
    if called is not None:
        return Label(called.zh, lowered(called.en))
    column = None if isinstance(source, str) else words.column(source, path)
    if column is not None and column.kind is FieldKind.REFERENCE:
        return Label(f"编号 {operand}", f"number {operand}")
    return Label(f"“{operand}”", f"“{operand}”")


def _moved(day_called: Label, days: int, months: int) -> Label:
    """A date so many months and days later, or earlier."""
    for count, zh, en in ((months, "个月", "month"), (days, "天", "day")):
        if count:
            unit = en if abs(count) == 1 else f"{en}s"
            day_called = Label(
                f"{day_called.zh}{'后' if count > 0 else '前'} {abs(count)} {zh}",
                f"{abs(count)} {unit} {'after' if count > 0 else 'before'} {day_called.en}",
            )
    return day_called
