"""From a node's value to its score of 0 to 100. Every shape leaves a missing value missing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import polars as pl

from .column_arithmetic import divided, finite, let
from .expression_frames import Compiler, Kind, Typed, missing
from .model import (
    Bands,
    Categories,
    Curve,
    Formula,
    Node,
    ObservedRange,
    Percentile,
    Range,
    Target,
    ZScore,
)
from .rule_figures import by_code

Over = Callable[[pl.Expr], pl.Expr]
"""Turns an aggregate of a column into the same within each subject's peers."""


def depends_on_others(node: Node) -> bool:
    """Whether a subject's score depends on the values of other subjects."""
    return isinstance(node.shape, ObservedRange | Percentile | ZScore)


def shaped(node: Node, value: Typed, compiler: Compiler, within_peers: Over) -> pl.Expr:
    """The node's score, 0 to 100, of a value that is there only for subjects that count: those that rule and node
    apply to. ``value`` must be a column, so that using it several times costs nothing."""
    score = _score(node, value, compiler, within_peers)
    clipped = finite(score).clip(0.0, 100.0)
    return 100.0 - clipped if node.reverse else clipped


def _score(node: Node, value: Typed, compiler: Compiler, within_peers: Over) -> pl.Expr:
    if isinstance(node.shape, Categories):
        return by_code(value, node.shape.scores)
    if isinstance(node.shape, Formula):
        there = value.frame.is_not_null() if node.value is not None else pl.lit(True)
        return pl.when(there).then(compiler.knowing("value", value).number(node.shape.expression))
    number = as_number(value)
    match node.shape:
        case None:
            return number
        case Target(value=target):
            due = let(lambda due: pl.when(due > 0).then(due), compiler.number(target))
            return divided(number, due) * 100.0
        case Range(low=low, high=high, logarithmic=logarithmic):
            ends = [compiler.number(low), compiler.number(high)]
            if logarithmic:
                return _between(_logarithm(number), *map(_logarithm, ends))
            return _between(number, *ends)
        case ObservedRange(logarithmic=logarithmic):
            number = _logarithm(number) if logarithmic else number
            return _between(number, number.min(), number.max())
        case Bands(steps=steps):
            return _bands(number, steps)
        case Curve(points=points):
            return _curve(number, points)
        case Percentile():
            below_and_half_equal = within_peers(number.rank("average")) - 1.0
            others = within_peers(number.count()).cast(pl.Float64) - 1.0
            return divided(below_and_half_equal, others) * 100.0
        case ZScore():
            # Equal values may have a deviation of 1e-17 by the rounding of their mean; it must not count as one.
            equal = within_peers(number.min()) == within_peers(number.max())
            z = (number - within_peers(number.mean())) / within_peers(number.std(ddof=0))
            return pl.when(number.is_not_null()).then(pl.when(equal).then(50.0).otherwise(50.0 + 10.0 * z))
    raise TypeError(node.shape)


def as_number(value: Typed) -> pl.Expr:
    """A value's column as numbers; truth values are 1 and 0, and what is no number has no score."""
    if value.kind in (Kind.NUMBER, Kind.TRUTH):
        return value.frame.cast(pl.Float64)
    return missing()


def _logarithm(number: pl.Expr) -> pl.Expr:
    return let(lambda number: pl.when(number > 0).then(number.log()), number)


def _between(number: pl.Expr, low: pl.Expr, high: pl.Expr) -> pl.Expr:
    """Where a number lies from ``low`` (0) to ``high`` (100), which may be the smaller; missing if they are equal."""
    return divided(number - low, high - low) * 100.0


def _bands(number: pl.Expr, steps: tuple[tuple[float, float], ...]) -> pl.Expr:
    result = pl.when(number.is_null()).then(missing())
    for start, score in sorted(steps, key=lambda step: step[0], reverse=True):
        result = result.when(number >= start).then(pl.lit(float(score)))
    return result.otherwise(pl.lit(0.0))


def _curve(number: pl.Expr, points: tuple[tuple[float, float], ...]) -> pl.Expr:
    points = tuple(sorted(points, key=lambda point: point[0]))
    result = pl.when(number.is_null()).then(missing()).when(number <= points[0][0]).then(pl.lit(float(points[0][1])))
    for (left, low), (right, high) in pairwise(points):
        if right > left:
            slope = (high - low) / (right - left)
            result = result.when(number <= right).then(low + (number - left) * slope)
    return result.otherwise(pl.lit(float(points[-1][1])))
