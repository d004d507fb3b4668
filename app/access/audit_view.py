"""The audit trail as a page: for auditors, to read."""

from __future__ import annotations

from typing import Any

from flask_appbuilder import ModelView
from flask_appbuilder.models.sqla.interface import SQLAInterface

from app.entity.labels import Label
from app.entity.registry import registry

from .audit import AuditAction, AuditEvent
from .language import lazy, words
from .masking import personal_fields
from .permissions import AUDIT
from .request_filters import FiltersOfRequest
from .roles import ROLES, role_label

ACTION_WORDS = {
    AuditAction.SIGNED_IN: Label("登录", "Signed in"),
    AuditAction.SIGN_IN_FAILED: Label("登录失败", "Sign-in failed"),
    AuditAction.LOCKED: Label("用户名被锁定", "Name locked"),
    AuditAction.UNLOCKED: Label("解锁", "Unlocked"),
    AuditAction.SIGNED_OUT: Label("退出", "Signed out"),
    AuditAction.PASSWORD_CHANGED: Label("修改密码", "Password changed"),
    AuditAction.PASSWORD_RESET: Label("重置密码", "Password reset"),
    AuditAction.ROLES_CHANGED: Label("授予角色", "Roles granted"),
    AuditAction.REVEALED: Label("查看个人信息", "Personal data revealed"),
    AuditAction.PERSON_EXPORTED: Label("导出个人数据", "A person's data exported"),
    AuditAction.PERSON_ERASED: Label("删除个人信息", "Personal data erased"),
    AuditAction.KEYS_ROTATED: Label("更换加密密钥", "Encryption keys rotated"),
    AuditAction.IMPORTED: Label("导入", "Imported"),
    AuditAction.IMPORT_UNDONE: Label("撤销导入", "Import undone"),
    AuditAction.EXPORTED: Label("导出", "Exported"),
    AuditAction.EXPORT_FETCHED: Label("下载导出文件", "Export downloaded"),
    AuditAction.ATTACHED: Label("添加附件", "File attached"),
    AuditAction.DETACHED: Label("删除附件", "File removed"),
    AuditAction.KEY_MADE: Label("新建接口密钥", "API key made"),
    AuditAction.KEY_REVOKED: Label("停用接口密钥", "API key revoked"),
}


def _action(code: str) -> str:
    return words(ACTION_WORDS[AuditAction(code)]) if code in set(AuditAction) else code


def _entity(code: str) -> str:
    entity = registry.get(code)
    return words(entity.label) if entity else words(Label("账号", "Account")) if code == "account" else code


def _detail(text: str) -> str:
    """Fields and roles that an event names, as words, behind whose they are; anything else as it is."""
    whose, colon, named = text.rpartition(": ")
    labels = {name: entity.fields[name].label for entity in registry for name in personal_fields(entity)}
    labels |= {name: role_label(name) for name in ROLES}
    found = [labels.get(word) for word in named.split()]
    if not found or None in found:
        return text
    shown = words(Label("、", ", ")).join(words(label) for label in found if label)
    return f"{whose}{words(Label('：', ': '))}{shown}" if colon else shown


class AuditView(ModelView):
    """Newest first. Nothing can be changed here, by anybody."""

    datamodel = SQLAInterface(AuditEvent)
    route_base = "/audit"
    class_permission_name = AUDIT.page
    base_permissions = ["can_list", "can_show"]
    exclude_route_methods = {"add", "edit", "delete", "download", "action", "action_post"}
    _filters = FiltersOfRequest()
    list_title = lazy("审计记录", "Audit trail")
    show_title = lazy("审计记录", "Audit event")
    base_order = ("id", "desc")
    page_size = 25
    max_page_size = 100
    label_columns: dict[str, Any] = {
        "happened_at": lazy("时间", "When"),
        "actor_name": lazy("账号", "Account"),
        "action": lazy("操作", "What"),
        "entity": lazy("对象", "On what"),
        "row_id": lazy("对象编号", "Which"),
        "detail": lazy("内容", "Details"),
        "purpose": lazy("用途", "Purpose"),
        "address": lazy("来源地址", "Address"),
    }
    list_columns = ["happened_at", "actor_name", "action", "entity", "row_id", "detail", "purpose"]
    show_columns = [*list_columns, "address"]
    search_columns = ["happened_at", "actor_name", "action", "entity", "row_id"]
    order_columns = ["happened_at", "actor_name", "action"]
    formatters_columns = {"action": _action, "entity": _entity, "detail": _detail}
