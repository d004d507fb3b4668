"""The weights and thresholds of an index as a workbook, and back: what was changed in it, put into the rule's text.

Each row names its number by the path in column A, so rows may be sorted or left out. Only column D is read; everything
else of the rule stays byte for byte.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from python_calamine import CalamineError, CalamineWorkbook

from app.entity.labels import Label, UserError
from app.exchange.files import harmless
from app.exchange.reading import look_through
from app.rules.differences import LIGHTS
from app.rules.editing import read_document, set_value
from app.rules.problems import PathSteps, path_text

WEIGHTS, THRESHOLDS = Label("分值", "Points"), Label("阈值", "Thresholds")
HEADING = (
    Label("路径（不要改）", "Path (do not change)"),
    Label("名称", "Name"),
    Label("是什么", "What it is"),
    Label("数值", "Value"),
)
VALUE_COLUMN = 3
LARGEST = 2 * 1024 * 1024
"""Bytes of a workbook; one of a large index has some 20 kB."""
MOST_FAULTS = 20
_COMPARED = re.compile(r"(<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)")
_WHAT = {
    "weight": Label("分值", "points"),
    "target": Label("目标", "target"),
    "each": Label("每 1 个几分", "points each"),
    "at_most": Label("封顶", "at most"),
    "cap": Label("得分上限", "cap"),
    "recover": Label("恢复余量", "recovery margin"),
    "min_coverage": Label("数据覆盖率下限", "least coverage"),
    "bonus_at_most": Label("加分封顶", "bonus at most"),
    "penalty_at_most": Label("扣分封顶", "penalty at most"),
}


_TWICE = Label("这条路径出现了两次，请删去一行", "This path is there twice: take one row out")
_NO_ROWS = Label("没有一行数值；请用导出的工作簿", "There are no rows: use the exported workbook")
_NO_PATH = Label(
    "A 列空着；请从导出的工作簿里抄回路径，或删去这一行",
    "Column A is empty: copy the path from the exported workbook, or take the row out",
)


@dataclass(frozen=True)
class Entry:
    """One number of a rule. ``before``: what stands before it in the text (the ``<`` of a light)."""

    sheet: Label
    path: PathSteps
    name: Label
    what: Label
    value: float
    before: str = ""


@dataclass(frozen=True)
class CellFault:
    """What is wrong with a cell, and how to mend it."""

    sheet: str
    cell: str
    label: Label


class WorkbookFaults(UserError):
    """Nothing was taken over; ``faults`` says why, cell by cell."""

    def __init__(self, faults: list[CellFault]) -> None:
        super().__init__(
            f"工作簿里有 {len(faults)} 处错误，改好后再上传",
            f"The workbook has {len(faults)} faults; mend them and try again",
        )
        self.faults = faults


def entries_of(text: str) -> list[Entry]:
    """The weights and thresholds of an index, in the order of its text. Formulas and columns are not among them."""
    document = read_document(text).at(())
    if not isinstance(document, dict):
        return []
    return [*_weights(document), *_thresholds(document)]


def workbook_of(text: str, language: str = "zh") -> bytes:
    """The workbook of an index, in a language."""
    book = Workbook()
    book.remove(book.active)
    for sheet in (WEIGHTS, THRESHOLDS):
        page = book.create_sheet(sheet.in_language(language))
        page.append([label.in_language(language) for label in HEADING])
        for cell in page[1]:
            cell.font = Font(bold=True)
        for entry in entries_of(text):
            if entry.sheet is sheet:
                name, what = (harmless(label.in_language(language)) for label in (entry.name, entry.what))
                page.append([path_text(entry.path), name, what, entry.value])
        page.freeze_panes = "A2"
        for column, width in zip("ABCD", (34, 30, 26, 12), strict=True):
            page.column_dimensions[column].width = width
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def with_workbook(text: str, path: Path, name: str) -> str:
    """The text with the numbers of a workbook. Raises WorkbookFaults, or UserError for what is no workbook."""
    look_through(path, name)
    try:
        book = CalamineWorkbook.from_path(str(path))
        sheets = {sheet: book.get_sheet_by_name(sheet).to_python(skip_empty_area=False) for sheet in book.sheet_names}
    except (CalamineError, OSError) as error:
        raise UserError(
            f"“{name}”打不开，请另存为 .xlsx 再上传", f"“{name}” cannot be opened: save it as .xlsx"
        ) from error
    known = {path_text(entry.path): entry for entry in entries_of(text)}
    faults: list[CellFault] = []
    given: dict[str, float] = {}
    for sheet, rows in sheets.items():
        for number, row in enumerate(rows[1:], 2):
            key = str(row[0]).strip() if row else ""
            if not any(str(cell).strip() for cell in row):
                continue
            if key not in known:
                faults.append(CellFault(sheet, f"A{number}", _unknown(key)))
                continue
            if key in given:
                faults.append(CellFault(sheet, f"A{number}", _TWICE))
                continue
            value = _number(row[VALUE_COLUMN] if len(row) > VALUE_COLUMN else "")
            if value is None:
                faults.append(CellFault(sheet, f"D{number}", Label("这里要填一个数字", "A number has to stand here")))
                continue
            given[key] = value
    if not given and not faults:
        faults.append(CellFault(next(iter(sheets), "—"), "A2", _NO_ROWS))
    if faults:
        raise WorkbookFaults(faults[:MOST_FAULTS])
    for key, value in given.items():
        entry = known[key]
        if abs(value - entry.value) > 1e-12:
            plain = int(value) if value == int(value) else value
            text = set_value(text, entry.path, f"{entry.before} {plain}" if entry.before else plain)
    return text


def _unknown(key: str) -> Label:
    if not key:
        return _NO_PATH
    return Label(
        f"规则里没有“{key}”；A 列不要改动，也可以删去这一行",
        f"The rule has no “{key}”: leave column A as it was, or take the row out",
    )


def _number(cell: Any) -> float | None:
    if isinstance(cell, bool):
        return None
    try:
        value = float(cell)
    except (TypeError, ValueError):
        return None
    return value if abs(value) < 1e12 else None


def _label(part: dict[str, Any]) -> Label:
    label = part.get("label") or part.get("code") or ""
    if isinstance(label, dict):
        return Label(str(label.get("zh", "")), str(label.get("en", "")))
    return Label(str(label), str(label))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _nodes(items: Any, path: PathSteps) -> Iterator[tuple[PathSteps, dict[str, Any]]]:
    for place, node in enumerate(items if isinstance(items, list) else ()):
        if isinstance(node, dict):
            yield (*path, place), node
            yield from _nodes(node.get("children"), (*path, place, "children"))


def _weights(document: dict[str, Any]) -> Iterator[Entry]:
    for path, node in _nodes(document.get("tree"), ("tree",)):
        if _is_number(node.get("weight")):
            yield Entry(WEIGHTS, (*path, "weight"), _label(node), _WHAT["weight"], float(node["weight"]))


def _thresholds(document: dict[str, Any]) -> Iterator[Entry]:
    parameters = document.get("parameters")
    for name, value in parameters.items() if isinstance(parameters, dict) else ():
        yield from _numbers(("parameters", name), Label(name, name), Label("参数", "parameter"), value)
    for path, node in _nodes(document.get("tree"), ("tree",)):
        shape = node.get("score")
        for kind in ("target", "range", "bands", "curve", "categories"):
            if isinstance(shape, dict) and kind in shape:
                yield from _numbers((*path, "score", kind), _label(node), _SHAPES[kind], shape[kind])
    for key in ("bonus", "penalty", "veto"):
        items = document.get(key)
        for place, item in enumerate(items if isinstance(items, list) else ()):
            for what in ("each", "at_most", "cap"):
                if isinstance(item, dict) and _is_number(item.get(what)):
                    yield Entry(THRESHOLDS, (key, place, what), _label(item), _WHAT[what], float(item[what]))
    lights = document.get("lights")
    for light, written in lights.items() if isinstance(lights, dict) else ():
        found = _COMPARED.fullmatch(str(written).strip())
        if found and light in LIGHTS:
            what = Label(f"界线（{found[1]}）", f"edge ({found[1]})")
            yield Entry(THRESHOLDS, ("lights", light), LIGHTS[light], what, float(found[2]), found[1])
    for key in ("recover", "min_coverage", "bonus_at_most", "penalty_at_most"):
        if _is_number(document.get(key)):
            yield Entry(THRESHOLDS, (key,), _WHAT[key], _WHAT[key], float(document[key]))


_SHAPES = {
    "target": Label("目标", "target"),
    "range": Label("范围", "range"),
    "bands": Label("分段", "bands"),
    "curve": Label("折线", "curve"),
    "categories": Label("类别得分", "score of a category"),
}


def _numbers(path: PathSteps, name: Label, what: Label, value: Any) -> Iterator[Entry]:
    """The numbers in a value, however deep; text is left out."""
    if _is_number(value):
        yield Entry(THRESHOLDS, path, name, what, float(value))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _numbers((*path, place), name, Label(f"{what.zh} {place + 1}", f"{what.en} {place + 1}"), each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _numbers((*path, key), name, Label(f"{what.zh}：{key}", f"{what.en}: {key}"), each)
