"""From the parts that queries bring to figures: summed up over subtrees where asked, then finished.

A *parts frame* has ``key`` (a subject's id, Int64) and the parts of its metrics (``app.rules.metric_queries``).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from sqlalchemy import Numeric

from app.entity.filters import resolve_column
from app.entity.filters.columns import DAYS, NUMBERS
from app.entity.registry import FieldKind, Registry

from .expressions import Name
from .frames import column_of_metric
from .metric_queries import Group, part_of
from .model import Aggregate, Metric

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


def finished(metrics: Sequence[Metric], entities: Registry) -> list[pl.Expr]:
    """The figures ``m.<metric>`` from the parts of metrics."""
    return [_finished(metric, entities).alias(column_of_metric(metric.name)) for metric in metrics]


def _finished(metric: Metric, entities: Registry) -> pl.Expr:
    def column(part: str) -> pl.Expr:
        return pl.col(part_of(metric, part))

    match metric.aggregate:
        case Aggregate.COUNT | Aggregate.DISTINCT | Aggregate.STREAK:
            return column("n").cast(pl.Float64)
        case Aggregate.EXISTS:
            return column("n").fill_null(0) > 0
        case Aggregate.SUM:
            total = column("s").cast(pl.Float64).fill_null(0.0)
            digits = _decimals(metric, entities)
            # Amounts are decimals: their sum is one too, in whatever order a database added them as doubles.
            return total if digits is None else total.round(digits)
        case Aggregate.AVERAGE:
            return pl.when(column("w") != 0).then(column("s") / column("w"))
        case Aggregate.LATEST if _kind(metric, entities) is FieldKind.BOOLEAN:
            return column("v").cast(pl.Boolean)
    return column("v")


def dtype_of(metric: Metric, entities: Registry) -> pl.DataType:
    """The type of a metric's column."""
    kind = _kind(metric, entities)
    if metric.aggregate is Aggregate.EXISTS:
        return pl.Boolean()
    if metric.aggregate in (Aggregate.LATEST, Aggregate.MINIMUM, Aggregate.MAXIMUM) and kind is not None:
        if kind in DAYS:
            return pl.Date()
        if metric.aggregate is Aggregate.LATEST and kind not in NUMBERS:
            return pl.Boolean() if kind is FieldKind.BOOLEAN else pl.String()
    return pl.Float64()


def _kind(metric: Metric, entities: Registry) -> FieldKind | None:
    if not isinstance(metric.of, Name) or metric.entity not in entities:
        return None
    return resolve_column(entities[metric.entity], metric.of.path, entities).kind


def _decimals(metric: Metric, entities: Registry) -> int | None:
    """The digits after the point of the decimal column that is summed; None for anything else."""
    if not isinstance(metric.of, Name) or metric.entity not in entities:
        return None
    column = resolve_column(entities[metric.entity], metric.of.path, entities)
    if column.kind is not FieldKind.DECIMAL or column.entity is None:
        return None
    type_ = column.entity.model.__table__.columns[column.name].type
    return type_.scale if isinstance(type_, Numeric) and type_.asdecimal else None
