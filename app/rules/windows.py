"""Which days a metric's window covers, as conditions on the column that dates a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from app.entity.filters.dates import shifted
from app.entity.filters.portable import unindexed
from app.entity.filters.sql import all_of, day_clause
from app.entity.filters.tree import Operator
from app.entity.labels import UserError
from app.entity.periods import Period, PeriodKind
from app.entity.registry import EntityType

from .context import Context
from .model import Window, WindowKind

_UNITS = {
    WindowKind.MONTH: PeriodKind.MONTH,
    WindowKind.QUARTER: PeriodKind.QUARTER,
    WindowKind.HALF_YEAR: PeriodKind.HALF_YEAR,
    WindowKind.YEAR: PeriodKind.YEAR,
}


WIDE_DAYS = 150
"""Of some years of records, the rows of so many days are more quickly found by reading all than by an index."""


@dataclass(frozen=True)
class Span:
    """Days from ``low`` (None: any) to ``high``, both included. Rows dated later than ``as_of`` never lie in one."""

    low: date | None
    high: date
    undated: bool = False
    """Rows without a date count too."""
    valid_on: date | None = None
    """For ``current``: rows must be valid on this day."""

    @property
    def is_wide(self) -> bool:
        """Whether it takes in a good part of the rows, as far as its length tells."""
        return self.low is None or (self.high - self.low).days >= WIDE_DAYS


def span_of(window: Window, context: Context) -> Span:
    """The days of a window. Raises ValueError for ``period`` in a rule without one, which parsing refuses."""
    as_of = context.as_of
    match window.kind:
        case WindowKind.ALL:
            return Span(None, as_of, undated=True)
        case WindowKind.CURRENT:
            return Span(None, as_of, undated=True, valid_on=as_of)
        case WindowKind.DAYS:
            return Span(shifted(as_of, days=1 - window.length), as_of)
        case WindowKind.MONTHS:
            return Span(shifted(as_of, months=-window.length) + timedelta(days=1), as_of)
        case WindowKind.YEARS:
            return Span(shifted(as_of, months=-12 * window.length) + timedelta(days=1), as_of)
    unit = unit_of(window, context)
    return Span(unit.start, min(unit.end, as_of))


def unit_of(window: Window, context: Context) -> Period:
    """The calendar unit of a window, ``back`` counted."""
    if window.kind is WindowKind.PERIOD:
        if context.period is None:
            raise ValueError("window: period in a rule without a period")
        return context.period.shifted(-window.back)
    return Period.containing(context.as_of, _UNITS[window.kind]).shifted(-window.back)


def union(spans: list[Span]) -> Span:
    """The least span that holds all of them; ``valid_on`` if they share it."""
    lows = [span.low for span in spans]
    valid = {span.valid_on for span in spans}
    return Span(
        None if None in lows else min(lows),
        max(span.high for span in spans),
        any(span.undated for span in spans),
        valid.pop() if len(valid) == 1 else None,
    )


def span_clause(
    span: Span, entity: EntityType, root: Any, *, within: Span | None = None, scan: bool = False
) -> ColumnElement[bool]:
    """Whether a row lies in a span; what ``within`` (a span the rows are known to lie in) says already is left out.
    ``scan``: the dates are not to be looked up by an index.

    Raises UserError for an entity whose rows have no date, unless the span takes all rows.
    """
    clauses: list[ColumnElement[bool]] = []
    dated_by = entity.options.dated_by
    if dated_by is None:
        if not span.undated:
            raise UserError(
                f"“{entity.label.zh}”没有日期，只能用 window: all",
                f"{entity.code} has no date; its only window is all",
            )
    elif within is None or (span.low, span.high, span.undated) != (within.low, within.high, within.undated):
        kind, column = entity.fields[dated_by].kind, getattr(root, dated_by)
        column = unindexed(column) if scan else column
        bounds = []
        if span.low is not None and (within is None or within.low != span.low):
            bounds.append(day_clause(kind, column, Operator.GTE, span.low))
        if within is None or within.high != span.high:
            bounds.append(day_clause(kind, column, Operator.LTE, span.high))
        if span.undated:
            if bounds and entity.fields[dated_by].nullable:
                bounds = [or_(column.is_(None), and_(*bounds))]
        elif within is not None and within.undated:
            bounds.append(column.is_not(None))
        clauses += bounds
    if span.valid_on is not None and (within is None or within.valid_on != span.valid_on):
        clauses.append(_valid(entity, root, span.valid_on, scan))
    return all_of(clauses)


def _valid(entity: EntityType, root: Any, day: date, scan: bool) -> ColumnElement[bool]:
    """Valid on a day by the declared columns, both ends included; an end that is not filled in is open."""
    if entity.options.valid_between is None:
        raise UserError(
            f"“{entity.label.zh}”没有起止日期，不能用 window: current",
            f"{entity.code} has no from and until dates; window: current does not fit it",
        )
    clauses = []
    for name, operator in zip(entity.options.valid_between, (Operator.LTE, Operator.GTE), strict=True):
        if name is not None:
            column = unindexed(getattr(root, name)) if scan else getattr(root, name)
            clauses.append(or_(column.is_(None), day_clause(entity.fields[name].kind, column, operator, day)))
    return all_of(clauses)
