"""The published calendar: the State Council's yearly notices, as ranges of days in ``holidays.csv``."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select

from app.database.session import Session

from .models import DayKind, Holiday

PUBLISHED = Path(__file__).with_name("holidays.csv")


def published_days() -> dict[date, tuple[str, DayKind]]:
    """Name and kind of every day that the published notices name."""
    days = {}
    with PUBLISHED.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            day, last = date.fromisoformat(row["first_day"]), date.fromisoformat(row["last_day"])
            while day <= last:
                days[day] = (row["name"], DayKind(row["kind"]))
                day += timedelta(days=1)
    return days


def load_published(session: Session) -> int:
    """Add the published days that the calendar does not have yet, leaving alone what it has; the number added."""
    known = set(session.scalars(select(Holiday.day)))
    missing = {day: entry for day, entry in published_days().items() if day not in known}
    session.add_all(
        Holiday(code=day.isoformat(), day=day, name=name, kind=kind) for day, (name, kind) in missing.items()
    )
    return len(missing)


def working_days_later(session: Session, day: date, count: int) -> date:
    """The last of the next ``count`` working days after a day: weekdays, unless the calendar says otherwise."""
    rows = session.execute(select(Holiday.day, Holiday.kind).where(Holiday.day > day).order_by(Holiday.day))
    known = dict(iter(rows))
    while count > 0:
        day += timedelta(days=1)
        kind = known.get(day)
        is_weekday = day.isoweekday() <= 5
        count -= kind == DayKind.WORKING_DAY if kind else is_weekday
    return day
