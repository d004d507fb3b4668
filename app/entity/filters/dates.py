"""The dates that filters name: ``as_of``, the bounds of the period and of the year, and offsets from them."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

from app.entity.periods import Period

from .tree import DateOperand

PERIOD_ANCHORS = ("period_start", "period_end")
"""Known only where there is a period."""
ANCHORS = ("as_of", *PERIOD_ANCHORS, "year_start", "year_end")


def shifted(day: date, days: int = 0, months: int = 0) -> date:
    """The day so many months (clamped to the month's end) and then days later; the ends of the calendar are firm."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if not 1 <= year <= 9999:
        return date.max if months > 0 else date.min
    moved = date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
    try:
        return moved + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min


@dataclass(frozen=True, slots=True)
class DateContext:
    """The day a filter is asked for (today, in an API) and, in rules that have one, the period."""

    as_of: date
    period: Period | None = None

    def anchor(self, name: str) -> date:
        """The day that an anchor stands for. Raises ValueError where there is no period to name a bound of."""
        match name:
            case "as_of":
                return self.as_of
            case "year_start":
                return date(self.as_of.year, 1, 1)
            case "year_end":
                return date(self.as_of.year, 12, 31)
            case "period_start" if self.period:
                return self.period.start
            case "period_end" if self.period:
                return self.period.end
        raise ValueError(f"no such date here: {name}")

    def resolve(self, operand: DateOperand) -> date:
        """The day that an operand stands for."""
        return shifted(self.anchor(operand.anchor), operand.days, operand.months)
