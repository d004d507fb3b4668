"""Rows that may be the same person or thing as the one being entered: hints, never refusals.

An entity says with ``EntityOptions.alike`` which fields, when all of them agree, make two rows look like one.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select

from app.database.encryption import keyring
from app.entity.registry import EntityType, FieldKind

from ..filters import hash_column

MOST_HINTS = 5


def alike_columns(entity: EntityType) -> list[str]:
    """The fields that hints depend on."""
    return list(dict.fromkeys(name for fields in entity.options.alike for name in fields))


def alike(session: Any, entity: EntityType, values: dict[str, Any], row_id: int | None = None) -> list[Any]:
    """At most five rows in sight that look like the one with these values (by field), itself left out."""
    likenesses = []
    for fields in entity.options.alike:
        if all(values.get(name) not in (None, "") for name in fields):
            conditions = [_same(entity, name, values[name]) for name in fields]
            combined = conditions[0]
            for condition in conditions[1:]:
                combined = combined & condition
            likenesses.append(combined)
    if not likenesses:
        return []
    statement = select(entity.model).where(or_(*likenesses)).order_by(entity.model.id).limit(MOST_HINTS)
    if row_id is not None:
        statement = statement.where(entity.model.id != row_id)
    return list(session.scalars(statement))


def _same(entity: EntityType, name: str, value: Any) -> Any:
    if entity.fields[name].kind is FieldKind.ENCRYPTED:
        return getattr(entity.model, str(hash_column(entity, name))) == keyring().digest(value)
    return getattr(entity.model, name) == value
