"""What a name in a request may refer to, for one reader: own columns, relations, and columns that relations reach.

Everything here works on entities as the reader sees them (``field_access.seen_by``): what is hidden or restricted is
not there, and is refused in the same words as what nobody declared.
"""

from __future__ import annotations

from app.access.field_access import Clearance, seen_by
from app.console.columns import all_columns
from app.console.permissions import may
from app.entity.filters import UnknownColumn, resolve_column
from app.entity.filters.columns import Column
from app.entity.labels import Label
from app.entity.registry import EntityType, Field, FieldKind, registry

ID = "id"
DEEPEST = 3
"""Relations that a dotted name may follow."""


class Entities:
    """The registry as one reader sees it, for the filter language: restricted fields are not there, and relations lead
    no further than to entities whose rows the reader may list."""

    def __init__(self, clearance: Clearance) -> None:
        self.clearance = clearance

    def __getitem__(self, code: str) -> EntityType:
        return seen_by(registry[code], self.clearance)

    def get(self, code: str) -> EntityType | None:
        entity = registry.get(code)
        return seen_by(entity, self.clearance) if entity is not None and may("list", entity) else None


def names_of(entity: EntityType) -> list[str]:
    """What fields of rows are called: the id, the title, then the other columns; relations by their own name."""
    return [ID, *all_columns(entity)]


def resolve(entity: EntityType, path: str, entities: Entities) -> Column:
    """What a name refers to. Raises UnknownColumn for what is not there for the reader."""
    *relations, name = path.split(".")
    if len(relations) <= DEEPEST:
        if name == ID:
            found = _identifier(entity, path, relations, entities)
            if found is not None:
                return found
        else:
            try:
                column = resolve_column(entity, path, entities)  # type: ignore[arg-type]
            except UnknownColumn:
                pass
            else:
                if column.relation is not None or not name.endswith("_id"):
                    return column
    allowed = names_of(entity)
    listed = ", ".join(allowed)
    raise UnknownColumn(
        f"{entity.label.zh}没有“{path}”；可用：{listed}，以及“关联.字段”，最多 {DEEPEST} 层",
        f"{entity.code} has no “{path}”; allowed: {listed}, and “relation.field”, at most {DEEPEST} deep",
        allowed,
    )


def _identifier(entity: EntityType, path: str, relations: list[str], entities: Entities) -> Column | None:
    hops, owner = [], entity
    for step in relations:
        relation = owner.relations.get(step)
        target = entities.get(relation.target) if relation else None
        if relation is None or target is None:
            return None
        hops.append(relation)
        owner = target
    return Column(path, ID, FieldKind.INTEGER, Label("序号", "Id"), bool(hops), hops=tuple(hops), entity=owner)


def may_filter(owner: EntityType, name: str) -> bool:
    """A ``Permission`` of the filter language. Personal fields, which are shown masked, would be guessed piece by
    piece; encrypted ones can only be asked whether they are there."""
    field = owner.fields.get(name)
    return field is not None and (not field.options.personal or field.kind is FieldKind.ENCRYPTED)


def is_sortable(field: Field) -> bool:
    """Whether rows can be put in the order of a field, or grouped by it."""
    return field.kind is not FieldKind.LONG_TEXT and not field.options.personal
