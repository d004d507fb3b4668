"""The rows of a statement as a Polars frame, by the fastest way each database has.

Types are alike on all of them: integers are Int64, numbers Float64 (NUMERIC included), truth values Boolean, dates
Date, moments Datetime, everything else String or Binary. Nothing is decrypted: the values are what the table holds.

``fetch`` reads in the connection's transaction and sees its uncommitted writes. ``BulkReader`` is for the nightly
reading of hundreds of thousands of rows: on PostgreSQL it opens a connection of its own through ADBC, which hands over
Arrow columns instead of Python rows, in the *snapshot* of the given connection: all its answers are of one moment,
the one which that transaction sees, but without what it has written itself. Elsewhere it is ``fetch``.
"""

from __future__ import annotations

import logging
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import polars as pl
from sqlalchemy import (
    Boolean,
    Connection,
    Date,
    DateTime,
    Double,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    Select,
    cast,
    select,
    text,
)
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

try:
    from adbc_driver_postgresql import dbapi as adbc
except ImportError:  # a platform without a wheel: rows are slower, not wrong
    adbc = None

_TYPES: tuple[tuple[Any, Any], ...] = (
    (Boolean, pl.Boolean),
    (Integer, pl.Int64),
    ((Float, Numeric), pl.Float64),
    (DateTime, pl.Datetime("us")),
    (Date, pl.Date),
    (LargeBinary, pl.Binary),
)
ROWS_AT_A_TIME = 5_000
_log = logging.getLogger(__name__)


def schema_of(statement: Select[Any]) -> dict[str, Any]:
    """The Polars type of each column of a statement, by name."""
    schema = {}
    for column in statement.selected_columns:
        type_ = getattr(column.type, "impl_instance", column.type)
        schema[column.key] = next((kind for classes, kind in _TYPES if isinstance(type_, classes)), pl.String)
    return schema


def fetch(connection: Connection, statement: Select[Any], parameters: dict[str, Any] | None = None) -> pl.DataFrame:
    """All rows of a statement, in the connection's transaction. ``parameters``: what a statement that is kept by the
    caller is told (``bulk.told``)."""
    schema = schema_of(statement)
    # Else not kept compiled: with ids written into it, most such a statement never comes again.
    options = {"compiled_cache": None} if parameters is None else {}
    result = connection.execute(statement, parameters, execution_options=options)
    # The driver's own rows: SQLAlchemy's would pass every value through a type, and decrypt. In batches, because
    # hundreds of thousands of tuples at once keep the garbage collector busy, and all of them in memory.
    frames = []
    while rows := result.cursor.fetchmany(ROWS_AT_A_TIME):
        columns = zip(*rows, strict=True)
        series = [_series(name, values, kind) for (name, kind), values in zip(schema.items(), columns, strict=True)]
        frames.append(pl.DataFrame(series))
    result.close()
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)


def _series(name: str, values: tuple[Any, ...], kind: Any) -> pl.Series:
    first = next((value for value in values if value is not None), None)
    if first is None:
        return pl.Series(name, [None] * len(values), dtype=kind)
    if isinstance(first, Decimal):
        values = tuple(None if value is None else float(value) for value in values)
    if isinstance(first, str) and kind in (pl.Date, pl.Datetime):
        texts = pl.Series(name, values, dtype=pl.String)
        return texts.str.to_date("%Y-%m-%d") if kind == pl.Date else texts.str.to_datetime(time_unit="us")
    if kind == pl.Boolean and not isinstance(first, bool):
        return pl.Series(name, values).cast(pl.Boolean)
    if kind == pl.String and isinstance(first, bytes):
        values = tuple(None if value is None else value.decode() for value in values)
    return pl.Series(name, values, dtype=kind, strict=False)


class BulkReader:
    """Reads statements at one moment, each as a frame. A context manager."""

    def __init__(self, connection: Connection, *, bulk: bool = True) -> None:
        self._connection = connection
        self._own: Any = None
        # Within a savepoint PostgreSQL exports no snapshot.
        if bulk and adbc and connection.dialect.name == "postgresql" and not connection.in_nested_transaction():
            self._own = _open(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own is not None:
            self._own.close()

    def fetch(self, statement: Select[Any], parameters: dict[str, Any] | None = None) -> pl.DataFrame:
        """All rows of a statement; ``parameters`` as of the function ``fetch``."""
        if self._own is None:
            return fetch(self._connection, statement, parameters)
        if parameters is not None:
            statement = statement.params(parameters)
        schema = schema_of(statement)
        with self._own.cursor() as cursor:
            cursor.execute(_literally(statement))
            frame = pl.from_arrow(cursor.fetch_arrow_table())
        return frame.select(pl.col(name).cast(kind) for name, kind in schema.items())


def _open(connection: Connection) -> Any:
    """An ADBC connection in the snapshot of a psycopg connection; None where that cannot be had."""
    url = connection.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    own = None
    try:
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        own = adbc.connect(url)
        with own.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            cursor.execute("SET LOCAL standard_conforming_strings = on")
    except adbc.Error as error:
        if own is not None:
            own.close()
        _log.warning("Reading rows through the ordinary connection, which is slower: %s", type(error).__name__)
        return None
    return own


class _LiteralCompiler(PGDialect_asyncpg.statement_compiler):
    def render_literal_value(self, value: Any, type_: Any) -> str:
        if isinstance(type_, Float) and value is not None:
            return f"'{float(value)!r}'::float8"  # 1.0 alone would be a NUMERIC
        return super().render_literal_value(value, type_)


class _Literal(PGDialect_asyncpg):
    """Writes values into the statement: ADBC reads fast (COPY) only statements without parameters. SQLAlchemy's types
    quote the values; backslashes mean themselves (``standard_conforming_strings``) and ``%`` needs no doubling."""

    statement_compiler = _LiteralCompiler
    _backslash_escapes = False
    supports_statement_cache = True


_literal_dialect = _Literal()


def _literally(statement: Select[Any]) -> str:
    exact = {
        column.key
        for column in statement.selected_columns
        if isinstance(column.type, Numeric) and not isinstance(column.type, Float)
    }
    if exact:  # ADBC hands NUMERIC over as text
        inner = statement.subquery("numbers")
        statement = select(*(cast(c, Double).label(c.key) if c.key in exact else c for c in inner.c))
    return str(statement.compile(dialect=_literal_dialect, compile_kwargs={"literal_binds": True}))
