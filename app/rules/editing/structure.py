"""Where the parts of a YAML text begin and end, with what ``app.rules.source`` does not need: the style a part is
written in, its true end (YAML lets a block reach as far as the next part), and aliases as they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode

from app.rules.problems import PathSteps


class Kind(Enum):
    SCALAR = "scalar"
    SEQUENCE = "sequence"
    MAPPING = "mapping"
    ALIAS = "alias"


@dataclass(slots=True, eq=False)
class Element:
    """A part of the text. Offsets count characters."""

    kind: Kind
    start: int
    end: int
    """After the last character that belongs to the part; trailing comments and empty lines do not."""
    flow: bool = False
    """Collections: written in brackets. Scalars: always False."""
    style: str = ""
    """Scalars: ``'``, ``"``, ``|``, ``>``, or empty for plain ones."""
    keys: list[Element] = field(default_factory=list)
    """Mappings: one for each child."""
    names: list[str] = field(default_factory=list)
    """Mappings: the keys as text."""
    children: list[Element] = field(default_factory=list)

    @property
    def is_block(self) -> bool:
        """Whether it is a collection whose items stand on lines of their own."""
        return self.kind in (Kind.SEQUENCE, Kind.MAPPING) and not self.flow

    @property
    def is_block_scalar(self) -> bool:
        return self.style in ("|", ">")

    def place_of(self, step: str | int) -> int | None:
        """The position of the child that a step of a path leads to."""
        if self.kind is Kind.MAPPING and isinstance(step, str):
            return self.names.index(step) if step in self.names else None
        if self.kind is Kind.SEQUENCE and isinstance(step, int) and 0 <= step < len(self.children):
            return step
        return None

    def at(self, steps: PathSteps) -> list[Element] | None:
        """The elements from this one down to where the steps lead; None if they lead nowhere in this text."""
        way = [self]
        for step in steps:
            place = way[-1].place_of(step)
            if place is None:
                return None
            way.append(way[-1].children[place])
        return way


def structure_of(text: str, root: Node) -> Element:
    """The structure of a text from the nodes that YAML made of it, in which ``app.rules.source`` found no fault."""
    try:
        return _FromNodes(text).element(root)
    except _AliasFound:
        return _FromEvents(text).root()


class _AliasFound(Exception):
    """Nodes do not say where an alias stands: what it means stands in its place."""


class _Building:
    """Corrects the ends that YAML finds by looking at what comes next."""

    def __init__(self, text: str) -> None:
        self.text = text

    def scalar(self, start: int, end: int, style: str | None) -> Element:
        if style in ("|", ">"):
            end = start + len(self.text[start:end].rstrip())
        return Element(Kind.SCALAR, start, end, style=style or "")

    def add_item(self, sequence: Element, item: Element) -> None:
        sequence.children.append(item)
        if _is_empty(item) and not sequence.flow:
            _stand_at(item, dash_of(self.text, sequence, len(sequence.children) - 1) + 1)

    def add_entry(self, mapping: Element, key: Element, name: str, value: Element) -> None:
        mapping.keys.append(key)
        mapping.names.append(name)
        mapping.children.append(value)
        if _is_empty(value):
            colon = self.text.find(":", key.end, value.start)
            _stand_at(value, key.end if colon < 0 else colon + 1)

    @staticmethod
    def close(element: Element, end: int) -> Element:
        if element.flow:
            element.end = end
        elif element.children:
            element.end = element.children[-1].end
        return element


class _FromNodes(_Building):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.seen: set[int] = set()

    def element(self, node: Node) -> Element:
        start, end = node.start_mark.index, node.end_mark.index
        if id(node) in self.seen:
            raise _AliasFound
        self.seen.add(id(node))
        if isinstance(node, ScalarNode):
            return self.scalar(start, end, node.style)
        kind = Kind.SEQUENCE if isinstance(node, SequenceNode) else Kind.MAPPING
        element = Element(kind, start, end, flow=bool(node.flow_style))
        for part in node.value:
            if kind is Kind.SEQUENCE:
                self.add_item(element, self.element(part))
            else:
                self.add_entry(element, self.element(part[0]), part[0].value, self.element(part[1]))
        return self.close(element, end)


class _FromEvents(_Building):
    """Slower, but events say where an alias stands."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        # A parser of its own for every text: it keeps the position in what it reads.
        self.events: Iterator[Any] = iter(YAML(typ="safe", pure=True).parse(text))

    def root(self) -> Element:
        return next(
            self.element(event)
            for event in self.events
            if isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent)
        )

    def element(self, event: Any) -> Element:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, ScalarEvent):
            return self.scalar(start, end, event.style)
        if isinstance(event, AliasEvent):
            return Element(Kind.ALIAS, start, end)
        kind = Kind.SEQUENCE if isinstance(event, SequenceStartEvent) else Kind.MAPPING
        element = Element(kind, start, end, flow=bool(event.flow_style))
        while not isinstance(event := next(self.events), SequenceEndEvent | MappingEndEvent):
            part = self.element(event)
            if kind is Kind.SEQUENCE:
                self.add_item(element, part)
            else:
                self.add_entry(element, part, getattr(event, "value", ""), self.element(next(self.events)))
        return self.close(element, event.end_mark.index)


def _is_empty(element: Element) -> bool:
    return element.kind is Kind.SCALAR and not element.style and element.start == element.end


def _stand_at(element: Element, position: int) -> None:
    """YAML finds an empty value where the next part begins; people see it behind the colon or dash."""
    element.start = element.end = position


def dash_of(text: str, sequence: Element, place: int) -> int:
    """Where the dash of an item stands in a list written as a block; the items before it know their ends."""
    if place == 0:
        return sequence.start
    column = sequence.start - (text.rfind("\n", 0, sequence.start) + 1)
    position = _next_line(text, sequence.children[place - 1].end)
    while position < len(text):
        after = _next_line(text, position)
        line = text[position:after]
        if line.startswith("-", column) and not line[:column].strip():
            return position + column
        position = after
    return sequence.children[place].start


def _next_line(text: str, position: int) -> int:
    found = text.find("\n", position)
    return len(text) if found < 0 else found + 1
