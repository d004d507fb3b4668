"""Bulk edit of a generated list: choose the columns, see what would change, change it.

A mixin of ``ConsoleModelView``; the routes lie below ``/records/<entity>/``.
"""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.actions import action as bulk_action
from flask_appbuilder.urltools import get_filter_args
from sqlalchemy import select

from app.entity.labels import Label, UserError
from app.entity.registry import Entity, EntityType

from .. import relations
from ..display import in_words, shown
from ..forms import edit_form
from ..memory import seen
from ..presentation import fmt, t, text
from ..saving import save_all
from ..values import identifier
from .bulk_edit import MOST_ROWS, bulk_columns, set_values, try_out

BULK_EDIT = Label("批量修改", "Edit selected")
MOST_SHOWN = 50
"""Rows of a preview that are shown one by one."""


class BulkEditRoutes:
    """One change to many rows."""

    entity: EntityType
    datamodel: Any
    bulk_template = "beacon/bulk_edit.html"

    def bulk_all_url(self, count: int) -> str | None:
        """Where every row of the present list is changed at once, if it has more than a page and not too many."""
        if not self.page_size < count <= MOST_ROWS:
            return None
        return f"{url_for(f'{self.endpoint}.bulk_edit_all')}?{request.query_string.decode()}"

    @bulk_action("bulk_edit", BULK_EDIT, "", "fa-pen", single=False)
    def bulk_edit(self, rows: list[Entity]) -> Any:
        """From the list: which columns of the chosen rows shall change?"""
        return self._bulk_page([row.id for row in rows])

    @expose("/bulk_edit/all", methods=["GET"])
    @has_access
    def bulk_edit_all(self) -> Any:
        """The same for every row under the filters of this address, as far as one change may reach."""
        get_filter_args(self._filters)
        filters = self._filters.get_joined_filters(self._base_filters)
        statement = filters.apply_all(select(self.entity.model.id)).order_by(self.entity.model.id).limit(MOST_ROWS + 1)
        keys = list(self.datamodel.session.scalars(statement))
        if not keys:
            abort(404)
        if len(keys) > MOST_ROWS:
            flash(
                t(
                    f"一次最多修改 {MOST_ROWS} 条：请加条件缩小范围，更多的请用导入",
                    f"At most {MOST_ROWS} at once: narrow the list with filters, or use an import for more",
                ),
                "warning",
            )
            return redirect(f"{url_for(f'{self.endpoint}.list')}?{request.query_string.decode()}")
        return self._bulk_page(keys)

    def _bulk_page(self, keys: list[int], form: Any = None, **context: Any) -> Any:
        form = form if form is not None else self._bulk_form()(formdata=None)
        chosen = context.pop("chosen", [])
        return self.render_template(
            self.bulk_template,
            title=text(BULK_EDIT),
            keys=keys,
            form=form,
            columns=bulk_columns(seen(self.entity)),
            chosen=chosen,
            measure=text(self.measure),
            list_url=url_for(f"{self.endpoint}.list"),
            action_url=url_for(f"{self.endpoint}.bulk_change"),
            most_shown=MOST_SHOWN,
            **context,
        )

    def _bulk_form(self) -> Any:
        return edit_form(self.entity, is_new=False)

    @expose("/bulk_edit", methods=["POST"])
    @has_access
    def bulk_change(self) -> Any:
        """Try the change out and show what it would do; with ``confirmed`` make it, all of it or nothing."""
        keys = [key for key in map(identifier, request.form.getlist("rowid")[:MOST_ROWS]) if key]
        rows = self._rows_of(keys)
        form, chosen = (
            self._bulk_form()(),
            [c for c in bulk_columns(seen(self.entity)) if c in request.form.getlist("set")],
        )
        if not chosen:
            flash(t("请先勾选要修改的项目", "Tick what shall change first"), "warning")
            return self._bulk_page(keys, form)
        for name in [field.name for field in form if field.name not in (*chosen, "csrf_token")]:
            del form[name]
        if not form.validate():
            full = self._bulk_form()()
            full.validate()
            for field in full:
                if field.name not in chosen:
                    field.errors = []
            return self._bulk_page(keys, full, chosen=chosen)
        values = {column: form[column].data for column in chosen}
        session = self.datamodel.session
        preview = try_out(
            session, self.entity, rows, values, lambda row, column: fmt(shown(self.entity, row, column, linked=False))
        )
        if "confirmed" in request.form and preview.changing:
            return self._change([change.row_id for change in preview.changing], values)
        words = [(text(self.label_columns.get(column)), self._in_words(column, values[column])) for column in chosen]
        return self._bulk_page(keys, form, chosen=chosen, preview=preview, words=words)

    def _change(self, keys: list[int], values: dict[str, Any]) -> Any:
        rows = self._rows_of(keys)
        try:
            for row in rows:
                set_values(self.entity, row, values)
            save_all(self.datamodel.session, self.entity, rows)
        except UserError as error:
            self.datamodel.session.rollback()
            flash(t("一条也没有修改：", "Nothing was changed: ") + text(error.label), "danger")
        else:
            number, measure = len(rows), text(self.measure)
            flash(t(f"已修改 {number} {measure}", f"Changed {number} {measure}"), "success")
        return redirect(url_for(f"{self.endpoint}.list"))

    def _rows_of(self, keys: list[int]) -> list[Entity]:
        model = self.entity.model
        rows = list(self.datamodel.session.scalars(select(model).where(model.id.in_(keys)).order_by(model.id)))
        return rows or abort(404)

    def _in_words(self, column: str, value: Any) -> str:
        relation = self.entity.relations.get(column)
        if relation is None:
            return fmt(in_words(self.entity.fields[column], value))
        if value is None:
            return fmt(None)
        found = relations.find(relation.target, [value]).get(value)
        return found.name if found else fmt(None)
