"""``adjustable``: what districts and streets may change of an index, a field for each kind of number."""

from __future__ import annotations

import re
from typing import Any

from .documents import ABSENT
from .values import number_value, text_of

KINDS = ("weight", "target", "parameters", "lights")
_ENTRY = re.compile(r"([\w-]+)\s*[:：]\s*(\[[^\]]*\]|[^,，;；\[\]]+)")
_PAIR = re.compile(r"\[\s*([^,，\[\]]+)[,，]\s*([^,，\[\]]+)\]")
_BETWEEN = re.compile(r"[\s,，;；]*")


def read(part: Any) -> dict[str, str]:
    """The text of each field: a bound, or ``code: bound`` separated by commas."""
    bounds = part if isinstance(part, dict) else {}
    return {f"adjustable_{kind}": _shown(bounds.get(kind)) for kind in KINDS}


def write(data: dict[str, Any]) -> Any:
    """The mapping; ABSENT where nothing may be changed."""
    written = {kind: _bounds(data.get(f"adjustable_{kind}")) for kind in KINDS}
    return written if any(each is not ABSENT for each in written.values()) else ABSENT


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{code}: {_shown(each)}" for code, each in value.items())
    return f"[{', '.join(map(text_of, value))}]" if isinstance(value, list) else text_of(value)


def _bounds(typed: str | None) -> Any:
    """What cannot be read stands as it was typed, for the check to refuse."""
    text = (typed or "").strip()
    if not text:
        return ABSENT
    entries = list(_ENTRY.finditer(text))
    if entries and _BETWEEN.fullmatch(_ENTRY.sub("", text)):
        return {entry[1]: _bound(entry[2]) for entry in entries}
    return _bound(text)


def _bound(typed: str) -> Any:
    pair = _PAIR.fullmatch(typed.strip())
    return [number_value(pair[1]), number_value(pair[2])] if pair else typed.strip()
