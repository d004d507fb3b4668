"""The audit trail across all entities, newest first: changes of records, and audit events.

One of the named modules that read past the row scope. What is seen goes by who did it. Auditors belong to no
organization and see all of it; whoever else is given the permission, what the accounts of their organization and of
those below it did. What is shown of it, the page sees to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from app.access.accounts import Account
from app.access.actor import Actor
from app.access.audit import AuditEvent
from app.access.predicates import subtree
from app.entity.registry import EntityType

from .models import Batch, RecordedChange

_changes, _batches, _events = RecordedChange.__table__, Batch.__table__, AuditEvent.__table__
_accounts = Account.__table__


@dataclass(frozen=True)
class Asked:
    """What is looked for; empty values ask nothing. ``row_ids``: of records, None for any; days are inclusive."""

    who: str = ""
    entity: str = ""
    operation: str = ""
    row_ids: tuple[int, ...] | None = None
    since: date | None = None
    until: date | None = None


def changes(
    session: Session, actor: Actor, asked: Asked, most: int, before: tuple[int, int] | None = None
) -> list[Any]:
    """Changes with their batches; ``before``: batch id and place of the last one seen."""
    statement = select(_changes, _batches).join(_batches, _batches.c.id == _changes.c.batch_id)
    statement = _narrowed(statement, actor, asked, _batches, _changes.c)
    if asked.operation:
        statement = statement.where(_changes.c.operation == asked.operation)
    if before is not None:
        batch, place = before
        later = and_(_changes.c.batch_id == batch, _changes.c.place < place)
        statement = statement.where(or_(_changes.c.batch_id < batch, later))
    ordered = statement.order_by(_changes.c.batch_id.desc(), _changes.c.place.desc())
    return list(session.connection().execute(ordered.limit(most)))


def events(session: Session, actor: Actor, asked: Asked, most: int, before: int | None = None) -> list[Any]:
    """Audit events; ``before``: the id of the last one seen."""
    statement = _narrowed(select(_events), actor, asked, _events, _events.c)
    if asked.operation:
        statement = statement.where(_events.c.action == asked.operation)
    if before is not None:
        statement = statement.where(_events.c.id < before)
    return list(session.connection().execute(statement.order_by(_events.c.id.desc()).limit(most)))


def _narrowed(statement: Select[Any], actor: Actor, asked: Asked, done: Any, what: Any) -> Select[Any]:
    """By who and when (columns of ``done``) and by record (those of ``what``)."""
    if not actor.unrestricted and actor.organization_path is not None:
        own = select(_accounts.c.id).where(_accounts.c.organization_id.in_(subtree(actor.organization_path)))
        statement = statement.where(done.c.user_id.in_(own))
    if asked.who:
        statement = statement.where(done.c.actor_name.contains(asked.who, autoescape=True))
    if asked.entity:
        statement = statement.where(what.entity == asked.entity)
    if asked.row_ids is not None:
        statement = statement.where(what.row_id.in_(asked.row_ids))
    if asked.since:
        statement = statement.where(done.c.happened_at >= datetime.combine(asked.since, time.min))
    if asked.until:
        statement = statement.where(done.c.happened_at < datetime.combine(asked.until + timedelta(days=1), time.min))
    return statement


def ids_of(session: Session, entity: EntityType, written: str) -> tuple[int, ...]:
    """The records that somebody means by a code, or by ``#`` and an id."""
    number = written.removeprefix("#")
    if written != number:
        return (int(number),) if number.isascii() and number.isdigit() and len(number) < 10 else ()
    table = entity.model.__table__
    if "code" not in table.c:
        return ()
    return tuple(session.connection().scalars(select(table.c.id).where(table.c.code == written)))


def last_event(session: Session, action: str) -> Any | None:
    """The latest audit event of a kind."""
    statement = select(_events).where(_events.c.action == action).order_by(_events.c.id.desc()).limit(1)
    return session.connection().execute(statement).one_or_none()
