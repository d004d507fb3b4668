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


def _packed(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression="lz4")
    return buffer.getvalue()


def _unpacked(content: bytes) -> pl.DataFrame:
    return pl.read_ipc_stream(io.BytesIO(content))


def write_breakdowns(
    connection: Connection, rule_code: str, period_code: str, run_id: int, frame: pl.DataFrame, *, full: bool
) -> None:
    """Keep a run's frame. A full run replaces what earlier runs of the rule and period kept."""
    buckets = frame.with_columns((pl.col("subject_id") // BUCKET_SIZE).alias("bucket")).partition_by(
        "bucket", as_dict=True, include_key=False
    )
    rows = [
        {
            "rule_code": rule_code,
            "period_code": period_code,
            "bucket": bucket,
            "run_id": run_id,
            "content": _packed(part),
        }
        for (bucket,), part in buckets.items()
    ]
    if full:
        of_rule = and_(_breakdowns.c.rule_code == rule_code, _breakdowns.c.period_code == period_code)
        connection.execute(delete(_breakdowns).where(of_rule))
    for row in rows:
        connection.execute(insert(_breakdowns).values(row))


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
        for row in _unpacked(content).filter(pl.col("subject_id").is_in(list(missing))).iter_rows(named=True):
            found[row["subject_id"]] = {**row, "run_id": run_id}
        missing -= set(found)
    return found


def read_columns(
    connection: Connection, rule_code: str, period_code: str, subject_ids: Sequence[int], columns: Sequence[str]
) -> pl.DataFrame:
    """Some columns of the latest numbers of many subjects; whose they are, the caller answers for."""
    buckets = sorted({subject_id // BUCKET_SIZE for subject_id in subject_ids})
    parts = []
    for _bucket, _run_id, content in connection.execute(_stored(rule_code, period_code, buckets)):
        frame = _unpacked(content)
        parts.append(frame.select("subject_id", *(name for name in columns if name in frame.columns)))
    if not parts:
        return pl.DataFrame(schema={"subject_id": pl.Int64})
    newest = pl.concat(parts, how="diagonal_relaxed").unique("subject_id", keep="first", maintain_order=True)
    return newest.filter(pl.col("subject_id").is_in(list(subject_ids)))


def read_frame(connection: Connection, rule_code: str, period_code: str) -> pl.DataFrame | None:
    """The latest numbers of all subjects of a rule and period; None if there are none."""
    parts = [
        _unpacked(content).with_columns(pl.lit(run_id).alias("run_id"))
        for _bucket, run_id, content in connection.execute(_stored(rule_code, period_code, None))
    ]
    if not parts:
        return None
    # Newest first, so that the first row of a subject is the one in force.
    return pl.concat(parts, how="diagonal_relaxed").unique("subject_id", keep="first", maintain_order=True)
