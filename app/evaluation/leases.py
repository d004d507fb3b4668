"""Leases: rows that keep two runs of one thing apart, across processes and machines."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from app.database.clock import now
from app.database.engine import for_writing
from app.entity.labels import UserError

from .models import Lease

VOID_AFTER = timedelta(seconds=60)
HEARTBEAT_SECONDS = 10.0
_leases = Lease.__table__


class LeaseTaken(UserError):
    """Somebody else holds the lease, and did not give it up in time."""


class LeaseLost(Exception):
    """The holder stood still for so long that somebody else took the lease: what it has computed is out of date."""


@dataclass(frozen=True)
class Holding:
    """A lease that is held."""

    name: str
    holder: str

    def require(self, connection: Connection) -> None:
        """Raises LeaseLost if the lease is another's by now. To be asked in the transaction that writes the work."""
        mine = select(_leases.c.name).where(_leases.c.name == self.name, _leases.c.holder == self.holder)
        if connection.execute(mine).first() is None:
            raise LeaseLost(self.name)


def _try(engine: Engine, name: str, holder: str) -> bool:
    moment = now()
    with for_writing(engine).begin() as connection:
        taken = connection.execute(
            update(_leases)
            .where(_leases.c.name == name, _leases.c.heartbeat_at < moment - VOID_AFTER)
            .values(holder=holder, heartbeat_at=moment)
        )
        if taken.rowcount:
            return True
        if connection.execute(select(_leases.c.name).where(_leases.c.name == name)).first():
            return False
        try:
            with connection.begin_nested():
                connection.execute(insert(_leases).values(name=name, holder=holder, heartbeat_at=moment))
        except (IntegrityError, OperationalError):  # another process was first; MariaDB may call it a deadlock
            return False
        return True


class _Heart(threading.Thread):
    """Renews a lease while its holder works."""

    def __init__(self, engine: Engine, name: str, holder: str) -> None:
        super().__init__(name=f"lease-{name}", daemon=True)
        self.engine, self.lease, self.holder = engine, name, holder
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(HEARTBEAT_SECONDS):
            try:
                with for_writing(self.engine).begin() as connection:
                    connection.execute(
                        update(_leases)
                        .where(_leases.c.name == self.lease, _leases.c.holder == self.holder)
                        .values(heartbeat_at=now())
                    )
            except OperationalError:  # the database is away or busy: the next beat tries again
                continue


@contextmanager
def lease(
    engine: Engine, name: str, *, wait_seconds: float = 0, waiting: Callable[[], None] | None = None
) -> Iterator[Holding]:
    """Hold a lease for the block. Raises LeaseTaken if another holder keeps it for longer than ``wait_seconds``.

    A holder that was killed leaves a lease whose heartbeat stops; it is void after ``VOID_AFTER``.
    """
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    deadline = time.monotonic() + wait_seconds
    pause = 0.05
    while not _try(engine, name, holder):
        if time.monotonic() >= deadline:
            raise LeaseTaken(
                f"“{name}”正在由另一个进程评定，请等它完成后再试",
                f"“{name}” is being evaluated by another process; try again when it has finished",
            )
        if waiting:
            waiting()
        time.sleep(pause)
        pause = min(pause * 1.5, 1.0)
    heart = _Heart(engine, name, holder)
    heart.start()
    try:
        yield Holding(name, holder)
    finally:
        heart.stopped.set()
        heart.join()
        with for_writing(engine).begin() as connection:
            connection.execute(delete(_leases).where(_leases.c.name == name, _leases.c.holder == holder))
