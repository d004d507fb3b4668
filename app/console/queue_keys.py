"""The queue's keys as IT staff may see them: names, kinds, lengths and the beginning of the value.

Read with SCAN, TYPE, TTL, the length commands and bounded reads; there is no way to pass another command through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.jobs.rq import connect_impatiently
from config import Settings

MOST_KEYS = 500
MOST_PARTS = 50
LONGEST = 500
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Key:
    """``seconds`` until it expires, None for never."""

    name: str
    kind: str
    length: int
    seconds: int | None


@dataclass(frozen=True, slots=True)
class KeyDetails:
    """``parts``: (field, index or score; beginning of the value)."""

    key: Key
    parts: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Keys:
    """``complete`` is False where there are more than are shown."""

    keys: list[Key]
    complete: bool


_LENGTHS: dict[str, Callable[[Any, bytes], int]] = {
    "string": lambda server, key: server.strlen(key),
    "list": lambda server, key: server.llen(key),
    "set": lambda server, key: server.scard(key),
    "zset": lambda server, key: server.zcard(key),
    "hash": lambda server, key: server.hlen(key),
    "stream": lambda server, key: server.xlen(key),
}


def read_keys(settings: Settings, words: str = "") -> Keys:
    """The first keys whose name holds some words, by name. Raises redis.RedisError when the server is away."""
    with connect_impatiently(settings) as server:
        server.ping()
        names: list[bytes] = []
        for name in server.scan_iter(count=1000):
            if words.encode() in name:
                names.append(name)
                if len(names) > MOST_KEYS:
                    break
        return Keys([_key(server, name) for name in sorted(names[:MOST_KEYS])], len(names) <= MOST_KEYS)


def key_details(settings: Settings, name: str) -> KeyDetails | None:
    """A key and the beginning of its value; None if there is none of this name."""
    with connect_impatiently(settings) as server:
        raw = name.encode()
        key = _key(server, raw)
        if key.kind == "none":
            return None
        return KeyDetails(key, [(_text(part), _text(value)) for part, value in _parts(server, raw, key.kind)])


def _key(server: Any, name: bytes) -> Key:
    kind = _text(server.type(name))
    seconds = server.ttl(name)
    length = _LENGTHS[kind](server, name) if kind in _LENGTHS else 0
    return Key(_text(name), kind, length, seconds if seconds >= 0 else None)


def _parts(server: Any, name: bytes, kind: str) -> list[tuple[Any, Any]]:
    last = MOST_PARTS - 1
    if kind == "string":
        return [("", server.getrange(name, 0, LONGEST * 4))]
    if kind == "list":
        return list(enumerate(server.lrange(name, 0, last)))
    if kind == "zset":
        return [(score, member) for member, score in server.zrange(name, 0, last, withscores=True)]
    if kind == "hash":
        return server.hscan(name, count=MOST_PARTS)[1].items()
    if kind == "set":
        return [("", member) for member in server.sscan(name, count=MOST_PARTS)[1]]
    return []


def _text(value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
