"""The side menu and the top bar."""

from __future__ import annotations

import re

from app.console.menu import GROUPS
from tests.access.world import World
from tests.console.site import Site


def menu_of(page: str) -> dict[str, list[tuple[str, str]]]:
    """Group: [(label, count)] of a page."""
    side = re.search(r'<nav class="side".*?</nav>', page, re.S)[0]
    groups = re.split(r'<h2 class="group">', side)[1:]
    found = {}
    for group in groups:
        entries = re.findall(r'</i>([^<]+)(?:<span class="n">([\d,]+)</span>)?</a>', group)
        found[group.split("<")[0]] = entries
    return found


def test_groups_come_in_order_with_what_one_may_open(site: Site) -> None:
    menu = menu_of(site.visitor().get("/records/member/list/").text)
    assert list(menu) == [group.zh for group in GROUPS.values()]
    records = [label for label, _ in menu["业务数据"]]
    assert {"党组织", "党员", "组织生活"} <= set(records)
    assert [label for label, _ in menu["系统"]][:2] == ["账号", "角色"]
    assert "机房" in [label for label, _ in menu["系统"]]
    english = menu_of(site.visitor(language="en").get("/records/member/list/").text)
    assert list(english) == [group.en for group in GROUPS.values()]
    assert "Members" in [label for label, _ in english["Records"]]


def test_counts_are_those_of_ones_own_rows(site: Site, world: World) -> None:
    whole = dict(menu_of(site.visitor().get("/records/member/list/").text)["业务数据"])
    street = dict(menu_of(site.visitor("street").get("/records/member/list/").text)["业务数据"])
    assert whole["党组织"] == "7"
    assert street["党组织"] == "3"
    assert street["党员"] == "3"


def test_it_staff_see_the_system_and_no_records(site: Site) -> None:
    menu = menu_of(site.visitor("it").get("/users/list/").text)
    assert "业务数据" not in menu
    assert {"账号", "角色", "机房"} <= {label for label, _ in menu["系统"]}


def test_the_menu_costs_one_statement_and_then_none(site: Site) -> None:
    visitor = site.visitor("other_street")
    visitor.get("/records/holiday/list/")
    with site.statements() as statements:
        visitor.get("/records/holiday/list/")
    assert not any("count(bc_member.id)" in statement for statement in statements)


def test_the_top_bar_says_whose_records_these_are(site: Site) -> None:
    page = site.visitor("street").get("/records/member/list/").text
    assert "<b>A街道</b>" in page
    assert "街镇" in page


def test_search_finds_organizations_and_members_in_scope(site: Site, world: World) -> None:
    page = site.visitor("street").get("/search/?q=支部").text
    assert "A1支部" in page
    assert "B1支部" not in page
    assert f"/records/organization/show/{world.organizations['branch_a1'].id}" in page
    assert "没有找到" in site.visitor("street").get("/search/?q=无此名称").text
    assert site.stranger().get("/search/?q=x").status_code == 401
