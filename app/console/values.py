"""A field's value as it comes from outside (a form, an API body, a filter) and as Python has it.

``parse`` is the one reading of all three doors; it raises ``Unreadable`` with what is wrong, in words. Texts are
stripped and empty is None.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Numeric

from app.entity.code_lists import CodeList
from app.entity.labels import UserError
from app.entity.periods import Period
from app.entity.registry import EntityType, Field, FieldKind
from config import TIME_ZONE

LARGEST_INTEGER = 2**31 - 1
"""What an integer column and every id holds on all databases."""

LONGEST_TEXT = 200_000
"""Characters of a text without a declared length; also the most that is read from a form field."""

LONGEST_ENCRYPTED = 40
"""Characters of an encrypted text, so that its ciphertext fits its column in any script."""

YES = ("true", "1", "y", "yes", "on", "是")
NO = ("false", "0", "n", "no", "off", "否", "")


class Unreadable(UserError):
    """A value that a field cannot hold."""


def parse(entity: EntityType, field: Field, raw: Any) -> Any:
    """The value of a field (relations aside: see ``app.console.relations``). Raises Unreadable."""
    if raw is None or isinstance(raw, str):
        raw = (raw or "").strip() or None
        if raw is not None and "\0" in raw:
            raise Unreadable("含有不可用的字符", "Contains a character that cannot be stored")
    if raw is None:
        return False if field.kind is FieldKind.BOOLEAN and not field.nullable else None
    return _READERS[field.kind](entity, field, raw)


def identifier(raw: Any) -> int | None:
    """A row's id from an address or a form, None if it cannot be one."""
    if isinstance(raw, bool):
        return None
    try:
        number = int(raw)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 < number <= LARGEST_INTEGER and str(raw) == str(number) else None


def _text(entity: EntityType, field: Field, raw: Any) -> str:
    if not isinstance(raw, str):
        raise Unreadable("应为文字", "Has to be text")
    longest = field.maximum_length or LONGEST_TEXT
    # An encrypted column's length is that of its ciphertext.
    if field.kind is FieldKind.ENCRYPTED:
        longest = LONGEST_ENCRYPTED
    if len(raw) > longest:
        raise Unreadable(
            f"最多 {longest} 个字，现有 {len(raw)} 个", f"At most {longest} characters, these are {len(raw)}"
        )
    if field.options.pattern and not re.fullmatch(field.options.pattern, raw):
        raise Unreadable("格式不对", "Does not have the right form")
    return raw


def _integer(entity: EntityType, field: Field, raw: Any) -> int:
    number = _exact(raw)
    if number != number.to_integral_value():
        raise Unreadable("应为整数", "Has to be a whole number")
    if abs(number) > LARGEST_INTEGER:
        raise Unreadable("数太大", "The number is too large")
    return int(number)


def _decimal(entity: EntityType, field: Field, raw: Any) -> Decimal | float:
    number = _exact(raw)
    columns = entity.model.__table__.columns
    column = columns[field.name].type if field.name in columns else None  # asked for by an operation
    if not isinstance(column, Numeric) or not column.asdecimal:
        if abs(number) > Decimal("1e300"):
            raise Unreadable("数太大", "The number is too large")
        return float(number)
    places, digits = column.scale or 0, (column.precision or 38) - (column.scale or 0)
    if number != round(number, places):
        raise Unreadable(f"最多 {places} 位小数", f"At most {places} decimals")
    if abs(number) >= 10**digits:
        raise Unreadable("数太大", "The number is too large")
    return number


def _exact(raw: Any) -> Decimal:
    text = str(raw).replace("−", "-").replace(",", "") if isinstance(raw, str | int | float | Decimal) else ""
    try:
        number = Decimal(text) if len(text) <= 40 and not isinstance(raw, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise Unreadable("应为数字", "Has to be a number")
    return number


def _boolean(entity: EntityType, field: Field, raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word not in YES + NO:
        raise Unreadable("应为是或否", "Has to be yes or no")
    return word in YES


def _day(entity: EntityType, field: Field, raw: Any) -> date:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    try:
        found = date.fromisoformat(str(raw).replace("/", "-").replace(".", "-"))
    except ValueError:
        raise Unreadable("应为日期，形如 2026-11-23", "Has to be a date such as 2026-11-23") from None
    return _recent(found)


def _moment(entity: EntityType, field: Field, raw: Any) -> datetime:
    try:
        found = raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw).replace("/", "-"))
    except ValueError:
        raise Unreadable(
            "应为日期和时间，形如 2026-11-23 09:30", "Has to be a date and time such as 2026-11-23 09:30"
        ) from None
    if found.tzinfo is not None:
        found = found.astimezone(ZoneInfo(TIME_ZONE)).replace(tzinfo=None)
    return _recent(found)


def _recent(found: Any) -> Any:
    if not 1850 <= found.year <= 2200:
        raise Unreadable("年份不对", "The year cannot be right")
    return found


def _period(entity: EntityType, field: Field, raw: Any) -> str:
    try:
        return str(Period.parse(str(raw)))
    except UserError as error:
        raise Unreadable(error.label.zh, error.label.en) from None


def _code(entity: EntityType, field: Field, raw: Any) -> CodeList:
    assert field.code_list is not None
    found = field.code_list.find(str(raw))
    if found is None:
        raise Unreadable("没有这个选项，请重新选择", "There is no such choice, choose again")
    return found


_READERS: dict[FieldKind, Callable[[EntityType, Field, Any], Any]] = {
    FieldKind.TEXT: _text,
    FieldKind.LONG_TEXT: _text,
    FieldKind.ENCRYPTED: _text,
    FieldKind.INTEGER: _integer,
    FieldKind.REFERENCE: _integer,
    FieldKind.DECIMAL: _decimal,
    FieldKind.BOOLEAN: _boolean,
    FieldKind.DATE: _day,
    FieldKind.MOMENT: _moment,
    FieldKind.PERIOD: _period,
    FieldKind.CODE: _code,
}


def default(entity: EntityType, name: str) -> Any:
    """The constant that a new row's field starts with, None where the default is made up for each row."""
    declared = entity.model.__table__.columns[name].default
    return declared.arg if declared is not None and declared.is_scalar else None
