"""The id of a deleted row is never another row's."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select, text

from app.access.actor import system_actor
from app.database.engine import for_writing, make_engine
from app.database.lasting_ids import keep_ids_lasting
from app.database.session import unit_of_work
from app.domains.calendar.models import Holiday
from app.entity.registry import registry
from app.history import trash
from app.history.reading import versions
from app.history.trash_model import Trashed
from tests import factories

ACTOR = system_actor("tests")


def test_a_new_row_never_has_the_id_of_the_last_deleted_one(any_engine: Engine):
    with unit_of_work(any_engine, ACTOR) as session:
        session.add(deleted := factories.holiday(name="被删的"))
    with unit_of_work(any_engine, ACTOR) as session:
        session.delete(session.get(Holiday, deleted.id))
    with unit_of_work(any_engine, ACTOR) as session:
        session.add(new := factories.holiday(day=deleted.day.replace(day=2), name="新的"))
    assert new.id > deleted.id
    with unit_of_work(any_engine, ACTOR) as session:
        assert [version.operation for version in versions(session, registry["holiday"], new.id)] == ["added"]
        session.delete(session.get(Holiday, new.id))
    with unit_of_work(any_engine, ACTOR) as session:
        for kept in session.scalars(select(Trashed).order_by(Trashed.id)).all():
            trash.restore(session, kept)
    with unit_of_work(any_engine, ACTOR, writes=False) as session:
        assert {row.id: row.name for row in session.scalars(select(Holiday))} == {deleted.id: "被删的", new.id: "新的"}


def test_every_table_of_records_has_lasting_ids_on_sqlite(engine: Engine):
    with engine.connect() as connection:
        made = dict(iter(connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))))
    missing = [entity.code for entity in registry if "AUTOINCREMENT" not in made[entity.model.__table__.name]]
    assert missing == []


def test_a_table_that_lost_it_gets_it_back_above_all_ids_that_were_given(engine: Engine):
    """As a later migration leaves it, which makes a table anew in Alembic's way."""
    with unit_of_work(engine, ACTOR) as session:
        session.add(stays := factories.holiday())
        session.flush()
        session.add(goes := factories.holiday(code="goes", day=stays.day.replace(day=9)))
    with unit_of_work(engine, ACTOR) as session:
        session.delete(session.get(Holiday, goes.id))
    with for_writing(engine).begin() as connection:
        made = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'bc_holiday'").scalar_one()
        plain = made.replace(" PRIMARY KEY AUTOINCREMENT", "").replace('"lasting_bc_holiday"', "bc_holiday")
        plain = f"{plain.rstrip().removesuffix(')')}, CONSTRAINT pk_holiday_id PRIMARY KEY (id))"
        rows = connection.exec_driver_sql("SELECT * FROM bc_holiday").all()
        connection.exec_driver_sql("DROP TABLE bc_holiday")
        connection.exec_driver_sql(plain)
        for row in rows:
            connection.exec_driver_sql(f"INSERT INTO bc_holiday VALUES ({','.join('?' * len(row))})", tuple(row))
        assert keep_ids_lasting(connection) == ["bc_holiday"]
        assert keep_ids_lasting(connection) == []
    with unit_of_work(engine, ACTOR) as session:
        session.add(new := factories.holiday(code="new", day=stays.day.replace(day=11)))
    assert (stays.id, new.id > goes.id) == (1, True)


def test_a_table_without_a_plain_id_is_named():
    engine = make_engine("sqlite://")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE bc_odd (code TEXT PRIMARY KEY, revision INTEGER DEFAULT 1)")
        with pytest.raises(RuntimeError, match="bc_odd"):
            keep_ids_lasting(connection)
    engine.dispose()
