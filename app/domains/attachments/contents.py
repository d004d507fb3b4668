"""What may be attached: told by a file's content, whatever its name says, and names made safe."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from dataclasses import dataclass

import puremagic

from app.entity.labels import UserError

LARGEST = 20 * 2**20
"""Bytes."""
LONGEST_NAME = 120


@dataclass(frozen=True)
class Kind:
    """A kind of file: its endings, the usual one first, and its media type."""

    endings: tuple[str, ...]
    media_type: str


_OFFICE = "application/vnd.openxmlformats-officedocument"
PDF = Kind((".pdf",), "application/pdf")
KINDS = {
    ".pdf": PDF,
    ".png": Kind((".png",), "image/png"),
    ".jpg": Kind((".jpg", ".jpeg"), "image/jpeg"),
    ".gif": Kind((".gif",), "image/gif"),
    ".webp": Kind((".webp",), "image/webp"),
    ".docx": Kind((".docx",), f"{_OFFICE}.wordprocessingml.document"),
    ".xlsx": Kind((".xlsx",), f"{_OFFICE}.spreadsheetml.sheet"),
    ".pptx": Kind((".pptx",), f"{_OFFICE}.presentationml.presentation"),
    ".doc": Kind((".doc", ".wps"), "application/msword"),
    ".xls": Kind((".xls", ".et"), "application/vnd.ms-excel"),
    ".ppt": Kind((".ppt", ".dps"), "application/vnd.ms-powerpoint"),
    ".ofd": Kind((".ofd",), "application/ofd"),
    ".txt": Kind((".txt", ".csv"), "text/plain"),
}
ACCEPTED = ",".join(ending for kind in KINDS.values() for ending in kind.endings)
_PARTS = {"word/document.xml": ".docx", "xl/workbook.xml": ".xlsx", "ppt/presentation.xml": ".pptx", "OFD.xml": ".ofd"}
_STREAMS = {"WordDocument": ".doc", "Workbook": ".xls", "Book": ".xls", "PowerPoint Document": ".ppt"}
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def kind_of(content: bytes) -> Kind:
    """Raises UserError for what may not be attached: unknown kinds, programs, scripts, macros."""
    if not content:
        raise UserError("文件是空的", "The file is empty")
    if len(content) > LARGEST:
        raise UserError(
            f"文件超过 {LARGEST // 2**20} MB，请压缩或拆分后再上传",
            f"The file is larger than {LARGEST // 2**20} MB; make it smaller or split it",
        )
    ending = _ending(content)
    if ending is None:
        raise UserError(
            "不能附这种文件；可以附 PDF、OFD、图片、Word、Excel、PPT 和文本，不能带宏",
            "Files of this kind cannot be attached: use PDF, OFD, pictures, Word, Excel, PowerPoint or text, "
            "without macros",
        )
    return KINDS[ending]


def _ending(content: bytes) -> str | None:
    if content.startswith(b"PK"):
        return _in_archive(content)
    if content.startswith(_OLE):
        if "_VBA_PROJECT".encode("utf-16-le") in content:
            return None
        return next((end for name, end in _STREAMS.items() if name.encode("utf-16-le") in content), None)
    try:
        found = {match.extension for match in puremagic.magic_string(content) if match.confidence >= 0.3}
    except puremagic.PureError:
        found = set()
    for ending in (".pdf", ".png", ".gif", ".webp"):
        if ending in found:
            return ending
    if found & {".jpg", ".jpeg", ".jfif"}:
        return ".jpg"
    return ".txt" if not found and _is_text(content) else None


def _in_archive(content: bytes) -> str | None:
    try:
        names = set(zipfile.ZipFile(io.BytesIO(content)).namelist())
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        return None
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        return None
    return next((ending for part, ending in _PARTS.items() if part in names), None)


def _is_text(content: bytes) -> bool:
    if b"\0" in content or content.lstrip()[:1] == b"<" or content.startswith(b"#!"):
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def safe_name(name: str, kind: Kind) -> str:
    """A name without folders, signs that do not print or turn the writing round, and with an ending that is true."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(sign for sign in last if sign.isprintable() and sign not in '<>:"|?*' and sign not in "\u202a\u202e")
    stem, dot, ending = kept.strip().rstrip(".").rpartition(".")
    if not dot or f".{ending.lower()}" not in kind.endings:
        stem, ending = kept.strip().rstrip("."), kind.endings[0][1:]
    return f"{(stem.strip(' .') or '附件')[:LONGEST_NAME]}.{ending.lower()}"
