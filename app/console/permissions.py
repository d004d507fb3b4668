"""The names of permissions on entities: the same for pages and API, and stable, because roles are stored by them.

The permission on an entity is named by its code in CamelCase (``fee_payment`` is ``FeePayment``) and one of
``can_list``, ``can_show``, ``can_add``, ``can_edit``, ``can_delete``.
"""

from __future__ import annotations

from flask import current_app, has_request_context

from app.access.permissions import READING, WRITING, class_name
from app.entity.labels import Label
from app.entity.registry import EntityType, registry

from .memory import memory
from .presentation import text

METHOD_PERMISSIONS = {
    # pages
    "list": "list",
    "show": "show",
    "add": "add",
    "edit": "edit",
    "delete": "delete",
    "muldelete": "delete",
    "columns": "list",
    "save_view": "list",
    "delete_view": "list",
    "counts": "list",
    "moves": "show",
    "move": "edit",
    "bulk_edit": "edit",
    "bulk_edit_all": "edit",
    "bulk_change": "edit",
    "alike": "add",
    "reveal": "show",  # and besides ``REVEAL``, which is asked for in ``app.access.masking``
    # API
    "info": "list",
    "get_list": "list",
    "get": "show",
    "post": "add",
    "put": "edit",
    "operate": "show",  # and besides the operation's own permission
}
"""What each method of a generated view or API needs; ``delete`` is a method of both."""

__all__ = ["METHOD_PERMISSIONS", "base_permissions", "class_name", "may", "page_word"]

PAGES = {
    "Account": Label("账号", "Accounts"),
    "OwnPassword": Label("自己的密码", "Own password"),
    "ResetPassword": Label("重置他人密码", "Resetting passwords"),
    "Role": Label("角色", "Roles"),
    "Dashboard": Label("总览", "Overview"),
    "Scorecard": Label("记分卡和排行榜", "Scorecards and league table"),
    "Warning": Label("预警", "Warnings"),
    "Evaluation": Label("评定", "Evaluations"),
    "Rule": Label("规则", "Rules"),
    "Trash": Label("回收站", "Trash"),
    "PersonalData": Label("个人信息", "Personal data"),
    "Import": Label("导入", "Imports"),
    "Export": Label("导出", "Exports"),
    "PerformanceForm": Label("绩效目标申报表", "Forms of performance targets"),
    "Operations": Label("机房", "Machine room"),
    "ApiDocument": Label("接口说明", "API"),
    "OwnApiKey": Label("自己的接口密钥", "Own API keys"),
    "ApiKey": Label("接口密钥", "API keys"),
    "Field.income": Label("收入与党费基数", "Income and fee base"),
    "AuditEvent": Label("审计记录", "Audit trail"),
}
"""What the pages are called that permissions are kept under and that belong to no entity."""


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


def page_word(name: str) -> str:
    """What a permission's page is called: an entity's label, a page's, or its own name where neither is known."""
    label = next((entity.label for entity in registry if class_name(entity.code) == name), PAGES.get(name))
    return text(label) if label is not None else name
