"""Metrics over the rows of entities, as SQL: one statement for all that share an entity and a tie to the subject.

Each statement yields the *parts* of its metrics, one row a subject (``key``): what is needed to merge the figures of
several organizations into those of a subtree, and to finish them (``app.rules.metric_parts``). The n-th metric's parts
are named ``m<n>_<part>`` in SQL, ``#<metric>.<part>`` in frames (``named_parts``):

=========== =====================================================================================
count       ``n``
sum         ``s``
average     ``s`` (of value × weight) and ``w`` (of weights; 1 each without)
minimum     ``v``
maximum     ``v``
exists      ``n``
latest      ``p``: day number × 2⁴⁰ + id of the row, and ``v``, its value
distinct    a statement of its own: ``n``; over a subtree the distinct pairs of ``key`` and ``v``
streak      a statement of its own: ``n``; over a subtree the rows: ``key``, ``p``, ``hit``
=========== =====================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    type_coerce,
)

from app.entity.filters import All, AnyOf, DateContext, Filter, Operator, Test, filter_clause, resolve_column
from app.entity.filters.portable import day_number, exact_text, unindexed
from app.entity.filters.sql import all_of, column_expression, day_of
from app.entity.filters.tree import DateOperand, FieldOperand
from app.entity.labels import UserError
from app.entity.registry import FieldKind, Registry, Relation

from .context import Context
from .expressions import Call, Name, walk
from .model import Aggregate, Metric
from .row_expressions import Kind, Typed, row_expression
from .row_source import Keys, RowSource, tie_of
from .windows import Span, span_clause, span_of, union

_PERIOD_NAMES = ("period_start", "period_end", "elapsed")
ID_BITS = 40
"""Day number and id of a row share one integer, so that the latest row is a plain maximum."""


@dataclass(frozen=True)
class Counted:
    """A metric and the days it looks at: what is left of a rule's window and period when its rows are counted."""

    metric: Metric
    span: Span


@dataclass(frozen=True)
class Group:
    """Metrics of different names answered by one statement. They may be of several rules: their windows are days by
    now, and ``context`` has a period only if they speak of it."""

    entity: str
    tie: tuple[Relation, ...]
    over_subtree: bool
    counted: tuple[Counted, ...]
    context: Context

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return tuple(counted.metric for counted in self.counted)


def groups_of(asked: Sequence[tuple[Metric, Context]], subject: str, entities: Registry) -> list[Group]:
    """Metrics of one date by statement, in the order of first mention. Their names must differ."""
    found: dict[Any, tuple[Context, list[Counted]]] = {}
    for metric, context in asked:
        tie = tie_of(entities[metric.entity], subject, metric.via, subtree=metric.over_subtree, entities=entities)
        alone = metric.name if metric.aggregate in (Aggregate.DISTINCT, Aggregate.STREAK) else None
        counted = Counted(metric, span_of(metric.window, context))
        context = context if speaks_of_period(metric) else replace(context, period=None)
        key = (metric.entity, tie, metric.over_subtree, alone, context.period)
        found.setdefault(key, (context, []))[1].append(counted)
    return [Group(*key[:3], tuple(counted), context) for key, (context, counted) in found.items()]


def speaks_of_period(metric: Metric) -> bool:
    """Whether a metric can mean something else in another period, its window left out."""
    for part in walk(metric.of) if metric.of is not None else ():
        if isinstance(part, Name) and part.path in _PERIOD_NAMES:
            return True
        if isinstance(part, Call) and part.function == "periods_since":
            return True
    return any(names_period(filter_) for filter_ in (metric.where, metric.among) if filter_ is not None)


def names_period(filter_: Filter) -> bool:
    """Whether a filter compares with the first or last day of the period."""
    match filter_:
        case Test(operand=operand):
            operands = operand if isinstance(operand, tuple) else (operand,)
            return any(isinstance(each, DateOperand) and each.anchor.startswith("period") for each in operands)
        case All(parts=parts) | AnyOf(parts=parts):
            return any(map(names_period, parts))
    return names_period(filter_.part)


def statement_of(group: Group, entities: Registry, keys: Keys) -> Select[Any]:
    """The statement that answers a group, for all subjects or for those with the ids ``keys``, which a statement that
    is kept is told later."""
    match group.metrics[0].aggregate:
        case Aggregate.DISTINCT:
            return _Query(group, entities, keys).distinct()
        case Aggregate.STREAK:
            return _Query(group, entities, keys).streak()
    return _Query(group, entities, keys).grouped()


def part_of(metric: Metric, part: str) -> str:
    """The name of a part's column in a frame."""
    return f"#{metric.name}.{part}"


def named_parts(parts: pl.DataFrame, group: Group) -> pl.DataFrame:
    """The frame of a group's statement, its parts named after the metrics."""
    names = {
        f"m{position}_{part}": part_of(metric, part)
        for position, metric in enumerate(group.metrics)
        for part in ("n", "s", "w", "v", "p")
    }
    return parts.rename(names, strict=False)


def query_of(metric: Metric, subject: str, context: Context, entities: Registry, keys: Sequence[int]) -> _Query:
    """The query of one metric alone, for the subjects with these ids."""
    (group,) = groups_of([(metric, context)], subject, entities)
    return _Query(group, entities, keys)


class _Query:
    def __init__(self, group: Group, entities: Registry, keys: Keys) -> None:
        self.group, self.context, self.entities, self.keys = group, group.context, entities, keys
        self.entity = entities[group.entity]
        self.dates = DateContext(self.context.as_of, self.context.period)
        self.rows = RowSource(self.entity, entities)
        self.spans = {counted.metric.name: counted.span for counted in group.counted}
        self.scan = keys is None and union(list(self.spans.values())).is_wide

    def key(self) -> ColumnElement[int]:
        """The id of the subject, as a column called ``key``."""
        key = self.rows.key(self.group.tie)
        return (unindexed(key) if self.scan else key).label("key")

    def label(self, metric: Metric, part: str) -> str:
        """Short, because databases cut long names."""
        return f"m{self.group.metrics.index(metric)}_{part}"

    def grouped(self) -> Select[Any]:
        """Conditional aggregates over the rows that any of the metrics counts."""
        metrics, key = self.group.metrics, self.key()
        wheres = {metric.name: conjuncts(metric.where) for metric in metrics}
        shared = [test for test in wheres[metrics[0].name] if all(test in tests for tests in wheres.values())]
        span = union(list(self.spans.values()))
        columns: list[ColumnElement[Any]] = []
        latest: list[Metric] = []
        for metric in metrics:
            own = [test for test in wheres[metric.name] if test not in shared]
            counted = self.condition(self.spans[metric.name], own, within=span)
            columns += self.parts(metric, counted)
            if metric.aggregate is Aggregate.LATEST:
                latest.append(metric)
        narrow = shared + _narrowing([[test for test in tests if test not in shared] for tests in wheres.values()])
        inner = self.select([key, *columns], self.where(span, narrow)).group_by(key)
        return self.with_values(inner, latest) if latest else inner

    def with_values(self, inner: Select[Any], latest: list[Metric]) -> Select[Any]:
        """Read the values of the latest rows, each found again by its id."""
        figures = inner.subquery("figures")
        outer = select(*figures.c).select_from(figures)
        for metric in latest:
            rows = RowSource(self.entity, self.entities)
            value = _portable(self.value(metric, rows)).label(self.label(metric, "v"))
            packed = figures.c[self.label(metric, "p")]
            outer = outer.add_columns(value).outerjoin(
                rows.root, rows.root.id == packed % literal(2**ID_BITS, BigInteger)
            )
            outer = rows.join(outer)
        return outer

    def distinct(self) -> Select[Any]:
        """How many different values; over a subtree the values themselves."""
        (metric,) = self.group.metrics
        key, value = self.key(), self.distinct_value(metric).label("v")
        tests = conjuncts(metric.where)
        where = [*self.where(self.spans[metric.name], tests), value.is_not(None)]
        pairs = self.select([key, value], where).distinct()
        if self.group.over_subtree:
            return pairs
        found = pairs.subquery("pairs")
        return select(found.c.key, func.count().label(self.label(metric, "n"))).group_by(found.c.key)

    def streak(self) -> Select[Any]:
        """How many rows come after the last one that does not fulfil ``where``, among those that fulfil ``among``."""
        (metric,) = self.group.metrics
        key = self.key()
        hit = self.condition(None, conjuncts(metric.where))
        position = self.position()
        columns = [key, position.label("p")]
        hit_column = case((hit, 1), else_=0).label("hit")
        if self.group.over_subtree:
            columns.append(hit_column)
        else:
            missed = case((hit, None), else_=position)
            columns.append(func.max(missed).over(partition_by=key).label("missed"))
        rows = self.select(columns, self.where(self.spans[metric.name], conjuncts(metric.among)))
        if self.group.over_subtree:
            return rows
        found = rows.subquery("found")
        after = case((found.c.p > func.coalesce(found.c.missed, -1), 1), else_=0)
        return select(found.c.key, func.sum(after).label(self.label(metric, "n"))).group_by(found.c.key)

    def select(self, columns: list[ColumnElement[Any]], where: list[ColumnElement[bool]]) -> Select[Any]:
        """Columns and conditions, which have told ``rows`` by now what is to be joined."""
        return self.rows.join(select(*columns).select_from(self.rows.root)).where(*where)

    def where(self, span: Span, tests: list[Filter]) -> list[ColumnElement[bool]]:
        clauses = self.rows.of_subjects(self.group.tie, self.keys)
        if self.entity.options.dated_by is not None or not span.undated or span.valid_on is not None:
            clauses.append(span_clause(span, self.entity, self.rows.root, scan=self.scan))
        # Here relations are followed by subqueries, which databases turn into semi-joins or sets to look up in.
        return clauses + [self.clause(test, joined=False) for test in tests]

    def condition(self, span: Span | None, tests: list[Filter], within: Span | None = None) -> ColumnElement[bool]:
        """Whether a row counts; NULL counts as false where the condition is used."""
        clauses = [self.clause(test) for test in tests]
        if span is not None:
            clauses.insert(0, span_clause(span, self.entity, self.rows.root, within=within))
        return all_of(clauses)

    def clause(self, filter_: Filter, *, joined: bool = True) -> ColumnElement[bool]:
        return filter_clause(
            filter_,
            self.entity,
            self.rows.root,
            self.dates,
            entities=self.entities,
            reach=self.rows.reach if joined else None,
            two_valued=False,
            scan=self.scan,
        )

    def parts(self, metric: Metric, counted: ColumnElement[bool]) -> list[ColumnElement[Any]]:
        def part(name: str, expression: ColumnElement[Any]) -> ColumnElement[Any]:
            return expression.label(self.label(metric, name))

        match metric.aggregate:
            case Aggregate.COUNT | Aggregate.EXISTS:
                return [part("n", func.sum(case((counted, 1), else_=0), type_=Integer))]
            case Aggregate.LATEST:
                return [part("p", func.max(case((counted, self.position()))))]
        value = self.value(metric, self.rows)
        if metric.aggregate in (Aggregate.MINIMUM, Aggregate.MAXIMUM):
            if value.kind is Kind.TEXT:
                raise UserError(
                    f"{metric.aggregate} 只用于数和日期", f"{metric.aggregate} is for numbers and dates only"
                )
            extreme = func.min if metric.aggregate is Aggregate.MINIMUM else func.max
            return [part("v", extreme(case((counted, _portable(value))), type_=_portable(value).type))]
        number = self.number(metric, value)
        if metric.aggregate is Aggregate.SUM:
            return [part("s", func.sum(case((counted, number)), type_=Double))]
        if metric.weight is None:
            there = case((counted, number))
            return [part("s", func.sum(there, type_=Double)), part("w", cast(func.count(there), Double))]
        weight = self.number(metric, self.value_of(Name(metric.weight), self.rows))
        weighed = and_(counted, number.is_not(None))
        return [
            part("s", func.sum(case((counted, number * weight)), type_=Double)),
            part("w", func.sum(case((weighed, weight)), type_=Double)),
        ]

    def value(self, metric: Metric, rows: RowSource) -> Typed:
        if metric.of is None:
            raise UserError(f"{metric.aggregate} 要用 of 指明一列", f"{metric.aggregate} needs of: a column")
        return self.value_of(metric.of, rows)

    def value_of(self, expression: Any, rows: RowSource) -> Typed:
        typed = row_expression(expression, self.entity, rows.root, self.context, self.entities, rows.reach)
        if typed.kind is Kind.SECRET:
            raise UserError(
                "加密的字段只能用在 filled(…) 里", "an encrypted column can only be asked for with filled(…)"
            )
        return typed

    @staticmethod
    def number(metric: Metric, value: Typed) -> ColumnElement[Any]:
        if value.kind is Kind.TRUTH:
            return _portable(value)
        if value.kind is not Kind.NUMBER:
            raise UserError(f"{metric.aggregate} 需要数", f"{metric.aggregate} needs a number")
        return value.sql

    def distinct_value(self, metric: Metric) -> ColumnElement[Any]:
        if not isinstance(metric.of, Name):
            raise UserError("distinct 只能用一列", "distinct takes a column")
        column = resolve_column(self.entity, metric.of.path, self.entities)
        if column.kind is FieldKind.ENCRYPTED:
            raise UserError("加密的字段不能计数", "an encrypted column cannot be counted")
        expression = column_expression(column, self.rows.root, self.entities, self.rows.reach)
        if column.kind in (FieldKind.TEXT, FieldKind.LONG_TEXT):
            return exact_text(expression)
        return type_coerce(expression, BigInteger) if column.kind is FieldKind.REFERENCE else expression

    def position(self) -> ColumnElement[int]:
        """Where a row stands in time: its day, then its id; rows without a date come first."""
        identity = cast(self.rows.root.id, BigInteger)
        dated_by = self.entity.options.dated_by
        if dated_by is None:
            return identity
        field = self.entity.fields[dated_by]
        day = day_number(day_of(field.kind, getattr(self.rows.root, dated_by)))
        if field.nullable:
            day = func.coalesce(day, 0)
        return cast(day, BigInteger) * literal(2**ID_BITS, BigInteger) + identity


def _portable(value: Typed) -> ColumnElement[Any]:
    """A value as databases return it alike: truth as 1 and 0, which finishing makes Boolean again."""
    if value.kind is Kind.TRUTH:
        return case((value.sql, literal(1.0, Double)), (~value.sql, literal(0.0, Double)))
    return value.sql


def conjuncts(filter_: Filter | None) -> list[Filter]:
    """The parts that must all hold."""
    if filter_ is None:
        return []
    if isinstance(filter_, All):
        return [part for each in filter_.parts for part in conjuncts(each)]
    return [filter_]


def _narrowing(wheres: list[list[Filter]]) -> list[Filter]:
    """What can be asked of the rows at once where every metric names the values of one column it wants: their union
    (``kind in […]``), so that rows nobody counts are left out early, by an index perhaps."""
    wanted: list[dict[str, tuple[Any, ...]]] = []
    for tests in wheres:
        by_path: dict[str, tuple[Any, ...]] = {}
        for test in tests:
            if isinstance(test, Test) and test.operator in (Operator.EQ, Operator.IN):
                operands = test.operand if isinstance(test.operand, tuple) else (test.operand,)
                if not any(isinstance(operand, DateOperand | FieldOperand) for operand in operands):
                    by_path[test.path] = operands
        wanted.append(by_path)
    return [
        Test(path, Operator.IN, tuple(dict.fromkeys(operand for by_path in wanted for operand in by_path[path])))
        for path in (wanted[0] if len(wheres) > 1 else ())
        if all(path in by_path for by_path in wanted)
    ]
