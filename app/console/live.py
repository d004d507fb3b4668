"""Views that come and go while the program runs, as the registry's entities do.

FAB makes a Flask blueprint of each view, and Flask refuses blueprints after its first request. What it guards against
is setting things up halfway; routes alone may be added to its URL map at any time. So FAB still builds the blueprint,
and its routes are entered in the URL map directly, for early and late views alike. A view that is withdrawn keeps its
routes, which answer 404, until the entity is declared again.

``LiveViews`` looks at the registry's version before each request is matched: one comparison of integers.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, abort
from flask.sansio.blueprints import BlueprintSetupState
from flask_appbuilder import ModelView

from app.access.roles import synchronise
from app.database.engine import for_writing
from app.entity.registry import EntityType, registry

from . import menu

log = logging.getLogger(__name__)

ViewMaker = Callable[[EntityType], type]
"""Makes the FAB view (or API) class of an entity."""


class Routes:
    """Stands for the application where a blueprint is set up: takes its routes, at any time."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._known: set[tuple[str, str, frozenset[str]]] = set()

    def mount(self, blueprint: Any) -> None:
        """Enter all routes of a blueprint, or hand those of an earlier one of this name over to it."""
        self.app.blueprints[blueprint.name] = blueprint  # where Flask-WTF looks for what it must not check
        state = BlueprintSetupState(blueprint, self, {}, True)  # type: ignore[arg-type]
        for entry in blueprint.deferred_functions:
            entry(state)

    def add_url_rule(self, rule: str, endpoint: str, view_func: Any, methods: Iterable[str] = ("GET",), **options: Any):
        accepted = {method.upper() for method in methods} | {"OPTIONS"}
        options.pop("provide_automatic_options", None)
        key = (rule, endpoint, frozenset(accepted))
        self.app.view_functions[endpoint] = view_func
        if key not in self._known:
            self._known.add(key)
            made = self.app.url_rule_class(rule, methods=accepted, endpoint=endpoint, **options)
            made.provide_automatic_options = True  # type: ignore[attr-defined]
            self.app.url_map.add(made)

    def close(self, blueprint_name: str) -> None:
        """Let every route of a blueprint answer 404."""
        self.app.blueprints.pop(blueprint_name, None)
        for endpoint in list(self.app.view_functions):
            if endpoint.startswith(blueprint_name + "."):
                self.app.view_functions[endpoint] = _gone


def _gone(**_arguments: Any) -> None:
    abort(404)


class LiveViews:
    """One view of each maker for each entity of the registry, in step with it. A WSGI application around Flask's."""

    def __init__(self, app: Flask, appbuilder: Any) -> None:
        self.app, self.appbuilder = app, appbuilder
        self.routes = Routes(app)
        self.makers: list[ViewMaker] = []
        self.views: dict[tuple[str, int], Any] = {}
        self._made_for: dict[str, EntityType] = {}
        self._version = -1
        self._lock = threading.Lock()
        self._inner = app.wsgi_app
        app.wsgi_app = self  # type: ignore[method-assign]
        app.extensions["beacon_live_views"] = self

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if self._version != registry.version:
            with self.app.app_context():
                self.renew()
            with for_writing(self.app.extensions["engine"]).begin() as connection:
                synchronise(connection)  # what each role may do with the entities as they are now
        return self._inner(environ, start_response)

    def add(self, maker: ViewMaker) -> None:
        """Have a view made by ``maker`` for every entity, now and later."""
        with self._lock:
            self.makers.append(maker)
            self._made_for.clear()
        self.renew()

    def renew(self) -> None:
        """Bring the views in step with the registry. Needs an application context."""
        with self._lock:
            version, entities = registry.version, {entity.code: entity for entity in registry}
            for code in [code for code in self._made_for if self._made_for[code] is not entities.get(code)]:
                self._withdraw(code)
            for code, entity in entities.items():
                if code not in self._made_for:
                    self._make(entity)
            self._version = version

    def _make(self, entity: EntityType) -> None:
        for place, maker in enumerate(self.makers):
            if (entity.code, place) in self.views:
                continue
            view = maker(entity)()
            view.appbuilder = self.appbuilder
            self.routes.mount(view.create_blueprint(self.appbuilder))
            self.appbuilder.baseviews.append(view)
            self.views[entity.code, place] = view
            if isinstance(view, ModelView):
                menu.add_entity(self.appbuilder.menu, entity, view)
        self._made_for[entity.code] = entity

    def _withdraw(self, code: str) -> None:
        gone = self._made_for.pop(code)
        if code not in registry:
            menu.remove_entity(self.appbuilder.menu, gone)
        for key in [key for key in self.views if key[0] == code]:
            view = self.views.pop(key)
            self.routes.close(view.endpoint)
            self.appbuilder.baseviews.remove(view)

    def view(self, code: str, place: int = 0) -> Any:
        """The view of an entity made by the maker that was added at this place; None if there is none."""
        return self.views.get((code, place))


def live_views(app: Flask, appbuilder: Any) -> LiveViews:
    """Those of an application, made when first asked for."""
    return app.extensions.get("beacon_live_views") or LiveViews(app, appbuilder)


def live_views_of(app: Any) -> LiveViews:
    """Those that ``live_views`` made for an application."""
    return app.extensions["beacon_live_views"]
