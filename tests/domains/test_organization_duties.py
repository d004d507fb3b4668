"""Visits and what becomes of an issue, tasks and the reports on them, assessments."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, select

from app.access.errors import OutOfScope
from app.access.operations import NotOffered
from app.database.clock import today
from app.database.session import Session
from app.domains.calendar.models import DayKind, Holiday
from app.domains.calendar.operations import working_days_later
from app.domains.duties import operations
from app.domains.duties.models import TaskReport
from app.entity.faults import InvalidRow
from app.entity.labels import UserError
from tests import factories as make
from tests.domains.doing import do, staff
from tests.domains.test_party_life import TOMORROW, faults

SOON = today() + timedelta(days=20)
PAST = today() - timedelta(days=10)


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (lambda: make.visit(), set()),
        (lambda: make.visit(visited_on=TOMORROW), {"visited_on"}),
        (lambda: make.visit(issue="漏水", due_on=date(2026, 3, 1)), {"due_on"}),
        (lambda: make.visit(issue="漏水", status="closed"), {"closed_on"}),
        (lambda: make.visit(issue="漏水", handled_on=date(2026, 3, 1)), {"handled_on"}),
        (lambda: make.visit(status="handling"), {"issue"}),
        (lambda: make.visit(satisfaction=6), {"satisfaction"}),
        (lambda: make.task(targets="one"), {"target_id"}),
        (lambda: make.task(due_on=date(2026, 3, 4)), {"due_on"}),
        (lambda: make.task(sign_by=date(2026, 3, 1)), {"sign_by"}),
        (lambda: make.task_report(signed_on=date(2026, 3, 1)), {"signed_on"}),
        (lambda: make.task_report(reported_on=date(2026, 3, 9)), {"signed_on"}),
        (lambda: make.task_report(sign_by=date(2026, 4, 9)), {"due_on"}),
        (lambda: make.task_report(status="done"), {"reviewed_on"}),
        (lambda: make.assessment(self_weight=20), {"superior_weight"}),
        (lambda: make.assessment(self_score=101.0), {"self_score"}),
        (lambda: make.assessment(status="final"), {"decided_on"}),
    ],
)
def test_what_is_refused(session: Session, row, wrong: set[str]):
    assert faults(session, row()) == wrong


# --- visits ---


def test_an_issue_is_to_be_settled_by_how_urgent_it_is(session: Session):
    quiet, urgent = make.visit(), make.visit(issue="燃气泄漏", urgency="critical")
    session.add_all([quiet, urgent])
    session.commit()
    assert (quiet.status, quiet.due_on) == ("recorded", None)
    assert (urgent.status, urgent.due_on, urgent.category) == ("pending", date(2026, 3, 11), "other")


def test_visitor_is_the_member_unless_somebody_else_is_named(session: Session):
    visit = make.visit(visitor=None, member=make.member(name="演示党员"), organization=None)
    session.add(visit)
    session.commit()
    assert visit.visitor == "演示党员"
    assert visit.organization_id == visit.member.organization_id


def test_an_issue_is_assigned_handled_reopened_and_closed(engine: Engine, session: Session):
    visit = make.visit(issue="楼道堆物", visited_on=PAST)
    session.add(visit)
    session.commit()
    with pytest.raises(NotOffered):
        do(engine, visit, "close", satisfaction=5)
    do(engine, visit, "assign", handled_by="物业", due_on=SOON)
    with pytest.raises(InvalidRow):
        do(engine, visit, "handle", handled_on=PAST - timedelta(days=1), outcome="已清理")
    do(engine, visit, "handle", handled_on=today(), outcome="已清理")
    do(engine, visit, "reopen")
    assert (visit.status, visit.handled_on, visit.outcome) == ("handling", None, "已清理")
    do(engine, visit, "handle", handled_on=today(), outcome="全部清理")
    with pytest.raises(InvalidRow):
        do(engine, visit, "close", satisfaction=0)
    do(engine, visit, "close", satisfaction=4)
    assert (visit.status, visit.closed_on, visit.satisfaction) == ("closed", today(), 4)


# --- tasks ---


@pytest.fixture
def tree(session: Session) -> dict:
    found = make.tree()
    session.add_all(found.values())
    session.commit()
    return found


def draft(session: Session, organization, **values):
    values = {"status": "draft", "issued_on": None, "sign_by": None, "due_on": SOON, **values}
    row = make.task(organization=organization, **values)
    session.add(row)
    session.commit()
    return row


def reports(session: Session, task) -> dict[int, TaskReport]:
    found = session.scalars(select(TaskReport).where(TaskReport.task_id == task.id))
    return {report.organization_id: report for report in found}


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ({"targets": "children"}, {"street_a", "street_b"}),
        ({"targets": "branches"}, {"branch_a1", "branch_a2", "branch_b1", "branch_b2"}),
        ({"targets": "children", "unit_type": "street"}, {"street_a", "street_b"}),
    ],
)
def test_issuing_makes_a_report_for_each_organization(engine, session: Session, tree: dict, values, places: set[str]):
    task = draft(session, tree["district"], **values)
    do(engine, task, "issue", staff(tree["district"]))
    assert set(reports(session, task)) == {tree[place].id for place in places}
    assert (task.status, task.issued_on, task.reports_due) == ("issued", today(), len(places))
    assert task.sign_by == today() + timedelta(days=3)
    with pytest.raises(NotOffered):
        do(engine, task, "issue")


def test_a_task_for_one_and_for_one_more(engine: Engine, session: Session, tree: dict):
    task = draft(session, tree["district"], targets="one", target_id=tree["street_a"].id)
    do(engine, task, "issue")
    do(engine, task, "add_organization", organization_id=tree["branch_b1"].id)
    assert set(reports(session, task)) == {tree["street_a"].id, tree["branch_b1"].id}
    for again in ("branch_b1", "district"):
        with pytest.raises(UserError):
            do(engine, task, "add_organization", organization_id=tree[again].id)


def test_nothing_is_issued_that_nobody_gets_or_that_is_past(engine: Engine, session: Session, tree: dict):
    nobody = draft(session, tree["branch_a1"])
    with pytest.raises(UserError, match="没有符合条件"):
        do(engine, nobody, "issue")
    late = draft(session, tree["district"], due_on=PAST)
    with pytest.raises(InvalidRow):
        do(engine, late, "issue")
    assert not reports(session, late)
    assert late.status == "draft"


def test_signed_reported_returned_and_approved(engine: Engine, session: Session, tree: dict):
    task = draft(session, tree["street_a"])
    do(engine, task, "issue")
    report = reports(session, task)[tree["branch_a1"].id]
    branch, street = staff(tree["branch_a1"]), staff(tree["street_a"])
    with pytest.raises(NotOffered):
        do(engine, report, "submit", branch, report="先干再签")
    do(engine, report, "sign", branch, signed_by="组织委员")
    do(engine, report, "submit", branch, report="已完成")
    with pytest.raises(OutOfScope):
        do(engine, report, "approve", branch)
    do(engine, report, "send_back", street, reason="缺照片")
    assert (report.status, report.return_count, report.opinion) == ("returned", 1, "缺照片")
    with pytest.raises(UserError, match="没有完成"):
        do(engine, task, "close", street)
    do(engine, report, "submit", branch, report="已补照片")
    do(engine, report, "approve", street)
    assert (report.status, report.reviewed_on) == ("done", today())
    do(engine, task, "cancel", street, reason="合并办理")
    states = {each.organization_id: str(each.status) for each in reports(session, task).values()}
    assert states == {tree["branch_a1"].id: "done", tree["branch_a2"].id: "cancelled"}


def test_without_feedback_signing_is_all(engine: Engine, session: Session, tree: dict):
    task = draft(session, tree["street_a"], needs_feedback=False)
    do(engine, task, "issue")
    for report in reports(session, task).values():
        do(engine, report, "sign", signed_by="书记")
        assert report.status == "done"
    do(engine, task, "close")
    assert task.status == "closed"


def test_what_is_owed_after_its_day_is_overdue_and_can_still_be_done(engine: Engine, session: Session, tree: dict):
    task = make.task(organization=tree["street_a"], issued_on=PAST, sign_by=PAST, due_on=PAST + timedelta(days=5))
    owed = make.task_report(task=task, organization=tree["branch_a1"], issued_on=PAST, sign_by=PAST)
    done = make.task_report(task=task, organization=tree["branch_a2"], issued_on=PAST, sign_by=PAST, status="done",
                            signed_on=PAST, reported_on=PAST, reviewed_on=PAST)  # fmt: skip
    session.add_all([owed, done])
    session.commit()
    assert operations.mark_overdue(engine, PAST + timedelta(days=5)) == 0, "its last day is not over"
    assert operations.mark_overdue(engine, today()) == 1
    assert operations.mark_overdue(engine, today()) == 0
    session.expire_all()
    assert (owed.overdue_on, done.overdue_on) == (PAST + timedelta(days=6), None)
    do(engine, owed, "sign", signed_by="书记")
    assert owed.status == "in_progress"


def test_reports_follow_their_task(session: Session):
    report = make.task_report()
    session.add(report)
    session.commit()
    assert (report.title, report.issuer_id) == ("测试任务", report.task.organization_id)
    report.task.due_on = date(2026, 4, 10)
    session.commit()
    assert report.due_on == date(2026, 4, 10)


# --- assessments ---


def test_final_score_is_weighted_once_all_are_known(session: Session):
    row = make.assessment(self_score=90.0, peer_score=80.0)
    session.add(row)
    session.commit()
    assert row.final_score is None
    row.superior_score = 70.0
    session.commit()
    assert row.final_score == 79.0  # 9 + 56 + 14
    row.self_weight, row.peer_weight, row.superior_weight = 0, 50, 50
    row.self_score = None
    session.commit()
    assert row.final_score == 75.0, "what weighs nothing is not needed"


def scored(engine: Engine, session: Session, tree: dict, place: str, peers: float):
    row = make.assessment(organization=tree[place])
    session.add(row)
    session.commit()
    do(engine, row, "score_self", staff(tree[place]), self_score=90, self_report="一年来")
    do(engine, row, "score", staff(tree["street_a"]), peer_score=peers, superior_score=80)
    return row


def test_assessments_are_scored_publicised_ranked_objected_and_decided(engine: Engine, session: Session, tree: dict):
    first, second = (scored(engine, session, tree, f"branch_a{n}", peers) for n, peers in ((1, 80), (2, 90)))
    street = staff(tree["street_a"])
    assert first.assessor_id == tree["street_a"].id
    with pytest.raises(OutOfScope):
        do(engine, first, "publicise", staff(tree["branch_a1"]))
    do(engine, first, "publicise", street)
    assert first.final_rank == 1
    do(engine, second, "publicise", street)
    assert (first.final_rank, second.final_rank) == (2, 1)
    assert first.objection_until > today()
    with pytest.raises(NotOffered):
        do(engine, first, "decide", street)
    do(engine, first, "object", staff(tree["branch_a1"]), objection="漏计一次活动")
    do(engine, first, "answer_objection", street, objection_reply="已核实", superior_score=100)
    assert (first.final_score, first.final_rank) == (85.0, 2)
    first.objection_from, first.objection_until = PAST, today() - timedelta(days=1)
    session.commit()
    do(engine, first, "decide", street)
    assert (first.status, first.decided_on) == ("final", today())


def test_working_days_follow_the_calendar(session: Session):
    friday = date(2026, 3, 6)
    assert working_days_later(session, friday, 1) == date(2026, 3, 9)
    assert working_days_later(session, friday, 5) == date(2026, 3, 13)
    session.add_all(
        [
            Holiday(day=date(2026, 3, 7), name="调休", kind=DayKind.WORKING_DAY),
            Holiday(day=date(2026, 3, 9), name="假日", kind=DayKind.HOLIDAY),
        ]
    )
    session.commit()
    assert working_days_later(session, friday, 1) == date(2026, 3, 7)
    assert working_days_later(session, friday, 2) == date(2026, 3, 10)
