"""What the law gives a person over their data, at the member's page: handed out on request, and erased on request.

Each has a permission of its own; both ask for the reason, and are in the audit trail with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from flask import abort, current_app, flash, redirect, request, send_file, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import select

from app.access.bulk_check import BulkCheck
from app.access.masking import LONGEST_PURPOSE
from app.access.permissions import ERASE_PERSON, EXPORT_PERSON
from app.database.engine import as_committed
from app.database.session import unit_of_work
from app.entity.labels import Label, UserError
from app.entity.registry import Entity, registry
from app.exchange.files import write_table
from app.history.erasing import ERASED_NAME, MEMBER, STAYS, erase_person, export_person
from app.history.origin import DOOR, Door

from ..display import name_of, show_url
from ..permissions import may
from ..presentation import t, text
from ..record_links import record_link
from .context import Page

WORKBOOK, JSON = "xlsx", "json"
MEDIA = {
    WORKBOOK: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    JSON: "application/json; charset=utf-8",
}
NOT_THE_CODE = Label("填写的编号与这名党员的编号不同，没有删除。", "The code is not this member's; nothing was erased.")


class PersonPage(Page):
    """One member's data."""

    route_base = "/persons"
    default_view = "show"
    class_permission_name = EXPORT_PERSON.page
    base_permissions = [EXPORT_PERSON.action, ERASE_PERSON.action]
    method_permission_name = {"hand_out": "export", "erase": "erase"}

    @expose("/<int:pk>", methods=["GET"])
    def show(self, pk: int) -> str:
        if not self._may_any():
            abort(403)
        return self._page(self._member(pk))

    def _page(self, member: Any, problem: Label | None = None) -> str:
        return self.render_template(
            "beacon/person.html",
            title=t("个人数据", "Personal data"),
            name=name_of(member),
            code=member.code,
            record_url=show_url(MEMBER, member.id),
            hand_out_url=url_for("PersonPage.hand_out", pk=member.id) if self.may(EXPORT_PERSON) else None,
            erase_url=url_for("PersonPage.erase", pk=member.id) if self._may_erase(member) else None,
            is_erased=member.name == ERASED_NAME,
            stays=STAYS,
            given=request.form,
            longest=LONGEST_PURPOSE,
            problem=problem,
        )

    @expose("/<int:pk>/export", methods=["POST"])
    @has_access
    def hand_out(self, pk: int) -> Any:
        """All rows of the member, wherever they lie, personal values in full: for the member."""
        member = self._member(pk)
        kind = JSON if request.form.get("kind") == JSON else WORKBOOK
        try:
            # Committed, and so in the audit trail, before anything is handed out.
            document = self._for_the_person(export_person, pk)
        except UserError as problem:
            return self._page(member, problem.label), 422
        name = f"{member.code}.{kind}"
        with TemporaryDirectory() as folder:
            path = Path(folder) / name
            if kind == JSON:
                path.write_bytes(orjson.dumps(document, default=str, option=orjson.OPT_INDENT_2))
            else:
                write_table(
                    path,
                    [t("类别", "Kind"), t("记录", "Record"), t("项目", "Field"), t("内容", "Value")],
                    _lines(document),
                )
            content = path.open("rb")
        return send_file(content, mimetype=MEDIA[kind], as_attachment=True, download_name=name, max_age=0)

    @expose("/<int:pk>/erase", methods=["POST"])
    @has_access
    def erase(self, pk: int) -> Any:
        """Erase what identifies the member, once its code was written as well."""
        member = self._member(pk)
        if not self._may_erase(member):
            abort(403)
        if request.form.get("code", "").strip() != member.code:
            return self._page(member, NOT_THE_CODE), 422
        try:
            erased = self._for_the_person(erase_person, pk)
        except UserError as problem:
            return self._page(member, problem.label), 422
        count = sum(erased.values())
        flash(t(f"已删除 {count} 项个人信息", f"{count} personal values were erased"), "success")
        return redirect(url_for("PersonPage.show", pk=pk))

    def _for_the_person(self, work: Callable[[Any, Any, str], Any], pk: int) -> Any:
        """Do it in a transaction of its own to all rows of the person, also those of organizations left long ago, in
        the name of whoever asks. The member was read in their scope."""
        actor, engine = self.actor, current_app.extensions["engine"]
        self.session.rollback()
        with unit_of_work(as_committed(engine), replace(actor, unrestricted=True, on_behalf=True)) as session:
            session.info[DOOR] = Door.CONSOLE
            return work(session, session.get(registry[MEMBER].model, pk), request.form.get("purpose", ""))

    def _writes(self, member: Entity) -> bool:
        return bool(BulkCheck(self.session, registry[MEMBER].model).writable([member.id]))

    def _may_any(self) -> bool:
        return self.may(EXPORT_PERSON) or self.may(ERASE_PERSON)

    def _may_erase(self, member: Entity) -> bool:
        return self.may(ERASE_PERSON) and may("edit", registry[MEMBER]) and self._writes(member)

    def _member(self, pk: int) -> Any:
        """The member in the reader's scope; 404 for all others."""
        if not may("show", registry[MEMBER]):
            abort(403)
        model: Any = registry[MEMBER].model
        row = self.session.scalars(select(model).where(model.id == pk)).one_or_none()
        if row is None:
            abort(404)
        return row


def _lines(document: dict[str, list[dict[str, Any]]]) -> Any:
    """Each value on a line of its own: kind of record, its number among them, field, value."""
    for entity, rows in document.items():
        for number, row in enumerate(rows, 1):
            for field, value in row.items():
                yield [text(registry[entity].label), number, field, str(value)]


record_link(MEMBER, Label("个人数据", "Personal data"), "PersonPage.show", EXPORT_PERSON)
