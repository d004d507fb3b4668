"""Restricted columns are not there for whoever has no clearance: neither their values nor their headings and fields.

FAB keeps a view's columns and forms for everybody; here each reader gets their own part of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import has_request_context
from flask_appbuilder.forms import DynamicForm

from app.access.field_access import may_see
from app.entity.registry import EntityType

from .columns import field_of
from .filters import ANY_TEXT
from .memory import clearance


class SeenColumns:
    """Descriptor for a view's ``list_columns`` and the like: inside of a request those that the reader may see. What
    FAB sets at start, which is the same again, is passed over."""

    def __init__(self, entity: EntityType, columns: Iterable[str]) -> None:
        self.columns = [*columns]
        self.restricted = {
            column: field
            for column in self.columns
            if column != ANY_TEXT and (field := field_of(entity, column)).options.restricted
        }

    def __get__(self, view: Any, owner: type | None = None) -> list[str]:
        if not self.restricted or not has_request_context():
            return self.columns
        held = clearance()
        return [name for name in self.columns if name not in self.restricted or may_see(self.restricted[name], held)]

    def __set__(self, view: Any, columns: Any) -> None:
        pass


class SeenForm(DynamicForm):
    """A form without the fields that are not there for the reader."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        for field in [*self]:
            declared = getattr(field, "declared", None)
            if declared is not None and declared.options.restricted and not may_see(declared, clearance()):
                del self[field.name]
