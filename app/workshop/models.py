"""The tables of the rule workshop. They hold texts of rules and who works on them, never records of organizations or
members; who may open a draft is asked in ``drafts``."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Date, DateTime, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base
from app.database.types import LongText
from app.entity.labels import Label


class DraftState(StrEnum):
    """Where a draft stands on its way from the first change to being in force."""

    EDITING = "editing"
    SUBMITTED = "submitted"
    REJECTED = "rejected"
    SCHEDULED = "scheduled"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> Label:
        return STATE_LABELS[self]


STATE_LABELS = {
    DraftState.EDITING: Label("编辑中", "Being edited"),
    DraftState.SUBMITTED: Label("待审批", "Waiting for approval"),
    DraftState.REJECTED: Label("已退回", "Sent back"),
    DraftState.SCHEDULED: Label("已批准，待生效", "Approved, to be published"),
    DraftState.PUBLISHING: Label("正在发布", "Being published"),
    DraftState.PUBLISHED: Label("已发布", "Published"),
    DraftState.WITHDRAWN: Label("已撤回", "Withdrawn"),
}
EDITABLE = (DraftState.EDITING, DraftState.REJECTED)
"""The text changes in these states only: what is approved is what was submitted."""
OPEN = (DraftState.EDITING, DraftState.SUBMITTED, DraftState.REJECTED, DraftState.SCHEDULED, DraftState.PUBLISHING)
"""Not done with."""


class Draft(Base):
    """A rule's text on its way to being in force."""

    __tablename__ = "bc_draft"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"), index=True)
    rule_kind: Mapped[str] = mapped_column(String(10))
    """index, warning or adjustment."""
    rule_code: Mapped[str] = mapped_column(String(60), index=True)
    base_version: Mapped[str | None] = mapped_column(String(64))
    """The version in force that the draft began with; NULL for a rule that is new."""
    source_text: Mapped[str] = mapped_column(LongText)
    tests_text: Mapped[str] = mapped_column(LongText, default="")
    """Cases to be added to the rule's tests with it, as YAML."""
    state: Mapped[str] = mapped_column(String(12), default=DraftState.EDITING, index=True)
    revision: Mapped[int] = mapped_column(default=1)
    """Rises with every change; a change has to name the one it was made on."""
    restores: Mapped[str | None] = mapped_column(String(64))
    """The version that the draft brings back, if it is a rollback."""
    created_at: Mapped[datetime] = mapped_column(DateTime)
    changed_at: Mapped[datetime] = mapped_column(DateTime)
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"), index=True)
    reason: Mapped[str | None] = mapped_column(Text)
    """Why the author wants it."""
    submitted_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"), index=True)
    submitted_at: Mapped[datetime | None] = mapped_column(DateTime)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"), index=True)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime)
    decision_reason: Mapped[str | None] = mapped_column(Text)
    """Why it was sent back, or what the approver adds."""
    override_reason: Mapped[str | None] = mapped_column(Text)
    """Why it is published although tests fail."""
    organization_id: Mapped[int | None] = mapped_column(
        ForeignKey("bc_organization.id", ondelete="SET NULL"), index=True
    )
    """Of an adjustment: whose it is."""
    publish_on: Mapped[date | None] = mapped_column(Date)
    published_version: Mapped[str | None] = mapped_column(String(64))
    published_at: Mapped[datetime | None] = mapped_column(DateTime)

    __table_args__ = (Index("ix_draft_rule", "rule_code", "state"),)


class DraftShare(Base):
    """Somebody who works on a draft beside its author."""

    __tablename__ = "bc_draft_share"

    draft_id: Mapped[int] = mapped_column(ForeignKey("bc_draft.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True, index=True)
    shared_at: Mapped[datetime] = mapped_column(DateTime)


class DraftPresence(Base):
    """Who had a draft open lately."""

    __tablename__ = "bc_draft_presence"

    draft_id: Mapped[int] = mapped_column(ForeignKey("bc_draft.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True, index=True)
    seen_at: Mapped[datetime] = mapped_column(DateTime)
    place: Mapped[str | None] = mapped_column(String(200))
    """The path of the part that was open."""
