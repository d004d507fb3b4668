"""A file into an entity at one go: insert or update by code, all or nothing, every fault named by row and column.

The console goes the same way in steps (``imports``): check, look, then save.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import Session

from app.entity.labels import Label
from app.entity.registry import EntityType

from .checking import Checker, Task
from .faults import Fault, ImportFaulty
from .headings import is_known, match
from .reading import Table, read_table
from .saving import Receipt, Saver
from .staging import RowState, written_to

__all__ = ["Receipt", "import_file", "import_table"]

Progress = Callable[[Label, int, int], None]

CHECKING = Label("核对", "Checking")
SAVING = Label("保存", "Saving")


def import_file(session: Session, entity: EntityType, path: Path, progress: Progress | None = None) -> Receipt:
    """Take a file's rows into an entity within the session's transaction; the caller commits.

    Raises ImportFaulty with every fault; the caller then rolls back, and nothing has been taken.
    """
    table = read_table(path, recognizes=lambda text: is_known(entity, text))
    return import_table(session, entity, table, path.name, progress)


def import_table(
    session: Session, entity: EntityType, table: Table, name: str, progress: Progress | None = None
) -> Receipt:
    """As ``import_file``, for a table that has been read."""
    tell = progress or (lambda _label, _done, _total: None)
    columns, faults = match(entity, table.heading, table.first_row - 1)
    if faults:
        raise ImportFaulty(faults, name)
    with (
        tempfile.TemporaryDirectory(prefix="beacon-import-") as folder,
        written_to(Path(folder, "rows.db")) as stage,
    ):
        checker = Checker(session, Task(entity, columns))
        stage.add(checker.check(table, lambda done, total: tell(CHECKING, done, total)))
        faults = [
            Fault(row.number, heading, Label(zh, en))
            for row in stage.rows(RowState.FAULTY)
            for heading, zh, en in row.faults
        ]
        if faults:
            raise ImportFaulty(faults, name)
        return Saver(session, entity, stage).save(lambda done, total: tell(SAVING, done, total))
