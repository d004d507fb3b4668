"""Accounts: who may sign in, and on whose behalf their requests act.

``Account`` is FAB's own ``User`` with columns added, not a subclass: a subclass would be a second class for the same
rows, and a row loaded as the first would not be found as the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_appbuilder.security.sqla.models import Role, User, assoc_user_role
from sqlalchemy import Boolean, Connection, DateTime, ForeignKey, Index, String, column, false, select, table
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base

from .actor import Actor
from .roles import ADMINISTRATOR, is_staff

Account = User
Account.organization_id = mapped_column(
    "organization_id", ForeignKey("bc_organization.id", name="fk_user_organization", ondelete="SET NULL"), nullable=True
)
Account.member_id = mapped_column(
    "member_id", ForeignKey("bc_member.id", name="fk_user_member", ondelete="SET NULL"), nullable=True
)
Account.must_change_password = mapped_column(
    "must_change_password", Boolean, nullable=False, default=False, server_default=false()
)
Account.password_changed_at = mapped_column("password_changed_at", DateTime, nullable=True)
Index("ix_user_organization", Account.__table__.c.organization_id)
Index("ix_user_member", Account.__table__.c.member_id)


def _full_name(account: User) -> str:
    return f"{account.first_name} {account.last_name}".strip()


# A Chinese name is kept whole, as the first name.
Account.get_full_name = _full_name


class UsedPassword(Base):
    """A password that an account had before, as its hash, so that it is not taken again."""

    __tablename__ = "bc_used_password"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    password_hash: Mapped[str] = mapped_column(String(256))
    replaced_at: Mapped[datetime] = mapped_column(DateTime)


class SignInFailure(Base):
    """Failures in a row under a name, with or without such an account: a lock does not tell which names exist."""

    __tablename__ = "bc_sign_in_failure"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    failed_at: Mapped[datetime] = mapped_column(DateTime, index=True)
    locked_until: Mapped[datetime | None] = mapped_column(DateTime)


@dataclass(frozen=True, slots=True)
class Place:
    """The organization that an account looks after, as it is now."""

    id: int
    path: str
    tier: str
    name: str

    @classmethod
    def of(cls, row: Any) -> Place | None:
        """From a row with these columns; None where there is no organization."""
        return None if row is None or row.path is None else cls(row.id, row.path, row.tier, row.name)


@dataclass(frozen=True, slots=True)
class Identity:
    """An account as requests need it."""

    actor: Actor
    role_ids: frozenset[int]
    role_names: frozenset[str]
    organization_name: str | None = None
    version: int = -1
    """The state of accounts, roles and permissions that this holds in: see ``known_accounts``."""


_organization = table("bc_organization", column("id"), column("path"), column("tier"), column("name"))


def identity_of(
    account: User, role_ids: frozenset[int], names: frozenset[str], place: Place | None, version: int = -1
) -> Identity:
    """Who an account is that holds these roles and looks after this organization.

    Staff at the root of the tree act unrestricted, and so does an administrator of no organization. An account with
    no role acts for nobody's organization.
    """
    staff = is_staff(names)
    place = place if names else None
    at_root = place is not None and place.path == f"/{place.id}/"
    actor = Actor(
        name=account.username,
        user_id=account.id,
        unrestricted=staff and (at_root or (place is None and ADMINISTRATOR in names)),
        organization_id=place.id if place else None,
        organization_path=place.path if place else None,
        tier=place.tier if place else None,
        member_id=account.member_id if names else None,
        is_staff=staff,
    )
    return Identity(actor, role_ids, names, place.name if place else None, version)


def actor_of(account: User, connection: Connection) -> Actor:
    """The actor of an account."""
    return read_identity(account, connection).actor


def read_identity(account: User, connection: Connection) -> Identity:
    """Who an account is now. ``connection`` passes the row scope by: what is read here decides it."""
    roles = connection.execute(
        select(Role.__table__.c.id, Role.__table__.c.name)
        .join(assoc_user_role, assoc_user_role.c.role_id == Role.__table__.c.id)
        .where(assoc_user_role.c.user_id == account.id)
    ).all()
    place = connection.execute(
        select(_organization.c.id, _organization.c.path, _organization.c.tier, _organization.c.name).where(
            _organization.c.id == account.organization_id
        )
    ).one_or_none()
    ids, names = frozenset(row_id for row_id, _ in roles), frozenset(name for _, name in roles)
    return identity_of(account, ids, names, Place.of(place))
