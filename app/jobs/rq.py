"""Jobs on RQ and Redis (or Valkey): the default."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry as RedisRetry
from rq import Queue, Retry, get_current_job
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.scheduler import RQScheduler
from rq.serializers import JSONSerializer

from app.jobs.kinds import QUEUES, JobKind
from app.jobs.runner import perform as perform_job
from app.jobs.state import JobState, QueueAway, Stage, fingerprint, new_job_id
from config import Settings

SECONDS_FAILURES_ARE_KEPT = 7 * 24 * 3600
SECONDS_A_MARK_IS_KEPT = 24 * 3600
MARK = "waiting_mark"
"""Name in a job's meta of the Redis key that keeps identical jobs from waiting twice."""

_STAGES = {
    JobStatus.QUEUED: Stage.WAITING,
    JobStatus.CREATED: Stage.WAITING,
    JobStatus.DEFERRED: Stage.WAITING,
    JobStatus.SCHEDULED: Stage.WAITING,
    JobStatus.READY_TO_ENQUEUE: Stage.WAITING,
    JobStatus.STARTED: Stage.RUNNING,
    JobStatus.FINISHED: Stage.DONE,
}


def queue_name(settings: Settings, queue: str) -> str:
    return f"{settings.queue_prefix}-{queue}"


def connect(settings: Settings) -> redis.Redis:
    """A client of the queue's server for a worker, which can wait: it tries again by itself."""
    return redis.Redis.from_url(settings.redis_url, socket_connect_timeout=5.0)


def connect_impatiently(settings: Settings) -> redis.Redis:
    """A client for a request, which has a person waiting behind it."""
    # Once more, at once, for a connection from before the server's restart; not for a server that does not answer.
    patience = RedisRetry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
    return redis.Redis.from_url(settings.redis_url, socket_connect_timeout=1.0, socket_timeout=1.0, retry=patience)


def open_queue(settings: Settings) -> "RqQueue":
    return RqQueue(settings)


class RqQueue:
    """The side of the queue that adds jobs and asks for them. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.connection = connect_impatiently(settings)

    def enqueue(self, name: str, kind: JobKind, arguments: dict) -> str:
        with reaching_redis():
            mark = f"{self.settings.queue_prefix}:waiting:{fingerprint(name, arguments)}"
            job_id = new_job_id(name)
            # A job found waiting has yet to read what it works on, so it sees what this one was wanted for.
            if not self.connection.set(mark, job_id, nx=True, ex=SECONDS_A_MARK_IS_KEPT):
                waiting = (self.connection.get(mark) or b"").decode()
                if self._stage(waiting) is Stage.WAITING:
                    return waiting
                self.connection.set(mark, job_id, ex=SECONDS_A_MARK_IS_KEPT)
            queue = Queue(queue_name(self.settings, kind.queue), self.connection, serializer=JSONSerializer)
            queue.enqueue_call(
                "app.jobs.rq.perform",
                args=(name, arguments),
                job_id=job_id,
                description=name,
                timeout=kind.timeout,
                result_ttl=kind.keeps_result,
                failure_ttl=SECONDS_FAILURES_ARE_KEPT,
                retry=Retry(len(kind.pauses), list(kind.pauses)) if kind.pauses else None,
                meta={MARK: mark},
            )
            return job_id

    def status(self, job_id: str) -> JobState | None:
        with reaching_redis():
            try:
                job = Job.fetch(job_id, self.connection, JSONSerializer)
            except NoSuchJobError:
                return None
            stage = _STAGES.get(job.get_status(refresh=False), Stage.FAILED)
            return JobState(job_id, stage, **job.meta.get("progress", {}))

    def _stage(self, job_id: str) -> Stage | None:
        state = self.status(job_id) if job_id else None
        return state.stage if state else None


@contextmanager
def reaching_redis() -> Iterator[None]:
    try:
        yield
    except (redis.RedisError, OSError) as problem:
        raise QueueAway(str(problem)) from problem


def perform(name: str, arguments: dict) -> object:
    """What an RQ worker calls for every job."""
    job = get_current_job()
    mark = job.meta.get(MARK)
    # From here on a new wish for the same is a job of its own: this one may already have read what has changed since.
    if mark and job.connection.get(mark) == job.id.encode():
        job.connection.delete(mark)

    def keep(done: int, total: int, label: str) -> None:
        job.meta["progress"] = {"done": done, "total": total, "label": label}
        with suppress(redis.RedisError):  # a progress bar that stands still does not stop the work
            job.save_meta()

    return perform_job(name, arguments, keep)


def postponed_jobs(settings: Settings) -> Callable[[], None]:
    """What the scheduler calls all the time: puts jobs that wait for their next try back into their queue.

    RQ's own way is a process forked from a worker, which a worker that has run Polars must not do.
    """
    scheduler = RQScheduler(
        [queue_name(settings, queue) for queue in QUEUES],
        connect_impatiently(settings),
        logging_level="WARNING",
        serializer=JSONSerializer,
        # The name makes the lock of a former scheduler of this installation our own at once.
        name=f"{settings.queue_prefix}-{settings.data_key}",
    )
    locked_until = 0.0

    def release() -> None:
        nonlocal locked_until
        with suppress(redis.RedisError, OSError):
            if time.monotonic() >= locked_until:
                scheduler.acquire_locks()
                locked_until = time.monotonic() + 20.0
            scheduler.enqueue_scheduled_jobs()

    return release
