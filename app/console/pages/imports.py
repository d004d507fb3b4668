"""Imports: a file's way into the records, step by step, each on one page that says what comes next."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

from flask import abort, current_app, flash, redirect, request, send_file, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import select
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from app.access.permissions import IMPORT
from app.entity.labels import Label, UserError
from app.entity.registry import EntityType, registry
from app.exchange import imports
from app.exchange.checking import Mode
from app.exchange.faulty_rows import write_faulty_rows
from app.exchange.headings import offered
from app.exchange.models import AT_WORK, Import, ImportState
from app.exchange.staging import RowState, opened
from app.exchange.templates import is_required, template
from app.jobs import queue
from app.jobs.state import Stage as JobStage

from ..display import list_url
from ..memory import seen
from ..permissions import may
from ..presentation import language, t, text
from ..related import plural
from .context import Page
from .import_rows import ROWS, StagedRows

RECENT = 30
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

WAYS = {
    Mode.UPSERT: (
        Label("新增和更新", "Add and update"),
        Label("编号已有的记录更新，其余新增", "Records whose code is there are changed, others added"),
    ),
    Mode.INSERT: (
        Label("只新增", "Add only"),
        Label("编号已有而内容不同的记录列为有误", "Records that are there and differ are faulty"),
    ),
    Mode.UPDATE: (
        Label("只更新", "Update only"),
        Label("没有找到的记录列为有误", "Records that are not found are faulty"),
    ),
}
STATES = {
    ImportState.UPLOADED: Label("待对应列", "To be matched"),
    ImportState.CHECKING: Label("核对中", "Being checked"),
    ImportState.CHECKED: Label("待提交", "To be saved"),
    ImportState.SAVING: Label("保存中", "Being saved"),
    ImportState.SAVED: Label("已导入", "Imported"),
    ImportState.UNDOING: Label("撤销中", "Being undone"),
    ImportState.UNDONE: Label("已撤销", "Undone"),
}
STEPS = (
    Label("上传文件", "Upload"),
    Label("对应列", "Match columns"),
    Label("核对", "Check"),
    Label("预览", "Preview"),
    Label("导入结果", "Receipt"),
)
STEP_OF = {
    ImportState.UPLOADED: 1,
    ImportState.CHECKING: 2,
    ImportState.CHECKED: 3,
    ImportState.SAVING: 3,
    ImportState.SAVED: 4,
    ImportState.UNDOING: 4,
    ImportState.UNDONE: 4,
}
ROW_STATES = {
    RowState.FAULTY: Label("有误", "Faulty"),
    RowState.NEW: Label("新增", "New"),
    RowState.CHANGED: Label("更新", "Changed"),
    RowState.UNCHANGED: Label("未变", "Unchanged"),
}
NO_FILE = Label("请选择要上传的文件", "Choose a file to upload")
MOVED_ON = Label("这次导入已有变动，请看现在的状态", "This import has moved on; here is how it stands")


class ImportsPage(Page):
    """导入."""

    route_base = "/imports"
    default_view = "show"
    class_permission_name = IMPORT.page
    method_permission_name = dict.fromkeys(
        ("show", "start", "upload", "template", "one", "progress", "columns", "back", "save", "undo", "resume",
         "faulty", "discard"),
        "list",
    )  # fmt: skip

    # --- the list, and the beginning ---

    @expose("/")
    @has_access
    def show(self) -> str:
        self.update_redirect()
        own = select(Import).where(Import.user_id == self.actor.user_id).order_by(Import.id.desc()).limit(RECENT)
        return self.render_template(
            "beacon/imports.html",
            title=Label("导入", "Imports"),
            entities=[
                (
                    plural(entity),
                    url_for("ImportsPage.start", entity=entity.code),
                    url_for("ImportsPage.template", code=entity.code),
                )
                for entity in importable()
            ],
            recent=[_row(taken) for taken in self.session.scalars(own)],
        )

    @expose("/new/<entity>")
    @has_access
    def start(self, entity: str) -> str:
        return self._start(_entity(entity))

    def _start(self, entity: EntityType, problem: Label | None = None) -> str:
        required = [text(label) for _, label, field, _ in offered(entity) if is_required(field)]
        ways = [
            (way.value, label, hint)
            for way, (label, hint) in WAYS.items()
            if (way is Mode.UPDATE or may("add", entity)) and (way is Mode.INSERT or may("edit", entity))
        ]
        return self.render_template(
            "beacon/import_start.html",
            title=Label(f"导入{plural(entity).zh}", f"Import {plural(entity).en.lower()}"),
            steps=_steps(0),
            upload_url=url_for("ImportsPage.upload", entity=entity.code),
            template_url=url_for("ImportsPage.template", code=entity.code),
            list_url=list_url(entity.code),
            ways=ways,
            way=request.form.get("way", ways[0][0]),
            required=required,
            problem=problem,
            days=imports.KEPT_DAYS,
        )

    @expose("/new/<entity>", methods=["POST"])
    @has_access
    def upload(self, entity: str) -> str | Response:
        described = _entity(entity)
        given = request.files.get("file")
        if given is None or not given.filename:
            return self._start(described, NO_FILE)
        try:
            way = Mode(request.form.get("way", ""))
        except ValueError:
            abort(400)
        actor = self.actor
        try:
            taken = imports.upload(
                self.session, _data_dir(), actor.user_id, described, way, given.filename, given.stream
            )
        except UserError as problem:
            return self._start(described, problem.label)
        return redirect(url_for("ImportsPage.one", import_id=taken.id))

    @expose("/template/<code>.xlsx")
    @has_access
    def template(self, code: str) -> Response:
        entity = _entity(code)
        name = Label(f"{entity.label.zh}导入模板.xlsx", f"{entity.label.en} template.xlsx")
        content = io.BytesIO(template(entity, language()))
        return send_file(content, mimetype=XLSX, as_attachment=True, download_name=text(name))

    # --- one import ---

    @expose("/<int:import_id>/")
    @has_access
    def one(self, import_id: int) -> str:
        taken, entity = self._own(import_id)
        self.update_redirect()
        context = self._progress(taken, entity) | {
            "title": Label(f"导入{plural(entity).zh}", f"Import {plural(entity).en.lower()}"),
            "steps": _steps(STEP_OF[ImportState(taken.state)]),
            "way": WAYS[Mode(taken.way)][0],
            "list_url": list_url(entity.code),
            "start_url": url_for("ImportsPage.start", entity=entity.code),
        }
        if taken.state == ImportState.UPLOADED:
            context |= self._columns(taken, entity)
        elif taken.state in (ImportState.CHECKED, ImportState.SAVED, ImportState.UNDONE):
            context |= self._rows(taken, entity)
        return self.render_template("beacon/import.html", **context)

    @expose("/<int:import_id>/progress")
    @has_access
    def progress(self, import_id: int) -> str | Response:
        taken, entity = self._own(import_id)
        answer = self.render_template("beacon/import_progress.html", **self._progress(taken, entity))
        if taken.state in AT_WORK and not taken.problem_zh:
            return answer
        # The step is done: the whole page is another one now.
        response = current_app.make_response(answer)
        response.headers["HX-Redirect"] = url_for("ImportsPage.one", import_id=taken.id)
        return response

    @expose("/<int:import_id>/columns", methods=["POST"])
    @has_access
    def columns(self, import_id: int) -> Response:
        taken, entity = self._own(import_id)
        fields = {
            int(name.removeprefix("column-")): value
            for name, value in request.form.items()
            if name.startswith("column-") and name[7:].isdigit() and value
        }
        if taken.state != ImportState.UPLOADED:
            flash(text(MOVED_ON), "warning")
            return self._back(taken)
        try:
            imports.choose(taken, entity, fields)
        except UserError as problem:
            self.session.rollback()
            flash(text(problem.label), "danger")
            return self._back(taken)
        self.session.commit()
        return self._ask(taken, (ImportState.UPLOADED,), ImportState.CHECKING)

    @expose("/<int:import_id>/back", methods=["POST"])
    @has_access
    def back(self, import_id: int) -> Response:
        """Match the columns anew."""
        taken, _ = self._own(import_id)
        if taken.state == ImportState.CHECKED:
            taken.state, taken.problem_zh, taken.problem_en = ImportState.UPLOADED, None, None
            self.session.commit()
        return self._back(taken)

    @expose("/<int:import_id>/save", methods=["POST"])
    @has_access
    def save(self, import_id: int) -> Response:
        taken, _ = self._own(import_id)
        return self._ask(taken, (ImportState.CHECKED,), ImportState.SAVING)

    @expose("/<int:import_id>/undo", methods=["POST"])
    @has_access
    def undo(self, import_id: int) -> Response:
        taken, _ = self._own(import_id)
        return self._ask(taken, (ImportState.SAVED,), ImportState.UNDOING)

    @expose("/<int:import_id>/resume", methods=["POST"])
    @has_access
    def resume(self, import_id: int) -> Response:
        """Ask once more for the step that was interrupted."""
        taken, _ = self._own(import_id)
        if taken.state not in AT_WORK:
            return self._back(taken)
        state = ImportState(taken.state)
        return self._ask(taken, (state,), state)

    @expose("/<int:import_id>/discard", methods=["POST"])
    @has_access
    def discard(self, import_id: int) -> Response:
        """Drop an import of which nothing has been saved."""
        taken, _ = self._own(import_id)
        if taken.state in (ImportState.UPLOADED, ImportState.CHECKED):
            imports.discard(self.session, _data_dir(), taken)
            flash(t("已放弃这次导入，没有写入任何数据", "Dropped; nothing was written"))
        return redirect(url_for("ImportsPage.show"))

    @expose("/<int:import_id>/faulty.xlsx")
    @has_access
    def faulty(self, import_id: int) -> Response:
        taken, _ = self._own(import_id)
        folder = imports.folder_of(_data_dir(), taken)
        path = folder / "faulty.xlsx"
        with self._stage(taken) as stage:
            if not write_faulty_rows(path, imports.heading_of(taken), stage, language()):
                raise NotFound
        path.chmod(0o600)
        content = io.BytesIO(path.read_bytes())
        path.unlink(missing_ok=True)
        stem = taken.file_name.rsplit(".", 1)[0]
        name = text(Label(f"{stem}（有误的行）.xlsx", f"{stem} (faulty rows).xlsx"))
        return send_file(content, mimetype=XLSX, as_attachment=True, download_name=name)

    # --- what they share ---

    def _own(self, import_id: int) -> tuple[Import, EntityType]:
        """An import of whoever asks, of records that they may still import; 404 for any other."""
        taken = self.session.get(Import, import_id)
        if taken is None or taken.user_id != self.actor.user_id:
            raise NotFound
        return taken, _entity(taken.entity)

    def _ask(self, taken: Import, before: tuple[ImportState, ...], step: ImportState) -> Response:
        if not imports.ask_for(self.session, taken, before, step):
            flash(text(MOVED_ON), "warning")
            return self._back(taken)
        taken.job_id = queue.enqueue(imports.JOBS[step], import_id=taken.id)
        self.session.commit()
        return self._back(taken)

    def _back(self, taken: Import) -> Response:
        return redirect(url_for("ImportsPage.one", import_id=taken.id))

    def _stage(self, taken: Import) -> Any:
        return opened(imports.folder_of(_data_dir(), taken) / imports.ROWS)

    def _progress(self, taken: Import, entity: EntityType) -> dict[str, Any]:
        job = queue.status(taken.job_id) if taken.job_id and taken.state in AT_WORK else None
        problem = Label(taken.problem_zh, taken.problem_en or "") if taken.problem_zh else None
        is_stuck = taken.state in AT_WORK and (
            problem is not None or (job is not None and job.stage in (JobStage.FAILED, JobStage.DONE))
        )
        counts = {
            "new": taken.new_count,
            "changed": taken.changed_count,
            "unchanged": taken.unchanged_count,
            "faulty": taken.faulty_count,
        }
        urls = {
            name: url_for(f"ImportsPage.{name}", import_id=taken.id)
            for name in ("progress", "columns", "back", "save", "undo", "resume", "discard", "faulty")
        }
        return {
            "taken": taken,
            "state": taken.state,
            "state_word": STATES[ImportState(taken.state)],
            "at_work": taken.state in AT_WORK,
            "is_stuck": is_stuck,
            "done": job.done if job else 0,
            "total": job.total if job else 0,
            "problem": problem,
            "counts": counts,
            "urls": urls,
            "measure": entity.options.measure,
            "many": plural(entity),
            "days": imports.KEPT_DAYS,
        }

    def _columns(self, taken: Import, entity: EntityType) -> dict[str, Any]:
        chosen = imports.fields_of(taken)
        return {
            "matched": [
                (position, heading, chosen.get(position, ""))
                for position, heading in enumerate(imports.heading_of(taken))
                if heading
            ],
            "fields": [(field.name, label, is_required(field)) for _, label, field, _ in offered(entity)],
            "missing": [
                text(label)
                for _, label, field, _ in offered(entity)
                if is_required(field) and field.name not in chosen.values()
            ],
        }

    # --- preview and receipt ---

    def _rows(self, taken: Import, entity: EntityType) -> dict[str, Any]:
        """One page of the rows of a state: as the reader asked, else those that need attention."""
        counts = {
            RowState.FAULTY: taken.faulty_count,
            RowState.NEW: taken.new_count,
            RowState.CHANGED: taken.changed_count,
            RowState.UNCHANGED: taken.unchanged_count,
        }
        offered_states = [state for state in ROW_STATES if counts[state]]
        if taken.state != ImportState.CHECKED:
            offered_states = [state for state in offered_states if state is RowState.FAULTY]
        chosen = next((s for s in offered_states if s.value == request.args.get("rows")), None)
        chosen = chosen or (offered_states[0] if offered_states else None)
        tabs = [
            (ROW_STATES[s], counts[s], url_for("ImportsPage.one", import_id=taken.id, rows=s.value), s is chosen)
            for s in offered_states
        ]
        if chosen is None:
            return {"tabs": [], "rows": [], "pages": None, "rows_state": None, "heading": []}
        total = counts[chosen]
        last = max(1, -(-total // ROWS))
        number = min(max(request.args.get("page", 1, type=int), 1), last)
        with suppress(FileNotFoundError), self._stage(taken) as stage:
            shown = StagedRows(self.session, entity, taken)
            rows = shown.page(stage, chosen, number)
            return {
                "tabs": tabs,
                "rows": rows,
                "rows_state": chosen.value,
                "heading": shown.heading,
                "pages": {
                    "page": number,
                    "pages": last,
                    "total": total,
                    "first": (number - 1) * ROWS + 1,
                    "last": min(number * ROWS, total),
                    "url": lambda page: url_for("ImportsPage.one", import_id=taken.id, rows=chosen.value, page=page),
                },
            }
        return {"tabs": [], "rows": [], "pages": None, "rows_state": None, "heading": [], "cleared": True}


def importable() -> list[EntityType]:
    """The entities of which the present user may import anything."""
    return [
        entity for entity in registry if not entity.options.read_only and (may("add", entity) or may("edit", entity))
    ]


def import_url(entity: EntityType) -> str | None:
    """Where an import of an entity begins; None for whoever may not."""
    if entity.options.read_only or not (may("add", entity) or may("edit", entity)):
        return None
    if not current_app.appbuilder.sm.has_access(*IMPORT):
        return None
    return url_for("ImportsPage.start", entity=entity.code)


def _entity(code: str) -> EntityType:
    """An entity that the present user may import; 404 for others."""
    found = registry.get(code)
    if found is None or found not in importable():
        raise NotFound
    return seen(found)


def _steps(present: int) -> list[tuple[Label, str]]:
    return [
        (label, "done" if place < present else "here" if place == present else "") for place, label in enumerate(STEPS)
    ]


def _row(taken: Import) -> dict[str, Any]:
    entity = registry.get(taken.entity)
    return {
        "name": taken.file_name,
        "entity": plural(entity) if entity else Label(taken.entity, taken.entity),
        "at": taken.created_at,
        "state": STATES[ImportState(taken.state)],
        "at_work": taken.state in AT_WORK,
        "counts": (taken.new_count, taken.changed_count, taken.faulty_count),
        "url": url_for("ImportsPage.one", import_id=taken.id) if entity in importable() else None,
    }


def _data_dir() -> Any:
    return current_app.config["SETTINGS"].data_dir
