"""Cursors: where a list was left off, so that the next page begins there however deep it lies (keyset paging).

A cursor holds the sort values and the id of the last row, signed, and is bound to the list that it came from: another
filter, order or entity refuses it. Rows with equal values are told apart by their id, so that none is passed over or
given twice; rows added meanwhile appear where they belong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import ColumnElement, Date, DateTime, Numeric, and_, false, literal, or_

from app.entity.labels import Label

from .parameters import BadParameters

NULLS_LOW = frozenset({"sqlite", "mysql", "mariadb"})
"""The databases to which a missing value is smaller than any other; to the rest it is larger."""

OUTDATED = Label(
    "这个 cursor 不属于这个列表，请从第一页重新读取", "This cursor is not of this list; begin at the first page"
)


def binding(*parts: str) -> str:
    """What list a cursor belongs to, in short."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=9).hexdigest()


def write(bound: str, values: Sequence[Any]) -> str:
    return _serializer().dumps([bound, *[_written(value) for value in values]])


def read(text: str, bound: str, columns: Sequence[ColumnElement[Any]]) -> list[Any]:
    """The values of a cursor, of the columns' types. Raises BadParameters for one of another list."""
    try:
        found, *values = _serializer().loads(text)
        if found != bound or len(values) != len(columns):
            raise ValueError
        return [_value(value, column) for value, column in zip(values, columns, strict=True)]
    except (BadData, ValueError, TypeError):
        raise BadParameters({"cursor": [OUTDATED]}, status=422) from None


def after(
    keys: Sequence[tuple[ColumnElement[Any], bool, bool]], values: Sequence[Any], dialect: str
) -> ColumnElement[bool]:
    """The rows that come after these values. ``keys``: each column, whether it descends, whether it may be missing;
    the last one is unique."""
    condition: ColumnElement[bool] | None = None
    for (column, descending, nullable), value in reversed(list(zip(keys, values, strict=True))):
        missing_first = (dialect in NULLS_LOW) != descending
        if value is None:
            later = column.is_not(None) if missing_first else false()
            same = column.is_(None)
        else:
            bound = literal(value, column.type)
            later = column < bound if descending else column > bound
            if nullable and not missing_first:
                later = or_(later, column.is_(None))
            same = column == bound
        condition = later if condition is None else or_(later, and_(same, condition))
    assert condition is not None
    column, descending, nullable = keys[0]
    if values[0] is not None and (not nullable or (dialect in NULLS_LOW) != descending) and len(keys) > 1:
        # Says the same again in a form that an index on the first column can begin at.
        bound = literal(values[0], column.type)
        condition = and_(column <= bound if descending else column >= bound, condition)
    return condition


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="api-cursor")


def _written(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _value(value: Any, column: ColumnElement[Any]) -> Any:
    if value is None:
        return None
    if isinstance(column.type, DateTime):
        return datetime.fromisoformat(value)
    if isinstance(column.type, Date):
        return date.fromisoformat(value)
    return Decimal(value) if isinstance(column.type, Numeric) and isinstance(value, str) else value
