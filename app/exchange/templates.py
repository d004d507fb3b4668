"""A workbook to fill in for an entity: headings with notes, drop-downs, an example, and a sheet that explains."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from app.entity.labels import Label
from app.entity.registry import EntityType, Field, FieldKind, Relation, registry

from .headings import offered
from .rows import EXAMPLE

ROWS = 5_000
"""To so many rows drop-downs and formats reach."""

HEAD, REQUIRED = PatternFill("solid", fgColor="E8EDF3"), PatternFill("solid", fgColor="FBE9E7")
GREY = Font(italic=True, color="808080")
EXPLANATIONS, CHOICES = Label("填写说明", "Explanations"), Label("选项", "Choices")
YES_NO = (Label("是", "Yes"), Label("否", "No"))

KINDS = {
    FieldKind.TEXT: Label("文字", "text"),
    FieldKind.LONG_TEXT: Label("文字", "text"),
    FieldKind.ENCRYPTED: Label("文字（单元格请设为“文本”格式）", "text (set the cells to “Text”)"),
    FieldKind.INTEGER: Label("整数", "whole number"),
    FieldKind.DECIMAL: Label("数字", "number"),
    FieldKind.BOOLEAN: Label("是或否", "yes or no"),
    FieldKind.DATE: Label("日期，如 2026-11-24", "date such as 2026-11-24"),
    FieldKind.MOMENT: Label("日期和时间，如 2026-11-24 09:30", "date and time such as 2026-11-24 09:30"),
    FieldKind.PERIOD: Label("期间，如 2026、2026Q3、2026-09", "period such as 2026, 2026Q3, 2026-09"),
    FieldKind.CODE: Label("从下拉列表中选择", "choose from the list"),
}

NOTES = (
    Label(
        "红色底的列必须填写；其他列可以留空，也可以整列删去。",
        "Columns on red must be filled in; others may stay empty or be deleted.",
    ),
    Label(
        "每条记录占一行。列的先后不限，列名请不要改动。",
        "One record a row. Columns may stand in any order; keep their names.",
    ),
    Label(
        "编号相同的记录会被更新，没有编号的记录会新增。",
        "A record whose code is there already is changed; one without a code is added.",
    ),
    Label(
        "更新已有记录时，空的单元格表示清空这一项；不想改动的列请整列删去。",
        "When a record is changed, an empty cell empties the value; delete columns that are not to change.",
    ),
    Label(
        "关联的组织、党员等可以填代码，也可以填全称（没有重名时）。",
        "Related records are named by their code, or by their full name where only one is called so.",
    ),
    Label("示例行不会导入。", "The example row is not imported."),
)


def template(entity: EntityType, language: str) -> bytes:
    """The workbook in a language, ``zh`` or ``en``."""
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    sheet.title = _sheet_name(entity.label.in_language(language))
    explanations = workbook.create_sheet(EXPLANATIONS.in_language(language))
    choices = workbook.create_sheet(CHOICES.in_language(language))
    columns = offered(entity)
    lists = 0
    for position, (_name, label, field, relation) in enumerate(columns, start=1):
        letter = get_column_letter(position)
        head = sheet.cell(1, position, label.in_language(language))
        head.font = Font(bold=True)
        head.fill = REQUIRED if is_required(field) else HEAD
        head.alignment = Alignment(wrap_text=True, vertical="center")
        head.comment = Comment(_note(field, relation, language), "Beacon", width=260, height=110)
        sheet.column_dimensions[letter].width = 14 if field.kind in (FieldKind.DATE, FieldKind.BOOLEAN) else 20
        number_format = _format(field)
        if number_format:
            for row in range(2, 202):
                sheet.cell(row, position).number_format = number_format
        example = sheet.cell(2, position, _example(field, relation, language))
        example.font = GREY
        words = _words(field, language)
        if words:
            lists += 1
            column = get_column_letter(lists)
            for row, word in enumerate(words, start=1):
                choices[f"{column}{row}"] = word
            area = f"{quote_sheetname(choices.title)}!${column}$1:${column}${len(words)}"
            rule = DataValidation(type="list", formula1=area, allow_blank=True)
            rule.errorTitle, rule.error = "", _pick(language)
            rule.add(f"{letter}2:{letter}{ROWS}")
            sheet.add_data_validation(rule)
    sheet.cell(2, 1, EXAMPLE.in_language(language)).font = GREY
    sheet.freeze_panes = "A2"
    sheet.row_dimensions[1].height = 30
    choices.sheet_state = "hidden"
    _explain(explanations, entity, language)
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def is_required(field: Field) -> bool:
    """Whether a new row needs this column in its file."""
    return not field.nullable and not field.has_default


def _sheet_name(name: str) -> str:
    return "".join(sign for sign in name if sign not in r"[]:*?/\\")[:31]


def _pick(language: str) -> str:
    return Label("请从列表中选择", "Choose from the list").in_language(language)


def _words(field: Field, language: str) -> list[str]:
    if field.code_list is not None:
        return [member.label.in_language(language) for member in field.code_list]
    if field.kind is FieldKind.BOOLEAN:
        return [word.in_language(language) for word in YES_NO]
    return []


def _format(field: Field) -> str | None:
    """Numbers of people and codes are texts, or Excel drops their last digits and first zeros."""
    if field.kind in (FieldKind.ENCRYPTED, FieldKind.TEXT, FieldKind.REFERENCE, FieldKind.PERIOD):
        return "@"
    return "yyyy-mm-dd" if field.kind is FieldKind.DATE else None


def _kind(field: Field, relation: Relation | None) -> Label:
    if relation is not None:
        target = registry[relation.target].label
        return Label(f"{target.zh}的代码或全称", f"code or full name ({target.en.lower()})")
    return KINDS[field.kind]


def _note(field: Field, relation: Relation | None, language: str) -> str:
    lines = [_kind(field, relation).in_language(language)]
    if is_required(field):
        lines.insert(0, Label("必须填写", "required").in_language(language))
    if field.options.unit is not None:
        unit = field.options.unit
        lines.append(Label(f"单位：{unit.zh}", f"in {unit.en}").in_language(language))
    if field.options.help is not None:
        lines.append(field.options.help.in_language(language))
    return "\n".join(lines)


def _example(field: Field, relation: Relation | None, language: str) -> Any:
    if relation is not None:
        return None if relation.nullable else Label("上级给的代码", "its code").in_language(language)
    if field.nullable and field.kind in (FieldKind.TEXT, FieldKind.LONG_TEXT):
        return None
    words = _words(field, language)
    if words:
        return words[0]
    return {
        FieldKind.TEXT: Label("填写文字", "some text").in_language(language),
        FieldKind.DATE: date(2026, 7, 1),
        FieldKind.MOMENT: "2026-07-01 09:30",
        FieldKind.PERIOD: "2026-07",
        FieldKind.INTEGER: 1,
        FieldKind.DECIMAL: 1.5,
    }.get(field.kind)


def _explain(sheet: Worksheet, entity: EntityType, language: str) -> None:
    for note in NOTES:
        sheet.append([note.in_language(language)])
    sheet.append([])
    heads = (Label("列名", "Column"), Label("代码", "Code"), Label("必填", "Required"), Label("填写内容", "Content"))
    heads += (Label("可选的值", "Choices"), Label("说明", "Note"))
    sheet.append([head.in_language(language) for head in heads])
    for cell in sheet[sheet.max_row]:
        cell.font, cell.fill = Font(bold=True), HEAD
    for name, label, field, relation in offered(entity):
        required = YES_NO[0].in_language(language) if is_required(field) else ""
        choices = "、".join(_words(field, language)) if field.code_list is not None else ""
        help_ = field.options.help.in_language(language) if field.options.help else ""
        kind = _kind(field, relation).in_language(language)
        sheet.append([label.in_language(language), name, required, kind, choices, help_])
    for letter, width in zip("ABCDEF", (24, 22, 8, 34, 60, 50), strict=True):
        sheet.column_dimensions[letter].width = width
    for row in sheet.iter_rows(min_row=len(NOTES) + 2):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
