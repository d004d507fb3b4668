"""Migrations run by the program itself: Alembic on the settings' database, with no configuration file.

``migrations/`` holds the revisions and, in its ``env.py``, what they are compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from sqlalchemy import MetaData, NullPool, TypeDecorator, event, inspect, text
from sqlalchemy.engine import Connection

from app.database.base import Base
from app.database.engine import for_writing, make_engine
from app.database.lasting_ids import keep_ids_lasting
from config import PROJECT_DIR, Settings, SettingsError

SCRIPTS = PROJECT_DIR / "migrations"
VERSION_TABLE = "bc_schema_version"
DYNAMIC_PREFIX = "x_"
"""Tables of the entities that administrators declare while the program runs. No migration touches them."""

LABEL = "更新数据库 / Updating the database"

Progress = Callable[[str, int, int], None]
"""Called with a label, how much is done, and how much there is."""


def upgrade(settings: Settings, progress: Progress | None = None) -> None:
    """Bring the database to the newest revision: all of it or, where the database can roll back tables, nothing."""
    with _connected(settings) as connection:
        _prepare(connection)
        missing = _missing(connection)
        if not missing:
            _finish(connection, is_changed=False)
            return
        done = 0

        def step(**_: Any) -> None:
            nonlocal done
            done += 1
            if progress:
                progress(LABEL, done, len(missing))

        if progress:
            progress(LABEL, 0, len(missing))
        command.upgrade(_config(connection, on_version_apply=step), "head")
        _finish(connection, is_changed=True)


def downgrade(settings: Settings, revision: str) -> None:
    """Go back to a revision; ``base`` is before the first."""
    with _connected(settings) as connection:
        command.downgrade(_config(connection), revision)


def current(settings: Settings) -> str | None:
    """The database's revision; None before the first."""
    with _connected(settings) as connection:
        return _context(connection).get_current_revision()


def newest() -> str:
    """The newest revision that this version of the program knows."""
    head = ScriptDirectory(str(SCRIPTS)).get_current_head()
    assert head is not None
    return head


def revise(settings: Settings, message: str) -> None:
    """Write a revision from the difference between the declared tables and the database (for developers)."""
    with _connected(settings) as connection:
        command.revision(_config(connection), message, autogenerate=True)


def differences(connection: Connection, metadata: MetaData = Base.metadata) -> list[Any]:
    """What autogenerate finds different between the declared tables and those of a database; none when in step."""
    return compare_metadata(_context(connection), metadata)


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """For Alembic: which of the database's tables are ours to compare."""
    return kind != "table" or name is None or not name.startswith((DYNAMIC_PREFIX, VERSION_TABLE))


def include_object(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """For Alembic: which of the declared tables are ours to compare."""
    return include_name(name, kind, None)


def render_item(kind: str, item: Any, _context: Any) -> str | bool:
    """For Alembic: a revision names plain database types, so that it still runs when ours have changed."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


def context_options() -> dict[str, Any]:
    """What a migration context is configured with, whether it runs revisions or compares."""
    return {
        "include_name": include_name,
        "include_object": include_object,
        "render_as_batch": True,
        "render_item": render_item,
        "version_table": VERSION_TABLE,
    }


def _context(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts=context_options())


def _config(connection: Connection, **attributes: Any) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(hour).2d%%(minute).2d_%%(slug)s")
    config.set_main_option("truncate_slug_length", "60")
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=connection, **attributes)
    return config


@contextmanager
def _connected(settings: Settings) -> Iterator[Connection]:
    """A connection of its own, which on SQLite does not enforce foreign keys: a table that is rebuilt there is
    dropped in between, and would take the rows that refer to it along."""
    engine = make_engine(settings.database_url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=OFF"))
    with for_writing(engine).connect() as connection:
        yield connection


def _prepare(connection: Connection) -> None:
    """On MariaDB and MySQL an empty database gets a binary collation, so that texts are equal here when they are
    equal everywhere else: its default takes ``a1`` and ``A1``, and all characters beyond the basic plane, for one."""
    if connection.dialect.name in ("mysql", "mariadb") and not inspect(connection).get_table_names():
        name = connection.dialect.identifier_preparer.quote(connection.engine.url.database)
        connection.execute(text(f"ALTER DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"))
    connection.commit()


def _missing(connection: Connection) -> list[str]:
    here = _context(connection).get_current_revision()
    scripts = ScriptDirectory(str(SCRIPTS))
    try:
        missing = [script.revision for script in scripts.iterate_revisions("head", here or "base")]
    except ResolutionError as unknown:
        raise SettingsError(
            f"数据库的版本（{here}）比本程序新：请升级程序，或用 DATABASE_URL 指定其他数据库。",
            f"The database ({here}) is newer than this program: install the newer program, or name another database "
            "with DATABASE_URL.",
        ) from unknown
    connection.commit()
    return missing


def _finish(connection: Connection, *, is_changed: bool) -> None:
    if keep_ids_lasting(connection) or is_changed:
        _check_references(connection)
    connection.commit()


def _check_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.execute(text("PRAGMA foreign_key_check")).fetchall()
        if broken:
            raise RuntimeError(
                f"The migration left rows that refer to nothing, in: {sorted({row[0] for row in broken})}"
            )
