"""The web application: all parts put together."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from flask_appbuilder import AppBuilder
from werkzeug.middleware.proxy_fix import ProxyFix

import app.domains.all
from app import api, console
from app.access import flush_check, http, role_check, scope
from app.access.api_keys import PREFIX
from app.access.policy import AccessPolicy
from app.access.security import LIFETIME, SecurityManager
from app.access.web_session import web_session
from app.console.pages.start import StartPage
from app.database.encryption import load_keyring
from app.database.engine import make_engine
from app.jobs.freshness import keep_fresh
from config import PROJECT_DIR, Settings

PARTS = (app.domains.all, flush_check, role_check, scope)
"""Imported for what they register: entities, and the guards of every session."""

LANGUAGES = {"zh": {"flag": "cn", "name": "中文"}, "en": {"flag": "gb", "name": "English"}}
LARGEST_REQUEST = 32 * 1024 * 1024
"""Bytes."""


def make_application(settings: Settings) -> Flask:
    """What ``app.create_app`` gives."""
    load_keyring(settings.data_dir)
    folder = PROJECT_DIR / "app" / "console"
    application = Flask(
        "app",
        root_path=str(PROJECT_DIR / "app"),
        template_folder=str(folder / "templates"),
        static_folder=str(folder / "static"),
    )
    application.config.update(
        ACCESS_POLICY=AccessPolicy.from_environment(),
        APP_NAME="组织力建设信息化平台",
        BABEL_DEFAULT_LOCALE="zh",
        BABEL_TRANSLATION_DIRECTORIES=str(folder / "translations"),
        FAB_ADD_SECURITY_PERMISSION_VIEW=False,
        FAB_ADD_SECURITY_PERMISSION_VIEWS_VIEW=False,
        FAB_ADD_SECURITY_VIEW_MENU_VIEW=False,
        FAB_API_KEY_ENABLED=True,
        FAB_API_KEY_PREFIXES=[PREFIX],
        FAB_API_MAX_PAGE_SIZE=100,
        FAB_API_SHOW_STACKTRACE=False,
        FAB_API_SWAGGER_UI=False,
        FAB_UPDATE_PERMS=False,  # app.access.roles.synchronise does it
        JWT_TOKEN_LOCATION=["headers"],
        LANGUAGES=LANGUAGES,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        PERMANENT_SESSION_LIFETIME=LIFETIME,
        SECRET_KEY=http.secret_key(settings.data_dir),
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),  # addresses of assets carry a hash of their content
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_NAME="beacon",
        SESSION_COOKIE_SAMESITE="Lax",
        SETTINGS=settings,
        WTF_CSRF_CHECK_DEFAULT=False,  # app.access.http checks every request, FAB's exempt pages included
        WTF_CSRF_TIME_LIMIT=None,  # a token is good for as long as its session
    )
    application.json.ensure_ascii = False
    application.session_interface = http.SessionCookies()
    proxies = settings.trusted_proxies
    if proxies:
        application.wsgi_app = ProxyFix(
            application.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies, x_prefix=proxies
        )
    keep_fresh(settings)
    engine = make_engine(settings.database_url)
    application.extensions["engine"] = engine
    with application.app_context():
        builder = AppBuilder(
            application,
            web_session(application, engine),
            indexview=StartPage,
            security_manager_class=SecurityManager,
            update_perms=False,
        )
        http.install(application)
        console.install(application, builder, settings)
        api.install(application, builder, settings)
    return application
