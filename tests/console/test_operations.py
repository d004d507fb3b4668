"""Operations on a record's page: buttons that follow its state and the reader, forms, refusals in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.access.actor import system_actor
from app.database.clock import today
from app.database.session import make_session
from app.domains.wishes.models import Wish, WishClaim
from tests.access.conftest import (  # noqa: F401 fixtures of the world that all exits are walked in
    browser,
    web,
    web_file,
    web_world,
    world_file,
)
from tests.access.web import Browser
from tests.access.world import World

Open = Callable[..., Browser]


@pytest.fixture
def wish(web, web_world: World) -> Wish:  # noqa: F811
    """The wish of branch a1, published in its street, whose claim was cancelled."""
    with make_session(web.extensions["engine"], system_actor("tests")) as session:
        row = session.get_one(Wish, web_world.rows["wish"]["branch_a1"].id)
        row.status, row.published_on, row.circle_id = "published", today(), web_world.organizations["street_a"].id
        held = session.get_one(WishClaim, web_world.rows["wish_claim"]["branch_a1"].id)
        held.status, held.ended_on = "cancelled", today()
        session.commit()
        return row


def stored(web, model=Wish):  # noqa: F811
    with make_session(web.extensions["engine"], system_actor("tests"), writes=False) as session:
        return session.scalars(select(model).order_by(model.id.desc())).all()


def state(web, wish: Wish) -> str:  # noqa: F811
    return next(row.status for row in stored(web) if row.id == wish.id)


def test_buttons_are_those_that_state_place_and_role_allow(browser: Open, wish: Wish):  # noqa: F811
    def shown(visitor: str) -> set[str]:
        page = browser(visitor).get(f"/records/wish/show/{wish.id}").text
        codes = ("submit", "approve", "withdraw", "claim", "confirm_realised")
        return {code for code in codes if f"/records/wish/operate/{code}/" in page}

    assert shown("branch_a1") == {"withdraw", "claim"}
    assert shown("member_a1") == {"claim"}
    assert shown("rules_a") == set()


def test_a_form_asks_says_what_is_missing_and_does_it(browser: Open, web, wish: Wish):  # noqa: F811
    one = browser("branch_a1")
    path = f"/records/wish/operate/withdraw/{wish.id}"
    assert "下架原因" not in one.get(path).text
    assert "原因" in one.get(path).text
    answer = one.post(path, {})
    assert answer.status_code == 200
    assert "请填写" in answer.text
    assert state(web, wish) == "published"
    answer = one.post(path, {"reason": "不再需要"}, follow_redirects=True)
    assert "已办理“下架”" in answer.text
    assert state(web, wish) == "withdrawn"
    assert "现在不能“下架”" in one.get(path, follow_redirects=True).text


def test_a_member_claims_and_sees_the_claim(browser: Open, web, wish: Wish):  # noqa: F811
    one = browser("member_a1")
    assert one.post(f"/records/wish/operate/claim/{wish.id}", {}).status_code == 302
    claim = next(row for row in stored(web, WishClaim) if row.wish_id == wish.id and row.status == "active")
    assert one.get(f"/records/wish_claim/show/{claim.id}").status_code == 200


def test_what_the_operation_refuses_is_said_on_the_form(browser: Open, web, wish: Wish):  # noqa: F811
    answer = browser("branch_a1").post(f"/records/wish/operate/claim/{wish.id}", {"claimant_kind": "resident"})
    assert answer.status_code == 200
    assert "请填写认领的单位或群众" in answer.text
    assert state(web, wish) == "published"


def test_who_may_not_and_what_is_not_there(browser: Open, wish: Wish):  # noqa: F811
    assert browser("member_a1").post(f"/records/wish/operate/withdraw/{wish.id}", {"reason": "x"}).status_code == 403
    assert browser("street_b").post(f"/records/wish/operate/withdraw/{wish.id}", {"reason": "x"}).status_code == 404
    assert browser("street_a").get(f"/records/wish/operate/nothing/{wish.id}").status_code == 404
    answer = browser().get(f"/records/wish/operate/claim/{wish.id}")
    assert answer.status_code == 302
    assert "/login" in answer.headers["Location"]


def test_the_other_party_is_any_organization_by_name_alone(browser: Open, web_world: World):  # noqa: F811
    one, away = browser("branch_a1"), web_world.organizations["branch_b1"]
    assert one.get(f"/options/organization?id={away.id}").json == []
    found = one.get(f"/options/organization?id={away.id}&party=1").json
    assert [choice["text"] for choice in found] == [away.name]
    assert one.get(f"/records/organization/show/{away.id}").status_code == 404
    assert browser("auditor").get(f"/options/organization?id={away.id}&party=1").status_code == 403
    member = web_world.members["branch_a1"]
    form = {"name": member.name, "member": member.id, "kind": "within_city", "to_organization": away.id}
    form["from_organization"] = web_world.organizations["branch_a1"].id
    answer = one.post("/records/membership_transfer/add", form)
    assert answer.status_code in (200, 302)
