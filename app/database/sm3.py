"""SM3 and HMAC-SM3 of many short texts: OpenSSL looks an algorithm up at every new hash, which takes longer than the
hashing itself, so that hashes begin as copies.

Sources: GB/T 32905-2016 (SM3), RFC 2104 (HMAC).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

_BLOCK = 64
"""Bytes."""
_EMPTY = hashlib.new("sm3")


def sm3(data: bytes = b"") -> Any:
    """A hash object of ``hashlib`` that has taken the data in."""
    found = _EMPTY.copy()
    found.update(data)
    return found


@lru_cache(maxsize=16)
def _pads(key: bytes) -> tuple[Any, Any]:
    """The beginnings of the inner and the outer hash."""
    block = (key if len(key) <= _BLOCK else sm3(key).digest()).ljust(_BLOCK, b"\0")
    return sm3(bytes(byte ^ 0x36 for byte in block)), sm3(bytes(byte ^ 0x5C for byte in block))


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """HMAC-SM3, 32 bytes. For the few keys of an installation: they are kept."""
    inner, outer = _pads(key)
    inner, outer = inner.copy(), outer.copy()
    inner.update(data)
    outer.update(inner.digest())
    return outer.digest()
