"""What stands beside a form: today's figures, how they are spread, and what the draft makes of a few real subjects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
from flask import current_app
from sqlalchemy import select

from app.database.clock import today
from app.entity.labels import Label, UserError
from app.evaluation import results
from app.evaluation.breakdowns import read_breakdowns
from app.evaluation.models import Score
from app.evaluation.previews import Preview, preview_levels, preview_node, preview_value
from app.rules.expression_parser import ExpressionError, parse_expression
from app.rules.expressions import Name
from app.rules.frames import SUBJECT_ID
from app.rules.model import SEVERITY, Bands, Curve, Index, Light, Metric, Node, Range, Rule, Target, Warning
from app.rules.problems import path_text
from app.rules.threshold_checks import constant
from app.workshop.dry_run import scored
from app.workshop.kept_figures import figures_for, kept_figures

from . import samples
from .desk import Desk
from .forms import node_form
from .forms.panels import LIGHTS, NODE, Panel
from .spreads import counted_between, spread_of

MEND_FIRST = Label(
    "改正上面的错误后，这里按今天的记录算出结果。", "Once the faults above are mended, today’s figures are shown here."
)
NONE = Label("今天没有可以计算的对象。", "There is nothing to work it out for today.")


def of_panel(page: Any, desk: Desk, panel: Panel) -> dict[str, Any]:
    """The context of ``preview.html``."""
    try:
        if panel.kind == LIGHTS:
            return _of_lights(page, desk)
        preview = of_node(page, desk, panel) if panel.kind == NODE else _of_figure(page, desk, panel)
    except UserError as error:
        return {"message": error.label}
    if preview is None:
        return {"message": MEND_FIRST}
    return _of_values(page, desk, panel, preview)


def of_node(page: Any, desk: Desk, panel: Panel, data: dict[str, Any] | None = None) -> Preview | None:
    """What a node gives today, by the document or by a form's data; None while it has faults."""
    rule = desk.parsed.attempt
    if data is not None:
        changed = desk.with_document(panel.document(desk.ground, {**data, "shape": "", "reverse": False}))
        other = Desk(desk.kind, desk.code, changed, desk.base, desk.library)
        return of_node(page, other, panel)
    if not isinstance(rule, Index) or _has_faults(desk, panel):
        return None
    node = next((node for node in rule.root.walk(disabled=True) if node.code == panel.name), None)
    if node is None or node.value is None:
        return None
    return preview_node(_engine(), desk.library, rule, node, _scope(page, desk), today())


def _of_figure(page: Any, desk: Desk, panel: Panel) -> Preview | None:
    rule = desk.parsed.attempt
    if rule is None or _has_faults(desk, panel):
        return None
    return preview_value(_engine(), desk.library, rule, Name(panel.name), _scope(page, desk), today())


def _engine() -> Any:
    return current_app.extensions["engine"]


def _scope(page: Any, desk: Desk) -> list[int] | None:
    assert desk.ground.subject is not None
    return samples.scope_of(page.session, page.actor, desk.ground.subject.code)


def _has_faults(desk: Desk, panel: Panel) -> bool:
    """Whether the part, or a figure of the rule, cannot be worked out as it is written."""
    base = path_text(panel.path)
    return desk.ground.subject is None or any(
        problem.path.startswith((base, "metrics", "parameters", "applies_to", "subject", "period"))
        for found in desk.faults_by_panel.values()
        for problem in found
        if not problem.path.endswith(".weight")
    )


def _of_values(page: Any, desk: Desk, panel: Panel, preview: Preview) -> dict[str, Any]:
    """The spread of a node's or figure's values, with the shape drawn over it, and five subjects."""
    rule = desk.parsed.attempt
    node = None
    if panel.kind == NODE and isinstance(rule, Index):
        node = next((node for node in rule.root.walk(disabled=True) if node.code == panel.name), None)
    numbers = preview.numbers
    points = _points(rule, node)
    spread = spread_of(numbers, [point[0] for point in points])
    counts: list[int] = []
    if node is not None and isinstance(node.shape, Bands | Curve):
        counts = counted_between(numbers, [start for start, _ in points])
    return {
        "message": None if preview.frame.height else NONE,
        "as_of": preview.as_of,
        "count": preview.frame.height,
        "missing": preview.missing,
        "lowest": spread.low if numbers else None,
        "middle": numbers[len(numbers) // 2] if numbers else None,
        "highest": spread.high if numbers else None,
        "chart": _chart(node, spread, points) if numbers else None,
        "words": _words(desk, panel, preview) if not numbers else [],
        "counts": counts,
        "subjects": _subjects(page, desk, preview, node),
        "is_node": node is not None,
        "entity": desk.ground.subject.code if desk.ground.subject else "",
        "measure": desk.ground.subject.options.measure if desk.ground.subject else "",
    }


def _points(rule: Rule | None, node: Node | None) -> list[tuple[float, float]]:
    """The points of a shape that can be drawn: (value, score)."""
    if node is None or rule is None:
        return []
    constants = {each.name: each.default for each in rule.parameters if each.by is None and each.default is not None}
    match node.shape:
        case Bands(steps=steps):
            return list(steps)
        case Curve(points=points):
            return list(points)
        case Target(value=value):
            due = constant(value, constants)
            return [(0.0, 0.0), (due, 100.0)] if due is not None and due > 0 else []
        case Range(low=low, high=high):
            ends = [constant(low, constants), constant(high, constants)]
            if ends[0] is None or ends[1] is None:
                return []
            return sorted([(ends[0], 0.0), (ends[1], 100.0)])
    return []


def _chart(node: Node | None, spread: Any, points: Sequence[tuple[float, float]]) -> dict[str, Any]:
    return {
        "columns": [list(column) for column in spread.columns],
        "points": [list(point) for point in points],
        "steps": node is not None and isinstance(node.shape, Bands),
        "movable": node is not None and isinstance(node.shape, Bands | Curve),
    }


def _words(desk: Desk, panel: Panel, preview: Preview) -> list[tuple[str, int]]:
    """How often each value stands that is no number, most frequent first."""
    found = Counter(str(value) for value in preview.frame["value"].drop_nulls().to_list())
    called = dict(codes_of_name(desk, panel.name) or ())
    return [(str(called.get(value, value)), number) for value, number in found.most_common(8)]


def _subjects(page: Any, desk: Desk, preview: Preview, node: Node | None) -> list[dict[str, Any]]:
    """The reader's real subjects with value and score, and the score that is in force."""
    entity = desk.ground.subject
    assert entity is not None
    period = page.period_of(desk)
    chosen = samples.samples(page.session, desk.code, period, entity.code)
    found = preview.of([each.id for each in chosen])
    before: dict[int, Any] = {}
    if node is not None and period:
        rows = read_breakdowns(page.session, desk.code, period, [each.id for each in chosen])
        before = {subject: row.get(f"{node.code}.score") for subject, row in rows.items()}
    shown = []
    for each in chosen:
        value, score = found.get(each.id, (None, None))
        shown.append(
            {
                "id": each.id,
                "title": each.title,
                "applies": each.id in found,
                "value": _shown(desk, node, value),
                "score": score,
                "before": before.get(each.id),
            }
        )
    return shown


def _shown(desk: Desk, node: Node | None, value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 2)
    if isinstance(value, str) and node is not None and isinstance(node.value, Name):
        return dict(codes_of_name(desk, node.value.path) or ()).get(value, value)
    return value.isoformat() if isinstance(value, date) else value


# --- lights and levels ---


def _of_lights(page: Any, desk: Desk) -> dict[str, Any]:
    rule = desk.parsed.attempt
    key = "lights" if desk.kind == "index" else "levels"
    if rule is None or any(problem.path.startswith(key) for problem in desk.faults_by_panel.get(LIGHTS, ())):
        return {"message": MEND_FIRST}
    if isinstance(rule, Warning):
        return _of_levels(page, desk, rule)
    return _of_scores(page, desk, rule) if isinstance(rule, Index) else {"message": MEND_FIRST}


def _of_scores(page: Any, desk: Desk, index: Index) -> dict[str, Any]:
    """Today's scores in the reader's scope, and how many would stand on each light, its conditions and the recovery
    margin included. While other parts have faults, the scores are those of the rule in force."""
    period = page.period_of(desk)
    in_scope = page.session.scalars(
        select(Score.subject_id).where(results.in_force(desk.code, period), results.leaves())
    )
    ids = pl.Series(in_scope.all(), dtype=pl.Int64)
    kept = kept_figures(_engine(), desk.library, desk.code, period) if ids.len() else None
    if kept is None:
        return {
            "message": Label(
                "还没有得分；评定一次以后可以看到分布。", "There are no scores yet; they show after an evaluation."
            )
        }
    if desk.fault_count and isinstance(kept.rule, Index):
        index = replace(kept.rule, lights=index.lights, recover=index.recover)
    frame = scored(index, figures_for(index, kept, _engine(), desk.library))
    frame = frame.filter(pl.col(SUBJECT_ID).is_in(ids.implode()))
    scores = frame["score"].drop_nulls().sort().to_list()
    counts = Counter(frame["light"].to_list())
    constants = {each.name: each.default for each in index.parameters if each.by is None and each.default is not None}
    edges = []
    for rule in index.lights:
        bound = constant(rule.operand, constants) if rule.operand is not None else None
        if bound is not None:
            edges.append((str(rule.light), rule.operator or "", bound))
    return {
        "message": None,
        "is_lights": True,
        "count": frame.height,
        "chart": _light_chart(spread_of(scores, [bound for _, _, bound in edges]), edges) if scores else None,
        "light_counts": {str(light): counts[light] for light in SEVERITY if light in {r.light for r in index.lights}},
        "note": _without_data(counts),
    }


def _without_data(counts: Counter[str]) -> Label | None:
    number = counts[str(Light.NO_DATA)]
    return Label(f"{number} 个没有数据。", f"{number} without data.") if number else None


def _lit(edges: Sequence[tuple[str, str, float]], score: float) -> str | None:
    for light, operator, bound in edges:
        if {"<": score < bound, "<=": score <= bound, ">": score > bound, ">=": score >= bound}.get(
            operator, score == bound
        ):
            return light
    return None


def _of_levels(page: Any, desk: Desk, warning: Warning) -> dict[str, Any]:
    if desk.fault_count:
        return {"message": MEND_FIRST}
    frame = preview_levels(_engine(), desk.library, warning, _scope(page, desk), today())
    numbers = frame["value"].drop_nulls().sort().to_list()
    edges = []
    for level in warning.levels:
        bound = constant(level.operand, {}) if level.operand is not None else None
        if bound is not None:
            edges.append((str(level.light), level.operator or "", bound))
    counts = Counter(frame["level"].drop_nulls().to_list())
    chart = _light_chart(spread_of(numbers, [bound for *_, bound in edges]), edges) if numbers else None
    return {
        "message": None if frame.height else NONE,
        "is_lights": True,
        "count": frame.height,
        "chart": chart,
        "light_counts": {str(level.light): counts.get(str(level.light), 0) for level in warning.levels},
        "note": _without_data(counts),
    }


def _light_chart(spread: Any, edges: Sequence[tuple[str, str, float]]) -> dict[str, Any]:
    """Columns with the colour that each lights."""
    return {
        "columns": [[low, high, number, _lit(edges, (low + high) / 2) or ""] for low, high, number in spread.columns],
        "edges": [[light, bound] for light, _, bound in edges],
    }


# --- codes ---


def codes_of(desk: Desk, data: dict[str, Any]) -> list[tuple[str, Label]] | None:
    """The codes that the value of a node's form can have."""
    written = node_form.written_value(data)
    return codes_of_name(desk, str(written)) if written else None


def codes_of_name(desk: Desk, written: str) -> list[tuple[str, Label]] | None:
    """The codes of a column, or of the column that a metric reads."""
    try:
        expression = parse_expression(written)
    except ExpressionError:
        return None
    ground = desk.ground
    if not isinstance(expression, Name):
        return None
    named = ground.words.named(expression.path) if ground.words else None
    if isinstance(named, Metric):
        if not isinstance(named.of, Name):
            return None
        source = ground.source(named.entity, named.of.path)
        return ground.codes(ground.column(source, named.of.path))
    return ground.codes(ground.column(ground.subject, expression.path))
