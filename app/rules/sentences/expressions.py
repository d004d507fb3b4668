"""Expressions in words. Computed figures are read as what they are computed from, parameters as their numbers, so that
a sentence needs nothing beside it."""

from __future__ import annotations

from datetime import date

from app.entity.labels import Label
from app.entity.registry import EntityType

from ..expressions import (
    Arithmetic,
    Call,
    Comparison,
    Expression,
    Literal,
    Logical,
    Name,
    Negation,
    Not,
)
from ..model import Aggregate, Figure, LightRule, Metric, Parameter
from . import metrics
from .vocabulary import DATES, LIGHTS, PERIODS, Vocabulary, day, listed, lowered, number, tidy, yes_or_no

_SIGNS = {"+": "+", "-": "−", "*": "×", "/": "÷"}
_COMPARED = {
    "==": Label("等于", "is"),
    "!=": Label("不等于", "is not"),
    "<": Label("小于", "is less than"),
    "<=": Label("不大于", "is at most"),
    ">": Label("大于", "is more than"),
    ">=": Label("不小于", "is at least"),
}
_COMPARED_DAYS = {
    "<": Label("早于", "is before"),
    "<=": Label("不晚于", "is not after"),
    ">": Label("晚于", "is after"),
    ">=": Label("不早于", "is not before"),
}
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}
_MOST_DEPTH = 12


def read_expression(
    expression: Expression, words: Vocabulary, *, rows_of: EntityType | None = None, value: Label | None = None
) -> Label:
    """An expression in words. ``rows_of``: names are columns of this entity's rows (``of`` of a metric); ``value``:
    what the name ``value`` is called."""
    return tidy(_Reader(words, rows_of, value or Label("指标值", "the value")).read(expression))


def read_light(light: LightRule, words: Vocabulary, value: Label) -> Label:
    """“得分小于 60 时亮红灯”. ``value``: what is compared, the score or the value of a warning."""
    called = LIGHTS[light.light]
    if light.operator is not None and light.operand is not None:
        condition = compared(value, light.operator, read_expression(light.operand, words, value=value))
    elif light.condition == Literal(True):
        return Label(f"其余亮{called.zh}", f"{called.en} otherwise")
    elif light.condition is not None:
        condition = read_expression(light.condition, words, value=value)
    else:
        condition = Label("", "")
    return tidy(Label(f"{condition.zh}时亮{called.zh}", f"{called.en} where {condition.en}"))


def compared(left: Label, operator: str, right: Label, *, days: bool = False) -> Label:
    verb = _COMPARED_DAYS.get(operator, _COMPARED[operator]) if days else _COMPARED[operator]
    return Label(f"{left.zh}{verb.zh} {right.zh}", f"{left.en} {verb.en} {right.en}")


class _Reader:
    def __init__(self, words: Vocabulary, rows_of: EntityType | None, value: Label, depth: int = 0) -> None:
        self.words, self.rows_of, self.value, self.depth = words, rows_of, value, depth

    def read(self, expression: Expression) -> Label:
        match expression:
            case Literal(value=bool(value)):
                return yes_or_no(value)
            case Literal(value=str(value)):
                return Label(f"“{value}”", f"“{value}”")
            case Literal(value=value):
                return Label(number(float(value)), number(float(value)))
            case Name(path=path):
                return self.name(path)
            case Negation(operand=operand):
                inner = self.operand(operand, 3)
                return Label(f"−{inner.zh}", f"−{inner.en}")
            case Arithmetic():
                return self.arithmetic(expression)
            case Comparison():
                return self.comparison(expression)
            case Logical(operator=operator, operands=operands):
                zh, en = ("，且", " and ") if operator == "and" else ("，或", " or ")
                return listed([self.part_of_logical(each, operator) for each in operands], zh, en)
            case Not(operand=operand):
                inner = self.read(operand)
                return Label(f"不满足“{inner.zh}”", f"not ({inner.en})")
            case Call(function=function, arguments=arguments):
                return self.call(function, arguments)
        raise TypeError(expression)

    # Names

    def name(self, path: str) -> Label:
        if path == "value" and self.rows_of is None:
            return self.value
        if self.rows_of is not None:
            return DATES.get(path) or self.words.column_called(self.rows_of, path)
        match self.words.named(path):
            case Metric() as metric:
                return metrics.read_metric(metric, self.words)
            case Figure(expression=expression) if self.depth < _MOST_DEPTH:
                return _Reader(self.words, None, self.value, self.depth + 1).read(expression)
            case Parameter() as parameter:
                return self.parameter(parameter)
        if path in DATES:
            return DATES[path]
        subject, called = self.words.subject, self.words.column_called(self.words.subject, path)
        return called if subject is not None else Label(path, path)

    def parameter(self, parameter: Parameter) -> Label:
        """A plain number, or “机关为 56，其他为 32”."""
        default = number(parameter.default) if parameter.default is not None else None
        if parameter.by is None:
            return Label(default or "", default or "")
        found: list[Label] = []
        for code, value in parameter.values.items():
            called = self.words.code_called(self.words.subject, parameter.by, code) or Label(code, code)
            found.append(Label(f"{called.zh} {number(value)}", f"{number(value)} for {lowered(called.en)}"))
        if default is not None:
            found.append(Label(f"其他 {default}", f"otherwise {default}"))
        inner = listed(found)
        return Label(f"（{inner.zh}）", f"({inner.en})")

    # Operators

    def strength(self, expression: Expression) -> int:
        """How tightly the words of an expression hold together: 0 needs brackets anywhere inside."""
        if isinstance(expression, Name) and self.rows_of is None and self.depth < _MOST_DEPTH:
            named = self.words.named(expression.path)
            if isinstance(named, Figure):
                return self.strength(named.expression)
        match expression:
            case Arithmetic(operator=operator):
                return _STRENGTH[operator]
            case Comparison() | Logical() | Not():
                return 0
            case Call(function="if" | "min" | "max" | "round"):
                return 0
        return 3

    def operand(self, expression: Expression, least: int) -> Label:
        read = self.read(expression)
        return read if self.strength(expression) >= least else Label(f"（{read.zh}）", f"({read.en})")

    def arithmetic(self, expression: Arithmetic) -> Label:
        strength, sign = _STRENGTH[expression.operator], _SIGNS[expression.operator]
        left = self.operand(expression.left, strength)
        right = self.operand(expression.right, strength + (expression.operator in "-/"))
        return Label(f"{left.zh} {sign} {right.zh}", f"{left.en} {sign} {right.en}")

    def part_of_logical(self, expression: Expression, operator: str) -> Label:
        read = self.read(expression)
        if isinstance(expression, Logical) and expression.operator != operator:
            return Label(f"（{read.zh}）", f"({read.en})")
        return read

    def comparison(self, expression: Comparison) -> Label:
        left, right, operator = expression.left, expression.right, expression.operator
        asked = self._whether(left, right, operator)
        if asked is not None:
            return asked
        for one, other in ((left, right), (right, left)):
            if isinstance(one, Name) and isinstance(other, Literal) and isinstance(other.value, str):
                called = self.code_called(one.path, other.value)
                if called is not None:
                    verb = Label("为", "is") if operator == "==" else Label("不是", "is not")
                    name = self.name(one.path)
                    return Label(f"{name.zh}{verb.zh}{called.zh}", f"{name.en} {verb.en} {lowered(called.en)}")
        days = self.is_day(left) or self.is_day(right)
        return compared(self.operand(left, 1), operator, self.operand(right, 1), days=days)

    def code_called(self, path: str, code: str) -> Label | None:
        if self.rows_of is not None:
            return self.words.code_called(self.rows_of, path, code)
        named = self.words.named(path)
        if isinstance(named, Metric) and isinstance(named.of, Name):
            return self.words.code_called(self.words.entities.get(named.entity), named.of.path, code)
        return self.words.code_called(self.words.subject, path, code)

    def _whether(self, left: Expression, right: Expression, operator: str) -> Label | None:
        """“没有填写离开日期” and “没有…记录” rather than comparisons with 0 and 1."""
        if operator not in ("==", "!=") or not isinstance(right, Literal) or right.value not in (0, 1):
            return None
        holds = (operator == "==") == bool(right.value)
        if isinstance(left, Call) and left.function == "filled" and len(left.arguments) == 1:
            what = self.read(left.arguments[0])
            return (
                Label(f"已填写{what.zh}", f"{what.en} is filled in")
                if holds
                else Label(f"没有填写{what.zh}", f"{what.en} is not filled in")
            )
        named = self.words.named(left.path) if isinstance(left, Name) and self.rows_of is None else None
        if isinstance(named, Metric) and named.aggregate is Aggregate.EXISTS:
            what = metrics.rows_in_words(named, self.words)
            return (
                Label(f"有{what.zh}", f"there are {what.en}")
                if holds
                else Label(f"没有{what.zh}", f"there are no {what.en}")
            )
        return None

    # Functions

    def call(self, function: str, arguments: tuple[Expression, ...]) -> Label:
        read = [self.read(each) if function in ("if", "days_held") else self.operand(each, 1) for each in arguments]
        first, second = read[0], read[min(1, len(read) - 1)]
        match function:
            case "if":
                other = read[2]
                return Label(
                    f"{first.zh}时为 {second.zh}，否则为 {other.zh}", f"{second.en} if {first.en}, otherwise {other.en}"
                )
            case "min" | "max":
                least = function == "min"
                which = Label("最小的一个" if least else "最大的一个", "smallest" if least else "greatest")
                every = listed([self.quoted(each) for each in arguments], "和")
                return Label(f"{every.zh}中{which.zh}", f"the {which.en} of {every.en}")
            case "coalesce":
                others = listed(read[1:], "，再没有则取", ", or else ")
                return Label(f"{first.zh}（没有则取{others.zh}）", f"{first.en} (where there is none, {others.en})")
            case "filled":
                every = listed(read)
                return Label(f"{every.zh}的填写比例", f"the share filled in of {every.en}")
            case "round":
                first = self.quoted(arguments[0])
                if arguments[1] == Literal(0.0):
                    return Label(f"{first.zh}四舍五入取整", f"{first.en} rounded to a whole number")
                return Label(f"{first.zh}四舍五入到 {second.zh} 位小数", f"{first.en} rounded to {second.en} decimals")
            case "add_days" | "add_months" if isinstance(arguments[1], Negation):
                unit = Label("天", "days") if function == "add_days" else Label("个月", "months")
                count = self.read(arguments[1].operand)
                return Label(f"{first.zh}之前 {count.zh} {unit.zh}", f"the day {count.en} {unit.en} before {first.en}")
            case "date":
                return self.written_date(arguments, read)
            case "days_held":
                return Label(f"“{first.zh}”已持续的天数", f"the days for which “{first.en}” has held")
            case "periods_since":
                unit = PERIODS[self.words.rule.period] if self.words.rule.period else Label("期", "period")
                return Label(f"{first.zh}以来经过的{unit.zh}数", f"the number of {unit.en}s begun since {first.en}")
        template = _FUNCTIONS[function]
        return Label(template.zh.format(a=first.zh, b=second.zh), template.en.format(a=first.en, b=second.en))

    def quoted(self, expression: Expression) -> Label:
        """Words in quotation marks, unless they are a single name or number."""
        read = self.read(expression)
        return read if self.strength(expression) == 3 else Label(f"“{read.zh}”", f"“{read.en}”")

    def written_date(self, arguments: tuple[Expression, ...], read: list[Label]) -> Label:
        """“2026年9月30日”; “截至日当年 9月30日” where the year follows from another date."""
        year, month, of_month = arguments
        if isinstance(month, Literal) and isinstance(of_month, Literal):
            if isinstance(year, Call) and year.function == "year":
                base = self.read(year.arguments[0])
                return Label(
                    f"{base.zh}当年 {read[1].zh}月{read[2].zh}日",
                    f"{read[2].en} {_MONTHS[int(month.value) - 1]} of the year of {base.en}",
                )
            if isinstance(year, Literal):
                try:
                    return day(date(int(year.value), int(month.value), int(of_month.value)))
                except ValueError:
                    pass
        return Label(
            f"{read[0].zh}年{read[1].zh}月{read[2].zh}日", f"day {read[2].en} of month {read[1].en} of {read[0].en}"
        )

    def is_day(self, expression: Expression) -> bool:
        """Whether an expression is a date, so that it is earlier or later rather than less or more."""
        match expression:
            case Call(function="add_days" | "add_months" | "date"):
                return True
            case Call(function="coalesce" | "min" | "max", arguments=arguments):
                return self.is_day(arguments[0])
            case Call(function="if", arguments=(_, first, _)):
                return self.is_day(first)
            case Name(path=path):
                source: EntityType | None = self.rows_of or self.words.subject
                named = self.words.named(path) if self.rows_of is None else None
                if isinstance(named, Figure):
                    return self.is_day(named.expression)
                if isinstance(named, Metric) and isinstance(named.of, Name):
                    by_value = named.aggregate in (Aggregate.MINIMUM, Aggregate.MAXIMUM, Aggregate.LATEST)
                    source, path = self.words.entities.get(named.entity), named.of.path
                    return by_value and self.words.is_day(source, path)
                return named is None and path != "elapsed" and (path in DATES or self.words.is_day(source, path))
        return False


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_FUNCTIONS = {
    "abs": Label("{a}的绝对值", "the absolute value of {a}"),
    "log": Label("{a}的自然对数", "the natural logarithm of {a}"),
    "days_until": Label("距{a}的天数", "the days until {a}"),
    "days_since": Label("{a}以来的天数", "the days since {a}"),
    "months_since": Label("{a}以来的整月数", "the whole months since {a}"),
    "days_between": Label("从{a}到{b}的天数", "the days from {a} to {b}"),
    "workdays_between": Label("从{a}到{b}的工作日数", "the working days from {a} to {b}"),
    "add_days": Label("{a}之后 {b} 天", "the day {b} days after {a}"),
    "add_months": Label("{a}之后 {b} 个月", "the day {b} months after {a}"),
    "year": Label("{a}的年份", "the year of {a}"),
    "month": Label("{a}的月份", "the month of {a}"),
    "day": Label("{a}在当月的日数", "the day of the month of {a}"),
}
