"""The rows that a relation field can hold, found as one types: ``/options/<entity>?q=words`` and ``?id=5``."""

from __future__ import annotations

from typing import Any

from flask import abort, jsonify, request
from flask_appbuilder import BaseView, expose

from app.access.predicates import Purpose
from app.entity.registry import EntityType, registry
from app.entity.visibility import Visibility

from .permissions import may
from .relations import Choice, find, search
from .values import identifier


class Options(BaseView):
    """Open to whoever may list the entity, and to whoever fills in a form that refers to it. What they find is what
    they see, or with a form what they may refer to: a name and a code, no more."""

    route_base = "/options"
    default_view = "find"

    @expose("/<entity>", methods=["GET"])
    def find(self, entity: str) -> Any:
        """At most 20 choices ``{value, text, hint}``."""
        described = registry.get(entity)
        if described is None:
            abort(404)
        purpose = _party(described) if request.args.get("party") else _purpose(described)
        if purpose is None:
            abort(403)
        if "id" in request.args:
            key = identifier(request.args["id"])
            found = list(find(entity, [key], purpose).values()) if key else []
        else:
            found = search(entity, request.args.get("q", ""), purpose)
        answer = jsonify([_option(choice) for choice in found])
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _party(target: EntityType) -> Purpose | None:
    """For a form that names a party: any organization, by name and code, to whoever may fill in such a form."""
    for entity in registry:
        parties = entity.options.parties if entity.options.visibility is Visibility.PARTIES else ()
        leads_here = any(entity.relations[name].target == target.code for name in parties)
        if leads_here and (may("add", entity) or may("edit", entity)):
            return Purpose.PARTY
    return None


def _purpose(target: EntityType) -> Purpose | None:
    """What the reader wants these rows for; None if for nothing they may do."""
    for entity in registry:
        if entity.relations_to(target.code) and (may("add", entity) or may("edit", entity)):
            return Purpose.REFER
    return Purpose.READ if may("list", target) else None


def _option(choice: Choice) -> dict[str, str]:
    hint = " · ".join(part for part in (choice.code, choice.hint) if part and part != choice.name)
    return {"value": str(choice.id), "text": choice.name, "hint": hint}
