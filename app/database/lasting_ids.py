"""Ids that never come back: a deleted row's id is not given to another row, so that the trash can bring the row back
and nobody reads its history as another's.

PostgreSQL's sequences and InnoDB's counters keep to this by themselves. SQLite gives the id of a table's last row out
again once that row is gone, unless the table says AUTOINCREMENT. Alembic does not know of it and leaves it out whenever
it makes a table anew, so every upgrade ends by looking after it here.

Source: https://www.sqlite.org/autoinc.html, https://www.sqlite.org/lang_altertable.html#otheralter
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, text

_COUNTS_CHANGES = re.compile(r"\brevision INTEGER DEFAULT\b")
_PLAIN_ID = re.compile(r"\bid INTEGER NOT NULL(?= *,)")
_KEY = re.compile(r",\s*(?:CONSTRAINT \S+ )?PRIMARY KEY \(id\)|(?:CONSTRAINT \S+ )?PRIMARY KEY \(id\)\s*,\s*")
_HIGHEST = text(
    "INSERT OR REPLACE INTO sqlite_sequence (rowid, name, seq) SELECT"
    " (SELECT rowid FROM sqlite_sequence WHERE name = :name), :name,"
    " max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = :name), 0),"
    "     coalesce((SELECT max(row_id) FROM bc_history WHERE entity = :entity), 0),"
    "     coalesce((SELECT max(row_id) FROM bc_trash WHERE entity = :entity), 0))"
)


def keep_ids_lasting(connection: Connection) -> list[str]:
    """On SQLite, make the tables of records (those whose revision counts from 1) say AUTOINCREMENT; the names of those
    that had to be made anew. Their counters begin above all ids that history and trash know. Foreign keys must not be
    enforced meanwhile; the caller commits."""
    if connection.dialect.name != "sqlite":
        return []
    found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")).all()
    changed = []
    for name, statement in found:
        is_of_records = name.startswith(("bc_", "x_")) and _COUNTS_CHANGES.search(statement)
        if is_of_records and "AUTOINCREMENT" not in statement.upper():
            _make_anew(connection, name, statement)
            changed.append(name)
    if changed and {"bc_history", "bc_trash"} <= {name for name, _ in found}:
        for name in changed:
            connection.execute(_HIGHEST, {"name": name, "entity": name.removeprefix("bc_")})
    return changed


def _make_anew(connection: Connection, name: str, statement: str) -> None:
    """SQLite's own procedure for changes that ALTER TABLE does not know."""
    body = statement[statement.index("(") :]
    body, of_id = _PLAIN_ID.subn("id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT", body, count=1)
    body, of_key = _KEY.subn("", body, count=1)
    if not of_id or not of_key:
        raise RuntimeError(f"{name} has no plain id as its primary key: {statement}")
    indexes = text("SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :name AND sql IS NOT NULL")
    remade = connection.execute(indexes, {"name": name}).scalars().all()
    draft = f"lasting_{name}"
    execute = connection.exec_driver_sql
    execute(f'CREATE TABLE "{draft}" {body}')
    execute(f'INSERT INTO "{draft}" SELECT * FROM "{name}"')
    execute(f'DROP TABLE "{name}"')
    execute(f'ALTER TABLE "{draft}" RENAME TO "{name}"')
    for index in remade:
        execute(index)
