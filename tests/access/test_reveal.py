"""Personal values shown whole on a record's page: to whom, for what, and what is written down.

Every personal field of every entity, for everybody of ``web.ACCOUNTS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.access.actor import system_actor
from app.access.audit import AuditEvent
from app.access.audit_words import detail
from app.access.masking import masked, personal_fields
from app.access.permissions import REVEAL, Permission, class_name
from app.access.roles import ADMINISTRATOR, ROLES
from app.database.session import make_session
from app.entity.registry import registry
from tests.access.marks import actor_name, places_seen
from tests.access.web import ACCOUNTS, Browser
from tests.access.world import World

Open = Callable[..., Browser]
MOBILE = "13812348048"
PERSONAL = [(entity.code, name) for entity in registry for name in personal_fields(entity)]


def value_of(code: str, name: str) -> str:
    """A value of a field of the world below."""
    column = registry[code].model.__table__.c[name]
    return MOBILE if (getattr(column.type, "length", None) or 99) >= len(MOBILE) else "1381234"


@pytest.fixture
def told(web: Flask, web_world: World) -> World:
    """Every row has every personal value."""
    with make_session(web.extensions["engine"], system_actor("tests"), writes=True) as session:
        for code, name in PERSONAL:
            table = registry[code].model.__table__
            session.connection().execute(update(table).values({name: value_of(code, name)}))
        session.commit()
    return web_world


@pytest.fixture
def events(web: Flask) -> Iterator[Callable[[], list[AuditEvent]]]:
    session = make_session(web.extensions["engine"], system_actor("tests"), writes=False)

    def read() -> list[AuditEvent]:
        session.rollback()
        return list(session.scalars(select(AuditEvent).where(AuditEvent.action == "revealed").order_by(AuditEvent.id)))

    yield read
    session.close()


def may(visitor: str | None, permission: Permission) -> bool:
    roles = ACCOUNTS[visitor][0] if visitor else []
    return ADMINISTRATOR in roles or any(permission in ROLES[role].permissions() for role in roles)


def test_members_have_personal_values() -> None:
    assert ("member", "mobile") in PERSONAL
    assert ("member", "id_no") in PERSONAL


@pytest.mark.parametrize("visitor", [None, *ACCOUNTS])
def test_they_are_shown_to_those_who_may_and_see_the_row(
    visitor: str | None, browser: Open, told: World, events: Callable[[], list[AuditEvent]]
) -> None:
    one, revealed = browser(visitor), 0
    for code, name in PERSONAL:
        entity, value = registry[code], value_of(code, name)
        seen = places_seen(told, visitor, entity)
        shows = may(visitor, Permission("can_show", class_name(code)))
        for place, row in told.rows[code].items():
            path = f"/records/{code}/reveal/{row.id}/{name}"
            page = one.get(f"/records/{code}/show/{row.id}")
            allowed = shows and may(visitor, REVEAL)
            assert (path in page.text) == (allowed and place in seen), (visitor, path)
            for answer in (one.get(path), one.post(path, {"purpose": ""}), one.post(path, {"purpose": "核对联系方式"})):
                if visitor is None:
                    assert "/login" in answer.headers["Location"]
                elif not allowed:
                    assert answer.status_code == 403, (visitor, path)
                elif place not in seen:
                    assert answer.status_code == 404, (visitor, path)
                else:
                    assert answer.status_code in (200, 422)
                    assert answer.headers["Cache-Control"] == "no-store"
            if allowed and place in seen:
                revealed += 1
                assert f"<b>{value}</b>" in answer.text
                event = events()[-1]
                assert (event.actor_name, event.entity, event.row_id) == (visitor, code, row.id)
                assert (event.detail, event.purpose) == (name, "核对联系方式")
            else:
                assert value not in answer.text, (visitor, path)
            # Once: neither the record's page nor this one shows it again.
            assert value not in one.get(f"/records/{code}/show/{row.id}").text
            assert value not in one.get(path).text
    assert len(events()) == revealed
    assert actor_name(visitor)


@pytest.mark.parametrize("purpose", ["", "  ", "看看", "长" * 201])
def test_without_a_purpose_nothing_is_shown_and_nothing_written(
    purpose: str, browser: Open, told: World, events: Callable[[], list[AuditEvent]]
) -> None:
    row = told.members["branch_a1"]
    answer = browser("street_a").post(f"/records/member/reveal/{row.id}/mobile", {"purpose": purpose})
    assert answer.status_code == 422
    assert MOBILE not in answer.text
    assert masked(registry["member"].fields["mobile"], MOBILE) in answer.text
    said = re.search(r'id="purpose-help">([^<]*)<', answer.text)
    assert said
    assert said[1] == "请说明查看个人信息的用途（4 到 200 个字）。"
    assert events() == []


def test_only_personal_fields_are_revealed_and_a_token_is_needed(browser: Open, told: World) -> None:
    row, street = told.members["branch_a1"], browser("street_a")
    for name in ("name", "mobile_hash", "no_such", "mobile%2Fx"):
        answer = street.post(f"/records/member/reveal/{row.id}/{name}", {"purpose": "核对联系方式"})
        assert answer.status_code == 404, name
    unsigned = street.client.post(f"/records/member/reveal/{row.id}/mobile", data={"purpose": "核对联系方式"})
    assert unsigned.status_code == 400
    assert street.get(f"/records/meeting/reveal/{told.rows['meeting']['branch_a1'].id}/topic").status_code == 404


def test_the_auditor_reads_what_was_shown_in_words(browser: Open, told: World) -> None:
    row = told.members["branch_a1"]
    browser("street_a").post(f"/records/member/reveal/{row.id}/id_no", {"purpose": "核对转接介绍信"})
    page = browser("auditor").get("/audit/list/?tab=events").text
    assert "公民身份号码" in page
    assert "核对转接介绍信" in page
    assert "id_no" not in page.partition("<tbody")[2].partition("</tbody")[0]


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("id_no mobile", "公民身份号码、手机号"),
        ("wangwu: branch_secretary member", "wangwu：支部书记、党员"),
        ("wangwu: -", "wangwu: -"),
        ("wangwu", "wangwu"),
        ("", ""),
    ],
)
def test_details_are_told_in_words(kept: str, shown: str, web: Flask) -> None:
    with web.test_request_context():
        assert detail(kept) == shown
