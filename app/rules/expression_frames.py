"""Expressions of the rule language as Polars expressions over the subjects frame.

Four kinds of value exist: numbers (Float64), truth values (Boolean), texts (String) and dates (Date). Missing is null;
NaN and infinities never leave an expression: what is too large for a number is missing.

How missing values travel. A result is missing if an operand is, a truth value too: ``last > 3`` is missing, not
false, where ``last`` is, and so is ``not last > 3``. ``and`` and ``or`` get round a missing operand only where the
other one decides (``false and missing`` is false, ``true or missing`` is true; else the result is missing), so that
``a > 1 and b > 2`` used as a value is 0 or 1 only if that is certain. Where a condition is *used* (``if``,
``applies_to``, ``when``, a light, ``days_held``), missing counts as false.
"""

from __future__ import annotations

import calendar
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

import polars as pl

from app.entity.labels import UserError

from .column_arithmetic import (
    add_days,
    add_months,
    civil,
    days_between,
    divided,
    finite,
    half_away,
    let,
    month_number,
    whole,
)
from .context import Context
from .expressions import (
    Arithmetic,
    Call,
    Comparison,
    Expression,
    Literal,
    Logical,
    Name,
    Negation,
    Not,
    written,
)
from .frames import column_of_held


class Kind(StrEnum):
    """What an expression's values are. MISSING is a column without any value; it goes with every kind."""

    NUMBER = "number"
    TRUTH = "truth"
    TEXT = "text"
    DATE = "date"
    MISSING = "missing"


_DTYPES = {Kind.NUMBER: pl.Float64, Kind.TRUTH: pl.Boolean, Kind.TEXT: pl.String, Kind.DATE: pl.Date}
_KINDS = {
    Kind.NUMBER: ("数", "a number"),
    Kind.TRUTH: ("真假值", "a truth value"),
    Kind.TEXT: ("文字", "a text"),
    Kind.DATE: ("日期", "a date"),
}
_COMPARISONS: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Typed:
    """A Polars expression and the kind of its values."""

    frame: pl.Expr
    kind: Kind


def missing(kind: Kind = Kind.NUMBER) -> pl.Expr:
    return pl.lit(None, dtype=_DTYPES[kind])


def kind_of(dtype: pl.DataType) -> Kind:
    """The kind of a column's values. Raises TypeError for a column the language has no kind for."""
    if dtype.is_numeric():
        return Kind.NUMBER
    if dtype == pl.Boolean:
        return Kind.TRUTH
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return Kind.TEXT
    if dtype in (pl.Date, pl.Datetime):
        return Kind.DATE
    if dtype == pl.Null:
        return Kind.MISSING
    raise TypeError(f"a column of {dtype} has no kind in the rule language")


def column(name: str, dtype: pl.DataType) -> Typed:
    """A frame's column as the language reads it: numbers as Float64 (they must be finite), times as dates."""
    kind = kind_of(dtype)
    return Typed(pl.col(name) if kind is Kind.MISSING else pl.col(name).cast(_DTYPES[kind]), kind)


def literal(value: float | str | bool | date | None) -> Typed:
    match value:
        case None:
            return Typed(missing(), Kind.MISSING)
        case bool():
            return Typed(pl.lit(value), Kind.TRUTH)
        case str():
            return Typed(pl.lit(value), Kind.TEXT)
        case date():
            return Typed(pl.lit(value, dtype=pl.Date), Kind.DATE)
    return Typed(pl.lit(float(value)), Kind.NUMBER)


class Compiler:
    """Turns expressions into Polars expressions over one frame.

    ``names`` are what a Name may stand for. With ``unheld_is_zero``, ``days_held`` of a condition known to be false is
    0 days instead of missing: to find out whether a *datum* is missing, which a condition that does not hold is not.
    """

    def __init__(self, names: Mapping[str, Typed], context: Context, *, unheld_is_zero: bool = False) -> None:
        self.names = dict(names)
        self.context = context
        self.unheld_is_zero = unheld_is_zero

    def knowing(self, name: str, value: Typed) -> Compiler:
        """A compiler that knows one name more."""
        return Compiler(self.names | {name: value}, self.context, unheld_is_zero=self.unheld_is_zero)

    def asking_for_data(self) -> Compiler:
        """A compiler whose results are missing only where a datum is (see ``unheld_is_zero``)."""
        return Compiler(self.names, self.context, unheld_is_zero=True)

    def number(self, expression: Expression) -> pl.Expr:
        """Its values as finite numbers, Float64; truth values count as 1 and 0. Raises UserError if it has none."""
        return _finite(self._number(expression))

    def truth(self, expression: Expression) -> pl.Expr:
        """Its truth values, missing where they are; a number is true unless it is 0."""
        return self._as_truth(self.typed(expression), expression)

    def condition(self, expression: Expression) -> pl.Expr:
        """Where it holds: what is missing counts as false."""
        return self.truth(expression).fill_null(False)

    def value(self, expression: Expression) -> Typed:
        """Its values of whatever kind, numbers finite."""
        typed = self.typed(expression)
        return replace(typed, frame=_finite(typed.frame)) if typed.kind is Kind.NUMBER else typed

    def typed(self, expression: Expression) -> Typed:
        """As ``value``, but what overflowed is still infinite. Constants are worked out at once."""
        typed = self._typed(expression)
        if isinstance(expression, Literal | Name) or typed.frame.meta.root_names():
            return typed
        # Polars takes one value for a whole column only where it knows it to be a scalar.
        frame = finite(typed.frame) if typed.kind is Kind.NUMBER else typed.frame
        return Typed(pl.lit(pl.select(frame).item(), dtype=_DTYPES.get(typed.kind, pl.Float64)), typed.kind)

    def _typed(self, expression: Expression) -> Typed:
        match expression:
            case Literal(value=value):
                return literal(value)
            case Name(path=path):
                if path not in self.names:
                    raise UserError(f"规则里没有“{path}”这个名称", f"the rule knows no name “{path}”")
                return self.names[path]
            case Negation(operand=operand):
                return Typed(-self._number(operand), Kind.NUMBER)
            case Arithmetic():
                return Typed(self._arithmetic(expression), Kind.NUMBER)
            case Comparison(operator=sign, left=left, right=right):
                _, (one, other) = self._same_kind((left, right), expression)
                return Typed(_COMPARISONS[sign](one, other), Kind.TRUTH)
            case Logical(operator=word, operands=operands):
                truths = [self.truth(operand) for operand in operands]
                combined = truths[0]
                for truth in truths[1:]:
                    combined = combined & truth if word == "and" else combined | truth
                return Typed(combined, Kind.TRUTH)
            case Not(operand=operand):
                return Typed(~self.truth(operand), Kind.TRUTH)
            case Call(function=function, arguments=arguments):
                return self._call(function, arguments, expression)
        raise TypeError(expression)

    def compared(self, sign: str, left: Typed, right: Typed, expression: Expression) -> pl.Expr:
        """Truth of a comparison of two values that are compiled already."""
        _, (one, other) = self._unified([left, right], expression)
        return _COMPARISONS[sign](one, other)

    def held_since(self, condition: Expression) -> pl.Expr:
        """The date since when a condition has been true: the state's, today if it is true for the first time; null
        while it is false."""
        # A state later than today comes from an evaluation of a later day; the condition holds today at the latest.
        since = pl.min_horizontal(pl.col(column_of_held(condition)).cast(pl.Date), self._today())
        return pl.when(self.condition(condition)).then(since)

    # Operands ------------------------------------------------------------------------------------------------------

    def _today(self) -> pl.Expr:
        return pl.lit(self.context.as_of, dtype=pl.Date)

    def _number(self, expression: Expression) -> pl.Expr:
        return self._as_number(self.typed(expression), expression)

    def _as_number(self, typed: Typed, expression: Expression) -> pl.Expr:
        match typed.kind:
            case Kind.NUMBER:
                return typed.frame
            case Kind.TRUTH:
                return typed.frame.cast(pl.Float64)
            case Kind.MISSING:
                return missing()
        raise _wrong_kind(expression, Kind.NUMBER, typed.kind)

    def _as_truth(self, typed: Typed, expression: Expression) -> pl.Expr:
        match typed.kind:
            case Kind.TRUTH:
                return typed.frame
            case Kind.NUMBER:
                return _finite(typed.frame) != 0
            case Kind.MISSING:
                return missing(Kind.TRUTH)
        raise _wrong_kind(expression, Kind.TRUTH, typed.kind)

    def _date(self, expression: Expression) -> pl.Expr:
        typed = self.typed(expression)
        match typed.kind:
            case Kind.DATE:
                return typed.frame
            case Kind.MISSING:
                return missing(Kind.DATE)
        raise _wrong_kind(expression, Kind.DATE, typed.kind)

    def _same_kind(self, expressions: tuple[Expression, ...], whole_of: Expression) -> tuple[Kind, list[pl.Expr]]:
        return self._unified([self.typed(expression) for expression in expressions], whole_of)

    def _unified(self, parts: list[Typed], expression: Expression) -> tuple[Kind, list[pl.Expr]]:
        """Values brought to one kind: truth values beside numbers are numbers. Raises UserError if they differ."""
        kinds = {part.kind for part in parts} - {Kind.MISSING}
        if kinds == {Kind.NUMBER, Kind.TRUTH}:
            kinds = {Kind.NUMBER}
        if len(kinds) > 1:
            first, second = (_KINDS[kind] for kind in sorted(kinds)[:2])
            raise UserError(
                f"“{written(expression)}”把{first[0]}与{second[0]}放在一起",
                f"“{written(expression)}” puts {first[1]} together with {second[1]}",
            )
        kind = kinds.pop() if kinds else Kind.MISSING
        if kind is Kind.MISSING:
            return kind, [missing() for _ in parts]
        if kind is Kind.NUMBER:
            return kind, [_finite(self._as_number(part, expression)) for part in parts]
        return kind, [missing(kind) if part.kind is Kind.MISSING else part.frame for part in parts]

    def _arithmetic(self, expression: Arithmetic) -> pl.Expr:
        left, right = self._number(expression.left), self._number(expression.right)
        match expression.operator:
            case "+":
                result = left + right
            case "-":
                result = left - right
            case "*":
                result = left * right
            case "/":
                result = divided(left, right)
            case sign:
                raise TypeError(sign)
        # What overflows is infinite or NaN from here on; who does not just reckon on with a number takes it as missing.
        # (Not ``fill_nan``: it writes its operand out three times, and a sum of thirty terms took all memory.)
        return result

    # Functions -----------------------------------------------------------------------------------------------------

    def _call(self, function: str, arguments: tuple[Expression, ...], expression: Expression) -> Typed:
        match function:
            case "if":
                return self._choice(arguments, expression)
            case "coalesce":
                kind, parts = self._same_kind(arguments, expression)
                return Typed(pl.coalesce(parts), kind)
            case "filled":
                there = [self.value(argument).frame.is_not_null().cast(pl.Float64) for argument in arguments]
                return Typed(divided(pl.sum_horizontal(there), pl.lit(float(len(there)))), Kind.NUMBER)
            case "min" | "max":
                kind, parts = self._same_kind(arguments, expression)
                if kind is Kind.TRUTH:
                    kind, parts = Kind.NUMBER, [part.cast(pl.Float64) for part in parts]
                return Typed(let(_smallest if function == "min" else _greatest, *parts), kind)
            case "days_held":
                return Typed(self._days_held(*arguments), Kind.NUMBER)
            case "add_days" | "add_months":
                move = add_days if function == "add_days" else add_months
                return Typed(move(self._date(arguments[0]), self._number(arguments[1])), Kind.DATE)
            case "date":
                return Typed(civil(*(whole(self._number(argument)) for argument in arguments)), Kind.DATE)
        return Typed(self._numeric_call(function, arguments), Kind.NUMBER)

    def _numeric_call(self, function: str, arguments: tuple[Expression, ...]) -> pl.Expr:
        match function:
            case "abs":
                return self._number(*arguments).abs()
            case "round":
                return self._rounded(*arguments)
            case "log":
                return let(lambda number: pl.when(number > 0).then(number.log()), self._number(*arguments))
            case "days_until":
                return days_between(self._today(), self._date(*arguments))
            case "days_since":
                return days_between(self._date(*arguments), self._today())
            case "days_between":
                return days_between(*map(self._date, arguments))
            case "workdays_between":
                return self.context.calendar.between(*map(self._date, arguments)).cast(pl.Float64)
            case "months_since":
                return self._months_since(*arguments)
            case "periods_since":
                return self._periods_since(*arguments)
            case "year":
                return self._date(*arguments).dt.year().cast(pl.Float64)
            case "month":
                return self._date(*arguments).dt.month().cast(pl.Float64)
            case "day":
                return self._date(*arguments).dt.day().cast(pl.Float64)
        raise UserError(f"规则语言里没有函数“{function}”", f"the rule language has no function “{function}”")

    def _choice(self, arguments: tuple[Expression, ...], expression: Expression) -> Typed:
        question, *branches = arguments
        kind, (yes, no) = self._same_kind(tuple(branches), expression)
        return Typed(pl.when(self.condition(question)).then(yes).otherwise(no), kind)

    def _rounded(self, number: Expression, digits: Expression | None = None) -> pl.Expr:
        match digits:
            case None:
                places = 0
            case Literal(value=value):
                places = int(value)
            case Negation(operand=Literal(value=value)):
                places = -int(value)
            case _:
                raise UserError(
                    f"round 的小数位数要写成数字，而不是“{written(digits)}”",
                    f"round takes its digits as a plain number, not “{written(digits)}”",
                )
        return half_away(self._number(number), places)

    def _months_since(self, day: Expression) -> pl.Expr:
        """The greatest n for which ``add_months(day, n)`` is not after ``as_of``: a month that begins on the 31st is
        whole on the last day of a shorter one. Negative for days to come."""
        today = self.context.as_of
        longest = calendar.monthrange(today.year, today.month)[1]
        current = today.year * 12 + today.month - 1

        def months(start: pl.Expr) -> pl.Expr:
            unfinished = start.dt.day().clip(upper_bound=longest) > today.day
            return (current - month_number(start) - unfinished.cast(pl.Int64)).cast(pl.Float64)

        return let(months, self._date(day))

    def _periods_since(self, day: Expression) -> pl.Expr:
        """How many of the rule's periods began after ``day``, up to ``as_of``; 0 for days to come."""
        if self.context.period is None:
            raise UserError("periods_since 只能用在写明 period 的规则里", "periods_since needs a rule with a period")
        months, today = self.context.period.kind.months, self.context.as_of
        current = (today.year * 12 + today.month - 1) // months
        return (current - month_number(self._date(day)) // months).clip(lower_bound=0).cast(pl.Float64)

    def _days_held(self, condition: Expression) -> pl.Expr:
        days = days_between(self.held_since(condition), self._today())
        if self.unheld_is_zero:
            return let(
                lambda truth, held: pl.when(truth).then(held).when(~truth).then(0.0), self.truth(condition), days
            )
        return days


def _finite(number: pl.Expr) -> pl.Expr:
    """As ``finite``; constants are finite already, and must stay scalars."""
    return finite(number) if number.meta.root_names() else number


def _zero_if_false(truth: pl.Expr, days: pl.Expr) -> pl.Expr:
    return pl.when(truth).then(days).when(~truth).then(0.0)


def _smallest(*parts: pl.Expr) -> pl.Expr:
    return pl.when(pl.all_horizontal(part.is_not_null() for part in parts)).then(pl.min_horizontal(*parts))


def _greatest(*parts: pl.Expr) -> pl.Expr:
    return pl.when(pl.all_horizontal(part.is_not_null() for part in parts)).then(pl.max_horizontal(*parts))


def _wrong_kind(expression: Expression, wanted: Kind, found: Kind) -> UserError:
    return UserError(
        f"“{written(expression)}”应为{_KINDS[wanted][0]}，却是{_KINDS[found][0]}",
        f"“{written(expression)}” should be {_KINDS[wanted][1]} but is {_KINDS[found][1]}",
    )
