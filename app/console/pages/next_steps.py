"""What to do about a loss or a warning: the form that adds the missing record, or the list that shows what lacks.

It follows from the rule: whoever lacks held lectures is led to the form of a meeting with 党课 and 已召开 filled in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.entity.labels import Label
from app.entity.registry import registry
from app.rules.explaining import metrics_of
from app.rules.expressions import Expression
from app.rules.model import Aggregate, Index, Metric, Rule

from ..display import add_url, edit_url
from ..permissions import may
from .records import figure_url, given_by

ADDED = {
    "meeting": Label("补录{kind}", "Add: {kind}"),
    "post": Label("登记任职", "Add the post"),
    "observation": Label("填报", "Report"),
}
"""Records that are added when they are missing. What is owed (fees, attendance, study) is there already as a row."""
PEOPLE = ("index", "member")
SUMS = (Aggregate.SUM, Aggregate.AVERAGE, Aggregate.MINIMUM)


@dataclass(frozen=True)
class NextStep:
    """A link that says what it is for."""

    label: Label
    url: str


def next_step(rule: Rule, value: Expression | None, subject: Any, period: str) -> NextStep | None:
    """What the reader can do to raise what a value measures; None where the rule does not tell."""
    metrics = list(metrics_of(rule, value) if value is not None else ())
    metrics = metrics or [metric for metric in rule.metrics if isinstance(metric, Metric)]
    for metric in metrics:
        step = _adding(metric, subject)
        if step is not None:
            return step
    for metric in metrics:
        url = figure_url(rule, metric, subject, period) if isinstance(rule, Index) else None
        if url:
            words = Label("看名单", "See the list") if metric.entity in PEOPLE else Label("看记录", "See the records")
            return NextStep(words, url)
    entity = registry.of(type(subject))
    if not metrics and entity is not None and may("edit", entity):
        url = edit_url(entity.code, subject.id)
        return NextStep(Label("更新资料", "Update the record"), url) if url else None
    return None


def _adding(metric: Metric, subject: Any) -> NextStep | None:
    """The form for a record that a metric would count."""
    entity = registry.get(metric.entity)
    if entity is None or entity.code not in ADDED or not may("add", entity):
        return None
    if entity.code == "meeting" and metric.aggregate in SUMS:
        return None
    given = given_by(metric, subject)
    url = add_url(entity.code, **given)
    kind = entity.fields["kind"].code_list.find(given["kind"]) if "kind" in given else None  # type: ignore[union-attr]
    return NextStep(ADDED[entity.code].format(kind=kind.label if kind else entity.label), url) if url else None
