"""The database session of web requests, and on whose behalf it acts.

FAB works on one session: a ``scoped_session`` of ``app.database.session.Session``, one for each request, closed with
it. It reads in a deferred transaction, those of the API without one; a request with an unsafe method takes SQLite's
write lock at its first statement. There is one engine a process.

Who acts is asked for at each statement and kept as soon as somebody is known. Until a token has been read the asker
is nobody, which is never kept. Reading the account takes a statement of its own, during which nobody acts: account
tables are not scoped, and of any other nothing is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import flask_login
from flask import Flask, current_app, has_app_context, has_request_context, request
from flask.globals import app_ctx
from flask_appbuilder.security.sqla.models import User
from sqlalchemy import Engine, inspect
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import scoped_session

from app.database.engine import for_reading, for_writing
from app.database.session import Session

from .accounts import Identity
from .actor import NOBODY, Actor
from .bearer import bearer_token
from .known_accounts import KnownAccounts

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
API = "/api/v1/"
_IDENTITY = "identity"
_FINDING = "finding_account"
_KNOWN = "known_accounts"
_BEARER = "beacon.bearer"
KEY = "beacon.api_key"


def web_session(app: Flask, engine: Engine) -> scoped_session[Session]:
    """The session that an app's requests work on; outside of one, each application context has its own."""
    writing, reading = for_writing(engine), for_reading(engine)
    known = KnownAccounts()

    def open_session() -> Session:
        unsafe = has_request_context() and request.method not in SAFE_METHODS
        info = {"actor": acting_account, "web": True, _KNOWN: known}
        bind = writing if unsafe else reading if has_request_context() and request.path.startswith(API) else engine
        return Session(bind=bind, expire_on_commit=False, info=info)

    sessions = scoped_session(open_session, scopefunc=_owner)

    @app.teardown_request
    @app.teardown_appcontext
    def close(_problem: BaseException | None) -> None:
        sessions.remove()

    return sessions


def _owner() -> int:
    if has_request_context():
        return id(request.environ)
    return id(app_ctx._get_current_object()) if has_app_context() else 0


@contextmanager
def finding_account(session: OrmSession) -> Iterator[None]:
    """While an account is read, nobody acts."""
    before = session.info.get(_FINDING, False)
    session.info[_FINDING] = True
    try:
        yield
    finally:
        session.info[_FINDING] = before


def known_accounts(session: OrmSession) -> KnownAccounts:
    """The accounts that this process has met: of the database of a web session."""
    return session.info[_KNOWN]


def present_account() -> User | None:
    """Whoever this request has shown to be: by API key, by cookie, or by a token that has been read."""
    if not has_request_context():
        return None
    if request.headers.get("Authorization"):
        return _bearer_account()
    account = flask_login.current_user
    return account._get_current_object() if account.is_authenticated else None


def _bearer_account() -> User | None:
    """The account of the request's token or API key, looked up once a request. No cookie counts beside it."""
    if _BEARER not in request.environ:
        request.environ[_BEARER] = None  # while it is looked up, nobody acts
        request.environ[_BEARER] = current_app.appbuilder.sm.account_of_token(bearer_token())
    return request.environ[_BEARER]


def present_key() -> Any:
    """The API key that this request bears (``api_keys.KnownKey``); None for a session or a token."""
    return request.environ.get(KEY) if has_request_context() else None


def key_name() -> str:
    """What signs in for the account in this request: the number of its API key, nothing for a session or token."""
    key = present_key()
    return str(key.id) if key is not None else ""


def acting_account(session: OrmSession) -> Actor:
    """The actor of a web session now: an ``ActorProvider`` for ``app.access.scope``."""
    if session.info.get(_FINDING):
        return NOBODY
    found = identity(session)
    return found.actor if found else NOBODY


def identity(session: OrmSession) -> Identity | None:
    """Who acts in a web session; None for nobody. Whoever has acted in it stays until it is closed, even after
    signing out."""
    kept: Identity | None = session.info.get(_IDENTITY)
    with finding_account(session):
        account = present_account()
        if account is None:
            return kept
        account_id = inspect(account).identity[0]
        if kept is not None and kept.actor.user_id == account_id:
            return kept
        found = known_accounts(session).identity(session, account_of(account), present_key())
    if kept is None:
        session.info[_IDENTITY] = found
    return found


def present_identity() -> Identity | None:
    """Who acts in this request."""
    return identity(current_app.appbuilder.session())


def present_actor() -> Actor:
    """The actor of this request; NOBODY if nobody is signed in."""
    found = present_identity()
    return found.actor if found else NOBODY


def account_of(user: Any) -> User:
    """The account behind flask_login's proxy."""
    return user._get_current_object() if hasattr(user, "_get_current_object") else user
