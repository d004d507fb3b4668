"""Calendar periods: ``2026``, ``2026H1``, ``2026Q3``, ``2026-09``."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from .labels import UserError


class PeriodKind(StrEnum):
    """The lengths a period can have; the value is what rule files say."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"

    @property
    def months(self) -> int:
        return {"month": 1, "quarter": 3, "half_year": 6, "year": 12}[self.value]


_PATTERN = re.compile(r"(?P<year>\d{4})(?:H(?P<half>[12])|Q(?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2]))?")


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A calendar unit, ordered by its first day and then by length."""

    start: date
    kind: PeriodKind

    @classmethod
    def parse(cls, text: str) -> Period:
        """From its written form. Raises UserError if the text names no period."""
        found = _PATTERN.fullmatch(text.strip())
        if not found or not 1 <= int(found["year"]) <= 9998:
            raise UserError(
                f"“{text}”不是周期；请写 2026、2026H1、2026Q3 或 2026-09",
                f"“{text}” is not a period; write 2026, 2026H1, 2026Q3 or 2026-09",
            )
        year = int(found["year"])
        if found["half"]:
            return cls(date(year, 6 * int(found["half"]) - 5, 1), PeriodKind.HALF_YEAR)
        if found["quarter"]:
            return cls(date(year, 3 * int(found["quarter"]) - 2, 1), PeriodKind.QUARTER)
        if found["month"]:
            return cls(date(year, int(found["month"]), 1), PeriodKind.MONTH)
        return cls(date(year, 1, 1), PeriodKind.YEAR)

    @classmethod
    def containing(cls, day: date, kind: PeriodKind) -> Period:
        """The period of a kind that a day lies in."""
        months = PeriodKind(kind).months
        return cls(date(day.year, (day.month - 1) // months * months + 1, 1), PeriodKind(kind))

    def shifted(self, units: int) -> Period:
        """The period ``units`` later (earlier if negative)."""
        index = self.start.year * 12 + self.start.month - 1 + units * self.kind.months
        return Period(date(index // 12, index % 12 + 1, 1), self.kind)

    @property
    def end(self) -> date:
        """The last day."""
        last = self.start.month + self.kind.months - 1
        return date(self.start.year, last, calendar.monthrange(self.start.year, last)[1])

    def elapsed(self, as_of: date) -> float:
        """The share of the period gone by at the end of ``as_of``, from 0 to 1."""
        days = (self.end - self.start).days + 1
        return min(max(((as_of - self.start).days + 1) / days, 0.0), 1.0)

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    def __str__(self) -> str:
        year, month = f"{self.start.year:04d}", self.start.month
        return {
            PeriodKind.YEAR: year,
            PeriodKind.HALF_YEAR: f"{year}H{(month + 5) // 6}",
            PeriodKind.QUARTER: f"{year}Q{(month + 2) // 3}",
            PeriodKind.MONTH: f"{year}-{month:02d}",
        }[self.kind]
