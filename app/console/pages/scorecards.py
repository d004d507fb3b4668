"""The scorecard of one subject: score, light, ranks, and where every point was lost, worst first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from app.access.permissions import EDIT_RULES, LEAGUE, WARNINGS, Permission, class_name
from app.access.references import organization_names, path_ids
from app.database.clock import today
from app.entity.labels import Label
from app.entity.registry import registry
from app.evaluation import results
from app.evaluation.breakdowns import read_breakdowns, read_columns
from app.evaluation.models import Run, Score, WarningState
from app.rules.explaining import NodeExplained, explain, metrics_of
from app.rules.model import Index, Light, Metric

from ..display import add_url
from .adjusted import standing_of, told
from .context import (
    Page,
    bands,
    chosen_index,
    chosen_period,
    index_links,
    indices,
    period_links,
    record_url,
    version_label,
)
from .records import figure_url
from .warnings import by_rule

GAINS = 5
OVER_THE_CAP = Label("超出封顶，不计", "beyond the cap, not counted")


class ScorecardPage(Page):
    """记分卡."""

    route_base = "/scorecard"
    default_view = "own"
    class_permission_name = "Scorecard"
    method_permission_name = {"show": "show", "own": "show"}

    @expose("/")
    @has_access
    def own(self) -> Response:
        """The reader's own: of the member, else of the branch, else the league table to choose from."""
        actor = self.actor
        subject, row_id = ("organization", actor.organization_id)
        if actor.member_id and not actor.is_staff:
            subject, row_id = "member", actor.member_id
        known = indices(subject)
        code = self._code(subject, row_id) if row_id else None
        if known and code and (subject == "member" or actor.tier == results.LEAF_TIER):
            return redirect(url_for("ScorecardPage.show", index=known[0].code, code=code))
        return redirect(url_for("LeaguePage.show"))

    @expose("/<index>/<code>")
    @has_access
    def show(self, index: str, code: str) -> str:
        self.update_redirect()
        rule = chosen_index(code=index)
        context = self.card(rule, code)
        context["freeze_url"] = url_for("CasesPage.freeze", index=index, code=code) if self.may(EDIT_RULES) else None
        return self.render_template("beacon/scorecard.html", **context)

    def _code(self, entity: str, row_id: int) -> str | None:
        model: Any = registry[entity].model
        return self.session.scalar(select(model.code).where(model.id == row_id))

    def card(self, index: Index, code: str) -> dict[str, Any]:
        """The context of the template; its shape is told there. 404 for a subject out of scope, as if absent."""
        session = self.session
        entity = registry[index.subject]
        subject = readable_subject(self, index, code)
        period = chosen_period(session, index)
        score = results.score_of(session, index.code, period, subject.id)
        run = results.latest_run(session, index.code, period)
        base_rule, standing = index, standing_of(index, score, run.as_of if run else today())
        row = read_breakdowns(session, standing.breakdown, period, [subject.id]).get(subject.id) if score else None
        index = replace(standing.index, code=base_rule.code)
        nodes = explain(index, row, registry) if row else ()
        peers_run = results.latest_run(session, index.code, period, full=True)
        history = results.scores_of(session, index.code, subject.id)
        before = next((each for each in reversed(history) if each.period_code < period), None)
        light = score.light if score else Light.NO_DATA.value
        value = score.score if score else None
        return {
            "title": str(subject),
            "crumbs": self._crumbs(score, index, period),
            "facts": self._facts(subject, entity.code),
            "index_label": index.label,
            "indices": index_links(index, index.subject),
            "period": period,
            "periods": period_links(session, index),
            "as_of": run.as_of if run else today(),
            "rule_version": version_label(session, run),
            "rule_url": None,
            "stale": results.running_evaluation(session) is not None,
            "what_if_url": url_for("WhatIfPage.show", index=index.code, code=code, period=request.args.get("period"))
            if nodes
            else None,
            "record_url": self._record_url(subject, entity.code),
            "subject_url": record_url(entity.code, subject.id),
            "score": value,
            "most": index.scale[1],
            "light": light,
            "grade": index.grades[score.grade][1] if score and score.grade is not None and index.grades else None,
            "bands": bands(index),
            "change": value - before.score if value is not None and before and before.score is not None else None,
            "sentence": _sentence(index, score, nodes),
            "ranks": self._ranks(index, score, before),
            "base": _base(index, row),
            "adjusted": told(session, base_rule, standing, score),
            "bonus": _adjustments(index, row, "bonus", subject, period),
            "penalty": _adjustments(index, row, "penalty", subject, period),
            "veto": _vetoes(index, row),
            "radar": self._radar(index, period, score, row),
            "trend": self._trend(index, score, history),
            "tree": [self._node(index, node, subject, period) for node in nodes],
            "lost_count": sum(leaf.lost >= 0.05 for node in nodes for leaf in node.leaves()),
            "gains": self._gains(index, nodes, subject, period),
            "next_light": next_light(index, value, light),
            "warnings": self._warnings(index, subject.id),
            "grounds": _grounds(session, run, peers_run, results.latest_correction(session, index.code, period)),
            "own": self.actor.member_id == subject.id and entity.code == "member",
        }

    def _crumbs(self, score: Score | None, index: Index, period: str) -> list[tuple[str, str | None]]:
        """The organizations above, those of the reader's scope as links to their tables."""
        path = path_ids(score.path or "") if score else []
        names = organization_names(self.session, path)
        own, may_open = set(path_ids(self.actor.organization_path or "")), self.may(LEAGUE)
        above = path if index.subject != "organization" else path[:-1]
        crumbs: list[tuple[str, str | None]] = []
        for organization in above:
            if organization not in names:
                continue
            seen = organization not in own or organization == self.actor.organization_id
            url = url_for("LeaguePage.show", index=index.code, period=period, under=names[organization].code)
            crumbs.append((names[organization].name, url if seen and may_open else None))
        return crumbs

    def _facts(self, subject: Any, entity: str) -> list[Label]:
        facts = []
        for name in ("unit_type", "org_type", "member_type"):
            label = getattr(getattr(subject, name, None), "label", None)
            if label:
                facts.append(label)
        return facts

    def _record_url(self, subject: Any, entity: str) -> str | None:
        """Where a missing meeting is added, for those who may."""
        if entity != "organization" or not self.may(Permission("can_add", class_name("meeting"))):
            return None
        return add_url("meeting", organization=subject.id)

    def _ranks(self, index: Index, score: Score | None, before: Score | None) -> list[dict[str, Any]]:
        if score is None or score.order_key is None:
            return []
        session = self.session
        ranks = []
        street = path_ids(score.path or "")[:-1]
        choices: list[tuple[Label, Label, dict[str, Any]]] = []
        if score.peers:
            choices.append((Label("同类名次", "Among peers"), _peers_words(index, score), {"peers": True}))
        if index.subject == "organization" and street:
            name = organization_names(session, [street[-1]])
            under = "/" + "/".join(map(str, street)) + "/"
            place = name[street[-1]].name if street[-1] in name else ""
            choices.append((Label("本级名次", "Under the same organization"), Label(place, place), {"under": under}))
        choices.append((Label("总名次", "Among all"), Label("", ""), {}))
        for label, place, arguments in choices:
            rank = results.rank_of(session, score, **arguments)
            earlier = results.rank_of(session, before, **arguments) if before else None
            if rank:
                ranks.append(
                    {
                        "label": label,
                        "place": place,
                        "rank": rank.place,
                        "of": rank.of,
                        "before": earlier.place if earlier else None,
                    }
                )
        return ranks

    def _radar(
        self, index: Index, period: str, score: Score | None, row: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        dimensions = [node for node in index.root.children if node.enabled]
        if row is None or score is None or len(dimensions) < 3:
            return None
        columns = [f"{node.code}.score" for node in dimensions]
        # A mean over all peers, whoever reads it: it says nothing of any one of them.
        peers = self.session.connection().execute(
            select(Score.subject_id).where(
                results.in_force(index.code, period), results.leaves(), Score.peers == score.peers
            )
        )
        frame = read_columns(self.session.connection(), index.code, period, peers.scalars().all(), columns)
        means = [frame[column].mean() if column in frame.columns else None for column in columns]
        return {
            "names": [node.label for node in dimensions],
            "self": [row.get(column) for column in columns],
            "peers": means if any(mean is not None for mean in means) else None,
        }

    def _trend(self, index: Index, score: Score | None, history: Any) -> dict[str, Any]:
        means = results.peer_means(self.session, index.code, score.peers) if score else {}
        return {
            "periods": [each.period_code for each in history],
            "self": [each.score for each in history],
            "peers": [means.get(each.period_code) for each in history] if means else None,
        }

    def _node(self, index: Index, node: NodeExplained, subject: Any, period: str) -> dict[str, Any]:
        return {
            "label": node.label,
            "say": node.sentence,
            "figures": [(figure.label, _figure_url(index, figure.metric, subject, period)) for figure in node.figures],
            "basis": node.basis,
            "won": node.won,
            "weight": round(node.weight, 2),
            "lost": node.lost,
            "missing": node.score is None,
            "children": [self._node(index, child, subject, period) for child in node.children],
        }

    def _gains(self, index: Index, nodes: Any, subject: Any, period: str) -> list[dict[str, Any]]:
        leaves = sorted((leaf for node in nodes for leaf in node.leaves()), key=lambda leaf: -leaf.lost)
        return [
            {
                "say": leaf.sentence,
                "points": leaf.lost,
                "url": _figure_url(index, leaf.figures[0].metric, subject, period) if leaf.figures else None,
            }
            for leaf in leaves[:GAINS]
            if leaf.lost >= 0.05
        ]

    def _warnings(self, index: Index, subject_id: int) -> list[dict[str, Any]]:
        """What stands on the subject and on the records tied to it, one line a rule."""
        tied = WarningState.member_id if index.subject == "member" else WarningState.organization_id
        seen = self.may(WARNINGS)
        return [
            {
                "light": first.light,
                "say": say,
                "detail": by,
                "count": count,
                "url": url_for("WarningsPage.show", rule=code)
                if seen
                else record_url(first.subject_entity, first.subject_id),
            }
            for code, first, count, say, by in by_rule(self.session, tied == subject_id)
        ]


def readable_subject(page: Page, index: Index, code: str) -> Any:
    """Whom a scorecard is about; 404 for a subject out of scope, as if absent. A member who is no staff reads their own
    and no other, although they see the record of their branch."""
    model: Any = registry[index.subject].model
    subject = page.session.scalars(select(model).where(model.code == code)).one_or_none()
    actor = page.actor
    is_own = index.subject == "member" and subject is not None and subject.id == actor.member_id
    if subject is None or not (actor.is_staff or actor.unrestricted or is_own):
        raise NotFound
    return subject


def next_light(index: Index, score: float | None, light: str) -> dict[str, Any] | None:
    """The light above, its edge and how far it is, the recovery margin included."""
    ranges = bands(index)
    lights = [name for name, _low, _high in ranges]
    if score is None or light not in lights or lights.index(light) + 1 >= len(lights):
        return None
    name, edge, _high = ranges[lights.index(light) + 1]
    return {"light": name, "edge": edge, "distance": max(edge + index.recover - score, 0.0)}


def _peers_words(index: Index, score: Score) -> Label:
    """The peers' values as words: 社区 for community."""
    words = []
    for path, value in zip(index.peers, score.peers.split("|"), strict=False):
        entity = registry[index.subject]
        *steps, name = path.split(".")
        for step in steps:
            entity = registry[entity.relations[step].target]
        described = entity.fields.get(name)
        found = described.code_list.find(value) if described and described.code_list else None
        words.append(found.label if found else Label(value, value))
    return Label("、".join(word.zh for word in words), ", ".join(word.en for word in words))


def _sentence(index: Index, score: Score | None, nodes: tuple[NodeExplained, ...]) -> Label:
    if score is None:
        return Label("这一期没有评定。", "Not scored in this period.")
    if score.score is None:
        return Label("数据不足，没有得分。", "Too little data for a score.")
    lost = [node for node in nodes if node.lost >= 0.05][:2]
    if not lost:
        return Label("没有失分。", "Nothing was lost.")
    return Label(
        "失分最多的是" + "和".join(f"{node.label.zh}（{node.lost:.1f} 分）" for node in lost) + "。",
        "Most was lost in " + " and ".join(f"{node.label.en} ({node.lost:.1f} points)" for node in lost) + ".",
    )


def _base(index: Index, row: dict[str, Any] | None) -> dict[str, Any] | None:
    base = row.get("base") if row else None
    if base is None or not (index.bonus or index.penalty):
        return None
    return {"score": base, "lost": index.scale[1] - base}


def _adjustments(
    index: Index, row: dict[str, Any] | None, kind: str, subject: Any, period: str
) -> list[dict[str, Any]]:
    """The bonuses or penalties that held, and what a cap on all of them took back."""
    if row is None:
        return []
    items, sign = (index.bonus, 1) if kind == "bonus" else (index.penalty, -1)
    found = []
    for item in items:
        points = row.get(f"{item.code}.points")
        if points:
            used = metrics_of(index, item.value)
            url = figure_url(index, used[0], subject, period) if used else None
            found.append({"label": item.label, "points": sign * abs(points), "url": url})
    over = sum(abs(each["points"]) for each in found) - abs(row.get(kind) or 0.0)
    if over >= 0.05:
        found.append({"label": OVER_THE_CAP, "points": -sign * over, "url": None})
    return found


def _figure_url(index: Index, name: str, subject: Any, period: str) -> str | None:
    metric = next(metric for metric in index.metrics if metric.name == name)
    return figure_url(index, metric, subject, period) if isinstance(metric, Metric) else None


def _vetoes(index: Index, row: dict[str, Any] | None) -> list[dict[str, Any]]:
    return [
        {"label": veto.label, "points": None, "url": None, "cap": veto.cap}
        for veto in index.veto
        if row and row.get(f"{veto.code}.held")
    ]


def _grounds(
    session: Session, run: Run | None, peers_run: Run | None, correction: Run | None
) -> list[tuple[Label, Any, str | None]]:
    if run is None:
        return []
    finished = f"{run.finished_at:%Y-%m-%d %H:%M}"
    grounds: list[tuple[Label, Any, str | None]] = [
        (Label("规则", "Rule"), version_label(session, run) or "", None),
        (
            Label("评定", "Evaluated"),
            Label(f"{finished}，第 {run.id} 次", f"{finished}, run {run.id}"),
            None,
        ),
        (Label("数据", "Data"), Label(f"截至 {run.as_of}", f"as of {run.as_of}"), None),
    ]
    if peers_run is not None:
        grounds.append(
            (
                Label("同类数据", "Peer figures"),
                Label(f"{peers_run.finished_at:%Y-%m-%d %H:%M}", f"{peers_run.finished_at:%Y-%m-%d %H:%M}"),
                None,
            )
        )
    if correction is not None and correction.finished_at is not None:
        day = f"{correction.finished_at:%Y-%m-%d}"
        reason = correction.correction_reason
        grounds.append(
            (
                Label("更正", "Correction"),
                Label(f"封账后于 {day} 更正：{reason}", f"corrected on {day}, after closing: {reason}"),
                None,
            )
        )
    grounds.append(
        (
            Label("口径", "Reading"),
            Label("不带日期的字段按现在的值计算", "columns without dates are read as they stand now"),
            None,
        )
    )
    return grounds
