"""The ledger of points: what is earned and spent, a line at a time.

An account is a member's, a volunteer's who is no member, or an organization's. Its lines are numbered without gaps and
each holds the balance after it, so that the ledger proves itself (``is_sound``). Whoever adds a line locks the holder's
row first, on a connection that reads what is committed by then (``as_committed``); the number is unique within the
account on every database all the same. A line with an idempotency key that
is there already is not written again.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session as OrmSession

from app.database.session import Session
from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.domains.volunteering.models import Volunteer
from app.entity.operations import Impossible

from .code_lists import PointReason
from .models import PointEntry

Holder = Member | Volunteer | Organization


def account_of(holder: Holder) -> str:
    """The key of a holder's account. A volunteer who is a member has the member's."""
    if isinstance(holder, Volunteer) and holder.member_id is not None:
        return f"member:{holder.member_id}"
    return f"{holder.__tablename__.removeprefix('bc_')}:{holder.id}"


def balance_of(session: Session, holder: Holder) -> int:
    """The points a holder has now."""
    last = _last(session, account_of(holder))
    return last.balance if last else 0


def add_points(
    session: Session,
    holder: Holder,
    delta: int,
    reason: PointReason,
    *,
    key: str,
    day: date,
    refers_to: str | None = None,
    remark: str | None = None,
) -> PointEntry | None:
    """Add a line of ``delta`` points (below 0: spent) to the holder's account; None for no points at all.

    ``key`` names the occasion: a second call with it gives the line of the first. Raises Impossible where the balance
    would fall below 0.
    """
    if delta == 0:
        return None
    if isinstance(holder, Volunteer) and holder.member_id is not None:
        holder = session.get_one(Member, holder.member_id)
    model = type(holder)
    session.scalars(select(model.id).where(model.id == holder.id).with_for_update()).one()
    known = session.scalars(select(PointEntry).where(PointEntry.idempotency_key == key)).one_or_none()
    if known is not None:
        return known
    account = account_of(holder)
    last = _last(session, account)
    balance = (last.balance if last else 0) + delta
    if balance < 0:
        raise Impossible(
            f"积分不足：现有 {balance - delta} 分，需要 {-delta} 分",
            f"Not enough points: {balance - delta} of {-delta}",
        )
    entry = PointEntry(
        holder=str(holder),
        organization_id=holder.id if isinstance(holder, Organization) else holder.organization_id,
        member_id=holder.id if isinstance(holder, Member) else None,
        volunteer_id=holder.id if isinstance(holder, Volunteer) else None,
        account=account,
        serial_no=(last.serial_no if last else 0) + 1,
        reason=reason,
        delta=delta,
        balance=balance,
        earned_on=day,
        refers_to=refers_to,
        idempotency_key=key,
        remark=remark,
        is_demonstration=holder.is_demonstration,
    )
    session.add(entry)
    session.flush()
    return entry


def is_sound(session: Session, holder: Holder) -> bool:
    """Whether a holder's lines are numbered without gaps and each balance follows from the one before."""
    lines = session.scalars(
        select(PointEntry).where(PointEntry.account == account_of(holder)).order_by(PointEntry.serial_no)
    ).all()
    balance = 0
    for number, line in enumerate(lines, 1):
        balance += line.delta
        if line.serial_no != number or line.balance != balance:
            return False
    return True


@event.listens_for(Session, "before_flush")
def _keep(session: OrmSession, _context: Any, _instances: Any) -> None:
    if any(isinstance(row, PointEntry) for row in session.deleted):
        raise Impossible("积分流水只能追加，不能删除", "The ledger is only added to, nothing is deleted")


def _last(session: Session, account: str) -> PointEntry | None:
    statement = select(PointEntry).where(PointEntry.account == account)
    return session.scalars(statement.order_by(PointEntry.serial_no.desc()).limit(1).with_for_update()).first()
