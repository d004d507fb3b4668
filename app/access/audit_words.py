"""What an audit event says, in the words of whoever reads it."""

from __future__ import annotations

from app.entity.labels import Label
from app.entity.registry import registry

from .audit import AuditAction
from .language import words
from .masking import personal_fields
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
    AuditAction.CHAIN_VERIFIED: Label("验证审计记录", "Audit trail verified"),
    AuditAction.TRAIL_EXPORTED: Label("导出审计记录", "Audit trail exported"),
}


def action(code: str) -> str:
    """What was done."""
    return words(ACTION_WORDS[AuditAction(code)]) if code in set(AuditAction) else code


def entity_word(code: str) -> str:
    """To what it was done."""
    entity = registry.get(code)
    return words(entity.label) if entity else words(Label("账号", "Account")) if code == "account" else code


def detail(text: str) -> str:
    """Fields and roles that an event names, as words, behind whose they are; anything else as it is."""
    whose, colon, named = text.rpartition(": ")
    labels = {name: entity.fields[name].label for entity in registry for name in personal_fields(entity)}
    labels |= {name: role_label(name) for name in ROLES}
    found = [labels.get(word) for word in named.split()]
    if not found or None in found:
        return text
    shown = words(Label("、", ", ")).join(words(label) for label in found if label)
    return f"{whose}{words(Label('：', ': '))}{shown}" if colon else shown
