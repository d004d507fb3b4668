"""The jobs themselves: what becomes of a request for an evaluation, of periods that end, and of old requests."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import NullPool, insert, select, text

from app.database.clock import now, today
from app.database.engine import for_writing, make_engine
from app.database.migrations import upgrade
from app.evaluation.models import Evaluation, PeriodRecord, PeriodState, RunState
from app.evaluation.progress import request_evaluation
from app.jobs import tasks
from app.jobs.kinds import KINDS
from app.rules.library import RuleLibrary
from tests.conftest import server_database, settings_in
from tests.jobs import sample_tasks

evaluations, periods = Evaluation.__table__, PeriodRecord.__table__


@pytest.fixture(autouse=True)
def in_this_installation(engine, database, tmp_path, monkeypatch):
    """The tasks work on the test's database and an empty rules folder."""
    (tmp_path / "rules").mkdir()
    settings = replace(database, rules_dir=tmp_path / "rules")
    monkeypatch.setattr(tasks, "_settings", lambda: settings)
    monkeypatch.setattr(tasks, "_engine", lambda: engine)
    monkeypatch.setattr(tasks, "_library", lambda: RuleLibrary(settings.rules_dir, settings.data_dir))


def rows(engine, table=evaluations) -> list:
    with engine.connect() as connection:
        return connection.execute(select(table).order_by(table.c.id)).all()


def change(engine, **values) -> None:
    with for_writing(engine).begin() as connection:
        connection.execute(evaluations.update().values(**values))


def test_every_kind_has_its_function():
    kinds = {name for name in KINDS if not hasattr(sample_tasks, name)}
    assert {"evaluate", "refresh_changed"} <= kinds
    assert [name for name in kinds if not callable(getattr(tasks, name, None))] == []


def test_request_is_evaluated_and_its_row_says_so(engine):
    number = request_evaluation(engine, cause="console")
    tasks.evaluate(number)
    [row] = rows(engine)
    assert (row.id, row.state) == (number, RunState.PUBLISHED)
    assert row.finished_at is not None


def test_scheduled_evaluation_makes_its_own_row(engine):
    tasks.evaluate()
    [row] = rows(engine)
    assert (row.cause, row.state) == ("schedule", RunState.PUBLISHED)


def test_mistake_of_the_request_is_told_on_its_row_and_not_tried_again(engine):
    number = request_evaluation(engine, cause="console", rules=("no_such_rule",))
    tasks.evaluate(number, rules=["no_such_rule"])
    [row] = rows(engine)
    assert row.state == RunState.FAILED
    assert "no_such_rule" in row.problem_zh
    assert "no_such_rule" in row.problem_en


def test_failure_of_the_system_is_told_without_its_details_and_tried_again(engine, monkeypatch):
    def break_down(*arguments, **options):
        raise OSError("disk on fire at /dev/sda")

    monkeypatch.setattr(tasks, "evaluate_rules", break_down)
    number = request_evaluation(engine, cause="console")
    with pytest.raises(OSError, match="disk on fire"):
        tasks.evaluate(number)
    [row] = rows(engine)
    assert row.state == RunState.FAILED
    assert "sda" not in row.problem_zh + row.problem_en
    monkeypatch.undo()


def test_second_try_of_a_failed_request_evaluates_it(engine):
    number = request_evaluation(engine, cause="console")
    change(engine, state=RunState.FAILED)
    tasks.evaluate(number)
    assert rows(engine)[0].state == RunState.PUBLISHED


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.PUBLISHED])
def test_request_that_is_stopped_or_done_is_left_alone(engine, monkeypatch, state):
    monkeypatch.setattr(tasks, "evaluate_rules", lambda *_, **__: pytest.fail("evaluated"))
    number = request_evaluation(engine, cause="console")
    change(engine, state=state)
    tasks.evaluate(number)
    assert rows(engine)[0].state == state


def test_scheduled_evaluation_whose_worker_died_is_given_up(engine):
    request_evaluation(engine, cause="schedule")
    change(engine, state=RunState.RUNNING, heartbeat_at=now() - timedelta(hours=1))
    tasks.evaluate()
    assert [row.state for row in rows(engine)] == [RunState.FAILED, RunState.PUBLISHED]


def test_ended_periods_become_provisional_and_then_closed(engine):
    ended = today() - timedelta(days=1)
    long_ended = today() - timedelta(days=40)
    with for_writing(engine).begin() as connection:
        connection.execute(
            insert(periods),
            [
                {"period_code": "2020-01", "state": PeriodState.PROVISIONAL, "ends_on": long_ended},
                {"period_code": "2020-02", "state": PeriodState.OPEN, "ends_on": ended},
                {"period_code": "2099-01", "state": PeriodState.OPEN, "ends_on": today() + timedelta(days=9)},
            ],
        )
    tasks.close_due_periods()
    with engine.connect() as connection:
        states = dict(connection.execute(select(periods.c.period_code, periods.c.state)).all())
    assert states["2020-01"] == PeriodState.CLOSED
    assert states["2020-02"] == PeriodState.PROVISIONAL
    assert states["2099-01"] == PeriodState.OPEN


def test_refresh_of_nothing_changes_nothing():
    assert tasks.refresh_changed() == 0


def test_old_requests_are_forgotten(engine):
    request_evaluation(engine, cause="console")
    change(engine, created_at=now() - timedelta(days=400))
    request_evaluation(engine, cause="console")
    assert tasks.prune() == 1
    assert len(rows(engine)) == 1


def test_worker_survives_a_restart_of_the_database(tmp_path, monkeypatch):
    """All its connections are cut, as by a restart, between two jobs that share the worker's one engine."""
    with server_database("postgresql") as url:
        settings = settings_in(tmp_path / "postgresql", url)
        upgrade(settings)
        worker_engine, administrator = make_engine(url), make_engine(url, poolclass=NullPool)
        monkeypatch.setattr(tasks, "_engine", lambda: worker_engine)
        tasks.evaluate()
        assert worker_engine.pool.checkedin() > 0
        with administrator.connect() as connection:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            connection.execute(text(f"{cut} AND pid <> pg_backend_pid()"))
        tasks.evaluate()
        assert [row.state for row in rows(worker_engine)] == [RunState.PUBLISHED, RunState.PUBLISHED]
        worker_engine.dispose()
