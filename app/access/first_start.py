"""What an installation needs before the first sign-in: roles, and one administrator."""

from __future__ import annotations

from collections.abc import Iterable

from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

import app.domains.all
from app.database.engine import for_writing, make_engine
from app.database.session import unit_of_work
from config import Settings, SettingsError

from . import flush_check, role_check
from .actor import system_actor
from .passwords import WeakPassword, check, generate, set_password
from .policy import AccessPolicy
from .roles import ADMINISTRATOR, synchronise

__all__ = ["ensure_administrator", "ensure_roles", "new_account"]

FIRST_NAME = "admin"
_DECLARED = (app.domains.all, flush_check, role_check)  # roles follow from the entities; writes are checked


def ensure_roles(settings: Settings) -> None:
    """Bring the roles in the database to what ``roles.py`` and the registry say."""
    engine = make_engine(settings.database_url)
    try:
        with for_writing(engine).begin() as connection:
            synchronise(connection)
    finally:
        engine.dispose()


def ensure_administrator(settings: Settings) -> str | None:
    """Bring the roles up to date and, if there is no account that may do everything, make ``admin``.

    Gives the password of a new account (``ADMIN_PASSWORD``, or one made up) for showing it once, else None. It has to
    be changed at the first sign-in. Raises SettingsError for an ADMIN_PASSWORD that is too weak.
    """
    ensure_roles(settings)
    policy = AccessPolicy.from_environment()
    engine = make_engine(settings.database_url)
    try:
        with unit_of_work(engine, system_actor("first start")) as session:
            administrators = select(func.count(Role.id)).join(Role.user).where(Role.name == ADMINISTRATOR)
            if session.scalar(administrators):
                return None
            password = settings.admin_password or generate()
            try:
                check(password, FIRST_NAME, policy)
            except WeakPassword as problem:
                raise SettingsError(
                    f"ADMIN_PASSWORD 不合要求：{problem.label.zh}", f"ADMIN_PASSWORD does not do. {problem.label.en}"
                ) from problem
            new_account(session, FIRST_NAME, "系统管理员", [ADMINISTRATOR], password, policy=policy)
            return password
    finally:
        engine.dispose()


def new_account(
    session: OrmSession,
    username: str,
    name: str,
    roles: Iterable[str],
    password: str,
    *,
    organization_id: int | None = None,
    member_id: int | None = None,
    must_change_password: bool = True,
    policy: AccessPolicy | None = None,
) -> User:
    """Add an account with these roles (by name) to the session. Raises WeakPassword, and RoleRefused at the flush.

    The caller commits.
    """
    names = set(roles)
    found = list(session.scalars(select(Role).where(Role.name.in_(names))))
    if missing := names - {role.name for role in found}:
        raise ValueError(f"No such roles: {', '.join(sorted(missing))}")
    account = User(
        username=username,
        first_name=name,
        last_name="",
        # FAB wants one for each account; ours sign in by name. Nothing is ever sent to this address.
        email=f"{username}@accounts.invalid",
        active=True,
        organization_id=organization_id,
        member_id=member_id,
        roles=found,
    )
    set_password(
        session, account, password, policy or AccessPolicy.from_environment(), must_change=must_change_password
    )
    session.add(account)
    return account
