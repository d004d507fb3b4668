"""Values as YAML: on one line in brackets, or as a block where the things people read line by line begin."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from app.rules.source import Mapping, Scalar, Sequence, key_text, read

BLOCK_KEYS = ("tree", "children", "bonus", "penalty", "veto")
"""Lists under these keys are written line by line: their items are what people look for."""
LINE_WIDTH = 200
"""A mapping longer than this is not put on one line if there is a choice."""


def flow_text(value: Any) -> str:
    """A value on one line, as it may stand between brackets."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key_in_yaml(name)}: {flow_text(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow_text(part) for part in value) + "]"
    return scalar_text(value, flow=True)


def scalar_text(value: Any, *, flow: bool, style: str = "") -> str:
    """A single value. ``style``: the quotes it had before, which it keeps where it can. Raises TypeError for a value
    that YAML has no single value for."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} cannot be written into a rule")
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if style != '"' and _is_plain(value, flow=flow):
        return value
    return _quoted(value)


def _number(value: int | float) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"{value:.1f}"
    text = repr(value)
    if "e" in text and "." not in text:  # YAML takes 1e-07 for text: its numbers have a point
        text = text.replace("e", ".0e")
    return text


def key_in_yaml(name: str) -> str:
    """A key. Keys are text whatever they look like, so that ``null`` and ``2`` need no quotes."""
    if name and name.isprintable() and _reads_as(f"{{{name}: 0}}", name, key=True):
        return name
    return _quoted(name)


def _is_plain(value: str, *, flow: bool) -> bool:
    """Whether a text without quotes reads as itself."""
    if not value or not value.isprintable() or value != value.strip():
        return False
    # As an item and as a value: what may stand in one place may mean something else in the other.
    return (not flow or _reads_as(f"[{value}]", value)) and _reads_as(f"a: {value}\n", value)


def _reads_as(text: str, value: str, *, key: bool = False) -> bool:
    root, problems = read(text, "")
    if problems:
        return False
    if isinstance(root, Mapping) and len(root.entries) == 1:
        name, part = root.entries[0]
        if key:
            return key_text(name) == value and isinstance(part, Scalar) and part.value == 0
    elif isinstance(root, Sequence) and len(root.items) == 1 and not key:
        part = root.items[0]
    else:
        return False
    return isinstance(part, Scalar) and isinstance(part.value, str) and part.value == value


def _quoted(value: str) -> str:
    """In double quotes, with everything that YAML does not take as it is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(sign if sign.isprintable() or sign == " " else _escaped(sign) for sign in text)


def _escaped(sign: str) -> str:
    number = ord(sign)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def wants_block(value: Any) -> bool:
    """Whether a value is better read line by line."""
    if isinstance(value, dict):
        return any(name in BLOCK_KEYS and part for name, part in value.items() if isinstance(part, list)) or (
            len(flow_text(value)) > LINE_WIDTH
        )
    return False


def block_lines(value: Any) -> list[str]:
    """A non-empty dict or list as lines, not indented, its items one below the other."""
    lines: list[str] = []
    if isinstance(value, dict):
        for name, part in value.items():
            lines += entry_lines(name, part)
    else:
        for part in value:
            lines += item_lines(part)
    return lines


def entry_lines(name: str, part: Any, *, block: bool | None = None) -> list[str]:
    """``key: value`` as lines. ``block``: whether a list goes below its key; by default those of ``BLOCK_KEYS`` do."""
    below = (name in BLOCK_KEYS) if block is None else block
    key = key_in_yaml(name)
    if isinstance(part, list) and part and below:
        return [f"{key}:", *(f"  {line}" for line in block_lines(part))]
    if isinstance(part, dict) and part and (below or wants_block(part)):
        return [f"{key}:", *(f"  {line}" for line in block_lines(part))]
    if isinstance(part, dict | list):
        return [f"{key}: {flow_text(part)}"]
    return [f"{key}: {scalar_text(part, flow=False)}"]


def item_lines(part: Any, *, block: bool | None = None) -> list[str]:
    """``- value`` as lines. ``block``: whether a mapping is spread over lines, as its siblings are."""
    spread = wants_block(part) if block is None else block or wants_block(part)
    if isinstance(part, dict) and part and spread:
        first, *rest = block_lines(part)
        return [f"- {first}", *(f"  {line}" for line in rest)]
    return [f"- {flow_text(part) if isinstance(part, dict | list) else scalar_text(part, flow=False)}"]
