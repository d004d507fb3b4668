"""Fixtures that all tests share: settings, migrated databases of each kind, sessions.

A test talks to this machine only. A service that is away skips its tests, but fails them under ``CI=true``.
"""

from __future__ import annotations

import gc
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import hypothesis
import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import URL, Engine, make_url, text
from sqlalchemy.exc import OperationalError
from xdist.scheduler import LoadFileScheduling

from app.access.actor import system_actor
from app.database.encryption import Keyring, use_keyring
from app.database.engine import make_engine
from app.database.migrations import upgrade
from app.database.session import Session, make_session
from app.domains import all as domains
from config import Settings
from tests.mariadb import MigratedMariaDB

__all__ = ["domains"]  # imported so that every test has all entities, and the checks of their rows

# The same examples at every run of continuous integration, so that a red run means a change; new ones while working.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")

# Every application that a test makes compiles the same templates: once is enough.
Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": FileSystemBytecodeCache(mkdtemp(prefix="templates-"))}

SERVERS = {
    "postgresql": os.environ.get("TEST_POSTGRESQL_URL", "postgresql+psycopg://root@127.0.0.1:5432/postgres"),
    "mariadb": os.environ.get("TEST_MARIADB_URL", "mysql+pymysql://root@127.0.0.1:3306/mysql?charset=utf8mb4"),
}
KINDS = ("sqlite", *SERVERS)
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
KEYRING = Keyring.generate()
"""The keys of this test run. Every test's DATA_DIR holds them, so that processes it starts can read what it wrote."""
use_keyring(KEYRING)  # for fixtures of the whole run, which come before those of a test


# Every application leaves some hundred thousand objects that live long: looking through them all the time is a tenth of
# the run.
gc.set_threshold(50_000, 20, 100)

LONGEST_FIRST = ("journeys", "command_line", "benchmarks", "access", "exchange", "console", "evaluation")
"""Folders whose tests begin first, so that no process is left alone with a long one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {folder: rank for rank, folder in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path.parent.name, len(ranks)))


class ByInstallation(LoadFileScheduling):
    """Where processes share the run, a file belongs to one of them, and so do all journeys: they share an
    installation."""

    def _split_scope(self, nodeid: str) -> str:
        return "journeys" if nodeid.startswith("tests/journeys/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByInstallation:
    return ByInstallation(config, log)


def missing_service(reason: str) -> None:
    """Skip the test, or fail it where everything has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def keyring() -> Keyring:
    """The keys in force, whatever the test before has loaded."""
    use_keyring(KEYRING)
    return KEYRING


def settings_in(folder: Path, database_url: str | None = None) -> Settings:
    """Settings of an installation in a folder, read from no environment but this."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = folder / "field-keys.json"
    keys.touch(mode=0o600)
    keys.write_text(KEYRING.to_json())
    settings = Settings.from_environment({"DATA_DIR": str(folder)})
    return replace(settings, database_url=database_url) if database_url else settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation of its own in a temporary folder, with no database yet."""
    return settings_in(tmp_path / "data")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, made once a run; tests get copies."""
    settings = settings_in(tmp_path_factory.mktemp("template"))
    upgrade(settings)
    return Path(make_url(settings.database_url).database)


@pytest.fixture
def database(settings: Settings, migrated_file: Path) -> Settings:
    """The settings of an installation whose SQLite database is migrated and empty."""
    shutil.copyfile(migrated_file, make_url(settings.database_url).database)
    return settings


@pytest.fixture
def engine(database: Settings) -> Iterator[Engine]:
    engine = make_engine(database.database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session that acts for the system and sees everything."""
    session = make_session(engine, system_actor("tests"))
    yield session
    session.close()


@contextmanager
def server_database(kind: str, options: str = "") -> Iterator[str]:
    """The URL of a new database on a server, dropped afterwards."""
    server = make_url(SERVERS[kind])
    name = f"bt_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    admin = make_engine(server.render_as_string(hide_password=False), isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} {options}"))
    except OperationalError as problem:
        admin.dispose()
        missing_service(f"{kind} is away: {problem.orig}")
    try:
        yield URL.set(server, database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name}{' WITH (FORCE)' if kind == 'postgresql' else ''}"))
        admin.dispose()


@pytest.fixture(scope="session")
def postgresql_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a migrated database on PostgreSQL, made once a run; tests get copies."""
    with server_database("postgresql") as url:
        upgrade(settings_in(tmp_path_factory.mktemp("postgresql") / "data", url))
        yield str(make_url(url).database)


@pytest.fixture(scope="session")
def migrated_mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MigratedMariaDB]:
    """A migrated database on MariaDB, made once a run; tests get it as new, one after another."""
    with server_database("mariadb") as url:
        upgrade(settings_in(tmp_path_factory.mktemp("mariadb") / "data", url))
        yield MigratedMariaDB(url)


@pytest.fixture(params=KINDS)
def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an installation with a migrated database: SQLite, PostgreSQL and MariaDB in turn."""
    if request.param == "sqlite":
        settings = settings_in(tmp_path / "data")
        shutil.copyfile(request.getfixturevalue("migrated_file"), make_url(settings.database_url).database)
        yield settings
    elif request.param == "postgresql":
        template = request.getfixturevalue("postgresql_template")
        with server_database("postgresql", f"TEMPLATE {template}") as url:
            yield settings_in(tmp_path / "data", url)
    else:
        with request.getfixturevalue("migrated_mariadb").as_new() as url:
            yield settings_in(tmp_path / "data", url)


@pytest.fixture
def any_engine(any_database: Settings) -> Iterator[Engine]:
    engine = make_engine(any_database.database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of all tests of a process: Playwright can be begun only once at a time."""
    if not CHROMIUM.exists():
        missing_service(f"{CHROMIUM} is missing: install Debian's chromium, or set CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield browser
        browser.close()
