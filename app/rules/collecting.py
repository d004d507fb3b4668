"""Collecting: from records to the subjects frames (``app.rules.frames``) of rules at one date.

``Records`` reads for several rules at once: those that share a subject and a date share one statement for the subjects
and their columns, and one for each entity and tie, which brings all their metrics grouped by subject; equal metrics are
counted once. Filters, windows and arithmetic run in the database. Columns are read as they stand now and rows belong to
the subject they are tied to now; only dates look back.

A full run reads through ``BulkReader``: on PostgreSQL in the snapshot of the given connection (begin it REPEATABLE
READ to have everything of one moment), without the connection's own uncommitted writes. A run over some ``subjects``
reads in the connection's transaction.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from types import TracebackType
from typing import Any, Protocol, Self

import polars as pl
from sqlalchemy import Connection, Select

from app.database.transfer import BulkReader, schema_of
from app.entity.registry import Registry

from .context import Context
from .expressions import written
from .frames import PRESENT, SUBJECT_ID, column_of_held, column_of_metric, held_conditions
from .metric_parts import finished, over_subtrees
from .metric_queries import Group, named_parts, statement_of
from .model import Rule, Warning
from .result_metrics import ResultMetrics, ResultsProvider
from .shared_metrics import SharedMetrics, metrics_of_results, metrics_of_rows
from .subject_rows import FEW, KEYS, SubjectColumns, organizations_above, subjects_frame


class StateProvider(Protocol):
    """The state a run starts from (``app.evaluation.inputs``)."""

    def present(self) -> pl.DataFrame:
        """``subject_id`` and ``present``: the light or level of the last published run."""

    def held(self, condition: str) -> pl.DataFrame:
        """``subject_id`` and ``since``, for a condition in its normal form."""


@dataclass(frozen=True)
class Asked:
    """A rule that is evaluated at one date. ``subjects``: only those with these ids; None for all."""

    rule: Rule
    context: Context
    subjects: Sequence[int] | None = None


class Records:
    """The records that some rules read. A context manager; nothing is read before the first rule needs it, and what
    rules share is read for all of them then.

    ``leaving_out``: what no result depends on is not read: subjects of warnings that the filters of ``applies_to`` keep
    out, and figures of subjects of an index that they keep out (but for the weight of its roll-up).
    """

    def __init__(
        self, connection: Connection, asked: Iterable[Asked], registry: Registry, *, leaving_out: bool = False
    ) -> None:
        self._asked = {each.rule.code: each for each in asked}
        self._reader = BulkReader(connection, bulk=any(each.subjects is None for each in self._asked.values()))
        together: dict[Any, list[Asked]] = {}
        for each in self._asked.values():
            together.setdefault((each.rule.subject, each.context.as_of, each.subjects is None), []).append(each)
        self._tables = {
            each.rule.code: table
            for group in together.values()
            for table in [_Table(self._reader, group, registry, leaving_out)]
            for each in group
        }

    def __enter__(self) -> Self:
        self._reader.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.__exit__(kind, error, trace)

    def context(self, rule: Rule) -> Context:
        """The context that was given with one of the rules."""
        return self._asked[rule.code].context

    def frame(self, rule: Rule, *, results: ResultsProvider, state: StateProvider) -> pl.DataFrame:
        """The subjects frame of one of the rules. ``results`` are asked now: the rules it reads from come before it.

        Raises UserError for a metric that fits no entity, which checking the rule finds earlier.
        """
        return add_state(self._tables[rule.code].frame_of(self._asked[rule.code], results), rule, state)


def collect(
    connection: Connection,
    rule: Rule,
    registry: Registry,
    context: Context,
    *,
    subjects: Sequence[int] | None = None,
    results: ResultsProvider,
    state: StateProvider,
) -> pl.DataFrame:
    """The subjects frame of one rule: all subjects, or those with the ids ``subjects``. Raises as ``Records.frame``."""
    with Records(connection, [Asked(rule, context, subjects)], registry) as records:
        return records.frame(rule, results=results, state=state)


class _Questions:
    """What rules of one subject and date ask, whoever the subjects are."""

    def __init__(self, rules: Sequence[tuple[Rule, Context]], registry: Registry, leaving_out: bool) -> None:
        self.rules, self.registry = rules, registry
        self.subject = registry[rules[0][0].subject]
        self.metrics = SharedMetrics(rules)
        self.columns = SubjectColumns(self.subject, rules, registry, leaving_out=leaving_out)
        self._for_few: dict[int, Select[Any]] = {}

    @cached_property
    def groups(self) -> list[Group]:
        return self.metrics.groups(self.subject.code, self.registry)

    @cached_property
    def finished(self) -> list[pl.Expr]:
        return self.metrics.finished(self.registry)

    def for_few(self, position: int) -> Select[Any]:
        """The statement of a group for the subjects whose ids it is told, ``KEYS``."""
        if position not in self._for_few:
            self._for_few[position] = statement_of(self.groups[position], self.registry, KEYS)
        return self._for_few[position]


MOST_KEPT = 64
_kept: OrderedDict[Any, _Questions] = OrderedDict()
_keeping = Lock()


def _questions(rules: Sequence[tuple[Rule, Context]], registry: Registry, leaving_out: bool) -> _Questions:
    """Kept for the next time: for a few subjects it takes longer to put the questions than to have them answered."""
    # A rule is known by itself: what is kept holds it, so that no other can have its number meanwhile.
    key = (id(registry), registry.version, leaving_out, tuple((id(rule), context) for rule, context in rules))
    with _keeping:
        if key not in _kept:
            _kept[key] = _Questions(rules, registry, leaving_out)
            if len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
        _kept.move_to_end(key)
        return _kept[key]


class _Table:
    """What rules of one subject and date share: a row a subject, a column for everything that any of them names."""

    def __init__(self, reader: BulkReader, asked: list[Asked], registry: Registry, leaving_out: bool) -> None:
        self.reader, self.asked, self.registry, self.leaving_out = reader, asked, registry, leaving_out
        self.questions = _questions([(each.rule, each.context) for each in asked], registry, leaving_out)
        self.subject, self.metrics, self.columns = (
            self.questions.subject,
            self.questions.metrics,
            self.questions.columns,
        )
        self.subjects: list[int] | None = None
        if asked[0].subjects is not None:
            self.subjects = sorted({subject for each in asked for subject in each.subjects or ()})

    @cached_property
    def above(self) -> pl.DataFrame:
        """Organizations and those above them that are subjects."""
        return organizations_above(self.reader, self.registry, self.subjects)

    @cached_property
    def own(self) -> pl.DataFrame:
        """Of subjects what their own rows say."""
        return subjects_frame(self.reader, self.columns, self.subjects)

    @cached_property
    def frame(self) -> pl.DataFrame:
        """All columns of subjects, and the metrics over rows under their shared names."""
        frame = self.own
        for position, group in enumerate(self.questions.groups):
            keys = self.keys(self.counted_for(group), group.over_subtree)
            if keys is None:
                rows = self.reader.fetch(statement_of(group, self.registry, None))
            elif keys:
                rows = self.reader.fetch(self.questions.for_few(position), {KEYS.key: keys})
            else:
                rows = pl.DataFrame(schema=schema_of(self.questions.for_few(position)))
            parts = named_parts(rows, group)
            if group.over_subtree:
                parts = over_subtrees(parts, group, self.above)
            frame = frame.join(parts, left_on=SUBJECT_ID, right_on="key", how="left", maintain_order="left")
        return frame.select(*self.own.columns, *self.questions.finished)

    def counted_for(self, group: Group) -> list[int] | None:
        """The subjects that a group's figures are wanted for; None for all."""
        if self.subjects is None or not self.leaving_out:
            return self.subjects
        found: set[int] = set()
        for each in self.asked:
            names = self.metrics.names_of(each.rule) & {metric.name for metric in group.metrics}
            if not names:
                continue
            if names & self.metrics.names_of_weight(each.rule):
                return self.subjects
            found.update(self.applying(each))
        return sorted(found)

    def applying(self, asked: Asked) -> list[int]:
        """The subjects that the filters of a rule's ``applies_to`` let pass, of those it is asked for."""
        frame = self.own.filter(*self.columns.demanded(asked.rule, asked.context))
        if asked.subjects is not None:
            frame = frame.filter(pl.col(SUBJECT_ID).is_in(list(asked.subjects)))
        return frame[SUBJECT_ID].to_list()

    def keys(self, subjects: list[int] | None, over_subtree: bool) -> list[int] | None:
        """The ids to ask for, where they are few enough to be listed."""
        if subjects is None:
            return None
        if over_subtree and subjects:
            below = self.above.filter(pl.col("ancestor").is_in(subjects))
            subjects = below.get_column("key").unique().to_list()
        return subjects if len(subjects) <= FEW else None

    def frame_of(self, asked: Asked, results: ResultsProvider) -> pl.DataFrame:
        """The subjects frame of one rule, its state left out."""
        rule, frame = asked.rule, self.frame
        if self.leaving_out and isinstance(rule, Warning):
            frame = frame.filter(*self.columns.demanded(rule, asked.context))
        if asked.subjects is not None:
            frame = frame.filter(pl.col(SUBJECT_ID).is_in(list(asked.subjects)))
        of_rows = [
            pl.col(column_of_metric(self.metrics.name_of(rule, metric))).alias(column_of_metric(metric.name))
            for metric in metrics_of_rows(rule)
        ]
        frame = frame.select(*self.columns.of_rule(rule, asked.context), *of_rows)
        of_results = metrics_of_results(rule)
        if not of_results:
            return frame
        columns, subjects = frame.columns, asked.subjects and list(asked.subjects)
        if subjects and self.leaving_out and self.metrics.weight_is_counted(rule):
            subjects = self.applying(asked)
        answers = ResultMetrics(
            rule.subject,
            asked.context,
            self.registry,
            results,
            self.reader,
            lambda: self.above,
            lambda over_subtree: self.keys(subjects, over_subtree),
        )
        for metric in of_results:
            parts = answers.figure(metric)
            frame = frame.join(parts, left_on=SUBJECT_ID, right_on="key", how="left", maintain_order="left")
        return frame.select(*columns, *finished(of_results, asked.context, self.registry))


def add_state(frame: pl.DataFrame, rule: Rule, state: StateProvider) -> pl.DataFrame:
    """The frame with ``present`` and ``held.*``, null where there is no state."""
    present = state.present().select(SUBJECT_ID, pl.col(PRESENT).cast(pl.String))
    frame = frame.join(present, on=SUBJECT_ID, how="left", maintain_order="left")
    for condition in held_conditions(rule):
        held = state.held(written(condition))
        held = held.select(SUBJECT_ID, pl.col("since").cast(pl.Date).alias(column_of_held(condition)))
        frame = frame.join(held, on=SUBJECT_ID, how="left", maintain_order="left")
    return frame
