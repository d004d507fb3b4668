"""Lights and levels as sets of numbers: which are lit by nothing, which overlap, and which scores light none.

Thresholds that are plain numbers (or parameters with one value) can be compared; conditions cannot, and what depends
on them is left open.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.entity.labels import Label

from .expressions import Arithmetic, Expression, Literal, Name, Negation
from .model import Light, LightRule
from .reading import listed

_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_BELOW, _ABOVE = ("<", "<="), (">", ">=")


@dataclass(frozen=True)
class Finding:
    """What is wrong with a light, or, with ``light`` None, with all together."""

    light: Light | None
    label: Label


@dataclass(frozen=True)
class _Threshold:
    light: Light
    operator: str
    bound: float

    def holds(self, number: float) -> bool:
        return _HOLDS[self.operator](number, self.bound)


def constant(expression: Expression, parameters: Mapping[str, float]) -> float | None:
    """The number that an expression of numbers and plain parameters is; None if it depends on the subject."""
    match expression:
        case Literal(value=float(value)):
            return value
        case Name(path=path):
            return parameters.get(path)
        case Negation(operand=operand):
            value = constant(operand, parameters)
            return None if value is None else -value
        case Arithmetic(operator=sign, left=left, right=right):
            one, other = constant(left, parameters), constant(right, parameters)
            if one is None or other is None or (sign == "/" and other == 0):
                return None
            return {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[sign](one, other)
    return None


def check_lights(
    rules: Sequence[LightRule],
    parameters: Mapping[str, float],
    reach: tuple[float, float],
    decimals: int | None,
    *,
    must_light: bool,
) -> list[Finding]:
    """What is wrong with the lights of scores (or values) between the bounds of ``reach``, worst light first.

    ``decimals``: what scores are rounded to; ``must_light``: every score has to light something.
    """
    thresholds: list[_Threshold] = []
    is_complete = True
    findings: list[Finding] = []
    covered_by: Light | None = None
    for rule in rules:
        bound = constant(rule.operand, parameters) if rule.operand is not None else None
        if covered_by is not None:
            findings.append(_unreachable(rule.light, [covered_by]))
        elif rule.condition == Literal(True):
            covered_by = rule.light
        elif rule.operator is None or bound is None:
            is_complete = False
        else:
            thresholds.append(_Threshold(rule.light, rule.operator, bound))
    numbers = _samples(thresholds, reach, decimals)
    lit = {number: next((each.light for each in thresholds if each.holds(number)), None) for number in numbers}
    for each in thresholds:
        if each.light not in lit.values():
            worse = [other.light for other in thresholds[: thresholds.index(each)]]
            findings.append(_unreachable(each.light, worse, reach if not any(map(each.holds, numbers)) else None))
    findings += _overlaps(thresholds, numbers)
    if must_light and is_complete and covered_by is None:
        dark = sorted(number for number, light in lit.items() if light is None)
        if dark:
            where = f"{dark[0]:.6g}" if len(dark) == 1 else f"{dark[0]:.6g} … {dark[-1]:.6g}"
            findings.append(
                Finding(
                    None,
                    Label(f"有的得分不对应任何颜色，如 {where}", f"some scores light nothing, such as {where}"),
                )
            )
    return findings


def _unreachable(light: Light, worse: Sequence[Light], reach: tuple[float, float] | None = None) -> Finding:
    if reach is not None:
        low, high = (f"{bound:g}" for bound in reach)
        return Finding(
            light,
            Label(
                f"{light} 永远不会亮：得分只在 {low} 到 {high} 之间",
                f"{light} is unreachable: scores lie between {low} and {high}",
            ),
        )
    codes = listed(worse)
    return Finding(
        light,
        Label(
            f"{light} 永远不会亮：它成立时，更差的 {codes} 总已成立",
            f"{light} is unreachable: wherever it holds, a worse one ({codes}) holds already",
        ),
    )


def _overlaps(thresholds: Sequence[_Threshold], numbers: Sequence[float]) -> list[Finding]:
    """Pairs that look in opposite directions and both hold somewhere, though neither is the other's background."""
    findings = []
    for position, worse in enumerate(thresholds):
        for better in thresholds[position + 1 :]:
            opposite = (worse.operator in _BELOW and better.operator in _ABOVE) or (
                worse.operator in _ABOVE and better.operator in _BELOW
            )
            one = {number for number in numbers if worse.holds(number)}
            other = {number for number in numbers if better.holds(number)}
            both = one & other
            if opposite and both and not one <= other and not other <= one:
                low, high = sorted((worse.bound, better.bound))
                findings.append(
                    Finding(
                        better.light,
                        Label(
                            f"与 {worse.light} 在 {low:g} 和 {high:g} 之间重叠",
                            f"it overlaps with {worse.light} between {low:g} and {high:g}",
                        ),
                    )
                )
    return findings


def _samples(thresholds: Sequence[_Threshold], reach: tuple[float, float], decimals: int | None) -> tuple[float, ...]:
    """Numbers within reach, at least one in every interval that the thresholds cut, and the thresholds themselves."""
    low, high = reach
    bounds = sorted({each.bound for each in thresholds})
    if decimals is not None:
        step = 10.0**-decimals
        near = [math.floor(bound / step) + shift for bound in bounds for shift in (-1, 0, 1, 2)]
        ends = [math.ceil(low / step), math.floor(high / step)]
        found = [round(number * step, decimals) for number in near + [int(end) for end in ends]]
    else:
        inner = [bound for bound in bounds if low < bound < high]
        low_end = low if math.isfinite(low) else min(bounds, default=0.0) - 1.0
        high_end = high if math.isfinite(high) else max(bounds, default=0.0) + 1.0
        corners = sorted({low_end, *inner, high_end})
        middles = [(one + other) / 2 for one, other in pairwise(corners)]
        found = [*corners, *middles]
    return tuple(sorted({number for number in found if low <= number <= high}))
