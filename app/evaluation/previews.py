"""What a part of a rule gives today, before anything is published: one node or one figure over the subjects in scope.

Only what the part needs is read: the rule is cut down to it. Frames of subjects are kept for a minute, so that another
shape, weight or threshold asks the database nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Engine

from app.entity.labels import Label, UserError
from app.entity.periods import Period
from app.entity.registry import Registry, registry
from app.rules.collecting import collect
from app.rules.context import Context
from app.rules.expressions import Expression, names
from app.rules.frames import expressions_of, filters_of
from app.rules.library import RuleLibrary
from app.rules.model import ROOT_CODE, Figure, Index, Metric, Missing, Node, Rule, Warning
from app.rules.scoring import score_index, score_warning

from .inputs import PublishedResults, State, calendar_of

KEPT_SECONDS = 60.0
KEPT_FRAMES = 16
ONE = "one"
"""The code of the only node of a rule that was cut down."""


@dataclass(frozen=True)
class Preview:
    """``frame``: ``subject_id``, ``value`` (a number, date, text or truth) and ``score`` (0–100, null if missing), of
    the subjects that the rule and the node apply to."""

    frame: pl.DataFrame
    as_of: date

    @property
    def numbers(self) -> list[float]:
        """The values that are numbers, ascending."""
        dtype = self.frame.schema["value"]
        if not (dtype.is_numeric() or dtype == pl.Boolean):
            return []
        return self.frame["value"].drop_nulls().cast(pl.Float64).sort().to_list()

    @property
    def missing(self) -> int:
        return self.frame["value"].null_count()

    def of(self, subjects: Collection[int]) -> dict[int, tuple[Any, float | None]]:
        """(value, score) of some subjects by id; those that it does not apply to are left out."""
        rows = self.frame.filter(pl.col("subject_id").is_in(list(subjects)))
        return {row["subject_id"]: (row["value"], row["score"]) for row in rows.iter_rows(named=True)}


def preview_node(
    engine: Engine, library: RuleLibrary, rule: Rule, node: Node, subjects: Sequence[int] | None, as_of: date
) -> Preview:
    """What a node of a draft gives today. ``subjects``: those in the reader's scope, None for all.

    Raises UserError where the node cannot be worked out; checking the rule says why.
    """
    alone = replace(node, code=ONE, weight=None, children=(), enabled=True, missing=Missing.SKIP)
    cut = _cut_down(rule, alone)
    try:
        frame = _frame(engine, library, cut, subjects, as_of)
        scored = score_index(cut, frame, _context(engine, cut, as_of)).results
    except (pl.exceptions.PolarsError, KeyError, TypeError, ValueError):
        raise UserError("这一项现在还算不出来", "This cannot be worked out yet") from None
    columns = [pl.col("subject_id"), pl.col(f"{ONE}.value").alias("value"), pl.col(f"{ONE}.score").alias("score")]
    return Preview(scored.filter(pl.col(f"{ONE}.reason") != 1).select(columns), as_of)


def preview_value(
    engine: Engine, library: RuleLibrary, rule: Rule, value: Expression, subjects: Sequence[int] | None, as_of: date
) -> Preview:
    """What an expression of a draft is today, for every subject that the rule applies to."""
    return preview_node(engine, library, rule, Node(ONE, Label("", ""), value=value), subjects, as_of)


def preview_levels(
    engine: Engine, library: RuleLibrary, warning: Warning, subjects: Sequence[int] | None, as_of: date
) -> pl.DataFrame:
    """``subject_id``, ``value``, ``level`` of a draft warning today. Raises UserError where it cannot be worked out."""
    try:
        frame = _frame(engine, library, warning, subjects, as_of)
        return score_warning(warning, frame, _context(engine, warning, as_of)).select("subject_id", "value", "level")
    except (pl.exceptions.PolarsError, KeyError, TypeError, ValueError):
        raise UserError("这项预警现在还算不出来", "This warning cannot be worked out yet") from None


def _cut_down(rule: Rule, node: Node) -> Index:
    """An index of one node, with the metrics that it and the rule's own conditions rest on."""
    root = Node(ROOT_CODE, rule.label, children=(node,))
    index = Index(
        code=rule.code,
        label=rule.label,
        subject=rule.subject,
        file=rule.file,
        version=rule.version,
        applies_to=rule.applies_to,
        period=rule.period,
        parameters=rule.parameters,
        metrics=(),
        root=root,
        peers=rule.peers if isinstance(rule, Index) else (),
    )
    wanted = {name for expression in expressions_of(index) for name in names(expression)}
    known = {metric.name: metric for metric in rule.metrics}
    return replace(index, metrics=tuple(metric for metric in rule.metrics if metric.name in _rested_on(wanted, known)))


def _rested_on(wanted: set[str], known: dict[str, Metric | Figure]) -> set[str]:
    """The metrics that names lead to, through computed figures."""
    found: set[str] = set()
    open_names = [name for name in wanted if name in known]
    while open_names:
        name = open_names.pop()
        if name in found:
            continue
        found.add(name)
        metric = known[name]
        if isinstance(metric, Figure):
            open_names += [inner for inner in names(metric.expression) if inner in known]
    return found


def _context(engine: Engine, rule: Rule, as_of: date) -> Context:
    with engine.connect() as connection:
        calendar = calendar_of(connection, registry)
    return Context(as_of, Period.containing(as_of, rule.period) if rule.period else None, calendar)


# --- frames, kept for a while ---

_kept: dict[Any, tuple[float, pl.DataFrame]] = {}
_lock = threading.Lock()


def _frame(
    engine: Engine, library: RuleLibrary, rule: Rule, subjects: Sequence[int] | None, as_of: date
) -> pl.DataFrame:
    key = (id(engine), tuple(_signature(rule)), None if subjects is None else tuple(subjects), as_of)
    moment = time.monotonic()
    with _lock:
        kept = _kept.get(key)
        if kept is not None and kept[0] > moment:
            return kept[1]
    frame = _collected(engine, library, rule, subjects, as_of, registry)
    with _lock:
        for old in [old for old, (until, _) in _kept.items() if until <= moment]:
            del _kept[old]
        if len(_kept) >= KEPT_FRAMES:
            _kept.clear()
        _kept[key] = (moment + KEPT_SECONDS, frame)
    return frame


def _signature(rule: Rule) -> Iterator[Any]:
    """What a frame depends on: not the shapes and thresholds, unless they name something else."""
    yield rule.subject
    yield rule.period
    yield repr(rule.metrics)
    yield repr(filters_of(rule))
    yield tuple(sorted({name for expression in expressions_of(rule) for name in names(expression)}))
    yield repr([parameter.by for parameter in rule.parameters])
    yield rule.peers if isinstance(rule, Index) else None
    yield rule.code if isinstance(rule, Warning) else None


def _collected(
    engine: Engine, library: RuleLibrary, rule: Rule, subjects: Sequence[int] | None, as_of: date, entities: Registry
) -> pl.DataFrame:
    context = _context(engine, rule, as_of)
    with engine.connect() as connection:
        state = State(connection, rule, str(context.period or ""), subjects)
        return collect(
            connection,
            rule,
            entities,
            context,
            subjects=subjects,
            results=PublishedResults(engine, library),
            state=state,
        )


def forget_frames() -> None:
    """Read records again at the next preview of this process."""
    with _lock:
        _kept.clear()
