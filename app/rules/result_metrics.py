"""Metrics over the results of other rules: the scores of an index, the levels of warnings. No SQL but for ties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Protocol

import polars as pl
from sqlalchemy import Select, select

from app.database.transfer import BulkReader
from app.entity.filters import DateContext, Filter
from app.entity.registry import Registry, Relation

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

    def index(self, code: str, as_of: date, back: int = 0, *, subjects: Sequence[int] | None = None) -> pl.DataFrame:
        """Results of an index for its period that contains ``as_of``, or the ``back``-th before it: ``subject_id``
        and the columns of the results frame. ``subjects``: all that is asked for; others may be left out."""

    def index_subject(self, code: str, as_of: date) -> str:
        """The entity that an index scores."""

    def warnings(
        self,
        as_of: date,
        *,
        start: date | None = None,
        end: date | None = None,
        within: tuple[str, Sequence[int]] | None = None,
    ) -> pl.DataFrame:
        """Levels that stand at ``as_of``, or stood at any time from ``start`` to ``end``: ``warning``, ``level``,
        ``entity``, ``since``, ``subject_id``, ``organization_id``, ``member_id``. ``within``: a column of ids and all
        that is asked for of it; others may be left out."""


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
    keys: Callable[[bool], list[int] | None]
    """The subjects, if they are few; with True, all organizations below them too."""
    _read: dict[Any, pl.DataFrame] = field(default_factory=dict)
    """Results and ties that several metrics share."""

    def figure(self, metric: Metric) -> pl.DataFrame:
        """``key`` (the subject's id) and the metric's parts, as ``app.rules.metric_queries`` names them."""
        rows, column = self.index_rows(metric) if metric.entity == INDEX_SOURCE else (self.warning_rows(metric), None)
        rows = rows.with_columns(pl.col("key").cast(pl.Int64))
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
        scored = self.results.index_subject(code, self.context.as_of)
        ties = self.ties(scored, metric)
        if ties is None:
            few = self.keys(metric.over_subtree)
        else:
            few = None if self.keys(metric.over_subtree) is None else ties["subject_id"].to_list()
        wanted = (code, day, back, None if few is None else tuple(few))
        frame = self._once(wanted, lambda: self.results.index(code, day, back, subjects=few))
        return self.tied(frame, ties), column or "score"

    def warning_rows(self, metric: Metric) -> pl.DataFrame:
        """Standing warnings on the subject and on what is tied to it."""
        if metric.window.back:
            unit = unit_of(metric.window, self.context)
            frame = self._levels(metric, unit.start, unit.end)
            # A level that came and went and came again stood in that time, once.
            frame = frame.unique(["warning", "entity", "subject_id", "level"], keep="last", maintain_order=True)
        else:
            frame = self._levels(metric)
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
                parts.append(self.tied(part, self.ties(str(entity), replace(metric, via=None))))
        empty = frame.clear().with_columns(pl.lit(None, dtype=pl.Int64).alias("key"))
        return pl.concat([empty, *parts], how="diagonal_relaxed")

    def _levels(self, metric: Metric, start: date | None = None, end: date | None = None) -> pl.DataFrame:
        """Levels of the subjects, if they are few, and maybe of others."""
        few, within = self.keys(metric.over_subtree), None
        if few is not None and self.subject in ("organization", "member"):
            within = (f"{self.subject}_id", few)
        return self._once(
            ("warnings", start, end, metric.over_subtree),
            lambda: self.results.warnings(self.context.as_of, start=start, end=end, within=within),
        )

    def ties(self, entity: str, metric: Metric) -> pl.DataFrame | None:
        """``subject_id`` and ``key``: the subject that each row of an entity is tied to now; None if it is one."""
        if entity == self.subject and metric.via is None:
            return None
        tie = tie_of(self.entities[entity], self.subject, metric.via, subtree=False, entities=self.entities)
        keys = self.keys(metric.over_subtree)
        return self._once((entity, tie, metric.over_subtree), lambda: self.reader.fetch(self._ties(entity, tie, keys)))

    @staticmethod
    def tied(frame: pl.DataFrame, ties: pl.DataFrame | None) -> pl.DataFrame:
        """The frame with ``key``: the subject that each row's own subject is tied to."""
        if ties is None:
            return frame.with_columns(pl.col("subject_id").alias("key"))
        return frame.drop("key", strict=False).join(ties, on="subject_id")

    def _ties(self, entity: str, tie: tuple[Relation, ...], keys: list[int] | None) -> Select[Any]:
        rows = RowSource(self.entities[entity], self.entities)
        columns, where = [rows.root.id.label("subject_id"), rows.key(tie).label("key")], rows.of_subjects(tie, keys)
        return rows.join(select(*columns).select_from(rows.root)).where(*where)

    def _once(self, what: Any, read: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        if what not in self._read:
            self._read[what] = read()
        return self._read[what]


def aggregated(metric: Metric, rows: pl.DataFrame, column: str | None, dates: DateContext) -> pl.DataFrame:
    """Parts of a metric over rows with ``key``; ``column`` is the one that ``of`` names."""

    def named(name: str) -> pl.Expr:
        if name not in RESULT_COLUMNS and f"{name}.score" in rows.columns:
            return pl.col(f"{name}.score")
        # An earlier version of the index may have had no such node.
        return pl.col(name) if name in rows.columns else pl.lit(None, dtype=pl.Float64)

    def holds(filter_: Filter | None) -> pl.Expr:
        return pl.lit(True) if filter_ is None else filter_frame(filter_, dates, named)

    def part(name: str, expression: pl.Expr) -> pl.Expr:
        return expression.alias(part_of(metric, name))

    if rows.is_empty():
        # A frame of nothing may lack the columns that a filter names.
        names = {"n": ("n",), "s": ("s",), "w": ("s", "w"), "v": ("v",)}[_PARTS[metric.aggregate]]
        return pl.DataFrame(schema={"key": pl.Int64} | {part_of(metric, name): pl.Null for name in names})
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
            aggregates = [part("v", value.min())]
        case Aggregate.MAXIMUM:
            aggregates = [part("v", value.max())]
        case _:
            order = ["since", "subject_id"] if "since" in rows.columns else ["subject_id"]
            aggregates = [part("v", value.sort_by(order).last())]
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
