"""The planner is told how much there is, and it is kept."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine, text

from app.access.actor import system_actor
from app.database.session import unit_of_work
from app.database.statistics import refresh_statistics
from tests import factories


def test_sqlite_keeps_its_statistics(engine: Engine) -> None:
    with unit_of_work(engine, system_actor("tests")) as session:
        session.add(factories.organization())
    refresh_statistics(engine)
    other = create_engine(engine.url)
    with other.connect() as connection:
        assert "bc_organization" in connection.execute(text("SELECT tbl FROM sqlite_stat1")).scalars().all()
    other.dispose()


def test_every_database_takes_it(any_engine: Engine) -> None:
    refresh_statistics(any_engine)
    refresh_statistics(any_engine)
