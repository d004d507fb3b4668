"""The headless API: FAB's REST views for every entity under ``/api/v1/<entity>/``, generated from its declaration.

Same rows and same permissions as the console's pages. The finished API (its own filter language, cursors, ETags)
will stand beside these views in ``app.api``; ``app.entity.filters``, ``bodies`` and ``schemas`` are what it needs.
"""

from __future__ import annotations

from typing import Any

from flask import Flask

from app.console.live import live_views
from config import Settings

from .views import api_class


def install(app: Flask, appbuilder: Any, settings: Settings) -> None:
    """Add the API of every entity, those declared later included. Needs an application context."""
    live_views(app, appbuilder).add(api_class)
