"""How much an index depends on its exact weights.

The weights of all nodes are shaken a thousand times by up to ±10 %, each on its own, and every subject is scored and
ranked anew: its interval of ranks and how often its light differs from today's say how far the result can be trusted.
Beside it, what each leaf really does: its share of the spread of scores against its nominal weight, and pairs of leaves
that say the same.

Roll-ups are left out: what is shaken are the subjects' own scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from .expressions import Literal
from .frames import SUBJECT_ID, Reason
from .model import SEVERITY, Combine, Index, LightRule, Node
from .tree import enabled, nominal_weights

DRAWS = 1000
SHAKEN_BY = 0.1
AT_A_TIME = 100
"""Draws worked out together: some 5 MB for 6,000 subjects."""
INTERVAL = (5.0, 95.0)
"""Percentiles of the ranks drawn."""
ALIKE = 0.9
"""From this correlation on two leaves say the same."""
LEAST_SUBJECTS = 3
_ORDERS: dict[str, Callable] = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


@dataclass(frozen=True)
class LeafWeight:
    """What a leaf is meant to count and what it does."""

    code: str
    nominal: float
    """Its share of the root."""
    effective: float | None
    """Its share of the variance of scores; None where it does not vary."""
    correlation: float | None
    """With the score of the tree."""


@dataclass(frozen=True)
class AlikePair:
    one: str
    other: str
    correlation: float


@dataclass(frozen=True)
class Robustness:
    """What shaking came to. ``subjects``: ``subject_id, rank, rank_low, rank_high, light_changes`` (a share)."""

    draws: int
    leaves: tuple[LeafWeight, ...]
    """Those whose effective weight differs most from the nominal first."""
    alike: tuple[AlikePair, ...]
    subjects: pl.DataFrame = field(repr=False)

    @property
    def steady_share(self) -> float | None:
        """The share of subjects whose light never changed."""
        if self.subjects.is_empty():
            return None
        return float((self.subjects["light_changes"] == 0).mean())


def shaken(
    index: Index, results: pl.DataFrame, *, draws: int = DRAWS, by: float = SHAKEN_BY, seed: int = 1
) -> Robustness:
    """Shake the weights of an index over its results frame. The same seed gives the same result."""
    frame = results.filter(pl.col("own").is_not_null() & pl.col("base").is_not_null())
    leaves = [node for node in index.root.walk() if not node.children and node is not index.root]
    scores = {node.code: _counted(frame, node) for node in leaves}
    whole = _Whole(index, frame)
    generator = np.random.default_rng(seed)
    steady = _root(index.root, scores, {}, frame.height, 1)
    own = whole.score(steady)[:, 0]
    lights = whole.lights(own[:, None])[:, 0]
    ranks = np.empty((frame.height, draws), dtype=np.int32)
    changes = np.zeros(frame.height)
    for start in range(0, draws, AT_A_TIME):
        count = min(AT_A_TIME, draws - start)
        factors = {node.code: generator.uniform(1 - by, 1 + by, count) for node in index.root.walk()}
        drawn = whole.score(_root(index.root, scores, factors, frame.height, count))
        ranks[:, start : start + count] = _ranked(drawn)
        changes += (whole.lights(drawn) != lights[:, None]).sum(axis=1)
    interval = np.percentile(ranks, INTERVAL, axis=1, method="nearest") if frame.height else np.empty((2, 0))
    subjects = pl.DataFrame(
        {
            SUBJECT_ID: frame[SUBJECT_ID],
            "rank": _ranked(own[:, None])[:, 0],
            "rank_low": interval[0].astype(np.int32),
            "rank_high": interval[1].astype(np.int32),
            "light_changes": changes / draws,
        }
    )
    return Robustness(draws, _weights(index, leaves, frame), _alike(leaves, scores), subjects)


def _counted(frame: pl.DataFrame, node: Node) -> np.ndarray:
    """What a leaf counts with, subject by subject; NaN where it is left out."""
    left_out = (Reason.NOT_APPLICABLE, Reason.MISSING_SKIPPED, Reason.MISSING_FAILED)
    counted = pl.when(~pl.col(f"{node.code}.reason").is_in([int(each) for each in left_out]))
    return frame.select(counted.then(pl.col(f"{node.code}.score")).alias("score"))["score"].to_numpy().astype(float)


def _root(
    node: Node, scores: dict[str, np.ndarray], factors: dict[str, np.ndarray], height: int, count: int
) -> np.ndarray:
    """A node's score for every subject (rows) and draw (columns); NaN where it is left out."""
    if not node.children:
        return np.broadcast_to(scores[node.code][:, None], (height, count))
    children = enabled(node)
    parts = [_root(child, scores, factors, height, count) for child in children]
    if node.combine is Combine.MINIMUM:
        return np.fmin.reduce(parts) if parts else np.full((height, count), np.nan)
    total, weight_of_all = np.zeros((height, count)), np.zeros((height, count))
    zero = np.zeros((height, count), dtype=bool)
    for child, part in zip(children, parts, strict=True):
        weight = (1.0 if child.weight is None else float(child.weight)) * factors.get(child.code, np.ones(count))
        there = ~np.isnan(part) & (weight > 0)[None, :]
        value = np.where(there, part, 0.0)
        if node.combine is Combine.GEOMETRIC:
            zero |= there & (value <= 0)
            value = np.log(np.where(value > 0, value, 1.0))
        total += value * weight[None, :]
        weight_of_all += there * weight[None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(weight_of_all > 0, total / weight_of_all, np.nan)
    if node.combine is Combine.GEOMETRIC:
        mean = np.where(zero & (weight_of_all > 0), 0.0, np.exp(mean))
    return np.clip(mean, 0.0, 100.0)


class _Whole:
    """From the tree's score to the score and its light: what the weights do not touch stays as it is."""

    def __init__(self, index: Index, frame: pl.DataFrame) -> None:
        self.index = index
        self.added = (frame["bonus"].fill_null(0.0) - frame["penalty"].fill_null(0.0)).to_numpy()
        self.cap = frame["cap"].fill_null(math.inf).to_numpy().astype(float)

    def score(self, tree: np.ndarray) -> np.ndarray:
        low, high = self.index.scale
        least, most = self.index.bounds or self.index.scale
        score = np.clip(low + tree / 100.0 * (high - low) + self.added[:, None], least, most)
        score = np.minimum(score, self.cap[:, None])
        return score if self.index.decimals is None else np.round(score + 1e-12, self.index.decimals)

    def lights(self, score: np.ndarray) -> np.ndarray:
        """Places in SEVERITY by plain comparisons, without recovery; lights that are conditions never hold here."""
        found = np.full(score.shape, len(SEVERITY), dtype=np.int8)
        compared = np.round(score, 9)
        for light in sorted(self.index.lights, key=lambda rule: -SEVERITY.index(rule.light)):
            holds = _holds(light, compared)
            if holds is not None:
                found[holds] = SEVERITY.index(light.light)
        return found


def _holds(light: LightRule, score: np.ndarray) -> np.ndarray | None:
    if light.operator in _ORDERS and isinstance(light.operand, Literal) and not isinstance(light.operand.value, str):
        return _ORDERS[light.operator](score, float(light.operand.value))
    return None


def _ranked(scores: np.ndarray) -> np.ndarray:
    """1, 2, 2, 4 in each column, highest first; those without a score last."""
    keys = np.round(np.nan_to_num(scores, nan=-math.inf), 9)
    ranks = np.empty(keys.shape, dtype=np.int32)
    for column in range(keys.shape[1]):
        ordered = np.sort(keys[:, column])
        ranks[:, column] = keys.shape[0] - np.searchsorted(ordered, keys[:, column], side="right") + 1
    return ranks


def _weights(index: Index, leaves: list[Node], frame: pl.DataFrame) -> tuple[LeafWeight, ...]:
    """Each leaf's share of the variance of the tree's score: the covariance of what it adds with the whole. What leaves
    add is what they keep of the points they stand for, so that the shares add up to 1."""
    nominal = nominal_weights(index.root)
    span = index.scale[1] - index.scale[0]
    base = frame["base"].to_numpy().astype(float)
    variance = float(np.var(base)) if frame.height >= LEAST_SUBJECTS else 0.0
    found = []
    for node in leaves:
        effective = correlation = None
        if variance > 1e-12:
            adds = (
                frame[f"{node.code}.weight"].fill_null(0.0).to_numpy() * span
                - frame[f"{node.code}.lost"].fill_null(0.0).to_numpy()
            )
            effective = float(np.mean((adds - adds.mean()) * (base - base.mean())) / variance)
            correlation = _correlation(frame[f"{node.code}.score"].to_numpy().astype(float), base)
        found.append(LeafWeight(node.code, nominal.get(node.code, 0.0), effective, correlation))
    return tuple(sorted(found, key=lambda each: -abs((each.effective or 0.0) - each.nominal)))


def _alike(leaves: list[Node], scores: dict[str, np.ndarray]) -> tuple[AlikePair, ...]:
    found = []
    for place, one in enumerate(leaves):
        for other in leaves[place + 1 :]:
            correlation = _correlation(scores[one.code], scores[other.code])
            if correlation is not None and abs(correlation) >= ALIKE:
                found.append(AlikePair(one.code, other.code, correlation))
    return tuple(sorted(found, key=lambda pair: -abs(pair.correlation)))


def _correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    """Pearson's, over those who have both; None where either does not vary."""
    both = ~np.isnan(one) & ~np.isnan(other)
    if both.sum() < LEAST_SUBJECTS:
        return None
    one, other = one[both] - one[both].mean(), other[both] - other[both].mean()
    spread = math.sqrt(float((one**2).sum()) * float((other**2).sum()))
    return float((one * other).sum() / spread) if spread > 1e-9 else None
