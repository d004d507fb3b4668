"""What can be done to the text of a rule. Each function takes a text and gives the new one.

Every change is checked before it is given back: the new text, read again, has to say exactly what the same change makes
of the plain data. Where a part is written in a way that cannot be changed in place (an alias, say), the part around it
is written anew, so that the result is right in any case and only the layout of that part is lost.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ruamel.yaml.error import YAMLError

from app.entity.labels import UserError
from app.rules.problems import PathSteps, path_text
from app.rules.source import plain, read_with_nodes

from . import placing
from .structure import Element, structure_of

Data = Any
"""Plain values: dict with text keys, list, str, int, float, bool, date, None."""


@dataclass(frozen=True)
class Document:
    """A text that was read: what it says, and where."""

    text: str
    structure: Element
    data: Data

    def at(self, steps: PathSteps) -> Data:
        """The value at a path. Raises UserError where there is none."""
        found = self.data
        for step in steps:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                raise _no_such_place(steps) from None
        return found


def read_document(text: str) -> Document:
    """Read a text for editing. What it gives is shared: copy ``data`` before changing it.

    Raises UserError that names each fault with its line if the text is not YAML as rules are written in.
    """
    return _read(text)


@lru_cache(maxsize=64)
def _read(text: str) -> Document:
    part, root, problems = read_with_nodes(text, "")
    if part is None or root is None:
        raise UserError(
            "\n".join(f"第 {problem.line} 行：{problem.label.zh}" for problem in problems),
            "\n".join(f"line {problem.line}: {problem.label.en}" for problem in problems),
        )
    return Document(text, structure_of(text, root), plain(part))


def set_value(text: str, steps: PathSteps, value: Data) -> str:
    """Another value at a path; of collections only what differs is touched. A key that is not there yet is added at the
    end of its mapping. Raises UserError for a path that leads nowhere."""
    document = read_document(text)
    if steps and isinstance(steps[-1], str):
        parent = document.at(steps[:-1])
        if isinstance(parent, dict) and steps[-1] not in parent:
            return insert_key(text, steps[:-1], steps[-1], value)
    return _aligned(document, steps, document.at(steps), value).text


def rewritten(text: str, data: Data) -> str:
    """The text changed so that it says ``data``, in as few places as possible. Items of lists are recognized by their
    ``code``; the order of keys stays as it is in the text."""
    return set_value(text, (), data)


def insert(text: str, steps: PathSteps, position: int, value: Data) -> str:
    """One more item in the list at a path, before the item at ``position``, or at the end."""
    return _inserted(read_document(text), steps, position, value).text


def insert_key(text: str, steps: PathSteps, name: str, value: Data, *, before: str | None = None) -> str:
    """One more entry in the mapping at a path, before the key ``before``, or at the end."""
    return _inserted_key(read_document(text), steps, name, value, before).text


def remove(text: str, steps: PathSteps) -> str:
    """Take out the item or entry at a path, with its comments."""
    return _removed(read_document(text), steps).text


def rename_key(text: str, steps: PathSteps, name: str) -> str:
    """Another key for the entry at a path, which stays where it is. Raises UserError if the key is taken."""
    document = read_document(text)
    document.at(steps)
    expected = copy.deepcopy(document.data)
    parent = _at(expected, steps[:-1])
    if not steps or not isinstance(parent, dict):
        raise _no_such_place(steps)
    if name == steps[-1]:
        return text
    if name in parent:
        raise UserError(f"“{name}”已经有了", f"There is a “{name}” already")
    entries = [(name if key == steps[-1] else key, value) for key, value in parent.items()]
    parent.clear()
    parent.update(entries)
    return _checked(document, placing.renamed, expected, steps[:-1], steps, name).text


def move(text: str, steps: PathSteps, parent: PathSteps, position: int) -> str:
    """Take the item at a path out of its list and put it into the list at ``parent``. Both paths are read before the
    move, ``position`` after the item has been taken out. Comments and layout go with it.

    Raises UserError if the item would go into itself, or either is no list.
    """
    return _moved(read_document(text), steps, parent, position).text


def set_enabled(text: str, steps: PathSteps, enabled: bool) -> str:
    """Switch a node of the tree off (``enabled: false``) or on again."""
    node = read_document(text).at(steps)
    if not isinstance(node, dict):
        raise _no_such_place(steps)
    if enabled:
        return remove(text, (*steps, "enabled")) if "enabled" in node else text
    if "enabled" in node:
        return set_value(text, (*steps, "enabled"), False)
    return insert_key(text, steps, "enabled", False, before="children" if "children" in node else None)


# One step each -------------------------------------------------------------------------------------------------------


def _inserted(document: Document, steps: PathSteps, position: int, value: Data, raw: str = "") -> Document:
    items = document.at(steps)
    if not isinstance(items, list):
        raise _no_such_place(steps)
    position = max(0, min(position, len(items)))
    expected = copy.deepcopy(document.data)
    _at(expected, steps).insert(position, copy.deepcopy(value))
    return _checked(document, placing.with_item, expected, steps, steps, position, value, raw)


def _inserted_key(document: Document, steps: PathSteps, name: str, value: Data, before: str | None) -> Document:
    mapping = document.at(steps)
    if not isinstance(mapping, dict):
        raise _no_such_place(steps)
    if name in mapping:
        raise UserError(f"“{name}”已经有了", f"There is a “{name}” already")
    names = list(mapping)
    position = names.index(before) if before in mapping else len(names)
    expected = copy.deepcopy(document.data)
    entries = list(_at(expected, steps).items())
    entries.insert(position, (name, copy.deepcopy(value)))
    found = _at(expected, steps)
    found.clear()
    found.update(entries)
    return _checked(document, placing.with_entry, expected, steps, steps, position, name, value)


def _removed(document: Document, steps: PathSteps) -> Document:
    document.at(steps)
    if not steps:
        raise _no_such_place(steps)
    expected = copy.deepcopy(document.data)
    del _at(expected, steps[:-1])[steps[-1]]
    return _checked(document, placing.without, expected, steps[:-1], steps)


def _replaced(document: Document, steps: PathSteps, value: Data) -> Document:
    expected = copy.deepcopy(document.data)
    if steps:
        _at(expected, steps[:-1])[steps[-1]] = copy.deepcopy(value)
    else:
        expected = copy.deepcopy(value)
    return _checked(document, placing.replaced, expected, steps, steps, value)


def _moved(document: Document, steps: PathSteps, parent: PathSteps, position: int) -> Document:
    value = document.at(steps)
    if not steps or not isinstance(document.at(steps[:-1]), list) or not isinstance(document.at(parent), list):
        raise _no_such_place(steps)
    if parent[: len(steps)] == steps:
        raise UserError("不能移到它自己里面", "A part cannot be moved into itself")
    way = document.structure.at(steps)
    chunk = placing.chunk_of(document.text, way[-2], int(steps[-1])) if way else None
    raw = document.text[way[-1].start : way[-1].end] if way and way[-1].flow else ""
    taken = _removed(document, steps)
    parent = _after_removal(parent, steps)
    position = max(0, min(position, len(taken.at(parent))))
    if chunk is not None:
        expected = copy.deepcopy(taken.data)
        _at(expected, parent).insert(position, copy.deepcopy(value))
        moved = _tried(placing.with_chunk, taken, expected, parent, position, *chunk)
        if moved is not None:
            return moved
    return _inserted(taken, parent, position, value, "" if "\n" in raw else raw)


def _after_removal(path: PathSteps, removed: PathSteps) -> PathSteps:
    """Where a path leads once an item before it has been taken out of a list."""
    depth = len(removed) - 1
    if len(path) > depth and path[:depth] == removed[:depth]:
        step, gone = path[depth], removed[depth]
        if isinstance(step, int) and isinstance(gone, int) and step > gone:
            return (*path[:depth], step - 1, *path[depth + 1 :])
    return path


def _checked(
    document: Document, change: Callable[..., str | None], expected: Data, around: PathSteps, *arguments: Any
) -> Document:
    """The document after a change that has to make ``expected`` of it; ``around``: the smallest part to write anew
    where the change cannot be made in place."""
    changed = _tried(change, document, expected, *arguments)
    steps = around
    while changed is None:
        changed = _tried(placing.replaced, document, expected, steps, _at(expected, steps))
        if changed is None and not steps:
            raise UserError(
                f"“{path_text(around)}”不能这样改写，请直接编辑文本",
                f"“{path_text(around)}” cannot be rewritten so; please edit the text itself",
            )
        steps = steps[:-1]
    return changed


def _tried(change: Callable[..., str | None], document: Document, expected: Data, *arguments: Any) -> Document | None:
    text = change(document.text, document.structure, *arguments)
    if text is None:
        return None
    try:
        changed = _read(text)
    except (UserError, YAMLError):
        return None
    return changed if same(changed.data, expected) else None


# Whole values --------------------------------------------------------------------------------------------------------


def _aligned(document: Document, steps: PathSteps, old: Data, new: Data) -> Document:
    """The document with ``new`` in place of ``old``, touching only what differs."""
    if same(old, new):
        return document
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() & new.keys():
        return _aligned_mapping(document, steps, old, new)
    if isinstance(old, list) and isinstance(new, list) and old and new:
        old_codes, new_codes = _codes(old), _codes(new)
        if old_codes and new_codes:
            return _aligned_nodes(document, steps, old_codes, dict(zip(new_codes, new, strict=True)))
        if len(old) == len(new):
            for place, (before, after) in enumerate(zip(old, new, strict=True)):
                document = _aligned(document, (*steps, place), before, after)
            return document
        return _aligned_items(document, steps, old, new)
    return _replaced(document, steps, new)


def _aligned_mapping(document: Document, steps: PathSteps, old: dict, new: dict) -> Document:
    for name in [name for name in old if name not in new]:
        document = _removed(document, (*steps, name))
    names = list(new)
    for place, name in enumerate(names):
        if name in old:
            document = _aligned(document, (*steps, name), old[name], new[name])
        else:
            before = next((later for later in names[place + 1 :] if later in old), None)
            document = _inserted_key(document, steps, name, new[name], before)
    return document


def _aligned_nodes(document: Document, steps: PathSteps, codes: list[str], new: dict[str, Data]) -> Document:
    """A list whose items have codes: items that are gone are taken out, those in another place moved, each behind the
    one that it follows now."""
    if not any(code in new for code in codes):
        return _replaced(document, steps, list(new.values()))
    for code in [code for code in codes if code not in new]:
        document = _removed(document, (*steps, codes.index(code)))
        codes = [each for each in codes if each != code]
    staying = _longest_in_order(codes, list(new))
    before: str | None = None
    for code, value in new.items():
        if code not in staying:
            others = [each for each in codes if each != code]
            place = others.index(before) + 1 if before is not None else 0
            if code in codes:
                document = _moved(document, (*steps, codes.index(code)), steps, place)
            else:
                document = _inserted(document, steps, place, value)
            codes = [*others[:place], code, *others[place:]]
        before = code
    for place, value in enumerate(new.values()):
        document = _aligned(document, (*steps, place), document.at((*steps, place)), value)
    return document


def _aligned_items(document: Document, steps: PathSteps, old: list, new: list) -> Document:
    """A list of values without codes: what begins and ends alike stays."""
    shorter = min(len(old), len(new))
    head = next((place for place in range(shorter) if not same(old[place], new[place])), shorter)
    rest = shorter - head
    tail = next((place for place in range(rest) if not same(old[-1 - place], new[-1 - place])), rest)
    middle = min(len(old), len(new)) - head - tail
    for place in range(head, head + middle):
        document = _aligned(document, (*steps, place), old[place], new[place])
    for _ in range(len(old) - tail - head - middle):
        document = _removed(document, (*steps, head + middle))
    for place in range(head + middle, len(new) - tail):
        document = _inserted(document, steps, place, new[place])
    return document


def _codes(items: list) -> list[str] | None:
    """The codes of a list's items if each has one of its own."""
    codes = [item.get("code") if isinstance(item, dict) else None for item in items]
    return codes if all(isinstance(code, str) for code in codes) and len(set(codes)) == len(codes) else None


def _longest_in_order(codes: list[str], order: list[str]) -> set[str]:
    """The most codes that can stay where they are: a longest rising subsequence."""
    places = [order.index(code) for code in codes]
    best: list[list[int]] = []
    for place in places:
        behind = max((way for way in best if way[-1] < place), key=len, default=[])
        best.append([*behind, place])
    return {order[place] for place in max(best, key=len, default=[])}


def same(one: Data, other: Data) -> bool:
    """Whether two values are written alike: 1, 1.0 and true differ, the order of keys does not matter."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
    return type(one) is type(other) and one == other


def _at(data: Data, steps: PathSteps) -> Data:
    for step in steps:
        data = data[step]
    return data


def _no_such_place(steps: PathSteps) -> UserError:
    where = path_text(steps) or "/"
    return UserError(f"规则里没有“{where}”这个位置", f"The rule has no place “{where}”")
