"""``applies_to``: conditions that must all hold, each a filter over the subject's columns or an expression."""

from __future__ import annotations

from typing import Any

from wtforms import Form, HiddenField

from app.entity.labels import Label
from app.rules.problems import PathSteps

from .documents import ABSENT
from .fields import FilterField, put_at, text
from .filter_data import Group, read_filter, write_filter
from .ground import FormGround
from .values import expression_value, text_of

FILTER, EXPRESSION = "filter", "expression"


class ConditionForm(Form):
    """One condition."""

    kind = HiddenField(default=FILTER)
    filter = FilterField(Label("条件", "Condition"))
    expression = text(Label("条件算式", "Condition as a formula"))


def read(part: Any) -> list[dict[str, Any]]:
    items = part if isinstance(part, list) else [] if part in (ABSENT, None) else [part]
    return [
        {"kind": FILTER, "filter": read_filter(item), "expression": ""}
        if isinstance(item, dict)
        else {"kind": EXPRESSION, "filter": Group(), "expression": text_of(item)}
        for item in items
    ]


def write(data: list[dict[str, Any]] | None, ground: FormGround) -> Any:
    """A single condition stands by itself, several in a list; ABSENT where there is none."""
    written = [
        expression_value(item.get("expression"))
        if item.get("kind") == EXPRESSION
        else write_filter(item["filter"], lambda path: ground.column(ground.subject, path))
        for item in data or ()
    ]
    written = [each for each in written if each is not ABSENT]
    return written[0] if len(written) == 1 else written or ABSENT


def prepare(entries: Any, path: PathSteps) -> None:
    """Say where each condition stands; a single one may stand without a list."""
    single = len(entries) == 1
    for position, entry in enumerate(entries):
        place = path if single else (*path, position)
        put_at(entry.form, (), filter=place, expression=place)
