"""Lists people work in: saved views, chosen columns, counts at quick filters, bulk edit, hints at likely duplicates."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.access.actor import system_actor
from app.console.lists.addresses import chosen_columns, kept, written
from app.console.lists.models import SavedView
from app.database.session import unit_of_work
from app.domains.members.models import Member, Post
from tests.access.world import World
from tests.console.site import Site, Visitor

LIST = "/records/member/list/"


def stored(site: Site, model: type) -> list[Any]:
    with unit_of_work(site.engine, system_actor("tests"), writes=False) as session:
        return list(session.scalars(select(model).order_by(model.id)))


def headings(page: str) -> list[str]:
    head = page.split("<thead>")[1].split("</thead>")[0]
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<th[^>]*>(.*?)</th>", head, re.S)]


def save_view(visitor: Visitor, name: str, **form: str) -> Any:
    visitor.get(f"{LIST}?view=")
    return visitor.post("/records/member/views/save", {"name": name, **form})


# --- what a view keeps ---


@given(
    st.lists(st.tuples(st.sampled_from(["_flt_0_name", "_flt_0_secret", "page_V", "_oc_V", "x"]), st.text(max_size=5)))
)
def test_an_address_keeps_filters_and_order_alone_and_is_stable(parameters: list[tuple[str, str]]) -> None:
    found = kept(parameters, "V", ["name"])
    assert {name for name, _ in found} <= {"_flt_0_name", "_oc_V"}
    assert kept(reversed(parameters), "V", ["name"]) == found
    assert all(value for _, value in found)
    assert written(found).count("=") == len(found)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("", ["name", "code"]),
        ("phone", ["name", "phone"]),
        ("phone,phone,code,name", ["name", "phone", "code"]),
        ("secret", ["name", "code"]),
    ],
)
def test_columns_are_those_that_are_offered_each_once_and_the_name_comes_first(asked: str, shown: list[str]) -> None:
    assert chosen_columns(asked, ["name", "code", "phone"], ["name", "code"]) == shown


# --- views and columns on the page ---


def test_a_list_shows_the_chosen_columns_in_their_order(site: Site) -> None:
    visitor = site.visitor()
    ticked = visitor.get("/records/member/columns?_flt_0_name=x&column=education&column=gender&column=secret")
    assert ticked.headers["Location"] == f"{LIST}?_flt_0_name=x&columns=education%2Cgender"
    shown = headings(visitor.get(f"{LIST}?columns=education,gender").text)
    assert [name for name in shown if name in ("姓名", "学历", "性别")] == ["姓名", "学历", "性别"]
    assert "所在党组织" not in shown


def test_a_view_is_saved_opened_replaced_and_deleted(site: Site) -> None:
    visitor = site.visitor("street")
    saved = save_view(visitor, "  女 党员 ", address="_flt_0_name=党员&columns=gender&page_MemberView=3")
    assert saved.status_code == 302
    (view,) = [each for each in stored(site, SavedView) if each.name == "女 党员"]
    assert parse_qsl(view.address) == [("_flt_0_name", "党员"), ("columns", "gender")]
    page = visitor.get(saved.headers["Location"]).text
    assert "性别" in headings(page)
    assert re.search(r'class="chip on"[^>]*aria-current="page">女 党员', page)
    save_view(visitor, "女 党员", address="_flt_0_gender=2")
    assert [each.address for each in stored(site, SavedView) if each.name == "女 党员"] == ["_flt_0_gender=2"]
    assert site.visitor("other_street").post(f"/records/member/views/{view.id}/delete").status_code in (400, 404)
    visitor.get(f"{LIST}?view=")
    assert visitor.post(f"/records/member/views/{view.id}/delete").status_code == 302
    assert "女 党员" not in visitor.get(f"{LIST}?view=").text.split("<tbody>")[0].split("alert")[0]


def test_a_view_shared_with_a_role_is_offered_to_its_holders_and_opens_their_own_rows_only(
    site: Site, world: World
) -> None:
    street = site.visitor("street")
    name = world.members["branch_a1"].name
    save_view(street, "共享给街道", address=f"_flt_1_name={name}", role="street_administrator")
    other = site.visitor("other_street").get(f"{LIST}?view=").text
    url = unescape(re.search(r'href="([^"]+)"[^>]*>共享给街道', other)[1])
    seen = site.visitor("other_street").get(url).text
    assert f"/member/show/{world.members['branch_a1'].id}" not in seen
    assert "共享给街道" not in site.visitor("secretary").get(f"{LIST}?view=").text
    refused = save_view(street, "越权", address="", role="Admin")
    assert refused.status_code == 302
    assert not [each for each in stored(site, SavedView) if each.name == "越权"]


def test_a_list_opens_with_the_view_its_owner_wants_first_and_all_is_one_click_away(site: Site) -> None:
    visitor = site.visitor("district")
    save_view(visitor, "先看这个", address="_flt_0_gender=1", opens_first="on")
    opened = visitor.get(LIST)
    assert opened.status_code == 302
    assert "_flt_0_gender=1" in opened.headers["Location"]
    assert visitor.get(f"{LIST}?view=").status_code == 200
    assert site.visitor().get(LIST).status_code == 200


@pytest.mark.parametrize("name", ["", "   ", "长" * 41])
def test_a_view_needs_a_name_that_fits(site: Site, name: str) -> None:
    visitor = site.visitor()
    before = len(stored(site, SavedView))
    answer = save_view(visitor, name, address="")
    assert "视图" in visitor.get(answer.headers["Location"]).text
    assert len(stored(site, SavedView)) == before


# --- counts ---


def test_counts_are_of_the_rows_in_sight_under_the_other_filters(site: Site, world: World) -> None:
    everything = site.visitor().get("/records/organization/counts").get_json()
    street = site.visitor("street").get("/records/organization/counts").get_json()
    assert sum(everything["tier"].values()) == 7
    assert sum(street["tier"].values()) == 3
    narrowed = site.visitor().get("/records/organization/counts?_flt_0_tier=street").get_json()
    assert narrowed["tier"] == everything["tier"]
    assert sum(narrowed["status"].values()) == everything["tier"]["street"]
    assert site.visitor("auditor").get("/records/organization/counts").status_code == 403
    assert site.stranger().get("/records/organization/counts").status_code in (302, 401)


# --- bulk edit ---


def change(visitor: Visitor, code: str, rows: list[int], **form: Any) -> Any:
    visitor.get(f"/records/{code}/list/?view=")
    return visitor.post(f"/records/{code}/bulk_edit", {"rowid": [str(row) for row in rows], **form})


def test_a_bulk_edit_shows_what_it_would_do_before_it_does_it(site: Site, world: World) -> None:
    rows = [world.members[place].id for place in ("branch_a1", "branch_a2")]
    visitor = site.visitor("street")
    visitor.get(f"{LIST}?view=")
    asked = visitor.post("/records/member/action_post", {"action": "bulk_edit", "rowid": [str(row) for row in rows]})
    assert asked.status_code == 200
    assert 'name="id_no"' not in asked.text.split("bulkfield", 1)[1].split("</section>")[0]
    preview = change(visitor, "member", rows, set="employer", employer="莘庄工业区")
    assert "2 名会修改" in preview.text
    assert {row.employer for row in stored(site, Member) if row.id in rows} != {"莘庄工业区"}
    done = change(visitor, "member", rows, set="employer", employer="莘庄工业区", confirmed="1")
    assert done.status_code == 302
    assert {row.employer for row in stored(site, Member) if row.id in rows} == {"莘庄工业区"}
    again = change(visitor, "member", rows, set="employer", employer="莘庄工业区")
    assert "2 名已经是这样" in again.text
    assert 'name="confirmed"' not in again.text


def test_rows_that_cannot_be_changed_are_named_with_the_reason_and_the_others_change(site: Site, world: World) -> None:
    first, second = world.rows["post"]["branch_a1"], world.rows["post"]["branch_a2"]
    with unit_of_work(site.engine, system_actor("tests")) as session:
        session.get(Post, first.id).started_on = date(2020, 1, 1)
        session.get(Post, second.id).started_on = date(2024, 1, 1)
    visitor = site.visitor("street")
    preview = change(visitor, "post", [first.id, second.id], set="ended_on", ended_on="2022-01-01")
    assert "1 个会修改" in preview.text or "1 条会修改" in preview.text or "1 项会修改" in preview.text, preview.text[
        -3000:
    ]
    assert "不能修改" in preview.text
    change(visitor, "post", [first.id, second.id], set="ended_on", ended_on="2022-01-01", confirmed="1")
    ends = {row.id: row.ended_on for row in stored(site, Post)}
    assert ends[first.id] == date(2022, 1, 1)
    assert ends[second.id] != date(2022, 1, 1)


def test_a_bulk_edit_reaches_no_row_elsewhere_and_needs_the_permission(site: Site, world: World) -> None:
    here, there = world.members["branch_a1"].id, world.members["branch_b1"].id
    visitor = site.visitor("street")
    assert change(visitor, "member", [there], set="employer", employer="别处", confirmed="1").status_code == 404
    change(visitor, "member", [here, there], set="employer", employer="只改这里", confirmed="1")
    employers = {row.id: row.employer for row in stored(site, Member)}
    assert employers[here] == "只改这里"
    assert employers[there] != "只改这里"
    target = change(
        visitor,
        "member",
        [here],
        set="organization",
        organization=str(world.organizations["branch_b1"].id),
        confirmed="1",
    )
    assert target.status_code in (200, 403, 422)
    assert {row.id: row.organization_id for row in stored(site, Member)}[here] == world.organizations["branch_a1"].id
    for name in ("member", "auditor"):
        assert change(site.visitor(name), "member", [here], set="employer", employer="x").status_code in (400, 403, 404)


def test_what_cannot_be_read_is_said_at_its_field(site: Site, world: World) -> None:
    answer = change(site.visitor(), "member", [world.members["branch_a1"].id], set="birth_date", birth_date="明天")
    assert answer.status_code == 200
    assert "has-error" in answer.text
    assert 'value="明天"' in answer.text


# --- likely duplicates ---


def test_the_form_is_told_of_rows_like_the_one_being_entered_as_far_as_they_are_in_sight(
    site: Site, world: World
) -> None:
    person = world.members["branch_a1"]
    with unit_of_work(site.engine, system_actor("tests")) as session:
        session.get(Member, person.id).id_no = "11010519491231002X"
    form = {"name": person.name, "birth_date": "1949-12-31"}
    street, other = site.visitor("street"), site.visitor("other_street")
    for visitor in (street, other):
        visitor.get(f"{LIST}?view=")
    hints = street.post("/records/member/alike", form).get_json()
    assert [hint["url"] for hint in hints] == [f"/records/member/show/{person.id}"]
    assert street.post("/records/member/alike", {**form, "row_id": str(person.id)}).get_json() == []
    assert street.post("/records/member/alike", {"name": person.name}).get_json() == []
    found_by_number = street.post("/records/member/alike", {"id_no": "11010519491231002X"}).get_json()
    assert [hint["name"] for hint in found_by_number] == [person.name]
    assert "11010519491231002X" not in str(found_by_number)
    assert [hint["url"] for hint in other.post("/records/member/alike", form).get_json()].count(hints[0]["url"]) == 0


def test_another_record_can_be_added_right_away(site: Site) -> None:
    visitor = site.visitor()
    address = "/records/holiday/add"
    visitor.get(address)
    answer = visitor.post(address, {"day": "2031-05-01", "name": "劳动节", "kind": "holiday", "then": "another"})
    assert answer.status_code == 302
    assert answer.headers["Location"].split("?")[0].endswith("/holiday/add")
