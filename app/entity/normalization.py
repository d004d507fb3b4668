"""Texts as they are stored: one way to write what looks the same."""

from __future__ import annotations

import re
import unicodedata

_FULL_WIDTH = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
_INVISIBLE = dict.fromkeys((173, 8203, 8204, 8205, 8288, 65279))
_INVISIBLE |= dict.fromkeys((*range(0, 9), 11, 12, *range(14, 32), 127))
# The dot between the parts of a name, as keyboards and files give it; GB/T 3304 and the household register use U+00B7.
# Chinese characters, letters, digits and punctuation of normal width: what nothing of the below changes.
_PLAIN = re.compile(r"[ -~一-鿿]*")
_DOT_IN_NAME = re.compile(r"(?<=[㐀-鿿])\s*[·•‧∙⋅・･․]\s*(?=[㐀-鿿])")


def is_plain(text: str) -> bool:
    """Whether a text is as it should be, but for spaces around it."""
    return _PLAIN.fullmatch(text) is not None


def normalized(text: str, *, strictly: bool = False) -> str:
    """Without spaces around it and invisible signs, digits and letters of normal width, ``·`` in names as U+00B7.

    Chinese punctuation stays full-width as people write it, except ``strictly`` (codes and numbers): there NFKC
    applies as a whole.
    """
    if _PLAIN.fullmatch(text):
        return text.strip()
    text = text.translate(_INVISIBLE)
    text = unicodedata.normalize("NFKC" if strictly else "NFC", text).translate(_FULL_WIDTH)
    return _DOT_IN_NAME.sub("·", text.replace("\u3000", " ").replace("\u00a0", " ")).strip()
