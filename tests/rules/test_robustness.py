"""How scores depend on weights, checked by hand and against the scoring engine itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from app.rules.context import Context
from app.rules.frames import CODE, MEMBER_ID, ORGANIZATION_ID, PARENT_ID, SUBJECT_ID
from app.rules.model import Combine, Index
from app.rules.parsing import parse_rule
from app.rules.robustness import shaken
from app.rules.scoring import score_index

TEXT = """
index: shape
subject: organization
metrics: {a: {count: meeting}, b: {count: meeting, where: {kind: lecture}}, c: {count: member}}
tree:
  - {code: one, weight: 50, value: a}
  - code: rest
    weight: 50
    children:
      - {code: two, weight: 30, value: b}
      - {code: three, weight: 20, value: c}
lights: {red: "< 60", green: ">= 60"}
"""
SUBJECTS = [(1, 90, 80, 70), (2, 50, 70, 62), (3, 60, 60, 59), (4, 10, 20, None), (5, 100, 100, 100)]


def rule(text: str = TEXT) -> Index:
    found = parse_rule(text.encode(), "indices/shape.yaml").rule
    assert isinstance(found, Index)
    return found


def scored(index: Index, rows=SUBJECTS) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            SUBJECT_ID: [row[0] for row in rows],
            CODE: [str(row[0]) for row in rows],
            ORGANIZATION_ID: [row[0] for row in rows],
            MEMBER_ID: [None for _ in rows],
            PARENT_ID: [None for _ in rows],
            "m.a": [row[1] for row in rows],
            "m.b": [row[2] for row in rows],
            "m.c": [row[3] for row in rows],
        },
        schema_overrides={"m.a": pl.Float64, "m.b": pl.Float64, "m.c": pl.Float64},
    )
    return score_index(index, frame, Context(date(2026, 9, 30))).results


def test_those_far_apart_keep_their_rank_and_those_at_an_edge_change_their_light() -> None:
    found = shaken(rule(), scored(rule()), draws=400)
    subjects = {row["subject_id"]: row for row in found.subjects.iter_rows(named=True)}
    assert (subjects[5]["rank_low"], subjects[5]["rank_high"]) == (1, 1)
    assert subjects[5]["light_changes"] == 0
    # 2 has 0.5·50 + 0.3·70 + 0.2·62 = 58.4, 3 has 0.5·60 + 0.3·60 + 0.2·59 = 59.8: both near 60 and near each other.
    assert [subjects[number]["rank"] for number in (3, 2, 4)] == [3, 4, 5]
    assert subjects[3]["rank_high"] >= 3
    assert 0 < found.steady_share <= 1


def test_the_interval_is_that_of_scoring_anew_with_shaken_weights() -> None:
    index = rule()
    found = shaken(index, scored(index), draws=1, by=0.0)
    expected = scored(index)
    assert found.subjects["rank"].to_list() == expected["rank"].to_list()
    assert found.subjects["rank_low"].to_list() == expected["rank"].to_list()


@pytest.mark.parametrize("combine", [Combine.GEOMETRIC, Combine.MINIMUM])
def test_other_means_are_those_of_the_engine(combine: Combine) -> None:
    index = rule()
    index = replace(index, root=replace(index.root, combine=combine))
    results = scored(index)
    assert shaken(index, results, draws=1, by=0.0).subjects["rank"].to_list() == results["rank"].to_list()


def test_effective_weights_add_up_to_one_and_show_what_does_nothing() -> None:
    index = rule()
    rows = [(number, number * 20, 50, 50) for number in range(1, 6)]
    found = {leaf.code: leaf for leaf in shaken(index, scored(index, rows), draws=2).leaves}
    assert found["one"].effective == pytest.approx(1.0)
    assert found["two"].effective == pytest.approx(0.0)
    assert found["one"].nominal == pytest.approx(0.5)
    assert found["one"].correlation == pytest.approx(1.0)
    assert found["two"].correlation is None


def test_two_that_say_the_same_are_found() -> None:
    rows = [(number, number * 10, number * 15 + 5, [30, 10, 50, 20, 40][number - 1]) for number in range(1, 6)]
    pairs = shaken(rule(), scored(rule(), rows), draws=2).alike
    assert [(pair.one, pair.other) for pair in pairs] == [("one", "two")]


def test_nobody_scored_is_no_fault() -> None:
    nothing = scored(rule(), [(1, None, None, None)])
    assert shaken(rule(), nothing, draws=2).subjects.is_empty()
