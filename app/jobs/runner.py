"""Does a job inside a worker: finds the function of that name and calls it."""

from importlib import import_module
from types import ModuleType

from sqlalchemy.orm import configure_mappers

from app.garbage import keep_what_is_loaded
from app.jobs.kinds import KINDS
from app.jobs.progress import Reporter, reporting_to

TASKS = "app.jobs.tasks"

_tasks: ModuleType | None = None


def load_tasks(module: str = TASKS) -> None:
    """Import the module with the functions; a worker does so once, before its first job."""
    global _tasks
    _tasks = import_module(module)
    configure_mappers()  # else the first job would wait for it
    keep_what_is_loaded()


def perform(name: str, arguments: dict, reporter: Reporter) -> object:
    """Do one job and give its result, which JSON has to be able to hold.

    Only the declared kinds can be done, whatever somebody has written into the queue. Raises KeyError for others.
    """
    if _tasks is None:
        raise RuntimeError("load_tasks() has not been called in this worker")
    KINDS[name]
    with reporting_to(reporter):
        return getattr(_tasks, name)(**arguments)
