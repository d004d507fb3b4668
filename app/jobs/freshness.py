"""Keeps results fresh: what is saved in this process is marked, and its subjects are scored again at once."""

from app.evaluation import changes
from app.jobs import queue
from config import Settings


def keep_fresh(settings: Settings) -> None:
    """Mark the records that sessions of this process change from now on, and have a worker score their subjects again.

    When the queue is away the marks stay in the database, and the schedule's sweep finds them.
    """
    queue.configure(settings)
    changes.install(announce)


def announce() -> None:
    queue.enqueue("refresh_changed")
