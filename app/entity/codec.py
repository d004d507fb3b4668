"""Values of fields as JSON holds them, and back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from .registry import EntityType, Field, FieldKind


def as_json(value: Any) -> Any:
    """A value as orjson writes it by itself; amounts as text, so that no cent is lost."""
    return str(value) if isinstance(value, Decimal) else value


class Codec:
    """The values of one entity's fields."""

    def __init__(self, entity: EntityType) -> None:
        fields = entity.fields | entity.hidden_fields
        self._readers = {name: reader for name, field in fields.items() if (reader := _reader(entity, field))}

    def read(self, data: dict[str, Any]) -> dict[str, Any]:
        """Values by field, as Python has them."""
        readers = self._readers
        return {
            name: value if value is None or name not in readers else readers[name](value)
            for name, value in data.items()
        }

    def value(self, name: str, value: Any) -> Any:
        reader = self._readers.get(name)
        return value if value is None or reader is None else reader(value)


def _reader(entity: EntityType, field: Field) -> Callable[[Any], Any] | None:
    if field.kind is FieldKind.DATE:
        return date.fromisoformat
    if field.kind is FieldKind.MOMENT:
        return datetime.fromisoformat
    if field.kind is FieldKind.CODE:
        return cache(field.code_list) if field.code_list else None  # a call of an enumeration takes its time
    if field.kind is FieldKind.DECIMAL and getattr(entity.model.__table__.columns[field.name].type, "asdecimal", False):
        return lambda value: Decimal(str(value))
    return None
