"""The subjects of a rule: who they are, their columns that it names, and its filters over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from sqlalchemy import (
    Boolean,
    Integer,
    Select,
    String,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import aliased

from app.database.bulk import listed
from app.database.transfer import BulkReader
from app.entity.filters import DateContext, UnknownColumn, filter_clause, resolve_column
from app.entity.registry import EntityType, Registry

from .context import Context
from .expressions import names
from .frames import (
    CODE,
    ORGANIZATION_ID,
    PARENT_ID,
    SUBJECT_ID,
    column_of_filter,
    column_of_subject,
    expressions_of,
    filters_of,
)
from .model import Index, Rule
from .row_expressions import Kind, typed_column
from .row_source import RowSource

FEW = 500
"""Subjects up to which queries are told whom to look at; beyond, all are read and the others left out."""

_NO_COLUMNS = frozenset({"as_of", "period_start", "period_end", "year_start", "year_end", "elapsed"})


def columns_used(rule: Rule, entity: EntityType, entities: Registry) -> list[str]:
    """The columns of the subject that expressions, parameters, peers and the roll-up name, in order of the alphabet."""
    metrics = {metric.name for metric in rule.metrics}
    hidden = metrics | {parameter.name for parameter in rule.parameters} | _NO_COLUMNS
    used = {name for expression in expressions_of(rule) for name in names(expression)}
    used |= {parameter.by for parameter in rule.parameters if parameter.by}
    if isinstance(rule, Index):
        used |= set(rule.peers)
        if rule.roll_up and rule.roll_up.weight:
            used.add(rule.roll_up.weight)
    found = []
    for path in sorted(used - hidden):
        try:
            resolve_column(entity, path, entities)
        except UnknownColumn:
            if path == "value":
                continue  # of a warning's levels or a formula, not a column
            raise
        found.append(path)
    return found


def subjects_frame(
    reader: BulkReader, rule: Rule, entities: Registry, context: Context, subjects: Sequence[int] | None
) -> pl.DataFrame:
    """One row a subject, in order of ``subject_id``: identity, organization, ``s.*`` and ``f.*``."""
    entity = entities[rule.subject]
    frame = reader.fetch(_statement(rule, entity, entities, context, subjects))
    if subjects is not None and len(subjects) > FEW:
        frame = frame.filter(pl.col(SUBJECT_ID).is_in(list(subjects)))
    return frame.sort(SUBJECT_ID)


def _statement(
    rule: Rule, entity: EntityType, entities: Registry, context: Context, subjects: Sequence[int] | None
) -> Select[Any]:
    rows = RowSource(entity, entities)
    root, options = rows.root, entity.options
    columns = [root.id.label(SUBJECT_ID)]
    columns.append((root.code if "code" in entity.fields else cast(root.id, String)).label(CODE))
    if options.owner == "self":
        columns.append(root.id.label(ORGANIZATION_ID))
    elif owner := options.scope or options.owner:
        columns.append(getattr(root, f"{owner}_id").label(ORGANIZATION_ID))
    else:
        columns.append(cast(null(), Integer).label(ORGANIZATION_ID))
    if entity.code == "organization":
        columns.append(root.parent_id.label(PARENT_ID))
    for path in columns_used(rule, entity, entities):
        typed = typed_column(resolve_column(entity, path, entities), root, entities, rows.reach)
        sql = typed.sql
        columns.append((type_coerce(sql, Boolean) if typed.kind is Kind.TRUTH else sql).label(column_of_subject(path)))
    dates = DateContext(context.as_of, context.period)
    for position, filter_ in enumerate(filters_of(rule)):
        clause = filter_clause(filter_, entity, root, dates, entities=entities, reach=rows.reach)
        holds = type_coerce(case((clause, literal(1)), else_=literal(0)), Boolean)
        columns.append(holds.label(column_of_filter(position)))
    statement = rows.join(select(*columns).select_from(root))
    if subjects is not None and len(subjects) <= FEW:
        statement = statement.where(root.id.op("IN", is_comparison=True)(listed(subjects)) if subjects else false())
    return statement


def organizations_above(reader: BulkReader, entities: Registry, subjects: Sequence[int] | None) -> pl.DataFrame:
    """``key`` and ``ancestor``: each organization with itself and every one above it, by its materialized path. With
    few ``subjects``, only those at and below them."""
    organization = entities["organization"]
    root = aliased(organization.model)
    statement = select(root.id.label("key"), root.path.label("path"))
    if subjects is not None:
        if not subjects:
            return pl.DataFrame(schema={"key": pl.Int64, "ancestor": pl.Int64})
        if len(subjects) <= FEW:
            upper, lower = aliased(organization.model), aliased(organization.model)
            # A path ends with "/", and "0" is the character after it: all that begins so lies between the two.
            beyond = func.substr(upper.path, 1, func.length(upper.path) - 1, type_=String) + "0"
            below = select(lower.id).join(upper, or_(lower.path.between(upper.path, beyond), lower.id == upper.id))
            below = below.where(upper.id.op("IN", is_comparison=True)(listed(subjects)))
            statement = statement.where(root.id.in_(below))
    paths = reader.fetch(statement)
    # The row itself belongs to its subtree even where its path was not kept.
    parts = (
        pl.col("path").fill_null("").str.split("/").list.eval(pl.element().cast(pl.Int64, strict=False).drop_nulls())
    )
    above = paths.select("key", parts.list.concat("key").list.unique().alias("ancestor")).explode("ancestor")
    return above if subjects is None else above.filter(pl.col("ancestor").is_in(list(subjects)))
