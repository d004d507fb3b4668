"""Tables out of files that people send: CSV in UTF-8 or GB 18030, and Excel workbooks.

What a file is follows from its content and not from its name. Before a workbook is opened its parts are unpacked once
in small pieces and counted, so that one that grows without end, has a million rows or holds macros is refused in words
and takes no memory. Formulas are never worked out: what counts is the value that Excel stored beside them.
"""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from app.entity.labels import UserError

MOST_BYTES = 200 * 2**20
MOST_UNPACKED_BYTES = 1_000 * 2**20
MOST_ROWS = 200_000
MOST_COLUMNS = 256
TITLE_ROWS = 30
"""The heading stands within so many rows: above it there may be titles and notes."""

ZIP, OLE = b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1")
PIECE = 2**20
_OVERLAP = 4096

_ROW = re.compile(rb'<row\b[^>]*?\br="(\d{1,10})"')
_FAR_COLUMN = re.compile(rb'<c\b[^>]*?\br="(?:[A-Z]{3}|[J-Z][A-Z]|I[W-Z])\d')
_EMPTY_FORMULA = re.compile(
    rb'<c\b[^>]*?\br="([A-Z]{1,3}\d+)"[^>]*>\s*<f\b[^>]*?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>|</c>)'
)


@dataclass(frozen=True)
class Table:
    """A heading and rows. ``first_row`` is the number, as Excel counts, of the row below the heading."""

    heading: list[str]
    rows: Iterable[list[Any]]
    first_row: int = 2
    total: int = 0
    """How many rows there are below the heading, empty ones included."""


Recognizes = Callable[[str], bool]
"""Whether a text is the name of a column."""


def read_table(path: Path, name: str | None = None, recognizes: Recognizes | None = None) -> Table:
    """A file's first sheet; its rows can be gone over once. Raises UserError that says what is wrong with the file and
    how to mend it. ``name`` is what people call the file."""
    name = name or path.name
    if not path.is_file():
        raise UserError(f"没有文件 {name}", f"There is no file {name}")
    if path.stat().st_size > MOST_BYTES:
        raise UserError(
            f"{name} 超过 {MOST_BYTES // 2**20} MB，请拆成几个文件",
            f"{name} is larger than {MOST_BYTES // 2**20} MB; cut it into several files",
        )
    with path.open("rb") as file:
        beginning = file.read(8)
    if beginning.startswith(ZIP):
        look_through(path, name)
        return _workbook(path, name, recognizes)
    if beginning == OLE:
        _look_through_old(path, name)
        return _workbook(path, name, recognizes)
    if Path(name).suffix.lower() in (".xlsx", ".xls"):
        raise _cannot_open(name)
    if Path(name).suffix.lower() not in (".csv", ".txt"):
        raise UserError(f"不认识 {name} 的格式；请用 .xlsx、.xls 或 .csv", f"{name}: use .xlsx, .xls or .csv")
    return _text(path, name, recognizes)


# --- text ---


def _text(path: Path, name: str, recognizes: Recognizes | None) -> Table:
    encoding = _encoding(path, name)
    with path.open(encoding=encoding, newline="") as file:
        beginning = file.read(64 * 1024)
    # A sheet saved with semicolons or tabs is read as such: the first lines decide.
    first = "".join(beginning.splitlines(keepends=True)[:5])
    delimiter = max(",;\t", key=first.count)

    def rows() -> Iterator[list[Any]]:
        with path.open(encoding=encoding, newline="") as file:
            try:
                for number, row in enumerate(csv.reader(file, delimiter=delimiter, strict=True), start=1):
                    if number > MOST_ROWS + TITLE_ROWS:
                        raise _too_many(name)
                    if len(row) > MOST_COLUMNS:
                        raise _too_wide(name)
                    yield list(row)
            except csv.Error as error:
                raise UserError(
                    f"{name} 不是完整的 CSV 文件（引号没有成对）；请用 Excel 另存一次",
                    f"{name} is not a complete CSV file ({error}); save it again",
                ) from error

    return _with_heading(rows(), _lines(path), name, recognizes)


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(PIECE), b""))


def _encoding(path: Path, name: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            with path.open(encoding=encoding, newline="") as file:
                # Unassigned and private signs come of text that was read in the wrong encoding.
                while piece := file.read(PIECE):
                    if "\0" in piece or "\ufffd" in piece:
                        break
                else:
                    return encoding
        except UnicodeDecodeError:
            continue
    raise UserError(
        f"{name} 的文字编码不是 UTF-8 也不是 GB 18030；请用 Excel 另存为“CSV UTF-8”",
        f"{name} is neither UTF-8 nor GB 18030; save it as “CSV UTF-8”",
    )


# --- workbooks ---


def look_through(path: Path, name: str) -> None:
    """Refuse a workbook that is not what it should be, before any of it is taken into memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            names = {part.filename for part in parts}
            if any(each.lower().endswith("vbaproject.bin") for each in names):
                raise _with_macros(name)
            if "xl/workbook.xml" not in names:
                raise _cannot_open(name)
            left = MOST_UNPACKED_BYTES
            for part in parts:
                if part.filename.startswith("xl/") and part.filename.endswith((".xml", ".rels")):
                    left = _count(archive, part, left, name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise _cannot_open(name) from error


def _count(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int, name: str) -> int:
    """Unpack one part in pieces; gives how many bytes may still come."""
    is_sheet = part.filename.startswith("xl/worksheets/")
    # What the archive says of its sizes may be a lie: read to the real end.
    part.file_size = MOST_UNPACKED_BYTES + 1
    rows, rest, empty = 0, b"", []
    with archive.open(part) as file:
        while piece := file.read(PIECE):
            left -= len(piece)
            if left < 0:
                raise UserError(
                    f"{name} 解压后过大，没有读取；请另存为普通的 .xlsx，或拆成几个文件",
                    f"{name} unpacks to too much and was not read; save it as a plain .xlsx, or cut it into several",
                )
            if not is_sheet:
                continue
            rows += piece.count(b"<row")
            numbers = _ROW.findall(piece)
            if rows > MOST_ROWS + TITLE_ROWS or (numbers and int(numbers[-1]) > MOST_ROWS + TITLE_ROWS):
                raise _too_many(name)
            text = rest + piece
            if _FAR_COLUMN.search(text):
                raise _too_wide(name)
            if b"<f" in text:
                empty += [each.decode() for each in _EMPTY_FORMULA.findall(text)]
            rest = piece[-_OVERLAP:]
    if empty:
        cells = list(dict.fromkeys(empty))
        shown = "、".join(cells[:10]) + (" 等" if len(cells) > 10 else "")
        raise UserError(
            f"{name} 的 {shown} 单元格是公式，但没有存下计算结果；请用 Excel 打开并保存一次，或把公式粘贴为数值",
            f"{name}: {', '.join(cells[:10])} hold formulas without a stored result; open and save the file in Excel, "
            "or paste the formulas as values",
        )
    return left


def _look_through_old(path: Path, name: str) -> None:
    """An .xls file, or a workbook under a password, which is kept in the same kind of container."""
    content = path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise UserError(
            f"{name} 设有打开密码；请在 Excel 中取消密码后再上传",
            f"{name} has a password; remove it in Excel and upload the file again",
        )
    if "_VBA_PROJECT".encode("utf-16-le") in content:
        raise _with_macros(name)


def _workbook(path: Path, name: str, recognizes: Recognizes | None) -> Table:
    try:
        sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
        if sheet.end is not None and sheet.end[0] >= MOST_ROWS + TITLE_ROWS:
            raise _too_many(name)
        if sheet.end is not None and sheet.end[1] >= MOST_COLUMNS:
            raise _too_wide(name)
        if sheet.start is None:
            raise _empty(name)
        # Rows come from the first filled one on, and cells from the first column.
        above = [[] for _ in range(sheet.start[0])]
        rows = _chained(above, sheet.iter_rows(), name)
        return _with_heading(rows, sheet.end[0] + 1, name, recognizes)
    except (CalamineError, zipfile.BadZipFile, OSError, IndexError) as error:
        raise _cannot_open(name) from error


def _chained(above: list[list[Any]], rows: Iterable[list[Any]], name: str) -> Iterator[list[Any]]:
    yield from above
    try:
        yield from rows
    except CalamineError as error:
        raise _cannot_open(name) from error


# --- the heading ---


def _with_heading(rows: Iterator[list[Any]], total: int, name: str, recognizes: Recognizes | None) -> Table:
    """Rows above the heading are titles. The heading is the row in which most columns are known by name; if none is,
    the first row with two or more filled cells."""
    beginning = list(islice(rows, TITLE_ROWS))
    width = max((len(row) for row in beginning), default=0)
    filled = [sum(bool(str(cell).strip()) for cell in row if cell is not None) for row in beginning]
    place = next((each for each, count in enumerate(filled) if count >= min(2, max(width, 1))), None)
    if recognizes is not None:
        known = [
            sum(1 for cell in row if isinstance(cell, str) and cell.strip() and recognizes(cell)) for row in beginning
        ]
        best = max(known, default=0)
        if best >= min(2, max(width, 1)):
            place = known.index(best)
    if place is None:
        raise _empty(name)
    heading = [str(cell).strip() if cell is not None else "" for cell in beginning[place]]

    def body() -> Iterator[list[Any]]:
        yield from beginning[place + 1 :]
        yield from rows

    return Table(heading, body(), place + 2, max(0, total - place - 1))


# --- refusals ---


def _cannot_open(name: str) -> UserError:
    return UserError(
        f"{name} 打不开：不是完整的 Excel 文件，或设有密码；请另存后再试",
        f"{name} cannot be opened: it is no complete workbook, or has a password; save it again",
    )


def _with_macros(name: str) -> UserError:
    return UserError(
        f"{name} 带有宏，没有读取；请另存为“Excel 工作簿（.xlsx）”后再上传",
        f"{name} holds macros and was not read; save it as “Excel workbook (.xlsx)” and upload that",
    )


def _too_many(name: str) -> UserError:
    return UserError(
        f"{name} 超过 {MOST_ROWS:,} 行，请拆成几个文件；如果只是下方的空行带有格式，请删除后再试",
        f"{name} has more than {MOST_ROWS:,} rows; cut it into several files. If only empty rows below the table are "
        "formatted, delete those",
    )


def _too_wide(name: str) -> UserError:
    return UserError(
        f"{name} 超过 {MOST_COLUMNS} 列；请删除右侧多余的列后再试",
        f"{name} has more than {MOST_COLUMNS} columns; delete what stands to the right of the table",
    )


def _empty(name: str) -> UserError:
    return UserError(f"{name} 是空的：第一行应当是列名", f"{name} is empty: the first row should name the columns")
