"""An index as a workbook: its weights and thresholds to Excel, and a changed workbook back as a draft."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from flask import flash, redirect, request, send_file, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from werkzeug.exceptions import NotFound

from app.access.permissions import EDIT_RULES
from app.entity.labels import Label, UserError
from app.rules.model import Index
from app.workshop import drafts
from app.workshop.models import Draft
from app.workshop.workbooks import LARGEST, CellFault, WorkbookFaults, with_workbook, workbook_of

from ..pages.context import Page, library
from ..presentation import language, text

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
UNCHANGED = Label("工作簿里的数值和草稿一样，没有改动", "The numbers are those of the draft: nothing was changed")
TAKEN = Label("工作簿里的数值已写入草稿，差别见下", "The numbers were taken into the draft; what differs is below")


class WorkbookPage(Page):
    """Excel 工作簿."""

    route_base = "/workshop/workbooks"
    default_view = "show"
    class_permission_name = "Rule"
    method_permission_name = {"show": "list", "export": "list", "upload": "edit"}

    @expose("/<code>")
    @has_access
    def show(self, code: str) -> str:
        return self._page(self._rule(code))

    @expose("/<code>/export")
    @has_access
    def export(self, code: str) -> Any:
        rule = self._rule(code)
        mine = self._mine(code)
        content = workbook_of(mine.source_text if mine else rule.source_text, language())
        return send_file(
            io.BytesIO(content), mimetype=MEDIA_TYPE, as_attachment=True, download_name=f"{code}.xlsx", max_age=0
        )

    @expose("/<code>", methods=["POST"])
    @has_access
    def upload(self, code: str) -> Any:
        """The numbers of a workbook into the reader's draft of the rule, which is begun if there is none."""
        rule = self._rule(code)
        file = request.files.get("workbook")
        if file is None or not file.filename:
            return self._page(rule, Label("请选择一个工作簿", "Choose a workbook")), 422
        content = file.stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            return self._page(rule, Label("文件超过 2 MB", "The file is larger than 2 MB")), 422
        try:
            mine = self._mine(code)
            before = mine.source_text if mine else rule.source_text
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "workbook.xlsx")
                path.write_bytes(content)
                after = with_workbook(before, path, file.filename)
            if after == before:
                return self._page(rule, UNCHANGED), 422
            user_id = self._user_id()
            draft = mine or drafts.start(self.session, user_id, code, library())
            drafts.save(self.session, draft, user_id, draft.revision, after)
        except WorkbookFaults as error:
            return self._page(rule, error.label, error.faults), 422
        except UserError as error:
            return self._page(rule, error.label), 422
        flash(text(TAKEN), "success")
        return redirect(url_for("ApprovalPage.ask", draft_id=draft.id))

    def _page(self, rule: Index, refusal: Label | None = None, faults: list[CellFault] | None = None) -> str:
        return self.render_template(
            "workshop/workbook.html",
            title=Label("用 Excel 改分值和阈值", "Points and thresholds in Excel"),
            rule=rule,
            refusal=refusal,
            faults=faults or [],
            of_draft=self._mine(rule.code) is not None,
            export_url=url_for("WorkbookPage.export", code=rule.code),
            upload_url=url_for("WorkbookPage.upload", code=rule.code) if self.may(EDIT_RULES) else None,
            rule_url=url_for("WorkshopPage.read", code=rule.code),
        )

    def _rule(self, code: str) -> Index:
        rule = library().rules().get(code)
        if not isinstance(rule, Index):
            raise NotFound
        return rule

    def _mine(self, code: str) -> Draft | None:
        """The draft that this person is working on."""
        found = drafts.drafts_of(self.session, self._user_id(), code=code, states=drafts.EDITABLE)
        return next((draft for draft in found if draft.author_id == self._user_id()), None)

    def _user_id(self) -> int:
        if self.actor.user_id is None:
            raise NotFound
        return self.actor.user_id
