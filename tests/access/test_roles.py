"""What the roles may do, and that nobody gives themselves more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask_appbuilder.security.sqla.models import PermissionView, Role
from sqlalchemy import Engine, event, func, select

from app.access import permissions as may
from app.access.accounts import Account, actor_of
from app.access.actor import system_actor
from app.access.audit import AuditEvent
from app.access.permissions import READING, WRITING, Permission, class_name
from app.access.role_check import RoleRefused
from app.access.roles import ADMINISTRATOR, ROLES, families, synchronise
from app.access.security import SecurityManager
from app.database.engine import for_writing
from app.database.session import Session, make_session
from app.entity.operations import Audience, operations_of
from app.entity.registry import registry
from tests.access.web import ACCOUNTS, PASSWORD, Browser, add_accounts
from tests.access.world import World

Open = Callable[..., Session]
RECORDS = [entity for entity in registry if entity.options.group != "system"]


def on_records(role: str) -> set[str]:
    pages = {class_name(entity.code) for entity in RECORDS}
    return {action for action, page in ROLES[role].permissions() if page in pages}


# --- declared ---


def test_every_role_of_the_design_is_there():
    assert set(ROLES) == {
        "city_administrator", "district_administrator", "street_administrator", "branch_secretary",
        "rule_administrator", "it_staff", "auditor", "member",
    }  # fmt: skip


def test_it_staff_and_auditors_have_nothing_to_do_with_records():
    assert on_records("it_staff") == on_records("auditor") == set()
    assert may.REVEAL not in ROLES["it_staff"].permissions() | ROLES["auditor"].permissions()


def test_auditors_and_rule_administrators_and_members_change_no_record():
    for role in ("auditor", "rule_administrator", "member"):
        assert not on_records(role) & set(WRITING), role
    for_all = {
        each.permission
        for entity in RECORDS
        for each in operations_of(entity.code)
        if each.audience is Audience.EVERYONE
    }
    assert on_records("member") == {*READING, *for_all}
    assert "can_claim" in for_all
    assert not {"can_approve", "can_confirm_hours"} & for_all


def test_what_superiors_decide_is_not_for_branches():
    for permission in (Permission("can_approve", "Wish"), Permission("can_approve_admission", "DevelopmentCase")):
        assert permission in ROLES["street_administrator"].permissions()
        assert permission not in ROLES["branch_secretary"].permissions()


def test_only_it_staff_manages_accounts_and_only_auditors_read_the_trail():
    for name, role in ROLES.items():
        found = role.permissions()
        assert (may.ACCOUNTS[0] in found) == (name == "it_staff")
        assert (may.OPERATIONS in found) == (name == "it_staff")
        assert (may.AUDIT in found) == (name == "auditor")


def test_a_branch_secretary_neither_takes_in_nor_removes_organizations_and_members():
    found = ROLES["branch_secretary"].permissions()
    assert Permission("can_delete", "Member") not in found
    assert not {Permission("can_add", "Organization"), Permission("can_delete", "Organization")} & found


# --- written to the database ---


def granted(engine: Engine) -> dict[str, int]:
    with make_session(engine, system_actor("tests"), writes=False) as session:
        return {role.name: len(role.permissions) for role in session.scalars(select(Role))}


def test_roles_are_written_once_and_quickly(world: World, world_engine: Engine):
    with for_writing(world_engine).begin() as connection:
        assert synchronise(connection)
    asked: list[str] = []
    event.listen(world_engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    with for_writing(world_engine).begin() as connection:
        assert not synchronise(connection)
    assert len(asked) <= 6, asked
    assert granted(world_engine)["street_administrator"] == len(ROLES["street_administrator"].permissions())


def test_what_is_declared_no_longer_is_taken_away_and_own_roles_stay(world: World, world_engine: Engine):
    with for_writing(world_engine).begin() as connection:
        synchronise(connection)
    with make_session(world_engine, system_actor("tests")) as session:
        everything = list(session.scalars(select(PermissionView)))
        session.scalars(select(Role).where(Role.name == "auditor")).one().permissions = everything
        session.add(Role(name="of our own", permissions=everything[:3]))
        session.commit()
    with for_writing(world_engine).begin() as connection:
        assert synchronise(connection)
    found = granted(world_engine)
    assert found["auditor"] == len(ROLES["auditor"].permissions())
    assert found["of our own"] == 3


# --- granted ---


@pytest.fixture
def accounts(world: World, world_engine: Engine) -> dict[str, int]:
    return add_accounts(world_engine, world)


def as_account(world_engine: Engine, session_for: Open, account_id: int) -> Session:
    with make_session(world_engine, system_actor("tests"), writes=False) as system:
        actor = actor_of(system.get(Account, account_id), system.connection())
    return session_for(actor, writes=True)


def role(session: Session, name: str) -> Role:
    return session.scalars(select(Role).where(Role.name == name)).one()


@pytest.mark.parametrize(
    "names",
    [
        ["it_staff", "street_administrator"],
        ["it_staff", "auditor"],
        ["auditor", "branch_secretary"],
        ["it_staff", "member"],
        ["auditor", "member"],
        [ADMINISTRATOR, "it_staff"],
        [ADMINISTRATOR, "street_administrator"],
    ],
)
def test_duties_that_exclude_each_other_are_never_one_persons(
    names: list[str], accounts: dict[str, int], world: World, session_for: Open
):
    assert len(families(names)) == 2
    session = session_for(system_actor("tests"), writes=True)
    account = session.get(Account, accounts["no_role"])
    account.roles = [role(session, name) for name in names]
    with pytest.raises(RoleRefused):
        session.commit()


def test_duties_of_one_kind_may_be_combined(accounts: dict[str, int], world: World, session_for: Open):
    session = session_for(system_actor("tests"), writes=True)
    account = session.get(Account, accounts["street_a"])
    account.roles.append(role(session, "rule_administrator"))
    session.commit()
    assert len(account.roles) == 2


def test_nobody_changes_their_own_roles_or_place(
    accounts: dict[str, int], world: World, world_engine: Engine, session_for: Open
):
    for username in ("it_staff", "admin", "street_a"):
        for change in ("roles", "organization_id", "member_id"):
            session = as_account(world_engine, session_for, accounts[username])
            account = session.get(Account, accounts[username])
            if change == "roles":
                account.roles = [role(session, "branch_secretary")]
            else:
                setattr(account, change, 1)
            with pytest.raises(RoleRefused):
                session.commit()
            session.close()


def test_it_staff_grants_roles_to_others_and_it_is_written_down(
    accounts: dict[str, int], world: World, world_engine: Engine, session_for: Open
):
    session = as_account(world_engine, session_for, accounts["it_staff"])
    session.get(Account, accounts["no_role"]).roles = [role(session, "branch_secretary")]
    session.commit()
    session.get(Account, accounts["no_role"]).roles = [role(session, ADMINISTRATOR)]
    with pytest.raises(RoleRefused):
        session.commit()
    session.rollback()
    session.get(Account, accounts["admin"]).roles = []
    with pytest.raises(RoleRefused):
        session.commit()
    session.close()
    found = session_for(system_actor("tests")).scalars(select(AuditEvent)).one()
    assert (found.action, found.actor_name, found.detail) == ("roles_changed", "it_staff", "no_role: branch_secretary")


def test_whoever_sees_no_records_belongs_nowhere(accounts: dict[str, int], world: World, session_for: Open):
    for username in ("it_staff", "auditor"):
        session = session_for(system_actor("tests"), writes=True)
        session.get(Account, accounts[username]).organization_id = world.organizations["street_a"].id
        with pytest.raises(RoleRefused):
            session.commit()
        session.close()


def test_declared_roles_are_changed_in_the_declaration_alone(
    accounts: dict[str, int], world: World, world_engine: Engine, session_for: Open
):
    for username in ("it_staff", "admin"):
        for change in (
            lambda found: found.permissions.clear(),
            lambda found: setattr(found, "name", "another"),
        ):
            session = as_account(world_engine, session_for, accounts[username])
            change(role(session, "street_administrator"))
            with pytest.raises(RoleRefused):
                session.commit()
            session.close()


def test_no_role_mixes_records_with_the_granting_of_roles(
    accounts: dict[str, int], world: World, world_engine: Engine, session_for: Open
):
    session = as_account(world_engine, session_for, accounts["it_staff"])
    pairs = {str(pair): pair for pair in session.scalars(select(PermissionView))}
    session.add(Role(name="mixed", permissions=[pairs["can list on Member"], pairs["can edit on Account"]]))
    with pytest.raises(RoleRefused):
        session.commit()


# --- acted on ---


def test_actors_follow_from_accounts(accounts: dict[str, int], world: World, session_for: Open):
    session = session_for(system_actor("tests"))
    actors = {name: actor_of(session.get(Account, key), session.connection()) for name, key in accounts.items()}
    unrestricted = {name for name, actor in actors.items() if actor.unrestricted}
    assert unrestricted == {"admin", "district"}, "the root of this tree is the district"
    assert actors["street_a"].organization_path == world.organizations["street_a"].path
    assert actors["street_a"].is_staff
    assert actors["member_a1"].member_id == world.members["branch_a1"].id
    assert not actors["member_a1"].is_staff
    for name in ("no_role", "it_staff", "auditor"):
        assert actors[name].organization_path is None
        assert actors[name].member_id is None
        assert not actors[name].unrestricted


def test_a_role_taken_away_ends_at_the_next_request(browser: Callable[..., Browser], web: Flask):
    one = browser("street_a")
    assert one.get("/records/member/list/").status_code == 200
    with make_session(web.extensions["engine"], system_actor("tests")) as session:
        session.scalars(select(Account).where(Account.username == "street_a")).one().roles = []
        session.commit()
    assert one.get("/records/member/list/").status_code == 403
    assert one.get("/api/v1/member/").status_code == 403


def test_it_staff_opens_accounts_and_the_machine_room_and_nobody_else_does(browser: Callable[..., Browser]):
    for visitor in ("admin", "it_staff", "auditor", "district", "street_a", "member_a1", "no_role", None):
        one = browser(visitor)
        allowed = visitor in ("admin", "it_staff")
        for path in ("/users/list/", "/users/add", "/ops/"):
            assert (one.get(path).status_code == 200) == allowed, (visitor, path)
        assert (one.get("/roles/list/").status_code == 200) == (allowed or visitor == "auditor"), visitor


def test_auditors_read_the_trail_in_words_and_nobody_changes_it(browser: Callable[..., Browser], web: Flask):
    browser().sign_in("street_a", "Wrong#Password1")
    for visitor in ("it_staff", "district", "street_a", "member_a1", "no_role"):
        assert browser(visitor).get("/audit/list/").status_code == 403, visitor
    one = browser("auditor")
    page = one.get("/audit/list/?tab=events")
    assert page.status_code == 200
    assert "登录失败" in page.text
    for path in ("/audit/delete/1", "/audit/edit/1", "/audit/add"):
        assert one.post(path).status_code in (404, 405), path


def add_form(web: Flask, **values: Any) -> dict[str, Any]:
    with make_session(web.extensions["engine"], system_actor("tests"), writes=False) as session:
        names = values.pop("roles")
        ids = list(session.scalars(select(Role.id).where(Role.name.in_(names))))
    form = {"first_name": "王五", "active": "y", "password": PASSWORD, "conf_password": PASSWORD, "roles": ids}
    return form | values


def test_it_staff_makes_an_account_for_a_street_that_they_have_found(
    browser: Callable[..., Browser], web: Flask, web_world: World
):
    one, street = browser("it_staff"), web_world.organizations["street_a"]
    assert 'data-ajax="/users/ties/organization"' in one.get("/users/add").text
    [found] = [each for each in one.get("/users/ties/organization?q=A街").json if each["text"] == street.name]
    assert found["value"] == str(street.id)
    assert found["hint"].startswith(street.code)
    form = add_form(web, username="wangwu", roles=["street_administrator"], organization_id=found["value"])
    assert one.post("/users/add", form).status_code == 302
    answer = browser("wangwu").get("/records/member/list/")
    assert answer.headers["Location"].endswith("/resetmypassword/form"), "the first password has to be changed"
    with make_session(web.extensions["engine"], system_actor("tests"), writes=False) as session:
        account = session.scalars(select(Account).where(Account.username == "wangwu")).one()
        assert (account.organization_id, account.member_id) == (street.id, None)
    page = one.get(f"/users/edit/{account.id}").text
    assert f'<option value="{street.id}" selected>{street.name}（' in page
    for nobody in ("987654", "-1", "abc", "1 OR 1=1", "9" * 30):
        unknown = add_form(web, username="other", roles=["street_administrator"], organization_id=nobody)
        assert "没有这个选项，请重新选择" in one.post("/users/add", unknown, follow_redirects=True).text
    mixed = add_form(web, username="third", roles=["street_administrator", "it_staff"])
    assert "不能由同一人担任" in one.post("/users/add", mixed, follow_redirects=True).text
    weak = add_form(web, username="fourth", roles=["member"], password="short", conf_password="short")
    assert "10 到 128" in one.post("/users/add", weak, follow_redirects=True).text
    with make_session(web.extensions["engine"], system_actor("tests"), writes=False) as session:
        made = session.scalar(select(func.count(Account.id)).where(Account.username.in_(["other", "third", "fourth"])))
        assert made == 0


def test_a_request_asks_for_permissions_once(browser: Callable[..., Browser], web: Flask):
    one = browser("street_a")
    one.get("/records/member/list/")
    asked: list[str] = []
    event.listen(web.extensions["engine"], "before_cursor_execute", lambda *call: asked.append(call[2]))
    assert one.get("/records/member/list/").status_code == 200
    about_rights = [each for each in asked if "ab_" in each]
    assert len(about_rights) <= 2, about_rights
    assert isinstance(web.appbuilder.sm, SecurityManager)


def test_a_member_is_found_by_whole_name_or_code_and_is_not_shown(browser: Callable[..., Browser], web_world: World):
    one, member = browser("it_staff"), web_world.members["branch_a1"]
    for query in (member.name, member.code, member.code[:3]):
        found = {each["value"]: each for each in one.get(f"/users/ties/member?q={query}").json}
        assert member.code in found[str(member.id)]["hint"]
    for each in found.values():
        assert member.name not in f"{each['text']}{each['hint']}"
        assert set(each["text"][1:]) <= {"*"}
    for query in ("", member.name[:1], "%", "_", member.code[:2]):
        assert one.get(f"/users/ties/member?q={query}").json == [], query
    assert one.get("/users/ties/organization?q=%25").json == []
    assert one.get("/users/ties/meeting?q=x").status_code == 404


@pytest.mark.parametrize("visitor", [each for each in [None, *ACCOUNTS] if each not in ("admin", "it_staff")])
def test_ties_are_for_those_who_manage_accounts(browser: Callable[..., Browser], visitor: str | None):
    for entity in ("organization", "member"):
        answer = browser(visitor).get(f"/users/ties/{entity}?q=A")
        assert answer.status_code == (302 if visitor is None else 403)
