"""The body of a POST or PUT as values of a row. Nothing is taken that the entity does not declare as editable, and a
relation is an existing row that the user may refer to, never a new one.

    "organization": 5  ·  "organization": "310112001"  ·  "organization": {"id": 5} or {"code": …}
    "organization_id": 5  ·  "organization_code": "310112001"
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from app.access.masking import is_masked
from app.access.predicates import Purpose
from app.access.references import purpose_of
from app.console.columns import field_of
from app.console.forms import NO_SUCH_CHOICE, REQUIRED
from app.console.relations import find_by_code, is_there
from app.console.saving import WHOLE, NotSaved
from app.console.values import Unreadable, identifier, parse
from app.entity.labels import Label
from app.entity.registry import EntityType, Field, FieldKind

UNKNOWN = Label("没有这个字段", "There is no such field")
NOT_YOURS = Label("由系统填写，不能修改", "Is set by the system and cannot be changed")
NOT_AN_OBJECT = Label("应为一个 JSON 对象", "Has to be one JSON object")
MASKED = Label("含有星号：请给出完整的值，或不要给出", "Contains asterisks: send the whole value, or leave it out")


def read_body(entity: EntityType, body: Any, columns: Sequence[str], *, is_new: bool) -> dict[str, Any]:
    """Values by attribute. What a PUT leaves out stays as it is. Raises NotSaved with every fault of the body."""
    if not isinstance(body, dict):
        raise NotSaved({WHOLE: [NOT_AN_OBJECT]}, 400)
    values: dict[str, Any] = {}
    faults: dict[str, list[Label]] = {}
    for name, raw in body.items():
        column, by = _column(entity, str(name))
        if column is None:
            faults[str(name)[:60]] = [UNKNOWN]
        elif column not in columns:
            faults[column] = [NOT_YOURS]
        else:
            try:
                attribute, value = _value(entity, column, by, raw)
            except Unreadable as error:
                faults[column] = [error.label]
            else:
                values[attribute] = value
    faults.update(_missing(entity, columns, values, faults, is_new))
    if faults:
        raise NotSaved(faults)
    return {name: value for name, value in values.items() if not _keeps_default(entity, name, value, is_new)}


def _column(entity: EntityType, name: str) -> tuple[str | None, str]:
    """The view column that a key names, and how it names a row: ``id``, ``code`` or either."""
    if name in entity.relations:
        return name, ""
    if name in entity.fields and not name.endswith("_id"):
        return name, ""
    relation, _, by = name.rpartition("_")
    if by in ("id", "code") and relation in entity.relations:
        return relation, by
    return None, ""


def _value(entity: EntityType, column: str, by: str, raw: Any) -> tuple[str, Any]:
    if column in entity.relations:
        relation = entity.relations[column]
        purpose = purpose_of(entity, column)
        return relation.column, None if raw is None or raw == "" else row_id(relation.target, by, raw, purpose)
    declared = field_of(entity, column)
    if declared.options.personal and is_masked(str(raw)):
        raise Unreadable(MASKED.zh, MASKED.en)
    check_type(declared, raw)
    return declared.name, parse(entity, declared, raw)


def check_type(field: Field, raw: Any) -> None:
    """JSON has numbers and truth values of its own: they are not taken as texts. Raises Unreadable."""
    wanted = _TYPES.get(field.kind, (str,))
    is_number = isinstance(raw, int | float) and not isinstance(raw, bool)
    fits = isinstance(raw, bool) if bool in wanted else is_number if int in wanted else isinstance(raw, str)
    if raw is not None and not fits:
        label = (
            Label("应为 true 或 false", "Has to be true or false")
            if bool in wanted
            else (Label("应为数字", "Has to be a number") if int in wanted else Label("应为文字", "Has to be text"))
        )
        raise Unreadable(label.zh, label.en)
    shape = _SHAPES.get(field.kind)
    if isinstance(raw, str) and raw.strip() and shape is not None and not shape[0].fullmatch(raw.strip()):
        raise Unreadable(shape[1].zh, shape[1].en)


_TYPES: dict[FieldKind, tuple[type, ...]] = {
    FieldKind.INTEGER: (int,),
    FieldKind.DECIMAL: (int,),
    FieldKind.BOOLEAN: (bool,),
}
_SHAPES = {
    FieldKind.DATE: (
        re.compile(r"\d{4}-\d\d-\d\d"),
        Label("应为日期，形如 2026-11-23", "Has to be a date such as 2026-11-23"),
    ),
    FieldKind.MOMENT: (
        re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?"),
        Label("应为日期和时间，形如 2026-11-23T09:30", "Has to be a date and time such as 2026-11-23T09:30"),
    ),
}


def row_id(target: str, by: str, raw: Any, purpose: Purpose) -> int:
    """The id of a row that may be referred to, by ``id``, ``code`` or either. Raises Unreadable for any other."""
    if isinstance(raw, dict) and not by:
        by, raw = ("id", raw.get("id")) if raw.get("id") is not None else ("code", raw.get("code"))
    key: int | None = None
    if by in ("", "id") and isinstance(raw, int):
        key = identifier(raw)
        key = key if key is not None and is_there(target, key, purpose) else None
    elif by in ("", "code") and isinstance(raw, str):
        key = find_by_code(target, raw, purpose)
    if key is None:
        raise Unreadable(NO_SUCH_CHOICE.zh, NO_SUCH_CHOICE.en)
    return key


def _missing(
    entity: EntityType, columns: Sequence[str], values: dict[str, Any], faults: dict[str, Any], is_new: bool
) -> dict[str, list[Label]]:
    """Required fields that are empty, or in a new row not there."""
    found = {}
    for column in columns:
        declared = field_of(entity, column)
        fills_itself = declared.has_default or declared.options.filled_from
        needed = not declared.nullable and not (is_new and fills_itself)
        given = declared.name in values
        if needed and column not in faults and values.get(declared.name) is None and (given or is_new):
            found[column] = [REQUIRED]
    return found


def _keeps_default(entity: EntityType, name: str, value: Any, is_new: bool) -> bool:
    return value is None and is_new and entity.fields[name].has_default
