"""What an expression's values are, worked out before it runs: numbers, truth, text, dates; and what cannot be.

Nothing here knows of files: what is wrong is told to a listener with its position in the expression.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from app.entity.filters import Column, UnknownColumn, resolve_column
from app.entity.filters.columns import Source
from app.entity.labels import Label
from app.entity.registry import FieldKind, Registry

from .expression_parser import FUNCTIONS
from .expressions import Arithmetic, Call, Comparison, Expression, Literal, Logical, Name, Negation, Not
from .reading import listed, meant


class Kind(StrEnum):
    """The kinds of values. ENCRYPTED can only be asked whether it is there; UNKNOWN goes with all, where the fault has
    been told already."""

    NUMBER = "number"
    TRUTH = "truth"
    TEXT = "text"
    DATE = "date"
    ENCRYPTED = "encrypted"
    UNKNOWN = "unknown"

    @property
    def label(self) -> Label:
        return _KIND_LABELS[self]


_KIND_LABELS = {
    Kind.NUMBER: Label("数", "a number"),
    Kind.TRUTH: Label("真假值", "a truth value"),
    Kind.TEXT: Label("文字", "text"),
    Kind.DATE: Label("日期", "a date"),
    Kind.ENCRYPTED: Label("加密字段", "an encrypted column"),
    Kind.UNKNOWN: Label("未知", "unknown"),
}

_OF_FIELD = {
    FieldKind.TEXT: Kind.TEXT,
    FieldKind.LONG_TEXT: Kind.TEXT,
    FieldKind.CODE: Kind.TEXT,
    FieldKind.INTEGER: Kind.NUMBER,
    FieldKind.DECIMAL: Kind.NUMBER,
    FieldKind.BOOLEAN: Kind.TRUTH,
    FieldKind.DATE: Kind.DATE,
    FieldKind.MOMENT: Kind.DATE,
    FieldKind.PERIOD: Kind.DATE,
    FieldKind.ENCRYPTED: Kind.ENCRYPTED,
    FieldKind.REFERENCE: Kind.NUMBER,
}


@dataclass(frozen=True)
class Type:
    """What is known of an expression's values."""

    kind: Kind
    codes: tuple[str, ...] | None = None
    """The only texts possible, for codes of a list."""
    is_share: bool = False
    """Never below 0 nor above 1."""

    @property
    def is_numeric(self) -> bool:
        """Usable as a number: truth counts as 1 and 0."""
        return self.kind in (Kind.NUMBER, Kind.TRUTH, Kind.UNKNOWN)


NUMBER, TRUTH, TEXT, DATE, UNKNOWN = (
    Type(Kind.NUMBER),
    Type(Kind.TRUTH, is_share=True),
    Type(Kind.TEXT),
    Type(Kind.DATE),
    Type(Kind.UNKNOWN),
)
SHARE = Type(Kind.NUMBER, is_share=True)

Tell = Callable[[int, Label], None]
"""Takes a position in the expression, from 0, and what is wrong there."""


def type_of_column(column: Column) -> Type:
    """The type of a column's values; a bare relation is the code of the row it leads to."""
    if column.relation is not None:
        return TEXT
    return Type(_OF_FIELD[column.kind], column.codes, is_share=column.kind is FieldKind.BOOLEAN)


@dataclass(frozen=True)
class Scope:
    """The names that an expression may use, and what each is."""

    names: Mapping[str, Type]
    """Metrics, parameters and dates; they come before columns."""
    columns: Source | None
    entities: Registry
    unavailable: Mapping[str, Label]
    """Names that exist elsewhere only, with what to say."""
    has_period: bool = True
    may_hold: bool = False
    """Whether ``days_held`` may be asked: in warnings."""
    wholes: Mapping[str, Collection[str]] = field(default_factory=dict)
    """For names of counts, the names of those that never are less."""
    functions: Collection[str] = tuple(FUNCTIONS)
    """Those that may be used: not all, within the rows of a metric."""

    def with_names(self, **names: Type) -> Scope:
        known = {**self.names, **names}
        return replace(self, names=known, unavailable={k: v for k, v in self.unavailable.items() if k not in names})


def infer(expression: Expression, scope: Scope, tell: Tell) -> Type:
    """The type of an expression's values; everything that cannot be is told."""
    return _Inference(scope, tell).of(expression)


def require_truth(expression: Expression, scope: Scope, tell: Tell) -> None:
    """Tell unless the expression is a condition."""
    _Inference(scope, tell).truth(expression)


def compatible(one: Type, other: Type) -> bool:
    """Whether values of two types can be compared."""
    if Kind.UNKNOWN in (one.kind, other.kind) or (one.is_numeric and other.is_numeric):
        return True
    return one.kind is other.kind and one.kind in (Kind.TEXT, Kind.DATE)


@dataclass(frozen=True)
class _Inference:
    scope: Scope
    tell: Tell

    def of(self, expression: Expression) -> Type:
        match expression:
            case Literal(value=bool()):
                return TRUTH
            case Literal(value=str(value)):
                return Type(Kind.TEXT, (value,))
            case Literal(value=value):
                return Type(Kind.NUMBER, is_share=0 <= value <= 1)
            case Name():
                return self.name(expression)
            case Negation(operand=operand):
                self.number(operand)
                return NUMBER
            case Not(operand=operand):
                self.truth(operand)
                return TRUTH
            case Arithmetic(operator=sign, left=left, right=right):
                self.number(left)
                self.number(right)
                return SHARE if sign == "/" and self.is_part(left, right) else NUMBER
            case Logical(operands=operands):
                for operand in operands:
                    self.truth(operand)
                return TRUTH
            case Comparison():
                return self.comparison(expression)
            case Call():
                return self.call(expression)
        raise TypeError(expression)

    def name(self, name: Name) -> Type:
        known = self.scope.names.get(name.path)
        if known is not None:
            return known
        if name.path in self.scope.unavailable:
            self.tell(name.position, self.scope.unavailable[name.path])
            return UNKNOWN
        if self.scope.columns is None:
            return UNKNOWN
        try:
            return type_of_column(resolve_column(self.scope.columns, name.path, self.scope.entities))
        except UnknownColumn as error:
            self.tell(name.position, self.unknown(name.path, error))
            return UNKNOWN

    def is_part(self, part: Expression, whole: Expression) -> bool:
        return isinstance(part, Name) and isinstance(whole, Name) and whole.path in self.scope.wholes.get(part.path, ())

    def unknown(self, path: str, error: UnknownColumn) -> Label:
        if "." in path:
            return error.label
        allowed = [*self.scope.names, *error.allowed]
        hint = meant(path, allowed)
        return Label(
            f"没有“{path}”{hint.zh or '；'}可用：{listed(allowed)}",
            f"there is no “{path}”{hint.en or ';'} allowed: {listed(allowed)}",
        )

    def expect(self, expression: Expression, fits: Callable[[Type], bool], what: Label) -> Type:
        found = self.of(expression)
        if not fits(found) and found.kind is not Kind.UNKNOWN:
            self.tell(
                expression.position,
                Label(
                    f"这里要{what.zh}，而不是{found.kind.label.zh}", f"expected {what.en}, not {found.kind.label.en}"
                ),
            )
        return found

    def number(self, expression: Expression) -> Type:
        return self.expect(expression, lambda found: found.is_numeric, Kind.NUMBER.label)

    def date(self, expression: Expression) -> Type:
        return self.expect(expression, lambda found: found.kind is Kind.DATE, Kind.DATE.label)

    def truth(self, expression: Expression) -> None:
        what = Label("条件（真假值，如 x > 0）", "a condition (a truth value such as x > 0)")
        self.expect(expression, lambda found: found.kind is Kind.TRUTH, what)

    def comparison(self, comparison: Comparison) -> Type:
        left, right = self.of(comparison.left), self.of(comparison.right)
        if not compatible(left, right):
            self.tell(
                comparison.position,
                Label(
                    f"{left.kind.label.zh}不能和{right.kind.label.zh}比较",
                    f"{left.kind.label.en} cannot be compared with {right.kind.label.en}",
                ),
            )
        elif Kind.TEXT in (left.kind, right.kind):
            if comparison.operator not in ("==", "!="):
                self.tell(
                    comparison.position,
                    Label("文字只能用 == 和 != 比较", "texts are compared by == and != only"),
                )
            self.codes(comparison.left, right)
            self.codes(comparison.right, left)
        return TRUTH

    def codes(self, literal: Expression, other: Type) -> None:
        """Tell of a text that is compared with codes it is none of."""
        value = literal.value if isinstance(literal, Literal) else None
        if isinstance(value, str) and other.codes is not None and value not in other.codes:
            self.tell(
                literal.position,
                Label(
                    f"“{value}”不是它的代码；可用：{listed(other.codes)}",
                    f"“{value}” is none of its codes; allowed: {listed(other.codes)}",
                ),
            )

    def call(self, call: Call) -> Type:
        arguments = call.arguments
        if call.function not in self.scope.functions:
            allowed = listed(self.scope.functions)
            self.tell(
                call.position,
                Label(
                    f"这里不能用 {call.function}；可用：{allowed}",
                    f"{call.function} cannot be used here; allowed: {allowed}",
                ),
            )
            return UNKNOWN
        match call.function:
            case "if":
                self.truth(arguments[0])
                return self.same(call, arguments[1:])
            case "coalesce":
                return self.same(call, arguments)
            case "min" | "max":
                found = self.same(call, arguments)
                if found.kind not in (Kind.NUMBER, Kind.TRUTH, Kind.DATE, Kind.UNKNOWN):
                    self.tell(
                        call.position,
                        Label(f"{call.function} 只用于数和日期", f"{call.function} takes numbers or dates"),
                    )
                return found
            case "abs" | "round":
                types = [self.number(argument) for argument in arguments]
                if call.function == "round" and not _is_whole(arguments[1]):
                    self.tell(
                        arguments[1].position,
                        Label("round 的位数要写成整数", "round takes its digits as a whole number written out"),
                    )
                return Type(Kind.NUMBER, is_share=types[0].is_share)
            case "log":
                self.number(arguments[0])
                return NUMBER
            case "filled":
                for argument in arguments:
                    self.of(argument)
                return SHARE
            case "days_held":
                if not self.scope.may_hold:
                    self.tell(call.position, Label("days_held 只用于预警", "days_held belongs into warnings only"))
                self.truth(arguments[0])
                return NUMBER
            case "date":
                for argument in arguments:
                    self.number(argument)
                return DATE
            case "add_days" | "add_months":
                self.date(arguments[0])
                self.number(arguments[1])
                return DATE
        if call.function == "periods_since" and not self.scope.has_period:
            self.tell(
                call.position,
                Label("规则没有 period，不能用 periods_since", "periods_since needs a rule with a period"),
            )
        for argument in arguments:
            self.date(argument)
        return NUMBER

    def same(self, call: Call, arguments: Iterable[Expression]) -> Type:
        """The common type of arguments of which any may be the result."""
        types = [(argument, self.of(argument)) for argument in arguments]
        known = [found for _, found in types if found.kind is not Kind.UNKNOWN]
        if not known:
            return UNKNOWN
        first = known[0]
        for argument, found in types:
            if not compatible(first, found):
                self.tell(
                    argument.position,
                    Label(
                        f"{call.function} 的各个值要是同一类；这里是{found.kind.label.zh}，前面是{first.kind.label.zh}",
                        f"the values of {call.function} have to be of one kind; "
                        f"this is {found.kind.label.en}, after {first.kind.label.en}",
                    ),
                )
                return UNKNOWN
        if first.is_numeric:
            is_truth = all(found.kind is Kind.TRUTH for found in known)
            return Type(Kind.TRUTH if is_truth else Kind.NUMBER, is_share=all(found.is_share for found in known))
        lists = [found.codes for found in known]
        codes = None if None in lists else tuple(dict.fromkeys(code for codes in lists if codes for code in codes))
        return Type(first.kind, codes)


def _is_whole(expression: Expression) -> bool:
    """Whether an expression is a whole number written out."""
    number = expression.operand if isinstance(expression, Negation) else expression
    return isinstance(number, Literal) and isinstance(number.value, float) and number.value.is_integer()
