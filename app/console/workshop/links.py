"""Addresses of the workshop's other pages, which an installation may leave out."""

from __future__ import annotations

from typing import Any

from flask import url_for
from werkzeug.routing import BuildError


def page_link(endpoint: str, **arguments: Any) -> str | None:
    """The address of a page; None where there is no such page."""
    try:
        return url_for(endpoint, **arguments)
    except BuildError:
        return None
