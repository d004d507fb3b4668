"""What relation fields find while one types."""

from __future__ import annotations

from typing import Any

from tests.access.world import World
from tests.console.site import Site


def texts(site: Site, name: str, query: str) -> list[str]:
    answer = site.visitor(name).get(f"/options/{query}")
    assert answer.status_code == 200
    return [choice["text"] for choice in answer.get_json()]


def test_choices_have_a_hint_and_are_found_by_name_or_code(site: Site, world: World) -> None:
    answer: list[dict[str, Any]] = site.visitor().get("/options/organization?q=a1").get_json()
    branch, street = world.organizations["branch_a1"], world.organizations["street_a"]
    found = {"value": str(branch.id), "text": branch.name, "hint": f"{branch.code} · {street.name}"}
    assert answer[0] == found
    assert site.visitor().get(f"/options/organization?id={branch.id}").get_json() == [found]
    assert site.visitor().get("/options/organization?id=abc").get_json() == []


def test_no_more_than_twenty_come_and_no_more_are_read(site: Site) -> None:
    with site.statements() as statements:
        choices = texts(site, "admin", "organization?q=")
    assert len(choices) <= 20
    assert sum("bc_organization" in each and "LIMIT" in each for each in statements) == 1


def test_only_what_one_may_refer_to_is_found(site: Site, world: World) -> None:
    assert set(texts(site, "secretary", "organization?q=")) == {"测试区", "A街道", "A1支部"}
    assert set(texts(site, "street", "organization?q=支部")) == {"A1支部", "A2支部"}
    elsewhere = world.organizations["branch_b1"]
    assert texts(site, "street", f"organization?id={elsewhere.id}") == []
    assert world.members["branch_b1"].name
    own = site.visitor("secretary").get("/options/member?q=").get_json()
    assert [choice["value"] for choice in own] == [str(world.members["branch_a1"].id)]


def test_who_has_no_use_for_them_finds_nothing(site: Site) -> None:
    assert site.stranger().get("/options/organization?q=").status_code == 403
    assert site.visitor("auditor").get("/options/organization?q=").status_code == 403
    assert site.visitor("it").get("/options/member?q=").status_code == 403
    assert site.visitor().get("/options/no_such_entity?q=").status_code == 404
