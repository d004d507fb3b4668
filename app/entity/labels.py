"""Words for people, in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Label:
    """A text in both languages of the console. Chinese is the default."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """The text for a language code such as ``zh``, ``zh-CN`` or ``en``."""
        return self.en if language.lower().startswith("en") else self.zh

    def format(self, **values: Any) -> Label:
        """The label with ``{name}`` replaced in both languages; values that are labels are resolved per language."""

        def filled(language: str) -> str:
            resolved = {k: v.in_language(language) if isinstance(v, Label) else v for k, v in values.items()}
            return self.in_language(language).format(**resolved)

        return Label(filled("zh"), filled("en"))

    def and_then(self, other: Label) -> Label:
        """One sentence after the other."""
        return Label(f"{self.zh}{other.zh}", f"{self.en} {other.en}")

    @classmethod
    def of(cls, value: str | dict[str, str] | Label) -> Label:
        """From a rule file's ``label``: one string for both languages, or ``{zh: …, en: …}``."""
        if isinstance(value, Label):
            return value
        if isinstance(value, str):
            return cls(value, value)
        zh = value.get("zh") or value.get("en") or ""
        return cls(zh, value.get("en") or zh)

    def __str__(self) -> str:
        return self.zh


class UserError(Exception):
    """Something a person can mend. ``label`` says what is wrong, where, and what to do, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh)
        self.label = Label(zh, en)
