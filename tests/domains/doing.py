"""Doing what pages and API do with an operation, for tests."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import object_session

import app.access.flush_check  # noqa: F401 - row scope, as the console has it
from app.access.actor import Actor
from app.access.operations import perform
from app.domains.organizations.models import Organization
from app.entity.operations import operation_of

SYSTEM = Actor("tests", user_id=9, unrestricted=True)


def do(engine: Engine, row: Any, code: str, actor: Actor = SYSTEM, **values: Any) -> str:
    """Perform an operation on a row of a session that has been committed, and forget what the session knew."""
    session = object_session(row)
    key, entity = row.id, type(row).__tablename__.removeprefix("bc_")
    session.rollback()
    try:
        return perform(engine, actor, operation_of(entity, code), key, values)
    finally:
        session.expire_all()


def staff(organization: Organization, user_id: int = 7) -> Actor:
    """Somebody who works for an organization."""
    return Actor(
        f"staff of {organization.code}",
        user_id=user_id,
        organization_id=organization.id,
        organization_path=organization.path,
        tier=str(organization.tier),
        is_staff=True,
    )
