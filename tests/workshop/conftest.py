"""A small district with rules of its own, and the accounts of those who change them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_appbuilder.security.sqla.models import User
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.access.actor import system_actor
from app.database.session import make_session, unit_of_work
from app.rules.library import RuleLibrary
from tests.evaluation.conftest import STRENGTH, TERM, VANGUARD, fill, marking

__all__ = ["marking"]


@pytest.fixture
def rules_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    for name, text in {
        "indices/strength.yaml": STRENGTH,
        "indices/vanguard.yaml": VANGUARD,
        "warnings/term.yaml": TERM,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def library(rules_dir: Path, tmp_path: Path) -> RuleLibrary:
    return RuleLibrary(rules_dir, tmp_path / "data")


@pytest.fixture
def tree(engine: Engine) -> dict[str, int]:
    return fill(engine)


@pytest.fixture
def people(engine: Engine) -> dict[str, int]:
    """Ids of accounts by name."""
    with unit_of_work(engine, system_actor("tests")) as session:
        accounts = {
            name: User(first_name=name, last_name="", username=name, email=f"{name}@example.org", active=True)
            for name in ("li", "wang", "zhao")
        }
        session.add_all(accounts.values())
        session.flush()
        return {name: account.id for name, account in accounts.items()}


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    session = make_session(engine, system_actor("tests"))
    yield session
    session.close()


@pytest.fixture
def other_session(engine: Engine) -> Iterator[Session]:
    """That of somebody else, at the same time."""
    session = make_session(engine, system_actor("tests"))
    yield session
    session.close()
