"""How far a number of a rule may be changed by those to whom the rule applies."""

from __future__ import annotations

from dataclasses import dataclass, field

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Bound:
    """How far a number may be from the base rule's: from ``value − down`` to ``value + up``, in per cent of it if
    ``relative``; or ``between`` two numbers. None as ``up``: without end."""

    down: float = 0.0
    up: float | None = 0.0
    relative: bool = False
    between: tuple[float, float] | None = None

    @property
    def only_up(self) -> bool:
        """Whether the number may only rise."""
        return self.between is None and self.down == 0.0

    def limits(self, value: float, end: float | None = None) -> tuple[float, float]:
        """The least and the greatest number allowed in place of ``value``; ``end``: where a bound without end stops."""
        if self.between is not None:
            return self.between
        unit = abs(value) / 100.0 if self.relative else 1.0
        highest = (end if end is not None else value) if self.up is None else value + self.up * unit
        return (round(value - self.down * unit, 9), round(highest, 9))

    def allows(self, number: float, value: float, end: float | None = None) -> bool:
        low, high = self.limits(value, end)
        return low - _TOLERANCE <= number <= high + _TOLERANCE


@dataclass(frozen=True)
class Adjustable:
    """The bounds of an index. ``weight`` and ``target``: of every indicator, or by its code."""

    weight: Bound | dict[str, Bound] | None = None
    target: Bound | dict[str, Bound] | None = None
    lights: Bound | None = None
    parameters: dict[str, Bound] = field(default_factory=dict)


NOTHING_ADJUSTABLE = Adjustable()


@dataclass(frozen=True)
class Changeable:
    """One number of an index that a district or street may change."""

    value: float
    bound: Bound
    end: float | None = None

    @property
    def limits(self) -> tuple[float, float]:
        return self.bound.limits(self.value, self.end)

    def allows(self, number: float) -> bool:
        return self.bound.allows(number, self.value, self.end)
