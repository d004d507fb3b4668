"""The whole installation, as people start and stop it: `run.py` with its real processes."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from config import PROJECT_DIR, Settings
from tests.conftest import missing_service
from tests.processes import end, free_port, processes_with, wait_until
from tests.queues import remove_queues

SECONDS_TO_FIRST_PAGE = 150
SECONDS_TO_SECOND_PAGE = 90
"""A guard against hanging, not a measurement: a few seconds on two idle cores."""
EVERY_PROCESS = {"rq": 8, "celery": 7}
"""Supervisor, queue server (RQ only), gunicorn and its two workers, two workers, scheduler."""


class Served:
    """An installation in a folder of its own, started and stopped as often as a test likes."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        outside = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        self.environment = {**outside, "DATA_DIR": str(folder / "data"), "PORT": str(self.port)}
        self.environment |= {"PYTHONPATH": str(PROJECT_DIR), "PYTHONSAFEPATH": "1", **environment}
        self.process: subprocess.Popen | None = None
        self.starts = 0

    def start(self) -> subprocess.Popen:
        if self.process is not None:
            end(self.process, signal.SIGTERM)  # left running by a test that failed
        self.starts += 1
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "app.command_line"]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, cwd="/")
        return self.process

    @property
    def log(self) -> Path:
        return self.folder / f"output.{self.starts}"

    @property
    def output(self) -> str:
        return self.log.read_text()

    def page(self) -> str | None:
        """The sign-in page, if it is served."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/login/", timeout=10) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            assert self.process.poll() is None, self.output
            return None

    def up(self, seconds: float) -> str:
        """Start, and wait for the page and for all processes behind it."""
        self.start()
        page = wait_until(self.page, seconds)
        wait_until(lambda: "press Ctrl-C to stop" in self.output, 20)
        return page

    def processes(self) -> dict[int, str]:
        """The queue server is known by its socket: it overwrites the place of its environment with its title."""
        socket_path = str(Settings.from_environment(self.environment).socket_path)
        return processes_with(f"DATA_DIR={self.folder}/data\0") | processes_with(socket_path)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)

    def evaluations(self) -> list[tuple[str, str]]:
        """Cause and state of each evaluation."""
        with closing(sqlite3.connect(self.folder / "data" / "beacon.db", timeout=30)) as connection:
            return connection.execute("SELECT cause, state FROM bc_evaluation ORDER BY id").fetchall()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One installation for the tests of this module, left stopped by each."""
    served = Served(tmp_path_factory.mktemp("served"))
    yield served
    if served.process is not None:
        end(served.process, signal.SIGTERM)


@pytest.fixture(scope="module")
def filled(served):
    """The installation after its first start, which has filled the database; with what that start said."""
    served.up(SECONDS_TO_FIRST_PAGE)
    wait_until(lambda: ("schedule", "published") in served.evaluations(), 90)
    served.first_output = served.output
    assert served.stop() == 0, served.output
    assert served.processes() == {}
    return served


def test_first_start_says_where_and_how_to_sign_in_and_evaluates(filled):
    assert f"http://127.0.0.1:{filled.port}" in filled.first_output
    assert re.search(r"用户名 admin，初始密码 \S{12,}（", filled.first_output)
    assert "Making demonstration records 100%" in filled.first_output
    users = filled.folder / "data" / "demo-users.csv"
    assert str(users) in filled.first_output
    assert users.stat().st_mode & 0o077 == 0


def test_second_start_keeps_all_and_shows_no_password(filled):
    before = filled.evaluations()
    assert "<form" in filled.up(SECONDS_TO_SECOND_PAGE)
    assert "初始密码" not in filled.output
    assert "demonstration records" not in filled.output
    assert filled.evaluations() == before
    assert filled.stop(signal.SIGINT) == 0
    assert filled.processes() == {}


def test_every_process_ends_with_a_killed_supervisor_and_the_next_start_works(filled):
    filled.up(SECONDS_TO_SECOND_PAGE)
    wait_until(lambda: len(filled.processes()) >= EVERY_PROCESS["rq"], 20)
    filled.stop(signal.SIGKILL)
    wait_until(lambda: not filled.processes(), 5)
    filled.up(SECONDS_TO_SECOND_PAGE)
    assert filled.stop() == 0
    assert filled.processes() == {}


def test_second_start_on_the_same_data_says_that_it_runs(filled):
    filled.up(SECONDS_TO_SECOND_PAGE)
    first = filled.process
    second = subprocess.run(
        [sys.executable, "-m", "app.command_line"], env=filled.environment, capture_output=True, text=True, timeout=60
    )
    assert second.returncode == 1
    assert str(first.pid) in second.stderr
    assert f"http://127.0.0.1:{filled.port}" in second.stderr
    assert filled.page()
    assert filled.stop() == 0


def test_web_server_that_is_killed_comes_back(filled):
    filled.up(SECONDS_TO_SECOND_PAGE)
    masters = [pid for pid, command in filled.processes().items() if "gunicorn" in command]
    os.kill(min(masters), signal.SIGKILL)
    wait_until(lambda: "web ended (signal SIGKILL)" in filled.output, 5)
    wait_until(filled.page, SECONDS_TO_SECOND_PAGE)
    assert filled.stop() == 0


def test_taken_port_is_said_and_nothing_is_started(filled):
    end(filled.process, signal.SIGTERM)  # left running if the test before has failed
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", filled.port))
        taken.listen()
        assert filled.start().wait(20) == 1
    assert f"{filled.port} 已被占用" in filled.output
    assert filled.processes() == {}


def test_database_out_of_reach_is_said(tmp_path):
    served = Served(tmp_path, DATABASE_URL=f"postgresql://127.0.0.1:{free_port()}/beacon")
    assert served.start().wait(60) == 1
    assert "DATABASE_URL" in served.output
    assert "Traceback" not in served.output
    assert served.processes() == {}


def test_celery_does_the_same_jobs(tmp_path):
    with socket.socket() as trial:
        if trial.connect_ex(("127.0.0.1", 5672)):
            missing_service("RabbitMQ is not running on 127.0.0.1:5672")
    served = Served(tmp_path, JOBS_BACKEND="celery", QUEUE_PREFIX=f"test-{uuid4().hex[:12]}")
    try:
        served.up(SECONDS_TO_FIRST_PAGE)
        assert not (tmp_path / "data" / "queue" / "appendonlydir").exists(), "no queue server of our own is needed"
        wait_until(lambda: ("schedule", "published") in served.evaluations(), 90)
        wait_until(lambda: len(served.processes()) >= EVERY_PROCESS["celery"], 20)
        assert served.stop() == 0
        assert served.processes() == {}
    finally:
        end(served.process)
        remove_queues(Settings.from_environment(served.environment))
