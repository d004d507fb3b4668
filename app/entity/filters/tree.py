"""The syntax tree of the filter language. Operands are typed: ``app.entity.filters.parsing`` converts them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Operator(StrEnum):
    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    IN = "in"
    NOT_IN = "not_in"
    BETWEEN = "between"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class FieldOperand:
    """Another column of the same row, with an offset if it is a date (``{field: pay_by}``, ``{field: pay_by+15d}``)."""

    path: str
    days: int = 0
    months: int = 0


@dataclass(frozen=True, slots=True)
class DateOperand:
    """``as_of``, ``period_start``, ``period_end``, ``year_start`` or ``year_end``, with an offset (``as_of-15d``)."""

    anchor: str
    days: int = 0
    months: int = 0


Operand = str | int | float | bool | date | FieldOperand | DateOperand
"""A period is held as its first day, a code as its text; ``null`` has a truth value."""


@dataclass(frozen=True, slots=True)
class Test:
    """One field compared with one operand (a tuple for ``in``, ``not_in`` and ``between``)."""

    path: str
    operator: Operator
    operand: Operand | tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """The plain opposite of the part."""

    part: Filter


Filter = Test | All | AnyOf | NoneOf
