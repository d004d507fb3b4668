"""The text of an adjustment from the numbers that somebody typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from app.entity.labels import Label
from app.rules.adjustment_files import MAXIMUM_CODE
from app.rules.adjustments import KINDS, changeable
from app.rules.editing import rewritten
from app.rules.model import Index


def code_for(index: Index, organization_code: str) -> str:
    """The code of an organization's adjustment of an index."""
    return re.sub(r"[^\w-]", "-", f"{index.code}-{organization_code}")[:MAXIMUM_CODE]


def text_for(
    index: Index, organization_code: str, label: Label, given: Mapping[str, str], effective_from: date | None
) -> str:
    """The YAML of an adjustment. ``given``: what was typed, by ``kind.code``; numbers as in the base rule, and empty
    fields, change nothing. What is no number stands as it was typed, for the check to refuse."""
    document: dict[str, object] = {
        "adjustment": code_for(index, organization_code),
        "base": index.code,
        "under": organization_code,
        "label": {"zh": label.zh, "en": label.en},
    }
    allowed = changeable(index)
    for kind in KINDS:
        changes: dict[str, object] = {}
        for code, what in allowed[kind].items():
            typed = given.get(f"{kind}.{code}", "").strip()
            number = _number(typed)
            if typed and number != what.value:
                changes[code] = typed if number is None else number
        if changes:
            document[kind] = changes
    if effective_from is not None:
        document["effective_from"] = effective_from
    return rewritten("{}\n", document)


def _number(typed: str) -> float | int | None:
    try:
        number = float(typed.replace("，", ".").replace(",", "."))
    except ValueError:
        return None
    return int(number) if number.is_integer() else number
