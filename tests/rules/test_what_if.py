"""What it would take, worked out by hand: 60 points for lectures (4 are due), 40 for fees (none late is best)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from app.entity.labels import UserError
from app.rules.context import Context
from app.rules.frames import CODE, MEMBER_ID, ORGANIZATION_ID, PARENT_ID, SUBJECT_ID
from app.rules.model import Index
from app.rules.parsing import parse_rule
from app.rules.standing import Given, Standing, outcomes, with_other
from app.rules.what_if import margins, shortest_ways

TEXT = """
index: shape
subject: organization
metrics:
  lectures: {count: meeting, where: {kind: lecture}}
  late: {count: fee_payment}
  appraised: {exists: meeting, where: {kind: democratic_appraisal}}
  turnout: {average: meeting, of: attended}
tree:
  - {code: lecture, weight: 60, value: lectures, score: {target: 4}}
  - {code: fees, weight: 30, value: late, score: {range: [10, 0]}}
  - {code: yearly, weight: 10, value: "if(appraised, 1, 0)", score: {target: 1}}
lights: {red: "< 60", yellow: "< 80", green: ">= 80"}
"""
CONTEXT = Context(date(2026, 9, 30))


def rule(text: str = TEXT) -> Index:
    found = parse_rule(text.encode(), "indices/shape.yaml")
    assert isinstance(found.rule, Index), found.problems
    return found.rule


def subjects() -> pl.DataFrame:
    rows = [(1, 2.0, 5.0, False), (2, 4.0, 0.0, True), (3, 1.0, 9.0, False)]
    return pl.DataFrame(
        {
            SUBJECT_ID: [row[0] for row in rows],
            CODE: ["A", "B", "C"],
            ORGANIZATION_ID: [1, 2, 3],
            MEMBER_ID: [None] * 3,
            PARENT_ID: [None] * 3,
            "m.lectures": [row[1] for row in rows],
            "m.late": [row[2] for row in rows],
            "m.appraised": [row[3] for row in rows],
            "m.turnout": [0.5] * 3,
        },
        schema_overrides={MEMBER_ID: pl.Int64, PARENT_ID: pl.Int64},
    )


def standing(text: str = TEXT, subject_id: int = 1) -> Standing:
    return Standing.among(rule(text), subjects(), CONTEXT, subject_id)


def test_other_figures_give_another_score_and_light() -> None:
    # A has 60·2/4 + 30·5/10 = 45; with four lectures and no late fee 60 + 30 = 90. B has 100.
    before, after = with_other(standing(), Given()), with_other(standing(), Given({"lectures": 4, "late": 0}))
    assert (before.score, before.light) == (pytest.approx(45), "red")
    assert (after.score, after.light, after.order_key) == (pytest.approx(90), "green", 90 * 10**9)
    assert after.nodes["lecture"] == pytest.approx(100)


def test_a_value_can_be_given_whatever_it_is_worked_out_from() -> None:
    found = with_other(standing(), Given(values={"fees": 2, "yearly": 1}))
    assert found.score == pytest.approx(30 + 24 + 10)
    assert found.nodes["lecture"] == pytest.approx(50)


def test_what_one_unit_is_worth() -> None:
    # A lecture is worth 15 points, the appraisal 10, a late fee less 3.
    found = [(each.metric, each.step, round(each.points, 9)) for each in margins(standing())]
    assert found == [("lectures", 1, 15), ("appraised", 1, 10), ("late", -1, 3)]


def test_the_shortest_way_to_the_next_light_comes_first() -> None:
    ways = shortest_ways(standing())
    assert [[(change.metric, change.after) for change in way.changes] for way in ways] == [
        [("lectures", 3.0)],  # 60: yellow
        [("late", 0.0)],  # 45 + 15 = 60
    ]
    assert [way.units for way in ways] == [1, 5]


def test_several_figures_together_where_one_does_not_do() -> None:
    ways = shortest_ways(standing(), light="green")
    # Two lectures (75) and the appraisal (85); no single figure reaches 80.
    assert [(change.metric, change.units) for change in ways[0].changes] == [("lectures", 2), ("appraised", 1)]
    assert ways[0].light == "green"


def test_the_best_light_has_no_next() -> None:
    assert shortest_ways(standing(subject_id=2)) == []


def test_recovery_asks_for_more() -> None:
    ways = shortest_ways(standing(TEXT + "recover: 2\n"))
    # 60 would be yellow, but only 62 and more gets there from red.
    assert [(change.metric, change.units) for change in ways[0].changes] == [("lectures", 2)]


def test_an_unknown_figure_is_refused() -> None:
    with pytest.raises(UserError, match="没有统计项"):
        with_other(standing(), Given({"nothing": 1}))


def test_among_peers_by_percentile() -> None:
    text = TEXT.replace("score: {target: 4}", "score: {percentile: true}")
    # A is in the middle of three (50); two lectures more make it equal to B (75): 60·0.75 + 15 = 60.
    ways = shortest_ways(standing(text))
    assert [(change.metric, change.units) for change in ways[0].changes] == [("lectures", 2)]
    assert ways[0].score == pytest.approx(60)


def test_variants_among_peers_are_not_compared_with_one_another() -> None:
    text = TEXT.replace("score: {target: 4}", "score: {percentile: true}")
    together = outcomes(standing(text), [{"lectures": number} for number in range(6)])
    alone = [outcomes(standing(text), [{"lectures": number}])[0] for number in range(6)]
    assert together == alone
    # B has 4, C has 1: below both, equal to C, between them, equal to B, above both.
    assert [each.nodes["lecture"] for each in together] == [0, 25, 50, 50, 75, 100]


def test_fewer_of_what_is_due_is_no_way() -> None:
    text = TEXT.replace("value: late, score: {range: [10, 0]}", "value: lectures / late, score: {target: 1}")
    assert {(each.metric, each.step) for each in margins(standing(text))} == {("lectures", 1), ("appraised", 1)}


def test_a_parent_keeps_the_part_of_its_children() -> None:
    text = TEXT + "roll_up: {own: 0.5, children: 0.5}\n"
    children = pl.DataFrame(
        {"subject_id": [7, 8], "parent_id": [1, 1], "rolled": [80.0, 60.0], "roll_weight": [1.0] * 2}
    )
    parent = replace(standing(text), siblings=children)
    assert [each.score for each in outcomes(parent, [{}, {"lectures": 4}])] == [(45 + 70) / 2, (75 + 70) / 2]
