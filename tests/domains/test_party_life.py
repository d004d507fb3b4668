"""What the records of Party life have to satisfy, and what follows from what."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.database.clock import today
from app.database.session import Session
from app.domains.calendar.models import DayKind, Holiday
from app.domains.calendar.operations import load_published, published_days
from app.domains.party_life.models import Attendance
from app.entity.faults import InvalidRow
from tests import factories as make

TOMORROW = today() + timedelta(days=1)


def faults(session: Session, row: object) -> set[str]:
    session.add(row)
    try:
        session.flush()
        return set()
    except InvalidRow as refused:
        return set(refused.by_field())
    finally:
        session.rollback()


ASSEMBLY = {"kind": "branch_assembly", "expected": 10}


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({**ASSEMBLY, "attended": 6}, set()),
        ({**ASSEMBLY, "attended": 5}, {"attended"}),
        ({**ASSEMBLY, "attended": 5, "status": "returned"}, set()),
        ({**ASSEMBLY, "attended": 5, "kind": "theme_day"}, set()),
        ({**ASSEMBLY, "attended": None}, set()),
        ({"expected": 10, "attended": 8, "on_leave": 1, "absent": 1}, set()),
        ({"expected": 10, "attended": 8, "on_leave": 2, "absent": 1}, {"attended"}),
        ({"absent": -1}, {"absent"}),
        ({"held_on": None}, {"held_on"}),
        ({"held_on": TOMORROW}, {"held_on"}),
        ({"held_on": TOMORROW, "status": "planned"}, set()),
        ({"reviewed_on": date(2026, 3, 9)}, {"reviewed_on"}),
        ({"held_at": "25:00"}, {"held_at"}),
        ({"held_at": "０９：30"}, set()),
        ({"kind": "party"}, {"kind"}),
        ({"topic": "题" * 201}, {"topic"}),
    ],
)
def test_meetings(session: Session, values: dict, wrong: set[str]):
    assert faults(session, make.meeting(**values)) == wrong


def test_meeting_held_as_planned_takes_the_planned_day(session: Session):
    meeting = make.meeting(held_on=None, planned_at=datetime(2026, 3, 3, 9, 30))
    session.add(meeting)
    session.commit()
    assert meeting.held_on == date(2026, 3, 3)


def test_attendance_is_dated_by_its_meeting_and_follows_it(session: Session):
    row = make.attendance()
    session.add(row)
    session.commit()
    assert row.held_on == row.meeting.held_on
    assert row.organization_id == row.member.organization_id
    row.meeting.held_on = date(2026, 4, 1)
    session.commit()
    stored = select(Attendance.held_on).where(Attendance.id == row.id)
    assert (row.held_on, session.scalar(stored)) == (date(2026, 4, 1), date(2026, 4, 1))
    row.held_on = date(2020, 1, 1)
    session.commit()
    assert row.held_on == date(2026, 4, 1), "it is not for people to set"


def test_attendance_by_ids_alone(session: Session):
    meeting, member = make.meeting(), make.member()
    session.add_all([meeting, member])
    session.commit()
    row = Attendance(meeting_id=meeting.id, member_id=member.id)
    session.add(row)
    session.commit()
    assert (row.organization_id, row.held_on, row.status) == (member.organization_id, meeting.held_on, "expected")


def test_attendance_keeps_the_organization_of_its_day(session: Session):
    row = make.attendance()
    session.add(row)
    session.commit()
    before = row.organization_id
    row.member.organization = make.organization()
    session.commit()
    session.expire_all()
    assert row.organization_id == before


def test_attendance_once_a_meeting_and_only_while_a_member(session: Session):
    row = make.attendance()
    session.add(row)
    session.commit()
    assert faults(session, make.attendance(meeting_id=row.meeting_id, member_id=row.member_id)) == {"meeting_id"}
    newcomer = make.member(joined_on=date(2026, 3, 11))
    assert faults(session, make.attendance(member=newcomer)) == {"member_id"}


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"paid": Decimal(20), "paid_on": date(2026, 3, 4)}, set()),
        ({"paid": Decimal(20)}, {"paid_on"}),
        ({"paid_on": date(2026, 3, 4)}, {"paid"}),
        ({"paid": Decimal(20), "paid_on": TOMORROW}, {"paid_on"}),
        ({"pay_by": date(2026, 2, 28)}, {"pay_by"}),
        ({"period": "2026"}, {"period"}),
        ({"period": "2026-13"}, {"period"}),
        ({"period": "２０２６-03"}, set()),
        ({"period": "2010-06", "pay_by": None}, {"period"}),
        ({"due": Decimal(-1)}, {"due"}),
        ({"due": None}, {"due"}),
        ({"rate": Decimal("1.5")}, {"rate"}),
    ],
)
def test_fees(session: Session, values: dict, wrong: set[str]):
    assert faults(session, make.fee_payment(**values)) == wrong


def test_fee_is_due_by_the_end_of_its_month_and_once(session: Session):
    fee = make.fee_payment(period="2024-02", pay_by=None)
    session.add(fee)
    session.commit()
    assert (fee.pay_by, fee.organization_id) == (date(2024, 2, 29), fee.member.organization_id)
    assert faults(session, make.fee_payment(member_id=fee.member_id, period="2024-02")) == {"member_id"}


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"grade": "excellent"}, set()),
        ({"period": "2025-12"}, {"period"}),
        ({"appraised_on": date(2024, 12, 31)}, {"appraised_on"}),
        ({"appraised_on": TOMORROW}, {"appraised_on"}),
        ({"appraised_on": None}, set()),
        ({"self_score": 101.0}, {"self_score"}),
        ({"votes_excellent": -1}, {"votes_excellent"}),
    ],
)
def test_appraisals(session: Session, values: dict, wrong: set[str]):
    assert faults(session, make.appraisal(**values)) == wrong


def test_probationary_members_get_no_grade(session: Session):
    newcomer = {"member_type": "probationary", "joined_on": date(2025, 6, 1)}
    assert faults(session, make.appraisal(member=make.member(**newcomer))) == set()
    assert faults(session, make.appraisal(member=make.member(**newcomer), grade="qualified")) == {"grade"}
    since = {"joined_on": date(2025, 1, 10), "regularized_on": date(2026, 1, 10)}
    assert faults(session, make.appraisal(member=make.member(**since), grade="qualified")) == {"grade"}


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"published_on": None}, {"published_on"}),
        ({"is_required": True}, {"due_on"}),
        ({"is_required": True, "due_on": date(2026, 5, 1)}, set()),
        ({"due_on": date(2026, 1, 1)}, {"due_on"}),
        ({"hours": -1.0}, {"hours"}),
    ],
)
def test_courses(session: Session, values: dict, wrong: set[str]):
    assert faults(session, make.course(**values)) == wrong


def test_study_takes_title_and_hours_of_its_course(session: Session):
    course = make.course(hours=6.0)
    record = make.study_record(course=course, title=None, hours=None)
    session.add(record)
    session.commit()
    assert (record.title, record.hours) == (course.title, 6.0)


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"organization": None}, {"organization_id"}),
        ({"kind": "punishment"}, set()),
        ({"grade": "warning"}, {"grade"}),
        ({"issued_on": TOMORROW}, {"issued_on"}),
        ({"expires_on": date(2026, 6, 1)}, {"expires_on"}),
    ],
)
def test_commendations(session: Session, values: dict, wrong: set[str]):
    assert faults(session, make.commendation(**values)) == wrong


def test_commendation_is_of_one_and_takes_effect_at_once(session: Session):
    both = make.commendation(organization=make.organization(), member=make.member())
    assert faults(session, both) == {"member_id"}
    assert faults(session, make.commendation(member=make.member(), kind="punishment")) == {"grade"}
    row = make.commendation(member=make.member(), kind="punishment", grade="warning")
    session.add(row)
    session.commit()
    assert (row.holder_id, row.organization_id) == (row.member.organization_id, None)
    assert row.effective_on == row.issued_on


def test_observations_are_held_by_the_organization_of_their_subject(session: Session):
    of_branch, of_member = make.observation(), make.observation(member=make.member())
    session.add_all([of_branch, of_member])
    session.commit()
    assert of_branch.holder_id == of_branch.organization_id
    assert (of_member.holder_id, of_member.organization_id) == (of_member.member.organization_id, None)
    new = make.organization()
    of_member.member.organization = new
    session.commit()
    session.expire_all()
    assert of_member.holder_id == new.id, "it moves along with the member"


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"metric": "满意度"}, set()),
        ({"metric": "满 意"}, {"metric"}),
        ({"value": None}, {"value"}),
        ({"value": float("nan")}, {"value"}),
        ({"period": "2026Q3"}, set()),
        ({"period": "Q3"}, {"period"}),
    ],
)
def test_observations(session: Session, values: dict, wrong: set[str]):
    assert faults(session, make.observation(**values)) == wrong


def test_one_observation_for_each_subject_metric_and_period(session: Session):
    branch = make.organization()
    session.add_all([make.observation(organization=branch), make.observation(organization=branch, period="2026-04")])
    session.commit()
    assert faults(session, make.observation(organization_id=branch.id)) == {"organization_id"}
    assert faults(session, make.observation(organization_id=branch.id, metric="households")) == set()


def test_published_calendar_is_loaded_once_and_keeps_what_is_there(session: Session):
    session.add(make.holiday(day=date(2026, 10, 1), name="自己的名字"))
    session.commit()
    assert load_published(session) == len(published_days()) - 1
    session.commit()
    assert load_published(session) == 0
    days = {row.day: row for row in session.scalars(select(Holiday))}
    assert days[date(2026, 10, 1)].name == "自己的名字"
    assert days[date(2026, 2, 14)].kind is DayKind.WORKING_DAY
    assert days[date(2026, 2, 23)].kind is DayKind.HOLIDAY


def test_working_days_in_exchange_are_at_weekends():
    """A slip in the table of holidays would show here."""
    for day, (_, kind) in published_days().items():
        if kind is DayKind.WORKING_DAY:
            assert day.weekday() >= 5, day
