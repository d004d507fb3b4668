"""Engines: one a process and database, with what each database needs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection

BUSY_TIMEOUT_SECONDS = 30


def make_engine(database_url: str, **options: Any) -> Engine:
    """An engine for a SQLAlchemy URL. Connections are checked before use, so that a restarted database is survived.

    On SQLite a transaction begins as the connection's execution option ``begin`` says (``DEFERRED`` by default,
    ``IMMEDIATE`` for work that writes: a deferred read-then-write fails under concurrent writers).
    """
    if not database_url.startswith("sqlite"):
        options = {"pool_recycle": 1800, "pool_pre_ping": True, **options}
    engine = create_engine(database_url, **options)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy begins and ends transactions, not the driver
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}",
        "cache_size=-65536",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":  # where nobody would commit
        connection.exec_driver_sql(f"BEGIN {options.get('begin', 'DEFERRED')}")


def for_reading(engine: Engine) -> Engine:
    """The same engine and pool, each of whose statements stands by itself: nothing to begin and to end. For reading
    only, and for what a snapshot of one moment is not needed for."""
    return engine if engine.dialect.name == "sqlite" else engine.execution_options(isolation_level="AUTOCOMMIT")


def for_writing(engine: Engine) -> Engine:
    """The same engine and pool, whose transactions take SQLite's write lock at once."""
    return engine.execution_options(begin="IMMEDIATE")


def as_committed(engine: Engine) -> Engine:
    """The same engine, whose statements each read what is committed by then. MariaDB's default reads everything as of
    the first statement, past what others did while it waited for a lock, and locks gaps between rows."""
    if engine.dialect.name in ("mysql", "mariadb"):
        return engine.execution_options(isolation_level="READ COMMITTED")
    return engine
