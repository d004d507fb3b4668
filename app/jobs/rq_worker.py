"""The RQ workers: `python -m app.jobs.rq_worker QUEUE`.

Evaluation runs Polars, and a process forked from one that has run Polars hangs. So its worker does the jobs itself,
without forking, and all others get a process of their own that is started by exec (`rq_horse.py`).
"""

import argparse
import logging
import os
import socket
import sys

import redis
from rq import Queue, SimpleWorker
from rq import Worker as ForkingWorker
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now

from app.jobs.kinds import DEFAULT, EVALUATION, QUEUES
from app.jobs.rq import connect, queue_name
from app.jobs.runner import TASKS, load_tasks
from config import Settings

SECONDS_BETWEEN_SIGNS_OF_LIFE = 60
"""How long a worker waits for a job before it says that it is still there. Also bounds how long a connection that has
silently broken goes unnoticed."""


class Worker:
    """What both workers have in common."""

    max_connection_wait_time = 5.0
    tasks = TASKS

    @classmethod
    def of(cls, settings: Settings, queue: str):
        """The worker that this installation runs for a queue."""
        connection = connect(settings)
        return cls(
            [Queue(queue_name(settings, queue), connection, serializer=JSONSerializer)],
            name=f"{slot(settings, queue)}-{os.getpid()}",
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=SECONDS_BETWEEN_SIGNS_OF_LIFE,
            maintenance_interval=60,
        )


class EvaluationWorker(Worker, SimpleWorker):
    """Does its jobs in its own process, one after the other."""


class DefaultWorker(Worker, ForkingWorker):
    """Gives each job a process of its own, started by exec where RQ's worker would fork.

    RQ's own SpawnWorker does so too, but writes the connection, password included, into a command line that all can
    read, and hands the worker over as a pickle.
    """

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        words = [self.tasks, str(os.getpid()), self.key, queue.name, job.id, self.execution.id]
        command = [sys.executable, "-m", "app.jobs.rq_horse", *words]
        self._horse_pid = os.posix_spawn(sys.executable, command, os.environ, setpgroup=0)


WORKERS = {EVALUATION: EvaluationWorker, DEFAULT: DefaultWorker}


def slot(settings: Settings, queue: str) -> str:
    """Begins the name of every worker that this installation has run for a queue on this machine."""
    return f"{queue_name(settings, queue)}-{socket.gethostname()}-{settings.data_key}"


def take_over(worker: Worker, settings: Settings, queue: str) -> list[str]:
    """Give back what earlier workers of this slot were doing when they died; gives the ids of those jobs.

    The supervisor runs one worker a slot at a time, so all earlier ones are dead. RQ by itself would wait until their
    last sign of life has expired: with the time limits of evaluations, an hour.
    """
    given_back = []
    for key in worker.all_keys(worker.connection):
        if not key.startswith(worker.redis_worker_namespace_prefix + slot(settings, queue) + "-"):
            continue
        dead = type(worker).find_by_key(key, worker.connection, serializer=JSONSerializer)
        if dead is None or dead.name == worker.name:
            continue
        for execution in dead.get_current_executions():
            job = worker.queues[0].fetch_job(execution.job_id)
            if job is not None:
                job.ended_at = now()
                dead.handle_job_failure(job, worker.queues[0], exc_string="The worker died.", execution=execution)
                given_back.append(job.id)
        dead.register_death()
    if settings.redis_embedded:
        given_back += put_back_undone(worker.queues[0])
    return given_back


def put_back_undone(queue: Queue) -> list[str]:
    """Put back jobs that a worker had taken from the queue but not begun. Only where no other worker can hold one."""
    waiting = queue.intermediate_queue.get_job_ids()
    undone = [job_id for job_id in waiting if job_id not in queue.started_job_registry]
    for job_id in undone:
        with queue.connection.pipeline() as pipeline:
            pipeline.lrem(queue.intermediate_queue_key, 0, job_id)
            pipeline.lpush(queue.key, job_id)
            pipeline.execute()
    return undone


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("queue", choices=QUEUES)
    parser.add_argument("--tasks", default=TASKS, help="module with the functions")
    arguments = parser.parse_args()
    settings = Settings.from_environment()
    Worker.tasks = arguments.tasks
    if arguments.queue == EVALUATION:
        load_tasks(arguments.tasks)
    try:
        worker = WORKERS[arguments.queue].of(settings, arguments.queue)
        for job_id in take_over(worker, settings, arguments.queue):
            logging.getLogger("rq.worker").warning("%s was interrupted and is done again", job_id)
        worker.work(logging_level="WARNING")
    except redis.ConnectionError as problem:
        print(f"队列服务无法连接 / the queue server cannot be reached: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
