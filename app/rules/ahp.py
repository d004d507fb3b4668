"""The analytic hierarchy process: weights from pairwise judgements of one or several people.

T. L. Saaty, *Decision making with the analytic hierarchy process*, Int. J. Services Sciences 1 (2008) 83–98: weights
are the principal eigenvector of the matrix of judgements; its eigenvalue says how consistent they are. Judgements of
several people are brought together by their geometric mean, the only mean that keeps a judgement and its opposite
reciprocal (Aczél and Saaty, J. Math. Psychology 27 (1983) 93–102).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.entity.labels import UserError

RANDOM_INDEX = (0.0, 0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.54, 1.56, 1.58, 1.59)
"""The mean consistency index of random matrices by size (Saaty, *The Analytic Hierarchy Process*, 1980, p. 21)."""
ACCEPTABLE = 0.1
"""Judgements with a greater consistency ratio should be looked at again (Saaty)."""
LARGEST = len(RANDOM_INDEX) - 1
SCALE = (1 / 9, 9.0)
"""9: extremely more important; 1: alike; 1/9: extremely less."""

Judgements = Mapping[tuple[str, str], float]
"""(one, other): how many times more important the one is. Each pair in either direction; the other follows."""


@dataclass(frozen=True)
class Inconsistency:
    """A judgement that fits the others least. ``fitting`` is the value that they make of it."""

    one: str
    other: str
    judged: float
    fitting: float


@dataclass(frozen=True)
class Weighing:
    """What judgements come to. ``weights`` add up to 1."""

    weights: dict[str, float]
    consistency_ratio: float
    least_consistent: tuple[Inconsistency, ...]
    """The worst first; empty where everything fits."""

    @property
    def is_acceptable(self) -> bool:
        return self.consistency_ratio <= ACCEPTABLE


def weigh(items: Sequence[str], people: Sequence[Judgements], *, shown: int = 3) -> Weighing:
    """Weights of ``items`` from the judgements of one or several people.

    Raises UserError for fewer than two or more than 15 items, a pair that nobody judged, or a judgement off the scale.
    A pair that only some have judged counts by those.
    """
    if not 2 <= len(items) <= LARGEST:
        raise UserError(f"两两比较适用于 2 到 {LARGEST} 项", f"Pairwise comparison is for 2 to {LARGEST} items")
    matrix = _matrix(items, people)
    values, vectors = np.linalg.eig(matrix)
    place = int(np.argmax(values.real))
    vector = np.abs(vectors[:, place].real)
    weights = vector / vector.sum()
    count = len(items)
    index = (values[place].real - count) / (count - 1)
    ratio = max(0.0, index / RANDOM_INDEX[count]) if RANDOM_INDEX[count] else 0.0
    return Weighing(
        dict(zip(items, weights.tolist(), strict=True)), float(ratio), _worst(items, matrix, weights, shown)
    )


def _matrix(items: Sequence[str], people: Sequence[Judgements]) -> np.ndarray:
    """The geometric means of all judgements, as a reciprocal matrix."""
    matrix = np.ones((len(items), len(items)))
    for row, one in enumerate(items):
        for column in range(row + 1, len(items)):
            given = [value for judgements in people for value in _judged(judgements, one, items[column])]
            if not given:
                raise UserError(
                    f"还没有比较“{one}”和“{items[column]}”", f"“{one}” and “{items[column]}” are not compared yet"
                )
            matrix[row, column] = np.exp(np.mean(np.log(given)))
            matrix[column, row] = 1 / matrix[row, column]
    return matrix


def _judged(judgements: Judgements, one: str, other: str) -> list[float]:
    if (one, other) in judgements:
        value = judgements[one, other]
    elif (other, one) in judgements:
        value = 1 / judgements[other, one] if judgements[other, one] else 0.0
    else:
        return []
    if not SCALE[0] - 1e-9 <= value <= SCALE[1] + 1e-9:
        raise UserError(
            f"“{one}”和“{other}”的比较要在 1/9 到 9 之间", f"“{one}” to “{other}” has to lie between 1/9 and 9"
        )
    return [value]


def _worst(items: Sequence[str], matrix: np.ndarray, weights: np.ndarray, shown: int) -> tuple[Inconsistency, ...]:
    """The judgements furthest from the ratio of their weights."""
    found = []
    for row in range(len(items)):
        for column in range(row + 1, len(items)):
            fitting = float(weights[row] / weights[column])
            apart = abs(float(np.log(matrix[row, column] / fitting)))
            found.append((apart, Inconsistency(items[row], items[column], float(matrix[row, column]), fitting)))
    found.sort(key=lambda pair: -pair[0])
    return tuple(each for apart, each in found[:shown] if apart > 1e-6)
