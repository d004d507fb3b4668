"""Reading the history of one record: its versions, newest first, and what it looked like at any of them.

One of the named modules that read past the row scope: callers have read the record itself through it, and show of a
version what they may show of the record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.entity.codec import Codec
from app.entity.registry import EntityType

from .models import Batch, Operation, RecordedChange
from .origin import Door
from .people import keys_by_id

_changes, _batches = RecordedChange.__table__, Batch.__table__


@dataclass(frozen=True)
class Version:
    """A change of a record."""

    revision: int
    operation: Operation
    happened_at: datetime
    actor_name: str
    door: Door
    address: str
    chain_no: int
    differences: dict[str, tuple[Any, Any]]
    """Value before and after, as Python has them, by field."""
    erased: frozenset[str]
    """Fields that changed too, whose values were erased with the person."""


def version_count(session: Session, entity: EntityType, row_id: int) -> int:
    statement = select(func.count()).where(_changes.c.entity == entity.code, _changes.c.row_id == row_id)
    return session.connection().execute(statement).scalar_one()


def versions(session: Session, entity: EntityType, row_id: int, *, most: int | None = None) -> list[Version]:
    """The versions of a record that are kept, newest first; ``most`` bounds how many."""
    connection = session.connection()
    statement = (
        select(_changes, _batches)
        .join(_batches, _batches.c.id == _changes.c.batch_id)
        .where(_changes.c.entity == entity.code, _changes.c.row_id == row_id)
        .order_by(_batches.c.chain_no.desc(), _changes.c.place.desc())
    )
    return as_versions(session, entity, connection.execute(statement.limit(most) if most else statement).all())


def as_versions(session: Session, entity: EntityType, rows: Sequence[Any]) -> list[Version]:
    """Rows of ``bc_history`` with their batches, all of one entity, as versions."""
    keys = keys_by_id(session.connection(), {row.key_id for row in rows if row.key_id is not None})
    codec = Codec(entity)
    return [_version(row, codec, keys) for row in rows]


def _version(row: Any, codec: Codec, keys: dict[int, Any]) -> Version:
    said = orjson.loads(row.changes)
    hidden = {name for name, pair in said.items() if pair is True}
    if hidden and row.personal and row.key_id in keys:
        try:
            said |= orjson.loads(keys[row.key_id].decrypt(row.personal))
            hidden = set()
        except (InvalidTag, ValueError):
            pass  # tampered with: verifying says so
    differences = {
        name: (codec.value(name, pair[0]), codec.value(name, pair[1]))
        for name, pair in said.items()
        if pair is not True
    }
    return Version(
        row.revision,
        Operation(row.operation),
        row.happened_at,
        row.actor_name,
        Door(row.door),
        row.address,
        row.chain_no,
        differences,
        frozenset(hidden),
    )


def values_at(present: dict[str, Any], newest_first: Iterable[Version], revision: int) -> dict[str, Any]:
    """The values of a record as of a revision, from its present ones: what came later is taken back."""
    values = dict(present)
    for version in newest_first:
        if version.revision <= revision:
            break
        values |= {name: before for name, (before, _after) in version.differences.items()}
    return values
