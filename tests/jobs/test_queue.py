"""What the rest of Beacon relies on, on RQ and on Celery alike."""

import json
import re
import signal
import threading
import time
from pathlib import Path

import pytest

from app.jobs import queue
from app.jobs.celery import open_queue as open_celery_queue
from app.jobs.queue import enqueue, status
from app.jobs.state import Stage
from config import Settings
from tests.processes import is_alive, wait_until


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def has_ended(job_id: str) -> bool:
    state = status(job_id)
    return state is not None and state.stage in (Stage.DONE, Stage.FAILED)


def test_job_is_done_by_the_worker_of_its_queue(workers, tmp_path):
    notes = tmp_path / "notes"
    job_id = enqueue("note_evaluation", path=str(notes), text="评估")
    assert re.fullmatch(r"[A-Za-z0-9_-]+", job_id)
    assert status(job_id).stage is Stage.WAITING
    worker = workers.start("evaluation")
    wait_until(lambda: has_ended(job_id))
    assert status(job_id).stage is Stage.DONE
    [note] = lines(notes)
    assert note["text"] == "评估"
    assert note["process"] == worker.pid, "evaluation has to run in the worker's own process, never in a fork of it"


def test_identical_jobs_wait_once(workers, tmp_path):
    notes = tmp_path / "notes"
    first = enqueue("note", path=str(notes), text="a")
    assert enqueue("note", path=str(notes), text="a") == first
    other = enqueue("note", path=str(notes), text="b")
    assert other != first
    workers.start("default")
    wait_until(lambda: has_ended(first) and has_ended(other))
    assert sorted(note["text"] for note in lines(notes)) == ["a", "b"]


def test_wish_that_comes_while_the_job_runs_is_a_job_of_its_own(workers, tmp_path):
    go_on = tmp_path / "go-on"
    workers.start("evaluation")
    first = enqueue("count_slowly", path=str(go_on))
    wait_until(lambda: status(first).stage is Stage.RUNNING and status(first).done)
    second = enqueue("count_slowly", path=str(go_on))
    assert second != first
    assert enqueue("count_slowly", path=str(go_on)) == second
    go_on.touch()
    wait_until(lambda: has_ended(first) and has_ended(second))


def test_progress_is_told(workers, tmp_path):
    go_on = tmp_path / "go-on"
    workers.start("evaluation")
    job_id = enqueue("count_slowly", path=str(go_on))
    state = wait_until(lambda: status(job_id) if status(job_id).done else None)
    assert (state.stage, state.done, state.total, state.label) == (Stage.RUNNING, 5, 10, "halfway")
    go_on.touch()
    wait_until(lambda: has_ended(job_id))


def test_failed_job_is_tried_again(workers, tmp_path):
    notes = tmp_path / "notes"
    job_id = enqueue("fail_once", path=str(notes))
    workers.start("default")
    workers.start_scheduler()
    wait_until(lambda: has_ended(job_id), 30)
    assert status(job_id).stage is Stage.DONE
    assert len(lines(notes)) == 2


def test_job_that_always_fails_ends_as_failed(workers, tmp_path):
    notes = tmp_path / "notes"
    job_id = enqueue("fail_always", path=str(notes))
    workers.start("default")
    wait_until(lambda: has_ended(job_id))
    assert status(job_id).stage is Stage.FAILED
    assert len(lines(notes)) == 1


@pytest.mark.parametrize(("queue", "job"), [("evaluation", "stall_once"), ("default", "stall_once_default")])
def test_job_of_a_killed_worker_is_done_again(workers, tmp_path, queue, job):
    notes = tmp_path / "notes"
    worker = workers.start(queue)
    job_id = enqueue(job, path=str(notes))
    [begun] = wait_until(lambda: lines(notes))
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    wait_until(lambda: not is_alive(begun["process"]), 5)  # the job's own process does not outlive its worker
    workers.start(queue)
    workers.start_scheduler()
    wait_until(lambda: has_ended(job_id), 30)
    assert status(job_id).stage is Stage.DONE
    assert [note["text"] for note in lines(notes)] == ["begun", "begun", "ended"]


def test_unknown_jobs_and_arguments_that_json_cannot_hold_are_refused(workers, tmp_path):
    with pytest.raises(KeyError):
        enqueue("no_such_job")
    with pytest.raises(TypeError):
        enqueue("note", path=tmp_path, text="a path is no JSON")
    assert status("no-such-job") is None


class TestRedisAway:
    """Redis stopped and started again, as in an upgrade of the machine."""

    def test_enqueue_gives_none_at_once(self, rq_workers, redis_server, tmp_path):
        redis_server.stop()
        began = time.monotonic()
        assert enqueue("note", path=str(tmp_path / "notes"), text="lost") is None
        assert status("note-1") is None
        assert time.monotonic() - began < 2
        redis_server.start()
        assert enqueue("note", path=str(tmp_path / "notes"), text="kept") is not None

    def test_jobs_are_kept_and_an_idle_worker_goes_on(self, rq_workers, redis_server, tmp_path):
        notes = tmp_path / "notes"
        worker = rq_workers.start("evaluation")
        first = enqueue("note_evaluation", path=str(notes), text="before")
        wait_until(lambda: has_ended(first))
        redis_server.stop()
        redis_server.start()
        second = enqueue("note_evaluation", path=str(notes), text="after")
        wait_until(lambda: has_ended(second), 30)
        assert [note["process"] for note in lines(notes)] == [worker.pid, worker.pid]

    def test_job_at_work_while_redis_restarts_is_not_lost(self, rq_workers, redis_server, tmp_path):
        notes = tmp_path / "notes"
        worker = rq_workers.start("evaluation")
        job_id = enqueue("stall_once", path=str(notes))
        wait_until(lambda: lines(notes))
        redis_server.stop()
        worker.kill()
        worker.wait()
        redis_server.start()
        rq_workers.start("evaluation")
        rq_workers.start_scheduler()
        wait_until(lambda: has_ended(job_id), 30)
        assert [note["text"] for note in lines(notes)] == ["begun", "begun", "ended"]


def test_rabbitmq_away_gives_none(celery_workers, tmp_path):
    environment = {**celery_workers.environment, "CELERY_BROKER_URL": "amqp://guest:guest@127.0.0.1:1//"}
    queue.configure(Settings.from_environment(environment))
    began = time.monotonic()
    assert enqueue("note", path=str(tmp_path / "notes"), text="lost") is None
    assert time.monotonic() - began < 5


def test_state_that_is_being_written_is_never_unknown(settings):
    """Celery's own backend empties a state's file before it fills it."""
    jobs = open_celery_queue(settings)
    ended = threading.Event()

    def write():
        while not ended.is_set():
            jobs.celery.backend.store_result("note-1", {"done": 1, "total": 2, "label": "一" * 4000}, "PROGRESS")

    jobs.celery.backend.store_result("note-1", None, "STARTED")
    writer = threading.Thread(target=write)
    writer.start()
    try:
        stages = {state.stage if (state := jobs.status("note-1")) else None for _ in range(1500)}
    finally:
        ended.set()
        writer.join()
    assert stages == {Stage.RUNNING}
