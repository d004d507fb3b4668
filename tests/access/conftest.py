"""The world of ``world.py`` in a database of its own, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, make_url

import app.access.flush_check
import app.domains.all  # noqa: F401
from app import create_app
from app.access.actor import Actor, system_actor
from app.database.encryption import use_keyring
from app.database.engine import make_engine
from app.database.session import Session, make_session, unit_of_work
from config import Settings
from tests.access.marks import mark
from tests.access.web import PASSWORD, Browser, add_accounts
from tests.access.world import World, build
from tests.conftest import KEYRING, settings_in


@pytest.fixture(scope="session")
def world_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    path = tmp_path_factory.mktemp("world") / "world.db"
    shutil.copyfile(migrated_file, path)
    engine = make_engine(f"sqlite:///{path}")
    session = make_session(engine, system_actor("tests"))
    world = build(session)
    session.close()
    engine.dispose()
    return path, world


@pytest.fixture
def world(settings: Settings, world_file: tuple[Path, World]) -> World:
    shutil.copyfile(world_file[0], make_url(settings.database_url).database)
    return world_file[1]


@pytest.fixture
def world_engine(settings: Settings, world: World) -> Iterator[Engine]:
    engine = make_engine(settings.database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session_for(world_engine: Engine) -> Iterator[Callable[..., Session]]:
    """Opens a session for an actor."""
    opened: list[Session] = []

    def open_session(actor: Actor, writes: bool = False) -> Session:
        opened.append(make_session(world_engine, actor, writes=writes))
        return opened[-1]

    yield open_session
    for session in opened:
        session.close()


@pytest.fixture(scope="session")
def web_file(world_file: tuple[Path, World], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world with accounts for every tier and role."""
    path = tmp_path_factory.mktemp("web") / "web.db"
    shutil.copyfile(world_file[0], path)
    engine = make_engine(f"sqlite:///{path}")
    add_accounts(engine, world_file[1])
    engine.dispose()
    return path


@pytest.fixture
def web_world(settings: Settings, web_file: Path, world_file: tuple[Path, World]) -> World:
    shutil.copyfile(web_file, make_url(settings.database_url).database)
    return world_file[1]


@pytest.fixture
def web(settings: Settings, web_world: World) -> Iterator[Flask]:
    """The whole application over the world."""
    application = create_app(settings)
    yield application
    application.extensions["engine"].dispose()


@pytest.fixture
def browser(web: Flask) -> Callable[..., Browser]:
    """Opens a browser, signed in as somebody or nobody."""
    return lambda username=None, password=PASSWORD: Browser.of(web, username, password)


@dataclass
class Walk:
    """A site of the access world with every text marked, for the tests of a module, which leave it as it is."""

    app: Flask
    world: World
    _browsers: dict[str | None, Browser] = field(default_factory=dict)

    def browser(self, visitor: str | None) -> Browser:
        """Whoever has this account, signed in once."""
        if visitor not in self._browsers:
            self._browsers[visitor] = Browser.of(self.app, visitor)
        return self._browsers[visitor]

    @contextmanager
    def system(self, writes: bool = True) -> Iterator[Session]:
        with unit_of_work(self.app.extensions["engine"], system_actor("tests"), writes=writes) as session:
            yield session


@pytest.fixture(scope="module")
def walk(web_file: Path, world_file: tuple[Path, World], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    use_keyring(KEYRING)
    settings = settings_in(tmp_path_factory.mktemp("walk") / "data")
    shutil.copyfile(web_file, make_url(settings.database_url).database)
    application = create_app(settings)
    mark(application.extensions["engine"], world_file[1])
    yield Walk(application, world_file[1])
    application.extensions["engine"].dispose()
