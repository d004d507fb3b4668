"""A migrated database on MariaDB that tests use one after another: there, making its tables anew takes seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, MetaData, insert, make_url, text

from app.database.engine import make_engine
from app.database.migrations import upgrade
from config import Settings


class MigratedMariaDB:
    """One database that is as the migrations leave it whenever a test gets it."""

    def __init__(self, url: str) -> None:
        self.url, self.name = url, make_url(url).database
        with self._connection() as connection:
            self._structure = self._columns(connection)
            self._rows = self._contents(connection)

    @contextmanager
    def as_new(self) -> Iterator[str]:
        """The URL. What the test has left, connections and locks included, is gone afterwards."""
        try:
            yield self.url
        finally:
            with self._connection() as connection:
                self._end_others(connection)
                self._empty(connection)
                changed = self._columns(connection) != self._structure
                if changed:
                    connection.execute(text(f"DROP DATABASE {self.name}"))
                    connection.execute(text(f"CREATE DATABASE {self.name}"))
            if changed:
                upgrade(Settings.from_environment({"DATABASE_URL": self.url}))

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        engine = make_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def _columns(self, connection: Connection) -> list[Any]:
        statement = (
            "SELECT table_name, column_name, column_type, is_nullable FROM information_schema.columns "
            "WHERE table_schema = :name ORDER BY table_name, ordinal_position"
        )
        return [tuple(row) for row in connection.execute(text(statement), {"name": self.name})]

    def _contents(self, connection: Connection) -> dict[Any, list[dict[str, Any]]]:
        """The rows that the migrations themselves have written."""
        metadata = MetaData()
        metadata.reflect(connection)
        found = {}
        for table in metadata.tables.values():
            if rows := connection.execute(table.select()).mappings().all():
                found[table] = [dict(row) for row in rows]
        return found

    def _end_others(self, connection: Connection) -> None:
        statement = "SELECT id FROM information_schema.processlist WHERE db = :name AND id <> CONNECTION_ID()"
        for number in connection.execute(text(statement), {"name": self.name}).scalars().all():
            connection.execute(text(f"KILL {number}"))

    def _empty(self, connection: Connection) -> None:
        """Without the tables that the test has made, and with nothing but the first rows in the others."""
        connection.execute(text("SET FOREIGN_KEY_CHECKS = 0"))
        first = {row[0] for row in self._structure}
        there = {row[0] for row in self._columns(connection)}
        for table in there - first:
            connection.execute(text(f"DROP TABLE `{table}`"))
        kinds = "SELECT table_name FROM information_schema.tables WHERE table_schema = :name AND table_type = :kind"
        sequences = set(connection.execute(text(kinds), {"name": self.name, "kind": "SEQUENCE"}).scalars())
        for sequence in sequences:
            connection.execute(text(f"ALTER SEQUENCE `{sequence}` RESTART"))
        used = "SELECT table_name FROM information_schema.tables WHERE table_schema = :name AND auto_increment > 1"
        written = set(connection.execute(text(used), {"name": self.name}).scalars())
        for table in there & first - sequences:
            if table in written or connection.execute(text(f"SELECT 1 FROM `{table}` LIMIT 1")).first():
                connection.execute(text(f"TRUNCATE TABLE `{table}`"))
        for table, rows in self._rows.items():
            connection.execute(insert(table), rows)
        connection.execute(text("SET FOREIGN_KEY_CHECKS = 1"))
