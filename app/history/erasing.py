"""What the law asks for a person's data: to be handed out on request, and to be erased (Personal Information Protection
Law, articles 45 and 47).

Erasing takes what identifies the person out of the member's row and destroys the key under which history and trash hold
it. Codes, dates of Party life, amounts, scores and sums stay: they name nobody any more, and figures rest on them.

One of the named modules that work on a connection: the member's row has been read through the scope; what else is
found, is found by that member's id.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.audit import AuditAction, record
from app.access.masking import checked_purpose
from app.access.scope import actor_of
from app.entity.labels import Label
from app.entity.registry import Entity, EntityType, FieldKind, registry

from .models import Operation
from .people import destroy_keys, identifying_fields
from .recording import OPERATION

ERASED_NAME = "（已删除）"
MEMBER = "member"

STAYS = Label(
    "保留：编号、所在组织、党内统计所需的类别和日期、缴费金额、得分和评定结果，它们已不能识别本人；"
    "审计记录和变更历史仍可验证，其中的个人信息已无法解密。会议记录等正文中如写有姓名，请人工核对；备份到期后自行失效。",
    "Kept: the code, the organization, categories and dates that statistics rest on, amounts paid, scores: they name "
    "nobody any more. The audit trail and the history can still be verified; the personal values in them can no longer "
    "be read. Names written in minutes and other texts have to be looked for by hand; backups expire by themselves.",
)


def rows_of(session: Session, member: Entity) -> dict[str, list[Entity]]:
    """Every row that is the member's own, by entity, in the session's scope."""
    found: dict[str, list[Entity]] = {MEMBER: [member]}
    for entity in registry:
        person = entity.options.person
        if person in (None, "self"):
            continue
        relation = entity.relations.get(person)
        if relation is not None and relation.target == MEMBER:
            model: Any = entity.model
            rows = session.scalars(select(model).where(getattr(model, relation.column) == member.id).order_by(model.id))
            found[entity.code] = list(rows)
    return found


def export_person(session: Session, member: Entity, purpose: str) -> dict[str, Any]:
    """All rows of a member, personal values in full, as JSON can hold them; written down in the audit trail with its
    purpose. The caller commits before anything is handed out. Raises UserError without a purpose."""
    found = rows_of(session, member)
    record(
        session,
        actor_of(session),
        AuditAction.PERSON_EXPORTED,
        entity=MEMBER,
        row_id=member.id,
        detail=" ".join(f"{code}:{len(rows)}" for code, rows in found.items() if rows),
        purpose=checked_purpose(purpose),
    )
    return {
        code: [_document(registry[code], row) for row in rows]
        for code, rows in found.items()
        if rows and code in registry
    }


def _document(entity: EntityType, row: Entity) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, field in entity.fields.items():
        value = getattr(row, name)
        if value is not None:
            document[field.label.zh] = value.label.zh if field.kind is FieldKind.CODE else value
    return document


def erase_person(session: Session, member: Entity, purpose: str) -> dict[str, int]:
    """Erase what identifies a member; how many values of each entity went. The caller commits. Raises UserError without
    a purpose, and whatever the checks of a changed row raise."""
    reason = checked_purpose(purpose)
    erased: dict[str, int] = {}
    session.info[OPERATION] = Operation.ERASED
    try:
        for code, rows in rows_of(session, member).items():
            entity = registry[code]
            fields = [entity.fields[name] for name in identifying_fields(entity)]
            for row in rows:
                for field in fields:
                    if getattr(row, field.name) is not None and not field.options.filled_from:
                        setattr(row, field.name, None if field.nullable else ERASED_NAME)
                        erased[code] = erased.get(code, 0) + 1
        session.flush()
    finally:
        session.info.pop(OPERATION, None)
    # The flush wrote the last values under a key as well: all keys of the person go now.
    destroy_keys(session.connection(), [(MEMBER, member.id)])
    record(
        session,
        actor_of(session),
        AuditAction.PERSON_ERASED,
        entity=MEMBER,
        row_id=member.id,
        detail=" ".join(f"{code}:{count}" for code, count in erased.items()),
        purpose=reason,
    )
    return erased
