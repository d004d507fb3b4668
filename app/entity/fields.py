"""How the columns and relations of an entity are declared: a mapped column and what people call it, in one place.

Each function returns an ordinary ``mapped_column`` whose ``info["field"]`` holds a ``FieldOptions``; everything
generated from an entity (console, API, Excel, filters, the rule editor) reads it from there.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Date, DateTime, ForeignKey, Numeric, String
from sqlalchemy.orm import MappedColumn, mapped_column

from app.database.types import LongText

from .code_lists import CodeList
from .column_types import CodeType, EncryptedType, PeriodType
from .labels import Label


@dataclass(frozen=True, slots=True)
class FieldOptions:
    """What a declaration says of a column beyond its type."""

    label: Label
    help: Label | None = None
    unit: Label | None = None
    listed: bool = False
    """Shown in lists and in the cards on phones, in the order of declaration."""
    searched: bool = False
    """Found by the search box (text that contains the words)."""
    filtered: bool = False
    """Offered as a quick filter above lists; every readable field can be filtered by all the same."""
    personal: bool = False
    """Identifies a person: masked on pages and in files unless the role may reveal it."""
    sensitive: bool = False
    """Sensitive personal information (Personal Information Protection Law, article 28): encrypted or restricted."""
    restricted: str | None = None
    """A class of information that only some roles see at all: a key of ``app.access.field_access.CLASSES``."""
    editable: bool = True
    """False for what the system sets itself."""
    target: str | None = None
    """For a reference: the code of the entity it points to."""
    hidden: bool = False
    """Internal: never shown, filtered by, exported or offered to rules."""
    hash_of: str | None = None
    """For the keyed hash beside an encrypted column: that column's name."""
    pattern: str | None = None
    """A regular expression that the whole text must match."""
    filled_from: tuple[str, ...] = ()
    """Where the value comes from when none is given: paths over to-one relations such as ``member.organization``,
    the first that leads to a value (``app.entity.validation``), or another field of the row: a text takes the label of
    a code, a date the first day of a period. Together with ``editable=False`` it always comes from
    there, and follows when the source changes."""


def _options(zh: str, en: str, options: dict[str, Any]) -> FieldOptions:
    help_, unit = options.pop("help", None), options.pop("unit", None)
    return FieldOptions(
        Label(zh, en), help=Label(*help_) if help_ else None, unit=Label(*unit) if unit else None, **options
    )


def _column(type_: Any, zh: str, en: str, options: dict[str, Any], column: dict[str, Any]) -> MappedColumn[Any]:
    field = _options(zh, en, options)
    # A column that is filtered or sorted by in every list has an index.
    if field.filtered and not column.get("unique") and "index" not in column:
        column["index"] = True
    return mapped_column(type_, info={"field": field}, **column)


# ``name`` and ``key`` serve fields whose name is a reserved word in some database: the attribute keeps the name.
_COLUMN_ARGUMENTS = {
    "default",
    "index",
    "key",
    "name",
    "nullable",
    "onupdate",
    "primary_key",
    "server_default",
    "unique",
}


def _split(arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    column = {name: value for name, value in arguments.items() if name in _COLUMN_ARGUMENTS}
    if "name" in column and "key" not in column:
        raise TypeError(f"{column['name']}: say key= too, the attribute's own name")
    return {name: value for name, value in arguments.items() if name not in _COLUMN_ARGUMENTS}, column


def new_code() -> str:
    """A fresh code for a row that was given none: 16 characters, 80 random bits."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()


def code(zh: str, en: str, **arguments: Any) -> MappedColumn[Any]:
    """The stable code that names a row in files and other systems: unique, and made up if none is given."""
    arguments = {"unique": True, "default": new_code, **arguments}
    return _column(String(40), zh, en, *_split(arguments))


def text(zh: str, en: str, length: int = 100, **arguments: Any) -> MappedColumn[Any]:
    """A short text of at most ``length`` characters."""
    return _column(String(length), zh, en, *_split(arguments))


def long_text(zh: str, en: str, **arguments: Any) -> MappedColumn[Any]:
    """A text of any length."""
    return _column(LongText, zh, en, *_split(arguments))


def number(zh: str, en: str, **arguments: Any) -> MappedColumn[Any]:
    """An integer, float or boolean: the type follows from the annotation ``Mapped[int]``."""
    return _column(None, zh, en, *_split(arguments))


def flag(zh: str, en: str, **arguments: Any) -> MappedColumn[Any]:
    """Yes or no; no by default."""
    arguments.setdefault("default", False)
    return _column(None, zh, en, *_split(arguments))


def money(zh: str, en: str, **arguments: Any) -> MappedColumn[Any]:
    """An amount in yuan with two decimals (``decimal.Decimal``)."""
    arguments.setdefault("unit", ("元", "yuan"))
    return _column(Numeric(12, 2), zh, en, *_split(arguments))


def day(zh: str, en: str, **arguments: Any) -> MappedColumn[Any]:
    """A date."""
    return _column(Date(), zh, en, *_split(arguments))


def moment(zh: str, en: str, **arguments: Any) -> MappedColumn[Any]:
    """A date and time of day in Asia/Shanghai, without zone."""
    return _column(DateTime(), zh, en, *_split(arguments))


def period(zh: str, en: str, **arguments: Any) -> MappedColumn[Any]:
    """A period such as ``2026-09``. For filters and windows it stands for its first day."""
    return _column(PeriodType(), zh, en, *_split(arguments))


def code_of(code_list: type[CodeList], zh: str, en: str, **arguments: Any) -> MappedColumn[Any]:
    """A code of a code list."""
    return _column(CodeType(code_list), zh, en, *_split(arguments))


def encrypted(zh: str, en: str, **arguments: Any) -> MappedColumn[Any]:
    """Text encrypted in the database. Declare a ``hash_of`` column beside it for look-up and uniqueness."""
    arguments = {"personal": True, "sensitive": True, **arguments}
    return _column(EncryptedType(), zh, en, *_split(arguments))


def hash_of(column: str, **arguments: Any) -> MappedColumn[Any]:
    """The keyed hash of an encrypted column of the same entity; set by the system whenever that column is."""
    options, column_arguments = _split(arguments)
    column_arguments.setdefault("index", not column_arguments.get("unique"))
    return _column(
        String(64), "", "", {"hidden": True, "editable": False, "hash_of": column, **options}, column_arguments
    )


def reference(target: str, zh: str, en: str, **arguments: Any) -> MappedColumn[Any]:
    """The id of a row of another entity, named by that entity's code. Call the column ``<relation>_id`` and declare
    the ``relationship`` of the same name without ``_id`` beside it. Always indexed."""
    options, column = _split(arguments)
    column.setdefault("index", not column.get("unique"))
    ondelete = options.pop("ondelete", None)
    options["target"] = target
    column_info = {"field": _options(zh, en, options)}
    return mapped_column(ForeignKey(f"bc_{target}.id", ondelete=ondelete), info=column_info, **column)
