"""A list's rows in groups (days of a calendar, columns of a board): how many there are in each, and the first few.

Two statements whatever the number of groups. Both go through the list's own filters and the session's row scope.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select, union_all

from app.entity.registry import Entity

from ..display import name_unseen
from ..interface import EntityInterface


def counted(interface: EntityInterface, filters: Any, key: ColumnElement[Any], *conditions: Any) -> dict[Any, int]:
    """The number of rows by the value of ``key``, groups of no row and of no value left out."""
    statement = filters.apply_all(select(key, func.count(interface.obj.id))).where(*conditions).group_by(key)
    return {value: int(number) for value, number in interface.session.execute(statement) if value is not None}


def first_of_each(
    interface: EntityInterface,
    filters: Any,
    groups: Iterable[ColumnElement[bool]],
    most: int,
    order: tuple[str, str],
    columns: Sequence[str],
) -> list[Entity]:
    """At most ``most`` rows of each group, which a condition describes, in order; ``columns`` are those to be shown."""
    model = interface.obj
    parts = []
    for condition in groups:
        narrowed = filters.apply_all(select(model.id)).where(condition)
        # A derived table, because MariaDB knows no LIMIT right below IN.
        part = interface.ordered(narrowed, *order).limit(most).subquery()
        parts.append(select(part.c.id))
    if not parts:
        return []
    keys = union_all(*parts) if len(parts) > 1 else parts[0]
    statement = select(model).where(model.id.in_(keys)).options(*interface.loading(columns))
    rows = list(interface.session.scalars(interface.ordered(statement, *order)))
    name_unseen(interface.entity, rows, columns)
    return rows
