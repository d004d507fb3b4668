"""What an evaluation reads beside the records: published results, the present lights, held conditions, the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl
from sqlalchemy import Connection, Engine, Select, literal, null, or_, select

from app.database.bulk import listed
from app.database.transfer import fetch
from app.entity.periods import Period
from app.entity.registry import EntityType, Registry
from app.rules.library import RuleLibrary
from app.rules.model import Index, Rule, Warning
from app.rules.workdays import Calendar

from .breakdowns import read_columns, read_frame
from .models import IN_FORCE, Held, Score, WarningState
from .publishing import condition_key

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

    def index(self, code: str, as_of: date, back: int = 0) -> pl.DataFrame:
        """The results of an index for its period that contains ``as_of``, or for the ``back``-th before it: columns of
        the results frame with ``organization_id`` and ``member_id``. Empty where nothing was published."""
        rule = self._library.rule(code, as_of)
        period = str(Period.containing(as_of, rule.period).shifted(-back)) if rule.period else ""
        if back == 0 and (code, period) in self._computed:
            return self._computed[code, period]
        with self._engine.connect() as connection:
            frame = read_frame(connection, code, period)
            scores = fetch(
                connection,
                select(_scores.c.subject_id).where(
                    _scores.c.rule_code == code, _scores.c.period_code == period, _scores.c.until_run_id == IN_FORCE
                ),
            )
        if frame is None:
            return pl.DataFrame(schema={**PLACE_SCHEMA, "score": pl.Float64, "light": pl.String})
        # A breakdown outlives its score when the rule stops applying to the subject; the scores in force decide.
        return frame.join(scores, on="subject_id", how="semi")

    def index_subject(self, code: str, as_of: date) -> str:
        """The entity that an index scores."""
        return self._library.rule(code, as_of).subject

    def warnings(self, as_of: date, *, start: date | None = None, end: date | None = None) -> pl.DataFrame:
        """Levels that stand at ``as_of``, or stood at any time from ``start`` to ``end``: ``warning``, ``level``,
        ``entity``, ``since``, ``subject_id``, ``organization_id``, ``member_id``."""
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
        with self._engine.connect() as connection:
            stored = fetch(connection, statement)
        computed_levels = [frame.filter(pl.col("level") != "no_data") for frame in computed.values()]
        return pl.concat([stored, *computed_levels], how="vertical_relaxed")


class State:
    """The state a run starts from: the lights in force, and since when conditions have held. Kept with the run's
    frame, so that the run can be repeated."""

    def __init__(self, connection: Connection, rule: Rule, period_code: str) -> None:
        self._connection, self._rule, self._period = connection, rule, period_code

    def present(self) -> pl.DataFrame:
        """``subject_id``, ``present``: the light or level of the last published run of the rule and period."""
        table = _states if isinstance(self._rule, Warning) else _scores
        return fetch(
            self._connection,
            select(table.c.subject_id, table.c.light.label("present")).where(
                table.c.rule_code == self._rule.code,
                table.c.period_code == self._period,
                table.c.until_run_id == IN_FORCE,
            ),
        )

    def held(self, condition: str) -> pl.DataFrame:
        """``subject_id``, ``since`` for a condition in its normal form (``app.rules.expressions.written``)."""
        return fetch(
            self._connection,
            select(_held.c.subject_id, _held.c.since).where(
                _held.c.rule_code == self._rule.code, _held.c.condition_key == condition_key(condition)
            ),
        )


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
    connection: Connection, rule: Index, period_code: str, registry: Registry, subjects: Sequence[int]
) -> pl.DataFrame:
    """The published part in the roll-up of every child of these organizations: ``subject_id``, ``parent_id``,
    ``rolled``, ``roll_weight``. With it a partial run rolls up without scoring the children again."""
    table = registry["organization"].model.__table__
    children = fetch(
        connection,
        select(table.c.id.label("subject_id"), table.c.parent_id).where(
            table.c.parent_id.op("IN")(listed(subjects or [-1]))
        ),
    )
    published = read_columns(
        connection, rule.code, period_code, children["subject_id"].to_list(), ("rolled", "roll_weight")
    )
    if "rolled" not in published.columns:
        published = published.with_columns(
            pl.lit(None, pl.Float64).alias("rolled"), pl.lit(None, pl.Float64).alias("roll_weight")
        )
    return children.join(published, on="subject_id", how="inner").select(
        "subject_id", "parent_id", "rolled", "roll_weight"
    )


def places_of(connection: Connection, subject: str, registry: Registry) -> pl.DataFrame:
    """Where every subject belongs on this day: its organization, that one's path and tier, and its member."""
    entity = registry[subject]
    statement = _places(entity, registry)
    return fetch(connection, statement).cast(PLACE_SCHEMA)


def _places(entity: EntityType, registry: Registry) -> Select:
    table = entity.model.__table__
    options = entity.options
    organizations = registry["organization"].model.__table__
    code = table.c.code.label("subject_code") if "code" in table.c else literal("").label("subject_code")
    if options.person == "self":
        member = table.c.id.label("member_id")
    elif options.person:
        member = table.c[f"{options.person}_id"].label("member_id")
    else:
        member = null().label("member_id")
    if options.owner == "self":
        organization, source = table.c.id, table
        path, tier = table.c.path, table.c.tier
    elif options.scope or options.owner:
        organization = table.c[f"{options.scope or options.owner}_id"]
        source = table.outerjoin(organizations, organizations.c.id == organization)
        path, tier = organizations.c.path, organizations.c.tier
    else:
        organization, source, path, tier = null(), table, null(), null()
    return select(
        table.c.id.label("subject_id"),
        code,
        organization.label("organization_id"),
        member,
        path.label("path"),
        tier.label("tier"),
    ).select_from(source)
