"""Doing operations in tests: as the console and the API do them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

import app.access.flush_check  # noqa: F401 the scope and the checks of writes
from app.access.actor import Actor, system_actor
from app.access.operations import perform
from app.database.session import unit_of_work
from app.entity.operations import operation_of
from tests import factories


def staff(organization: Any, user_id: int = 1) -> Actor:
    """Staff of an organization that is stored."""
    return Actor(
        f"staff of {organization.name}",
        user_id=user_id,
        organization_id=organization.id,
        organization_path=organization.path,
        tier=str(organization.tier),
        is_staff=True,
    )


def member_actor(member: Any, organization: Any, user_id: int = 2) -> Actor:
    """A member who has signed in."""
    return Actor(
        member.name,
        user_id=user_id,
        organization_id=organization.id,
        organization_path=organization.path,
        tier=str(organization.tier),
        member_id=member.id,
    )


def do(engine: Engine, actor: Actor, row: Any, code: str, **values: Any) -> str:
    """Run an operation on a stored row."""
    entity = type(row).__tablename__.removeprefix("bc_")
    found = operation_of(entity, code)
    assert found is not None, f"{entity} has no operation {code}"
    return perform(engine, actor, found, row.id, values)


def stored(engine: Engine, *rows: Any) -> None:
    """Store rows for good, detached and loaded."""
    with unit_of_work(engine, system_actor("tests")) as session:
        session.add_all(rows)
        session.flush()
        for row in rows:
            session.refresh(row)


def now_is(engine: Engine, row: Any) -> Any:
    """A row as it is stored now."""
    with unit_of_work(engine, system_actor("tests"), writes=False) as session:
        found = session.get_one(type(row), row.id)
        session.expunge_all()
        return found


def district(engine: Engine) -> dict[str, Any]:
    """The tree of ``factories.tree``, stored."""
    tree = factories.tree()
    stored(engine, *tree.values())
    return tree
