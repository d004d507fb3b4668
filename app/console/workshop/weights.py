"""Points of the tree: what is left to give out, and how it is given out with one click."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.entity.labels import Label
from app.rules.problems import PathSteps

from .forms.documents import part_at
from .forms.panels import nodes
from .forms.values import label_shown, text_of

TOLERANCE = 1e-9
WHOLE = 100.0
"""What the dimensions of an index add up to where they do so now."""


@dataclass(frozen=True)
class TreeRow:
    """One line of the tree. ``left``: points of this node that its children do not have yet (negative: too many);
    None where nothing has to add up. ``was``: the points in force, where they differ."""

    code: str
    label: Label
    path: PathSteps
    depth: int
    weight: str
    enabled: bool
    is_parent: bool
    left: float | None = None
    was: str | None = None
    is_new: bool = False
    faults: int = 0


def tree_rows(document: dict[str, Any], published: dict[str, Any] | None, faults: dict[str, int]) -> list[TreeRow]:
    """The tree, parents before their children. ``faults``: how many each panel has."""
    before = {node.get("code"): node for _, node in nodes(published)} if published else {}
    rows = []
    for path, node in nodes(document):
        code, weight = text_of(node.get("code")), text_of(node.get("weight"))
        known = before.get(code)
        was = text_of(known.get("weight")) if known is not None else None
        rows.append(
            TreeRow(
                code,
                label_shown(node.get("label")) if node.get("label") else Label(code, code),
                path,
                (len(path) - 2) // 2,
                weight,
                node.get("enabled") is not False,
                isinstance(node.get("children"), list),
                left_of(document, path),
                was if was != weight else None,
                published is not None and known is None,
                faults.get(f"node:{code}", 0),
            )
        )
    return rows


def numbers(children: Any) -> list[float]:
    """The points of the enabled children; what is no number counts as 0."""
    found = []
    for child in children if isinstance(children, list) else ():
        if isinstance(child, dict) and child.get("enabled") is not False:
            weight = child.get("weight")
            found.append(float(weight) if isinstance(weight, int | float) and not isinstance(weight, bool) else 0.0)
    return found


def left_of(document: dict[str, Any], path: PathSteps) -> float | None:
    """The points of a node that its children do not have yet."""
    node = part_at(document, path)
    weight, children = node.get("weight"), node.get("children")
    relative = document.get("weights") == "relative"
    has_points = isinstance(children, list) and any(isinstance(child, dict) and "weight" in child for child in children)
    if relative or not has_points or isinstance(weight, bool) or not isinstance(weight, int | float):
        return None
    enabled = weight - sum(numbers(children))
    every = weight - sum(numbers([{**child, "enabled": True} for child in children if isinstance(child, dict)]))
    return 0.0 if min(abs(enabled), abs(every)) < TOLERANCE else round(enabled, 9)


def total_of(document: dict[str, Any]) -> float:
    """What the dimensions add up to."""
    return round(sum(numbers(document.get("tree"))), 9)


def shared_out(weights: Sequence[float], whole: float, *, evenly: bool = False) -> list[float]:
    """Weights that add up to the whole, in proportion to those given or all equal, in steps as fine as they are:
    whole points where all are whole, else halves, tenths or hundredths. What rounding leaves goes to the greatest
    remainders, so the sum is exact."""
    if not weights:
        return []
    base = [1.0] * len(weights) if evenly or sum(weights) <= 0 else list(weights)
    for step in (1.0, 0.5, 0.1, 0.01):
        units = round(whole / step, 6)
        fits = abs(units - round(units)) < 1e-6 and all(evenly or _multiple(weight, step) for weight in weights)
        if fits and (units >= len(weights) or step == 0.01):
            return in_steps(base, round(units), step)
    return [whole * share / sum(base) for share in base]


def _multiple(number: float, step: float) -> bool:
    return abs(number / step - round(number / step)) < 1e-6


def in_steps(base: Sequence[float], units: int, step: float) -> list[float]:
    """So many steps given out in proportion; what rounding leaves goes to the greatest remainders."""
    exact = [units * share / sum(base) for share in base]
    given = [int(share) for share in exact]
    order = sorted(range(len(base)), key=lambda place: given[place] - exact[place])
    for place in order[: units - sum(given)]:
        given[place] += 1
    return [round(count * step, 6) for count in given]


def plain(weight: float) -> int | float:
    return int(weight) if weight == int(weight) else weight


def balanced(
    document: dict[str, Any], path: PathSteps, *, evenly: bool = False
) -> Iterator[tuple[PathSteps, int | float]]:
    """(path of a child, its new points) so that the enabled children of a node have all of its points; of the tree's
    dimensions with an empty path."""
    parent = part_at(document, path) if path else {"weight": WHOLE, "children": document.get("tree")}
    key = (*path, "children") if path else ("tree",)
    children = parent.get("children") or []
    enabled = [
        place for place, child in enumerate(children) if isinstance(child, dict) and child.get("enabled") is not False
    ]
    weights = numbers(children)
    for place, weight in zip(enabled, shared_out(weights, float(parent["weight"]), evenly=evenly), strict=True):
        yield (*key, place), plain(weight)
