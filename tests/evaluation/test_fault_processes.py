"""Real workers, commands, databases and queue servers that are killed, cut off and set against one another."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, NullPool, make_url, select, text

from app.access.actor import system_actor
from app.command_line import rules as rules_command
from app.database.clock import today
from app.database.engine import make_engine
from app.database.migrations import upgrade
from app.database.session import unit_of_work
from app.evaluation import refreshing
from app.evaluation.models import Change, Evaluation, Lease, Run, RunState, Score
from app.evaluation.progress import Progress, request_evaluation
from app.evaluation.refreshing import refresh
from app.evaluation.running import Request, evaluate
from app.jobs import queue
from app.jobs.queue import enqueue
from app.jobs.schedule import SCHEDULE
from app.rules.library import RuleLibrary
from config import PROJECT_DIR, Settings
from tests import factories
from tests.conftest import server_database, settings_in
from tests.console.site import Site
from tests.jobs.conftest import RedisServer, Workers, start_backend
from tests.processes import end, wait_until

from . import conftest
from .conftest import change, levels, scores
from .writing import write_until

TASKS = "tests.evaluation.stalling_tasks"


@dataclass
class Installation:
    """A district in a database of its own, with rules, and whatever a test starts on it."""

    settings: Settings
    engine: Engine
    tree: dict[str, int]
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DATA_DIR": str(self.settings.data_dir),
            "DATABASE_URL": self.settings.database_url,
            "RULES_DIR": str(self.settings.rules_dir),
            "REDIS_URL": self.settings.redis_url,
        }

    def library(self) -> RuleLibrary:
        return RuleLibrary(self.settings.rules_dir, self.settings.data_dir)

    def evaluate(self) -> None:
        evaluate(self.engine, self.library(), Request(), progress=Progress())
        refresh(self.engine, self.library())

    def hold_lectures(self, branch: str, count: int = 4) -> None:
        with unit_of_work(self.engine, system_actor("tests")) as session:
            organization = session.get_one(factories.Organization, self.tree[branch])
            for number in range(count):
                day = date(today().year, 1, 3 + number)
                session.add(factories.meeting(organization=organization, kind="lecture", status="held", held_on=day))

    def light(self, branch: str) -> str:
        return scores(self.engine)[self.tree[branch]][1]

    def rows(self, model: type, *columns: str) -> list[Any]:
        with self.engine.connect() as connection:
            chosen = [model.__table__.c[name] for name in columns] or [model.__table__]
            return [tuple(row) for row in connection.execute(select(*chosen).order_by(*model.__table__.primary_key))]

    def state(self, evaluation: int) -> str:
        return dict(self.rows(Evaluation, "id", "state"))[evaluation]

    def whole(self) -> None:
        """Nothing half done, doubled, left waiting or held."""
        assert {state for (state,) in self.rows(Run, "state")} == {RunState.PUBLISHED}
        for rule in ("strength", "vanguard"):
            scores(self.engine, rule)  # one in force for each subject
        assert len(scores(self.engine)) == len(self.tree) - 1
        assert [name for (name,) in self.rows(Lease, "name") if name != "refresh"] == []


@contextmanager
def installed(kind: str, folder: Path, rules_dir: Path, migrated_file: Path, redis_url: str) -> Iterator[Installation]:
    with ExitStack() as stack:
        settings = settings_in(folder / "data")
        if kind == "sqlite":
            shutil.copyfile(migrated_file, make_url(settings.database_url).database)
        else:
            settings = settings_in(folder / "data", stack.enter_context(server_database(kind)))
            upgrade(settings)
        settings = replace(settings, rules_dir=rules_dir, redis_url=redis_url, redis_embedded=False)
        engine = make_engine(settings.database_url)
        stack.callback(engine.dispose)
        yield Installation(settings, engine, conftest.fill(engine), folder)


@pytest.fixture
def queue_server(tmp_path: Path) -> Iterator[RedisServer]:
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder)
    server.start()
    yield server
    server.process.send_signal(signal.SIGCONT)
    server.stop()


@pytest.fixture
def install(
    tmp_path: Path, rules_dir: Path, migrated_file: Path, queue_server: RedisServer
) -> Iterator[Callable[[str], Installation]]:
    with ExitStack() as stack:

        def install(kind: str) -> Installation:
            return stack.enter_context(installed(kind, tmp_path, rules_dir, migrated_file, queue_server.url))

        yield install


@contextmanager
def working(installation: Installation, **environment: str) -> Iterator[Workers]:
    """Workers of the installation, none started yet, that stand still where the environment says so."""
    for workers in start_backend("rq", {**installation.environment, **environment}, installation.folder):
        # What the calendar asks for has been done, so that only what a test asks for is.
        done = {entry.job: entry.last_due(datetime.now(UTC)).isoformat() for entry in SCHEDULE}
        (installation.settings.data_dir / "queue" / "schedule.json").write_text(json.dumps(done))
        yield workers


def stalling(folder: Path, moment: str) -> dict[str, str]:
    return {"STALL_AT": moment, "STALL_RULE": "strength", "STALL_NOTE": str(folder / "stalled")}


def stalled(folder: Path) -> int:
    """Waits until a process stands still; its number."""
    return int(wait_until(lambda: (folder / "stalled").exists() and (folder / "stalled").read_text(), 30))


@pytest.mark.parametrize(
    ("kind", "moment"), [("sqlite", "collected"), ("sqlite", "publishing"), ("postgresql", "publishing")]
)
def test_worker_killed_in_the_middle_of_a_run(
    install: Callable[[str], Installation], tmp_path: Path, kind: str, moment: str
) -> None:
    installation = install(kind)
    installation.evaluate()
    before = scores(installation.engine)
    installation.hold_lectures("branch_b1")
    # The dead worker's leases are free at once: nobody waits for its heartbeat.
    with working(installation, LEASE_VOID_AFTER="60", **stalling(tmp_path, moment)) as workers:
        evaluation = request_evaluation(installation.engine, cause="console")
        enqueue("evaluate", evaluation_id=evaluation)
        worker = workers.start("evaluation", TASKS)
        assert stalled(tmp_path) == worker.pid
        assert scores(installation.engine) == before, "readers see what is not whole"
        worker.kill()
        worker.wait()
        assert scores(installation.engine) == before
        assert "strength" in {name.split(":")[0] for (name,) in installation.rows(Lease, "name")}
        workers.start("evaluation", TASKS)
        workers.start_scheduler()
        wait_until(lambda: installation.state(evaluation) == RunState.PUBLISHED, 30)
        # the sweep of the very scheduler may score the marked change too; nothing more comes after it
        wait_until(lambda: not installation.rows(Change), 20)
    installation.whole()
    assert installation.light("branch_b1") == "green"
    runs = installation.rows(Run, "evaluation_id", "rule_code")
    assert runs.count((evaluation, "strength")) == 1, "the dead run counts"
    rows = installation.rows(Score, "rule_code", "subject_id", "until_run_id")
    versions = [row for row in rows if row[:2] == ("strength", installation.tree["branch_b1"])]
    assert len(versions) == 2  # red before, green after


def test_queue_away_while_records_are_saved(
    install: Callable[[str], Installation], queue_server: RedisServer, tmp_path: Path
) -> None:
    """Through the web application: saving works and is fast, and the lights follow when the queue is back."""
    installation = install("sqlite")
    installation.evaluate()
    assert installation.light("branch_b1") == "red"
    site = Site(installation.settings)
    visitor = site.visitor()

    def save(number: int) -> float:
        visitor.get("/records/meeting/add")
        meeting = {
            "organization": str(installation.tree["branch_b1"]),
            "kind": "lecture",
            "topic": f"党课 {number}",
            "status": "held",
            "held_on": f"{today().year}-01-0{number}",
        }
        began = time.monotonic()
        answer = visitor.post("/records/meeting/add", meeting)
        seconds = time.monotonic() - began
        assert answer.status_code == 302, answer.text
        return seconds

    try:
        queue_server.process.send_signal(signal.SIGSTOP)  # it takes connections, and answers nothing
        assert save(1) < 3
        assert save(2) < 1, "every save waits for a silent queue"
        queue_server.process.send_signal(signal.SIGCONT)
        queue_server.stop()  # it refuses connections
        assert save(3) < 1
        assert save(4) < 1
        visitor.get("/evaluations/")
        asked = visitor.post("/evaluations/start", {"rule": "", "period": ""})
        assert asked.status_code == 302
        [evaluation] = [number for number, cause in installation.rows(Evaluation, "id", "cause") if cause == "console"]
        assert installation.state(evaluation) == RunState.QUEUED
        assert len(installation.rows(Change)) >= 4
        assert installation.light("branch_b1") == "red"
        time.sleep(1)
        queue_server.start()
        with working(installation) as workers:
            workers.start("evaluation", TASKS)
            workers.start_scheduler()
            wait_until(lambda: installation.light("branch_b1") == "green", 20)
            wait_until(lambda: installation.state(evaluation) == RunState.PUBLISHED, 20)
            wait_until(lambda: not installation.rows(Change), 10)
        installation.whole()
    finally:
        site.engine.dispose()
        queue.configure(None)


def command(installation: Installation, module: str, *words: str, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", module, *words],
        env={**os.environ, **installation.environment, "PYTHONPATH": str(PROJECT_DIR), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_evaluations_of_one_index_give_one_result(
    install: Callable[[str], Installation], tmp_path: Path, kind: str
) -> None:
    """The first ever, when every row is new: two that publish at once would write each of them twice."""
    installation = install(kind)
    patient = {"LEASE_VOID_AFTER": "60", **stalling(tmp_path, "publishing" if kind == "postgresql" else "collected")}
    both = [command(installation, "tests.evaluation.stalling", "evaluate", "strength", **patient) for _ in range(2)]
    try:
        first = stalled(tmp_path)
        [second] = [process for process in both if process.pid != first]
        wait_until(lambda: [state for (state,) in installation.rows(Evaluation, "state")] == ["running"] * 2, 30)
        time.sleep(0.5)
        assert second.poll() is None, second.communicate()
        (tmp_path / "stalled.go").touch()
        outputs = [process.communicate(timeout=30)[0] for process in both]
    finally:
        for process in both:
            end(process)
    assert [process.returncode for process in both] == [0, 0], outputs
    assert not any("Traceback" in output for output in outputs), outputs
    installation.whole()
    runs = installation.rows(Run, "rule_code", "changed")
    assert sorted(changed for rule, changed in runs if rule == "strength") == [0, 7]
    assert {state for (state,) in installation.rows(Evaluation, "state")} == {RunState.PUBLISHED}


def test_sqlite_is_never_locked(
    install: Callable[[str], Installation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8 threads and 2 processes read and write while everything is evaluated again and again."""
    installation = install("sqlite")
    monkeypatch.setattr(refreshing, "LONGEST_SECONDS", 0.0)
    stop, ended = tmp_path / "stop", threading.Event()
    words = (installation.settings.database_url, str(stop))
    others = [command(installation, "tests.evaluation.writing", *words, f"P{number}") for number in range(2)]
    try:
        with ThreadPoolExecutor(8) as pool:
            try:
                threads = [
                    pool.submit(write_until, ended.is_set, installation.engine, f"T{number}") for number in range(8)
                ]
                wait_until(lambda: {"P0", "P1"} <= writers(installation), 120)
                for _ in range(3):
                    installation.evaluate()
            finally:
                ended.set()
                stop.touch()
            written = [thread.result(40) for thread in threads]
        outputs = [process.communicate(timeout=40)[0] for process in others]
    finally:
        for process in others:
            end(process)
    assert [process.returncode for process in others] == [0, 0], outputs
    assert all(count > 3 for count in [*written, *map(int, outputs)]), (written, outputs)
    refresh(installation.engine, installation.library())
    installation.whole()
    assert {installation.light(branch) for branch in ("branch_a2", "branch_b1", "branch_b2")} == {"green"}


def writers(installation: Installation) -> set[str]:
    """Who has written a meeting."""
    with installation.engine.connect() as connection:
        codes = connection.execute(text("SELECT code FROM bc_meeting WHERE code LIKE 'P%-%'")).scalars()
        return {code.split("-")[0] for code in codes}


def test_database_restarted_under_web_and_worker(install: Callable[[str], Installation], tmp_path: Path) -> None:
    """All connections are cut, as by a restart: idle ones, and the worker's inside its publishing transaction."""
    installation = install("postgresql")
    installation.evaluate()
    installation.hold_lectures("branch_b1")
    administrator = make_engine(installation.settings.database_url, poolclass=NullPool)
    site = Site(installation.settings)
    visitor = site.visitor()
    try:
        with working(installation, **stalling(tmp_path, "publishing")) as workers:
            evaluation = request_evaluation(installation.engine, cause="console")
            enqueue("evaluate", evaluation_id=evaluation)
            worker = workers.start("evaluation", TASKS)
            workers.start_scheduler()
            stalled(tmp_path)
            assert site.engine.pool.checkedin() > 0
            with administrator.connect() as connection:
                cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                assert connection.execute(text(f"{cut} AND pid <> pg_backend_pid()")).rowcount >= 3
            assert visitor.get("/records/meeting/list/").status_code == 200
            assert visitor.get("/evaluations/").status_code == 200
            (tmp_path / "stalled.go").touch()
            wait_until(lambda: installation.state(evaluation) == RunState.PUBLISHED, 30)
            wait_until(lambda: not installation.rows(Change), 20)
            assert worker.poll() is None, "it is the same worker"
        installation.whole()
        assert installation.light("branch_b1") == "green"
    finally:
        site.engine.dispose()
        administrator.dispose()
        queue.configure(None)


def test_rule_file_broken_while_a_worker_runs(
    install: Callable[[str], Installation], capsys: pytest.CaptureFixture[str]
) -> None:
    installation = install("sqlite")
    rules_dir = installation.settings.rules_dir
    strength, term = rules_dir / "indices/strength.yaml", rules_dir / "warnings/term.yaml"
    whole = strength.read_text(encoding="utf-8")
    change(installation.engine, installation.tree["branch_a1"], term_ends_on=today() + timedelta(days=200))
    site = Site(installation.settings)

    def versions() -> dict[str, str]:
        """The version by which each rule was last evaluated."""
        return dict(installation.rows(Run, "rule_code", "rule_version"))

    def evaluated() -> dict[str, str]:
        number = request_evaluation(installation.engine, cause="console")
        enqueue("evaluate", evaluation_id=number)
        wait_until(lambda: installation.state(number) == RunState.PUBLISHED, 30)
        return versions()

    try:
        with working(installation) as workers:
            workers.start("evaluation", TASKS)
            before = evaluated()
            assert levels(installation.engine) == {}

            strength.write_text(whole.replace("value: lectures,", "value: lektures,"), encoding="utf-8")
            term.write_text(conftest.TERM.replace('"<= 180"', '"<= 240"'), encoding="utf-8")
            time.sleep(2.5)  # longer than a look at the files is trusted
            broken = evaluated()
            assert broken["strength"] == before["strength"]
            assert broken["term"] != before["term"]
            assert levels(installation.engine) == {("term", installation.tree["branch_a1"]): "yellow"}
            assert installation.light("branch_a1") == "green"

            line = next(number for number, words in enumerate(whole.splitlines(), 1) if "value: lectures," in words)
            page = site.visitor().get("/evaluations/").text
            for said in ("indices/strength.yaml", "lektures", "上一个版本仍然有效"):
                assert said in page
            assert "warnings/term.yaml" not in page
            assert rules_command.check(rules_dir, ("zh",)) == 1
            told = capsys.readouterr().out
            assert f"indices/strength.yaml:{line}" in told
            assert "lektures" in told

            strength.write_text(whole.replace("target: 4", "target: 8"), encoding="utf-8")
            mended = time.monotonic()
            while evaluated()["strength"] == before["strength"]:
                assert time.monotonic() - mended < 5
            assert scores(installation.engine)[installation.tree["branch_a2"]][0] == pytest.approx(12.5)
            wait_until(lambda: "indices/strength.yaml" not in site.visitor().get("/evaluations/").text, 5)
            assert rules_command.check(rules_dir, ("zh",)) == 0
    finally:
        site.engine.dispose()
        queue.configure(None)
