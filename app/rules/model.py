"""What a rule file says, as values: indices, warnings, metrics, nodes, shapes, lights.

Made by ``app.rules.parsing`` from YAML; everything in it has been read and typed, and every expression parsed. The
meaning of each part is in ``docs/rule-language.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from app.entity.filters import Filter
from app.entity.labels import Label
from app.entity.periods import PeriodKind

from .bounds import NOTHING_ADJUSTABLE, Adjustable
from .expressions import Expression


class Light(StrEnum):
    """The lights of an index and the levels of a warning. Declared worst first; ``no_data`` stands apart."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    BLUE = "blue"
    GREEN = "green"
    NO_DATA = "no_data"


SEVERITY = (Light.RED, Light.ORANGE, Light.YELLOW, Light.BLUE, Light.GREEN)
"""Worst first."""


class Aggregate(StrEnum):
    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    DISTINCT = "distinct"
    LATEST = "latest"
    EXISTS = "exists"
    STREAK = "streak"


class WindowKind(StrEnum):
    """What a metric's ``window`` selects: a calendar unit, a length ending with ``as_of``, valid rows, or all."""

    PERIOD = "period"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"
    DAYS = "days"
    MONTHS = "months"
    YEARS = "years"
    CURRENT = "current"
    ALL = "all"


@dataclass(frozen=True)
class Window:
    kind: WindowKind = WindowKind.ALL
    length: int = 0
    """For DAYS, MONTHS and YEARS (``90d``, ``12m``, ``1y``)."""
    back: int = 0
    """For calendar units: how many whole units before the one that contains ``as_of``."""


@dataclass(frozen=True)
class Metric:
    """One aggregate over the rows of an entity tied to the subject. ``entity`` may be ``index`` or ``warning``."""

    name: str
    aggregate: Aggregate
    entity: str
    of: Expression | None = None
    """Arithmetic over the row's columns (names are columns). For ``index``: Name of ``code`` or ``code.node``."""
    weight: str | None = None
    where: Filter | None = None
    among: Filter | None = None
    via: str | None = None
    over_subtree: bool = False
    window: Window = Window()
    line: int = 0
    label: Label | None = field(default=None, compare=False)
    """What the number is called; without it pages say which rows it was made of. Two metrics that count the same are
    equal, whatever they are called."""


@dataclass(frozen=True)
class Figure:
    """A metric computed from those above it: a string in the rule file."""

    name: str
    expression: Expression
    line: int = 0


@dataclass(frozen=True)
class Parameter:
    """A named number, or one per value of a column of the subject with a default."""

    name: str
    default: float | None
    by: str | None = None
    values: dict[str, float] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True)
class Target:
    value: Expression


@dataclass(frozen=True)
class Range:
    low: Expression
    high: Expression
    logarithmic: bool = False


@dataclass(frozen=True)
class ObservedRange:
    logarithmic: bool = False


@dataclass(frozen=True)
class Bands:
    steps: tuple[tuple[float, float], ...]
    """(from, score), ascending by from."""


@dataclass(frozen=True)
class Curve:
    points: tuple[tuple[float, float], ...]
    """(value, score), ascending by value."""


@dataclass(frozen=True)
class Categories:
    scores: dict[str, float]


@dataclass(frozen=True)
class Percentile:
    pass


@dataclass(frozen=True)
class ZScore:
    pass


@dataclass(frozen=True)
class Formula:
    expression: Expression


Shape = Target | Range | ObservedRange | Bands | Curve | Categories | Percentile | ZScore | Formula


class Combine(StrEnum):
    ARITHMETIC = "arithmetic"
    GEOMETRIC = "geometric"
    MINIMUM = "minimum"


class Missing(StrEnum):
    """What a node does when its own score is missing."""

    SKIP = "skip"
    ZERO = "zero"
    PEER_AVERAGE = "peer_average"
    FAIL = "fail"


Condition = Filter | Expression
"""One condition of an ``applies_to``: a filter over the subject's columns, or an expression."""


@dataclass(frozen=True)
class Node:
    """A node of an index's tree: it has children, or a value and at most one shape."""

    code: str
    label: Label
    weight: float | None = None
    children: tuple[Node, ...] = ()
    combine: Combine = Combine.ARITHMETIC
    value: Expression | None = None
    shape: Shape | None = None
    reverse: bool = False
    missing: Missing = Missing.SKIP
    applies_to: tuple[Condition, ...] = ()
    enabled: bool = True
    basis: Label | None = None
    line: int = 0

    def walk(self, *, disabled: bool = False) -> Iterator[Node]:
        """This node and those below it that are enabled, or all, parents first."""
        if self.enabled or disabled:
            yield self
            for child in self.children:
                yield from child.walk(disabled=disabled)


ROOT_CODE = ""
"""The code of the root node, which is the index itself."""


@dataclass(frozen=True)
class Adjustment:
    """A bonus or penalty: ``each`` points for every unit of ``value``, ``at_most`` so many."""

    code: str
    label: Label
    value: Expression
    each: float
    at_most: float | None = None
    line: int = 0


@dataclass(frozen=True)
class Veto:
    code: str
    label: Label
    when: Expression
    cap: float
    line: int = 0


@dataclass(frozen=True)
class RollUp:
    own: float
    children: float
    weight: str | None = None
    """A metric or column of each child; None weighs children equally."""


@dataclass(frozen=True)
class LightRule:
    """When a light or level holds. ``operator`` and ``operand`` for text that begins with an operator (it compares
    the score or the value, and moves with ``recover``); ``condition`` for anything else."""

    light: Light
    operator: str | None = None
    operand: Expression | None = None
    condition: Expression | None = None
    line: int = 0


@dataclass(frozen=True)
class Rule:
    """What indices and warnings share."""

    code: str
    label: Label
    subject: str
    file: str
    version: str
    """SHA-256 of the file's bytes."""
    source_text: str = field(default="", repr=False, compare=False)
    applies_to: tuple[Condition, ...] = ()
    period: PeriodKind | None = None
    parameters: tuple[Parameter, ...] = ()
    metrics: tuple[Metric | Figure, ...] = ()
    recover: float = 0.0
    effective_from: date | None = None
    basis: Label | None = None


@dataclass(frozen=True)
class Index(Rule):
    root: Node = Node(ROOT_CODE, Label("", ""))
    peers: tuple[str, ...] = ()
    scale: tuple[float, float] = (0.0, 100.0)
    decimals: int | None = None
    bonus: tuple[Adjustment, ...] = ()
    penalty: tuple[Adjustment, ...] = ()
    bonus_at_most: float | None = None
    penalty_at_most: float | None = None
    bounds: tuple[float, float] | None = None
    """None means the scale."""
    veto: tuple[Veto, ...] = ()
    roll_up: RollUp | None = None
    lights: tuple[LightRule, ...] = ()
    """Worst first."""
    grades: tuple[tuple[float, Label], ...] = ()
    min_coverage: float = 0.0
    weights_are_points: bool = True
    adjustable: Adjustable = NOTHING_ADJUSTABLE
    """What districts and streets may change of it (``app.rules.adjustments``)."""


@dataclass(frozen=True)
class Warning(Rule):
    value: Expression | None = None
    reading: Label | None = None
    """The value in words, with ``{value}`` (or ``{percent}``, the value times 100) where the number stands."""
    levels: tuple[LightRule, ...] = ()
    """Worst first."""
    handle_within: dict[Light, int] = field(default_factory=dict)
    """Days by level."""
    notify: dict[Light, tuple[str, ...]] = field(default_factory=dict)
