"""How figures are spread: the columns of a histogram with round edges, and how many lie in each band or colour."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

MOST_COLUMNS = 24
OUTLIERS = 0.005
"""The share at the upper end that is put into the last column, so that a few far figures do not flatten the rest."""


@dataclass(frozen=True)
class Spread:
    """``columns``: (from, to, how many), ascending and without gaps. ``low`` and ``high`` are the figures' own."""

    columns: tuple[tuple[float, float, int], ...]
    count: int
    low: float
    high: float


def spread_of(numbers: Sequence[float], edges: Sequence[float] = ()) -> Spread:
    """The spread of ascending numbers. ``edges``: numbers that should be seen too, as those of bands."""
    if not numbers:
        return Spread((), 0, 0.0, 0.0)
    least, most = numbers[0], numbers[min(len(numbers) - 1, math.ceil(len(numbers) * (1 - OUTLIERS)) - 1)]
    shown = [edge for edge in edges if math.isfinite(edge)]
    start, end = min([least, *shown]), max([most, *shown])
    if start == end:
        start, end = (start - 1, end + 1) if start else (0.0, 1.0)
    whole = all(number == int(number) for number in numbers)
    step = _round_step((end - start) / (MOST_COLUMNS - 1), whole=whole)
    first = math.floor(start / step)
    last = max(math.floor(end / step) + 1, first + 1)
    columns = []
    for place in range(first, last):
        low, high = round(place * step, 10), round((place + 1) * step, 10)
        upper = len(numbers) if place == last - 1 else bisect_left(numbers, high)
        columns.append((low, high, upper - bisect_left(numbers, low)))
    return Spread(tuple(columns), len(numbers), numbers[0], numbers[-1])


def _round_step(width: float, *, whole: bool) -> float:
    """1, 2 or 5 times a power of ten, not below the width; whole for whole numbers."""
    power = 10.0 ** math.floor(math.log10(width)) if width > 0 else 1.0
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= width * 0.999)
    return max(1.0, step) if whole else step


def counted_between(numbers: Sequence[float], starts: Sequence[float]) -> list[int]:
    """How many of ascending numbers lie from each start up to the next; those below the first are left out."""
    places = [bisect_left(numbers, start) for start in starts] + [len(numbers)]
    return [max(after - before, 0) for before, after in itertools.pairwise(places)]


def quantiles(numbers: Sequence[float], shares: Sequence[float]) -> list[float]:
    """The numbers below which these shares lie, as people would write them: at most two significant decimals."""
    if not numbers:
        return [0.0 for _ in shares]
    return [_plain(numbers[min(int(share * len(numbers)), len(numbers) - 1)]) for share in shares]


def _plain(number: float) -> float:
    if number == 0 or number == int(number):
        return float(number)
    return round(number, max(0, 1 - math.floor(math.log10(abs(number)))))
