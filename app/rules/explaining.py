"""Results in words: why a node lost what it lost, from the numbers a run kept and the rule that made them.

Nothing here is stored. A sentence says fact, figure and consequence (“党课缺 2 次”), and names the metrics it speaks
of, so that a page can link each figure to the very records behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.entity.filters import All, AnyOf, Filter, Operator, Test
from app.entity.labels import Label
from app.entity.registry import EntityType, Field, Registry

from .differences import LIGHTS
from .expressions import Arithmetic, Call, Comparison, Expression, Literal, Logical, Name, Not, walk
from .frames import Reason, column_of_metric
from .model import (
    Aggregate,
    Bands,
    Categories,
    Curve,
    Figure,
    Formula,
    Index,
    Metric,
    Node,
    ObservedRange,
    Percentile,
    Range,
    Rule,
    Target,
    ZScore,
)

Row = Mapping[str, Any]
"""One subject's numbers, by the columns of ``app.rules.frames``."""

NEGLIGIBLE = 0.005
"""Losses below this many points round to nothing on every page."""


@dataclass(frozen=True)
class FigureUsed:
    """A metric that a value came from: what it counts, and its number. ``metric`` names it within the rule."""

    metric: str
    label: Label
    value: Any


@dataclass(frozen=True)
class NodeExplained:
    """A node of the tree for one subject. ``won``, ``weight`` and ``lost`` are points of the index's scale."""

    code: str
    label: Label
    sentence: Label
    score: float | None
    won: float
    weight: float
    lost: float
    reason: Reason
    basis: Label | None = None
    figures: tuple[FigureUsed, ...] = ()
    children: tuple[NodeExplained, ...] = field(default=())

    def leaves(self) -> Iterator[NodeExplained]:
        """The nodes with a value, below this one."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


def explain(index: Index, row: Row, registry: Registry) -> tuple[NodeExplained, ...]:
    """The index's dimensions for one subject, greatest loss first at every level; nodes that do not apply left out."""
    span = index.scale[1] - index.scale[0]
    return _ordered(_explained(index, child, row, registry, span) for child in index.root.children if child.enabled)


def _ordered(nodes: Iterator[NodeExplained]) -> tuple[NodeExplained, ...]:
    applying = [node for node in nodes if node.reason is not Reason.NOT_APPLICABLE]
    return tuple(sorted(applying, key=lambda node: -node.lost))


def _explained(index: Index, node: Node, row: Row, registry: Registry, span: float) -> NodeExplained:
    score = row.get(f"{node.code}.score")
    weight = (row.get(f"{node.code}.weight") or 0.0) * span
    lost = row.get(f"{node.code}.lost") or 0.0
    reason = Reason(row.get(f"{node.code}.reason") or 0)
    common: dict[str, Any] = {
        "code": node.code,
        "label": node.label,
        "score": score,
        "weight": weight,
        "won": weight * score / 100 if score is not None else 0.0,
        "lost": lost,
        "reason": reason,
        "basis": node.basis,
    }
    if node.children:
        children = _ordered(_explained(index, child, row, registry, span) for child in node.children if child.enabled)
        return NodeExplained(sentence=node.label, children=children, **common)
    return NodeExplained(
        sentence=_sentence(index, node, row, registry), figures=figures_used(index, node.value, row, registry), **common
    )


def why(index: Index, row: Row, registry: Registry, most: int = 2) -> Label:
    """The greatest losses in one line: “党课缺 2 次，失 2.0 分；到会率 48%，失 3.0 分”."""
    leaves = [leaf for node in explain(index, row, registry) for leaf in node.leaves() if leaf.lost >= 0.05]
    worst = sorted(leaves, key=lambda leaf: -leaf.lost)[:most]
    if not worst:
        return Label("没有失分", "Nothing lost")
    return Label(
        "；".join(f"{leaf.sentence.zh}，失 {leaf.lost:.1f} 分" for leaf in worst),
        "; ".join(f"{leaf.sentence.en}, lost {leaf.lost:.1f}" for leaf in worst),
    )


def figures_used(rule: Rule, expression: Expression | None, row: Row, registry: Registry) -> tuple[FigureUsed, ...]:
    """The aggregate metrics an expression rests on, those of computed figures included, each once."""
    used = []
    for metric in metrics_of(rule, expression) if expression is not None else ():
        value = row.get(column_of_metric(metric.name))
        used.append(FigureUsed(metric.name, describe_metric(metric, value, registry), value))
    return tuple(used)


def metrics_of(rule: Rule, expression: Expression) -> tuple[Metric, ...]:
    """The aggregate metrics that an expression names, itself or through computed figures, in its order, each once."""
    metrics = {metric.name: metric for metric in rule.metrics}
    found: dict[str, Metric] = {}

    def visit(part: Expression) -> None:
        for inner in walk(part):
            metric = metrics.get(inner.path) if isinstance(inner, Name) else None
            if isinstance(metric, Figure):
                visit(metric.expression)
            elif isinstance(metric, Metric):
                found.setdefault(metric.name, metric)

    visit(expression)
    return tuple(found.values())


def describe_metric(metric: Metric, value: Any, registry: Registry) -> Label:
    """“组织生活（党课、已召开）2 次”, or “认领心愿 16” by the metric's own label: what it is, and its number."""
    what, counts = name_of_metric(metric, registry), metric.aggregate in (Aggregate.COUNT, Aggregate.STREAK)
    if metric.aggregate is Aggregate.EXISTS:
        return Label(f"{what.zh}：{'有' if value else '无'}", f"{what.en}: {'yes' if value else 'none'}")
    entity = registry.get(metric.entity)
    column = _field_of(metric.of, entity) if entity is not None else None
    if column is not None and column.code_list is not None and value is not None:
        found = column.code_list.find(value)
        return Label(f"{what.zh} {found.label.zh}", f"{what.en}: {found.label.en}") if found else what
    measure = {"warning": "项", "index": "个"}.get(metric.entity, entity.options.measure if entity else "")
    return Label(f"{what.zh} {_plain(value)}" + (f" {measure}" if counts else ""), f"{what.en}: {_plain(value)}")


def name_of_metric(metric: Metric, registry: Registry) -> Label:
    """What a metric is called: by its own label, else by the rows it is made of and their column."""
    if metric.label is not None:
        return metric.label
    if metric.entity == "warning":
        levels = _levels(metric.where)
        return Label(
            f"{'、'.join(LIGHTS[level].zh for level in levels)}预警" if levels else "预警",
            f"{' and '.join(LIGHTS[level].en for level in levels)} warnings".capitalize() if levels else "Warnings",
        )
    if metric.entity == "index":
        return Label("指数结果", "Index results")
    entity = registry[metric.entity]
    words = [*_words(metric.where, entity, registry)]
    zh = entity.label.zh + (f"（{'、'.join(word.zh for word in words)}）" if words else "")
    en = entity.label.en + (f" ({', '.join(word.en.lower() for word in words)})" if words else "")
    if metric.aggregate in (Aggregate.COUNT, Aggregate.STREAK, Aggregate.EXISTS):
        return Label(zh, en)
    column = _field_of(metric.of, entity)
    name = column.label if column else Label("数值", "value")
    return Label(f"{zh}{name.zh}", f"{en}, {name.en.lower()}")


def _levels(condition: Filter | None) -> list[str]:
    """The levels of warnings that a filter asks for."""
    match condition:
        case Test(path="level", operator=Operator.EQ | Operator.IN, operand=operand):
            return [level for level in (operand if isinstance(operand, tuple) else (operand,)) if level in LIGHTS]
        case All(parts=parts) | AnyOf(parts=parts):
            return [level for part in parts for level in _levels(part)]
    return []


def _field_of(of: Expression | None, entity: EntityType) -> Field | None:
    return entity.fields.get(of.path) if isinstance(of, Name) else None


def _words(condition: Filter | None, entity: EntityType, registry: Registry) -> Iterator[Label]:
    """The codes that a filter asks for, as words: what tells these rows from others of their entity."""
    match condition:
        case Test(path=path, operator=Operator.EQ | Operator.IN, operand=operand):
            field_ = _field_at(entity, path, registry)
            if field_ is not None and field_.code_list is not None:
                for code in operand if isinstance(operand, tuple) else (operand,):
                    yield field_.code_list(code).label
        case All(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from _words(part, entity, registry)


def _field_at(entity: EntityType, path: str, registry: Registry) -> Field | None:
    *steps, name = path.split(".")
    for step in steps:
        relation = entity.relations.get(step)
        if relation is None:
            return None
        entity = registry[relation.target]
    return entity.fields.get(name)


def _sentence(index: Index, node: Node, row: Row, registry: Registry) -> Label:
    label, value = node.label, row.get(f"{node.code}.value")
    reason = Reason(row.get(f"{node.code}.reason") or 0)
    if reason in (Reason.MISSING_SKIPPED, Reason.MISSING_FAILED):
        return Label(f"{label.zh}没有数据", f"{label.en}: no data")
    if reason is Reason.MISSING_ZERO:
        return Label(f"{label.zh}没有数据，按 0 分计", f"{label.en}: no data, counted as 0")
    if reason is Reason.MISSING_PEER_AVERAGE:
        return Label(f"{label.zh}没有数据，按同类均值计", f"{label.en}: no data, counted as the peers' mean")
    if value is None:
        return label
    if is_truth(index, node.value):
        return Label(f"{label.zh}{'已达到' if value else '未达到'}", f"{label.en}: {'met' if value else 'not met'}")
    share = is_share(node)
    shown = _figure(value, share)
    match node.shape:
        case Target():
            return _against_target(index, node, registry, value, row.get(f"{node.code}.target"), share)
        case Bands(steps=steps):
            return _within(label, value, [edge for edge, _ in steps], share)
        case Range(high=Literal(value=high)):
            if high == 0:
                return Label(
                    f"{label.zh} {shown}，应为 0" if value else f"{label.zh} 0",
                    f"{label.en} {shown}, should be 0" if value else f"{label.en}: 0",
                )
            return Label(
                f"{label.zh} {shown}，{_figure(high, share)} 得满分",
                f"{label.en} {shown}; full marks at {_figure(high, share)}",
            )
        case Percentile():
            # Rounded down: below all is said of the lowest alone.
            below = int(100 - (row.get(f"{node.code}.score") or 0))
            if below == 100:
                return Label(f"{label.zh} {shown}，在同类中最低", f"{label.en} {shown}, the lowest of its peers")
            return Label(
                f"{label.zh} {shown}，低于 {below}% 的同类", f"{label.en} {shown}, below {below}% of its peers"
            )
        case Categories():
            category = name_of_code(index, node, value, registry)
            return Label(f"{label.zh}：{category.zh}", f"{label.en}: {category.en}")
        case Curve() | ObservedRange() | ZScore() | Formula() | Range() | None:
            return Label(f"{label.zh} {shown}", f"{label.en} {shown}")
    return label


def _against_target(
    index: Index, node: Node, registry: Registry, value: float, due: float | None, share: bool
) -> Label:
    """“党课缺 2 次” where a count falls short, “到会率 73.3%，目标 80%” elsewhere."""
    label = node.label
    shown = _figure(value, share)
    if due is None or value >= due:
        return Label(f"{label.zh} {shown}，已达目标", f"{label.en} {shown}: on target")
    counted = _counted(index, node.value, registry)
    if counted is not None and due - value >= 0.95:
        short = _plain(round(due - value))
        return Label(
            f"{label.zh}缺 {short} {counted.options.measure}", f"{label.en}: {short} short of {_plain(round(due))}"
        )
    due_shown = _figure(due, share)
    return Label(f"{label.zh} {shown}，目标 {due_shown}", f"{label.en} {shown}, target {due_shown}")


def _counted(rule: Rule, expression: Expression | None, registry: Registry) -> EntityType | None:
    """The entity whose rows a value counts, if it is the plain count of a metric."""
    if not isinstance(expression, Name):
        return None
    for metric in rule.metrics:
        if isinstance(metric, Metric) and metric.name == expression.path:
            return registry.get(metric.entity) if metric.aggregate is Aggregate.COUNT else None
    return None


def _within(label: Label, value: float, edges: list[float], share: bool) -> Label:
    below = [edge for edge in edges if edge <= value]
    above = [edge for edge in edges if edge > value]
    shown = _figure(value, share)
    if not above:
        return Label(f"{label.zh} {shown}", f"{label.en} {shown}")
    low, high = _figure(below[-1] if below else 0, share), _figure(above[0], share)
    return Label(f"{label.zh} {shown}，在 {low}–{high} 段", f"{label.en} {shown}, between {low} and {high}")


def name_of_code(index: Index, node: Node, value: str, registry: Registry) -> Label:
    """The word for a code: that of the column the value was read from."""
    for part in walk(node.value) if node.value is not None else ():
        if not isinstance(part, Name):
            continue
        for metric in index.metrics:
            if isinstance(metric, Metric) and metric.name == part.path and metric.entity in registry:
                column = _field_of(metric.of, registry[metric.entity])
                if column and column.code_list:
                    return column.code_list(value).label
        found = _field_at(registry[index.subject], part.path, registry)
        if found and found.code_list:
            return found.code_list(value).label
    return Label(str(value), str(value))


def is_truth(rule: Rule, expression: Expression | None) -> bool:
    match expression:
        case Comparison() | Logical() | Not() | Literal(value=bool()):
            return True
        case Name(path=path):
            return any(
                isinstance(metric, Metric) and metric.name == path and metric.aggregate is Aggregate.EXISTS
                for metric in rule.metrics
            )
    return False


def is_share(node: Node) -> bool:
    """Whether a value reads as a percentage: a quotient whose full marks lie at or below 1."""
    quotient = isinstance(node.value, Arithmetic) and node.value.operator == "/"
    quotient = quotient or (isinstance(node.value, Call) and node.value.function == "filled")
    match node.shape:
        case Target(value=Literal(value=full)):
            return quotient and full <= 1
        case Target(value=Name(path="elapsed")):
            return quotient
        case Bands(steps=points) | Curve(points=points):
            return quotient and points[-1][0] <= 1
        case Range(low=Literal(value=low), high=Literal(value=high)):
            return quotient and max(low, high) <= 1
    return False


def _figure(value: float, share: bool) -> str:
    return f"{_plain(round(float(value) * 100, 1))}%" if share else _plain(value)


def _plain(value: Any) -> str:
    """A number as people write it: grouped, at most two decimals, no trailing zeros."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return f"{round(float(value), 2):,.2f}".rstrip("0").rstrip(".")
    return str(value)
