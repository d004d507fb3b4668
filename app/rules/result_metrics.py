"""Metrics over the results of other rules: the scores of an index, the levels of warnings. No SQL but for ties."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

import polars as pl
from sqlalchemy import select

from app.database.transfer import BulkReader
from app.entity.filters import DateContext, Filter
from app.entity.registry import Registry

from .context import Context
from .expressions import Name
from .filter_frames import filter_frame
from .metric_queries import part_of
from .model import Aggregate, Light, Metric, WindowKind
from .result_columns import INDEX_SOURCE
from .row_source import RowSource, tie_of
from .windows import span_of, unit_of

RESULT_COLUMNS = frozenset({"score", "light", "rank", "peer_rank", "grade"})
"""Columns of a results frame that metrics name as they are; any other name is a node, meaning its score."""


class ResultsProvider(Protocol):
    """What has been computed or published of other rules (``app.evaluation.inputs``)."""

    def index(self, code: str, as_of: date, back: int = 0) -> pl.DataFrame:
        """Results of an index for its period that contains ``as_of``, or the ``back``-th before it: ``subject_id``
        and the columns of the results frame."""

    def index_subject(self, code: str, as_of: date) -> str:
        """The entity that an index scores."""

    def warnings(self, as_of: date, *, start: date | None = None, end: date | None = None) -> pl.DataFrame:
        """Levels that stand at ``as_of``, or stood at any time from ``start`` to ``end``: ``warning``, ``level``,
        ``entity``, ``since``, ``subject_id``, ``organization_id``, ``member_id``."""


@dataclass(frozen=True)
class ResultMetrics:
    """Answers metrics over ``index`` and ``warning`` for the subjects of one rule."""

    subject: str
    context: Context
    entities: Registry
    results: ResultsProvider
    reader: BulkReader
    above: Callable[[], pl.DataFrame]
    """``key`` and ``ancestor`` of organizations, for ``over: subtree``."""

    def figure(self, metric: Metric) -> pl.DataFrame:
        """``key`` (the subject's id) and the metric's parts, as ``app.rules.metric_queries`` names them."""
        rows, column = self.index_rows(metric) if metric.entity == INDEX_SOURCE else (self.warning_rows(metric), None)
        if metric.over_subtree:
            rows = rows.join(self.above(), on="key").drop("key").rename({"ancestor": "key"})
        rows = rows.filter(pl.col("key").is_not_null())
        return aggregated(metric, rows, column, DateContext(self.context.as_of, self.context.period))

    def index_rows(self, metric: Metric) -> tuple[pl.DataFrame, str | None]:
        """The results of an index, tied, and the column that ``of`` names."""
        assert isinstance(metric.of, Name)
        code, _, column = metric.of.path.partition(".")
        day, back = self.context.as_of, metric.window.back
        if back and metric.window.kind is not WindowKind.ALL:
            # So many units of the window before, rather than periods of the index: the index's period that held then.
            day, back = unit_of(metric.window, self.context).end, 0
            frame = self.results.index(code, day, back)
        else:
            frame = self.results.index(code, day, back)
        scored = self.results.index_subject(code, self.context.as_of)
        return self.tied(frame, scored, metric), column or "score"

    def warning_rows(self, metric: Metric) -> pl.DataFrame:
        """Standing warnings on the subject and on what is tied to it."""
        if metric.window.back:
            unit = unit_of(metric.window, self.context)
            frame = self.results.warnings(self.context.as_of, start=unit.start, end=unit.end)
        else:
            frame = self.results.warnings(self.context.as_of)
            span = span_of(metric.window, self.context)
            if span.low is not None:
                frame = frame.filter(pl.col("since").is_between(span.low, span.high))
        frame = frame.filter(pl.col("level").is_not_null() & (pl.col("level") != str(Light.NO_DATA)))
        if self.subject == "organization":
            return frame.with_columns(pl.col("organization_id").alias("key"))
        if self.subject == "member":
            return frame.with_columns(pl.col("member_id").alias("key"))
        parts = []
        for (entity,), part in frame.partition_by("entity", as_dict=True).items():
            known = self.entities.get(str(entity))
            if entity == self.subject:
                parts.append(part.with_columns(pl.col("subject_id").alias("key")))
            elif known is not None and known.tie_to(self.subject):
                parts.append(self.tied(part, str(entity), replace(metric, via=None)))
        empty = frame.clear().with_columns(pl.lit(None, dtype=pl.Int64).alias("key"))
        return pl.concat([empty, *parts], how="diagonal_relaxed")

    def tied(self, frame: pl.DataFrame, entity: str, metric: Metric) -> pl.DataFrame:
        """The frame with ``key``: the subject that each row's own subject is tied to now."""
        if entity == self.subject and metric.via is None:
            return frame.with_columns(pl.col("subject_id").alias("key"))
        tie = tie_of(self.entities[entity], self.subject, metric.via, subtree=False, entities=self.entities)
        rows = RowSource(self.entities[entity], self.entities)
        statement = rows.join(select(rows.root.id.label("subject_id"), rows.key(tie).label("key")))
        return frame.drop("key", strict=False).join(self.reader.fetch(statement), on="subject_id")


def aggregated(metric: Metric, rows: pl.DataFrame, column: str | None, dates: DateContext) -> pl.DataFrame:
    """Parts of a metric over rows with ``key``; ``column`` is the one that ``of`` names."""

    def named(name: str) -> pl.Expr:
        if name in RESULT_COLUMNS or f"{name}.score" not in rows.columns:
            return pl.col(name)
        return pl.col(f"{name}.score")

    def holds(filter_: Filter | None) -> pl.Expr:
        return pl.lit(True) if filter_ is None else filter_frame(filter_, dates, named)

    def part(name: str, expression: pl.Expr) -> pl.Expr:
        return expression.alias(part_of(metric, name))

    if rows.is_empty():
        # A frame of nothing may lack the columns that a filter names.
        names = {"n": ("n",), "s": ("s",), "w": ("s", "w"), "v": ("p", "v")}[_PARTS[metric.aggregate]]
        return pl.DataFrame(schema={"key": pl.Int64} | {part_of(metric, name): pl.Float64 for name in names})
    if metric.aggregate is Aggregate.STREAK:
        return _streak(metric, rows.filter(holds(metric.among)), holds(metric.where))
    rows = rows.filter(holds(metric.where))
    # What an index scores is the value; of a warning, ``of`` may name one of its columns.
    value = named(column) if column else pl.lit(1.0)
    if column is None and isinstance(metric.of, Name):
        value = named(metric.of.path)
    match metric.aggregate:
        case Aggregate.COUNT | Aggregate.EXISTS:
            aggregates = [part("n", pl.len())]
        case Aggregate.DISTINCT:
            aggregates = [part("n", value.drop_nulls().n_unique())]
        case Aggregate.SUM:
            aggregates = [part("s", value.sum())]
        case Aggregate.AVERAGE:
            aggregates = [part("s", value.sum()), part("w", value.count())]
        case Aggregate.MINIMUM:
            aggregates = [part("p", pl.lit(0)), part("v", value.min())]
        case Aggregate.MAXIMUM:
            aggregates = [part("p", pl.lit(0)), part("v", value.max())]
        case _:
            order = ["since", "subject_id"] if "since" in rows.columns else ["subject_id"]
            aggregates = [part("p", pl.lit(0)), part("v", value.sort_by(order).last())]
    return rows.group_by("key").agg(aggregates)


_PARTS = {
    Aggregate.COUNT: "n",
    Aggregate.EXISTS: "n",
    Aggregate.DISTINCT: "n",
    Aggregate.STREAK: "n",
    Aggregate.SUM: "s",
    Aggregate.AVERAGE: "w",
    Aggregate.MINIMUM: "v",
    Aggregate.MAXIMUM: "v",
    Aggregate.LATEST: "v",
}


def _streak(metric: Metric, rows: pl.DataFrame, hit: pl.Expr) -> pl.DataFrame:
    order = ["since", "subject_id"] if "since" in rows.columns else ["subject_id"]
    ordered = rows.sort(order, descending=True).with_columns(hit.alias("hit"))
    run = pl.col("hit").cast(pl.Int64).cum_min().sum()
    return ordered.group_by("key", maintain_order=True).agg(run.alias(part_of(metric, "n")))
