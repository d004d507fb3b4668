"""Sending a draft for approval, and deciding it: its difference in words, what it would change, its tests."""

from __future__ import annotations

import difflib
from datetime import date
from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from app.access.permissions import EDIT_RULES
from app.database.clock import today
from app.entity.labels import Label, UserError
from app.rules.adjustment_files import Adjustments
from app.rules.adjustments import misfits
from app.rules.candidate import ADJUSTMENT
from app.rules.differences import differences
from app.rules.model import Index, Rule
from app.workshop import approvals, drafts
from app.workshop.cases import known_outcome, run_draft_cases
from app.workshop.models import EDITABLE, Draft, DraftState

from ..pages.context import Page, library
from ..presentation import text
from .links import page_link
from .trials import decimals, matrix, moves, try_out, words_of_light

SENT = Label("已送审，等另一个人审批", "Sent for approval by somebody else")
IN_FORCE = Label("已发布，几秒内全部生效；得分在下一次评定时更新", "Published: in force within seconds; scores follow")
APPROVED = Label("已批准，到期自动发布", "Approved: it is published on its day")
SENT_BACK = Label("已退回", "Sent back")
WITHDRAWN = Label("已撤回，可以继续修改", "Taken back: it can be changed again")


class ApprovalPage(Page):
    """审批."""

    route_base = "/workshop/approvals"
    default_view = "show"
    class_permission_name = "Rule"
    method_permission_name = {
        "show": "list",
        "tests": "list",
        "decide": "list",
        "ask": "edit",
        "send": "edit",
        "withdraw": "edit",
    }

    @expose("/<int:draft_id>")
    @has_access
    def show(self, draft_id: int) -> str:
        draft = self._draft(draft_id)
        decides = self._decides(draft)
        works = self.may(EDIT_RULES) and drafts.may_edit(self.session, draft, self._user_id())
        takes_back = works and draft.state in (DraftState.SUBMITTED, DraftState.SCHEDULED)
        return self.render_template(
            "workshop/approval.html",
            **self._told(draft),
            decide_url=url_for("ApprovalPage.decide", draft_id=draft.id) if decides else None,
            withdraw_url=url_for("ApprovalPage.withdraw", draft_id=draft.id) if takes_back else None,
            send_url=None,
            today=today(),
        )

    @expose("/<int:draft_id>/tests")
    @has_access
    def tests(self, draft_id: int) -> str:
        """The outcome of the tests, which the page fetches when it is shown: they may take longer than it."""
        draft = self._draft(draft_id)
        return self.render_template(
            "workshop/tests_outcome.html",
            tests=run_draft_cases(draft, library()),
            cases_url=self._cases_url(draft),
            decides=self._decides(draft),
        )

    @expose("/<int:draft_id>/ask")
    @has_access
    def ask(self, draft_id: int) -> Any:
        """Before it is sent: what the approver will see, and why."""
        draft = self._draft(draft_id)
        if draft.state not in EDITABLE:
            return redirect(url_for("ApprovalPage.show", draft_id=draft.id))
        return self.render_template(
            "workshop/approval.html",
            **self._told(draft),
            decide_url=None,
            withdraw_url=None,
            send_url=url_for("ApprovalPage.send", draft_id=draft.id),
            today=today(),
        )

    @expose("/<int:draft_id>/send", methods=["POST"])
    @has_access
    def send(self, draft_id: int) -> Response:
        draft = self._draft(draft_id)
        if not drafts.may_edit(self.session, draft, self._user_id()):
            raise NotFound
        try:
            revision, reason = self._revision(), request.form.get("reason", "")
            drafts.submit(self.session, draft, self._user_id(), revision, reason, library())
        except UserError as error:
            flash(text(error.label), "danger")
            return redirect(url_for("ApprovalPage.ask", draft_id=draft_id))
        flash(text(SENT), "success")
        return redirect(url_for("ApprovalPage.show", draft_id=draft_id))

    @expose("/<int:draft_id>/withdraw", methods=["POST"])
    @has_access
    def withdraw(self, draft_id: int) -> Response:
        draft = self._draft(draft_id)
        if not drafts.may_edit(self.session, draft, self._user_id()):
            raise NotFound
        try:
            drafts.withdraw(self.session, draft, self._user_id())
        except UserError as error:
            flash(text(error.label), "danger")
            return redirect(url_for("ApprovalPage.show", draft_id=draft_id))
        flash(text(WITHDRAWN), "success")
        edit = page_link("WorkshopEditor.edit", draft_id=draft_id)
        return redirect(edit or url_for("ApprovalPage.show", draft_id=draft_id))

    @expose("/<int:draft_id>/decide", methods=["POST"])
    @has_access
    def decide(self, draft_id: int) -> Response:
        draft = self._draft(draft_id)
        if not self.may(approvals.permission_for(draft.rule_kind)):
            raise NotFound
        try:
            flash(text(self._decided(draft)), "success")
        except UserError as error:
            self.session.rollback()
            flash(text(error.label), "danger")
        return redirect(url_for("ApprovalPage.show", draft_id=draft_id))

    def _decided(self, draft: Draft) -> Label:
        revision, note = self._revision(), request.form.get("note", "")
        if request.form.get("decision") != "approve":
            approvals.reject(self.session, draft, self._user_id(), revision, note)
            return SENT_BACK
        try:
            day = date.fromisoformat(request.form.get("publish_on") or today().isoformat())
        except ValueError:
            raise UserError("发布日期不是有效的日期", "The day of publication is no date") from None
        approvals.approve(
            self.session,
            draft,
            self._user_id(),
            revision,
            library(),
            publish_on=day,
            note=note,
            override=request.form.get("override", ""),
        )
        if day > today():
            return APPROVED
        approvals.publish(self.session.get_bind(), draft.id, library())
        return IN_FORCE

    def _told(self, draft: Draft) -> dict[str, Any]:
        rules = library()
        candidate = drafts.candidate_of(draft, rules)
        current = rules.rules().get(draft.rule_code)
        before = current.source_text if current else None
        decided = draft.state in (DraftState.PUBLISHED, DraftState.WITHDRAWN)
        trial = try_out(self.session, candidate.rule) if candidate.rule is not None and not decided else None
        run = trial.run if trial else None
        return {
            "title": candidate.rule.label if candidate.rule else Label(draft.rule_code, draft.rule_code),
            "draft": draft,
            "state": DraftState(draft.state).label,
            "author": drafts.name_of(self.session, draft.author_id),
            "decider": drafts.name_of(self.session, draft.decided_by_id) if draft.decided_by_id else None,
            "changes": [] if decided else differences(before, draft.source_text),
            "lines": [] if decided else changed_lines(before or "", draft.source_text),
            "problems": [problem for problem in (*candidate.problems, *candidate.broken) if not problem.is_hint],
            "unfitting": [] if decided else unfitting(candidate.rule, rules.adjustments()),
            "stale": drafts.is_stale(draft, rules) and not decided,
            "decided": decided,
            "tests": None if decided else known_outcome(draft, rules),
            "tests_url": url_for("ApprovalPage.tests", draft_id=draft.id),
            "decides": self._decides(draft),
            "run": run,
            "problem": trial.problem if trial else None,
            "matrix": matrix(run, lambda one, other: self._trial_url(draft, one, other)) if run else None,
            "words": (lambda light: words_of_light(light, run.rule)) if run else None,
            "moved": moves(self.session, run, run.moves(limit=10)) if run else [],
            "decimals": decimals(run) if run else 1,
            "trial_url": url_for("DryRunPage.show", draft_id=draft.id) if run else None,
            "cases_url": self._cases_url(draft),
            "edit_url": page_link("WorkshopEditor.edit", draft_id=draft.id)
            if self.may(EDIT_RULES) and drafts.may_edit(self.session, draft, self._user_id())
            else None,
        }

    def _decides(self, draft: Draft) -> bool:
        return (
            draft.state == DraftState.SUBMITTED
            and self.may(approvals.permission_for(draft.rule_kind))
            and approvals.may_decide(self.session, draft, self._user_id())
        )

    def _cases_url(self, draft: Draft) -> str | None:
        works = self.may(EDIT_RULES) and drafts.may_edit(self.session, draft, self._user_id())
        return url_for("CasesPage.show", draft_id=draft.id) if works else None

    @staticmethod
    def _trial_url(draft: Draft, before: str, after: str) -> str:
        return url_for("DryRunPage.show", draft_id=draft.id, before=before, after=after) + "#who"

    def _draft(self, draft_id: int) -> Draft:
        """A draft that this user works on, or, once it was sent, that they may decide or read."""
        draft = self.session.get(Draft, draft_id)
        if draft is None or draft.rule_kind == ADJUSTMENT:  # those have a page of their own
            raise NotFound
        works = self.may(EDIT_RULES) and drafts.may_edit(self.session, draft, self._user_id())
        decides = self.may(approvals.permission_for(draft.rule_kind)) and draft.state != DraftState.EDITING
        if not works and not decides:
            raise NotFound
        return draft

    def _user_id(self) -> int:
        found = self.actor.user_id
        if found is None:
            raise NotFound
        return found

    @staticmethod
    def _revision() -> int:
        return request.form.get("revision", 0, type=int)


def unfitting(rule: Rule | None, adjustments: Adjustments) -> list[tuple[Label, Label]]:
    """The adjustments that a new version of an index would put out of force: (whose, why)."""
    if not isinstance(rule, Index):
        return []
    found = []
    for each in adjustments.fitting.values():
        problems = misfits(each, rule) if each.base == rule.code else []
        if problems:
            found.append((each.label, problems[0].label))
    return found


def changed_lines(before: str, after: str) -> list[tuple[str, str]]:
    """The lines that differ, with two around them: (kind, line), kind being + - or a space."""
    found = []
    for line in list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm=""))[2:]:
        found.append(("@", "…") if line.startswith("@@") else (line[:1], line[1:]))
    return found
