"""Personal data as it may be shown: masked, unless somebody may see it, says why, and is written down.

``masked`` is for pages, files and API answers. ``reveal`` is the one way to the whole value: the role must hold
``permissions.REVEAL``, the row must be in scope, and an ``AuditEvent`` with the purpose is written first.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from flask_appbuilder.security.manager import BaseSecurityManager
from sqlalchemy.orm import Session as OrmSession

from app.entity.labels import UserError
from app.entity.registry import EntityType, Field

from . import permissions
from .audit import AuditAction, record
from .errors import Refused
from .scope import actor_of

HIDDEN = "*"
SHORTEST_PURPOSE, LONGEST_PURPOSE = 4, 200


def masked(field: Field, value: Any) -> str:
    """A value with its middle hidden: ``138****8048``, ``310112********1234``; a short one is hidden whole.

    Values of fields that are not personal come back as text. Names are not personal in this sense: they are what a
    member is called by.
    """
    if value is None:
        return ""
    text = str(value)
    if not field.options.personal:
        return text
    if len(text) <= 4:
        return HIDDEN * len(text)
    if len(text) >= 15:
        head, tail = 6, 4
    else:
        head, tail = (3, 4) if len(text) >= 11 else (2, 2) if len(text) >= 8 else (1, 1)
    return f"{text[:head]}{HIDDEN * (len(text) - head - tail)}{text[-tail:]}"


def is_masked(text: str) -> bool:
    """Whether a text came from ``masked``: a form that sends it back has not changed the value."""
    return HIDDEN * 2 in text or (bool(text) and set(text) == {HIDDEN})


def checked_purpose(purpose: str) -> str:
    """The purpose as it is kept. Raises UserError for one that says nothing."""
    purpose = " ".join(unicodedata.normalize("NFKC", purpose or "").split())
    if not SHORTEST_PURPOSE <= len(purpose) <= LONGEST_PURPOSE:
        raise UserError(
            f"请说明查看个人信息的用途（{SHORTEST_PURPOSE} 到 {LONGEST_PURPOSE} 个字）。",
            f"Say what the personal data is needed for, in {SHORTEST_PURPOSE} to {LONGEST_PURPOSE} characters.",
        )
    return purpose


def personal_fields(entity: EntityType) -> list[str]:
    """The fields of an entity that are shown masked."""
    return [name for name, field in entity.fields.items() if field.options.personal]


def may_reveal(security: BaseSecurityManager) -> bool:
    """Whether the role of whoever asks may see personal values whole at all."""
    return security.has_access(*permissions.REVEAL)


def reveal(
    session: OrmSession, security: BaseSecurityManager, entity: EntityType, row: Any, fields: list[str], purpose: str
) -> dict[str, str]:
    """The whole values of personal fields of a row that was read through the scope, by field.

    Writes an audit event and commits it before anything is shown. Raises Refused without the permission, UserError
    without a purpose, KeyError for a field that the entity does not show.
    """
    if not may_reveal(security):
        raise Refused(
            "您的角色不能查看完整的个人信息。", "Your role may not see personal data in full.", entity=entity.code
        )
    wanted = {name: entity.fields[name] for name in fields}
    record(
        session,
        actor_of(session),
        AuditAction.REVEALED,
        entity=entity.code,
        row_id=row.id,
        detail=" ".join(wanted),
        purpose=checked_purpose(purpose),
    )
    session.commit()
    return {name: str(getattr(row, name) or "") for name in wanted}
