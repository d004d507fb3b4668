"""How rows that cannot be written are refused."""

from __future__ import annotations

from typing import Any

from .labels import Label, UserError
from .registry import registry


class FieldError(UserError):
    """One fault: the field it is about, and what to do."""

    def __init__(self, field: str, zh: str, en: str) -> None:
        super().__init__(zh, en)
        self.field = field


class InvalidRow(UserError):
    """Rows that cannot be written. ``faults`` holds what is wrong with each of them."""

    def __init__(self, faults: dict[Any, list[FieldError]], status: int = 422) -> None:
        texts = [_sentence(row, fault) for row, found in faults.items() for fault in found]
        super().__init__("；".join(text.zh for text in texts), "; ".join(text.en for text in texts))
        self.faults = faults
        self.status = status
        """The HTTP answer: 409 when rows were to be deleted that others refer to."""

    def by_field(self) -> dict[str, Label]:
        """The faults of a single row's fields, as forms and APIs show them."""
        return {fault.field: fault.label for found in self.faults.values() for fault in found}


def _sentence(row: Any, fault: FieldError) -> Label:
    entity = registry.of(type(row))
    described = entity and (entity.fields | entity.hidden_fields).get(fault.field)
    if not described:
        return fault.label
    return Label(f"{described.label.zh}：{fault.label.zh}", f"{described.label.en}: {fault.label.en}")
