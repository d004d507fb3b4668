"""No exit of any entity gives out, changes or takes in a row outside of its reader's scope.

Generated from the registry and from the routes that the application has: every entity, at every exit, for everybody of
``web.ACCOUNTS``. Every text of every row holds a mark that says whose row it is, so that any answer at all can be
searched for what should not be in it. An exit that this walk does not know fails it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.access.actor import system_actor
from app.access.permissions import class_name
from app.access.scoped import scoped_tables
from app.database.session import Session, make_session
from app.entity.operations import operations_of
from app.entity.registry import EntityType, FieldKind, registry
from app.entity.visibility import Visibility
from tests.access.marks import MARK, leaks, mark, may, places_seen
from tests.access.web import ACCOUNTS, Browser
from tests.access.world import World, fresh_row

Open = Callable[..., Browser]
VISITORS = [visitor for visitor in (None, *ACCOUNTS) if visitor != "street_b"]
"""All but another street: to street A, the rows of street B are what those of A would be to it."""
WRITERS = ["street_a", "branch_a1"]
AWAY = "branch_b1"
ROWS_OPENED = ("district", "street_a", "branch_a1", AWAY)
"""Where the rows lie that are opened one by one: above, at and below visitors, and elsewhere. Lists show them all."""

PAGES = {
    "list", "show", "add", "edit", "delete", "action", "action_post", "operate", "reveal", "columns", "save_view",
    "delete_view", "counts", "bulk_edit_all", "bulk_change", "alike", "moves",
    "move",
}  # fmt: skip
API = {"info", "get_list", "get", "post", "put", "delete", "patch", "bulk", "operate"}

COMMON = {
    "AccountView", "AdjustmentsPage", "ApiDocument", "ApiKeysPage", "ApiPage", "ApprovalPage", "AttachmentsPage",
    "AuditPage",
    "CasesPage", "ChangePasswordView", "DashboardPage", "DryRunPage", "EvaluationsPage", "ExportsPage", "HistoryPage",
    "ImportsPage", "LeaguePage", "LocaleView", "MenuApi", "OperationsPage", "Options", "PasswordResetView",
    "PerformanceFormPage", "PersonPage", "RecordsPage", "RobustnessPage", "RoleView", "ScorecardPage", "Search",
    "SignInApi", "SignInView", "StartPage", "TrashPage", "UtilView", "VersionsPage", "WarningsPage", "WeighingPage",
    "WhatIfPage", "WorkbookPage", "WorkshopEditor", "WorkshopPage",
    "appbuilder", "static",
}  # fmt: skip
"""Pages that belong to no entity. Those that show rows are walked in ``test_other_pages_hold_no_foreign_row``."""


# --- the world, marked ---


@pytest.fixture
def system(web: Flask) -> Iterator[Session]:
    session = make_session(web.extensions["engine"], system_actor("tests"))
    yield session
    session.close()


@pytest.fixture
def marked(web: Flask, web_world: World) -> World:
    mark(web.extensions["engine"], web_world)
    return web_world


def count(system: Session, entity: EntityType) -> int:
    try:
        return system.scalar(select(func.count(entity.model.id)))
    finally:
        system.rollback()


def ids(world: World, entity: EntityType, places: set[str]) -> set[int]:
    return {world.rows[entity.code][place].id for place in places}


def body_of(row: Any, entity: EntityType) -> dict[str, Any]:
    """A row as a client would send it; relations as ``<relation>_id``."""
    body = {}
    for name, field in entity.fields.items():
        value = getattr(row, name)
        if value is None or not field.options.editable:
            continue
        if isinstance(value, date | datetime):
            value = value.isoformat()
        elif isinstance(value, Decimal):
            value = float(value)
        body[name] = value
    return body


def form_of(row: Any, entity: EntityType) -> dict[str, Any]:
    """The same for the form of a page; relations by their own name."""
    form = {}
    for name, value in body_of(row, entity).items():
        if isinstance(value, bool):
            if value:
                form[name] = "y"
            continue
        form[name.removesuffix("_id") if entity.fields[name].kind is FieldKind.REFERENCE else name] = str(value)
    return form


# --- the exits there are ---


def test_every_exit_is_walked(web: Flask):
    entity_views = {class_name(entity.code) for entity in registry}
    for rule in web.url_map.iter_rules():
        blueprint, _, method = rule.endpoint.partition(".")
        if blueprint.removesuffix("View") in entity_views:
            assert method in PAGES, f"{rule.rule}: an exit that the walk does not know"
        elif blueprint.removesuffix("Api") in entity_views:
            assert method in API, f"{rule.rule}: an exit that the walk does not know"
        else:
            known = blueprint in COMMON or blueprint == "ops" or blueprint.startswith("ops_")
            assert known, f"{rule.rule}: a page that the walk does not know"
    for entity in registry:
        endpoints = {rule.endpoint for rule in web.url_map.iter_rules()}
        assert f"{class_name(entity.code)}View.list" in endpoints
        assert f"{class_name(entity.code)}Api.get_list" in endpoints


def refused(answer: Any, visitor: str | None, entity: EntityType | None = None, action: str = "") -> bool:
    """Nobody is shown to the sign-in page (or told 401), somebody without the permission is told 403. What the system
    alone writes has no page to add or edit it."""
    if entity is not None and entity.options.read_only and action in ("add", "edit"):
        return answer.status_code == 404
    if visitor is None:
        return answer.status_code in (301, 302, 401) and (
            answer.status_code == 401 or "/login" in answer.headers["Location"]
        )
    return answer.status_code == 403


@pytest.mark.parametrize("visitor", VISITORS)
def test_pages_show_rows_in_scope_and_no_others(visitor: str | None, browser: Open, marked: World):
    one = browser(visitor)
    for entity in registry:
        seen = places_seen(marked, visitor, entity)
        path = f"/records/{entity.code}"
        for page in (
            f"{path}/list/",
            f"{path}/list/?psize_{class_name(entity.code)}View=100",
            f"{path}/list/?_flt_0_any_text=MARK",
            f"{path}/list/?columns={','.join(entity.fields)}",
            f"{path}/list/?_oc_{class_name(entity.code)}View=organization&_od_{class_name(entity.code)}View=asc",
            f"{path}/add",
        ):
            answer = one.get(page)
            action = "add" if page.endswith("/add") else "list"
            if not may(visitor, action, entity):
                assert refused(answer, visitor, entity, action), (page, answer.status_code)
            else:
                assert answer.status_code == 200, (page, answer.status_code)
            assert not leaks(answer, marked, visitor), page
        for page in displayed(entity) if may(visitor, "list", entity) else ():
            answer = one.get(page)
            assert answer.status_code == 200, page
            assert not leaks(answer, marked, visitor), page
        counts = one.get(f"{path}/counts")
        if may(visitor, "list", entity):
            assert all(sum(found.values()) <= len(seen) for found in counts.json.values()), (entity.code, counts.json)
        else:
            assert refused(counts, visitor)
        if not entity.options.read_only and not may(visitor, "edit", entity):
            assert refused(one.get(f"{path}/bulk_edit/all"), visitor)
        for place in ROWS_OPENED:
            row = marked.rows[entity.code][place]
            for action in ("show", "edit"):
                answer = one.get(f"{path}/{action}/{row.id}")
                if not may(visitor, action, entity):
                    assert refused(answer, visitor, entity, action), (action, entity.code, answer.status_code)
                else:
                    assert answer.status_code == (200 if place in seen else 404), (action, entity.code, place)
                assert not leaks(answer, marked, visitor), (action, entity.code, place)
            if entity.state is not None and may(visitor, "show", entity):
                moves = one.get(f"{path}/moves/{row.id}")
                assert moves.status_code == (200 if place in seen else 404), (entity.code, place)
                assert not leaks(moves, marked, visitor), (entity.code, place)


def displayed(entity: EntityType) -> list[str]:
    """The list as a board, and as a calendar of the month in which its rows lie."""
    path, day = f"/records/{entity.code}/list/?display=", entity.fields.get(entity.options.dated_by or "")
    calendar = (
        [f"{path}calendar&month=2026-03"] if day is not None and day.kind in (FieldKind.DATE, FieldKind.MOMENT) else []
    )
    return [*calendar, *([f"{path}board"] if entity.state is not None else [])]


@pytest.mark.parametrize("visitor", VISITORS)
def test_the_api_gives_rows_in_scope_and_no_others(visitor: str | None, browser: Open, marked: World):
    one = browser(visitor)
    for entity in registry:
        seen = places_seen(marked, visitor, entity)
        path = f"/api/v1/{entity.code}"
        answer = one.get(f"{path}/?q=(page_size:100)")
        if may(visitor, "list", entity):
            assert {row["id"] for row in answer.json["result"]} == ids(marked, entity, seen), entity.code
            assert answer.json["count"] == len(seen)
        else:
            assert refused(answer, visitor)
        assert not leaks(answer, marked, visitor)
        assert not leaks(one.get(f"{path}/_info"), marked, visitor)
        for place in ROWS_OPENED:
            row = marked.rows[entity.code][place]
            answer = one.get(f"{path}/{row.id}")
            if not may(visitor, "show", entity):
                assert refused(answer, visitor)
            else:
                assert answer.status_code == (200 if place in seen else 404), (entity.code, place)
            assert not leaks(answer, marked, visitor), (entity.code, place)
            # What is asked for by its own content is found by those who see it, and by nobody else.
            wanted = f"(filters:!((col:code,opr:eq,value:'MARK-{entity.code}-{place}-')))"
            answer = one.get(f"{path}/?q={wanted}")
            if may(visitor, "list", entity) and "code" in entity.fields and answer.status_code == 200:
                assert answer.json["count"] == (1 if place in seen else 0), (entity.code, place)
            assert not leaks(answer, marked, visitor)


@pytest.mark.parametrize("visitor", VISITORS)
def test_choices_are_what_may_be_referred_to(visitor: str | None, browser: Open, marked: World):
    one = browser(visitor)
    for entity in registry:
        asked = [f"q=MARK-{entity.code}", f"q=MARK-{entity.code}-{AWAY}", "q="]
        asked += [f"id={row.id}" for row in marked.rows[entity.code].values()]
        for query in asked:
            answer = one.get(f"/options/{entity.code}?{query}")
            assert answer.status_code in (200, 302, 401, 403), (entity.code, answer.status_code)
            assert not leaks(answer, marked, visitor), (entity.code, query)
            if visitor in (None, "no_role", "auditor"):
                assert answer.status_code != 200, entity.code


@pytest.mark.parametrize("visitor", VISITORS)
def test_other_pages_hold_no_foreign_row(visitor: str | None, browser: Open, marked: World):
    one = browser(visitor)
    code = f"MARK-organization-{AWAY}-"
    for path in (
        "/", "/dashboard/", f"/dashboard/?organization={code}", "/warnings/", "/league/", "/scorecard/",
        f"/scorecard/organization_strength/{code}", f"/scorecard/member_vanguard/MARK-member-{AWAY}-",
        f"/figures/organization_strength/meetings/{marked.organizations[AWAY].id}", "/evaluations/", "/search/?q=MARK",
        f"/search/?q={code}", "/users/userinfo/", "/users/list/", "/roles/list/", "/audit/list/",
        "/audit/list/?tab=events", "/ops/", "/ops/change/", "/ops/run/",
        "/workshop/", "/workshop/adjustments/", "/workshop/versions/", "/imports/", "/exports/", "/api/v1/menu/",
        "/nothing",
    ):  # fmt: skip
        answer = one.get(path, follow_redirects=True)
        assert answer.status_code < 500, path
        shown = answer.text if path.endswith("=MARK") else answer.text.replace(code, "")  # what was asked is said back
        assert not leaks(shown, marked, visitor), path


@pytest.mark.parametrize("visitor", VISITORS)
def test_nothing_out_of_scope_can_be_changed_or_deleted(
    visitor: str | None, browser: Open, marked: World, system: Session
):
    one = browser(visitor)
    for entity in registry:
        seen = places_seen(marked, visitor, entity)
        before = count(system, entity)
        for place in sorted({*ROWS_OPENED} - seen):
            row = marked.rows[entity.code][place]
            for method, path, data in (
                ("post", f"/records/{entity.code}/delete/{row.id}", {}),
                ("post", f"/records/{entity.code}/edit/{row.id}", form_of(row, entity)),
                ("post", f"/records/{entity.code}/action/muldelete/{row.id}", {}),
                ("post", f"/records/{entity.code}/action_post", {"action": "muldelete", "rowid": row.id}),
                ("post", f"/records/{entity.code}/bulk_edit", {"rowid": row.id, "confirmed": "1"}),
                *(
                    ("post", f"/records/{entity.code}/move/{row.id}/{each.value}", {})
                    for each in list(entity.state.code_list or () if entity.state else ())[:1]
                ),
                ("PUT", f"/api/v1/{entity.code}/{row.id}", body_of(row, entity)),
                ("DELETE", f"/api/v1/{entity.code}/{row.id}", None),
                *(
                    ("post", f"/records/{entity.code}/operate/{each.code}/{row.id}", {})
                    for each in operations_of(entity.code)
                ),
            ):
                answer = one.post(path, data) if method == "post" else one.send(method, path, data)
                allowed = (302, 401, 403) if visitor is None else (403, 404)
                if entity.options.read_only:
                    allowed += (404, 405)
                assert answer.status_code in allowed, (visitor, method, path, answer.status_code)
                assert not leaks(answer, marked, visitor), path
        assert count(system, entity) == before, entity.code


# --- references ---


def foreign_references(entity: EntityType) -> list[str]:
    """All but the parties of a transfer or match, whose point is that the other one lies elsewhere."""
    parties = {f"{name}_id" for name in entity.options.parties}
    return [
        name
        for name, field in entity.fields.items()
        if field.kind is FieldKind.REFERENCE
        and field.options.editable
        and field.options.target in registry
        and name not in parties
    ]


def strangers(world: World, entity: EntityType, name: str) -> list[int]:
    """Rows that cannot be referred to from street a: one of the other street, and one that does not exist."""
    return [world.rows[entity.fields[name].options.target][AWAY].id, 987654]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_reference_out_of_scope_is_refused_and_makes_no_row(
    writer: str, browser: Open, web_world: World, system: Session
):
    one = browser(writer)
    for entity in registry:
        if not may(writer, "add", entity):
            continue
        row = fresh_row(web_world, entity, "branch_a1", system)
        body, form = body_of(row, entity), form_of(row, entity)
        for name in foreign_references(entity):
            for stranger in strangers(web_world, entity, name):
                target = registry[entity.fields[name].options.target]
                before = count(system, entity), count(system, target)
                relation = name.removesuffix("_id")
                for given in ({name: stranger}, {relation: stranger}, {relation: {"id": stranger}}):
                    sent = {key: value for key, value in body.items() if key not in (name, relation)} | given
                    answer = one.send("POST", f"/api/v1/{entity.code}/", sent)
                    assert answer.status_code in (403, 422), (entity.code, given, answer.status_code, answer.text)
                answer = one.post(f"/records/{entity.code}/add", form | {relation: stranger})
                assert answer.status_code in (200, 403, 422), (entity.code, name, answer.status_code)
                assert (count(system, entity), count(system, target)) == before, (entity.code, name)
                own = web_world.rows[entity.code]["branch_a1"]
                kept = getattr(own, name)
                answer = one.send("PUT", f"/api/v1/{entity.code}/{own.id}", {name: stranger})
                assert answer.status_code in (403, 422), (entity.code, name, answer.status_code)
                answer = one.post(f"/records/{entity.code}/edit/{own.id}", form_of(own, entity) | {relation: stranger})
                assert answer.status_code in (200, 403, 422), (entity.code, name, answer.status_code)
                column = entity.model.__table__.columns[name]
                stored = system.connection().scalar(select(column).where(entity.model.__table__.c.id == own.id))
                system.rollback()
                assert stored == kept, (entity.code, name)
        # The same row with nothing foreign in it is taken: the refusals above were about the reference alone.
        answer = one.send("POST", f"/api/v1/{entity.code}/", body)
        if entity.code == "organization" and writer == "branch_a1":
            continue
        assert answer.status_code == 201, (entity.code, answer.text)


# --- columns that one may not see ---


@pytest.mark.parametrize("visitor", ["street_a", "district"])
def test_hidden_columns_are_neither_given_nor_asked_for(visitor: str, browser: Open, marked: World):
    one = browser(visitor)
    for entity in registry:
        for name in entity.hidden_fields:
            path = f"/api/v1/{entity.code}/"
            for query in (
                f"(columns:!({name}))",
                f"(filters:!((col:{name},opr:eq,value:'1')))",
                f"(order_column:{name},order_direction:asc)",
            ):
                assert one.get(f"{path}?q={query}").status_code == 400, (entity.code, query)
            rows = one.get(path).json["result"]
            assert rows
            assert all(name not in row for row in rows)
            page = one.get(f"/records/{entity.code}/list/?_flt_0_{name}=1&_oc_{class_name(entity.code)}View={name}")
            assert page.status_code == 200


@pytest.mark.parametrize("visitor", ["member_a1", "street_a", "admin"])
def test_personal_columns_are_masked_at_every_exit(visitor: str, browser: Open, web_world: World, system: Session):
    mobile, identity = "13812348048", "11010519491231002X"
    member = system.get(registry["member"].model, web_world.members["branch_a1"].id)
    member.mobile, member.id_no, member.birth_date = mobile, identity, date(1949, 12, 31)
    system.commit()
    one = browser(visitor)
    for path in (
        "/records/member/list/",
        f"/records/member/show/{member.id}",
        f"/records/member/edit/{member.id}",
        "/api/v1/member/",
        f"/api/v1/member/{member.id}",
        "/options/member?q=",
        "/search/?q=测试",
    ):
        answer = one.get(path)
        assert mobile not in answer.text, path
        assert identity not in answer.text, path


def test_a_mask_that_is_sent_back_is_never_stored(browser: Open, web_world: World, system: Session):
    member = system.get(registry["member"].model, web_world.members["branch_a1"].id)
    member.mobile = "13812348048"
    system.commit()
    one = browser("street_a")
    answer = one.send("PUT", f"/api/v1/member/{member.id}", {"mobile": "138****8048"})
    assert answer.status_code == 422, answer.text
    form = form_of(member, registry["member"]) | {"mobile": "138****8048", "job": "teacher"}
    assert one.post(f"/records/member/edit/{member.id}", form).status_code == 302
    system.expire_all()
    assert system.get(registry["member"].model, member.id).mobile == "13812348048"
    assert system.get(registry["member"].model, member.id).job == "teacher"


# --- what is public, and what follows ---


def test_public_rows_are_read_by_all_who_may_and_written_at_the_root_alone(browser: Open, web_world: World):
    for entity in registry:
        if entity.options.visibility is not Visibility.PUBLIC:
            continue
        row = web_world.rows[entity.code]["district"]
        for visitor in ("street_a", "branch_a1", "member_a1"):
            answer = browser(visitor).send("PUT", f"/api/v1/{entity.code}/{row.id}", {"name": "x"})
            assert answer.status_code == 403, (entity.code, visitor)
        assert browser("district").send("PUT", f"/api/v1/{entity.code}/{row.id}", {"name": "x"}).status_code == 200


def test_moving_an_organization_moves_what_its_neighbours_see(browser: Open, web_world: World):
    branch, member = web_world.organizations["branch_b1"].id, web_world.members["branch_b1"].id
    street_a, street_b, district = browser("street_a"), browser("street_b"), browser("district")
    assert street_a.get(f"/api/v1/member/{member}").status_code == 404
    assert street_b.get(f"/api/v1/member/{member}").status_code == 200
    moved = district.send(
        "PUT", f"/api/v1/organization/{branch}", {"parent_id": web_world.organizations["street_a"].id}
    )
    assert moved.status_code == 200, moved.text
    assert street_a.get(f"/api/v1/member/{member}").status_code == 200
    assert street_b.get(f"/api/v1/member/{member}").status_code == 404


def test_the_marks_would_be_found(browser: Open, marked: World):
    """The walk looks for marks; where a row may be seen, they are there."""
    one = browser("street_a")
    for entity in registry:
        text = json.dumps(one.get(f"/api/v1/{entity.code}/").json, ensure_ascii=False)
        assert MARK.search(text), entity.code
        assert scoped_tables()[entity.model]
