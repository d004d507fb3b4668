"""What rows that are about to be written refer to, read a relation at a time for all of them.

One of the named modules that read past the row scope (through ``session.connection()``): what it gives is compared
with, or copied from rows that the flush check holds to be in reach; it is never shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any
from weakref import WeakSet

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from app.database.among import among

from .column_types import EncryptedType
from .registry import Entity, EntityType, registry


class Related:
    """The rows behind references of the rows of one flush, as objects with the columns as attributes: those of the
    session as they will be, others as they are stored (encrypted columns left out)."""

    def __init__(self, session: Session, rows: Iterable[Entity]) -> None:
        self.session = session
        self._ids: dict[str, set[int]] = {}
        self._stored: dict[str, dict[int, Any]] = {}
        self.made_up: WeakSet[Entity] = WeakSet()
        """New rows whose code was made up: nobody can have the same."""
        self.expect(rows)

    def expect(self, rows: Iterable[Any]) -> None:
        """These rows come next: what they refer to is read together once any of it is asked for."""
        for row in rows:
            entity = registry.of(type(row)) or getattr(row, "entity", None)
            for relation in entity.relations.values() if entity else ():
                number = getattr(row, relation.column)
                if number is not None:
                    self._ids.setdefault(relation.target, set()).add(number)

    @staticmethod
    def pending_of(row: Entity, relation: str) -> Entity | None:
        """The object that was put into a relation and decides over its column, or None."""
        if not isinstance(row, Entity):
            return None
        state = inspect(row)
        if relation not in state.mapper.relationships:
            return None
        added = state.attrs[relation].history.added
        return added[0] if added else None

    def row(self, row: Any, relation: str) -> Any | None:
        """The row that a relation of ``row`` leads to; None if it leads nowhere."""
        if isinstance(row, Entity):
            pending = self.pending_of(row, relation)
            if pending is not None:
                return pending
        number = getattr(row, f"{relation}_id")
        if number is None:
            return None
        entity = registry.of(type(row)) if isinstance(row, Entity) else row.entity
        column = (entity.fields | entity.hidden_fields)[f"{relation}_id"]
        return self.by_id(column.options.target or "", number)

    def by_id(self, code: str, number: int) -> Any | None:
        """The row of an entity with an id; None if there is none."""
        entity = registry[code]
        known = self.session.identity_map.get(inspect(entity.model).identity_key_from_primary_key((number,)))
        if known is not None and not inspect(known).expired:
            return known
        stored = self._stored.setdefault(code, {})
        if number not in stored:
            self._read(entity, {number, *self._ids.pop(code, ())} - stored.keys())
        return stored[number]

    def value(self, row: Any, path: str) -> Any | None:
        """What a path such as ``member.organization`` leads to: a value, the id behind a relation or, if that row has
        none yet, the row itself."""
        *relations, end = path.split(".")
        for relation in relations:
            row = self.row(row, relation)
            if row is None:
                return None
        entity = registry.of(type(row)) if isinstance(row, Entity) else row.entity
        if end not in entity.relations:
            return getattr(row, end)
        if isinstance(row, Entity):
            pending = self.pending_of(row, end)
            if pending is not None:
                return pending if pending.id is None else pending.id
        return getattr(row, f"{end}_id")

    def _read(self, entity: EntityType, numbers: set[int]) -> None:
        columns = [column for column in entity.model.__table__.columns if not isinstance(column.type, EncryptedType)]
        names = [column.key for column in columns]
        stored = self._stored[entity.code]
        stored.update(dict.fromkeys(numbers))
        connection = self.session.connection()
        for condition in among(connection, entity.model.__table__.columns["id"], sorted(numbers)):
            for values in connection.execute(select(*columns).where(condition)):
                found = SimpleNamespace(entity=entity, **dict(zip(names, values, strict=True)))
                stored[found.id] = found
