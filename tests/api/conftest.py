"""The API is tried on the site of the console's tests."""

from __future__ import annotations

from tests.console.conftest import peopled, site, world

__all__ = ["peopled", "site", "world"]
