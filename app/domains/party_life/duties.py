"""What is owed, made into rows: the fees of a month, who is expected at a meeting, required study.

Nightly for everybody (``create_due``), and at once when a meeting is planned or a course published: a listener on the
session sees to that. Every statement is one INSERT … SELECT that leaves alone what is there, so that it can be done
again at any time; codes follow from what a row is about.

One of the named modules that write by Core statements past the row scope and the checks at flush: the system acts, for
the members of the organization whose meeting or course it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Numeric,
    Select,
    String,
    and_,
    case,
    cast,
    event,
    exists,
    func,
    insert,
    inspect,
    literal,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session as OrmSession

from app.database.clock import today
from app.database.engine import for_writing
from app.database.session import Session
from app.domains.members.models import Member, MembershipStatus, Post
from app.domains.organizations.models import Organization
from app.entity.labels import Label
from app.entity.periods import Period, PeriodKind
from app.entity.registry import Entity, registry
from app.evaluation.changes import COARSE_FROM, mark_all, mark_rows

from .code_lists import AttendanceStatus, CourseStatus, MeetingKind, MeetingStatus, StudySource
from .fee_rates import FeePayer, rates_on
from .models import Attendance, Course, FeePayment, Meeting, StudyRecord

Progress = Callable[[Label, int, int], None]

_members, _posts, _organizations = Member.__table__, Post.__table__, Organization.__table__
_meetings, _attendance, _fees = Meeting.__table__, Attendance.__table__, FeePayment.__table__
_courses, _studies = Course.__table__, StudyRecord.__table__

STEPS = (
    ("fee_payment", Label("应缴党费", "Fees due")),
    ("attendance", Label("应到人员", "Expected attendance")),
    ("study_record", Label("必修学习", "Required study")),
)


def create_due(engine: Engine, as_of: date, progress: Progress | None = None) -> dict[str, int]:
    """Create what is owed on a day and is not there yet, in one transaction; how many rows of each entity."""
    counts = {}
    with for_writing(engine).begin() as connection:
        for position, (entity, label) in enumerate(STEPS):
            if progress:
                progress(label, position, len(STEPS))
            match entity:
                case "fee_payment":
                    counts[entity] = owe_fees(connection, as_of)
                case "attendance":
                    counts[entity] = expect_attendance(connection)
                case "study_record":
                    counts[entity] = owe_studies(connection, as_of)
    if progress:
        progress(STEPS[-1][1], len(STEPS), len(STEPS))
    return counts


def owe_fees(connection: Connection, as_of: date) -> int:
    """The fees of the month that ``as_of`` lies in, for members whose fee or base is known: from the month in which
    the branch assembly accepted them, until the month in which they left."""
    month = Period.containing(as_of, PeriodKind.MONTH)
    member = _members.c
    rate = _rate(as_of)
    # To the cent; SQL's round takes half a cent up, for amounts are not below 0.
    due = func.coalesce(member.fee_monthly, func.round(cast(member.fee_base * rate, Numeric(14, 6)), 2))
    rows = select(
        _code("F", str(month).replace("-", ""), member.id),
        member.organization_id,
        member.id,
        literal(str(month)),
        member.fee_base,
        rate,
        due,
        literal(month.end),
        member.is_demonstration,
    ).where(
        member.membership_status.in_([MembershipStatus.NORMAL, MembershipStatus.RESTORED]),
        or_(member.fee_monthly.is_not(None), member.fee_base.is_not(None)),
        or_(member.joined_on.is_(None), member.joined_on <= month.end),
        or_(member.left_on.is_(None), member.left_on >= month.start),
        ~exists().where(_fees.c.member_id == member.id, _fees.c.period == str(month)),
    )
    columns = ["code", "organization_id", "member_id", "period", "base", "rate", "due", "pay_by", "is_demonstration"]
    return _insert(connection, FeePayment, columns, rows)


def _rate(as_of: date) -> Any:
    """The rate of a member's base, by the table in force."""
    bands = rates_on(as_of).bands
    base = _members.c.fee_base

    def of(payer: FeePayer) -> Any:
        steps = [(base <= largest, rate) for largest, rate in bands[payer] if largest is not None]
        return case(*steps, else_=bands[payer][-1][1])

    by_payer = case((_members.c.is_employed == true(), of(FeePayer.EMPLOYED)), else_=of(FeePayer.RETIRED))
    return case((base.is_(None), null()), else_=by_payer)


def expect_attendance(connection: Connection, meetings: Sequence[int] | None = None) -> int:
    """Who is expected at planned meetings (those with these ids; all) that nobody is expected at yet: members of the
    branch; of the group for its meetings; who holds a post for those of the committee. Fills in how many."""
    day = func.coalesce(_meetings.c.held_on, func.date(_meetings.c.planned_at), literal(today()))
    in_office = exists().where(
        _posts.c.member_id == _members.c.id,
        _posts.c.organization_id == _meetings.c.organization_id,
        _posts.c.ended_on.is_(None),
    )
    of_kind = case(
        (_meetings.c.kind == MeetingKind.GROUP_MEETING, _members.c.group_id == _meetings.c.organization_id),
        (
            _meetings.c.kind == MeetingKind.BRANCH_COMMITTEE,
            and_(_members.c.organization_id == _meetings.c.organization_id, in_office),
        ),
        else_=_members.c.organization_id == _meetings.c.organization_id,
    )
    waiting = [
        _meetings.c.status == MeetingStatus.PLANNED,
        ~exists().where(_attendance.c.meeting_id == _meetings.c.id),
    ]
    if meetings is not None:
        waiting.append(_meetings.c.id.in_(meetings))
    chosen = list(connection.scalars(select(_meetings.c.id).where(*waiting)))
    count = 0
    for start in range(0, len(chosen), CHUNK):
        some = chosen[start : start + CHUNK]
        rows = (
            select(
                _code("A", _meetings.c.id, "M", _members.c.id),
                _members.c.organization_id,
                _meetings.c.id,
                _members.c.id,
                literal(AttendanceStatus.EXPECTED.value),
                _meetings.c.held_on,
                _meetings.c.is_double,
                _meetings.c.is_demonstration,
            )
            .select_from(_meetings.join(_members, of_kind))
            .where(
                _meetings.c.id.in_(some),
                _members.c.membership_status.in_([MembershipStatus.NORMAL, MembershipStatus.RESTORED]),
                _members.c.is_lost.is_not(True),
                or_(_members.c.joined_on.is_(None), _members.c.joined_on <= day),
                or_(_members.c.left_on.is_(None), _members.c.left_on >= day),
            )
        )
        columns = ["code", "organization_id", "meeting_id", "member_id", "status", "held_on", "is_double"]
        count += _insert(connection, Attendance, [*columns, "is_demonstration"], rows)
        expected = (
            select(func.count()).select_from(_attendance).where(_attendance.c.meeting_id == _meetings.c.id)
        ).scalar_subquery()
        connection.execute(
            update(_meetings).where(_meetings.c.id.in_(some), _meetings.c.expected.is_(None)).values(expected=expected)
        )
        places = select(_meetings.c.id, _meetings.c.organization_id, null()).where(_meetings.c.id.in_(some))
        mark_rows(connection, "meeting", connection.execute(places))
    return count


def owe_studies(connection: Connection, as_of: date, courses: Sequence[int] | None = None) -> int:
    """Required courses (those with these ids; all) that are published and still open on ``as_of``, for every member of
    the organization that published them and of those below it."""
    below = _organizations.c.path.like(_above.c.path + "%")
    chosen = [
        _courses.c.status == CourseStatus.PUBLISHED,
        _courses.c.is_required.is_(True),
        _courses.c.published_on <= as_of,
        or_(_courses.c.due_on.is_(None), _courses.c.due_on >= as_of),
    ]
    if courses is not None:
        chosen.append(_courses.c.id.in_(courses))
    rows = (
        select(
            _code("S", _courses.c.id, "M", _members.c.id),
            _members.c.organization_id,
            _members.c.id,
            _courses.c.id,
            _courses.c.title,
            literal(0.0),
            literal(StudySource.ONLINE.value),
            _courses.c.is_demonstration,
        )
        .select_from(
            _courses.join(_above, _above.c.id == _courses.c.organization_id)
            .join(_organizations, below)
            .join(_members, _members.c.organization_id == _organizations.c.id)
        )
        .where(
            *chosen,
            _members.c.membership_status.in_([MembershipStatus.NORMAL, MembershipStatus.RESTORED]),
            or_(_members.c.joined_on.is_(None), _courses.c.due_on.is_(None), _members.c.joined_on <= _courses.c.due_on),
            or_(_members.c.left_on.is_(None), _members.c.left_on >= as_of),
            ~exists().where(_studies.c.member_id == _members.c.id, _studies.c.course_id == _courses.c.id),
        )
    )
    columns = ["code", "organization_id", "member_id", "course_id", "title", "hours", "source", "is_demonstration"]
    return _insert(connection, StudyRecord, columns, rows)


_above = _organizations.alias("publisher")
CHUNK = 500
"""Ids to a statement, below every database's limit of parameters."""


def _code(*parts: Any) -> Any:
    """A code put together in the database."""
    code: Any = literal("", String)
    for part in parts:
        code = code + (literal(part, String) if isinstance(part, str) else cast(part, String(20)))
    return code


def _insert(connection: Connection, model: type[Entity], columns: list[str], rows: Select[Any]) -> int:
    """Insert rows and mark them as changes, so that the lights of whom they are about follow; how many."""
    table = model.__table__
    last = connection.scalar(select(func.coalesce(func.max(table.c.id), 0)))
    statement = insert(table).from_select([table.c[name] for name in columns], rows, include_defaults=False)
    count = connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
    entity = registry.of(model)
    if count > COARSE_FROM:
        mark_all(connection, entity.code)
    elif count:
        # Another transaction may have drawn a number in between; to score its subjects again does no harm.
        made = select(table.c.id, table.c.organization_id, table.c.member_id).where(table.c.id > last)
        mark_rows(connection, entity.code, connection.execute(made))
    return count


@event.listens_for(Session, "after_flush")
def _at_publication(session: OrmSession, _context: Any) -> None:
    """Meetings just planned and courses just published: what follows is owed from now on."""
    meetings = [row.id for row in _touched(session, Meeting, "status") if row.status == MeetingStatus.PLANNED]
    courses = [
        row.id
        for row in _touched(session, Course, "status", "is_required", "published_on")
        if row.status == CourseStatus.PUBLISHED and row.is_required
    ]
    for start in range(0, len(meetings), CHUNK):
        expect_attendance(session.connection(), meetings[start : start + CHUNK])
    for start in range(0, len(courses), CHUNK):
        owe_studies(session.connection(), today(), courses[start : start + CHUNK])


def _touched(session: OrmSession, model: type, *names: str) -> list[Any]:
    """Rows of a model that this flush adds, or in which one of these fields changes."""
    changed = [row for row in session.dirty if isinstance(row, model)]
    return [row for row in session.new if isinstance(row, model)] + [
        row for row in changed if any(inspect(row).attrs[name].history.has_changes() for name in names)
    ]
