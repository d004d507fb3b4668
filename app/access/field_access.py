"""Which fields a role may see at all: the one decision for API, console, files and everything else that shows values.

A field is declared ``restricted="<class>"`` (``app.entity.fields``); a role sees it if it holds ``permissions.see`` of
that class (``roles.py``). For whoever does not, the field is not there: not in results, filters, sorting, search,
groups, forms, files or descriptions. Masking is another matter: a masked field is there, and shown in part.

A *clearance* is the set of classes that somebody holds. Everything generated for a reader can be kept by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from app.entity.labels import Label
from app.entity.registry import EntityType, Field, registry

from .permissions import Permission, see

CLASSES: dict[str, Label] = {
    "income": Label("收入与党费基数", "Income and fee base"),
}
"""The restricted classes, by the name that fields give."""

Clearance = frozenset[str]

EVERYTHING: Clearance = frozenset(CLASSES)
"""The clearance of the system itself, and of whoever may do everything."""


def may_see(field: Field, clearance: Clearance) -> bool:
    """Whether a field is there for somebody of this clearance. A class that nobody declared is seen by nobody."""
    return field.options.restricted is None or field.options.restricted in clearance


def seen_by(entity: EntityType, clearance: Clearance) -> EntityType:
    """The entity as it is for somebody of this clearance: without the fields and relations that are not there for
    them. The same object where nothing is restricted. Whatever is generated from a declaration (columns, filters,
    forms, schemas, files) is generated from this one instead."""
    if clearance >= EVERYTHING:
        return entity
    return _seen(entity.model, entity.code, clearance, registry.version)


@lru_cache(maxsize=1024)
def _seen(model: type, code: str, clearance: Clearance, _version: int) -> EntityType:
    entity = registry.of(model) or registry[code]
    fields = {name: field for name, field in entity.fields.items() if may_see(field, clearance)}
    if len(fields) == len(entity.fields):
        return entity
    relations = {name: each for name, each in entity.relations.items() if each.column in fields}
    return replace(entity, fields=fields, relations=relations)


def clearance_of(permissions: Iterable[Permission | tuple[str, str]]) -> Clearance:
    """The clearance that a set of permissions gives."""
    held = set(permissions)
    return frozenset(name for name in CLASSES if tuple(see(name)) in held)
