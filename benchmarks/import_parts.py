"""The measured parts of the import benchmark, each in a process of its own: ``python -m benchmarks.import_parts PART
FILE`` with DATA_DIR and DATABASE_URL prints one line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

import app.domains.all
from app.access.actor import system_actor
from app.database.encryption import load_keyring
from app.database.engine import make_engine
from app.database.migrations import upgrade
from app.database.session import unit_of_work
from app.domains.organizations.models import Organization
from app.entity.registry import registry
from app.exchange.checking import Checker, Task
from app.exchange.headings import columns_from, guess
from app.exchange.reading import read_table
from app.exchange.saving import Saver
from app.exchange.staging import RowState, opened, written_to
from app.jobs.runner import load_tasks
from config import Settings

from .imports import ORGANIZATIONS

DECLARED = app.domains.all
ENTITY = registry["member"]


def fill(engine: Engine, settings: Settings, path: Path) -> None:
    upgrade(settings)
    with unit_of_work(engine, system_actor("benchmark")) as session:
        root = Organization(code="BENCH", name="区", tier="district")
        session.add(root)
        session.add_all(
            Organization(code=f"BENCH{number}", name=f"支部 {number}", parent=root) for number in range(ORGANIZATIONS)
        )


def check(engine: Engine, settings: Settings, path: Path) -> None:
    table = read_table(path)
    columns = columns_from(ENTITY, table.heading, guess(ENTITY, table.heading))
    with (
        unit_of_work(engine, system_actor("benchmark"), writes=False) as session,
        written_to(settings.data_dir / "rows.db") as stage,
    ):
        stage.add(Checker(session, Task(ENTITY, columns)).check(table))
        faulty = next(stage.rows(RowState.FAULTY), None)
        assert faulty is None, faulty


def save(engine: Engine, settings: Settings, path: Path) -> None:
    with (
        opened(settings.data_dir / "rows.db") as stage,
        unit_of_work(engine, system_actor("benchmark")) as session,
    ):
        receipt = Saver(session, ENTITY, stage).save()
        assert receipt.new == receipt.rows > 0, receipt


PARTS: dict[str, Callable[[Engine, Settings, Path], None]] = {"fill": fill, "check": check, "save": save}


def main(part: str, path: str) -> None:
    load_tasks()  # as a worker does
    settings = Settings.from_environment()
    settings.create_data_dir()
    load_keyring(settings.data_dir)
    engine = make_engine(settings.database_url)
    with engine.connect():
        idle = _peak_mb()
    started, worked = time.perf_counter(), time.process_time()
    PARTS[part](engine, settings, Path(path))
    seconds, cpu = time.perf_counter() - started, time.process_time() - worked
    engine.dispose()
    print(json.dumps({"seconds": seconds, "cpu_s": cpu, "extra_mb": _peak_mb() - idle}))


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


if __name__ == "__main__":
    main(*sys.argv[1:])
