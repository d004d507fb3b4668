"""The first start: roles, and one administrator whose password nobody else knows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.access.accounts import Account
from app.access.actor import system_actor
from app.access.first_start import ensure_administrator
from app.access.passwords import check, generate
from app.access.policy import AccessPolicy
from app.database.engine import make_engine
from app.database.session import make_session
from config import Settings, SettingsError


def administrator(settings: Settings) -> Account:
    engine = make_engine(settings.database_url)
    with make_session(engine, system_actor("tests"), writes=False) as session:
        found = session.scalars(select(Account)).one()
        assert [role.name for role in found.roles] == ["Admin"]
    engine.dispose()
    return found


def test_a_password_is_made_up_and_shown_once(any_database: Settings):
    password = ensure_administrator(any_database)
    assert password is not None
    check(password, "admin", AccessPolicy())
    assert ensure_administrator(any_database) is None
    found = administrator(any_database)
    assert found.username == "admin"
    assert found.must_change_password
    assert password not in found.password


def test_two_installations_have_different_passwords():
    made = {generate() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        check(password, "admin", AccessPolicy())


def test_the_password_may_be_given(database: Settings):
    given = replace(database, admin_password="Given#Lantern2026")
    assert ensure_administrator(given) == "Given#Lantern2026"
    assert administrator(given).must_change_password


def test_a_weak_one_is_refused_and_no_account_made(database: Settings):
    with pytest.raises(SettingsError, match="ADMIN_PASSWORD"):
        ensure_administrator(replace(database, admin_password="admin"))
    assert ensure_administrator(database)


@pytest.mark.parametrize(("name", "value"), [("PASSWORD_LENGTH", "4"), ("LOCK_MINUTES", "x"), ("IDLE_MINUTES", "0")])
def test_settings_that_make_no_sense_are_refused(name: str, value: str):
    with pytest.raises(SettingsError, match=name):
        AccessPolicy.from_environment({name: value})
    assert AccessPolicy.from_environment({name: "20"}) != AccessPolicy()
