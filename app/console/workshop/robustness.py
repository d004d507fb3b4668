"""How steady an index is when its weights are shaken: intervals of ranks, lights that change, what each indicator
really counts, and indicators that say the same. For the rule in force, or a draft of one's own."""

from __future__ import annotations

from typing import Any

import polars as pl
from flask import url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from werkzeug.exceptions import NotFound

from app.entity.labels import Label, UserError
from app.rules.model import Index
from app.rules.robustness import SHAKEN_BY, Robustness
from app.workshop import drafts
from app.workshop.dry_run import scope_of
from app.workshop.steadiness import robustness_of

from ..pages.context import Page, library, scorecard_url, titles
from .links import page_link

MOST_SHOWN = 50
FAR_APART = 0.05
"""Shares of the whole from which on effective and nominal weight are pointed out."""


class RobustnessPage(Page):
    """稳健性."""

    route_base = "/workshop/robustness"
    default_view = "show"
    class_permission_name = "Rule"
    method_permission_name = {"show": "list", "of_draft": "edit"}

    @expose("/<code>")
    @has_access
    def show(self, code: str) -> str:
        rule = library().rules().get(code)
        if not isinstance(rule, Index):
            raise NotFound
        return self._shown(rule, url_for("WorkshopPage.read", code=code), Label("现行规则", "the rule in force"))

    @expose("/drafts/<int:draft_id>")
    @has_access
    def of_draft(self, draft_id: int) -> str:
        user_id = self.actor.user_id
        draft = drafts.draft_for(self.session, draft_id, user_id) if user_id is not None else None
        if draft is None or draft.rule_kind != "index":
            raise NotFound
        rule = drafts.candidate_of(draft, library()).rule
        back = page_link("WorkshopEditor.edit", draft_id=draft_id)
        return self._shown(rule if isinstance(rule, Index) else None, back, Label("草稿", "the draft"))

    def _shown(self, rule: Index | None, back: str | None, which: Label) -> str:
        context: dict[str, Any] = {
            "title": Label("稳健性", "Robustness"),
            "rule": rule,
            "which": which,
            "back_url": back,
            "by": SHAKEN_BY,
            "problem": None,
            "found": None,
        }
        if rule is None:
            context["problem"] = Label(
                "规则还有错误，改正后才能计算。", "The rule has faults; it can be worked out once they are mended."
            )
            return self.render_template("workshop/robustness.html", **context)
        try:
            found, period = robustness_of(self.session.get_bind(), library(), rule)
        except UserError as error:
            context["problem"] = error.label
            return self.render_template("workshop/robustness.html", **context)
        subjects = _in_scope(found, scope_of(self.session, rule))
        labels = {node.code: node.label for node in rule.root.walk()}
        context |= {
            "found": found,
            "period": period,
            "count": subjects.height,
            "steady": subjects.filter(pl.col("light_changes") == 0).height,
            "rows": self._rows(rule, subjects, period),
            "most": MOST_SHOWN,
            "leaves": [(labels[leaf.code], leaf) for leaf in found.leaves],
            "far_apart": FAR_APART,
            "alike": [(labels[pair.one], labels[pair.other], pair.correlation) for pair in found.alike],
        }
        return self.render_template("workshop/robustness.html", **context)

    def _rows(self, rule: Index, subjects: pl.DataFrame, period: str) -> list[dict[str, Any]]:
        """The subjects whose light changes most often, then those with the widest interval of ranks."""
        width = (pl.col("rank_high") - pl.col("rank_low")).alias("width")
        first = subjects.with_columns(width).sort(["light_changes", "width", "rank"], descending=[True, True, False])
        shown = first.head(MOST_SHOWN)
        names = titles(self.session, rule.subject, shown["subject_id"].to_list())
        return [
            {
                **row,
                "title": names[row["subject_id"]][1],
                "url": scorecard_url(rule.code, names[row["subject_id"]][0], period),
            }
            for row in shown.iter_rows(named=True)
            if row["subject_id"] in names
        ]


def _in_scope(found: Robustness, scope: Any) -> pl.DataFrame:
    if scope is None:
        return found.subjects
    return found.subjects.filter(pl.col("subject_id").is_in(pl.Series(list(scope), dtype=pl.Int64).implode()))
