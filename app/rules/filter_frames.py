"""Filters over frames of results, meaning what ``app.entity.filters.sql`` means over tables."""

from __future__ import annotations

import operator as python
import string
from collections.abc import Callable
from typing import Any

import polars as pl

from app.entity.filters import (
    All,
    AnyOf,
    DateContext,
    DateOperand,
    FieldOperand,
    Filter,
    NoneOf,
    Operand,
    Operator,
    Test,
)

_COMPARISONS: dict[Operator, Callable[[Any, Any], Any]] = {
    Operator.EQ: python.eq,
    Operator.NE: python.ne,
    Operator.LT: python.lt,
    Operator.LTE: python.le,
    Operator.GT: python.gt,
    Operator.GTE: python.ge,
}
_UPPER, _LOWER = list(string.ascii_uppercase), list(string.ascii_lowercase)


def filter_frame(filter_: Filter, dates: DateContext, column: Callable[[str], pl.Expr] = pl.col) -> pl.Expr:
    """The filter as a Polars condition, true or false and never null. ``column`` finds the column of a name."""
    match filter_:
        case All(parts=parts):
            return pl.all_horizontal(pl.lit(True), *(filter_frame(part, dates, column) for part in parts))
        case AnyOf(parts=parts):
            return pl.any_horizontal(pl.lit(False), *(filter_frame(part, dates, column) for part in parts))
        case NoneOf(part=part):
            return ~filter_frame(part, dates, column)
        case Test():
            return _test(filter_, dates, column)
    raise TypeError(filter_)


def _test(test: Test, dates: DateContext, column: Callable[[str], pl.Expr]) -> pl.Expr:
    left = column(test.path)
    listed = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    if test.operator is Operator.NULL:
        return left.is_null() if test.operand else left.is_not_null()
    operands = [_operand(operand, dates, column) for operand in listed]
    match test.operator:
        case Operator.BETWEEN:
            holds = (left >= operands[0]) & (left <= operands[1])
        case Operator.IN:
            # One operand that is missing does not spoil the others.
            holds = pl.any_horizontal(*((left == operand).fill_null(False) for operand in operands))
        case Operator.NOT_IN:
            holds = pl.all_horizontal(*((left != operand).fill_null(False) for operand in operands))
        case Operator.CONTAINS:
            holds = _folded(left).str.contains(_folded(operands[0]), literal=True)
        case Operator.STARTS_WITH:
            holds = _folded(left).str.starts_with(_folded(operands[0]))
        case _:
            holds = _COMPARISONS[test.operator](left, operands[0])
    return holds.fill_null(False)


def _folded(text: pl.Expr) -> pl.Expr:
    """ASCII letters in lower case, everything else as it is."""
    return text.str.replace_many(_UPPER, _LOWER)


def _operand(operand: Operand, dates: DateContext, column: Callable[[str], pl.Expr]) -> pl.Expr:
    match operand:
        case DateOperand():
            return pl.lit(dates.resolve(operand))
        case FieldOperand(path=path, days=days, months=months):
            other = column(path)
            if months:
                other = other.dt.offset_by(f"{months}mo")
            return other.dt.offset_by(f"{days}d") if days else other
    return pl.lit(operand)
