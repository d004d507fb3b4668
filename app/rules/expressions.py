"""Expressions of the rule language: their syntax tree. ``app.rules.expression_parser`` makes it from text,
``app.rules.expression_frames`` turns it into Polars."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, text or truth value."""

    value: float | str | bool
    position: int = field(default=0, compare=False)
    """Offset of the first character in the expression's text; for messages only, never compared."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and (type(self.value), self.value) == (type(other.value), other.value)

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True, slots=True)
class Name:
    """A metric, parameter, column of the subject (dotted paths follow to-one relations), date name, or ``value``."""

    path: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Negation:
    """``-x``."""

    operand: Expression
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``left operator right`` with one of ``+ - * /``."""

    operator: str
    left: Expression
    right: Expression
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left operator right`` with one of ``== != < <= > >=``."""

    operator: str
    left: Expression
    right: Expression
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Logical:
    """``and`` or ``or`` over two or more operands."""

    operator: str
    operands: tuple[Expression, ...]
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """``not x``."""

    operand: Expression
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language, ``if`` and ``days_held`` included."""

    function: str
    arguments: tuple[Expression, ...]
    position: int = field(default=0, compare=False)


Expression = Literal | Name | Negation | Arithmetic | Comparison | Logical | Not | Call


def children(expression: Expression) -> tuple[Expression, ...]:
    """The direct operands."""
    match expression:
        case Negation(operand=operand) | Not(operand=operand):
            return (operand,)
        case Arithmetic(left=left, right=right) | Comparison(left=left, right=right):
            return (left, right)
        case Logical(operands=operands) | Call(arguments=operands):
            return operands
    return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and everything in it, outermost first."""
    yield expression
    for child in children(expression):
        yield from walk(child)


def names(expression: Expression) -> set[str]:
    """Every name used, dotted paths whole."""
    return {part.path for part in walk(expression) if isinstance(part, Name)}


def written(expression: Expression) -> str:
    """The expression in a normal form: equal for expressions that mean the same text. Keys ``days_held`` states."""
    match expression:
        case Literal(value=bool(value)):
            return "true" if value else "false"
        case Literal(value=str(value)):
            return "'" + value.replace("'", "''") + "'"
        case Literal(value=value):
            return f"{value:g}" if float(f"{value:g}") == value else repr(value)
        case Name(path=path):
            return path
        case Negation(operand=operand):
            return f"(-{written(operand)})"
        case Not(operand=operand):
            return f"(not {written(operand)})"
        case (
            Arithmetic(operator=operator, left=left, right=right)
            | Comparison(operator=operator, left=left, right=right)
        ):
            return f"({written(left)} {operator} {written(right)})"
        case Logical(operator=operator, operands=operands):
            return "(" + f" {operator} ".join(map(written, operands)) + ")"
        case Call(function=function, arguments=arguments):
            return f"{function}({', '.join(map(written, arguments))})"
    raise TypeError(expression)
