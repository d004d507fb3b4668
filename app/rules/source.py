"""The text of a rule file as a tree of parts that know where they stand. YAML 1.2, read by ruamel.yaml.

Duplicate keys are refused, and so are tags, recursion and numbers that are not finite; an expression whose comma YAML
took for its own is recognized, because what remains of it would only cause faults nobody understands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from app.entity.labels import Label

from .problems import PathSteps, Problem, path_text

MAXIMUM_PARTS = 50_000  # far beyond any real rule; aliases could otherwise unfold a short file without end

ScalarValue = str | int | float | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. ``start`` and ``end`` are offsets into the file's text, for edits in place."""

    value: ScalarValue
    text: str
    """As written, without quotes."""
    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Part, ...]
    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order written. Keys are unique; ``{null: true}`` has the key ``null``."""

    entries: tuple[tuple[Scalar, Part], ...]
    line: int
    start: int
    end: int

    def get(self, key: str) -> Part | None:
        return next((value for name, value in self.entries if key_text(name) == key), None)


Part = Scalar | Sequence | Mapping


def key_text(key: Scalar) -> str:
    """A key as text: the operator ``null`` is a key that YAML reads as nothing, a number keeps its digits."""
    return key.text


def plain(part: Part) -> Any:
    """The part as Python values: dict (keys as text), list, str, int, float, bool, date, None."""
    match part:
        case Scalar(value=value):
            return value
        case Sequence(items=items):
            return [plain(item) for item in items]
        case Mapping(entries=entries):
            return {key_text(key): plain(value) for key, value in entries}


def line_of(part: Part, steps: PathSteps) -> int:
    """The line of the key or item that the steps lead to, as far as they can be followed."""
    line = part.line
    for step in steps:
        if isinstance(part, Mapping) and isinstance(step, str):
            found = next(((key, value) for key, value in part.entries if key_text(key) == step), None)
            if found is None:
                return line
            line, part = found[0].line, found[1]
        elif isinstance(part, Sequence) and isinstance(step, int) and step < len(part.items):
            part = part.items[step]
            line = part.line
        else:
            return line
    return line


def read(text: str, file: str) -> tuple[Part | None, list[Problem]]:
    """A file's text as parts, and what is wrong with it as YAML. No part is returned when anything is wrong."""
    part, _, problems = read_with_nodes(text, file)
    return part, problems


def read_with_nodes(text: str, file: str) -> tuple[Part | None, Node | None, list[Problem]]:
    """``read``, with the nodes that YAML made of the text, for edits in place."""
    # A loader of its own for every file: it keeps the aliases and position of what it reads.
    loader = YAML(typ="safe", pure=True)
    try:
        root = loader.compose(text)
    except YAMLError as error:
        return None, None, [_yaml_problem(error, text, file)]
    if root is None:
        return None, None, [Problem(file, 1, "", Label("文件是空的", "The file is empty"))]
    reading = _Reading(loader, file)
    part = reading.part(root, ())
    return (None if reading.problems else part), root, reading.problems


def _yaml_problem(error: YAMLError, text: str, file: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else 1
    lines = text.splitlines()
    quote = Label("", "")
    if 0 < line <= len(lines) and any(start in lines[line - 1] for start in (": >", ": %", ": @", ": *", ": &", ": !")):
        quote = Label("（以 > % @ * & ! 开头的文字要加引号）", " (text that begins with > % @ * & ! has to be quoted)")
    reason = str(error.problem) if isinstance(error, MarkedYAMLError) and error.problem else str(error).split("\n")[0]
    return Problem(
        file, line, "", Label(f"不是有效的 YAML：{reason}{quote.zh}", f"This is not valid YAML: {reason}{quote.en}")
    )


class _Reading:
    """One file being read: collects problems and goes on."""

    def __init__(self, loader: YAML, file: str) -> None:
        self.loader = loader
        self.file = file
        self.problems: list[Problem] = []
        self.count = 0
        self.open_nodes: set[int] = set()

    def report(self, node: Node, steps: PathSteps, zh: str, en: str) -> None:
        self.problems.append(Problem(self.file, node.start_mark.line + 1, path_text(steps), Label(zh, en)))

    def part(self, node: Node, steps: PathSteps) -> Part:
        place = (node.start_mark.line + 1, node.start_mark.index, node.end_mark.index)
        self.count += 1
        if id(node) in self.open_nodes:
            self.report(node, steps, "别名指向了包含它自己的部分", "An alias leads into the part that contains it")
            return Scalar(None, "", *place)
        if self.count > MAXIMUM_PARTS:
            if self.count == MAXIMUM_PARTS + 1:
                self.report(node, steps, "文件展开后过大", "The file is too large once its aliases are unfolded")
            return Scalar(None, "", *place)
        if isinstance(node, ScalarNode):
            return self.scalar(node, steps, place)
        self.open_nodes.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                self.find_cut_expression(node, node.value, steps)
                items = [self.part(item, (*steps, number)) for number, item in enumerate(node.value)]
                return Sequence(tuple(items), *place)
            return self.mapping(node, steps, place)
        finally:
            self.open_nodes.discard(id(node))

    def scalar(self, node: ScalarNode, steps: PathSteps, place: tuple[int, int, int]) -> Scalar:
        kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
        if kind not in ("str", "int", "float", "bool", "null", "timestamp"):
            self.report(node, steps, f"规则里不用标签“{node.tag}”", f"Tags such as “{node.tag}” are not used in rules")
            return Scalar(None, node.value, *place)
        try:
            value = self.loader.constructor.construct_object(node)
        except (ValueError, YAMLError, OverflowError):
            self.report(node, steps, f"“{node.value}”不是有效的值", f"“{node.value}” is not a valid value")
            value = None
        if isinstance(value, float) and not math.isfinite(value):
            self.report(node, steps, "数必须是有限的", "A number has to be finite")
        return Scalar(value, node.value, *place)

    def mapping(self, node: MappingNode, steps: PathSteps, place: tuple[int, int, int]) -> Mapping:
        cut = self.find_cut_expression(node, [value for _, value in node.value], steps)
        entries: list[tuple[Scalar, Part]] = []
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self.report(key_node, steps, "键必须是一个词", "A key has to be a single word")
                continue
            key = self.scalar(key_node, steps, self.place(key_node))
            name = key_text(key)
            if name in seen and not cut:
                self.report(
                    key_node,
                    (*steps, name),
                    f"键“{name}”重复（第 {seen[name]} 行已有）",
                    f"The key “{name}” stands twice (first in line {seen[name]})",
                )
            seen.setdefault(name, key.line)
            entries.append((key, self.part(value_node, (*steps, name))))
        return Mapping(tuple(entries), *place)

    @staticmethod
    def place(node: Node) -> tuple[int, int, int]:
        return node.start_mark.line + 1, node.start_mark.index, node.end_mark.index

    def find_cut_expression(self, node: Node, values: list[Node], steps: PathSteps) -> bool:
        """Whether a comma inside ``{…}`` or ``[…]`` cut an unquoted expression in two, which is then reported."""
        if not node.flow_style:
            return False
        cut = next(_cut(values), None)
        if cut is None:
            return False
        self.report(
            cut,
            steps,
            f"花括号或方括号里的逗号把表达式在“{cut.value}”之后截断了：请给整个表达式加上双引号",
            f"A comma inside the brackets cut an expression in two after “{cut.value}”: quote the whole expression",
        )
        return True


def _cut(values: list[Node]) -> Iterator[ScalarNode]:
    for value in values:
        if isinstance(value, ScalarNode) and not value.style and value.value.count("(") > value.value.count(")"):
            yield value
