"""From the parts that queries bring to figures: summed up over subtrees where asked, then finished.

A *parts frame* has ``key`` (a subject's id, Int64) and the parts of its metrics (``app.rules.metric_queries``).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from sqlalchemy import Numeric

from app.entity.filters import resolve_column
from app.entity.registry import FieldKind, Registry

from .context import Context
from .expressions import Name
from .frames import column_of_metric
from .metric_queries import Group, part_of
from .model import Aggregate, Metric
from .result_columns import INDEX_SOURCE
from .row_expressions import Kind, row_expression
from .row_source import RowSource

NO_ROWS = {
    Aggregate.COUNT: 0.0,
    Aggregate.SUM: 0.0,
    Aggregate.DISTINCT: 0.0,
    Aggregate.STREAK: 0.0,
    Aggregate.EXISTS: False,
}
"""What a metric is for a subject without rows; the others are missing."""


def over_subtrees(parts: pl.DataFrame, group: Group, above: pl.DataFrame) -> pl.DataFrame:
    """The parts of organizations merged for every organization above them.

    ``above`` has ``key`` and ``ancestor``, a pair for each organization and each one above it, itself included. The
    work grows with the depth of the tree, not with the square of its size.
    """
    spread = parts.join(above, on="key").drop("key").rename({"ancestor": "key"})
    metric = group.metrics[0]
    if metric.aggregate is Aggregate.DISTINCT:
        return spread.group_by("key").agg(pl.col("v").n_unique().alias(part_of(metric, "n")))
    if metric.aggregate is Aggregate.STREAK:
        missed = pl.col("p").filter(pl.col("hit") == 0).max().fill_null(-1)
        return spread.group_by("key").agg((pl.col("p") > missed).sum().alias(part_of(metric, "n")))
    return spread.group_by("key").agg([merged for metric in group.metrics for merged in _merged(metric)])


def _merged(metric: Metric) -> list[pl.Expr]:
    def column(part: str) -> pl.Expr:
        return pl.col(part_of(metric, part))

    match metric.aggregate:
        case Aggregate.COUNT | Aggregate.EXISTS:
            return [column("n").sum()]
        case Aggregate.SUM:
            return [column("s").sum()]
        case Aggregate.AVERAGE:
            return [column("s").sum(), column("w").sum()]
        case Aggregate.MINIMUM:
            return [column("v").min()]
        case Aggregate.MAXIMUM:
            return [column("v").max()]
    return [column("p").max(), column("v").get(column("p").fill_null(-1).arg_max())]


def finished(metrics: Sequence[Metric], context: Context, entities: Registry) -> list[pl.Expr]:
    """The figures ``m.<metric>`` from the parts of metrics: typed, and as they are for subjects without rows."""
    figures = []
    for metric in metrics:
        figure = _finished(metric, entities).cast(_dtype_of(metric, context, entities))
        empty = NO_ROWS.get(metric.aggregate)
        figure = figure if empty is None else figure.fill_null(empty)
        figures.append(figure.alias(column_of_metric(metric.name)))
    return figures


def _finished(metric: Metric, entities: Registry) -> pl.Expr:
    def column(part: str) -> pl.Expr:
        return pl.col(part_of(metric, part))

    match metric.aggregate:
        case Aggregate.COUNT | Aggregate.DISTINCT | Aggregate.STREAK:
            return column("n")
        case Aggregate.EXISTS:
            return column("n").cast(pl.Int64).fill_null(0) > 0
        case Aggregate.SUM:
            digits = _decimals(metric, entities)
            total = column("s").cast(pl.Float64)
            # Amounts are decimals: their sum is one too, in whatever order a database added them as doubles.
            return total if digits is None else total.round(digits)
        case Aggregate.AVERAGE:
            return pl.when(column("w").cast(pl.Float64) != 0).then(column("s").cast(pl.Float64) / column("w"))
    return column("v")


def _dtype_of(metric: Metric, context: Context, entities: Registry) -> pl.DataType:
    """The type of a metric's column."""
    if metric.aggregate is Aggregate.EXISTS:
        return pl.Boolean()
    if metric.aggregate not in (Aggregate.LATEST, Aggregate.MINIMUM, Aggregate.MAXIMUM) or metric.of is None:
        return pl.Float64()
    if metric.entity not in entities:
        path = metric.of.path if isinstance(metric.of, Name) else ""
        return _RESULT_DTYPES.get(path.partition(".")[2] if metric.entity == INDEX_SOURCE else path, pl.Float64())
    rows = RowSource(entities[metric.entity], entities)
    kind = row_expression(metric.of, rows.entity, rows.root, context, entities, rows.reach).kind
    if kind is Kind.TRUTH and metric.aggregate is Aggregate.LATEST:
        return pl.Boolean()
    return {Kind.DATE: pl.Date(), Kind.TEXT: pl.String()}.get(kind, pl.Float64())


_RESULT_DTYPES = {
    **dict.fromkeys(("light", "grade", "warning", "level", "entity"), pl.String()),
    "since": pl.Date(),
}
"""Columns of results that are no numbers."""


def _decimals(metric: Metric, entities: Registry) -> int | None:
    """The digits after the point of the decimal column that is summed; None for anything else."""
    if not isinstance(metric.of, Name) or metric.entity not in entities:
        return None
    column = resolve_column(entities[metric.entity], metric.of.path, entities)
    if column.kind is not FieldKind.DECIMAL or column.entity is None:
        return None
    type_ = column.entity.model.__table__.columns[column.name].type
    return type_.scale if isinstance(type_, Numeric) and type_.asdecimal else None
