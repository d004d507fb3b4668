"""Saved views and chosen columns of a generated list: their routes, and what the strip above the list shows.

A mixin of ``ConsoleModelView``; the routes lie below ``/records/<entity>/``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access

from app.access.roles import role_label
from app.access.web_session import present_identity
from app.entity.registry import EntityType

from ..columns import all_columns
from ..memory import memory, seen
from ..presentation import t, text
from . import saved_views
from .addresses import COLUMNS, VIEW, chosen_columns, kept, written
from .displays import CALENDAR
from .models import SavedView
from .saved_views import Reader, ViewRefused


class SavedViewRoutes:
    """Lists as people like to see them."""

    entity: EntityType
    datamodel: Any

    def open_first_view(self) -> Any:
        """Where to go when a list is opened with nothing asked for: the reader's first view, if there is one."""
        if request.query_string:
            return None
        reader = _reader()
        first = reader and saved_views.first_of(self._offered(reader), reader)
        return redirect(self.view_url(first)) if first else None

    def _offered(self, reader: Reader) -> list[SavedView]:
        known = memory("saved_views")
        if self.entity.code not in known:
            known[self.entity.code] = saved_views.offered(self.datamodel.session, reader, self.entity.code)
        return known[self.entity.code]

    def view_url(self, view: SavedView) -> str:
        address = f"{view.address}&" if view.address else ""
        return f"{url_for(f'{self.endpoint}.list')}?{address}{VIEW}={view.id}"

    def list_views(self) -> dict[str, Any]:
        """What the strip of views above a list shows."""
        reader = _reader()
        present = written(kept(request.args.items(multi=True), type(self).__name__, self.search_columns))
        views = self._offered(reader) if reader else []
        active = next((view for view in views if str(view.id) == request.args.get(VIEW)), None)
        return {
            "views": [(view, self.view_url(view), bool(reader and view.user_id == reader.user_id)) for view in views],
            "active": active,
            "address": present,
            "is_own": bool(active and reader and active.user_id == reader.user_id),
            "save_url": url_for(f"{self.endpoint}.save_view"),
            "columns_url": url_for(f"{self.endpoint}.columns"),
            "delete_url": url_for(f"{self.endpoint}.delete_view", view_id=active.id) if active else "",
            "all_url": f"{url_for(f'{self.endpoint}.list')}?{VIEW}=",
            "roles": [(name, text(role_label(name))) for name in (reader.roles if reader else ())],
            "displays": self.display_choices(),
            "columns": self._column_choices() if self.display() != CALENDAR else [],
            "others": [(name, value) for name, value in request.args.items(multi=True) if name != COLUMNS],
        }

    def _column_choices(self) -> list[tuple[str, str, bool]]:
        chosen = self.chosen_columns()
        rest = [name for name in all_columns(seen(self.entity)) if name not in chosen]
        return [(name, text(self.label_columns.get(name)), name in chosen) for name in (*chosen[1:], *rest)]

    def chosen_columns(self) -> list[str]:
        """The columns that the present address asks for, or the usual ones."""
        return chosen_columns(request.args.get(COLUMNS, ""), all_columns(seen(self.entity)), self.list_columns)

    @expose("/columns", methods=["GET"])
    @has_access
    def columns(self) -> Any:
        """The list as it was, with the columns that were ticked, in the order they stand in."""
        others = [(name, value) for name, value in request.args.items(multi=True) if name != "column"]
        ticked = [name for name in request.args.getlist("column") if name in all_columns(seen(self.entity))]
        parameters = [*others, (COLUMNS, ",".join(ticked))] if ticked else others
        return redirect(f"{url_for(f'{self.endpoint}.list')}?{written(parameters) or VIEW + '='}")

    @expose("/views/save", methods=["POST"])
    @has_access
    def save_view(self) -> Any:
        reader = _reader() or abort(403)
        given = request.form
        address = written(kept(parse_qsl(given.get("address", "")), type(self).__name__, self.search_columns))
        session = self.datamodel.session
        try:
            view = saved_views.save(
                session,
                reader,
                self.entity.code,
                given.get("name", ""),
                address,
                shared_with=given.get("role", ""),
                opens_first="opens_first" in given,
            )
            session.commit()
        except ViewRefused as error:
            session.rollback()
            flash(text(error.label), "danger")
            return redirect(f"{url_for(f'{self.endpoint}.list')}?{address or VIEW + '='}")
        flash(t(f"已保存视图“{view.name}”", f"Saved the view “{view.name}”"), "success")
        return redirect(self.view_url(view))

    @expose("/views/<int:view_id>/delete", methods=["POST"])
    @has_access
    def delete_view(self, view_id: int) -> Any:
        reader = _reader() or abort(403)
        session = self.datamodel.session
        if not saved_views.remove(session, reader, self.entity.code, view_id):
            session.rollback()
            abort(404)
        session.commit()
        flash(t("已删除视图", "View deleted"), "success")
        return redirect(f"{url_for(f'{self.endpoint}.list')}?{VIEW}=")


def _reader() -> Reader | None:
    found = present_identity()
    if found is None or found.actor.user_id is None:
        return None
    return Reader(found.actor.user_id, tuple(sorted(found.role_names)))
