"""Any sequence of edits gives a text that says what the same edits make of the plain data, and leaves alone every line
that the edit does not concern."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.editing import insert, insert_key, move, read_document, remove, rename_key, rewritten, set_value
from app.rules.editing.operations import same
from app.rules.editing.structure import Element

TEXTS = [
    "党课",
    "a",
    "< 60",
    "> 60",
    "a: b",
    "x # y",
    "null",
    "01",
    "2026-01-01",
    "it's",
    'say "so"',
    "value / t",
    "",
    " ",
]
SCALARS = st.one_of(
    st.sampled_from(TEXTS),
    st.integers(-5, 200),
    st.booleans(),
    st.none(),
    st.sampled_from([0.5, 60.0, 1e-7]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
WRITTEN_SCALARS = ["5", "plain text", '"quoted"', "'so'", "0.5", "true", "2026-01-01"]
WRITTEN_FLOWS = ["{code: a, weight: 5}", "[1, 2,]", "{}", "[]", "[[0, 后进], [60, x]]", "{x: , y: {z: [q]}}"]
NAMES = st.sampled_from(["code", "label", "weight", "children", "tree", "where", "null", "kind.x", "党", "2"])
VALUES = st.recursive(
    SCALARS, lambda parts: st.lists(parts, max_size=3) | st.dictionaries(NAMES, parts, max_size=3), max_leaves=8
)


@st.composite
def layouts(draw: st.DrawFn, depth: int = 0) -> list[str]:
    """A collection as lines, in one of the ways people write: blocks, brackets over one line or several, comments."""
    lines: list[str] = []
    mapping = draw(st.booleans()) if depth else True
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    for name in names:
        if draw(st.integers(0, 3)) == 0:
            lines.append(draw(st.sampled_from(["# 说明", "", "  # inside", "#"])))
        head = f"{name}:" if mapping else "-"
        deeper = "block" if depth < 3 else "scalar"
        kind = draw(st.sampled_from(["scalar", "scalar", "flow", "lines", deeper, "empty", "literal"]))
        note = draw(st.sampled_from(["", "", "  # why"]))
        if kind == "scalar":
            lines.append(f"{head} {draw(st.sampled_from(WRITTEN_SCALARS))}{note}")
        elif kind == "flow":
            lines.append(f"{head} {draw(st.sampled_from(WRITTEN_FLOWS))}{note}")
        elif kind == "lines":
            lines += [f"{head} {{code: a,{note}", "    weight: [1,", "      2]  # two", "  }"]
        elif kind == "empty":
            lines.append(f"{head}{note}")
        elif kind == "literal":
            lines += [f"{head} |", "    first", "      second"]
        else:
            inner = draw(layouts(depth=depth + 1))
            if not mapping and draw(st.booleans()) and inner[0] and not inner[0].lstrip().startswith("#"):
                lines += [f"{head} {inner[0]}", *(f"  {line}" for line in inner[1:])]
            else:
                lines += [f"{head}{note}", *(f"  {line}" for line in inner)]
    return lines


@st.composite
def texts(draw: st.DrawFn) -> str:
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return newline.join(draw(layouts())) + draw(st.sampled_from([newline, ""]))


def places(data: Any, steps: tuple = ()) -> list[tuple]:
    """Every path in the data."""
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [steps, *(place for step, part in parts for place in places(part, (*steps, step)))]


def at(data: Any, steps: tuple) -> Any:
    for step in steps:
        data = data[step]
    return data


def touched(text: str, steps: tuple) -> tuple[int, int]:
    """The lines of the part a path leads to, or of the brackets around it."""
    way = read_document(text).structure.at(steps)
    assert way is not None
    part: Element = next((each for each in way if each.flow), way[-1])
    return text.count("\n", 0, part.start), text.count("\n", 0, part.end)


@settings(max_examples=150)
@given(texts(), st.data())
def test_any_edits_give_what_they_make_of_the_data(text: str, data: st.DataObject) -> None:
    expected = copy.deepcopy(read_document(text).data)
    for _ in range(data.draw(st.integers(1, 5))):
        lists = [place for place in places(expected) if isinstance(at(expected, place), list)]
        mappings = [place for place in places(expected) if isinstance(at(expected, place), dict)]
        inner = [place for place in places(expected) if place]
        kind = data.draw(st.sampled_from(["set", "insert", "key", "remove", "move", "rename"]))
        if kind == "set" and inner:
            place, value = data.draw(st.sampled_from(inner)), data.draw(VALUES)
            text = set_value(text, place, value)
            at(expected, place[:-1])[place[-1]] = copy.deepcopy(value)
        elif kind == "insert" and lists:
            place, value = data.draw(st.sampled_from(lists)), data.draw(VALUES)
            position = data.draw(st.integers(0, len(at(expected, place))))
            text = insert(text, place, position, value)
            at(expected, place).insert(position, copy.deepcopy(value))
        elif kind == "key" and mappings:
            place, value, name = data.draw(st.sampled_from(mappings)), data.draw(VALUES), data.draw(NAMES)
            if name not in at(expected, place):
                before = data.draw(st.sampled_from([None, *at(expected, place)]))
                text = insert_key(text, place, name, value, before=before)
                at(expected, place)[name] = copy.deepcopy(value)
        elif kind == "remove" and inner:
            place = data.draw(st.sampled_from(inner))
            text = remove(text, place)
            del at(expected, place[:-1])[place[-1]]
        elif kind == "rename" and [place for place in inner if isinstance(place[-1], str)]:
            place = data.draw(st.sampled_from([place for place in inner if isinstance(place[-1], str)]))
            name = data.draw(NAMES)
            if name not in at(expected, place[:-1]):
                text = rename_key(text, place, name)
                at(expected, place[:-1])[name] = at(expected, place[:-1]).pop(place[-1])
        elif kind == "move" and [place for place in inner if isinstance(place[-1], int)]:
            place = data.draw(st.sampled_from([place for place in inner if isinstance(place[-1], int)]))
            position = data.draw(st.integers(0, len(at(expected, place[:-1])) - 1))
            text = move(text, place, place[:-1], position)
            items = at(expected, place[:-1])
            items.insert(position, items.pop(place[-1]))
        assert same(read_document(text).data, expected), text


@settings(max_examples=150)
@given(texts(), st.data())
def test_lines_that_an_edit_does_not_concern_stay(text: str, data: st.DataObject) -> None:
    document = read_document(text)
    leaves = [place for place in places(document.data) if place and not isinstance(document.at(place), dict | list)]
    if not leaves:
        return
    place = data.draw(st.sampled_from(leaves))
    first, last = touched(text, place)
    lines = text.split("\n")
    changed = set_value(text, place, data.draw(SCALARS))
    after = changed.split("\n")
    assert after[:first] == lines[:first]
    assert after[len(after) - len(lines[last + 1 :]) :] == lines[last + 1 :]


@settings(max_examples=100)
@given(texts(), st.data())
def test_an_item_put_in_and_taken_out_again_leaves_the_text_as_it_was(text: str, data: st.DataObject) -> None:
    document = read_document(text)
    lists = [
        place
        for place in places(document.data)
        if isinstance(document.at(place), list) and document.at(place) and document.structure.at(place)[-1].is_block
    ]
    if not lists or not text.endswith("\n"):
        return
    place = data.draw(st.sampled_from(lists))
    position = data.draw(st.integers(0, len(document.at(place))))
    assert remove(insert(text, place, position, "new"), (*place, position)) == text


@settings(max_examples=100)
@given(texts(), texts())
def test_a_text_can_be_made_to_say_anything(text: str, other: str) -> None:
    wanted = read_document(other).data
    changed = rewritten(text, wanted)
    assert same(read_document(changed).data, wanted)
    assert rewritten(changed, wanted) == changed
