"""One function an entity that gives a row with harmless values. What a test is about, it says itself.

Rows are not added to a session; relations to them are, with them: ``session.add(meeting(organization=branch))``.
"""

from __future__ import annotations

import itertools
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.domains.attachments.models import Attachment
from app.domains.calendar.models import Holiday
from app.domains.content.models import Article, Survey, SurveyAnswer
from app.domains.development.models import DevelopmentCase, DevelopmentReview, MembershipTransfer
from app.domains.duties.models import Assessment, Task, TaskReport, Visit
from app.domains.members.models import Member, Post
from app.domains.observations.models import Observation
from app.domains.organizations.models import Organization
from app.domains.partnership.models import Demand, Match, Project, Resource
from app.domains.party_life.models import (
    Appraisal,
    Attendance,
    Commendation,
    Course,
    FeePayment,
    Meeting,
    StudyRecord,
)
from app.domains.performance.models import (
    PerformanceCost,
    PerformanceFunding,
    PerformanceGoal,
    PerformanceSafeguard,
    PerformanceTarget,
)
from app.domains.volunteering.models import Activity, CheckIn, Enrolment, Volunteer
from app.domains.wishes.models import PointEntry, Wish, WishClaim

_numbers = itertools.count(1)


def _code(prefix: str) -> str:
    return f"{prefix}{next(_numbers):06d}"


def organization(**values: Any) -> Organization:
    values = {
        "code": _code("O"),
        "name": "测试党支部",
        "tier": "branch",
        "org_type": "branch",
        "unit_type": "community",
        "founded_on": date(2015, 1, 1),
        **values,
    }
    return Organization(**values)


def tree() -> dict[str, Organization]:
    """A district, two streets and two branches in each, by name: district, street_a, branch_a1, branch_a2, …"""
    district = organization(code="D", name="测试区", tier="district", org_type="committee", unit_type="agency")
    found = {"district": district}
    for letter in "ab":
        street = organization(
            code=f"D{letter.upper()}",
            name=f"{letter.upper()}街道",
            tier="street",
            org_type="work_committee",
            unit_type="street",
            parent=district,
        )
        found[f"street_{letter}"] = street
        for number in (1, 2):
            found[f"branch_{letter}{number}"] = organization(
                code=f"D{letter.upper()}{number}", name=f"{letter.upper()}{number}支部", parent=street
            )
    return found


def _with(relation: str, make: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The values with the relation made, unless it or its id is given."""
    if relation in values or f"{relation}_id" in values:
        return values
    return {relation: make(), **values}


def member(**values: Any) -> Member:
    values = _with("organization", organization, values)
    return Member(**{"code": _code("M"), "name": "测试党员", "joined_on": date(2010, 7, 1), **values})


def attachment(**values: Any) -> Attachment:
    values = _with("organization", organization, values)
    given = {
        "name": "会议记录.pdf",
        "record_entity": "organization",
        "record_id": values.get("organization_id", 1),
        "media_type": "application/pdf",
        "byte_count": 1024,
        "content_hash": "0" * 64,
        "uploaded_by": "tests",
        "uploaded_at": datetime(2026, 7, 1, 9, 30),
    }
    return Attachment(**given | values)


def post(**values: Any) -> Post:
    values = _with("organization", organization, values)
    return Post(**{"code": _code("P"), "post": "secretary", "started_on": date(2023, 1, 1), **values})


def meeting(**values: Any) -> Meeting:
    values = _with("organization", organization, values)
    values = {
        "code": _code("MT"),
        "kind": "theme_day",
        "topic": "测试主题党日",
        "status": "held",
        "held_on": date(2026, 3, 10),
        **values,
    }
    return Meeting(**values)


def attendance(**values: Any) -> Attendance:
    values = _with("meeting", meeting, _with("member", member, values))
    return Attendance(**{"code": _code("AT"), "status": "present", **values})


def fee_payment(**values: Any) -> FeePayment:
    values = _with("member", member, values)
    values = {
        "code": _code("F"),
        "period": "2026-03",
        "due": Decimal("20.00"),
        "pay_by": date(2026, 3, 31),
        **values,
    }
    return FeePayment(**values)


def course(**values: Any) -> Course:
    values = _with("organization", organization, values)
    values = {
        "code": _code("C"),
        "title": "测试课程",
        "hours": 4.0,
        "status": "published",
        "published_on": date(2026, 2, 1),
        **values,
    }
    return Course(**values)


def study_record(**values: Any) -> StudyRecord:
    values = _with("member", member, values)
    return StudyRecord(
        **{"code": _code("S"), "title": "测试学习", "hours": 4.0, "completed_on": date(2026, 3, 5), **values}
    )


def appraisal(**values: Any) -> Appraisal:
    values = _with("member", member, values)
    return Appraisal(**{"code": _code("AP"), "period": "2025", "appraised_on": date(2025, 12, 20), **values})


def commendation(**values: Any) -> Commendation:
    if "member" not in values and "member_id" not in values:
        values = _with("organization", organization, values)
    values = {
        "code": _code("CM"),
        "kind": "commendation",
        "tier": "district",
        "title": "先进党支部",
        "issued_on": date(2026, 7, 1),
        **values,
    }
    return Commendation(**values)


def observation(**values: Any) -> Observation:
    if "member" not in values and "member_id" not in values:
        values = _with("organization", organization, values)
    return Observation(**{"code": _code("OB"), "metric": "satisfaction", "period": "2026-03", "value": 90.0, **values})


def holiday(**values: Any) -> Holiday:
    return Holiday(**{"code": _code("H"), "day": date(2026, 10, 1), "name": "国庆节", "kind": "holiday", **values})


# --- development and transfers ---


def membership_transfer(**values: Any) -> MembershipTransfer:
    """To outside, not issued yet, unless other parties are given."""
    values = _with("member", member, values)
    if "to_organization" not in values and "to_organization_id" not in values:
        values = {"kind": "outgoing", "outside": "外省某支部", **values}
    return MembershipTransfer(**{"code": _code("ZJ"), **values})


def development_case(**values: Any) -> DevelopmentCase:
    """An activist since 2026-02-01, unless other dates are given."""
    values = _with("organization", organization, values)
    if "contact_one_id" not in values:
        own = {name: values[name] for name in ("organization", "organization_id") if name in values}
        values = {"contact_one": member(**own), **values}
    values = {
        "code": _code("FZ"),
        "name": "测试申请人",
        "birth_date": date(1998, 5, 4),
        "applied_on": date(2025, 12, 1),
        "talked_on": date(2025, 12, 20),
        "activist_on": date(2026, 2, 1),
        **values,
    }
    return DevelopmentCase(**values)


def development_review(**values: Any) -> DevelopmentReview:
    values = _with("case", development_case, values)
    return DevelopmentReview(**{"code": _code("KC"), "reviewed_on": date(2026, 7, 20), **values})


# --- wishes and volunteering ---


def volunteer(**values: Any) -> Volunteer:
    values = _with("organization", organization, values)
    values = {"code": _code("V"), "name": "测试志愿者", "registered_on": date(2024, 3, 5), **values}
    return Volunteer(**values)


def activity(**values: Any) -> Activity:
    """Two hours in March 2026, published."""
    values = _with("organization", organization, values)
    values = {
        "code": _code("HD"),
        "title": "测试志愿活动",
        "status": "published",
        "starts_at": datetime(2026, 3, 7, 9),
        "ends_at": datetime(2026, 3, 7, 11),
        "capacity": 20,
        **values,
    }
    return Activity(**values)


def enrolment(**values: Any) -> Enrolment:
    values = _with("activity", activity, _with("volunteer", volunteer, values))
    return Enrolment(**{"code": _code("BM"), "enrolled_at": datetime(2026, 3, 1, 12), **values})


def check_in(**values: Any) -> CheckIn:
    """The whole of the activity, waiting to be confirmed."""
    values = _with("enrolment", enrolment, values)
    values = {
        "code": _code("QD"),
        "signed_in_at": datetime(2026, 3, 7, 9),
        "signed_out_at": datetime(2026, 3, 7, 11),
        **values,
    }
    return CheckIn(**values)


def wish(**values: Any) -> Wish:
    values = _with("organization", organization, values)
    return Wish(**{"code": _code("XY"), "title": "测试心愿", "public_name": "李阿姨", **values})


def wish_claim(**values: Any) -> WishClaim:
    values = _with("wish", wish, _with("member", member, values))
    return WishClaim(**{"code": _code("RL"), "claimed_on": date(2026, 3, 2), **values})


def point_entry(**values: Any) -> PointEntry:
    """The first line of an account of its own."""
    if "member" not in values and "member_id" not in values:
        values = _with("organization", organization, values)
    code = _code("JF")
    values = {
        "code": code,
        "holder": "测试党员",
        "account": f"test:{code}",
        "serial_no": 1,
        "reason": "correction",
        "delta": 10,
        "balance": 10,
        "earned_on": date(2026, 3, 7),
        "idempotency_key": code,
        **values,
    }
    return PointEntry(**values)


# --- partnership ---


def resource(**values: Any) -> Resource:
    """A lecture room, a draft unless it is said to be open."""
    values = _with("organization", organization, values)
    return Resource(**{"code": _code("ZY"), "title": "测试会议室", "category": "venue", **values})


def demand(**values: Any) -> Demand:
    values = _with("organization", organization, values)
    return Demand(**{"code": _code("XQ"), "title": "测试场地需求", "category": "venue", **values})


def match(**values: Any) -> Match:
    values = _with("resource", resource, _with("demand", demand, values))
    return Match(**{"code": _code("DJ"), "score": 80.0, "suggested_on": date(2026, 3, 2), **values})


def project(**values: Any) -> Project:
    values = _with("organization", organization, values)
    values = {
        "code": _code("XM"),
        "title": "测试项目",
        "started_on": date(2026, 3, 1),
        "due_on": date(2026, 6, 30),
        **values,
    }
    return Project(**values)


# --- visits, tasks, assessments ---


def visit(**values: Any) -> Visit:
    values = _with("organization", organization, values)
    values = {"code": _code("ZF"), "household": "3号楼201室", "visitor": "测试走访人", **values}
    return Visit(**{"visited_on": date(2026, 3, 10), **values})


def task(**values: Any) -> Task:
    """Issued on 2026-03-02, due by the end of the month."""
    values = _with("organization", organization, values)
    values = {
        "code": _code("RW"),
        "title": "测试任务",
        "status": "issued",
        "issued_on": date(2026, 3, 2),
        "sign_by": date(2026, 3, 5),
        "due_on": date(2026, 3, 31),
        **values,
    }
    return Task(**values)


def task_report(**values: Any) -> TaskReport:
    values = _with("task", task, _with("organization", organization, values))
    values = {"code": _code("BL"), "issued_on": date(2026, 3, 2), "sign_by": date(2026, 3, 5), **values}
    return TaskReport(**values)


def assessment(**values: Any) -> Assessment:
    values = _with("organization", organization, values)
    return Assessment(**{"code": _code("KH"), "scheme": "测试考核方案", "period": "2026", **values})


# --- articles and surveys ---


def article(**values: Any) -> Article:
    values = _with("organization", organization, values)
    values = {
        "code": _code("WZ"),
        "title": "测试文章",
        "body": "正文",
        "status": "published",
        "published_on": date(2026, 3, 2),
        **values,
    }
    return Article(**values)


def survey(**values: Any) -> Survey:
    """Open during March 2026."""
    values = _with("organization", organization, values)
    values = {
        "code": _code("WJ"),
        "title": "测试问卷",
        "question": "您满意吗？",
        "status": "open",
        "published_on": date(2026, 3, 1),
        "opens_on": date(2026, 3, 1),
        "closes_on": date(2026, 3, 31),
        **values,
    }
    return Survey(**values)


def survey_answer(**values: Any) -> SurveyAnswer:
    values = _with("survey", survey, values)
    return SurveyAnswer(**{"code": _code("DA"), "rating": "4", "answered_on": date(2026, 3, 5), **values})


# --- project performance ---


def performance_target(**values: Any) -> PerformanceTarget:
    values = _with("organization", organization, values)
    values = {
        "code": _code("JX"),
        "title": f"测试项目{next(_numbers)}",
        "period": "2026",
        "started_on": date(2026, 1, 1),
        "ended_on": date(2026, 12, 31),
        "total_budget": Decimal("100000.00"),
        "year_budget": Decimal("100000.00"),
        **values,
    }
    return PerformanceTarget(**values)


def performance_funding(**values: Any) -> PerformanceFunding:
    values = _with("target", performance_target, values)
    return PerformanceFunding(**{"code": _code("ZJ"), "source": "own", "amount": Decimal("100000.00"), **values})


def performance_goal(**values: Any) -> PerformanceGoal:
    values = _with("target", performance_target, values)
    values = {
        "code": _code("ZBX"),
        "title": "测试完成率",
        "kind": "output",
        "dimension": "quantity",
        "target_value": 100.0,
        **values,
    }
    return PerformanceGoal(**values)


def performance_cost(**values: Any) -> PerformanceCost:
    values = _with("target", performance_target, values)
    values = {
        "code": _code("GC"),
        "content_item": "测试服务",
        "detail": f"测试明细{next(_numbers)}",
        "unit_price": Decimal("250.00"),
        "quantity": 400.0,
        **values,
    }
    return PerformanceCost(**values)


def performance_safeguard(**values: Any) -> PerformanceSafeguard:
    values = _with("target", performance_target, values)
    values = {"code": _code("ZD"), "area": "project", "document_name": f"测试办法{next(_numbers)}", **values}
    return PerformanceSafeguard(**{"at_planning": True, **values})
