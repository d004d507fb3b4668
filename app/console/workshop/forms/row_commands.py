"""Adding, removing and moving rows of a form: what its small buttons do. A command is ``verb:name``, the name being
that of the field or row in the form (``bands``, ``conditions-0-filter-p1``); the form is then made anew of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.entity.labels import UserError

from .condition_form import EXPRESSION, FILTER
from .filter_data import Group, Operand, Row

NEW_ROWS: dict[str, dict[str, Any]] = {
    "conditions": {"kind": FILTER, "filter": Group("all", [Row()]), "expression": ""},
    "parameters": {"name": "", "kind": "plain", "number": "", "by": "", "values": [], "default": ""},
    **dict.fromkeys(
        ("bonus", "penalty"), dict.fromkeys(("code", "label_zh", "label_en", "value", "each", "at_most"), "")
    ),
    "veto": dict.fromkeys(("code", "label_zh", "label_en", "when", "cap"), ""),
    "grades": dict.fromkeys(("start", "label_zh", "label_en"), ""),
    **dict.fromkeys(("bands", "points"), dict.fromkeys(("start", "score"), "")),
    "categories": dict.fromkeys(("code", "score"), ""),
    "values": dict.fromkeys(("code", "number"), ""),
}
"""An empty row of each list of a form."""


def carried_out(command: str, data: dict[str, Any]) -> None:
    """Do to a form's data what a command says. Raises UserError for a command that fits no row."""
    verb, _, name = command.partition(":")
    steps = [int(step) if step.isdigit() else step for step in name.split("-")]
    try:
        _carry_out(verb, steps, data)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        raise UserError("这一行已经不在了，请刷新页面", "That row is gone; reload the page") from None


def _carry_out(verb: str, steps: Sequence[str | int], data: dict[str, Any]) -> None:
    match verb:
        case "add":
            _at(data, steps).append(_new(str(steps[-1])))
        case "add-expression":
            _at(data, steps).append({**_new(str(steps[-1])), "kind": EXPRESSION})
        case "add-test":
            _at(data, steps).parts.append(Row())
        case "add-group":
            _at(data, steps).parts.append(Group("any", [Row(), Row()]))
        case "add-operand":
            _at(data, steps).operands.append(Operand())
        case "remove":
            holder, place = _holder(data, steps)
            del holder[place]
        case "up":
            holder, place = _holder(data, steps)
            if place > 0:
                holder[place - 1], holder[place] = holder[place], holder[place - 1]
        case _:
            raise ValueError(verb)


def _new(name: str) -> dict[str, Any]:
    row = dict(NEW_ROWS[name])
    if name == "conditions":
        row["filter"] = Group("all", [Row()])
    if name == "parameters":
        row["values"] = []
    return row


def _at(data: Any, steps: Sequence[str | int]) -> Any:
    """What a name leads to: rows of lists by number, parts of filters by ``p<number>``, operands by ``o<number>``."""
    for step in steps:
        if isinstance(data, Group):
            data = data.parts[int(str(step)[1:])]
        elif isinstance(data, Row):
            data = data.operands[int(str(step)[1:])]
        else:
            data = data[step]
    return data


def _holder(data: Any, steps: Sequence[str | int]) -> tuple[list[Any], int]:
    """The list that a row stands in, and where."""
    around, last = _at(data, steps[:-1]), steps[-1]
    if isinstance(around, Group):
        return around.parts, int(str(last)[1:])
    if isinstance(around, Row):
        return around.operands, int(str(last)[1:])
    return around, int(last)
