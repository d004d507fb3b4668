"""The overview of one's own tier: lights by child unit, what changed, the worst ten and why, the open warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.permissions import ADJUST_RULES, EVALUATE, SEE_RUNS
from app.access.references import organization_names
from app.database.clock import today
from app.entity.labels import Label
from app.entity.registry import registry
from app.evaluation import results
from app.evaluation.breakdowns import read_breakdowns, read_columns
from app.evaluation.models import Score
from app.rules.explaining import why
from app.rules.model import Index, Light

from .context import (
    PERIOD_STATES,
    Page,
    base_switch,
    by_base_rule,
    chosen_index,
    chosen_period,
    index_links,
    library,
    period_links,
    places,
    rule_label,
    scorecard_url,
    titles,
    version_label,
)

WORST = 10
CHANGES = 6
KINDS = 4
MOST_UNITS = 60

UNIT_WORDS = {
    "district": Label("区", "District"),
    "street": Label("街镇", "Street or town"),
    "branch": Label("支部", "Branch"),
}


class DashboardPage(Page):
    """总览."""

    route_base = "/dashboard"
    default_view = "show"
    class_permission_name = "Dashboard"
    method_permission_name = {"show": "show"}

    @expose("/")
    @has_access
    def show(self) -> str:
        self.update_redirect()
        return self.render_template("beacon/dashboard.html", **self.overview())

    def overview(self) -> dict[str, Any]:
        """The context of the template; its shape is told there."""
        session, actor = self.session, self.actor
        index = chosen_index("organization") or chosen_index()
        if index is None:
            return {"title": "总览", "nothing": True}
        period = chosen_period(session, index)
        root = _with_several_below(session, actor.organization_id or _root(session))
        own = actor.organization_id or root
        name = organization_names(session, [own])[own].name if own else ""
        run = results.latest_run(session, index.code, period)
        evaluating = results.running_evaluation(session)
        since = today()
        base = by_base_rule()
        return {
            "title": Label(f"{name}{index.label.zh}总览", f"{name}: {index.label.en}"),
            "index_label": index.label,
            "indices": index_links(index),
            "period": period,
            "period_state": PERIOD_STATES.get(results.period_state(session, period)),
            "periods": period_links(session, index),
            "as_of": run.as_of if run else today(),
            "evaluated_at": run.finished_at if run else None,
            "rule_version": version_label(session, run),
            "run_url": url_for("EvaluationsPage.show") if self.may(SEE_RUNS) else None,
            "stale": bool(evaluating and run),
            "evaluate_url": url_for("EvaluationsPage.start") if self.may_evaluate() else None,
            "measure": Label(registry[index.subject].options.measure, ""),
            "subject_label": _subject_label(index),
            "since": Label("较昨日", "since yesterday"),
            "by_base": base_switch(run),
            "adjustment": _unfitting(session, actor.organization_id) if self.may(ADJUST_RULES) else None,
            "total": self._total(index, period, since, base),
            "units": _units(session, index, period, root, base),
            "unit_label": UNIT_WORDS.get(_tier_below(session, root), Label("下级", "Unit")),
            "league_url": url_for("LeaguePage.show", index=index.code, period=period, base=base_argument(base)),
            "warnings": _warnings(session),
            "changes": _changes(session, index, period, since),
            "worst": _worst(session, index, period, own, base),
            "trend": _trend(session, index),
            "dimensions": _dimensions(session, index, period),
            "remark": None,
            "note": _note(session),
        }

    def may_evaluate(self) -> bool:
        return self.may(EVALUATE)

    def _total(self, index: Index, period: str, since: Any, base: bool) -> dict[str, Any]:
        session = self.session
        counts = results.light_counts(session, index.code, period, base=base)
        before = _previous(session, index, period)
        mean_before = results.light_counts(session, index.code, before, base=base).mean if before else None
        change = counts.mean - mean_before if counts.mean is not None and mean_before is not None else None
        return {
            "count": counts.subjects,
            "url": url_for("LeaguePage.show", index=index.code, period=period, base=base_argument(base)),
            "mean": counts.mean,
            "mean_change": change,
            "counts": counts.counts,
            # Since when a light has stood is kept of those in force alone.
            "changes": dict.fromkeys(Light, None)
            if base
            else dict.fromkeys(counts.counts, 0) | results.changes_by_light(session, index.code, period, since),
            "links": _light_links(index, period, None, base),
        }


def _unfitting(session: Session, organization_id: int | None) -> dict[str, Any] | None:
    """Why an adjustment of the reader's own organization is out of force, and where to mend it."""
    adjustments = library().adjustments()
    if not adjustments.problems or organization_id is None:
        return None
    own = organization_names(session, [organization_id]).get(organization_id)
    for each in adjustments.all.values():
        problems = adjustments.problems_of(each.code)
        if problems and own is not None and each.under == own.code:
            return {"say": problems[0].label, "url": url_for("AdjustmentsPage.show")}
    return None


def _root(session: Session) -> int | None:
    """The top of the tree, for readers who see all of it."""
    model: Any = registry["organization"].model
    return session.scalars(select(model.id).where(model.parent_id.is_(None)).order_by(model.id).limit(1)).first()


def _with_several_below(session: Session, root: int | None) -> int | None:
    """The organization itself, or the first below it that has more than one child: a city with one district shows
    that district's streets."""
    model: Any = registry["organization"].model
    while root is not None:
        children = session.scalars(select(model.id).where(model.parent_id == root).limit(2)).all()
        if len(children) != 1:
            break
        root = children[0]
    return root


def _tier_below(session: Session, root: int | None) -> str | None:
    model: Any = registry["organization"].model
    statement = select(model.tier).where(model.parent_id == root).limit(1)
    tier = session.scalars(statement).first()
    return str(tier) if tier else None


def _subject_label(index: Index) -> Label:
    if index.subject == "organization":
        return Label("参评支部", "Branches scored")
    label = registry[index.subject].label
    return Label(f"参评{label.zh}", f"{label.en}s scored")


def base_argument(base: bool) -> int | None:
    """How an address says that its page compares on the base rule."""
    return 1 if base else None


def _light_links(index: Index, period: str, under: str | None, base: bool) -> dict[str, str]:
    common = {"index": index.code, "period": period, "under": under, "base": base_argument(base)}
    return {light.value: url_for("LeaguePage.show", light=light.value, **common) for light in Light}


def _previous(session: Session, index: Index, period: str) -> str | None:
    """The period with results before this one."""
    earlier = [code for code in results.periods_of(session, index.code) if code < period]
    return earlier[0] if earlier else None


def _units(session: Session, index: Index, period: str, root: int | None, base: bool) -> list[dict[str, Any]]:
    """The lights below each child unit, most red first; none where the children are the leaves themselves."""
    if root is None or _tier_below(session, root) in (None, results.LEAF_TIER):
        return []
    by_child = results.light_counts_by_child(session, index.code, period, root, base=base)
    common = {"index": index.code, "period": period, "base": base_argument(base)}
    named = titles(session, "organization", by_child)
    rows = [
        {
            "name": named[child][1],
            "url": url_for("LeaguePage.show", under=named[child][0], **common),
            "count": counts.subjects,
            "mean": counts.mean,
            "red_share": counts.red_share,
            "counts": counts.counts,
            "links": _light_links(index, period, named[child][0], base),
        }
        for child, counts in by_child.items()
        if child in named
    ]
    return sorted(rows, key=lambda row: (-row["red_share"], row["mean"] or 0.0))[:MOST_UNITS]


def _warnings(session: Session) -> dict[str, Any]:
    counts = results.warning_counts(session)
    new = results.new_warning_counts(session)
    levels = []
    for light in (Light.RED, Light.ORANGE, Light.YELLOW):
        levels.append(
            {
                "light": light.value,
                "count": sum(number for (_rule, level), number in counts.items() if level == light),
                "new": None if new is None else sum(number for (_, level), number in new.items() if level == light),
                "url": url_for("WarningsPage.show", light=light.value),
            }
        )
    by_rule: dict[str, int] = {}
    for (rule, _level), number in counts.items():
        by_rule[rule] = by_rule.get(rule, 0) + number
    kinds = sorted(by_rule.items(), key=lambda item: -item[1])[:KINDS]
    return {
        "count": sum(counts.values()),
        "url": url_for("WarningsPage.show"),
        "levels": levels,
        "kinds": [(rule_label(rule), number, url_for("WarningsPage.show", rule=rule)) for rule, number in kinds],
    }


def explained(
    session: Session, index: Index, period: str, scores: Sequence[Score], *, base: bool = False
) -> list[dict[str, Any]]:
    """Name, place, link and the reason in one line, for the rows of one page; ``base``: by the base rule."""
    named = titles(session, index.subject, [score.subject_id for score in scores])
    where = places(session, scores)
    numbers = read_breakdowns(session, index.code, period, [score.subject_id for score in scores])
    rows = []
    for score in scores:
        code, name = named.get(score.subject_id, ("", "—"))
        row = numbers.get(score.subject_id)
        points, light = results.standing(score, base=base)
        rows.append(
            {
                "name": name,
                "url": scorecard_url(index.code, code, period) if code else None,
                "place": where.get(score.id),
                "light": light,
                "score": points,
                "before": score.light_before,
                "after": score.light,
                "why": why(index, row, registry) if row else Label("", ""),
            }
        )
    return rows


def _changes(session: Session, index: Index, period: str, since: Any) -> dict[str, Any]:
    statement = results.light_changes(index.code, period, since)
    scores = session.scalars(statement.limit(CHANGES)).all()
    count = session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) if scores else 0
    return {
        "count": count,
        "url": url_for("LeaguePage.show", index=index.code, period=period, changed=1) if scores else None,
        "rows": explained(session, index, period, scores),
    }


def _worst(session: Session, index: Index, period: str, own: int | None, base: bool) -> list[dict[str, Any]]:
    """The lowest; where they lie is not said of what lies right below the reader."""
    scores = session.scalars(results.ranked(index.code, period, base=base).limit(WORST)).all()
    rows = explained(session, index, period, scores, base=base)
    names = organization_names(session, [own])
    return [{**row, "place": None if own and row["place"] == names[own].name else row["place"]} for row in rows]


def _trend(session: Session, index: Index) -> dict[str, Any]:
    by_period = results.counts_by_period(session, index.code)
    lights = ("red", "orange", "yellow")
    return {
        "periods": list(by_period),
        **{light: [counts.get(light, 0) for counts in by_period.values()] for light in lights},
    }


def _dimensions(session: Session, index: Index, period: str) -> list[dict[str, Any]]:
    """The mean score of each dimension over the leaves in scope, and its change against the period before."""
    present = _dimension_means(session, index, period)
    before = _previous(session, index, period)
    earlier = _dimension_means(session, index, before) if before else {}
    rows = []
    for node in index.root.children:
        rate = present.get(node.code)
        if rate is not None:
            change = rate - earlier[node.code] if earlier.get(node.code) is not None else None
            rows.append({"label": node.label, "rate": rate, "change": change})
    return rows


def _dimension_means(session: Session, index: Index, period: str) -> dict[str, float | None]:
    statement = select(Score.subject_id).where(results.in_force(index.code, period), results.leaves())
    ids = session.scalars(statement).all()
    columns = [f"{node.code}.score" for node in index.root.children if node.enabled]
    frame = read_columns(session.connection(), index.code, period, ids, columns)
    return {column.removesuffix(".score"): frame[column].mean() for column in columns if column in frame.columns}


def _note(session: Session) -> Label | None:
    """Said at the foot of every overview that rests on demonstration records."""
    model: Any = registry["organization"].model
    if session.scalars(select(model.id).where(model.is_demonstration).limit(1)).first() is None:
        return None
    return Label(
        "演示数据：行政区划为真实名称，组织、人员与记录均为系统生成。",
        "Demonstration: the divisions are real names; organizations, people and records are generated.",
    )
