"""What every request and answer keeps to: tokens against forgery, headers, a password that must be changed, and errors
that say what to do, in the reader's language, and nothing else.
"""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path
from typing import Any

from flask import Flask, current_app, jsonify, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_wtf.csrf import CSRFError, CSRFProtect
from jwt.exceptions import PyJWTError
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException

from app.entity.labels import Label, UserError

from .account_views import CHANGE_FIRST
from .language import words
from .web_session import SAFE_METHODS

log = logging.getLogger(__name__)

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

REASONS: dict[int, tuple[Label, Label]] = {
    400: (
        Label("请求无法处理", "The request cannot be handled"),
        Label("请返回上一页，检查填写的内容后重试。", "Go back, check what was entered, and try again."),
    ),
    401: (
        Label("请先登录", "Sign in first"),
        Label("登录后才能查看这一页。", "This page is for those who are signed in."),
    ),
    403: (
        Label("没有权限", "Not allowed"),
        Label(
            "您的角色不能进行这项操作。如有需要，请联系上级或系统管理员。",
            "Your role may not do this. If you need to, ask the level above or IT staff.",
        ),
    ),
    404: (
        Label("没有找到", "Not found"),
        Label(
            "这一页或这条记录不存在，或不在您的管理范围内。",
            "This page or record does not exist, or lies outside what you look after.",
        ),
    ),
    405: (
        Label("不支持这种操作", "Not supported"),
        Label("请从页面上的按钮进入。", "Use the buttons of the page."),
    ),
    409: (
        Label("与已有记录冲突", "In conflict with other records"),
        Label(
            "相同的记录已存在，或这条记录仍被其他记录使用。请核对代码等唯一的内容。",
            "The same record exists already, or others still refer to this one. Check what has to be unique.",
        ),
    ),
    413: (Label("内容太大", "Too large"), Label("请减小文件后重试。", "Make the file smaller and try again.")),
    422: (
        Label("内容不合要求", "The values do not do"),
        Label("请检查填写的内容后重试。", "Check what was entered and try again."),
    ),
    500: (
        Label("系统出错", "Something went wrong"),
        Label(
            "错误已记录，数据没有改变。请稍后重试；如再次出现，请把编号告诉系统管理员。",
            "The error was recorded and nothing was changed. Try again later; if it comes back, tell IT staff the "
            "reference.",
        ),
    ),
    503: (
        Label("系统繁忙", "Busy"),
        Label("数据库暂时无法使用，请稍后重试。", "The database cannot be used at the moment; try again soon."),
    ),
}

TOKEN_MISSING = Label(
    "页面已过期，或请求不是从本系统的页面发出的。请刷新页面后重试。",
    "The page is too old, or the request did not come from a page of this system. Reload it and try again.",
)

WITHOUT_TOKEN = frozenset({"SignInApi.login", "SignInApi.refresh"})
"""Endpoints that take a password or a token themselves and set no cookie."""

BEFORE_CHANGE = frozenset(
    {
        "ChangePasswordView.this_form_get",
        "ChangePasswordView.this_form_post",
        "SignInView.login",
        "SignInView.logout",
        "LocaleView.index",
        "static",
        "appbuilder.static",
    }
)
"""Endpoints open to whoever has to change the password first."""


class SessionCookies(SecureCookieSessionInterface):
    """Session cookies that only travel encrypted wherever the site is reached so."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def install(app: Flask) -> None:
    """Guard an app's requests. After FAB, whose ``before_request`` sets ``g.user``."""
    tokens = CSRFProtect(app)

    @app.before_request
    def refuse_forged() -> None:
        """Requests that change something carry a token of ours, whoever exempted their page: FAB does so with its
        API, which takes session cookies as well. Programs that send a bearer token are no browser's unwitting doing,
        and neither are those without a session."""
        if request.method in SAFE_METHODS or request.endpoint in WITHOUT_TOKEN:
            return
        if request.headers.get("Authorization") or (wants_json() and "_user_id" not in session):
            return
        tokens.protect()

    @app.before_request
    def change_password_first() -> Any:
        security = current_app.appbuilder.sm
        if request.endpoint in BEFORE_CHANGE or not security.must_change_password():
            return None
        if wants_json():
            return answer(403, CHANGE_FIRST)
        return redirect(url_for("ChangePasswordView.this_form_get"))

    @app.after_request
    def add_headers(response: Any) -> Any:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if "_user_id" in session and request.endpoint not in ("static", "appbuilder.static"):
            response.headers["Cache-Control"] = "no-store"
        return response

    app.register_error_handler(CSRFError, lambda problem: answer(400, TOKEN_MISSING))
    app.register_error_handler(UserError, lambda problem: answer(getattr(problem, "status", 422), problem.label))
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(IntegrityError, lambda problem: answer(409))
    app.register_error_handler(JWTExtendedException, lambda problem: answer(401))
    app.register_error_handler(PyJWTError, lambda problem: answer(401))
    app.register_error_handler(OperationalError, _database_problem)
    app.register_error_handler(Exception, _unforeseen)


def wants_json() -> bool:
    """Whether the answer goes to a program."""
    if request.path.startswith(("/api/", "/options/")):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json" and request.accept_mimetypes[best] > request.accept_mimetypes["text/html"]


def answer(status: int, why: Label | None = None, reference: str | None = None) -> Any:
    """An error page, or the same as JSON: ``{"message": …}``."""
    title, usual = REASONS.get(status, REASONS[500 if status >= 500 else 400])
    reason = words(why or usual)
    if wants_json():
        body = {"message": reason} | ({"reference": reference} if reference else {})
        return jsonify(body), status
    page = render_template(
        "errors/error.html",
        code=status,
        title=words(title),
        why=reason,
        reference=reference,
        appbuilder=current_app.appbuilder,
        base_template=current_app.appbuilder.base_template,
    )
    return page, status


def _http_problem(problem: HTTPException) -> Any:
    status = problem.code or 500
    if status < 400 or problem.response is not None:
        return problem.get_response()
    return answer(status)


def _database_problem(problem: OperationalError) -> Any:
    log.error("Database: %s", problem.orig)
    return answer(503)


def _unforeseen(problem: Exception) -> Any:
    reference = secrets.token_hex(4).upper()
    log.exception("%s %s: %s [%s]", request.method, request.path, type(problem).__name__, reference)
    current_app.appbuilder.session.rollback()
    return answer(500, reference=reference)


def secret_key(data_dir: Path) -> str:
    """The key that signs cookies and tokens: ``SECRET_KEY``, or one made at the first start and kept in DATA_DIR,
    readable by its owner alone. Processes that start together agree."""
    if given := os.environ.get("SECRET_KEY", "").strip():
        return given
    path = data_dir / "secret-key"
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails if another process was first; then its key counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
