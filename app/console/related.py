"""The lists on a record's page of what refers to it: its members, its meetings, …

One list is read, that of the open tab; for the others there is a count, all of them in one statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from sqlalchemy import func, select

from app.entity.labels import Label
from app.entity.registry import EntityType, Relation, registry

from .permissions import class_name, may
from .presentation import text

TAB = "tab"


@dataclass(frozen=True)
class RelatedTab:
    """A tab of a record's page. ``name`` stands in the address, ``count`` at the tab."""

    entity: EntityType
    relation: Relation
    title: str
    url: str
    count: int
    active: bool

    @property
    def name(self) -> str:
        return f"{self.entity.code}.{self.relation.name}"


def related_tabs(session: Any, entity: EntityType, key: int) -> list[RelatedTab]:
    """The tabs of a row: one for each relation to it of an entity that the reader may list."""
    found = [
        (other, relation) for other in registry if may("list", other) for relation in other.relations_to(entity.code)
    ]
    if not found:
        return []
    counts = session.execute(
        select(
            *[
                select(func.count(other.model.id))
                .where(getattr(other.model, relation.column) == key)
                .correlate(None)
                .scalar_subquery()
                for other, relation in found
            ]
        )
    ).one()
    wanted = request.args.get(TAB, "")
    return [
        RelatedTab(
            other,
            relation,
            text(_title(other, relation, entity)),
            url_for(f"{class_name(entity.code)}View.show", pk=key, **{TAB: f"{other.code}.{relation.name}"}),
            count,
            wanted == f"{other.code}.{relation.name}",
        )
        for (other, relation), count in zip(found, counts, strict=True)
        # Rows come to lie here through their tie; by other relations a tab appears once there is something in it.
        if count or other.tie_to(entity.code) == relation.name or wanted == f"{other.code}.{relation.name}"
    ]


def _title(other: EntityType, relation: Relation, entity: EntityType) -> Label:
    """The entity's name; where several of its relations lead here, the relation's as well."""
    if len(other.relations_to(entity.code)) == 1:
        return plural(other)
    return Label(f"{other.label.zh}（{relation.label.zh}）", f"{plural(other).en} ({relation.label.en})")


def plural(entity: EntityType) -> Label:
    """What rows of an entity are called together."""
    return Label(entity.label.zh, entity.options.plural or f"{entity.label.en}s")
