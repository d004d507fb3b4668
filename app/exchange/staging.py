"""What is known of an import's rows between its steps: one SQLite file each, in a folder that its owner alone reads.

``row`` holds each row of the file with its state; ``done`` what a commit did, for undoing it. Values are kept as JSON
by field name (``codec``). Personal values do not outlive the commit: of those that ``done`` needs, it keeps what can
be compared (a keyed hash) or only be read with the installation's keys (ciphertext).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

SCHEMA = """
CREATE TABLE row (number INTEGER PRIMARY KEY, state TEXT NOT NULL, row_id INTEGER, name TEXT, cells BLOB, data BLOB,
                  faults BLOB);
CREATE TABLE done (position INTEGER PRIMARY KEY, row_id INTEGER NOT NULL, is_new INTEGER NOT NULL, name TEXT,
                   data BLOB NOT NULL);
"""


class RowState(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    FAULTY = "faulty"


@dataclass(slots=True)
class StagedRow:
    """A row of the file: ``data`` are a new row's values by field, or a changed one's ``[old, new]`` by field, both as
    JSON has them; ``cells`` the file's own cells as text, of faulty rows only; ``faults`` (heading, zh, en)."""

    number: int
    state: RowState
    row_id: int | None = None
    name: str = ""
    cells: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    faults: list[tuple[str, str, str]] = field(default_factory=list)


class Stage:
    """One import's rows. Made with ``written_to``, opened with ``opened``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, rows: Iterable[StagedRow]) -> None:
        self._connection.executemany("INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?)", map(_stored, rows))

    def counts(self) -> dict[str, int]:
        """How many rows there are of each state."""
        found = dict(self._connection.execute("SELECT state, count(*) FROM row GROUP BY state").fetchall())
        return {state.value: found.get(state.value, 0) for state in RowState}

    def rows(self, *states: RowState, limit: int | None = None, offset: int = 0) -> Iterator[StagedRow]:
        """Rows of these states in the order of the file."""
        marks = ", ".join("?" * len(states))
        statement = f"SELECT * FROM row WHERE state IN ({marks}) ORDER BY number LIMIT ? OFFSET ?"
        cursor = self._connection.execute(statement, [*states, -1 if limit is None else limit, offset])
        for number, state, row_id, name, cells, data, faults in cursor:
            yield StagedRow(
                number,
                RowState(state),
                row_id,
                name or "",
                orjson.loads(cells) if cells else [],
                orjson.loads(data) if data else {},
                [tuple(each) for each in orjson.loads(faults)] if faults else [],
            )

    # --- what a commit did ---

    def begin_done(self) -> None:
        """Forget what an earlier try noted: the database knows nothing of it."""
        self._connection.execute("DELETE FROM done")

    def add_done(self, rows: Iterable[tuple[int, bool, str, dict[str, Any]]]) -> None:
        """Note (row id, whether it is new, its name, its values or ``[old, new]`` by field)."""
        self._connection.executemany(
            "INSERT INTO done (row_id, is_new, name, data) VALUES (?, ?, ?, ?)",
            ((row_id, is_new, name, _json(data)) for row_id, is_new, name, data in rows),
        )

    def done(self, *, is_new: bool) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """(row id, name, values), the last written first."""
        cursor = self._connection.execute(
            "SELECT row_id, name, data FROM done WHERE is_new = ? ORDER BY position DESC", [is_new]
        )
        for row_id, name, data in cursor:
            yield row_id, name or "", orjson.loads(data)

    def forget_values(self) -> None:
        """Drop the values of rows that have been written."""
        self._connection.execute("UPDATE row SET data = NULL, cells = NULL WHERE state <> ?", [RowState.FAULTY])
        self._connection.commit()
        self._connection.execute("VACUUM")

    def commit(self) -> None:
        self._connection.commit()


def _stored(row: StagedRow) -> tuple[Any, ...]:
    return (
        row.number,
        row.state.value,
        row.row_id,
        row.name,
        _json(row.cells) if row.cells else None,
        _json(row.data) if row.data else None,
        _json(row.faults) if row.faults else None,
    )


def _json(value: Any) -> bytes:
    return orjson.dumps(value, default=str)


def private_folder(path: Path) -> Path:
    """A folder that its owner alone reads, made where missing."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chmod(path, 0o700)
    return path


@contextmanager
def written_to(path: Path) -> Iterator[Stage]:
    """A new stage, put in place of the one that is there once the block has ended well."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(draft)
    try:
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        connection.executescript(SCHEMA)
        stage = Stage(connection)
        yield stage
        connection.commit()
        connection.execute("CREATE INDEX row_state ON row (state, number)")
        connection.commit()
        connection.close()
        os.replace(draft, path)
    finally:
        connection.close()
        with suppress(FileNotFoundError):
            draft.unlink()


@contextmanager
def opened(path: Path) -> Iterator[Stage]:
    """The stage in a file. Raises FileNotFoundError where it has been pruned."""
    if not path.is_file():
        raise FileNotFoundError(path)
    connection = sqlite3.connect(path)
    try:
        yield Stage(connection)
        connection.commit()
    finally:
        connection.close()
