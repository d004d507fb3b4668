"""Short ways to write a rule and a frame of subjects down in a test."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from app.entity.labels import Label
from app.entity.periods import Period
from app.rules.context import Context
from app.rules.expression_parser import Threshold, parse_expression, parse_light
from app.rules.model import (
    Aggregate,
    Index,
    Light,
    LightRule,
    Metric,
    Node,
    Veto,
    Warning,
)
from app.rules.scoring import score_index, score_warning

LABEL = Label("标签", "label")
END_OF_QUARTER = Context(date(2026, 9, 30), Period.parse("2026Q3"))


def lights(**texts: str) -> tuple[LightRule, ...]:
    """``red="< 60"``: as a rule file says them."""
    found = []
    for light, text in texts.items():
        parsed = parse_light(text)
        if isinstance(parsed, Threshold):
            found.append(LightRule(Light(light), parsed.operator, parsed.operand))
        else:
            found.append(LightRule(Light(light), condition=parsed))
    return tuple(found)


FOUR_LIGHTS = lights(red="< 60", orange="< 70", yellow="< 80", green=">= 80")


def leaf(code: str, value: str | None = None, shape: Any = None, **options: Any) -> Node:
    """A node whose value is the metric of its own name unless another is given."""
    return Node(code, LABEL, value=parse_expression(value or code), shape=shape, **options)


def group(code: str, *children: Node, **options: Any) -> Node:
    return Node(code, LABEL, children=children, **options)


def metrics_of(subjects: pl.DataFrame) -> tuple[Metric, ...]:
    names = [name.removeprefix("m.") for name in subjects.columns if name.startswith("m.")]
    return tuple(Metric(name, Aggregate.SUM, "meeting") for name in names)


def index(subjects: pl.DataFrame, *children: Node, **options: Any) -> Index:
    """An index over the metrics of a frame."""
    root = {key: options.pop(key) for key in ("combine", "missing") if key in options}
    options.setdefault("metrics", metrics_of(subjects))
    options.setdefault("lights", FOUR_LIGHTS)
    tree = Node("", LABEL, children=children, **root)
    return Index("test", LABEL, "organization", "test.yaml", "1", root=tree, **options)


def warning(subjects: pl.DataFrame, value: str | None = None, **options: Any) -> Warning:
    options.setdefault("metrics", metrics_of(subjects))
    levels = lights(**options.pop("levels"))
    parsed = parse_expression(value) if value else None
    return Warning("test", LABEL, "organization", "test.yaml", "1", value=parsed, levels=levels, **options)


def frame(**columns: list[Any]) -> pl.DataFrame:
    """Subjects 1, 2, 3 … with their metrics by name; ``s_name`` is a column of the subject, ``light_now``
    the present light, ``parent_id`` itself. A metric without any value is a number."""
    count = len(next(iter(columns.values())))
    named = {"subject_id": pl.Series(range(1, count + 1), dtype=pl.Int64)}
    for name, values in columns.items():
        column = {"parent_id": "parent_id", "light_now": "present"}.get(name)
        column = column or (f"s.{name[2:]}" if name.startswith("s_") else f"m.{name}")
        number = any(isinstance(value, float) for value in values) or all(value is None for value in values)
        dtype = {"parent_id": pl.Int64, "light_now": pl.String}.get(name, pl.Float64 if number else None)
        named[column] = pl.Series(
            [float(v) if v is not None and dtype == pl.Float64 else v for v in values], dtype=dtype
        )
    return pl.DataFrame(named)


def veto(code: str, when: str, cap: float) -> Veto:
    return Veto(code, LABEL, parse_expression(when), cap)


def score(rule: Index, subjects: pl.DataFrame, context: Context = END_OF_QUARTER, **options: Any) -> pl.DataFrame:
    return score_index(rule, subjects, context, **options).results


def warn(rule: Warning, subjects: pl.DataFrame, context: Context = END_OF_QUARTER) -> pl.DataFrame:
    return score_warning(rule, subjects, context)


def scores_of(node: Node, subjects: pl.DataFrame, **options: Any) -> list[float | None]:
    """What a single node scores."""
    return score(index(subjects, node, **options), subjects)[f"{node.code}.score"].to_list()
