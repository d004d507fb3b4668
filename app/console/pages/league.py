"""The league table: every scored subject in scope with rank, light and change, filtered and paged."""

from __future__ import annotations

from math import ceil
from typing import Any

from flask import request
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import ColumnElement, func, or_, select
from werkzeug.exceptions import NotFound

from app.database.clock import today
from app.entity.labels import Label
from app.entity.registry import registry
from app.evaluation import results
from app.evaluation.models import IN_FORCE, Score
from app.rules.model import Index, Light

from ..presentation import LIGHT_WORDS, day, period_name
from .context import (
    Page,
    base_switch,
    by_base_rule,
    chosen_index,
    chosen_period,
    indices,
    link,
    places,
    scorecard_url,
    titles,
)

PAGE_SIZE = 50


class LeaguePage(Page):
    """排行榜."""

    route_base = "/league"
    default_view = "show"
    class_permission_name = "Scorecard"
    method_permission_name = {"show": "list"}

    @expose("/")
    @has_access
    def show(self) -> str:
        self.update_redirect()
        return self.render_template("beacon/league.html", **self.table())

    def table(self) -> dict[str, Any]:
        """The context of the template; its shape is told there."""
        session = self.session
        index = chosen_index()
        if index is None:
            raise NotFound
        period = chosen_period(session, index)
        entity = registry[index.subject]
        base = by_base_rule()
        key = results.order_key(base=base)
        conditions = self._conditions(index, base)
        statement = (
            select(Score)
            .where(results.in_force(index.code, period), results.leaves(), *conditions)
            .order_by(
                key.is_(None),
                key.asc() if request.args.get("worst") else key.desc(),
                Score.id,
            )
        )
        total = session.scalar(
            select(func.count(Score.id)).where(results.in_force(index.code, period), results.leaves(), *conditions)
        )
        pages = max(ceil((total or 0) / PAGE_SIZE), 1)
        page = min(max(request.args.get("page", 1, type=int), 1), pages)
        scores = session.scalars(statement.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all()
        run = results.latest_run(session, index.code, period)
        first = (page - 1) * PAGE_SIZE + 1
        filters = ["unit_type", "under", "light", "q", "changed"]
        as_of = run.as_of if run else today()
        return {
            "title": Label(f"{index.label.zh}排行榜", f"{index.label.en}: league table"),
            "context_line": Label(
                f"{index.label.zh} · {period_name(period)} · 数据截至 {day(as_of, near=False)}",
                f"{index.label.en} · {period_name(period)} · data as of {day(as_of, near=False)}",
            ),
            "export_url": None,
            "filters": self._filters(index, period),
            "search": {"name": "q", "label": Label(f"查找{entity.label.zh}", "Find"), "value": request.args.get("q")},
            "active": any(request.args.get(name) for name in filters),
            "clear_url": link(**dict.fromkeys([*filters, "page"])),
            "measure": Label(entity.options.measure, ""),
            "name_label": entity.label,
            "place_label": registry["organization"].fields["parent_id"].label
            if index.subject == "organization"
            else registry["organization"].label,
            "rows": self._rows(index, period, scores, base),
            "by_base": base_switch(run),
            "pages": {
                "page": page,
                "pages": pages,
                "total": total,
                "first": first,
                "last": min(first + PAGE_SIZE - 1, total or 0),
                "url": lambda number: link(page=number),
            },
        }

    def _conditions(self, index: Index, base: bool) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        light = request.args.get("light")
        if light in set(Light):
            conditions.append(results.light(base=base) == light)
        if unit := request.args.get("unit_type"):
            organizations: Any = registry["organization"].model
            conditions.append(
                Score.organization_id.in_(select(organizations.id).where(organizations.unit_type == unit))
            )
        if under := request.args.get("under"):
            organizations = registry["organization"].model
            path = self.session.scalar(select(organizations.path).where(organizations.code == under))
            if path is None:
                raise NotFound
            conditions += [Score.path >= path, Score.path < path + "~"]
        if request.args.get("changed"):
            conditions += [Score.light_before.is_not(None), Score.light_since >= today()]
        if words := (request.args.get("q") or "").strip():
            model: Any = registry[index.subject].model
            searched = [
                getattr(model, name).contains(words, autoescape=True)
                for name, described in registry[index.subject].fields.items()
                if described.options.searched
            ]
            conditions.append(Score.subject_id.in_(select(model.id).where(or_(*searched))))
        return conditions

    def _filters(self, index: Index, period: str) -> list[dict[str, Any]]:
        units = registry["organization"].fields["unit_type"].code_list
        below = self._children()
        filters: list[dict[str, Any]] = [
            {
                "name": "index",
                "label": Label("指数", "Index"),
                "value": index.code,
                "options": [(known.code, known.label) for known in indices()],
            },
            {
                "name": "period",
                "label": Label("期间", "Period"),
                "value": period,
                "options": [(code, period_name(code)) for code in results.periods_of(self.session, index.code)],
            },
            {
                "name": "unit_type",
                "label": Label("单位类别", "Unit type"),
                "value": request.args.get("unit_type", ""),
                "options": [("", Label("全部类别", "All types")), *((unit.value, unit.label) for unit in units or ())],
            },
            {
                "name": "under",
                "label": Label("下级", "Under"),
                "value": request.args.get("under", ""),
                "options": [("", Label("全部", "All")), *below],
            },
            {
                "name": "light",
                "label": Label("灯", "Light"),
                "value": request.args.get("light", ""),
                "options": [("", Label("全部", "All")), *((light, LIGHT_WORDS[light]) for light in LIGHT_WORDS)],
            },
            {
                "name": "worst",
                "label": Label("次序", "Order"),
                "value": request.args.get("worst", ""),
                "options": [("", Label("高分在前", "Best first")), ("1", Label("低分在前", "Worst first"))],
            },
        ]
        return [each for each in filters if each["name"] != "under" or below]

    def _children(self) -> list[tuple[str, str]]:
        """The units below the reader's own, as (code, name)."""
        model: Any = registry["organization"].model
        own = self.actor.organization_id
        parent = model.parent_id == own if own else model.tier == "street"
        statement = select(model.code, model.name).where(parent, model.tier != results.LEAF_TIER)
        return [(code, name) for code, name in self.session.execute(statement.order_by(model.code).limit(200))]

    def _rows(self, index: Index, period: str, scores: Any, base: bool) -> list[dict[str, Any]]:
        session = self.session
        named = titles(session, index.subject, [score.subject_id for score in scores])
        where = places(session, scores)
        ranks = results.ranks_of(session, scores, base=base)
        among_peers = results.peer_ranks_of(session, scores, base=base)
        before = self._scores_before(index, period, [score.subject_id for score in scores], base)
        units = self._unit_types([score.organization_id for score in scores])
        rows = []
        for score in scores:
            code, name = named.get(score.subject_id, ("", "—"))
            earlier = before.get(score.subject_id)
            points, light = results.standing(score, base=base)
            rows.append(
                {
                    "rank": ranks.get(score.id),
                    "name": name,
                    "url": scorecard_url(index.code, code, period) if code else None,
                    "place": where.get(score.id),
                    "kind": units.get(score.organization_id),
                    "score": points,
                    "light": light,
                    "adjusted": score.adjusted_by is not None and not base,
                    "peer_rank": among_peers[score.id].place if score.id in among_peers else None,
                    "peers": among_peers[score.id].of if score.id in among_peers else None,
                    "change": points - earlier if points is not None and earlier is not None else None,
                    "rank_change": None,
                }
            )
        return rows

    def _scores_before(self, index: Index, period: str, subjects: list[int], base: bool) -> dict[int, float]:
        earlier = [code for code in results.periods_of(self.session, index.code) if code < period]
        if not earlier or not subjects:
            return {}
        points = results.value(base=base)
        statement = select(Score.subject_id, points).where(
            Score.rule_code == index.code,
            Score.period_code == earlier[0],
            Score.until_run_id == IN_FORCE,
            Score.subject_id.in_(subjects),
            points.is_not(None),
        )
        return dict(self.session.execute(statement).tuples().all())

    def _unit_types(self, organizations: list[int | None]) -> dict[int, Label]:
        model: Any = registry["organization"].model
        statement = select(model.id, model.unit_type).where(model.id.in_({each for each in organizations if each}))
        return {row: unit.label for row, unit in self.session.execute(statement) if unit is not None}
