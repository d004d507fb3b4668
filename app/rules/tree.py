"""The tree of an index: each node's score from its children's, and what each node weighed and lost.

Columns of a node, named by ``column_of_node``: ``value``, ``own`` (its score, missing where it has none), ``score``
(what its parent counts: the same, or what ``missing`` puts in its place), ``target`` (of that shape), ``weight``,
``lost``, ``reason``; and while scoring ``applies``, ``failed``, ``mean``.
"""

from __future__ import annotations

import polars as pl

from .expression_frames import Kind, Typed
from .frames import Reason
from .model import Combine, Index, Missing, Node, Target
from .peer_statistics import Population, column_of_node
from .rule_figures import APPLIES, Figures
from .shapes import depends_on_others, shaped

COVERAGE = "coverage"
FAILED = "#failed"


class Tree:
    """Scores the tree of one index over a frame of subjects, height by height."""

    def __init__(self, index: Index, figures: Figures, population: Population) -> None:
        self.root = index.root
        self.span = index.scale[1] - index.scale[0]
        self.figures = figures
        self.population = population
        self.applies: dict[str, str] = {}
        self.values: dict[str, Typed] = {}
        self.failing = {node.code for node in self.root.walk() if any(n.missing is Missing.FAIL for n in node.walk())}

    def score(self) -> None:
        """Adds the nodes' columns, ``coverage`` and ``#failed`` to the figures' frame."""
        self._apply(self.root, APPLIES)
        self._read_values()
        self._score_leaves()
        for level in self._levels_from_leaves():
            self._combine([node for node in level if node.children])
            self._settle(level)
        self._cover()
        self._weigh()

    # From the root down: where nodes apply -------------------------------------------------------------------------

    def _apply(self, node: Node, above: str) -> None:
        """A node applies where its conditions hold and every node above it applies."""
        self.applies[node.code] = above
        if node.applies_to:
            self.applies[node.code] = _of(node, "applies")
            holds = pl.col(above) & self.figures.all_of(node.applies_to)
            self._add([holds.alias(self.applies[node.code])])
        for child in enabled(node):
            self._apply(child, self.applies[node.code])

    # Leaves --------------------------------------------------------------------------------------------------------

    def _read_values(self) -> None:
        columns = []
        for node in self._leaves():
            if node.value is None:
                value = Typed(pl.lit(None, dtype=pl.Float64), Kind.NUMBER)
            else:
                value = self.figures.compiler.value(node.value)
            name = _of(node, "value")
            self.values[node.code] = Typed(pl.col(name), value.kind)
            columns.append(pl.when(self.applies[node.code]).then(value.frame).alias(name))
            if isinstance(node.shape, Target):
                due = self.figures.compiler.number(node.shape.value)
                columns.append(pl.when(self.applies[node.code]).then(due).alias(_of(node, "target")))
        self._add(columns)

    def _score_leaves(self) -> None:
        leaves = self._leaves()
        alone = [node for node in leaves if not depends_on_others(node)]
        among_others = [node for node in leaves if depends_on_others(node)]
        self._add([pl.when(self.applies[node.code]).then(self._shaped(node)).alias(_of(node, "own")) for node in alone])
        if among_others:
            self.figures.frame = self.population.with_columns(
                self.figures.frame,
                [self._shaped(node).alias(_of(node, "own")) for node in among_others],
                [_of(node, "value") for node in among_others],
            )

    def _shaped(self, node: Node) -> pl.Expr:
        return shaped(node, self.values[node.code], self.figures.compiler, self.population.within_peers)

    # From the leaves up: scores ------------------------------------------------------------------------------------

    def _combine(self, nodes: list[Node]) -> None:
        columns = []
        for node in nodes:
            score = combined(node)
            failed = [pl.col(_of(child, "failed")) for child in enabled(node) if child.code in self.failing]
            if failed:
                score = pl.when(~pl.any_horizontal(failed)).then(score)
            columns.append(score.alias(_of(node, "own")))
        self._add(columns)

    def _settle(self, nodes: list[Node]) -> None:
        """What the parents count: the own score, or what ``missing`` says in its place; and who fails."""
        self._add([self._failed(node).alias(_of(node, "failed")) for node in nodes if node.code in self.failing])
        plain = [node for node in nodes if node.missing is not Missing.PEER_AVERAGE]
        averaged = [node for node in nodes if node.missing is Missing.PEER_AVERAGE]
        self._add([self._counted(node).alias(_of(node, "score")) for node in plain])
        if averaged:
            means = [
                self.population.within_peers(pl.col(_of(node, "own")).mean()).alias(_of(node, "mean"))
                for node in averaged
            ]
            needed = [_of(node, "own") for node in averaged]
            self.figures.frame = self.population.with_columns(self.figures.frame, means, needed)
            self._add([self._counted(node).alias(_of(node, "score")) for node in averaged])

    def _counted(self, node: Node) -> pl.Expr:
        own = pl.col(_of(node, "own"))
        match node.missing:
            case Missing.ZERO:
                instead = pl.lit(0.0)
            case Missing.PEER_AVERAGE:
                instead = pl.col(_of(node, "mean"))
            case _:
                return own
        applies = pl.col(self.applies[node.code])
        if node.code in self.failing:
            applies = applies & ~pl.col(_of(node, "failed"))
        return pl.when(own.is_null() & applies).then(instead).otherwise(own)

    def _failed(self, node: Node) -> pl.Expr:
        """A node that fails takes all above it along: half a score must not look like a whole one."""
        failed = [pl.col(_of(child, "failed")) for child in enabled(node) if child.code in self.failing]
        if node.missing is Missing.FAIL:
            failed.append(pl.col(self.applies[node.code]) & pl.col(_of(node, "own")).is_null())
        return pl.any_horizontal(failed)

    # What the explanation needs ------------------------------------------------------------------------------------

    def _cover(self) -> None:
        """The share of the nominal weight, of leaves that apply, whose own score is there; 0 if none applies."""
        nominal = nominal_weights(self.root)
        leaves = [node for node in self._leaves() if nominal[node.code] > 0]
        coverage = pl.lit(0.0)
        if leaves:
            applying = pl.sum_horizontal(nominal[n.code] * pl.col(self.applies[n.code]) for n in leaves)
            there = pl.sum_horizontal(nominal[n.code] * pl.col(_of(n, "own")).is_not_null() for n in leaves)
            coverage = pl.when(applying > 0).then(there / applying).otherwise(0.0)
        failed = pl.col(_of(self.root, "failed")) if self.root.code in self.failing else pl.lit(False)
        self._add([pl.when(APPLIES).then(coverage).alias(COVERAGE), failed.alias(FAILED)])

    def _weigh(self) -> None:
        """From the root down: each node's share of the root, and of what the root lost."""
        root = pl.col(_of(self.root, "score"))
        self._add(
            [
                root.is_not_null().cast(pl.Float64).alias(_of(self.root, "weight")),
                ((100.0 - root) / 100.0 * self.span).fill_null(0.0).alias(_of(self.root, "lost")),
            ]
        )
        level = [self.root]
        while level:
            columns = []
            for node in level:
                children = enabled(node)
                for child, weight, loss in zip(children, weight_shares(node), loss_shares(node), strict=True):
                    columns.append((pl.col(_of(node, "weight")) * weight).alias(_of(child, "weight")))
                    columns.append((pl.col(_of(node, "lost")) * loss).alias(_of(child, "lost")))
            self._add(columns)
            level = [child for node in level for child in enabled(node)]
        self._add([self._reason(node).alias(_of(node, "reason")) for node in self.root.walk()])

    def _reason(self, node: Node) -> pl.Expr:
        skipped = Reason.NO_CHILD_LEFT if node.children else Reason.MISSING_SKIPPED
        instead = {
            Missing.SKIP: skipped,
            Missing.ZERO: Reason.MISSING_ZERO,
            Missing.FAIL: Reason.MISSING_FAILED,
            Missing.PEER_AVERAGE: Reason.MISSING_PEER_AVERAGE,
        }[node.missing]
        reason = pl.when(~pl.col(self.applies[node.code])).then(Reason.NOT_APPLICABLE.value)
        if node.code in self.failing:
            reason = reason.when(pl.col(_of(node, "failed"))).then(Reason.MISSING_FAILED.value)
        reason = reason.when(pl.col(_of(node, "own")).is_not_null()).then(Reason.SCORED.value)
        if node.missing is Missing.PEER_AVERAGE:
            reason = reason.when(pl.col(_of(node, "score")).is_null()).then(skipped.value)
        return reason.otherwise(instead.value).cast(pl.Int8)

    # Helpers -------------------------------------------------------------------------------------------------------

    def _add(self, columns: list[pl.Expr]) -> None:
        if columns:
            self.figures.frame = self.figures.frame.lazy().with_columns(columns).collect()

    def _leaves(self) -> list[Node]:
        return [node for node in self.root.walk() if not node.children]

    def _levels_from_leaves(self) -> list[list[Node]]:
        """Nodes by height: leaves first, each node after all below it."""
        levels: dict[int, list[Node]] = {}

        def height(node: Node) -> int:
            found = 1 + max((height(child) for child in enabled(node)), default=-1)
            levels.setdefault(found, []).append(node)
            return found

        height(self.root)
        return [levels[key] for key in sorted(levels)]


def _of(node: Node, what: str) -> str:
    return column_of_node(node.code, what)


def enabled(node: Node) -> list[Node]:
    return [child for child in node.children if child.enabled]


def weights(node: Node) -> list[float]:
    """The weights of a node's children, in order; equal if they have none."""
    return [1.0 if child.weight is None else float(child.weight) for child in enabled(node)]


def nominal_weights(root: Node) -> dict[str, float]:
    """Each node's share of the root when every node counts, by code."""
    found = {root.code: 1.0}
    for node in root.walk():
        total = sum(weights(node))
        for child, weight in zip(enabled(node), weights(node), strict=True):
            found[child.code] = found[node.code] * weight / total if total else 0.0
    return found


def combined(node: Node) -> pl.Expr:
    """A node's score from what its children count; missing if none does, or if those that do weigh nothing."""
    if node.combine is Combine.MINIMUM:
        scores = [pl.col(_of(child, "score")) for child in enabled(node)]
        return pl.min_horizontal(scores) if scores else pl.lit(None, dtype=pl.Float64)
    weighed = [pair for pair in zip(enabled(node), weights(node), strict=True) if pair[1] > 0]
    if not weighed:
        return pl.lit(None, dtype=pl.Float64)
    scores = [(pl.col(_of(child, "score")), weight) for child, weight in weighed]
    total = pl.sum_horizontal(weight * score.is_not_null() for score, weight in scores)
    if node.combine is Combine.GEOMETRIC:
        # The logarithm of 0 is −∞, whose exponential is 0 again: one 0 makes 0.
        sum_of = pl.sum_horizontal(weight * score.log() for score, weight in scores)
        mean = (sum_of / total).exp()
    else:
        mean = pl.sum_horizontal(weight * score for score, weight in scores) / total
    return pl.when(pl.any_horizontal(score.is_not_null() for score, _ in scores)).then(mean).clip(0.0, 100.0)


def weight_shares(node: Node) -> list[pl.Expr]:
    """The share of its parent that each child has after re-scaling, 0 if left out. Of a minimum: the lowest alone."""
    if node.combine is Combine.MINIMUM:
        return _shares([_is_lowest(node, child) for child in enabled(node)])
    pairs = zip(enabled(node), weights(node), strict=True)
    return _shares([weight * pl.col(_of(child, "score")).is_not_null().cast(pl.Float64) for child, weight in pairs])


def loss_shares(node: Node) -> list[pl.Expr]:
    """The share of its parent's loss that each child bears. Together they bear all of it.

    Of a weighted mean: weight × points missing. Of a geometric mean: weight × logarithm of what is missing (the mean
    is the product of the children's powers, and logarithms divide a product), or, where some are 0 and so made the
    parent 0, those by weight. Of a minimum: the lowest, in equal parts if there are several.
    """
    children, given = enabled(node), weights(node)
    scores = [pl.col(_of(child, "score")) for child in children]
    if not children:
        return []
    if node.combine is Combine.MINIMUM:
        return _shares([_is_lowest(node, child) for child in children])
    if node.combine is Combine.ARITHMETIC:
        return _shares([(weight * (100.0 - score)).fill_null(0.0) for score, weight in zip(scores, given, strict=True)])
    zeros = [(weight * (score == 0.0)).fill_null(0.0) for score, weight in zip(scores, given, strict=True)]
    positive = [
        pl.when(score > 0).then(-weight * (score / 100.0).log()).otherwise(0.0)
        for score, weight in zip(scores, given, strict=True)
    ]
    any_zero = pl.sum_horizontal(zeros) > 0
    return [
        pl.when(any_zero).then(zero).otherwise(part)
        for zero, part in zip(_shares(zeros), _shares(positive), strict=True)
    ]


def _is_lowest(node: Node, child: Node) -> pl.Expr:
    lowest = pl.min_horizontal(pl.col(_of(other, "score")) for other in enabled(node))
    return (pl.col(_of(child, "score")) == lowest).fill_null(False).cast(pl.Float64)


def _shares(parts: list[pl.Expr]) -> list[pl.Expr]:
    total = pl.sum_horizontal(parts) if parts else pl.lit(0.0)
    return [pl.when(total > 0).then(part / total).otherwise(0.0) for part in parts]
