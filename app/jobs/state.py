"""What both backends say of a job."""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from uuid import uuid4


class QueueAway(Exception):
    """The queue's server cannot be reached."""


class Stage(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class JobState:
    """A job as seen from outside. `done` of `total` steps are behind it; a total of 0 is not known."""

    job_id: str
    stage: Stage
    done: int = 0
    total: int = 0
    label: str = ""


def new_job_id(name: str) -> str:
    """Unique, and readable in lists of jobs."""
    return f"{name}-{uuid4().hex}"


def fingerprint(name: str, arguments: dict) -> str:
    """The same for identical jobs."""
    return hashlib.sha256(json.dumps([name, arguments], sort_keys=True).encode()).hexdigest()[:32]
