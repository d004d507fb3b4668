"""What is written lies in the writer's scope: checked before each flush, for rows added, changed and deleted.

- A row added belongs to an organization (or member) that the actor may write for.
- A row changed or deleted lay there before, and a row changed lies there afterwards.
- Every reference that was set leads to a row that exists and that the actor sees or may refer to.
- Rows of read-only entities are written by the system alone.

A refusal is an ``OutOfScope`` or ``ReadOnly`` with words for the user; the flush has then written nothing. The check
costs one query per table changed and one per table referred to, whatever the number of rows. The system's own actors
(jobs, imports, demonstration) are not checked, and neither are operations, which ask before they act.

This module reads through ``session.connection()``, past the row scope, and adds the predicates itself.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, event, inspect, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import SessionTransaction
from sqlalchemy.orm.attributes import History

from app.database.session import Session
from app.entity.registry import registry
from app.entity.visibility import Visibility

from .actor import Actor
from .errors import OutOfScope, ReadOnly
from .predicates import ORGANIZATIONS, Bounds, Purpose, predicate, within
from .scope import actor_of
from .scoped import Reference, ScopedTable, scoped_table, scoped_table_of

PARENT = "parent_id"
RESTORING = "restoring"
"""The key of ``session.info`` that lets rows come from the trash with their old id: a set of (model, id)."""
_FOUND = "found_referable"
CHUNK = 500
"""Ids per query, below every database's limit of parameters."""


def note_referable(session: OrmSession, target: str, row_id: int) -> None:
    """Say that the session's actor was just found to refer to a row rightly (``Purpose.REFER``): a flush in the same
    transaction does not ask again."""
    session.info.setdefault(_FOUND, set()).add((target, row_id))


@event.listens_for(Session, "after_transaction_end")
def _forget_found(session: OrmSession, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_FOUND, None)


@event.listens_for(Session, "before_flush")
def _check(session: OrmSession, _context: Any, _instances: Any) -> None:
    actor = actor_of(session)
    if actor.unrestricted and (actor.user_id is None or actor.on_behalf):
        return
    with session.no_autoflush:
        check = _FlushCheck(session, actor)
        for row in session.new:
            check.added(row)
        for row in session.dirty:
            if session.is_modified(row, include_collections=False):
                check.changed(row)
        for row in session.deleted:
            check.deleted(row)
        check.ask_database()


class _FlushCheck:
    """Collects what has to be true of one flush, then asks the database about all of it at once."""

    def __init__(self, session: OrmSession, actor: Actor) -> None:
        self.session = session
        self.actor = actor
        self.bounds = Bounds.of(actor)
        self.stored: dict[ScopedTable, set[int]] = defaultdict(set)
        self.owners: dict[int, list[ScopedTable]] = defaultdict(list)
        self.references: dict[str, dict[int, tuple[ScopedTable, Reference]]] = defaultdict(dict)

    def added(self, row: Any) -> None:
        table = self._writable(row)
        if table is None:
            return
        if row.id is not None and (type(row), row.id) not in self.session.info.get(RESTORING, ()):
            # Ids are given by the database. One that comes along with a new row was meant for an existing row that
            # the sender does not see, and would be made up here.
            raise OutOfScope.row(table.code, table.label)
        self._check_references(table, row)
        if self.actor.unrestricted:
            return
        if table.is_tree:
            self._check_owner(table, _value(row, PARENT, table))
        else:
            self._check_owners(table, row)
        self._check_person(table, row)

    def changed(self, row: Any) -> None:
        table = self._writable(row)
        if table is None:
            return
        self._check_references(table, row)
        if self.actor.unrestricted:
            return
        self.stored[table].add(inspect(row).identity[0])
        if table.is_tree:
            if _is_set(row, PARENT, table):
                if row.id == self.actor.organization_id:
                    raise OutOfScope.row(table.code, table.label)
                self._check_owner(table, _value(row, PARENT, table))
        elif any(_is_set(row, name, table) for name in table.organizations):
            self._check_owners(table, row)
        self._check_person(table, row)

    def deleted(self, row: Any) -> None:
        table = self._writable(row)
        if table is None or self.actor.unrestricted:
            return
        if table.is_tree and row.id == self.actor.organization_id:
            raise OutOfScope.row(table.code, table.label)
        self.stored[table].add(inspect(row).identity[0])

    def _writable(self, row: Any) -> ScopedTable | None:
        table = scoped_table(type(row))
        if table is not None and table.read_only:
            raise ReadOnly.of(table.code, table.label)
        return table

    def _check_owners(self, table: ScopedTable, row: Any) -> None:
        """The row lies in scope afterwards: of its owners, or of any party, the actor may write for one."""
        if not table.organizations and not table.person:
            raise OutOfScope.row(table.code, table.label)
        values = [_value(row, name, table) for name in table.organizations]
        if table.visibility is Visibility.PARTIES:
            if not any(value is _PENDING or value in self._own_organizations(values) for value in values):
                raise OutOfScope.row(table.code, table.label)
            return
        for name, value in zip(table.organizations, values, strict=True):
            column = inspect(table.model).local_table.columns[name]
            # A column that must not be null and is still empty is filled from a reference, which is checked itself.
            if value is not None or column.nullable:
                self._check_owner(table, value)

    def _check_owner(self, table: ScopedTable, organization_id: Any) -> None:
        if organization_id is _PENDING:
            return
        if organization_id is None:
            raise OutOfScope.row(table.code, table.label)
        self.owners[organization_id].append(table)

    def _check_person(self, table: ScopedTable, row: Any) -> None:
        """Members write rows of their own only."""
        if table.visibility is not Visibility.SELF and not self.bounds.is_member:
            return
        if table.person is None or _value(row, table.person, table) != self.actor.member_id:
            raise OutOfScope.row(table.code, table.label)

    def _check_references(self, table: ScopedTable, row: Any) -> None:
        parties = table.organizations if table.visibility is Visibility.PARTIES else ()
        for reference in table.references.values():
            if not _is_set(row, reference.column, table):
                continue
            value = _value(row, reference.column, table)
            if value is None or value is _PENDING:
                continue
            if reference.column in parties:
                self.references["organization:any"][value] = (table, reference)
            elif (reference.target, value) not in self.session.info.get(_FOUND, ()):
                self.references[reference.target][value] = (table, reference)

    def _own_organizations(self, ids: list[Any]) -> set[int]:
        wanted = [each for each in ids if isinstance(each, int)]
        if self.bounds.is_member:
            return {each for each in wanted if each == self.bounds.organization_id}
        if self.bounds.path is None:
            return set()
        return self._found(ORGANIZATIONS.c.id, wanted, within(ORGANIZATIONS.c, self.bounds.path))

    def ask_database(self) -> None:
        own = self._own_organizations(list(self.owners))
        for organization_id, tables in self.owners.items():
            if organization_id not in own:
                raise OutOfScope.row(tables[0].code, tables[0].label)
        for table, ids in self.stored.items():
            condition = predicate(table, self.bounds, Purpose.WRITE)
            if condition is not None and ids - self._found(table.model.id, ids, condition):
                raise OutOfScope.row(table.code, table.label)
        for target, wanted in self.references.items():
            seen = self._referable(target, set(wanted))
            for missing in set(wanted) - seen:
                table, reference = wanted[missing]
                raise OutOfScope.reference(table.code, reference.column.removesuffix("_id"), reference.label)

    def _referable(self, target: str, ids: set[int]) -> set[int]:
        if target == "organization:any":
            return self._found(ORGANIZATIONS.c.id, ids, None)
        if target not in registry:
            return ids
        table = scoped_table_of(target)
        condition = None if self.actor.unrestricted else predicate(table, self.bounds, Purpose.REFER)
        return self._found(table.model.id, ids, condition)

    def _found(self, column: Any, ids: Any, condition: Any) -> set[int]:
        """Those of the ids whose rows exist and meet the condition."""
        connection = self.session.connection()
        found: set[int] = set()
        ordered, statement = sorted(ids), _among(column)
        if condition is not None:
            statement = statement.where(condition)
        for start in range(0, len(ordered), CHUNK):
            found.update(connection.scalars(statement, {"ids": ordered[start : start + CHUNK]}))
        return found


@lru_cache(maxsize=1024)
def _among(column: Any) -> Select[Any]:
    """The statement that finds some ids; putting it together takes as long as asking."""
    return select(column).where(column.in_(bindparam("ids", expanding=True)))


_PENDING = object()
"""Stands for the id of a row that this flush adds, and checks itself."""


def _history(row: Any, name: str) -> History:
    return inspect(row).attrs[name].history


def _is_set(row: Any, column: str, table: ScopedTable) -> bool:
    """Whether a foreign key was given a value since the row was loaded, by its column or by a relationship."""
    reference = table.references.get(column)
    names = (column, *(reference.relationships if reference else ()))
    return any(_history(row, name).added or _history(row, name).deleted for name in names)


def _value(row: Any, column: str, table: ScopedTable) -> Any:
    """The id that a column will hold after the flush, ``_PENDING`` for a row not stored yet, or None."""
    reference = table.references.get(column)
    for name in reference.relationships if reference else ():
        added = _history(row, name).added
        if added:
            target = added[0]
            if target is None:
                return None
            identity = inspect(target).identity
            return identity[0] if identity else _PENDING
    return getattr(row, column)
