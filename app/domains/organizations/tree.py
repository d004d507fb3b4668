"""The materialized path of organizations, right whichever door changed ``parent_id``.

A listener on the session gives new organizations their path after the flush that numbers them, and moves the paths of
a whole subtree with one UPDATE when its root gets another parent. One of the named modules that write by Core
statements: the paths belong to the system, and the flush check has held the move itself to the actor's scope.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, String, bindparam, event, func, inspect, literal, select, update
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm.attributes import set_committed_value

from app.database.session import Session

from .models import Organization

_table = Organization.__table__


def below(path: str) -> Any:
    """The condition that an organization is the one with this path, or below it: a range of the index."""
    return (_table.c.path >= path) & (_table.c.path < f"{path[:-1]}0")  # “0” comes next after “/”


@event.listens_for(Session, "after_flush")
def _after_flush(session: OrmSession, _context: Any) -> None:
    new = [row for row in session.new if isinstance(row, Organization)]
    moved = [
        row
        for row in session.dirty
        if isinstance(row, Organization) and inspect(row).attrs["parent_id"].history.has_changes()
    ]
    if new:
        _place(session, new)
    for row in moved:
        _move(session, row)


def _place(session: OrmSession, rows: Iterable[Organization]) -> None:
    """Paths of new organizations, parents before children."""
    waiting = {row.id: row for row in rows}
    paths: dict[int, str] = {}

    def path_of(number: int) -> str:
        if number not in paths:
            row = waiting.get(number)
            if row is None:
                paths[number] = _stored_path(session.connection(), number)
            else:
                above = path_of(row.parent_id) if row.parent_id else "/"
                paths[number] = f"{above}{number}/"
        return paths[number]

    for number in waiting:
        # From the top down, so that no chain of new organizations is followed deeper than one step at a time.
        chain = [number]
        while (parent := getattr(waiting.get(chain[-1]), "parent_id", None)) in waiting and parent not in paths:
            chain.append(parent)
        for link in reversed(chain):
            path_of(link)
    statement = update(_table).where(_table.c.id == bindparam("number")).values(path=bindparam("own_path"))
    session.connection().execute(statement, [{"number": number, "own_path": paths[number]} for number in waiting])
    for number, row in waiting.items():
        set_committed_value(row, "path", paths[number])


def _move(session: OrmSession, row: Organization) -> None:
    connection = session.connection()
    before = _stored_path(connection, row.id)
    above = _stored_path(connection, row.parent_id) if row.parent_id else "/"
    after = f"{above}{row.id}/"
    if before == after:
        return
    rest = func.substr(_table.c.path, len(before) + 1, type_=String)
    connection.execute(update(_table).where(below(before)).values(path=literal(after, String) + rest))
    for known in (*session.identity_map.values(), *session.new):
        if isinstance(known, Organization):
            path = inspect(known).dict.get("path")
            if path and path.startswith(before):
                set_committed_value(known, "path", after + path.removeprefix(before))


def _stored_path(connection: Connection, number: int) -> str:
    return connection.execute(select(_table.c.path).where(_table.c.id == number)).scalar_one()
