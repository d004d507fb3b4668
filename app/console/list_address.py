"""What a list's address says, read without a request: its conditions and its order. For jobs, and for pages that speak
of a list without being it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.entity.registry import EntityType

from .columns import default_order, order_columns, search_columns
from .filters import RequestFilters
from .interface import EntityInterface
from .permissions import class_name

_CONDITION = re.compile(r"_flt_(\d{1,3})_(\w+)")
LONGEST = 4_000
"""Characters of an address that is kept."""


def kept(conditions: str) -> str:
    """An address behind the question mark, with what belongs to a list's content alone: conditions and order."""
    pairs = [
        (name, value)
        for name, value in parse_qsl(conditions[:LONGEST])
        if _CONDITION.fullmatch(name) or name.startswith(("_oc_", "_od_"))
    ]
    return urlencode(pairs)


def filters_of(interface: EntityInterface, conditions: str) -> RequestFilters:
    """The conditions of an address; those that cannot be read are left out, as on the page."""
    filters = interface.get_filters(search_columns(interface.entity))
    filters.clear_filters()
    given: dict[tuple[str, int], list[str]] = defaultdict(list)
    for name, value in parse_qsl(conditions):
        found = _CONDITION.fullmatch(name)
        if found is not None:
            given[found[2], int(found[1])].append(value)
    for (column, place), values in given.items():
        filters.add_filter_index(column, place, values)
    return filters


def order_of(entity: EntityType, conditions: str) -> tuple[str, str]:
    """Column and direction that an address asks for, else the declared ones."""
    arguments, view = dict(parse_qsl(conditions)), f"{class_name(entity.code)}View"
    column, direction = arguments.get(f"_oc_{view}", ""), arguments.get(f"_od_{view}", "")
    if column in order_columns(entity) and direction in ("asc", "desc"):
        return column, direction
    return default_order(entity)


def narrowing(
    entity: EntityType, session: Session, conditions: str
) -> tuple[int, Callable[[Select[Any]], Select[Any]]]:
    """How many rows a list has, and what narrows and orders a SELECT of its entity as the list is."""
    interface = EntityInterface(entity.model, session)
    filters = filters_of(interface, conditions)

    def narrowed(statement: Select[Any]) -> Select[Any]:
        return interface.ordered(filters.apply_all(statement), *order_of(entity, conditions))

    return interface.count(filters), narrowed
