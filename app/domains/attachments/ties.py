"""Attachments follow their records: into the trash and back, and to another organization or member.

A listener on the session, and one of the named modules that write by Core statements past the row scope: the record
itself was written in the actor's scope, and what belongs to it goes along.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, event, insert, inspect, select, update
from sqlalchemy.orm import Session as OrmSession

from app.database.session import Session
from app.entity.registry import Entity, EntityType, registry
from app.history.models import Operation
from app.history.recording import record_changes
from app.history.trash import Companions, set_companions

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


_TAKEN = "attachments_taken"
"""The key of ``session.info`` for the files of rows that the present flush deletes, by the rows' entity and id."""


@event.listens_for(Session, "before_flush")
def _before_flush(session: OrmSession, _context: Any, _instances: Any) -> None:
    """Have the files of rows that are deleted at hand, for the trash."""
    gone: dict[str, list[int]] = defaultdict(list)
    for row in session.deleted:
        entity = registry.of(type(row)) if isinstance(row, Entity) else None
        if entity is not None and entity.code != "attachment":
            gone[entity.code].append(row.id)
    taken: dict[str, dict[int, list[dict[str, Any]]]] = {}
    for code, ids in gone.items():
        for start in range(0, len(ids), CHUNK):
            condition = (_table.c.record_entity == code) & _table.c.record_id.in_(ids[start : start + CHUNK])
            for row in session.connection().execute(select(_table).where(condition)).mappings():
                taken.setdefault(code, {}).setdefault(row["record_id"], []).append(dict(row))
    session.info[_TAKEN] = taken


def _taken(session: OrmSession, code: str) -> dict[int, list[dict[str, Any]]]:
    return session.info.get(_TAKEN, {}).get(code, {})


def _bring_back(session: OrmSession, entity: EntityType, row: Entity, files: list[dict[str, Any]]) -> None:
    """Attach files again, with their ids, to a record that came back from the trash."""
    organization, member = ties_of(entity, row)
    back = []
    for kept in files:
        moment = datetime.fromisoformat(kept["uploaded_at"])
        ties = {"organization_id": organization, "member_id": member, "revision": kept["revision"] + 1}
        back.append({**kept, **ties, "uploaded_at": moment})
    session.connection().execute(insert(_table), back)
    own = registry["attachment"]
    changes = ((file["id"], file["revision"], None, file) for file in back)
    record_changes(session, own, changes, Operation.RESTORED)


set_companions(Companions(_taken, _bring_back))


@event.listens_for(Session, "after_flush")
def _after_flush(session: OrmSession, _context: Any) -> None:
    for by_row in session.info.get(_TAKEN, {}).values():
        going = [file for files in by_row.values() for file in files]
        for start in range(0, len(going), CHUNK):
            ids = [file["id"] for file in going[start : start + CHUNK]]
            session.connection().execute(delete(_table).where(_table.c.id.in_(ids)))
        record_changes(session, registry["attachment"], ((file["id"], file["revision"], file, None) for file in going))
    for row in session.dirty:
        entity = registry.of(type(row)) if isinstance(row, Entity) else None
        if entity is None or entity.code == "attachment" or not _has_moved(entity, row):
            continue
        organization, member = ties_of(entity, row)
        if organization is not None:
            condition = (_table.c.record_entity == entity.code) & (_table.c.record_id == row.id)
            ties = {"organization_id": organization, "member_id": member}
            before = session.connection().execute(select(_table).where(condition)).mappings().all()
            values = {**ties, "revision": _table.c.revision + 1}
            session.connection().execute(update(_table).where(condition).values(values))
            moved = ((file["id"], file["revision"] + 1, file, ties) for file in before)
            record_changes(session, registry["attachment"], moved)


def _has_moved(entity: EntityType, row: Any) -> bool:
    options = entity.options
    names = [f"{name}_id" for name in (options.scope or options.owner, options.person) if name not in (None, "self")]
    return any(inspect(row).attrs[name].history.has_changes() for name in names)
