"""What requests with an ``Idempotency-Key`` were answered: the table, and what is forgotten of it each night.

``app.api.idempotency`` says what it is for.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, DateTime, ForeignKey, String, UniqueConstraint, delete
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base
from app.database.clock import now
from app.database.types import LongText

KEPT_FOR = timedelta(hours=24)


class IdempotentAnswer(Base):
    """What a request with a key was answered."""

    __tablename__ = "bc_idempotent_answer"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    key_hash: Mapped[str] = mapped_column(String(64))
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(default=0)
    answer: Mapped[str] = mapped_column(LongText, default="")
    created_at: Mapped[datetime] = mapped_column(DateTime, index=True)

    __table_args__ = (UniqueConstraint("user_id", "key_hash"),)


def prune(connection: Connection) -> int:
    """Forget answers that are too old; the number forgotten."""
    return connection.execute(delete(IdempotentAnswer).where(IdempotentAnswer.created_at < now() - KEPT_FOR)).rowcount
