"""What must be known afterwards: sign-ins, roles granted, personal data revealed.

The beginning of the audit trail: rows are added and never changed. The full trail, chained and kept by itself, comes
later and will read the same table.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Integer, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm import Session as OrmSession

from app.database.base import Base
from app.database.clock import now

from .actor import Actor


class AuditAction(StrEnum):
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    SIGNED_OUT = "signed_out"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_RESET = "password_reset"
    ROLES_CHANGED = "roles_changed"
    REVEALED = "revealed"
    IMPORTED = "imported"
    IMPORT_UNDONE = "import_undone"
    EXPORTED = "exported"
    EXPORT_FETCHED = "export_fetched"
    ATTACHED = "attached"
    DETACHED = "detached"


class AuditEvent(Base):
    """Who did what to which row, when and why."""

    __tablename__ = "bc_audit_event"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    happened_at: Mapped[datetime] = mapped_column(DateTime, index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"), index=True)
    actor_name: Mapped[str] = mapped_column(String(128))
    """The account's name of the day, which stays when the account goes."""
    action: Mapped[str] = mapped_column(String(40), index=True)
    entity: Mapped[str] = mapped_column(String(40), default="")
    row_id: Mapped[int | None] = mapped_column()
    detail: Mapped[str] = mapped_column(Text, default="")
    """Which fields or roles; never a value."""
    purpose: Mapped[str] = mapped_column(String(200), default="")
    """Why, in the words of whoever did it."""
    address: Mapped[str] = mapped_column(String(45), default="")

    __table_args__ = (Index("ix_audit_event_row", "entity", "row_id"),)


def record(session: OrmSession, actor: Actor, action: AuditAction, **details: Any) -> AuditEvent:
    """Add an event to the session; it is kept or lost with the transaction that it belongs to."""
    audited = AuditEvent(
        happened_at=now(), user_id=actor.user_id, actor_name=actor.name[:128], action=action.value, **details
    )
    session.add(audited)
    return audited


@event.listens_for(AuditEvent, "before_update")
@event.listens_for(AuditEvent, "before_delete")
def _keep(_mapper: Any, _connection: Any, _event: AuditEvent) -> None:
    raise RuntimeError("Audit events are never changed")
