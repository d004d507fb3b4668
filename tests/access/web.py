"""An installation in a browser's eyes: accounts of every tier and role, and clients that sign in as them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from app.access.actor import system_actor
from app.access.first_start import new_account
from app.access.roles import ADMINISTRATOR, synchronise
from app.database.engine import for_writing
from app.database.session import unit_of_work
from tests.access.world import World

PASSWORD = "Lighthouse#2026"

ACCOUNTS: dict[str, tuple[list[str], str | None, bool]] = {
    # username: roles, place, whether it is the member of that place
    "admin": ([ADMINISTRATOR], None, False),
    "no_role": ([], None, False),
    "district": (["district_administrator"], "district", False),
    "street_a": (["street_administrator"], "street_a", False),
    "street_b": (["street_administrator"], "street_b", False),
    "branch_a1": (["branch_secretary"], "branch_a1", False),
    "rules_a": (["rule_administrator"], "street_a", False),
    "it_staff": (["it_staff"], None, False),
    "auditor": (["auditor"], None, False),
    "member_a1": (["member"], "branch_a1", True),
}


def add_accounts(engine: Engine, world: World) -> dict[str, int]:
    """Make the accounts above; gives their ids."""
    with for_writing(engine).begin() as connection:
        synchronise(connection)
    with unit_of_work(engine, system_actor("tests")) as session:
        made = {}
        for username, (roles, place, is_member) in ACCOUNTS.items():
            made[username] = new_account(
                session,
                username,
                f"测试{username}",
                roles,
                PASSWORD,
                organization_id=world.organizations[place].id if place else None,
                member_id=world.members[place].id if place and is_member else None,
                must_change_password=False,
            )
        session.flush()
        return {username: account.id for username, account in made.items()}


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page) or re.search(
        r'<meta name="csrf-token" content="([^"]+)"', page
    )
    assert found, "the page holds no token against forgery"
    return found.group(1)


@dataclass
class Browser:
    """A client with a session, that sends the token of the page it stands on."""

    client: FlaskClient
    token: str = ""

    @classmethod
    def of(cls, app: Flask, username: str | None = None, password: str = PASSWORD) -> Browser:
        browser = cls(app.test_client())
        page = browser.client.get("/login/")
        browser.token = token_in(page.text)
        if username is not None:
            answer = browser.sign_in(username, password)
            assert answer.status_code == 302, answer.text
            assert "/login" not in answer.headers["Location"], f"{username} could not sign in"
            browser.token = token_in(browser.client.get("/resetmypassword/form").text)
        return browser

    def sign_in(self, username: str, password: str = PASSWORD) -> Any:
        return self.client.post("/login/", data={"username": username, "password": password, "csrf_token": self.token})

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> Any:
        return self.client.post(path, data={**(data or {}), "csrf_token": self.token}, **options)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """A request of a script on the page, to the API."""
        return self.client.open(path, method=method, json=body, headers={"X-CSRFToken": self.token})
