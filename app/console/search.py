"""The search field of the top bar: organizations and members by name or code."""

from __future__ import annotations

from typing import Any

from flask import abort, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import no_cache
from flask_login import current_user

from app.access.predicates import Purpose
from app.entity.registry import EntityType, registry

from .display import show_url
from .filters import ANY_TEXT
from .permissions import class_name, may
from .presentation import t
from .related import plural
from .relations import MOST_CHOICES, search


class Search(BaseView):
    """Looks into the entities that people know by name; shows the first of each, and the way to the whole list."""

    route_base = "/search"
    default_view = "show"

    @expose("/", methods=["GET"])
    @no_cache
    def show(self) -> Any:
        if not current_user.is_authenticated:
            abort(401)
        words = request.args.get("q", "").strip()
        found = [self._found(entity, words) for entity in _by_name()] if words else []
        return self.render_template(
            "beacon/search.html", title=t("查找", "Search"), words=words, found=[part for part in found if part["rows"]]
        )

    @staticmethod
    def _found(entity: EntityType, words: str) -> dict[str, Any]:
        rows = search(entity.code, words, Purpose.READ)
        list_url = url_for(f"{class_name(entity.code)}View.list", **{f"_flt_0_{ANY_TEXT}": words})
        return {
            "title": plural(entity),
            "rows": [(row, show_url(entity.code, row.id) if may("show", entity) else None) for row in rows],
            "more_url": list_url if len(rows) == MOST_CHOICES else None,
        }


def _by_name() -> list[EntityType]:
    return [
        entity for entity in registry if "self" in (entity.options.owner, entity.options.person) and may("list", entity)
    ]
