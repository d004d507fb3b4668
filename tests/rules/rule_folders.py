"""Rules folders for tests: written to disk, and the problems that checking finds in a single rule."""

from __future__ import annotations

from pathlib import Path

import app.domains.all  # noqa: F401 - declares the entities that rules speak of
from app.rules.library import read_rules
from app.rules.problems import Problem

INDEX = """\
index: strength
subject: organization
period: quarter
metrics:
  meetings: {count: meeting, where: {status: held}, window: period}
  expected: {sum: meeting, of: expected, window: period}
  attended: {sum: meeting, of: attended, window: period}
tree:
  - {code: held, weight: 60, value: meetings, score: {target: 3}}
  - {code: turnout, weight: 40, value: attended / expected, score: {bands: [[0, 0], [0.8, 80], [0.95, 100]]}}
lights: {red: "< 60", yellow: "< 80", green: ">= 80"}
"""
"""A small index without a fault."""

WARNING = """\
warning: expiry
subject: organization
applies_to: {status: active}
value: days_until(term_ends_on)
levels: {yellow: "<= 180", orange: "<= 60", red: "< 0"}
"""
"""A small warning without a fault."""

MEMBER_INDEX = """\
index: vanguard
subject: member
period: quarter
metrics: {hours: {sum: study_record, of: hours, window: period}}
tree: [{code: study, value: hours, score: {target: 8}}]
lights: {red: "< 60", green: ">= 60"}
"""


def write_rules(folder: Path, files: dict[str, str]) -> Path:
    """Write files by their path in the rules folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def replaced(text: str, old: str, new: str) -> str:
    """The text with one passage changed, which has to be there once."""
    assert text.count(old) == 1, f"“{old}” stands {text.count(old)} times"
    return text.replace(old, new)


def problems_of(text: str, *others: str) -> list[Problem]:
    """What is wrong with one rule, beside others that it may read from."""
    contents: dict[str, bytes] = {}
    for each in (text, *others):
        kind, _, code = each.partition("\n")[0].partition(": ")
        folder = "warnings" if kind == "warning" else "indices"
        contents[f"{folder}/{code.strip() or 'broken'}.yaml"] = each.encode()
    return read_rules(contents).problems
