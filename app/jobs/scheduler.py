"""The process that keeps time: `python -m app.jobs.scheduler`. One runs per installation.

It holds a lock on a file in DATA_DIR, which the kernel gives back however the process ends, so the next start never
waits for a dead one. What has been done is kept in a small file, so that a restart neither repeats nor forgets.
"""

import fcntl
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from app.jobs.queue import enqueue
from app.jobs.schedule import SCHEDULE, SWEEPS, Daily, Sweep
from config import Settings

SECONDS_A_TICK = 0.5
SECONDS_BETWEEN_LOOKS_AT_THE_CALENDAR = 5.0

logger = logging.getLogger(__name__)


class Timekeeper:
    """Decides what is due and has it enqueued.

    `enqueue` gives None when the queue is away; the entry is then tried again at the next look.
    """

    def __init__(
        self,
        memory: Path,
        enqueue: Callable[..., str | None],
        schedule: Iterable[Daily] = SCHEDULE,
        sweeps: Iterable[Sweep] = SWEEPS,
    ) -> None:
        self.memory = memory
        self.enqueue = enqueue
        self.schedule = tuple(schedule)
        self.sweeps = tuple(sweeps)
        self.swept_at: dict[str, float] = {}
        self.done = self._remember()

    def look_at_calendar(self, now: datetime) -> list[str]:
        """Enqueue what has become due by `now` (with a zone); gives the jobs' names."""
        begun = []
        for entry in self.schedule:
            due = entry.last_due(now).isoformat()
            last = self.done.get(entry.job)
            if last == due:
                continue
            if last is not None or entry.also_at_first_start:
                if self.enqueue(entry.job, **entry.arguments) is None:
                    continue
                begun.append(entry.job)
            self.done[entry.job] = due
            self._keep()
        return begun

    def sweep(self, seconds: float) -> None:
        """Enqueue the sweeps that are due; `seconds` is any clock that only goes forward."""
        for entry in self.sweeps:
            if seconds - self.swept_at.get(entry.job, float("-inf")) >= entry.seconds:
                self.swept_at[entry.job] = seconds
                self.enqueue(entry.job)

    def _remember(self) -> dict[str, str]:
        try:
            return dict(json.loads(self.memory.read_text()))
        except (OSError, ValueError):
            return {}

    def _keep(self) -> None:
        fresh = self.memory.with_suffix(".new")
        fresh.write_text(json.dumps(self.done, indent=1))
        fresh.replace(self.memory)


def hold_lock(path: Path) -> int:
    """Wait until no other scheduler runs for this installation; the lock lasts as long as the process."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def main() -> int:
    settings = Settings.from_environment()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    folder = settings.data_dir / "queue"
    folder.mkdir(exist_ok=True)
    hold_lock(folder / "scheduler.lock")
    timekeeper = Timekeeper(folder / "schedule.json", enqueue)
    release_postponed = import_module(f"app.jobs.{settings.jobs_backend}").postponed_jobs(settings)
    next_look = 0.0
    while True:
        now = time.monotonic()
        if now >= next_look:
            next_look = now + SECONDS_BETWEEN_LOOKS_AT_THE_CALENDAR
            timekeeper.look_at_calendar(datetime.now(UTC))
        timekeeper.sweep(now)
        release_postponed()
        time.sleep(SECONDS_A_TICK)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
