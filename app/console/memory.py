"""What is worth remembering until the answer is sent."""

from __future__ import annotations

from typing import Any

from flask import current_app, has_request_context, request

from app.access.field_access import Clearance, seen_by
from app.entity.registry import EntityType


def clearance() -> Clearance:
    """The restricted classes of fields that the reader may see, asked once a request; none outside of one."""
    if not has_request_context():
        return frozenset()
    known = memory("clearance")
    if "" not in known:
        found = current_app.appbuilder.sm.clearance()
        if current_app.appbuilder.sm.current_user is None:
            return found  # whoever comes with a token is nobody until it has been read
        known[""] = found
    return known[""]


def seen(entity: EntityType) -> EntityType:
    """The entity as it is for the reader of this request: without the fields that are restricted to others."""
    return seen_by(entity, clearance())


def memory(name: str) -> dict[Any, Any]:
    """A dictionary of this request. It hangs on the request itself and not on ``flask.g``, which requests inside one
    application context share."""
    return request.environ.setdefault(f"beacon.{name}", {})
