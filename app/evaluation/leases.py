"""Leases: rows that keep two runs of one thing apart, across processes and machines."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from app.database.clock import now
from app.database.engine import for_writing
from app.entity.labels import UserError

from .holders import is_dead, new_holder
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
    """Leases that are held."""

    names: tuple[str, ...]
    holder: str

    def require(self, connection: Connection) -> None:
        """Raises LeaseLost if any of them is another's by now. To be asked in the transaction that writes the work."""
        mine = select(_leases.c.name).where(_leases.c.name.in_(self.names), _leases.c.holder == self.holder)
        lost = set(self.names) - set(connection.execute(mine).scalars())
        if lost:
            raise LeaseLost(", ".join(sorted(lost)))


def _missing(engine: Engine, names: tuple[str, ...], holder: str) -> str | None:
    """Take all the leases, or none and say which one another holds."""
    moment = now()
    with for_writing(engine).begin() as connection:
        holders = connection.execute(select(_leases.c.holder).where(_leases.c.name.in_(names)).distinct()).scalars()
        dead = [each for each in holders if is_dead(each)]
        void = or_(_leases.c.heartbeat_at < moment - VOID_AFTER, _leases.c.holder.in_(dead))
        connection.execute(delete(_leases).where(_leases.c.name.in_(names), void))
        taken = connection.execute(select(_leases.c.name).where(_leases.c.name.in_(names)).limit(1)).scalar()
        if taken is not None:
            return taken
        try:
            with connection.begin_nested():
                rows = [{"name": name, "holder": holder, "heartbeat_at": moment} for name in sorted(names)]
                connection.execute(insert(_leases), rows)
        except (IntegrityError, OperationalError):  # another process was first; MariaDB may call it a deadlock
            return names[0]
        return None


class _Heart(threading.Thread):
    """Renews leases while their holder works."""

    def __init__(self, engine: Engine, names: tuple[str, ...], holder: str) -> None:
        super().__init__(name=f"lease-{names[0]}", daemon=True)
        self.engine, self.names, self.holder = engine, names, holder
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(HEARTBEAT_SECONDS):
            try:
                with for_writing(self.engine).begin() as connection:
                    connection.execute(
                        update(_leases)
                        .where(_leases.c.name.in_(self.names), _leases.c.holder == self.holder)
                        .values(heartbeat_at=now())
                    )
            except OperationalError:  # the database is away or busy: the next beat tries again
                continue


@contextmanager
def lease(
    engine: Engine, *names: str, wait_seconds: float = 0, waiting: Callable[[], None] | None = None
) -> Iterator[Holding]:
    """Hold the leases of these names (at least one) for the block, all of them at once, so that two holders never
    wait for one another. Raises LeaseTaken if another holder keeps one for longer than ``wait_seconds``.

    A holder that was killed leaves its leases behind: they are void at once for processes on the same machine, for
    others when the heartbeat has stopped for ``VOID_AFTER``.
    """
    holder = new_holder()
    deadline = time.monotonic() + wait_seconds
    pause = 0.05
    while (taken := _missing(engine, names, holder)) is not None:
        if time.monotonic() >= deadline:
            raise LeaseTaken(
                f"“{taken}”正在由另一个进程评定，请等它完成后再试",
                f"“{taken}” is being evaluated by another process; try again when it has finished",
            )
        if waiting:
            waiting()
        time.sleep(pause)
        pause = min(pause * 1.5, 1.0)
    heart = _Heart(engine, names, holder)
    heart.start()
    try:
        yield Holding(names, holder)
    finally:
        heart.stopped.set()
        heart.join()
        with for_writing(engine).begin() as connection:
            connection.execute(delete(_leases).where(_leases.c.name.in_(names), _leases.c.holder == holder))
