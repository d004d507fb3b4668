"""Where a change of one part begins and ends in the text, and the text after it.

Every function takes the text, its structure and a path, and gives the whole text anew, or None where the part is
written in a way that has no room for the change in place. ``operations`` checks what comes out.
"""

from __future__ import annotations

from typing import Any

from app.rules.problems import PathSteps

from .structure import Element, Kind, dash_of
from .writing import (
    BLOCK_KEYS,
    block_lines,
    entry_lines,
    flow_text,
    item_lines,
    key_in_yaml,
    scalar_text,
    wants_block,
)


def replaced(text: str, root: Element, steps: PathSteps, value: Any) -> str | None:
    """The text with another value where the steps lead."""
    way = root.at(steps)
    if way is None:
        return None
    element, parent = way[-1], way[-2] if len(way) > 1 else None
    if parent is None:
        lines = block_lines(value) if isinstance(value, dict | list) and value else [_single(value, element)]
        return text[: element.start] + _newline(text).join(lines) + text[element.end :]
    if any(each.flow for each in way[:-1]):
        return text[: element.start] + _in_flow(value, element) + text[element.end :]
    place = parent.place_of(steps[-1])
    below = _goes_below(value, element, parent, place)
    if parent.kind is Kind.SEQUENCE:
        if below:
            lines = item_lines(value, block=True) if isinstance(value, dict) else ["- " + flow_text(value)]
            dash = _anchor(text, parent, place)
            return text[:dash] + _indented(text, lines, _column(text, dash)).lstrip() + text[element.end :]
        return _put(text, _anchor(text, parent, place) + 1, element, value)
    colon = text.find(":", parent.keys[place].end)
    if not below:
        return _put(text, colon + 1, element, value)
    column = _column(text, element.start) if element.is_block else _column(text, parent.keys[place].start) + 2
    head = text[colon + 1 : element.start].rstrip()
    lines = _indented(text, block_lines(value), column)
    return text[: colon + 1] + head + _newline(text) + lines + text[element.end :]


def _goes_below(value: Any, element: Element, parent: Element, place: int) -> bool:
    """Whether the value is written as a block."""
    if not isinstance(value, dict | list) or not value:
        return False
    if element.is_block or (isinstance(value, dict) and wants_block(value)):
        return not (parent.kind is Kind.SEQUENCE and isinstance(value, list))
    return isinstance(value, list) and parent.kind is Kind.MAPPING and parent.names[place] in BLOCK_KEYS


def _put(text: str, after: int, element: Element, value: Any) -> str:
    """On the line of its key or dash, which ends at ``after``."""
    written = _single(value, element)
    if element.start == element.end:
        return text[:after] + " " + written + text[after:]
    if element.is_block or element.is_block_scalar:
        head = text[after : element.start].rstrip()
        return text[:after] + " " + written + head + text[element.end :]
    return text[: element.start] + written + text[element.end :]


def _single(value: Any, element: Element) -> str:
    if isinstance(value, dict | list):
        return flow_text(value)
    return scalar_text(value, flow=False, style=element.style)


def _in_flow(value: Any, element: Element) -> str:
    if isinstance(value, dict | list):
        return flow_text(value)
    lead = " " if element.start == element.end else ""
    return lead + scalar_text(value, flow=True, style=element.style)


def renamed(text: str, root: Element, steps: PathSteps, name: str) -> str | None:
    """The text with another key at the entry that the steps lead to."""
    way = root.at(steps)
    place = way[-2].place_of(steps[-1]) if way else None
    if way is None or place is None:
        return None
    key = way[-2].keys[place]
    return text[: key.start] + key_in_yaml(name) + text[key.end :]


# Taking out ----------------------------------------------------------------------------------------------------------


def without(text: str, root: Element, steps: PathSteps) -> str | None:
    """The text without the part, its line comment, and the comment lines right above it."""
    way = root.at(steps)
    if way is None or len(way) < 2:
        return None
    parent = way[-2]
    place = parent.place_of(steps[-1])
    if len(parent.children) == 1:
        return replaced(text, root, steps[:-1], [] if parent.kind is Kind.SEQUENCE else {})
    if parent.flow:
        return _without_in_flow(text, parent, place)
    if _stands_alone(text, parent, place):
        begin, end = extent(text, parent, place)
        return text[:begin] + text[end:]
    end = _line_end(text, parent.children[place].end)
    end += len(text[end:]) - len(text[end:].lstrip())
    return text[: _anchor(text, parent, place)] + text[end:]


def _without_in_flow(text: str, parent: Element, place: int) -> str:
    begin, end = _begin(parent, place), parent.children[place].end
    if place > 0 and "\n" not in text[parent.children[place - 1].end : begin]:
        return text[: parent.children[place - 1].end] + text[end:]
    comma = _comma_after(text, end)
    after = end if comma is None else comma + 1
    if place + 1 < len(parent.children) and "\n" not in text[end : _begin(parent, place + 1)]:
        return text[:begin] + text[_begin(parent, place + 1) :]
    line, line_end = _line_start(text, begin), _line_end(text, after)
    rest = text[after:line_end].strip()
    if not text[line:begin].strip() and (not rest or rest.startswith("#")):
        return text[:line] + text[line_end:]
    return text[:begin] + text[after:]


def _comma_after(text: str, position: int) -> int | None:
    """The comma that follows, past spaces, line ends and comments."""
    while position < len(text):
        if text[position] == ",":
            return position
        if text[position] == "#":
            position = _line_end(text, position)
        elif text[position].isspace():
            position += 1
        else:
            return None
    return None


# Putting in ----------------------------------------------------------------------------------------------------------


def with_item(text: str, root: Element, steps: PathSteps, position: int, value: Any, raw: str = "") -> str | None:
    """The text with one more item in the list that the steps lead to. ``raw``: the value's text on one line, if it
    stood somewhere before."""
    way = root.at(steps)
    if way is None:
        return None
    parent = way[-1]
    if parent.flow or not parent.children:
        return _with_part(text, root, steps, position, [value], raw or flow_text(value))
    siblings = [child for child in parent.children if child.kind is Kind.MAPPING]
    block = bool(siblings) and all(child.is_block for child in siblings)
    if isinstance(value, dict) and not block and siblings and not wants_block(value):
        lines = [f"- {raw or flow_text(value)}"]
    else:
        lines = [f"- {raw}"] if raw else item_lines(value, block=block or None)
    return _with_lines(text, parent, position, lines)


def with_entry(text: str, root: Element, steps: PathSteps, position: int, name: str, value: Any) -> str | None:
    """The text with one more entry in the mapping that the steps lead to."""
    way = root.at(steps)
    if way is None:
        return None
    parent = way[-1]
    if parent.flow or not parent.children:
        return _with_part(text, root, steps, position, {name: value}, f"{key_in_yaml(name)}: {flow_text(value)}")
    return _with_lines(text, parent, position, entry_lines(name, value))


def with_chunk(text: str, root: Element, steps: PathSteps, position: int, chunk: str, column: int) -> str | None:
    """The text with the lines of an item that stood at ``column`` put into a list written as a block."""
    way = root.at(steps)
    if way is None or not way[-1].is_block or not way[-1].children:
        return None
    shift = _column(text, _anchor(text, way[-1], 0)) - column
    lines = [_shifted(line, shift) for line in chunk.splitlines()]
    return _with_lines(text, way[-1], position, lines, indented=True)


def _shifted(line: str, shift: int) -> str:
    if not line.strip():
        return line
    if shift >= 0:
        return " " * shift + line
    return line[min(-shift, len(line) - len(line.lstrip())) :]


def _with_lines(text: str, parent: Element, position: int, lines: list[str], *, indented: bool = False) -> str:
    newline = _newline(text)
    column = 0 if indented else _column(text, _anchor(text, parent, 0))
    block = _indented(text, lines, column)
    if position >= len(parent.children):
        after = _line_end(text, parent.children[-1].end)
        lead = "" if text[:after].endswith("\n") else newline
        return text[:after] + lead + block + newline + text[after:]
    if _stands_alone(text, parent, position):
        begin, _ = extent(text, parent, position)
        return text[:begin] + block + newline + text[begin:]
    anchor = _anchor(text, parent, position)
    return text[:anchor] + block.lstrip() + newline + " " * _column(text, anchor) + text[anchor:]


def _with_part(text: str, root: Element, steps: PathSteps, position: int, whole: Any, written: str) -> str | None:
    """Into brackets, or into a collection that was empty."""
    way = root.at(steps)
    assert way is not None
    parent = way[-1]
    if not parent.children:
        if len(way) == 1 or not any(each.flow for each in way[:-1]):
            return replaced(text, root, steps, whole)
        return text[: parent.start + 1] + written + text[parent.start + 1 :]
    count = len(parent.children)
    near = _begin(parent, min(position, count - 1))
    own_line = count > 1 and not text[_line_start(text, near) : near].strip()
    between = "," + _newline(text) + " " * _column(text, near) if own_line else ", "
    if position >= count:
        end = parent.children[-1].end
        return text[:end] + between + written + text[end:]
    return text[:near] + written + between + text[near:]


# Places in the text --------------------------------------------------------------------------------------------------


def extent(text: str, parent: Element, place: int) -> tuple[int, int]:
    """From where to where the lines of an item or entry of a block reach, with the comments that belong to it."""
    anchor = _anchor(text, parent, place)
    begin = _line_start(text, anchor)
    bound = _line_end(text, parent.children[place - 1].end) if place else begin
    column = _column(text, anchor)
    while begin > bound:
        above = _line_start(text, begin - 1)
        line = text[above:begin]
        if above < bound or len(line) - len(line.lstrip()) != column or not line.lstrip().startswith("#"):
            break
        begin = above
    return begin, _line_end(text, parent.children[place].end)


def chunk_of(text: str, parent: Element, place: int) -> tuple[str, int] | None:
    """The lines of a block's item and the column of its dash; None if it shares its first line with something else."""
    if not parent.is_block or not _stands_alone(text, parent, place):
        return None
    begin, end = extent(text, parent, place)
    return text[begin:end], _column(text, _anchor(text, parent, place))


def _anchor(text: str, parent: Element, place: int) -> int:
    """Where an entry's key or an item's dash stands."""
    if parent.kind is Kind.MAPPING:
        return parent.keys[place].start
    return dash_of(text, parent, place)


def _begin(parent: Element, place: int) -> int:
    return parent.keys[place].start if parent.kind is Kind.MAPPING else parent.children[place].start


def _stands_alone(text: str, parent: Element, place: int) -> bool:
    """Whether nothing stands before it on its line."""
    anchor = _anchor(text, parent, place)
    return not text[_line_start(text, anchor) : anchor].strip()


def _line_start(text: str, position: int) -> int:
    return text.rfind("\n", 0, position) + 1


def _line_end(text: str, position: int) -> int:
    """After the end of the line in which the position lies."""
    found = text.find("\n", position)
    return len(text) if found < 0 else found + 1


def _column(text: str, position: int) -> int:
    return position - _line_start(text, position)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _indented(text: str, lines: list[str], column: int) -> str:
    return _newline(text).join(" " * column + line for line in lines)
