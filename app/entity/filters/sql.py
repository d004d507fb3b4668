"""A filter as SQLAlchemy: the one place where the filter language becomes SQL.

SQL knows three truth values, the language two: a comparison with a missing value is false, and ``not`` is its plain
opposite. So every comparison here is made false, not NULL, wherever a value in it may be missing.

Dotted names are followed by ``IN (SELECT id …)``, or by a scalar subquery where two columns are compared: rows are
never multiplied, and the scope that ``app.access.scope`` adds to every entity of a session's SELECT holds there too (a
row out of sight compares as missing). Queries over many rows pass ``reach`` and join instead.
"""

from __future__ import annotations

import operator as python
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Double,
    String,
    and_,
    case,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import aliased

from app.entity.periods import Period, PeriodKind
from app.entity.registry import EntityType, FieldKind, Registry, Relation, registry

from .columns import DAYS, NUMBERS, TEXTS, Column, resolve_column
from .dates import DateContext, shifted
from .portable import as_day, exact_text, first_day, later, position_ignoring_case, text_equals, unindexed
from .tree import All, AnyOf, DateOperand, FieldOperand, Filter, NoneOf, Operand, Operator, Test

Reach = Callable[[tuple[Relation, ...]], Any]
"""The mapped class or alias at the end of a chain of to-one relations, outer joined by the caller."""

_COMPARISONS: dict[Operator, Callable[[Any, Any], Any]] = {
    Operator.EQ: python.eq,
    Operator.NE: python.ne,
    Operator.LT: python.lt,
    Operator.LTE: python.le,
    Operator.GT: python.gt,
    Operator.GTE: python.ge,
}


def filter_clause(
    filter_: Filter,
    entity: EntityType,
    root: Any,
    dates: DateContext,
    *,
    entities: Registry = registry,
    reach: Reach | None = None,
    two_valued: bool = True,
    scan: bool = False,
) -> ColumnElement[bool]:
    """The filter as a condition on ``root``, the entity's mapped class or an alias of it.

    The condition is true or false, never NULL, unless ``two_valued`` is given up by a caller that treats NULL as
    false (a bare WHERE). ``reach`` gives the aliases of relations that the caller joins. ``scan`` says that the caller
    reads most of the table anyway, so that relations are not followed backwards by an index.
    """
    return _Builder(entity, root, dates, entities, reach, scan).clause(filter_, two_valued)


@dataclass(frozen=True)
class _Value:
    """One side of a comparison that is a column."""

    kind: FieldKind
    expression: ColumnElement[Any]
    nullable: bool
    days: int = 0
    months: int = 0


@dataclass(frozen=True)
class _Builder:
    entity: EntityType
    root: Any
    dates: DateContext
    entities: Registry
    reach: Reach | None
    scan: bool = False

    def clause(self, filter_: Filter, guarded: bool) -> ColumnElement[bool]:
        match filter_:
            case All(parts=parts):
                return all_of(self.clause(part, guarded) for part in parts)
            case AnyOf(parts=parts):
                return any_of(self.clause(part, guarded) for part in parts)
            case NoneOf(part=part):
                return not_(self.clause(part, True))
            case Test():
                return self.test(filter_, guarded)
        raise TypeError(filter_)

    def test(self, test: Test, guarded: bool) -> ColumnElement[bool]:
        column = resolve_column(self.entity, test.path, self.entities)
        if test.operator is Operator.NULL:
            return self.missing(column, bool(test.operand))
        listed = test.operand if isinstance(test.operand, tuple) else (test.operand,)
        between_columns = any(isinstance(operand, FieldOperand) for operand in listed)
        if column.relation and between_columns and test.operator in (Operator.IN, Operator.NOT_IN):
            # Codes and relations in one list are compared in different ways.
            is_in = test.operator is Operator.IN
            each = [Test(test.path, Operator.EQ if is_in else Operator.NE, operand) for operand in listed]
            return self.clause(AnyOf(tuple(each)) if is_in else All(tuple(each)), guarded)
        if column.relation and not between_columns:
            return self.relation(column, column.relation, test.operator, listed, guarded)
        if column.hops and self.reach is None and not between_columns:
            operands = [self.operand(operand) for operand in listed]
            return self.through(
                self.root,
                column.hops,
                lambda end: _compare(
                    _Value(column.kind, getattr(end, column.name), True), test.operator, operands, False
                ),
            )
        return _compare(self.value(column), test.operator, [self.operand(operand) for operand in listed], guarded)

    def missing(self, column: Column, wanted: bool) -> ColumnElement[bool]:
        if column.hops and self.reach is None:
            there = self.through(self.root, column.hops, lambda end: getattr(end, column.name).is_not(None))
            return not_(there) if wanted else there
        expression = self.value(column).expression
        return expression.is_(None) if wanted else expression.is_not(None)

    def relation(
        self, column: Column, relation: Relation, operator: Operator, listed: tuple[Operand, ...], guarded: bool
    ) -> ColumnElement[bool]:
        """A bare relation is compared by the code of the row it leads to."""
        wanted = Operator.EQ if operator in (Operator.EQ, Operator.NE) else Operator.IN

        def leads_there(end: Any) -> ColumnElement[bool]:
            code = _Value(FieldKind.TEXT, end.code, False)
            return _compare(code, wanted, list(listed), False)

        def found(root: Any) -> ColumnElement[bool]:
            key = getattr(root, relation.column)
            target = aliased(self.entities[relation.target].model)
            inside = key.in_(select(target.id).where(leads_there(target)))
            negative = operator in (Operator.NE, Operator.NOT_IN)
            if negative:
                inside = not_(inside)
            # NULL NOT IN (nothing) is true: a code that no row has would find the rows that lead nowhere.
            return and_(key.is_not(None), inside) if column.nullable and (guarded or negative) else inside

        if column.hops and self.reach is None:
            return self.through(self.root, column.hops, found)
        return found(self.reach(column.hops) if self.reach and column.hops else self.root)

    def through(
        self, root: Any, hops: tuple[Relation, ...], condition: Callable[[Any], ColumnElement[bool]]
    ) -> ColumnElement[bool]:
        """Whether the row that a chain of relations leads to fulfils a condition; false where there is none."""
        first, *rest = hops
        end = aliased(self.entities[first.target].model)
        inner = self.through(end, tuple(rest), condition) if rest else condition(end)
        key = getattr(root, first.column)
        known = unindexed(key) if self.scan and root is self.root else key
        inside = known.in_(select(end.id).where(inner))
        return and_(key.is_not(None), inside) if first.nullable else inside

    def value(self, column: Column) -> _Value:
        return _Value(
            column.kind,
            column_expression(column, self.root, self.entities, self.reach),
            column.nullable,
        )

    def operand(self, operand: Operand) -> Any:
        match operand:
            case DateOperand():
                return self.dates.resolve(operand)
            case FieldOperand(path=path, days=days, months=months):
                value = self.value(resolve_column(self.entity, path, self.entities))
                return _Value(value.kind, value.expression, value.nullable, days, months)
        return operand


def all_of(clauses: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Every clause holds; true if there is none."""
    clauses = list(clauses)
    return and_(*clauses) if clauses else true()


def any_of(clauses: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
    """At least one clause holds; false if there is none."""
    clauses = list(clauses)
    return or_(*clauses) if clauses else false()


def column_expression(
    column: Column, root: Any, entities: Registry = registry, reach: Reach | None = None
) -> ColumnElement[Any]:
    """The column a name refers to, seen from ``root``: its own, joined (``reach``), or by a scalar subquery. A bare
    relation is its id."""
    if not column.hops:
        return getattr(root, column.name)
    if reach is not None:
        return getattr(reach(column.hops), column.name)
    first, *rest = column.hops
    start = end = aliased(entities[first.target].model)
    joined: list[tuple[Any, Any]] = []
    for hop in rest:
        step = aliased(entities[hop.target].model)
        joined.append((step, step.id == getattr(end, hop.column)))
        end = step
    query = select(getattr(end, column.name)).select_from(start)
    for step, on in joined:
        query = query.join(step, on)
    return query.where(start.id == getattr(root, first.column)).correlate(root).scalar_subquery()


def _compare(left: _Value, operator: Operator, operands: list[Any], guarded: bool) -> ColumnElement[bool]:
    """``left operator operands``; with ``guarded`` false rather than NULL where a side is missing."""
    constant = not any(isinstance(operand, _Value) for operand in operands)
    match operator:
        case Operator.BETWEEN:
            low, high = operands
            return and_(_pair(left, Operator.GTE, low, guarded), _pair(left, Operator.LTE, high, guarded))
        case Operator.IN | Operator.NOT_IN if constant and left.kind not in (FieldKind.MOMENT, FieldKind.PERIOD):
            return _guard(_among(left, operator, operands), guarded, left)
        case Operator.IN:
            return any_of(_pair(left, Operator.EQ, operand, guarded) for operand in operands)
        case Operator.NOT_IN:
            return all_of(_pair(left, Operator.NE, operand, guarded) for operand in operands)
        case Operator.CONTAINS:
            return _guard(position_ignoring_case(left.expression, operands[0]) > 0, guarded, left)
        case Operator.STARTS_WITH:
            return _guard(position_ignoring_case(left.expression, operands[0]) == 1, guarded, left)
    return _pair(left, operator, operands[0], guarded)


def _guard(clause: ColumnElement[bool], guarded: bool, *sides: Any) -> ColumnElement[bool]:
    there = [side.expression.is_not(None) for side in sides if isinstance(side, _Value) and side.nullable]
    return and_(*there, clause) if guarded and there else clause


def _among(left: _Value, operator: Operator, operands: list[Any]) -> ColumnElement[bool]:
    expression = exact_text(left.expression) if left.kind in (FieldKind.TEXT, FieldKind.LONG_TEXT) else left.expression
    listed = [_literal(left.kind, operand, left.expression) for operand in operands]
    return expression.in_(listed) if operator is Operator.IN else expression.not_in(listed)


def _pair(left: _Value, operator: Operator, right: Any, guarded: bool) -> ColumnElement[bool]:
    if left.kind in DAYS:
        clause = _days(left, operator, right) if isinstance(right, _Value) else _day(left, operator, right)
    else:
        other = right.expression if isinstance(right, _Value) else _literal(left.kind, right, left.expression)
        kinds = {left.kind, right.kind} if isinstance(right, _Value) else {left.kind}
        if kinds & TEXTS and kinds != {FieldKind.CODE}:
            sides = (type_coerce(left.expression, String), type_coerce(other, String))
            clause = text_equals(*sides) if operator is Operator.EQ else not_(text_equals(*sides))
        else:
            clause = _COMPARISONS[operator](left.expression, other)
    return _guard(clause, guarded, left, right)


def _literal(kind: FieldKind, value: Any, expression: ColumnElement[Any]) -> ColumnElement[Any]:
    if kind in NUMBERS or kind is FieldKind.REFERENCE:
        # Whatever the column: a number too long for an INTEGER is compared, not refused by the database.
        whole = isinstance(value, int) and abs(value) < 2**63
        return literal(value, BigInteger) if whole else literal(float(value), Double)
    if kind in (FieldKind.TEXT, FieldKind.LONG_TEXT):
        return literal(str(value), String)
    return literal(value, expression.type)


def _days(left: _Value, operator: Operator, right: _Value) -> ColumnElement[bool]:
    compare = _COMPARISONS[operator]
    if left.kind is right.kind is FieldKind.MOMENT and not (right.days or right.months):
        return compare(left.expression, right.expression)
    return compare(
        day_of(left.kind, left.expression), later(day_of(right.kind, right.expression), right.months, right.days)
    )


def day_of(kind: FieldKind, expression: ColumnElement[Any]) -> ColumnElement[Any]:
    """The day that a date, moment or period column stands for, as a date."""
    if kind is FieldKind.PERIOD:
        return first_day(expression)
    return as_day(expression) if kind is FieldKind.MOMENT else expression


def day_clause(kind: FieldKind, expression: ColumnElement[Any], operator: Operator, day: date) -> ColumnElement[bool]:
    """A date, moment or period column compared with a day, so that an index on the column can serve."""
    return _day(_Value(kind, expression, True), operator, day)


def _day(left: _Value, operator: Operator, day: date) -> ColumnElement[bool]:
    compare = _COMPARISONS[operator]
    if left.kind is FieldKind.DATE:
        return compare(left.expression, literal(day, Date))
    if left.kind is FieldKind.PERIOD:
        return _period(type_coerce(left.expression, String), operator, day)
    if isinstance(day, datetime):
        return compare(left.expression, literal(day, DateTime))
    # A moment lies on a day from its midnight until the next.
    begins = literal(datetime.combine(day, time()), DateTime)
    ends = literal(datetime.combine(shifted(day, days=1), time()), DateTime)
    moment = left.expression
    match operator:
        case Operator.LT:
            return moment < begins
        case Operator.LTE:
            return moment < ends
        case Operator.GT:
            return moment >= ends
        case Operator.GTE:
            return moment >= begins
        case Operator.EQ:
            return and_(moment >= begins, moment < ends)
    return or_(moment < begins, moment >= ends)


def _period(text: ColumnElement[str], operator: Operator, day: date) -> ColumnElement[bool]:
    """A period is compared by its first day: with, for each kind of period, the last one that begins in time."""
    match operator:
        case Operator.LTE:
            return _begun_by(text, day)
        case Operator.GT:
            return _begins_after(text, day)
        case Operator.LT:
            return _begun_by(text, day - timedelta(days=1)) if day > date.min else false()
        case Operator.GTE:
            return _begins_after(text, day - timedelta(days=1)) if day > date.min else text.is_not(None)
    return _COMPARISONS[operator](
        text, _by_kind(text, {kind: str(p) for kind, p in _begun(day).items() if p.start == day})
    )


def _begun(day: date) -> dict[PeriodKind, Period]:
    return {kind: Period.containing(day, kind) for kind in PeriodKind}


def _begun_by(text: ColumnElement[str], day: date) -> ColumnElement[bool]:
    """The period has begun on the day. What sorts up to the day's month always has: that is soon said of most rows."""
    return or_(text <= str(Period.containing(day, PeriodKind.MONTH)), text <= _last_begun(text, day))


def _begins_after(text: ColumnElement[str], day: date) -> ColumnElement[bool]:
    """The period begins after the day. Those of later years always do."""
    begins = text > _last_begun(text, day)
    return begins if day.year == date.max.year else or_(text >= f"{day.year + 1:04}", begins)


def _last_begun(text: ColumnElement[str], day: date) -> ColumnElement[str]:
    return _by_kind(text, {kind: str(period) for kind, period in _begun(day).items()})


def _by_kind(text: ColumnElement[str], bounds: dict[PeriodKind, str]) -> ColumnElement[str]:
    return case(
        {
            "-": bounds.get(PeriodKind.MONTH, ""),
            "Q": bounds.get(PeriodKind.QUARTER, ""),
            "H": bounds.get(PeriodKind.HALF_YEAR, ""),
        },
        value=func.substr(text, 5, 1),
        else_=bounds.get(PeriodKind.YEAR, ""),
    )
