"""Rows that others refer to: what they are called, and which of them may be chosen.

Reads mapped columns, never whole rows: a row that may be referred to but not opened must not stay in the session.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Integer, Select, bindparam, func, null, or_, select
from sqlalchemy.orm import aliased

from app.access.flush_check import note_referable
from app.access.predicates import Purpose
from app.entity.registry import EntityType, FieldKind, registry

from .display import title_in_words
from .filters import contains, searched_fields

MOST_CHOICES = 20
"""Rows offered to one who types."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A row that can be referred to. ``hint`` tells apart those of the same name: the organization above it."""

    id: int
    code: str
    name: str
    hint: str = ""


def find(target: str, ids: Iterable[int], purpose: Purpose = Purpose.REFER) -> dict[int, Choice]:
    """The rows of an entity that the present user may see or, by default, refer to, by id; others are left out."""
    wanted = set(ids)
    if not wanted:
        return {}
    entity = registry[target]
    return {choice.id: choice for choice in _choices(entity, entity.model.id.in_(wanted), purpose, len(wanted))}


def is_there(target: str, key: int, purpose: Purpose = Purpose.REFER) -> bool:
    """Whether the present user may see or, by default, refer to the row of an entity with this id."""
    session, statement = _session(), _by_id(registry[target].model)
    found = session.scalar(statement, {"key": key}, execution_options={"scope_purpose": purpose}) is not None
    if found and purpose is Purpose.REFER:
        note_referable(session, target, key)
    return found


@lru_cache(maxsize=256)
def _by_id(model: Any) -> Select[Any]:
    return select(model.id).where(model.id == bindparam("key", type_=Integer))


def find_by_code(target: str, code: str, purpose: Purpose = Purpose.REFER) -> int | None:
    """The id of the row of this code, None if there is none that the present user may refer to."""
    entity = registry[target]
    if "code" not in entity.fields:
        return None
    statement = select(entity.model.id).where(entity.model.code == code)
    return _session().scalar(statement, execution_options={"scope_purpose": purpose})


def search(target: str, text: str, purpose: Purpose) -> list[Choice]:
    """The first rows whose name, code or searched fields hold a text; those that begin with it come first."""
    entity = registry[target]
    text = text.replace("\0", "").strip()[:100]
    return _choices(entity, _matches(entity, text) if text else None, purpose, MOST_CHOICES, text)


def _matches(entity: EntityType, text: str) -> ColumnElement[bool]:
    title = entity.fields[entity.options.title]
    found: list[ColumnElement[bool]] = [contains(getattr(entity.model, name), text) for name in searched_fields(entity)]
    if title.kind is FieldKind.CODE and title.code_list is not None:
        words = [code for code in title.code_list if text in code.label.zh or text.lower() in code.label.en.lower()]
        found.append(getattr(entity.model, title.name).in_(words))
    elif title.kind in (FieldKind.TEXT, FieldKind.PERIOD) and not title.options.searched:
        found.append(contains(getattr(entity.model, title.name), text))
    if "code" in entity.fields and not entity.fields["code"].options.searched:
        found.append(entity.model.code == text)
    return or_(*found) if found else entity.model.id == -1


def _choices(
    entity: EntityType, condition: ColumnElement[bool] | None, purpose: Purpose, limit: int, text: str = ""
) -> list[Choice]:
    model: Any = entity.model
    title = getattr(model, entity.options.title)
    code = model.code if "code" in entity.fields else null()
    above = _above(entity)
    if above:
        relation, other_entity = entity.relations[above], registry[entity.relations[above].target]
        other = aliased(other_entity.model)
        statement = select(model.id, code, title, getattr(other, other_entity.options.title)).outerjoin(
            other, getattr(model, relation.column) == other.id
        )
    else:
        statement = select(model.id, code, title, null())
    if condition is not None:
        statement = statement.where(condition)
    if text and entity.fields[entity.options.title].kind is FieldKind.TEXT:
        statement = statement.order_by(func.lower(title).startswith(text.lower(), autoescape=True).desc())
    statement = statement.order_by(title, model.id).limit(limit)
    rows = _session().execute(statement, execution_options={"scope_purpose": purpose})
    return [
        Choice(
            key,
            code or "",
            title_in_words(entity, name, code or key),
            title_in_words(other_entity, hint) if above and hint is not None else "",
        )
        for key, code, name, hint in rows
    ]


def _above(entity: EntityType) -> str | None:
    """The relation that says where a row belongs: the organization, or an organization's parent."""
    owner = entity.options.owner
    if owner == "self":
        return "parent" if "parent" in entity.relations else None
    return owner if owner in entity.relations else None


def _session() -> Any:
    return current_app.appbuilder.session
