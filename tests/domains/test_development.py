"""Transfers, and the steps and limits of developing members."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from app.access.actor import system_actor
from app.access.errors import OutOfScope
from app.access.operations import NoSuchRow, NotOffered
from app.database.clock import today
from app.database.session import Session, unit_of_work
from app.domains.calendar.operations import load_published
from app.domains.development.checks import months_later, workdays
from app.domains.development.operations import expire_transfers
from app.domains.members.models import Member
from app.entity.faults import InvalidRow
from app.entity.operations import Impossible, operations_of
from tests import factories
from tests.domains.acting import district, do, now_is, staff, stored

LETTER = {"letter_no": "闵组介〔2026〕1号", "issued_on": today(), "valid_until": today() + timedelta(days=90)}


@pytest.fixture
def one(any_engine: Engine) -> dict[str, Any]:
    made = district(any_engine)
    made["member"] = factories.member(organization_id=made["branch_a1"].id, name="张三", party_post="secretary")
    stored(any_engine, made["member"])
    made["post"] = factories.post(organization_id=made["branch_a1"].id, member_id=made["member"].id)
    made["transfer"] = factories.membership_transfer(
        member_id=made["member"].id, to_organization_id=made["branch_b1"].id, from_organization_id=made["branch_a1"].id
    )
    stored(any_engine, made["post"], made["transfer"])
    return made


def test_a_transfer_moves_the_member_on_receipt_and_not_before(one: dict[str, Any], any_engine: Engine):
    sender, receiver, transfer = staff(one["branch_a1"]), staff(one["branch_b1"]), one["transfer"]
    with pytest.raises(NotOffered):
        do(any_engine, receiver, transfer, "receive", received_on=today())
    with pytest.raises(OutOfScope):  # the receiving side does not issue
        do(any_engine, receiver, transfer, "issue", **LETTER)
    with pytest.raises(NoSuchRow):
        do(any_engine, staff(one["branch_b2"]), transfer, "issue", **LETTER)
    do(any_engine, sender, transfer, "issue", **LETTER)
    assert now_is(any_engine, one["member"]).organization_id == one["branch_a1"].id
    with pytest.raises(OutOfScope):  # and the sending side does not receive
        do(any_engine, sender, transfer, "receive", received_on=today())
    do(any_engine, receiver, transfer, "receive", received_on=today())
    member = now_is(any_engine, one["member"])
    assert (member.organization_id, member.party_post) == (one["branch_b1"].id, "none")
    assert now_is(any_engine, one["post"]).ended_on == today()
    assert now_is(any_engine, transfer).status == "received"


def test_both_sides_act_at_once_and_one_prevails(one: dict[str, Any], any_engine: Engine):
    do(any_engine, staff(one["branch_a1"]), one["transfer"], "issue", **LETTER)

    def act(who: str) -> str:
        try:
            if who == "sender":
                do(any_engine, staff(one["branch_a1"]), one["transfer"], "cancel_transfer", closed_reason="撤销")
            else:
                do(any_engine, staff(one["branch_b1"]), one["transfer"], "receive", received_on=today())
        except NotOffered:
            return ""
        return who

    with ThreadPoolExecutor(6) as pool:
        done = [who for who in pool.map(act, ["sender", "receiver"] * 3) if who]
    assert len(done) == 1
    at_b1 = now_is(any_engine, one["member"]).organization_id == one["branch_b1"].id
    assert at_b1 == (done == ["receiver"])


def test_nobody_is_on_the_way_twice(one: dict[str, Any], any_engine: Engine):
    again = {"member_id": one["member"].id, "from_organization_id": one["branch_a1"].id}
    with pytest.raises(InvalidRow):
        stored(any_engine, factories.membership_transfer(to_organization_id=one["branch_b2"].id, **again))
    do(any_engine, staff(one["branch_a1"]), one["transfer"], "cancel_transfer", closed_reason="写错了")
    stored(any_engine, factories.membership_transfer(to_organization_id=one["branch_b2"].id, **again))


def test_a_letter_that_has_expired_is_issued_again(one: dict[str, Any], any_engine: Engine):
    issued = today() - timedelta(days=40)
    old = {"letter_no": "旧", "issued_on": issued, "valid_until": issued + timedelta(days=30)}
    do(any_engine, staff(one["branch_a1"]), one["transfer"], "issue", **old)
    with pytest.raises(Impossible, match="已过期"):
        do(any_engine, staff(one["branch_b1"]), one["transfer"], "receive", received_on=today())
    assert expire_transfers(any_engine, today()) == 1
    assert now_is(any_engine, one["transfer"]).status == "expired"
    do(any_engine, staff(one["branch_a1"]), one["transfer"], "issue", **LETTER)
    do(any_engine, staff(one["branch_b1"]), one["transfer"], "return_transfer", closed_reason="材料不全")
    assert now_is(any_engine, one["transfer"]).status == "returned"


def test_out_of_the_city_the_receipt_ends_the_membership_here(engine: Engine):
    made = district(engine)
    member = factories.member(organization_id=made["branch_a1"].id)
    stored(engine, member)
    transfer = factories.membership_transfer(member_id=member.id, from_organization_id=made["branch_a1"].id)
    stored(engine, transfer)
    do(engine, staff(made["branch_a1"]), transfer, "issue", **LETTER)
    do(engine, staff(made["branch_a1"]), transfer, "confirm_receipt", received_on=today())
    assert now_is(engine, member).left_on == today()


def test_from_outside_the_receipt_makes_the_member(engine: Engine):
    made = district(engine)
    transfer = factories.membership_transfer(
        kind="incoming", outside="外省某支部", name="赵六", member=None, to_organization_id=made["branch_a1"].id,
        joined_on=date(2012, 7, 1),
    )  # fmt: skip
    stored(engine, transfer)
    do(engine, staff(made["branch_a1"]), transfer, "issue", **LETTER)
    do(engine, staff(made["branch_a1"]), transfer, "receive", received_on=today())
    with unit_of_work(engine, system_actor("tests")) as session:
        member = session.get_one(Member, now_is(engine, transfer).member_id)
        assert (member.name, member.organization_id, member.joined_on) == (
            "赵六",
            made["branch_a1"].id,
            date(2012, 7, 1),
        )


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"kind": "outgoing", "outside": None}, "outside"),
        ({"kind": "within_city", "outside": None}, "to_organization_id"),
        ({"issued_on": date(2026, 1, 1), "valid_until": date(2026, 5, 1)}, "valid_until"),
        ({"issued_on": date(2026, 3, 1), "valid_until": date(2026, 2, 1)}, "valid_until"),
        ({"status": "received", "letter_no": "1", "issued_on": date(2026, 1, 1), "valid_until": date(2026, 2, 1)},
         "received_on"),
        ({"status": "issued"}, "letter_no"),
    ],
)  # fmt: skip
def test_a_transfer_that_cannot_be(values: dict[str, Any], field: str, session: Session):
    session.add(factories.membership_transfer(**values))
    with pytest.raises(InvalidRow) as refused:
        session.flush()
    assert field in refused.value.by_field()


# --- development ---

WAY = {
    # On 2026-11-24 or later, each step lies in the past.
    "applied_on": date(2023, 9, 1),
    "talked_on": date(2023, 9, 20),
    "activist_on": date(2023, 12, 1),
    "publicity_from": date(2024, 12, 2),  # a Monday
    "publicity_to": date(2024, 12, 6),
    "prospect_on": date(2024, 12, 10),
    "background_checked_on": date(2025, 1, 10),
    "training_ended_on": date(2025, 2, 14),
    "training_days": 3.0,
    "prereview_on": date(2025, 3, 3),
    "accepted_on": date(2025, 3, 20),
    "accepted_entitled": 20,
    "accepted_present": 18,
    "accepted_in_favour": 17,
}


def a_case(session: Session, until: str = "accepted_on", **values: Any) -> Any:
    """A case that has come as far as a step, with what is changed."""
    branch = factories.organization()
    people = [factories.member(organization=branch, joined_on=date(2010, 7, 1)) for _ in range(2)]
    session.add_all(people)
    names = list(WAY)
    kept = {name: WAY[name] for name in names[: names.index(until) + 1]} if until in names else dict(WAY)
    if until == "accepted_on":
        kept = dict(WAY)
    given = {
        **dict.fromkeys(names),
        "activist_on": None,
        **kept,
        "contact_one": people[0],
        "introducer_one": people[0],
        "introducer_two": people[1],
        **values,
    }
    case = factories.development_case(organization=branch, **given)
    session.add(case)
    return case


def faults(session: Session, case: Any) -> dict[str, str]:
    try:
        session.flush()
    except InvalidRow as refused:
        return {name: label.zh for name, label in refused.by_field().items()}
    return {}


def test_a_case_by_the_rules_has_no_fault(session: Session):
    case = a_case(session)
    assert faults(session, case) == {}
    assert (case.stage, case.stage_since) == ("prospect", date(2024, 12, 10))


@pytest.mark.parametrize(
    ("until", "values", "field", "words"),
    [
        ("applied_on", {"birth_date": date(2005, 9, 2)}, "applied_on", "第六条"),
        ("prospect_on", {"prospect_on": date(2024, 11, 30), "publicity_from": date(2024, 11, 18),
                         "publicity_to": date(2024, 11, 22)}, "prospect_on", "第十三条"),
        ("prospect_on", {"publicity_to": date(2024, 12, 5)}, "publicity_to", "第十三条"),
        ("accepted_on", {"training_days": 2.5, "training_hours": 23.5}, "training_days", "第十七条"),
        ("accepted_on", {"introducer_two": None}, "introducer_one_id", "第十五条"),
        ("accepted_on", {"accepted_in_favour": 10}, "accepted_in_favour", "第二十二条"),
        ("accepted_on", {"accepted_present": 10, "accepted_in_favour": 10}, "accepted_in_favour", "第二十二条"),
        ("accepted_on", {"approved_on": date(2025, 6, 21)}, "approved_on", "第二十五条"),
        ("accepted_on", {"approved_on": date(2025, 9, 21), "approval_extended": True}, "approved_on", "第二十五条"),
        ("activist_on", {"contact_one": None}, "contact_one_id", "第九条"),
        ("accepted_on", {"approved_on": date(2025, 5, 1), "regular_applied_on": date(2026, 3, 1),
                         "regular_voted_on": date(2026, 3, 19), "regular_entitled": 20, "regular_present": 18,
                         "regular_in_favour": 18}, "regular_voted_on", "第三十一条"),
        ("accepted_on", {"approved_on": date(2025, 5, 1), "probation_extended_to": date(2026, 8, 1)},
         "probation_extended_to", "第七条"),
    ],
)  # fmt: skip
def test_what_the_rules_forbid_is_refused_with_the_article(
    until: str, values: dict[str, Any], field: str, words: str, session: Session
):
    found = faults(session, a_case(session, until, **values))
    assert words in found.get(field, ""), found


@pytest.mark.parametrize(
    ("until", "values"),
    [
        ("accepted_on", {"training_days": 2.0, "training_hours": 24.0}),
        ("accepted_on", {"approved_on": date(2025, 6, 20)}),
        ("accepted_on", {"approved_on": date(2025, 9, 20), "approval_extended": True}),
        ("accepted_on", {"accepted_present": 11, "accepted_in_favour": 11}),
        # Late, which is a warning's matter, but valid.
        ("accepted_on", {"prereview_on": date(2025, 2, 15)}),
        ("talked_on", {"talked_on": date(2023, 12, 24)}),
        # Thursday to Wednesday: five working days over a weekend.
        ("prospect_on", {"publicity_from": date(2024, 12, 5), "publicity_to": date(2024, 12, 11),
                         "prospect_on": date(2024, 12, 11)}),
    ],
)  # fmt: skip
def test_what_is_just_within_the_rules(until: str, values: dict[str, Any], session: Session):
    assert faults(session, a_case(session, until, **values)) == {}


def test_no_step_before_the_former_are_complete_and_in_order(session: Session):
    assert "前一步" in faults(session, a_case(session, "talked_on", prospect_on=date(2025, 1, 1)))["prospect_on"]
    session.rollback()
    assert "不能早于" in faults(session, a_case(session, "talked_on", talked_on=date(2023, 8, 31)))["talked_on"]


def test_contacts_and_introducers_are_full_members(session: Session):
    probationary = factories.member(member_type="probationary", joined_on=date(2023, 6, 1))
    found = faults(session, a_case(session, introducer_one=probationary))
    assert "正式党员" in found["introducer_one_id"]


def test_working_days_go_by_the_calendar(session: Session):
    load_published(session)
    session.flush()
    # 1–8 October 2025 were off, 28 September and 11 October worked: Thu, Fri, Sat (11th) of the 2nd week make 3.
    assert workdays(session, date(2025, 9, 29), date(2025, 10, 11)) == 5
    assert workdays(session, date(2024, 12, 2), date(2024, 12, 8)) == 5


def test_months_later():
    assert months_later(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert months_later(date(2024, 10, 31), 4) == date(2025, 2, 28)


def test_a_case_from_acceptance_to_full_membership(any_engine: Engine):
    tree = district(any_engine)
    people = [factories.member(organization_id=tree["branch_a1"].id, joined_on=date(2010, 7, 1)) for _ in range(2)]
    stored(any_engine, *people)
    case = factories.development_case(
        organization_id=tree["branch_a1"].id, contact_one_id=people[0].id, introducer_one_id=people[0].id,
        introducer_two_id=people[1].id, name="钱七", birth_date=date(1995, 1, 1), **WAY,
    )  # fmt: skip
    stored(any_engine, case)
    branch, street = staff(tree["branch_a1"]), staff(tree["street_a"])
    with pytest.raises(InvalidRow, match="第二十五条"):
        do(any_engine, street, case, "approve_admission", approved_on=date(2025, 7, 1))
    do(any_engine, street, case, "approve_admission", approved_on=date(2025, 5, 6))
    case = now_is(any_engine, case)
    member = now_is(any_engine, Member(id=case.member_id))
    assert (case.stage, member.name, member.member_type, member.joined_on) == (
        "probationary", "钱七", "probationary", date(2025, 3, 20),
    )  # fmt: skip
    do(any_engine, branch, case, "take_oath", oath_on=date(2025, 5, 20))
    votes = {"regular_entitled": 20, "regular_present": 19, "regular_in_favour": 19}
    with pytest.raises(InvalidRow, match="第三十一条"):
        do(any_engine, branch, case, "vote_full_membership", regular_applied_on=date(2026, 3, 1),
           regular_voted_on=date(2026, 3, 19), **votes)  # fmt: skip
    do(any_engine, branch, case, "vote_full_membership", regular_applied_on=date(2026, 3, 10),
       regular_voted_on=date(2026, 3, 25), **votes)  # fmt: skip
    do(any_engine, street, case, "approve_full_membership", regularized_on=date(2026, 5, 8))
    member = now_is(any_engine, member)
    assert (member.member_type, member.regularized_on) == ("full", date(2026, 3, 20))
    assert now_is(any_engine, case).stage == "full"
    do(any_engine, branch, case, "file_away", archived_on=date(2026, 6, 1))


def test_the_steps_that_are_offered_follow_the_case(session: Session):
    def steps(case: Any) -> set[str]:
        return {each.code for each in operations_of("development_case") if each.offered(case)}

    case = a_case(session, "talked_on")
    session.flush()
    assert steps(case) == {"make_activist", "end_case"}
    case = a_case(session, "accepted_on")
    session.flush()
    assert steps(case) == {"approve_admission", "end_case"}


def test_reviews_belong_to_a_stage(session: Session):
    early = factories.development_review(case=factories.development_case(), reviewed_on=date(2026, 1, 1))
    session.add(early)
    assert "reviewed_on" in faults(session, early)
    session.rollback()
    wrong = factories.development_review(kind="probation")
    session.add(wrong)
    assert "kind" in faults(session, wrong)
