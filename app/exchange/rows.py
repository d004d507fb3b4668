"""Rows of a file as values: cells read by the columns' fields, each distinct cell of a column once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Float, Numeric

from app.access.masking import is_masked
from app.entity.labels import Label, UserError
from app.entity.normalization import is_plain
from app.entity.registry import EntityType, Field, FieldKind

from .cells import longest_of, text_of, value_of
from .headings import Column

REPEATED = (FieldKind.CODE, FieldKind.BOOLEAN, FieldKind.DATE, FieldKind.PERIOD)
"""Kinds whose cells are much alike from row to row."""
MOST_KEPT = 20_000
EXAMPLE = Label("示例（请删除此行）", "Example (delete this row)")
"""Stands in the first cell of a template's example row, which is passed over if it is still there."""
EXAMPLE_MARKS = frozenset({EXAMPLE.zh, EXAMPLE.en})


@dataclass(slots=True)
class FileRow:
    """A row of the file: its number as Excel counts, its cells, and its values by field name. References are the codes
    or names that the file gives, by relation name. ``faults``: (heading, reason)."""

    number: int
    cells: Sequence[Any] = ()
    values: dict[str, Any] = field(default_factory=dict)
    references: dict[str, str | None] = field(default_factory=dict)
    masked: list[str] = field(default_factory=list)
    """Fields whose cell came out of a masked export: what is stored stays."""
    faults: list[tuple[str, Label]] = field(default_factory=list)


class RowReader:
    """Reads the rows of one file."""

    def __init__(self, entity: EntityType, columns: Sequence[Column]) -> None:
        self._columns = [
            (
                column.position,
                column.heading,
                column.relation.name if column.relation else column.field.name,
                column.relation is not None,
                column.field.options.personal,
                reader_of(entity, column.field),
            )
            for column in columns
        ]

    def read(self, number: int, cells: Sequence[Any]) -> FileRow | None:
        """A row; None for one without anything in it, and for a template's example."""
        if not any(cell is not None and cell != "" and (not isinstance(cell, str) or cell.strip()) for cell in cells):
            return None
        if isinstance(cells[0], str) and cells[0].strip() in EXAMPLE_MARKS:
            return None
        row = FileRow(number, cells)
        width = len(cells)
        for position, heading, name, is_reference, is_personal, read in self._columns:
            cell = cells[position] if position < width else None
            if is_reference:
                row.references[name] = text_of(cell) or None if cell is not None else None
                continue
            if is_personal and isinstance(cell, str) and is_masked(cell.strip()):
                row.masked.append(name)
                continue
            try:
                row.values[name] = read(cell)
            except UserError as problem:
                row.faults.append((heading, problem.label))
        return row


def reader_of(entity: EntityType, described: Field) -> Callable[[Any], Any]:
    """What gives the value that a cell of a field's column means; it raises UserError."""
    type_ = entity.model.__table__.columns[described.name].type
    if isinstance(type_, Numeric) and not isinstance(type_, Float):
        return lambda cell: _exact(value_of(described, cell), type_)
    if described.kind in REPEATED:
        return _Kept(described)
    longest = longest_of(described)
    if longest is None:
        return lambda cell: value_of(described, cell)

    def read(cell: Any) -> Any:
        """What ``value_of`` says, sooner where there is nothing to it."""
        if type(cell) is str and is_plain(cell) and cell[:1] != "'":
            text = cell.strip()
            if len(text) <= longest:
                return text or None
        return value_of(described, cell)

    return read


class _Kept:
    """Reads each distinct cell once."""

    def __init__(self, described: Field) -> None:
        self.described = described
        self.known: dict[Any, Any] = {}

    def __call__(self, cell: Any) -> Any:
        try:
            return self.known[cell]
        except (KeyError, TypeError):
            value = value_of(self.described, cell)
        if len(self.known) < MOST_KEPT:
            self.known[cell] = value
        return value


def _exact(value: Any, type_: Numeric[Any]) -> Decimal | None:
    if value is None:
        return None
    scale, precision = type_.scale or 0, type_.precision or 38
    exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-scale))
    if abs(exact) >= 10 ** (precision - scale):
        raise UserError("数太大", "the number is too large")
    return exact
