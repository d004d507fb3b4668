"""The real jobs, in a worker that may stand still (``stalling``): for workers started with ``--tasks`` and this."""

from datetime import timedelta

from app.jobs import tasks
from app.jobs.tasks import close_due_periods, evaluate, prune, refresh_changed, take_up_evaluations
from tests.evaluation import stalling

__all__ = ["close_due_periods", "evaluate", "prune", "refresh_changed", "take_up_evaluations"]

tasks.LEFT_WAITING_AFTER = timedelta(seconds=1)
stalling.install()
