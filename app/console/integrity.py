"""What a database refused, in words and at the fields it is about.

The databases say it differently: SQLite names columns or the constraint, PostgreSQL and MariaDB the constraint.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import CheckConstraint, Table, UniqueConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.entity.labels import Label
from app.entity.registry import EntityType, FieldKind

from .columns import column_of

WHOLE = ""
TAKEN = Label("这个值已有记录使用", "Another record has this value already")
EMPTY = Label("请填写", "Has to be filled in")
CONTRADICTION = Label("与其他项的值矛盾，请核对", "Contradicts other values, check them")
USED = Label(
    "还有其他记录与它关联，不能删除。请先处理那些记录。",
    "Other records refer to it, so that it cannot be deleted. See to those first.",
)
NO_REFERENCE = Label("所关联的记录不存在", "A record that it refers to does not exist")
REFUSED = Label("数据库没有接受这些值，请核对", "The database did not take these values, check them")

_COMPARISON = re.compile(r"(\w+)\s*(>=|>)\s*(\w+)")


CHECK_FAILED = (3819, 4025)
"""How MySQL and MariaDB number a failed CHECK, which their driver calls operational."""


def is_refusal(error: DBAPIError) -> bool:
    """Whether the database refused values, rather than being out of order."""
    return isinstance(error, IntegrityError) or getattr(error.orig, "args", (None,))[0] in CHECK_FAILED


def explain(entity: EntityType, error: DBAPIError, *, deleting: bool = False) -> dict[str, list[Label]]:
    """The faults by view column, ``""`` for the whole record."""
    message = str(error.orig)
    table: Table = entity.model.__table__  # type: ignore[assignment]
    if deleting:
        return {WHOLE: [USED]}
    named = _constraint(table, error, message)
    if isinstance(named, CheckConstraint):
        return _of_check(entity, str(named.sqltext))
    columns = list(named.columns) if named is not None else _columns(table, message)
    lower = message.lower()
    if "unique" in lower or "duplicate" in lower:
        return _at(entity, columns, TAKEN, together=len(columns) > 1)
    if "not null" in lower or "not-null" in lower or "cannot be null" in lower:
        return _at(entity, columns, EMPTY)
    return {WHOLE: [NO_REFERENCE if "foreign key" in lower else REFUSED]}


def _constraint(table: Table, error: DBAPIError, message: str) -> Any:
    """The constraint or unique index that the message names."""
    diagnosis = getattr(error.orig, "diag", None)
    told = getattr(diagnosis, "constraint_name", None)
    candidates = [c for c in (*table.constraints, *table.indexes) if c.name]
    candidates += [c for c in table.constraints if isinstance(c, UniqueConstraint) and not c.name]
    for candidate in candidates:
        name = str(candidate.name or "")
        if name and (told == name or (not told and re.search(rf"\b{re.escape(name)}\b", message))):
            return candidate
    return None


def _columns(table: Table, message: str) -> list[Any]:
    """The columns that the message names: ``bc_member.code`` on SQLite, ``column "code"`` and ``Column 'code'``."""
    named = re.findall(rf"\b{re.escape(table.name)}\.(\w+)", message) or re.findall(r"olumn [\"'](\w+)[\"']", message)
    by_name = {column.name: column for column in table.columns}
    return [by_name[name] for name in named if name in by_name]


def _at(entity: EntityType, columns: list[Any], what: Label, *, together: bool = False) -> dict[str, list[Label]]:
    keys = [key for key in (_key(entity, column.key) for column in columns) if key]
    if not keys:
        return {WHOLE: [REFUSED if not columns else what]}
    if together:
        labels = [_label(entity, key) for key in keys]
        what = Label(
            f"已有“{'、'.join(label.zh for label in labels)}”相同的记录",
            f"There is a record with the same {', '.join(label.en.lower() for label in labels)} already",
        )
    return {key: [what] for key in keys}


def _of_check(entity: EntityType, text: str) -> dict[str, list[Label]]:
    """A CHECK in words: an order of two fields is said as such, anything else as a contradiction of its fields."""
    keys = list(
        dict.fromkeys(filter(None, (_key(entity, _attribute(entity, word)) for word in re.findall(r"\w+", text))))
    )
    compared = _COMPARISON.findall(text)
    if compared:
        later, operator, earlier = compared[-1]
        first, second = _key(entity, _attribute(entity, later)), _key(entity, _attribute(entity, earlier))
        if first and second:
            return {first: [_order(_label(entity, first), _label(entity, second), operator, _is_day(entity, first))]}
        if first and earlier == "0" and len(keys) > 0:
            return {key: [Label("不能是负数，也不能超出范围", "Cannot be negative or out of range")] for key in keys}
    return {key: [CONTRADICTION] for key in keys} or {WHOLE: [CONTRADICTION]}


def _order(later: Label, earlier: Label, operator: str, is_day: bool) -> Label:
    if is_day:
        return (
            Label(f"不能早于“{earlier.zh}”", f"Cannot be before “{earlier.en}”")
            if operator == ">="
            else Label(f"应晚于“{earlier.zh}”", f"Has to be after “{earlier.en}”")
        )
    return Label(f"不能小于“{earlier.zh}”", f"Cannot be less than “{earlier.en}”")


def _attribute(entity: EntityType, column_name: str) -> str:
    """The attribute of a database column's name, which differ where the name is reserved somewhere."""
    return next((c.key for c in entity.model.__table__.columns if c.name == column_name), "")


def _key(entity: EntityType, attribute: str) -> str:
    """The view column of an attribute; of an encrypted column's hash, that column."""
    hidden = entity.hidden_fields.get(attribute)
    if hidden is not None and hidden.options.hash_of:
        attribute = hidden.options.hash_of
    return column_of(entity, attribute) if attribute in entity.fields else ""


def _label(entity: EntityType, key: str) -> Label:
    relation = entity.relations.get(key)
    return relation.label if relation else entity.fields[key].label


def _is_day(entity: EntityType, key: str) -> bool:
    field = entity.fields.get(key)
    return field is not None and field.kind in (FieldKind.DATE, FieldKind.MOMENT)
