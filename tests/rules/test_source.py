"""YAML with positions: what is kept of a file, and what is refused before anything is parsed."""

from __future__ import annotations

from datetime import date

import pytest

from app.rules.parsing import MAXIMUM_BYTES, read_file
from app.rules.source import Mapping, line_of, plain, read

TEXT = """\
# a comment
index: a
where: {left_on: {null: true}, code: "01"}
tree:
  - code: first
    children:
      - {code: second, score: {target: 1}}
"""


def test_values_are_those_of_yaml_1_2() -> None:
    part, problems = read("{a: yes, b: true, c: 01, d: 2026-01-01, e: 2026-09, f: 0.5, g: null, h: '01'}", "x")
    assert not problems
    assert plain(part) == {
        "a": "yes",
        "b": True,
        "c": 1,
        "d": date(2026, 1, 1),
        "e": "2026-09",
        "f": 0.5,
        "g": None,
        "h": "01",
    }


def test_null_as_a_key_is_the_operator() -> None:
    part, _ = read(TEXT, "x")
    assert plain(part)["where"] == {"left_on": {"null": True}, "code": "01"}


def test_every_part_knows_its_line_and_place_in_the_text() -> None:
    part, _ = read(TEXT, "x")
    assert line_of(part, ("index",)) == 2
    assert line_of(part, ("tree", 0, "code")) == 5
    assert line_of(part, ("tree", 0, "children", 0, "score", "target")) == 7
    assert line_of(part, ("tree", 0, "children", 0, "absent")) == 7
    assert isinstance(part, Mapping)
    value = part.get("index")
    assert TEXT[value.start : value.end] == "a"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "The file is empty"),
        ("a: 1\nb: 2\na: 3", 3, "“a” stands twice (first in line 1)"),
        ("where: {a: 1, a: 2}", 1, "“a” stands twice"),
        ("a: [1, 2", 1, "not valid YAML"),
        ("a: 1\n\tb: 2", 2, "not valid YAML"),
        ("a: > 60", 1, "has to be quoted"),
        ("a: {red: >= 60}", 1, "has to be quoted"),
        ("a: 1\n---\nb: 2", 2, "not valid YAML"),
        ("a: &x [*x]", 1, "alias"),
        ("a: !!python/name:os.system 1", 1, "Tags"),
        ("? [a, b]\n: 1", 1, "A key has to be a single word"),
        ("a: .inf", 1, "finite"),
        ("a: 2026-13-45", 1, "not a valid value"),
        ("levels: {red: if(a, 1, 2) > 1, yellow: x}", 1, "quote the whole expression"),
        ("levels:\n  red: {a: min(1, 2), b: min(3, 2)}", 2, "quote the whole expression"),
        ("applies_to: [a > 1, max(a, b) > 1]", 1, "quote the whole expression"),
    ],
)
def test_faults_of_the_file_itself(text: str, line: int, said: str) -> None:
    part, problems = read(text, "indices/a.yaml")
    assert part is None
    assert said in problems[0].label.en
    assert problems[0].line == line
    assert len(problems) == 1, "one fault is told once"


def test_a_cut_expression_is_named_in_chinese_too() -> None:
    _, problems = read("levels: {red: if(a, 1, 2) > 1}", "x")
    assert "双引号" in problems[0].label.zh
    assert problems[0].path == "levels"


def test_aliases_do_not_unfold_without_end() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
        for before, name in zip("abcdefg", "bcdefgh", strict=True)
    )
    part, problems = read(bomb, "x")
    assert part is None
    assert "too large" in problems[0].label.en


def test_bytes_have_to_be_utf_8_and_few() -> None:
    assert "UTF-8" in read_file("标签: 组织".encode("gbk"), "x")[1][0].label.en
    assert "1 MB" in read_file(b"# " * MAXIMUM_BYTES, "x")[1][0].label.en
    assert read_file("﻿a: 1".encode(), "x")[1] == []
