"""Recording: whatever a session changes is written down in the transaction that changes it.

The ORM's flush is listened to (``install`` is not needed: importing this module does it). Bulk writers, who write by
COPY or by Core statements, hand their changes over themselves::

    record_changes(session, entity, [(row_id, revision, before, after), …])

before the transaction commits. See the function for what the values are.

Cost: docs/history.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any
from weakref import WeakKeyDictionary

import orjson
import polars as pl
from sqlalchemy import Connection, event, insert, inspect, select
from sqlalchemy.orm import SessionTransaction, UOWTransaction
from sqlalchemy.orm.base import NO_VALUE

from app.access.audit import AuditEvent
from app.access.scope import actor_of
from app.database.bulk import frames_into
from app.database.session import Session
from app.entity.registry import Entity, EntityType, registry

from .chain import OpenBatch, change_hash, event_hash, seal
from .models import Operation, RecordedChange
from .origin import origin_of
from .people import Person, identifying_fields, keys_for, person_of

RowChange = tuple[int, int, Mapping[str, Any] | None, Mapping[str, Any] | None]
"""(row id, revision after the change, values before, values after)."""

CHUNK = 5_000
"""Changes written by one statement; more would only take memory."""
FEW = 200
"""Up to this many are inserted by a plain statement, more in pieces of so many."""

OPERATION = "history_operation"
"""The key of ``session.info`` by which a session says what a change of rows really is (``Operation.REVERTED``)."""
RESTORED_AT = "history_restored_at"
"""The key of ``session.info`` that says which revision a row from the trash has."""
_OPEN, _MARKS, _BEFORE = "history_batch", "history_marks", "history_before"
_rows = RecordedChange.__table__
_INSERT = insert(_rows)
_COLUMNS = tuple(column.name for column in _rows.columns)


def record_changes(
    session: Session, entity: EntityType, changes: Iterable[RowChange], operation: Operation | None = None
) -> int:
    """Record many changes at once, for writers that pass the ORM by; how many there were.

    Each change is ``(row_id, revision, before, after)``: the row's id, its ``revision`` after the change, and values by
    field name (``organization_id`` for a relation, encrypted fields in the clear, dates, numbers and codes as Python
    has them). ``before`` is None for a row that was added, ``after`` is None for one that was deleted. Of a changed row
    only the fields that differ are needed, and the person's column (``member_id``) where the entity has personal fields
    of a person elsewhere; equal values are left out by themselves, a row without any difference altogether.

    ``changes`` may be a generator: 5,000 at a time are held in memory. Who, when and from where is the session's
    (``app.history.origin``); the rows belong to its transaction and are sealed when it commits. Flush before, if rows
    of the same records are pending in the session.
    """
    connection = session.connection()
    recorded = _recorded(entity)
    total = 0
    iterator = iter(changes)
    while chunk := list(islice(iterator, CHUNK)):
        found = [
            _Found(row_id, revision, said, person_of(entity, row_id, after or before or {}), kind)
            for row_id, revision, before, after in chunk
            if (said := _differences(recorded, before, after))
            for kind in (operation or _operation(before, after),)
        ]
        _write(session, connection, entity, found)
        total += len(found)
    return total


def open_batch(session: Any) -> OpenBatch:
    """The batch of the session's transaction."""
    batch = session.info.get(_OPEN)
    if batch is None:
        batch = session.info[_OPEN] = OpenBatch()
    return batch


def recorded_fields(entity: EntityType) -> tuple[str, ...]:
    """The columns whose changes are recorded: all fields, and hidden references. Keyed hashes follow from their
    column, an organization's path from its parent."""
    return _recorded(entity)


_known: WeakKeyDictionary[type, tuple[str, ...]] = WeakKeyDictionary()


def _recorded(entity: EntityType) -> tuple[str, ...]:
    found = _known.get(entity.model)
    if found is None:
        hidden = (name for name, field in entity.hidden_fields.items() if field.options.target)
        found = _known[entity.model] = (*entity.fields, *hidden)
    return found


def _operation(before: Any, after: Any) -> Operation:
    return Operation.ADDED if before is None else Operation.DELETED if after is None else Operation.CHANGED


def _differences(recorded: Iterable[str], before: Any, after: Any) -> dict[str, list[Any]]:
    if before is None:
        return {name: [None, after[name]] for name in recorded if after.get(name) is not None}
    if after is None:
        return {name: [before[name], None] for name in recorded if before.get(name) is not None}
    return {
        name: [before.get(name), after[name]] for name in recorded if name in after and before.get(name) != after[name]
    }


class _Found:
    """A change on its way to the table."""

    __slots__ = ("operation", "person", "revision", "row_id", "said")

    def __init__(
        self, row_id: int, revision: int, said: dict[str, list[Any]], person: Person, operation: Operation
    ) -> None:
        self.row_id, self.revision, self.said, self.person, self.operation = row_id, revision, said, person, operation


def to_json(value: Any) -> str:
    """As history and trash keep values: dates in ISO, exact numbers as text, codes as they are."""
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no value of a field")


def _write(session: Any, connection: Connection, entity: EntityType, found: list[_Found]) -> None:
    if not found:
        return
    personal_fields = identifying_fields(entity)
    concerned = {change.person for change in found if not personal_fields.isdisjoint(change.said)}
    keys = keys_for(connection, concerned) if concerned else {}
    batch = open_batch(session)
    if len(found) <= FEW:
        rows = _rows_of(batch, entity.code, found, personal_fields, keys)
        connection.execute(_INSERT, [dict(zip(_COLUMNS, row, strict=True)) for row in rows])
        return
    with frames_into(connection, _rows, _COLUMNS) as put:
        for start in range(0, len(found), FEW):
            rows = _rows_of(batch, entity.code, found[start : start + FEW], personal_fields, keys)
            columns = dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True))
            put(pl.DataFrame(columns, schema=_SCHEMA))


def _rows_of(
    batch: OpenBatch, code: str, found: list[_Found], personal_fields: frozenset[str], keys: dict[Person, Any]
) -> list[tuple[Any, ...]]:
    """The rows of some changes, each hashed, in their place in the batch."""
    batch_id, place, running = batch.id, batch.change_count, batch.changes
    rows = []
    for change in found:
        place += 1
        said, personal, key_id = change.said, None, None
        if keys and not personal_fields.isdisjoint(said):
            key_id, ring = keys[change.person]
            personal = ring.encrypt(to_json({name: pair for name, pair in said.items() if name in personal_fields}))
            said = {name: True if name in personal_fields else pair for name, pair in said.items()}
        changes = to_json(said)
        operation = change.operation.value
        own = change_hash(batch_id, place, code, change.row_id, change.revision, operation, changes, personal, key_id)
        running.update(own.encode())
        rows.append((batch_id, place, code, change.row_id, change.revision, operation, changes, personal, key_id, own))
    batch.change_count = place
    return rows


_SCHEMA = {
    "batch_id": pl.Int64,
    "place": pl.Int64,
    "entity": pl.String,
    "row_id": pl.Int64,
    "revision": pl.Int64,
    "operation": pl.String,
    "changes": pl.String,
    "personal": pl.String,
    "key_id": pl.Int64,
    "row_hash": pl.String,
}


def write_change(
    session: Any, entity: EntityType, row_id: int, revision: int, said: dict[str, list[Any]], operation: Operation
) -> None:
    """Record one change that no flush makes: that a row was purged or its person erased."""
    found = _Found(row_id, revision, said, person_of(entity, row_id, {}), operation)
    _write(session, session.connection(), entity, [found])


def record_by_system(session: Any, operation: Operation, said: Mapping[str, Any]) -> None:
    """Record what the system did to no row in particular: ``said`` is what JSON can hold."""
    batch = open_batch(session)
    batch.change_count += 1
    changes = to_json(said)
    own = change_hash(batch.id, batch.change_count, "", 0, 0, operation.value, changes, None, None)
    batch.changes.update(own.encode())
    row = (batch.id, batch.change_count, "", 0, 0, operation.value, changes, None, None, own)
    session.connection().execute(_INSERT, [dict(zip(_COLUMNS, row, strict=True))])


_keep_deleted: Callable[[Any, Connection, EntityType, list[Entity]], None] | None = None


def set_trash(keep: Callable[[Any, Connection, EntityType, list[Entity]], None]) -> None:
    """What is done with the rows that a flush deletes (``app.history.trash``)."""
    global _keep_deleted
    _keep_deleted = keep


# --- the ORM's flush ---


@event.listens_for(Session, "before_flush")
def _before_flush(session: Any, _context: UOWTransaction, _instances: Any) -> None:
    """Have the values before at hand, which nobody may have read; give audit events their place."""
    for row in session.deleted:
        entity = registry.of(type(row))
        if entity is not None:
            missing = set(_recorded(entity)) & inspect(row).unloaded
            if missing:
                session.refresh(row, attribute_names=sorted(missing))
    for row in session.dirty:
        entity = registry.of(type(row))
        if entity is not None:
            _read_before(session, entity, row)
    for row in session.new:
        if type(row) is AuditEvent:
            batch = open_batch(session)
            batch.event_count += 1
            row.batch_id, row.place = batch.id, batch.event_count
            row.happened_at = row.happened_at.replace(microsecond=0)
            for name in ("entity", "detail", "purpose", "address"):
                if getattr(row, name) is None:
                    setattr(row, name, "")
            row.row_hash = event_hash(row)
            batch.events.update(row.row_hash.encode())


def _read_before(session: Any, entity: EntityType, row: Entity) -> None:
    """The stored values of attributes that were set without having been read."""
    state = inspect(row)
    unknown = [name for name in _recorded(entity) if state.committed_state.get(name, row) is NO_VALUE]
    if unknown:
        table = entity.model.__table__
        statement = select(*[table.c[name] for name in unknown]).where(table.c.id == state.identity[0])
        stored = session.connection().execute(statement).one_or_none()
        if stored is not None:
            session.info.setdefault(_BEFORE, {})[state] = dict(zip(unknown, stored, strict=True))


@event.listens_for(Session, "after_flush")
def _after_flush(session: Any, _context: UOWTransaction) -> None:
    read = session.info.pop(_BEFORE, {})
    stated = session.info.get(OPERATION)
    found: dict[str, list[_Found]] = {}
    for row in session.new:
        entity = registry.of(type(row))
        if entity is not None:
            said = _differences(_recorded(entity), None, row.__dict__)
            person = person_of(entity, row.id, row.__dict__)
            revision = session.info.get(RESTORED_AT, row.revision)
            found.setdefault(entity.code, []).append(_Found(row.id, revision, said, person, stated or Operation.ADDED))
    for row in session.dirty:
        entity = registry.of(type(row))
        if entity is None:
            continue
        state = inspect(row)
        committed, values, known = state.committed_state, row.__dict__, read.get(state, {})
        said = {
            name: [before, values.get(name)]
            for name in _recorded(entity)
            if name in committed
            and (before := known.get(name) if committed[name] is NO_VALUE else committed[name]) != values.get(name)
        }
        if said:
            person = person_of(entity, row.id, values)
            found.setdefault(entity.code, []).append(
                _Found(row.id, row.revision, said, person, stated or Operation.CHANGED)
            )
    deleted: dict[str, list[Entity]] = {}
    for row in session.deleted:
        entity = registry.of(type(row))
        if entity is not None:
            values = row.__dict__
            deleted.setdefault(entity.code, []).append(row)
            said = _differences(_recorded(entity), values, None)
            found.setdefault(entity.code, []).append(
                _Found(row.id, row.revision, said, person_of(entity, row.id, values), stated or Operation.DELETED)
            )
    if found:
        connection = session.connection()
        for code, changes in found.items():
            _write(session, connection, registry[code], changes)
        for code, rows in deleted.items():
            if _keep_deleted is not None:
                _keep_deleted(session, connection, registry[code], rows)


# --- the transaction ---


@event.listens_for(Session, "before_commit")
def _before_commit(session: Any) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    batch = session.info.get(_OPEN)
    if batch is not None and (batch.change_count or batch.event_count):
        seal(session.connection(), batch, actor_of(session), origin_of(session))
        session.info.pop(_OPEN)


@event.listens_for(Session, "after_transaction_create")
def _after_transaction_create(session: Any, transaction: SessionTransaction) -> None:
    if transaction.nested:
        batch = session.info.get(_OPEN)
        marks = session.info.setdefault(_MARKS, WeakKeyDictionary())
        marks[transaction] = batch.copy() if batch is not None else None


@event.listens_for(Session, "after_transaction_end")
def _after_transaction_end(session: Any, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_OPEN, None)
        session.info.pop(_BEFORE, None)


@event.listens_for(Session, "after_soft_rollback")
def _after_soft_rollback(session: Any, previous: SessionTransaction) -> None:
    """What was recorded in a savepoint goes with it."""
    marks = session.info.get(_MARKS, {})
    if previous in marks:
        mark = marks[previous]
        if mark is None:
            session.info.pop(_OPEN, None)
        else:
            session.info[_OPEN] = mark
    elif previous.parent is None:
        session.info.pop(_OPEN, None)
