"""“What would it take?” over HTTP: what other figures give, the ways, and for whom the page is there."""

from __future__ import annotations

import html
import re

import pytest

from tests.console.workshop.test_approval import Place, place  # noqa: F401 - the evaluated site of a module


def address(place: Place, name: str, rest: str = "") -> str:  # noqa: F811
    return f"/scorecard/what-if/strength/{place.world.organizations[name].code}{rest}"


def words(answer) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))).split())


def test_other_figures_give_another_score_at_once_and_the_ways_lead_on(place: Place) -> None:  # noqa: F811
    visitor = place.site.visitor("secretary")
    code = place.world.organizations["branch_a1"].code
    assert address(place, "branch_a1") in visitor.get(f"/scorecard/strength/{code}").get_data(as_text=True)
    page = visitor.get(address(place, "branch_a1")).get_data(as_text=True)
    fields = dict(re.findall(r'type="number"[^>]*name="([mn]\.[\w.]+)" value="([^"]*)"', page))
    assert fields
    htmx = {"HX-Request": "true"}
    best = "&".join(f"{name}=100" for name in fields)
    now = words(visitor.get(address(place, "branch_a1"), headers=htmx))
    then = words(visitor.get(address(place, "branch_a1", f"?{best}"), headers=htmx))
    assert "不变" in now
    assert now != then
    assert "<html" not in then
    ways = visitor.get(address(place, "branch_a1", "/ways")).get_data(as_text=True)
    way = re.search(r'href="([^"]+)">按此试算', ways)
    if way is not None:
        assert "恢复原来的数字" in visitor.get(html.unescape(way[1])).get_data(as_text=True)


def test_what_is_no_number_is_said_at_its_field_and_does_not_count(place: Place) -> None:  # noqa: F811
    visitor = place.site.visitor("secretary", "en")
    page = visitor.get(address(place, "branch_a1")).get_data(as_text=True)
    name = re.search(r'type="number"[^>]*name="([mn]\.[\w.]+)"', page)[1]
    answer = words(visitor.get(address(place, "branch_a1", f"?{name}=many"), headers={"HX-Request": "true"}))
    assert "“many” is no number" in answer
    assert "unchanged" in answer


@pytest.mark.parametrize(
    ("account", "inside", "elsewhere"),
    [("approver", "branch_b1", None), ("street", "branch_a1", "branch_b1"), ("secretary", "branch_a1", "branch_a2")],
)
def test_it_is_there_for_those_who_may_see_the_scorecard(
    place: Place,  # noqa: F811
    account: str,
    inside: str,
    elsewhere: str | None,
) -> None:
    visitor = place.site.visitor(account)
    for part in ("", "/ways"):
        assert visitor.get(address(place, inside, part)).status_code == 200
        if elsewhere is not None:
            assert visitor.get(address(place, elsewhere, part)).status_code == 404
            stranger = place.site.stranger().get(address(place, inside, part))
            assert "/login/" in stranger.headers["Location"]


def test_whoever_reads_no_scorecards_has_no_permission(place: Place) -> None:  # noqa: F811
    place.site.add_account("auditor", "auditor")
    assert place.site.visitor("auditor").get(address(place, "branch_a1")).status_code == 403
