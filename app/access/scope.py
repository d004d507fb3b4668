"""Row scope: every SELECT, UPDATE and DELETE of a scoped table is narrowed to what the acting user sees or may write.

A listener on ``app.database.session.Session`` adds the rules of ``predicates`` to each ORM statement, relationship
loads, aliases and subqueries included. Nobody has to remember it and nobody can leave it out: an unknown actor sees
nothing, and what the listener cannot narrow (Core tables, text SQL, INSERT statements, bulk UPDATE by key) is refused
for everybody but unrestricted actors. Code that needs it works on ``session.connection()`` in a module named in
``tests/access/test_source.py``, and answers for the scope itself.

What a form may refer to is wider than what its user sees: a SELECT with ``execution_options={"scope_purpose":
Purpose.REFER}`` finds those rows, and may read single columns of them only (id, code and title).

Rows already in a session answer without a statement. That is safe because a session has one actor for its life:
``actor_of`` raises ``ActorChanged`` otherwise.

Cost, measured by ``benchmarks/scope.py`` on 2 cores: none for unrestricted actors; for others 0.15 ms of CPU a
statement with 14 scoped tables, some 0.01 ms each, spent on the statement's cache key. A page of 25 among 120,000
members takes 2.7 ms for a street of 429 organizations and 0.2 ms for a branch (SQLite).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, event
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.orm.context import FromStatement
from sqlalchemy.orm.util import LoaderCriteriaOption

from app.database.session import Session

from .actor import NOBODY, Actor
from .errors import ActorChanged, UnscopedStatement
from .predicates import REFERRING, Bounds, Purpose, predicate
from .scoped import scoped_table, scoped_tables, version

ActorProvider = Callable[[Any], Actor]
"""Finds the actor of a web session when it is first needed; answers NOBODY as long as nobody has signed in."""

BOUND = "bound_actor"


def actor_of(session: Any) -> Actor:
    """The actor of a session. The first one that is known stays: another one raises ActorChanged."""
    stated = session.info.get("actor") or NOBODY
    actor = stated if isinstance(stated, Actor) else stated(session)
    bound = session.info.get(BOUND)
    if bound is actor:
        return actor
    if bound is None:
        # Whoever is nobody yet may still sign in within this session: nothing has been seen so far.
        if actor is not NOBODY:
            session.info[BOUND] = actor
        return actor
    if bound != actor:
        raise ActorChanged(f"This session acts for {bound.name}; it cannot go on for {actor.name}")
    return bound


class ScopeCriteria(LoaderCriteriaOption):
    """``with_loader_criteria`` of one scoped table for one actor.

    SQLAlchemy adapts a criterion to aliases only if it is a lambda, and reuses the closure of the first lambda it saw
    for all later ones, which would be another actor's. So this one is a plain expression, whose values belong to the
    statement's cache key, and adapts itself.
    """

    __slots__ = ()
    _traverse_internals = LoaderCriteriaOption._traverse_internals

    def _resolve_where_criteria(self, ext_info: Any) -> ColumnElement[bool]:
        criteria = super()._resolve_where_criteria(ext_info)
        return ext_info._adapter.traverse(criteria) if ext_info.is_aliased_class else criteria


@lru_cache(maxsize=1024)
def _options(bounds: Bounds, purpose: Purpose, _version: tuple[int, int]) -> tuple[ScopeCriteria, ...]:
    conditions = ((table, predicate(table, bounds, purpose)) for table in scoped_tables().values())
    return tuple(
        # Handed on to loaders: joined eager loads heed only those.
        ScopeCriteria(table.model, condition, include_aliases=True, propagate_to_loaders=True)
        for table, condition in conditions
        if condition is not None
    )


def scope_options(actor: Actor, purpose: Purpose = Purpose.READ) -> tuple[Any, ...]:
    """The statement options that narrow to an actor's rows; none for the unrestricted."""
    return () if actor.unrestricted else _options(Bounds.of(actor), purpose, version())


@event.listens_for(Session, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    actor = actor_of(state.session)
    if actor.unrestricted:
        return
    statement: Any = state.statement
    if not state.is_orm_statement or isinstance(statement, FromStatement):
        raise UnscopedStatement("Core and text statements pass the row scope by: see app/access/scope.py")
    if state.is_column_load:
        return  # attributes of a row that was loaded through the scope; criteria are never added to these
    if state.is_insert:
        if state.bind_mapper is not None and scoped_table(state.bind_mapper.class_):
            raise UnscopedStatement("INSERT statements pass the row scope by: add objects to the session")
        return
    if state.is_update and isinstance(state.parameters, list):
        raise UnscopedStatement("Bulk UPDATE by primary key passes the row scope by: change objects in the session")
    if state.is_update or state.is_delete:
        purpose = Purpose.WRITE
    else:
        purpose = state.execution_options.get("scope_purpose", Purpose.READ)
        if purpose in REFERRING and any(each["expr"] is each["entity"] for each in statement.column_descriptions):
            raise UnscopedStatement("Of rows that are only referred to, single columns may be read: id, code and title")
    options = scope_options(actor, purpose)
    present = {id(option) for option in statement._with_options}  # handed on by the statement that loads relations
    if not all(id(option) in present for option in options):
        state.statement = statement.options(*options)
