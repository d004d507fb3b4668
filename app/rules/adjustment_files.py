"""The files of adjustments: read one by one, and checked together against the rules in force."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from app.entity.labels import Label

from .adjustments import LocalAdjustment, misfits
from .model import Index, Rule
from .parsing import content_version, read_file
from .problems import Problem, faults
from .reading import Place, Report
from .source import Part

FOLDER = "adjustments"
MAXIMUM_CODE = 60
_CODE = re.compile(rf"\w[\w-]{{0,{MAXIMUM_CODE - 1}}}")
_CHANGES = ("weights", "targets", "parameters", "lights")
_KEYS = ("adjustment", "base", "under", "label", *_CHANGES, "effective_from", "basis")


@dataclass(frozen=True)
class ParsedAdjustment:
    """What became of a file. ``attempt`` is None if it is not even YAML."""

    attempt: LocalAdjustment | None
    problems: list[Problem] = field(default_factory=list)
    root: Part | None = None

    @property
    def adjustment(self) -> LocalAdjustment | None:
        return None if faults(self.problems) else self.attempt


def parse_adjustment(content: bytes, file: str) -> ParsedAdjustment:
    """Read one file; whether it fits its index is asked by ``misfits``."""
    root, problems = read_file(content, file)
    if root is None:
        return ParsedAdjustment(None, problems)
    report = Report(file, root)
    place = Place(root, (), report)
    keys = place.fields(_KEYS, ("adjustment", "base", "under"))
    code = PurePosixPath(file).stem
    written = keys["adjustment"].text() if "adjustment" in keys else code
    if written and not _CODE.fullmatch(written):
        keys["adjustment"].fault(
            f"代码“{written}”只能用字母、数字、_ 和 -，最多 {MAXIMUM_CODE} 个字符",
            f"the code “{written}” may hold letters, digits, _ and - only, {MAXIMUM_CODE} at most",
        )
    elif written and written != code:
        keys["adjustment"].fault(
            f"代码“{written}”要和文件名“{code}”一致", f"the code “{written}” has to be the file's name, “{code}”"
        )
    attempt = LocalAdjustment(
        code=code,
        label=keys["label"].label() if "label" in keys else Label.of(code),
        subject="",
        file=file,
        version=content_version(content),
        source_text=content.decode("utf-8-sig"),
        effective_from=keys["effective_from"].day() if "effective_from" in keys else None,
        basis=keys["basis"].label() if "basis" in keys else None,
        base=keys["base"].text() if "base" in keys else "",
        under=keys["under"].text() if "under" in keys else "",
        weights=_numbers(keys, "weights", least=0.0),
        targets=_numbers(keys, "targets"),
        numbers=_numbers(keys, "parameters"),
        edges=_numbers(keys, "lights"),
    )
    return ParsedAdjustment(attempt, report.problems, root)


def _numbers(keys: Mapping[str, Place], key: str, least: float | None = None) -> dict[str, float]:
    if key not in keys:
        return {}
    return {name: entry.number(least) for name, entry in keys[key].entries("{code: 1}").items()}


@dataclass(frozen=True)
class Adjustments:
    """What became of a folder's adjustments."""

    all: dict[str, LocalAdjustment] = field(default_factory=dict)
    """By code, as far as their files could be read."""
    problems: list[Problem] = field(default_factory=list)
    """Why some do not fit; those are out of force, and the base rule applies."""

    @cached_property
    def fitting(self) -> dict[str, LocalAdjustment]:
        wrong = {PurePosixPath(problem.file).stem for problem in faults(self.problems)}
        return {code: each for code, each in self.all.items() if code not in wrong}

    def problems_of(self, code: str) -> list[Problem]:
        return [problem for problem in self.problems if PurePosixPath(problem.file).stem == code]


def read_adjustments(contents: Mapping[str, bytes], rules: Mapping[str, Rule]) -> Adjustments:
    """Read and check all adjustments against the rules in force."""
    found: dict[str, LocalAdjustment] = {}
    problems: list[Problem] = []
    places: dict[tuple[str, str], LocalAdjustment] = {}
    for file, content in contents.items():
        parsed = parse_adjustment(content, file)
        problems += parsed.problems
        if parsed.attempt is None:
            continue
        each = found[parsed.attempt.code] = parsed.attempt
        if parsed.adjustment is None:
            continue
        base = rules.get(each.base)
        problems += misfits(each, base if isinstance(base, Index) else None, parsed.root)
        first = places.setdefault((each.base, each.under), each)
        if each.code in rules:
            problems.append(Problem(file, 1, "adjustment", Label("有规则用了这个代码", "a rule has this code")))
        if first is not each:
            label = Label(f"{first.file} 已调整同一处", f"{first.file} adjusts the same already")
            problems.append(Problem(file, 1, "under", label))
    return Adjustments(found, sorted(problems, key=lambda problem: problem.order))
