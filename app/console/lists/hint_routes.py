"""What a generated list and its forms look up while one works: counts at quick filters, likely duplicates.

A mixin of ``ConsoleModelView``; the routes lie below ``/records/<entity>/`` and answer JSON.
"""

from __future__ import annotations

from typing import Any

from flask import jsonify, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.urltools import get_filter_args

from app.entity.registry import Entity, EntityType

from ..columns import all_columns
from ..display import name_of, show_url, shown
from ..presentation import fmt
from ..values import Unreadable, identifier, parse
from .facets import counted_columns, counts
from .likeness import alike, alike_columns


class HintRoutes:
    """Small answers to scripts."""

    entity: EntityType
    datamodel: Any

    def counts_url(self) -> str:
        """Where the present list's counts are, under its own filters."""
        return f"{url_for(f'{self.endpoint}.counts')}?{request.query_string.decode()}"

    def alike_url(self) -> str:
        return url_for(f"{self.endpoint}.alike")

    @expose("/counts", methods=["GET"])
    @has_access
    def counts(self) -> Any:
        """``{column: {choice: rows}}`` for the quick filters, under the filters of this address."""
        get_filter_args(self._filters)
        filters = self._filters.get_joined_filters(self._base_filters)
        found = counts(self.datamodel.session, self.entity, filters, counted_columns(self.entity, self.quick_filters))
        answer = jsonify(found)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @expose("/alike", methods=["POST"])
    @has_access
    def alike(self) -> Any:
        """``[{name, hint, url}]``: rows in sight that look like the one being entered."""
        values: dict[str, Any] = {}
        for name in alike_columns(self.entity):
            try:
                values[name] = parse(self.entity, self.entity.fields[name], request.form.get(name, ""))
            except Unreadable:
                values[name] = None
        rows = alike(self.datamodel.session, self.entity, values, identifier(request.form.get("row_id")))
        answer = jsonify([self._hint(row) for row in rows])
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _hint(self, row: Entity) -> dict[str, str]:
        columns = [column for column in self.list_columns[1:4] if column in all_columns(self.entity)]
        words = [fmt(shown(self.entity, row, column, linked=False)) for column in columns]
        return {"name": name_of(row), "hint": " · ".join(words), "url": show_url(self.entity.code, row.id) or ""}
