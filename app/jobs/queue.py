"""`enqueue` and `status`: what the rest of Beacon knows of the queue."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Protocol, TypeVar

from app.jobs.kinds import KINDS, JobKind
from app.jobs.state import JobState, QueueAway
from config import Settings

__all__ = ["JobState", "configure", "enqueue", "status"]

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)


class JobQueue(Protocol):
    """One backend. Both methods raise QueueAway when its server cannot be reached."""

    def enqueue(self, name: str, kind: JobKind, arguments: dict) -> str: ...

    def status(self, job_id: str) -> JobState | None: ...


SECONDS_BETWEEN_WARNINGS = 60.0
SILENT_AFTER_SECONDS = 0.5
"""A server that refuses a connection says so at once; one that takes longer to fail does not answer at all."""
SECONDS_LEFT_ALONE = 5.0
"""How long a silent server is not asked again, so that only one save in so long waits for it."""


@dataclass
class _State:
    settings: Settings | None = None
    warn_again_at: float = 0.0
    ask_again_at: float = 0.0


_state = _State()


def configure(settings: Settings) -> None:
    """Use these settings in this process instead of those of the environment."""
    _state.settings = settings
    _state.ask_again_at = 0.0


def enqueue(job_name: str, **arguments: object) -> str | None:
    """Have a job done soon; gives its id, made of `[A-Za-z0-9_-]`.

    An identical job that waits already is not added again; its id is given. When the queue cannot be reached, nothing
    is raised, so that what a person has just saved stays saved: the answer is None, and what is marked in the database
    is found by the schedule's next sweep. Raises KeyError for an unknown job and TypeError for arguments that JSON
    cannot hold: mistakes of the caller.
    """
    kind = KINDS[job_name]
    json.dumps(arguments)
    return _ask(lambda queue: queue.enqueue(job_name, kind, arguments), f"{job_name} was not enqueued")


def status(job_id: str) -> JobState | None:
    """How a job stands; None when it is unknown, forgotten, or the queue cannot be reached."""
    return _ask(lambda queue: queue.status(job_id), f"the status of {job_id} is unknown")


def _ask(question: Callable[[JobQueue], Answer], otherwise: str) -> Answer | None:
    """The queue's answer; None when it is away, or was found silent a moment ago."""
    queue = _queue()
    began = time.monotonic()
    if began < _state.ask_again_at:
        return None
    try:
        return question(queue)
    except QueueAway as problem:
        if time.monotonic() - began > SILENT_AFTER_SECONDS:
            _state.ask_again_at = time.monotonic() + SECONDS_LEFT_ALONE
        _warn(f"The queue is away, {otherwise}: {problem}")
        return None


def _queue() -> JobQueue:
    if _state.settings is None:
        _state.settings = Settings.from_environment()
    return _queue_of(_state.settings)


def _warn(text: str) -> None:
    """The sweep meets an absent queue every other second; the log need not."""
    now = time.monotonic()
    if now >= _state.warn_again_at:
        _state.warn_again_at = now + SECONDS_BETWEEN_WARNINGS
        logger.warning(text)


@cache
def _queue_of(settings: Settings) -> JobQueue:
    # Only the backend in use is imported: the web server need not carry both.
    return import_module(f"app.jobs.{settings.jobs_backend}").open_queue(settings)
