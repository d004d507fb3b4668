"""Operations of rows through the API: what the buttons of a record's page do.

    POST /api/v1/<entity>/<id or code>/<operation>        {"reason": "…", "circle": 5}

What is asked for is given by name, a relation by id or code. ``app.access.operations.perform`` does it: in scope, in a
transaction of its own, once the row's state allows it. Whoever asks a second time is told so (409).
"""

from __future__ import annotations

from typing import Any

from app.access.predicates import Purpose
from app.console.saving import WHOLE, NotSaved
from app.console.values import Unreadable, parse
from app.entity.faults import InvalidRow
from app.entity.labels import Label, UserError
from app.entity.operations import Operation
from app.entity.registry import Field, registry

from .bodies import NOT_AN_OBJECT, UNKNOWN, check_type, row_id


def asked_name(field: Field) -> str:
    """What something asked for is called in a body: a relation without the ``_id`` of its key."""
    return field.name.removesuffix("_id") if field.options.target else field.name


def read_asked(operation: Operation, body: Any) -> dict[str, Any]:
    """The values that an operation is given. Raises NotSaved with every fault of the body; what is missing is told by
    the operation."""
    if not isinstance(body, dict):
        raise NotSaved({WHOLE: [NOT_AN_OBJECT]}, 400)
    asks = {asked_name(field): field for field in operation.asks}
    values: dict[str, Any] = {}
    faults: dict[str, list[Label]] = {}
    for name, raw in body.items():
        field = asks.get(name)
        if field is None:
            faults[str(name)[:60]] = [UNKNOWN]
            continue
        try:
            values[field.name] = _value(operation, field, raw)
        except Unreadable as error:
            faults[name] = [error.label]
    if faults:
        raise NotSaved(faults)
    return values


def _value(operation: Operation, field: Field, raw: Any) -> Any:
    if field.options.target:
        return None if raw is None else row_id(field.options.target, "", raw, Purpose.REFER)
    check_type(field, raw)
    return parse(registry[operation.entity], field, raw)


def refusal(operation: Operation, error: UserError) -> NotSaved:
    """Why it was not done: faults at what was asked for, else of the whole, with the words of the row's field."""
    asks = {field.name: asked_name(field) for field in operation.asks}
    if not isinstance(error, InvalidRow):
        field = asks.get(getattr(error, "field", None) or "", WHOLE)
        return NotSaved({field: [error.label]}, getattr(error, "status", 422))
    faults: dict[str, list[Label]] = {}
    for row, found in error.faults.items():
        described = registry.of(type(row))
        for fault in found:
            label, known = fault.label, described.fields.get(fault.field) if described else None
            if fault.field not in asks and known is not None:
                label = Label(f"{known.label.zh}：{label.zh}", f"{known.label.en}: {label.en}")
            faults.setdefault(asks.get(fault.field, WHOLE), []).append(label)
    return NotSaved(faults, error.status)
