"""The OpenAPI document, and the page that shows it to people: both as the reader may use the API."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson
from flask import Response, current_app, request
from flask_appbuilder.api import BaseApi, expose
from flask_appbuilder.security.decorators import has_access, permission_name, protect

from app.access.permissions import API_DOCUMENT
from app.access.web_session import identity
from app.console.pages.context import Page
from app.entity.registry import registry

from .answers import in_words
from .openapi import document
from .parameters import read_no_parameters
from .problems import problem
from .reading import Reader

VERSION = "1"


class ApiDocument(BaseApi):
    """``/api/v1/_openapi``."""

    route_base = "/api/v1"
    class_permission_name = API_DOCUMENT.page
    method_permission_name = {"openapi": "show"}
    base_permissions = [API_DOCUMENT.action]
    allow_browser_login = True

    @expose("/_openapi", methods=["GET"])
    @protect()
    @permission_name("openapi")
    @in_words
    def openapi(self) -> Response:
        """What the reader may ask of the API."""
        read_no_parameters(request.args)
        return Response(_document_of(reader(), request.host_url.rstrip("/")), mimetype="application/json")

    def response_401(self) -> Response:
        return problem(401)

    def response_403(self) -> Response:
        return problem(403)


class ApiPage(Page):
    """接口说明."""

    route_base = "/api-docs"
    default_view = "show"
    class_permission_name = API_DOCUMENT.page
    method_permission_name = {"show": "show"}

    @expose("/")
    @has_access
    def show(self) -> str:
        self.update_redirect()
        return self.render_template("beacon/api.html")


def reader() -> Reader:
    """Whoever asks."""
    security, session = current_app.appbuilder.sm, current_app.appbuilder.session()
    found = identity(session)
    return Reader(session, security.clearance(), (found.role_ids, found.version) if found else ())


def _document_of(asked_by: Reader, server: str) -> bytes:
    return _kept(_Reading(asked_by), asked_by.access, asked_by.clearance, registry.version, server)


class _Reading:
    """A reader that does not tell one kept document from another: what decides on it are the other keys."""

    def __init__(self, asked_by: Reader) -> None:
        self.reader = asked_by

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _Reading)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=32)
def _kept(reading: _Reading, _access: Any, _clearance: Any, _version: int, server: str) -> bytes:
    return orjson.dumps(document(reading.reader, VERSION, server))
