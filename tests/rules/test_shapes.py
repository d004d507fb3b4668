"""Shapes by hand: from a value to 0–100."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest

from app.rules.expression_parser import parse_expression
from app.rules.model import (
    Bands,
    Categories,
    Curve,
    Formula,
    ObservedRange,
    Percentile,
    Range,
    Target,
    ZScore,
)

from .by_hand import frame, index, leaf, score, scores_of


def target(text: str) -> Target:
    return Target(parse_expression(text))


def between(low: str, high: str, logarithmic: bool = False) -> Range:
    return Range(parse_expression(low), parse_expression(high), logarithmic)


STEPS = Bands(((0.0, 0.0), (0.65, 60.0), (0.8, 80.0), (0.95, 100.0)))
LINES = Curve(((0.0, 0.0), (4.0, 80.0), (8.0, 100.0)))


@pytest.mark.parametrize(
    ("shape", "values", "expected"),
    [
        (target("4"), [0.0, 1.0, 4.0, 5.0, -1.0, None], [0, 25, 100, 100, 0, None]),
        (target("49"), [49.0, 48.0], [100, 48 / 49 * 100]),
        (target("0"), [1.0, 0.0], [None, None]),
        (target("-1"), [1.0], [None]),
        (target("v * 2"), [1.0, None], [50, None]),
        (between("60", "95"), [60.0, 95.0, 77.5, 50.0, 99.0, None], [0, 100, 50, 0, 100, None]),
        (between("10", "0"), [0.0, 10.0, 2.0, 12.0, -1.0], [100, 0, 80, 0, 100]),
        (between("5", "5"), [5.0, 4.0], [None, None]),
        (between("100", "10000", True), [100.0, 1000.0, 10000.0, 1.0, 0.0, -5.0], [0, 50, 100, 0, None, None]),
        (between("0", "100", True), [10.0], [None]),
        (between("10000", "100", True), [1000.0, 100.0], [50, 100]),
        (STEPS, [0.0, 0.6499, 0.65, 0.79, 0.8, 0.95, 2.0, -0.1, None], [0, 0, 60, 60, 80, 100, 100, 0, None]),
        (Bands(((2.0, 50.0),)), [1.0, 2.0, 3.0], [0, 50, 50]),
        (LINES, [0.0, 1.0, 4.0, 6.0, 8.0, 9.0, -1.0, None], [0, 20, 80, 90, 100, 100, 0, None]),
        (Curve(((3.0, 40.0),)), [1.0, 3.0, 5.0], [40, 40, 40]),
        (Formula(parse_expression("100 - value * 10")), [3.0, 20.0, -5.0, None], [70, 0, 100, None]),
        (Formula(parse_expression("log(value)")), [0.0, 1.0], [None, 0]),
        (None, [88.5, 120.0, -3.0, None], [88.5, 100, 0, None]),
        (ObservedRange(), [2.0, 6.0, 3.0, None], [0, 100, 25, None]),
        (ObservedRange(), [2.0, 2.0, None], [None, None, None]),
        (ObservedRange(), [2.0], [None]),
        (ObservedRange(True), [1.0, 100.0, 10.0, 0.0, -1.0], [0, 100, 50, None, None]),
        (Percentile(), [1.0, 2.0, 2.0, 5.0, None], [0, 50, 50, 100, None]),
        (Percentile(), [3.0, 3.0], [50, 50]),
        (Percentile(), [3.0, None], [None, None]),
        (Percentile(), [float(n) for n in range(50)], [n / 49 * 100 for n in range(50)]),
        (ZScore(), [1.0, 3.0], [40, 60]),
        (ZScore(), [0.1, 0.1, 0.1, None], [50, 50, 50, None]),
        (ZScore(), [7.0], [50]),
        (ZScore(), [0.0] * 99 + [1.0], [50 - 10 / math.sqrt(99)] * 99 + [100 * 0.5 + 10 * math.sqrt(99)]),
    ],
)
def test_scores(shape: Any, values: list[float | None], expected: list[float | None]) -> None:
    expected = [score if score is None else min(100.0, score) for score in expected]
    node = leaf("v", shape=shape)
    assert scores_of(node, frame(v=values)) == pytest.approx(expected, abs=1e-9)
    reverse = leaf("v", shape=shape, reverse=True)
    reversed_scores = [None if score is None else 100 - score for score in expected]
    assert scores_of(reverse, frame(v=values)) == pytest.approx(reversed_scores, abs=1e-9)


def test_full_marks_are_exactly_a_hundred() -> None:
    """A threshold of 100 must not be missed by the last bit."""
    values = [float(n) for n in range(1, 200)]
    assert set(scores_of(leaf("v", shape=target("v")), frame(v=values))) == {100.0}
    assert set(scores_of(leaf("v", "v / v", STEPS), frame(v=values))) == {100.0}
    for divisor in (49, 98, 103):
        assert scores_of(leaf("v", shape=target(str(divisor))), frame(v=[float(divisor), 1.0]))[0] == 100.0


def test_categories() -> None:
    words = Categories({"excellent": 100.0, "qualified": 80.0})
    subjects = frame(
        grade=["excellent", "qualified", "other", None], done=[True, False, None, True], size=[1.0, 2.0, 3.0, None]
    )
    assert scores_of(leaf("grade", shape=words), subjects) == [100, 80, None, None]
    assert scores_of(leaf("done", shape=Categories({"true": 90.0, "false": 10.0})), subjects) == [90, 10, None, 90]
    assert scores_of(leaf("size", shape=Categories({"1": 90.0, "2.0": 10.0, "x": 1.0})), subjects) == [
        90,
        10,
        None,
        None,
    ]


def test_truth_values_count_as_one_and_nought() -> None:
    subjects = frame(done=[True, False, None])
    assert scores_of(leaf("done", shape=target("1")), subjects) == [100, 0, None]
    assert scores_of(leaf("done", "not done", target("1")), subjects) == [0, 100, None]


def test_a_text_has_no_score() -> None:
    assert scores_of(leaf("grade", shape=target("1")), frame(grade=["x", None])) == [None, None]


def test_percentiles_and_zscores_are_taken_within_peers() -> None:
    subjects = frame(v=[1.0, 2.0, 3.0, 10.0, 20.0, 5.0], s_kind=["a", "a", "a", "b", "b", None])
    assert scores_of(leaf("v", shape=Percentile()), subjects, peers=("kind",)) == [0, 50, 100, 0, 100, None]
    deviation = math.sqrt(2 / 3)
    expected = [50 - 10 / deviation, 50, 50 + 10 / deviation, 40, 60, 50]
    assert scores_of(leaf("v", shape=ZScore()), subjects, peers=("kind",)) == pytest.approx(expected)
    # An observed range is of all subjects that are scored.
    assert scores_of(leaf("v", shape=ObservedRange()), subjects, peers=("kind",))[:2] == pytest.approx([0, 100 / 19])


@pytest.mark.parametrize("shape", [ObservedRange(), Percentile(), ZScore()])
def test_only_subjects_that_count_are_seen(shape: Any) -> None:
    """Those that the rule and the node apply to: others, however extreme, change nothing."""
    alone = frame(v=[1.0, 2.0, 4.0], kept=[1.0, 1.0, 1.0], seen=[1.0, 1.0, 1.0])
    among = frame(v=[1.0, 2.0, 4.0, 900.0, -900.0], kept=[1.0, 1.0, 1.0, 0.0, 1.0], seen=[1.0, 1.0, 1.0, 1.0, 0.0])
    node = leaf("v", shape=shape, applies_to=(parse_expression("seen == 1"),))

    def scores(subjects: pl.DataFrame) -> list[float | None]:
        rule = index(subjects, node, applies_to=(parse_expression("kept == 1"),))
        return score(rule, subjects)["v.score"].to_list()

    assert scores(among)[:3] == pytest.approx(scores(alone))
    assert scores(among)[3:] == [None]
