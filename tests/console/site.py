"""A web application over a database of its own, and people who are signed in to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from app import create_app
from app.access.actor import system_actor
from app.access.first_start import ensure_roles, new_account
from app.database.session import unit_of_work
from config import Settings

PASSWORD = "Laternen-2026!"
ADMINISTRATOR = "admin"


class Site:
    """The application of some settings. ``people`` are signed in once each."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        ensure_roles(settings)
        self.app: Flask = create_app(settings)
        self.engine: Engine = self.app.extensions["engine"]
        self.add_account(ADMINISTRATOR, "Admin")
        self._clients: dict[tuple[str, str], Visitor] = {}

    def add_account(self, name: str, role: str, organization: int | None = None, member: int | None = None) -> None:
        with unit_of_work(self.engine, system_actor("tests")) as session:
            new_account(
                session, name, name, [role], PASSWORD, organization_id=organization, member_id=member,
                must_change_password=False,
            )  # fmt: skip

    def visitor(self, name: str = ADMINISTRATOR, language: str = "zh") -> Visitor:
        """Whoever has this account, signed in."""
        if (name, language) not in self._clients:
            visitor = Visitor(self.app.test_client())
            visitor.sign_in(name)
            if language != "zh":
                visitor.get(f"/lang/{language}")
            self._clients[name, language] = visitor
        return self._clients[name, language]

    def stranger(self) -> Visitor:
        return Visitor(self.app.test_client())

    def token(self, name: str = ADMINISTRATOR) -> dict[str, str]:
        """The headers of a program that has signed in."""
        answer = self.app.test_client().post("/api/v1/security/login", json={"username": name, "password": PASSWORD})
        return {"Authorization": f"Bearer {answer.get_json()['access_token']}"}

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The SQL that runs meanwhile."""
        found: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            found.append(statement)

        event.listen(self.engine, "before_cursor_execute", note)
        try:
            yield found
        finally:
            event.remove(self.engine, "before_cursor_execute", note)


class Visitor:
    """A browser, as far as the tests need one: it sends back the token of the last page."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = ""

    def sign_in(self, name: str) -> None:
        self.get("/login/")
        answer = self.post("/login/", {"username": name, "password": PASSWORD})
        assert answer.status_code == 302, answer.text
        assert "/login" not in answer.headers["Location"], "the sign-in was refused"
        self.get("/resetmypassword/form")
        assert self.token

    def get(self, url: str, **keywords: Any) -> Any:
        answer = self.client.get(url, **keywords)
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.text)
        if found:
            self.token = found[1]
        return answer

    def post(self, url: str, data: dict[str, Any] | None = None, **keywords: Any) -> Any:
        return self.client.post(url, data={"csrf_token": self.token, **(data or {})}, **keywords)


def errors(answer: Any) -> dict[str, str]:
    """What a form page says at its fields, by the field's id; ``""`` for the summary."""
    found = dict(re.findall(r'id="([\w-]+)-help">\s*([^<]+?)\s*</div>', answer.text))
    marked = re.findall(r'aria-describedby="([\w-]+)-help"[^>]*aria-invalid="true"', answer.text)
    names = {*marked, *re.findall(r'aria-invalid="true"[^>]*aria-describedby="([\w-]+)-help"', answer.text)}
    summary = re.search(r'alert-danger" role="alert">(.*?)</div>', answer.text, re.S)
    said = {name: text for name, text in found.items() if name in names}
    return {**said, **({"": re.sub(r"<[^>]+>", "", summary[1]).strip()} if summary else {})}
