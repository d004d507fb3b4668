"""How long it takes from saving a record to its organization's new light, with a worker as the installation runs it.

A meeting is saved through a session, as a form saves it: it marks its organization and announces itself. An evaluation
worker of its own process, on a queue server of its own, scores it; the clock stops when a new session reads another
score in force than before.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, select

from app.access.actor import system_actor
from app.command_line.processes import python_module
from app.command_line.queue_server import answers, make_way, queue_server
from app.database.clock import today
from app.database.session import unit_of_work
from app.domains.organizations.models import Organization
from app.domains.party_life.models import Meeting
from app.evaluation.models import IN_FORCE, Change, Score
from app.jobs.freshness import keep_fresh
from app.lifeline import starts_with_lifeline
from config import Settings

LONGEST = 60.0
INDEX = "organization_strength"


class TooSlow(Exception):
    """No new score came in time."""


def measure(engine: Engine, settings: Settings, saves: int) -> list[float]:
    """Seconds of each of so many saves, in different branches, after one for which the worker gets ready. A branch
    whose score the meeting does not change (nobody had come before) does not count."""
    keep_fresh(settings)
    seconds: list[float] = []
    with _worker(settings):
        first, *branches = _branches(engine, 2 * saves + 1)
        _seconds_of_one(engine, first)
        for branch in branches:
            measured = _seconds_of_one(engine, branch)
            if measured is not None:
                seconds.append(measured)
            if len(seconds) == saves:
                break
    return seconds


def _branches(engine: Engine, count: int) -> list[int]:
    """Active branches with a score, spread over all streets."""
    statement = (
        select(Score.subject_id)
        .join(Organization, Organization.id == Score.subject_id)
        .where(
            Score.rule_code == INDEX,
            Score.until_run_id == IN_FORCE,
            Score.score.is_not(None),
            Organization.tier == "branch",
            Organization.status == "active",
        )
        .order_by(Score.subject_id)
    )
    with unit_of_work(engine, system_actor("benchmark")) as session:
        found = session.scalars(statement).all()
    return list(found[:: max(1, len(found) // count)])[:count]


def _seconds_of_one(engine: Engine, branch: int) -> float | None:
    """Save a meeting and wait for another score; None if all is done and the score is the same."""
    before = _score(engine, branch)
    with unit_of_work(engine, system_actor("benchmark")) as session:
        # So many stayed away that the year's turnout, and with it the score, is another one.
        session.add(
            Meeting(
                organization_id=branch,
                kind="theme_day",
                topic="Benchmark",
                status="held",
                held_on=today(),
                expected=100_000,
                attended=0,
            )
        )
        session.flush()
        started = time.perf_counter()
    seconds = None
    while seconds is None or _busy(engine):
        busy = _busy(engine)
        if seconds is None and _score(engine, branch) != before:
            seconds = time.perf_counter() - started
        if not busy:
            break
        if time.perf_counter() - started > LONGEST:
            raise TooSlow(f"branch {branch}: no new score within {LONGEST:.0f} s")
        time.sleep(0.005)
    return seconds


def _busy(engine: Engine) -> bool:
    """Whether changes wait to be scored: saves are not to wait for one another."""
    with engine.connect() as connection:
        return connection.execute(select(Change.id).limit(1)).first() is not None


def _score(engine: Engine, branch: int) -> tuple[int, int | None] | None:
    """The run and the order key of the score in force."""
    with engine.connect() as connection:
        row = connection.execute(
            select(Score.run_id, Score.order_key).where(
                Score.rule_code == INDEX, Score.subject_id == branch, Score.until_run_id == IN_FORCE
            )
        ).first()
    return tuple(row) if row else None


@contextmanager
def _worker(settings: Settings) -> Iterator[None]:
    """A queue server and an evaluation worker of their own; both are gone afterwards."""
    environment = {
        **os.environ,
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.database_url,
        "RULES_DIR": str(settings.rules_dir),
        "QUEUE_PREFIX": settings.queue_prefix,
    }
    environment.pop("REDIS_URL", None)
    make_way(settings)
    with (settings.data_dir / "worker.log").open("ab") as log:
        running: list[subprocess.Popen] = []

        def start(arguments: tuple[str, ...]) -> None:
            running.append(
                subprocess.Popen(
                    starts_with_lifeline(list(arguments)),
                    env=environment,
                    stdout=log,
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                )
            )

        try:
            start(queue_server(settings).arguments)
            deadline = time.monotonic() + LONGEST
            while not answers(settings):
                if time.monotonic() > deadline:
                    raise TooSlow(f"the queue server does not answer; see {log.name}")
                time.sleep(0.05)
            start(python_module("app.jobs.rq_worker", "evaluation"))
            yield
        finally:
            for process in reversed(running):
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
