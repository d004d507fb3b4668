"""The Celery workers: `python -m app.jobs.celery_worker QUEUE`.

Both are of the solo kind, which does its jobs one after the other without forking: a process forked from one that has
run Polars hangs. More machines, not more processes, do more jobs at a time.
"""

import argparse
import os
import sys

from app.jobs.celery import make_celery, queue_name
from app.jobs.kinds import QUEUES
from app.jobs.runner import TASKS, load_tasks
from config import Settings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("queue", choices=QUEUES)
    parser.add_argument("--tasks", default=TASKS, help="module with the functions")
    arguments = parser.parse_args()
    settings = Settings.from_environment()
    load_tasks(arguments.tasks)
    name = queue_name(settings, arguments.queue)
    options = ["--pool=solo", "--concurrency=1", f"--queues={name}", f"--hostname={name}-{os.getpid()}@%h"]
    options += ["--loglevel=WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    make_celery(settings).worker_main(["worker", *options])
    return 0


if __name__ == "__main__":
    sys.exit(main())
