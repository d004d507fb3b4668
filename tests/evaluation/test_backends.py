"""The same evaluation by RQ and by Celery, by processes, and by numbers of threads: the same results row by row."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, make_url, select

from app.access.actor import system_actor
from app.database.clock import today
from app.database.engine import make_engine
from app.database.session import unit_of_work
from app.evaluation import results
from app.evaluation.models import IN_FORCE, Evaluation, RunState, Score, WarningState
from app.evaluation.progress import request_evaluation
from app.jobs.queue import enqueue
from config import PROJECT_DIR, Settings
from tests import factories
from tests.conftest import missing_service, settings_in
from tests.jobs.conftest import RABBITMQ, RedisServer, start_backend
from tests.processes import wait_until
from tests.queues import remove_queues

BRANCHES = 24
SEED = 20260901


@pytest.fixture
def installation(tmp_path: Path, migrated_file: Path) -> Settings:
    """A street of branches whose records differ in all that the shipped rules look at most."""
    settings = settings_in(tmp_path / "first" / "data")
    shutil.copyfile(migrated_file, database_file(settings))
    engine = make_engine(settings.database_url)
    chance, day = random.Random(SEED), today()
    with unit_of_work(engine, system_actor("tests")) as session:
        tree = factories.tree()
        session.add_all(tree.values())
        for number in range(BRANCHES):
            branch = factories.organization(
                code=f"X{number:02}",
                parent=tree["street_a"],
                unit_type=chance.choice(["community", "village", "agency"]),
                term_ends_on=day + timedelta(chance.randint(-90, 900)),
            )
            session.add(branch)
            for _ in range(chance.randint(0, 14)):
                kind = chance.choice(["lecture", "theme_day", "branch_assembly", "branch_committee"])
                held = date(day.year, 1, 1) + timedelta(chance.randint(0, max((day - date(day.year, 1, 1)).days, 1)))
                session.add(factories.meeting(organization=branch, kind=kind, status="held", held_on=min(held, day)))
            for _ in range(chance.randint(0, 5)):
                member = factories.member(organization=branch)
                session.add(member)
                hours = round(chance.uniform(1, 40), 1)
                session.add(factories.study_record(member=member, hours=hours, completed_on=day))
    engine.dispose()
    return settings


def database_file(settings: Settings) -> str:
    return make_url(settings.database_url).database


def copy_of(settings: Settings, folder: Path) -> Settings:
    copy = settings_in(folder / "data")
    shutil.copyfile(database_file(settings), database_file(copy))
    return copy


def environment_of(settings: Settings) -> dict[str, str]:
    return {
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.database_url,
        "RULES_DIR": str(PROJECT_DIR / "rules"),
    }


def published(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every score in force with its ranks, and every level."""
    scores, levels = [], []
    with unit_of_work(engine, system_actor("tests"), writes=False) as session:
        rows = session.scalars(select(Score).where(Score.until_run_id == IN_FORCE)).all()
        for row in rows:
            ranks = [results.rank_of(session, row), results.rank_of(session, row, peers=True)]
            values = (row.score, row.order_key, row.light, row.grade, row.coverage, row.peers, row.light_before)
            scores.append((row.rule_code, row.period_code, row.subject_id, *values, *map(str, ranks)))
        for state in session.scalars(select(WarningState).where(WarningState.until_run_id == IN_FORCE)):
            levels.append((state.rule_code, state.subject_id, state.light, state.figure, state.since))
    return {"scores": sorted(scores, key=repr), "levels": sorted(levels, key=repr)}


def is_published(engine: Engine) -> bool:
    with engine.connect() as connection:
        state = connection.execute(select(Evaluation.state)).scalar()
    assert state != RunState.FAILED
    return state == RunState.PUBLISHED


@contextmanager
def evaluating(backend: str, settings: Settings, folder: Path, **environment: str) -> Iterator[Engine]:
    """Everything is evaluated by a worker like those of an installation; ends with it."""
    engine = make_engine(settings.database_url)
    with closing(start_backend(backend, {**environment_of(settings), **environment}, folder)) as backends:
        workers = next(backends)
        enqueue("evaluate", evaluation_id=request_evaluation(engine, cause="console"))
        workers.start("evaluation", "app.jobs.tasks")
        yield engine
    engine.dispose()


def test_celery_gives_the_same_scores_lights_and_ranks(installation: Settings, tmp_path: Path) -> None:
    with socket.socket() as trial:
        if trial.connect_ex(("127.0.0.1", 5672)):
            missing_service("RabbitMQ is not running on 127.0.0.1:5672")
    copy = copy_of(installation, tmp_path / "second")
    server = RedisServer(tmp_path)
    server.start()
    broker = {"CELERY_BROKER_URL": RABBITMQ, "QUEUE_PREFIX": f"test-{uuid4().hex[:12]}"}
    try:
        with (
            evaluating("rq", installation, tmp_path / "first", REDIS_URL=server.url) as by_rq,
            evaluating("celery", copy, tmp_path / "second", REDIS_URL="redis://127.0.0.1:1", **broker) as by_celery,
        ):
            wait_until(lambda: is_published(by_rq) and is_published(by_celery), 60)
            first, second = published(by_rq), published(by_celery)
    finally:
        server.stop()
        remove_queues(Settings.from_environment({**environment_of(copy), **broker}))
    assert len(first["scores"]) > 2 * BRANCHES
    assert len({row[5] for row in first["scores"]}) > 2, "every light is the same"
    assert len(first["levels"]) > BRANCHES
    assert first == second


def test_the_same_records_and_rules_give_the_same_bytes(installation: Settings, tmp_path: Path) -> None:
    """In another process, with other hashes, in another number of threads, started from the same state."""
    copy = copy_of(installation, tmp_path / "second")
    processes = []
    for number, settings in ((1, installation), (4, copy)):
        threads = {"POLARS_MAX_THREADS": str(number), "PYTHONHASHSEED": str(number), "PYTHONPATH": str(PROJECT_DIR)}
        words = ["evaluate", "organization_strength", "--export", str(tmp_path / f"{number}.csv")]
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "app.command_line", *words],
                env={**os.environ, **environment_of(settings), "REDIS_URL": "redis://127.0.0.1:1", **threads},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    first = (tmp_path / "1.csv").read_bytes()
    assert first.count(b"\n") > BRANCHES
    assert first == (tmp_path / "4.csv").read_bytes()
