"""From a figure to the very records it came from: a console list narrowed to the rows that a metric counted."""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.entity.registry import registry
from app.rules.model import Metric, Rule


def records_url(rule: Rule, metric_name: str, subject: Any, period: str) -> str | None:
    """The console's list of the rows behind a metric of a rule for one subject and period; None for figures that do
    not come from records of one entity."""
    metric = next((each for each in rule.metrics if each.name == metric_name), None)
    if not isinstance(metric, Metric) or metric.entity not in registry:
        return None
    return url_for("RecordsPage.show", rule=rule.code, metric=metric_name, subject=subject.id, period=period or None)
