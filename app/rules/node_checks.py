"""The tree of an index: weights that add up, shapes that fit their values, and hints where nothing can reach them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .expression_types import Kind, Scope, Type, infer
from .ground import Ground
from .model import (
    Bands,
    Categories,
    Curve,
    Formula,
    Index,
    Node,
    ObservedRange,
    Percentile,
    Range,
    Target,
    ZScore,
)
from .problems import PathSteps
from .threshold_checks import constant

TOLERANCE = 1e-9


def check_nodes(index: Index, scope: Scope, ground: Ground, parameters: Mapping[str, float]) -> None:
    """``parameters`` are those with one value for all subjects."""
    _Nodes(index, scope, ground, parameters).below(index.root, ())


class _Nodes:
    def __init__(self, index: Index, scope: Scope, ground: Ground, parameters: Mapping[str, float]) -> None:
        self.index, self.scope, self.ground, self.parameters = index, scope, ground, parameters

    def below(self, parent: Node, place: PathSteps) -> None:
        key = "children" if place else "tree"
        if not any(child.enabled for child in parent.children):
            self.ground.fault((*place, key), "节点都停用了", "every node of it is disabled")
        for position, child in enumerate(parent.children):
            self.node(child, (*place, key, position))

    def node(self, node: Node, place: PathSteps) -> None:
        self.ground.conditions(node.applies_to, (*place, "applies_to"), self.scope)
        if node.children:
            self.weights(node, place)
            self.below(node, place)
        elif node.value is not None:
            self.shape(node, infer(node.value, self.scope, self.ground.tell_at(*place, "value")), place)

    def weights(self, node: Node, place: PathSteps) -> None:
        """With points, the children's weights add up to the node's own, those of disabled nodes counted or not."""
        if not self.index.weights_are_points or node.weight is None or node.children[0].weight is None:
            return
        every = sum(child.weight or 0.0 for child in node.children)
        enabled = sum(child.weight or 0.0 for child in node.children if child.enabled)
        if all(not math.isclose(total, node.weight, abs_tol=TOLERANCE) for total in (every, enabled)):
            self.ground.fault(
                (*place, "weight"),
                f"下级权重合计 {every:g}，与本节点的 {node.weight:g} 不符（不需要相符时写 weights: relative）",
                f"the children's weights add up to {every:g}, not to this node's {node.weight:g} "
                "(where they need not, write weights: relative)",
            )

    def shape(self, node: Node, value: Type, place: PathSteps) -> None:
        ground, score = self.ground, (*place, "score")
        if isinstance(node.shape, Categories):
            if value.kind not in (Kind.TEXT, Kind.TRUTH, Kind.UNKNOWN):
                ground.fault(
                    (*place, "value"),
                    f"categories 要用文字或代码，而不是{value.kind.label.zh}",
                    f"categories need text or codes, not {value.kind.label.en}",
                )
            ground.codes(node.shape.scores, value, (*score, "categories"))
            self.hint_clipped(list(node.shape.scores.items()), (*score, "categories"))
            return
        if not value.is_numeric:
            ground.fault(
                (*place, "value"),
                f"这里要数，而不是{value.kind.label.zh}；代码用 score: {{categories: …}} 计分",
                f"expected a number, not {value.kind.label.en}; codes are scored by score: {{categories: …}}",
            )
        match node.shape:
            case Target(value=target):
                ground.number(target, (*score, "target"), self.scope)
                self.hint_target(constant(target, self.parameters), value, (*score, "target"))
            case Range():
                self.range(node.shape, value, (*score, "range"))
            case Bands(steps=pairs):
                self.pairs(pairs, value, (*score, "bands"))
            case Curve(points=pairs):
                self.pairs(pairs, value, (*score, "curve"))
            case Formula(expression=expression):
                scope = self.scope.with_names(value=value)
                ground.number(expression, (*score, "formula"), scope)
            case ObservedRange() | Percentile() | ZScore():
                return
            case None if value.is_share:
                ground.hint(
                    place,
                    "值最多是 1，没有 score 时就是 1 分；也许要写 score: {target: 1}",
                    "the value is at most 1 and without score that is 1 point; perhaps score: {target: 1} is meant",
                )

    def range(self, shape: Range, value: Type, place: PathSteps) -> None:
        ends = []
        for position, end in enumerate((shape.low, shape.high)):
            self.ground.number(end, (*place, position), self.scope)
            ends.append(constant(end, self.parameters))
            if shape.logarithmic and ends[-1] is not None and ends[-1] <= 0:
                self.ground.fault(
                    (*place, position),
                    f"取对数的范围两端都要大于 0，这里是 {ends[-1]:g}，永远没有得分；"
                    "请改为大于 0 的数，或去掉 scale: log",
                    f"both ends of a logarithmic range have to be above 0, this is {ends[-1]:g} and there would never "
                    "be a score; write a number above 0, or leave out scale: log",
                )
        low, high = ends
        if low is not None and low == high:
            self.ground.fault(
                place,
                f"两端都是 {low:g}，永远没有得分；请写成不同的数，只看是否达到时用 score: {{bands: [[{low:g}, 100]]}}",
                f"both ends are {low:g} and there would never be a score; write two different numbers, or, where only "
                f"reaching it counts, score: {{bands: [[{low:g}, 100]]}}",
            )
        if value.is_share and low is not None and high is not None and max(low, high) > 1:
            self.ground.hint(
                place,
                f"值最多是 1，达不到 {max(low, high):g}",
                f"the value is at most 1 and never reaches {max(low, high):g}",
            )

    def hint_target(self, target: float | None, value: Type, place: PathSteps) -> None:
        if target is not None and target <= 0:
            self.ground.hint(
                place, f"目标是 {target:g}，总是没有得分", f"the target is {target:g}; there will never be a score"
            )
        elif target is not None and target > 1 and value.is_share:
            self.ground.hint(
                place,
                f"值最多是 1，达不到目标 {target:g}",
                f"the value is at most 1 and never reaches the target {target:g}",
            )

    def pairs(self, pairs: tuple[tuple[float, float], ...], value: Type, place: PathSteps) -> None:
        self.ground.ascending([start for start, _ in pairs], place)
        self.hint_clipped(list(enumerate(score for _, score in pairs)), place)
        for position, (start, _) in enumerate(pairs):
            if value.is_share and start > 1:
                self.ground.hint(
                    (*place, position),
                    f"值最多是 1，达不到 {start:g}",
                    f"the value is at most 1 and never reaches {start:g}",
                )

    def hint_clipped(self, scores: list[tuple[int, float]] | list[tuple[str, float]], place: PathSteps) -> None:
        for step, score in scores:
            if not 0 <= score <= 100:
                self.ground.hint(
                    (*place, step),
                    f"得分在 0 到 100 之间，{score:g} 会被截断",
                    f"scores lie between 0 and 100; {score:g} is clipped",
                )
