"""Column types of entities: codes, periods, encrypted text."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from app.database.encryption import keyring

from .code_lists import CodeList
from .periods import Period


class CodeType(TypeDecorator[CodeList]):
    """A code of a code list, stored as text so that lists can grow without a change of the table."""

    impl = String(40)
    cache_ok = True

    def __init__(self, code_list: type[CodeList]) -> None:
        super().__init__()
        self.code_list = code_list

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        # Unknown codes are refused here, whichever door they came through.
        return None if value is None or value == "" else self.code_list(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> CodeList | None:
        return None if value is None else self.code_list(value)


class PeriodType(TypeDecorator[str]):
    """A period in its written form (``2026-09``); Python sees the same text, checked on the way in."""

    impl = String(7)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None or value == "" else str(Period.parse(str(value)))


class EncryptedType(TypeDecorator[str]):
    """Text encrypted with SM4-GCM; the column holds key id, nonce and ciphertext. Cannot be compared in SQL:
    a keyed hash in a column beside it serves exact look-up and uniqueness (``app.entity.fields.encrypted``)."""

    impl = String(255)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None or value == "" else keyring().encrypt(str(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else keyring().decrypt(value)
