"""The lean read path: rows of an entity as JSON, by SELECTs of mapped columns, without making objects of rows.

What only depends on who reads and which fields and order are asked for is made once and kept (``_plan``); SQLAlchemy
keeps the compiled statements. A list takes two statements, one if it is not counted.

Counting ends at ``LARGEST_COUNT`` rows: ``count_is_exact`` says whether there are more, so that no list waits for a
count of millions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, select
from sqlalchemy.orm import Session

from app.access.field_access import Clearance, seen_by
from app.access.scope import actor_of, scope_options
from app.console.filters import search_condition
from app.database.clock import today
from app.entity.filters import DateContext, filter_clause
from app.entity.registry import EntityType, FieldKind, registry

from . import cursors
from .names import ID, Entities, names_of, resolve
from .parameters import ListRequest, SortKey
from .selection import Selection, as_stored

LARGEST_COUNT = 200_000
MOST_PAGES = 500
"""Statements kept with a plan: by the organizations of those who read."""

Access = tuple[Any, ...]
"""What decides on what a reader may name: plans are kept by it."""


@dataclass(frozen=True)
class Reader:
    """For whom rows are read."""

    session: Session
    clearance: Clearance
    access: Access

    @property
    def dialect(self) -> str:
        return self.session.get_bind().dialect.name

    def entity(self, declared: EntityType) -> EntityType:
        return seen_by(declared, self.clearance)


@dataclass(frozen=True)
class _Key:
    """A column of the order."""

    column: Any
    descending: bool
    nullable: bool
    place: int


@dataclass(frozen=True)
class _Plan:
    """How rows with some fields are read in some order."""

    selection: Selection
    statement: Select[Any]
    keys: tuple[_Key, ...]
    order: str
    id: int
    """Where the row's id stands in the result."""
    revision: int | None
    """Where its revision stands, in plans of single rows."""
    pages: dict[Any, Select[Any]]
    """Whole statements of lists without a filter, by who reads and whether they are counted."""

    def page(self, reader: Reader, entity: EntityType, conditions: Sequence[Any], counted: bool) -> Select[Any]:
        """The statement of a page of ``rows`` rows, with their number as its last column if they are counted, in the
        reader's scope. The session's listener would add the scope all the same; kept with it, the statement need not
        be put together again."""
        options = scope_options(actor_of(reader.session))
        key = None if conditions else (options, counted)
        if key is not None and key in self.pages:
            return self.pages[key]
        statement = self.statement.where(*conditions).limit(bindparam("rows", type_=Integer)).options(*options)
        if counted:
            statement = statement.add_columns(_counted(entity, conditions).scalar_subquery())
        if key is not None and len(self.pages) < MOST_PAGES:
            self.pages[key] = statement
        return statement

    def one(self, reader: Reader, entity: EntityType, by: str) -> Select[Any]:
        """The statement of one row, found by a unique column."""
        options = scope_options(actor_of(reader.session))
        key = (options, by)
        statement = self.pages.get(key)
        if statement is None:
            column = getattr(entity.model, by)
            statement = self.statement.where(column == bindparam("value", type_=column.type)).options(*options)
            if len(self.pages) < MOST_PAGES:
                self.pages[key] = statement
        return statement


def list_rows(reader: Reader, entity: EntityType, asked: ListRequest) -> dict[str, Any]:
    """One page of a list. Raises BadParameters for a cursor of another list."""
    plan = _plan_of(reader, entity, asked.fields, asked.sort)
    conditions = conditions_of(reader, entity, asked)
    statement = plan.page(reader, entity, conditions, asked.count)
    bound = cursors.binding(entity.code, plan.order, asked.filter_text)
    if asked.cursor:
        values = cursors.read(asked.cursor, bound, [key.column for key in plan.keys])
        keys = [(key.column, key.descending, key.nullable) for key in plan.keys]
        statement = statement.where(cursors.after(keys, values, reader.dialect))
    elif asked.page > 1:
        statement = statement.offset((asked.page - 1) * asked.page_size)
    rows = reader.session.execute(statement, {"rows": asked.page_size + 1}).all()
    answer: dict[str, Any] = {}
    if asked.count:
        found = rows[0][-1] if rows else count(reader, entity, conditions)
        answer["count"], answer["count_is_exact"] = min(found, LARGEST_COUNT), found <= LARGEST_COUNT
    page = rows[: asked.page_size]
    answer["page_size"] = asked.page_size
    answer["next_cursor"] = (
        cursors.write(bound, [page[-1][key.place] for key in plan.keys]) if len(rows) > asked.page_size else None
    )
    answer["result"] = plan.selection.items(page, reader.session)
    return answer


@dataclass(frozen=True)
class FoundRow:
    """One row, as it is answered."""

    id: int
    revision: int
    item: dict[str, Any]


def read_row(
    reader: Reader, entity: EntityType, value: Any, fields: tuple[str, ...] | None, by: str = ID
) -> FoundRow | None:
    """The one row with an id (or with another unique column of this value); None if there is none in sight."""
    plan = _plan_of(reader, entity, fields, None)
    rows = reader.session.execute(plan.one(reader, entity, by), {"value": value}).all()
    if not rows:
        return None
    return FoundRow(rows[0][plan.id], rows[0][plan.revision], plan.selection.items(rows, reader.session)[0])


def conditions_of(reader: Reader, entity: EntityType, asked: ListRequest) -> list[Any]:
    """The filter and the search as conditions on the entity's mapped class."""
    found = []
    if asked.filter is not None:
        entities: Any = Entities(reader.clearance)
        found.append(
            filter_clause(asked.filter, entity, entity.model, DateContext(today()), entities=entities, two_valued=False)
        )
    if asked.search:
        found.append(search_condition(entity, entity.model, asked.search))
    return found


def count(reader: Reader, entity: EntityType, conditions: Sequence[Any]) -> int:
    """How many rows there are; one more than ``LARGEST_COUNT`` for more than that."""
    return reader.session.scalar(_scoped(reader, _counted(entity, conditions))) or 0


def _counted(entity: EntityType, conditions: Sequence[Any]) -> Select[Any]:
    rows = select(entity.model.id).where(*conditions).limit(LARGEST_COUNT + 1).subquery()
    return select(func.count(rows.c.id))


def _scoped(reader: Reader, statement: Select[Any]) -> Select[Any]:
    """The statement with its reader's scope, which the session's listener would add all the same: kept by actor, it
    need not be put together again."""
    return statement.options(*scope_options(actor_of(reader.session)))


def _plan_of(
    reader: Reader, entity: EntityType, fields: tuple[str, ...] | None, sort: tuple[SortKey, ...] | None
) -> _Plan:
    return _plan(entity.model, entity.code, reader.clearance, reader.access, fields, sort, registry.version)


@lru_cache(maxsize=4096)
def _plan(
    _model: type,
    code: str,
    clearance: Clearance,
    _access: Access,
    fields: tuple[str, ...] | None,
    sort: tuple[SortKey, ...] | None,
    _version: int,
) -> _Plan:
    entity, entities = seen_by(registry[code], clearance), Entities(clearance)
    selection = Selection(entity, fields if fields is not None else names_of(entity), entities)
    keys = [] if sort is None else [_key(selection, entity, entities, key) for key in sort]
    if sort is not None and not any(key.column is entity.model.id for key in keys):
        # Rows with equal values keep one order, so that pages never overlap.
        descending = bool(keys) and keys[-1].descending
        keys.append(_Key(entity.model.id, descending, False, selection.place(entity.model.id, ((), ID))))
    place = selection.place(entity.model.id, ((), ID))
    revision = selection.place(entity.model.revision, ((), "revision")) if sort is None else None
    statement = selection.statement()
    if keys:
        statement = statement.order_by(*[key.column.desc() if key.descending else key.column.asc() for key in keys])
    return _Plan(selection, statement, tuple(keys), ",".join(key.written for key in sort or ()), place, revision, {})


def _key(selection: Selection, entity: EntityType, entities: Entities, key: SortKey) -> _Key:
    """A column to sort by; a relation goes by the title of the other row."""
    column = resolve(entity, key.path, entities)
    if column.relation is not None:
        target = registry[column.relation.target]
        hops = (*column.hops, column.relation)
        name, kind, nullable = target.options.title, target.fields[target.options.title].kind, True
    else:
        hops, name, kind, nullable = column.hops, column.name, column.kind, column.nullable
    expression = getattr(selection.joins.reach(hops), name)
    shown = as_stored(expression) if kind is FieldKind.CODE else expression
    way = tuple(hop.name for hop in hops)
    return _Key(expression, key.descending, nullable, selection.place(shown, (way, name, "sort")))
