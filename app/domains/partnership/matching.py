"""How well a resource fits a demand: five parts, each from 0 to 1, and their weighted sum.

    0.35 category + 0.25 wording + 0.20 distance + 0.10 time + 0.10 capacity

The weights are this project's convention (domain brief, a9). Wording is the cosine of TF-IDF vectors over pairs of
neighbouring characters, which needs no dictionary for Chinese; a library for it (scikit-learn) would weigh more than
the rest of the program.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

WEIGHTS = {"category": 0.35, "text": 0.25, "distance": 0.20, "time": 0.10, "capacity": 0.10}

NEAR_KM, FAR_KM = 1.0, 20.0
"""Nearer than the first is as good as next door; farther than the second does not count."""
BY_DIVISION = ((12, 1.0), (9, 0.8), (6, 0.5))
"""How near two places are whose statistical codes share so many digits: village or community, street, county."""
UNKNOWN = 0.5
"""For a part that one of the two says nothing about although the other does."""
LONGEST_DAYS = 366
"""Of a demand without end, the first year is looked at."""


@dataclass(frozen=True)
class Fit:
    """The parts, from 0 to 1."""

    category: float
    text: float
    distance: float
    time: float
    capacity: float

    @property
    def score(self) -> float:
        """The weighted sum, out of 100, to two decimals."""
        return round(100 * sum(weight * getattr(self, part) for part, weight in WEIGHTS.items()), 2)


def fits(demand: Any, resources: Sequence[Any], today: date) -> list[Fit]:
    """How well each resource fits a demand, in their order. Rare pairs of characters weigh more: how rare is counted
    over these very resources and the demand."""
    texts = [_words(demand), *(_words(resource) for resource in resources)]
    similar = similarities(texts)
    return [
        Fit(
            category=float(resource.category == demand.category),
            text=similarity,
            distance=nearness(demand, resource),
            time=time_overlap(demand, resource, today),
            capacity=capacity(demand, resource),
        )
        for resource, similarity in zip(resources, similar, strict=True)
    ]


def _words(row: Any) -> str:
    return " ".join(part for part in (row.title, row.tags, row.description) if part)


def similarities(texts: Sequence[str]) -> list[float]:
    """The cosine of the first text's TF-IDF vector with each of the others', from 0 to 1."""
    counts = [_bigrams(text) for text in texts]
    occurring = Counter(bigram for found in counts for bigram in found)
    # Smoothed as usual: as if one more text had every pair, so that none weighs nothing.
    weight = {bigram: math.log((1 + len(texts)) / (1 + number)) + 1 for bigram, number in occurring.items()}
    vectors = [{bigram: number * weight[bigram] for bigram, number in found.items()} for found in counts]
    first = vectors[0]
    return [_cosine(first, other) for other in vectors[1:]]


def _bigrams(text: str) -> Counter[str]:
    """Pairs of neighbouring letters, digits and characters; punctuation and spaces end a run."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    runs = "".join(sign if sign.isalnum() else " " for sign in plain).split()
    return Counter(run[place : place + 2] for run in runs for place in range(max(1, len(run) - 1)))


def _cosine(left: dict[str, float], right: dict[str, float]) -> float:
    product = sum(value * right.get(bigram, 0.0) for bigram, value in left.items())
    lengths = math.hypot(*left.values()) * math.hypot(*right.values()) if left and right else 0.0
    return min(1.0, product / lengths) if lengths else 0.0


def nearness(demand: Any, resource: Any) -> float:
    """By the straight line where both places are known, else by how much of the division's code they share."""
    if None not in (demand.lng, demand.lat, resource.lng, resource.lat):
        away = kilometres(demand.lng, demand.lat, resource.lng, resource.lat)
        return min(1.0, max(0.0, (FAR_KM - away) / (FAR_KM - NEAR_KM)))
    if not demand.division_code or not resource.division_code:
        return UNKNOWN
    for digits, value in BY_DIVISION:
        if demand.division_code[:digits] == resource.division_code[:digits]:
            return value
    return 0.0


def kilometres(lng: float, lat: float, other_lng: float, other_lat: float) -> float:
    """The great circle between two points in degrees (haversine, mean radius 6,371 km)."""
    a, b = math.radians(lat), math.radians(other_lat)
    half = math.sin((b - a) / 2) ** 2
    half += math.cos(a) * math.cos(b) * math.sin(math.radians(other_lng - lng) / 2) ** 2
    return 2 * 6371.0 * math.asin(math.sqrt(half))


def time_overlap(demand: Any, resource: Any, today: date) -> float:
    """The share of the demand's days, from today on, on which the resource can be had. Without dates, any day."""
    begins = max(demand.needed_from or today, today)
    ends = demand.needed_until or begins + timedelta(days=LONGEST_DAYS - 1)
    suits, offered = demand.weekdays or "1234567", resource.weekdays or "1234567"
    wanted = had = 0
    for number in range(min((ends - begins).days + 1, LONGEST_DAYS)):
        day = begins + timedelta(days=number)
        weekday = str(day.isoweekday())
        if weekday not in suits:
            continue
        wanted += 1
        within = (resource.available_from or day) <= day <= (resource.available_until or day)
        had += within and weekday in offered
    return had / wanted if wanted else 0.0


def capacity(demand: Any, resource: Any) -> float:
    """The scarcer of people and quantity: how much of what is asked for there is. Quantities count where both are in
    the same unit."""
    parts = []
    if demand.people is not None:
        parts.append(min(1.0, resource.capacity / demand.people) if resource.capacity else UNKNOWN)
    if demand.quantity is not None and demand.unit_of_measure == resource.unit_of_measure:
        parts.append(min(1.0, resource.quantity / demand.quantity) if resource.quantity else UNKNOWN)
    return min(parts, default=1.0)
