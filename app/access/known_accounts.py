"""Accounts, their roles and what those may do, kept from one request to the next, and how a change reaches everybody.

Every request reads the number of ``access_version``, together with the account's organization, by one statement; what
was kept under another number is read again. So nothing is believed longer than it is true, in any process: a key that
was revoked, or a role taken away, counts from the next request on.

This module reads past the row scope: what it reads decides the scope.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from flask_appbuilder.security.sqla.models import Role, User, assoc_user_role
from sqlalchemy import bindparam, column, inspect, select, table
from sqlalchemy.orm import Session as OrmSession

from .access_version import AccessVersion
from .accounts import Identity, Place, identity_of
from .roles import ADMINISTRATOR

MOST_ACCOUNTS = 10_000
_organizations = table("bc_organization", column("id"), column("path"), column("tier"), column("name"))
_versions: Any = AccessVersion.__table__
_STATE = (
    select(
        _versions.c.version, _organizations.c.id, _organizations.c.path, _organizations.c.tier, _organizations.c.name
    )
    .select_from(_versions.outerjoin(_organizations, _organizations.c.id == bindparam("organization")))
    .where(_versions.c.id == 1)
)


@dataclass(frozen=True)
class _Known:
    version: int
    account: User
    """Detached; requests get copies."""
    roles: tuple[tuple[int, str], ...]
    """Ids and names."""


class KnownAccounts:
    """The accounts of one database that this process has met."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[int, _Known] = OrderedDict()
        self.keys: dict[str, Any] = {}
        """API keys by what they are found by: see ``api_keys``."""
        self._lock = threading.Lock()

    def account(self, session: OrmSession, user_id: int) -> User | None:
        """An account by its id, as an object of the session; None if there is none. One statement if it is known."""
        present = session.identity_map.get(session.identity_key(User, user_id))
        if present is not None:
            return present
        known = self._accounts.get(user_id)
        state = (
            session.connection()
            .execute(_STATE, {"organization": known.account.organization_id if known else None})
            .one()
        )
        if known is not None and known.version == state.version:
            session.info[_STATE_OF] = (user_id, known, Place.of(state))
            return session.merge(known.account, load=False)
        account = session.get(User, user_id)
        if account is not None:
            self._keep(session, account, state.version)
        return account

    def version(self, session: OrmSession) -> int:
        """The number of the present state."""
        state = session.info.get(_STATE_OF)
        return state[1].version if state else session.connection().execute(_STATE, {"organization": None}).one().version

    def identity(self, session: OrmSession, account: User, key: Any = None) -> Identity:
        """Who an account is now; with an API key, who it is by that key: one of its roles, within one of its
        organizations, and neither once the account has lost it."""
        known, place = self._state(session, account)
        roles = known.roles if key is None else tuple(role for role in known.roles if role[0] == key.role_id)
        if key is not None and key.organization_id is not None:
            place = self._narrowed(session, key.organization_id, place, known)
            if place is None:
                roles = ()
        return identity_of(
            account, frozenset(key for key, _ in roles), frozenset(name for _, name in roles), place, known.version
        )

    def _state(self, session: OrmSession, account: User) -> tuple[_Known, Place | None]:
        user_id, known, place = session.info.get(_STATE_OF, (None, None, None))
        if user_id != account.id:
            state = session.connection().execute(_STATE, {"organization": account.organization_id}).one()
            known, place = self._accounts.get(account.id), Place.of(state)
            if known is None or known.version != state.version:
                known = self._keep(session, account, state.version)
        return known, place

    @staticmethod
    def _narrowed(session: OrmSession, organization_id: int, own: Place | None, known: _Known) -> Place | None:
        """The organization of a key, if it is still one of the account's."""
        found = Place.of(session.connection().execute(_STATE, {"organization": organization_id}).one())
        everywhere = own is None and any(name == ADMINISTRATOR for _, name in known.roles)
        return found if found and (everywhere or (own and found.path.startswith(own.path))) else None

    def _keep(self, session: OrmSession, account: User, version: int) -> _Known:
        roles = (
            session.connection()
            .execute(
                select(Role.__table__.c.id, Role.__table__.c.name)
                .join(assoc_user_role, assoc_user_role.c.role_id == Role.__table__.c.id)
                .where(assoc_user_role.c.user_id == account.id)
            )
            .all()
        )
        known = _Known(
            version,
            account if inspect(account).modified else _copy(account),
            tuple((row_id, name) for row_id, name in roles),
        )
        if inspect(account).modified:
            return known  # about to be written; it is kept as it will be stored
        with self._lock:
            self._accounts[account.id] = known
            self._accounts.move_to_end(account.id)
            while len(self._accounts) > MOST_ACCOUNTS:
                self._accounts.popitem(last=False)
        return known


_STATE_OF = "known_account"


def _copy(account: User) -> User:
    """The columns of an account in an object that belongs to no session and never changes."""
    with OrmSession() as nowhere:
        copy = nowhere.merge(account, load=False)
        nowhere.expunge(copy)
    return copy
