"""The roles, declared: who may do what. Which rows they do it to is the row scope's matter.

``synchronise`` writes them to FAB's tables; it is quick and may run at every start, and after an entity was added or
taken out. Roles fall into families that exclude each other (GB/T 22239-2019: system, audit and business administration
are separate): nobody holds two of different families, which ``role_check`` holds at every flush.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from flask_appbuilder.security.sqla.models import (
    Permission as StoredPermission,
)
from flask_appbuilder.security.sqla.models import (
    PermissionView,
    Role,
    ViewMenu,
    assoc_permissionview_role,
)
from sqlalchemy import Connection, delete, insert, select

from app.entity.labels import Label
from app.entity.operations import Audience, operations_of
from app.entity.registry import EntityType, registry

from . import permissions as may
from .access_version import changed
from .field_access import CLASSES
from .permissions import EXPORT, READING, WRITING, Permission, class_name, on_entity

ADMINISTRATOR = "Admin"
"""FAB's role that may do everything: for the first administrator, who makes the other accounts."""


class Family(StrEnum):
    """Roles of different families are never held together."""

    EVERYTHING = "everything"
    BUSINESS = "business"
    SYSTEM = "system"
    AUDIT = "audit"
    MEMBER = "member"


@dataclass(frozen=True)
class RoleDeclaration:
    """``name`` is how FAB's tables and files call it. ``on_entities`` says what may be done with an entity's rows."""

    name: str
    label: Label
    family: Family
    pages: tuple[Permission, ...]
    on_entities: Callable[[EntityType], Iterable[str]] = lambda entity: ()
    audiences: tuple[Audience, ...] = ()
    """Whose operations one who holds it may do (``app.entity.operations``)."""

    @property
    def is_staff(self) -> bool:
        """Sees the rows of a whole organization and not only their own."""
        return self.family is Family.BUSINESS

    def permissions(self) -> set[Permission]:
        """All of them, with the entities as they are registered now."""
        found = {*self.pages, *may.OWN_ACCOUNT}
        for entity in registry:
            found.update(on_entity(entity, *self.on_entities(entity)))
            done = [each for each in operations_of(entity.code) if each.audience in self.audiences]
            found.update(Permission(each.permission, class_name(entity.code)) for each in done)
        return found


def _is_structure(entity: EntityType) -> bool:
    """Organizations, and what the system itself goes by (group ``system``: the calendar)."""
    return entity.options.owner == "self" or entity.options.group == "system"


def _district(entity: EntityType) -> Iterable[str]:
    return (*READING, *WRITING, EXPORT)


def _street(entity: EntityType) -> Iterable[str]:
    if entity.options.group == "system":
        return READING
    return (*READING, "can_add", "can_edit", EXPORT) if _is_structure(entity) else (*READING, *WRITING, EXPORT)


def _branch(entity: EntityType) -> Iterable[str]:
    if entity.options.group == "system":
        return READING
    if _is_structure(entity):
        return (*READING, "can_edit")
    # Members come and go by transfer, which the levels above decide.
    return (*READING, "can_add", "can_edit") if entity.options.person == "self" else (*READING, *WRITING)


def _reading(entity: EntityType) -> Iterable[str]:
    return READING


def _calendar(entity: EntityType) -> Iterable[str]:
    return READING if entity.options.group == "system" else ()


_SEES = tuple(may.see(name) for name in CLASSES)
"""Fields of every restricted class: for those who look after members."""

_PROGRAMS = (may.API_DOCUMENT, *may.OWN_KEYS)
"""The API with keys of one's own."""

_RESULTS = (*_PROGRAMS, may.DASHBOARD, may.LEAGUE, may.SCORECARD, may.WARNINGS, may.PERFORMANCE_FORM)
_APPROVING = (may.APPROVE_INDICES, may.APPROVE_WARNINGS, may.APPROVE_ADJUSTMENTS)
_ADMINISTRATION = (
    *_RESULTS,
    *_SEES,
    *_APPROVING,
    *(may.SEE_RULES, may.ADJUST_RULES, may.SEE_RUNS, may.EVALUATE, may.REVEAL, may.IMPORT, may.EXPORTS),
)
"""What administrators of a city or district may do beside their records."""

ROLES: dict[str, RoleDeclaration] = {
    role.name: role
    for role in (
        RoleDeclaration(
            "city_administrator",
            Label("市级管理员", "City administrator"),
            Family.BUSINESS,
            (*_ADMINISTRATION, may.TRASH, *may.TRASH_AND_PERSONS),
            _district,
            tuple(Audience),
        ),
        RoleDeclaration(
            "district_administrator",
            Label("区级管理员", "District administrator"),
            Family.BUSINESS,
            (*_ADMINISTRATION, may.TRASH, *may.TRASH_AND_PERSONS),
            _district,
            tuple(Audience),
        ),
        RoleDeclaration(
            "street_administrator",
            Label("街镇管理员", "Street administrator"),
            Family.BUSINESS,
            (*_RESULTS, *_SEES, may.ADJUST_RULES, may.REVEAL, may.TRASH, may.IMPORT, may.EXPORTS),
            _street,
            tuple(Audience),
        ),
        RoleDeclaration(
            "branch_secretary",
            Label("支部书记", "Branch secretary"),
            Family.BUSINESS,
            (*_RESULTS, *_SEES, may.REVEAL, may.TRASH, may.IMPORT),
            _branch,
            (Audience.EVERYONE, Audience.KEEPERS),
        ),
        RoleDeclaration(
            "rule_administrator",
            Label("规则管理员", "Rule administrator"),
            Family.BUSINESS,
            (*_RESULTS, may.SEE_RULES, may.EDIT_RULES, may.SEE_RUNS, may.EVALUATE),
            _reading,
        ),
        RoleDeclaration(
            "it_staff",
            Label("系统管理员", "IT staff"),
            Family.SYSTEM,
            (*_PROGRAMS, may.ALL_KEYS, *may.ACCOUNTS, *may.SEE_ROLES, may.OPERATIONS, may.SEE_RUNS),
            _calendar,
        ),
        RoleDeclaration("auditor", Label("审计员", "Auditor"), Family.AUDIT, (*may.READ_AUDIT, *may.SEE_ROLES)),
        RoleDeclaration(
            "member",
            Label("党员", "Member"),
            Family.MEMBER,
            (may.SCORECARD, *_SEES),
            _reading,
            (Audience.EVERYONE,),
        ),
    )
}


def role_label(name: str) -> Label:
    """What people call a role; the name itself for one that is not declared here."""
    if name == ADMINISTRATOR:
        return Label("超级管理员", "Administrator")
    role = ROLES.get(name)
    return role.label if role else Label(name, name)


def families(names: Iterable[str]) -> set[Family]:
    """The families of roles by name. A role that is not declared here counts as business."""
    found = set()
    for name in names:
        role = ROLES.get(name)
        found.add(Family.EVERYTHING if name == ADMINISTRATOR else role.family if role else Family.BUSINESS)
    return found


def is_staff(names: Iterable[str]) -> bool:
    """Whether one who holds these roles sees the rows of their organization."""
    return bool(families(names) & {Family.BUSINESS, Family.EVERYTHING})


def synchronise(connection: Connection) -> bool:
    """Write the declared roles and their permissions to FAB's tables; True if anything had to change.

    Permissions of declared roles that are declared no longer are taken away; roles made by administrators are left
    alone. Five SELECTs if nothing changed. The caller commits.
    """
    wanted = {role.name: role.permissions() for role in ROLES.values()}
    actions = _names(connection, StoredPermission, {each.action for found in wanted.values() for each in found})
    pages = _names(connection, ViewMenu, {each.page for found in wanted.values() for each in found})
    roles = _names(connection, Role, {ADMINISTRATOR, *ROLES})

    pairs = PermissionView.__table__
    needed = {(actions[each.action], pages[each.page]) for found in wanted.values() for each in found}
    stored = _pairs(connection)
    missing = needed - stored.keys()
    if missing:
        connection.execute(insert(pairs), [{"permission_id": a, "view_menu_id": p} for a, p in sorted(missing)])
        stored = _pairs(connection)

    grants = {
        (roles[name], stored[actions[each.action], pages[each.page]])
        for name, found in wanted.items()
        for each in found
    }
    links = assoc_permissionview_role
    declared = [roles[name] for name in ROLES]
    rows = connection.execute(
        select(links.c.role_id, links.c.permission_view_id).where(links.c.role_id.in_(declared))
    ).all()
    held = {(role, pair) for role, pair in rows}
    for role, pair in held - grants:
        connection.execute(delete(links).where(links.c.role_id == role, links.c.permission_view_id == pair))
    if grants - held:
        new = [{"role_id": role, "permission_view_id": pair} for role, pair in sorted(grants - held)]
        connection.execute(insert(links), new)
    if held ^ grants:
        changed(connection)
    return bool(missing or held ^ grants)


def granted(connection: Connection, role_ids: Iterable[int]) -> frozenset[Permission]:
    """What these roles may do together. One query."""
    links, pairs = assoc_permissionview_role, PermissionView.__table__
    actions, pages = StoredPermission.__table__, ViewMenu.__table__
    statement = (
        select(actions.c.name, pages.c.name)
        .join(pairs, pairs.c.permission_id == actions.c.id)
        .join(pages, pages.c.id == pairs.c.view_menu_id)
        .join(links, links.c.permission_view_id == pairs.c.id)
        .where(links.c.role_id.in_(sorted(role_ids)))
        .distinct()
    )
    return frozenset(Permission(action, page) for action, page in connection.execute(statement))


def _names(connection: Connection, model: type, wanted: set[str]) -> dict[str, int]:
    """The ids of rows of a table of names, made where missing."""
    table = model.__table__
    statement = select(table.c.name, table.c.id)
    found = dict(iter(connection.execute(statement)))
    missing = sorted(wanted - found.keys())
    if missing:
        connection.execute(insert(table), [{"name": name} for name in missing])
        found = dict(iter(connection.execute(statement)))
    return found


def _pairs(connection: Connection) -> dict[tuple[int, int], int]:
    pairs = PermissionView.__table__
    rows = connection.execute(select(pairs.c.permission_id, pairs.c.view_menu_id, pairs.c.id)).all()
    return {(permission, page): pair for permission, page, pair in rows}
