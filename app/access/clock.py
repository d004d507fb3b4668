"""The time of day in the installation's zone."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from config import TIME_ZONE


def now() -> datetime:
    """The present moment in Asia/Shanghai, without zone, to the second: as columns keep it."""
    return datetime.now(ZoneInfo(TIME_ZONE)).replace(tzinfo=None, microsecond=0)
