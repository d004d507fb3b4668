"""What people type into cells, as values of a field's kind."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from app.entity.labels import UserError
from app.entity.periods import Period
from app.entity.registry import Field, FieldKind

YES = {"是", "有", "1", "y", "yes", "true", "t", "√", "✓", "1.0"}
NO = {"否", "无", "0", "n", "no", "false", "f", "×", "✗", "0.0"}
EXCEL_EPOCH = date(1899, 12, 30)
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?)?月?(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?")


def value_of(field: Field, cell: Any) -> Any:
    """The value that a cell means; None for an empty one. Raises UserError that says what was expected."""
    if isinstance(cell, str):
        cell = unicodedata.normalize("NFKC", cell).strip()
    if cell is None or cell == "":
        return None
    match field.kind:
        case FieldKind.TEXT | FieldKind.LONG_TEXT | FieldKind.ENCRYPTED:
            return _text(field, cell)
        case FieldKind.INTEGER:
            return _integer(cell)
        case FieldKind.DECIMAL:
            return _decimal(cell)
        case FieldKind.BOOLEAN:
            return _truth(cell)
        case FieldKind.DATE:
            return _date(cell)
        case FieldKind.MOMENT:
            return _moment(cell)
        case FieldKind.PERIOD:
            return _period(cell)
        case FieldKind.CODE:
            return _code(field, cell)
    raise UserError(f"“{cell}”无法识别", f"“{cell}” is not understood")


def text_of(cell: Any) -> str:
    """A cell as text: whole numbers without the decimals that Excel adds."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return str(cell).strip()


def _text(field: Field, cell: Any) -> str:
    text = text_of(cell)
    if field.maximum_length and field.kind is FieldKind.TEXT and len(text) > field.maximum_length:
        raise UserError(
            f"有 {len(text)} 个字，最多 {field.maximum_length} 个",
            f"has {len(text)} characters, at most {field.maximum_length} are allowed",
        )
    return text


def _number(cell: Any) -> str:
    text = text_of(cell).replace(",", "")
    return text.removesuffix("%").strip() if text.endswith("%") else text


def _integer(cell: Any) -> int:
    try:
        number = Decimal(_number(cell))
        if number != number.to_integral_value():
            raise InvalidOperation
        return int(number)
    except (InvalidOperation, ValueError, OverflowError):
        raise UserError(f"“{cell}”不是整数", f"“{cell}” is not a whole number") from None


def _decimal(cell: Any) -> float:
    try:
        number = float(Decimal(_number(cell)))
        if number in (float("inf"), float("-inf")) or number != number:
            raise InvalidOperation
        return number / 100 if text_of(cell).endswith("%") else number
    except (InvalidOperation, ValueError):
        raise UserError(f"“{cell}”不是数字", f"“{cell}” is not a number") from None


def _truth(cell: Any) -> bool:
    text = text_of(cell).casefold()
    if text in YES:
        return True
    if text in NO:
        return False
    raise UserError(f"“{cell}”应为“是”或“否”", f"“{cell}” should be yes or no")


def _date(cell: Any) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = text_of(cell)
    try:
        if isinstance(cell, int | float) and 1 <= cell < 2_958_466:  # an Excel serial number up to year 9999
            if re.fullmatch(r"(19|20)\d{6}", text):
                return date(int(text[:4]), int(text[4:6]), int(text[6:]))
            return EXCEL_EPOCH + timedelta(days=int(cell))
        if re.fullmatch(r"\d{8}", text):
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        if re.fullmatch(r"\d{5}", text):
            return EXCEL_EPOCH + timedelta(days=int(text))
        found = _DATE.fullmatch(text)
        if found:
            return date(int(found[1]), int(found[2]), int(found[3] or 1))
    except (ValueError, OverflowError):
        pass
    raise UserError(f"“{text}”不是日期；请写成 2026-11-24", f"“{text}” is not a date; write it as 2026-11-24")


def _moment(cell: Any) -> datetime:
    if isinstance(cell, datetime):
        return cell
    text = text_of(cell)
    try:
        return datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        day = _date(cell)
        return datetime(day.year, day.month, day.day)


def _period(cell: Any) -> str:
    if isinstance(cell, datetime | date):
        return f"{cell:%Y-%m}"
    text = text_of(cell)
    if re.fullmatch(r"\d{6}", text):
        text = f"{text[:4]}-{text[4:]}"
    return str(Period.parse(text))


def _code(field: Field, cell: Any) -> Any:
    if field.code_list is None:
        raise TypeError(f"{field.name} has no code list")
    text = text_of(cell)
    found = field.code_list.find(text)
    if found is None:
        words = "、".join(member.label.zh for member in field.code_list)
        codes = ", ".join(field.code_list)
        raise UserError(f"没有“{text}”这个选项；可以填：{words}", f"“{text}” is not one of: {codes}")
    return found
