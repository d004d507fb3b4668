"""Which columns of an entity stand where, in which order."""

from __future__ import annotations

from typing import Any

from app.entity.registry import EntityType, Field, FieldKind, registry

from .filters import ANY_TEXT, comparisons, searched_fields

CHOSEN_KINDS = (FieldKind.CODE, FieldKind.BOOLEAN, FieldKind.REFERENCE)
UNSORTED_KINDS = (FieldKind.LONG_TEXT,)


def column_of(entity: EntityType, field_name: str) -> str:
    """The name a field goes by in views: that of its relation for a reference, else its own."""
    if entity.fields[field_name].kind is FieldKind.REFERENCE:
        return field_name.removesuffix("_id")
    return field_name


def field_of(entity: EntityType, column: str) -> Field:
    """The field behind a view's column. Raises KeyError."""
    relation = entity.relations.get(column)
    return entity.fields[relation.column if relation else column]


def all_columns(entity: EntityType) -> list[str]:
    """Every readable column, the title first."""
    title = column_of(entity, entity.options.title)
    return [title, *(name for name in (column_of(entity, field) for field in entity.fields) if name != title)]


def list_columns(entity: EntityType) -> list[str]:
    """The columns of lists: the title, then what is listed."""
    title, *others = all_columns(entity)
    return [title, *(name for name in others if field_of(entity, name).options.listed)]


def form_columns(entity: EntityType) -> list[str]:
    """What people fill in, in the order of declaration."""
    return [column_of(entity, name) for name, field in entity.fields.items() if field.options.editable]


def search_columns(entity: EntityType) -> list[str]:
    """What lists can be narrowed by: the search box, the quick filters, and every other readable field."""
    quick = quick_filters(entity)
    others = [name for name in all_columns(entity) if name not in quick and comparisons(entity, name)]
    return [*([ANY_TEXT] if searched_fields(entity) else []), *quick, *others]


def quick_filters(entity: EntityType) -> list[str]:
    """The filters that always stand above a list: the organization and what is declared ``filtered``, four at most
    and one of those that need a comparison as well (dates, numbers), so that they stand in one row."""
    owner = entity.options.owner
    first = [owner] if owner in entity.relations else []
    declared = [column_of(entity, name) for name, field in entity.fields.items() if field.options.filtered]
    offered = [name for name in declared if name not in first and comparisons(entity, name)]
    simple = [name for name in offered if field_of(entity, name).kind in CHOSEN_KINDS]
    ranged = [name for name in offered if name not in simple][: 1 if len(simple) < 3 else 0]
    return [*first, *simple, *ranged][:4]


def order_columns(entity: EntityType) -> list[str]:
    """What lists can be sorted by: own columns, and relations by the title of the other row. Personal fields, which
    are shown masked, would be read off their order."""
    return [name for name in all_columns(entity) if _sortable(entity, name)]


def _sortable(entity: EntityType, column: str) -> bool:
    field = field_of(entity, column)
    if column in entity.relations:
        target = registry.get(entity.relations[column].target)
        return target is not None and _sortable(target, column_of(target, target.options.title))
    return field.kind not in UNSORTED_KINDS and not field.options.personal


def default_order(entity: EntityType) -> tuple[str, str]:
    """The order of lists when none is asked for: column and ``asc`` or ``desc``."""
    declared = entity.options.order_by or entity.options.title
    return column_of(entity, declared.removeprefix("-")), "desc" if declared.startswith("-") else "asc"


def title_of(row: Any) -> Any:
    """The value that names a row: text, a date, a period or a code."""
    return getattr(row, row.__entity__.title)
