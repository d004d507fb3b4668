"""Published composite indices by rules alone, and the styles in which others are built, on real data.

``data/hdi_2021.csv`` is the human development index 2021 with its components, published by the United Nations
Development Programme (https://hdr.undp.org, CC BY 3.0 IGO).
"""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import polars as pl
import pytest

from app.rules.expression_parser import parse_expression
from app.rules.model import Combine, Missing, Node, ObservedRange, Percentile, Range, ZScore

from .by_hand import group, index, leaf, lights, score

HDI = pl.read_csv(Path(__file__).parent / "data" / "hdi_2021.csv")
COMPONENTS = {"life": "le_2021", "expected": "eys_2021", "mean": "mys_2021", "income": "gnipc_2021"}
SUBJECTS = HDI.select(
    pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("subject_id"),
    pl.col("region").alias("s.region"),
    *(pl.col(column).alias(f"m.{name}") for name, column in COMPONENTS.items()),
)


def between(low: float, high: float, logarithmic: bool = False) -> Range:
    return Range(parse_expression(str(low)), parse_expression(str(high)), logarithmic)


def test_the_human_development_index() -> None:
    fail = {"missing": Missing.FAIL}
    tree: list[Node] = [
        leaf("life", shape=between(20, 85), **fail),
        group(
            "education",
            leaf("expected", shape=between(0, 18), **fail),
            leaf("mean", shape=between(0, 15), **fail),
            **fail,
        ),
        leaf("income", shape=between(100, 75000, logarithmic=True), **fail),
    ]
    words = lights(red="< 0.55", orange="< 0.7", yellow="< 0.8", green=">= 0.8")
    rule = index(SUBJECTS, *tree, combine=Combine.GEOMETRIC, scale=(0.0, 1.0), decimals=3, lights=words, **fail)
    found = HDI.with_columns(score(rule, SUBJECTS).select("score", "rank", "light"))
    published = found.filter(pl.col("hdi_2021").is_not_null())
    assert published.height == 191
    assert published["score"].to_list() == published["hdi_2021"].to_list()
    assert published["rank"].to_list() == published["hdi_rank_2021"].to_list()
    named = {"Very High": "green", "High": "yellow", "Medium": "orange", "Low": "red"}
    assert published["light"].to_list() == [named[word] for word in published["hdicode"]]
    left = found.filter(pl.col("hdi_2021").is_null())
    assert left.height > 0
    assert set(left["light"]) == {"no_data"}
    assert left["score"].null_count() == left["rank"].null_count() == left.height


def values(name: str) -> list[float | None]:
    return SUBJECTS[f"m.{name}"].to_list()


def there(name: str) -> list[float]:
    return [value for value in values(name) if value is not None]


def test_observed_ranges_in_an_arithmetic_mean_of_means() -> None:
    """The style of most rankings: each indicator from the worst (0) to the best (100) observed, pillars of equal
    weight, missing indicators left out."""
    pillar = group("education", leaf("expected", shape=ObservedRange()), leaf("mean", shape=ObservedRange()))
    rule = index(SUBJECTS, leaf("life", shape=ObservedRange()), pillar, leaf("income", shape=ObservedRange(True)))

    def place(name: str, value: float | None, scale: object = float) -> float | None:
        seen = [scale(other) for other in there(name)]
        return None if value is None else (scale(value) - min(seen)) / (max(seen) - min(seen)) * 100

    expected = []
    for life, first, second, income in zip(*map(values, COMPONENTS), strict=True):
        education = mean([place("expected", first), place("mean", second)])
        expected.append(mean([place("life", life), education, place("income", income, math.log)]))
    assert score(rule, SUBJECTS)["score"].to_list() == pytest.approx(expected, abs=1e-9)


def mean(parts: list[float | None]) -> float | None:
    found = [part for part in parts if part is not None]
    return sum(found) / len(found) if found else None


def test_percentiles_within_regions_averaged() -> None:
    """The style of vulnerability indices: ranks as percentages within peers."""
    rule = index(
        SUBJECTS, leaf("life", shape=Percentile()), leaf("mean", shape=Percentile(), reverse=True), peers=("region",)
    )
    regions = SUBJECTS["s.region"].to_list()

    def percentile(name: str, place: int) -> float | None:
        mine = values(name)[place]
        others = [
            v for i, v in enumerate(values(name)) if i != place and regions[i] == regions[place] and v is not None
        ]
        if mine is None or not others:
            return None
        return 100 * sum(1 if other < mine else 0.5 if other == mine else 0 for other in others) / len(others)

    expected = []
    for place in range(SUBJECTS.height):
        reverse = percentile("mean", place)
        expected.append(mean([percentile("life", place), None if reverse is None else 100 - reverse]))
    found = score(rule, SUBJECTS)
    assert found["score"].to_list() == pytest.approx(expected, abs=1e-9)
    best = found.filter(pl.col("peer_rank") == 1)
    assert best["peers"].n_unique() == SUBJECTS["s.region"].n_unique()


def test_standard_scores_with_the_worst_dimension_deciding() -> None:
    rule = index(
        SUBJECTS,
        leaf("life", shape=ZScore()),
        leaf("mean", shape=ZScore(), missing=Missing.ZERO),
        combine=Combine.MINIMUM,
    )

    def standard(name: str, value: float | None) -> float | None:
        if value is None:
            return None
        return min(100, max(0, 50 + 10 * (value - statistics.fmean(there(name))) / statistics.pstdev(there(name))))

    expected = [
        min(part for part in (standard("life", life), standard("mean", schooling) or 0) if part is not None)
        for life, schooling in zip(values("life"), values("mean"), strict=True)
    ]
    assert score(rule, SUBJECTS)["score"].to_list() == pytest.approx(expected, abs=1e-9)
