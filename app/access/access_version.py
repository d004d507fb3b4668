"""One number that grows with every change to what somebody may do, and so tells when what is kept of it is old.

It grows in the very transaction that changes an account, a role, what a role may do, or an API key, by whichever door
(``_before_flush``, ``changed``), so that whoever sees the change sees the number too: see ``known_accounts``.
"""

from __future__ import annotations

from typing import Any

from flask_appbuilder.security.sqla.models import ApiKey, PermissionView, Role, User
from sqlalchemy import Connection, event, insert, inspect, update
from sqlalchemy.orm import Mapped, ORMExecuteState, mapped_column
from sqlalchemy.orm import Session as OrmSession

from app.database.base import Base
from app.database.session import Session

UNSEEN = frozenset({"last_login", "login_count", "fail_login_count", "changed_on", "created_on", "last_used_on"})
"""What may change of an account or key without anybody's rights changing."""


class AccessVersion(Base):
    """The one row that counts changes to accounts, roles and keys."""

    __tablename__ = "bc_access_version"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(default=0)


_versions: Any = AccessVersion.__table__


@event.listens_for(_versions, "after_create")
def _begin(_table: Any, connection: Connection, **_options: Any) -> None:
    connection.execute(insert(_versions).values(id=1, version=0))


def changed(connection: Connection) -> None:
    """Say that what somebody may do has changed: for those who write to the tables by statements of their own."""
    connection.execute(update(_versions).where(_versions.c.id == 1).values(version=_versions.c.version + 1))


@event.listens_for(Session, "before_flush")
def _before_flush(session: OrmSession, _context: Any, _instances: Any) -> None:
    with session.no_autoflush:
        if any(_matters(session, row) for row in (*session.new, *session.dirty, *session.deleted)):
            changed(session.connection())


@event.listens_for(Session, "do_orm_execute")
def _before_statement(state: ORMExecuteState) -> None:
    """UPDATE and DELETE statements of a session."""
    if state.is_select or state.bind_mapper is None:
        return
    if issubclass(state.bind_mapper.class_, (Role, PermissionView, User, ApiKey)):
        changed(state.session.connection())


def _matters(session: OrmSession, row: Any) -> bool:
    if isinstance(row, (Role, PermissionView)):
        return True
    if not isinstance(row, (User, ApiKey)):
        return False
    if row in session.deleted:
        return True
    return any(each.key not in UNSEEN and each.history.has_changes() for each in inspect(row).attrs)
