"""Reading the parts of a rule file: a place in it, and what is expected to stand there.

Every method says what is wrong and returns something harmless, so that one pass finds all faults of a file; whatever
was made of a file with faults is thrown away.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from app.entity.filters import ANCHORS, PERIOD_ANCHORS, All, Filter, FilterError, parse_filter
from app.entity.filters.columns import Source
from app.entity.labels import Label
from app.entity.registry import Registry

from .expression_parser import ExpressionError, Threshold, is_name, parse_expression, parse_light
from .expressions import Expression, Literal, Negation
from .problems import PathSteps, Problem, Step, path_text
from .source import Mapping, Part, Scalar, Sequence, key_text, line_of, plain

Choice = TypeVar("Choice", bound=StrEnum)

NOTHING = All(())
"""Stands in for a filter that could not be read."""
_CODE = re.compile(r"\w[\w-]{0,39}")


@dataclass
class Report:
    """The problems of one file."""

    file: str
    root: Part
    problems: list[Problem] = field(default_factory=list)

    def add(self, steps: PathSteps, label: Label, *, is_hint: bool = False) -> None:
        problem = Problem(self.file, line_of(self.root, steps), path_text(steps), label, is_hint)
        if problem not in self.problems:
            self.problems.append(problem)


def listed(words: Iterable[object]) -> str:
    return ", ".join(str(word) for word in words) or "—"


def meant(word: str, allowed: Iterable[str]) -> Label:
    """“Did you mean …?” where something close is allowed, else nothing."""
    close = difflib.get_close_matches(word, list(allowed), 1)
    return Label(f"，是否是“{close[0]}”？", f"; did you mean “{close[0]}”?") if close else Label("", "")


@dataclass(frozen=True)
class Place:
    """A part of a file and the way to it."""

    part: Part
    steps: PathSteps
    report: Report

    @property
    def line(self) -> int:
        return line_of(self.report.root, self.steps)

    def fault(self, zh: str, en: str, *further: Step) -> None:
        """Say what is wrong here, or at ``further`` steps below."""
        self.report.add((*self.steps, *further), Label(zh, en))

    def expected(self, zh: str, en: str) -> None:
        self.fault(f"应为{zh}，而不是{_kind(self.part).zh}", f"expected {en}, not {_kind(self.part).en}")

    @property
    def is_text(self) -> bool:
        return isinstance(self.part, Scalar) and isinstance(self.part.value, str)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.part, Mapping)

    # Parts of parts

    def fields(self, allowed: Collection[str], required: Collection[str] = ()) -> dict[str, Place]:
        """The values of a mapping by key; other keys than those allowed are faults, and so are missing ones."""
        places = self.entries(f"{{{listed(allowed)}}}")
        for key in [key for key in places if key not in allowed]:
            hint = meant(key, allowed)
            self.fault(
                f"没有键“{key}”{hint.zh or '；'}可用：{listed(allowed)}",
                f"unknown key “{key}”{hint.en or ';'} allowed: {listed(allowed)}",
                key,
            )
            del places[key]
        for key in required:
            if self.is_mapping and key not in places:
                self.fault(f"缺少“{key}”", f"“{key}” is missing")
        return places

    def entries(self, form: str) -> dict[str, Place]:
        """The values of a mapping whose keys are free."""
        if not isinstance(self.part, Mapping):
            self.expected(f"键和值 {form}", f"keys and values {form}")
            return {}
        return {
            key_text(key): Place(value, (*self.steps, key_text(key)), self.report) for key, value in self.part.entries
        }

    def items(self) -> list[Place]:
        """The items of a list."""
        if not isinstance(self.part, Sequence):
            self.expected("列表 […]", "a list […]")
            return []
        return [Place(item, (*self.steps, number), self.report) for number, item in enumerate(self.part.items)]

    def one_or_several(self) -> list[Place]:
        """The items of a list; something else is the only item."""
        return self.items() if isinstance(self.part, Sequence) else [self]

    def pair(self) -> tuple[Place, Place] | None:
        items = self.items()
        if isinstance(self.part, Sequence) and len(items) != 2:
            self.fault(f"应为两个值 [a, b]，这里有 {len(items)} 个", f"expected two values [a, b], found {len(items)}")
        return (items[0], items[1]) if len(items) == 2 else None

    # Single values

    def text(self) -> str:
        if isinstance(self.part, Scalar) and isinstance(self.part.value, str) and self.part.value.strip():
            return self.part.value.strip()
        if isinstance(self.part, Scalar) and self.part.value not in (None, ""):
            self.fault(
                f"{self.part.text} 要写成文字，请加引号：'{self.part.text}'",
                f"{self.part.text} has to be text; put it in quotes: '{self.part.text}'",
            )
        else:
            self.expected("文字", "text")
        return ""

    def code(self) -> str:
        """A code: letters, digits, ``_`` and ``-``, at most 40 characters."""
        text = self.text()
        if text and not _CODE.fullmatch(text):
            self.fault(
                f"代码“{text}”只能用字母、数字、_ 和 -，最多 40 个字符",
                f"the code “{text}” may hold letters, digits, _ and - only, 40 at most",
            )
        return text

    def number(self, least: float | None = None, most: float | None = None) -> float:
        value = self.part.value if isinstance(self.part, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.expected("数", "a number")
            return 0.0
        if (least is not None and value < least) or (most is not None and value > most):
            bounds = f"{'…' if least is None else f'{least:g}'}–{'…' if most is None else f'{most:g}'}"
            self.fault(f"{value:g} 超出了范围 {bounds}", f"{value:g} is outside {bounds}")
        return float(value)

    def integer(self, least: int | None = None, most: int | None = None) -> int:
        value = self.number(least, most)
        if value != int(value):
            self.fault(f"{value:g} 不是整数", f"{value:g} is not a whole number")
        return int(value)

    def truth(self) -> bool:
        if isinstance(self.part, Scalar) and isinstance(self.part.value, bool):
            return self.part.value
        self.expected("true 或 false", "true or false")
        return False

    def day(self) -> date | None:
        value = self.part.value if isinstance(self.part, Scalar) else None
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        if isinstance(value, str):
            try:
                return date.fromisoformat(value.strip())
            except ValueError:
                pass
        self.expected("日期，如 2026-01-01", "a date such as 2026-01-01")
        return None

    def choice(self, among: type[Choice]) -> Choice:
        text = self.text()
        if text in set(among):
            return among(text)
        if text:
            self.unknown_word(text, [member.value for member in among])
        return next(iter(among))

    def word(self, among: Collection[str]) -> str:
        text = self.text()
        if text and text not in among:
            self.unknown_word(text, among)
        return text

    def unknown_word(self, word: str, allowed: Collection[str]) -> None:
        hint = meant(word, allowed)
        self.fault(
            f"没有“{word}”{hint.zh or '；'}可用：{listed(allowed)}",
            f"there is no “{word}”{hint.en or ';'} allowed: {listed(allowed)}",
        )

    def label(self) -> Label:
        """A string, or ``{zh: …, en: …}``."""
        if not self.is_mapping:
            return Label.of(self.text())
        places = self.fields(("zh", "en"))
        if self.part.entries == ():
            self.fault("缺少“zh”", "“zh” is missing")
        return Label.of({language: place.text() for language, place in places.items()})

    def name(self) -> None:
        """Report a key that cannot name a metric or parameter."""
        key = str(self.steps[-1])
        if not is_name(key):
            self.fault(
                f"“{key}”不能作名称：只用字母、数字和 _，不以数字开头，也不是 and、or、not、true、false、if",
                f"“{key}” cannot be a name: letters, digits and _ only, no digit first, "
                "and none of and, or, not, true, false, if",
            )

    # Expressions and filters

    def expression(self) -> Expression:
        parsed = self._expression(parse_expression)
        return Literal(0.0) if isinstance(parsed, Threshold) else parsed

    def light(self) -> Threshold | Expression:
        """Text that begins with an operator, or a condition."""
        if isinstance(self.part, Scalar) and isinstance(self.part.value, int | float | date | None):
            if not isinstance(self.part.value, bool):
                self.expected('条件，如 "< 60"', 'a condition such as "< 60"')
            return Literal(True)
        return self._expression(parse_light)

    def _expression(self, parse: Callable[[str], Threshold | Expression]) -> Threshold | Expression:
        value = self.part.value if isinstance(self.part, Scalar) else None
        if isinstance(value, bool):
            return Literal(value)
        if isinstance(value, int | float):
            return Literal(float(value)) if value >= 0 else Negation(Literal(-float(value)))
        if isinstance(value, date):
            self.fault(
                f"表达式里的日期写作 date({value.year}, {value.month}, {value.day})",
                f"in an expression a date is written date({value.year}, {value.month}, {value.day})",
            )
        elif isinstance(value, str):
            try:
                return parse(value)
            except ExpressionError as error:
                self.fault(
                    f"表达式“{value.strip()}”{error.label.zh}", f"expression “{value.strip()}”: {error.label.en}"
                )
        else:
            self.expected("表达式", "an expression")
        return Literal(0.0)

    def filter(self, source: Source | None, entities: Registry, has_period: bool) -> Filter:
        """A filter over ``source``; None, when what it would speak of is itself unknown and has been reported."""
        if source is None:
            return NOTHING
        anchors = [anchor for anchor in ANCHORS if has_period or anchor not in PERIOD_ANCHORS]
        try:
            return parse_filter(plain(self.part), source, entities=entities, anchors=anchors)
        except FilterError as error:
            steps = tuple(int(step) if step.isdigit() else step for step in error.path)
            self.fault(error.problem.zh, error.problem.en, *steps)
            return NOTHING


def _kind(part: Part) -> Label:
    match part:
        case Mapping():
            return Label("键和值", "keys and values")
        case Sequence():
            return Label("列表", "a list")
        case Scalar(value=None):
            return Label("空", "nothing")
        case Scalar(value=str(), text=text):
            return Label(f"文字“{text}”", f"the text “{text}”")
        case Scalar(text=text):
            return Label(f" {text}", text)
