"""The trash: whatever is deleted through a session is kept as a document, and can be brought back with the same id, so
that what refers to it by id or code fits again.

Rows that others refer to are not deleted at all (``app.entity.uniqueness``), so nothing goes along with a row but the
files attached to it.

One of the named modules that write past the row scope: a row comes here when its deletion has passed the flush check;
``Trashed`` itself is read through the scope, and what is restored passes all checks of a new row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app.access.flush_check import RESTORING
from app.access.scope import actor_of
from app.access.scoped import scoped_tables
from app.database.clock import now
from app.entity.codec import Codec
from app.entity.labels import UserError
from app.entity.registry import Entity, EntityType, registry

from .models import Operation, new_ids
from .people import destroy_keys, identifying_fields, keys_by_id, keys_for, person_of
from .recording import OPERATION, RESTORED_AT, recorded_fields, set_trash, to_json, write_change
from .trash_model import Trashed

_trash = Trashed.__table__
PARENT = "parent_id"


FILES = "attachments"
"""The key in ``kept`` of what goes with a row: the files attached to it, as their table holds them."""


@dataclass(frozen=True)
class Companions:
    """How what belongs to a row, and is no row that others may refer to, goes into the trash with it and comes back."""

    taken: Callable[[Session, str], dict[int, list[dict[str, Any]]]]
    """What goes with the rows of an entity (its code) that the present flush deletes, by their ids."""
    bring_back: Callable[[Session, EntityType, Entity, list[dict[str, Any]]], None]


_companions: Companions | None = None


def set_companions(companions: Companions) -> None:
    """Say what goes with rows (``app.domains.attachments``)."""
    global _companions
    _companions = companions


def put(session: Session, connection: Connection, entity: EntityType, rows: Iterable[Entity]) -> None:
    """Keep rows that this flush deletes."""
    personal_fields = identifying_fields(entity)
    found = []
    for row in rows:
        values = {name: value for name in recorded_fields(entity) if (value := row.__dict__.get(name)) is not None}
        found.append((row, values, person_of(entity, row.id, values)))
    keys = keys_for(connection, {person for _, values, person in found if not personal_fields.isdisjoint(values)})
    actor = actor_of(session)
    table = scoped_tables()[entity.model]
    ids = iter(new_ids(len(found)))
    files = _companions.taken(session, entity.code) if _companions else {}
    documents = []
    for row, values, person in found:
        key_id, personal = None, None
        if person in keys:
            key_id, ring = keys[person]
            personal = ring.encrypt(to_json({name: values[name] for name in values if name in personal_fields}))
        kept = {name: value for name, value in values.items() if name not in personal_fields}
        if row.id in files:
            kept[FILES] = files[row.id]
        owner = PARENT if table.is_tree else table.organizations[0] if table.organizations else None
        documents.append(
            {
                "id": next(ids),
                "entity": entity.code,
                "row_id": row.id,
                "revision": row.revision,
                "kept": to_json(kept),
                "personal": personal,
                "key_id": key_id,
                "deleted_at": now().replace(microsecond=0),
                "user_id": actor.user_id,
                "actor_name": actor.name[:128],
                "organization_id": values.get(owner) if owner else None,
                "member_id": row.id if table.person == "id" else values.get(table.person) if table.person else None,
            }
        )
    connection.execute(_trash.insert(), documents)


set_trash(put)


def kept_values(session: Session, trashed: Iterable[Trashed]) -> dict[int, dict[str, Any]]:
    """The values of rows in the trash by the trash's id; personal ones are missing once they were erased."""
    rows = list(trashed)
    keys = keys_by_id(session.connection(), {row.key_id for row in rows if row.key_id is not None})
    found = {}
    for row in rows:
        values = orjson.loads(row.kept)
        values.pop(FILES, None)
        if row.personal and row.key_id in keys:
            values |= orjson.loads(keys[row.key_id].decrypt(row.personal))
        entity = registry.get(row.entity)
        found[row.id] = Codec(entity).read(values) if entity else values
    return found


def restore(session: Session, trashed: Trashed) -> Entity:
    """Bring a row back, with its id; the caller commits. Raises UserError in words where something stands in its way:
    another row has its code or number, or what it refers to is gone."""
    entity = registry.get(trashed.entity)
    if entity is None:
        raise UserError(
            "这类记录已不再使用，不能恢复。", "Records of this kind are no longer kept, so it cannot be brought back."
        )
    values = kept_values(session, [trashed])[trashed.id]
    _check_references(session, entity, values)
    model: Any = entity.model
    taken = session.connection().execute(select(model.__table__.c.id).where(model.__table__.c.id == trashed.row_id))
    if taken.one_or_none() is not None:
        raise UserError(
            "它的位置已被另一条记录占用，不能恢复。请照历史中的内容重新录入。",
            "Another record has taken its place, so it cannot be brought back. Enter it anew from its history.",
        )
    fields = entity.fields | entity.hidden_fields
    row = model(**{name: value for name, value in values.items() if name in fields}, id=trashed.row_id)
    revision = trashed.revision + 1
    session.info[RESTORING] = {(model, trashed.row_id)}
    session.info[OPERATION], session.info[RESTORED_AT] = Operation.RESTORED, revision
    try:
        session.add(row)
        session.flush()
        connection = session.connection()
        connection.execute(update(model.__table__).where(model.__table__.c.id == row.id).values(revision=revision))
        set_committed_value(row, "revision", revision)
        connection.execute(delete(_trash).where(_trash.c.id == trashed.id))
        files = orjson.loads(trashed.kept).get(FILES)
        if files and _companions:
            _companions.bring_back(session, entity, row, files)
    finally:
        for key in (RESTORING, OPERATION, RESTORED_AT):
            session.info.pop(key, None)
    session.expunge(trashed)
    return row


def _check_references(session: Session, entity: EntityType, values: dict[str, Any]) -> None:
    for relation in entity.relations.values():
        number = values.get(relation.column)
        if number is None or relation.target not in registry:
            continue
        table = registry[relation.target].model.__table__
        if session.connection().execute(select(table.c.id).where(table.c.id == number)).one_or_none() is None:
            target = registry[relation.target].label
            raise UserError(
                f"“{relation.label.zh}”所指的{target.zh}已不存在，不能恢复。请先恢复那条{target.zh}记录。",
                f"“{relation.label.en}” leads to a record ({target.en.lower()}) that is gone. Bring that one back "
                "first.",
            )


def files_kept(session: Session) -> Iterable[dict[str, Any]]:
    """The files of all rows in the trash, as their table held them."""
    statement = select(_trash.c.kept).where(_trash.c.kept.contains(f'"{FILES}":['))
    for kept in session.connection().scalars(statement):
        yield from orjson.loads(kept).get(FILES, ())


def purge(session: Session, trashed: Trashed) -> None:
    """Remove a row from the trash for good, and the key of the person it was; the caller commits."""
    entity = registry.get(trashed.entity)
    connection = session.connection()
    connection.execute(delete(_trash).where(_trash.c.id == trashed.id))
    if entity is not None:
        write_change(session, entity, trashed.row_id, trashed.revision, {}, Operation.PURGED)
        if entity.options.person == "self":
            destroy_keys(connection, [(entity.code, trashed.row_id)])
    session.expunge(trashed)
