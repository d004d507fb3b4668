"""The reader's language, for words that are said below the console."""

from __future__ import annotations

from flask_babel import get_locale
from flask_babel.speaklater import LazyString

from app.entity.labels import Label


def language() -> str:
    """``zh`` or ``en``: the language of the present request, Chinese outside of one."""
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else "zh"


def words(label: Label) -> str:
    """A label in the reader's language."""
    return label.in_language(language())


def lazy(zh: str, en: str) -> LazyString:
    """A text for FAB's class attributes, resolved each time it is shown."""
    label = Label(zh, en)
    return LazyString(lambda: words(label))
