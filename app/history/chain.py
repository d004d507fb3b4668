"""The chain: every transaction's changes and audit events are hashed, and their batch is sealed onto the last one.

- A change's ``row_hash`` is SM3 over all its columns, ciphertext included. A batch's ``content_hash`` is SM3 over the
  hashes of its changes and of its audit events, in their order. Its ``seal`` is HMAC-SM3, under a secret of the
  installation, over the seal before and everything the batch says: whoever can write to the database but has not the
  key file cannot make the chain anew.
- A transaction takes its place in the chain as the last thing before it commits, under a lock on one row
  (``bc_history_head``). Nothing else is waited for while it is held, so that writers neither fork nor deadlock.

Hashes are written in hexadecimal. Source: GB/T 32905-2016 (SM3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, insert, select, update

from app.database.clock import now
from app.database.encryption import keyring
from app.database.sm3 import hmac_sm3, sm3

from .models import Batch, ChainHead, new_ids
from .origin import Origin

BEGINNING = "0" * 64
"""The seal before the first."""
_PURPOSE = b"beacon history: seals"

_head, _batches = ChainHead.__table__, Batch.__table__
_LOCK = select(_head.c.chain_no, _head.c.seal).where(_head.c.id == 1).with_for_update()
_ADD = insert(_batches).values({column.name: bindparam(f"new_{column.name}") for column in _batches.columns})
_MOVE = update(_head).where(_head.c.id == 1).values(chain_no=bindparam("new_chain_no"), seal=bindparam("new_seal"))
_ADD_AND_MOVE = _ADD.add_cte(_MOVE.cte("moved"))
"""Both at once, which PostgreSQL can."""


def hash_of(values: Sequence[Any]) -> str:
    """SM3 over values that JSON can hold."""
    return sm3(orjson.dumps(values)).hexdigest()


def change_hash(
    batch_id: int,
    place: int,
    entity: str,
    row_id: int,
    revision: int,
    operation: str,
    changes: str,
    personal: str | None,
    key_id: int | None,
) -> str:
    """The hash of a change: over its columns as they are stored."""
    return hash_of((batch_id, place, entity, row_id, revision, operation, changes, personal, key_id))


def event_hash(event: Any) -> str:
    """The hash of an audit event (a row or an object of ``bc_audit_event``), its id left out: it is given later."""
    return hash_of(
        (
            event.batch_id,
            event.place,
            second(event.happened_at),
            event.user_id,
            event.actor_name,
            event.action,
            event.entity,
            event.row_id,
            event.detail,
            event.purpose,
            event.address,
        )
    )


def content_hash(changes: Any, events: Any) -> str:
    """Of a batch, from the running hashes over its changes' and its events' hashes."""
    return sm3(changes.digest() + events.digest()).hexdigest()


def seal_of(batch: Any) -> str:
    """The seal of a batch: of all it says, the seal before included."""
    said = orjson.dumps(
        (
            batch.previous_seal,
            batch.chain_no,
            batch.id,
            second(batch.happened_at),
            batch.user_id,
            batch.actor_name,
            batch.door,
            batch.address,
            batch.change_count,
            batch.event_count,
            batch.content_hash,
        )
    )
    return hmac_sm3(_secret(keyring().hash_key), said).hex()


@lru_cache(maxsize=4)
def _secret(hash_key: bytes) -> bytes:
    return hmac_sm3(hash_key, _PURPOSE)


def second(moment: datetime) -> str:
    """A moment as it is hashed: to the second, which is all that MariaDB keeps."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def running_hash() -> Any:
    return sm3()


@dataclass(slots=True)
class OpenBatch:
    """What a transaction has recorded so far. The rows are in their tables; here is what the seal is made of."""

    id: int = field(default_factory=lambda: new_ids()[0])
    change_count: int = 0
    event_count: int = 0
    changes: Any = field(default_factory=running_hash)
    events: Any = field(default_factory=running_hash)

    def copy(self) -> OpenBatch:
        return OpenBatch(self.id, self.change_count, self.event_count, self.changes.copy(), self.events.copy())


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A batch as ``seal_of`` reads it."""

    id: int
    chain_no: int
    happened_at: datetime
    user_id: int | None
    actor_name: str
    door: str
    address: str
    change_count: int
    event_count: int
    content_hash: str
    previous_seal: str


def seal(connection: Connection, batch: OpenBatch, actor: Any, origin: Origin) -> None:
    """Put a transaction's batch at the end of the chain. The last thing before its commit."""
    last = connection.execute(_LOCK).one_or_none()
    if last is None:  # a database whose tables were made without the migrations
        connection.execute(insert(_head).values(id=1, chain_no=0, seal=BEGINNING, first_event_id=0))
    number, previous = last or (0, BEGINNING)
    sealed = _Sealed(
        batch.id,
        number + 1,
        now().replace(microsecond=0),
        actor.user_id,
        actor.name[:128],
        origin.door.value,
        origin.address,
        batch.change_count,
        batch.event_count,
        content_hash(batch.changes, batch.events),
        previous,
    )
    values = {f"new_{name}": getattr(sealed, name) for name in _Sealed.__slots__} | {"new_seal": seal_of(sealed)}
    if connection.dialect.name == "postgresql":
        connection.execute(_ADD_AND_MOVE, values)
    else:
        connection.execute(_ADD, values)
        connection.execute(_MOVE, {name: values[name] for name in ("new_chain_no", "new_seal")})
