"""Rows of an entity into a file, read as a stream in the scope of the session's actor.

Two ways to write a row. For moving records: what an import of the same entity reads, codes for words, personal values
left out (``export_file``). For people: the columns of a list, words for codes, related records by name and code,
personal values masked as on the pages (``written_rows``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from app.access.masking import masked
from app.access.references import row_names
from app.entity.labels import Label
from app.entity.registry import EntityType, Field, FieldKind, Relation, registry

from .files import write_table
from .headings import columns_of

BATCH = 1_000
YES, NO = Label("是", "yes"), Label("否", "no")


# --- for moving records ---


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


# --- for people ---


@dataclass(frozen=True)
class ListColumn:
    """A column of a list: a field, or a relation, which is written as its name and its code."""

    name: str
    field: Field
    relation: Relation | None = None


def list_columns(entity: EntityType, names: Sequence[str]) -> list[ListColumn]:
    """Columns by the names they go by in lists; those that there are not are left out."""
    found = []
    for name in dict.fromkeys(names):
        relation = entity.relations.get(name)
        field = entity.fields.get(relation.column if relation else name)
        if field is not None and (relation is not None or field.kind is not FieldKind.REFERENCE):
            found.append(ListColumn(name, field, relation))
    return found


def headings(columns: Sequence[ListColumn], language: str, *, by_name: bool = False) -> list[str]:
    """What stands above the columns: labels, or names for programs."""
    found = []
    for column in columns:
        label = column.relation.label if column.relation else column.field.label
        found.append(column.name if by_name else label.in_language(language))
        if column.relation:
            code = Label(f"{label.zh}代码", f"{label.en} code").in_language(language)
            found.append(f"{column.name}_code" if by_name else code)
    return found


def written_rows(
    session: Session,
    names: Session,
    entity: EntityType,
    columns: Sequence[ListColumn],
    narrowed: Callable[[Select[Any]], Select[Any]],
    language: str,
    *,
    plain: bool = False,
) -> Iterator[list[Any]]:
    """Rows as people read them, or ``plain`` for programs: codes as codes.

    ``narrowed`` adds conditions and order to the SELECT. ``names`` is a second session of the same actor, for related
    names while the first is being read from.
    """
    model: Any = entity.model
    attributes = [
        getattr(model, column.relation.column if column.relation else column.field.name) for column in columns
    ]
    writers = [
        _Related(names, column.relation, language) if column.relation else _writer(column.field, language, plain)
        for column in columns
    ]
    related = [(place, each) for place, each in enumerate(writers) if isinstance(each, _Related)]
    statement = narrowed(select(model.id, *attributes)).execution_options(yield_per=BATCH)
    for batch in session.execute(statement).partitions():
        for place, each in related:
            each.expect({row[place + 1] for row in batch})
        for row in batch:
            cells: list[Any] = []
            for value, write in zip(row[1:], writers, strict=True):
                if write is None:
                    cells.append(value)
                elif type(write) is _Related:
                    cells += write.known[value]
                else:
                    cells.append(None if value is None else write(value))
            yield cells


class _Related:
    """The names and codes of the rows that a relation leads to."""

    def __init__(self, names: Session, relation: Relation, language: str) -> None:
        self.session, self.relation = names, relation
        self.known: dict[int | None, tuple[str | None, str | None]] = {None: (None, None)}
        target = registry[relation.target]
        self.title = _writer(target.fields[target.options.title], language, False) or str

    def expect(self, ids: set[int | None]) -> None:
        unknown = ids - self.known.keys()
        if not unknown:
            return
        found = row_names(self.session, self.relation.target, unknown)
        for row_id in unknown:
            row = found.get(row_id) if row_id is not None else None
            title = None if row is None or row.name is None else self.title(row.name)
            self.known[row_id] = (None, None) if row is None else (str(title or row.code), row.code)


def _writer(field: Field, language: str, plain: bool) -> Callable[[Any], Any] | None:
    """How a field's values are written; None for as they are."""
    if field.options.personal:
        return lambda value: masked(field, value)
    if field.kind is FieldKind.CODE and field.code_list is not None:
        if plain:
            return lambda value: value.value
        return {member: member.label.in_language(language) for member in field.code_list}.get
    if field.kind is FieldKind.BOOLEAN and not plain:
        yes, no = YES.in_language(language), NO.in_language(language)
        return lambda value: yes if value else no
    if field.kind is FieldKind.DECIMAL:
        return _number
    if field.kind is FieldKind.MOMENT:
        return _moment
    return None


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _moment(value: datetime) -> datetime:
    return value.replace(microsecond=0)
