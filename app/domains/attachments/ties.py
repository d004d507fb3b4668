"""Attachments follow their records: deleted with them, and moved to another organization or member with them.

A listener on the session, and one of the named modules that write by Core statements past the row scope: the record
itself was written in the actor's scope, and what belongs to it goes along.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import delete, event, inspect, update
from sqlalchemy.orm import Session as OrmSession

from app.database.session import Session
from app.entity.registry import Entity, EntityType, registry

from .models import Attachment

CHUNK = 500

_table = Attachment.__table__


def ties_of(entity: EntityType, row: Any) -> tuple[int | None, int | None]:
    """The organization and the member that a record belongs to."""
    options = entity.options
    owner = options.scope or options.owner
    organization = row.id if owner == "self" else getattr(row, f"{owner}_id") if owner else None
    person = options.person
    member = row.id if person == "self" else getattr(row, f"{person}_id") if person else None
    return organization, member


@event.listens_for(Session, "after_flush")
def _after_flush(session: OrmSession, _context: Any) -> None:
    gone: dict[str, list[int]] = defaultdict(list)
    for row in session.deleted:
        entity = registry.of(type(row)) if isinstance(row, Entity) else None
        if entity is not None:
            gone[entity.code].append(row.id)
    for code, ids in gone.items():
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            condition = (_table.c.record_entity == code) & _table.c.record_id.in_(chunk)
            session.connection().execute(delete(_table).where(condition))
    for row in session.dirty:
        entity = registry.of(type(row)) if isinstance(row, Entity) else None
        if entity is None or entity.code == "attachment" or not _has_moved(entity, row):
            continue
        organization, member = ties_of(entity, row)
        if organization is not None:
            condition = (_table.c.record_entity == entity.code) & (_table.c.record_id == row.id)
            values = {"organization_id": organization, "member_id": member, "revision": _table.c.revision + 1}
            session.connection().execute(update(_table).where(condition).values(values))


def _has_moved(entity: EntityType, row: Any) -> bool:
    options = entity.options
    names = [f"{name}_id" for name in (options.scope or options.owner, options.person) if name not in (None, "self")]
    return any(inspect(row).attrs[name].history.has_changes() for name in names)
