"""Rows that a form can fill in by itself: bands and points from today's spread, categories from the code list."""

from __future__ import annotations

from typing import Any

from app.entity.labels import UserError

from . import previews
from .desk import Desk
from .forms.panels import Panel
from .forms.values import text_of
from .spreads import quantiles

SHARES = (0.25, 0.5, 0.75)
SCORES = (60, 80, 100)
"""What a quarter, half and three quarters of all reach at least."""


def suggested(page: Any, desk: Desk, panel: Panel, data: dict[str, Any]) -> None:
    """Fill in the rows of a node's shape. Without figures of today, plain ones to begin with."""
    if data.get("shape") == "categories":
        codes = previews.codes_of(desk, data) or []
        known = {row["code"] for row in data["categories"]}
        data["categories"] += [{"code": code, "score": ""} for code, _ in codes if code not in known]
        return
    try:
        preview = previews.of_node(page, desk, panel, data)
        numbers = preview.numbers if preview is not None else []
    except UserError:
        numbers = []
    starts = sorted(set(quantiles(numbers, SHARES))) if numbers else [1.0, 2.0, 3.0]
    low = min(0.0, numbers[0]) if numbers else 0.0
    starts = [start for start in starts if start > low]
    rows = [(low, 0), *zip(starts, SCORES[-len(starts) :] if starts else (), strict=True)]
    filled = [{"start": text_of(start), "score": text_of(score)} for start, score in rows]
    data["bands" if data.get("shape") == "bands" else "points"] = filled
