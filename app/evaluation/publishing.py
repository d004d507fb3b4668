"""Publishing: a run's results become what is in force, in the one transaction of its caller.

Only what changed is written, under the run's number; what it replaces is kept, marked with the run that ended it. What
changes is worked out before, by whoever holds the rule's lease, so that the transaction that writes is short.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.sql import Select

from app.database.bulk import batches, insert_frame, listed, update_by_id
from app.database.transfer import fetch

from .models import IN_FORCE, Held, Score, WarningState

_scores, _states, _held = Score.__table__, WarningState.__table__, Held.__table__

COMPARED_SCORE = (
    *("organization_id", "member_id", "path", "tier", "peers", "order_key", "light", "grade", "coverage"),
    *("adjusted_by", "base_order_key", "base_light"),
)
COMPARED_STATE = ("organization_id", "member_id", "path", "light", "period_code")


@dataclass(frozen=True)
class Changes:
    """What a run changes of the results in force."""

    table: Table
    ended: list[int]
    """Ids of the rows that are replaced, or whose subject has no result any more."""
    ending: Mapping[str, Any]
    """What is written on them beside the run's number."""
    new: pl.DataFrame
    """The rows that come into force, but for the run's number."""
    moved: pl.DataFrame | None = None
    """``id`` and ``figure`` of levels that stand and whose figure is another."""
    subjects: int = 0
    """How many subjects' results differ."""

    def __bool__(self) -> bool:
        return bool(self.ended) or not self.new.is_empty() or (self.moved is not None and not self.moved.is_empty())

    def publish(self, connection: Connection, run_id: int) -> None:
        """Put them in force."""
        update_by_id(connection, self.table, self.ended, {"until_run_id": run_id, **self.ending})
        new = self.new.with_columns(pl.lit(run_id).alias("run_id"), pl.lit(IN_FORCE).alias("until_run_id"))
        insert_frame(connection, self.table, new)
        if self.moved is not None:
            _update_figures(connection, self.moved)


def scores_in_force(
    connection: Connection, rule_code: str, period_code: str, subjects: Sequence[int] | None
) -> pl.DataFrame:
    """The scores of an index and period that are in force: of all subjects, or of those with these ids."""
    return _in_force(
        connection,
        select(
            _scores.c.id,
            _scores.c.subject_id,
            *(_scores.c[name] for name in COMPARED_SCORE),
            _scores.c.light_before,
            _scores.c.light_since,
        ).where(_scores.c.rule_code == rule_code, _scores.c.period_code == period_code),
        _scores,
        subjects,
    )


def levels_in_force(connection: Connection, rule_code: str, subjects: Sequence[int] | None) -> pl.DataFrame:
    """The levels at which a warning stands, whatever the period, ``no_data`` included."""
    return _in_force(
        connection,
        select(
            _states.c.id,
            _states.c.subject_id,
            *(_states.c[name] for name in COMPARED_STATE),
            _states.c.figure,
            _states.c.since,
            _states.c.opened_on,
        ).where(_states.c.rule_code == rule_code),
        _states,
        subjects,
    )


def score_changes(
    in_force: pl.DataFrame, frame: pl.DataFrame, *, rule_code: str, period_code: str, as_of: date
) -> Changes:
    """What new scores change. ``frame`` has ``subject_id``, ``score`` and the columns of ``COMPARED_SCORE``;
    ``in_force`` (``scores_in_force``) is of all the subjects the run looked at, whether or not the rule applies."""
    changed = _compare(frame, in_force, COMPARED_SCORE).filter(pl.col("differs"))
    same_light = pl.col("light") == pl.col("light_old")
    new = changed.select(
        pl.lit(rule_code).alias("rule_code"),
        pl.lit(period_code).alias("period_code"),
        "subject_id",
        "score",
        *COMPARED_SCORE,
        pl.when(same_light).then("light_before").otherwise("light_old").alias("light_before"),
        pl.when(same_light).then("light_since").otherwise(pl.lit(as_of)).alias("light_since"),
    )
    ended = _ended(in_force, frame, changed)
    return Changes(_scores, ended, {}, new, subjects=len(ended) + _first(new, in_force))


def level_changes(
    in_force: pl.DataFrame,
    frame: pl.DataFrame,
    *,
    rule_code: str,
    subject_entity: str,
    period_code: str,
    as_of: date,
) -> Changes:
    """What new levels of a warning change. ``frame`` has ``subject_id``, ``organization_id``, ``member_id``, ``path``,
    ``light`` (the level; null for none) and ``figure``. A level that stands is neither opened nor closed by
    ``no_data``."""
    frame = frame.filter(pl.col("light").is_not_null()).with_columns(pl.lit(period_code).alias("period_code"))
    joined = _compare(frame, in_force, COMPARED_STATE)
    stood = pl.col("light_old").is_not_null() & (pl.col("light_old") != "no_data")
    joined = joined.filter(~(stood & (pl.col("light") == "no_data")))
    changed = joined.filter(pl.col("differs"))
    ended = _ended(in_force, frame, changed)
    same_light = pl.col("light") == pl.col("light_old")
    new = changed.select(
        pl.lit(rule_code).alias("rule_code"),
        "period_code",
        pl.lit(subject_entity).alias("subject_entity"),
        "subject_id",
        "organization_id",
        "member_id",
        "path",
        "light",
        "figure",
        pl.when(same_light).then("since").otherwise(pl.lit(as_of)).alias("since"),
        pl.when(stood).then("opened_on").otherwise(pl.lit(as_of)).alias("opened_on"),
    )
    moved = joined.filter(~pl.col("differs") & pl.col("figure").ne_missing(pl.col("figure_old")))
    return Changes(
        _states,
        ended,
        {"until_on": as_of},
        new,
        moved=moved.select("id", "figure"),
        subjects=len(ended) + _first(new, in_force),
    )


@dataclass(frozen=True)
class HeldChanges:
    """What a run changes of since when one condition has been true."""

    rule_code: str
    condition_key: str
    ended: list[int]
    """Subjects whose row goes."""
    new: pl.DataFrame
    """``subject_id`` and ``since`` of rows that come."""

    def __bool__(self) -> bool:
        return bool(self.ended) or not self.new.is_empty()

    def publish(self, connection: Connection) -> None:
        for batch in batches(self.ended):
            connection.execute(
                delete(_held).where(
                    _held.c.rule_code == self.rule_code,
                    _held.c.condition_key == self.condition_key,
                    _held.c.subject_id.op("IN")(listed(batch)),
                )
            )
        rows = self.new.with_columns(
            pl.lit(self.rule_code).alias("rule_code"), pl.lit(self.condition_key).alias("condition_key")
        )
        insert_frame(connection, _held, rows)


def held_changes(rule_code: str, condition: str, before: pl.DataFrame, after: pl.DataFrame) -> HeldChanges:
    """What changes of a condition in its normal form. ``before`` and ``after`` have ``subject_id`` and ``since`` (null
    while it is false); ``before`` is of all the subjects the run looked at."""
    after = after.filter(pl.col("since").is_not_null())
    same = ["subject_id", "since"]
    ended = before.join(after, on=same, how="anti")["subject_id"].to_list()
    return HeldChanges(rule_code, condition_key(condition), ended, after.join(before, on=same, how="anti"))


def condition_key(condition: str) -> str:
    """The stored key of a condition in its normal form."""
    return hashlib.sha256(condition.encode()).hexdigest()[:32]


def _in_force(connection: Connection, statement: Select, table: Table, subjects: Sequence[int] | None) -> pl.DataFrame:
    statement = statement.where(table.c.until_run_id == IN_FORCE)
    if subjects is not None:
        statement = statement.where(table.c.subject_id.op("IN")(listed(subjects or [-1])))
    return fetch(connection, statement)


def _compare(frame: pl.DataFrame, in_force: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The new rows beside the old ones (``<name>_old``, ``id``), and whether they differ."""
    typed = frame.with_columns(pl.col(name).cast(in_force.schema[name], strict=False) for name in columns)
    joined = typed.join(in_force, on="subject_id", how="left", suffix="_old", maintain_order="left")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_old")) for name in columns)
    return joined.with_columns((pl.col("id").is_null() | differs).alias("differs"))


def _ended(in_force: pl.DataFrame, frame: pl.DataFrame, changed: pl.DataFrame) -> list[int]:
    """The ids of rows in force that are replaced, or whose subject has no result any more."""
    replaced = changed["id"].drop_nulls().to_list()
    return replaced + in_force.join(frame, on="subject_id", how="anti")["id"].to_list()


def _first(new: pl.DataFrame, in_force: pl.DataFrame) -> int:
    """How many of the new rows are of subjects that had none."""
    return new.join(in_force, on="subject_id", how="anti").height


def _update_figures(connection: Connection, moved: pl.DataFrame) -> None:
    if moved.is_empty():
        return
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    cursor = connection.connection.cursor()
    try:
        cursor.executemany(
            f"UPDATE {_states.name} SET figure = {mark} WHERE id = {mark}", moved.select("figure", "id").rows()
        )
    finally:
        cursor.close()
