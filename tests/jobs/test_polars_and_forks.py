"""Evaluation in a worker cannot hang on Polars: a process forked from one that has run Polars does."""

import os
import signal
import subprocess
from contextlib import suppress

import pytest
from rq import Queue, SimpleWorker
from rq import Worker as ForkingWorker
from rq.serializers import JSONSerializer

from app.jobs.kinds import DEFAULT, EVALUATION, KINDS
from app.jobs.queue import enqueue, status
from app.jobs.rq import connect
from app.jobs.rq_worker import WORKERS
from app.jobs.state import Stage
from config import Settings
from tests.jobs.sample_tasks import run_polars
from tests.processes import wait_until

JOB_LIMIT = 20


def test_evaluation_finishes_in_workers_started_by_a_process_that_ran_polars(workers):
    assert run_polars() == 1000
    workers.start("evaluation")
    for _ in range(2):  # the second one is done after the worker itself has run Polars
        job_id = enqueue("sort_with_polars")
        wait_until(lambda job_id=job_id: status(job_id).stage in (Stage.DONE, Stage.FAILED), JOB_LIMIT)
        assert status(job_id).stage is Stage.DONE


def test_production_workers_never_do_a_job_in_a_fork():
    assert issubclass(WORKERS[EVALUATION], SimpleWorker)
    assert WORKERS[DEFAULT].fork_work_horse is not ForkingWorker.fork_work_horse
    assert "fork" not in WORKERS[DEFAULT].fork_work_horse.__code__.co_names
    assert "posix_spawn" in WORKERS[DEFAULT].fork_work_horse.__code__.co_names


def test_jobs_that_run_polars_go_to_the_worker_that_does_not_fork():
    for name in ("evaluate", "refresh_changed", "close_due_periods"):
        assert KINDS[name].queue == EVALUATION


FORKING_WORKER_AFTER_POLARS = """
from app.jobs.runner import load_tasks
from rq import Queue, Worker
from rq.serializers import JSONSerializer
from app.jobs.rq import connect
from config import Settings
from tests.jobs.sample_tasks import run_polars
load_tasks("tests.jobs.sample_tasks")
run_polars()
connection = connect(Settings.from_environment())
Worker([Queue("forking", connection, serializer=JSONSerializer)], connection=connection,
       serializer=JSONSerializer).work(burst=True, logging_level="ERROR")
"""


def test_the_danger_is_real(rq_workers):
    """The same job under RQ's ordinary, forking worker hangs past its time limit. If it stops to, the guard can go."""
    connection = connect(Settings.from_environment(rq_workers.environment))
    queue = Queue("forking", connection, serializer=JSONSerializer)
    job = queue.enqueue_call("app.jobs.rq.perform", args=("sort_with_polars", {}), timeout=3, failure_ttl=60)
    worker = rq_workers.run_code(FORKING_WORKER_AFTER_POLARS)
    try:
        wait_until(lambda: job.get_status(refresh=True) != "queued")
        with suppress(subprocess.TimeoutExpired):
            worker.wait(8)
        finished = job.get_status(refresh=True) == "finished"
    finally:
        for horse in children_of(worker.pid):
            os.kill(horse, signal.SIGKILL)
        worker.kill()
    if finished:
        pytest.skip("this Polars survives a fork on this machine")
    assert not job.is_finished


def children_of(process: int) -> list[int]:
    try:
        with open(f"/proc/{process}/task/{process}/children") as children:
            return [int(child) for child in children.read().split()]
    except OSError:
        return []
