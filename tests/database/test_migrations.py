"""The migrations give, on every database, exactly the tables that are declared; and the tables stay portable."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import JSON, Engine, inspect, text
from sqlalchemy.orm import Session

from app.database.base import MAXIMUM_NAME, Base
from app.database.engine import make_engine
from app.database.migrations import SCRIPTS, VERSION_TABLE, current, differences, downgrade, newest, upgrade
from app.entity.registry import registry
from config import Settings, SettingsError
from tests.database.reserved_words import RESERVED


@pytest.fixture(scope="module", autouse=True)
def _everything_declared(migrated_file):
    """Running the migrations has imported all that declares tables."""


def our_tables():
    return [table for table in Base.metadata.tables.values() if not table.name.startswith(("ab_", "x_"))]


def test_migrated_database_is_what_is_declared(any_engine: Engine):
    with any_engine.connect() as connection:
        assert differences(connection) == []


def test_a_difference_is_found(any_engine: Engine):
    with any_engine.begin() as connection:
        connection.execute(text("ALTER TABLE bc_holiday ADD COLUMN surplus VARCHAR(5)"))
    with any_engine.connect() as connection:
        assert differences(connection)


def test_downgrade_to_base_leaves_nothing_and_upgrade_brings_all_back(any_database: Settings):
    assert current(any_database) == newest()
    downgrade(any_database, "base")
    assert current(any_database) is None
    engine = make_engine(any_database.database_url)
    assert set(inspect(engine).get_table_names()) <= {VERSION_TABLE}
    upgrade(any_database)
    with engine.connect() as connection:
        assert differences(connection) == []
    engine.dispose()


def test_each_revision_can_be_taken_back(any_database: Settings):
    seen = [current(any_database)]
    while seen[-1] is not None:
        downgrade(any_database, "-1")
        seen.append(current(any_database))
    assert len(seen) == len(list(SCRIPTS.glob("versions/*.py"))) + 1
    upgrade(any_database)
    assert current(any_database) == newest()


def test_tables_declared_at_run_time_are_left_alone(any_database: Settings, any_engine: Engine):
    with any_engine.begin() as connection:
        connection.execute(text("CREATE TABLE x_hall (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(10))"))
        connection.execute(text("INSERT INTO x_hall VALUES (1, 'hall')"))
    with any_engine.connect() as connection:
        assert differences(connection) == []
    any_engine.dispose()
    downgrade(any_database, "base")
    upgrade(any_database)
    with any_engine.connect() as connection:
        assert connection.execute(text("SELECT name FROM x_hall")).scalar_one() == "hall"


def test_accounts_of_the_console_get_ids(any_engine: Engine):
    with Session(any_engine) as session:
        session.add_all([Role(name="first"), Role(name="second")])
        session.commit()
        assert len({role.id for role in session.query(Role)}) == 2


def test_texts_differ_by_case_and_rare_characters_on_every_database(any_engine: Engine):
    insert = text("INSERT INTO bc_holiday (code, calendar_day, name, kind) VALUES (:code, :day, :name, 'holiday')")
    with any_engine.begin() as connection:
        connection.execute(insert, {"code": "a", "day": "2026-01-01", "name": "𠮷"})
        connection.execute(insert, {"code": "A", "day": "2026-01-02", "name": "𡘙"})
        found = connection.execute(text("SELECT code FROM bc_holiday WHERE name = :name"), {"name": "𠮷"}).scalars()
        assert list(found) == ["a"]


def test_progress_counts_the_revisions(settings: Settings):
    seen = []
    upgrade(settings, lambda label, done, total: seen.append((done, total)))
    revisions = len(list(SCRIPTS.glob("versions/*.py")))
    assert seen == [(done, revisions) for done in range(revisions + 1)]
    upgrade(settings, lambda *step: pytest.fail("nothing was left to do"))


def test_a_database_of_a_newer_program_is_refused(database: Settings, engine: Engine):
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '29991231_01'"))
    with pytest.raises(SettingsError, match="29991231_01"):
        upgrade(database)


def test_failed_migration_changes_nothing(settings: Settings):
    """On SQLite as well, where tables are made and dropped in a transaction."""
    engine = make_engine(settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE bc_study_record (id INTEGER)"))  # in the way of the second revision
    engine.dispose()
    with pytest.raises(Exception, match="bc_study_record"):
        upgrade(settings)
    assert current(settings) in (None, "20261124_01")
    assert "bc_member" not in inspect(engine).get_table_names()


def test_names_are_short_and_prefixed():
    for table in our_tables():
        assert table.name.startswith("bc_"), table.name
        items = [table, *table.columns, *table.constraints, *table.indexes]
        for item in items:
            assert item.name, f"{table.name}: {item!r} has no name"
            assert len(item.name) <= MAXIMUM_NAME, f"{table.name}: {item.name}"


def test_names_are_unique_in_the_schema():
    """PostgreSQL and Oracle keep indexes of all tables in one list; SQLite and Oracle constraints too."""
    names = [item.name for table in our_tables() for item in (*table.constraints, *table.indexes)]
    assert len(names) == len(set(names))


def test_no_column_is_a_reserved_word():
    reserved = {
        f"{table.name}.{column.name}"
        for table in our_tables()
        for column in table.columns
        if column.name.lower() in RESERVED
    }
    assert reserved == set()


def test_types_are_portable():
    for table in our_tables():
        for column in table.columns:
            assert not isinstance(column.type, JSON), f"{table.name}.{column.name}: no server-side JSON"
            if column.type.python_type is str and getattr(column.type, "length", None):
                assert column.type.length <= 2000, f"{table.name}.{column.name}"
            # A native CHECK of booleans and enumerations would have to be migrated with each new code.
            assert not getattr(column.type, "create_constraint", False), f"{table.name}.{column.name}"
        for index in table.indexes:
            assert not any(options.get("where") is not None for options in index.dialect_options.values()), index.name


def test_foreign_keys_and_dates_are_indexed():
    """What is filtered and sorted: every reference, and the date that places an entity's rows in time."""
    for entity in registry:
        table = entity.model.__table__
        indexed = {next(iter(index.columns)).key for index in table.indexes} | {
            c.key for c in table.columns if c.unique
        }
        needed = {relation.column for relation in entity.relations.values()}
        needed |= {entity.options.dated_by} - {None}
        assert needed <= indexed, f"{entity.code}: {needed - indexed}"


def test_settings_of_another_database_are_not_touched(settings: Settings, tmp_path):
    other = replace(settings, database_url=f"sqlite:///{tmp_path / 'other.db'}")
    upgrade(settings)
    assert current(other) is None
