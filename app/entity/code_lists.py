"""Code lists: closed sets of stable codes, each with a word for people."""

from __future__ import annotations

from enum import StrEnum

from .labels import Label


class CodeList(StrEnum):
    """Base of every code list. Members are written ``NAME = "code", "中文", "English"``.

    The database and files hold the code; pages show ``member.label``.
    """

    label: Label

    def __new__(cls, code: str, zh: str, en: str) -> CodeList:
        member = str.__new__(cls, code)
        member._value_ = code
        member.label = Label(zh, en)
        return member

    @classmethod
    def find(cls, text: str) -> CodeList | None:
        """The member that a person meant by its code or by its word in either language; None if there is none."""
        wanted = text.strip().casefold()
        for member in cls:
            if wanted in (member.value.casefold(), member.label.zh.casefold(), member.label.en.casefold()):
                return member
        return None
