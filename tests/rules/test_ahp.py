"""Weights from pairwise judgements, against published examples."""

from __future__ import annotations

import pytest

from app.entity.labels import UserError
from app.rules.ahp import weigh

DRINKS = {
    ("coffee", "wine"): 9, ("coffee", "tea"): 5, ("coffee", "beer"): 2, ("coffee", "soda"): 1, ("coffee", "milk"): 1,
    ("coffee", "water"): 1 / 2, ("wine", "tea"): 1 / 3, ("wine", "beer"): 1 / 9, ("wine", "soda"): 1 / 9,
    ("wine", "milk"): 1 / 9, ("wine", "water"): 1 / 9, ("tea", "beer"): 1 / 3, ("tea", "soda"): 1 / 4,
    ("tea", "milk"): 1 / 3, ("tea", "water"): 1 / 9, ("beer", "soda"): 1 / 2, ("beer", "milk"): 1,
    ("beer", "water"): 1 / 3, ("soda", "milk"): 2, ("soda", "water"): 1 / 2, ("milk", "water"): 1 / 3,
}  # fmt: skip
"""Which drink is consumed more in the United States: T. L. Saaty, Decision making with the analytic hierarchy process,
Int. J. Services Sciences 1 (2008) 83–98, with its weights and its consistency ratio of 0.022. The documentation of the
library AHPy (https://github.com/PhilipGriffith/AHPy) has the same judgements and figures."""


def test_the_published_example_of_drinks() -> None:
    found = weigh(("coffee", "wine", "tea", "beer", "soda", "milk", "water"), [DRINKS])
    published = {
        "coffee": 0.177, "wine": 0.019, "tea": 0.042, "beer": 0.116, "soda": 0.190, "milk": 0.129, "water": 0.327,
    }  # fmt: skip
    assert found.weights == pytest.approx(published, abs=0.0006)
    assert found.consistency_ratio == pytest.approx(0.022, abs=0.001)
    assert found.is_acceptable


def test_consistent_judgements_give_their_ratios() -> None:
    found = weigh(("a", "b", "c"), [{("a", "b"): 2, ("b", "c"): 3, ("a", "c"): 6}])
    assert found.weights == pytest.approx({"a": 0.6, "b": 0.3, "c": 0.1})
    assert found.consistency_ratio == pytest.approx(0, abs=1e-9)
    assert found.least_consistent == ()


def test_a_contradiction_is_pointed_out() -> None:
    judgements = {("a", "b"): 2, ("b", "c"): 2, ("c", "d"): 2, ("a", "c"): 4, ("b", "d"): 4, ("d", "a"): 8}
    found = weigh(("a", "b", "c", "d"), [judgements])
    assert not found.is_acceptable
    worst = found.least_consistent[0]
    assert (worst.one, worst.other, worst.judged) == ("a", "d", pytest.approx(1 / 8))
    assert worst.fitting > worst.judged


def test_several_people_by_their_geometric_mean() -> None:
    found = weigh(("a", "b"), [{("a", "b"): 4}, {("b", "a"): 4}, {("a", "b"): 4}])
    ratio = 4 ** (1 / 3)
    assert found.weights["a"] / found.weights["b"] == pytest.approx(ratio)


def test_what_is_missing_or_off_the_scale_is_refused() -> None:
    with pytest.raises(UserError, match="还没有比较“a”和“c”"):
        weigh(("a", "b", "c"), [{("a", "b"): 2, ("b", "c"): 2}])
    with pytest.raises(UserError, match="1/9 到 9"):
        weigh(("a", "b"), [{("a", "b"): 10}])
    with pytest.raises(UserError, match="2 到 15"):
        weigh(("a",), [{}])


def test_the_ratio_of_three_follows_from_its_definition() -> None:
    # Of three items the eigenvalue is 1 + t + 1/t with t³ = ab · bc / ac; Saaty's random index for three is 0.58.
    found = weigh(("a", "b", "c"), [{("a", "b"): 2, ("b", "c"): 4, ("a", "c"): 1}])
    t = 2.0
    assert found.consistency_ratio == pytest.approx((1 + t + 1 / t - 3) / 2 / 0.58)
    assert found.weights["a"] == pytest.approx(2 ** (1 / 3) / (2 ** (1 / 3) + 2 ** (1 / 3) + 4 ** (-1 / 3)))
