"""Changes of records, marked in the transaction that makes them, so that their subjects are scored again.

A mark names the record and every organization and member it is or was tied to: both sides of a moved relation. Which
rules that touches is worked out later (``refreshing``), by the worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, event, insert, inspect
from sqlalchemy.orm import UOWTransaction

from app.database.clock import now
from app.database.session import Session
from app.entity.registry import Entity, EntityType, registry

from .models import Change

COARSE_FROM = 5_000
"""More changed rows of one entity than this in one transaction are marked as one: everything is evaluated again."""

_changes = Change.__table__
_MARK = insert(_changes)
_announce: Callable[[], None] | None = None


def install(announce: Callable[[], None] | None = None) -> None:
    """Start marking. ``announce`` is called after each commit that marked something; it must not raise."""
    global _announce
    _announce = announce
    if not event.contains(Session, "after_flush", _after_flush):
        event.listen(Session, "after_flush", _after_flush)
        event.listen(Session, "after_commit", _after_commit)
        event.listen(Session, "after_soft_rollback", _after_rollback)


def mark_rows(connection: Connection, entity: str, rows: Iterable[Sequence[Any]]) -> None:
    """Mark rows that a bulk statement changed: (row id, organization id, member id)."""
    values = [
        {"entity": entity, "row_id": row, "organization_id": organization, "member_id": member, "marked_at": now()}
        for row, organization, member in rows
    ]
    if len(values) > COARSE_FROM:
        mark_all(connection, entity)
    elif values:
        connection.execute(_MARK, values)


def mark_all(connection: Connection, entity: str) -> None:
    """Mark that any number of rows of an entity changed: everything will be evaluated again."""
    connection.execute(insert(_changes).values(entity=entity, marked_at=now()))


def _values_before_and_after(instance: Entity, column: str) -> set[int]:
    history = inspect(instance).attrs[column].history
    return {value for value in (*history.added, *history.unchanged, *history.deleted) if value is not None}


def _ties(instance: Entity, entity: EntityType, target: str) -> set[int]:
    """The ids of every row of the target that the instance is or was tied to; itself, if it is one."""
    ids: set[int] = {instance.id} if entity.code == target else set()
    for relation in entity.relations_to(target):
        ids |= _values_before_and_after(instance, relation.column)
    return ids


def _after_flush(session: Session, _context: UOWTransaction) -> None:
    marks: dict[str, list[dict[str, Any]]] = {}
    moment = now()
    for instance in (*session.new, *session.dirty, *session.deleted):
        entity = registry.of(type(instance))
        if entity is None or (instance in session.dirty and not session.is_modified(instance)):
            continue
        organizations = sorted(_ties(instance, entity, "organization")) or [None]
        members = sorted(_ties(instance, entity, "member")) or [None]
        longest = max(len(organizations), len(members))
        for position in range(longest):
            marks.setdefault(entity.code, []).append(
                {
                    "entity": entity.code,
                    "row_id": instance.id,
                    "organization_id": organizations[position] if position < len(organizations) else None,
                    "member_id": members[position] if position < len(members) else None,
                    "marked_at": moment,
                }
            )
    if not marks:
        return
    connection = session.connection()
    counts = session.info.setdefault("changes_marked", {})
    for code, rows in marks.items():
        before = counts.get(code, 0)
        counts[code] = before + len(rows)
        if counts[code] <= COARSE_FROM:
            connection.execute(_MARK, rows)
        elif before <= COARSE_FROM:
            mark_all(connection, code)


def _after_commit(session: Session) -> None:
    if session.info.pop("changes_marked", None) and _announce:
        _announce()


def _after_rollback(session: Session, _previous: Any) -> None:
    session.info.pop("changes_marked", None)
