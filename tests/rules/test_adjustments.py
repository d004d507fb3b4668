"""Adjustments of an index: what bounds say, what is refused and where, how those above one another combine."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.rules.adjustable import parse_adjustable
from app.rules.adjustment_files import parse_adjustment
from app.rules.adjustments import LocalAdjustment, applied, changed_numbers, in_words, misfits
from app.rules.bounds import Bound
from app.rules.candidate import check_candidate
from app.rules.library import check_folder
from app.rules.model import Index
from app.rules.parsing import parse_rule, read_file
from app.rules.problems import faults
from app.rules.reading import Place, Report

INDEX = """index: one
subject: organization
parameters: {due: 4}
metrics: {lectures: {count: meeting}}
tree:
  - {code: a, label: 甲, weight: 60, value: lectures, score: {target: due}}
  - {code: b, label: 乙, weight: 30, value: lectures, score: {target: 10}}
  - {code: c, weight: 10, value: lectures}
lights: {red: "< 60", yellow: "< 80", green: ">= 80"}
"""
BOUNDS = "adjustable: {weight: ±20%, target: {b: [8, 14]}, lights: stricter, parameters: {due: +2}}\n"


def index(bounds: str = BOUNDS) -> Index:
    found = parse_rule((INDEX + bounds).encode(), "indices/one.yaml")
    assert not found.problems, found.problems
    assert isinstance(found.rule, Index)
    return found.rule


def adjustment(changes: str, name: str = "x") -> LocalAdjustment:
    text = f"adjustment: {name}\nbase: one\nunder: A\n{changes}\n"
    parsed = parse_adjustment(text.encode(), f"adjustments/{name}.yaml")
    assert parsed.adjustment is not None, parsed.problems
    return parsed.adjustment


@pytest.mark.parametrize(
    ("written", "limits"),
    [
        ("±20%", (8.0, 12.0)),
        ("±5", (5.0, 15.0)),
        ("+2", (10.0, 12.0)),
        ("-10%", (9.0, 10.0)),
        ("[4, 11]", (4.0, 11.0)),
        ("stricter", (10.0, 100.0)),
    ],
)
def test_bounds(written: str, limits: tuple[float, float]) -> None:
    root, _ = read_file(f"lights: {written}\n".encode(), "x")
    assert root is not None
    report = Report("x", root)
    bound = parse_adjustable(Place(root, (), report)).lights
    assert not report.problems
    assert isinstance(bound, Bound)
    assert bound.limits(10.0, 100.0) == limits


@pytest.mark.parametrize(
    ("changes", "line", "path", "words"),
    [
        ("weights: {a: 80, b: 10}", 4, "weights.a", "80 超出允许的范围 48 到 72"),
        ("weights: {a: 55}", 4, "weights", "合计 95，要等于基础规则的 100"),
        ("targets: {a: 3}", 4, "targets.a", "不允许调整“甲”的目标"),
        ("targets: {b: 15}", 4, "targets.b", "8 到 14"),
        ("parameters: {due: 3}", 4, "parameters.due", "4 到 6"),
        ("lights:\n  yellow: 79", 5, "lights.yellow", "79 超出允许的范围 80 到 100"),
        ("lights: {red: 90}", 4, "lights.yellow", ""),
        ("lights: {green: 90}", 4, "lights.green", "不允许调整"),
        ("weights: {gone: 3}", 4, "weights.gone", "不允许调整"),
    ],
)
def test_what_is_out_of_bounds_is_refused_at_its_place(changes: str, line: int, path: str, words: str) -> None:
    problem = misfits(adjustment(changes), index())[0]
    assert (problem.file, problem.line, problem.path) == ("adjustments/x.yaml", line, path)
    assert words in problem.label.zh


def test_a_folder_is_checked_as_a_whole(tmp_path: Path) -> None:
    for name, text in {
        "indices/one": INDEX + BOUNDS,
        "adjustments/x": "adjustment: x\nbase: one\nunder: A\nlights: {yellow: 70}\n",
        "adjustments/y": "adjustment: y\nbase: gone\nunder: B\nweight: 3\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    found = [problem.in_language("en") for problem in faults(check_folder(tmp_path))]
    assert found[0].startswith("adjustments/x.yaml:4: lights.yellow: yellow: 70 is outside what is allowed, 80 to 100")
    assert found[1].startswith("adjustments/y.yaml:4: weight: unknown key “weight”; did you mean “weights”?")


@pytest.mark.parametrize("bounds", ["{target: ±1}", "{weight: {z: ±1}}", "{parameters: {gone: ±1}}", "{weight: much}"])
def test_what_is_declared_adjustable_has_to_be_there(bounds: str) -> None:
    text = INDEX.replace("score: {target: 10}", "score: {percentile: true}") + f"adjustable: {bounds}\n"
    found = check_text(text)
    assert any(problem.path.startswith("adjustable") for problem in found), found


def check_text(text: str) -> list:
    from_file = parse_rule(text.encode(), "indices/one.yaml")
    if from_file.rule is None or from_file.root is None:
        return from_file.problems
    from_check = checked(text)
    return [*from_file.problems, *from_check]


def checked(text: str) -> list:
    found = check_candidate(text, "index", "one", {})
    return [problem for problem in found.problems if not problem.is_hint]


def test_those_above_one_another_combine() -> None:
    base = index()
    district = adjustment("weights: {a: 55, b: 35}\nlights: {yellow: 90, red: 70}\nparameters: {due: 5}", "district")
    street = adjustment("weights: {b: 32, c: 8}\nlights: {yellow: 85}\ntargets: {b: 12}", "street")
    assert not misfits(district, base)
    assert not misfits(street, base)
    both = applied(base, [district, street])
    # Siblings' weights are decided together; edges that may only rise are the highest; others the nearest's.
    assert [node.weight for node in both.root.children] == [60, 32, 8]
    words = [each.zh for each in in_words(changed_numbers(base, [district, street]))]
    assert "黄灯的分界 80 → 90" in words
    assert "红灯的分界 60 → 70" in words
    assert "乙的目标 10 → 12" in words
    assert "甲（应有数）的参数 4 → 5" in words
    # Green begins where yellow ends.
    assert [light.operand.value for light in both.lights if light.operand] == [70.0, 90.0, 90.0]
    assert base.root.children[0].weight == 60
