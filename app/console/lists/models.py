"""The table of saved views."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base


class SavedView(Base):
    """A list as somebody likes to see it: filters, order, columns. It holds no records and opens none to anybody."""

    __tablename__ = "bc_saved_view"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    shared_with: Mapped[str] = mapped_column(String(64), default="", index=True)
    """The name of a role: whoever holds it is offered the view as well. Empty for the owner's eyes alone."""
    entity: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(40))
    address: Mapped[str] = mapped_column(Text)
    """The query string of the list (``addresses.kept``)."""
    opens_first: Mapped[bool] = mapped_column(default=False)
    """Shown to its owner when the list is opened with nothing asked for."""
    saved_at: Mapped[datetime] = mapped_column(DateTime)

    __table_args__ = (UniqueConstraint("user_id", "entity", "name"),)
