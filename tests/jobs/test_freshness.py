"""A saved record's results follow, and saving never waits for the queue."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from app.access.actor import system_actor
from app.database.session import unit_of_work
from app.domains.calendar.models import DayKind, Holiday
from app.evaluation import changes
from app.evaluation.models import Change
from app.jobs import queue
from app.jobs.freshness import keep_fresh


@pytest.fixture
def restored():
    yield
    changes.install(None)
    queue.configure(None)


def marks(engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(Change.__table__)).scalar_one()


def save(engine) -> None:
    with unit_of_work(engine, system_actor("tests")) as session:
        session.add(Holiday(code="H20300101", day=date(2030, 1, 1), name="元旦", kind=DayKind.HOLIDAY))


def test_saved_record_is_marked_and_a_worker_is_told(engine, database, restored, monkeypatch):
    told = []
    keep_fresh(database)
    monkeypatch.setattr(queue, "enqueue", lambda name, **arguments: told.append(name))
    save(engine)
    assert told == ["refresh_changed"]
    assert marks(engine) >= 1


def test_saving_works_while_the_queue_is_away(engine, database, restored):
    keep_fresh(replace(database, redis_url="redis://127.0.0.1:1/0"))
    save(engine)
    assert marks(engine) >= 1
