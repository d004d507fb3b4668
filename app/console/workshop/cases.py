"""The tests of a draft: cases that it adds, whether all hold, and what of the rule nothing reaches. “Freeze this case”
on a scorecard comes here."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import select
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from app.entity.labels import Label, UserError
from app.entity.registry import registry
from app.rules.model import Index
from app.workshop import drafts
from app.workshop.cases import run_draft_cases
from app.workshop.coverage import coverage
from app.workshop.freezing import frozen_case
from app.workshop.models import EDITABLE, Draft

from ..pages.context import Page, chosen_period, library
from ..presentation import text
from .links import page_link

KINDS = {
    "node": Label("指标", "Indicator"),
    "band": Label("分档", "Band"),
    "light": Label("灯", "Light"),
    "veto": Label("一票否决", "Veto"),
    "grade": Label("等次", "Grade"),
}
FROZEN = Label(
    "已固定为用例，加在您的草稿里；送审通过后成为规则的测试",
    "Frozen as a case of your draft; it joins the rule's tests once it is approved",
)
SAVED = Label("已保存", "Saved")


class CasesPage(Page):
    """规则测试."""

    route_base = "/workshop/cases"
    default_view = "show"
    class_permission_name = "Rule"
    method_permission_name = {"show": "edit", "save": "edit", "freeze": "edit"}

    @expose("/<int:draft_id>")
    @has_access
    def show(self, draft_id: int) -> str:
        draft = self._draft(draft_id)
        candidate = drafts.candidate_of(draft, library())
        tests = run_draft_cases(draft, library())
        parts = (
            coverage(candidate.rule, tests, self.session.get_bind(), library()) if candidate.rule is not None else []
        )
        return self.render_template(
            "workshop/cases.html",
            title=candidate.rule.label if candidate.rule else Label(draft.rule_code, draft.rule_code),
            draft=draft,
            tests=tests,
            faulty=candidate.rule is None,
            missed=[
                (KINDS[part.kind], part) for part in parts if part.by_tests is not True or part.by_subjects is False
            ],
            parts=len(parts),
            save_url=url_for("CasesPage.save", draft_id=draft.id) if draft.state in EDITABLE else None,
            edit_url=page_link("WorkshopEditor.edit", draft_id=draft.id),
            ask_url=url_for("ApprovalPage.ask", draft_id=draft.id) if draft.state in EDITABLE else None,
        )

    @expose("/<int:draft_id>", methods=["POST"])
    @has_access
    def save(self, draft_id: int) -> Response:
        draft = self._draft(draft_id)
        cases = request.form.get("cases", "").replace("\r\n", "\n")
        try:
            revision = request.form.get("revision", 0, type=int)
            drafts.save_tests(self.session, draft, self._user_id(), revision, cases)
            flash(text(SAVED), "success")
        except UserError as error:
            flash(text(error.label), "danger")
        return redirect(url_for("CasesPage.show", draft_id=draft_id))

    @expose("/freeze/<index>/<code>", methods=["POST"])
    @has_access
    def freeze(self, index: str, code: str) -> Response:
        rule = library().rules().get(index)
        if not isinstance(rule, Index):
            raise NotFound
        model: Any = registry[rule.subject].model
        subject = self.session.scalar(select(model).where(model.code == code))
        if subject is None:
            raise NotFound
        try:
            # Read beside the session, whose own connection keeps others from writing in a request that writes.
            engine = current_app.extensions["engine"]
            case = frozen_case(self.session, engine, library(), index, chosen_period(self.session, rule), subject.id)
            draft = drafts.start(self.session, self._user_id(), index, library())
            lead = (
                draft.tests_text if not draft.tests_text or draft.tests_text.endswith("\n") else f"{draft.tests_text}\n"
            )
            drafts.save_tests(self.session, draft, self._user_id(), draft.revision, lead + case)
        except UserError as error:
            flash(text(error.label), "danger")
            return redirect(url_for("ScorecardPage.show", index=index, code=code))
        flash(text(FROZEN), "success")
        return redirect(url_for("CasesPage.show", draft_id=draft.id))

    def _draft(self, draft_id: int) -> Draft:
        draft = drafts.draft_for(self.session, draft_id, self._user_id())
        if draft is None:
            raise NotFound
        return draft

    def _user_id(self) -> int:
        found = self.actor.user_id
        if found is None:
            raise NotFound
        return found
