"""Who may grant what, held at every flush, whichever page or job writes.

- Nobody holds roles of families that exclude each other: whoever grants roles sees no members' data, and whoever reads
  the audit trail changes nothing.
- Nobody changes their own roles, organization or member.
- Only an administrator of everything makes another one.
- The declared roles' permissions are changed in ``roles.py`` alone, and no role of one's own making mixes members' data
  with the granting of roles.
"""

from __future__ import annotations

from typing import Any

from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import event, inspect
from sqlalchemy.orm import Session as OrmSession

from app.database.session import Session

from .actor import Actor
from .audit import AuditAction, record
from .errors import Refused
from .permissions import ACCOUNTS, AUDIT, OPERATIONS, class_name
from .roles import ADMINISTRATOR, ROLES, Family, families, role_label
from .scope import actor_of
from .scoped import scoped_tables

SYSTEM_PAGES = frozenset({each.page for each in (*ACCOUNTS, OPERATIONS, AUDIT)})


class RoleRefused(Refused):
    """A role that may not be granted or changed so."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh, en, entity="account", field="roles")


@event.listens_for(Session, "before_flush")
def _check(session: OrmSession, _context: Any, _instances: Any) -> None:
    rows = [row for row in (*session.new, *session.dirty) if isinstance(row, (User, Role))]
    if not rows:
        return
    actor = actor_of(session)
    with session.no_autoflush:
        for row in rows:
            if isinstance(row, User):
                _check_account(session, actor, row)
            else:
                _check_role(actor, row)


def _check_account(session: OrmSession, actor: Actor, account: User) -> None:
    state = inspect(account)
    roles = state.attrs.roles.history
    moved = any(state.attrs[name].history.has_changes() for name in ("organization_id", "member_id"))
    if not roles.has_changes() and not moved:
        return
    is_new = state.identity is None
    names = {role.name for role in account.roles}
    held = families(names)
    if len(held) > 1:
        words = [role_label(name) for name in sorted(names)]
        raise RoleRefused(
            f"这些角色不能由同一人担任：{'、'.join(word.zh for word in words)}。"
            "业务、系统、审计三类职责须由不同的人承担。",
            f"These roles may not be held by one person: {', '.join(word.en for word in words)}. Business, system and "
            "audit duties belong to different people.",
        )
    if held & {Family.SYSTEM, Family.AUDIT} and (account.organization_id or account.member_id):
        raise RoleRefused(
            "系统管理员和审计员不能归属党组织或党员：他们看不到业务数据。",
            "IT staff and auditors belong to no organization or member: they see no records.",
        )
    if actor.user_id is None:
        return
    if not is_new and account.id == actor.user_id:
        raise RoleRefused(
            "不能更改自己的角色或所属，请由其他管理员办理。",
            "Your own roles and organization cannot be changed by yourself; ask another administrator.",
        )
    touched = {role.name for role in (*roles.added, *roles.deleted)}
    if ADMINISTRATOR in touched | names and not _is_administrator(session, actor):
        raise RoleRefused(
            "只有超级管理员可以授予超级管理员角色，或更改这样的账号。",
            "Only an administrator of everything may grant that role, or change such an account.",
        )
    if roles.has_changes():
        detail = f"{account.username}: {' '.join(sorted(names)) or '-'}"
        record(session, actor, AuditAction.ROLES_CHANGED, entity="account", row_id=account.id, detail=detail)


def _is_administrator(session: OrmSession, actor: Actor) -> bool:
    acting = session.get(User, actor.user_id)
    return acting is not None and any(role.name == ADMINISTRATOR for role in acting.roles)


def _check_role(actor: Actor, role: Role) -> None:
    state = inspect(role)
    if actor.user_id is None or not any(state.attrs[name].history.has_changes() for name in ("name", "permissions")):
        return
    before = state.attrs.name.history.deleted or [role.name]
    if {role.name, *before} & {ADMINISTRATOR, *ROLES} and state.identity is not None:
        raise RoleRefused(
            f"“{role_label(before[0]).zh}”是系统预设的角色，不能修改；请另建角色。",
            f"“{role_label(before[0]).en}” is a role of the system and cannot be changed; make another one.",
        )
    pages = {str(pair.view_menu) for pair in role.permissions}
    records = {class_name(table.code) for table in scoped_tables().values() if table.code != "holiday"}
    if pages & SYSTEM_PAGES and pages & records:
        raise RoleRefused(
            "一个角色不能既管理账号或审计，又查看业务数据。",
            "A role cannot both manage accounts or the audit trail and see records.",
        )
