"""Expressions of the rule language from text: a recursive descent over the grammar in ``docs/rule-language.md``.

::

    condition  = both { "or" both }
    both       = negated { "and" negated }
    negated    = "not" negated | comparison
    comparison = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum ]
    sum        = product { ("+" | "-") product }
    product    = factor { ("*" | "/") factor }
    factor     = "-" factor | number | text | "true" | "false" | name | function "(" … ")" | "(" condition ")"
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from app.entity.labels import Label

from .expressions import Arithmetic, Call, Comparison, Expression, Literal, Logical, Name, Negation, Not

COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
RESERVED = frozenset({"and", "or", "not", "true", "false", "if"})
# Both keep every later walk over the tree within Python's own limit of recursion.
MAXIMUM_DEPTH = 60  # parentheses within parentheses
MAXIMUM_TOKENS = 200


class Arity(NamedTuple):
    """How many arguments a function takes; ``most`` is None for any number."""

    least: int
    most: int | None
    form: str


FUNCTIONS = {
    "if": Arity(3, 3, "if(c, a, b)"),
    "min": Arity(1, None, "min(a, b, …)"),
    "max": Arity(1, None, "max(a, b, …)"),
    "abs": Arity(1, 1, "abs(x)"),
    "round": Arity(2, 2, "round(x, digits)"),
    "log": Arity(1, 1, "log(x)"),
    "coalesce": Arity(1, None, "coalesce(a, b, …)"),
    "filled": Arity(1, None, "filled(a, …)"),
    "days_until": Arity(1, 1, "days_until(d)"),
    "days_since": Arity(1, 1, "days_since(d)"),
    "months_since": Arity(1, 1, "months_since(d)"),
    "periods_since": Arity(1, 1, "periods_since(d)"),
    "days_between": Arity(2, 2, "days_between(a, b)"),
    "workdays_between": Arity(2, 2, "workdays_between(a, b)"),
    "add_days": Arity(2, 2, "add_days(d, n)"),
    "add_months": Arity(2, 2, "add_months(d, n)"),
    "date": Arity(3, 3, "date(y, m, d)"),
    "year": Arity(1, 1, "year(d)"),
    "month": Arity(1, 1, "month(d)"),
    "day": Arity(1, 1, "day(d)"),
    "days_held": Arity(1, 1, "days_held(condition)"),
}


class ExpressionError(Exception):
    """Text that is no expression. ``position`` is the offset in the text where it stopped making sense."""

    def __init__(self, position: int, zh: str, en: str) -> None:
        super().__init__(f"character {position + 1}: {en}")
        self.position = position
        self.label = Label(f"第 {position + 1} 个字符处：{zh}", f"at character {position + 1}: {en}")


class _Token(NamedTuple):
    kind: str
    """``number``, ``text``, ``word``, ``sign`` or ``end``."""
    text: str
    position: int


_PATTERN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
      | (?P<text>'(?:[^']|'')*')
      | (?P<word>[^\W\d]\w*(?:\.[^\W\d]\w*)*)
      | (?P<sign>==|!=|<=|>=|[-+*/(),<>])""",
    re.VERBOSE,
)


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        found = _PATTERN.match(text, position)
        if found is None:
            raise _unknown_character(text, position)
        kind = str(found.lastgroup)
        if kind != "space":
            tokens.append(_Token(kind, found.group(), position))
        position = found.end()
        if len(tokens) > MAXIMUM_TOKENS:
            raise ExpressionError(
                position, "表达式太长；请把它拆成几个指标", "the expression is too long; make metrics of its parts"
            )
    tokens.append(_Token("end", "", len(text)))
    return tokens


def _unknown_character(text: str, position: int) -> ExpressionError:
    character = text[position]
    if character == "'":
        return ExpressionError(position, "文字没有结束的单引号", "the text has no closing quote")
    if character == '"':
        return ExpressionError(position, "文字要用单引号", "texts stand in single quotes")
    if character == "=":
        return ExpressionError(position, "相等写作 ==", "equality is written ==")
    if character.isdigit() or character == ".":
        return ExpressionError(position, "数写得不对", "this is not a number")
    return ExpressionError(
        position, f"表达式里不能有“{character}”", f"“{character}” does not belong into an expression"
    )


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.index = 0
        self.depth = 0

    @property
    def next(self) -> _Token:
        return self.tokens[self.index]

    def take(self) -> _Token:
        token = self.next
        self.index += 1
        return token

    def accept(self, *texts: str) -> _Token | None:
        """The next token if it is one of these signs or words."""
        return self.take() if self.next.kind in ("sign", "word") and self.next.text in texts else None

    def unexpected(self, zh: str, en: str) -> ExpressionError:
        token = self.next
        found_zh, found_en = (
            ("表达式到此结束", "the expression ends")
            if token.kind == "end"
            else (f"是“{token.text}”", f"“{token.text}”")
        )
        return ExpressionError(token.position, f"应为{zh}，但{found_zh}", f"expected {en}, found {found_en}")

    def finish(self) -> None:
        if self.next.kind == "end":
            return
        if self.next.text in COMPARISONS:
            raise ExpressionError(
                self.next.position,
                "一次只能比较一下；请用 and 连接两个比较",
                "one comparison at a time; join two with and",
            )
        raise self.unexpected("运算符或表达式的结尾", "an operator or the end of the expression")

    def condition(self) -> Expression:
        return self.logical("or", self.both)

    def both(self) -> Expression:
        return self.logical("and", self.negated)

    def logical(self, operator: str, operand: Callable[[], Expression]) -> Expression:
        first = operand()
        operands = [first]
        position = self.next.position
        while self.accept(operator):
            operands.append(operand())
        return first if len(operands) == 1 else Logical(operator, tuple(operands), position)

    def negated(self) -> Expression:
        token = self.accept("not")
        return self.nested(lambda: Not(self.negated(), token.position)) if token else self.comparison()

    def comparison(self) -> Expression:
        left = self.sum()
        operator = self.accept(*COMPARISONS)
        if operator is None:
            return left
        comparison = Comparison(operator.text, left, self.sum(), operator.position)
        if self.next.text in COMPARISONS:
            self.finish()
        return comparison

    def sum(self) -> Expression:
        left = self.product()
        while operator := self.accept("+", "-"):
            left = Arithmetic(operator.text, left, self.product(), operator.position)
        return left

    def product(self) -> Expression:
        left = self.factor()
        while operator := self.accept("*", "/"):
            left = Arithmetic(operator.text, left, self.factor(), operator.position)
        return left

    def factor(self) -> Expression:
        token = self.next
        if token.kind == "number":
            return Literal(float(self.take().text), token.position)
        if token.kind == "text":
            return Literal(self.take().text[1:-1].replace("''", "'"), token.position)
        if self.accept("-"):
            return self.nested(lambda: Negation(self.factor(), token.position))
        if self.accept("("):
            return self.nested(self.parenthesis)
        if token.kind == "word" and token.text not in ("and", "or", "not"):
            return self.word(self.take())
        raise self.unexpected("数、名称、函数或括号", "a number, name, function or parenthesis")

    def nested(self, parse: Callable[[], Expression]) -> Expression:
        self.depth += 1
        if self.depth > MAXIMUM_DEPTH:
            raise ExpressionError(self.next.position, "嵌套过深", "nested too deeply")
        inner = parse()
        self.depth -= 1
        return inner

    def parenthesis(self) -> Expression:
        inner = self.condition()
        if self.accept(")") is None:
            raise self.unexpected("“)”", "“)”")
        return inner

    def word(self, token: _Token) -> Expression:
        if token.text in ("true", "false"):
            return Literal(token.text == "true", token.position)
        if self.accept("("):
            return self.nested(lambda: self.call(token))
        if token.text == "if":
            raise ExpressionError(token.position, "if 要写作 if(c, a, b)", "if is written if(c, a, b)")
        return Name(token.text, token.position)

    def call(self, token: _Token) -> Expression:
        arity = FUNCTIONS.get(token.text)
        if arity is None:
            close = difflib.get_close_matches(token.text, FUNCTIONS, 1)
            raise ExpressionError(
                token.position,
                f"没有函数“{token.text}”" + (f"，是否是 {close[0]}？" if close else f"；有 {'、'.join(FUNCTIONS)}"),
                f"there is no function “{token.text}”"
                + (f"; did you mean {close[0]}?" if close else f"; there are {', '.join(FUNCTIONS)}"),
            )
        arguments: list[Expression] = []
        if self.accept(")") is None:
            arguments.append(self.condition())
            while self.accept(","):
                arguments.append(self.condition())
            if self.accept(")") is None:
                raise self.unexpected("“,”或“)”", "“,” or “)”")
        if len(arguments) < arity.least or (arity.most is not None and len(arguments) > arity.most):
            raise ExpressionError(
                token.position,
                f"{token.text} 的写法是 {arity.form}，这里给了 {len(arguments)} 个参数",
                f"{token.text} is written {arity.form}; it was given {len(arguments)} arguments",
            )
        return Call(token.text, tuple(arguments), token.position)


def parse_expression(text: str) -> Expression:
    """The expression that a text says. Raises ExpressionError with the position."""
    parser = _Parser(text)
    expression = parser.condition()
    parser.finish()
    return expression


@dataclass(frozen=True)
class Threshold:
    """A light's text that begins with an operator: what the score or value is compared with, and how."""

    operator: str
    operand: Expression


def parse_light(text: str) -> Threshold | Expression:
    """What a light's or level's text says: a threshold if it begins with an operator, else a condition.

    Raises ExpressionError with the position.
    """
    parser = _Parser(text)
    operator = parser.accept(*COMPARISONS)
    if operator is None:
        expression = parser.condition()
        parser.finish()
        return expression
    operand = parser.sum()
    if parser.next.text in ("and", "or"):
        raise ExpressionError(
            parser.next.position,
            "以比较符开头的写法之后不能再接 and 或 or；请写成完整的条件，例如 value >= 1 and day(as_of) >= 25",
            "text that begins with an operator takes no and or or; "
            "write a whole condition such as value >= 1 and day(as_of) >= 25",
        )
    parser.finish()
    return Threshold(operator.text, operand)


def is_name(text: str) -> bool:
    """Whether a text can name a metric or parameter: letters, digits and ``_``, no digit first, no reserved word."""
    return re.fullmatch(r"[^\W\d]\w*", text) is not None and text not in RESERVED
