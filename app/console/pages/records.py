"""From a figure to the very records it came from: an entity's list narrowed to the rows that a metric counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import current_app, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import Select, select
from werkzeug.exceptions import Forbidden, NotFound

from app.access.permissions import LEAGUE, WARNINGS
from app.database.clock import today
from app.entity.filters import All, Filter, Operator, Test
from app.entity.labels import Label
from app.entity.periods import Period
from app.entity.registry import EntityType, registry
from app.evaluation import results
from app.rules.context import Context
from app.rules.explaining import name_of_metric
from app.rules.metric_rows import rows_behind
from app.rules.model import Index, Metric, Rule

from ..display import add_url
from ..live import live_views_of
from ..permissions import may
from .context import Page, library, scorecard_url


class Narrowed:
    """An entity view's filters, and besides: only rows of a statement of ids."""

    def __init__(self, filters: Any, model: Any, ids: Select[Any]) -> None:
        self._filters, self._model, self._ids = filters, model, ids

    def __getattr__(self, name: str) -> Any:
        return getattr(self._filters, name)

    def get_joined_filters(self, _other: Any) -> Narrowed:
        return self

    def apply_all(self, statement: Select[Any]) -> Select[Any]:
        return self._filters.apply_all(statement).where(self._model.id.in_(self._ids))


class RecordsPage(Page):
    """The records behind a figure."""

    route_base = "/figures"
    default_view = "show"
    class_permission_name = "Scorecard"
    method_permission_name = {"show": "show"}

    @expose("/<rule>/<metric>/<int:subject>")
    @has_access
    def show(self, rule: str, metric: str, subject: int) -> str:
        known = library().rules().get(rule)
        found = next((each for each in known.metrics if each.name == metric), None) if known else None
        if known is None or not isinstance(found, Metric) or found.entity not in registry:
            raise NotFound
        entity, subject_entity = registry[found.entity], registry[known.subject]
        if not may("list", entity):
            raise Forbidden
        subject_model: Any = subject_entity.model
        row = self.session.scalars(select(subject_model).where(subject_model.id == subject)).one_or_none()
        if row is None:
            raise NotFound
        view = live_views_of(current_app).view(entity.code)
        context = self._context(known)
        ids = rows_behind(found, known.subject, self._subjects(found, row), context, registry)
        filters = Narrowed(view.datamodel.get_filters(), entity.model, ids)
        self.update_redirect()
        return self.render_template(
            "beacon/records.html",
            title=Label(f"{row}：{entity.label.zh}", f"{row}: {entity.label.en}"),
            what=name_of_metric(found, registry),
            as_of=context.as_of,
            back_url=scorecard_url(known.code, row.code, request.args.get("period"))
            if isinstance(known, Index)
            else None,
            add_url=add_url(entity.code, **given_by(found, row)) if may("add", entity) else None,
            add_label=Label(f"新增{entity.label.zh}", f"Add {entity.label.en.lower()}"),
            widgets={"list": view._list_widget(filters)},
        )

    def _context(self, rule: Rule) -> Context:
        """The period and date of the results that the figure was read in."""
        asked = request.args.get("period")
        if not rule.period:
            return Context(today())
        period = Period.parse(asked) if asked else Period.containing(today(), rule.period)
        run = results.latest_run(self.session, rule.code, str(period))
        return Context(run.as_of if run else min(today(), period.end), period)

    def _subjects(self, metric: Metric, row: Any) -> list[int]:
        if not metric.over_subtree:
            return [row.id]
        model: Any = registry["organization"].model
        below = (model.path >= row.path) & (model.path < row.path + "~")
        return list(self.session.scalars(select(model.id).where(below)))


def figure_url(rule: Rule, metric: Metric, subject: Any, period: str) -> str | None:
    """What a figure of one subject and period was made of: the page of its rows, or, for results, the league table or
    the warnings below an organization; None where the reader may not see them."""
    security = current_app.appbuilder.sm
    if metric.entity in registry:
        if not may("list", registry[metric.entity]):
            return None
        return url_for(
            "RecordsPage.show", rule=rule.code, metric=metric.name, subject=subject.id, period=period or None
        )
    if rule.subject != "organization" or metric.window.back:
        return None
    if metric.entity == "warning" and security.has_access(*WARNINGS):
        return url_for("WarningsPage.show", under=subject.code, light=_level(metric))
    if metric.entity == "index" and security.has_access(*LEAGUE):
        code = str(getattr(metric.of, "path", "")).partition(".")[0]
        return url_for("LeaguePage.show", index=code, under=subject.code, worst=1)
    return None


def _level(metric: Metric) -> str | None:
    """The level that a metric over warnings asks for."""
    tests = metric.where.parts if isinstance(metric.where, All) else (metric.where,)
    for test in tests:
        if isinstance(test, Test) and test.path == "level" and test.operator is Operator.EQ:
            return str(test.operand)
    return None


def given_by(metric: Metric, subject: Any) -> dict[str, Any]:
    """What a new row needs so that a metric counts it: the codes its filter asks for, and the subject it is tied to."""
    entity = registry.get(metric.entity)
    if entity is None:
        return {}
    given = dict(_codes(metric.where, entity))
    owner = entity.relations.get(entity.options.owner or "")
    subject_entity = registry.of(type(subject))
    if owner is not None and metric.via is None and subject_entity and owner.target == subject_entity.code:
        given[owner.name] = subject.id
    return given


def _codes(condition: Filter | None, entity: EntityType) -> Iterator[tuple[str, str]]:
    match condition:
        case Test(path=path, operator=Operator.EQ, operand=str(code)) if path in entity.fields:
            yield path, str(code)
        case All(parts=parts):
            for part in parts:
                yield from _codes(part, entity)
