"""What is owed becomes rows, once, on every database."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, delete, select

from app.access.actor import system_actor
from app.database.clock import today
from app.database.engine import for_writing
from app.database.session import Session, make_session
from app.domains.party_life import duties
from app.domains.party_life.duties import create_due
from app.domains.party_life.fee_rates import FeePayer, monthly_fee, rate_of
from app.domains.party_life.models import Attendance, FeePayment, Meeting, StudyRecord
from app.evaluation.models import Change
from tests import factories as make

DAY = date(2026, 9, 15)


@pytest.fixture
def any_session(any_engine: Engine):
    session = make_session(any_engine, system_actor("tests"))
    yield session
    session.close()


def due_rows(engine: Engine, session: Session, day: date) -> dict[str, int]:
    """What the nightly job makes, while the test's own session holds no lock."""
    session.commit()
    return create_due(engine, day)


def fees(session: Session) -> dict[str, FeePayment]:
    return {fee.member.name: fee for fee in session.scalars(select(FeePayment))}


def test_fees_of_the_month(any_engine: Engine, any_session: Session):
    session, branch = any_session, make.organization()
    of = {"organization": branch}
    session.add_all(
        [
            make.member(name="known", fee_base=Decimal(6000), fee_monthly=Decimal("90.00"), **of),
            make.member(name="by base", fee_base=Decimal("4321.00"), **of),
            make.member(name="retired", fee_base=Decimal(5000), is_employed=False, **of),
            make.member(name="new", fee_monthly=Decimal(5), joined_on=date(2026, 9, 30), **of),
            make.member(name="later", fee_monthly=Decimal(5), joined_on=date(2026, 10, 1), **of),
            make.member(name="left before", fee_monthly=Decimal(5), left_on=date(2026, 8, 31), **of),
            make.member(name="left since", fee_monthly=Decimal(5), left_on=date(2026, 9, 1), **of),
            make.member(name="suspended", fee_monthly=Decimal(5), membership_status="suspended", **of),
            make.member(name="unknown", **of),
        ]
    )
    session.commit()
    assert due_rows(any_engine, session, DAY)["fee_payment"] == 5
    owed = fees(session)
    assert set(owed) == {"known", "by base", "retired", "new", "left since"}
    assert owed["known"].due == Decimal("90.00")
    assert (owed["by base"].rate, owed["by base"].due) == (Decimal("0.0100"), Decimal("43.21"))
    assert (owed["retired"].rate, owed["retired"].due) == (Decimal("0.0050"), Decimal("25.00"))
    fee = owed["known"]
    assert (fee.period, fee.pay_by, fee.paid, fee.organization_id) == ("2026-09", date(2026, 9, 30), None, branch.id)

    fee.paid, fee.paid_on = Decimal("90.00"), date(2026, 9, 20)
    session.commit()
    assert due_rows(any_engine, session, date(2026, 9, 30))["fee_payment"] == 0
    session.expire_all()
    assert fees(session)["known"].paid == Decimal("90.00")
    assert due_rows(any_engine, session, date(2026, 10, 1))["fee_payment"] > 0


@pytest.mark.parametrize(
    ("base", "payer", "rate"),
    [
        ("3000", "employed", "0.005"),
        ("3000.01", "employed", "0.01"),
        ("5000", "employed", "0.01"),
        ("10000", "employed", "0.015"),
        ("10000.01", "employed", "0.02"),
        ("5000", "retired", "0.005"),
        ("5000.01", "retired", "0.01"),
    ],
)
def test_rates_of_the_regulation(base: str, payer: str, rate: str):
    """One rate for the whole base, by the edges that the regulation names."""
    assert rate_of(Decimal(base), FeePayer(payer), DAY) == Decimal(rate)


def test_fees_are_rounded_half_a_cent_up():
    assert monthly_fee(Decimal("2999"), FeePayer.EMPLOYED, DAY) == Decimal("15.00")
    assert monthly_fee(Decimal("3001"), FeePayer.EMPLOYED, DAY) == Decimal("30.01")
    assert monthly_fee(Decimal("2501"), FeePayer.EMPLOYED, DAY) == Decimal("12.51")


def planned(branch, **values) -> Meeting:
    return make.meeting(
        organization=branch, status="planned", held_on=None, planned_at=datetime(2026, 12, 1, 14, 0), **values
    )


def expected(session: Session, meeting: Meeting) -> set[str]:
    rows = session.scalars(select(Attendance).where(Attendance.meeting_id == meeting.id)).all()
    assert {row.status for row in rows} <= {"expected"}
    assert {row.organization_id for row in rows} <= {row.member.organization_id for row in rows}
    return {row.member.name for row in rows}


def test_planning_a_meeting_expects_those_it_is_for(any_session: Session):
    session, branch = any_session, make.organization()
    group = make.organization(parent=branch, tier="group", org_type="group")
    leader = make.member(organization=branch, name="leader")
    session.add_all(
        [
            leader,
            make.post(organization=branch, member=leader),
            make.member(organization=branch, name="grouped", group=group),
            make.member(organization=branch, name="plain"),
            make.member(organization=branch, name="gone", left_on=date(2026, 5, 1)),
            make.member(organization=branch, name="lost", is_lost=True, lost_on=date(2026, 5, 1)),
            make.member(name="elsewhere"),
        ]
    )
    session.commit()
    assembly, committee = planned(branch, kind="branch_assembly"), planned(branch, kind="branch_committee")
    group_meeting = planned(group, kind="group_meeting")
    session.add_all([assembly, committee, group_meeting])
    session.commit()
    assert expected(session, assembly) == {"leader", "grouped", "plain"}
    assert expected(session, committee) == {"leader"}
    assert expected(session, group_meeting) == {"grouped"}
    session.expire_all()
    assert (assembly.expected, committee.expected, group_meeting.expected) == (3, 1, 1)


def test_expected_attendance_is_made_once(engine: Engine, session: Session):
    branch = make.organization()
    meeting = planned(branch, expected=5)
    session.add_all([make.member(organization=branch), meeting])
    session.flush()
    session.commit()
    assert due_rows(engine, session, DAY)["attendance"] == 0
    assert meeting.expected == 5, "what people have entered stands"
    session.delete(session.scalars(select(Attendance)).one())
    session.add(make.member(organization=branch))
    meeting.topic = "另一个主题"
    session.commit()
    assert session.scalars(select(Attendance)).all() == [], "a change of the topic announces nothing"


def test_a_meeting_that_was_held_already_expects_nobody(session: Session):
    branch = make.organization()
    session.add(make.member(organization=branch))
    session.commit()
    session.add(make.meeting(organization=branch))
    session.commit()
    assert session.scalars(select(Attendance)).all() == []


def test_publishing_a_required_course_owes_it_to_all_below(any_engine: Engine, any_session: Session):
    session, tree = any_session, make.tree()
    session.add_all(tree.values())
    near, far = make.member(organization=tree["branch_a1"]), make.member(organization=tree["branch_b1"])
    course = make.course(
        organization=tree["street_a"],
        is_required=True,
        status="draft",
        published_on=None,
        title="必修课",
        due_on=today() + timedelta(days=30),
    )
    session.add_all([near, far, course])
    session.commit()
    assert session.scalars(select(StudyRecord)).all() == []
    course.status, course.published_on = "published", today()
    session.commit()
    record = session.scalars(select(StudyRecord)).one()
    assert (record.member_id, record.title, record.hours, record.completed_on) == (near.id, "必修课", 0, None)
    assert record.organization_id == tree["branch_a1"].id

    assert due_rows(any_engine, session, today())["study_record"] == 0
    late = make.member(organization=tree["branch_a2"])
    session.add(late)
    session.commit()
    assert due_rows(any_engine, session, today())["study_record"] == 1, "those who come later owe it too"

    record.completed_on = today()
    session.commit()
    assert record.hours == course.hours, "a completed course counts with its hours"


def test_courses_that_are_over_or_free_are_owed_by_nobody(session: Session):
    member = make.member()
    session.add(member)
    session.commit()
    session.add_all(
        [
            make.course(organization=member.organization),
            make.course(organization=member.organization, is_required=True, due_on=date(2026, 3, 1)),
        ]
    )
    session.commit()
    assert session.scalars(select(StudyRecord)).all() == []


def marked(engine: Engine) -> set[tuple[str, int | None, int | None, int | None]]:
    """What waits to be scored again; then nothing does."""
    with for_writing(engine).begin() as connection:
        columns = (Change.entity, Change.row_id, Change.organization_id, Change.member_id)
        found = {tuple(row) for row in connection.execute(select(*columns))}
        connection.execute(delete(Change))
    return found


def test_what_is_made_is_marked_so_that_lights_follow(any_engine: Engine, any_session: Session):
    session, branch = any_session, make.organization()
    member = make.member(organization=branch, fee_monthly=Decimal(5))
    course = make.course(organization=branch, is_required=True, published_on=DAY, due_on=DAY + timedelta(days=30))
    meeting = planned(branch)
    session.add_all([member, course, meeting])
    session.flush()
    for row in session.scalars(select(Attendance)):  # as if planned before there was anybody to expect
        session.delete(row)
    for row in session.scalars(select(StudyRecord)):
        session.delete(row)
    session.commit()
    marked(any_engine)
    assert due_rows(any_engine, session, DAY) == {"fee_payment": 1, "attendance": 1, "study_record": 1}
    fee, study = session.scalars(select(FeePayment)).one(), session.scalars(select(StudyRecord)).one()
    attendance = session.scalars(select(Attendance)).one()
    session.rollback()
    assert marked(any_engine) == {
        ("fee_payment", fee.id, branch.id, member.id),
        ("attendance", attendance.id, branch.id, member.id),
        ("study_record", study.id, branch.id, member.id),
        ("meeting", meeting.id, branch.id, None),
    }
    due_rows(any_engine, session, DAY)
    assert marked(any_engine) == set(), "nothing was made, so nothing has changed"


def test_more_than_can_be_marked_singly_is_marked_as_one(
    engine: Engine, session: Session, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(duties, "COARSE_FROM", 2)
    branch = make.organization()
    session.add_all(make.member(organization=branch, fee_monthly=Decimal(5)) for _ in range(3))
    session.commit()
    marked(engine)
    due_rows(engine, session, DAY)
    assert marked(engine) == {("fee_payment", None, None, None)}


def test_planning_marks_whom_it_expects(engine: Engine, session: Session):
    branch = make.organization()
    member = make.member(organization=branch)
    session.add(member)
    session.commit()
    marked(engine)
    session.add(planned(branch))
    session.commit()
    attendance, of_branch, of_member = session.scalars(select(Attendance.id)).one(), branch.id, member.id
    session.rollback()
    assert ("attendance", attendance, of_branch, of_member) in marked(engine)
