"""The side menu and the top bar: groups in the order people work, counts of what they see, and who is looking.

The items are FAB's own menu: ``appbuilder.add_view(Page, "menu.league", label=lazy(…), icon="fa-…",
category="overview")`` puts a page there, and the generated views of entities are entered by ``add_entity``. A name
begins with ``menu.``, so that it never meets the permission of a view. What the reader may open is asked of the
security manager once for the whole menu.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from flask import current_app, request, url_for
from sqlalchemy import func, select

from app.access.actor import Actor
from app.access.predicates import Bounds
from app.access.web_session import present_identity
from app.entity.labels import Label
from app.entity.registry import EntityType, registry
from app.evaluation.results import LEAF_TIER

from .presentation import MenuEntry, Reader, lazy, plain_reader
from .related import plural

GROUPS: dict[str, Label] = {
    "overview": Label("总览", "Overview"),
    "records": Label("业务数据", "Records"),
    "development": Label("发展和转接", "Development and transfers"),
    "service": Label("心愿和志愿服务", "Wishes and volunteering"),
    "partnership": Label("区域共建", "Partnership"),
    "duties": Label("走访、任务和考核", "Visits, tasks, assessments"),
    "content": Label("宣传和调查", "Articles and surveys"),
    "performance": Label("项目绩效", "Project performance"),
    "rules": Label("规则", "Rules"),
    "system": Label("系统", "System"),
}
"""The groups by key, in their order. Entities name theirs in ``EntityOptions.group``."""

GROUP_OF_CATEGORY = {"Security": "system"}
"""FAB's own categories, among ours."""

ORDER = ("menu.dashboard", "menu.warnings", "menu.league", "menu.scorecards", "Accounts", "Roles")
"""Items that come first within their group; the others follow in the order of their entry."""

COUNTS_SECONDS = 30
MOST_KEPT = 2000


def add_entity(menu: Any, entity: EntityType, view: Any) -> None:
    """Enter an entity's list, unless it is there: an entity that is declared again keeps its place."""
    group = entity.options.group if entity.options.group in GROUPS else "records"
    found = menu.find(_name(entity))
    if found is not None:
        found.baseview = view
        found.label, found.icon = lazy(plural(entity)), entity.options.icon
        return
    menu.add_link(
        _name(entity),
        label=lazy(plural(entity)),
        icon=entity.options.icon,
        category=group,
        category_label=lazy(GROUPS[group]),
        baseview=view,
    )


def remove_entity(menu: Any, entity: EntityType) -> None:
    for group in menu.get_list():
        group.childs = [item for item in group.childs if item.name != _name(entity)]


def _name(entity: EntityType) -> str:
    return f"menu.{entity.code}"


def console_menu() -> list[tuple[Label, list[MenuEntry]]]:
    """The groups that hold something the reader may open, with their entries."""
    menu, security = current_app.appbuilder.menu, current_app.appbuilder.sm
    allowed = security.get_user_menu_access(menu.get_flat_name_list())
    counts, empty = _counts(), _empty_for_members()
    entries: dict[str, list[tuple[int, MenuEntry]]] = {key: [] for key in GROUPS}
    for top in menu.get_list():
        group = GROUP_OF_CATEGORY.get(top.name, top.name if top.name in GROUPS else "overview")
        for item in top.childs or [top]:
            if item.name in allowed and item.name not in empty and item.name != "-" and item.should_render():
                place = ORDER.index(item.name) if item.name in ORDER else len(ORDER)
                entries[group].append((place, _entry(item, counts.get(item.name))))
    return [
        (GROUPS[key], [entry for _, entry in sorted(found, key=lambda one: one[0])])
        for key, found in entries.items()
        if found
    ]


def _entry(item: Any, count: int | None) -> MenuEntry:
    endpoint = getattr(item.baseview, "endpoint", None)
    active = endpoint is not None and endpoint == request.blueprint
    return MenuEntry(item.label, item.icon or "fa-circle-dot", item.get_url(), count, active)


# --- counts: of organizations and members, which say how much the reader looks after ---

_kept: dict[Any, tuple[float, dict[str, int]]] = {}
_lock = threading.Lock()


def _counts() -> dict[str, int]:
    """By menu item, in the reader's scope; kept in this process for half a minute. One statement where not kept."""
    found = present_identity()
    if found is None:
        return {}
    counted = [entity for entity in registry if "self" in (entity.options.owner, entity.options.person)]
    if _is_member(found.actor):
        return {}
    bounds = None if found.actor.unrestricted else Bounds.of(found.actor)
    key = (current_app.config.get("SETTINGS"), bounds, tuple(entity.code for entity in counted))
    moment = time.monotonic()
    kept = _kept.get(key)
    if kept is not None and kept[0] > moment:
        return kept[1]
    statement = select(*[select(func.count(entity.model.id)).scalar_subquery() for entity in counted])
    numbers = current_app.appbuilder.session.execute(statement).one() if counted else ()
    counts = {_name(entity): number for entity, number in zip(counted, numbers, strict=True)}
    with _lock:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[key] = (moment + COUNTS_SECONDS, counts)
    return counts


def _is_member(actor: Actor) -> bool:
    """Whether someone sees their own rows only."""
    return actor.member_id is not None and not actor.is_staff


def _empty_for_members() -> set[str]:
    """The items of entities of which a member has no row, and of what the system itself goes by: their menu holds what
    is about them. Nothing for anybody else. One statement."""
    found = present_identity()
    if found is None or not _is_member(found.actor):
        return set()
    entities = list(registry)
    asked = [select(entity.model.id).exists() for entity in entities]
    held = current_app.appbuilder.session.execute(select(*asked)).one() if asked else ()
    return {
        _name(entity)
        for entity, holds in zip(entities, held, strict=True)
        if not holds or entity.options.group == "system"
    }


def forget_counts() -> None:
    """Count again at the next page of this process: after a row was added or deleted here."""
    _kept.clear()


# --- who is looking ---


def reader() -> Reader:
    """The signed-in user, and whose records they see."""
    found = present_identity()
    plain = plain_reader()
    if found is None:
        return plain
    tier = _tier(found.actor.tier)
    sees_records = found.actor.is_staff or found.actor.unrestricted
    return Reader(
        name=plain.name,
        organization=found.organization_name or "",
        tier=tier or "",
        is_authenticated=plain.is_authenticated,
        bottom_bar=_bottom_bar() if found.actor.is_staff and found.actor.tier == LEAF_TIER else (),
        search_url=url_for("Search.show") if plain.is_authenticated and sees_records else None,
    )


def _bottom_bar() -> tuple[MenuEntry, ...]:
    """The four places of a secretary, on phones."""
    home = current_app.appbuilder.get_url_for_index
    places = (
        (Label("首页", "Home"), "fa-house", home, home),
        (Label("预警", "Warnings"), "fa-bell", url_for("WarningsPage.show"), url_for("WarningsPage.show")),
        (Label("补录", "Add"), "fa-plus", f"{home}#entries", None),
        (Label("记分卡", "Scorecard"), "fa-chart-simple", url_for("ScorecardPage.own"), url_for("ScorecardPage.own")),
    )
    return tuple(
        MenuEntry(label, icon, url, None, _is_here(place) if place else False) for label, icon, url, place in places
    )


def _is_here(place: str) -> bool:
    return request.path == place if place == "/" else request.path.startswith(place)


def _tier(code: str | None) -> Label | None:
    organization = registry.get("organization")
    tiers = organization.fields["tier"].code_list if organization is not None else None
    found = tiers.find(code) if tiers is not None and code else None
    return found.label if found is not None else None
