"""Beacon: the records of a district's Party organizations, and what rules make of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from config import Settings


def create_app(settings: Settings) -> Flask:
    """The web application for these settings, whose database has been migrated.

    ``app.application`` puts the parts together. It is imported here, when a web application is wanted, so that workers
    and the command line, which import packages of ``app``, do not load the console.
    """
    return import_module("app.application").make_application(settings)
