"""What is done periodically: the list, and when an entry is due. All times are those of Asia/Shanghai."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

from config import TIME_ZONE

ZONE = ZoneInfo(TIME_ZONE)


@dataclass(frozen=True)
class Daily:
    """A job at set times (`at`, in cron's five fields).

    A time that passed while nothing ran is made up for once; so is one of the first start if `also_at_first_start`.
    """

    job: str
    at: str
    arguments: dict = field(default_factory=dict)
    also_at_first_start: bool = False

    def last_due(self, now: datetime) -> datetime:
        """The latest set time that is not after `now` (which has a zone), in Asia/Shanghai."""
        # croniter looks strictly before the time that it is given.
        just_after = now.astimezone(ZONE).replace(microsecond=0) + timedelta(seconds=1)
        return croniter(self.at, just_after).get_prev(datetime)


@dataclass(frozen=True)
class Sweep:
    """A job every so many seconds; one that was missed is not made up for."""

    job: str
    seconds: float


SCHEDULE: tuple[Daily, ...] = (
    # What is owed from today on, before anything is evaluated.
    Daily("create_due", "20 0 * * *"),
    # Letters that are valid no longer, claims without contact: what follows from the day alone.
    Daily("end_overdue", "25 0 * * *"),
    # Periods that ended yesterday are evaluated once more before the first evaluation of the new ones.
    Daily("close_due_periods", "40 1 * * *"),
    # Every rule in force, indices and warnings.
    Daily("evaluate", "10 2 * * *", also_at_first_start=True),
    Daily("prune", "15 4 * * *"),
)

SWEEPS: tuple[Sweep, ...] = (
    # A saved change enqueues this by itself; the sweep finds what was saved while the queue was away.
    Sweep("refresh_changed", 2.0),
    # The console queues an evaluation by itself; the sweep finds those asked for while the queue was away.
    Sweep("take_up_evaluations", 10.0),
    # The console publishes at once what is due at once; this is for dates, crashes and files changed by hand.
    Sweep("tend_rules", 3.0),
    # The same for steps of imports, and for exports.
    Sweep("take_up_files", 30.0),
)
