"""When a rule is evaluated, and with which calendar of working days."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from app.entity.periods import Period

from .workdays import Calendar

__all__ = ["Calendar", "Context"]


@dataclass(frozen=True)
class Context:
    """One evaluation's place in time. ``period`` is None for a rule without one: it has no period names."""

    as_of: date
    period: Period | None = None
    calendar: Calendar = field(default_factory=Calendar)

    @property
    def period_start(self) -> date | None:
        return self.period.start if self.period else None

    @property
    def period_end(self) -> date | None:
        return self.period.end if self.period else None

    @property
    def year_start(self) -> date:
        """The first day of the calendar year that contains ``as_of``."""
        return date(self.as_of.year, 1, 1)

    @property
    def year_end(self) -> date:
        return date(self.as_of.year, 12, 31)

    @property
    def elapsed(self) -> float | None:
        """The share of the period gone by at the end of ``as_of``, from 0 to 1."""
        return self.period.elapsed(self.as_of) if self.period else None

    def dates(self) -> dict[str, date]:
        """The date names an expression may use here."""
        found = {"as_of": self.as_of, "year_start": self.year_start, "year_end": self.year_end}
        if self.period:
            found |= {"period_start": self.period.start, "period_end": self.period.end}
        return found
