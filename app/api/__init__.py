"""The headless API: FAB's REST views for every entity under ``/api/v1/<entity>/``, generated from its declaration.

Same rows, same permissions and same fields as the console's pages. ``views`` has the methods; ``parameters`` and
``names`` read what is asked, ``selection``, ``reading``, ``grouping`` and ``cursors`` answer it; ``bodies``,
``writing``, ``conditions`` and ``idempotency`` change rows; ``openapi`` describes all of it. See docs/api.md.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_cors import CORS
from werkzeug.routing import BaseConverter

from app.console.live import live_views
from app.console.menu import GROUPS
from app.console.presentation import lazy
from app.entity.labels import Label
from config import Settings

from .idempotency import REPLAYED
from .key_pages import ApiKeysPage
from .pages import ApiDocument, ApiPage
from .views import api_class

HEADERS = ("Authorization", "Content-Type", "Accept-Language", "If-Match", "If-None-Match", "Idempotency-Key")
EXPOSED = ("ETag", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", REPLAYED)


class RowKey(BaseConverter):
    """The id or code of a row in an address; what begins with ``_`` is no row but a method of the API."""

    regex = "[^/_][^/]*"


def install(app: Flask, appbuilder: Any, settings: Settings) -> None:
    """Add the API of every entity, those declared later included. Needs an application context."""
    app.url_map.converters["row_key"] = RowKey
    live_views(app, appbuilder).add(api_class)
    appbuilder.add_api(ApiDocument)
    for page, name, label, icon in (
        (ApiPage, "menu.api", Label("接口说明", "API"), "fa-plug"),
        (ApiKeysPage, "menu.api_keys", Label("接口密钥", "API keys"), "fa-key"),
    ):
        appbuilder.add_view(
            page, name, label=lazy(label), icon=icon, category="system", category_label=lazy(GROUPS["system"])
        )
    if settings.api_cors_origins:
        # Tokens and keys only: a cookie never counts from another site.
        CORS(
            app,
            resources={r"/api/v1/.*": {"origins": list(settings.api_cors_origins)}},
            allow_headers=HEADERS,
            expose_headers=EXPOSED,
            supports_credentials=False,
            max_age=600,
        )
