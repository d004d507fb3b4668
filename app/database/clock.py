"""The time, in the district's time zone. Times are stored without zone and mean Asia/Shanghai."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

TIME_ZONE = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """This moment in Asia/Shanghai, without zone, to the microsecond."""
    return datetime.now(TIME_ZONE).replace(tzinfo=None)


def today() -> date:
    """This day in Asia/Shanghai."""
    return datetime.now(TIME_ZONE).date()
