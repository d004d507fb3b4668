"""Working days: Monday to Friday, less the holidays, plus the weekend days that are worked instead.

Counting is one subtraction of two running totals, so that a column of dates costs one binary search each.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import accumulate

import polars as pl

from .column_arithmetic import day_number, let

_EPOCH = date(1970, 1, 1)
_EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday


@dataclass(frozen=True)
class Calendar:
    """The official calendar: weekdays that are off, and weekend days that are worked. A date in both is worked."""

    holidays: frozenset[date] = frozenset()
    working_days: frozenset[date] = frozenset()

    def exceptions(self) -> list[tuple[date, int]]:
        """The days that differ from the plain week, in order: −1 for one day less, 1 for one day more."""
        less = [(day, -1) for day in self.holidays - self.working_days if day.weekday() < 5]
        more = [(day, 1) for day in self.working_days if day.weekday() >= 5]
        return sorted(less + more)

    def up_to(self, day: pl.Expr) -> pl.Expr:
        """The running total of working days up to and including each date; differences of it are what counts."""
        return let(self._up_to, day_number(day))

    def _up_to(self, number: pl.Expr) -> pl.Expr:
        since_monday = number + _EPOCH_WEEKDAY
        plain = since_monday // 7 * 5 + (since_monday % 7 + 1).clip(upper_bound=5)
        exceptions = self.exceptions()
        if not exceptions:
            return plain
        days = pl.Series([(day - _EPOCH).days for day, _ in exceptions], dtype=pl.Int64)
        totals = pl.Series([0, *accumulate(step for _, step in exceptions)], dtype=pl.Int64)
        # A missing date finds some place in the list too; adding it to the missing plain total leaves it missing.
        return plain + pl.lit(totals).gather(pl.lit(days).search_sorted(number.fill_null(0), side="right"))

    def between(self, after: pl.Expr, until: pl.Expr) -> pl.Expr:
        """Working days later than ``after`` up to and including ``until``; negative if ``until`` is the earlier."""
        return self.up_to(until) - self.up_to(after)
