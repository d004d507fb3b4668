"""The parts of a rule document as plain values, and what becomes of the document when a form is saved.

A form knows a part of a document (``read``) and what that part becomes (``write``). Both sides of a comparison have
gone through ``write``, so a form that was opened and saved unchanged changes nothing, however its part is laid out in
the file. ``app.rules.editing`` then makes the text follow, in as few places as possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from app.rules.problems import Step


class _Absent:
    """Stands for a key that is not written."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False

    def __deepcopy__(self, memo: Any) -> _Absent:
        return self


ABSENT: Any = _Absent()


def without_absent(value: Any) -> Any:
    """A value without the keys that are not written, all the way down; ABSENT if nothing is left of a mapping."""
    if isinstance(value, dict):
        kept = {key: cleaned for key, each in value.items() if (cleaned := without_absent(each)) is not ABSENT}
        return kept if kept or not value else ABSENT
    if isinstance(value, list | tuple):
        return [cleaned for each in value if (cleaned := without_absent(each)) is not ABSENT]
    return value


def same(one: Any, other: Any) -> bool:
    """Equal, with true and 1 told apart."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def part_at(document: Any, path: Sequence[Step]) -> Any:
    """The part at a path; ABSENT where there is none."""
    for step in path:
        known_key = isinstance(document, dict) and step in document
        if known_key or (isinstance(document, list) and isinstance(step, int) and 0 <= step < len(document)):
            document = document[step]
        else:
            return ABSENT
    return document


def with_keys(part: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """A mapping with the keys changed that differ between what a form wrote ``before`` and writes ``after``. Keys that
    it does not write stay as they are; a value that was something else than a new one stands in the old key's place."""
    before, after = without_absent(before) or {}, without_absent(after) or {}
    changed = {key: value for key, value in after.items() if key not in before or not same(before[key], value)}
    gone = {key for key in before if key not in after}
    return {key: value for key, value in part.items() if key not in gone} | deepcopy(changed)


def with_part(document: Any, path: Sequence[Step], value: Any) -> Any:
    """A document with another part at a path, which is made where it is not there yet; ABSENT takes it out."""
    if not path:
        return deepcopy(value)
    changed = deepcopy(document)
    parent = changed
    for step in path[:-1]:
        found = part_at(parent, (step,))
        if found is ABSENT or found is None:
            found = parent[step] = {}
        parent = found
    if value is ABSENT:
        if part_at(parent, path[-1:]) is not ABSENT:
            del parent[path[-1]]
    else:
        parent[path[-1]] = deepcopy(value)
    return changed
