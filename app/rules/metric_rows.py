"""The very rows that a metric counted for one subject: what a figure on a scorecard links to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from app.entity.registry import Registry

from .context import Context
from .metric_queries import conjuncts, query_of
from .model import Aggregate, Metric


def rows_behind(
    metric: Metric, subject: str, subject_ids: Sequence[int], context: Context, entities: Registry
) -> Select[Any]:
    """The ids of the rows of ``metric.entity`` that count for subjects (for ``over: subtree``, name all of those
    below). Raises UserError for a metric that does not fit its entity."""
    query = query_of(metric, subject, context, entities, subject_ids)
    # A streak counts among the rows that fulfil ``among``; where it ends is seen in those, not in ``where`` alone.
    chosen = conjuncts(metric.among if metric.aggregate is Aggregate.STREAK else metric.where)
    statement = select(query.rows.root.id).select_from(query.rows.root)
    clauses = query.where(query.spans[metric.name], chosen)
    return query.rows.join(statement).where(*clauses)
