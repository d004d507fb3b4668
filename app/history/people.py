"""Keys of persons: what identifies a person is encrypted in history and trash under a key of that person alone.

To erase somebody there is to destroy the key: the ciphertext stays, the hashes over it stay true, and nobody can read
it again. A key is made from a random salt (``bc_person_key``) and a secret of the installation, so that neither the
database nor the key file gives it away by itself, and rotating the keys of columns does not touch it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import polars as pl
from sqlalchemy import Connection, select, update

from app.database.bulk import batches, insert_frame, listed
from app.database.clock import now
from app.database.encryption import Keyring, keyring
from app.database.sm3 import hmac_sm3
from app.entity.registry import EntityType, FieldKind

from .models import PersonKey, new_ids

Person = tuple[str, int]
"""An entity's code and a row's id: the member, or the row itself where it belongs to no member."""

KEY_BYTES = 16
_keys = PersonKey.__table__
_PURPOSE = b"beacon history: keys of persons"
_TEXTS = (FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.ENCRYPTED)


_identifying: WeakKeyDictionary[type, frozenset[str]] = WeakKeyDictionary()


def identifying_fields(entity: EntityType) -> frozenset[str]:
    """The fields that go when a person is erased: personal and sensitive ones and, in the person's own row, all texts
    but the code. Code lists, amounts and other dates stay: figures rest on them and they name nobody."""
    found = _identifying.get(entity.model)
    if found is not None:
        return found
    own = entity.options.person == "self"
    found = _identifying[entity.model] = frozenset(
        name
        for name, field in entity.fields.items()
        if field.options.personal
        or field.options.sensitive
        or field.kind is FieldKind.ENCRYPTED
        or (own and field.kind in _TEXTS and name != "code")
    )
    return found


def person_of(entity: EntityType, row_id: int, values: Any) -> Person:
    """Whose key a row's values are under; ``values`` gives the id in the row's person column, if it has one."""
    name = entity.options.person
    if name not in (None, "self"):
        field = (entity.fields | entity.hidden_fields)[f"{name}_id"]
        number = values.get(f"{name}_id")
        if number is not None:
            return field.options.target or entity.code, number
    return entity.code, row_id


def keys_for(connection: Connection, people: Iterable[Person]) -> dict[Person, tuple[int, Keyring]]:
    """The key in force of each person, by person: its id and what encrypts with it; made where there is none."""
    wanted = set(people)
    found: dict[Person, tuple[int, str]] = {}
    by_entity: dict[str, list[int]] = {}
    for entity, row_id in wanted:
        by_entity.setdefault(entity, []).append(row_id)
    for entity, row_ids in by_entity.items():
        for batch in batches(sorted(row_ids)):
            statement = select(_keys.c.row_id, _keys.c.id, _keys.c.salt).where(
                _keys.c.entity == entity, _keys.c.row_id.op("IN")(listed(batch)), _keys.c.salt.is_not(None)
            )
            for row_id, key_id, salt in connection.execute(statement):
                found[entity, row_id] = key_id, salt
    missing = sorted(wanted - found.keys())
    if missing:
        salts = [secrets.token_hex(KEY_BYTES) for _ in missing]
        ids = list(new_ids(len(missing)))
        frame = {"id": ids, "entity": [e for e, _ in missing], "row_id": [r for _, r in missing], "salt": salts}
        if len(missing) == 1:
            connection.execute(_keys.insert().values(**{k: v[0] for k, v in frame.items()}, made_at=_second()))
        else:
            insert_frame(connection, _keys, pl.DataFrame(frame).with_columns(made_at=pl.lit(_second())))
        found |= {person: (key_id, salt) for person, key_id, salt in zip(missing, ids, salts, strict=True)}
    secret = _secret(keyring().hash_key)
    return {person: (key_id, _key(secret, salt)) for person, (key_id, salt) in found.items()}


def keys_by_id(connection: Connection, key_ids: Iterable[int]) -> dict[int, Keyring]:
    """What decrypts, by key id; destroyed keys are left out."""
    found: dict[int, Keyring] = {}
    secret = _secret(keyring().hash_key)
    for batch in batches(sorted(set(key_ids))):
        statement = select(_keys.c.id, _keys.c.salt).where(_keys.c.id.op("IN")(listed(batch)))
        for key_id, salt in connection.execute(statement):
            if salt is not None:
                found[key_id] = _key(secret, salt)
    return found


def destroy_keys(connection: Connection, people: Iterable[Person]) -> int:
    """Destroy every key of these persons; how many there were."""
    destroyed = 0
    for entity, row_id in people:
        statement = update(_keys).where(_keys.c.entity == entity, _keys.c.row_id == row_id, _keys.c.salt.is_not(None))
        destroyed += connection.execute(statement.values(salt=None, destroyed_at=_second())).rowcount
    return destroyed


def _second() -> Any:
    return now().replace(microsecond=0)


@lru_cache(maxsize=4)
def _secret(hash_key: bytes) -> bytes:
    return hmac_sm3(hash_key, _PURPOSE)


def _key(secret: bytes, salt: str) -> Keyring:
    return Keyring({"p": hmac_sm3(secret, bytes.fromhex(salt))[:KEY_BYTES]}, "p", b"")
