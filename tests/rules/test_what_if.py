"""What it would take, worked out by hand: 60 points for lectures (4 are due), 40 for fees (none late is best)."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from app.entity.labels import UserError
from app.rules.context import Context
from app.rules.frames import CODE, MEMBER_ID, ORGANIZATION_ID, PARENT_ID, SUBJECT_ID
from app.rules.model import Index
from app.rules.parsing import parse_rule
from app.rules.what_if import margins, shortest_ways, with_figures

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


def test_other_figures_give_another_score_light_and_rank() -> None:
    # A has 60·2/4 + 30·5/10 = 45; with four lectures and no late fee 60 + 30 = 90. B has 100.
    before, after = with_figures(rule(), subjects(), CONTEXT, 1, {"lectures": 4, "late": 0})
    assert (before.score, before.light, before.rank) == (pytest.approx(45), "red", 2)
    assert (after.score, after.light, after.rank) == (pytest.approx(90), "green", 2)
    assert after.nodes["lecture"] == pytest.approx(100)


def test_what_one_unit_is_worth() -> None:
    # A lecture is worth 15 points, the appraisal 10, a late fee less 3.
    found = [(each.metric, each.step, round(each.points, 9)) for each in margins(rule(), subjects(), CONTEXT, 1)]
    assert found == [("lectures", 1, 15), ("appraised", 1, 10), ("late", -1, 3)]


def test_the_shortest_way_to_the_next_light_comes_first() -> None:
    ways = shortest_ways(rule(), subjects(), CONTEXT, 1)
    assert [[(change.metric, change.after) for change in way.changes] for way in ways] == [
        [("lectures", 3.0)],  # 60: yellow
        [("late", 0.0)],  # 45 + 15 = 60
    ]
    assert [way.units for way in ways] == [1, 5]


def test_several_figures_together_where_one_does_not_do() -> None:
    ways = shortest_ways(rule(), subjects(), CONTEXT, 1, light="green")
    # Two lectures (75) and the appraisal (85); no single figure reaches 80.
    assert [(change.metric, change.units) for change in ways[0].changes] == [("lectures", 2), ("appraised", 1)]
    assert ways[0].light == "green"


def test_the_best_light_has_no_next() -> None:
    assert shortest_ways(rule(), subjects(), CONTEXT, 2) == []


def test_recovery_asks_for_more() -> None:
    ways = shortest_ways(rule(TEXT + "recover: 2\n"), subjects(), CONTEXT, 1)
    # 60 would be yellow, but only 62 and more gets there from red.
    assert [(change.metric, change.units) for change in ways[0].changes] == [("lectures", 2)]


def test_an_unknown_figure_is_refused() -> None:
    with pytest.raises(UserError, match="没有统计项"):
        with_figures(rule(), subjects(), CONTEXT, 1, {"nothing": 1})


def test_among_peers_by_percentile() -> None:
    text = TEXT.replace("score: {target: 4}", "score: {percentile: true}")
    # A is in the middle of three (50); two lectures more make it equal to B (75): 60·0.75 + 15 = 60.
    ways = shortest_ways(rule(text), subjects(), CONTEXT, 1)
    assert [(change.metric, change.units) for change in ways[0].changes] == [("lectures", 2)]
    assert ways[0].score == pytest.approx(60)
