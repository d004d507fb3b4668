"""The engine agrees with the reference interpreter, for random rules over random frames."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.rules.context import Context
from app.rules.model import Index, Missing, Node
from app.rules.scoring import PeerStatistics, score_index, score_warning
from app.rules.shapes import depends_on_others

from . import strategies
from .reference import IndexReference, warn

many = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return one == other


def assert_same(got: pl.DataFrame, expected: dict[int, dict[str, Any]], columns: list[str]) -> None:
    rows = {row["subject_id"]: row for row in got.iter_rows(named=True)}
    assert rows.keys() == expected.keys()
    for subject, row in expected.items():
        for name in columns:
            assert same(rows[subject][name], row[name]), (subject, name, rows[subject][name], row[name])


def compared_columns(index: Index) -> list[str]:
    nodes = [f"{node.code}.{what}" for node in index.root.walk() if node.code for what in ("score", "reason")]
    whole = ["score", "light", "grade", "rank", "peer_rank", "own", "base", "bonus", "penalty", "coverage"]
    return whole + nodes


@many
@given(st.data())
def test_indices_score_as_the_reference_does(data: st.DataObject) -> None:
    index = data.draw(strategies.indices())
    rows = data.draw(strategies.subjects(index))
    context = data.draw(strategies.contexts)
    got = score_index(index, strategies.frame_of(index, rows), context).results
    assert_same(got, IndexReference(index, rows, context).run(), compared_columns(index))


@many
@given(st.data())
def test_warnings_light_as_the_reference_does(data: st.DataObject) -> None:
    warning = data.draw(strategies.warnings())
    rows = data.draw(strategies.subjects(warning))
    context = data.draw(strategies.contexts)
    got = score_warning(warning, strategies.frame_of(warning, rows), context)
    assert_same(got, warn(warning, rows, context), [name for name in got.columns if name != "subject_id"])


@many
@given(st.data())
def test_a_partial_run_gives_what_a_full_run_would(data: st.DataObject) -> None:
    """Statistics are of before the change; the changed subjects score as if all were scored after it."""
    index = data.draw(strategies.indices(roll_up=False).filter(others_stay_as_they_are))
    before = data.draw(strategies.subjects(index))
    after = {row["subject_id"]: row for row in data.draw(strategies.subjects(index, most=3))}
    now = [after.get(row["subject_id"], row) for row in before]
    assert_partial(index, before, now, set(after), data.draw(strategies.contexts))


@many
@given(st.data())
def test_a_partial_run_without_changes_changes_nothing(data: st.DataObject) -> None:
    index = data.draw(strategies.indices(roll_up=False))
    rows = data.draw(strategies.subjects(index))
    assert_partial(index, rows, rows, {row["subject_id"] for row in rows[1:3]}, data.draw(strategies.contexts))


def assert_partial(
    index: Index, before: list[dict[str, Any]], now: list[dict[str, Any]], changed: set[int], context: Context
) -> None:
    full = score_index(index, strategies.frame_of(index, before), context)
    statistics = PeerStatistics.from_bytes(full.statistics.to_bytes())
    some = strategies.frame_of(index, [row for row in now if row["subject_id"] in changed])
    partial = score_index(index, some, context, statistics=statistics)
    expected = {i: row for i, row in IndexReference(index, now, context).run().items() if i in changed}
    assert_same(partial.results, expected, [name for name in compared_columns(index) if "rank" not in name])


def others_stay_as_they_are(index: Index) -> bool:
    """Whether the scores that peer averages are taken of depend on nobody else: they are those of the full run."""
    averaged = [node for node in index.root.walk() if node.missing is Missing.PEER_AVERAGE]
    below = [(top, node) for top in averaged for node in top.walk()]
    return not any(depends_on_others(node) or (node is not top and node in averaged) for top, node in below)


@many
@given(st.data())
def test_children_bear_together_what_their_parent_lost(data: st.DataObject) -> None:
    index = data.draw(strategies.indices(roll_up=False))
    rows = data.draw(strategies.subjects(index))
    context = data.draw(strategies.contexts)
    for row in score_index(index, strategies.frame_of(index, rows), context).results.iter_rows(named=True):
        if row["base"] is None:
            assert all(row[f"{node.code}.lost"] == 0 for node in index.root.walk() if node.code)
            continue
        bearing = bearers(index.root, row)
        if bearing != [index.root]:
            lost = sum(row[f"{node.code}.lost"] for node in bearing)
            assert math.isclose(lost, index.scale[1] - row["base"], abs_tol=1e-9)


def bearers(node: Node, row: dict[str, Any]) -> list[Node]:
    """The nodes that lose points themselves: leaves, and nodes whose score is not that of their children."""
    children = [child for child in node.children if child.enabled]
    if all(row[f"{child.code}.weight"] == 0 for child in children):
        return [node]
    return [found for child in children for found in bearers(child, row)]
