"""The table of the trash: rows that were deleted, as documents, with the columns that decide who sees them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.access.scoped import scoped
from app.database.base import Base
from app.database.types import LongText
from app.entity.labels import Label


class Trashed(Base):
    """A deleted row. ``kept`` is JSON, ``{field: value}``; personal values lie in ``personal``, the same encrypted
    under the person's key."""

    __tablename__ = "bc_trash"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entity: Mapped[str] = mapped_column(String(40))
    row_id: Mapped[int] = mapped_column(Integer)
    revision: Mapped[int] = mapped_column(Integer)
    kept: Mapped[str] = mapped_column(LongText)
    personal: Mapped[str | None] = mapped_column(LongText)
    key_id: Mapped[int | None] = mapped_column(BigInteger)
    deleted_at: Mapped[datetime] = mapped_column(DateTime, index=True)
    user_id: Mapped[int | None] = mapped_column(Integer)
    actor_name: Mapped[str] = mapped_column(String(128))
    organization_id: Mapped[int | None] = mapped_column(Integer, index=True)
    """The organization that bounded who saw the row; a deleted organization's parent."""
    member_id: Mapped[int | None] = mapped_column(Integer, index=True)

    __table_args__ = (Index("ix_trash_row", "entity", "row_id"),)


scoped(Trashed, label=Label("回收站", "Trash"))
