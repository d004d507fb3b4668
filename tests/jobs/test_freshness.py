"""A saved record's results follow, and saving never waits for the queue."""

import threading
from dataclasses import replace
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.access.actor import system_actor
from app.database.session import unit_of_work
from app.domains.calendar.models import DayKind, Holiday
from app.evaluation import changes
from app.evaluation.models import Change
from app.jobs import queue
from app.jobs.freshness import announce, keep_fresh


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


def test_requests_do_not_wait_until_the_queue_is_told(monkeypatch):
    told, may_go_on, is_told = [], threading.Event(), threading.Semaphore(0)

    def tell(name):
        told.append((name, threading.current_thread() is threading.main_thread()))
        is_told.release()
        may_go_on.wait(10)

    monkeypatch.setattr(queue, "enqueue", tell)
    with Flask("tests").test_request_context():
        announce()
        assert is_told.acquire(timeout=10)
        for _ in range(5):  # while the queue is being told, which takes long
            announce()
    assert len(told) == 1
    may_go_on.set()
    assert is_told.acquire(timeout=10), "what was saved meanwhile was told as well"
    assert told == [("refresh_changed", False)] * 2
