"""Personal data is masked, and shown whole only to those who may, with a purpose, written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from app.access.actor import Actor, system_actor
from app.access.audit import AuditEvent
from app.access.errors import Refused
from app.access.masking import checked_purpose, is_masked, masked, reveal
from app.database.session import Session
from app.domains.members.models import Member
from app.entity.labels import UserError
from app.entity.registry import registry
from tests.access.web import add_accounts
from tests.access.world import World

Open = Callable[..., Session]
MOBILE = registry["member"].fields["mobile"]


class Security:
    """Stands for FAB's manager: says yes or no."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer

    def has_access(self, _action: str, _page: str) -> bool:
        return self.answer


@pytest.fixture
def reader(world: World, world_engine: Engine) -> Actor:
    """The staff of street a, with an account to be named in the trail."""
    return replace(world.staff("street_a"), user_id=add_accounts(world_engine, world)["street_a"])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("13812348048", "138****8048"),
        ("11010519491231002X", "110105********002X"),
        ("1234567", "1*****7"),
        ("123", "***"),
        ("", ""),
        (None, ""),
    ],
)
def test_masks(value: str | None, shown: str):
    assert masked(MOBILE, value) == shown


@given(st.text(min_size=1, max_size=40))
def test_at_least_a_third_of_every_personal_value_is_hidden(value: str):
    shown = masked(MOBILE, value)
    assert len(shown) == len(value)
    assert sum(1 for one, other in zip(value, shown, strict=True) if other == "*") * 3 >= len(value)
    assert is_masked(shown) or len(value) < 2


def test_names_and_all_that_is_not_personal_stay():
    assert masked(registry["member"].fields["name"], "张三") == "张三"


def test_revealing_is_written_down_before_anything_is_shown(reader: Actor, world: World, session_for: Open):
    actor = reader
    with session_for(system_actor("tests"), writes=True) as system:
        system.get(Member, world.members["branch_a1"].id).mobile = "13812348048"
        system.commit()
    session = session_for(actor, writes=True)
    row = session.get(Member, world.members["branch_a1"].id)
    shown = reveal(session, Security(True), registry["member"], row, ["mobile"], "核对  联系方式")
    assert shown == {"mobile": "13812348048"}
    session.rollback()
    found = session_for(system_actor("tests")).scalars(select(AuditEvent)).one()
    assert (found.action, found.entity, found.row_id, found.detail, found.purpose) == (
        "revealed", "member", row.id, "mobile", "核对 联系方式",
    )  # fmt: skip
    assert found.actor_name == actor.name
    assert "13812348048" not in str(vars(found))


def test_without_the_permission_or_a_purpose_nothing_is_shown(reader: Actor, world: World, session_for: Open):
    session = session_for(reader, writes=True)
    row = session.get(Member, world.members["branch_a1"].id)
    with pytest.raises(Refused):
        reveal(session, Security(False), registry["member"], row, ["mobile"], "核对联系方式")
    for purpose in ("", "  ", "x", "长" * 201):
        with pytest.raises(UserError):
            reveal(session, Security(True), registry["member"], row, ["mobile"], purpose)
    with pytest.raises(KeyError):
        reveal(session, Security(True), registry["member"], row, ["mobile_hash"], "核对联系方式")
    session.rollback()
    assert session_for(system_actor("tests")).scalars(select(AuditEvent)).all() == []


def test_the_audit_trail_is_never_changed(world: World, session_for: Open):
    session = session_for(system_actor("tests"), writes=True)
    row = session.get(Member, world.members["branch_a1"].id)
    reveal(session, Security(True), registry["member"], row, ["mobile"], "核对联系方式")
    kept: Any = session.scalars(select(AuditEvent)).one()
    kept.purpose = "something else"
    with pytest.raises(RuntimeError):
        session.commit()
    session.rollback()
    session.delete(session.scalars(select(AuditEvent)).one())
    with pytest.raises(RuntimeError):
        session.commit()


def test_purposes_are_tidied():
    assert checked_purpose("  核对　联系方式 ") == "核对 联系方式"
