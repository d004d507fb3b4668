"""Periods: open while they last, provisional while late records are awaited, then closed."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta

from sqlalchemy import Connection, insert, select, update

from app.database.clock import now
from app.entity.labels import UserError
from app.entity.periods import Period, PeriodKind

from .models import PeriodRecord, PeriodState

DAYS_UNTIL_CLOSED = 15
"""How long after its end a period waits for late records."""
SHORTEST_REASON, LONGEST_REASON = 4, 200

_periods = PeriodRecord.__table__


class PeriodClosed(UserError):
    """A closed period changes only by a recorded correction."""

    @classmethod
    def of(cls, period: Period) -> PeriodClosed:
        return cls(
            f"{period} 已经封账。需要更正时，请写明更正原因后重新评定",
            f"{period} is closed. To correct it, evaluate it again and give the reason",
        )


def choose(kind: PeriodKind | None, period: str | None, as_of: date | None, today: date) -> tuple[Period | None, date]:
    """The period and date a rule is evaluated for: today in the current period, the last day in a past one.

    Raises UserError for a period of another length than the rule's, for one that has not begun, and for an ``as_of``
    outside it.
    """
    if period is None:
        day = as_of or today
        return (Period.containing(day, kind) if kind else None), day
    chosen = Period.parse(period)
    if kind and chosen.kind != kind:
        example = Period.containing(today, kind)
        raise UserError(
            f"这条规则按 {example} 这样的周期评定，不能用 {period}",
            f"This rule is evaluated for periods such as {example}, not {period}",
        )
    if as_of is not None and as_of not in chosen:
        raise UserError(f"{as_of} 不在周期 {period} 之内", f"{as_of} does not lie in {period}")
    if as_of is None and chosen.start > today:
        raise UserError(f"周期 {period} 还没有开始", f"{period} has not begun")
    return (chosen if kind else None), as_of or min(chosen.end, today)


def checked_reason(reason: str | None) -> str | None:
    """The reason for a correction as it is kept; None where nothing was written. Raises UserError for one that says
    nothing."""
    reason = " ".join(unicodedata.normalize("NFC", reason or "").split())
    if reason and not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise UserError(
            f"请用 {SHORTEST_REASON} 到 {LONGEST_REASON} 个字写明更正原因",
            f"Give the reason for the correction in {SHORTEST_REASON} to {LONGEST_REASON} characters",
        )
    return reason or None


def state_of(connection: Connection, period: Period) -> PeriodState:
    """The recorded state, or what the calendar says of a period never evaluated."""
    found = connection.execute(select(_periods.c.state).where(_periods.c.period_code == str(period))).scalar()
    return PeriodState(found) if found else PeriodState.OPEN


def refuse_closed(connection: Connection, period: Period | None, correction_reason: str | None) -> None:
    """Raises PeriodClosed where a closed period would change without a reason."""
    if period is None or correction_reason or state_of(connection, period) != PeriodState.CLOSED:
        return
    raise PeriodClosed.of(period)


def require_open(connection: Connection, period: Period | None, correction_reason: str | None) -> str | None:
    """The reason to keep with the run: that of a correction, None where the period is not closed. Raises PeriodClosed
    where a closed period would change without one; records a period seen first."""
    if period is None:
        return None
    refuse_closed(connection, period, correction_reason)
    if state_of(connection, period) == PeriodState.CLOSED:
        return correction_reason
    known = select(_periods.c.period_code).where(_periods.c.period_code == str(period))
    if connection.execute(known).first() is None:
        connection.execute(insert(_periods).values(period_code=str(period), state=PeriodState.OPEN, ends_on=period.end))
    return None


def ended(connection: Connection, today: date) -> list[str]:
    """Open periods whose last day has passed: due for their final evaluation."""
    statement = select(_periods.c.period_code).where(_periods.c.state == PeriodState.OPEN, _periods.c.ends_on < today)
    return list(connection.execute(statement.order_by(_periods.c.ends_on)).scalars())


def advance(connection: Connection, today: date) -> list[tuple[str, PeriodState]]:
    """Make ended periods provisional, and close those that have waited long enough; what changed."""
    moved: list[tuple[str, PeriodState]] = []
    for code in ended(connection, today):
        connection.execute(
            update(_periods)
            .where(_periods.c.period_code == code)
            .values(state=PeriodState.PROVISIONAL, provisional_at=now())
        )
        moved.append((code, PeriodState.PROVISIONAL))
    due = select(_periods.c.period_code).where(
        _periods.c.state == PeriodState.PROVISIONAL, _periods.c.ends_on < today - timedelta(days=DAYS_UNTIL_CLOSED)
    )
    for code in connection.execute(due).scalars().all():
        connection.execute(
            update(_periods).where(_periods.c.period_code == code).values(state=PeriodState.CLOSED, closed_at=now())
        )
        moved.append((code, PeriodState.CLOSED))
    return moved
