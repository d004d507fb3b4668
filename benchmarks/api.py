"""The REST API measured: CPU a request, beside a Flask program written by hand. ``run.py bench api``.

Both are served by gunicorn with one worker, over HTTP, from the same PostgreSQL database; what counts is the worker's
own CPU time (user and system), read from the kernel. They take turns, and the best turn of each counts.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from app.database.engine import make_engine
from config import PROJECT_DIR as PROJECT
from config import Settings

from .api_entity import PASSWORD, fill
from .evaluation import POSTGRESQL

ROWS = {"district": 100_000, "small": 2_000}
REQUESTS = {"district": 400, "small": 60}
TURNS = 3
WARM_UP = 60
SERVERS = ("ours", "by_hand")
NAMES = ("list_count", "list_count_scoped", "get", "create")
LIST = "/api/v1/bench_record/?sort=-score&page_size=25"
SECRET = secrets.token_urlsafe(48)
PROCESS_CLOCK = 2
"""The clock of a process's CPU time has the id ``~pid << 3 | 2`` on Linux: what ``clock_getcpuclockid`` answers."""

LABELS = {
    "list_count": "list of 25 + exact count",
    "list_count_scoped": "the same, row scope and field permissions",
    "get": "one record",
    "create": "create with audit",
}
AIMS = {"list_count": 2.5, "list_count_scoped": 3.5, "get": 2.0, "create": 4.0}


def run(scale: str = "district") -> dict[str, float]:
    """Measure, and print a table; the figures by name. Nothing, saying so, where there is no PostgreSQL."""
    try:
        with _database() as settings:
            fill(settings, ROWS[scale])
            figures = _measure(settings, ROWS[scale], REQUESTS[scale])
    except OperationalError as problem:
        reason = str(problem.orig).strip().splitlines()[0]
        print(f"postgresql 不可用，略过 / postgresql is away, left out: {reason}")
        return {}
    print(table(figures))
    return figures


def _measure(settings: Settings, rows: int, requests: int) -> dict[str, float]:
    best: dict[tuple[str, str], float] = {}
    with _server("ours", settings) as ours, _server("by_hand", settings) as by_hand:
        servers = {"ours": ours, "by_hand": by_hand}
        tokens = {name: ours.token(name) for name in ("whole", "scoped")}
        answers = {name: server.answers(tokens) for name, server in servers.items()}
        if answers["ours"] != answers["by_hand"]:
            raise Disagreement(f"The two do not answer the same: {answers}")
        for _ in range(TURNS):
            for name, server in servers.items():
                for what, work in server.works(tokens).items():
                    taken = server.milliseconds(work, requests)
                    best[what, name] = min(taken, best.get((what, name), taken))
        deep = ours.deep_page(tokens["whole"], rows, requests)
    figures = {}
    for what in NAMES:
        figures[f"{what}_ms"] = best[what, "ours"]
        figures[f"{what}_ratio_to_baseline"] = best[what, "ours"] / best[what, "by_hand"]
    figures["deep_page_ratio_to_first"] = deep
    return figures


class Disagreement(Exception):
    """The two servers do not give the same rows: their times are not of the same work."""


class _Server:
    """A gunicorn with one worker, and a connection to it that is kept open."""

    def __init__(self, process: subprocess.Popen, port: int) -> None:
        self.process, self.port = process, port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.serial = 0

    def ask(self, method: str, path: str, token: str | None = None, body: object = None) -> tuple[int, dict]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        sent = None
        if body is not None:
            sent, headers["Content-Type"] = json.dumps(body), "application/json"
        self.connection.request(method, path, sent, headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def token(self, name: str) -> str:
        status, answer = self.ask(
            "POST", "/api/v1/security/login", body={"username": name, "password": PASSWORD, "provider": "db"}
        )
        assert status == 200, answer
        return answer["access_token"]

    def answers(self, tokens: dict[str, str]) -> list:
        """What is compared: counts, the rows in order, and the columns of a reduced row."""
        found: list = []
        for name in tokens:
            status, answer = self.ask("GET", LIST, tokens[name])
            assert status == 200, answer
            found.append((answer["count"], [row["id"] for row in answer["result"]], sorted(answer["result"][0])))
        status, answer = self.ask("GET", "/api/v1/bench_record/77", tokens["whole"])
        assert status == 200, answer
        return [*found, answer]

    def works(self, tokens: dict[str, str]) -> dict[str, Callable[[], None]]:
        return {
            "list_count": lambda: self._expect(200, "GET", LIST, tokens["whole"]),
            "list_count_scoped": lambda: self._expect(200, "GET", LIST, tokens["scoped"]),
            "get": lambda: self._expect(200, "GET", "/api/v1/bench_record/77", tokens["whole"]),
            "create": lambda: self._expect(201, "POST", "/api/v1/bench_record/", tokens["whole"], self._body()),
        }

    def _expect(self, expected: int, *request: object) -> None:
        status, answer = self.ask(*request)  # type: ignore[arg-type]
        assert status == expected, answer

    def _body(self) -> dict:
        self.serial += 1
        return {
            "name": f"新的记录 {self.serial}", "organization": 20, "status": "held", "score": 50.5, "attended": 12,
            "held_on": "2026-11-24", "due_on": "2026-12-24", "place": "会议室", "is_open": True, "budget": 100.0,
            "note": "学习讨论。",
        }  # fmt: skip

    def milliseconds(self, work: Callable[[], None], times: int) -> float:
        """The worker's CPU a request, after some that fill its caches."""
        for _ in range(min(WARM_UP, times)):
            work()
        before = self._cpu()
        for _ in range(times):
            work()
        return (self._cpu() - before) / times * 1000

    def deep_page(self, token: str, rows: int, times: int) -> float:
        """The page behind three quarters of all rows, by its cursor, as a share of the first: by the clock, because the
        database does that work. In turns, and the quickest of each."""
        first = f"{LIST}&count=none"
        status, before = self.ask("GET", f"{first}&page={rows * 3 // 4 // 25}", token)
        assert status == 200, before
        paths = first, f"{first}&cursor={quote(before['next_cursor'])}"
        best = [float("inf")] * 2
        for _ in range(times):
            for number, path in enumerate(paths):
                began = time.perf_counter()
                self._expect(200, "GET", path, token)
                best[number] = min(best[number], time.perf_counter() - began)
        return best[1] / best[0]

    def _cpu(self) -> float:
        """Seconds of user and system time of the worker, to the nanosecond: ``/proc/…/stat`` counts hundredths."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return time.clock_gettime(~int(children[0]) << 3 | PROCESS_CLOCK)


@contextmanager
def _server(name: str, settings: Settings) -> Iterator[_Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": SECRET,
        "PYTHONPATH": str(PROJECT),
    }
    environment.pop("REDIS_URL", None)
    command = [
        sys.executable, "-m", "gunicorn", f"benchmarks.api_server:{name}()", "--workers", "1", "--threads", "8",
        "--worker-class", "gthread", "--bind", f"127.0.0.1:{port}", "--keep-alive", "60", "--log-level", "error",
        "--no-control-socket",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=PROJECT, env=environment)
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise RuntimeError(f"{name} did not start") from None
                time.sleep(0.1)
        yield _Server(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def _database() -> Iterator[Settings]:
    """Settings of an empty PostgreSQL database, gone afterwards."""
    name = f"bench_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    admin = make_engine(POSTGRESQL, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        with tempfile.TemporaryDirectory(prefix="beacon-bench-") as folder:
            url = make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False)
            try:
                yield Settings.from_environment({"DATA_DIR": folder, "DATABASE_URL": url})
            finally:
                with admin.connect() as connection:
                    connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        admin.dispose()


def table(figures: dict[str, float]) -> str:
    """The figures as text."""
    lines = [f"{'':<44}{'ms of CPU':>12}{'aim':>8}{'× by hand':>12}"]
    lines += [
        f"{LABELS[what]:<44}{figures[f'{what}_ms']:>12.2f}{AIMS[what]:>8.1f}"
        f"{figures[f'{what}_ratio_to_baseline']:>12.2f}"
        for what in NAMES
    ]
    deep = figures["deep_page_ratio_to_first"]
    lines.append(f"{'a page far behind, by cursor, × the first (by the clock)':<64}{deep:>12.2f}")
    return "\n".join(lines)
