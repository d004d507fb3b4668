"""The process of one job of the default queue, which `DefaultWorker` starts: the words are those of `main`."""

import sys

from rq import Queue
from rq.executions import Execution
from rq.serializers import JSONSerializer

from app.jobs.rq import connect
from app.jobs.rq_worker import DefaultWorker
from app.jobs.runner import load_tasks
from app.lifeline import end_with_parent
from config import Settings


def main(tasks: str, parent: str, worker_key: str, queue_name: str, job_id: str, execution_id: str) -> int:
    end_with_parent(int(parent))
    load_tasks(tasks)
    connection = connect(Settings.from_environment())
    worker = DefaultWorker.find_by_key(worker_key, connection, serializer=JSONSerializer)
    queue = Queue(queue_name, connection, serializer=JSONSerializer)
    job = queue.fetch_job(job_id)
    if worker is None or job is None:
        return 1
    execution = Execution.fetch(execution_id, job_id, connection)
    execution._job = job
    worker.execution = execution
    worker.main_work_horse(job, queue)  # ends the process
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
