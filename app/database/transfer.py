"""The rows of a statement as a Polars frame, by the fastest way each database has.

The collecting builder of ``app.rules`` measures and improves the ways; callers rely on the types only: integers are
Int64, numbers Float64 (NUMERIC included), truth values Boolean, dates Date, everything else String or Binary.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import Boolean, Connection, Date, DateTime, Float, Integer, LargeBinary, Numeric, Select

_TYPES: tuple[tuple[Any, Any], ...] = (
    (Boolean, pl.Boolean),
    (Integer, pl.Int64),
    ((Float, Numeric), pl.Float64),
    (DateTime, pl.Datetime("us")),
    (Date, pl.Date),
    (LargeBinary, pl.Binary),
)


def schema_of(statement: Select[Any]) -> dict[str, Any]:
    """The Polars type of each column of a statement, by name."""
    schema = {}
    for column in statement.selected_columns:
        type_ = getattr(column.type, "impl_instance", column.type)
        schema[column.key] = next((kind for classes, kind in _TYPES if isinstance(type_, classes)), pl.String)
    return schema


def fetch(connection: Connection, statement: Select[Any]) -> pl.DataFrame:
    """All rows of a statement, in the connection's transaction."""
    schema = schema_of(statement)
    rows = [tuple(row) for row in connection.execute(statement)]
    frame = pl.DataFrame(rows, schema=list(schema), orient="row", infer_schema_length=None, strict=False)
    return frame.with_columns(pl.col(name).cast(kind, strict=False) for name, kind in schema.items())
