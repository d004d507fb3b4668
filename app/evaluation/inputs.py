"""What an evaluation reads beside the records: published results, the present lights, held conditions, the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property

import polars as pl
from sqlalchemy import Connection, Engine, or_, select

from app.database.bulk import listed
from app.database.transfer import fetch
from app.entity.periods import Period
from app.entity.registry import Registry
from app.rules.library import RuleLibrary
from app.rules.model import Rule, Warning
from app.rules.subject_rows import FEW
from app.rules.workdays import Calendar

from .breakdowns import read_columns, read_frame
from .models import IN_FORCE, Held, Score, WarningState
from .publishing import condition_key, levels_in_force, scores_in_force

_scores, _states, _held = Score.__table__, WarningState.__table__, Held.__table__

PLACE_SCHEMA = {
    "subject_id": pl.Int64,
    "subject_code": pl.String,
    "organization_id": pl.Int64,
    "member_id": pl.Int64,
    "path": pl.String,
    "tier": pl.String,
}


class PublishedResults:
    """Results of other rules for metrics that read them: what this evaluation has computed, else what is in force."""

    def __init__(self, engine: Engine, library: RuleLibrary) -> None:
        self._engine, self._library = engine, library
        self._computed: dict[tuple[str, str], pl.DataFrame] = {}
        self._warnings: dict[tuple[str, date], pl.DataFrame] = {}

    def remember(self, rule: Rule, as_of: date, results: pl.DataFrame, *, published: bool) -> None:
        """Keep a rule's results for the rules after it. Published levels are read where they stand, because a level
        that stands is not ended by missing data."""
        if published and isinstance(rule, Warning):
            return
        if isinstance(rule, Warning):
            frame = results.filter(pl.col("level").is_not_null()).select(
                pl.lit(rule.code).alias("warning"),
                "level",
                pl.lit(rule.subject).alias("entity"),
                pl.lit(as_of).alias("since"),
                "subject_id",
                "organization_id",
                "member_id",
            )
            self._warnings[rule.code, as_of] = frame
        else:
            period = str(Period.containing(as_of, rule.period)) if rule.period else ""
            self._computed[rule.code, period] = results

    def index(self, code: str, as_of: date, back: int = 0, *, subjects: Sequence[int] | None = None) -> pl.DataFrame:
        """The results of an index for its period that contains ``as_of``, or for the ``back``-th before it: columns of
        the results frame with ``organization_id`` and ``member_id``; of all, or at least of ``subjects``. Empty where
        nothing was published."""
        rule = self._library.rule(code, as_of)
        period = str(Period.containing(as_of, rule.period).shifted(-back)) if rule.period else ""
        if back == 0 and (code, period) in self._computed:
            return self._computed[code, period]
        with self._engine.connect() as connection:
            frame = read_frame(connection, code, period, subjects)
            in_force = select(_scores.c.subject_id).where(
                _scores.c.rule_code == code, _scores.c.period_code == period, _scores.c.until_run_id == IN_FORCE
            )
            if subjects is not None:
                in_force = in_force.where(_scores.c.subject_id.op("IN")(listed(subjects or [-1])))
            scores = fetch(connection, in_force)
        if frame is None:
            return pl.DataFrame(schema={**PLACE_SCHEMA, "score": pl.Float64, "light": pl.String})
        # A breakdown outlives its score when the rule stops applying to the subject; the scores in force decide.
        return frame.join(scores, on="subject_id", how="semi")

    def index_subject(self, code: str, as_of: date) -> str:
        """The entity that an index scores."""
        return self._library.rule(code, as_of).subject

    def warnings(
        self,
        as_of: date,
        *,
        start: date | None = None,
        end: date | None = None,
        within: tuple[str, Sequence[int]] | None = None,
    ) -> pl.DataFrame:
        """Levels that stand at ``as_of``, or stood at any time from ``start`` to ``end``: ``warning``, ``level``,
        ``entity``, ``since``, ``subject_id``, ``organization_id``, ``member_id``. ``within``: a column of ids and the
        ids in it that are asked for; others may be left out."""
        first, last = start or as_of, end or as_of
        computed = {code: frame for (code, day), frame in self._warnings.items() if day == as_of and start is None}
        statement = select(
            _states.c.rule_code.label("warning"),
            _states.c.light.label("level"),
            _states.c.subject_entity.label("entity"),
            _states.c.since,
            _states.c.subject_id,
            _states.c.organization_id,
            _states.c.member_id,
        ).where(
            _states.c.light != "no_data",
            _states.c.since <= last,
            or_(_states.c.until_on.is_(None), _states.c.until_on > first),
            _states.c.rule_code.not_in(list(computed)),
        )
        if within is not None:
            column, ids = within
            statement = statement.where(_states.c[column].op("IN")(listed(ids or [-1])))
        with self._engine.connect() as connection:
            stored = fetch(connection, statement)
        computed_levels = [frame.filter(pl.col("level") != "no_data") for frame in computed.values()]
        return pl.concat([stored, *computed_levels], how="vertical_relaxed")


class State:
    """The state a run starts from: the results in force, and since when conditions have held. Kept with the run's
    frame, so that the run can be repeated. ``subjects``: only theirs."""

    def __init__(
        self, connection: Connection, rule: Rule, period_code: str, subjects: Sequence[int] | None = None
    ) -> None:
        self._connection, self._rule, self._period, self._subjects = connection, rule, period_code, subjects
        self._held: dict[str, pl.DataFrame] = {}

    @cached_property
    def in_force(self) -> pl.DataFrame:
        """The rows that publishing compares with."""
        if isinstance(self._rule, Warning):
            return levels_in_force(self._connection, self._rule.code, self._subjects)
        return scores_in_force(self._connection, self._rule.code, self._period, self._subjects)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in force, and nothing of what was asked for has held."""
        return self.in_force.is_empty() and all(frame.is_empty() for frame in self._held.values())

    def present(self) -> pl.DataFrame:
        """``subject_id``, ``present``: the light or level of the last published run of the rule and period, by the base
        rule."""
        frame = self.in_force
        if "period_code" in frame.columns:
            frame = frame.filter(pl.col("period_code") == self._period)
        light = pl.col("light")
        if "base_light" in frame.columns:
            light = pl.when(pl.col("adjusted_by").is_null()).then(light).otherwise("base_light")
        return frame.select("subject_id", light.alias("present"))

    def in_force_lights(self) -> pl.DataFrame:
        """``subject_id``, ``present``: the light of an index that stands, by whichever adjustment."""
        return self.in_force.select("subject_id", pl.col("light").cast(pl.String).alias("present"))

    def held(self, condition: str) -> pl.DataFrame:
        """``subject_id``, ``since`` for a condition in its normal form (``app.rules.expressions.written``)."""
        if condition not in self._held:
            statement = select(_held.c.subject_id, _held.c.since).where(
                _held.c.rule_code == self._rule.code, _held.c.condition_key == condition_key(condition)
            )
            if self._subjects is not None:
                statement = statement.where(_held.c.subject_id.op("IN")(listed(self._subjects or [-1])))
            self._held[condition] = fetch(self._connection, statement)
        return self._held[condition]


class Places:
    """Where organizations are in the tree on the day of a run."""

    def __init__(self, connection: Connection, registry: Registry) -> None:
        self._connection, self._table = connection, registry["organization"].model.__table__
        self._known = pl.DataFrame(schema={"organization_id": pl.Int64, "path": pl.String, "tier": pl.String})

    def of(self, subjects: pl.DataFrame) -> pl.DataFrame:
        """Where each of a subjects frame belongs: ``PLACE_SCHEMA``."""
        ids = subjects["organization_id"].drop_nulls().unique()
        missing = ids.filter(~ids.is_in(self._known["organization_id"].implode()))
        if not missing.is_empty():
            self._read(missing.to_list())
        places = subjects.select("subject_id", pl.col("code").alias("subject_code"), "organization_id", "member_id")
        return places.join(self._known, on="organization_id", how="left", maintain_order="left").cast(PLACE_SCHEMA)

    def _read(self, ids: list[int]) -> None:
        table = self._table
        statement = select(table.c.id.label("organization_id"), table.c.path, table.c.tier)
        if len(ids) <= FEW:
            statement = statement.where(table.c.id.op("IN")(listed(ids)))
        self._known = pl.concat([self._known, fetch(self._connection, statement)]).unique("organization_id")


def calendar_of(connection: Connection, registry: Registry) -> Calendar:
    """Holidays and working days moved to weekends, as recorded."""
    if "holiday" not in registry:
        return Calendar()
    table = registry["holiday"].model.__table__
    rows = connection.execute(select(table.c.day, table.c.kind)).all()
    return Calendar(
        holidays=frozenset(day for day, kind in rows if kind == "holiday"),
        working_days=frozenset(day for day, kind in rows if kind == "working_day"),
    )


def siblings_of(
    connection: Connection, rule_code: str, period_code: str, registry: Registry, subjects: Sequence[int]
) -> pl.DataFrame:
    """The published part in the roll-up of every child of these organizations: ``subject_id``, ``parent_id``,
    ``rolled``, ``roll_weight``; by an index, or by an adjustment of it.
    With it a partial run rolls up without scoring the children again."""
    table = registry["organization"].model.__table__
    children = fetch(
        connection,
        select(table.c.id.label("subject_id"), table.c.parent_id).where(
            table.c.parent_id.op("IN")(listed(subjects or [-1]))
        ),
    )
    published = read_columns(
        connection, rule_code, period_code, children["subject_id"].to_list(), ("rolled", "roll_weight")
    )
    if "rolled" not in published.columns:
        published = published.with_columns(
            pl.lit(None, pl.Float64).alias("rolled"), pl.lit(None, pl.Float64).alias("roll_weight")
        )
    return children.join(published, on="subject_id", how="inner").select(
        "subject_id", "parent_id", "rolled", "roll_weight"
    )
