"""The workshop's first page (which rules there are, who works on them, what waits for whom), and each rule in words."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import select
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from app.access.permissions import EDIT_RULES
from app.entity.labels import Label, UserError
from app.entity.registry import registry
from app.evaluation.models import RuleVersion
from app.rules.adjustment_files import FOLDER as ADJUSTMENTS_FOLDER
from app.rules.candidate import ADJUSTMENT
from app.rules.library import code_of
from app.rules.model import Index, Rule
from app.rules.problems import Problem, faults
from app.rules.sentences import Vocabulary, read_rule
from app.workshop import drafts
from app.workshop.models import EDITABLE, OPEN, Draft, DraftState

from ..pages.context import Page, library
from ..presentation import text
from .links import page_link
from .new_rules import CODE_HINT, first_text

KINDS = {"index": Label("指数", "Indices"), "warning": Label("预警", "Warnings")}


class WorkshopPage(Page):
    """规则工坊."""

    route_base = "/workshop"
    default_view = "show"
    class_permission_name = "Rule"
    method_permission_name = {"show": "list", "read": "list", "start": "edit", "new": "edit", "create": "edit"}

    @expose("/")
    @has_access
    def show(self) -> str:
        self.update_redirect()
        may_edit = self.may(EDIT_RULES)
        rules = library().rules()
        open_drafts = list(
            self.session.scalars(
                select(Draft)
                .where(Draft.state.in_(OPEN), Draft.rule_kind != ADJUSTMENT)
                .order_by(Draft.changed_at.desc())
            )
        )
        return self.render_template(
            "workshop/overview.html",
            title=Label("规则工坊", "Rule workshop"),
            groups=[
                (label, [self._row(rule, open_drafts) for rule in _of_kind(rules.values(), kind)])
                for kind, label in KINDS.items()
            ],
            mine=self._mine(rules) if may_edit else [],
            waiting=[self._draft_row(draft, rules) for draft in open_drafts if draft.state == DraftState.SUBMITTED],
            broken=[(code_of(problem.file), problem) for problem in self._faults()] if may_edit else [],
            may_edit=may_edit,
            new_url=url_for("WorkshopPage.new") if may_edit else None,
        )

    @expose("/rules/<code>")
    @has_access
    def read(self, code: str) -> str:
        self.update_redirect()
        rules = library().rules()
        rule = rules.get(code)
        if rule is None:
            raise NotFound
        return self.render_template(
            "workshop/reading.html",
            title=rule.label,
            rule=rule,
            version=self._version(rule),
            basis=rule.basis,
            sections=read_rule(rule, Vocabulary(rule, registry, rules)),
            start_url=url_for("WorkshopPage.start", code=code) if self.may(EDIT_RULES) else None,
            versions_url=page_link("VersionsPage.show", code=code),
            workbook_url=page_link("WorkbookPage.show", code=code) if isinstance(rule, Index) else None,
            robustness_url=page_link("RobustnessPage.show", code=code) if isinstance(rule, Index) else None,
        )

    @expose("/rules/<code>/edit", methods=["POST"])
    @has_access
    def start(self, code: str) -> Response:
        """A draft of the rule, or the one that this person has already."""
        if library().rules().get(code) is None:
            raise NotFound
        draft = drafts.start(self.session, self._user_id(), code, library())
        return redirect(url_for("WorkshopEditor.edit", draft_id=draft.id))

    @expose("/new")
    @has_access
    def new(self, given: dict[str, str] | None = None, refusal: Label | None = None) -> str:
        return self.render_template(
            "workshop/new.html",
            title=Label("新建规则", "New rule"),
            given=given or {},
            refusal=refusal,
            code_hint=CODE_HINT,
            subjects=[(entity.code, entity.label) for entity in registry],
            kinds=[("index", Label("指数：把多项指标合成得分和灯", "index: indicators made into a score and a light")),
                   ("warning", Label("预警：看一个数，越线就亮灯", "warning: one figure, lit when it crosses a line"))],
        )  # fmt: skip

    @expose("/new", methods=["POST"])
    @has_access
    def create(self) -> Any:
        given = request.form.to_dict()
        try:
            kind, code, first = first_text(given, registry)
            draft = drafts.start_new(self.session, self._user_id(), kind, code, first, library())
        except UserError as error:
            return self.new(given, error.label), 422
        flash(text(Label("草稿已建立，还没有生效。", "A draft was made; nothing is in force yet.")))
        return redirect(url_for("WorkshopEditor.edit", draft_id=draft.id))

    @staticmethod
    def _faults() -> list[Problem]:
        """Those of adjustments are told on their own page."""
        found = faults(library().problems())
        return [problem for problem in found if not problem.file.startswith(f"{ADJUSTMENTS_FOLDER}/")]

    def _user_id(self) -> int:
        if self.actor.user_id is None:
            raise NotFound
        return self.actor.user_id

    def _mine(self, rules: dict[str, Rule]) -> list[dict[str, Any]]:
        return [self._draft_row(draft, rules) for draft in drafts.drafts_of(self.session, self._user_id())]

    def _row(self, rule: Rule, open_drafts: list[Draft]) -> dict[str, Any]:
        on_it = [draft for draft in open_drafts if draft.rule_code == rule.code]
        entity = registry.get(rule.subject)
        return {
            "code": rule.code,
            "label": rule.label,
            "subject": entity.label if entity else Label("", ""),
            "url": url_for("WorkshopPage.read", code=rule.code),
            "version": self._version(rule),
            "since": rule.effective_from,
            "drafts": [
                (drafts.name_of(self.session, draft.author_id), DraftState(draft.state).label) for draft in on_it
            ],
            "start_url": url_for("WorkshopPage.start", code=rule.code),
        }

    def _draft_row(self, draft: Draft, rules: dict[str, Rule]) -> dict[str, Any]:
        rule = rules.get(draft.rule_code)
        edits = draft.state in EDITABLE and drafts.may_edit(self.session, draft, self._user_id())
        url = url_for("WorkshopEditor.edit", draft_id=draft.id) if edits else None
        return {
            "label": rule.label if rule else Label(draft.rule_code, draft.rule_code),
            "state": DraftState(draft.state),
            "author": drafts.name_of(self.session, draft.author_id),
            "changed_at": draft.changed_at,
            "reason": draft.reason,
            "decision": draft.decision_reason if draft.state == DraftState.REJECTED else None,
            "url": url or page_link("ApprovalPage.show", draft_id=draft.id),
        }

    def _version(self, rule: Rule) -> int | None:
        return self.session.scalar(select(RuleVersion.number).where(RuleVersion.version == rule.version))


def _of_kind(rules: Any, kind: str) -> list[Rule]:
    wanted = [rule for rule in rules if isinstance(rule, Index) == (kind == "index")]
    return sorted(wanted, key=lambda rule: (rule.subject != "organization", rule.label.zh))
