"""The subjects of a rule: who they are, their columns that it names, and its filters over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import polars as pl
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import aliased

from app.database.bulk import one_of, told
from app.database.transfer import BulkReader
from app.entity.filters import DateContext, Filter, UnknownColumn, filter_clause, resolve_column
from app.entity.periods import Period
from app.entity.registry import EntityType, Registry

from .context import Context
from .expressions import names
from .frames import (
    CODE,
    MEMBER_ID,
    ORGANIZATION_ID,
    PARENT_ID,
    SUBJECT_ID,
    column_of_filter,
    column_of_subject,
    expressions_of,
    filters_of,
    is_filter,
)
from .metric_queries import names_period
from .model import Index, Rule
from .row_expressions import Kind, typed_column
from .row_source import RowSource

FEW = 500
"""Subjects up to which queries are told whom to look at; beyond, all are read and the others left out."""

KEYS = told("keys")
"""The ids of a few subjects."""

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


class SubjectColumns:
    """What rules of one subject and date want to know of their subjects' own rows: columns and filters, each once."""

    def __init__(
        self,
        entity: EntityType,
        asked: Sequence[tuple[Rule, Context]],
        entities: Registry,
        *,
        leaving_out: bool,
    ) -> None:
        self.entity, self.entities = entity, entities
        self.context = asked[0][1]
        self._paths = {rule.code: columns_used(rule, entity, entities) for rule, _ in asked}
        self.paths = sorted({path for paths in self._paths.values() for path in paths})
        self.filters: dict[tuple[Filter, Period | None], int] = {}
        for rule, context in asked:
            for filter_ in filters_of(rule):
                self.filters.setdefault(_meaning(filter_, context), len(self.filters))
        self.wanted: list[list[tuple[Filter, Period | None]]] = []
        if leaving_out and not any(isinstance(rule, Index) for rule, _ in asked):
            self.wanted = [_demanded(rule, context) for rule, context in asked]

    def of_rule(self, rule: Rule, context: Context) -> list[pl.Expr]:
        """A rule's columns of the shared frame, as the rule knows them."""
        identity = [SUBJECT_ID, CODE, ORGANIZATION_ID, MEMBER_ID]
        if self.entity.code == "organization":
            identity.append(PARENT_ID)
        columns = [pl.col(name) for name in identity]
        columns += [pl.col(column_of_subject(path)) for path in self._paths[rule.code]]
        return columns + [
            pl.col(_shared_filter(self.filters[_meaning(filter_, context)])).alias(column_of_filter(position))
            for position, filter_ in enumerate(filters_of(rule))
        ]

    def demanded(self, rule: Rule, context: Context) -> list[pl.Expr]:
        """Where in the shared frame a rule applies, as far as the filters of its ``applies_to`` tell."""
        return [pl.col(_shared_filter(self.filters[meaning])) for meaning in _demanded(rule, context)]

    @cached_property
    def statement_for_few(self) -> Select[Any]:
        """A row a subject of those whose ids it is told, ``KEYS``."""
        return self._statement(few=True)

    @cached_property
    def statement_for_all(self) -> Select[Any]:
        """A row a subject, ``leaving_out`` those that no rule applies to."""
        return self._statement(few=False)

    def _statement(self, few: bool) -> Select[Any]:
        rows = RowSource(self.entity, self.entities)
        root = rows.root
        columns = [*self._identity(root)]
        for path in self.paths:
            typed = typed_column(resolve_column(self.entity, path, self.entities), root, self.entities, rows.reach)
            sql = type_coerce(typed.sql, Boolean) if typed.kind is Kind.TRUTH else typed.sql
            columns.append(sql.label(column_of_subject(path)))
        for (filter_, period), position in self.filters.items():
            holds = case((self._clause(filter_, period, rows), literal(1)), else_=literal(0))
            columns.append(type_coerce(holds, Boolean).label(_shared_filter(position)))
        where = []
        if few:
            where.append(one_of(root.id, KEYS))
        elif self.wanted and all(self.wanted):
            where.append(or_(*(and_(*(self._clause(*demand, rows) for demand in demands)) for demands in self.wanted)))
        return rows.join(select(*columns).select_from(root)).where(*where)

    def _clause(self, filter_: Filter, period: Period | None, rows: RowSource) -> ColumnElement[bool]:
        dates = DateContext(self.context.as_of, period)
        return filter_clause(filter_, self.entity, rows.root, dates, entities=self.entities, reach=rows.reach)

    def _identity(self, root: Any) -> Iterator[ColumnElement[Any]]:
        options = self.entity.options

        def end(relation: str | None) -> ColumnElement[Any]:
            if relation == "self":
                return root.id
            return getattr(root, f"{relation}_id") if relation else cast(null(), Integer)

        yield root.id.label(SUBJECT_ID)
        yield (root.code if "code" in self.entity.fields else cast(root.id, String)).label(CODE)
        owner = "self" if options.owner == "self" else options.scope or options.owner
        yield end(owner).label(ORGANIZATION_ID)
        yield end(options.person).label(MEMBER_ID)
        if self.entity.code == "organization":
            yield root.parent_id.label(PARENT_ID)


def subjects_frame(reader: BulkReader, columns: SubjectColumns, subjects: Sequence[int] | None) -> pl.DataFrame:
    """One row a subject, in order of ``subject_id``: identity, organization, member, ``s.*``, and the filters under
    their shared names. ``SubjectColumns.of_rule`` gives them the names a rule knows."""
    if subjects is None:
        frame = reader.fetch(columns.statement_for_all)
    elif len(subjects) <= FEW:
        frame = reader.fetch(columns.statement_for_few, {KEYS.key: list(subjects)})
    else:
        frame = reader.fetch(columns.statement_for_all).filter(pl.col(SUBJECT_ID).is_in(list(subjects)))
    return frame.sort(SUBJECT_ID)


def _shared_filter(position: int) -> str:
    return f"#{column_of_filter(position)}"


def _meaning(filter_: Filter, context: Context) -> tuple[Filter, Period | None]:
    return filter_, context.period if names_period(filter_) else None


def _demanded(rule: Rule, context: Context) -> list[tuple[Filter, Period | None]]:
    """The filters outside of which a rule does not apply to a subject."""
    return [_meaning(condition, context) for condition in rule.applies_to if is_filter(condition)]


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
            below = below.where(one_of(upper.id, subjects))
            statement = statement.where(root.id.in_(below))
    paths = reader.fetch(statement)
    # The row itself belongs to its subtree even where its path was not kept.
    parts = (
        pl.col("path").fill_null("").str.split("/").list.eval(pl.element().cast(pl.Int64, strict=False).drop_nulls())
    )
    above = paths.select("key", parts.list.concat("key").list.unique().alias("ancestor")).explode("ancestor")
    return above if subjects is None else above.filter(pl.col("ancestor").is_in(list(subjects)))
