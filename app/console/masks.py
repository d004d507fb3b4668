"""Personal columns as they may be shown."""

from __future__ import annotations

from typing import Any

from app.entity.registry import Field

HIDDEN = "*"


def masked(field: Field, value: Any) -> str:
    """The value with its middle hidden: 138****8048."""
    text = str(value)
    if len(text) <= 4:
        return HIDDEN * len(text)
    head, tail = (3, 4) if len(text) >= 8 else (1, 1)
    return f"{text[:head]}{HIDDEN * (len(text) - head - tail)}{text[-tail:]}"
