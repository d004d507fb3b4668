"""Runs: what is computed before what, what is published, and what a second run leaves alone."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine, func, select

from app.access.actor import system_actor
from app.database.clock import today
from app.database.session import unit_of_work
from app.entity.labels import UserError
from app.evaluation.models import Breakdown, Run, RunState, Score
from app.rules.library import RuleLibrary
from tests import factories

from . import conftest
from .conftest import change, levels, scores


def test_scores_lights_and_roll_up(engine: Engine, tree: dict[str, int], run: conftest.Run) -> None:
    run()
    found = scores(engine)
    # a1: lectures 100, vanguard mean 50: 0.6 × 100 + 0.4 × 50; a2 has no members: lectures alone, 1 of 4
    assert found[tree["branch_a1"]] == (80.0, "green")
    assert found[tree["branch_a2"]] == (25.0, "red")
    assert found[tree["branch_b1"]] == (0.0, "red")
    # Streets have no score of their own: the mean of their branches
    assert found[tree["street_a"]] == (52.5, "red")
    assert found[tree["district"]] == (26.25, "red")
    assert scores(engine, "vanguard") == {tree["member"]: (50.0, "red")}


def test_one_rule_brings_what_it_reads(engine: Engine, tree: dict[str, int], run: conftest.Run) -> None:
    outcomes = run("strength")
    assert [outcome.rule.code for outcome in outcomes][-1] == "strength"
    assert {outcome.rule.code for outcome in outcomes} == {"vanguard", "term", "strength"}


def test_the_same_inputs_publish_nothing_new(engine: Engine, tree: dict[str, int], run: conftest.Run) -> None:
    run()
    with engine.connect() as connection:
        before = connection.execute(select(func.count()).select_from(Score)).scalar()
    outcomes = run()
    assert [outcome.changed for outcome in outcomes] == [0, 0, 0]
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(Score)).scalar() == before
        runs = connection.execute(select(Run.state, Run.rule_version)).all()
    assert {state for state, _ in runs} == {RunState.PUBLISHED}
    assert all(version for _, version in runs)


def test_a_replaced_score_is_kept_with_the_run_that_ended_it(
    engine: Engine, tree: dict[str, int], run: conftest.Run
) -> None:
    run()
    with unit_of_work(engine, system_actor("tests")) as session:
        branch = session.get_one(factories.Organization, tree["branch_a2"])
        for day in range(1, 4):
            session.add(
                factories.meeting(
                    organization=branch, kind="lecture", status="held", held_on=date(today().year, 2, 1 + day)
                )
            )
    outcome = run("strength")[-1]
    with engine.connect() as connection:
        rows = connection.execute(
            select(Score.score, Score.until_run_id, Score.light, Score.light_before, Score.light_since)
            .where(Score.subject_id == tree["branch_a2"], Score.rule_code == "strength")
            .order_by(Score.run_id)
        ).all()
    assert rows[0][:2] == (25.0, outcome.run_id)
    assert tuple(rows[1]) == (100.0, 0, "green", "red", today())


def test_a_past_period_looks_back_and_leaves_warnings_alone(
    engine: Engine, tree: dict[str, int], run: conftest.Run
) -> None:
    change(engine, tree["branch_a1"], term_ends_on=today() - timedelta(days=3))
    last_year = str(today().year - 1)
    run("strength", period=last_year)
    assert levels(engine) == {}
    with engine.connect() as connection:
        found = dict(
            connection.execute(
                select(Score.subject_id, Score.score).where(
                    Score.period_code == last_year, Score.rule_code == "strength"
                )
            ).all()
        )
    assert found[tree["branch_a1"]] < 80.0


def test_a_warning_asked_for_by_name_keeps_its_state_from_one_past_date_to_the_next(
    engine: Engine, tree: dict[str, int], rules_dir: Path, run: conftest.Run
) -> None:
    (rules_dir / "warnings/term.yaml").write_text(conftest.TERM + "recover: 10\n", encoding="utf-8")
    (rules_dir / "warnings/long.yaml").write_text(
        "warning: long\nsubject: organization\napplies_to: {tier: branch}\n"
        "value: days_held(days_until(term_ends_on) < 300)\nlevels: {yellow: '>= 5'}\n",
        encoding="utf-8",
    )
    branch, day = tree["branch_a1"], today() - timedelta(days=40)

    def level(code: str, as_of: date) -> str | None:
        results = run(code, as_of=as_of)[-1].results
        return results.row(by_predicate=pl.col("subject_id") == branch, named=True)["level"]

    change(engine, branch, term_ends_on=day + timedelta(days=60))
    assert level("term", day) == "orange"
    assert level("long", day) is None
    change(engine, branch, term_ends_on=day + timedelta(days=66))
    assert level("term", day + timedelta(days=1)) == "orange"  # 65 days: only 10 past the edge is better
    assert level("long", day + timedelta(days=6)) == "yellow"
    assert levels(engine) == {("term", branch): "orange", ("long", branch): "yellow"}
    # an earlier date says what it would have been and replaces nothing, in whatever period it lies
    assert level("long", day - timedelta(days=300)) is None
    assert levels(engine)["long", branch] == "yellow"


def test_an_earlier_date_does_not_replace_what_a_later_one_published(
    engine: Engine, tree: dict[str, int], run: conftest.Run
) -> None:
    run()
    before = scores(engine)
    outcome = run("strength", as_of=today() - timedelta(days=1))[-1]
    assert outcome.run_id is None
    assert outcome.results.height
    assert scores(engine) == before


def test_an_organization_that_the_rule_no_longer_applies_to_loses_its_score(
    engine: Engine, tree: dict[str, int], run: conftest.Run
) -> None:
    run()
    change(engine, tree["branch_b2"], tier="street")
    run()
    assert tree["branch_b2"] not in scores(engine)


def test_penalties_read_the_warnings_of_the_same_evaluation(
    engine: Engine, tree: dict[str, int], run: conftest.Run
) -> None:
    change(engine, tree["branch_a1"], term_ends_on=today() - timedelta(days=3))
    run()
    assert levels(engine) == {("term", tree["branch_a1"]): "red"}
    assert scores(engine)[tree["branch_a1"]] == (75.0, "yellow")


def test_missing_data_neither_closes_nor_opens_a_warning(
    engine: Engine, tree: dict[str, int], run: conftest.Run
) -> None:
    change(engine, tree["branch_a1"], term_ends_on=today() - timedelta(days=3))
    run()
    change(engine, tree["branch_a1"], term_ends_on=None)
    outcome = next(outcome for outcome in run() if outcome.rule.code == "term")
    assert outcome.changed == 0
    assert levels(engine) == {("term", tree["branch_a1"]): "red"}
    # and what stands is what penalties count
    assert scores(engine)[tree["branch_a1"]] == (75.0, "yellow")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"period": "2026Q3"}, "2026Q3"),
        ({"period": "2999"}, "还没有开始"),
        ({"period": "20x6"}, "不是周期"),
    ],
)
def test_a_period_that_does_not_fit_is_refused_in_words(
    engine: Engine, tree: dict[str, int], run: conftest.Run, asked: dict[str, str], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        run("strength", **asked)
    assert scores(engine) == {}


def test_an_unknown_rule_is_named(engine: Engine, run: conftest.Run) -> None:
    with pytest.raises(UserError, match="nonsense"):
        run("nonsense")


def test_runs_agree_on_every_database(any_engine: Engine, library: RuleLibrary) -> None:
    tree = conftest.fill(any_engine)
    conftest.evaluate(any_engine, library, conftest.Request(), progress=conftest.Progress())
    again = conftest.evaluate(any_engine, library, conftest.Request(), progress=conftest.Progress())
    assert [outcome.changed for outcome in again] == [0, 0, 0]
    assert scores(any_engine)[tree["branch_a1"]] == (80.0, "green")
    assert scores(any_engine)[tree["district"]] == (26.25, "red")


def test_breakdowns_keep_figures_and_nodes(engine: Engine, tree: dict[str, int], run: conftest.Run) -> None:
    run()
    with engine.connect() as connection:
        buckets = connection.execute(select(Breakdown.content).where(Breakdown.rule_code == "strength")).scalars()
        frame = pl.concat([pl.read_ipc_stream(content) for content in buckets])
    row = frame.row(by_predicate=pl.col("subject_id") == tree["branch_a2"], named=True)
    assert row["m.lectures"] == 1
    assert row["lectures.score"] == 25.0
    assert row["lectures.lost"] == pytest.approx(75.0)
    assert row["vanguard.reason"] != 0
