"""Indices scored by hand: the contract's order, one rule at a time."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import polars as pl
import pytest

from app.entity import filters
from app.entity.labels import Label, UserError
from app.rules.expression_parser import parse_expression
from app.rules.frames import Reason
from app.rules.model import (
    Adjustment,
    Bands,
    Combine,
    Figure,
    Missing,
    Node,
    ObservedRange,
    Parameter,
    Percentile,
    RollUp,
    Target,
    ZScore,
)
from app.rules.scoring import score_index

from .by_hand import END_OF_QUARTER, FOUR_LIGHTS, LABEL, frame, group, index, leaf, lights, score, veto


def condition(text: str) -> tuple[Any, ...]:
    return (parse_expression(text),)


def adjustment(code: str, value: str, each: float = 1.0, at_most: float | None = None) -> Adjustment:
    return Adjustment(code, LABEL, parse_expression(value), each, at_most)


def column(name: str, *nodes: Node, subjects: pl.DataFrame, **options: Any) -> list[Any]:
    return score(index(subjects, *nodes, **options), subjects)[name].to_list()


# Trees ---------------------------------------------------------------------------------------------------------


def test_the_contracts_example() -> None:
    """One lecture held, nine of ten present: party life is 10 of 10 points and 15 × 80."""
    subjects = frame(lectures=[1.0], present=[9.0], due=[10.0])
    turnout = Bands(((0.0, 0.0), (0.65, 60.0), (0.8, 80.0), (0.95, 100.0)))
    life = group(
        "party_life",
        leaf("lecture", "lectures", Target(parse_expression("1")), weight=10.0),
        leaf("turnout", "present / due", turnout, weight=15.0),
        weight=25.0,
    )
    found = score(index(subjects, life), subjects).row(0, named=True)
    assert (found["lecture.score"], found["turnout.score"], found["party_life.score"]) == (100, 80, 88)
    assert (found["score"], found["light"]) == (88, "green")
    assert (found["lecture.weight"], found["turnout.weight"]) == pytest.approx((0.4, 0.6))
    assert (found["lecture.lost"], found["turnout.lost"], found["party_life.lost"]) == pytest.approx((0, 12, 12))


@pytest.mark.parametrize(
    ("combine", "weights", "expected"),
    [
        (Combine.ARITHMETIC, (1.0, 3.0), (25 + 3 * 100) / 4),
        (Combine.ARITHMETIC, (None, None), 62.5),
        (Combine.ARITHMETIC, (0.0, 2.0), 100),
        (Combine.ARITHMETIC, (0.0, 0.0), None),
        (Combine.GEOMETRIC, (1.0, 3.0), (25 * 100**3) ** 0.25),
        (Combine.GEOMETRIC, (None, None), 50),
        (Combine.GEOMETRIC, (0.0, 0.0), None),
        (Combine.MINIMUM, (1.0, 3.0), 25),
        (Combine.MINIMUM, (0.0, 0.0), 25),
    ],
)
def test_means(combine: Combine, weights: tuple[float | None, ...], expected: float | None) -> None:
    subjects = frame(a=[25.0], b=[100.0])
    nodes = [leaf(code, weight=weight) for code, weight in zip("ab", weights, strict=True)]
    assert column("score", *nodes, subjects=subjects, combine=combine) == [pytest.approx(expected)]


def test_one_nought_makes_a_geometric_mean_nought_unless_it_weighs_nothing() -> None:
    subjects = frame(a=[0.0, 0.0], b=[80.0, None])
    nodes = leaf("a", weight=1.0), leaf("b", weight=3.0)
    assert column("score", *nodes, subjects=subjects, combine=Combine.GEOMETRIC) == [0, 0]
    nodes = leaf("a", weight=0.0), leaf("b", weight=3.0)
    assert column("score", *nodes, subjects=subjects, combine=Combine.GEOMETRIC) == [pytest.approx(80), None]


def test_nested_means_of_every_kind() -> None:
    subjects = frame(a=[40.0], b=[90.0], c=[70.0], d=[20.0], e=[64.0])
    inner = group("inner", leaf("a"), leaf("b"), combine=Combine.GEOMETRIC, weight=2.0)
    lowest = group("lowest", leaf("c"), group("deep", leaf("d"), leaf("e")), combine=Combine.MINIMUM, weight=1.0)
    assert column("score", inner, lowest, subjects=subjects) == [pytest.approx((2 * 60 + 42) / 3)]


def test_a_missing_node_leaves_its_weight_to_its_siblings() -> None:
    subjects = frame(a=[80.0], b=[None], c=[20.0])
    nodes = leaf("a", weight=1.0), leaf("b", weight=5.0), leaf("c", weight=3.0)
    found = score(index(subjects, *nodes), subjects).row(0, named=True)
    assert found["score"] == 35
    assert [found[f"{code}.weight"] for code in "abc"] == [0.25, 0, 0.75]
    assert [found[f"{code}.lost"] for code in "abc"] == [5, 0, 60]
    assert [found[f"{code}.reason"] for code in "abc"] == [Reason.SCORED, Reason.MISSING_SKIPPED, Reason.SCORED]


def test_what_missing_says() -> None:
    """Subjects 1 and 2 have a score of b, 3 and 4 have not; 4 is alone among its peers."""
    subjects = frame(a=[100.0] * 4, b=[20.0, 60.0, None, None], s_kind=["x", "x", "x", "y"])

    def scores(missing: Missing) -> list[float | None]:
        return column("score", leaf("a"), leaf("b", missing=missing), subjects=subjects, peers=("kind",))

    assert scores(Missing.SKIP) == [60, 80, 100, 100]
    assert scores(Missing.ZERO) == [60, 80, 50, 50]
    assert scores(Missing.PEER_AVERAGE) == [60, 80, 70, 100]
    assert scores(Missing.FAIL) == [60, 80, None, None]


def test_failing_spares_nothing_above_and_lights_no_data() -> None:
    subjects = frame(a=[100.0, 100.0], b=[None, 50.0])
    education = group("education", leaf("b", missing=Missing.FAIL), leaf("a"), missing=Missing.ZERO)
    found = score(index(subjects, education, leaf("other", "a")), subjects)
    assert found["score"].to_list() == [None, 87.5]
    assert found["light"].to_list() == ["no_data", "green"]
    assert found["education.score"].to_list() == [None, 75]
    assert found["education.reason"].to_list() == [Reason.MISSING_FAILED, Reason.SCORED]
    assert found["rank"].to_list() == [None, 1]


def test_a_node_that_does_not_apply_is_left_out_whatever_its_missing_says() -> None:
    subjects = frame(a=[60.0, 60.0], b=[0.0, 0.0], groups=[0.0, 1.0])
    for missing in Missing:
        inner = group("inner", leaf("b"), applies_to=condition("groups > 0"), missing=missing)
        found = score(index(subjects, leaf("a"), inner), subjects)
        assert found["score"].to_list() == [60, 30]
        assert found["inner.reason"].to_list() == [Reason.NOT_APPLICABLE, Reason.SCORED]
        assert found["b.reason"].to_list() == [Reason.NOT_APPLICABLE, Reason.SCORED]
        assert found["b.value"].to_list() == [None, 0]


def test_the_missing_of_inner_nodes_and_of_the_root() -> None:
    subjects = frame(a=[None, 40.0], b=[80.0, 80.0])
    for missing, expected in ((Missing.SKIP, 80), (Missing.ZERO, 40), (Missing.PEER_AVERAGE, 60)):
        nodes = group("inner", leaf("a"), missing=missing), leaf("b")
        assert column("score", *nodes, subjects=subjects) == [expected, 60]
    for missing, expected in (
        (Missing.SKIP, None),
        (Missing.ZERO, 0),
        (Missing.PEER_AVERAGE, 40),
        (Missing.FAIL, None),
    ):
        assert column("score", leaf("a"), subjects=subjects, missing=missing) == [expected, 40]


def test_a_disabled_node_is_left_out() -> None:
    subjects = frame(a=[60.0], b=[0.0])
    found = score(index(subjects, leaf("a"), leaf("b", enabled=False)), subjects)
    assert found["score"].to_list() == [60]
    assert found["coverage"].to_list() == [1]
    assert "b.score" not in found.columns


@pytest.mark.parametrize(
    ("least", "expected"), [(0.0, 100), (0.65, 100), (0.66, None), (1.0, None)], ids=["none", "exact", "above", "all"]
)
def test_coverage_counts_nominal_weights_of_nodes_that_apply(least: float, expected: float | None) -> None:
    """a (65) has data, b (25) and c (10) are made up, d (100) does not apply."""
    subjects = frame(a=[100.0, 100.0], b=[None, 100.0], c=[None, 100.0], d=[None, 100.0])
    nodes = (
        leaf("a", weight=65.0),
        group("made_up", leaf("b", weight=25.0), leaf("c", weight=10.0, missing=Missing.PEER_AVERAGE), weight=35.0),
        leaf("d", weight=100.0, applies_to=condition("d > 0")),
    )
    found = score(index(subjects, *nodes, min_coverage=least), subjects)
    assert found["coverage"].to_list() == pytest.approx([0.65, 1.0])
    assert found["score"].to_list() == [expected, 100]
    assert found["light"].to_list() == ["no_data" if expected is None else "green", "green"]


@pytest.mark.parametrize("nodes", range(3, 13))
def test_coverage_of_exactly_the_minimum_suffices(nodes: int) -> None:
    """Whatever the sum of the shares makes of it in its last bit."""
    for there in range(1, nodes):
        subjects = frame(**{f"n{n}": [50.0 if n < there else None] for n in range(nodes)})
        rule = index(subjects, *(leaf(f"n{n}", weight=0.1) for n in range(nodes)), min_coverage=there / nodes)
        assert score(rule, subjects)["score"].to_list() == [pytest.approx(50)]


# What follows the tree -----------------------------------------------------------------------------------------


def test_the_order_of_the_steps() -> None:
    """Scale, bonus and penalty, bounds, veto, decimals: each acts on what the one before gave."""
    subjects = frame(
        a=[50.0, 95.0, 10.0, 70.0], plus=[2.0, 9.0, None, 0.0], minus=[1.0, 0.0, 30.0, 0.0], fraud=[0.0, 0.0, 0.0, 1.0]
    )
    rule = index(
        subjects,
        leaf("a"),
        scale=(0.0, 10.0),
        bonus=(adjustment("plus", "plus", 0.5, 2.0),),
        penalty=(adjustment("minus", "minus", 1 / 3),),
        bounds=(1.0, 11.0),
        veto=(veto("fraud", "fraud > 0", 5.25),),
        decimals=1,
        lights=lights(red="< 6", green=">= 6"),
    )
    found = score(rule, subjects)
    assert found["base"].to_list() == pytest.approx([5, 9.5, 1, 7])
    assert found["bonus"].to_list() == pytest.approx([1, 2, 0, 0])
    assert found["penalty"].to_list() == pytest.approx([1 / 3, 0, 10, 0])
    assert found["own"].to_list() == pytest.approx([17 / 3, 11, 1, 7])
    assert found["score"].to_list() == [5.7, 11.0, 1.0, 5.3]
    assert found["cap"].to_list() == [None, None, None, 5.25]
    assert found["fraud.held"].to_list() == [False, False, False, True]
    assert found["light"].to_list() == ["red", "green", "red", "red"]
    assert found["rank"].to_list() == [2, 1, 4, 3]


def test_bonus_and_penalty_are_capped_each_and_together_and_never_change_sides() -> None:
    subjects = frame(a=[50.0, 50.0], p=[4.0, -9.0], q=[4.0, None])
    rule = index(
        subjects,
        leaf("a"),
        bonus=(adjustment("one", "p", 2.0, 5.0), adjustment("two", "q")),
        bonus_at_most=8.0,
        penalty=(adjustment("three", "p", 0.5), adjustment("four", "q", 2.0)),
        penalty_at_most=9.0,
    )
    found = score(rule, subjects)
    assert found.select("one.points", "two.points", "bonus").rows() == [(5, 4, 8), (0, 0, 0)]
    assert found.select("three.points", "four.points", "penalty").rows() == [(2, 8, 9), (0, 0, 0)]
    assert found["score"].to_list() == [49, 50]


def test_the_default_bounds_are_the_scale() -> None:
    subjects = frame(a=[98.0, 1.0])
    rule = index(
        subjects, leaf("a"), bonus=(adjustment("p", "a > 50", 9.0),), penalty=(adjustment("q", "a < 50", 9.0),)
    )
    assert score(rule, subjects)["score"].to_list() == [100, 0]


def test_the_lowest_cap_of_the_vetoes_that_hold() -> None:
    subjects = frame(a=[90.0] * 4, x=[0.0, 1.0, 1.0, None], y=[0.0, 0.0, 1.0, 0.0])
    rule = index(subjects, leaf("a"), veto=(veto("first", "x > 0", 59.0), veto("second", "y > 0", 40.0)))
    assert score(rule, subjects)["score"].to_list() == [90, 59, 40, 90]


def test_vetoes_are_the_rules_and_hold_only_where_it_applies() -> None:
    subjects = frame(parent_id=[None, 1], a=[None, 90.0], branch=[False, True], fraud=[1.0, 0.0])
    options: dict[str, Any] = {"applies_to": condition("branch"), "veto": (veto("fraud", "fraud > 0", 59.0),)}
    found = score(index(subjects, leaf("a"), roll_up=RollUp(0.3, 0.7), **options), subjects)
    assert found.select("subject_id", "score", "fraud.held").rows() == [(1, 90, False), (2, 90, False)]


def test_parameters_figures_and_filters() -> None:
    """Hours due by kind, a figure computed from figures above it, and a filter worked out by collecting."""
    subjects = frame(hours=[28.0, 16.0, 8.0], s_kind=["agency", "other", None]).with_columns(
        pl.Series("f.0", [True, True, None])
    )
    due = Parameter("due", 32.0, "kind", {"agency": 56.0})
    rule = index(
        subjects,
        leaf("study", "twice", Target(parse_expression("due"))),
        applies_to=(filters.Test("kind", filters.Operator.NULL, False),),
        parameters=(due, Parameter("factor", 2.0)),
    )
    figures = (Figure("share", parse_expression("hours * factor")), Figure("twice", parse_expression("share / 2 * 1")))
    rule = type(rule)(**{**rule.__dict__, "metrics": (*rule.metrics, *figures)})
    found = score(rule, subjects)
    assert found["subject_id"].to_list() == [1, 2]
    assert found["study.score"].to_list() == [50, 50]


# Lights, grades, ranks -----------------------------------------------------------------------------------------


def test_recovering_takes_more_than_falling() -> None:
    """The contract's formula with r = 2, for every light that can be present."""
    values = [59.0, 60.0, 61.9, 62.0, 69.9, 71.9, 72.0, 81.9, 82.0]
    expected = {
        None: ["red", "orange", "orange", "orange", "orange", "yellow", "yellow", "green", "green"],
        "red": ["red", "red", "red", "orange", "orange", "orange", "yellow", "yellow", "green"],
        "orange": ["red", "orange", "orange", "orange", "orange", "orange", "yellow", "yellow", "green"],
        "yellow": ["red", "orange", "orange", "orange", "orange", "yellow", "yellow", "yellow", "green"],
        "green": ["red", "orange", "orange", "orange", "orange", "yellow", "yellow", "green", "green"],
        "no_data": ["red", "orange", "orange", "orange", "orange", "yellow", "yellow", "green", "green"],
    }
    for present, lit in expected.items():
        subjects = frame(a=values, light_now=[present] * len(values))
        assert column("light", leaf("a"), subjects=subjects, recover=2.0) == lit, present


def test_the_worst_light_that_holds_is_lit_whatever_the_order_written() -> None:
    subjects = frame(a=[50.0, 90.0], late=[0.0, 1.0])
    lit = lights(green=">= 0", yellow="late > 0", red="< 60")
    assert column("light", leaf("a"), subjects=subjects, lights=lit) == ["red", "yellow"]


def test_lights_and_ranks_ignore_the_noise_of_sums() -> None:
    """79.99999999999999 is 80 and ties with it; files hold it in full."""
    subjects = frame(a=[79.99999999999999, 80.0, 79.9999999])
    found = score(index(subjects, leaf("a")), subjects)
    assert found["light"].to_list() == ["green", "green", "yellow"]
    assert found["rank"].to_list() == [1, 1, 3]
    assert found["score"][0] == 79.99999999999999


def test_ranks_are_one_two_two_four() -> None:
    subjects = frame(a=[70.0, 90.0, 80.0, 80.0, None], s_kind=["x", "y", "x", "x", "x"])
    found = score(index(subjects, leaf("a"), peers=("kind",)), subjects)
    assert found["rank"].to_list() == [4, 1, 2, 2, None]
    assert found["peer_rank"].to_list() == [3, 1, 1, 1, None]
    assert found["peers"].to_list() == ["x", "y", "x", "x", "x"]


def test_ranks_are_taken_from_the_rounded_score() -> None:
    subjects = frame(a=[70.04, 69.96, 69.94])
    found = score(index(subjects, leaf("a"), decimals=1), subjects)
    assert found["score"].to_list() == [70.0, 70.0, 69.9]
    assert found["rank"].to_list() == [1, 1, 3]
    assert found["light"].to_list() == ["yellow", "yellow", "orange"]


def test_grades_are_places_in_the_rules_list() -> None:
    subjects = frame(a=[59.0, 60.0, 95.0, None])
    grades = ((60.0, Label("合格", "pass")), (90.0, Label("优秀", "excellent")))
    assert column("grade", leaf("a"), subjects=subjects, grades=grades) == [None, 0, 1, None]


# Roll-up -------------------------------------------------------------------------------------------------------


def organizations(**columns: list[Any]) -> pl.DataFrame:
    """District 1, streets 2 and 3, branches 4 and 5 of street 2, branch 6 of street 3, branch 7 of the district."""
    return frame(parent_id=[None, 1, 1, 2, 2, 3, 1], **columns)


def rolled(subjects: pl.DataFrame, weight: str | None = None, **options: Any) -> list[float | None]:
    rule = index(subjects, leaf("a"), roll_up=RollUp(0.3, 0.7, weight), **options)
    return score(rule, subjects)["score"].to_list()


def test_scores_roll_up_from_the_leaves() -> None:
    subjects = organizations(a=[10.0, 50.0, None, 80.0, 100.0, 60.0, None])
    street_2, street_3 = 0.3 * 50 + 0.7 * 90, 60
    assert rolled(subjects) == pytest.approx([0.3 * 10 + 0.7 * (street_2 + street_3) / 2, 78, 60, 80, 100, 60, None])


def test_organizations_to_which_the_rule_does_not_apply_take_their_childrens_score_alone() -> None:
    subjects = organizations(a=[10.0, 50.0, 20.0, 80.0, 100.0, 60.0, 20.0], tier=[1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 0.0])
    found = rolled(subjects, applies_to=condition("tier == 3"))
    assert found == pytest.approx([75, 90, 60, 80, 100, 60])  # branch 7 has neither, and no row


def test_children_weigh_by_a_metric_or_column() -> None:
    subjects = organizations(a=[None, None, None, 80.0, 100.0, 60.0, 90.0], size=[0.0, 1.0, 3.0, 1.0, 3.0, 5.0, None])
    expected = [(95 * 1 + 60 * 3) / 4, 95, 60, 80, 100, 60, 90]  # branch 7 has no weight
    assert rolled(subjects, "size") == pytest.approx(expected)
    by_column = organizations(
        a=[None, None, None, 80.0, 100.0, 60.0, 90.0], s_size=[0.0, 1.0, 3.0, 1.0, 3.0, 5.0, None]
    )
    assert rolled(by_column, "size") == pytest.approx(expected)
    nothing = organizations(a=[20.0, 30.0, None, 80.0, 100.0, 60.0, 90.0], size=[0.0] * 7)
    assert rolled(nothing, "size") == [20, 30, None, 80, 100, 60, 90]


def test_vetoes_and_decimals_come_after_the_roll_up() -> None:
    subjects = organizations(a=[None, None, None, 80.06, 100.0, 60.0, None], fraud=[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    options: dict[str, Any] = {"veto": (veto("fraud", "fraud > 0", 59.0),), "decimals": 1}
    assert rolled(subjects, **options) == pytest.approx([75.0, 90.0, 60, 80.1, 59, 60, None])


def test_a_partial_run_rolls_up_with_the_published_siblings() -> None:
    before = organizations(a=[10.0, 50.0, None, 80.0, 100.0, 60.0, None], size=[1.0] * 7)
    rule = index(before, leaf("a"), roll_up=RollUp(0.3, 0.7, "size"))
    full = score_index(rule, before, END_OF_QUARTER)
    changed = before.with_columns(pl.when(pl.col("subject_id") == 4).then(20.0).otherwise("m.a").alias("m.a"))
    some = changed.filter(pl.col("subject_id").is_in([1, 2, 4]))
    siblings = full.results.join(before.select("subject_id", "parent_id"), on="subject_id")
    partial = score_index(rule, some, END_OF_QUARTER, statistics=full.statistics, siblings=siblings).results
    expected = score(rule, changed).filter(pl.col("subject_id").is_in([1, 2, 4]))
    assert partial["score"].to_list() == pytest.approx(expected["score"].to_list())


def test_a_partial_run_compares_with_the_others_of_the_last_full_run() -> None:
    """The changed subject's old value gives way to its new one; unchanged, it scores as it did."""
    before = frame(a=[1.0, 2.0, 3.0, 4.0, None], s_kind=["x"] * 5)
    nodes = [
        leaf("rank", "a", Percentile()),
        leaf("standard", "a", ZScore()),
        leaf("place", "a", ObservedRange()),
        leaf("filled_up", "a", missing=Missing.PEER_AVERAGE),
    ]
    rule = index(before, *nodes, peers=("kind",))
    full = score_index(rule, before, END_OF_QUARTER)
    columns = [f"{node.code}.score" for node in nodes]
    for subject, new in ((2, 2.0), (2, 9.0), (2, None), (1, 3.0), (5, 2.5), (5, None)):
        after = before.with_columns(pl.when(pl.col("subject_id") == subject).then(new).otherwise("m.a").alias("m.a"))
        one = after.filter(pl.col("subject_id") == subject)
        partial = score_index(rule, one, END_OF_QUARTER, statistics=full.statistics)
        expected = score(rule, after).filter(pl.col("subject_id") == subject)
        assert partial.results.select(columns).row(0) == pytest.approx(expected.select(columns).row(0))
        assert partial.statistics is full.statistics


def test_organizations_in_a_circle_do_not_hang_a_run() -> None:
    subjects = frame(parent_id=[2, 1, None], a=[80.0, 60.0, 70.0])
    rule = index(subjects, leaf("a"), roll_up=RollUp(0.5, 0.5))
    assert score(rule, subjects).filter(pl.col("subject_id") == 3)["score"].to_list() == [70]


def test_only_organizations_roll_up() -> None:
    subjects = frame(a=[80.0])
    with pytest.raises(UserError, match="roll_up"):
        score(index(subjects, leaf("a"), roll_up=RollUp(0.5, 0.5)), subjects)


# Explaining ----------------------------------------------------------------------------------------------------


def test_a_geometric_mean_shares_its_loss_by_logarithms() -> None:
    subjects = frame(a=[25.0, 0.0, 100.0], b=[100.0, 50.0, 100.0], c=[50.0, 0.0, 100.0])
    nodes = leaf("a", weight=1.0), leaf("b", weight=1.0), leaf("c", weight=2.0)
    found = score(index(subjects, *nodes, combine=Combine.GEOMETRIC, scale=(0.0, 1.0)), subjects)
    root = (25 * 100 * 50**2) ** 0.25
    total = math.log(4) + 2 * math.log(2)
    lost = [(100 - root) / 100 * math.log(4) / total, 0, (100 - root) / 100 * 2 * math.log(2) / total]
    assert found.select("a.lost", "b.lost", "c.lost").row(0) == pytest.approx(lost)
    assert found.select("a.lost", "b.lost", "c.lost").row(1) == pytest.approx([1 / 3, 0, 2 / 3])
    assert found.select("a.lost", "b.lost", "c.lost").row(2) == (0, 0, 0)


def test_a_minimum_loses_by_its_lowest() -> None:
    subjects = frame(a=[25.0, 40.0], b=[90.0, 40.0], c=[None, 60.0])
    found = score(index(subjects, leaf("a"), leaf("b"), leaf("c"), combine=Combine.MINIMUM), subjects)
    assert found.select("a.lost", "b.lost", "c.lost").rows() == [(75, 0, 0), (30, 30, 0)]
    assert found.select("a.weight", "b.weight", "c.weight").rows() == [(1, 0, 0), (0.5, 0.5, 0)]


# Edges ---------------------------------------------------------------------------------------------------------

EVERYTHING: dict[str, Any] = {
    "recover": 2.0,
    "decimals": 2,
    "peers": ("kind",),
    "roll_up": RollUp(0.3, 0.7, "a"),
    "bonus": (adjustment("plus", "a"),),
    "veto": (veto("fraud", "a > 90", 59.0),),
    "min_coverage": 0.5,
}


def test_no_subjects() -> None:
    subjects = frame(parent_id=[1], a=[1.0], s_kind=["x"]).clear()
    found = score_index(index(subjects, leaf("a"), **EVERYTHING), subjects, END_OF_QUARTER)
    assert found.results.height == 0
    assert "a.score" in found.results.columns
    assert type(found.statistics).from_bytes(found.statistics.to_bytes()).frame.height == 0


def test_a_rule_that_applies_to_nobody() -> None:
    subjects = frame(parent_id=[None, 1], a=[1.0, 2.0], s_kind=["x", "x"])
    rule = index(subjects, leaf("a"), applies_to=condition("a > 5"), **EVERYTHING)
    assert score(rule, subjects).height == 0


def test_nothing_is_there() -> None:
    subjects = frame(parent_id=[None, 1], a=[None, None], s_kind=["x", None])
    found = score(index(subjects, leaf("a"), **EVERYTHING), subjects)
    assert (
        found.select("score", "light", "grade", "rank", "peer_rank").rows() == [(None, "no_data", None, None, None)] * 2
    )


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none_are_missing(bad: float) -> None:
    subjects = frame(a=[bad, 50.0], b=[80.0, 80.0])
    found = score(index(subjects, leaf("a"), leaf("b")), subjects)
    assert found["a.value"].to_list() == [None, 50]
    assert found["score"].to_list() == [80, 65]


def test_an_index_without_nodes_or_lights_scores_nobody() -> None:
    subjects = frame(a=[1.0])
    assert score(index(subjects, lights=()), subjects).select("score", "light").rows() == [(None, "no_data")]


def test_a_name_that_nothing_has_is_an_error_for_people() -> None:
    subjects = frame(a=[1.0])
    with pytest.raises(UserError, match="nowhere"):
        score(index(subjects, leaf("x", "nowhere + 1")), subjects)


def test_statistics_of_another_version_are_refused() -> None:
    subjects = frame(a=[1.0])
    rule = index(subjects, leaf("a"))
    statistics = score_index(rule, subjects, END_OF_QUARTER).statistics
    assert statistics.as_of == date(2026, 9, 30)
    with pytest.raises(ValueError, match="version"):
        score_index(type(rule)(**{**rule.__dict__, "version": "2"}), subjects, END_OF_QUARTER, statistics=statistics)


def test_codes_of_nodes_never_meet_names_of_columns() -> None:
    """A node may be called as the frames' prefixes are, and its parts as metrics are."""
    subjects = frame(score=[50.0], value=[70.0], s_own=[90.0], s_value=[60.0])
    nodes = [leaf("m", "score"), leaf("s", "own"), leaf("score", "value"), leaf("applies", "score")]
    found = score(index(subjects, *nodes, lights=FOUR_LIGHTS), subjects).row(0, named=True)
    assert [found[f"{code}.score"] for code in ("m", "s", "score", "applies")] == [50, 90, 70, 50]
