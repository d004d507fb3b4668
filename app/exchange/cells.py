"""What people type into cells, as values of a field's kind."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from app.entity.labels import UserError
from app.entity.normalization import normalized
from app.entity.periods import Period
from app.entity.registry import Field, FieldKind

YES = {"是", "有", "1", "y", "yes", "true", "t", "√", "✓", "1.0"}
NO = {"否", "无", "0", "n", "no", "false", "f", "×", "✗", "0.0"}
FORMULA_STARTS = "=+-@\t\r"
EXCEL_EPOCH = date(1899, 12, 30)
FIRST_YEAR, LAST_YEAR = 1850, 2200
LARGEST_INTEGER = 2**31 - 1
LONGEST_TEXT, LONGEST_ENCRYPTED = 200_000, 40
_DATE = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})(?:\s*[-/.月]\s*(\d{1,2})\s*[日号]?)?月?"
    r"(?:[ T]*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?"
)


def value_of(field: Field, cell: Any) -> Any:
    """The value that a cell means; None for an empty one. Raises UserError that says what was expected."""
    if isinstance(cell, str):
        if cell[:1] == "'" and cell[1:2] and cell[1:2] in FORMULA_STARTS:
            cell = cell[1:]  # as our own files make it harmless
        if "\0" in cell:
            raise UserError("含有不可用的字符", "contains a character that cannot be stored")
        is_words = field.kind in (FieldKind.TEXT, FieldKind.LONG_TEXT) and field.name != "code"
        cell = normalized(cell)
        if not (is_words or cell.isascii()):
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


def cell_words(cell: Any) -> str:
    """A cell as it is shown again: moments with their time of day, whole numbers without decimals."""
    if cell is None:
        return ""
    if isinstance(cell, datetime) and (cell.hour or cell.minute or cell.second):
        return cell.isoformat(" ", "minutes")
    return text_of(cell)


def _text(field: Field, cell: Any) -> str:
    text = cell if isinstance(cell, str) else text_of(cell)
    longest = longest_of(field) or LONGEST_TEXT
    if field.kind is FieldKind.ENCRYPTED and isinstance(cell, float) and abs(cell) >= 1e15:
        raise UserError(
            "Excel 把它存成了数字，末几位已丢失；请把这一列设为“文本”后重新填写",
            "Excel kept it as a number and lost its last digits; set the column to “Text” and enter it again",
        )
    if len(text) > longest:
        raise UserError(
            f"有 {len(text)} 个字，最多 {longest} 个", f"has {len(text)} characters, at most {longest} are allowed"
        )
    return text


def longest_of(field: Field) -> int | None:
    """How many characters a text of a field may have; None for fields of other kinds."""
    match field.kind:
        case FieldKind.ENCRYPTED:
            return LONGEST_ENCRYPTED
        case FieldKind.TEXT:
            return field.maximum_length or LONGEST_TEXT
        case FieldKind.LONG_TEXT:
            return LONGEST_TEXT
    return None


def _number(cell: Any) -> str:
    text = text_of(cell).replace(",", "")
    return text.removesuffix("%").strip() if text.endswith("%") else text


def _integer(cell: Any) -> int:
    try:
        number = Decimal(_number(cell))
        if number != number.to_integral_value():
            raise InvalidOperation
        if abs(number) > LARGEST_INTEGER:
            raise OverflowError
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
    found: date | None = None
    try:
        if isinstance(cell, int | float) and 1 <= cell < 2_958_466 and not re.fullmatch(r"(18|19|20|21)\d{6}", text):
            found = EXCEL_EPOCH + timedelta(days=int(cell))  # an Excel serial number up to year 9999
        elif re.fullmatch(r"\d{8}", text):
            found = date(int(text[:4]), int(text[4:6]), int(text[6:]))
        elif re.fullmatch(r"\d{5}", text):
            found = EXCEL_EPOCH + timedelta(days=int(text))
        elif parts := _DATE.fullmatch(text):
            found = date(int(parts[1]), int(parts[2]), int(parts[3] or 1))
    except (ValueError, OverflowError):
        pass
    if found is None:
        raise UserError(f"“{text}”不是日期；请写成 2026-11-24", f"“{text}” is not a date; write it as 2026-11-24")
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise UserError(f"“{text}”的年份不对", f"“{text}”: the year cannot be right")
    return found


def _moment(cell: Any) -> datetime:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, float) and 1 <= cell < 2_958_466 and not cell.is_integer():
        minutes = round((cell - int(cell)) * 24 * 60)
        return datetime.combine(_date(int(cell)), time()) + timedelta(minutes=minutes)
    text = text_of(cell)
    parts = _DATE.fullmatch(text)
    if parts and parts[4]:
        try:
            day = _date(f"{parts[1]}-{parts[2]}-{parts[3] or 1}")
            return datetime.combine(day, time(int(parts[4]), int(parts[5]), int(parts[6] or 0)))
        except ValueError:
            raise UserError(
                f"“{text}”的时间不对；请写成 2026-11-24 09:30",
                f"“{text}” has no possible time; write it as 2026-11-24 09:30",
            ) from None
    return datetime.combine(_date(cell), time())


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
