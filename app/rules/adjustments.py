"""What a district or street changes of an index, within the bounds that the index declares.

One adjustment a file, ``rules/adjustments/<code>.yaml``. It belongs to one organization and applies to it and all below
it. Where several organizations above one another adjust an index, the nearest decides each number; weights are decided
for all siblings together, so that they still add up, and an edge that may only rise is the highest of all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.entity.labels import Label

from .adjustable import edge_of, edges_of, parameters_of, targets_of, weights_of
from .bounds import Changeable
from .differences import LIGHTS
from .expressions import Literal, names
from .model import Index, LightRule, Node, Rule, Target
from .parsing import read_file
from .problems import Problem
from .reading import Report, listed
from .source import Part
from .threshold_checks import check_lights

KINDS = {
    "weights": Label("权重", "weight"),
    "targets": Label("目标", "target"),
    "parameters": Label("参数", "parameter"),
    "lights": Label("分界", "edge"),
}


@dataclass(frozen=True)
class LocalAdjustment(Rule):
    """An adjustment as its file says it. It is a rule with a version of its own, but evaluated only on its index."""

    base: str = ""
    """The code of the index."""
    under: str = ""
    """The code of the organization that adjusts it for itself and all below it."""
    weights: dict[str, float] = field(default_factory=dict)
    targets: dict[str, float] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    """Of parameters, by name."""
    edges: dict[str, float] = field(default_factory=dict)
    """By light."""

    @property
    def changes(self) -> dict[str, dict[str, float]]:
        """By kind (``KINDS``)."""
        return {
            "weights": self.weights,
            "targets": self.targets,
            "parameters": self.numbers,
            "lights": self.edges,
        }

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing: the base rule is wanted again."""
        return not any(self.changes.values())


@dataclass(frozen=True)
class Changed:
    """One number that an adjustment changes, for people."""

    kind: str
    code: str
    name: Label
    base: float
    value: float


# Whether it fits ---------------------------------------------------------------------------------------------------


def changeable(index: Index) -> dict[str, dict[str, Changeable]]:
    """All that may be changed of an index, by kind and code."""
    return {
        "weights": weights_of(index),
        "targets": targets_of(index),
        "parameters": parameters_of(index),
        "lights": edges_of(index),
    }


def misfits(adjustment: LocalAdjustment, index: Index | None, root: Part | None = None) -> list[Problem]:
    """Why an adjustment cannot apply to an index: what it changes is gone, may not be changed, or not so far. ``root``:
    its file's parts, for the lines."""
    if root is None:
        root = read_file(adjustment.source_text.encode(), adjustment.file)[0]
    assert root is not None
    report = Report(adjustment.file, root)
    if index is None:
        report.add(
            ("base",),
            Label(f"没有生效的指数“{adjustment.base}”", f"there is no index “{adjustment.base}” in force"),
        )
        return report.problems
    allowed = changeable(index)
    for kind, changes in adjustment.changes.items():
        for code, number in changes.items():
            what = allowed[kind].get(code)
            if what is None:
                label = _not_allowed(index, kind, code, allowed[kind])
            elif not what.allows(number):
                label = _too_far(name_of(index, kind, code), number, what)
            else:
                continue
            report.add((kind, code), label)
    if not report.problems:
        _check_whole(adjustment, index, report)
    return report.problems


def _not_allowed(index: Index, kind: str, code: str, allowed: Mapping[str, Changeable]) -> Label:
    known = listed(allowed)
    name = name_of(index, kind, code)
    return Label(
        f"{index.label.zh}不允许调整“{name.zh}”的{KINDS[kind].zh}；可以调整：{known}",
        f"{index.label.en} lets nobody change the {KINDS[kind].en} of “{name.en}”; what may be changed: {known}",
    )


def _too_far(name: Label, number: float, what: Changeable) -> Label:
    low, high = what.limits
    return Label(
        f"{name.zh}：{number:g} 超出允许的范围 {low:g} 到 {high:g}（基础规则为 {what.value:g}）",
        f"{name.en}: {number:g} is outside what is allowed, {low:g} to {high:g} (the base rule has {what.value:g})",
    )


def _check_whole(adjustment: LocalAdjustment, index: Index, report: Report) -> None:
    """Siblings' weights keep their sum; lights can all still be reached."""
    for parent in index.root.walk():
        moved = [child for child in parent.children if child.code in adjustment.weights]
        if not moved:
            continue
        before = sum(child.weight or 0.0 for child in parent.children)
        after = sum(adjustment.weights.get(child.code, child.weight or 0.0) for child in parent.children)
        if index.weights_are_points and not math.isclose(before, after, abs_tol=1e-6):
            name = parent.label
            report.add(
                ("weights",),
                Label(
                    f"“{name.zh}”下各项权重合计 {after:g}，要等于基础规则的 {before:g}",
                    f"the weights within “{name.en}” add up to {after:g}; they have to add up to {before:g}, as in the "
                    "base rule",
                ),
            )
    if adjustment.edges:
        constants = {each.name: each.default for each in index.parameters if each.by is None and each.default}
        lights = _with_edges(index.lights, adjustment.edges)
        for finding in check_lights(lights, constants, index.bounds or index.scale, index.decimals, must_light=True):
            report.add(("lights", str(finding.light)) if finding.light else ("lights",), finding.label)


# What it makes of the index -----------------------------------------------------------------------------------------


def applied(index: Index, chain: Sequence[LocalAdjustment]) -> Index:
    """The index as adjusted by organizations above one another, the highest first. Its code is the nearest's."""
    if not chain:
        return index
    numbers = {name: number for each in chain for name, number in each.numbers.items()}
    targets = {code: number for each in chain for code, number in each.targets.items()}
    weights = _weights(index, chain)
    parameters = tuple(
        replace(each, default=numbers[each.name]) if each.name in numbers else each for each in index.parameters
    )
    edges = _edges(index, chain)
    return replace(
        index,
        code=chain[-1].code,
        root=_changed(index.root, weights, targets),
        parameters=parameters,
        lights=_with_edges(index.lights, edges) if edges else index.lights,
    )


def changed_numbers(index: Index, chain: Sequence[LocalAdjustment]) -> list[Changed]:
    """What an adjusted index has otherwise than its base."""
    result = applied(index, chain)
    before = {node.code: node for node in index.root.walk()}
    found = []
    for node in result.root.walk():
        was = before[node.code]
        if node.weight != was.weight and node.weight is not None and was.weight is not None:
            found.append(Changed("weights", node.code, node.label, was.weight, node.weight))
        if node.shape != was.shape:
            ends = [shape.value.value for shape in (was.shape, node.shape) if isinstance(shape, Target)]
            found.append(Changed("targets", node.code, node.label, *ends))
    defaults = {each.name: each.default for each in index.parameters}
    for each in result.parameters:
        if each.default != defaults[each.name]:
            name = name_of(index, "parameters", each.name)
            found.append(Changed("parameters", each.name, name, defaults[each.name], each.default))
    for light, now in zip(index.lights, result.lights, strict=True):
        if light.operator in ("<", "<=") and edge_of(light) != edge_of(now):
            name = name_of(index, "lights", str(light.light))
            found.append(Changed("lights", str(light.light), name, edge_of(light), edge_of(now)))
    return found


def in_words(changed: Sequence[Changed]) -> list[Label]:
    """“黄灯分界 80 → 85”."""
    return [
        Label(
            f"{each.name.zh}的{KINDS[each.kind].zh} {each.base:g} → {each.value:g}",
            f"{KINDS[each.kind].en} of {each.name.en} {each.base:g} → {each.value:g}",
        )
        for each in changed
    ]


def name_of(index: Index, kind: str, code: str) -> Label:
    """What people call what an adjustment changes: the indicator, the light, or, of a parameter, the indicator that it
    is the target of."""
    if kind == "lights":
        return LIGHTS.get(code, Label(code, code))
    if kind == "parameters":
        for node in index.root.walk():
            if isinstance(node.shape, Target) and code in _names(node):
                return Label(f"{node.label.zh}（应有数）", f"{node.label.en} (due)")
        return Label(code, code)
    return next((node.label for node in index.root.walk() if node.code == code), Label(code, code))


def _names(node: Node) -> Iterator[str]:
    assert isinstance(node.shape, Target)
    yield from names(node.shape.value)


def _weights(index: Index, chain: Sequence[LocalAdjustment]) -> dict[str, float]:
    """The nearest adjustment that names any of some siblings decides all of them."""
    found: dict[str, float] = {}
    for parent in index.root.walk():
        codes = {child.code for child in parent.children}
        nearest = next((each for each in reversed(chain) if codes & each.weights.keys()), None)
        if nearest is not None:
            found |= {code: nearest.weights[code] for code in codes & nearest.weights.keys()}
    return found


def _edges(index: Index, chain: Sequence[LocalAdjustment]) -> dict[str, float]:
    found: dict[str, float] = {}
    only_up = index.adjustable.lights is not None and index.adjustable.lights.only_up
    for each in chain:
        for light, edge in each.edges.items():
            found[light] = max(edge, found.get(light, edge)) if only_up else edge
    return found


def _changed(node: Node, weights: Mapping[str, float], targets: Mapping[str, float]) -> Node:
    children = tuple(_changed(child, weights, targets) for child in node.children)
    shape = Target(Literal(float(targets[node.code]))) if node.code in targets else node.shape
    return replace(node, weight=weights.get(node.code, node.weight), shape=shape, children=children)


def _with_edges(lights: Sequence[LightRule], edges: Mapping[str, float]) -> tuple[LightRule, ...]:
    """Lights with other edges. A light that looks the other way from the same edge goes along: green begins where
    yellow ends."""
    moved = {
        edge_of(light): edges[light.light] for light in lights if light.operator in ("<", "<=") and light.light in edges
    }
    return tuple(
        replace(light, operand=Literal(float(edges[light.light])))
        if light.operator in ("<", "<=") and light.light in edges
        else replace(light, operand=Literal(float(moved[edge_of(light)])))
        if light.operator in (">", ">=") and edge_of(light) in moved
        else light
        for light in lights
    )
