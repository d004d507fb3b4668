"""Makes a database ready for a command: `prepare_database(settings)` is the first thing that one does."""

import logging

from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from app.command_line import CommandFailed
from app.command_line.progress import ProgressLine
from app.database.encryption import load_keyring
from app.database.migrations import upgrade
from app.domains import all as domains
from app.history.origin import Door, use_door
from app.jobs import queue
from app.jobs.freshness import keep_fresh
from config import Settings

__all__ = ["domains", "prepare_database"]


def prepare_database(settings: Settings) -> None:
    """Make DATA_DIR, load the encryption keys and bring the database to the newest revision; what the command then
    changes is marked, so that results follow.

    Raises SettingsError or CommandFailed, saying what to do, when that cannot be done.
    """
    settings.create_data_dir()
    try:
        load_keyring(settings.data_dir)
    except (OSError, ValueError, KeyError) as problem:
        raise CommandFailed(
            f"无法读取加密密钥（{problem}）：请恢复 {settings.data_dir}/field-keys.json 的备份，或检查 FIELD_KEYS。",
            f"The encryption keys cannot be read ({problem}): restore {settings.data_dir}/field-keys.json from a "
            "backup, or check FIELD_KEYS.",
        ) from problem
    try:
        with ProgressLine() as progress:
            upgrade(settings, progress.show)
    except (OperationalError, DBAPIError) as problem:
        reason = str(problem.orig).strip().splitlines()[0]
        raise CommandFailed(
            f"无法使用数据库（{reason}）：请检查数据库服务和 DATABASE_URL。",
            f"The database cannot be used ({reason}): check the database server and DATABASE_URL.",
        ) from problem
    except (ArgumentError, NoSuchModuleError) as problem:
        raise CommandFailed(
            f"DATABASE_URL 无法识别（{problem}）：支持 sqlite、postgresql、mysql、mariadb。",
            f"DATABASE_URL is not understood ({problem}): sqlite, postgresql, mysql and mariadb are supported.",
        ) from problem
    keep_fresh(settings)
    use_door(Door.COMMAND_LINE)
    # Commands work with or without a running installation; what they mark is found when one runs.
    logging.getLogger(queue.__name__).setLevel(logging.ERROR)
