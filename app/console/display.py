"""A row's values as people read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import current_app, url_for
from markupsafe import Markup

from app.access.field_access import may_see
from app.access.masking import masked
from app.access.references import row_names
from app.entity.labels import Label
from app.entity.registry import Entity, EntityType, Field, FieldKind, registry

from .columns import field_of
from .memory import clearance, memory
from .permissions import class_name, may
from .presentation import fmt, period_name, text

OUT_OF_SIGHT = Label("（不在管辖范围内）", "(outside your organization)")


def shown(entity: EntityType, row: Entity, column: str, *, linked: bool = True) -> Any:
    """One value of a row: a word for a code, a masked number, a link for a relation, a figure with its unit."""
    if not may_see(field_of(entity, column), clearance()):
        return None
    if column in entity.relations:
        return related(entity, row, column, linked=linked)
    return in_words(field_of(entity, column), getattr(row, column))


def in_words(field: Field, value: Any) -> Any:
    """A field's value as ``presentation.fmt`` takes it; None for nothing."""
    if value is None or value == "":
        return None
    if field.options.personal:
        return masked(field, value)
    if field.kind is FieldKind.CODE:
        return text(value)
    if field.kind is FieldKind.PERIOD:
        return period_name(value)
    if field.kind in (FieldKind.INTEGER, FieldKind.DECIMAL):
        figure = fmt(value, _Decimals.of(value))
        return f"{figure} {text(field.options.unit)}" if field.options.unit is not None else figure
    return value


@dataclass(frozen=True)
class _Decimals:
    """To how many decimals a number is written: amounts of money to two, anything else as it is."""

    decimals: int | None = None

    @classmethod
    def of(cls, value: Any) -> _Decimals:
        is_amount = isinstance(value, Decimal) and value.as_tuple().exponent == -2
        return cls(2 if is_amount else None)


def related(entity: EntityType, row: Entity, column: str, *, linked: bool = True) -> Any:
    """The row that a relation leads to, by name, and as a link if the reader may open it."""
    relation = entity.relations[column]
    key = getattr(row, relation.column)
    if key is None:
        return None
    other = getattr(row, column)
    target = registry[relation.target]
    if other is None:
        return memory("unseen_names").get((relation.target, key)) or text(OUT_OF_SIGHT)
    name = title_in_words(target, getattr(other, target.options.title), getattr(other, "code", key))
    url = show_url(relation.target, key) if linked and may("show", target) else None
    return Markup('<a href="{}">{}</a>').format(url, name) if url else name


def name_unseen(entity: EntityType, rows: Iterable[Entity], columns: Iterable[str]) -> None:
    """Find the names of rows that these refer to but whose pages the reader may not open (an organization above):
    one query for each entity referred to, none where everything is seen."""
    missing: dict[str, set[int]] = {}
    for column in columns:
        relation = entity.relations.get(column)
        if relation is not None:
            keys = {getattr(row, relation.column) for row in rows if getattr(row, column) is None} - {None}
            if keys:
                missing.setdefault(relation.target, set()).update(keys)
    names = memory("unseen_names")
    for target, keys in missing.items():
        for key, found in row_names(current_app.appbuilder.session, target, keys).items():
            names[target, key] = title_in_words(registry[target], found.name, found.code)


def title_in_words(entity: EntityType, title: Any, otherwise: Any = "") -> str:
    """What a row is called, from its title's value; ``otherwise`` (its code) where that is empty."""
    value = in_words(entity.fields[entity.options.title], title)
    return str(otherwise) if value is None else str(fmt(value))


def name_of(row: Entity) -> str:
    """What a row is called, in the reader's language."""
    entity = registry.of(type(row))
    assert entity is not None
    return title_in_words(entity, getattr(row, entity.options.title), getattr(row, "code", row.id))


def show_url(entity_code: str, key: int) -> str | None:
    """The address of a row's page, None if the entity has none."""
    return _url(entity_code, "show", pk=key)


def edit_url(entity_code: str, key: int) -> str | None:
    """The address of a row's form, None if the entity has none."""
    return _url(entity_code, "edit", pk=key)


def list_url(entity_code: str) -> str | None:
    """The address of an entity's list, None if it has none."""
    return _url(entity_code, "list")


def add_url(entity_code: str, **given: Any) -> str | None:
    """The address of the form for a new row, with some columns filled in; None if the entity has no such form."""
    return _url(entity_code, "add", **{f"_flt_0_{column}": value for column, value in given.items()})


def _url(entity_code: str, page: str, **arguments: Any) -> str | None:
    endpoint = f"{class_name(entity_code)}View.{page}"
    return url_for(endpoint, **arguments) if endpoint in current_app.view_functions else None
