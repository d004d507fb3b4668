"""A performance target as the filled form: 财政项目支出绩效目标申报表, a workbook with one sheet to print on A4.

The form is Chinese, whatever its reader's language: it is handed in. Texts that people typed are written as texts,
never as formulas.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.worksheet.worksheet import Worksheet

from app.entity.registry import registry

from .code_lists import FundingSource, GoalKind, SafeguardArea

TITLE = "财政项目支出绩效目标申报表"
COLUMNS = 8
WIDTHS = (14, 16, 26, 12, 12, 13, 12, 18)
"""In characters, of columns A to H."""
YUAN = "#,##0.00"
YES, NO = "✓", "×"
LABELLED_TEXTS = ("overview", "grounds", "necessity", "overall_goal", "year_goal", "schedule")
CHARACTERS_IN_A_LINE, LINE_HEIGHT = 52, 16

_THIN = Side(style="thin")
_GRID = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
_LEFT = Alignment(horizontal="left", vertical="center", wrap_text=True)
_BOLD = Font(name="宋体", size=11, bold=True)
_PLAIN = Font(name="宋体", size=11)


@dataclass
class FormRows:
    """What the form holds: a target and its lines."""

    target: Any
    organization: str
    funding: Sequence[Any] = field(default_factory=tuple)
    goals: Sequence[Any] = field(default_factory=tuple)
    costs: Sequence[Any] = field(default_factory=tuple)
    safeguards: Sequence[Any] = field(default_factory=tuple)


def filled_form(rows: FormRows) -> bytes:
    """The workbook's content."""
    book = Workbook()
    sheet = book.active
    sheet.title = "绩效目标申报表"
    _Form(sheet, rows).write()
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


class _Form:
    """Writes from the top down; ``line`` is the next row."""

    def __init__(self, sheet: Worksheet, rows: FormRows) -> None:
        self.sheet, self.rows, self.line = sheet, rows, 1

    def write(self) -> None:
        for number, width in enumerate(WIDTHS):
            self.sheet.column_dimensions["ABCDEFGH"[number]].width = width
        self._heading()
        self._project()
        self._funding()
        for name in LABELLED_TEXTS:
            self._text(name)
        self._costs()
        self._goals()
        self._safeguards()
        self._review()
        page = self.sheet.page_setup
        page.paperSize, page.orientation, page.fitToWidth, page.fitToHeight = 9, "portrait", 1, 0
        self.sheet.sheet_properties.pageSetUpPr.fitToPage = True
        self.sheet.print_options.horizontalCentered = True

    # --- parts of the form ---

    def _heading(self) -> None:
        target = self.rows.target
        self._merged(1, COLUMNS, TITLE, font=Font(name="黑体", size=18, bold=True), grid=False)
        self.sheet.row_dimensions[1].height = 34
        self._next()
        self._merged(1, COLUMNS, f"（{target.period}年度）", grid=False)
        self._next()
        self._merged(1, 5, f"申报单位：{self.rows.organization}", align=_LEFT, grid=False)
        self._merged(6, COLUMNS, "金额单位：元", align=Alignment(horizontal="right"), grid=False)
        self._next()

    def _project(self) -> None:
        target = self.rows.target
        self._pair("项目名称", target.title, "项目类别", target.category.label.zh)
        self._pair("实施部门", target.department, "项目负责岗位", target.manager_post)
        self._pair("开始日期", target.started_on.isoformat(), "结束日期", target.ended_on.isoformat())
        self._pair("项目总预算", target.total_budget, "当年预算", target.year_budget)

    def _pair(self, name: str, value: Any, other: str, other_value: Any) -> None:
        self._merged(1, 1, name, font=_BOLD)
        self._merged(2, 4, value, align=_LEFT)
        self._merged(5, 5, other, font=_BOLD)
        self._merged(6, COLUMNS, other_value, align=_LEFT)
        self._next()

    def _funding(self) -> None:
        amounts = {row.source: row.amount for row in self.rows.funding}
        first = self.line
        for source in FundingSource:
            self._merged(2, 4, source.label.zh)
            self._merged(5, COLUMNS, amounts.get(source, Decimal(0)))
            self._next()
        self._down(1, first, "当年预算资金来源", font=_BOLD)

    def _text(self, name: str) -> None:
        label = registry["performance_target"].fields[name].label.zh
        value = getattr(self.rows.target, name) or ""
        self._merged(1, 1, label, font=_BOLD)
        self._merged(2, COLUMNS, value, align=_LEFT)
        lines = sum(1 + len(part) // CHARACTERS_IN_A_LINE for part in value.split("\n"))
        self.sheet.row_dimensions[self.line].height = LINE_HEIGHT * max(2, lines)
        self._next()

    def _costs(self) -> None:
        self._section("项目构成分解")
        self._header(
            ("项目内容", 1), ("明细", 2), ("单价", 1), ("数量", 1), ("计量单位", 1), ("金额", 1), ("测算依据", 1)
        )
        for content, lines in groupby(self.rows.costs, key=lambda row: row.content_item):
            first = self.line
            for row in lines:
                self._merged(2, 3, row.detail, align=_LEFT)
                values = (row.unit_price, row.quantity, row.unit_of_measure, row.amount, row.basis)
                for number, value in enumerate(values, start=4):
                    self._merged(number, number, value)
                self._next()
            self._down(1, first, content)
        self._merged(1, 6, "合计", font=_BOLD)
        self._merged(7, 7, sum((row.amount for row in self.rows.costs), Decimal(0)), font=_BOLD)
        self._merged(8, 8, None)
        self._next()

    def _goals(self) -> None:
        self._section("绩效目标")
        names = ("一级目标", "二级目标", "三级目标", "目标值", "实际值", "统计日期", "完成率", "备注")
        self._header(*((name, 1) for name in names))
        order = list(GoalKind)
        goals = sorted(self.rows.goals, key=lambda row: (order.index(row.kind), _place(row.dimension), row.code))
        for kind, of_kind in groupby(goals, key=lambda row: row.kind):
            first = self.line
            for dimension, lines in groupby(of_kind, key=lambda row: row.dimension):
                first_of_dimension = self.line
                for row in lines:
                    self._goal(row)
                self._down(2, first_of_dimension, dimension.label.zh)
            self._down(1, first, kind.label.zh)

    def _goal(self, row: Any) -> None:
        sign = "≤" if row.direction == "at_most" else ""
        values = (
            row.title,
            f"{sign}{row.target_value:g}{row.unit_of_measure}",
            None if row.actual_value is None else f"{row.actual_value:g}{row.unit_of_measure}",
            row.measured_on.isoformat() if row.measured_on else None,
            None if row.attainment is None else f"{row.attainment:g}%",
            row.remark,
        )
        for number, value in enumerate(values, start=3):
            self._merged(number, number, value, align=_LEFT if number in (3, 8) else _CENTRE)
        self._next()

    def _safeguards(self) -> None:
        self._section("制度保障")
        self._header(
            ("制度类别", 1), ("文件名称", 2), ("具体措施", 2), ("立项和计划", 1), ("实施", 1), ("收尾和完成", 1)
        )
        order = list(SafeguardArea)
        found = sorted(self.rows.safeguards, key=lambda row: (order.index(row.area), row.code))
        for area, lines in groupby(found, key=lambda row: row.area):
            first = self.line
            for row in lines:
                self._merged(2, 3, row.document_name, align=_LEFT)
                self._merged(4, 5, row.measure_taken, align=_LEFT)
                for number, holds in enumerate((row.at_planning, row.at_implementation, row.at_completion), start=6):
                    self._merged(number, number, YES if holds else NO)
                self._next()
            self._down(1, first, area.label.zh)

    def _review(self) -> None:
        target = self.rows.target
        self._pair("申报日期", _day(target.submitted_on), "批复日期", _day(target.approved_on))
        self._merged(1, 1, "审核意见", font=_BOLD)
        self._merged(2, COLUMNS, target.opinion, align=_LEFT)
        self.sheet.row_dimensions[self.line].height = 2 * LINE_HEIGHT
        self._next()

    # --- cells ---

    def _section(self, name: str) -> None:
        self._merged(1, COLUMNS, name, font=_BOLD)
        self._next()

    def _header(self, *columns: tuple[str, int]) -> None:
        first = 1
        for name, width in columns:
            self._merged(first, first + width - 1, name, font=_BOLD)
            first += width
        self._next()

    def _next(self) -> None:
        self.line += 1

    def _merged(
        self, first: int, last: int, value: Any, *, font: Font = _PLAIN, align: Alignment = _CENTRE, grid: bool = True
    ) -> None:
        """One value across columns of the present row."""
        self._block(self.line, self.line, first, last, value, font, align, grid)

    def _down(self, column: int, first: int, value: Any, *, font: Font = _PLAIN) -> None:
        """One value down the rows from ``first`` to the last one written."""
        if self.line > first:
            self._block(first, self.line - 1, column, column, value, font, _CENTRE, True)

    def _block(
        self, top: int, bottom: int, left: int, right: int, value: Any, font: Font, align: Alignment, grid: bool
    ) -> None:
        for row in self.sheet.iter_rows(top, bottom, left, right):
            for cell in row:
                cell.font, cell.alignment = font, align
                if grid:
                    cell.border = _GRID
        cell = self.sheet.cell(top, left)
        if isinstance(value, Decimal):
            cell.value, cell.number_format = float(value), YUAN
        elif isinstance(value, str):
            # As a text even where it begins like a formula; Excel keeps the mark of it when the cell is edited.
            cell.value = value
            cell.data_type, cell.quotePrefix = "s", value.startswith(("=", "+", "-", "@"))
        else:
            cell.value = value
        if (top, left) != (bottom, right):
            self.sheet.merge_cells(start_row=top, start_column=left, end_row=bottom, end_column=right)


def _place(dimension: Any) -> int:
    return list(type(dimension)).index(dimension)


def _day(day: Any) -> str:
    return day.isoformat() if day else ""


def in_order(costs: Iterable[Any]) -> list[Any]:
    """Costs with those of one content together, in the order in which contents were first entered."""
    found = list(costs)
    contents = list(dict.fromkeys(row.content_item for row in found))
    return sorted(found, key=lambda row: contents.index(row.content_item))
