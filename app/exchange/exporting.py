"""An entity's rows into a file: the columns that an import of the same entity reads, relations by code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from app.entity.labels import Label
from app.entity.registry import EntityType, FieldKind, registry

from .files import write_table
from .headings import columns_of

BATCH = 1_000


def export_file(session: Session, entity: EntityType, path: Path, *, language: str = "zh", labels: bool = False) -> int:
    """Write all rows that the session's actor sees; the number of rows. Personal values are left out: files of this
    command are for moving records, and encrypted columns are revealed only one by one, with a purpose."""
    columns = [column for column in columns_of(entity) if column[2].kind is not FieldKind.ENCRYPTED]
    heading = [_written(name, label, language, labels) for name, label, _field, _relation in columns]
    return write_table(path, heading, _rows(session, entity, columns))


def _written(name: str, label: Label, language: str, labels: bool) -> str:
    return label.in_language(language) if labels else name


def _rows(session: Session, entity: EntityType, columns: Any) -> Iterator[list[Any]]:
    model: Any = entity.model
    selected, statement = [], select()
    joins: list[tuple[Any, Any]] = []
    for _name, _label, described, relation in columns:
        if relation is None:
            selected.append(getattr(model, described.name))
        else:
            target = aliased(registry[relation.target].model)
            joins.append((target, target.id == getattr(model, relation.column)))
            selected.append(target.code)
    statement = select(*selected).select_from(model)
    for target, condition in joins:
        statement = statement.outerjoin(target, condition)
    statement = statement.order_by(model.id).execution_options(yield_per=BATCH)
    for row in session.execute(statement):
        yield [_cell(value) for value in row]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "是" if value else "否"
    if value is not None and hasattr(value, "label") and hasattr(value, "value"):
        return str(value.value)
    if hasattr(value, "quantize"):
        return float(value)
    return value
