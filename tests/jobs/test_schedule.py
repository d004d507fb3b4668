"""What is due when, after nights on which nothing ran, and while the queue is away."""

import fcntl
import os
import signal
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.jobs.kinds import KINDS
from app.jobs.schedule import SCHEDULE, SWEEPS, ZONE, Daily, Sweep
from app.jobs.scheduler import Timekeeper
from tests.processes import wait_until


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


class Enqueued:
    """Stands for the queue: keeps what it is given, or is away."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.is_away = False

    def __call__(self, name: str, **arguments: object) -> str | None:
        if self.is_away:
            return None
        self.names.append(name)
        return name


@pytest.fixture
def enqueued() -> Enqueued:
    return Enqueued()


@pytest.fixture
def timekeeper(tmp_path, enqueued):
    """Makes a scheduler that remembers what former ones of the same test have done."""

    def make(*schedule: Daily, sweeps: tuple[Sweep, ...] = ()) -> Timekeeper:
        return Timekeeper(tmp_path / "schedule.json", enqueued, schedule, sweeps)

    return make


NIGHTLY = Daily("evaluate", "10 2 * * *")


def test_times_are_those_of_shanghai():
    assert NIGHTLY.last_due(datetime(2026, 9, 1, 18, 10, tzinfo=UTC)) == shanghai("2026-09-02 02:10")
    assert NIGHTLY.last_due(datetime(2026, 9, 1, 18, 9, 59, tzinfo=UTC)) == shanghai("2026-09-01 02:10")


def test_fires_once_each_night(timekeeper, enqueued):
    keeper = timekeeper(NIGHTLY)
    for moment in ("09-01 12:00", "09-02 02:09", "09-02 02:10", "09-02 02:10", "09-02 23:00", "09-03 02:11"):
        keeper.look_at_calendar(shanghai(f"2026-{moment}"))
    assert enqueued.names == ["evaluate", "evaluate"]


def test_missed_nights_are_made_up_for_once_also_after_a_restart(timekeeper, enqueued):
    timekeeper(NIGHTLY).look_at_calendar(shanghai("2026-09-01 12:00"))
    timekeeper(NIGHTLY).look_at_calendar(shanghai("2026-09-05 08:00"))
    timekeeper(NIGHTLY).look_at_calendar(shanghai("2026-09-05 09:00"))
    assert enqueued.names == ["evaluate"]


def test_first_start_does_only_what_says_so(timekeeper, enqueued):
    keeper = timekeeper(Daily("evaluate", "10 2 * * *", also_at_first_start=True), Daily("prune", "15 4 * * *"))
    keeper.look_at_calendar(shanghai("2026-09-01 12:00"))
    assert enqueued.names == ["evaluate"]


def test_nothing_is_forgotten_while_the_queue_is_away(timekeeper, enqueued):
    keeper = timekeeper(NIGHTLY)
    keeper.look_at_calendar(shanghai("2026-09-01 12:00"))
    enqueued.is_away = True
    keeper.look_at_calendar(shanghai("2026-09-02 02:10"))
    enqueued.is_away = False
    timekeeper(NIGHTLY).look_at_calendar(shanghai("2026-09-02 02:40"))
    assert enqueued.names == ["evaluate"]


def test_spoilt_memory_is_as_none(timekeeper, enqueued, tmp_path):
    (tmp_path / "schedule.json").write_text("{half")
    timekeeper(NIGHTLY).look_at_calendar(shanghai("2026-09-01 12:00"))
    assert enqueued.names == []


def test_sweeps_keep_their_distance(timekeeper, enqueued):
    keeper = timekeeper(sweeps=(Sweep("refresh_changed", 2.0),))
    for tenth in range(0, 61):
        keeper.sweep(tenth / 10)
    assert len(enqueued.names) == 4


@pytest.mark.parametrize("entry", SCHEDULE, ids=lambda entry: entry.job)
def test_schedule_names_known_jobs_once(entry):
    assert entry.job in KINDS
    assert [each.job for each in SCHEDULE].count(entry.job) == 1


def test_sweeps_name_known_jobs():
    assert all(sweep.job in KINDS for sweep in SWEEPS)


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1)), st.sampled_from(SCHEDULE))
def test_last_due_is_never_after_now_nor_more_than_a_day_before(moment, entry):
    now = moment.replace(tzinfo=UTC)
    due = entry.last_due(now)
    assert 0 <= (now - due).total_seconds() <= 24 * 3600
    assert entry.last_due(due) == due


def test_one_scheduler_an_installation_and_a_killed_one_leaves_no_lock(rq_workers, tmp_path):
    memory = tmp_path / "data" / "queue" / "schedule.json"
    lock = tmp_path / "data" / "queue" / "scheduler.lock"
    first = rq_workers.start_scheduler()
    wait_until(memory.exists)
    with lock.open("r+") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    memory.unlink()
    rq_workers.start_scheduler()
    first.send_signal(signal.SIGKILL)
    first.wait()
    wait_until(memory.exists, 10)
    assert os.path.getsize(memory) > 0
