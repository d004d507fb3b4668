"""Tables into files: CSV in UTF-8, Excel workbooks and JSON, row by row, so that memory stays bounded."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
import xlsxwriter

from app.entity.labels import UserError

from .cells import FORMULA_STARTS

MOST_ROWS_OF_A_SHEET = 1_048_575
LONGEST_CELL = 32_767
"""Excel's own limits."""
FIRST_SERIAL_DAY, BEFORE_SERIALS = date(1900, 3, 1), date(1899, 12, 30).toordinal()
"""From this day on Excel's number of a day counts from that one; before it thinks of 1900 as a leap year."""
WIDTH, SHORT = 18, 12


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: what begins like one is quoted with an apostrophe."""
    return f"'{text}" if text and text[0] in FORMULA_STARTS else text


def write_table(path: Path, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a CSV file (UTF-8 with BOM), a workbook or JSON, whichever the name says; the number of rows."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return _write_csv(path, heading, rows)
    if suffix == ".xlsx":
        return _write_workbook(path, heading, rows)
    if suffix == ".json":
        return _write_json(path, heading, rows)
    raise UserError(
        f"不能写 {path.name}；请用 .xlsx、.csv 或 .json", f"Cannot write {path.name}: use .xlsx, .csv or .json"
    )


def _write_csv(path: Path, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    count = 0
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow([harmless(text) for text in heading])
        for row in rows:
            writer.writerow(["" if cell is None else harmless(cell) if isinstance(cell, str) else cell for cell in row])
            count += 1
    return count


def _write_json(path: Path, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """A list of objects, one a line."""
    count = 0
    with path.open("wb") as file:
        file.write(b"[")
        for count, row in enumerate(rows, start=1):
            file.write(b"\n" if count == 1 else b",\n")
            file.write(orjson.dumps(dict(zip(heading, row, strict=True)), default=str))
        file.write(b"\n]\n")
    return count


def _write_workbook(path: Path, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    count = 0
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as workbook:
        sheet = workbook.add_worksheet()
        bold = workbook.add_format({"bold": True})
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        write_string, write_number, write_datetime = sheet.write_string, sheet.write_number, sheet.write_datetime
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(len(heading) - 1, 0), WIDTH)
        sheet.write_row(0, 0, [harmless(text) for text in heading], bold)
        for count, row in enumerate(rows, start=1):
            if count > MOST_ROWS_OF_A_SHEET:
                raise UserError(
                    "行数超过了 Excel 一张表的上限（1,048,575 行）；请缩小范围，或改用 CSV",
                    "More rows than a sheet of Excel holds (1,048,575): narrow the list, or use CSV",
                )
            for column, cell in enumerate(row):
                kind = type(cell)
                if cell is None:
                    continue
                if kind is str:
                    if cell and cell[0] in FORMULA_STARTS:
                        cell = f"'{cell}"
                    write_string(count, column, cell if len(cell) <= LONGEST_CELL else cell[: LONGEST_CELL - 1] + "…")
                elif kind is int or kind is float:
                    write_number(count, column, cell)
                elif kind is datetime:
                    write_datetime(count, column, cell, moment)
                elif kind is date:
                    if cell >= FIRST_SERIAL_DAY:
                        write_number(count, column, cell.toordinal() - BEFORE_SERIALS, day)
                    else:
                        write_datetime(count, column, cell, day)
                elif kind is bool:
                    sheet.write_boolean(count, column, cell)
                else:
                    write_string(count, column, harmless(str(cell)))
    return count
