"""One installation for all journeys: the real processes on a small demonstration, and Chromium to visit it."""

from __future__ import annotations

import csv
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from app.database.clock import today
from config import PROJECT_DIR
from tests.command_line.test_serve import Served
from tests.processes import end, wait_until

from .visitor import Visitor

SECONDS_TO_FIRST_PAGE = 150
"""About twenty on two idle cores."""
FIRST_EVALUATIONS = [("schedule", "published")] * 3
"""Of the end of last year, of yesterday and of today."""
DAYS_BACK = int(os.environ.get("JOURNEY_DAYS_BACK") or (today().day + 20 if today().month == 1 else 0))
"""How far in the past the installation lives: in January, when nothing is due yet, in December (``earlier``)."""
ADMINISTRATOR_PASSWORD = "Journey-First-2026"


@dataclass(frozen=True)
class Account:
    """A line of ``demo-users.csv``."""

    username: str
    password: str
    role: str
    organization_code: str


@dataclass(frozen=True)
class Installation:
    """Where it is, and who may sign in."""

    served: Served
    accounts: dict[str, Account]

    @property
    def today(self) -> date:
        """The day it takes it to be."""
        return today() - timedelta(days=DAYS_BACK)

    def worker(self) -> int:
        """The process that evaluates."""
        [found] = [number for number, words in self.served.processes().items() if "rq_worker evaluation" in words]
        return found

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.served.port}"


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Started by the supervisor with everything that belongs to it; nothing of it is left afterwards."""
    environment = {"ADMIN_PASSWORD": ADMINISTRATOR_PASSWORD}
    if DAYS_BACK:
        paths = [str(Path(__file__).with_name("earlier")), str(PROJECT_DIR)]
        environment |= {"PYTHONPATH": os.pathsep.join(paths), "JOURNEY_DAYS_BACK": str(DAYS_BACK)}
    served = Served(tmp_path_factory.mktemp("journeys"), **environment)
    try:
        served.up(SECONDS_TO_FIRST_PAGE)
        wait_until(lambda: served.evaluations() == FIRST_EVALUATIONS, 120)
        with (served.folder / "data" / "demo-users.csv").open(encoding="utf-8", newline="") as file:
            accounts = {row["username"]: Account(**row) for row in csv.DictReader(file)}
        yield Installation(served, accounts)
        assert served.stop() == 0, served.output
        assert served.processes() == {}
    finally:
        if served.process is not None and served.process.poll() is None:
            end(served.process, signal.SIGTERM)


@pytest.fixture(scope="session")
def browser(chromium: Browser) -> Browser:
    return chromium


@pytest.fixture
def visit(installation: Installation, browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Call it for a visitor; with an account's name, one who has signed in. Browsers complain of nothing."""
    visitors: list[Visitor] = []

    def come(username: str | None = None, size: str = "desktop") -> Visitor:
        visitor = Visitor(browser, installation.base, size)
        visitors.append(visitor)
        if username is not None:
            visitor.sign_in(username, installation.accounts[username].password)
        return visitor

    yield come
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for visitor in visitors:
        visitor.close()
    assert complaints == []
