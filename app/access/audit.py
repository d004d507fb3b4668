"""What must be known afterwards: sign-ins, roles granted, personal data revealed.

Rows are added and never changed. They are sealed in the same chain as the changes of records (``app.history.chain``),
which shows what was tampered with.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Index, Integer, String, Text, event
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
    PERSON_EXPORTED = "person_exported"
    PERSON_ERASED = "person_erased"
    KEYS_ROTATED = "keys_rotated"
    IMPORTED = "imported"
    IMPORT_UNDONE = "import_undone"
    EXPORTED = "exported"
    EXPORT_FETCHED = "export_fetched"
    ATTACHED = "attached"
    DETACHED = "detached"
    KEY_MADE = "key_made"
    KEY_REVOKED = "key_revoked"
    CHAIN_VERIFIED = "chain_verified"
    """``detail`` is the result, as ``app.history.verifying.Verification.said`` has it."""
    TRAIL_EXPORTED = "trail_exported"


class AuditEvent(Base):
    """Who did what to which row, when and why."""

    __tablename__ = "bc_audit_event"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    happened_at: Mapped[datetime] = mapped_column(DateTime, index=True)
    user_id: Mapped[int | None] = mapped_column(index=True)
    """No foreign key: the account may go, and what it did stays."""
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

    batch_id: Mapped[int | None] = mapped_column(BigInteger)
    """The batch of the history's chain that seals the event, with its place there and its hash; None for events that
    are older than the chain."""
    place: Mapped[int | None] = mapped_column()
    row_hash: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_audit_event_row", "entity", "row_id"),
        Index("ix_audit_event_batch", "batch_id", "place"),
    )


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
