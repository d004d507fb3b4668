"""Metrics over rows of entities that several rules of one subject and date ask for: equal ones are counted once.

Two metrics are equal that count the same rows of the same days in the same way, whatever their rules call them and
whatever their periods are: a branch's members are counted once for all the warnings that divide by them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import polars as pl

from app.entity.periods import Period
from app.entity.registry import Registry

from .context import Context
from .metric_parts import finished
from .metric_queries import Group, groups_of, speaks_of_period
from .model import Figure, Index, Metric, Rule, Window
from .result_columns import INDEX_SOURCE, WARNING_SOURCE
from .windows import Span, span_of


class SharedMetrics:
    """Which metrics to count for rules of one date, and what the rules call them."""

    def __init__(self, asked: Iterable[tuple[Rule, Context]]) -> None:
        self._asked: dict[Any, tuple[Metric, Context]] = {}
        self._names: dict[tuple[str, str], str] = {}
        for rule, context in asked:
            for metric in metrics_of_rows(rule):
                key = meaning(metric, context)
                name = self._asked.setdefault(key, (replace(metric, name=str(len(self._asked))), context))[0].name
                self._names[rule.code, metric.name] = name

    def name_of(self, rule: Rule, metric: Metric) -> str:
        """The shared name of a rule's metric."""
        return self._names[rule.code, metric.name]

    def names_of(self, rule: Rule) -> set[str]:
        """The shared names of all metrics of a rule."""
        return {self._names[rule.code, metric.name] for metric in metrics_of_rows(rule)}

    def names_of_weight(self, rule: Rule) -> set[str]:
        """The shared names of the metrics that tell what a subject weighs in the roll-up of an index."""
        weight = _weight(rule)
        if any(isinstance(metric, Figure) and metric.name == weight for metric in rule.metrics):
            return self.names_of(rule)  # computed from any of them
        name = self._names.get((rule.code, weight or ""))
        return set() if name is None else {name}

    def weight_is_counted(self, rule: Rule) -> bool:
        """Whether what a subject weighs in a roll-up, if there is one, does not depend on results of other rules."""
        weight = _weight(rule)
        return weight is None or (rule.code, weight) in self._names

    def groups(self, subject: str, entities: Registry) -> list[Group]:
        """The metrics by statement."""
        return groups_of(list(self._asked.values()), subject, entities)

    def finished(self, entities: Registry) -> list[pl.Expr]:
        """The figures under their shared names, from the parts that the statements of ``groups`` bring."""
        return [figure for metric, context in self._asked.values() for figure in finished([metric], context, entities)]


def metrics_of_rows(rule: Rule) -> list[Metric]:
    """A rule's metrics over rows of entities."""
    return [metric for metric in _metrics(rule) if metric.entity not in (INDEX_SOURCE, WARNING_SOURCE)]


def metrics_of_results(rule: Rule) -> list[Metric]:
    """A rule's metrics over the results of other rules."""
    return [metric for metric in _metrics(rule) if metric.entity in (INDEX_SOURCE, WARNING_SOURCE)]


def _metrics(rule: Rule) -> list[Metric]:
    return [metric for metric in rule.metrics if isinstance(metric, Metric)]


def _weight(rule: Rule) -> str | None:
    return rule.roll_up.weight if isinstance(rule, Index) and rule.roll_up else None


def meaning(metric: Metric, context: Context) -> tuple[Metric, Span, Period | None]:
    """What is the same for metrics that count the same."""
    bare = replace(metric, name="", line=0, window=Window())
    return bare, span_of(metric.window, context), context.period if speaks_of_period(metric) else None
