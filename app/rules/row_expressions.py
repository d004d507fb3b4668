"""Expressions over the columns of a row, as SQL: what a metric takes with ``of``.

The meaning is that of ``app.rules.expression_frames`` (missing in, missing out; division by zero is missing) for the
functions that make sense within a row. Personal columns that are encrypted can only be asked whether they are filled.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    Double,
    String,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
    not_,
    null,
    or_,
    type_coerce,
)

from app.entity.filters import resolve_column
from app.entity.filters.columns import DAYS, NUMBERS, Column
from app.entity.filters.portable import day_number, later, text_equals
from app.entity.filters.sql import Reach, column_expression, day_of
from app.entity.labels import UserError
from app.entity.registry import EntityType, FieldKind, Registry

from .context import Context
from .expressions import Arithmetic, Call, Comparison, Expression, Literal, Logical, Name, Negation, Not


class Kind(StrEnum):
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"
    TRUTH = "truth"
    SECRET = "secret"
    """An encrypted column: it is there or not, and nothing else is known of it."""


@dataclass(frozen=True)
class Typed:
    kind: Kind
    sql: ColumnElement[Any]


class RowExpressionError(UserError):
    """An expression that cannot be worked out within a row. ``position`` is the offset in its text."""

    def __init__(self, zh: str, en: str, position: int = 0) -> None:
        super().__init__(zh, en)
        self.position = position


FUNCTIONS = [
    "abs",
    "add_days",
    "add_months",
    "coalesce",
    "day",
    "days_between",
    "days_since",
    "days_until",
    "filled",
    "if",
    "log",
    "max",
    "min",
    "month",
    "months_since",
    "periods_since",
    "round",
    "year",
]
_DATE_NAMES = ("as_of", "period_start", "period_end", "year_start", "year_end")


def row_expression(
    expression: Expression, entity: EntityType, root: Any, context: Context, entities: Registry, reach: Reach | None
) -> Typed:
    """The expression over the columns of ``root`` (a mapped class or alias of ``entity``). Numbers come as doubles,
    periods as their first day, codes as text. Raises RowExpressionError or UnknownColumn."""
    return _Translator(entity, root, context, entities, reach).typed(expression)


@dataclass(frozen=True)
class _Translator:
    entity: EntityType
    root: Any
    context: Context
    entities: Registry
    reach: Reach | None

    def typed(self, expression: Expression) -> Typed:
        match expression:
            case Literal(value=bool(value)):
                return Typed(Kind.NUMBER, _number(1.0 if value else 0.0))
            case Literal(value=str(value)):
                return Typed(Kind.TEXT, literal(value, String))
            case Literal(value=value):
                return Typed(Kind.NUMBER, _number(value))
            case Name(path=path):
                return self.name(path)
            case Negation(operand=operand):
                return Typed(Kind.NUMBER, -self.number(operand))
            case Arithmetic(operator=operator, left=left, right=right):
                return Typed(Kind.NUMBER, _arithmetic(operator, self.number(left), self.number(right)))
            case Comparison():
                return Typed(Kind.TRUTH, self.comparison(expression))
            case Logical(operator=operator, operands=operands):
                joined = and_ if operator == "and" else or_
                return Typed(Kind.TRUTH, joined(*(self.truth(operand) for operand in operands)))
            case Not(operand=operand):
                return Typed(Kind.TRUTH, not_(self.truth(operand)))
            case Call():
                return self.call(expression)
        raise TypeError(expression)

    def name(self, path: str) -> Typed:
        if path in _DATE_NAMES and path not in self.entity.fields:
            return Typed(Kind.DATE, literal(self.context.dates()[path], Date))
        column = resolve_column(self.entity, path, self.entities)
        return typed_column(column, self.root, self.entities, self.reach)

    def of_kind(self, expression: Expression, kind: Kind) -> ColumnElement[Any]:
        typed = self.typed(expression)
        if typed.kind is not kind:
            words = {Kind.NUMBER: ("数", "a number"), Kind.DATE: ("日期", "a date"), Kind.TEXT: ("文字", "a text")}
            zh, en = words[kind]
            raise RowExpressionError(f"这里需要{zh}", f"{en} is needed here", expression.position)
        return typed.sql

    def number(self, expression: Expression) -> ColumnElement[Any]:
        typed = self.typed(expression)
        if typed.kind is Kind.TRUTH:
            return case((typed.sql, _number(1.0)), (not_(typed.sql), _number(0.0)))
        if typed.kind is not Kind.NUMBER:
            raise RowExpressionError("这里需要数", "a number is needed here", expression.position)
        return typed.sql

    def day(self, expression: Expression) -> ColumnElement[Any]:
        return self.of_kind(expression, Kind.DATE)

    def truth(self, expression: Expression) -> ColumnElement[bool]:
        typed = self.typed(expression)
        if typed.kind is Kind.NUMBER:
            return typed.sql != _number(0.0)
        if typed.kind is not Kind.TRUTH:
            raise RowExpressionError("这里需要条件", "a condition is needed here", expression.position)
        return typed.sql

    def comparison(self, comparison: Comparison) -> ColumnElement[bool]:
        left, right = self.typed(comparison.left), self.typed(comparison.right)
        if {left.kind, right.kind} <= {Kind.NUMBER, Kind.TRUTH}:
            one, other = self.number(comparison.left), self.number(comparison.right)
        elif left.kind is right.kind is Kind.TEXT and comparison.operator in ("==", "!="):
            same = text_equals(left.sql, right.sql)
            return same if comparison.operator == "==" else not_(same)
        elif left.kind is right.kind is Kind.DATE:
            one, other = left.sql, right.sql
        else:
            raise RowExpressionError("两边不能这样比较", "these cannot be compared so", comparison.position)
        return {
            "==": one == other,
            "!=": one != other,
            "<": one < other,
            "<=": one <= other,
            ">": one > other,
            ">=": one >= other,
        }[comparison.operator]

    def call(self, call: Call) -> Typed:
        arguments = call.arguments
        match call.function:
            case "filled":
                parts = [
                    case((self.typed(part).sql.is_not(None), _number(1.0)), else_=_number(0.0)) for part in arguments
                ]
                return Typed(Kind.NUMBER, sum(parts[1:], parts[0]) / _number(float(len(parts))))
            case "coalesce":
                kind = self.typed(arguments[0]).kind
                if kind in (Kind.TRUTH, Kind.SECRET):
                    kind = Kind.NUMBER
                parts = [self.number(part) if kind is Kind.NUMBER else self.of_kind(part, kind) for part in arguments]
                return Typed(kind, func.coalesce(*parts, type_=_SQL_TYPES[kind]))
            case "if":
                condition, yes, no = arguments
                kind = self.typed(yes).kind
                if kind in (Kind.TRUTH, Kind.SECRET):
                    kind = Kind.NUMBER
                values = [self.number(part) if kind is Kind.NUMBER else self.of_kind(part, kind) for part in (yes, no)]
                return Typed(kind, case((self.truth(condition), values[0]), else_=values[1]))
            case "min" | "max" if arguments:
                parts = [self.number(part) for part in arguments]
                chosen = parts[0]
                for part in parts[1:]:
                    first = chosen <= part if call.function == "min" else chosen >= part
                    # Neither branch holds where one is missing, unlike LEAST on some databases.
                    chosen = case((first, chosen), (not_(first), part))
                return Typed(Kind.NUMBER, chosen)
            case "abs":
                return Typed(Kind.NUMBER, func.abs(self.number(arguments[0]), type_=Double))
            case "log":
                number = self.number(arguments[0])
                return Typed(Kind.NUMBER, case((number > _number(0.0), func.ln(number, type_=Double))))
            case "round":
                return Typed(Kind.NUMBER, self.rounded(call))
            case "days_until":
                return Typed(Kind.NUMBER, _days(day_number(self.day(arguments[0])) - self.today()))
            case "days_since":
                return Typed(Kind.NUMBER, _days(self.today() - day_number(self.day(arguments[0]))))
            case "days_between":
                start, end = (day_number(self.day(part)) for part in arguments)
                return Typed(Kind.NUMBER, _days(end - start))
            case "year" | "month" | "day":
                return Typed(Kind.NUMBER, _part(call.function, self.day(arguments[0])))
            case "months_since":
                return Typed(Kind.NUMBER, self.months_since(self.day(arguments[0])))
            case "periods_since" if self.context.period:
                return Typed(Kind.NUMBER, self.periods_since(self.day(arguments[0])))
            case "add_days" | "add_months":
                count = self.constant(arguments[1])
                months, days = (0, count) if call.function == "add_days" else (count, 0)
                return Typed(Kind.DATE, later(self.day(arguments[0]), months, days))
        listed = ", ".join(FUNCTIONS)
        raise RowExpressionError(
            f"of 里不能用 {call.function}()；可用：{listed}",
            f"{call.function}() cannot be used in of; allowed: {listed}",
            call.position,
        )

    def constant(self, expression: Expression) -> int:
        sign = -1 if isinstance(expression, Negation) else 1
        inner = expression.operand if isinstance(expression, Negation) else expression
        if isinstance(inner, Literal) and not isinstance(inner.value, str):
            return sign * int(inner.value)
        raise RowExpressionError("这里需要写明的数", "a number written out is needed here", expression.position)

    def rounded(self, call: Call) -> ColumnElement[Any]:
        number = self.number(call.arguments[0])
        digits = self.constant(call.arguments[1]) if len(call.arguments) > 1 else 0
        power = _number(10.0**digits)
        # Half away from zero, with the same nudge as app.rules.column_arithmetic.
        scaled = func.abs(number, type_=Double) * power
        whole = func.floor(scaled * _number(1 + 1e-12) + _number(0.5), type_=Double) / power
        return case((number < _number(0.0), -whole), else_=whole)

    def today(self) -> ColumnElement[int]:
        return literal(self.context.as_of.toordinal())

    def months_since(self, day: ColumnElement[Any]) -> ColumnElement[Any]:
        as_of = self.context.as_of
        months = _number(as_of.year * 12.0 + as_of.month) - (_part("year", day) * _number(12.0) + _part("month", day))
        last_of_month = later_is_next_month(as_of)
        if last_of_month:
            return months
        return months - case((_part("day", day) > _number(float(as_of.day)), _number(1.0)), else_=_number(0.0))

    def periods_since(self, day: ColumnElement[Any]) -> ColumnElement[Any]:
        assert self.context.period
        length, as_of = self.context.period.kind.months, self.context.as_of
        begun = _number(float((as_of.year * 12 + as_of.month - 1) // length))
        months = _part("year", day) * _number(12.0) + _part("month", day) - _number(1.0)
        passed = begun - func.floor(months / _number(float(length)), type_=Double)
        return case((passed > _number(0.0), passed), (passed <= _number(0.0), _number(0.0)))


_SQL_TYPES = {Kind.NUMBER: Double(), Kind.DATE: Date(), Kind.TEXT: String()}


def typed_column(column: Column, root: Any, entities: Registry, reach: Reach | None) -> Typed:
    """A column as the value that expressions see: numbers as doubles, periods as their first day, codes as text, a
    bare relation as the code of the row it leads to, an encrypted column as a mark of its presence."""
    expression = column_expression(column, root, entities, reach)
    kind = column.kind
    if column.relation is not None:
        end = Column(column.path, "code", FieldKind.TEXT, column.label, hops=(*column.hops, column.relation))
        return Typed(Kind.TEXT, type_coerce(column_expression(end, root, entities, reach), String))
    if kind in NUMBERS or kind is FieldKind.REFERENCE:
        return Typed(Kind.NUMBER, cast(expression, Double))
    if kind in DAYS:
        return Typed(Kind.DATE, type_coerce(day_of(kind, expression), Date))
    if kind is FieldKind.BOOLEAN:
        return Typed(Kind.TRUTH, type_coerce(expression, Boolean))
    if kind is FieldKind.ENCRYPTED:
        return Typed(Kind.SECRET, case((expression.is_not(None), literal("*", String)), else_=null()))
    return Typed(Kind.TEXT, type_coerce(expression, String))


def later_is_next_month(day: Any) -> bool:
    """Whether a day is the last of its month."""
    return (day.month != 12 and day.replace(day=1, month=day.month + 1).toordinal() == day.toordinal() + 1) or (
        day.month == 12 and day.day == 31
    )


def _number(value: float) -> ColumnElement[float]:
    return literal(float(value), Double)


def _days(number: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(number, Double)


def _part(name: str, day: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(extract(name, day), Double)


def _arithmetic(operator: str, left: ColumnElement[Any], right: ColumnElement[Any]) -> ColumnElement[Any]:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    return left / func.nullif(right, _number(0.0), type_=Double)
