"""Sign-in as people meet it: failures, the lock, and the first administrator's password."""

from __future__ import annotations

from collections.abc import Callable

from app.access.policy import AccessPolicy

from .conftest import ADMINISTRATOR_PASSWORD, Installation
from .visitor import Visitor

NAME = "demo_branch_1_2"
"""Nobody else signs in with this account: it is locked here."""


def test_failures_say_what_follows_and_then_lock_the_name(
    installation: Installation, visit: Callable[..., Visitor]
) -> None:
    policy, visitor = AccessPolicy(), visit()
    for _ in range(policy.sign_in_attempts - 1):
        visitor.try_to_sign_in(NAME, "wrong")
        assert "/login" in visitor.page.url
        assert visitor.text(".alert").endswith(
            f"用户名或密码不正确。连续输错 {policy.sign_in_attempts} 次，该用户名将锁定 {policy.lock_minutes} 分钟。"
        )
    visitor.try_to_sign_in(NAME, "wrong")
    assert "锁定" in visitor.text(".alert")
    # Locked against the right password too, and not told whether it was right.
    visitor.try_to_sign_in(NAME, installation.accounts[NAME].password)
    assert "/login" in visitor.page.url
    locked = visitor.text(".alert")
    assert f"请 {policy.lock_minutes} 分钟后再试，或请系统管理员解锁" in locked

    # Who was locked out by mistake asks IT staff.
    staff = visit("demo_it")
    staff.go(f"/users/list/?_flt_3_username={NAME}")
    staff.follow(f"table a:has-text('{NAME}')")
    staff.follow("main button:has-text('解锁')")
    assert f"{NAME} 已解锁" in staff.text("main")
    visit(NAME)


def test_a_name_that_nobody_bears_is_locked_in_the_same_words(visit: Callable[..., Visitor]) -> None:
    visitor = visit(size="phone")
    for _ in range(AccessPolicy().sign_in_attempts):
        visitor.try_to_sign_in("nobody_bears_it", "wrong")
        assert not visitor.overflows()
    assert "锁定" in visitor.text(".alert")


def test_the_first_administrator_has_to_choose_a_password_of_their_own(visit: Callable[..., Visitor]) -> None:
    administrator = visit()
    administrator.sign_in("admin", ADMINISTRATOR_PASSWORD)
    assert "/resetmypassword/form" in administrator.page.url
    administrator.change_password(ADMINISTRATOR_PASSWORD, "short")
    assert "10" in administrator.text("main form")
    administrator.change_password(ADMINISTRATOR_PASSWORD, "Chosen-By-Myself-2026")
    administrator.go("/")
    assert administrator.page.url.endswith("/dashboard/")
    again = visit()
    again.try_to_sign_in("admin", ADMINISTRATOR_PASSWORD)
    assert "/login" in again.page.url
    again.sign_in("admin", "Chosen-By-Myself-2026")


def test_language_and_big_type_stay_chosen(visit: Callable[..., Visitor]) -> None:
    visitor = visit("demo_street_1")
    assert visitor.text("h1").endswith("总览")
    visitor.page.click(".topbar .dropdown button")
    visitor.follow(".topbar .dropdown-menu a[lang=en]")
    visitor.go("/warnings/")
    assert visitor.text("h1") == "Warnings"
    root = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
    before = visitor.page.evaluate(root)
    visitor.page.click("[data-big]")
    assert visitor.page.evaluate(root) > before
    visitor.go("/league/")
    assert visitor.page.evaluate(root) > before
    assert not visitor.overflows()
