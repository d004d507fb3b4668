"""Imports and exports that people asked for, and how far they have come. Their files lie in DATA_DIR (``folders``)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import DateTime, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base
from app.database.clock import now
from app.database.types import LongText


class ImportState(StrEnum):
    """The steps of an import. A worker has it in hand in the states of ``AT_WORK``."""

    UPLOADED = "uploaded"
    CHECKING = "checking"
    CHECKED = "checked"
    SAVING = "saving"
    SAVED = "saved"
    UNDOING = "undoing"
    UNDONE = "undone"


AT_WORK = (ImportState.CHECKING, ImportState.SAVING, ImportState.UNDOING)


class Import(Base):
    """One file on its way into an entity's rows. Whoever uploaded it sees it, and nobody else."""

    __tablename__ = "bc_import"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    folder: Mapped[str] = mapped_column(String(40), unique=True)
    """The name of its folder, which nobody can guess."""
    entity: Mapped[str] = mapped_column(String(40))
    file_name: Mapped[str] = mapped_column(String(200))
    way: Mapped[str] = mapped_column(String(10))
    """A ``checking.Mode``."""
    state: Mapped[str] = mapped_column(String(10), default=ImportState.UPLOADED)
    heading_key: Mapped[str] = mapped_column(String(32))
    chosen: Mapped[str] = mapped_column(LongText, default="{}")
    """JSON: ``heading`` (the list), ``first_row``, ``fields`` (field name by position, as text)."""
    row_count: Mapped[int] = mapped_column(default=0)
    new_count: Mapped[int] = mapped_column(default=0)
    changed_count: Mapped[int] = mapped_column(default=0)
    unchanged_count: Mapped[int] = mapped_column(default=0)
    faulty_count: Mapped[int] = mapped_column(default=0)
    job_id: Mapped[str | None] = mapped_column(String(80))
    problem_zh: Mapped[str | None] = mapped_column(Text)
    """Why the last step did not get through; None while it may."""
    problem_en: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime, default=now, index=True)
    asked_at: Mapped[datetime | None] = mapped_column(DateTime)
    """When the step that a worker has in hand was asked for."""
    saved_at: Mapped[datetime | None] = mapped_column(DateTime)
    undone_at: Mapped[datetime | None] = mapped_column(DateTime)

    __table_args__ = (Index("ix_import_choice", "entity", "heading_key"),)


class ExportState(StrEnum):
    WAITING = "waiting"
    READY = "ready"
    EXPIRED = "expired"


class Export(Base):
    """Rows of a list as a file, for whoever asked for them and nobody else."""

    __tablename__ = "bc_export"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    token: Mapped[str] = mapped_column(String(64), unique=True)
    """Stands in its address and names its file."""
    entity: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    """``xlsx``, ``csv`` or ``json``."""
    conditions: Mapped[str] = mapped_column(LongText, default="")
    """The list's address behind the question mark: its filters and order."""
    columns: Mapped[str] = mapped_column(LongText, default="")
    """Names of the columns, a space between them."""
    purpose: Mapped[str] = mapped_column(String(200))
    reader_language: Mapped[str] = mapped_column(String(5), default="zh")
    scope_mark: Mapped[str] = mapped_column(String(64))
    """Of whose rows it holds: once its owner looks after others, it is no longer handed out."""
    state: Mapped[str] = mapped_column(String(10), default=ExportState.WAITING)
    job_id: Mapped[str | None] = mapped_column(String(80))
    row_count: Mapped[int | None] = mapped_column()
    byte_count: Mapped[int | None] = mapped_column()
    problem_zh: Mapped[str | None] = mapped_column(Text)
    problem_en: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime, default=now, index=True)
    ready_at: Mapped[datetime | None] = mapped_column(DateTime)
    expires_at: Mapped[datetime | None] = mapped_column(DateTime)
