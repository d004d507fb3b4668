"""What several pages need: the chosen index and period, names of subjects and places, links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from flask import current_app, request, url_for
from flask_appbuilder import BaseView
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from app.access.actor import NOBODY, Actor
from app.access.permissions import Permission
from app.access.references import organization_names, path_ids
from app.access.scope import actor_of
from app.console.display import show_url
from app.database.clock import today
from app.entity.labels import Label
from app.entity.periods import Period
from app.entity.registry import registry
from app.evaluation import results
from app.evaluation.models import PeriodState, RuleVersion, Run, Score, WarningState
from app.rules.library import RuleLibrary
from app.rules.model import Index, Rule, Warning

LIBRARY = "beacon.rule_library"
"""Where ``create_app`` leaves the rules among the app's extensions."""

PERIOD_STATES = {
    PeriodState.OPEN: Label("进行中", "open"),
    PeriodState.PROVISIONAL: Label("暂定", "provisional"),
    PeriodState.CLOSED: Label("已封账", "closed"),
}


def library() -> RuleLibrary:
    """The rules in force in this process."""
    return current_app.extensions[LIBRARY]


class Page(BaseView):
    """Base of every page: the reader's session and actor."""

    # FAB reads every attribute of a view when it makes it, before it gives it the application builder.
    @property
    def session(self) -> Session:
        return self.appbuilder and self.appbuilder.session

    def may(self, permission: Permission) -> bool:
        return self.appbuilder.sm.has_access(*permission)

    @property
    def actor(self) -> Actor:
        return actor_of(self.session) if self.appbuilder else NOBODY


def indices(subject: str | None = None) -> list[Index]:
    """The indices in force today, those of organizations first."""
    rules = [rule for rule in library().ordered(None, today()) if isinstance(rule, Index)]
    rules = [rule for rule in rules if subject in (None, rule.subject)]
    return sorted(rules, key=lambda rule: (rule.subject != "organization", rule.code))


def chosen_index(subject: str | None = None, code: str | None = None) -> Index | None:
    """The index that the page is asked for, else the first; None where there is none. 404 for an unknown one."""
    known = indices(subject)
    code = code or request.args.get("index")
    if not code:
        return known[0] if known else None
    for index in known:
        if index.code == code:
            return index
    raise NotFound


def chosen_period(session: Session, index: Index) -> str:
    """The period that the page is asked for, else the present one if it has results, else the latest that has."""
    known = results.periods_of(session, index.code)
    asked = request.args.get("period")
    if asked:
        if asked not in known:
            raise NotFound
        return asked
    present = str(Period.containing(today(), index.period)) if index.period else ""
    return present if present in known or not known else known[0]


def link(**changed: Any) -> str:
    """This page's address with some of its arguments changed; None takes one out."""
    arguments = {**request.args.to_dict(), **changed}
    kept = {name: value for name, value in arguments.items() if value not in (None, "")}
    return url_for(request.endpoint or "", **{**(request.view_args or {}), **kept})


def by_base_rule() -> bool:
    """Whether the page is asked to compare on the base rule alone, whatever districts and streets have adjusted."""
    return request.args.get("base") == "1"


def base_switch(run: Run | None) -> dict[str, Any] | None:
    """``{on, url}`` of the switch between the rule as adjusted and the base rule; None where a run knew of nothing
    that districts and streets had adjusted."""
    on = by_base_rule()
    if not on and (run is None or run.adjustments is None):
        return None
    return {"on": on, "url": link(base=None if on else 1, page=None)}


def period_links(session: Session, index: Index) -> list[tuple[str, str]]:
    """(code, address of this page for it), newest first."""
    return [(code, link(period=code, page=None)) for code in results.periods_of(session, index.code) if code]


def index_links(chosen: Index, subject: str | None = None) -> list[tuple[Label, str, bool]]:
    return [
        (index.label, link(index=index.code, period=None, page=None), index.code == chosen.code)
        for index in indices(subject)
    ]


def version_label(session: Session, run: Run | None) -> Label | None:
    """“规则第 14 版（2026-01-01 起）”: the rule version that a run was scored by, and from when on it speaks; a version
    that does not say so, from when on it was used."""
    version = session.get(RuleVersion, run.rule_version) if run is not None else None
    if version is None:
        return None
    stated = re.search(r"(?m)^effective_from:\s*(\d{4}-\d{2}-\d{2})", version.source_text)
    since = stated[1] if stated else f"{version.first_used_at:%Y-%m-%d}"
    return Label(f"规则第 {version.number} 版（{since} 起）", f"rule version {version.number} (since {since})")


def titles(session: Session, entity: str, ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """(code, title for people) of rows in scope, by id; titles that are codes as words in Chinese."""
    described = registry[entity]
    model: Any = described.model
    wanted = sorted(set(ids))
    found: dict[int, tuple[str, str]] = {}
    for start in range(0, len(wanted), 500):
        statement = select(model.id, model.code, getattr(model, described.options.title)).where(
            model.id.in_(wanted[start : start + 500])
        )
        for row_id, code, title in session.execute(statement):
            label = getattr(title, "label", None)
            found[row_id] = (code, str(label or title or code))
    return found


def places(session: Session, rows: Sequence[Score | WarningState]) -> dict[int, str]:
    """The name of where each row's subject lies, by the row's id: the organization above an organization, the own
    organization of anything else."""
    where: dict[int, int] = {}
    for row in rows:
        path = path_ids(row.path or "")
        is_organization = row.member_id is None and path and path[-1] == row.subject_id
        if is_organization and len(path) > 1:
            where[row.id] = path[-2]
        elif not is_organization and row.organization_id:
            where[row.id] = row.organization_id
    names = organization_names(session, where.values())
    return {row: names[place].name for row, place in where.items() if place in names}


def scorecard_url(index_code: str, subject_code: str, period: str | None = None) -> str:
    return url_for("ScorecardPage.show", index=index_code, code=subject_code, period=period or None)


def record_url(entity: str, row_id: int) -> str | None:
    """The console's page of a record; None for an entity that has none."""
    return show_url(entity, row_id)


def bands(rule: Index) -> list[tuple[str, float, float]]:
    """The ranges of the lights on the scale, low to high, as far as they are plain comparisons with numbers."""
    low, high = rule.scale
    edges: list[tuple[float, str]] = []
    for light in rule.lights:
        value = getattr(light.operand, "value", None)
        if light.operator in ("<", "<=") and isinstance(value, int | float):
            edges.append((float(value), light.light))
    edges.sort()
    found, start = [], low
    for edge, light in edges:
        found.append((str(light), start, edge))
        start = edge
    best = next((rule_light for rule_light in rule.lights if rule_light.operator in (">=", ">")), None)
    if best is not None:
        found.append((str(best.light), start, high))
    return found


def rule_label(code: str) -> Label:
    """The label of a rule, or its code if it is no longer in force."""
    rule: Rule | None = library().rules().get(code)
    return rule.label if rule else Label(code, code)


def warnings_in_force() -> list[Warning]:
    return [rule for rule in library().ordered(None, today()) if isinstance(rule, Warning)]
