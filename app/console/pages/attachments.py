"""A record's files: on its page, to be added, fetched and removed by whoever may do so with the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, flash, redirect, request, send_file, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import select
from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.wrappers import Response

from app.access.bulk_check import BulkCheck
from app.access.permissions import class_name
from app.domains.attachments import operations
from app.domains.attachments.contents import ACCEPTED, LARGEST
from app.domains.attachments.ties import ties_of
from app.entity.labels import Label, UserError
from app.entity.registry import EntityType, registry

from ..display import show_url
from ..permissions import may
from ..presentation import text
from .context import Page

NO_FILE = Label("请选择要上传的文件", "Choose a file to upload")


class AttachmentsPage(Page):
    """附件."""

    route_base = "/attachments"
    class_permission_name = class_name("attachment")
    method_permission_name = dict.fromkeys(("upload", "fetch", "delete"), "show")
    default_view = "fetch"

    @expose("/<entity>/<int:row_id>", methods=["POST"])
    @has_access
    def upload(self, entity: str, row_id: int) -> Response:
        described, row = self._record(entity, row_id, "edit")
        given = request.files.get("file")
        try:
            if given is None or not given.filename:
                raise UserError(NO_FILE.zh, NO_FILE.en)
            content = given.stream.read(LARGEST + 1)
            operations.attach(self.session, _data_dir(), described, row, given.filename, content)
            self.session.commit()
        except UserError as problem:
            self.session.rollback()
            flash(text(problem.label), "danger")
        else:
            flash(text(Label("已添加附件", "The file was attached")), "success")
        return redirect(f"{show_url(entity, row_id)}#attachments")

    @expose("/<code>/file")
    @has_access
    def fetch(self, code: str) -> Response:
        described, row = self._record_of(code, "show")
        found = next((each for each in operations.files_of(self.session, described, row.id) if each.code == code), None)
        path = operations.path_of(_data_dir(), found.content_hash) if found is not None else None
        if found is None or path is None or not path.is_file():
            raise NotFound
        answer = send_file(path, mimetype=found.media_type, as_attachment=True, download_name=found.name, max_age=0)
        answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    @expose("/<code>/delete", methods=["POST"])
    @has_access
    def delete(self, code: str) -> Response:
        described, row = self._record_of(code, "edit")
        name = operations.detach(self.session, described, row, code)
        self.session.commit()
        flash(text(Label(f"已删除附件“{name}”", f"“{name}” was removed")), "success")
        return redirect(f"{show_url(described.code, row.id)}#attachments")

    def _record_of(self, code: str, action: str) -> tuple[EntityType, Any]:
        found = operations.record_of(self.session, code)
        if found is None:
            raise NotFound
        return self._record(*found, action)

    def _record(self, code: str, row_id: int, action: str) -> tuple[EntityType, Any]:
        """A record that the reader sees, and may change if the action is to edit it: 404 or 403 otherwise."""
        entity = registry.get(code)
        if entity is None or not may("show", entity):
            raise NotFound
        model: Any = entity.model
        row = self.session.scalars(select(model).where(model.id == row_id)).one_or_none()
        if row is None:
            raise NotFound
        if action == "edit" and not _may_write(self.session, entity, row):
            raise Forbidden
        return entity, row


@dataclass(frozen=True)
class Files:
    """What a record's page shows of its files."""

    rows: list[dict[str, Any]]
    upload_url: str | None
    accepted: str = ACCEPTED
    largest_mb: int = LARGEST // 2**20


def files_shown(entity: EntityType, row_id: int) -> Files | None:
    """The files of a record that the page has read in the reader's scope, of a file itself that one; None where there
    can be none."""
    session = current_app.appbuilder.session()
    model: Any = entity.model
    row = session.get(model, row_id)
    if row is None or ties_of(entity, row)[0] is None:
        return None
    is_file = entity.code == "attachment"
    writes = not is_file and _may_write(session, entity, row)
    rows = [
        {
            "name": each.name,
            "kilobytes": -(-each.byte_count // 1024),
            "by": each.uploaded_by,
            "at": each.uploaded_at,
            "url": url_for("AttachmentsPage.fetch", code=each.code),
            "delete_url": url_for("AttachmentsPage.delete", code=each.code) if writes else None,
        }
        for each in ([row] if is_file else operations.files_of(session, entity, row_id))
    ]
    if not rows and not writes:
        return None
    return Files(rows, url_for("AttachmentsPage.upload", entity=entity.code, row_id=row_id) if writes else None)


def _may_write(session: Any, entity: EntityType, row: Any) -> bool:
    if entity.options.read_only or not may("edit", entity):
        return False
    return bool(BulkCheck(session, entity.model).writable([row.id]))


def _data_dir() -> Any:
    return current_app.config["SETTINGS"].data_dir
