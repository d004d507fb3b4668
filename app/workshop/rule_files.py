"""Writing into the rules folder: a file is the old one or the new one at any moment, never a mixture."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from app.rules.candidate import file_of
from app.rules.library import TESTS_FOLDER
from app.rules.parsing import content_version


def write_atomically(path: Path, content: bytes) -> None:
    """Put a file in place as a whole: written beside it, brought to the disk, then renamed. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):  # some file systems do not bring folders to the disk
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def version_on_disk(rules_dir: Path, kind: str, code: str) -> str | None:
    """The version of a rule's file as it lies there; None if there is none."""
    try:
        return content_version((rules_dir / file_of(kind, code)).read_bytes())
    except FileNotFoundError:
        return None


def write_rule(rules_dir: Path, kind: str, code: str, text: str) -> None:
    """Put a rule's text in place."""
    write_atomically(rules_dir / file_of(kind, code), text.encode())


def add_cases(rules_dir: Path, code: str, cases: str) -> None:
    """Add cases to ``tests/<code>.yaml``; cases that are there already are not added again."""
    cases = cases.strip("\n")
    if not cases.strip():
        return
    path = rules_dir / TESTS_FOLDER / f"{code}.yaml"
    present = path.read_text(encoding="utf-8") if path.exists() else ""
    if cases in present:
        return
    lead = present if not present or present.endswith("\n") else f"{present}\n"
    write_atomically(path, f"{lead}{cases}\n".encode())
