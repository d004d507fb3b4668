"""The figures that runs have kept, for scoring them again by another version of a rule.

A run keeps its subjects frame (``app.evaluation.breakdowns``). What another version needs beyond it, metrics that it
counts differently say, is asked of the database, and nothing else. What was read is remembered for a while, because
whoever changes a rule looks at its effect again and again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl
from sqlalchemy import Connection, Engine, Row, func, select

from app.database.clock import today
from app.entity.periods import Period
from app.entity.registry import Registry, registry
from app.evaluation.breakdowns import read_frame
from app.evaluation.inputs import PublishedResults, calendar_of
from app.evaluation.models import IN_FORCE, Breakdown, Extent, RuleVersion, Run, RunState, Score
from app.rules.candidate import check_candidate
from app.rules.collecting import Asked, Records
from app.rules.context import Context
from app.rules.expression_parser import parse_expression
from app.rules.frames import (
    CODE,
    MEMBER_ID,
    ORGANIZATION_ID,
    PARENT_ID,
    PRESENT,
    SUBJECT_ID,
    column_of_filter,
    column_of_metric,
    column_of_subject,
    filters_of,
)
from app.rules.library import RuleLibrary
from app.rules.model import Figure, Index, Metric, Rule
from app.rules.shared_metrics import meaning
from app.rules.subject_rows import columns_used

_runs, _breakdowns, _scores, _versions = Run.__table__, Breakdown.__table__, Score.__table__, RuleVersion.__table__

REMEMBERED = 2
"""Rules whose figures are kept in memory: some 100 MB each at district scale."""
PATH = "path"
_IDENTITY = (SUBJECT_ID, CODE, ORGANIZATION_ID, MEMBER_ID, PARENT_ID)


@dataclass(frozen=True)
class KeptFigures:
    """What the latest full run of a rule and period has kept, with the partial runs since."""

    rule: Rule
    """As the run had it."""
    context: Context
    frame: pl.DataFrame = field(repr=False)
    """A subjects frame (``app.rules.frames``) with ``path``; ``present`` is the light or level in force."""
    key: tuple = ()
    """Changes whenever what is kept changes."""


@dataclass(frozen=True)
class Figures:
    """The subjects frame of a rule, and what had to be asked of the database for it."""

    frame: pl.DataFrame = field(repr=False)
    context: Context
    counted: tuple[str, ...] = ()
    """Metrics that were counted anew."""
    everything: bool = False
    """Whether all had to be collected: other subjects, columns or filters than those kept."""


class Memory:
    """The frames used last. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: OrderedDict[tuple, pl.DataFrame] = OrderedDict()

    def get(self, key: tuple) -> pl.DataFrame | None:
        with self._lock:
            if key in self._frames:
                self._frames.move_to_end(key)
            return self._frames.get(key)

    def put(self, key: tuple, frame: pl.DataFrame) -> None:
        with self._lock:
            self._frames[key] = frame
            while len(self._frames) > REMEMBERED:
                self._frames.popitem(last=False)


_memory = Memory()


def kept_figures(
    engine: Engine, library: RuleLibrary, code: str, period: str, entities: Registry = registry
) -> KeptFigures | None:
    """What is kept of a rule and period; None if no full run of it was published, or its version is not understood any
    more (an entity is gone, say)."""
    with engine.connect() as connection:
        run = last_full_run(connection, code, period)
        if run is None:
            return None
        newest = connection.execute(
            select(func.max(_breakdowns.c.run_id)).where(
                _breakdowns.c.rule_code == code, _breakdowns.c.period_code == period
            )
        ).scalar()
        rule = rule_of_run(connection, run, code, library, entities)
        if rule is None:
            return None
        context = context_of(connection, run, period, entities)
        key = (str(engine.url), code, period, newest)
        frame = _memory.get(key)
        if frame is None:
            stored = read_frame(connection, code, period)
            if stored is None:
                return None
            frame = subjects_of(stored)
            if isinstance(rule, Index):
                # A breakdown outlives its score when the rule stops applying to the subject.
                in_force = select(_scores.c.subject_id).where(
                    _scores.c.rule_code == code, _scores.c.period_code == period, _scores.c.until_run_id == IN_FORCE
                )
                ids = pl.Series(SUBJECT_ID, connection.execute(in_force).scalars().all(), dtype=pl.Int64)
                frame = frame.filter(pl.col(SUBJECT_ID).is_in(ids.implode()))
            _memory.put(key, frame)
    return KeptFigures(rule, context, frame, key)


def last_full_run(connection: Connection, code: str, period: str) -> Row | None:
    """The latest published run of a rule and period over all subjects: ``id``, ``rule_version``, ``as_of``."""
    return connection.execute(
        select(_runs.c.id, _runs.c.rule_version, _runs.c.as_of)
        .where(
            _runs.c.rule_code == code,
            _runs.c.period_code == period,
            _runs.c.state == RunState.PUBLISHED,
            _runs.c.extent == Extent.FULL,
        )
        .order_by(_runs.c.id.desc())
        .limit(1)
    ).first()


def context_of(connection: Connection, run: Row, period: str, entities: Registry) -> Context:
    """When a run was, and with which calendar."""
    return Context(run.as_of, Period.parse(period) if period else None, calendar_of(connection, entities))


def rule_of_run(connection: Connection, run: Row, code: str, library: RuleLibrary, entities: Registry) -> Rule | None:
    """The rule as a run had it; None if its version is not understood any more."""
    in_force = library.rules()
    current = in_force.get(code)
    if current is not None and current.version == run.rule_version:
        return current
    text = connection.execute(select(_versions.c.source_text).where(_versions.c.version == run.rule_version)).scalar()
    return _understood(text, code, in_force, entities) if text is not None else None


def latest_period(engine: Engine, rule: Rule) -> str:
    """The latest period of which a full run of the rule was published; empty for rules without periods."""
    with engine.connect() as connection:
        found = connection.execute(
            select(_runs.c.period_code)
            .where(_runs.c.rule_code == rule.code, _runs.c.state == RunState.PUBLISHED, _runs.c.extent == Extent.FULL)
            .order_by(_runs.c.as_of.desc(), _runs.c.id.desc())
            .limit(1)
        ).scalar()
    return found or ""


def new_figures(rule: Rule, engine: Engine, library: RuleLibrary, entities: Registry = registry) -> KeptFigures:
    """What there would be of a rule that was never evaluated, collected as of today."""
    day = today()
    with engine.connect() as connection:
        calendar = calendar_of(connection, entities)
    context = Context(day, Period.containing(day, rule.period) if rule.period else None, calendar)
    nobody = pl.DataFrame(schema={SUBJECT_ID: pl.Int64, CODE: pl.String, PATH: pl.String, PRESENT: pl.String})
    frame = _read(rule, KeptFigures(rule, context, nobody), engine, library, entities)
    return KeptFigures(rule, context, frame.with_columns(_paths(frame, engine, entities)))


def _understood(text: str, code: str, in_force: Mapping[str, Rule], entities: Registry) -> Rule | None:
    for kind in ("index", "warning"):
        if text.lstrip("\ufeff").find(f"{kind}:") >= 0:
            found = check_candidate(text, kind, code, in_force, entities).rule
            if found is not None:
                return found
    return None


def subjects_of(stored: pl.DataFrame) -> pl.DataFrame:
    """The subjects frame in a stored breakdown, results left out."""
    light = "light" if "light" in stored.columns else "level"
    figures = [name for name in stored.columns if name[:2] in ("s.", "m.", "f.") or name.startswith("held.")]
    stored = stored.drop(CODE, strict=False).rename({"subject_code": CODE})
    identity = [name for name in _IDENTITY if name in stored.columns]
    return stored.select(
        *identity,
        *figures,
        PATH,
        pl.col(light).alias(PRESENT),
    )


def figures_for(
    rule: Rule, kept: KeptFigures, engine: Engine, library: RuleLibrary, entities: Registry = registry
) -> Figures:
    """The subjects frame that ``rule``, another version of the rule, needs at the date of what is kept."""
    context = kept.context
    if rule.subject != kept.rule.subject or rule.period != kept.rule.period or rule.applies_to != kept.rule.applies_to:
        return _collected(rule, kept, engine, library, entities)
    known = {meaning(metric, context): metric.name for metric in kept.rule.metrics if isinstance(metric, Metric)}
    wanted = [metric for metric in rule.metrics if isinstance(metric, Metric)]
    missing = [metric for metric in wanted if not _is_kept(metric, known, kept)]
    there = [
        pl.col(column_of_metric(known[meaning(metric, context)])).alias(column_of_metric(metric.name))
        for metric in wanted
        if metric not in missing
    ]
    columns = [column_of_subject(path) for path in columns_used(rule, entities[rule.subject], entities)]
    filters = _filters(rule, kept)
    held = [name for name in kept.frame.columns if name.startswith("held.")]
    identity = [name for name in _IDENTITY if name in kept.frame.columns]
    if filters is None or any(name not in kept.frame.columns for name in columns):
        # Columns are read with the subjects; what is kept of metrics stays good.
        frame = _counted(rule, missing, kept, engine, library, entities)
        own = [name for name in frame.columns if name[:2] in ("s.", "f.")]
        added = frame.select(SUBJECT_ID, *own, *(column_of_metric(metric.name) for metric in missing))
        base = kept.frame.select(*identity, *there, *held, PATH, PRESENT)
        whole = base.join(added, on=SUBJECT_ID, how="left", maintain_order="left")
        return Figures(whole, context, tuple(metric.name for metric in missing))
    frame = kept.frame.select(*identity, *columns, *filters, *there, *held, PATH, PRESENT)
    if missing:
        counted = _counted(rule, missing, kept, engine, library, entities)
        added = counted.select(SUBJECT_ID, *(column_of_metric(metric.name) for metric in missing))
        frame = frame.join(added, on=SUBJECT_ID, how="left", maintain_order="left")
    return Figures(frame, context, tuple(metric.name for metric in missing))


def _is_kept(metric: Metric, known: Mapping[object, str], kept: KeptFigures) -> bool:
    name = known.get(meaning(metric, kept.context))
    return name is not None and column_of_metric(name) in kept.frame.columns


def _filters(rule: Rule, kept: KeptFigures) -> list[pl.Expr] | None:
    """The rule's filters by those that are kept; None if one is not."""
    known = filters_of(kept.rule)
    found = []
    for position, filter_ in enumerate(filters_of(rule)):
        if filter_ not in known or column_of_filter(known.index(filter_)) not in kept.frame.columns:
            return None
        found.append(pl.col(column_of_filter(known.index(filter_))).alias(column_of_filter(position)))
    return found


def _counted(
    rule: Rule, metrics: list[Metric], kept: KeptFigures, engine: Engine, library: RuleLibrary, entities: Registry
) -> pl.DataFrame:
    """The rule's subjects with these metrics alone, read from the records."""
    nothing = parse_expression("0")
    others = tuple(
        metric if not isinstance(metric, Metric) or metric in metrics else Figure(metric.name, nothing)
        for metric in rule.metrics
    )
    return _read(replace(rule, metrics=others), kept, engine, library, entities)


def _collected(rule: Rule, kept: KeptFigures, engine: Engine, library: RuleLibrary, entities: Registry) -> Figures:
    context = kept.context
    if rule.period != kept.rule.period:
        context = replace(context, period=Period.containing(context.as_of, rule.period) if rule.period else None)
        kept = replace(kept, context=context)
    frame = _read(rule, kept, engine, library, entities)
    places = kept.frame.select(SUBJECT_ID, PATH, PRESENT)
    frame = frame.drop(PRESENT).join(places, on=SUBJECT_ID, how="left", maintain_order="left")
    frame = frame.with_columns(_paths(frame, engine, entities))
    return Figures(
        frame, context, tuple(each.name for each in rule.metrics if isinstance(each, Metric)), everything=True
    )


def _paths(frame: pl.DataFrame, engine: Engine, entities: Registry) -> pl.Series:
    """The path of everybody's organization."""
    table = entities["organization"].model.__table__
    with engine.connect() as connection:
        places = dict(iter(connection.execute(select(table.c.id, table.c.path))))
    return frame[ORGANIZATION_ID].replace_strict(places, default=None, return_dtype=pl.String).alias(PATH)


def _read(rule: Rule, kept: KeptFigures, engine: Engine, library: RuleLibrary, entities: Registry) -> pl.DataFrame:
    asked = [Asked(rule, kept.context)]
    with engine.connect() as connection, Records(connection, asked, entities, leaving_out=True) as records:
        return records.frame(rule, results=PublishedResults(engine, library), state=AsKept(kept))


class AsKept:
    """The state that is in force: the present lights of the kept frame, and what has held since."""

    def __init__(self, kept: KeptFigures) -> None:
        self._frame = kept.frame

    def present(self) -> pl.DataFrame:
        return self._frame.select(SUBJECT_ID, PRESENT)

    def held(self, condition: str) -> pl.DataFrame:
        name = f"held.{condition}"
        if name not in self._frame.columns:
            return pl.DataFrame(schema={SUBJECT_ID: pl.Int64, "since": pl.Date})
        return self._frame.select(SUBJECT_ID, pl.col(name).alias("since"))
