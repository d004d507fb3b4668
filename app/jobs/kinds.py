"""Every kind of job there is. Light, for the web server needs it: the functions are in `tasks.py`, for workers only."""

from dataclasses import dataclass

EVALUATION = "evaluation"
"""Jobs that run Polars: their worker never forks."""
DEFAULT = "default"
"""All other jobs: each has a process of its own, so that one that goes wrong harms no other."""
QUEUES = (EVALUATION, DEFAULT)


@dataclass(frozen=True)
class JobKind:
    """How jobs of one name are treated."""

    queue: str
    timeout: int
    """Seconds after which a job is given up. Celery's solo worker cannot enforce it."""
    pauses: tuple[int, ...] = (1, 15, 120)
    """Seconds before each further try after a failure; as many tries as there are numbers."""
    keeps_result: int = 3600
    """Seconds for which `status` can tell how it went."""
    expires: int | None = None
    """Seconds after which a job that has not begun is pointless, because the schedule makes another."""


KINDS = {
    # Evaluate rules, all if none are named, indices and warnings alike.
    "evaluate": JobKind(EVALUATION, timeout=3600),
    # Score again the subjects that saved changes have marked.
    "refresh_changed": JobKind(EVALUATION, timeout=600, pauses=(1, 5), keeps_result=60, expires=60),
    # Queue the evaluations that people asked for while the queue was away.
    "take_up_evaluations": JobKind(EVALUATION, timeout=60, pauses=(), keeps_result=60, expires=60),
    # The final evaluation of periods that have ended, and their closing.
    "close_due_periods": JobKind(EVALUATION, timeout=3600),
    # The fees, attendance and study that are owed from this day on.
    "create_due": JobKind(DEFAULT, timeout=3600),
    # Letters of introduction and claims of wishes that nobody has followed up, surveys and tasks past their day.
    "end_overdue": JobKind(DEFAULT, timeout=3600),
    # Check an uploaded file's rows, save them, take them back out; write a list into a file.
    "check_import": JobKind(DEFAULT, timeout=3600),
    "save_import": JobKind(DEFAULT, timeout=3600),
    "undo_import": JobKind(DEFAULT, timeout=3600),
    "write_export": JobKind(DEFAULT, timeout=3600),
    # Queue the steps and files that people asked for while the queue was away.
    "take_up_files": JobKind(DEFAULT, timeout=60, pauses=(), keeps_result=60, expires=60),
    # Forget what is kept for a limited time only.
    "prune": JobKind(DEFAULT, timeout=3600),
    # Verify the chain of history and audit trail, when an auditor asks.
    "verify_history": JobKind(DEFAULT, timeout=3600, pauses=()),
    # Publish drafts whose day has come, carry on after a crash, make versions of changed rule files.
    "tend_rules": JobKind(EVALUATION, timeout=120, pauses=(), keeps_result=60, expires=60),
}
