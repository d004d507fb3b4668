"""What every request and answer keeps to: tokens against forgery, headers, a password that must be changed, and errors
that say what to do, in the reader's language, and nothing else.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask, current_app, has_request_context, jsonify, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_wtf.csrf import CSRFError, CSRFProtect
from jwt.exceptions import PyJWTError
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.entity.labels import Label, UserError

from .account_views import CHANGE_FIRST
from .language import words
from .rate_limits import RateLimits
from .web_session import SAFE_METHODS, present_key

log = logging.getLogger(__name__)
_ALLOWANCE = "beacon.allowance"
PROBLEM = "application/problem+json"

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
    429: (
        Label("请求太频繁", "Too many requests"),
        Label(
            "该密钥的请求次数已达上限，请按 Retry-After 给出的秒数稍后重试。",
            "This key has made as many requests as it may; try again after the seconds that Retry-After gives.",
        ),
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

NO_CREDENTIALS = Label(
    "请在 Authorization 请求头中给出有效的令牌或接口密钥：Bearer …",
    "Give a token or an API key that is valid in the Authorization header: Bearer …",
)
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

    limits = RateLimits(app.config["SETTINGS"])

    @app.before_request
    def limit_keys() -> Any:
        key = present_key()
        if key is None:
            return None
        allowance = request.environ[_ALLOWANCE] = limits.use(key.id)
        return None if allowance.is_within else answer(429)

    @app.after_request
    def refuse_in_one_way(response: Any) -> Any:
        """What FAB and its token manager refuse in a way of their own (``{"message": …}``, ``{"msg": …}``) is refused
        like everything else of the API."""
        if response.status_code < 400 or not request.path.startswith("/api/"):
            return response
        if response.mimetype != PROBLEM:
            response = current_app.make_response(answer(response.status_code))
        if response.status_code == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response

    @app.after_request
    def say_allowance(response: Any) -> Any:
        allowance = request.environ.get(_ALLOWANCE)
        if allowance is not None:
            response.headers.update(allowance.headers)
        return response

    babel = app.extensions["babel"]
    usual = babel.locale_selector
    babel.locale_selector = lambda: _language_of_program() or usual()

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
    app.register_error_handler(UserError, _user_error)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(IntegrityError, lambda problem: answer(409))
    for error in _all_kinds(JWTExtendedException, PyJWTError):  # FAB's JWT manager has handlers for most of them
        app.register_error_handler(error, lambda problem: answer(401))
    app.register_error_handler(OperationalError, _database_problem)
    app.register_error_handler(Exception, _unforeseen)


def _all_kinds(*errors: type[Exception]) -> Iterator[type[Exception]]:
    for error in errors:
        yield error
        yield from _all_kinds(*error.__subclasses__())


def _language_of_program() -> str | None:
    """The language of a request to the API without a session: ``?_l_=en``, or ``Accept-Language``. None for others."""
    if not has_request_context() or not request.path.startswith("/api/") or "_l_" in request.args:
        return None
    if session.get("locale"):
        return None
    languages = current_app.config["LANGUAGES"]
    return request.accept_languages.best_match(languages) or current_app.config["BABEL_DEFAULT_LOCALE"]


def wants_json() -> bool:
    """Whether the answer goes to a program."""
    if request.path.startswith(("/api/", "/options/")):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json" and request.accept_mimetypes[best] > request.accept_mimetypes["text/html"]


def answer(status: int, why: Label | None = None, reference: str | None = None, field: str | None = None) -> Any:
    """An error page, or the same as a problem document (RFC 9457), with ``message`` for clients of FAB's API, and the
    ``field`` of the request that is at fault."""
    title, usual = REASONS.get(status, REASONS[500 if status >= 500 else 400])
    usual = NO_CREDENTIALS if status == 401 and wants_json() else usual
    reason = words(why or usual)
    if wants_json():
        body = {"type": "about:blank", "title": words(title), "status": status, "detail": reason, "message": reason}
        errors = [{"field": field, "message": reason}] if field else []
        made = jsonify({**body, "errors": errors, **({"reference": reference} if reference else {})})
        made.content_type = PROBLEM
        return made, status
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


def _user_error(problem: UserError) -> Any:
    return answer(getattr(problem, "status", 422), problem.label, field=getattr(problem, "field", None))


def _http_problem(problem: HTTPException) -> Any:
    status = problem.code or 500
    if status < 400 or problem.response is not None:
        return problem.get_response()
    made = current_app.make_response(answer(status))
    if isinstance(problem, MethodNotAllowed) and problem.valid_methods:
        made.headers["Allow"] = ", ".join(sorted(problem.valid_methods))
    return made


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
