"""Job functions for the tests of the queue; workers under test are started with `--tasks tests.jobs.sample_tasks`."""

import json
import os
import time
from pathlib import Path

import polars

from app.jobs.kinds import DEFAULT, EVALUATION, KINDS, JobKind
from app.jobs.progress import report

KINDS["note"] = JobKind(DEFAULT, timeout=60)
KINDS["note_evaluation"] = JobKind(EVALUATION, timeout=60)
KINDS["stall_once"] = JobKind(EVALUATION, timeout=60)
KINDS["stall_once_default"] = JobKind(DEFAULT, timeout=60)
KINDS["fail_once"] = JobKind(DEFAULT, timeout=60, pauses=(1,))
KINDS["fail_always"] = JobKind(DEFAULT, timeout=60, pauses=())
KINDS["sort_with_polars"] = JobKind(EVALUATION, timeout=60)
KINDS["count_slowly"] = JobKind(EVALUATION, timeout=60)


def note(path: str, text: str) -> None:
    """Append a line that says who was here."""
    with Path(path).open("a") as file:
        file.write(json.dumps({"text": text, "process": os.getpid(), "parent": os.getppid()}) + "\n")


def note_evaluation(path: str, text: str) -> None:
    note(path, text)


def stall_once(path: str) -> None:
    """The first time does not end; every further time does."""
    first = not Path(path).exists()
    note(path, "begun")
    if first:
        time.sleep(600)
    note(path, "ended")


def stall_once_default(path: str) -> None:
    stall_once(path)


def fail_once(path: str) -> None:
    first = not Path(path).exists()
    note(path, "begun")
    if first:
        raise ValueError("The first time fails.")


def fail_always(path: str) -> None:
    note(path, "begun")
    raise ValueError("It always fails.")


def count_slowly(path: str) -> int:
    """Tells its progress, and waits at the half until `path` exists."""
    report(5, 10, "halfway")
    until = time.monotonic() + 30
    while not Path(path).exists() and time.monotonic() < until:
        time.sleep(0.05)
    report(10, 10, "all")
    return 10


def sort_with_polars() -> int:
    """Real work on all of Polars's threads: groups, sorts and joins 200,000 rows; gives the number of groups."""
    return run_polars()


def run_polars(rows: int = 200_000) -> int:
    frame = polars.DataFrame({"key": [index * 7919 % 1000 for index in range(rows)], "value": range(rows)})
    sums = frame.lazy().group_by("key").agg(polars.col("value").sum()).sort("value").collect()
    return frame.join(sums, on="key").sort("value")["key"].n_unique()
