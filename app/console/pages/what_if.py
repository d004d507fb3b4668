"""“What would it take?” on a scorecard: other figures of one subject, what they would give, and the shortest ways to a
better light. Nothing is stored; the figures stand in the address, so that one can send it to a colleague."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access

from app.entity.labels import Label
from app.entity.registry import registry
from app.evaluation import results
from app.evaluation.models import Score
from app.rules.explaining import name_of_metric
from app.rules.model import Index, Metric
from app.rules.standing import Outcome, Standing, with_other
from app.rules.what_if import Change, Way, next_light, shortest_ways
from app.workshop.one_subject import standing_of

from .context import Page, bands, chosen_index, chosen_period, library, scorecard_url
from .scorecards import readable_subject
from .what_if_fields import Fields, fields_of, written


class WhatIfPage(Page):
    """要怎样才行."""

    route_base = "/scorecard/what-if"
    default_view = "show"
    class_permission_name = "Scorecard"
    method_permission_name = {"show": "show", "ways": "show"}

    @expose("/<index>/<code>")
    @has_access
    def show(self, index: str, code: str) -> str:
        """The page; asked by htmx, what the figures would give alone."""
        rule, subject, period, score, standing = self._standing(index, code)
        context: dict[str, Any] = {
            "title": Label("要怎样才行", "What would it take?"),
            "subject": str(subject),
            "index_label": rule.label,
            "period": period,
            "card_url": scorecard_url(rule.code, code, period),
            "address": url_for("WhatIfPage.show", index=index, code=code),
            "here": {"period": request.args.get("period")},
            "fields": None,
        }
        if score is None or standing is None:
            return self.render_template("beacon/what_if.html", **context)
        fields = fields_of(standing, request.args)
        if not fields.groups:
            return self.render_template("beacon/what_if.html", **context)
        context |= {"fields": fields, **self._told(standing, score, fields)}
        if request.headers.get("HX-Request"):
            return self.render_template("beacon/what_if_result.html", **context)
        context |= {
            "next_light": next_light(standing.index, score.light),
            "ways_url": url_for("WhatIfPage.ways", index=index, code=code, period=request.args.get("period")),
            "changed": bool(fields.given.figures or fields.given.values),
        }
        return self.render_template("beacon/what_if.html", **context)

    @expose("/<index>/<code>/ways")
    @has_access
    def ways(self, index: str, code: str) -> str:
        """The shortest ways, which take a second to find: a part of the page."""
        *_rest, standing = self._standing(index, code)
        found = shortest_ways(standing) if standing is not None else []
        rows = [self._way(standing.index, way, index, code) for way in found] if standing is not None else []
        return self.render_template("beacon/what_if_ways.html", ways=rows)

    def _standing(self, index: str, code: str) -> tuple[Index, Any, str, Score | None, Standing | None]:
        """(index, subject, period, its score, how it stands); 404 for whom the reader may not see."""
        rule = chosen_index(code=index)
        assert rule is not None
        subject = readable_subject(self, rule, code)
        period = chosen_period(self.session, rule)
        score = results.score_of(self.session, rule.code, period, subject.id)
        if score is None:
            return rule, subject, period, None, None
        # By the connection: the peers' figures are nobody's to see, and only this subject's own leave here.
        standing = standing_of(self.session.connection(), library(), rule.code, period, subject.id, score.adjusted_by)
        return rule, subject, period, score, standing

    def _told(self, standing: Standing, score: Score, fields: Fields) -> dict[str, Any]:
        now, then = fields.now, with_other(standing, fields.given)
        rank, rank_then = results.rank_of(self.session, score), None
        if then.order_key is not None:
            rank_then = results.rank_of(self.session, score, instead=then.order_key)
        return {
            "now": {"score": now.score, "light": score.light, "rank": rank},
            "then": {"score": then.score, "light": then.light, "rank": rank_then},
            "most": standing.index.scale[1],
            "bands": bands(standing.index),
            "differences": _differences(standing.index, now, then),
        }

    def _way(self, rule: Index, way: Way, index: str, code: str) -> dict[str, Any]:
        said = [_said(rule, change) for change in way.changes]
        figures = {f"m.{change.metric}": written(change.after) for change in way.changes}
        return {
            "say": Label("；".join(each.zh for each in said), "; ".join(each.en for each in said)),
            "score": way.score,
            "light": way.light,
            "url": url_for("WhatIfPage.show", index=index, code=code, period=request.args.get("period"), **figures),
        }


def _said(index: Index, change: Change) -> Label:
    """“党课再增加 2 次（1 → 3）”."""
    metric = next(each for each in index.metrics if isinstance(each, Metric) and each.name == change.metric)
    what = name_of_metric(metric, registry)
    if isinstance(change.after, bool):
        return Label(
            f"{what.zh}：{'做到' if change.after else '不再有'}",
            f"{what.en}: {'done' if change.after else 'none any more'}",
        )
    is_more = float(change.after) > float(change.before)
    span = f"{written(change.before)} → {written(change.after)}"
    return Label(
        f"{what.zh}{'增加' if is_more else '减少'} {change.units}（{span}）",
        f"{what.en}: {change.units} {'more' if is_more else 'fewer'} ({span})",
    )


def _differences(index: Index, now: Outcome, then: Outcome) -> list[tuple[Label, float | None, float | None]]:
    """The indicators whose score changes: (label, share won now, then)."""
    found = []
    for node in index.root.walk():
        before, after = now.nodes.get(node.code), then.nodes.get(node.code)
        if not node.children and before != after and (before is None or after is None or abs(before - after) > 0.05):
            found.append((node.label, before, after))
    return found
