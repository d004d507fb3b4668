"""An index as a workbook: what is exported comes back as the same bytes, a changed number changes nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook

from app.entity.labels import UserError
from app.workshop.workbooks import WorkbookFaults, entries_of, with_workbook, workbook_of
from config import PROJECT_DIR

RULES = sorted((PROJECT_DIR / "rules/indices").glob("*.yaml"))


def changed(path: Path, text: str, change) -> Path:
    path.write_bytes(workbook_of(text))
    book = load_workbook(path)
    change(book)
    book.save(path)
    return path


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.stem)
def test_unchanged_it_gives_the_same_bytes(rule: Path, tmp_path: Path) -> None:
    text = rule.read_text(encoding="utf-8")
    assert entries_of(text)
    path = changed(tmp_path / "a.xlsx", text, lambda book: None)
    assert with_workbook(text, path, "a.xlsx") == text


def test_other_numbers_change_their_lines_alone(tmp_path: Path) -> None:
    text = (PROJECT_DIR / "rules/indices/organization_strength.yaml").read_text(encoding="utf-8")
    assert "\n  lectures_due: 4 " in text

    def change(book) -> None:
        for sheet in book:
            for row in sheet.iter_rows(min_row=2):
                row[3].value = {"parameters.lectures_due": 6, "lights.red": 62.5}.get(row[0].value, row[3].value)

    found = with_workbook(text, changed(tmp_path / "a.xlsx", text, change), "a.xlsx")
    before, after = text.splitlines(), found.splitlines()
    differing = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    assert len(differing) == 2
    assert "lectures_due: 6 " in differing[0][1]
    assert "< 62.5" in differing[1][1]


def test_each_fault_is_named_by_sheet_and_cell(tmp_path: Path) -> None:
    text = RULES[0].read_text(encoding="utf-8")

    def change(book) -> None:
        book["分值"]["D2"] = "十"
        book["分值"]["A3"] = "tree[99].weight"
        book["阈值"]["A3"] = book["阈值"]["A2"].value

    with pytest.raises(WorkbookFaults) as told:
        with_workbook(text, changed(tmp_path / "a.xlsx", text, change), "a.xlsx")
    assert [(each.sheet, each.cell) for each in told.value.faults] == [("分值", "D2"), ("分值", "A3"), ("阈值", "A3")]


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"no workbook")
    with pytest.raises(UserError):
        with_workbook(RULES[0].read_text(encoding="utf-8"), path, "a.xlsx")
