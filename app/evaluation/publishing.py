"""Publishing: a run's results become what is in force, in the one transaction of its caller.

Only what changed is written, under the run's number; what it replaces is kept, marked with the run that ended it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date

import polars as pl
from sqlalchemy import Connection, Table, and_, delete, select
from sqlalchemy.sql import Select

from app.database.bulk import batches, insert_frame, listed, update_by_id
from app.database.transfer import fetch

from .models import IN_FORCE, Held, Score, WarningState

_scores, _states, _held = Score.__table__, WarningState.__table__, Held.__table__

COMPARED_SCORE = ("organization_id", "member_id", "path", "tier", "peers", "order_key", "light", "grade", "coverage")
COMPARED_STATE = ("organization_id", "member_id", "path", "light", "period_code")


def publish_scores(
    connection: Connection,
    *,
    rule_code: str,
    period_code: str,
    run_id: int,
    as_of: date,
    frame: pl.DataFrame,
    subjects: Sequence[int] | None,
) -> int:
    """Put scores in force; how many subjects changed.

    ``frame`` has ``subject_id``, ``score`` and the columns of ``COMPARED_SCORE``. ``subjects``: those that a partial
    run looked at, whether or not the rule applied to them; None for a full run.
    """
    in_force = _in_force(
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
    joined = _compare(frame, in_force, COMPARED_SCORE)
    changed = joined.filter(pl.col("differs"))
    ended = _ended(in_force, frame, changed)
    same_light = pl.col("light") == pl.col("light_old")
    new = changed.select(
        pl.lit(rule_code).alias("rule_code"),
        pl.lit(period_code).alias("period_code"),
        "subject_id",
        pl.lit(run_id).alias("run_id"),
        pl.lit(IN_FORCE).alias("until_run_id"),
        "score",
        *COMPARED_SCORE,
        pl.when(same_light).then("light_before").otherwise("light_old").alias("light_before"),
        pl.when(same_light).then("light_since").otherwise(pl.lit(as_of)).alias("light_since"),
    )
    update_by_id(connection, _scores, ended, {"until_run_id": run_id})
    insert_frame(connection, _scores, new)
    return len(set(ended)) + new.filter(~pl.col("subject_id").is_in(in_force["subject_id"].implode())).height


def publish_levels(
    connection: Connection,
    *,
    rule_code: str,
    subject_entity: str,
    period_code: str,
    run_id: int,
    as_of: date,
    frame: pl.DataFrame,
    subjects: Sequence[int] | None,
) -> int:
    """Put a warning's levels in force; how many subjects changed.

    ``frame`` has ``subject_id``, ``organization_id``, ``member_id``, ``path``, ``light`` (the level; null for none)
    and ``figure``. A level that stands is neither opened nor closed by ``no_data``.
    """
    in_force = _in_force(
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
    frame = frame.filter(pl.col("light").is_not_null()).with_columns(pl.lit(period_code).alias("period_code"))
    joined = _compare(frame, in_force, COMPARED_STATE)
    stood = pl.col("light_old").is_not_null() & (pl.col("light_old") != "no_data")
    joined = joined.filter(~(stood & (pl.col("light") == "no_data")))
    keeps = frame.filter(pl.col("light") == "no_data")["subject_id"]
    changed = joined.filter(pl.col("differs"))
    ended = _ended(
        in_force.filter(~pl.col("subject_id").is_in(keeps.implode()) | (pl.col("light") == "no_data")), frame, changed
    )
    same_light = pl.col("light") == pl.col("light_old")
    new = changed.select(
        pl.lit(rule_code).alias("rule_code"),
        "period_code",
        pl.lit(subject_entity).alias("subject_entity"),
        "subject_id",
        pl.lit(run_id).alias("run_id"),
        pl.lit(IN_FORCE).alias("until_run_id"),
        "organization_id",
        "member_id",
        "path",
        "light",
        "figure",
        pl.when(same_light).then("since").otherwise(pl.lit(as_of)).alias("since"),
        pl.when(stood).then("opened_on").otherwise(pl.lit(as_of)).alias("opened_on"),
    )
    update_by_id(connection, _states, ended, {"until_run_id": run_id, "until_on": as_of})
    insert_frame(connection, _states, new)
    moved = joined.filter(~pl.col("differs") & pl.col("figure").ne_missing(pl.col("figure_old")))
    _update_figures(connection, moved)
    return len(set(ended)) + new.filter(~pl.col("subject_id").is_in(in_force["subject_id"].implode())).height


def publish_held(
    connection: Connection, *, rule_code: str, held: dict[str, pl.DataFrame], subjects: Sequence[int] | None
) -> None:
    """Keep since when the conditions of ``days_held`` have been true: a frame ``subject_id``, ``since`` (null while
    false) by the condition in its normal form."""
    for condition, frame in held.items():
        key = condition_key(condition)
        of_condition = and_(_held.c.rule_code == rule_code, _held.c.condition_key == key)
        if subjects is None:
            connection.execute(delete(_held).where(of_condition))
        else:
            for batch in batches(subjects):
                connection.execute(delete(_held).where(of_condition, _held.c.subject_id.op("IN")(listed(batch))))
        rows = frame.filter(pl.col("since").is_not_null()).select(
            pl.lit(rule_code).alias("rule_code"), pl.lit(key).alias("condition_key"), "subject_id", "since"
        )
        insert_frame(connection, _held, rows)


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
    gone = in_force.filter(~pl.col("subject_id").is_in(frame["subject_id"].implode()))["id"].to_list()
    return replaced + gone


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
