"""The faulty rows of an import as a workbook: as they came, with a column that says what is wrong with each. Mended, it
is uploaded again as it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import xlsxwriter

from .headings import REASON
from .staging import RowState, Stage

MOST_WIDTH = 60


def write_faulty_rows(path: Path, heading: Sequence[str], stage: Stage, language: str) -> int:
    """Write them; their number."""
    count = 0
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as workbook:
        sheet = workbook.add_worksheet()
        bold = workbook.add_format({"bold": True, "bg_color": "#E8EDF3"})
        wrong = workbook.add_format({"bg_color": "#FBE9E7"})
        reason = workbook.add_format({"font_color": "#B3261E", "text_wrap": True})
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, MOST_WIDTH)
        sheet.set_column(1, max(len(heading), 1), 18)
        sheet.write_row(0, 0, [REASON.in_language(language), *heading], bold)
        for row in stage.rows(RowState.FAULTY):
            count += 1
            faulty = {name for name, _, _ in row.faults}
            sheet.write_string(count, 0, _sentence(row.faults, language), reason)
            for column, cell in enumerate(row.cells):
                if cell:
                    name = heading[column] if column < len(heading) else ""
                    sheet.write_string(count, column + 1, cell, wrong if name in faulty else None)
                elif column < len(heading) and heading[column] in faulty:
                    sheet.write_blank(count, column + 1, None, wrong)
    return count


def _sentence(faults: Sequence[tuple[str, str, str]], language: str) -> str:
    english = language == "en"
    parts = [
        f"{heading}: {en}" if english and heading else en if english else f"{heading}：{zh}" if heading else zh
        for heading, zh, en in faults
    ]
    return ("; " if english else "；").join(parts)
