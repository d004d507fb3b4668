"""How many rows each choice of a quick filter would leave, given the other filters in force."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from app.entity.registry import EntityType, FieldKind

COUNTED_KINDS = (FieldKind.CODE, FieldKind.BOOLEAN)


def counted_columns(entity: EntityType, quick_filters: list[str]) -> list[str]:
    """The quick filters with few choices, each of which gets its count."""
    return [name for name in quick_filters if name in entity.fields and entity.fields[name].kind in COUNTED_KINDS]


def counts(session: Any, entity: EntityType, filters: Any, columns: list[str]) -> dict[str, dict[str, int]]:
    """For each column the number of rows by choice, as forms write them; choices of no row are left out.

    A column's own filter does not narrow its own counts: they say what choosing another would bring.
    """
    found: dict[str, dict[str, int]] = {}
    for column in columns:
        attribute = getattr(entity.model, column)
        statement = select(attribute, func.count(entity.model.id)).group_by(attribute)
        for condition, value in zip(filters.filters, filters.values, strict=True):
            if condition.column_name != column:
                statement = condition.apply(statement, value)
        rows = session.execute(statement)
        found[column] = {_written(value): int(number) for value, number in rows if value is not None}
    return found


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value.value)
