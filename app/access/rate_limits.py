"""How many requests an API key may make: counted in the queue's server, in this process while that is away.

429 with Retry-After; RateLimit-Limit, RateLimit-Remaining and RateLimit-Reset on every answer to a key
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from config import Settings

log = logging.getLogger(__name__)
TRIED_AGAIN_AFTER = 30
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key has left of its window."""

    is_within: bool
    limit: int
    remaining: int
    seconds: int
    """Until the window ends."""

    @property
    def headers(self) -> dict[str, str]:
        found = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.seconds),
        }
        return found if self.is_within else {**found, "Retry-After": str(self.seconds)}


class RateLimits:
    """The counters of an installation."""

    def __init__(self, settings: Settings) -> None:
        self.item: RateLimitItem = parse(settings.api_rate_limit)
        self.prefix = settings.queue_prefix
        address = settings.redis_url
        address = f"redis+{address}" if address.startswith("unix://") else address
        options = {"socket_connect_timeout": 1, "socket_timeout": 1}
        self._shared = FixedWindowRateLimiter(storage_from_string(address, wrap_exceptions=True, **options))
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._away_until = 0.0

    def use(self, key_id: int) -> Allowance:
        """Count a request of a key."""
        if time.monotonic() >= self._away_until:
            try:
                return self._count(self._shared, key_id)
            except StorageError as error:
                log.warning("The queue is away, requests are counted in this process: %s", error)
                self._away_until = time.monotonic() + TRIED_AGAIN_AFTER
        return self._count(self._own, key_id)

    def _count(self, limiter: FixedWindowRateLimiter, key_id: int) -> Allowance:
        named = (self.prefix, "api-key", str(key_id))
        is_within = limiter.hit(self.item, *named)
        window = limiter.get_window_stats(self.item, *named)
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        return Allowance(is_within, self.item.amount, max(0, window.remaining), seconds)
