"""The rules in force: what a broken file leaves standing, restarts, versions by day, and changes seen in time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from app.entity.labels import UserError
from app.rules import library
from app.rules.library import RuleLibrary
from app.rules.problems import faults

from .rule_folders import INDEX, MEMBER_INDEX, WARNING, replaced, write_rules


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_rules(
        tmp_path / "rules",
        {
            "indices/strength.yaml": INDEX,
            "indices/vanguard.yaml": MEMBER_INDEX,
            "warnings/expiry.yaml": WARNING,
        },
    )


def rewrite(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(time.time_ns(), time.time_ns()))


def test_all_rules_are_in_force(folder: Path, tmp_path: Path) -> None:
    rules = RuleLibrary(folder, tmp_path / "data")
    assert set(rules.rules()) == {"strength", "vanguard", "expiry"}
    assert rules.problems() == []
    assert rules.rule("strength").source_text == INDEX
    with pytest.raises(UserError, match="没有规则“strenth”"):
        rules.rule("strenth")


def test_a_rule_that_was_never_whole_is_refused_with_its_faults(folder: Path, tmp_path: Path) -> None:
    rewrite(folder, "indices/strength.yaml", replaced(INDEX, "{target: 3}", "{target: 3 +}"))
    with pytest.raises(UserError, match=r"indices/strength\.yaml:9: "):
        RuleLibrary(folder, tmp_path / "data").rule("strength")


def test_a_broken_file_leaves_its_last_version_in_force(folder: Path, tmp_path: Path) -> None:
    rules = RuleLibrary(folder, tmp_path / "data")
    whole = rules.rule("strength").version
    version = rules.version()
    rewrite(folder, "indices/strength.yaml", replaced(INDEX, "{target: 3}", "{target: 3 +}"))
    assert not rules.refresh(), "nothing in force has changed"
    assert rules.rule("strength").version == whole
    assert rules.version() == version
    (problem,) = faults(rules.problems())
    assert (problem.file, problem.line) == ("indices/strength.yaml", 9)


def test_the_last_version_outlasts_a_restart(folder: Path, tmp_path: Path) -> None:
    whole = RuleLibrary(folder, tmp_path / "data").rule("strength").version
    rewrite(folder, "indices/strength.yaml", "index: [")
    rules = RuleLibrary(folder, tmp_path / "data")
    assert rules.rule("strength").version == whole
    assert set(rules.rules()) == {"strength", "vanguard", "expiry"}


def test_a_file_that_never_was_whole_stops_nothing(folder: Path, tmp_path: Path) -> None:
    rewrite(folder, "warnings/expiry.yaml", "warning: {")
    rules = RuleLibrary(folder, tmp_path / "data")
    assert set(rules.rules()) == {"strength", "vanguard"}
    assert faults(rules.problems())[0].file == "warnings/expiry.yaml"


def test_a_kept_version_that_no_longer_fits_is_not_in_force(folder: Path, tmp_path: Path) -> None:
    reader = replaced(
        INDEX, "{count: meeting, where: {status: held}, window: period}", "{average: index, of: vanguard.study}"
    )
    rewrite(folder, "indices/strength.yaml", reader)
    rules = RuleLibrary(folder, tmp_path / "data")
    assert "strength" in rules.rules()
    # The node is renamed: neither the reader's file nor its kept text fits any more.
    rewrite(folder, "indices/vanguard.yaml", replaced(MEMBER_INDEX, "code: study", "code: learning"))
    rules.refresh()
    assert set(rules.rules()) == {"vanguard", "expiry"}
    assert "“study”" in faults(rules.problems())[0].label.en


def test_a_removed_file_takes_its_rule_out_of_force(folder: Path, tmp_path: Path) -> None:
    rules = RuleLibrary(folder, tmp_path / "data")
    rules.rules()
    (folder / "warnings/expiry.yaml").unlink()
    assert rules.refresh()
    assert set(rules.rules()) == {"strength", "vanguard"}


def test_a_folder_that_is_away_is_no_wish_to_have_no_rules(folder: Path, tmp_path: Path) -> None:
    rules = RuleLibrary(folder, tmp_path / "data")
    rules.rules()
    folder.rename(tmp_path / "elsewhere")
    rules.refresh()
    assert set(rules.rules()) == {"strength", "vanguard", "expiry"}
    assert "no rules folder" in rules.problems()[0].label.en


def test_the_version_in_force_on_a_day_speaks(folder: Path, tmp_path: Path) -> None:
    rules = RuleLibrary(folder, tmp_path / "data")
    first = rules.rule("strength").version
    rewrite(folder, "indices/strength.yaml", replaced(INDEX, "target: 3", "target: 4") + "effective_from: 2026-07-01\n")
    rules.refresh()
    second = rules.rule("strength").version
    assert second != first
    assert rules.rule("strength", date(2026, 6, 30)).version == first
    assert rules.rule("strength", date(2026, 7, 1)).version == second
    again = RuleLibrary(folder, tmp_path / "data")
    assert again.rule("strength", date(2026, 6, 30)).version == first
    assert again.version() == rules.version()


def test_a_correction_takes_the_place_of_the_versions_it_covers(folder: Path, tmp_path: Path) -> None:
    rules = RuleLibrary(folder, tmp_path / "data")
    rules.refresh()
    for day, target in (("2026-01-01", 4), ("2026-07-01", 5), ("2026-04-01", 6)):
        text = replaced(INDEX, "target: 3", f"target: {target}") + f"effective_from: {day}\n"
        rewrite(folder, "indices/strength.yaml", text)
        rules.refresh()

    def target(day: date) -> str:
        return rules.rule("strength", day).source_text.partition("target: ")[2][0]

    assert [target(date(2026, month, 1)) for month in (1, 3, 4, 7, 12)] == ["4", "4", "6", "6", "6"]
    assert target(date(2025, 12, 31)) == "3"


def test_before_the_first_version_the_rule_says_nothing(folder: Path, tmp_path: Path) -> None:
    rewrite(folder, "warnings/expiry.yaml", WARNING + "effective_from: 2026-07-01\n")
    rules = RuleLibrary(folder, tmp_path / "data")
    assert "expiry" not in rules.rules(date(2026, 6, 30))
    assert "expiry" in rules.rules(date(2026, 7, 1))
    with pytest.raises(UserError, match="2026-07-01"):
        rules.rule("expiry", date(2026, 6, 30))


def test_rules_are_ordered_after_what_they_read(folder: Path, tmp_path: Path) -> None:
    reader = replaced(
        INDEX, "{count: meeting, where: {status: held}, window: period}", "{average: index, of: vanguard}"
    )
    reader = replaced(reader, "metrics:", "metrics:\n  red: {count: warning, where: {level: red}}")
    rewrite(folder, "indices/strength.yaml", reader)
    rules = RuleLibrary(folder, tmp_path / "data")
    day = date(2026, 9, 30)
    assert [rule.code for rule in rules.ordered(["strength"], day)] == ["expiry", "vanguard", "strength"]
    assert [rule.code for rule in rules.ordered(["vanguard"], day)] == ["vanguard"]
    assert [rule.code for rule in rules.ordered(None, day)] == ["expiry", "vanguard", "strength"]
    with pytest.raises(UserError):
        rules.ordered(["absent"], day)


def test_changes_are_seen_without_being_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "REFRESH_SECONDS", 0.05)
    rules = RuleLibrary(folder, tmp_path / "data")
    before = rules.version()
    rewrite(folder, "indices/strength.yaml", replaced(INDEX, "target: 3", "target: 4"))
    time.sleep(0.06)
    assert rules.version() != before


def test_a_change_of_the_same_size_and_moment_is_seen(folder: Path, tmp_path: Path) -> None:
    rules = RuleLibrary(folder, tmp_path / "data")
    path = folder / "indices/strength.yaml"
    status = path.stat()
    before = rules.version()
    path.write_text(replaced(INDEX, "target: 3", "target: 4"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert rules.refresh()
    assert rules.version() != before


def test_looking_at_unchanged_files_reads_none(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in folder.rglob("*.yaml"):
        os.utime(path, (0, 0))
    rules = RuleLibrary(folder, tmp_path / "data")
    rules.rules()
    monkeypatch.setattr(library, "read_contents", lambda _: pytest.fail("the files were read again"))
    assert not rules.refresh()


def test_another_process_follows_a_change_within_five_seconds(folder: Path, tmp_path: Path) -> None:
    watch = (
        "import sys, time; import app.domains.all; from app.rules.library import RuleLibrary\n"
        "rules = RuleLibrary(sys.argv[1], sys.argv[2]); first = rules.version(); print('ready', flush=True)\n"
        "end = time.monotonic() + 5\n"
        "while time.monotonic() < end:\n"
        "    if rules.version() != first: print('changed'); break\n"
        "    time.sleep(0.1)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", watch, str(folder), str(tmp_path / "data")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        rewrite(folder, "indices/strength.yaml", replaced(INDEX, "target: 3", "target: 4"))
        assert process.communicate(timeout=30)[0] == "changed\n"
    finally:
        process.kill()
        process.wait()


def test_files_that_nobody_reads_are_named(folder: Path) -> None:
    write_rules(folder, {"strength.yaml": INDEX, "indices/other.yml": INDEX, "warnings/deep/more.yaml": WARNING})
    found = {problem.file for problem in library.check_folder(folder)}
    assert found == {"strength.yaml", "indices/other.yml", "warnings/deep/more.yaml"}
