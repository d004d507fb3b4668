"""What a name in a filter refers to: a field of an entity, of one that a to-one relation reaches, or a column of a
frame of results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.entity.labels import Label, UserError
from app.entity.registry import EntityType, FieldKind, Registry, Relation, registry

NUMBERS = frozenset({FieldKind.INTEGER, FieldKind.DECIMAL})
DAYS = frozenset({FieldKind.DATE, FieldKind.MOMENT, FieldKind.PERIOD})
TEXTS = frozenset({FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.CODE})


@dataclass(frozen=True)
class Column:
    """A name, resolved."""

    path: str
    name: str
    """The field's own name, without the relations that lead to it."""
    kind: FieldKind
    label: Label
    nullable: bool = True
    """May be missing: because it is nullable, or because a relation on the way is."""
    codes: tuple[str, ...] | None = None
    """The codes allowed, for a code list."""
    hops: tuple[Relation, ...] = ()
    """The to-one relations followed."""
    entity: EntityType | None = None
    """The entity that has the field; None for frames."""
    relation: Relation | None = None
    """Set when the name is a relation itself: it is then compared by the ``code`` of the row it leads to."""


@dataclass(frozen=True)
class FrameColumns:
    """The columns of a frame that filters may name: the results of an index, or warnings."""

    label: Label
    columns: dict[str, Column]


Source = EntityType | FrameColumns


class UnknownColumn(UserError):
    """A name that leads nowhere; ``allowed`` are the names that would."""

    def __init__(self, zh: str, en: str, allowed: Iterable[str] = ()) -> None:
        super().__init__(zh, en)
        self.allowed = tuple(allowed)


def _names(entity: EntityType) -> list[str]:
    return [name for name in entity.fields if not name.endswith("_id")] + list(entity.relations)


def _unknown(label: Label, code: str, name: str, allowed: list[str]) -> UnknownColumn:
    listed = ", ".join(allowed)
    return UnknownColumn(
        f"{label.zh}（{code}）没有“{name}”；可用：{listed}", f"{code} has no “{name}”; allowed: {listed}", allowed
    )


def resolve_column(source: Source, path: str, entities: Registry = registry) -> Column:
    """What ``path`` refers to. Dotted names follow to-one relations. Raises UnknownColumn."""
    if isinstance(source, FrameColumns):
        if path not in source.columns:
            raise _unknown(source.label, source.label.en, path, list(source.columns))
        return source.columns[path]
    entity, hops, nullable = source, [], False
    *relations, name = path.split(".")
    for step in relations:
        relation = entity.relations.get(step)
        target = entities.get(relation.target) if relation else None
        if relation is None or target is None:
            raise _unknown(entity.label, entity.code, step, [f"{known}.…" for known in entity.relations])
        hops.append(relation)
        nullable = nullable or relation.nullable
        entity = target
    if name in entity.relations:
        relation = entity.relations[name]
        return Column(
            path,
            relation.column,
            FieldKind.REFERENCE,
            relation.label,
            nullable or relation.nullable,
            hops=tuple(hops),
            entity=entity,
            relation=relation,
        )
    field = entity.fields.get(name)
    if field is None:
        raise _unknown(entity.label, entity.code, name, _names(entity))
    return Column(
        path,
        name,
        field.kind,
        field.label,
        nullable or field.nullable,
        codes=tuple(member.value for member in field.code_list) if field.code_list else None,
        hops=tuple(hops),
        entity=entity,
    )
