"""Settings for the eyes of IT staff: all but the secret ones, addresses without their passwords."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from config import Settings

SECRET = frozenset({"admin_password"})
ADDRESSES = frozenset({"database_url", "redis_url", "celery_broker_url"})


def settings_shown(settings: Settings) -> list[tuple[str, str]]:
    """(environment variable, value) in the order of declaration. A setting that is hidden from ``repr`` and is no
    address known here is left out, so that a new secret does not slip in."""
    return [
        (field.name.upper(), without_password(value) if field.name in ADDRESSES else _text(value))
        for field in fields(settings)
        if field.name not in SECRET and (field.repr or field.name in ADDRESSES)
        for value in [getattr(settings, field.name)]
    ]


def without_password(address: str) -> str:
    """An address with its password and query, which may hold one, left out."""
    parts = urlsplit(address)
    place = parts.netloc
    if not place:
        return address.partition("?")[0]
    if "@" in place:
        user = place.rpartition("@")[0].partition(":")[0]
        place = f"{user}:***@{place.rpartition('@')[2]}" if user else f"***@{place.rpartition('@')[2]}"
    return urlunsplit((parts.scheme, place, parts.path, "", ""))


def _text(value: Any) -> str:
    return "—" if value is None else str(value)
