"""Trying a draft out: who would change light and why, the spread, by unit, and over past periods."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from werkzeug.exceptions import NotFound

from app.access.permissions import EDIT_RULES
from app.entity.labels import Label
from app.rules.candidate import ADJUSTMENT
from app.workshop import drafts
from app.workshop.approvals import permission_for
from app.workshop.comparison import LIGHTS, DryRun
from app.workshop.dry_run import back_test, past_periods, scope_of
from app.workshop.models import EDITABLE, Draft, DraftState

from ..pages.context import Page, library, link
from ..presentation import period_name
from .links import page_link
from .trials import columns, decimals, matrix, moves, try_out, units, words_of_light

MOST_PERIODS = 6
MOST_SHOWN = 100


class DryRunPage(Page):
    """试算."""

    route_base = "/workshop/dry-runs"
    default_view = "show"
    class_permission_name = "Rule"
    method_permission_name = {"show": "list"}

    @expose("/<int:draft_id>")
    @has_access
    def show(self, draft_id: int) -> str:
        draft = self._draft(draft_id)
        candidate = drafts.candidate_of(draft, library())
        whole: dict[str, Any] = {
            "title": candidate.rule.label if candidate.rule else Label(draft.rule_code, draft.rule_code),
            "draft": draft,
            "edit_url": page_link("WorkshopEditor.edit", draft_id=draft.id),
            "ask_url": url_for("ApprovalPage.ask", draft_id=draft.id) if draft.state in EDITABLE else None,
            "robustness_url": self._robustness_url(draft),
            "faulty": candidate.rule is None,
            "stale": drafts.is_stale(draft, library()),
            "run": None,
            "problem": None,
        }
        if candidate.rule is not None:
            trial = try_out(self.session, candidate.rule, request.args.get("period"))
            whole |= {"run": trial.run, "problem": trial.problem}
            if trial.run is not None:
                whole |= self._told(trial.run)
        return self.render_template("workshop/dry_run.html", **whole)

    def _told(self, run: DryRun) -> dict[str, Any]:
        before, after = request.args.get("before"), request.args.get("after")
        if before not in (None, *LIGHTS) or after not in (None, *LIGHTS):
            raise NotFound
        periods = past_periods(self.session, run.rule)
        backs = []
        if request.args.get("back"):
            backs = back_test(
                self.session.get_bind(),
                library(),
                run.rule,
                actor=self.actor,
                scope=scope_of(self.session, run.rule),
                periods=periods[:MOST_PERIODS],
            )
        return {
            "matrix": matrix(run, lambda one, other: link(before=one, after=other) + "#who"),
            "words": lambda light: words_of_light(light, run.rule),
            "moved": moves(self.session, run, run.moves(before, after, limit=MOST_SHOWN)),
            "chosen": (before, after) if before and after else None,
            "all_url": link(before=None, after=None),
            "gains": moves(self.session, run, run.gains),
            "losses": moves(self.session, run, run.losses),
            "units": units(self.session, run),
            "columns": columns(run),
            "decimals": decimals(run),
            "most": MOST_SHOWN,
            "read_by": [library().rules()[code].label for code in run.read_by],
            "periods": [(code, period_name(code), link(period=code, before=None, after=None)) for code in periods],
            "back_url": None if request.args.get("back") or not periods else link(back=1),
            "backs": [(period_name(each.period), each) for each in backs],
        }

    def _robustness_url(self, draft: Draft) -> str | None:
        """For those who work on a draft of an index."""
        user_id = self.actor.user_id
        works = user_id is not None and self.may(EDIT_RULES) and drafts.may_edit(self.session, draft, user_id)
        return page_link("RobustnessPage.of_draft", draft_id=draft.id) if works and draft.rule_kind == "index" else None

    def _draft(self, draft_id: int) -> Draft:
        """The draft, for those who work on it and those who may decide it."""
        draft = self.session.get(Draft, draft_id)
        user_id = self.actor.user_id
        if draft is None or user_id is None or draft.rule_kind == ADJUSTMENT:
            raise NotFound
        decides = self.may(permission_for(draft.rule_kind)) and draft.state != DraftState.EDITING
        if not decides and not (self.may(EDIT_RULES) and drafts.may_edit(self.session, draft, user_id)):
            raise NotFound
        return draft
