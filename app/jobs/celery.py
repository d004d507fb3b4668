"""Jobs on Celery and RabbitMQ, for installations of more than one machine (`JOBS_BACKEND=celery`).

The machines of an installation share DATA_DIR: states of jobs and the marks of those that wait are files in it.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from celery import Celery, Task
from celery.backends.filesystem import FilesystemBackend
from celery.exceptions import Ignore
from kombu import Queue
from kombu.exceptions import KombuError
from kombu.utils.encoding import ensure_bytes

from app.jobs.kinds import DEFAULT, KINDS, QUEUES, JobKind
from app.jobs.runner import perform as perform_job
from app.jobs.state import JobState, QueueAway, Stage, fingerprint, new_job_id
from config import Settings

PERFORM = "beacon.perform"
SENT = "SENT"
PROGRESS = "PROGRESS"
SECONDS_A_MARK_HOLDS = 60.0
"""After this a waiting job no longer keeps an identical one out: its message may have been lost."""
SECONDS_STATES_ARE_KEPT = 7 * 24 * 3600

_STAGES = {
    SENT: Stage.WAITING,
    "RETRY": Stage.WAITING,
    "STARTED": Stage.RUNNING,
    PROGRESS: Stage.RUNNING,
    "SUCCESS": Stage.DONE,
    "FAILURE": Stage.FAILED,
    "REVOKED": Stage.FAILED,
}


def queue_name(settings: Settings, queue: str) -> str:
    return f"{settings.queue_prefix}-{queue}"


class StateFiles(FilesystemBackend):
    """Celery's states of jobs in files, each replaced as a whole: who asks never meets one that is half written, which
    would pass for an unknown job."""

    def set(self, key: bytes, value: str | bytes) -> None:
        file = self._filename(key)
        draft = file + f".{os.getpid()}.{threading.get_ident()}".encode()
        with open(draft, "wb") as content:
            content.write(ensure_bytes(value))
        os.replace(draft, file)


def make_celery(settings: Settings) -> Celery:
    """The Celery application of one installation; workers and those who enqueue make the same."""
    states = settings.data_dir / "queue" / "states"
    states.mkdir(parents=True, exist_ok=True)
    backend = f"{__name__}:{StateFiles.__name__}+file://{states}"
    celery = Celery("beacon", broker=settings.celery_broker_url, backend=backend, set_as_current=False)
    celery.conf.update(
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        task_queues=[Queue(queue_name(settings, queue), durable=True) for queue in QUEUES],
        task_default_queue=queue_name(settings, DEFAULT),
        # A message is settled when the work is done, so a killed worker's job goes to another.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_track_started=True,
        worker_prefetch_multiplier=1,
        # A solo worker at work sends no heartbeats; RabbitMQ would take it for dead and give its job away.
        broker_heartbeat=0,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=2.0,
        broker_transport_options={"confirm_publish": True},
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        result_expires=None,
    )

    @celery.task(bind=True, name=PERFORM, max_retries=None, shared=False)
    def perform(task: Task, name: str, arguments: dict) -> object:
        return _perform(settings, task, name, arguments)

    return celery


def _perform(settings: Settings, task: Task, name: str, arguments: dict) -> object:
    kind = KINDS[name]
    # From here on a new wish for the same is a job of its own: this one may already have read what has changed since.
    _mark(settings, name, arguments).unlink(missing_ok=True)

    def keep(done: int, total: int, label: str) -> None:
        task.update_state(state=PROGRESS, meta={"done": done, "total": total, "label": label})

    try:
        return perform_job(name, arguments, keep)
    except Ignore:
        raise
    except Exception as problem:
        tried = task.request.retries
        if tried >= len(kind.pauses):
            raise
        raise task.retry(exc=problem, countdown=kind.pauses[tried]) from problem


def open_queue(settings: Settings) -> "CeleryQueue":
    return CeleryQueue(settings)


class CeleryQueue:
    """The side of the queue that adds jobs and asks for them. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.celery = make_celery(settings)
        _mark(settings, "", {}).parent.mkdir(exist_ok=True)

    def enqueue(self, name: str, kind: JobKind, arguments: dict) -> str:
        mark, job_id = _mark(self.settings, name, arguments), new_job_id(name)
        waiting = _put_mark(mark, job_id)
        if waiting:
            return waiting
        try:
            self.celery.backend.store_result(job_id, None, SENT)
            self.celery.tasks[PERFORM].apply_async(
                (name, arguments),
                task_id=job_id,
                queue=queue_name(self.settings, kind.queue),
                expires=kind.expires,
                retry=True,  # once, at once: a connection from before the server's restart fails the first time
                retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0},
            )
        except (KombuError, OSError) as problem:
            mark.unlink(missing_ok=True)
            self.celery.backend.forget(job_id)
            raise QueueAway(str(problem)) from problem
        return job_id

    def status(self, job_id: str) -> JobState | None:
        meta = self.celery.backend.get_task_meta(job_id)
        stage = _STAGES.get(meta["status"])
        if stage is None:  # Celery says PENDING of what it has never heard of
            return None
        told = meta["result"] if meta["status"] == PROGRESS else {}
        return JobState(job_id, stage, **told)


def postponed_jobs(settings: Settings) -> Callable[[], None]:
    """What the scheduler calls all the time. Celery itself keeps jobs that wait for their next try."""
    forget_old_states(settings)
    return lambda: None


def forget_old_states(settings: Settings) -> None:
    oldest = time.time() - SECONDS_STATES_ARE_KEPT
    for state in (settings.data_dir / "queue" / "states").glob("celery-task-meta-*"):
        with suppress(FileNotFoundError):
            if state.stat().st_mtime < oldest:
                state.unlink()


def _mark(settings: Settings, name: str, arguments: dict) -> Path:
    return settings.data_dir / "queue" / "waiting" / fingerprint(name, arguments)


def _put_mark(mark: Path, job_id: str) -> str | None:
    """Mark that such a job waits; gives the id of one that is waiting already. Whole or not at all: made by a link."""
    own = mark.with_name(job_id)
    own.write_text(job_id)
    try:
        os.link(own, mark)
    except FileExistsError:
        with suppress(FileNotFoundError):
            if time.time() - mark.stat().st_mtime < SECONDS_A_MARK_HOLDS:
                return mark.read_text()
        own.replace(mark)
    finally:
        own.unlink(missing_ok=True)
    return None
