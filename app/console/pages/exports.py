"""Exports: any list as a file, asked for with a purpose, and the files of whoever asked."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, request, send_file, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import select
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from app.access.audit import AuditAction, record
from app.access.masking import LONGEST_PURPOSE
from app.access.permissions import EXPORT, EXPORTS, class_name
from app.database.clock import now
from app.entity.labels import Label, UserError
from app.entity.registry import EntityType, registry
from app.exchange import exports
from app.exchange.exporting import list_columns as export_columns
from app.exchange.models import Export, ExportState
from app.jobs import queue

from ..columns import all_columns, list_columns
from ..display import list_url
from ..interface import EntityInterface
from ..list_address import filters_of, kept
from ..memory import seen
from ..permissions import may
from ..presentation import language, text
from ..related import plural
from .context import Page

RECENT = 50
KINDS = (
    ("xlsx", Label("Excel 工作簿", "Excel workbook")),
    ("csv", Label("CSV", "CSV")),
    ("json", Label("JSON（供程序读取）", "JSON (for programs)")),
)
KIND_WORDS = dict(KINDS)


class ExportsPage(Page):
    """我的导出."""

    route_base = "/exports"
    default_view = "show"
    class_permission_name = EXPORTS.page
    method_permission_name = dict.fromkeys(("show", "start", "ask", "progress", "fetch", "delete"), "list")

    @expose("/")
    @has_access
    def show(self) -> str:
        self.update_redirect()
        return self.render_template("beacon/exports.html", title=Label("我的导出", "My exports"), **self._own_exports())

    @expose("/progress")
    @has_access
    def progress(self) -> str:
        return self.render_template("beacon/exports_rows.html", **self._own_exports())

    @expose("/new/<entity>")
    @has_access
    def start(self, entity: str) -> str:
        return self._start(_entity(entity), kept(request.query_string.decode("utf-8", "replace")))

    def _start(self, entity: EntityType, conditions: str, problem: Label | None = None) -> str:
        interface = EntityInterface(entity.model, self.session)
        filters = filters_of(interface, conditions)
        asked = request.form.getlist("column") or request.args.getlist("column")
        chosen = [column.name for column in export_columns(entity, asked)] or list_columns(entity)
        others = [name for name in all_columns(entity) if name not in chosen]
        many = plural(entity)
        return self.render_template(
            "beacon/export_start.html",
            title=Label(f"导出{many.zh}", f"Export {many.en.lower()}"),
            ask_url=url_for("ExportsPage.ask", entity=entity.code),
            back_url=f"{list_url(entity.code)}?{conditions}",
            conditions=conditions,
            filters=[
                (_label(entity, column), word, self._values(entity, column, values))
                for column, word, values in filters.get_filters_values_tojson()
            ],
            count=interface.count(filters),
            measure=entity.options.measure,
            columns=[(name, _label(entity, name), name in chosen) for name in (*chosen, *others)],
            kinds=KINDS,
            kind=request.form.get("kind", "xlsx"),
            purpose=request.form.get("purpose", ""),
            longest=LONGEST_PURPOSE,
            days=exports.KEPT_DAYS,
            problem=problem,
        )

    def _values(self, entity: EntityType, column: str, values: list[str]) -> list[str]:
        """A condition's values as people say them."""
        relation = entity.relations.get(column)
        field = entity.fields.get(column)
        if relation is not None:
            target = registry[relation.target]
            model: Any = target.model
            ids = [int(value) for value in values if value.isdigit()]
            found = self.session.execute(
                select(model.id, getattr(model, target.options.title)).where(model.id.in_(ids))
            ).all()
            names = {str(row_id): str(getattr(title, "label", title)) for row_id, title in found}
            return [names.get(value, value) for value in values]
        if field is not None and field.code_list is not None:
            return [text(found.label) if (found := field.code_list.find(value)) else value for value in values]
        return values

    @expose("/new/<entity>", methods=["POST"])
    @has_access
    def ask(self, entity: str) -> str | Response:
        described = _entity(entity)
        conditions = kept(request.form.get("conditions", ""))
        try:
            export = exports.ask(
                self.session,
                self.actor,
                described,
                kind=request.form.get("kind", ""),
                conditions=conditions,
                columns=request.form.getlist("column"),
                purpose=request.form.get("purpose", ""),
                language=language(),
            )
        except UserError as problem:
            self.session.rollback()
            return self._start(described, conditions, problem.label)
        self.session.commit()
        export.job_id = queue.enqueue("write_export", export_id=export.id)
        self.session.commit()
        return redirect(url_for("ExportsPage.show"))

    @expose("/file/<token>")
    @has_access
    def fetch(self, token: str) -> Response:
        export = self.session.scalars(select(Export).where(Export.token == token)).one_or_none()
        actor = self.actor
        if export is None or not exports.is_open_to(export, actor) or _offered(export.entity) is None:
            raise NotFound
        path = exports.path_of(_data_dir(), export)
        if not path.is_file():
            raise NotFound
        record(
            self.session,
            actor,
            AuditAction.EXPORT_FETCHED,
            entity=export.entity,
            detail=f"#{export.id} {export.kind}",
            purpose=export.purpose,
        )
        self.session.commit()
        entity = registry[export.entity]
        name = f"{text(plural(entity))} {export.created_at:%Y-%m-%d %H%M}.{export.kind}"
        return send_file(path, as_attachment=True, download_name=name, max_age=0)

    @expose("/<int:export_id>/delete", methods=["POST"])
    @has_access
    def delete(self, export_id: int) -> Response:
        export = self.session.get(Export, export_id)
        if export is None or export.user_id != self.actor.user_id:
            raise NotFound
        path = exports.path_of(_data_dir(), export)
        self.session.delete(export)
        self.session.commit()
        path.unlink(missing_ok=True)
        flash(text(Label("已删除导出文件", "The file was deleted")))
        return redirect(url_for("ExportsPage.show"))

    def _own_exports(self) -> dict[str, Any]:
        own = select(Export).where(Export.user_id == self.actor.user_id).order_by(Export.id.desc()).limit(RECENT)
        rows = [self._row(export) for export in self.session.scalars(own)]
        return {
            "rows": rows,
            "at_work": any(row["at_work"] for row in rows),
            "progress_url": url_for("ExportsPage.progress"),
            "days": exports.KEPT_DAYS,
        }

    def _row(self, export: Export) -> dict[str, Any]:
        entity = registry.get(export.entity)
        is_open = exports.is_open_to(export, self.actor) and _offered(export.entity) is not None
        waits = export.state == ExportState.WAITING and not export.problem_zh
        job = queue.status(export.job_id) if waits and export.job_id else None
        over = export.state == ExportState.EXPIRED or (export.expires_at is not None and export.expires_at <= now())
        return {
            "label": plural(entity) if entity else Label(export.entity, export.entity),
            "kind": KIND_WORDS[export.kind],
            "purpose": export.purpose,
            "at": export.created_at,
            "rows": export.row_count,
            "kilobytes": -(-export.byte_count // 1024) if export.byte_count is not None else None,
            "url": url_for("ExportsPage.fetch", token=export.token) if is_open else None,
            "expires_at": export.expires_at,
            "is_over": over,
            "is_closed": export.state == ExportState.READY and not over and not is_open,
            "at_work": waits,
            "done": job.done if job else 0,
            "total": job.total if job else 0,
            "problem": Label(export.problem_zh, export.problem_en or "") if export.problem_zh else None,
            "delete_url": url_for("ExportsPage.delete", export_id=export.id),
        }


def export_url(entity: EntityType) -> str | None:
    """Where an export of an entity's list begins; None for whoever may not."""
    if _offered(entity.code) is None or not current_app.appbuilder.sm.has_access(*EXPORTS):
        return None
    return url_for("ExportsPage.start", entity=entity.code)


def _offered(code: str) -> EntityType | None:
    entity = registry.get(code)
    security = current_app.appbuilder.sm
    if entity is None or not may("list", entity) or not security.has_access(EXPORT, class_name(entity.code)):
        return None
    return seen(entity)


def _entity(code: str) -> EntityType:
    """An entity that the present user may export; 404 for others."""
    found = _offered(code)
    if found is None:
        raise NotFound
    return found


def _label(entity: EntityType, column: str) -> Label:
    relation, field = entity.relations.get(column), entity.fields.get(column)
    if relation is not None:
        return relation.label
    return field.label if field is not None else Label("查找", "Search")


def _data_dir() -> Any:
    return current_app.config["SETTINGS"].data_dir
