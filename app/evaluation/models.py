"""The tables of evaluation. None of them is an entity: they are written by runs and read through ``results``.

Results are kept as versions: a row holds from the run that wrote it (``run_id``) until the run that replaced it
(``until_run_id``; 0 while it is in force). What was published by any run can therefore be read again, and a run
becomes visible as a whole when its transaction commits.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Date, DateTime, Double, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.access.scoped import scoped
from app.database.base import Base
from app.database.types import LongBinary, LongText, PathType
from app.entity.labels import Label

IN_FORCE = 0
"""``until_run_id`` of rows that no later run has replaced."""
BUCKET_SIZE = 1024
"""Subjects to a breakdown: ids are cut into buckets of this size."""


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PUBLISHED = "published"
    FAILED = "failed"
    STOPPED = "stopped"


class Extent(StrEnum):
    """Whether a run scored every subject or only those whose records changed."""

    FULL = "full"
    PARTIAL = "partial"


class PeriodState(StrEnum):
    """A period is open while it lasts, provisional while late records are awaited, then closed."""

    OPEN = "open"
    PROVISIONAL = "provisional"
    CLOSED = "closed"


class Evaluation(Base):
    """One request to evaluate rules, from the console, the schedule, the command line or a change of records. Its
    figures are what progress bars show."""

    __tablename__ = "bc_evaluation"

    id: Mapped[int] = mapped_column(primary_key=True)
    requested_by: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"), index=True)
    cause: Mapped[str] = mapped_column(String(20))
    """console, schedule, command, change."""
    requested_rules: Mapped[str | None] = mapped_column(Text)
    """Codes separated by spaces; NULL for all."""
    requested_period: Mapped[str | None] = mapped_column(String(7))
    correction_reason: Mapped[str | None] = mapped_column(Text)
    """Why a closed period is to be evaluated again."""
    as_of: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(10), default=RunState.QUEUED, index=True)
    rules_total: Mapped[int] = mapped_column(default=0)
    rules_done: Mapped[int] = mapped_column(default=0)
    subjects_done: Mapped[int] = mapped_column(default=0)
    current_rule: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(DateTime)
    started_at: Mapped[datetime | None] = mapped_column(DateTime)
    heartbeat_at: Mapped[datetime | None] = mapped_column(DateTime)
    finished_at: Mapped[datetime | None] = mapped_column(DateTime)
    problem_zh: Mapped[str | None] = mapped_column(Text)
    problem_en: Mapped[str | None] = mapped_column(Text)


class Run(Base):
    """One rule evaluated once, for one period at one date."""

    __tablename__ = "bc_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    evaluation_id: Mapped[int | None] = mapped_column(ForeignKey("bc_evaluation.id", ondelete="SET NULL"), index=True)
    rule_code: Mapped[str] = mapped_column(String(60))
    rule_kind: Mapped[str] = mapped_column(String(10))
    rule_version: Mapped[str] = mapped_column(String(64))
    period_code: Mapped[str] = mapped_column(String(7), default="")
    """Empty for rules without a period."""
    as_of: Mapped[date] = mapped_column(Date)
    extent: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    subjects: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    """How many subjects' results differ from what was in force before."""
    started_at: Mapped[datetime] = mapped_column(DateTime)
    finished_at: Mapped[datetime | None] = mapped_column(DateTime)
    correction_reason: Mapped[str | None] = mapped_column(Text)
    """Why a closed period was evaluated again; of runs of closed periods alone."""
    peer_statistics: Mapped[bytes | None] = mapped_column(LongBinary)
    """Of full runs: what partial runs score against (``app.rules.scoring.PeerStatistics``)."""
    adjustments: Mapped[str | None] = mapped_column(String(64))
    """What changes whenever the adjustments do by which districts and streets were scored; NULL for none."""

    __table_args__ = (Index("ix_run_rule", "rule_code", "period_code", "state", "id"),)


class VersionCause(StrEnum):
    """By which way a version of a rule came into force."""

    FILE = "file"
    WORKSHOP = "workshop"
    ROLLBACK = "rollback"


class RuleVersion(Base):
    """The text of every rule version that was in force, by the hash of its bytes, and who answers for it."""

    __tablename__ = "bc_rule_version"

    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    rule_code: Mapped[str] = mapped_column(String(60), index=True)
    number: Mapped[int] = mapped_column(name="version_no", key="number")
    """1, 2, 3 … within the rule, for people."""
    first_used_at: Mapped[datetime] = mapped_column(DateTime)
    source_text: Mapped[str] = mapped_column(LongText)
    cause: Mapped[str] = mapped_column(String(10), default=VersionCause.FILE, server_default=VersionCause.FILE)
    previous: Mapped[str | None] = mapped_column(String(64))
    """The version that it replaced; NULL for a rule's first."""
    author_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"), index=True)
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"), index=True)
    reason: Mapped[str | None] = mapped_column(Text)
    override_reason: Mapped[str | None] = mapped_column(Text)
    """Why it was published although tests failed."""
    words_zh: Mapped[str | None] = mapped_column(Text)
    """What differs from the version before, in words."""
    words_en: Mapped[str | None] = mapped_column(Text)


class Score(Base):
    """The result of an index for one subject. The organization, path and peers are those of the day."""

    __tablename__ = "bc_score"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    rule_code: Mapped[str] = mapped_column(String(60))
    period_code: Mapped[str] = mapped_column(String(7), default="")
    subject_id: Mapped[int] = mapped_column()
    run_id: Mapped[int] = mapped_column(ForeignKey("bc_run.id"))
    until_run_id: Mapped[int] = mapped_column(default=IN_FORCE)
    organization_id: Mapped[int | None] = mapped_column()
    member_id: Mapped[int | None] = mapped_column(index=True)
    path: Mapped[str] = mapped_column(PathType, default="")
    tier: Mapped[str | None] = mapped_column(String(20))
    peers: Mapped[str] = mapped_column(String(120), default="")
    score: Mapped[float | None] = mapped_column(Double)
    order_key: Mapped[int | None] = mapped_column(BigInteger)
    """The score times 10⁹, rounded: ranks compare it."""
    light: Mapped[str] = mapped_column(String(10))
    grade: Mapped[int | None] = mapped_column()
    """Position in the rule's grades, from 0."""
    coverage: Mapped[float | None] = mapped_column(Double)
    light_before: Mapped[str | None] = mapped_column(String(10))
    """The light before the present one was lit; NULL if it is the first."""
    light_since: Mapped[date] = mapped_column(Date)
    adjusted_by: Mapped[str | None] = mapped_column(String(255))
    """The codes of the adjustments by which this was scored, the nearest last, parted by spaces; NULL for none."""
    base_order_key: Mapped[int | None] = mapped_column(BigInteger)
    """Where it was adjusted: the ``order_key`` by the base rule."""
    base_light: Mapped[str | None] = mapped_column(String(10))
    """Where it was adjusted: the light by the base rule."""

    __table_args__ = (
        UniqueConstraint("rule_code", "period_code", "subject_id", "until_run_id", name="uq_score_subject"),
        Index("ix_score_order", "rule_code", "period_code", "until_run_id", "order_key"),
        Index("ix_score_path", "rule_code", "period_code", "until_run_id", "path"),
        Index("ix_score_organization", "organization_id", "rule_code", "until_run_id"),
        Index("ix_score_run", "run_id"),
        Index("ix_score_until", "until_run_id"),
    )


class Breakdown(Base):
    """The figures, node scores and losses of a bucket of subjects, as the run saw them: an Arrow IPC stream of the
    subjects frame joined with the results frame (``app.rules.frames``)."""

    __tablename__ = "bc_breakdown"

    rule_code: Mapped[str] = mapped_column(String(60), primary_key=True)
    period_code: Mapped[str] = mapped_column(String(7), primary_key=True)
    bucket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    run_id: Mapped[int] = mapped_column(ForeignKey("bc_run.id", ondelete="CASCADE"), primary_key=True, index=True)
    content: Mapped[bytes] = mapped_column(LongBinary)


class WarningState(Base):
    """The level at which a warning stands on a subject. ``no_data`` rows say that nothing could be said."""

    __tablename__ = "bc_warning_state"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    rule_code: Mapped[str] = mapped_column(String(60))
    period_code: Mapped[str] = mapped_column(String(7), default="")
    subject_entity: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int] = mapped_column()
    run_id: Mapped[int] = mapped_column(ForeignKey("bc_run.id"), index=True)
    until_run_id: Mapped[int] = mapped_column(default=IN_FORCE, index=True)
    organization_id: Mapped[int | None] = mapped_column()
    member_id: Mapped[int | None] = mapped_column(index=True)
    path: Mapped[str] = mapped_column(PathType, default="")
    light: Mapped[str] = mapped_column(String(10))
    """The level; called as the lights are."""
    figure: Mapped[float | None] = mapped_column(Double)
    """The warning's value."""
    since: Mapped[date] = mapped_column(Date)
    """Since when this level stands."""
    opened_on: Mapped[date] = mapped_column(Date)
    """Since when there has been any level."""
    until_on: Mapped[date | None] = mapped_column(Date)
    """For replaced rows: the date of the run that replaced it."""

    __table_args__ = (
        UniqueConstraint("rule_code", "subject_id", "until_run_id", name="uq_warning_state_subject"),
        Index("ix_warning_state_path", "until_run_id", "light", "path"),
        Index("ix_warning_state_org", "organization_id", "until_run_id"),
    )


class Held(Base):
    """Since when a ``days_held`` condition of a rule has been true of a subject."""

    __tablename__ = "bc_held"

    rule_code: Mapped[str] = mapped_column(String(60), primary_key=True)
    condition_key: Mapped[str] = mapped_column(String(32), primary_key=True)
    """The first 32 hexadecimal digits of the SHA-256 of the condition in its normal form."""
    subject_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[date] = mapped_column(Date)


class Change(Base):
    """A committed change of a record, waiting for its subjects to be scored again. Written in the record's own
    transaction, so that nothing is lost while the queue is away."""

    __tablename__ = "bc_change"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    entity: Mapped[str] = mapped_column(String(40))
    row_id: Mapped[int | None] = mapped_column()
    """NULL: any number of rows of the entity; everything is evaluated again."""
    organization_id: Mapped[int | None] = mapped_column()
    member_id: Mapped[int | None] = mapped_column()
    marked_at: Mapped[datetime] = mapped_column(DateTime)


class PeriodRecord(Base):
    """The state of a period that has been evaluated."""

    __tablename__ = "bc_period"

    period_code: Mapped[str] = mapped_column(String(7), primary_key=True)
    state: Mapped[str] = mapped_column(String(12), default=PeriodState.OPEN)
    ends_on: Mapped[date] = mapped_column(Date)
    provisional_at: Mapped[datetime | None] = mapped_column(DateTime)
    closed_at: Mapped[datetime | None] = mapped_column(DateTime)


class Lease(Base):
    """Keeps two runs of one rule and period apart. A lease whose heartbeat is old is void."""

    __tablename__ = "bc_lease"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    holder: Mapped[str] = mapped_column(String(80))
    heartbeat_at: Mapped[datetime] = mapped_column(DateTime)


# Beside the classes and not where they are read: a process that knows the tables also knows who sees their rows.
scoped(Score, label=Label("得分", "Score"))
scoped(WarningState, label=Label("预警", "Warning"))
