"""The plain fields of “What would it take?”: one for each indicator that applies, and for what bonus, penalty and
vetoes are made of; read from an address, whatever somebody typed there."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.entity.labels import Label
from app.entity.registry import registry
from app.rules.explaining import explain, is_share, is_truth, metrics_of, name_of_code, name_of_metric
from app.rules.expressions import Name
from app.rules.frames import column_of_metric
from app.rules.model import Aggregate, Categories, Index, Metric, Node
from app.rules.standing import Given, Outcome, Standing, Value, with_other
from app.rules.what_if import workable

BEYOND_THE_TREE = Label("加分、扣分和一票否决", "Bonus, penalty and veto")
YES_OR_NO = (("1", Label("是", "yes")), ("0", Label("否", "no")))
MOST = 1_000_000.0


@dataclass(frozen=True)
class Field:
    """One figure that can be changed. ``name`` is ``m.<metric>`` or ``n.<node>``; ``kind``: number, share (written in
    per cent) or choice. ``shown`` is what stands in it, ``now`` what counts today."""

    name: str
    kind: str
    label: Label
    now: str
    shown: str
    lost: float = 0.0
    fault: Label | None = None
    choices: tuple[tuple[str, Label], ...] = ()

    @property
    def is_changed(self) -> bool:
        return self.shown != self.now


@dataclass
class _Reading:
    """What was typed, gathered field by field."""

    standing: Standing
    typed: Mapping[str, str]
    figures: dict[str, Value] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.now = with_other(self.standing, Given())
        self.row: dict[str, Any] = {**self.standing.row.row(0, named=True), **self.now.columns}
        self.index: Index = self.standing.index
        self.metrics = {metric.name: metric for metric in self.index.metrics if isinstance(metric, Metric)}

    def groups(self) -> Iterator[tuple[Label, list[Field]]]:
        nodes = {node.code: node for node in self.index.root.walk()}
        dimensions = explain(self.index, self.row, registry)
        if not dimensions:  # its score is its children's
            return
        for dimension in dimensions:
            found = (self._of_node(nodes[leaf.code], leaf.lost) for leaf in dimension.leaves())
            yield dimension.label, [each for each in found if each is not None]
        yield BEYOND_THE_TREE, list(self._beyond())

    def _of_node(self, node: Node, lost: float) -> Field | None:
        """A metric's field where the node reads it as it is, so that all that read it follow; else the node's own."""
        metric = self.metrics.get(node.value.path) if isinstance(node.value, Name) else None
        if metric is not None:
            return None if metric.name in self.known else self._of_metric(metric, node, lost)
        now = self.row.get(f"{node.code}.value")
        return self._read(f"n.{node.code}", node.label, _kind(self.index, node), now, self._choices(node), lost)

    def _of_metric(self, metric: Metric, node: Node | None = None, lost: float = 0.0) -> Field | None:
        self.known.add(metric.name)
        label = node.label if node is not None else name_of_metric(metric, registry)
        kind = _kind(self.index, node) if node is not None else "number"
        choices = self._choices(node) if node is not None else ()
        if metric.aggregate is Aggregate.EXISTS:
            kind, choices = "choice", YES_OR_NO
        return self._read(f"m.{metric.name}", label, kind, self.row.get(column_of_metric(metric.name)), choices, lost)

    def _beyond(self) -> Iterator[Field]:
        """What a way changes that no indicator shows by itself is there once it is asked for."""
        items = [
            *(item.value for item in (*self.index.bonus, *self.index.penalty)),
            *(veto.when for veto in self.index.veto),
        ]
        inside = {metric.name for item in items for metric in metrics_of(self.index, item)}
        for metric in workable(self.index):
            if metric.name not in self.known and (metric.name in inside or f"m.{metric.name}" in self.typed):
                found = self._of_metric(metric)
                if found is not None:
                    yield found

    def _choices(self, node: Node) -> tuple[tuple[str, Label], ...]:
        if is_truth(self.index, node.value):
            return YES_OR_NO
        if isinstance(node.shape, Categories):
            return tuple((code, name_of_code(self.index, node, code, registry)) for code in node.shape.scores)
        return ()

    def _read(
        self, name: str, label: Label, kind: str, now: Any, choices: tuple[tuple[str, Label], ...], lost: float
    ) -> Field | None:
        if isinstance(now, date):
            return None
        stands = written(now, share=kind == "share")
        shown = unicodedata.normalize("NFKC", self.typed.get(name, stands)).strip().rstrip("%").strip()
        value, fault = _value(shown, kind, choices)
        if shown != stands and fault is None and value is not None:
            key, store = name[2:], self.figures if name.startswith("m.") else self.values
            store[key] = bool(int(str(value))) if choices == YES_OR_NO else value
        return Field(name, kind, label, stands, shown, lost, fault, choices)


@dataclass(frozen=True)
class Fields:
    """The fields by dimension, greatest loss first, with what was typed; what of it is otherwise than it is now; and
    what the subject has now. What cannot be read is said at its field and does not count."""

    groups: list[tuple[Label, list[Field]]]
    given: Given
    now: Outcome

    @property
    def faults(self) -> list[Field]:
        return [each for _label, fields in self.groups for each in fields if each.fault]


def fields_of(standing: Standing, typed: Mapping[str, str]) -> Fields:
    """The fields of a subject, with what was typed."""
    reading = _Reading(standing, typed)
    groups = [(label, fields) for label, fields in reading.groups() if fields]
    return Fields(groups, Given(reading.figures, reading.values), reading.now)


def written(value: Any, *, share: bool = False) -> str:
    """A figure as fields have it: at most two decimals, shares in per cent; empty for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return f"{round(float(value) * (100 if share else 1), 2):.2f}".rstrip("0").rstrip(".")
    return str(value)


def _kind(index: Index, node: Node) -> str:
    if is_truth(index, node.value) or isinstance(node.shape, Categories):
        return "choice"
    return "share" if is_share(node) else "number"


def _value(shown: str, kind: str, choices: tuple[tuple[str, Label], ...]) -> tuple[Value | None, Label | None]:
    """What somebody typed as a value, or what is wrong with it; neither for nothing."""
    if not shown:
        return None, None
    if kind == "choice":
        known = shown in dict(choices)
        return (shown, None) if known else (None, Label("请从列表里选", "Choose from the list"))
    try:
        number = float(shown.replace(",", ""))
    except ValueError:
        return None, Label(f"“{shown}”不是数字", f"“{shown}” is no number")
    if not math.isfinite(number) or abs(number) > MOST:
        return None, Label("数字太大", "The number is too large")
    if kind == "share" and not 0 <= number <= 100:
        return None, Label("应在 0 到 100 之间", "It has to lie between 0 and 100")
    if number < 0:
        return None, Label("不能小于 0", "It cannot be below 0")
    return number / 100 if kind == "share" else number, None
