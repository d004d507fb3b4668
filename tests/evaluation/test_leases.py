"""Leases keep runs apart, and those of the dead are void."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, update

from app.database.clock import now
from app.database.engine import for_writing
from app.evaluation import holders
from app.evaluation.holders import is_dead, new_holder
from app.evaluation.leases import VOID_AFTER, LeaseLost, LeaseTaken, lease
from app.evaluation.models import Lease
from config import PROJECT_DIR


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


class TestDeadProcesses:
    """On one machine nobody waits for the heartbeat of a process that is gone."""

    def held_by(self, engine: Engine, holder: str) -> None:
        with for_writing(engine).begin() as connection:
            connection.execute(insert(Lease).values(name="a", holder=holder, heartbeat_at=now()))

    def holder_of_a_process(self, code: str) -> tuple[subprocess.Popen, str]:
        words = f"from app.evaluation.holders import new_holder; print(new_holder(), flush=True); {code}"
        process = subprocess.Popen([sys.executable, "-c", words], stdout=subprocess.PIPE, text=True, cwd=PROJECT_DIR)
        return process, process.stdout.readline().strip()

    def test_its_lease_is_void_at_once(self, any_engine: Engine) -> None:
        process, holder = self.holder_of_a_process("import time; time.sleep(60)")
        self.held_by(any_engine, holder)
        with pytest.raises(LeaseTaken), lease(any_engine, "a"):
            pytest.fail("its holder lives")
        process.kill()
        while not is_dead(holder):  # killed, and not yet waited for: dead all the same
            time.sleep(0.01)
        with lease(any_engine, "a"):
            pass
        process.communicate()
        assert is_dead(holder)

    def test_a_process_of_the_same_number_is_another(self, engine: Engine) -> None:
        place, process, born, nonce = new_holder().rsplit(":", 3)
        self.held_by(engine, f"{place}:{process}:{int(born) - 1}:{nonce}")
        with lease(engine, "a"):
            pass

    @pytest.mark.parametrize("other", ["{host}/0123456789ab:{dead}:1:00000000", "{host}:{dead}:00000000", "dead", "-"])
    def test_what_runs_elsewhere_is_left_to_its_heartbeat(self, engine: Engine, other: str) -> None:
        process, holder = self.holder_of_a_process("pass")
        process.communicate()
        host = holder.partition("/")[0]
        self.held_by(engine, other.format(host=host, dead=holder.rsplit(":", 3)[1]))
        with pytest.raises(LeaseTaken), lease(engine, "a"):
            pytest.fail("nobody knows that its holder is dead")

    def test_where_the_system_does_not_tell_nobody_is_dead(
        self, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(holders, "PROC", tmp_path)
        holder = new_holder()
        assert not is_dead(holder)
        self.held_by(engine, holder)
        with pytest.raises(LeaseTaken), lease(engine, "a"):
            pytest.fail("two hold it")

    def test_a_holder_fits_its_column(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("socket.gethostname", lambda: "long-name-of-a-machine." * 5)
        assert len(new_holder()) <= Lease.__table__.c.holder.type.length
        assert not is_dead(new_holder())
