"""Leases keep runs apart, and those of the dead are void."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert, select, update

from app.database.clock import now
from app.evaluation.leases import VOID_AFTER, LeaseLost, LeaseTaken, lease
from app.evaluation.models import Lease


def test_only_one_holds_a_lease(any_engine: Engine) -> None:
    with lease(any_engine, "a"):
        with pytest.raises(LeaseTaken), lease(any_engine, "a"):
            pytest.fail("two hold it")
        with lease(any_engine, "b"):
            pass
    with lease(any_engine, "a"):
        pass
    with any_engine.connect() as connection:
        assert connection.execute(select(Lease.name)).all() == []


def test_several_leases_are_taken_together_or_not_at_all(any_engine: Engine) -> None:
    with lease(any_engine, "b"):
        with pytest.raises(LeaseTaken, match="b"), lease(any_engine, "a", "b", "c"):
            pytest.fail("two hold b")
        with lease(any_engine, "a", "c") as holding, any_engine.connect() as connection:
            holding.require(connection)
    with lease(any_engine, "c", "b", "a"):
        pass


def test_losing_one_of_several_leases_is_noticed(engine: Engine) -> None:
    with lease(engine, "a", "b") as holding:
        with engine.begin() as connection:
            connection.execute(update(Lease).where(Lease.name == "b").values(holder="another"))
        with engine.connect() as connection, pytest.raises(LeaseLost, match="b"):
            holding.require(connection)


def test_a_lease_is_waited_for(engine: Engine) -> None:
    held, order = threading.Event(), []

    def first() -> None:
        with lease(engine, "a"):
            held.set()
            threading.Event().wait(0.3)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    held.wait(5)
    with lease(engine, "a", wait_seconds=10):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


def test_the_lease_of_a_dead_holder_is_void(engine: Engine) -> None:
    with engine.begin() as connection:
        moment = now() - VOID_AFTER - timedelta(seconds=1)
        connection.execute(insert(Lease).values(name="a", holder="dead", heartbeat_at=moment))
    with lease(engine, "a"):
        pass


def test_many_threads_take_turns(engine: Engine) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal inside, most
        for _ in range(5):
            with lease(engine, "a", wait_seconds=60):
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
