"""The warnings the straightforward way: a function each, which loads what it needs as objects and counts in Python.

Levels only: no figures, nothing that has held for days (in a first evaluation it has held for none). ``None`` stands
for no level and for ``no_data``. Warnings about records are asked of the member or branch that the record is of.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.domains.members.models import Member, Post
from app.domains.observations.models import Observation
from app.domains.organizations.models import Organization
from app.domains.party_life.models import Appraisal, Attendance, FeePayment, Meeting, StudyRecord
from app.entity.periods import Period

from .baseline_sources import Days

OK = ("normal", "restored")
LEADERS = ("secretary", "deputy_secretary", "committee")
Warning = Callable[[Session, int, Days], str | None]


def rows(session: Session, model: type, column: str, subject: int, *options) -> list:
    return list(session.scalars(select(model).where(getattr(model, column) == subject).options(*options)))


def worst(red: bool | None = False, orange: bool | None = False, yellow: bool | None = False) -> str | None:
    return "red" if red else "orange" if orange else "yellow" if yellow else None


def above(value: float | None, red: float, orange: float, yellow: float) -> str | None:
    return None if value is None else worst(value >= red, value >= orange, value >= yellow)


def below(value: float | None, red: float, orange: float, yellow: float) -> str | None:
    return None if value is None else worst(value < red, value < orange, value < yellow)


def moved(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def months_since(day: date | None, today: date) -> int | None:
    if day is None:
        return None
    unfinished = min(day.day, monthrange(today.year, today.month)[1]) > today.day
    return (today.year - day.year) * 12 + today.month - day.month - unfinished


def periods_since(day: date | None, today: date, months: int) -> int | None:
    if day is None:
        return None
    return max(0, (today.year * 12 + today.month - 1) // months - (day.year * 12 + day.month - 1) // months)


# Members --------------------------------------------------------------------------------------------------------------


def fee_base_unset(session: Session, member_id: int, days: Days) -> str | None:
    member = session.get_one(Member, member_id)
    if member.fee_base_set_on and member.fee_base_set_on >= days.year:
        return None
    return above((days.today - max(days.year, member.joined_on or days.year)).days, 120, 90, 60)


def fee_deviation(session: Session, member_id: int, days: Days) -> str | None:
    apart = [
        abs(float(row.paid) - float(row.due)) / float(row.due)
        for row in rows(session, FeePayment, "member_id", member_id)
        if row.paid_on and row.due > 0 and days.first_month <= str(row.period) <= f"{days.today:%Y-%m}"
    ]
    return worst(False, max(apart, default=0) > 0.3, max(apart, default=0) > 0.1)


def unpaid_fees(session: Session, member_id: int, days: Days) -> str | None:
    unpaid = [
        Period.parse(row.period).start
        for row in rows(session, FeePayment, "member_id", member_id)
        if row.due > 0 and row.exempt_reason is None and (row.paid_on is None or row.paid < row.due)
    ]
    if not unpaid:
        return None
    months = months_since(min(unpaid), days.today)
    return worst(months >= 5, months >= 2, days.today >= moved(min(unpaid), 1) + timedelta(days=4))


def repeated_absence(session: Session, member_id: int, days: Days) -> str | None:
    met = rows(session, Attendance, "member_id", member_id, joinedload(Attendance.meeting))
    met = [row for row in met if row.status in ("present", "absent") and row.held_on and row.held_on <= days.today]
    met.sort(key=lambda row: (row.held_on, row.id))
    in_a_row = 0
    for row in met:
        if row.meeting.status == "held":
            in_a_row = in_a_row + 1 if row.status == "absent" else 0
    if not in_a_row:
        return None
    came = [row.held_on for row in met if row.status == "present"]
    away = months_since(max(came) if came else min(row.held_on for row in met), days.today)
    return worst(away >= 6, away >= 3, in_a_row >= 2)


def study_hours(session: Session, member_id: int, days: Days) -> str | None:
    member, today = session.get_one(Member, member_id), days.today
    if member.joined_on and member.joined_on >= days.year:
        return None
    due = 56 if member.party_post in LEADERS else 32
    now = before = 0.0
    for row in rows(session, StudyRecord, "member_id", member_id):
        if row.completed_on and days.year <= row.completed_on <= today:
            now += row.hours
        elif row.completed_on and days.last_year <= row.completed_on < days.year:
            before += row.hours
    monthday, share = (today.month, today.day), now / due
    missed = today.month == 1 and before < due and (member.joined_on or date.min) < days.last_year
    return worst(
        (today == days.year_end and share < 1) or missed,
        monthday >= (11, 30) and share < 0.8,
        monthday >= (9, 30) and share < 0.6,
    )


def information_check(session: Session, member_id: int, days: Days) -> str | None:
    return worst(yellow=session.get_one(Member, member_id).needs_check)


def lost_contact(session: Session, member_id: int, days: Days) -> str | None:
    member = session.get_one(Member, member_id)
    return above(months_since(member.lost_on, days.today), 6, 3, 1) if member.is_lost else None


MEMBER_WARNINGS: dict[str, Warning] = {
    "fee_base_unset": fee_base_unset,
    "fee_deviation": fee_deviation,
    "unpaid_fees": unpaid_fees,
    "repeated_absence": repeated_absence,
    "study_hours": study_hours,
    "information_check": information_check,
    "lost_contact": lost_contact,
}
"""``study_hours`` is ``leader_study_hours`` for leaders."""


# Branches -------------------------------------------------------------------------------------------------------------


def present_members(session: Session, branch_id: int, days: Days) -> list[Member]:
    return [
        row
        for row in rows(session, Member, "organization_id", branch_id)
        if row.membership_status in OK and (row.joined_on or date.min) <= days.today <= (row.left_on or date.max)
    ]


def present_posts(session: Session, branch_id: int, days: Days) -> list[Post]:
    return [
        row
        for row in rows(session, Post, "organization_id", branch_id)
        if (row.started_on or date.min) <= days.today <= (row.ended_on or date.max)
    ]


def held_meetings(session: Session, branch_id: int, days: Days) -> list[Meeting]:
    return [
        row
        for row in rows(session, Meeting, "organization_id", branch_id)
        if row.status == "held" and row.held_on and row.held_on <= days.today
    ]


def too_few_members(session: Session, branch_id: int, days: Days) -> str | None:
    full = sum(row.member_type == "full" for row in present_members(session, branch_id, days))
    return worst(yellow=session.get_one(Organization, branch_id).org_type == "branch" and full < 3)


def branch_too_large(session: Session, branch_id: int, days: Days) -> str | None:
    members = len(present_members(session, branch_id, days))
    return above(members, 61, 51, 46) if session.get_one(Organization, branch_id).org_type == "branch" else None


def committee_vacancy(session: Session, branch_id: int, days: Days) -> str | None:
    full = sum(row.member_type == "full" for row in present_members(session, branch_id, days))
    seats = len({row.member_id for row in present_posts(session, branch_id, days) if row.post != "group_leader"})
    return worst(seats < 3, seats <= 1, seats <= 2) if full >= 7 and seats >= 2 else None


def secretary_vacancy(session: Session, branch_id: int, days: Days) -> str | None:
    if any(row.post == "secretary" for row in present_posts(session, branch_id, days)):
        return None
    left = [row.ended_on for row in rows(session, Post, "organization_id", branch_id) if row.post == "secretary"]
    since = max((day for day in left if day), default=session.get_one(Organization, branch_id).founded_on)
    return above((days.today - since).days, 91, 31, 1) if since else None


def joint_branch_units(session: Session, branch_id: int, days: Days) -> str | None:
    if session.get_one(Organization, branch_id).org_type != "joint_branch":
        return None
    return above(len({row.employer for row in present_members(session, branch_id, days)} - {None}), 9, 6, 5)


def no_new_members(session: Session, branch_id: int, days: Days) -> str | None:
    branch = session.get_one(Organization, branch_id)
    if branch.unit_type == "retired" or branch.org_type == "temp_branch":
        return None
    joined = [row.joined_on for row in rows(session, Member, "organization_id", branch_id) if row.joined_on]
    return above(months_since(max(joined, default=branch.founded_on), days.today), 36, 24, 12)


def excellent_share(session: Session, branch_id: int, days: Days) -> str | None:
    counts = {True: [0, 0, 0], False: [0, 0, 0]}
    for row in rows(session, Appraisal, "organization_id", branch_id):
        graded = row.status in ("submitted", "approved") and row.grade is not None
        if graded and row.appraised_on and days.last_year <= row.appraised_on <= days.today:
            count = counts[row.appraised_on >= days.year]
            count[0] += row.grade == "excellent"
            count[1] += 1
            count[2] += row.status == "approved"
    excellent, graded, approved = counts[True] if counts[True][1] else counts[False]
    return worst(excellent / graded > 1 / 3 and approved > 0, excellent / graded > 1 / 3) if graded else None


def fee_collection(session: Session, branch_id: int, days: Days) -> str | None:
    due = paid = 0
    for row in rows(session, FeePayment, "organization_id", branch_id):
        this_year = str(days.today.year) < str(row.period) <= f"{days.today:%Y-%m}"
        if this_year and row.exempt_reason is None and row.pay_by < days.today:
            due += row.due
            paid += row.paid or 0
    return below(float(paid) / float(due), 0.8, 0.9, 0.98) if due else None


def heart_talks(session: Session, branch_id: int, days: Days) -> str | None:
    members = len(present_members(session, branch_id, days))
    talked = {
        row.member_id
        for row in rows(session, Attendance, "organization_id", branch_id, joinedload(Attendance.meeting))
        if row.status == "present"
        and row.meeting.kind == "heart_talk"
        and row.meeting.status == "held"
        and row.held_on
        and days.year <= row.held_on <= days.today
    }
    if not members or days.today.month == 1:
        return None
    share = len(talked) / members
    return worst(False, days.today == days.year_end and share < 1, days.today.month >= 10 and share < 0.8)


def turnout(session: Session, branch_id: int, days: Days) -> str | None:
    met = [
        row
        for row in held_meetings(session, branch_id, days)
        if row.held_on >= days.quarter and row.kind != "heart_talk" and (row.expected or 0) > 0
    ]
    expected = sum(row.expected for row in met)
    return below(sum(row.attended or 0 for row in met) / expected, 0.5, 0.65, 0.8) if expected else None


def overdue(kind: str, months: int, red: int) -> Warning:
    """A meeting that has to be held every month or quarter."""

    def warning(session: Session, branch_id: int, days: Days) -> str | None:
        if not present_members(session, branch_id, days):
            return None
        held = [row.held_on for row in held_meetings(session, branch_id, days) if row.kind == kind]
        last = max(held, default=session.get_one(Organization, branch_id).founded_on)
        gone = periods_since(last, days.today, months)
        late = days.today.day >= 25 if months == 1 else (days.quarter_end - days.today).days <= 20
        return None if gone is None else worst(gone >= red, gone >= 2, gone >= 1 and late)

    return warning


def yearly(kind: str) -> Warning:
    """A meeting that has to be held every year, in January at the latest."""

    def warning(session: Session, branch_id: int, days: Days) -> str | None:
        if not present_members(session, branch_id, days):
            return None
        held = [row.held_on for row in held_meetings(session, branch_id, days) if row.kind == kind]
        last = moved(max(held), -1) if held else session.get_one(Organization, branch_id).founded_on
        gone, monthday = periods_since(last, days.today, 12), (days.today.month, days.today.day)
        if gone is None:
            return None
        return worst(
            (gone >= 2 and monthday >= (1, 31)) or gone >= 3,
            (gone >= 1 and days.today == days.year_end) or gone >= 2,
            gone >= 1 and monthday >= (11, 30),
        )

    return warning


def member_count_mismatch(session: Session, branch_id: int, days: Days) -> str | None:
    told = [
        row
        for row in rows(session, Observation, "organization_id", branch_id)
        if row.metric == "members_reported_above" and Period.parse(row.period).start <= days.today
    ]
    if not told:
        return None
    there = max(told, key=lambda row: (Period.parse(row.period).start, row.id)).value
    off = abs(len(present_members(session, branch_id, days)) - there) / there if there else None
    return None if off is None else worst(off > 0.05, off > 0.02, off > 0.005)


def term_expiry(session: Session, branch_id: int, days: Days) -> str | None:
    branch = session.get_one(Organization, branch_id)
    ends = branch.extended_to or branch.term_ends_on
    if ends is None or branch.org_type in ("group", "temp_branch", "work_committee", "leading_group"):
        return None
    left = (ends - days.today).days
    return worst(left < 0, left <= 60, left <= 180)


BRANCH_WARNINGS: dict[str, Warning] = {
    "too_few_members": too_few_members,
    "branch_too_large": branch_too_large,
    "committee_vacancy": committee_vacancy,
    "secretary_vacancy": secretary_vacancy,
    "joint_branch_units": joint_branch_units,
    "no_new_members": no_new_members,
    "excellent_share": excellent_share,
    "fee_collection": fee_collection,
    "heart_talks": heart_talks,
    "turnout": turnout,
    "monthly_theme_day": overdue("theme_day", 1, 3),
    "quarterly_assembly": overdue("branch_assembly", 3, 3),
    "quarterly_lecture": overdue("lecture", 3, 3),
    "yearly_life_meeting": yearly("org_life_meeting"),
    "yearly_appraisal": yearly("democratic_appraisal"),
    "member_count_mismatch": member_count_mismatch,
    "term_expiry": term_expiry,
}


def levels(session: Session, warnings: dict[str, Warning], subject: int, days: Days) -> Iterator[tuple[str, str]]:
    """The levels of a subject by warning, one function after another, as a program without shared reading does."""
    for code, warning in warnings.items():
        level = warning(session, subject, days)
        session.expunge_all()
        if level is not None:
            yield code, level
