"""The checks of ``flush_check`` for rows that are written many at a time: out of files, by jobs that act for a person.

A caller asks for sets of ids and gets back which of them the actor may refer to, write, or own rows in. One of the
named modules that read through ``session.connection()``: it answers with ids the caller gave it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from app.database.among import among
from app.entity.registry import registry
from app.entity.visibility import Visibility

from .errors import OutOfScope
from .predicates import ORGANIZATIONS, Bounds, Purpose, predicate, within
from .scope import actor_of
from .scoped import ScopedTable, scoped_table


class BulkCheck:
    """What one actor may do with the rows of one entity. Answers about organizations and references are kept."""

    def __init__(self, session: OrmSession, model: type) -> None:
        self.session = session
        self.actor = actor_of(session)
        self.bounds = Bounds.of(self.actor)
        table = scoped_table(model)
        assert table is not None, f"{model.__name__} is not scoped"
        self.table: ScopedTable = table
        self._own: dict[int, bool] = {}
        self._referable: dict[tuple[str, int], bool] = {}

    def writable(self, ids: Iterable[int]) -> set[int]:
        """Those of stored rows that the actor may change or delete."""
        wanted = set(ids)
        if self.actor.unrestricted:
            return wanted
        return self._found(self.table.model.id, wanted, predicate(self.table, self.bounds, Purpose.WRITE))

    def refusals(self, rows: dict[Any, dict[str, Any]]) -> dict[Any, OutOfScope]:
        """Of new rows, by the caller's key, with their values by column: why those that may not be written may not.

        None of their references leads to a row that is not there.
        """
        self._look_up(rows.values())
        refused = {}
        for key, values in rows.items():
            problem = self._problem(values)
            if problem is not None:
                refused[key] = problem
        return refused

    def _look_up(self, rows: Iterable[dict[str, Any]]) -> None:
        """Ask the database of everything new at once."""
        wanted: dict[str, set[int]] = {}
        owners: set[int] = set()
        for values in rows:
            owners.update(values[name] for name in self.table.organizations if values.get(name) is not None)
            for reference in self.table.references.values():
                value = values.get(reference.column)
                if value is not None:
                    wanted.setdefault(self._target(reference.column, reference.target), set()).add(value)
        for target, ids in wanted.items():
            unknown = {each for each in ids if (target, each) not in self._referable}
            seen = self._seen(target, unknown)
            self._referable.update({(target, each): each in seen for each in unknown})
        unknown = owners - self._own.keys()
        own = self._own_organizations(unknown)
        self._own.update({each: each in own for each in unknown})

    def _target(self, column: str, target: str) -> str:
        is_party = self.table.visibility is Visibility.PARTIES and column in self.table.organizations
        return "organization:any" if is_party else target

    def _problem(self, values: dict[str, Any]) -> OutOfScope | None:
        table = self.table
        for reference in table.references.values():
            value = values.get(reference.column)
            if value is None:
                continue
            if not self._referable[self._target(reference.column, reference.target), value]:
                return OutOfScope.reference(table.code, reference.column.removesuffix("_id"), reference.label)
        if self.actor.unrestricted:
            return None
        owners = [values.get(name) for name in table.organizations]
        if not owners and not table.person:
            return OutOfScope.row(table.code, table.label)
        owned = [each is not None and self._own[each] for each in owners]
        is_ours = any(owned) if table.visibility is Visibility.PARTIES else all(owned)
        if not is_ours:
            return OutOfScope.row(table.code, table.label)
        is_personal = table.visibility is Visibility.SELF or self.bounds.is_member
        if is_personal and (table.person is None or values.get(table.person) != self.actor.member_id):
            return OutOfScope.row(table.code, table.label)
        return None

    def _own_organizations(self, ids: set[int]) -> set[int]:
        if self.actor.unrestricted:
            return ids
        if self.bounds.is_member:
            return {each for each in ids if each == self.bounds.organization_id}
        if self.bounds.path is None:
            return set()
        return self._found(ORGANIZATIONS.c.id, ids, within(ORGANIZATIONS.c, self.bounds.path))

    def _seen(self, target: str, ids: set[int]) -> set[int]:
        if target == "organization:any":
            return self._found(ORGANIZATIONS.c.id, ids, None)
        model = registry[target].model
        table = scoped_table(model)
        condition = None
        if table is not None and not self.actor.unrestricted:
            condition = predicate(table, self.bounds, Purpose.REFER)
        return self._found(model.id, ids, condition)

    def _found(self, column: Any, ids: set[int], condition: Any) -> set[int]:
        connection = self.session.connection()
        found: set[int] = set()
        for wanted in among(connection, column, sorted(ids)):
            statement = select(column).where(wanted)
            found.update(connection.scalars(statement if condition is None else statement.where(condition)))
        return found
