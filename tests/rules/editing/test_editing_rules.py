"""Editing the rules people write: what changes, and that nothing else does."""

from __future__ import annotations

import copy
import difflib
from pathlib import Path

import pytest

from app.entity.labels import UserError
from app.rules.editing import (
    insert,
    insert_key,
    move,
    read_document,
    remove,
    rename_key,
    rewritten,
    set_enabled,
    set_value,
)

RULES = sorted(Path("rules").glob("[iw]*/*.yaml"))

TEXT = """\
# the index
index: strength
label: {zh: 组织力, en: Strength}
metrics:
  lectures:  {count: meeting, where: {kind: lecture}, window: period}   # 党课
  present:   {sum: meeting, of: attended, window: period}
tree:
  - code: life
    weight: 25
    children:
      - {code: lecture, label: 党课, weight: 10, value: lectures, score: {target: 1}}
      # turnout counts more
      - {code: turnout, weight: 15, value: present, score: {bands: [[0, 0], [0.65, 60], [0.95, 100]]}}

  - code: other   # the rest
    weight: 75
    value: lectures
lights: {red: "< 60", green: ">= 60"}
"""


def changes(before: str, after: str) -> list[str]:
    return [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_a_shipped_rule_that_says_the_same_keeps_its_bytes(path: Path) -> None:
    text = path.read_bytes().decode()
    assert rewritten(text, copy.deepcopy(read_document(text).data)).encode() == path.read_bytes()


@pytest.mark.parametrize("path", [path for path in RULES if path.parent.name == "indices"], ids=lambda path: path.stem)
def test_another_weight_changes_one_line_of_a_shipped_index(path: Path) -> None:
    text = path.read_bytes().decode()
    document = read_document(text)
    first = ("tree", 0, "children", 0) if "children" in document.data["tree"][0] else ("tree", 0)
    changed = set_value(text, (*first, "weight"), 7.5)
    assert len(changes(text, changed)) == 2
    assert set_value(changed, (*first, "weight"), document.at((*first, "weight"))) == text


def test_a_weight() -> None:
    changed = set_value(TEXT, ("tree", 0, "children", 0, "weight"), 6)
    assert changes(TEXT, changed) == [
        "-       - {code: lecture, label: 党课, weight: 10, value: lectures, score: {target: 1}}",
        "+       - {code: lecture, label: 党课, weight: 6, value: lectures, score: {target: 1}}",
    ]


def test_a_threshold_keeps_its_quotes() -> None:
    assert '{red: "< 65", green: ">= 60"}' in set_value(TEXT, ("lights", "red"), "< 65")


def test_bands_change_where_they_differ() -> None:
    steps = ("tree", 0, "children", 1, "score", "bands")
    changed = set_value(TEXT, steps, [[0, 0], [0.65, 60], [0.8, 80], [0.95, 100]])
    assert "score: {bands: [[0, 0], [0.65, 60], [0.8, 80], [0.95, 100]]}}" in changed


def test_a_node_is_added_as_its_siblings_are_written() -> None:
    node = {"code": "hours", "label": {"zh": "志愿时长", "en": "Hours"}, "weight": 5, "value": "lectures"}
    among_flow = insert(TEXT, ("tree", 0, "children"), 1, node)
    assert changes(TEXT, among_flow) == [
        "+       - {code: hours, label: {zh: 志愿时长, en: Hours}, weight: 5, value: lectures}"
    ]
    among_blocks = insert(TEXT, ("tree",), 2, node)
    assert changes(TEXT, among_blocks) == [
        "+   - code: hours",
        "+     label: {zh: 志愿时长, en: Hours}",
        "+     weight: 5",
        "+     value: lectures",
    ]


def test_a_node_that_gets_children_is_spread_over_lines() -> None:
    changed = set_value(
        TEXT, ("tree", 0, "children", 0, "children"), [{"code": "one", "weight": 10, "value": "present"}]
    )
    assert read_document(changed).at(("tree", 0, "children", 0, "children", 0, "code")) == "one"
    assert "# turnout counts more" in changed


def test_a_removed_node_takes_its_comment_along() -> None:
    assert changes(TEXT, remove(TEXT, ("tree", 0, "children", 1))) == [
        "-       # turnout counts more",
        "-       - {code: turnout, weight: 15, value: present, score: {bands: [[0, 0], [0.65, 60], [0.95, 100]]}}",
    ]


def test_the_last_child_leaves_an_empty_list() -> None:
    text = remove(remove(TEXT, ("tree", 0, "children", 0)), ("tree", 0, "children", 0))
    assert read_document(text).at(("tree", 0, "children")) == []
    assert "  - code: other   # the rest" in text


def test_a_moved_node_keeps_its_comment_and_layout() -> None:
    changed = move(TEXT, ("tree", 0, "children", 1), ("tree",), 2)
    assert changed.endswith(
        "    value: lectures\n"
        "  # turnout counts more\n"
        "  - {code: turnout, weight: 15, value: present, score: {bands: [[0, 0], [0.65, 60], [0.95, 100]]}}\n"
        'lights: {red: "< 60", green: ">= 60"}\n'
    )
    blocks = move(TEXT, ("tree", 1), ("tree", 0, "children"), 0)
    assert "    children:\n      - code: other   # the rest\n        weight: 75\n" in blocks


def test_a_node_does_not_go_into_itself() -> None:
    with pytest.raises(UserError, match="它自己"):
        move(TEXT, ("tree", 0), ("tree", 0, "children"), 0)


def test_a_node_is_switched_off_and_on() -> None:
    off = set_enabled(TEXT, ("tree", 0, "children", 0), False)
    assert "score: {target: 1}, enabled: false}" in off
    assert set_enabled(off, ("tree", 0, "children", 0), True) == TEXT
    group = set_enabled(TEXT, ("tree", 0), False)
    assert changes(TEXT, group) == ["+     enabled: false"]


def test_a_metric_is_added_renamed_and_taken_out() -> None:
    added = insert_key(
        TEXT, ("metrics",), "hours", {"sum": "check_in", "of": "hours", "window": "year"}, before="present"
    )
    assert changes(TEXT, added) == ["+   hours: {sum: check_in, of: hours, window: year}"]
    renamed = rename_key(added, ("metrics", "hours"), "volunteering")
    assert "  volunteering: {sum" in renamed
    assert remove(renamed, ("metrics", "volunteering")) == TEXT


def test_order_and_values_at_once() -> None:
    data = copy.deepcopy(read_document(TEXT).data)
    data["tree"].reverse()
    data["tree"][0]["weight"] = 70
    data["lights"] = {"red": "< 60", "yellow": "< 80", "green": ">= 80"}
    changed = rewritten(TEXT, data)
    assert [node["code"] for node in read_document(changed).data["tree"]] == ["other", "life"]
    assert "code: other   # the rest\n    weight: 70" in changed
    assert 'lights: {red: "< 60", yellow: < 80, green: ">= 80"}' in changed
    assert "# turnout counts more" in changed


def test_an_alias_is_unfolded_where_it_is_changed() -> None:
    text = "a: &one {x: 1}   # kept\nb: *one\nc: 3 # kept too\n"
    changed = set_value(text, ("b", "x"), 2)
    assert read_document(changed).data == {"a": {"x": 1}, "b": {"x": 2}, "c": 3}
    assert "{x: 1}   # kept" in changed
    assert "c: 3 # kept too" in changed


def test_line_ends_and_a_mark_at_the_beginning_stay() -> None:
    text = "\ufeffindex: a\r\ntree:\r\n  - code: x\r\n    weight: 5\r\n"
    changed = insert(text, ("tree",), 1, {"code": "y", "weight": 6})
    assert changed == text + "  - code: y\r\n    weight: 6\r\n"


def test_a_text_that_is_no_yaml_is_refused_with_its_line() -> None:
    with pytest.raises(UserError, match="第 2 行"):
        read_document("a: 1\na: 2\n")


def test_a_path_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(UserError, match=r"tree\[7\]"):
        set_value(TEXT, ("tree", 7, "weight"), 1)
