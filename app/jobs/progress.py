"""How a running job tells how far it has come. Outside a job, telling is allowed and goes nowhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

SECONDS_BETWEEN_REPORTS = 0.5

Reporter = Callable[[int, int, str], None]

_reporter: ContextVar[Reporter | None] = ContextVar("reporter", default=None)


def report(done: int, total: int, label: str = "") -> None:
    """`done` of `total` steps of the current job are behind us; cheap enough to be called for each step."""
    reporter = _reporter.get()
    if reporter is not None:
        reporter(done, total, label)


@contextmanager
def reporting_to(reporter: Reporter) -> Iterator[None]:
    """Let `report` reach `reporter` inside the block, at most twice a second but for the last step."""
    next_at = 0.0

    def sparsely(done: int, total: int, label: str) -> None:
        nonlocal next_at
        now = time.monotonic()
        if now >= next_at or done == total:
            next_at = now + SECONDS_BETWEEN_REPORTS
            reporter(done, total, label)

    token = _reporter.set(sparsely)
    try:
        yield
    finally:
        _reporter.reset(token)
