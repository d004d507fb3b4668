"""The names of permissions on entities: the same for pages and API, and stable, because roles are stored by them.

The permission on an entity is named by its code in CamelCase (``fee_payment`` is ``FeePayment``) and one of
``can_list``, ``can_show``, ``can_add``, ``can_edit``, ``can_delete``.
"""

from __future__ import annotations

from flask import current_app, has_request_context

from app.access.permissions import READING, WRITING, class_name
from app.entity.registry import EntityType

from .memory import memory

METHOD_PERMISSIONS = {
    # pages
    "list": "list",
    "show": "show",
    "add": "add",
    "edit": "edit",
    "delete": "delete",
    "muldelete": "delete",
    # API
    "info": "list",
    "get_list": "list",
    "get": "show",
    "post": "add",
    "put": "edit",
}
"""What each method of a generated view or API needs; ``delete`` is a method of both."""

__all__ = ["METHOD_PERMISSIONS", "base_permissions", "class_name", "may"]


def base_permissions(entity: EntityType) -> list[str]:
    """What can be done with an entity at all: nothing but reading if it is read only."""
    return [*READING] if entity.options.read_only else [*READING, *WRITING]


def may(action: str, entity: EntityType) -> bool:
    """Whether the present user may ``list``, ``show``, ``add``, ``edit`` or ``delete`` rows of an entity (which of
    them is the row scope's matter). Asked once a request; an anonymous answer is not kept, because whoever comes with
    a token is anonymous until it has been read."""
    permission, name = f"can_{action}", class_name(entity.code)
    if permission not in base_permissions(entity):
        return False
    security = current_app.appbuilder.sm
    if not has_request_context() or security.current_user is None:
        return security.has_access(permission, name)
    known = memory("permissions")
    if (permission, name) not in known:
        known[permission, name] = security.has_access(permission, name)
    return known[permission, name]
