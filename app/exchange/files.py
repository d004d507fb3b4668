"""Tables in files: CSV in UTF-8 or GB 18030, and Excel workbooks."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter
from python_calamine import CalamineError, CalamineWorkbook

from app.entity.labels import UserError

MOST_BYTES = 200 * 2**20
MOST_UNPACKED_BYTES = 2 * 2**30
"""A workbook that unpacks to more than this is refused unread (a zip bomb)."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Table:
    """A heading and rows. ``first_row`` is the number, as Excel counts, of the row below the heading."""

    heading: list[str]
    rows: list[list[Any]]
    first_row: int = 2


def read_table(path: Path) -> Table:
    """Read a file's first sheet. Raises UserError that says what is wrong with the file and how to mend it."""
    if not path.is_file():
        raise UserError(f"没有文件 {path}", f"There is no file {path}")
    if path.stat().st_size > MOST_BYTES:
        raise UserError(
            f"{path.name} 超过 {MOST_BYTES // 2**20} MB，请拆成几个文件",
            f"{path.name} is larger than {MOST_BYTES // 2**20} MB; cut it into several files",
        )
    suffix = path.suffix.lower()
    if suffix == ".csv":
        rows = _csv_rows(path.read_bytes(), path.name)
    elif suffix in (".xlsx", ".xls"):
        rows = _workbook_rows(path)
    else:
        raise UserError(f"不认识 {path.name} 的格式；请用 .xlsx、.xls 或 .csv", f"{path.name}: use .xlsx, .xls or .csv")
    return _with_heading(rows, path.name)


def _csv_rows(content: bytes, name: str) -> list[list[Any]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # A sheet saved with semicolons or tabs is read as such: the heading decides.
        first = text.split("\n", 1)[0]
        delimiter = max(",;\t", key=first.count)
        try:
            return [list(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)]
        except csv.Error as error:
            raise UserError(
                f"{name} 不是完整的 CSV 文件（引号没有成对）；请用 Excel 另存一次",
                f"{name} is not a complete CSV file ({error}); save it again",
            ) from error
    raise UserError(
        f"{name} 的文字编码不是 UTF-8 也不是 GB 18030；请用 Excel 另存为“CSV UTF-8”",
        f"{name} is neither UTF-8 nor GB 18030; save it as “CSV UTF-8”",
    )


def _workbook_rows(path: Path) -> list[list[Any]]:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if sum(item.file_size for item in archive.infolist()) > MOST_UNPACKED_BYTES:
                    raise UserError(
                        f"{path.name} 解压后过大，没有读取；请另存为普通的 .xlsx",
                        f"{path.name} unpacks to too much and was not read; save it as a plain .xlsx",
                    )
        workbook = CalamineWorkbook.from_path(str(path))
        return workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, zipfile.BadZipFile, OSError) as error:
        raise UserError(
            f"{path.name} 打不开：不是完整的 Excel 文件，或设有密码；请另存后再试",
            f"{path.name} cannot be opened: it is no complete workbook, or has a password; save it again",
        ) from error


def _with_heading(rows: list[list[Any]], name: str) -> Table:
    """The first row with two or more filled cells is the heading: rows above it are titles."""
    for position, row in enumerate(rows):
        filled = [cell for cell in row if str(cell).strip()]
        if len(filled) >= min(2, max(len(other) for other in rows)):
            heading = [str(cell).strip() for cell in row]
            body = [list(each) for each in rows[position + 1 :]]
            return Table(heading, body, position + 2)
    raise UserError(f"{name} 是空的：第一行应当是列名", f"{name} is empty: the first row should name the columns")


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
