"""A list as a calendar: the days of a month with their first records and how many there are."""

from __future__ import annotations

from calendar import Calendar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select

from app.entity.registry import Entity, EntityType, FieldKind

from ..display import name_of, shown
from ..filters import MomentOnDay, OnDay, comparisons, day_of
from ..interface import EntityInterface
from ..presentation import fmt, text
from .displays import state_of, tones
from .groups import counted, first_of_each

CHIPS = 3
"""Records of a day that are named; the others are counted."""
YEARS = (1900, 2200)


@dataclass(frozen=True, slots=True)
class Chip:
    """A record on its day."""

    row_id: int
    name: str
    state: str
    tone: int | None


@dataclass(frozen=True, slots=True)
class Day:
    date: date
    is_outside: bool
    """Of the month before or after, shown to fill the week."""
    count: int
    chips: tuple[Chip, ...]

    @property
    def more(self) -> int:
        return self.count - len(self.chips)


@dataclass(frozen=True, slots=True)
class Month:
    first: date
    days: tuple[Day, ...]
    nearest: date | None
    """The first of the nearest month with records, where this one has none."""

    @property
    def count(self) -> int:
        return sum(day.count for day in self.days if not day.is_outside)


def month_asked(raw: str, today: date) -> date:
    """The first day of a month written ``2026-11``; of the present one for anything else."""
    try:
        found = datetime.strptime(raw, "%Y-%m").date() if len(raw) == 7 else today
    except ValueError:
        found = today
    return (found if YEARS[0] <= found.year <= YEARS[1] else today).replace(day=1)


def beside(first: date, months: int) -> date:
    """The first day of the month so many months later."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1)


def place_of_day(entity: EntityType, column: str) -> int:
    """The place of “on that day” among the comparisons of a date, as addresses of lists name it."""
    wanted = MomentOnDay if entity.fields[column].kind is FieldKind.MOMENT else OnDay
    return comparisons(entity, column).index(wanted)


def read_month(interface: EntityInterface, filters: Any, column: str, first: date) -> Month:
    """The records of a month by one of their dates, as far as the reader sees them, under a list's filters."""
    entity = interface.entity
    attribute = getattr(interface.obj, column)
    is_moment = entity.fields[column].kind is FieldKind.MOMENT
    dates = list(Calendar().itermonthdates(first.year, first.month))

    def edge(day: date) -> date:
        return datetime.combine(day, time.min) if is_moment else day

    def within(begins: date, ends: date) -> Any:
        return (attribute >= edge(begins)) & (attribute < edge(ends + timedelta(days=1)))

    key = day_of(attribute, interface.session) if is_moment else attribute
    found = counted(interface, filters, key, within(dates[0], dates[-1]))
    counts = {date.fromisoformat(str(day)[:10]): number for day, number in found.items()}
    state, columns = state_of(entity), _columns(entity, column)
    rows = first_of_each(
        interface, filters, [within(day, day) for day in sorted(counts)], CHIPS, (column, "asc"), columns
    )
    chips: dict[date, list[Chip]] = {}
    for row in rows:
        value = getattr(row, column)
        day = value.date() if isinstance(value, datetime) else value
        chips.setdefault(day, []).append(_chip(entity, row, state.name if state else None))
    days = tuple(Day(day, day.month != first.month, counts.get(day, 0), tuple(chips.get(day, ()))) for day in dates)
    month = Month(first, days, None)
    return month if month.count else Month(first, days, _nearest(interface, filters, attribute, first, edge))


def _nearest(interface: EntityInterface, filters: Any, attribute: Any, first: date, edge: Any) -> date | None:
    """The first of the last month before that has records, else of the next one after."""
    after = edge(beside(first, 1))
    for extreme, condition in ((func.max, attribute < edge(first)), (func.min, attribute >= after)):
        found = interface.session.scalar(filters.apply_all(select(extreme(attribute))).where(condition))
        if found is not None:
            return date(found.year, found.month, 1)
    return None


def _columns(entity: EntityType, column: str) -> list[str]:
    state, person = state_of(entity), _named_by_person(entity)
    names = [entity.options.title, column, *([state.name] if state else []), *([person] if person else [])]
    return list(dict.fromkeys(name.removesuffix("_id") if name not in entity.fields else name for name in names))


def _named_by_person(entity: EntityType) -> str | None:
    """The person's relation where the title is a date or period, which says nothing on a calendar."""
    title, person = entity.fields[entity.options.title], entity.options.person
    dull = (FieldKind.DATE, FieldKind.MOMENT, FieldKind.PERIOD)
    return person if title.kind in dull and person in entity.relations else None


def _chip(entity: EntityType, row: Entity, state: str | None) -> Chip:
    person = _named_by_person(entity)
    name = fmt(shown(entity, row, person, linked=False)) if person else name_of(row)
    value = getattr(row, state) if state else None
    return Chip(row.id, name, text(value) if value else "", tones(entity).get(value.value) if value else None)
