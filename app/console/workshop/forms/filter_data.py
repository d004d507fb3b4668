"""Filters as trees of rows, for forms: groups (all, any, none) of tests, each a field, an operator and its operands.

A form's filter and the file's say the same: ``read_filter`` takes the file's apart, ``write_filter`` puts it together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.entity.filters import ANCHORS, Operator
from app.entity.filters.columns import DAYS, NUMBERS, Column
from app.entity.registry import FieldKind

from .documents import ABSENT
from .values import number_value, text_of

_OFFSET = r"(?:\s*(?P<sign>[+-])\s*(?P<count>\d{1,5})(?P<unit>[dmy]))?"
_ANCHOR = re.compile(rf"(?P<name>{'|'.join(ANCHORS)}){_OFFSET}")
_COLUMN = re.compile(rf"(?P<name>[A-Za-z_][\w.]*){_OFFSET}")

LITERAL, COLUMN = "literal", "column"
"""Kinds of operands beside the anchors, whose kind is their name."""


@dataclass
class Operand:
    """What a field is compared with. ``kind``: ``literal``, ``column`` (another field) or the name of a date."""

    kind: str = LITERAL
    text: str = ""
    """The literal as shown, or the other column's path."""
    shift: str = ""
    """A whole number, negative for earlier; empty for none."""
    unit: str = "d"


@dataclass
class Row:
    """One test."""

    path: str = ""
    operator: str = "eq"
    operands: list[Operand] = field(default_factory=lambda: [Operand()])


@dataclass
class Group:
    """Parts joined by ``all``, ``any`` or ``none`` (the opposite of all together)."""

    join: str = "all"
    parts: list[Row | Group] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not any(bool(part.path) if isinstance(part, Row) else not part.is_empty for part in self.parts)


ColumnOf = Callable[[str], Column | None]
"""The column of a path, None if it leads nowhere."""


# --- from the file ---


def read_filter(raw: Any) -> Group:
    """The rows of a filter as a file writes it. What is no filter gives no rows."""
    group = Group()
    for key, value in raw.items() if isinstance(raw, Mapping) else ():
        name = str(key)
        if name in ("and", "or"):
            branches = value if isinstance(value, list) else [value]
            parts = [_single(read_filter(branch)) for branch in branches]
            group.parts.append(Group("all" if name == "and" else "any", parts))
        elif name == "not":
            group.parts.append(Group("none", read_filter(value).parts))
        elif isinstance(value, Mapping) and set(map(str, value)) != {"field"}:
            group.parts += [Row(name, _operator(each), _operands(operand)) for each, operand in value.items()]
        else:
            group.parts.append(Row(name, "eq", [_operand(value)]))
    return group


def _single(group: Group) -> Row | Group:
    """A branch of one test is that test."""
    return group.parts[0] if len(group.parts) == 1 and group.join == "all" else group


def _operator(name: Any) -> str:
    return "null" if name is None else str(name)


def _operands(value: Any) -> list[Operand]:
    return [_operand(each) for each in value] if isinstance(value, list) else [_operand(value)]


def _operand(value: Any) -> Operand:
    if isinstance(value, Mapping):
        written = text_of(next(iter(value.values()), ""))
        found = _COLUMN.fullmatch(written.strip())
        return Operand(COLUMN, found["name"], *_shift(found)) if found else Operand(COLUMN, written)
    if isinstance(value, str) and (found := _ANCHOR.fullmatch(value.strip())):
        return Operand(found["name"], "", *_shift(found))
    return Operand(LITERAL, text_of(value))


def _shift(found: re.Match[str]) -> tuple[str, str]:
    if not found["sign"]:
        return "", "d"
    return f"{'-' if found['sign'] == '-' else ''}{int(found['count'])}", found["unit"]


# --- to the file ---


def write_filter(group: Group, column_of: ColumnOf) -> Any:
    """What the file says of some rows. Rows without a field are not there yet; ABSENT if none is."""
    written = _group(group, column_of)
    return ABSENT if written is ABSENT else written


def _group(group: Group, column_of: ColumnOf) -> Any:
    parts = [written for part in group.parts if (written := _part(part, column_of)) is not ABSENT]
    if not parts:
        return ABSENT
    if group.join == "any":
        return {"or": parts}
    together = _merged(parts)
    return {"not": together} if group.join == "none" else together


def _part(part: Row | Group, column_of: ColumnOf) -> Any:
    if isinstance(part, Group):
        return _group(part, column_of)
    if not part.path or part.path.endswith("."):
        return ABSENT
    column = column_of(part.path)
    operands = [_written(operand, column) for operand in part.operands]
    if part.operator == Operator.EQ:
        return {part.path: operands[0] if operands else ""}
    if part.operator == Operator.NULL:
        return {part.path: {"null": bool(not operands or operands[0] not in (False, "false"))}}
    if part.operator in (Operator.IN, Operator.NOT_IN, Operator.BETWEEN):
        listed = [each for each in operands if each != "" or len(operands) == 1]
        if column is not None and column.codes is not None and part.operator != Operator.BETWEEN:
            # Which codes are meant counts, not their order: that of the code list, as tick boxes send them.
            listed.sort(key=lambda code: column.codes.index(code) if code in column.codes else len(column.codes))
        return {part.path: {part.operator: listed}}
    return {part.path: {part.operator: operands[0] if operands else ""}}


def _merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """All parts in one mapping: keys that stand twice are joined if they are comparisons, else wrapped."""
    together: dict[str, Any] = {}
    left: list[dict[str, Any]] = []
    for part in parts:
        clash = [key for key in part if key in together]
        if not clash:
            together |= part
            continue
        key = clash[0]
        here, there = part[key], together[key]
        comparisons = (
            isinstance(here, dict) and isinstance(there, dict) and not {"field"} & (here.keys() | there.keys())
        )
        if len(part) == 1 and key not in ("and", "or", "not") and comparisons and not here.keys() & there.keys():
            together[key] = {**there, **here}
        else:
            left.append(part)
    if left:
        return {"and": [{key: value} for key, value in together.items()] + left}
    return together


def _written(operand: Operand, column: Column | None) -> Any:
    if operand.kind == COLUMN:
        return {"field": operand.text + _offset(operand)}
    if operand.kind in ANCHORS:
        return operand.kind + _offset(operand)
    return literal(operand.text, column)


def _offset(operand: Operand) -> str:
    digits = operand.shift.strip().lstrip("+")
    if not re.fullmatch(r"-?\d{1,5}", digits) or int(digits) == 0:
        return ""
    return f"{'' if digits.startswith('-') else '+'}{int(digits)}{operand.unit if operand.unit in 'dmy' else 'd'}"


def literal(text: str, column: Column | None) -> Any:
    """A typed operand by the kind of its column."""
    written = text.strip()
    kind = column.kind if column else None
    is_id = kind is FieldKind.REFERENCE and column is not None and column.relation is None
    if kind in NUMBERS or is_id:
        number = number_value(written)
        return "" if number is ABSENT else number
    if kind is FieldKind.BOOLEAN:
        return {"true": True, "false": False}.get(written, written)
    if kind in DAYS:
        try:
            return date.fromisoformat(written)
        except ValueError:
            return int(written) if kind is FieldKind.PERIOD and re.fullmatch(r"\d{4}", written) else written
    return written
