"""Adjusting indices for one's own district or street: a form of what may be changed, its dry run, its approval by a
higher tier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import select
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from app.access.permissions import APPROVE_ADJUSTMENTS
from app.database.clock import today
from app.entity.labels import Label, UserError
from app.entity.registry import registry
from app.evaluation.models import RuleVersion
from app.rules.adjustments import KINDS, LocalAdjustment, changeable, changed_numbers, in_words, name_of
from app.rules.candidate import ADJUSTMENT, Candidate, check_candidate
from app.rules.model import Index
from app.rules.problems import Problem
from app.workshop import approvals, drafts
from app.workshop.adjustment_texts import code_for, text_for
from app.workshop.adjustment_trial import try_adjustment
from app.workshop.models import EDITABLE, OPEN, Draft, DraftState

from ..pages.context import Page, indices, library
from ..presentation import text
from .approvals import SENT_BACK, WITHDRAWN, changed_lines
from .trials import Trial, decimals, matrix, moves, words_of_light

TIERS = ("district", "street")
"""Who may adjust a rule."""
SENT = Label("已送审，等上级审批", "Sent: a higher tier approves it")
IN_FORCE = Label(
    "已批准并生效；得分和灯在下一次评定时更新",
    "In force; scores follow with the next evaluation",
)
LATER = Label("已批准，到期自动生效", "Approved: it comes into force on its day")
REFUSED = Label("没有送审：有些数值超出了允许的范围", "Not sent: some numbers are out of bounds")
NOTHING = Label("和基础规则相同", "The same as the base rule")


@dataclass(frozen=True)
class Proposal:
    """What was typed, as a text, and what the check makes of it."""

    index: Index
    text: str
    candidate: Candidate

    @property
    def adjustment(self) -> LocalAdjustment | None:
        found = self.candidate.rule
        return found if isinstance(found, LocalAdjustment) else None

    @property
    def words(self) -> list[Label]:
        """What it changes of the base rule."""
        if self.adjustment is None:
            return []
        return in_words(changed_numbers(self.index, [self.adjustment])) or [NOTHING]

    def faults(self) -> dict[str, list[Label]]:
        """By the field that each concerns; those of none under an empty name."""
        found: dict[str, list[Label]] = {}
        for problem in self.candidate.problems:
            found.setdefault(problem.path if "." in problem.path else "", []).append(problem.label)
        return found


class AdjustmentsPage(Page):
    """本级调整."""

    route_base = "/workshop/adjustments"
    default_view = "show"
    class_permission_name = "Rule"
    method_permission_name = dict.fromkeys(
        ("show", "edit", "reading", "trial", "send", "draft", "withdraw", "decide"), "adjust"
    )

    @expose("/")
    @has_access
    def show(self) -> str:
        self.update_redirect()
        own = self._own()
        return self.render_template(
            "workshop/adjustments.html",
            title=Label("本级调整", "Adjustments"),
            own=own,
            rules=[self._index_row(index, own) for index in indices() if own is not None and any_changeable(index)],
            rows=self._rows(),
            waiting=self._waiting(),
        )

    @expose("/<index>/edit")
    @has_access
    def edit(self, index: str, given: Mapping[str, str] | None = None, refusal: Label | None = None) -> Any:
        rule, own = self._index(index), self._require_own()
        code = code_for(rule, own.code)
        draft = self._open_draft(code)
        if draft is not None and draft.state not in EDITABLE:
            return redirect(url_for("AdjustmentsPage.draft", draft_id=draft.id))
        current = library().adjustments().all.get(code)
        number = request.args.get("version", type=int)
        proposal = None if given is None else self._proposal(rule, own, given)
        return self.render_template(
            "workshop/adjustment_edit.html",
            title=Label(f"调整{rule.label.zh}", f"Adjust: {rule.label.en}"),
            own=own,
            index=rule,
            groups=self._fields(rule, given if given is not None else self._present(rule, draft, current, number)),
            proposal=proposal,
            faults=proposal.faults() if proposal else {},
            refusal=refusal,
            reason=(given or {}).get("reason", draft.reason if draft else "") or "",
            start=(given or {}).get("effective_from") or today().isoformat(),
            decision=draft.decision_reason if draft is not None and draft.state == DraftState.REJECTED else None,
            problems=library().adjustments().problems_of(code) if draft is None else [],
            versions=self._versions(code),
            urls={name: url_for(f"AdjustmentsPage.{name}", index=index) for name in ("reading", "trial", "send")},
        )

    @expose("/<index>/reading")
    @has_access
    def reading(self, index: str) -> str:
        """What was typed, read back as a sentence, or what is wrong with it."""
        proposal = self._proposal(self._index(index), self._require_own(), request.args)
        return self.render_template(
            "workshop/adjustment_reading.html", proposal=proposal, faults=proposal.faults(), run=None, problem=None
        )

    @expose("/<index>/trial")
    @has_access
    def trial(self, index: str) -> str:
        """What it would change for one's own organization and all below."""
        proposal = self._proposal(self._index(index), self._require_own(), request.args)
        tried = self._try(proposal.adjustment)
        return self.render_template(
            "workshop/adjustment_trial.html",
            proposal=proposal,
            faults=proposal.faults(),
            problem=tried.problem if tried else None,
            **self._told(tried),
        )

    @expose("/<index>/send", methods=["POST"])
    @has_access
    def send(self, index: str) -> Any:
        rule, own, user_id = self._index(index), self._require_own(), self._user_id()
        proposal = self._proposal(rule, own, request.form)
        if proposal.adjustment is None:
            return self.edit(index, request.form.to_dict(), REFUSED), 422
        code = code_for(rule, own.code)
        try:
            draft = self._open_draft(code)
            if draft is None or not drafts.may_edit(self.session, draft, user_id):
                current = library().known(code)
                draft = drafts.add(
                    self.session,
                    user_id,
                    ADJUSTMENT,
                    code,
                    proposal.text,
                    base_version=current.version if current else None,
                    organization_id=own.id,
                )
            else:
                draft = drafts.rebase(self.session, draft, user_id, draft.revision, library(), proposal.text)
            reason = request.form.get("reason", "")
            drafts.submit(self.session, draft, user_id, draft.revision, reason, library())
        except UserError as error:
            return self.edit(index, request.form.to_dict(), error.label), 422
        flash(text(SENT), "success")
        return redirect(url_for("AdjustmentsPage.draft", draft_id=draft.id))

    @expose("/drafts/<int:draft_id>")
    @has_access
    def draft(self, draft_id: int) -> str:
        draft, organization = self._draft(draft_id)
        rules = library()
        candidate = drafts.candidate_of(draft, rules)
        adjustment = candidate.rule if isinstance(candidate.rule, LocalAdjustment) else None
        done = draft.state in (DraftState.PUBLISHED, DraftState.WITHDRAWN)
        current = rules.known(draft.rule_code)
        base = rules.rules().get(adjustment.base) if adjustment else None
        tried = self._try(adjustment) if not done else None
        words = in_words(changed_numbers(base, [adjustment])) if isinstance(base, Index) and adjustment else []
        works = draft.author_id == self._user_id()
        return self.render_template(
            "workshop/adjustment_draft.html",
            title=Label(
                f"{organization.name}调整{base.label.zh if base else draft.rule_code}",
                f"{organization.name}: {base.label.en if base else draft.rule_code} adjusted",
            ),
            draft=draft,
            state=DraftState(draft.state).label,
            author=drafts.name_of(self.session, draft.author_id),
            decider=drafts.name_of(self.session, draft.decided_by_id) if draft.decided_by_id else None,
            changes=words or ([NOTHING] if adjustment else []),
            lines=[] if done else changed_lines(current.source_text if current else "", draft.source_text),
            problems=[problem for problem in candidate.problems if not problem.is_hint],
            stale=drafts.is_stale(draft, rules) and not done,
            tests=None,
            problem=tried.problem if tried else None,
            **self._told(tried),
            trial_url=None,
            cases_url=None,
            edit_url=None,
            send_url=None,
            withdraw_url=url_for("AdjustmentsPage.withdraw", draft_id=draft.id)
            if works and draft.state in (DraftState.SUBMITTED, DraftState.SCHEDULED)
            else None,
            decide_url=url_for("AdjustmentsPage.decide", draft_id=draft.id)
            if draft.state == DraftState.SUBMITTED and self._may_decide(draft, organization)
            else None,
            today=today(),
        )

    @expose("/drafts/<int:draft_id>/withdraw", methods=["POST"])
    @has_access
    def withdraw(self, draft_id: int) -> Response:
        draft, _ = self._draft(draft_id)
        if draft.author_id != self._user_id():
            raise NotFound
        try:
            drafts.withdraw(self.session, draft, self._user_id())
            flash(text(WITHDRAWN), "success")
        except UserError as error:
            flash(text(error.label), "danger")
        return redirect(url_for("AdjustmentsPage.show"))

    @expose("/drafts/<int:draft_id>/decide", methods=["POST"])
    @has_access
    def decide(self, draft_id: int) -> Response:
        draft, organization = self._draft(draft_id)
        if not self._may_decide(draft, organization):
            raise NotFound
        revision, note = request.form.get("revision", 0, type=int), request.form.get("note", "")
        try:
            if request.form.get("decision") == "approve":
                flash(text(self._approved(draft, revision, note)), "success")
            else:
                approvals.reject(self.session, draft, self._user_id(), revision, note)
                flash(text(SENT_BACK), "success")
        except UserError as error:
            self.session.rollback()
            flash(text(error.label), "danger")
        return redirect(url_for("AdjustmentsPage.draft", draft_id=draft_id))

    def _approved(self, draft: Draft, revision: int, note: str) -> Label:
        try:
            day = date.fromisoformat(request.form.get("publish_on") or today().isoformat())
        except ValueError:
            raise UserError("发布日期不是有效的日期", "The day of publication is no date") from None
        override = request.form.get("override", "")
        approvals.approve(
            self.session, draft, self._user_id(), revision, library(), publish_on=day, note=note, override=override
        )
        if day > today():
            return LATER
        approvals.publish(self.session.get_bind(), draft.id, library())
        return IN_FORCE

    # Who looks, and at what -----------------------------------------------------------------------------------------

    def _user_id(self) -> int:
        if self.actor.user_id is None:
            raise NotFound
        return self.actor.user_id

    def _own(self) -> Any:
        """The reader's own organization, if it is one that may adjust rules."""
        actor = self.actor
        if actor.organization_id is None or actor.tier not in TIERS:
            return None
        model: Any = registry["organization"].model
        return self.session.scalar(select(model).where(model.id == actor.organization_id))

    def _require_own(self) -> Any:
        own = self._own()
        if own is None:
            raise NotFound
        return own

    def _index(self, code: str) -> Index:
        rule = next((index for index in indices() if index.code == code), None)
        if rule is None or not any_changeable(rule):
            raise NotFound
        return rule

    def _draft(self, draft_id: int) -> tuple[Draft, Any]:
        """A draft of an organization at or below the reader's own, and the organization."""
        draft = self.session.get(Draft, draft_id)
        if draft is None or draft.rule_kind != ADJUSTMENT or draft.organization_id is None:
            raise NotFound
        model: Any = registry["organization"].model
        organization = self.session.scalar(select(model).where(model.id == draft.organization_id))
        if organization is None or not self._is_below(organization):
            raise NotFound
        return draft, organization

    def _is_below(self, organization: Any) -> bool:
        """Whether an organization is the reader's own or below it: they also see those above."""
        actor = self.actor
        own = actor.organization_path
        return actor.unrestricted or (own is not None and organization.path.startswith(own))

    def _may_decide(self, draft: Draft, organization: Any) -> bool:
        """A higher tier decides, and nobody who had a hand in it."""
        actor = self.actor
        higher = actor.unrestricted or (self._is_below(organization) and organization.id != actor.organization_id)
        may = self.may(APPROVE_ADJUSTMENTS)
        return higher and may and approvals.may_decide(self.session, draft, self._user_id())

    def _open_draft(self, code: str) -> Draft | None:
        """The open draft of an adjustment, if it is sent already or the reader's own."""
        found = self.session.scalars(
            select(Draft).where(Draft.rule_code == code, Draft.state.in_(OPEN)).order_by(Draft.id.desc())
        ).all()
        sent = next((draft for draft in found if draft.state not in EDITABLE), None)
        return sent or next((draft for draft in found if draft.author_id == self._user_id()), None)

    # What is shown --------------------------------------------------------------------------------------------------

    def _proposal(self, index: Index, own: Any, given: Mapping[str, str]) -> Proposal:
        try:
            start = date.fromisoformat(given.get("effective_from") or today().isoformat())
        except ValueError:
            start = today()
        label = Label(f"{own.name}：{index.label.zh}", f"{own.name}: {index.label.en}")
        written = text_for(index, own.code, label, given, start)
        rules = library().rules()
        return Proposal(index, written, check_candidate(written, ADJUSTMENT, code_for(index, own.code), rules))

    def _present(
        self, index: Index, draft: Draft | None, current: LocalAdjustment | None, number: int | None
    ) -> dict[str, str]:
        """The numbers to begin with: of a draft that was sent back, of an earlier version, or of what there is."""
        source = draft.source_text if draft is not None else current.source_text if current else None
        code = draft.rule_code if draft is not None else current.code if current else ""
        if number is not None:
            source = self.session.scalar(
                select(RuleVersion.source_text).where(RuleVersion.rule_code == code, RuleVersion.number == number)
            )
        if source is None:
            return {}
        found = check_candidate(source, ADJUSTMENT, code, library().rules())
        adjustment = found.rule if isinstance(found.rule, LocalAdjustment) else current
        if adjustment is None:
            return {}
        changes = adjustment.changes.items()
        return {f"{kind}.{code}": f"{value:g}" for kind, values in changes for code, value in values.items()}

    def _fields(self, index: Index, given: Mapping[str, str]) -> list[tuple[Label, list[dict[str, Any]]]]:
        """By kind, the fields of what may be changed."""
        groups, all_of = [], changeable(index)
        above = {child.code: node.label for node in index.root.walk() for child in node.children}
        for kind in GROUPS:
            rows = [
                {
                    "name": f"{kind}.{code}",
                    "label": name_of(index, kind, code),
                    "light": code if kind == "lights" else None,
                    "within": above.get(code) if kind == "weights" else None,
                    "base": what.value,
                    "low": what.limits[0],
                    "high": what.limits[1],
                    "value": given.get(f"{kind}.{code}") or f"{what.value:g}",
                }
                for code, what in all_of[kind].items()
            ]
            if rows:
                groups.append((GROUPS[kind], rows))
        return groups

    def _try(self, adjustment: LocalAdjustment | None) -> Trial | None:
        if adjustment is None:
            return None
        try:
            return Trial(try_adjustment(self.session.get_bind(), library(), adjustment, actor=self.actor))
        except UserError as error:
            return Trial(None, error.label)

    def _told(self, tried: Trial | None) -> dict[str, Any]:
        run = tried.run if tried else None
        return {
            "run": run,
            "matrix": matrix(run, lambda _one, _other: "") if run else None,
            "words": (lambda light: words_of_light(light, run.rule)) if run else None,
            "moved": moves(self.session, run, run.moves(limit=10)) if run else [],
            "decimals": decimals(run) if run else 1,
        }

    def _index_row(self, index: Index, own: Any) -> dict[str, Any]:
        code = code_for(index, own.code)
        current, draft = library().adjustments().all.get(code), self._open_draft(code)
        return {
            "label": index.label,
            "edit_url": url_for("AdjustmentsPage.edit", index=index.code),
            "draft": DraftState(draft.state) if draft else None,
            "draft_url": url_for("AdjustmentsPage.draft", draft_id=draft.id) if draft else None,
            **self._state(index, current),
        }

    def _state(self, index: Index | None, adjustment: LocalAdjustment | None) -> dict[str, Any]:
        """In words what an adjustment changes, or why it is out of force."""
        if adjustment is None:
            return {"words": [NOTHING], "problems": [], "since": None}
        problems: list[Problem] = library().adjustments().problems_of(adjustment.code)
        words = [] if problems or index is None else in_words(changed_numbers(index, [adjustment])) or [NOTHING]
        return {"words": words, "problems": problems, "since": adjustment.effective_from}

    def _rows(self) -> list[dict[str, Any]]:
        """The adjustments of organizations above and below the reader's own."""
        model: Any = registry["organization"].model
        known = library().adjustments().all.values()
        seen = self.session.execute(select(model.code, model.name).where(model.code.in_([one.under for one in known])))
        names = dict(iter(seen)) if known else {}
        rules = library().rules()
        found = []
        for each in known:
            base = rules.get(each.base)
            if each.under in names:
                rule = base if isinstance(base, Index) else None
                label = rule.label if rule else Label(each.base, each.base)
                found.append({"name": names[each.under], "label": label, **self._state(rule, each)})
        return sorted(found, key=lambda row: (row["label"].zh, row["name"]))

    def _waiting(self) -> list[dict[str, Any]]:
        """What was sent by organizations at or below the reader's own."""
        model: Any = registry["organization"].model
        statement = (
            select(Draft, model)
            .join(model, model.id == Draft.organization_id)
            .where(Draft.rule_kind == ADJUSTMENT, Draft.state == DraftState.SUBMITTED)
            .order_by(Draft.submitted_at, Draft.id)
        )
        return [
            {
                "name": organization.name,
                "url": url_for("AdjustmentsPage.draft", draft_id=draft.id),
                "author": drafts.name_of(self.session, draft.submitted_by_id),
                "at": draft.submitted_at,
                "reason": draft.reason,
                "decides": self._may_decide(draft, organization),
            }
            for draft, organization in self.session.execute(statement)
            if self._is_below(organization)
        ]

    def _versions(self, code: str) -> list[RuleVersion]:
        wanted = select(RuleVersion).where(RuleVersion.rule_code == code).order_by(RuleVersion.number.desc())
        return list(self.session.scalars(wanted.limit(20)))


GROUPS = {
    "lights": Label("亮灯分界（低于此分亮灯）", "Edges of the lights (lit below it)"),
    "weights": Label("指标权重（同组合计不变）", "Weights of indicators (each group keeps its sum)"),
    "targets": Label("指标目标", "Targets"),
    "parameters": Label("应有数", "What is due"),
}
assert GROUPS.keys() == KINDS.keys()


def any_changeable(index: Index) -> bool:
    return any(changeable(index).values())
