"""Keeps results fresh: what is saved in this process is marked, and its subjects are scored again at once.

Telling the queue takes longer than some requests, so a web request leaves it to a thread, which tells it once for all
that was saved meanwhile. What a process that ends has not told any more is found by the schedule's sweep.
"""

from __future__ import annotations

import threading
import time

from flask import has_request_context

from app.evaluation import changes
from app.jobs import queue
from config import Settings

JOB = "refresh_changed"
PAUSE = 0.1
"""Seconds between two tellings of a process under many writes."""


def keep_fresh(settings: Settings) -> None:
    """Mark the records that sessions of this process change from now on, and have a worker score their subjects again.

    When the queue is away the marks stay in the database, and the schedule's sweep finds them.
    """
    queue.configure(settings)
    changes.install(announce)


def announce() -> None:
    if has_request_context():
        _teller.wake()
    else:
        queue.enqueue(JOB)


class _Teller:
    """The thread that tells the queue; started when it is first needed, so that it is of the process that serves."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        self._wanted.set()
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._tell, name="freshness", daemon=True)
                    self._thread.start()

    def _tell(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()  # before telling: what is saved from here on is told again
            queue.enqueue(JOB)
            time.sleep(PAUSE)


_teller = _Teller()
