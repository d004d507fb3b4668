"""Single values as fields show them, and as rule files write them. What cannot be read as the kind that is wanted is
written as it was typed: checking the rule then says at its place what was expected."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from app.entity.labels import Label

from .documents import ABSENT

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?")


def text_of(value: Any) -> str:
    """Any single value as a field shows it."""
    if value is None or value is ABSENT:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.15g}" if value != int(value) or abs(value) >= 1e15 else str(int(value))
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def text_value(text: str | None) -> Any:
    text = (text or "").strip()
    return text or ABSENT


def number_value(text: str | None) -> Any:
    """A number from what was typed: full-width digits and a true minus sign are taken, a percent sign too."""
    written = (text or "").strip().translate(_TYPED)
    if not written:
        return ABSENT
    share = written.endswith("%")
    digits = written.removesuffix("%").strip().replace(",", "")
    if not _NUMBER.fullmatch(digits):
        return written
    if share:
        return _number(round(float(digits) / 100, 12))
    return _number(float(digits)) if re.search(r"[.eE]", digits) else int(digits)


_TYPED = str.maketrans("０１２３４５６７８９．－−％，", "0123456789.--%,")


def _number(value: float) -> int | float:
    return int(value) if value == int(value) else value


def expression_value(text: str | None) -> Any:
    """An expression as a file writes it: numbers and truth values by themselves are no text."""
    written = " ".join((text or "").split())
    if not written:
        return ABSENT
    if _NUMBER.fullmatch(written):
        return number_value(written)
    return {"true": True, "false": False}.get(written, written)


def day_value(text: str | None) -> Any:
    written = (text or "").strip()
    try:
        return date.fromisoformat(written) if written else ABSENT
    except ValueError:
        return written


def label_texts(value: Any) -> tuple[str, str]:
    """Chinese and English of a ``label``; one string stands for both and is shown as Chinese."""
    if isinstance(value, dict):
        return text_of(value.get("zh")), text_of(value.get("en"))
    return text_of(value), ""


def label_value(zh: str | None, en: str | None) -> Any:
    """``{zh: …, en: …}``; a plain string where one language stands for both."""
    chinese, english = (zh or "").strip(), (en or "").strip()
    if chinese and english and chinese != english:
        return {"zh": chinese, "en": english}
    return chinese or english or ABSENT


def label_shown(value: Any) -> Label:
    """A label of a document for people; empty where there is none."""
    zh, en = label_texts(value)
    return Label(zh or en, en or zh)


def pair_values(low: str | None, high: str | None) -> Any:
    """``[low, high]``; ABSENT unless something was typed."""
    ends = [number_value(low), number_value(high)]
    return ABSENT if ends == [ABSENT, ABSENT] else ["" if end is ABSENT else end for end in ends]


def pair_texts(value: Any) -> tuple[str, str]:
    if isinstance(value, list) and len(value) == 2:
        return text_of(value[0]), text_of(value[1])
    return "", ""
