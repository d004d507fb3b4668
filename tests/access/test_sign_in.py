"""Signing in, being locked out, passwords, sessions that end, and requests that are not let in."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import select, update

from app.access.accounts import Account, SignInFailure
from app.access.actor import system_actor
from app.access.audit import AuditEvent
from app.access.http import CONTENT_SECURITY_POLICY
from app.database.clock import now
from app.database.session import Session, make_session
from tests.access.web import PASSWORD, Browser, token_in

Open = Callable[..., Browser]
NEW = "Another#Lantern2027"


@pytest.fixture
def system(web: Flask) -> Any:
    session = make_session(web.extensions["engine"], system_actor("tests"))
    session.commit()
    yield session
    session.close()


def change(web: Flask, username: str, **values: Any) -> None:
    with make_session(web.extensions["engine"], system_actor("tests")) as session:
        session.execute(update(Account).where(Account.username == username).values(**values))
        session.commit()


def events(web: Flask) -> list[tuple[str, str]]:
    with Session(web.extensions["engine"], info={"actor": system_actor("tests")}) as session:
        return [(action, name) for action, name in session.execute(select(AuditEvent.action, AuditEvent.actor_name))]


def test_a_wrong_name_and_a_wrong_password_are_told_apart_by_nobody(browser: Open):
    said = []
    for username in ("street_a", "no_such_account", "inactive"):
        one = browser()
        assert one.sign_in(username, "Wrong#Password1").headers["Location"].startswith("/login/")
        page = one.get("/login/").text
        said.append(page[page.index("alert") :][:200])
    assert said[0] == said[1] == said[2]
    assert "用户名或密码不正确" in said[0]


def test_a_name_is_locked_after_five_failures_whether_it_exists_or_not(browser: Open, web: Flask):
    for username in ("street_a", "no_such_account"):
        one = browser()
        for _ in range(5):
            assert "锁定，请" not in one.get("/login/").text
            one.sign_in(username, "Wrong#Password1")
        assert "该用户名已锁定，请 30 分钟后再试" in one.get("/login/").text
        assert "/login/" in one.sign_in(username).headers["Location"]
        assert "该用户名已锁定" in one.get("/login/").text
    assert browser("street_b").get("/users/userinfo/").status_code == 200
    assert ("locked", "street_a") in events(web)
    with make_session(web.extensions["engine"], system_actor("tests")) as session:
        session.execute(update(SignInFailure).values(locked_until=now() - timedelta(seconds=1)))
        session.commit()
    assert browser("street_a").get("/users/userinfo/").status_code == 200


def test_a_success_forgives_the_failures_before_it(browser: Open):
    one = browser()
    for _ in range(2):
        for _ in range(4):
            one.sign_in("street_a", "Wrong#Password1")
        assert browser("street_a")


def test_the_lock_holds_for_tokens_too(web: Flask):
    client = web.test_client()
    for _ in range(5):
        answer = client.post("/api/v1/security/login", json={"username": "street_a", "password": "x", "provider": "db"})
        assert answer.status_code == 401
    answer = client.post("/api/v1/security/login", json={"username": "street_a", "password": PASSWORD})
    assert answer.status_code == 401
    assert "锁定" in answer.json["message"]


def test_reasons_are_said_in_the_reader_s_language(browser: Open):
    one = browser()
    one.get("/lang/en")
    one.sign_in("street_a", "Wrong#Password1")
    assert "User name or password is wrong" in one.get("/login/").text


def test_inactive_accounts_and_their_open_sessions_end(browser: Open, web: Flask):
    one = browser("street_a")
    change(web, "street_a", active=False)
    assert one.get("/users/userinfo/").status_code == 302
    assert "/login" in browser().sign_in("street_a").headers["Location"]


# --- passwords ---


def own_password(one: Browser, old: str, new: str, again: str | None = None) -> Any:
    return one.post(
        "/resetmypassword/form", {"old_password": old, "password": new, "conf_password": again if again else new}
    )


def test_a_password_that_was_handed_out_is_changed_before_anything_else(browser: Open, web: Flask):
    change(web, "street_a", must_change_password=True)
    one = browser("street_a")
    for path in ("/", "/users/userinfo/", "/records/member/list/"):
        assert one.get(path).headers["Location"].endswith("/resetmypassword/form"), path
    answer = one.get("/api/v1/member/")
    assert answer.status_code == 403
    assert "修改" in answer.json["message"]
    assert (
        web.test_client()
        .post("/api/v1/security/login", json={"username": "street_a", "password": PASSWORD})
        .status_code
        == 403
    )
    assert one.get("/static/css/tokens.css").status_code == 200
    assert own_password(one, PASSWORD, NEW).status_code == 302
    assert one.get("/users/userinfo/").status_code == 200


def test_a_password_lasts_ninety_days(browser: Open, web: Flask):
    change(web, "street_a", password_changed_at=now() - timedelta(days=89))
    assert browser("street_a").get("/users/userinfo/").status_code == 200
    change(web, "street_a", password_changed_at=now() - timedelta(days=91))
    assert browser("street_a").get("/users/userinfo/").headers["Location"].endswith("/resetmypassword/form")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("Short#1a", "10 到 128"),
        ("onlysmall#letters1", "同时含有"),
        ("ONLYCAPITALS#1", "同时含有"),
        ("NoDigitsHere#", "同时含有"),
        ("NoSymbolsHere1", "同时含有"),
        ("Street_A#2026x", "用户名"),
        (PASSWORD, "最近 5 次"),
        ("A1#" + "a" * 200, "10 到 128"),
    ],
)
def test_weak_passwords_are_refused_with_the_reason(password: str, reason: str, browser: Open):
    one = browser("street_a")
    answer = own_password(one, PASSWORD, password)
    assert answer.status_code == 200
    assert reason in answer.text
    assert browser("street_a").get("/users/userinfo/").status_code == 200


def test_the_last_five_passwords_are_not_taken_again(browser: Open):
    one, old = browser("street_a"), PASSWORD
    for number in range(5):
        new = f"Lantern#Number{number}x"
        assert own_password(one, old, new).status_code == 302
        one.token = token_in(one.get("/resetmypassword/form").text)
        old = new
    assert "最近 5 次" in own_password(one, old, "Lantern#Number0x").text
    assert own_password(one, old, PASSWORD).status_code == 302, "the sixth back may be used again"


def test_the_present_password_is_asked_for(browser: Open):
    one = browser("street_a")
    assert "现在的密码不正确" in own_password(one, "Wrong#Password1", NEW).text
    assert "两次输入的密码不一致" in own_password(one, PASSWORD, NEW, NEW + "x").text


def test_a_change_of_password_ends_all_other_sessions(browser: Open):
    here, elsewhere = browser("street_a"), browser("street_a")
    own_password(here, PASSWORD, NEW)
    assert here.get("/users/userinfo/").status_code == 200
    assert elsewhere.get("/users/userinfo/").status_code == 302


def test_it_staff_resets_a_password_that_must_then_be_changed(browser: Open, web: Flask, system: Any):
    account = system.scalars(select(Account.id).where(Account.username == "street_a")).one()
    system.commit()
    staff = browser("it_staff")
    path = f"/resetpassword/form?pk={account}"
    assert staff.get(path).status_code == 200
    assert staff.post(path, {"password": "weak", "conf_password": "weak"}).status_code == 200
    assert staff.post(path, {"password": NEW, "conf_password": NEW}).status_code == 302
    assert browser("street_a", NEW).get("/").headers["Location"].endswith("/resetmypassword/form")
    assert ("password_reset", "it_staff") in events(web)
    for other in ("street_b", "auditor", "member_a1", "no_role"):
        assert browser(other).post(path, {"password": PASSWORD, "conf_password": PASSWORD}).status_code == 403, other
    administrator = system.scalars(select(Account.id).where(Account.username == "admin")).one()
    for pk, status in ((administrator, 403), ("0", 404), ("x", 404)):
        assert staff.get(f"/resetpassword/form?pk={pk}").status_code == status


# --- sessions ---


def cookie_of(one: Browser, web: Flask) -> dict[str, Any]:
    signer = SecureCookieSessionInterface().get_signing_serializer(web)
    return signer.loads(one.client.get_cookie("beacon").value)


def put_cookie(one: Browser, web: Flask, content: dict[str, Any]) -> None:
    signer = SecureCookieSessionInterface().get_signing_serializer(web)
    one.client.set_cookie("beacon", signer.dumps(content))


def test_an_idle_session_ends(browser: Open, web: Flask):
    one = browser("street_a")
    content = cookie_of(one, web)
    put_cookie(one, web, content | {"seen": int(time.time()) - 29 * 60})
    assert one.get("/users/userinfo/").status_code == 200
    put_cookie(one, web, content | {"seen": int(time.time()) - 31 * 60})
    assert one.get("/users/userinfo/").status_code == 302


def test_signing_in_leaves_nothing_of_the_session_before(browser: Open, web: Flask):
    one = browser()
    put_cookie(one, web, cookie_of(one, web) | {"planted": "x", "locale": "en"})
    one.token = token_in(one.get("/login/").text)
    one.sign_in("street_a")
    content = cookie_of(one, web)
    assert "planted" not in content
    assert content["locale"] == "en"


def test_a_stolen_cookie_is_no_use_in_another_browser(browser: Open, web: Flask):
    value = browser("street_a").client.get_cookie("beacon").value
    thief = web.test_client()
    thief.set_cookie("beacon", value)
    assert thief.get("/users/userinfo/", headers={"User-Agent": "another"}).status_code == 302


def test_cookies_are_kept_from_scripts_and_travel_encrypted_where_the_site_does(web: Flask):
    plain = web.test_client().get("/login/").headers["Set-Cookie"]
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Secure" not in plain
    safe = web.test_client().get("/login/", base_url="https://beacon.example")
    assert "Secure" in safe.headers["Set-Cookie"]
    assert safe.headers["Strict-Transport-Security"]


def test_signing_out(browser: Open, web: Flask):
    one = browser("street_a")
    assert one.get("/logout/").status_code == 302
    assert one.get("/users/userinfo/").status_code == 302
    assert ("signed_out", "street_a") in events(web)


def test_a_token_acts_for_its_own_account_whatever_cookie_comes_along(browser: Open, web: Flask, web_world: Any):
    tokens = {
        name: web.test_client()
        .post("/api/v1/security/login", json={"username": name, "password": PASSWORD})
        .json["access_token"]
        for name in ("street_a", "street_b")
    }
    one = browser("street_b")
    answer = one.client.get("/api/v1/member/", headers={"Authorization": f"Bearer {tokens['street_a']}"})
    assert answer.status_code == 200
    assert {row["id"] for row in answer.json["result"]} == {
        web_world.members[place].id for place in ("street_a", "branch_a1", "branch_a2")
    }
    for broken in ("", "x", tokens["street_a"][:-3] + "xyz"):
        answer = one.client.get("/api/v1/member/", headers={"Authorization": f"Bearer {broken}"})
        assert answer.status_code in (401, 422)
        assert "result" not in (answer.json or {})


# --- forgery ---


@pytest.mark.parametrize("path", ["/login/", "/resetmypassword/form", "/users/add", "/records/meeting/add"])
def test_pages_take_nothing_without_their_token(path: str, browser: Open):
    one = browser("admin")
    assert one.client.post(path, data={"username": "x"}).status_code == 400


def test_the_api_takes_no_session_cookie_without_the_token(browser: Open, web: Flask, web_world: Any):
    one = browser("street_a")
    branch = web_world.organizations["branch_a1"].id
    body = {"organization": branch, "kind": "theme_day", "topic": "x", "status": "planned"}
    meeting = web_world.rows["meeting"]["branch_a1"].id
    for method, path in (
        ("POST", "/api/v1/meeting/"),
        ("PUT", f"/api/v1/meeting/{meeting}"),
        ("DELETE", f"/api/v1/meeting/{meeting}"),
    ):
        for options in ({"json": body}, {"data": body}, {"data": body, "headers": {"Accept": "application/json"}}):
            assert one.client.open(path, method=method, **options).status_code == 400
    assert one.send("POST", "/api/v1/meeting/", body).status_code == 201
    token = web.test_client().post("/api/v1/security/login", json={"username": "street_a", "password": PASSWORD})
    header = {"Authorization": f"Bearer {token.json['access_token']}"}
    assert web.test_client().post("/api/v1/meeting/", json=body, headers=header).status_code == 201


def test_nothing_is_deleted_by_following_a_link(browser: Open, web_world: Any):
    meeting = web_world.rows["meeting"]["branch_a1"].id
    one = browser("street_a")
    assert one.get(f"/records/meeting/delete/{meeting}").status_code in (404, 405)
    assert one.get(f"/api/v1/meeting/{meeting}").status_code == 200


# --- answers ---


def test_every_answer_carries_the_headers(browser: Open):
    one = browser("street_a")
    for path in ("/", "/login/", "/nothing", "/api/v1/member/", "/records/member/list/"):
        headers = one.get(path).headers
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"


def test_errors_say_what_to_do_and_nothing_else(browser: Open, web: Flask):
    @web.route("/broken")
    def broken() -> str:
        raise RuntimeError("SELECT secret FROM bc_member")

    one = browser("street_a")
    page = one.get("/broken")
    assert page.status_code == 500
    assert "错误已记录" in page.text
    assert "SELECT" not in page.text
    assert "Traceback" not in page.text
    answer = one.get("/broken", headers={"Accept": "application/json"})
    assert answer.status_code == 500
    assert set(answer.json) == {"type", "title", "status", "detail", "errors", "message", "reference"}
    assert "SELECT" not in answer.text
    one.get("/lang/en")
    assert "does not exist, or lies outside" in one.get("/nothing").text


def test_no_redirect_leads_away(browser: Open):
    one = browser()
    answer = one.client.post(
        "/login/?next=https://evil.example/",
        data={"username": "street_a", "password": PASSWORD, "csrf_token": one.token},
    )
    assert "evil" not in answer.headers["Location"]


def test_the_secret_key_is_made_once_and_kept_from_others(web: Flask, settings: Any):
    path = settings.data_dir / "secret-key"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert web.config["SECRET_KEY"] == path.read_text()
    assert len(path.read_text()) >= 40
