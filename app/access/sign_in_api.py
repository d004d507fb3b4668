"""Signing in for programs: ``POST /api/v1/security/login`` and ``/refresh``."""

from __future__ import annotations

from typing import Any

from flask import current_app, g, request
from flask_appbuilder.api import expose
from flask_appbuilder.security.api import SecurityApi
from flask_jwt_extended import create_access_token, create_refresh_token

from app.entity.labels import Label

from .account_views import CHANGE_FIRST
from .errors import SignInRefused
from .passwords import must_be_changed

TYPES: dict[str, type] = {"username": str, "password": str, "provider": str, "refresh": bool}
REQUIRED = ("username", "password")
PROVIDER = "db"

NO_OBJECT = Label(
    "请求内容应为 JSON 对象，含 username 和 password",
    "The body has to be a JSON object with username and password",
)
UNKNOWN = Label(f"没有这一项；可用：{', '.join(TYPES)}", f"There is no such member; allowed: {', '.join(TYPES)}")
MISSING = Label("请给出，应为文字", "Has to be given, as a text")
NO_TEXT = Label("应为文字", "Has to be a text")
NO_TRUTH = Label("应为 true 或 false", "Has to be true or false")
OTHER_PROVIDER = Label(f"只能是 {PROVIDER}", f"Has to be {PROVIDER}")


class SignInApi(SecurityApi):
    """Tokens for a name and password."""

    @expose("/login", methods=["POST"])
    def login(self) -> Any:
        """An access token, and a refresh token if that is asked for."""
        given = request.get_json(silent=True)
        if not isinstance(given, dict):
            raise SignInRefused(400, NO_OBJECT)
        for name, value in given.items():
            if name not in TYPES:
                raise SignInRefused(400, UNKNOWN, name[:60])
            if not isinstance(value, TYPES[name]):
                raise SignInRefused(400, NO_TRUTH if TYPES[name] is bool else NO_TEXT, name)
        for name in REQUIRED:
            if name not in given:
                raise SignInRefused(400, MISSING, name)
        if given.get("provider", PROVIDER) != PROVIDER:
            raise SignInRefused(400, OTHER_PROVIDER, "provider")
        security = current_app.appbuilder.sm
        account = security.auth_user_db(given["username"], given["password"])
        if account is None:
            raise SignInRefused(401, g.sign_in_problem)
        if must_be_changed(account, security.policy):
            raise SignInRefused(403, CHANGE_FIRST)
        tokens = {"access_token": create_access_token(identity=str(account.id), fresh=True)}
        if given.get("refresh"):
            tokens["refresh_token"] = create_refresh_token(identity=str(account.id))
        return self.response(200, **tokens)
