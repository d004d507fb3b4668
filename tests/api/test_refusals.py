"""How the API says no: problem documents in the caller's language, keys that are over, other sites, operations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask_appbuilder.security.sqla.models import ApiKey, Role, User
from sqlalchemy import select

from app import create_app
from app.access import access_version
from app.access.actor import system_actor
from app.access.api_keys import make_key, revoke_key
from app.database.clock import now
from app.database.session import unit_of_work
from tests.console.site import PASSWORD, Site

LIMIT = 3
PORTAL = "https://portal.example"
SIGN_IN = "/api/v1/security/login"


@pytest.fixture(scope="module")
def strict(peopled: Any) -> Iterator[Flask]:
    """The site with a small rate limit, and with another site whose pages may ask."""
    settings = replace(peopled.site.settings, api_rate_limit=f"{LIMIT}/hour", api_cors_origins=(PORTAL,))
    settings = replace(settings, redis_url="unix:///nowhere.sock")  # counted in this process, anew for this test
    application = create_app(settings)
    yield application
    application.extensions["engine"].dispose()


def new_key(site: Site, name: str = "street", role: str = "street_administrator", place: int | None = None) -> Any:
    """A key's number and the headers that bear it."""
    with site.app.app_context(), unit_of_work(site.engine, system_actor("tests")) as session:
        account = session.scalars(select(User).where(User.username == name)).one()
        role_id = session.scalars(select(Role.id).where(Role.name == role)).one()
        key, text = make_key(
            session, system_actor("tests"), account, name="tests", role_id=role_id, organization_id=place, days=30,
            secret=site.app.config["SECRET_KEY"],
        )  # fmt: skip
        return key.id, {"Authorization": f"Bearer {text}"}


def said(answer: Any, status: int, words: str = "") -> dict[str, Any]:
    """The problem document of an answer."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json", answer.text
    document = answer.get_json()
    assert {"type", "title", "status", "detail", "errors"} <= set(document)
    assert document["status"] == status
    assert words in document["title"] + document["detail"], document
    return document


REFUSALS = [
    # method, path, body, status, words in Chinese and in English
    ("POST", SIGN_IN, None, 400, "JSON 对象", "JSON object"),
    ("POST", SIGN_IN, {"username": "street"}, 400, "请给出", "Has to be given"),
    ("POST", SIGN_IN, {"username": "street", "password": 5}, 400, "应为文字", "Has to be a text"),
    ("POST", SIGN_IN, {"username": "street", "password": "x", "nonsense": 1}, 400, "没有这一项", "no such member"),
    ("POST", SIGN_IN, {"username": "street", "password": "x", "provider": "ldap"}, 400, "只能是 db", "Has to be db"),
    ("POST", SIGN_IN, {"username": "nobody", "password": "x"}, 401, "密码", "password"),
    ("GET", SIGN_IN, None, 405, "不支持", "Not supported"),
    ("POST", "/api/v1/security/refresh", None, 401, "请先登录", "Sign in first"),
    ("GET", "/api/v1/menu/", None, 401, "请先登录", "Sign in first"),
    ("GET", "/api/v1/_openapi", None, 401, "Authorization", "Authorization"),
    ("GET", "/api/v1/member/_info", None, 401, "Authorization", "Authorization"),
    ("GET", "/api/v1/member/1", None, 401, "Authorization", "Authorization"),
    ("POST", "/api/v1/wish/1/withdraw", {}, 401, "Authorization", "Authorization"),
    ("GET", "/api/v1/nothing/", None, 404, "没有找到", "Not found"),
    ("DELETE", "/api/v1/member/", None, 405, "不支持", "Not supported"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "chinese", "english"), REFUSALS)
def test_strangers_are_refused_in_their_language(
    peopled: Any, method: str, path: str, body: Any, status: int, chinese: str, english: str
) -> None:
    client = peopled.site.app.test_client()
    for language, words in (("zh-CN,zh;q=0.9", chinese), ("en-GB,en;q=0.8", english)):
        answer = client.open(path, method=method, json=body, headers={"Accept-Language": language})
        said(answer, status, words)
        assert (answer.status_code == 401) <= ("Bearer" in answer.headers.get("WWW-Authenticate", "")), path


def test_a_token_refreshes_what_it_may(peopled: Any) -> None:
    client = peopled.site.app.test_client()
    tokens = client.post(SIGN_IN, json={"username": "street", "password": PASSWORD, "refresh": True}).get_json()
    bearing = {name: {"Authorization": f"Bearer {tokens[name]}"} for name in tokens}
    renewed = client.post("/api/v1/security/refresh", headers=bearing["refresh_token"])
    assert renewed.status_code == 200
    fresh = {"Authorization": f"Bearer {renewed.get_json()['access_token']}"}
    assert client.get("/api/v1/member/", headers=fresh).status_code == 200
    said(client.get("/api/v1/menu/", headers=fresh), 403, "没有权限")  # it is for none of our roles
    said(client.post("/api/v1/security/refresh", headers=bearing["access_token"]), 401)
    said(client.get("/api/v1/member/", headers=bearing["refresh_token"]), 401)
    said(client.get("/api/v1/menu/", headers={"Authorization": "Bearer nonsense"}), 401)


# --- other sites ---


def test_other_sites_may_not_ask_unless_they_are_named(peopled: Any, strict: Flask) -> None:
    asking = {"Origin": PORTAL, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "If-Match"}
    closed = peopled.site.app.test_client()
    for answer in (
        closed.options("/api/v1/member/", headers=asking),
        closed.get("/api/v1/member/", headers={"Origin": PORTAL}),
        strict.test_client().get("/api/v1/member/", headers={"Origin": "https://other.example"}),
        strict.test_client().get("/records/member/list/", headers={"Origin": PORTAL}),
    ):
        assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]
    allowed = strict.test_client().options("/api/v1/member/", headers=asking)
    assert allowed.headers["Access-Control-Allow-Origin"] == PORTAL
    assert "If-Match" in allowed.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in allowed.headers
    refused = strict.test_client().get("/api/v1/member/", headers={"Origin": PORTAL})
    said(refused, 401)
    assert refused.headers["Access-Control-Allow-Origin"] == PORTAL  # so that the page can read why
    assert "Retry-After" in refused.headers["Access-Control-Expose-Headers"]


# --- keys ---


def test_a_key_is_told_to_wait_and_others_are_not(peopled: Any, strict: Flask) -> None:
    _, headers = new_key(peopled.site)
    _, other = new_key(peopled.site)
    client = strict.test_client()
    for left in reversed(range(LIMIT)):
        answer = client.get("/api/v1/member/?page_size=1", headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["RateLimit-Remaining"] == str(left)
    for language, words in (("zh", "请求太频繁"), ("en", "Too many requests")):
        answer = client.get("/api/v1/member/", headers={**headers, "Accept-Language": language})
        said(answer, 429, words)
        assert 0 < int(answer.headers["Retry-After"]) <= 3600
    said(client.post("/api/v1/member/", json={"name": "x"}, headers=headers), 429)
    assert client.get("/api/v1/member/?page_size=1", headers=other).status_code == 200
    # A token of the same account is no key.
    assert client.get("/api/v1/member/?page_size=1", headers=peopled.site.token("street")).status_code == 200


def test_a_key_that_is_revoked_in_mid_use_ends_with_its_next_request(peopled: Any) -> None:
    site = peopled.site
    key_id, headers = new_key(site)
    client = site.app.test_client()
    first = client.get("/api/v1/member/?page_size=1", headers=headers)
    cursor = first.get_json()["next_cursor"]
    with unit_of_work(site.engine, system_actor("tests")) as session:
        revoke_key(session, system_actor("tests"), session.get(ApiKey, key_id))
    said(client.get(f"/api/v1/member/?page_size=1&cursor={cursor}", headers=headers), 401)
    body = {"name": "不应出现", "organization": peopled.world.organizations["branch_a1"].id}
    said(client.post("/api/v1/member/", json=body, headers=headers), 401)
    # No session counts beside a key: not even one that is signed in.
    visitor = site.visitor("street")
    said(visitor.client.get("/api/v1/member/", headers=headers), 401)


def test_a_key_ends_on_its_day(peopled: Any) -> None:
    site = peopled.site
    key_id, headers = new_key(site)
    client = site.app.test_client()
    assert client.get("/api/v1/member/?page_size=1", headers=headers).status_code == 200
    with unit_of_work(site.engine, system_actor("tests")) as session:
        session.get(ApiKey, key_id).expires_on = now() - timedelta(seconds=1)
        access_version.changed(session.connection())
    said(client.get("/api/v1/member/?page_size=1", headers=headers), 401)


def test_a_key_reaches_no_further_than_its_organization_and_role(peopled: Any) -> None:
    site, world = peopled.site, peopled.world
    branch = world.organizations["branch_a1"]
    _, headers = new_key(site, place=branch.id)
    client = site.app.test_client()
    own, other = world.members["branch_a1"].id, world.members["branch_a2"].id
    assert client.get(f"/api/v1/member/{own}", headers=headers).status_code == 200
    said(client.get(f"/api/v1/member/{other}", headers=headers), 404)
    said(client.patch(f"/api/v1/member/{other}", json={"job": "x"}, headers=headers), 404)
    elsewhere = {"name": "不应出现", "organization": world.organizations["branch_a2"].id}
    assert client.post("/api/v1/member/", json=elsewhere, headers=headers).status_code in (403, 422)
    said(client.delete(f"/api/v1/holiday/{world.rows['holiday']['district'].id}", headers=headers), 403)
    document = client.get("/api/v1/_openapi", headers=headers).get_json()
    assert "delete" not in document["paths"].get("/api/v1/holiday/{pk}", {})


# --- operations ---


@pytest.fixture(scope="module")
def wish(peopled: Any) -> int:
    """A draft of branch a1."""
    with unit_of_work(peopled.site.engine, system_actor("tests")) as session:
        model = type(peopled.world.rows["wish"]["branch_a1"])
        row = session.get(model, peopled.world.rows["wish"]["branch_a1"].id)
        row.status = "draft"
        return row.id


def test_operations_are_done_in_scope_with_permission_and_once(peopled: Any, wish: int) -> None:
    site = peopled.site

    def ask(name: str, operation: str, body: Any = None, key: Any = wish, entity: str = "wish") -> Any:
        path = f"/api/v1/{entity}/{key}/{operation}"
        return site.app.test_client().post(path, json=body, headers=site.token(name))

    said(ask("auditor", "submit"), 403)
    said(ask("member", "submit"), 403)
    said(ask("secretary", "approve", {}), 403)
    said(ask("other_street", "submit"), 404)
    said(ask("secretary", "nonsense"), 404)
    said(ask("secretary", "submit", key=987654), 404)
    assert said(ask("secretary", "submit", {"nonsense": 1}), 422)["errors"][0]["field"] == "nonsense"
    said(ask("secretary", "submit", [1]), 400)
    said(ask("street", "approve", {}), 409)  # nobody has submitted it
    done = ask("secretary", "submit")
    assert done.status_code == 200, done.text
    assert done.get_json()["result"]["status"] == "submitted"
    english = site.app.test_client().post(
        f"/api/v1/wish/{wish}/submit", headers={**site.token("secretary"), "Accept-Language": "en"}
    )
    said(english, 409, "not possible now")
    missing = said(ask("street", "send_back", {}), 422)
    assert [error["field"] for error in missing["errors"]] == ["reason"]
    wrong = said(ask("street", "approve", {"circle": peopled.world.organizations["branch_b1"].id}), 422)
    assert wrong["errors"][0]["field"] == "circle"
    approved = ask("street", "approve", {"circle": peopled.world.organizations["street_a"].code})
    assert approved.status_code == 200, approved.text
    history = site.visitor("street").get(f"/history/wish/{wish}").text
    assert "接口" in history
