"""Which tables are scoped, and by which of their columns: every entity, and system tables that say so.

A system table that holds figures of organizations or members (scores, warning states, breakdowns) is no entity but is
scoped by the same rules, by one line behind its class::

    scoped(Score)                                    # bc_score.organization_id, .member_id
    scoped(Run, visibility=Visibility.PUBLIC, organization=None, member=None)

A row whose member column is set belongs to that member: members who sign in see such rows only if they are theirs.
``tests/access/test_scoped_tables.py`` fails for a table with ``organization_id`` or ``member_id`` that is neither.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import RelationshipDirection

from app.entity.labels import Label
from app.entity.registry import EntityType, registry
from app.entity.visibility import Visibility


@dataclass(frozen=True, eq=False)
class ScopedTable:
    """The columns of a mapped class that decide who sees a row. Columns are named by attribute."""

    code: str
    model: type
    label: Label
    visibility: Visibility
    organizations: tuple[str, ...]
    """The columns that hold ids of organizations: the one that bounds visibility, or all parties."""
    person: str | None
    """The column that holds the id of the member whose row it is; ``id`` for members themselves."""
    is_tree: bool = False
    """True for organizations: the row is bounded by its own path."""
    refers_to_wider: bool = False
    shown_below: str | None = None
    """The column that holds an organization below which the row is seen as well."""
    inherited_since: str | None = None
    """The date column without which a row is a draft, which is not seen from below."""
    read_only: bool = False
    references: dict[str, Reference] = field(default_factory=dict, repr=False)
    """By column."""


@dataclass(frozen=True)
class Reference:
    """A foreign key of a scoped table: the entity it points to and the relationships that write it."""

    column: str
    target: str
    label: Label
    relationships: tuple[str, ...]


_system_tables: dict[type, ScopedTable] = {}
_described: dict[type, ScopedTable] = {}
_described_at = -1
_lock = threading.Lock()
_changes = 0


def scoped(
    model: type,
    *,
    organization: str | None = "organization_id",
    member: str | None = "member_id",
    visibility: Visibility = Visibility.SUBTREE,
    label: Label | None = None,
    read_only: bool = True,
) -> type:
    """Scope a mapped class that is no entity. ``read_only``: accounts never write it, only jobs and operations do."""
    global _changes
    table = ScopedTable(
        code=model.__tablename__.removeprefix("bc_"),
        model=model,
        label=label or Label("系统记录", "System record"),
        visibility=visibility,
        organizations=(organization,) if organization else (),
        person=member,
        read_only=read_only,
    )
    with _lock:
        _system_tables[model] = table
        _changes += 1
    return model


def version() -> tuple[int, int]:
    """Changes whenever a table is added or taken out."""
    return registry.version, _changes


def scoped_tables() -> dict[type, ScopedTable]:
    """Every scoped table of this process by its mapped class."""
    global _described, _described_at
    now = version()
    if _described_at != now:
        with _lock:
            _described = {entity.model: _of_entity(entity) for entity in registry} | _system_tables
            _described_at = now
    return _described


def scoped_table(model: type) -> ScopedTable | None:
    """The scoped table of a mapped class; None if everybody who may open the page sees all its rows."""
    return scoped_tables().get(model)


def scoped_table_of(code: str) -> ScopedTable:
    """The scoped table of an entity's code. Raises KeyError."""
    return scoped_tables()[registry[code].model]


def _of_entity(entity: EntityType) -> ScopedTable:
    options = entity.options
    if options.visibility is Visibility.PARTIES:
        owners = (*options.parties, *([options.owner] if options.owner else []))
    else:
        owners = tuple(name for name in [options.scope or options.owner] if name)
    return ScopedTable(
        code=entity.code,
        model=entity.model,
        label=entity.label,
        visibility=options.visibility,
        organizations=tuple(dict.fromkeys(f"{name}_id" for name in owners if name != "self")),
        person={None: None, "self": "id"}.get(options.person, f"{options.person}_id"),
        is_tree=options.owner == "self",
        refers_to_wider=options.refers_to_wider,
        shown_below=f"{options.shown_below}_id" if options.shown_below else None,
        inherited_since=options.inherited_since,
        read_only=options.read_only,
        references=_references(entity),
    )


def _references(entity: EntityType) -> dict[str, Reference]:
    relationships: dict[str, list[str]] = {}
    mapper: Any = inspect(entity.model)
    for relationship in mapper.relationships:
        if relationship.direction is RelationshipDirection.MANYTOONE:
            for column in relationship.local_columns:
                relationships.setdefault(column.key, []).append(relationship.key)
    return {
        name: Reference(name, described.options.target, described.label, tuple(relationships.get(name, ())))
        for name, described in (entity.fields | entity.hidden_fields).items()
        if described.options.target
    }
