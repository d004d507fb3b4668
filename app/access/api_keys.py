"""API keys: how a program signs in for an account, with a role and an organization of its own, until a day.

A key acts for the account that made it, with one of its roles and within one of its organizations: never more than
the account itself may do now, so that a role or organization taken from the account is taken from its keys. FAB's own
table holds them (``ab_api_key``), and FAB's ``protect`` asks for them; what differs here:

- FAB checks a slow password hash at each request (50 ms). A key has 256 random bits, which nobody tries out: a keyed
  hash is what it is found by, and all that is stored of it.
- What is known of a key is kept like accounts are (``known_accounts``): a revoked key stops at its next request.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask_appbuilder.security.sqla.models import ApiKey, User
from sqlalchemy import Connection, Engine, ForeignKey, Index, column, select, table, update
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import mapped_column

from app.database.clock import now
from app.database.engine import for_writing
from app.entity.labels import UserError

from .actor import Actor
from .audit import AuditAction, record
from .known_accounts import KnownAccounts
from .predicates import AFTER_PATH

ApiKey.role_id = mapped_column("role_id", ForeignKey("ab_role.id", name="fk_api_key_role", ondelete="CASCADE"))
ApiKey.organization_id = mapped_column(
    "organization_id", ForeignKey("bc_organization.id", name="fk_api_key_organization", ondelete="CASCADE")
)
Index("ix_api_key_role", ApiKey.__table__.c.role_id)
Index("ix_api_key_organization", ApiKey.__table__.c.organization_id)

PREFIX = "beacon_"
LONGEST_DAYS = 366
USED_EVERY = timedelta(minutes=10)
"""How exactly the last use of a key is known."""

_organizations = table("bc_organization", column("id"), column("path"))


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key as requests need it."""

    id: int
    user_id: int
    role_id: int | None
    organization_id: int | None
    expires_on: datetime | None
    last_used_on: datetime | None
    version: int

    def is_good(self) -> bool:
        return self.expires_on is None or self.expires_on > now()


def lookup_hash(key: str, secret: str) -> str:
    """What a key is found by."""
    return hmac.new(secret.encode(), b"api-key:" + key.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


def find_key(session: OrmSession, accounts: KnownAccounts, key: str, secret: str) -> tuple[KnownKey, User] | None:
    """The key that a request bears, and its account; None for one that is unknown, revoked or expired, or whose account
    is switched off."""
    hashed = lookup_hash(key, secret)
    known = accounts.keys.get(hashed)
    account = accounts.account(session, known.user_id) if known is not None else None
    version = accounts.version(session)
    if known is None or known.version != version:
        keys = ApiKey.__table__.c
        row = (
            session.connection()
            .execute(
                select(
                    keys.id, keys.user_id, keys.role_id, keys.organization_id, keys.expires_on, keys.last_used_on
                ).where(keys.lookup_hash == hashed, keys.active, keys.revoked_on.is_(None))
            )
            .one_or_none()
        )
        if row is None:
            accounts.keys.pop(hashed, None)
            return None
        known = KnownKey(*row, version)
        accounts.keys[hashed] = known
        account = accounts.account(session, known.user_id)
    return (known, account) if account is not None and account.active and known.is_good() else None


def note_use(engine: Engine, accounts: KnownAccounts, key: str, known: KnownKey, secret: str) -> None:
    """Keep when a key was used last, to within ``USED_EVERY``."""
    moment = now()
    if known.last_used_on is not None and moment - known.last_used_on < USED_EVERY:
        return
    accounts.keys[lookup_hash(key, secret)] = replace(known, last_used_on=moment)
    with for_writing(engine).begin() as connection:
        connection.execute(
            update(ApiKey.__table__).where(ApiKey.__table__.c.id == known.id).values(last_used_on=moment)
        )


def make_key(
    session: OrmSession,
    actor: Actor,
    account: User,
    *,
    name: str,
    role_id: int,
    organization_id: int | None,
    days: int,
    secret: str,
    address: str = "",
) -> tuple[ApiKey, str]:
    """A new key of an account and its text, which is shown once and kept nowhere. Raises UserError."""
    if role_id not in {role.id for role in account.roles}:
        raise UserError("只能选择自己的角色。", "Choose one of your own roles.")
    if not 1 <= days <= LONGEST_DAYS:
        raise UserError(f"有效期为 1 到 {LONGEST_DAYS} 天。", f"A key is good for 1 to {LONGEST_DAYS} days.")
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100:
        raise UserError("请填写名称（1 到 100 个字）。", "Give the key a name of 1 to 100 characters.")
    if organization_id is not None and not within_own(session.connection(), actor, organization_id):
        raise UserError(
            "没有这个党组织，或不在您的管理范围内。", "There is no such organization, or it is not one of yours."
        )
    text = PREFIX + secrets.token_urlsafe(32)
    hashed = lookup_hash(text, secret)
    key = ApiKey(
        name=name,
        key_hash=hashed,
        lookup_hash=hashed,
        key_prefix=text[: len(PREFIX) + 4],
        user_id=account.id,
        role_id=role_id,
        organization_id=organization_id,
        active=True,
        created_on=now(),
        expires_on=now() + timedelta(days=days),
    )
    session.add(key)
    session.flush()
    record(session, actor, AuditAction.KEY_MADE, entity="api_key", row_id=key.id, detail=name, address=address)
    return key, text


def revoke_key(session: OrmSession, actor: Actor, key: ApiKey, address: str = "") -> None:
    """End a key, at once and for good."""
    if key.revoked_on is None:
        key.revoked_on, key.active = now(), False
        record(
            session, actor, AuditAction.KEY_REVOKED, entity="api_key", row_id=key.id, detail=key.name, address=address
        )


def within_own(connection: Connection, actor: Actor, organization_id: int) -> bool:
    """Whether an organization is one of those that an actor looks after."""
    own = _organizations.c.id == organization_id
    if not actor.unrestricted:
        path = actor.organization_path
        if path is None:
            return False
        own = own & (_organizations.c.path >= path) & (_organizations.c.path < path + AFTER_PATH)
    return connection.execute(select(_organizations.c.id).where(own)).first() is not None
