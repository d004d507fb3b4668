"""The panels of a rule's editor: each looks after some parts of the document, shows them as a form and gives back the
document as the form says it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wtforms import Form

from app.entity.labels import Label
from app.rules.problems import PathSteps

from . import adjustment_form, general_form, light_form, metric_form, node_form, parameter_form
from .documents import part_at, with_keys, with_part
from .ground import FormGround
from .values import label_shown

GENERAL, PARAMETERS, ADJUSTMENTS, LIGHTS, FIGURE, NODE = (
    "general",
    "parameters",
    "adjustments",
    "lights",
    "figure",
    "node",
)
WHOLE = {
    GENERAL: (general_form.GeneralForm, general_form),
    PARAMETERS: (parameter_form.ParametersForm, parameter_form),
    ADJUSTMENTS: (adjustment_form.AdjustmentsForm, adjustment_form),
    LIGHTS: (light_form.LightsForm, light_form),
}
"""Panels over keys of the rule itself."""


@dataclass(frozen=True)
class Panel:
    """One panel. ``key`` names it in addresses: ``general``, ``figure:lectures``, ``node:turnout``."""

    key: str
    kind: str
    path: PathSteps
    """Where the part that it looks after stands."""

    @property
    def name(self) -> str:
        """The metric or the node's code, empty for the others."""
        return self.key.partition(":")[2]

    def part(self, ground: FormGround) -> Any:
        return part_at(ground.document, self.path)

    def title(self, ground: FormGround) -> Label:
        if self.kind == NODE:
            return (
                label_shown(self.part(ground).get("label"))
                if self.part(ground).get("label")
                else Label(self.name, self.name)
            )
        if self.kind == FIGURE:
            return ground.figure_label(self.name)
        return titles(ground)[self.kind]

    def read(self, ground: FormGround) -> dict[str, Any]:
        """What the form shows of the document as it stands."""
        part = self.part(ground)
        if self.kind == NODE:
            return node_form.read(part, ground)
        if self.kind == FIGURE:
            return metric_form.read(part, ground)
        return WHOLE[self.kind][1].read(ground.document, ground)

    def write(self, data: dict[str, Any], ground: FormGround) -> Any:
        """What the form's data become in the document."""
        if self.kind == NODE:
            return node_form.write(data, ground, has_children="children" in self.part(ground))
        if self.kind == FIGURE:
            return metric_form.write(data, ground)
        return WHOLE[self.kind][1].write(data, ground)

    def form(self, ground: FormGround, formdata: Any = None, data: dict[str, Any] | None = None) -> Form:
        """The form over what was sent, over given data, or over the document, with its choices and places."""
        class_ = {NODE: node_form.NodeForm, FIGURE: metric_form.MetricForm}.get(self.kind) or WHOLE[self.kind][0]
        made = (
            class_(formdata) if formdata is not None else class_(data=data if data is not None else self.read(ground))
        )
        if self.kind == NODE:
            node_form.prepare(made, ground, self.path)
        elif self.kind == FIGURE:
            metric_form.prepare(made, ground, self.path)
        else:
            WHOLE[self.kind][1].prepare(made, ground)
        return made

    def document(self, ground: FormGround, data: dict[str, Any]) -> dict[str, Any]:
        """The whole document as the form's data say it; itself if they say what it says already."""
        part, before, after = self.part(ground), self.write(self.read(ground), ground), self.write(data, ground)
        changed = metric_form.changed(part, before, after) if self.kind == FIGURE else with_keys(part, before, after)
        return with_part(ground.document, self.path, changed)


def titles(ground: FormGround) -> dict[str, Label]:
    """What the panels over keys of the rule are called."""
    found = {GENERAL: Label("名称和对象", "Name and subject"), PARAMETERS: Label("参数", "Parameters")}
    if ground.is_index:
        found[ADJUSTMENTS] = Label("加扣分、否决和汇总", "Bonus, penalty, veto, sums")
        found[LIGHTS] = Label("亮灯和等次", "Lights and grades")
    else:
        found[LIGHTS] = Label("数值和级别", "Value and levels")
    return found


def panel_of(key: str, ground: FormGround) -> Panel | None:
    """The panel of a key; None for what the document does not have."""
    kind, _, name = key.partition(":")
    if kind in titles(ground) and not name:
        return Panel(key, kind, ())
    if kind == FIGURE and isinstance(metrics := ground.document.get("metrics"), dict) and name in metrics:
        return Panel(key, kind, ("metrics", name))
    if kind == NODE:
        found = next((path for path, node in nodes(ground.document) if node.get("code") == name), None)
        return Panel(key, kind, found) if found is not None else None
    return None


def panels_of(ground: FormGround) -> Iterator[Panel]:
    """Every panel of a rule."""
    for kind in titles(ground):
        yield Panel(kind, kind, ())
    metrics = ground.document.get("metrics")
    for name in metrics if isinstance(metrics, dict) else ():
        yield Panel(f"{FIGURE}:{name}", FIGURE, ("metrics", str(name)))
    for path, node in nodes(ground.document):
        yield Panel(f"{NODE}:{node.get('code')}", NODE, path)


def nodes(document: dict[str, Any]) -> Iterator[tuple[PathSteps, dict[str, Any]]]:
    """(path, node) of the tree, parents first. What is no node yet is left out."""
    yield from _nodes(document.get("tree"), ("tree",))


def _nodes(items: Any, path: PathSteps) -> Iterator[tuple[PathSteps, dict[str, Any]]]:
    for position, node in enumerate(items if isinstance(items, list) else ()):
        if isinstance(node, dict):
            yield (*path, position), node
            yield from _nodes(node.get("children"), (*path, position, "children"))
