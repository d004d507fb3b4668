"""Engines: one a process and database, with what each database needs."""

from __future__ import annotations

import select
import time
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import InvalidatePoolError

BUSY_TIMEOUT_SECONDS = 30
ASKED_AFTER_SECONDS = 2.0
"""A connection that was at rest for longer is asked whether it still works before it is used again."""
_RESTS_SINCE = "rests_since"


def make_engine(database_url: str, **options: Any) -> Engine:
    """An engine for a SQLAlchemy URL. Connections are checked before use, so that a restarted database is survived.

    On SQLite a transaction begins as the connection's execution option ``begin`` says (``DEFERRED`` by default,
    ``IMMEDIATE`` for work that writes: a deferred read-then-write fails under concurrent writers).
    """
    if not database_url.startswith("sqlite"):
        options = {"pool_recycle": 1800, **options}
    engine = create_engine(database_url, **options)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        _check_connections(engine)
    return engine


def _check_connections(engine: Engine) -> None:
    """Before a connection is used, see that the database is still there. Asking it takes a tenth of a short request, so
    that of a connection in use a moment ago only its socket is looked at: a server that ends says so there."""

    failure = engine.dialect.loaded_dbapi.Error

    def note(_connection: Any, record: Any) -> None:
        record.info[_RESTS_SINCE] = time.monotonic()

    def check(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get(_RESTS_SINCE)
        if since is None or (time.monotonic() - since < ASKED_AFTER_SECONDS and _is_silent(connection, failure)):
            return
        try:
            engine.dialect.do_ping(connection)
        except failure as error:
            raise InvalidatePoolError from error  # SQLAlchemy opens a new one, and drops all that are as old

    event.listen(engine, "checkin", note)
    event.listen(engine, "checkout", check)


def _is_silent(connection: Any, failure: type[Exception]) -> bool:
    """Whether a driver shows its socket, and nothing has come in there that nobody asked for."""
    if not hasattr(connection, "fileno"):
        return False
    try:
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        return not poll.poll(0)
    except (OSError, ValueError, failure):
        return False


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
