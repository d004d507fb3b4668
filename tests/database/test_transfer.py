"""Statements as frames: the same values and types whichever database answers, and whichever way is taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    create_engine,
    insert,
    select,
)

from app.database.transfer import BulkReader, fetch
from tests.conftest import server_database

TEXTS = ["a'b", 'a"b', "a\\b", "a%b %(x)s %%", ":x $1 ?", "组织\n; DROP TABLE bc_t; --", "", "\\'"]
things = Table(
    "bc_t_transfer",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", String(60)),
    Column("amount", Numeric(12, 2)),
    Column("share", Double),
    Column("sound", Boolean),
    Column("made_on", Date),
    Column("seen_at", DateTime),
    Column("content", LargeBinary),
)
ROWS = [
    {
        "id": number,
        "name": text,
        "amount": Decimal("0.10") * number,
        "share": number / 3,
        "sound": number % 2 == 0,
        "made_on": date(2026, 2, number),
        "seen_at": datetime(2026, 2, number, 10, 30),
        "content": text.encode(),
    }
    for number, text in enumerate(TEXTS, 1)
]
MISSING = dict.fromkeys(ROWS[0]) | {"id": 99}


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "sqlite":
        yield from _filled("sqlite://")
        return
    with server_database(request.param) as url:
        yield from _filled(url)


def _filled(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    things.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(things), [*ROWS, MISSING])
    yield engine
    engine.dispose()


EXPECTED = pl.DataFrame(
    [*ROWS, MISSING],
    schema={
        "id": pl.Int64,
        "name": pl.String,
        "amount": pl.Float64,
        "share": pl.Float64,
        "sound": pl.Boolean,
        "made_on": pl.Date,
        "seen_at": pl.Datetime("us"),
        "content": pl.Binary,
    },
    strict=False,
)


def test_every_type_arrives_alike_by_both_ways(engine: Engine) -> None:
    statement = select(things).order_by(things.c.id)
    with engine.connect() as connection:
        assert fetch(connection, statement).equals(EXPECTED)
        with BulkReader(connection) as reader:
            assert reader.fetch(statement).sort("id").equals(EXPECTED)


def test_no_rows_and_only_missing_values_keep_their_types(engine: Engine) -> None:
    with engine.connect() as connection, BulkReader(connection) as reader:
        for identity, height in ((99, 1), (1000, 0)):
            statement = select(things).where(things.c.id == identity)
            for frame in (fetch(connection, statement), reader.fetch(statement)):
                assert frame.height == height
                assert frame.schema == EXPECTED.schema


@pytest.mark.parametrize("text", TEXTS)
def test_values_stay_values_where_they_are_written_into_the_statement(engine: Engine, text: str) -> None:
    statement = select(things.c.id, things.c.name).where(things.c.name == text)
    with engine.connect() as connection, BulkReader(connection) as reader:
        assert reader.fetch(statement).get_column("name").to_list() == [text]


def test_a_bulk_reader_sees_one_moment(engine: Engine) -> None:
    """Rows that others commit while it reads are not seen, as in the transaction whose snapshot it shares."""
    if engine.dialect.name != "postgresql":
        pytest.skip("only PostgreSQL reads through a connection of its own")
    statement = select(things.c.id).where(things.c.id > 1000)
    repeatable = engine.execution_options(isolation_level="REPEATABLE READ")
    with repeatable.connect() as connection, BulkReader(connection) as reader:
        assert reader._own is not None
        with engine.begin() as other:
            other.execute(insert(things), [{"id": 1001}])
        assert reader.fetch(statement).height == 0
        assert fetch(connection, statement).height == 0
    with engine.connect() as connection, BulkReader(connection) as reader:
        assert reader.fetch(statement).height == 1


def test_without_adbc_rows_arrive_all_the_same(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.database.transfer.adbc", None)
    with engine.connect() as connection, BulkReader(connection) as reader:
        assert reader.fetch(select(things.c.id).where(things.c.id <= 8)).height == 8


def test_within_a_savepoint_or_without_a_transaction_rows_come_by_the_given_connection(engine: Engine) -> None:
    statement = select(things.c.id).where(things.c.id <= 8)
    with engine.connect() as connection, connection.begin_nested(), BulkReader(connection) as reader:
        assert reader.fetch(statement).height == 8
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    with autocommit.connect() as connection, BulkReader(connection) as reader:
        assert reader.fetch(statement).height == 8
