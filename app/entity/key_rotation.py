"""A new key for encrypted columns, taken into use while the system runs.

1. The new key is added to the key file, so that every process can read what it writes.
2. It becomes the key that writes.
3. Rows are encrypted anew, batch by batch, each in a transaction of its own; a row that somebody changes meanwhile is
   left as they wrote it and looked at again.

Old keys stay in the file: files and notes of the past may still be under them. Keyed hashes and the keys of persons do
not follow from this key and stay as they are.

One of the named modules that work past the row scope: it moves ciphertext and shows nothing.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine, bindparam, column, func, select, table, update

from app.database.encryption import KEY_BYTES, RELOAD_SECONDS, Keyring, load_keyring, store_keyring
from app.database.engine import for_writing

from .column_types import EncryptedType
from .registry import registry

BATCH = 500
ROUNDS = 20
"""Times that all rows are looked through for those that were written with the old key meanwhile."""

Progress = Callable[[int, int], None]


class KeysInUse(RuntimeError):
    """Rows kept coming that were written with the old key: some process does not read the key file."""


def add_key(data_dir: Path) -> tuple[str, str]:
    """Make a new key that writes from now on; the ids of the old and the new one. Waits until every process of this
    installation has read the file."""
    ring = load_keyring(data_dir)
    numbers = [int(found[1]) for key_id in ring.keys if (found := re.fullmatch(r"k(\d+)", key_id))]
    new = f"k{max(numbers, default=0) + 1}"
    known: Keyring = replace(ring, keys={**ring.keys, new: secrets.token_bytes(KEY_BYTES)})
    store_keyring(data_dir, known)
    time.sleep(RELOAD_SECONDS * 2)
    store_keyring(data_dir, replace(known, current=new))
    time.sleep(RELOAD_SECONDS * 2)
    load_keyring(data_dir)
    return ring.current, new


def encrypted_columns() -> list[tuple[str, str]]:
    """Table and column of every encrypted field."""
    return [
        (each.name, found.name)
        for entity in registry
        for each in (entity.model.__table__,)
        for found in each.columns
        if isinstance(found.type, EncryptedType)
    ]


def rows_under_other_keys(engine: Engine, current: str) -> int:
    """How many values are not under this key."""
    total = 0
    with engine.connect() as connection:
        for name, encrypted in encrypted_columns():
            there = table(name, column("id"), column(encrypted))
            statement = select(func.count()).where(there.c[encrypted].not_like(f"{current}:%"))
            total += connection.execute(statement.select_from(there)).scalar_one()
    return total


def encrypt_anew(engine: Engine, ring: Keyring, progress: Progress = lambda _done, _total: None) -> int:
    """Put every value under the key that writes; how many there were. Raises KeysInUse."""
    total, done = rows_under_other_keys(engine, ring.current), 0
    for attempt in range(ROUNDS):
        for name, encrypted in encrypted_columns():
            done += _column(engine, ring, name, encrypted, lambda count, before=done: progress(before + count, total))
        if not rows_under_other_keys(engine, ring.current):
            return done
        if attempt:
            time.sleep(RELOAD_SECONDS)
    raise KeysInUse


def _column(engine: Engine, ring: Keyring, name: str, encrypted: str, tell: Callable[[int], None]) -> int:
    there = table(name, column("id"), column(encrypted))
    change = (
        update(there)
        .where(there.c.id == bindparam("row_id"), there.c[encrypted] == bindparam("before"))
        .values({encrypted: bindparam("after")})
    )
    last, done = 0, 0
    while True:
        statement = select(there.c.id, there.c[encrypted]).where(
            there.c.id > last, there.c[encrypted].not_like(f"{ring.current}:%")
        )
        with for_writing(engine).begin() as connection:
            rows = connection.execute(statement.order_by(there.c.id).limit(BATCH)).all()
            if not rows:
                return done
            connection.execute(
                change,
                [
                    {"row_id": row_id, "before": stored, "after": ring.encrypt(ring.decrypt(stored))}
                    for row_id, stored in rows
                ],
            )
        last = rows[-1][0]
        done += len(rows)
        tell(done)
