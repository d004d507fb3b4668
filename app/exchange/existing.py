"""The stored rows that a file's rows stand for: found by code, else by the entity's natural key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database.among import among
from app.database.encryption import keyring
from app.entity.registry import EntityType

from .headings import Column
from .rows import FileRow

CODE, NATURAL = "code", "natural"
"""How keys begin."""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A stored row: its id, and its values of the file's fields; of encrypted ones the keyed hash."""

    id: int
    values: dict[str, Any]


class Existing:
    """Finds them in the scope of the session's actor."""

    def __init__(self, session: Session, entity: EntityType, columns: Sequence[Column]) -> None:
        self.session, self.entity = session, entity
        self.key_names = [self._column(part) for part in entity.options.natural_key]
        hashes = {field.options.hash_of: name for name, field in entity.hidden_fields.items() if field.options.hash_of}
        self._compared = {column.field.name: column.field.name for column in columns}
        self._hashed = {name: hashes[name] for name in self._compared if name in hashes}
        self._compared.update(self._hashed)
        names = dict.fromkeys(
            (*self._compared.values(), *self.key_names, *(["code"] if "code" in entity.fields else []))
        )
        self._names = list(names)
        self._attributes = [getattr(entity.model, name) for name in self._names]

    def _column(self, part: str) -> str:
        return self.entity.relations[part].column if part in self.entity.relations else part

    def key(self, row: FileRow) -> Any:
        """What identifies the row: its code, else its natural key; None if it is simply new."""
        values = row.values
        if values.get("code"):
            return (CODE, values["code"])
        if not self.key_names or not any(values.get(name) is not None for name in self.key_names):
            return None
        if "code" in values and not all(name in values for name in self.key_names):
            return None
        return (NATURAL, *(values.get(name) for name in self.key_names))

    def find(self, rows: Sequence[FileRow]) -> dict[Any, StoredRow]:
        """The stored rows by key."""
        model: Any = self.entity.model
        keys = [key for row in rows if (key := self.key(row)) is not None]
        codes = sorted({key[1] for key in keys if key[0] == CODE})
        found: dict[Any, StoredRow] = {}
        for stored in self._read(model.code, codes):
            found[CODE, stored.values["code"]] = stored
        natural = [row for row in rows if not row.values.get("code") and self.key(row) is not None]
        by_first: dict[str, set[Any]] = {}
        for row in natural:
            # The first part that is given and no row of this very file narrows the search.
            name = next((n for n in self.key_names if isinstance(row.values.get(n), int | str)), None)
            name = name or next(n for n in self.key_names if row.values.get(n) is not None)
            by_first.setdefault(name, set()).add(row.values[name])
        wanted = {self.key(row) for row in natural}
        for name, values in by_first.items():
            ordered = sorted((value for value in values if not hasattr(value, "code")), key=str)
            for stored in self._read(getattr(model, name), ordered):
                key = (NATURAL, *(stored.values[each] for each in self.key_names))
                if key in wanted:
                    found[key] = stored
        return found

    def _read(self, attribute: Any, wanted: Sequence[Any]) -> Iterable[StoredRow]:
        statement = select(self.entity.model.id, *self._attributes)
        for condition in among(self.session.get_bind(), attribute, wanted):
            for row_id, *values in self.session.execute(statement.where(condition)):
                yield StoredRow(row_id, dict(zip(self._names, values, strict=True)))

    def differs(self, row: FileRow, stored: StoredRow) -> bool:
        """Whether the file says anything else than is stored. An empty cell of a required column says nothing."""
        for name, value in row.values.items():
            if name in self._hashed:
                value = keyring().digest(value) if value else None
            elif value is None:
                described = self.entity.fields[name]
                if not described.nullable and described.has_default:
                    continue
            if stored.values[self._compared[name]] != value:
                return True
        return False

    def load(self, ids: Sequence[int]) -> dict[int, Any]:
        """Stored rows as instances of the session."""
        model: Any = self.entity.model
        found: dict[int, Any] = {}
        for condition in among(self.session.get_bind(), model.id, ids):
            found.update({row.id: row for row in self.session.scalars(select(model).where(condition))})
        return found
