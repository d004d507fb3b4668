"""The world of ``world.py`` in a database of its own, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, make_url

import app.access.flush_check
import app.domains.all  # noqa: F401
from app import create_app
from app.access.actor import Actor, system_actor
from app.database.engine import make_engine
from app.database.session import Session, make_session
from config import Settings
from tests.access.web import PASSWORD, Browser, add_accounts
from tests.access.world import World, build


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
