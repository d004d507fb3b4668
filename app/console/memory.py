"""What is worth remembering until the answer is sent."""

from __future__ import annotations

from typing import Any

from flask import request


def memory(name: str) -> dict[Any, Any]:
    """A dictionary of this request. It hangs on the request itself and not on ``flask.g``, which requests inside one
    application context share."""
    return request.environ.setdefault(f"beacon.{name}", {})
