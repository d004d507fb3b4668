"""What of a rule no test reaches, and what no real subject ever reached: nodes, bands, lights, vetoes, grades.

A part is reached by a result: a node when it has a score, a band when a value lies in it, a light when it is lit, a
veto when it holds. Tests are judged by the results of their cases, real subjects by what runs have kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl
from sqlalchemy import Engine

from app.entity.labels import Label
from app.entity.registry import Registry, registry
from app.rules.differences import LIGHTS
from app.rules.library import RuleLibrary
from app.rules.model import Bands, Index, Node, Rule, Warning
from app.rules.testing import TestRun

from .dry_run import scored
from .kept_figures import figures_for, kept_figures, latest_period


@dataclass(frozen=True)
class Part:
    """A part of a rule. ``by_tests`` and ``by_subjects``: whether it is reached; None where nobody was looked at."""

    kind: str
    """node, band, light, veto or grade."""
    code: str
    label: Label
    by_tests: bool | None
    by_subjects: bool | None


def coverage(
    rule: Rule, tests: TestRun, engine: Engine, library: RuleLibrary, entities: Registry = registry
) -> list[Part]:
    """Every part of a rule with what reaches it, in the order of the rule. The subjects are those of the latest period
    with results, scored by this very version."""
    by_tests = [results for case, results in tests.results if case.rule.code == rule.code]
    by_subjects: list[pl.DataFrame] = []
    in_force = library.rules().get(rule.code)
    if in_force is not None:
        kept = kept_figures(engine, library, rule.code, latest_period(engine, in_force), entities)
        if kept is not None:
            by_subjects = [scored(rule, figures_for(rule, kept, engine, library, entities))]
    return [
        Part(kind, code, label, _reached(by_tests, condition), _reached(by_subjects, condition))
        for kind, code, label, condition in _parts(rule)
    ]


def _parts(rule: Rule) -> Iterator[tuple[str, str, Label, tuple[str, pl.Expr]]]:
    """(kind, code, label, (the column it needs, the condition that reaches it))."""
    if isinstance(rule, Index):
        for node in rule.root.walk():
            if node is rule.root:
                continue
            score = f"{node.code}.score"
            yield "node", node.code, node.label, (score, pl.col(score).is_not_null())
            yield from _bands(node)
        for veto in rule.veto:
            held = f"{veto.code}.held"
            yield "veto", veto.code, veto.label, (held, pl.col(held).fill_null(False))
    lights = rule.lights if isinstance(rule, Index) else rule.levels if isinstance(rule, Warning) else ()
    column = "light" if isinstance(rule, Index) else "level"
    for light in lights:
        yield "light", str(light.light), LIGHTS[str(light.light)], (column, pl.col(column) == str(light.light))
    if isinstance(rule, Index):
        for place, (_, label) in enumerate(rule.grades):
            yield "grade", str(place), label, ("grade", pl.col("grade") == place)


def _bands(node: Node) -> Iterator[tuple[str, str, Label, tuple[str, pl.Expr]]]:
    if not isinstance(node.shape, Bands):
        return
    column = f"{node.code}.value"
    starts = [start for start, _ in node.shape.steps]
    for place, start in enumerate(starts):
        value = pl.col(column).cast(pl.Float64, strict=False)
        inside = value >= start
        if place + 1 < len(starts):
            inside &= value < starts[place + 1]
        label = Label(f"{node.label.zh}：{start:g} 起", f"{node.label.en}: from {start:g}")
        yield "band", f"{node.code}:{start:g}", label, (column, inside)


def _reached(frames: Sequence[pl.DataFrame], condition: tuple[str, pl.Expr]) -> bool | None:
    column, reaches = condition
    if not frames:
        return None
    return any(column in frame.columns and not frame.filter(reaches.fill_null(False)).is_empty() for frame in frames)
