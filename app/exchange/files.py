"""Tables into files: CSV in UTF-8 and Excel workbooks."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from app.entity.labels import UserError

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: what begins like one is quoted with an apostrophe."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def write_table(path: Path, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a CSV file (UTF-8 with BOM) or a workbook, whichever the name says; the number of rows."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return _write_csv(path, heading, rows)
    if suffix == ".xlsx":
        return _write_workbook(path, heading, rows)
    raise UserError(f"不能写 {path.name}；请用 .xlsx 或 .csv", f"Cannot write {path.name}: use .xlsx or .csv")


def _write_csv(path: Path, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    count = 0
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(heading)
        for row in rows:
            writer.writerow(["" if cell is None else harmless(cell) if isinstance(cell, str) else cell for cell in row])
            count += 1
    return count


def _write_workbook(path: Path, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    count = 0
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as workbook:
        sheet = workbook.add_worksheet()
        bold = workbook.add_format({"bold": True})
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, heading, bold)
        for count, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if cell is None:
                    continue
                if isinstance(cell, str):
                    sheet.write_string(count, column, cell)
                elif isinstance(cell, bool):
                    sheet.write_boolean(count, column, cell)
                elif isinstance(cell, int | float):
                    sheet.write_number(count, column, cell)
                else:
                    sheet.write_datetime(count, column, cell, day)
    return count
