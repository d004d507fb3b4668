"""Replaced versions of scores are forgotten after a while, and nothing that anybody still needs."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, func, insert, select, update

from app.database.clock import now, today
from app.database.engine import for_writing
from app.evaluation import retention
from app.evaluation.models import IN_FORCE, PeriodRecord, PeriodState, Run, Score
from app.evaluation.progress import Progress
from app.evaluation.retention import forget_versions
from app.evaluation.running import Request, evaluate
from app.rules.library import RuleLibrary
from tests.evaluation import conftest
from tests.evaluation.conftest import change, scores
from tests.evaluation.test_faults import hold_lectures

LAST_YEAR = str(today().year - 1)


def versions(engine: Engine) -> dict[tuple[str, int], int]:
    """How many versions there are, by period and subject."""
    with engine.connect() as connection:
        rows = connection.execute(
            select(Score.period_code, Score.subject_id, func.count())
            .where(Score.rule_code == "strength")
            .group_by(Score.period_code, Score.subject_id)
        )
        return {(period, subject): count for period, subject, count in rows}


def age(engine: Engine, days: int) -> None:
    """Every run so far was finished so many days ago."""
    with for_writing(engine).begin() as connection:
        connection.execute(update(Run.__table__).values(finished_at=now() - timedelta(days=days)))


def test_old_replaced_versions_go_and_what_is_in_force_stays(
    any_engine: Engine, library: RuleLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(code: str) -> None:
        evaluate(any_engine, library, Request((code,)), progress=Progress())

    monkeypatch.setattr(retention, "BATCH", 2)
    tree = conftest.fill(any_engine)
    year = str(today().year)
    run("strength")
    age(any_engine, 30)
    hold_lectures(any_engine, tree["branch_a2"], 1, today().year)
    run("strength")
    hold_lectures(any_engine, tree["branch_a2"], 1, today().year)
    run("strength")
    assert versions(any_engine)[year, tree["branch_a2"]] == 3
    before = scores(any_engine)
    assert forget_versions(any_engine, now() - timedelta(days=7)) == 0, "those that replaced them are young"
    age(any_engine, 30)
    assert forget_versions(any_engine, now() - timedelta(days=7)) > 2
    assert scores(any_engine) == before
    assert set(versions(any_engine).values()) == {1}
    assert forget_versions(any_engine, now()) == 0


def test_what_a_correction_replaced_stays(engine: Engine, tree: dict[str, int], run: conftest.Run) -> None:
    run("strength", period=LAST_YEAR)
    hold_lectures(engine, tree["branch_a2"], 1, int(LAST_YEAR))
    run("strength", period=LAST_YEAR)
    with for_writing(engine).begin() as connection:
        closed = {"state": PeriodState.CLOSED, "ends_on": date(int(LAST_YEAR), 12, 31)}
        known = connection.execute(select(PeriodRecord.period_code)).scalars().all()
        if LAST_YEAR in known:
            connection.execute(
                update(PeriodRecord.__table__).where(PeriodRecord.period_code == LAST_YEAR).values(**closed)
            )
        else:
            connection.execute(insert(PeriodRecord.__table__).values(period_code=LAST_YEAR, **closed))
    at_closing = scores(engine)[tree["branch_a2"]]
    hold_lectures(engine, tree["branch_a2"], 2, int(LAST_YEAR))
    run("strength", period=LAST_YEAR, correction_reason="补录两次党课")
    age(engine, 1000)
    forget_versions(engine, now() - timedelta(days=400))
    with engine.connect() as connection:
        kept = connection.execute(
            select(Score.score, Score.light, Score.until_run_id == IN_FORCE)
            .where(Score.subject_id == tree["branch_a2"], Score.rule_code == "strength")
            .order_by(Score.id)
        ).all()
    assert [bool(in_force) for _score, _light, in_force in kept] == [False, True]
    assert (kept[0].score, kept[0].light) == at_closing


def test_trends_over_past_periods_stay(engine: Engine, tree: dict[str, int], run: conftest.Run) -> None:
    run("strength", period=LAST_YEAR)
    run("strength")
    change(engine, tree["branch_a1"], name="改名")
    age(engine, 5000)
    before = versions(engine)
    assert {period for period, _subject in before} == {LAST_YEAR, str(today().year)}
    forget_versions(engine, now())
    assert versions(engine) == before
