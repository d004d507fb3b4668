"""The tables of the history: batches (one a transaction), changes (one a row), the chain's head, keys of persons."""

from __future__ import annotations

import secrets
import threading
import time
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, DateTime, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base
from app.database.types import LongText

_RANDOM_BITS = 12


class Operation(StrEnum):
    """What was done to a row."""

    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"
    REVERTED = "reverted"
    """Changed back to an earlier version."""
    RESTORED = "restored"
    """Brought back from the trash."""
    PURGED = "purged"
    """Taken out of the trash for good."""
    ERASED = "erased"
    """Personal values removed for good on the person's request."""
    PRUNED = "pruned"
    """Batches beyond the retention were removed: written by the system, of no entity."""


class Batch(Base):
    """One transaction: who changed something, when and from where, and the seal that ties it to the one before."""

    __tablename__ = "bc_history_batch"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    chain_no: Mapped[int] = mapped_column(BigInteger, unique=True)
    """The place in the chain, from 1 on, without gaps."""
    happened_at: Mapped[datetime] = mapped_column(DateTime, index=True)
    """To the second, which is all that every database keeps."""
    user_id: Mapped[int | None] = mapped_column(Integer, index=True)
    """The account of the day; no foreign key, because the account may go and this stays."""
    actor_name: Mapped[str] = mapped_column(String(128), index=True)
    door: Mapped[str] = mapped_column(String(20), index=True)
    address: Mapped[str] = mapped_column(String(45))
    change_count: Mapped[int] = mapped_column(Integer)
    event_count: Mapped[int] = mapped_column(Integer)
    content_hash: Mapped[str] = mapped_column(String(64))
    previous_seal: Mapped[str] = mapped_column(String(64))
    seal: Mapped[str] = mapped_column(String(64))


class RecordedChange(Base):
    """One change of one row. ``changes`` is JSON: ``{field: [before, after]}``, a personal field is ``true`` there and
    lies in ``personal``, the same JSON encrypted under the person's key."""

    __tablename__ = "bc_history"

    batch_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    place: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """Within the batch, from 1 on."""
    entity: Mapped[str] = mapped_column(String(40))
    row_id: Mapped[int] = mapped_column(Integer)
    revision: Mapped[int] = mapped_column(Integer)
    """The row's revision after the change; the last one it had if it was deleted."""
    operation: Mapped[str] = mapped_column(String(20))
    changes: Mapped[str] = mapped_column(LongText)
    personal: Mapped[str | None] = mapped_column(LongText)
    key_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    row_hash: Mapped[str] = mapped_column(String(64))

    __table_args__ = (Index("ix_history_row", "entity", "row_id", "batch_id"),)


class ChainHead(Base):
    """The last link of the chain: one row, locked while a transaction seals its batch."""

    __tablename__ = "bc_history_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    chain_no: Mapped[int] = mapped_column(BigInteger)
    seal: Mapped[str] = mapped_column(String(64))
    first_event_id: Mapped[int] = mapped_column(BigInteger)
    """Audit events up to this id are older than the chain."""


class PersonKey(Base):
    """What the key of a person's values in history and trash is made from. Without ``salt`` it cannot be made again."""

    __tablename__ = "bc_person_key"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entity: Mapped[str] = mapped_column(String(40))
    row_id: Mapped[int] = mapped_column(Integer)
    salt: Mapped[str | None] = mapped_column(String(32))
    """16 random bytes in hexadecimal; None once destroyed."""
    made_at: Mapped[datetime] = mapped_column(DateTime)
    destroyed_at: Mapped[datetime | None] = mapped_column(DateTime)

    __table_args__ = (Index("ix_person_key_row", "entity", "row_id"),)


_lock = threading.Lock()
_last = 0


def new_ids(count: int = 1) -> range:
    """Ids that no other process gives out: microseconds since 1970 and random bits, rising within a process."""
    global _last
    with _lock:
        first = max((time.time_ns() // 1000 << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS), _last + 1)
        _last = first + count - 1
        return range(first, first + count)
