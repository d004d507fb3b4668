"""Breakdowns: every figure, node score and loss of a run, kept as numbers in buckets of subjects.

A bucket is an Arrow IPC stream, so that a run of 120,000 subjects writes some 120 rows instead of 120,000, and a
scorecard reads one. Sentences are made from these numbers when they are read. A bucket also holds the figures a dry
run needs, so that it asks the database nothing.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import polars as pl
from sqlalchemy import Connection, Executable, and_, delete, insert, select
from sqlalchemy.orm import Session

from .models import BUCKET_SIZE, Breakdown

_breakdowns = Breakdown.__table__
RUN_ID = "run_id"
WHOLE = -1
"""The bucket of a frame that is kept in one piece."""
MOST_PARTS = 8
"""Parts that partial runs leave of a bucket before they are put together: a scorecard reads them all."""


def _packed(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression="lz4")
    return buffer.getvalue()


def _unpacked(content: bytes) -> pl.DataFrame:
    return pl.read_ipc_stream(io.BytesIO(content))


def write_breakdowns(
    connection: Connection, rule_code: str, period_code: str, run_id: int, frame: pl.DataFrame, *, full: bool
) -> None:
    """Keep a run's frame. A full run replaces what earlier runs of the rule and period kept; partial runs lie on top
    of it, and are put together where they have become many."""
    buckets = frame.with_columns((pl.col("subject_id") // BUCKET_SIZE).alias("bucket")).partition_by(
        "bucket", as_dict=True, include_key=False
    )
    of_rule = and_(_breakdowns.c.rule_code == rule_code, _breakdowns.c.period_code == period_code)
    if full:
        connection.execute(delete(_breakdowns).where(of_rule))
    for (bucket,), part in buckets.items():
        if not full:
            part = _put_together(connection, rule_code, period_code, bucket, run_id, part)
        row = {"rule_code": rule_code, "period_code": period_code, "bucket": bucket, "run_id": run_id}
        connection.execute(insert(_breakdowns).values(**row, content=_packed(part)))


def forget_breakdowns(connection: Connection, rule_code: str, period_code: str) -> None:
    """Delete all that is kept of a rule and period."""
    connection.execute(
        delete(_breakdowns).where(_breakdowns.c.rule_code == rule_code, _breakdowns.c.period_code == period_code)
    )


def write_whole(connection: Connection, rule_code: str, period_code: str, run_id: int, frame: pl.DataFrame) -> None:
    """Keep a full run's frame in one piece, in place of what earlier runs of the rule and period kept."""
    of_rule = and_(_breakdowns.c.rule_code == rule_code, _breakdowns.c.period_code == period_code)
    connection.execute(delete(_breakdowns).where(of_rule))
    row = {"rule_code": rule_code, "period_code": period_code, "bucket": WHOLE, "run_id": run_id}
    connection.execute(insert(_breakdowns).values(**row, content=_packed(frame)))


def _put_together(
    connection: Connection, rule_code: str, period_code: str, bucket: int, run_id: int, newest: pl.DataFrame
) -> pl.DataFrame:
    """A partial run's part of a bucket; with those of the partial runs before it, if they are many, whose rows go."""
    of_bucket = and_(
        _breakdowns.c.rule_code == rule_code, _breakdowns.c.period_code == period_code, _breakdowns.c.bucket == bucket
    )
    _full, *partial = connection.execute(
        select(_breakdowns.c.run_id).where(of_bucket).order_by(_breakdowns.c.run_id)
    ).scalars().all() or [None]
    if len(partial) < MOST_PARTS:
        return newest
    of_partial = and_(of_bucket, _breakdowns.c.run_id.in_(partial))
    rows = connection.execute(
        select(_breakdowns.c.run_id, _breakdowns.c.content).where(of_partial).order_by(_breakdowns.c.run_id.desc())
    ).all()
    connection.execute(delete(_breakdowns).where(of_partial))
    return _newest([newest.with_columns(pl.lit(run_id).alias(RUN_ID)), *(_of_run(*row) for row in rows)])


def _of_run(run_id: int, content: bytes, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """A stored part, each row with the run that it is of."""
    frame = _unpacked(content)
    if columns is not None:
        frame = frame.select(name for name in ("subject_id", *columns) if name in frame.columns)
    return frame if RUN_ID in frame.columns else frame.with_columns(pl.lit(run_id).alias(RUN_ID))


def _newest(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Parts, newest first, as one: the first row of a subject is the one in force."""
    return pl.concat(parts, how="diagonal_relaxed").unique("subject_id", keep="first", maintain_order=True)


def _stored(rule_code: str, period_code: str, buckets: Sequence[int] | None) -> Executable:
    statement = (
        select(Breakdown.bucket, Breakdown.run_id, Breakdown.content)
        .where(Breakdown.rule_code == rule_code, Breakdown.period_code == period_code)
        .order_by(Breakdown.run_id.desc())
    )
    return statement if buckets is None else statement.where(Breakdown.bucket.in_(buckets))


def read_breakdowns(
    session: Session, rule_code: str, period_code: str, subject_ids: Sequence[int]
) -> dict[int, dict[str, Any]]:
    """The latest numbers of subjects by id, each by column name. The caller has checked that the subjects are in
    scope: a bucket holds their neighbours too, and only the rows asked for leave here."""
    missing = set(subject_ids)
    found: dict[int, dict[str, Any]] = {}
    buckets = sorted({subject_id // BUCKET_SIZE for subject_id in missing})
    # By the connection: buckets belong to nobody, and what leaves has been read through the scope.
    for _bucket, run_id, content in session.connection().execute(_stored(rule_code, period_code, buckets)):
        part = _of_run(run_id, content).filter(pl.col("subject_id").is_in(list(missing)))
        found |= {row["subject_id"]: row for row in part.iter_rows(named=True)}
        missing -= set(found)
    return found


def read_columns(
    connection: Connection, rule_code: str, period_code: str, subject_ids: Sequence[int], columns: Sequence[str]
) -> pl.DataFrame:
    """Some columns of the latest numbers of many subjects; whose they are, the caller answers for."""
    buckets = sorted({subject_id // BUCKET_SIZE for subject_id in subject_ids})
    rows = connection.execute(_stored(rule_code, period_code, buckets)).all()
    if not rows:
        return pl.DataFrame(schema={"subject_id": pl.Int64})
    newest = _newest([_of_run(run_id, content, columns) for _bucket, run_id, content in rows])
    return newest.filter(pl.col("subject_id").is_in(list(subject_ids))).drop(RUN_ID)


def read_frame(
    connection: Connection, rule_code: str, period_code: str, subject_ids: Sequence[int] | None = None
) -> pl.DataFrame | None:
    """The latest numbers of all subjects of a rule and period, or of those with these ids and some others; None if
    there are none."""
    buckets = None if subject_ids is None else sorted({subject_id // BUCKET_SIZE for subject_id in subject_ids})
    rows = connection.execute(_stored(rule_code, period_code, buckets)).all()
    return _newest([_of_run(run_id, content) for _bucket, run_id, content in rows]) if rows else None
