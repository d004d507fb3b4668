"""The levels at which warnings stand now, gravest first. Their handling comes with the cases of ``app.alerts``."""

from __future__ import annotations

from math import ceil
from typing import Any

from flask import request
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from app.database.clock import today
from app.entity.labels import Label
from app.entity.registry import registry
from app.evaluation import results
from app.evaluation.models import IN_FORCE, WarningState
from app.rules.expressions import Call
from app.rules.model import Light, Warning

from ..presentation import LIGHT_WORDS
from .context import Page, library, link, places, record_url, rule_label, titles

PAGE_SIZE = 50
MOST_GROUPED = 500
"""Warnings of one branch or member that are read to be grouped."""
LEVELS = (Light.RED, Light.ORANGE, Light.YELLOW)
FILTERS = ("rule", "light", "under")


class WarningsPage(Page):
    """预警."""

    route_base = "/warnings"
    default_view = "show"
    class_permission_name = "Warning"
    method_permission_name = {"show": "list"}

    @expose("/")
    @has_access
    def show(self) -> str:
        self.update_redirect()
        return self.render_template("beacon/warnings.html", **self.table())

    def table(self) -> dict[str, Any]:
        """The context of the template; its shape is told there."""
        session = self.session
        conditions = self._conditions()
        total = session.scalar(
            select(func.count(WarningState.id)).where(
                WarningState.until_run_id == IN_FORCE, WarningState.light != Light.NO_DATA, *conditions
            )
        )
        pages = max(ceil((total or 0) / PAGE_SIZE), 1)
        page = min(max(request.args.get("page", 1, type=int), 1), pages)
        statement = results.standing_warnings(*conditions).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
        states = session.scalars(statement).all()
        first = (page - 1) * PAGE_SIZE + 1
        return {
            "title": Label("预警", "Warnings"),
            "context_line": Label(
                "每天检查一次，记录改动后随即重算；恢复后自动消失",
                "Checked every day and whenever a record changes; a warning ends by itself once mended",
            ),
            "export_url": None,
            "levels": self._levels(),
            "filters": self._filters(),
            "search": None,
            "active": any(request.args.get(name) for name in FILTERS),
            "clear_url": link(**dict.fromkeys([*FILTERS, "page"])),
            "rows": self._rows(states),
            "pages": {
                "page": page,
                "pages": pages,
                "total": total,
                "first": first,
                "last": min(first + PAGE_SIZE - 1, total or 0),
                "url": lambda number: link(page=number),
            },
        }

    def _conditions(self, *, light: bool = True) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if rule := request.args.get("rule"):
            conditions.append(WarningState.rule_code == rule)
        if light and request.args.get("light") in set(Light):
            conditions.append(WarningState.light == request.args["light"])
        if under := request.args.get("under"):
            model: Any = registry["organization"].model
            path = self.session.scalar(select(model.path).where(model.code == under))
            if path is None:
                raise NotFound
            conditions += [WarningState.path >= path, WarningState.path < path + "~"]
        return conditions

    def _levels(self) -> list[dict[str, Any]]:
        conditions = self._conditions(light=False)
        counts = results.warning_counts(self.session, *conditions)
        new = results.new_warning_counts(self.session, *conditions)
        return [
            {
                "light": light.value,
                "count": sum(number for (_rule, level), number in counts.items() if level == light),
                "new": None if new is None else sum(number for (_, level), number in new.items() if level == light),
                "note": Label("", ""),
                "url": link(light=None if request.args.get("light") == light else light.value, page=None),
                "chosen": request.args.get("light") == light,
            }
            for light in LEVELS
        ]

    def _filters(self) -> list[dict[str, Any]]:
        standing = sorted({rule for rule, _level in results.warning_counts(self.session)})
        model: Any = registry["organization"].model
        own = self.actor.organization_id
        below = model.parent_id == own if own else model.tier == "street"
        statement = select(model.code, model.name).where(below, model.tier != results.LEAF_TIER).order_by(model.code)
        units = [(code, name) for code, name in self.session.execute(statement.limit(200))]
        filters: list[dict[str, Any]] = [
            {
                "name": "rule",
                "label": Label("预警项", "Warning"),
                "value": request.args.get("rule", ""),
                "options": [("", Label("全部", "All")), *((code, rule_label(code)) for code in standing)],
            },
            {
                "name": "light",
                "label": Label("级别", "Level"),
                "value": request.args.get("light", ""),
                "options": [("", Label("全部", "All")), *((level.value, LIGHT_WORDS[level]) for level in LEVELS)],
            },
            {
                "name": "under",
                "label": Label("下级", "Under"),
                "value": request.args.get("under", ""),
                "options": [("", Label("全部", "All")), *units],
            },
        ]
        return [each for each in filters if each["name"] != "under" or units]

    def _rows(self, states: Any) -> list[dict[str, Any]]:
        where = places(self.session, states)
        people = titles(self.session, "member", [state.member_id for state in states if state.member_id])
        named: dict[tuple[str, int], tuple[str, str]] = {}
        for entity in {state.subject_entity for state in states}:
            ids = [state.subject_id for state in states if state.subject_entity == entity]
            named |= {(entity, row): value for row, value in titles(self.session, entity, ids).items()}
        rows = []
        for state in states:
            _code, name = named.get((state.subject_entity, state.subject_id), ("", "—"))
            url = record_url(state.subject_entity, state.subject_id)
            place = where.get(state.id)
            if state.member_id in people and state.subject_entity != "member":
                person = people[state.member_id][1]
                place = f"{person}，{place}" if place else person
            rows.append(
                {
                    "light": state.light,
                    "title": rule_label(state.rule_code),
                    "detail": detail(state),
                    "subject": name,
                    "subject_url": url,
                    "place": place,
                    "since": state.since,
                    "days": (today() - state.since).days,
                    "record_url": None,
                }
            )
        return rows


def by_rule(session: Session, condition: ColumnElement[bool]) -> list[tuple[str, WarningState, int, Label, Label]]:
    """The standing warnings, one line a rule, gravest first: the rule's code, its gravest level, how many there are,
    what is wrong and by how much."""
    states = session.scalars(results.standing_warnings(condition).limit(MOST_GROUPED)).all()
    of_rule: dict[str, list[WarningState]] = {}
    for state in states:
        of_rule.setdefault(state.rule_code, []).append(state)
    firsts = [standing[0] for standing in of_rule.values()]
    named: dict[tuple[str, int], str] = {}
    for entity in {state.subject_entity for state in firsts}:
        ids = [state.subject_id for state in firsts if state.subject_entity == entity]
        named |= {(entity, row): title for row, (_code, title) in titles(session, entity, ids).items()}
    lines = []
    for code, standing in of_rule.items():
        first, say, by = standing[0], rule_label(code), detail(standing[0])
        name = named.get((first.subject_entity, first.subject_id), "")
        if len(standing) > 1:
            say = Label(f"{say.zh} {len(standing)} 件", f"{say.en}: {len(standing)}")
            by = Label(f"最重的一件：{name}，{by.zh}", f"the gravest: {name}, {by.en}")
        elif first.subject_entity != "organization" and name:
            say = Label(f"{say.zh}（{name}）", f"{say.en} ({name})")
        lines.append((code, first, len(standing), say, by))
    return lines


def detail(state: WarningState) -> Label:
    """By how much: the warning's value in words, where the rule's value says what it measures."""
    rule = library().rules().get(state.rule_code)
    if state.figure is None or not isinstance(rule, Warning):
        return Label("", "")
    number = f"{round(state.figure, 2):,g}"
    if rule.reading is not None:
        return rule.reading.format(value=number, percent=f"{state.figure * 100:.1f}%")
    function = rule.value.function if isinstance(rule.value, Call) else ""
    if function == "days_until":
        days = round(state.figure)
        if days < 0:
            return Label(f"已超期 {-days} 天", f"{-days} days overdue")
        return Label(f"还剩 {days} 天", f"{days} days left")
    if function in ("days_since", "days_held", "workdays_between"):
        return Label(f"已 {number} 天", f"for {number} days")
    if function == "months_since":
        return Label(f"已 {number} 个月", f"for {number} months")
    if function == "periods_since":
        return Label(f"已 {number} 个周期没有", f"not for {number} periods")
    if 0 <= state.figure <= 1 and state.figure != round(state.figure):
        return Label(f"{state.figure * 100:.1f}%", f"{state.figure * 100:.1f}%")
    return Label(f"当前值 {number}", f"now {number}")
