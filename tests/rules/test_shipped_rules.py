"""The rules that Beacon ships: without a problem, with a basis, and tested level by level."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import app.domains.all  # noqa: F401 - declares the entities that rules speak of
from app.command_line.rules import check, languages_of
from app.command_line.rules import test as run_folder_tests
from app.rules.library import TESTS_FOLDER, check_folder, read_contents, read_rules
from app.rules.model import Index, Warning
from app.rules.parsing import read_file
from app.rules.source import plain
from app.rules.testing import run_tests
from config import PROJECT_DIR

from .rule_folders import write_rules

RULES_DIR = PROJECT_DIR / "rules"


@pytest.fixture(scope="module")
def rules() -> dict[str, object]:
    return read_rules(read_contents(RULES_DIR)).rules


def test_they_have_neither_problems_nor_hints() -> None:
    assert [problem.in_language("en") for problem in check_folder(RULES_DIR)] == []


def test_their_tests_pass() -> None:
    run = run_tests(RULES_DIR)
    assert [problem.in_language("en") for problem in run.problems] == []
    assert run.cases > 250


def test_every_index_and_twenty_warnings_and_more(rules: dict[str, object]) -> None:
    assert {code for code, rule in rules.items() if isinstance(rule, Index)} == {
        "organization_strength",
        "member_vanguard",
        "project_performance",
    }
    assert sum(isinstance(rule, Warning) for rule in rules.values()) >= 20


def test_every_rule_and_indicator_is_labelled_in_both_languages_and_has_a_basis(rules: dict[str, object]) -> None:
    for rule in rules.values():
        labels = [rule.label, rule.basis]
        if isinstance(rule, Index):
            nodes = list(rule.root.walk())[1:]
            labels += [node.label for node in nodes]
            labels += [node.basis for node in nodes if not node.children and node.value is not None]
        for label in labels:
            assert label is not None, rule.code
            assert label.zh
            assert label.en
            assert label.zh != label.en, (rule.code, label)


def test_every_level_of_every_warning_is_tested_and_so_is_none(rules: dict[str, object]) -> None:
    tested: dict[str, set[object]] = {}
    for path in (RULES_DIR / TESTS_FOLDER).glob("*.yaml"):
        part, _ = read_file(path.read_bytes(), path.name)
        for case in plain(part):
            found = tested.setdefault(case.get("warning") or case["index"], set())
            for expected in (case["expect"], *(v for v in case["expect"].values() if isinstance(v, dict))):
                found |= {expected["level"]} if "level" in expected else set()
                found |= {"n/a"} if expected.get("applies") is False else set()
    elsewhere = {"branch_too_large", "general_branch_too_large"}  # below
    for code, rule in rules.items():
        assert code in tested, code
        if isinstance(rule, Warning) and code not in elsewhere:
            assert tested[code] >= {str(level.light) for level in rule.levels} | {None, "n/a"}, code


SIZES = [
    ("branch_too_large", "branch", 45, None, "null"),
    ("branch_too_large", "branch", 46, None, "yellow"),
    ("branch_too_large", "branch", 50, None, "yellow"),
    ("branch_too_large", "branch", 51, None, "orange"),
    ("branch_too_large", "branch", 51, "2026-02-01", "orange"),
    ("branch_too_large", "branch", 51, "2026-01-31", "red"),
    ("branch_too_large", "branch", 60, None, "orange"),
    ("branch_too_large", "branch", 61, None, "red"),
    ("general_branch_too_large", "general_branch", 89, None, "null"),
    ("general_branch_too_large", "general_branch", 90, None, "yellow"),
    ("general_branch_too_large", "general_branch", 100, None, "yellow"),
    ("general_branch_too_large", "general_branch", 101, None, "orange"),
    ("general_branch_too_large", "general_branch", 101, "2026-01-31", "red"),
]


def test_boundaries_of_size(tmp_path: Path) -> None:
    """On 2026-07-31, 2026-01-31 is 181 days ago. Cases with that many members are too long to write down."""
    shutil.copytree(RULES_DIR / "warnings", tmp_path / "warnings")
    cases = "".join(
        f"- given: {{organization: {{org_type: {org_type}}}, member: [{', '.join(['{}'] * members)}]"
        f"{f', held_since: {since}' if since else ''}}}\n"
        f"  warning: {code}\n  as_of: 2026-07-31\n  expect: {{level: {level}, value: {members}}}\n"
        for code, org_type, members, since, level in SIZES
    )
    write_rules(tmp_path, {"tests/sizes.yaml": cases})
    run = run_tests(tmp_path)
    assert [problem.in_language("en") for problem in run.problems] == []
    assert run.cases == len(SIZES)


def test_the_commands_tell_and_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_rules(tmp_path, {"warnings/a.yaml": "warning: a\nsubject: organization\nlevels: {red: tier == 'x'}\n"})
    assert check(tmp_path, ("zh", "en")) == 1
    shown = capsys.readouterr().out
    assert f"{tmp_path}/warnings/a.yaml:3: levels.red: 第 9 个字符处：" in shown
    assert " / at character 9: “x” is none of its codes" in shown
    assert "1 个问题" in shown
    write_rules(tmp_path, {"warnings/a.yaml": "warning: a\nsubject: organization\nlevels: {red: tier == 'city'}\n"})
    assert check(tmp_path, ("en",)) == 0
    case = "- {given: {organization: {tier: city}}, warning: a, as_of: 2026-01-01, expect: {level: LEVEL}}\n"
    write_rules(tmp_path, {"tests/a.yaml": case.replace("LEVEL", "red")})
    assert run_folder_tests(tmp_path, ("en",), []) == 0
    write_rules(tmp_path, {"tests/a.yaml": case.replace("LEVEL", "null")})
    assert run_folder_tests(tmp_path, ("en",), []) == 1
    assert "tests/a.yaml:1: [0].expect.level: level: expected null, found red" in capsys.readouterr().out


def test_the_language_is_the_terminals_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    assert languages_of(None) == ("en",)
    assert languages_of("zh") == ("zh",)
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert languages_of(None) == ("zh", "en")
