"""Links on a record's page to what else can be had of it, such as a filled form. A module that has one says so::

record_link("performance_target", Label("导出申报表", "Export the form"), "PerformanceFormPage.download", PERMISSION)
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, url_for

from app.access.permissions import Permission
from app.entity.labels import Label


@dataclass(frozen=True)
class RecordLink:
    label: Label
    url: str


_declared: dict[str, list[tuple[Label, str, Permission]]] = {}


def record_link(entity: str, label: Label, endpoint: str, permission: Permission) -> None:
    """Offer an endpoint, which takes the record's ``pk``, on the page of each record of an entity."""
    _declared.setdefault(entity, []).append((label, endpoint, permission))


def links_of(entity: str, key: int) -> list[RecordLink]:
    """Those of a record that the present user may follow."""
    may = current_app.appbuilder.sm.has_access
    return [
        RecordLink(label, url_for(endpoint, pk=key))
        for label, endpoint, permission in _declared.get(entity, ())
        if may(*permission)
    ]
