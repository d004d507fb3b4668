"""What each role meets: its start page, its own records, refusals of everything else, and no link that ends in one."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from .conftest import Installation
from .visitor import Visitor

START = {
    "demo_city": "/dashboard/",
    "demo_district": "/dashboard/",
    "demo_street_1": "/dashboard/",
    "demo_rules": "/dashboard/",
    "demo_branch_1_1": "/",
    "demo_member_1": "/",
    "demo_it": "/",
    "demo_auditor": "/",
}
MENU = {
    "demo_street_1": {"总览", "预警", "排行榜", "记分卡", "党组织", "党员"},
    "demo_rules": {"总览", "评定"},
    "demo_member_1": {"记分卡", "党费", "学习记录"},
    "demo_it": {"账号", "角色", "机房", "评定"},
    "demo_auditor": {"审计记录"},
}
NOT_IN_MENU = {
    "demo_street_1": {"评定", "账号", "机房"},
    "demo_branch_1_1": {"评定", "账号", "机房"},
    "demo_member_1": {"总览", "预警", "排行榜", "节假日", "填报指标"},
    "demo_it": {"总览", "党员", "党费"},
    "demo_auditor": {"总览", "党员", "账号", "机房"},
}
PAGES = {
    "demo_street_1": ("/dashboard/", "/warnings/", "/league/"),
    "demo_branch_1_1": ("/", "/scorecard/", "/warnings/"),
    "demo_member_1": ("/", "/scorecard/"),
    "demo_rules": ("/evaluations/",),
    "demo_it": ("/", "/evaluations/", "/users/list/"),
    "demo_auditor": ("/",),
}
PER_KIND = 3
"""Links of one kind (the same address but for codes and numbers) that are followed."""


def labels(visitor: Visitor) -> set[str]:
    """The words of the side menu."""
    return {re.sub(r"[\d,\s]+$", "", words).strip() for words in visitor.texts("nav.side a")}


@pytest.mark.parametrize("username", START)
def test_signing_in_leads_to_ones_own_start_page(visit: Callable[..., Visitor], username: str) -> None:
    visitor = visit(username)
    assert visitor.page.url.removeprefix(visitor.base) == START[username]
    assert visitor.texts("h1") != []
    menu = labels(visitor)
    assert menu >= MENU.get(username, set())
    assert not menu & NOT_IN_MENU.get(username, set())


@pytest.mark.parametrize("username", PAGES)
def test_no_link_on_ones_pages_ends_in_a_refusal(visit: Callable[..., Visitor], username: str) -> None:
    visitor = visit(username)
    found: dict[str, list[str]] = {}
    for path in PAGES[username]:
        assert visitor.go(path).status == 200, path
        assert not visitor.overflows(), path
        for link in sorted(visitor.links("body")):
            kind = re.sub(r"[A-Z]*\d[\w-]*|(?<=[=,])[\w%:,-]+", "…", link)
            followed = found.setdefault(kind, [])
            if len(followed) < PER_KIND and link not in followed and "logout" not in link and "/lang/" not in link:
                followed.append(link)
    refused = {link: visitor.status(link) for links in found.values() for link in links}
    assert {link: status for link, status in refused.items() if status not in (200, 302)} == {}


@pytest.mark.parametrize("username", ["demo_street_1", "demo_branch_1_1", "demo_member_1"])
def test_pages_fit_a_phone(visit: Callable[..., Visitor], username: str) -> None:
    visitor = visit(username, "phone")
    for path in PAGES[username]:
        visitor.go(path)
        assert not visitor.overflows(), path


def test_a_secretary_finds_the_four_places_at_the_bottom_of_a_phone(visit: Callable[..., Visitor]) -> None:
    secretary = visit("demo_branch_1_1", "phone")
    assert [words.strip() for words in secretary.texts("nav.tabbar a")] == ["首页", "预警", "补录", "记分卡"]
    secretary.follow("nav.tabbar a:has-text('记分卡')")
    assert "/scorecard/organization_strength/" in secretary.page.url
    secretary.follow("nav.tabbar a:has-text('补录')")
    assert secretary.page.locator("#entries a", has_text="组织生活").is_visible()
    secretary.follow("#entries a:has-text('组织生活')")
    assert secretary.page.url.endswith("/records/meeting/add")
    assert not visit("demo_branch_1_1").page.locator("nav.tabbar").is_visible()


def test_to_dos_of_a_secretary_say_what_to_do_and_lead_there(visit: Callable[..., Visitor]) -> None:
    secretary = visit("demo_branch_2_1")
    steps = secretary.page.locator(".home-todo li .step")
    assert steps.count() > 0
    for link in sorted(secretary.links(".home-todo")):
        assert secretary.status(link) == 200, link


def test_a_member_sees_their_own_scorecard_and_nobody_elses(
    installation: Installation, visit: Callable[..., Visitor]
) -> None:
    member = visit("demo_member_1")
    member.follow("a.home-verdict")
    own = member.page.url.removeprefix(member.base)
    code = re.search(r"/scorecard/member_vanguard/(\w+)", own)
    assert code, own
    assert member.page.locator(".breakdown .leaf").count() > 0

    # Whoever manages the branch sees the other members' scorecards; the member does not.
    secretary = visit("demo_branch_1_1")
    secretary.go("/league/?index=member_vanguard")
    others = [link.partition("?")[0] for link in secretary.links("table.league") if code[1] not in link]
    assert others
    for other in others:
        assert secretary.status(other) == 200
        assert member.status(other) == 404
    branch = installation.accounts["demo_member_1"].organization_code
    assert secretary.status(f"/scorecard/organization_strength/{branch}") == 200
    assert member.status(f"/scorecard/organization_strength/{branch}") == 404


def test_another_streets_branch_is_as_if_it_did_not_exist(
    installation: Installation, visit: Callable[..., Visitor]
) -> None:
    own, other = visit("demo_branch_2_1"), visit("demo_street_1")
    branch = installation.accounts["demo_branch_2_1"].organization_code
    card = f"/scorecard/organization_strength/{branch}"
    assert own.go(card).status == 200
    behind = [link for link in own.links(".breakdown") if link.startswith("/figures/")]
    record = next(link for link in own.links("main .do") if "/records/organization/show/" in link)
    assert behind
    for path in (card, record, *behind):
        assert own.status(path) == 200, path
        assert other.status(path) == 404, path
    # The same words as for what there never was: a code is not told from another.
    other.go(card)
    refused = other.text(".errorpage").replace(branch, "")
    other.go("/scorecard/organization_strength/NEVER-WAS")
    assert other.text(".errorpage") == refused
    assert branch not in refused


def test_a_refusal_says_who_one_is_in_words(visit: Callable[..., Visitor]) -> None:
    street = visit("demo_street_1")
    assert street.go("/evaluations/").status == 403
    words = street.text(".errorpage")
    assert "没有权限" in words
    assert "街镇管理员" in words
    assert "street_administrator" not in words
    street.go("/lang/en")
    assert street.go("/evaluations/").status == 403
    assert "Street administrator" in street.text(".errorpage")
