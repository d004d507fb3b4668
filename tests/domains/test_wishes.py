"""The way of a wish, who may do what on it, and the ledger of points."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from app.access.actor import Actor, system_actor
from app.access.errors import OutOfScope
from app.access.operations import NoSuchRow, NotOffered
from app.database.clock import today
from app.database.engine import as_committed
from app.database.session import Session, unit_of_work
from app.domains.wishes import ledger
from app.domains.wishes.models import PointEntry, Wish, WishClaim
from app.domains.wishes.operations import return_overdue
from app.entity.faults import InvalidRow
from app.entity.labels import UserError
from app.entity.operations import Impossible
from tests import factories
from tests.domains.acting import district, do, member_actor, now_is, staff, stored


@pytest.fixture
def tree(any_engine: Engine) -> dict[str, Any]:
    return district(any_engine)


@pytest.fixture
def one(engine: Engine) -> dict[str, Any]:
    """On SQLite: the tree, a member of a1 and one of b1, and a published wish of a1 in the circle of its street."""
    made = district(engine)
    made["member"] = factories.member(organization_id=made["branch_a1"].id, name="张三")
    made["neighbour"] = factories.member(organization_id=made["branch_a2"].id, name="李四")
    made["stranger"] = factories.member(organization_id=made["branch_b1"].id, name="王五")
    made["wish"] = published(made)
    stored(engine, made["member"], made["neighbour"], made["stranger"], made["wish"])
    return made


def published(tree: dict[str, Any], **values: Any) -> Wish:
    values = {"status": "published", "published_on": today() - timedelta(days=3), **values}
    circle = values.pop("circle", tree["street_a"])
    return factories.wish(organization_id=tree["branch_a1"].id, circle_id=circle.id, **values)


def the_claim(engine: Engine) -> WishClaim:
    with unit_of_work(engine, system_actor("tests"), writes=False) as session:
        found = session.scalars(select(WishClaim).order_by(WishClaim.id.desc())).first()
        session.expunge_all()
        return found


def test_the_whole_way_of_a_wish(any_engine: Engine, tree: dict[str, Any]):
    engine, branch, street = any_engine, staff(tree["branch_a1"]), staff(tree["street_a"])
    member = factories.member(organization_id=tree["branch_a2"].id, name="李四")
    wish = factories.wish(organization_id=tree["branch_a1"].id, points=12)
    stored(engine, member, wish)
    do(engine, branch, wish, "submit")
    do(engine, street, wish, "approve")
    found = now_is(engine, wish)
    assert (found.status, found.published_on, found.circle_id) == ("published", today(), tree["street_a"].id)
    do(engine, member_actor(member, tree["branch_a2"]), wish, "claim")
    claim = the_claim(engine)
    assert (claim.claimant, claim.claimant_kind, claim.claimer_id) == ("李四", "member", tree["branch_a2"].id)
    assert now_is(engine, wish).status == "claimed"
    do(engine, member_actor(member, tree["branch_a2"]), claim, "make_contact", contacted_on=today())
    assert now_is(engine, wish).status == "in_progress"
    do(engine, member_actor(member, tree["branch_a2"]), claim, "deliver", delivered_on=today(), result="已送到家中")
    assert now_is(engine, wish).status == "delivered"
    do(engine, branch, wish, "confirm_realised", satisfaction=5, feedback="很满意", has_complaint=False)
    wish, claim = now_is(engine, wish), now_is(engine, claim)
    assert (wish.status, wish.realised_on, wish.satisfaction) == ("realised", today(), 5)
    assert (claim.status, claim.realised_on) == ("realised", today())
    with unit_of_work(engine, system_actor("tests")) as session:
        line = session.scalars(select(PointEntry)).one()
        assert (line.delta, line.balance, line.member_id, line.refers_to) == (12, 12, member.id, claim.code)


def test_ten_claim_at_once_and_one_has_it(any_engine: Engine, tree: dict[str, Any]):
    members = [factories.member(organization_id=tree["branch_a1"].id, name=f"党员{n}") for n in range(10)]
    wish = published(tree)
    stored(any_engine, wish, *members)

    def claim(member: Any) -> bool:
        try:
            do(any_engine, member_actor(member, tree["branch_a1"]), wish, "claim")
        except NotOffered:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, members)) == 1
    with unit_of_work(any_engine, system_actor("tests")) as session:
        assert session.scalar(select(func.count(WishClaim.id))) == 1


def test_no_two_claims_hold_a_wish_by_any_door(one: dict[str, Any], engine: Engine):
    def claims() -> list[WishClaim]:
        ids = (one["member"].id, one["neighbour"].id)
        return [factories.wish_claim(wish_id=one["wish"].id, member_id=number) for number in ids]

    with pytest.raises(InvalidRow, match=r"占用心愿|微心愿|相同"):
        stored(engine, *claims())
    first, second = claims()
    first.status, first.ended_on = "cancelled", today()
    stored(engine, first, second)


def test_a_wish_is_seen_in_its_circle_once_it_is_published_and_not_before(one: dict[str, Any], engine: Engine):
    draft = factories.wish(organization_id=one["branch_a1"].id)
    everywhere = published(one, circle=one["district"])
    stored(engine, draft, everywhere)

    def seen(actor: Actor) -> set[int]:
        with unit_of_work(engine, actor, writes=False) as session:
            return set(session.scalars(select(Wish.id)))

    wish = one["wish"].id
    assert seen(staff(one["branch_a1"])) == {wish, draft.id, everywhere.id}
    assert seen(staff(one["branch_a2"])) == {wish, everywhere.id}
    assert seen(staff(one["branch_b1"])) == {everywhere.id}
    assert seen(member_actor(one["neighbour"], one["branch_a2"])) == {wish, everywhere.id}
    assert seen(staff(one["street_a"])) == {wish, draft.id, everywhere.id}


def test_a_wish_is_written_by_its_keepers_alone(one: dict[str, Any], engine: Engine):
    with pytest.raises(OutOfScope):
        do(engine, staff(one["branch_a2"]), one["wish"], "withdraw", reason="不再需要")
    with pytest.raises(NoSuchRow):
        do(engine, staff(one["branch_b1"]), one["wish"], "withdraw", reason="不再需要")
    with pytest.raises(OutOfScope), unit_of_work(engine, staff(one["branch_a2"])) as session:
        session.get_one(Wish, one["wish"].id).title = "改成别的"
    do(engine, staff(one["branch_a1"]), one["wish"], "withdraw", reason="不再需要")
    assert now_is(engine, one["wish"]).closed_reason == "不再需要"


def test_a_claimed_wish_is_not_withdrawn_and_not_claimed_again(one: dict[str, Any], engine: Engine):
    do(engine, staff(one["branch_a2"]), one["wish"], "claim", member_id=one["neighbour"].id)
    for code, values in (("withdraw", {"reason": "x"}), ("claim", {}), ("submit", {}), ("confirm_realised", {})):
        with pytest.raises(NotOffered):
            do(engine, staff(one["branch_a1"]), one["wish"], code, **values)


def test_members_claim_for_themselves_alone(one: dict[str, Any], engine: Engine):
    actor = member_actor(one["neighbour"], one["branch_a2"])
    with pytest.raises(UserError):
        do(engine, actor, one["wish"], "claim", member_id=one["member"].id)
    with pytest.raises(NoSuchRow):
        do(engine, member_actor(one["stranger"], one["branch_b1"]), one["wish"], "claim")
    assert now_is(engine, one["wish"]).status == "published"


def test_staff_refer_to_members_in_reach_alone(one: dict[str, Any], engine: Engine):
    with pytest.raises(OutOfScope):
        do(engine, staff(one["branch_a2"]), one["wish"], "claim", member_id=one["stranger"].id)


@pytest.mark.parametrize(
    ("values", "kind", "claimant"),
    [
        ({}, "organization", "A2支部"),
        ({"claimant": "演示公司"}, "unit", "演示公司"),
        ({"claimant": "热心居民", "claimant_kind": "resident"}, "resident", "热心居民"),
    ],
)
def test_organizations_units_and_residents_claim_too(
    values: dict[str, Any], kind: str, claimant: str, one: dict[str, Any], engine: Engine
):
    from_code = values.get("claimant_kind")
    if from_code:
        values["claimant_kind"] = WishClaim.__table__.c.claimant_kind.type.code_list(from_code)
    do(engine, staff(one["branch_a2"]), one["wish"], "claim", **values)
    claim = the_claim(engine)
    assert (claim.claimant_kind, claim.claimant, claim.claimer_id) == (kind, claimant, one["branch_a2"].id)


def test_cancelling_and_revoking_return_the_wish_to_the_pool(one: dict[str, Any], engine: Engine):
    neighbour = member_actor(one["neighbour"], one["branch_a2"])
    do(engine, neighbour, one["wish"], "claim")
    do(engine, neighbour, the_claim(engine), "cancel_claim", reason="没有时间")
    assert (the_claim(engine).status, now_is(engine, one["wish"]).status) == ("cancelled", "published")
    do(engine, neighbour, one["wish"], "claim")
    claim = the_claim(engine)
    with pytest.raises(OutOfScope):  # revoked by those who keep the wish, not by the claimant's branch
        do(engine, staff(one["branch_a2"]), claim, "revoke_claim", reason="联系不上")
    do(engine, staff(one["branch_a1"]), claim, "revoke_claim", reason="联系不上")
    assert (now_is(engine, claim).status, now_is(engine, one["wish"]).status) == ("revoked", "published")
    assert now_is(engine, one["wish"]).claimed_on is None


def test_the_claimants_side_does_not_confirm(one: dict[str, Any], engine: Engine):
    do(engine, staff(one["branch_a2"]), one["wish"], "claim")
    claim = the_claim(engine)
    do(engine, staff(one["branch_a2"]), claim, "make_contact", contacted_on=today())
    do(engine, staff(one["branch_a2"]), claim, "deliver", delivered_on=today(), result="已送达")
    with pytest.raises(OutOfScope):
        do(engine, staff(one["branch_a2"]), one["wish"], "confirm_realised", satisfaction=5)
    with pytest.raises(Impossible, match="1 到 5"):
        do(engine, staff(one["branch_a1"]), one["wish"], "confirm_realised", satisfaction=6)
    do(engine, staff(one["branch_a1"]), one["wish"], "not_realised", reason="还缺一件")
    assert (now_is(engine, claim).status, now_is(engine, one["wish"]).status) == ("contacted", "in_progress")


def test_a_claim_without_contact_for_fifteen_days_ends(one: dict[str, Any], engine: Engine):
    do(engine, staff(one["branch_a2"]), one["wish"], "claim")
    assert return_overdue(engine, today() + timedelta(days=15)) == 0
    assert return_overdue(engine, today() + timedelta(days=16)) == 1
    assert (the_claim(engine).status, now_is(engine, one["wish"]).status) == ("expired", "published")
    assert return_overdue(engine, today() + timedelta(days=16)) == 0


def test_what_is_asked_for_is_said_where_it_is_missing(one: dict[str, Any], engine: Engine):
    with pytest.raises(InvalidRow) as refused:
        do(engine, staff(one["branch_a1"]), one["wish"], "withdraw")
    assert refused.value.by_field()["reason"].zh == "不能为空"
    with pytest.raises(InvalidRow, match="200"):
        do(engine, staff(one["branch_a1"]), one["wish"], "withdraw", reason="长" * 201)
    with pytest.raises(UserError, match="surprise"):
        do(engine, staff(one["branch_a1"]), one["wish"], "withdraw", reason="x", surprise=1)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"is_minor": True}, "guardian_consent"),
        ({"quantity": 0}, "quantity"),
        ({"estimated_value": 300, "amount_cap": 200}, "estimated_value"),
        ({"beneficiary": "李秀英", "public_name": "李秀英"}, "public_name"),
    ],
)
def test_a_wish_that_cannot_be(values: dict[str, Any], field: str, session: Session):
    session.add(factories.wish(**values))
    with pytest.raises(InvalidRow) as refused:
        session.flush()
    assert field in refused.value.by_field()


# --- the ledger ---


def add(session: Session, holder: Any, delta: int, key: str) -> PointEntry | None:
    return ledger.add_points(session, holder, delta, "correction", key=key, day=today())


def test_each_line_holds_the_balance_after_it(session: Session):
    member = factories.member()
    session.add(member)
    session.flush()
    lines = [add(session, member, delta, f"k{delta}") for delta in (10, 5, -12)]
    assert [(line.serial_no, line.balance) for line in lines] == [(1, 10), (2, 15), (3, 3)]
    assert ledger.balance_of(session, member) == 3
    assert ledger.is_sound(session, member)
    with pytest.raises(Impossible, match="积分不足"):
        add(session, member, -4, "too much")
    assert add(session, member, 0, "nothing") is None


def test_one_occasion_is_written_once(session: Session):
    member = factories.member()
    session.add(member)
    session.flush()
    assert add(session, member, 10, "claim:1") is add(session, member, 10, "claim:1")
    assert ledger.balance_of(session, member) == 10


def test_a_volunteer_who_is_a_member_has_the_members_account(session: Session):
    member = factories.member()
    session.add(member)
    session.flush()
    volunteer = factories.volunteer(member_id=member.id, organization_id=member.organization_id)
    other = factories.volunteer()
    session.add_all([volunteer, other])
    session.flush()
    add(session, member, 4, "a")
    add(session, volunteer, 6, "b")
    add(session, other, 1, "c")
    assert ledger.balance_of(session, member) == ledger.balance_of(session, volunteer) == 10
    assert ledger.balance_of(session, other) == 1


def test_lines_are_neither_changed_nor_deleted_nor_made_up(session: Session):
    member = factories.member()
    session.add(member)
    session.flush()
    line = add(session, member, 10, "a")
    session.commit()
    line.delta = 20
    with pytest.raises(InvalidRow, match="只能追加"):
        session.flush()
    session.rollback()
    session.delete(line)
    with pytest.raises(Impossible, match="只能追加"):
        session.flush()
    session.rollback()
    made_up = factories.point_entry(member_id=member.id, organization_id=member.organization_id, balance=999)
    session.add(made_up)
    with pytest.raises(InvalidRow, match="余额"):
        session.flush()


def test_points_that_come_at_once_are_all_there(any_engine: Engine, tree: dict[str, Any]):
    member = factories.member(organization_id=tree["branch_a1"].id)
    stored(any_engine, member)

    def earn(number: int) -> None:
        with unit_of_work(as_committed(any_engine), system_actor("tests")) as session:
            add(session, session.get_one(type(member), member.id), 3, f"key {number % 8}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(earn, range(16)))
    with unit_of_work(any_engine, system_actor("tests"), writes=False) as session:
        assert ledger.balance_of(session, member) == 24
        assert ledger.is_sound(session, member)
