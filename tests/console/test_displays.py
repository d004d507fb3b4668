"""Lists as calendars and boards: what stands there for whom, and moving a card from state to state."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.access.actor import system_actor
from app.console.lists.board import CARDS
from app.console.lists.calendar import CHIPS, beside, month_asked
from app.console.lists.displays import calendar_columns, displays
from app.console.presentation import today
from app.database.session import unit_of_work
from app.domains.party_life.code_lists import MeetingStatus
from app.domains.party_life.models import Meeting
from app.domains.wishes.code_lists import WishStatus
from app.domains.wishes.models import Wish
from app.entity.registry import registry
from tests import factories
from tests.access.world import World
from tests.console.site import Site

CALENDAR = "/records/meeting/list/?display=calendar&month=2021-06"
BOARD = "/records/wish/list/?display=board"
DAY = date(2021, 6, 9)
MANY = 6


@pytest.fixture(scope="module", autouse=True)
def rows(peopled: Any) -> None:
    """On one day of June 2021: meetings of branch a1 and one of branch b1. Wishes, of which many are drafts."""
    places = peopled.world.organizations
    with unit_of_work(peopled.site.engine, system_actor("tests")) as session:
        branch, other = places["branch_a1"].id, places["branch_b1"].id
        for number in range(MANY):
            topic = f"六月会议{number}"
            session.add(factories.meeting(organization_id=branch, topic=topic, held_on=DAY))
        session.add(factories.meeting(organization_id=other, topic="别处的会议", held_on=DAY))
        for number in range(CARDS + 3):
            session.add(factories.wish(organization_id=branch, title=f"很多心愿{number}", status=WishStatus.DRAFT))
        session.add(factories.wish(organization_id=branch, title="退回的心愿", status=WishStatus.RETURNED))


def found(site: Site, model: type, **values: Any) -> Any:
    with unit_of_work(site.engine, system_actor("tests"), writes=False) as session:
        return session.scalars(select(model).filter_by(**values)).one()


# --- months ---


@given(st.text(max_size=8))
def test_whatever_is_asked_there_is_a_month(raw: str) -> None:
    assert month_asked(raw, date(2026, 11, 24)).day == 1


@given(st.dates(date(1950, 1, 1), date(2150, 1, 1)), st.integers(-30, 30))
def test_months_are_counted_forth_and_back(day: date, months: int) -> None:
    first = day.replace(day=1)
    assert beside(beside(first, months), -months) == first
    assert month_asked(f"{first:%Y-%m}", date(2026, 11, 24)) == first


# --- which entities ---


def test_every_date_gives_a_calendar_and_every_state_a_board() -> None:
    for entity in registry:
        ways = displays(entity)
        assert ("board" in ways) == any(name in entity.fields for name in ("status", "state", "stage")) or (
            entity.options.state is not None
        ), entity.code
        assert not [name for name in calendar_columns(entity) if entity.fields[name].options.personal]
        if "calendar" in ways and entity.options.dated_by in calendar_columns(entity):
            assert calendar_columns(entity)[0] == entity.options.dated_by
    assert displays(registry["meeting"]) == ["calendar", "board"]
    assert displays(registry["performance_cost"]) == []


# --- calendar ---


def test_a_calendar_names_the_first_of_a_day_and_counts_the_others(site: Site) -> None:
    page = site.visitor("street").get(CALENDAR).text
    assert page.count('class="calchip') == CHIPS
    assert f"还有 {MANY - CHIPS} 次" in page
    more = unescape(re.search(r'class="calmore" href="([^"]+)"', page)[1])
    assert parse_qs(urlsplit(more).query) == {"_flt_2_held_on": ["2021-06-09"]}
    assert f"共 {MANY} 次" in site.visitor("street").get(more).text


@pytest.mark.parametrize(
    ("name", "here", "there"),
    [("district", True, True), ("street", True, False), ("other_street", False, True), ("secretary", True, False)],
)
def test_a_calendar_shows_the_rows_in_sight(site: Site, name: str, here: bool, there: bool) -> None:
    visitor = site.visitor(name)
    assert ("六月会议0" in visitor.get(CALENDAR).text) == here
    count = 1 if there else 0
    assert ("别处的会议" in visitor.get(f"{CALENDAR}&_flt_0_topic=别处").text) == bool(count)


def test_displays_need_the_permission_of_the_list(site: Site) -> None:
    for url in (CALENDAR, BOARD):
        assert site.visitor("auditor").get(url).status_code == 403
        assert site.stranger().get(url).status_code in (302, 401)


def test_a_calendar_keeps_filters_and_goes_by_the_date_that_is_asked_for(site: Site) -> None:
    visitor = site.visitor("street")
    assert 'class="calchip' not in visitor.get(f"{CALENDAR}&_flt_0_topic=没有这个").text
    page = visitor.get(f"{CALENDAR}&_flt_0_topic=六月&by=planned_at").text
    assert 'class="calchip' not in page
    previous = unescape(re.search(r'rel="prev" href="([^"]+)"', page)[1])
    asked = parse_qs(urlsplit(previous).query)
    assert asked == {"display": ["calendar"], "_flt_0_topic": ["六月"], "by": ["planned_at"], "month": ["2021-05"]}
    assert 'class="calchip' in visitor.get(CALENDAR.replace("month", "by=secret&month")).text


def test_an_empty_month_leads_to_the_nearest_with_records(site: Site) -> None:
    page = site.visitor("street").get(f"{CALENDAR.replace('2021-06', '2021-08')}&_flt_0_topic=六月").text
    assert "month=2021-06" in unescape(page.split("calnone")[1].split("</p>")[0])
    earlier = site.visitor("street").get(f"{CALENDAR.replace('2021-06', '2020-01')}&_flt_0_topic=六月").text
    assert "month=2021-06" in unescape(earlier.split("calnone")[1].split("</p>")[0])


def test_a_calendar_of_moments_has_them_on_their_day(site: Site, world: World) -> None:
    with unit_of_work(site.engine, system_actor("tests"), writes=False) as session:
        activity = session.merge(world.rows["activity"]["branch_a1"])
        month = f"{activity.starts_at:%Y-%m}"
    page = site.visitor().get(f"/records/activity/list/?display=calendar&month={month}").text
    assert 'class="calchip' in page
    more = re.search(r'class="calmore" href="([^"]+)"', page)
    assert more
    assert "_flt_2_starts_at=" in more[1]
    assert "没有用上" not in site.visitor().get(unescape(more[1])).text


# --- board ---


def column_of(page: str, state: str) -> str:
    return page.split(f'data-state="{state}"')[1].split("</section>")[0]


def test_a_board_has_a_column_for_each_state_capped_with_the_way_to_all(site: Site) -> None:
    page = site.visitor("secretary").get(f"{BOARD}&_flt_0_any_text=很多心愿").text
    assert re.findall(r'data-state="(\w+)"', page) == [code.value for code in WishStatus]
    drafts = column_of(page, "draft")
    assert drafts.count('class="boardcard"') == CARDS
    assert f">{CARDS + 3}</span>" in drafts
    everything = unescape(re.search(r'class="boardmore" href="([^"]+)"', drafts)[1])
    assert parse_qs(urlsplit(everything).query) == {"_flt_0_any_text": ["很多心愿"], "_flt_0_status": ["draft"]}
    assert f"共 {CARDS + 3} " in site.visitor("secretary").get(everything).text
    assert 'class="boardcard"' not in column_of(page, "submitted")
    narrowed = site.visitor("secretary").get(f"{BOARD}&_flt_0_status=returned").text
    assert re.findall(r'data-state="(\w+)"', narrowed) == ["returned"]


def test_a_board_shows_the_rows_in_sight_and_can_be_moved_by_whoever_may(site: Site) -> None:
    key = found(site, Wish, title="退回的心愿").id
    assert "退回的心愿" in site.visitor("street").get(BOARD).text
    assert "退回的心愿" not in site.visitor("other_street").get(BOARD).text
    assert site.visitor("other_street").get(f"/records/wish/moves/{key}").status_code == 404
    assert site.visitor("auditor").get(f"/records/wish/moves/{key}").status_code == 403
    assert site.stranger().get(f"/records/wish/moves/{key}").status_code in (302, 401)


def test_a_card_moves_by_the_operation_of_its_record_and_leads_back_to_the_board(site: Site) -> None:
    visitor, key = site.visitor("secretary"), found(site, Wish, title="退回的心愿").id
    moves = visitor.get(f"/records/wish/moves/{key}?back=display%3Dboard").get_json()
    ways = {move["label"]: (move["to"], move["asks"]) for move in moves}
    assert ways == {"提交审核": (["submitted"], False), "下架": (["withdrawn"], True)}
    submit = next(move for move in moves if move["to"] == ["submitted"])
    visitor.get(BOARD)
    done = visitor.post(submit["url"])
    assert done.headers["Location"] == BOARD
    assert found(site, Wish, id=key).status is WishStatus.SUBMITTED
    late = visitor.post(submit["url"])
    assert late.headers["Location"] == BOARD
    assert "现在不能" in visitor.get(BOARD).text
    astray = visitor.post(submit["url"].replace("display%3Dboard", "//elsewhere.example"))
    assert astray.headers["Location"].startswith("/records/wish/list/?")


def test_a_card_whose_state_people_edit_moves_by_the_same_checks_as_its_form(site: Site) -> None:
    visitor, row = site.visitor("secretary"), found(site, Meeting, topic="六月会议1")
    moves = visitor.get(f"/records/meeting/moves/{row.id}").get_json()
    assert [move["to"] for move in moves] == [[code.value] for code in MeetingStatus if code is not row.status]
    visitor.get(BOARD)
    visitor.post(f"/records/meeting/move/{row.id}/returned?back=display%3Dboard")
    assert found(site, Meeting, id=row.id).status is MeetingStatus.RETURNED
    with unit_of_work(site.engine, system_actor("tests")) as session:
        coming = factories.meeting(organization_id=row.organization_id, topic="将来的会议", held_on=None,
                                   status=MeetingStatus.PLANNED)  # fmt: skip
        session.add(coming)
        session.flush()
        key = coming.id
    refused = visitor.post(f"/records/meeting/move/{key}/held?back=display%3Dboard")
    page = visitor.get(refused.headers["Location"]).text
    assert "没有改为“已召开”" in page
    assert found(site, Meeting, id=key).status is MeetingStatus.PLANNED
    assert visitor.post(f"/records/meeting/move/{row.id}/nonsense").status_code == 404
    assert site.visitor("other_street").post(f"/records/meeting/move/{row.id}/held").status_code in (400, 404)
    wish = found(site, Wish, title="很多心愿0").id
    assert visitor.post(f"/records/wish/move/{wish}/published").status_code == 403
    assert found(site, Wish, id=wish).status is WishStatus.DRAFT


def test_a_saved_view_remembers_the_display_and_opens_the_present_month(site: Site) -> None:
    visitor = site.visitor("street")
    visitor.get(CALENDAR)
    address = "display=calendar&by=held_on&month=2021-06&_flt_0_topic=六月"
    opened = visitor.post("/records/meeting/views/save", {"name": "六月日历", "address": address})
    page = visitor.get(opened.headers["Location"]).text
    assert f"{today().year} 年 {today().month} 月" in page
    assert re.search(r'active" href="[^"]*display=calendar[^"]*" aria-current="true"', page)


# --- lists of nothing ---


@pytest.fixture(scope="module")
def nobody_yet(peopled: Any) -> None:
    """A branch where there is nothing, with its secretary and somebody who only reads."""
    with unit_of_work(peopled.site.engine, system_actor("tests")) as session:
        street = peopled.world.organizations["street_b"]
        branch = factories.organization(code="NEW", name="新支部", tier="branch", parent_id=street.id)
        session.add(branch)
        session.flush()
        key = branch.id
    peopled.site.add_account("newcomer", "branch_secretary", key)
    peopled.site.add_account("reading", "rule_administrator", key)


@pytest.mark.usefixtures("nobody_yet")
@pytest.mark.parametrize(("language", "name"), [("zh", "newcomer"), ("en", "reading")])
def test_an_empty_list_says_what_belongs_there_and_how_to_begin(site: Site, language: str, name: str) -> None:
    seen = 0
    for entity in registry:
        assert entity.options.about is not None, entity.code
        answer = site.visitor(name, language).get(f"/records/{entity.code}/list/?view=")
        if answer.status_code != 200 or 'class="empty"' not in answer.text:
            continue
        empty = unescape(answer.text.split('class="empty"')[1].split("</section>")[0])
        assert entity.options.about.in_language(language) in empty, entity.code
        may_add = f"/records/{entity.code}/add" in empty
        asks_others = ("联系有权限" if language == "zh" else "ask staff") in empty
        assert asks_others == (not may_add and not entity.options.read_only), entity.code
        seen += 1
    assert seen > 20
    unmatched = site.visitor("newcomer", language).get("/records/wish/list/?_flt_0_any_text=nothing-like-it").text
    assert ("清除全部条件" if language == "zh" else "clear them all") in unmatched
