"""Collecting: from records to the subjects frame (``app.rules.frames``) of one rule at one date.

One statement for each entity and tie brings all the metrics that share them, grouped by subject; filters, windows and
arithmetic run in the database. Columns are read as they stand now and rows belong to the subject they are tied to now;
only dates look back.

A full run reads through ``BulkReader``: on PostgreSQL in the snapshot of the given connection (begin it REPEATABLE
READ to have everything of one moment), without the connection's own uncommitted writes. A run over some ``subjects``
reads in the connection's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import polars as pl
from sqlalchemy import Connection

from app.database.transfer import BulkReader
from app.entity.registry import Registry

from .context import Context
from .expressions import written
from .frames import PRESENT, SUBJECT_ID, column_of_held, held_conditions
from .metric_parts import finished, over_subtrees
from .metric_queries import groups_of, named_parts, statement_of
from .model import Metric, Rule
from .result_columns import INDEX_SOURCE, WARNING_SOURCE
from .result_metrics import ResultMetrics, ResultsProvider
from .subject_rows import FEW, organizations_above, subjects_frame


class StateProvider(Protocol):
    """The state a run starts from (``app.evaluation.inputs``)."""

    def present(self) -> pl.DataFrame:
        """``subject_id`` and ``present``: the light or level of the last published run."""

    def held(self, condition: str) -> pl.DataFrame:
        """``subject_id`` and ``since``, for a condition in its normal form."""


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
    """The subjects frame of an index or a warning: all subjects, or those with the ids ``subjects``.

    Raises UserError for a metric that fits no entity, which checking the rule finds earlier.
    """
    with BulkReader(connection, bulk=subjects is None) as reader:
        frame = subjects_frame(reader, rule, registry, context, subjects)
        collector = _Collector(reader, rule, registry, context, subjects, results)
        frame = collector.add_metrics(frame)
    return add_state(frame, rule, state)


class _Collector:
    def __init__(
        self,
        reader: BulkReader,
        rule: Rule,
        registry: Registry,
        context: Context,
        subjects: Sequence[int] | None,
        results: ResultsProvider,
    ) -> None:
        self.reader, self.rule, self.registry, self.context = reader, rule, registry, context
        self.subjects, self.results = subjects, results
        self._above: pl.DataFrame | None = None

    def above(self) -> pl.DataFrame:
        """Organizations and those above them that are subjects; read once."""
        if self._above is None:
            self._above = organizations_above(self.reader, self.registry, self.subjects)
        return self._above

    def add_metrics(self, frame: pl.DataFrame) -> pl.DataFrame:
        metrics = [metric for metric in self.rule.metrics if isinstance(metric, Metric)]
        of_results = [metric for metric in metrics if metric.entity in (INDEX_SOURCE, WARNING_SOURCE)]
        of_rows = [metric for metric in metrics if metric not in of_results]
        for group in groups_of(of_rows, self.rule.subject, self.registry):
            keys = self.keys(group.over_subtree)
            parts = named_parts(self.reader.fetch(statement_of(group, self.context, self.registry, keys)), group)
            if group.over_subtree:
                parts = over_subtrees(parts, group, self.above())
            frame = frame.join(parts, left_on=SUBJECT_ID, right_on="key", how="left")
        answers = ResultMetrics(
            self.rule.subject, self.context, self.registry, self.results, self.reader, self.above, self.keys
        )
        for metric in of_results:
            frame = frame.join(answers.figure(metric), left_on=SUBJECT_ID, right_on="key", how="left")
        return self.finish(frame, metrics)

    def finish(self, frame: pl.DataFrame, metrics: list[Metric]) -> pl.DataFrame:
        """Figures instead of parts, in the order of the rule."""
        before = [name for name in frame.columns if not name.startswith("#")]
        return frame.select(*before, *finished(metrics, self.context, self.registry))

    def keys(self, over_subtree: bool) -> list[int] | None:
        """The ids to ask for, where they are few enough to be listed."""
        if self.subjects is None:
            return None
        keys = self.above().get_column("key").unique().to_list() if over_subtree else list(self.subjects)
        return keys if len(keys) <= FEW else None


def add_state(frame: pl.DataFrame, rule: Rule, state: StateProvider) -> pl.DataFrame:
    """The frame with ``present`` and ``held.*``, null where there is no state."""
    present = state.present().select(SUBJECT_ID, pl.col(PRESENT).cast(pl.String))
    frame = frame.join(present, on=SUBJECT_ID, how="left", maintain_order="left")
    for condition in held_conditions(rule):
        held = state.held(written(condition))
        held = held.select(SUBJECT_ID, pl.col("since").cast(pl.Date).alias(column_of_held(condition)))
        frame = frame.join(held, on=SUBJECT_ID, how="left", maintain_order="left")
    return frame
