"""What an index lets districts and streets change, and how far: the key ``adjustable``.

A bound is written ``±20%``, ``±5``, ``+10``, ``-5%`` (of or from the base rule's number), ``[4, 8]``, or, for lights,
``stricter`` (edges may rise and never fall).
"""

from __future__ import annotations

import re

from .bounds import Adjustable, Bound, Changeable
from .expressions import Expression, Literal
from .model import Index, LightRule, Node, Parameter, Target
from .reading import Place
from .source import Scalar, Sequence

KEYS = ("weight", "target", "lights", "parameters")
STRICTER = "stricter"
_BOUND = re.compile(r"(±|\+|-)\s*(\d+(?:\.\d+)?)\s*(%?)")


def parse_adjustable(place: Place) -> Adjustable:
    """The value of ``adjustable``."""
    keys = place.fields(KEYS)
    return Adjustable(
        _one_or_by_code(keys["weight"]) if "weight" in keys else None,
        _one_or_by_code(keys["target"]) if "target" in keys else None,
        _bound(keys["lights"], may_be_stricter=True) if "lights" in keys else None,
        {
            name: _bound(entry)
            for name, entry in (keys["parameters"].entries("{name: ±20%}") if "parameters" in keys else {}).items()
        },
    )


def _one_or_by_code(place: Place) -> Bound | dict[str, Bound]:
    if place.is_mapping:
        return {code: _bound(entry) for code, entry in place.entries("").items()}
    return _bound(place)


def _bound(place: Place, *, may_be_stricter: bool = False) -> Bound:
    if isinstance(place.part, Sequence):
        pair = place.pair()
        low, high = (pair[0].number(), pair[1].number()) if pair else (0.0, 0.0)
        if low > high:
            place.fault(f"{low:g} 要小于 {high:g}", f"{low:g} has to be less than {high:g}")
        return Bound(between=(low, high))
    text = place.part.text.strip() if isinstance(place.part, Scalar) else ""
    if may_be_stricter and text == STRICTER:
        return Bound(up=None)
    found = _BOUND.fullmatch(text)
    if found is None:
        further = f", {STRICTER}" if may_be_stricter else ""
        place.expected(f"范围，如 ±20%, ±5, +10, [4, 8]{further}", f"a bound such as ±20%, ±5, +10, [4, 8]{further}")
        return Bound()
    sign, size, percent = found[1], float(found[2]), bool(found[3])
    return Bound(size if sign in "±-" else 0.0, size if sign in "±+" else 0.0, percent)


# What may be changed ----------------------------------------------------------------------------------------------


def weights_of(index: Index) -> dict[str, Changeable]:
    """The indicators whose weight may be changed, by code, in the order of the tree."""
    return {
        node.code: Changeable(node.weight, bound)
        for node in index.root.walk()
        if not node.children and node.weight is not None and (bound := _of(index.adjustable.weight, node)) is not None
    }


def targets_of(index: Index) -> dict[str, Changeable]:
    """The indicators whose target is a plain number that may be changed, by code."""
    return {
        node.code: Changeable(target, bound)
        for node in index.root.walk()
        if (target := plain_target(node)) is not None and (bound := _of(index.adjustable.target, node)) is not None
    }


def parameters_of(index: Index) -> dict[str, Changeable]:
    """The parameters that may be changed, by name: those that are one number for all."""
    return {
        parameter.name: Changeable(parameter.default, index.adjustable.parameters[parameter.name])
        for parameter in index.parameters
        if parameter.name in index.adjustable.parameters and is_plain(parameter) and parameter.default is not None
    }


def edges_of(index: Index) -> dict[str, Changeable]:
    """The lights whose edge may be changed, by light: those that are below a plain number."""
    if index.adjustable.lights is None:
        return {}
    top = (index.bounds or index.scale)[1]
    return {
        str(light.light): Changeable(edge, index.adjustable.lights, top)
        for light in index.lights
        if light.operator in ("<", "<=") and (edge := edge_of(light)) is not None
    }


def edge_of(light: LightRule) -> float | None:
    """The number that a light compares with; None if it is no plain number."""
    return plain_number(light.operand)


def plain_target(node: Node) -> float | None:
    return plain_number(node.shape.value) if isinstance(node.shape, Target) else None


def plain_number(expression: Expression | None) -> float | None:
    value = expression.value if isinstance(expression, Literal) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def is_plain(parameter: Parameter) -> bool:
    return parameter.by is None


def _of(bounds: Bound | dict[str, Bound] | None, node: Node) -> Bound | None:
    return bounds.get(node.code) if isinstance(bounds, dict) else bounds
