"""What visits, tasks and assessments have to satisfy beyond their single fields.

The weights of an assessment are those of 张家港 2013 (own 10, members and residents 70, superior 20) unless others are
given; the limits for issues are this project's convention.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from app.database.clock import today
from app.entity.faults import FieldError
from app.entity.related import Related

from .code_lists import AssessmentStatus, ReportStatus, TaskTargets, Urgency, VisitStatus

SELF_WEIGHT, PEER_WEIGHT, SUPERIOR_WEIGHT = 10, 70, 20
DAYS_FOR_ISSUE = {Urgency.NORMAL: 15, Urgency.URGENT: 5, Urgency.CRITICAL: 1}
SIGN_WITHIN_DAYS = 3
SETTLED = (ReportStatus.DONE, ReportStatus.CANCELLED)


def issue_due_on(visited_on: date | None, urgency: Urgency) -> date | None:
    """Until when an issue is to be settled."""
    return visited_on + timedelta(days=DAYS_FOR_ISSUE[Urgency(urgency)]) if visited_on else None


def _not_later_than_today(row: Any, *names: str) -> Iterator[FieldError]:
    for name in names:
        value = getattr(row, name)
        if value and value > today():
            yield FieldError(name, "不能晚于今天", "must not be later than today")


def _in_order(row: Any, *steps: tuple[str, str, str]) -> Iterator[FieldError]:
    """Dates that must not be before the one that stands before them; each with what that one is called."""
    previous = None
    for name, zh, en in steps:
        value = getattr(row, name)
        if value is None:
            continue
        if previous and value < previous[0]:
            yield FieldError(name, f"不能早于{previous[1]}", f"must not be before it {previous[2]}")
        previous = (value, zh, en)


def visit_faults(row: Any, related: Related) -> Iterator[FieldError]:
    yield from _not_later_than_today(row, "visited_on", "handled_on", "closed_on")
    yield from _in_order(
        row,
        ("visited_on", "走访日期", "was visited"),
        ("handled_on", "办理完成日期", "was handled"),
        ("closed_on", "办结日期", "was closed"),
    )
    if row.due_on and row.due_on < row.visited_on:
        yield FieldError("due_on", "不能早于走访日期", "must not be before the visit")
    if not row.issue and row.status != VisitStatus.RECORDED:
        yield FieldError("issue", "已经在办理，不能清空问题", "it is being handled already: the issue has to stay")
    if row.status == VisitStatus.CLOSED and not row.closed_on:
        yield FieldError("closed_on", "已办结的要填办结日期", "a closed issue needs the day")
    if row.satisfaction is not None and not 1 <= row.satisfaction <= 5:
        yield FieldError("satisfaction", "应为 1 到 5 分", "should be from 1 to 5")


def task_faults(row: Any, related: Related) -> Iterator[FieldError]:
    if row.targets == TaskTargets.ONE and related.value(row, "target") is None:
        yield FieldError("target_id", "请选择要下达的党组织", "choose the organization")
    if row.targets != TaskTargets.ONE and related.value(row, "target") is not None:
        yield FieldError(
            "target_id", "下达对象不是“指定一个党组织”，这里不填", "only for a task given to one organization"
        )
    if row.sign_by and row.due_on < row.sign_by:
        yield FieldError("due_on", "不能早于签收期限", "must not be before it is to be signed for")
    if row.issued_on and row.due_on < row.issued_on:
        yield FieldError("due_on", "不能早于下达日期", "must not be before it is issued")
    if row.issued_on and row.sign_by and row.sign_by < row.issued_on:
        yield FieldError("sign_by", "不能早于下达日期", "must not be before it is issued")


def report_faults(row: Any, related: Related) -> Iterator[FieldError]:
    yield from _not_later_than_today(row, "signed_on", "reported_on", "reviewed_on")
    yield from _in_order(
        row,
        ("issued_on", "下达日期", "was issued"),
        ("signed_on", "签收日期", "was signed for"),
        ("reported_on", "反馈日期", "was reported"),
        ("reviewed_on", "审核日期", "was reviewed"),
    )
    yield from _in_order(
        row,
        ("issued_on", "下达日期", "was issued"),
        ("sign_by", "签收期限", "was to be signed for"),
        ("due_on", "完成期限", "is due"),
    )
    if row.reported_on and not row.signed_on:
        yield FieldError("signed_on", "先签收，再反馈", "it is signed for before it is reported on")
    if row.status == ReportStatus.DONE and not row.reviewed_on:
        yield FieldError("reviewed_on", "完成的要填审核日期", "a task that is done needs the day of its review")


def assessment_faults(row: Any, related: Related) -> Iterator[FieldError]:
    weights = [row.self_weight, row.peer_weight, row.superior_weight]
    if min(weights) < 0 or sum(weights) != 100:
        yield FieldError(
            "superior_weight",
            f"三项权重合计应为 100%，现为 {sum(weights)}%",
            f"the weights make {sum(weights)}%, not 100%",
        )
    for name in ("self_score", "peer_score", "superior_score"):
        value = getattr(row, name)
        if value is not None and not 0 <= value <= 100:
            yield FieldError(name, "应在 0 和 100 之间", "should be from 0 to 100")
    if row.objection_from and row.objection_until and row.objection_until < row.objection_from:
        yield FieldError("objection_until", "不能早于公示起始日", "must not be before objections may be made")
    if row.status == AssessmentStatus.FINAL and not row.decided_on:
        yield FieldError("decided_on", "已确定的要填日期", "a final assessment needs the day")
    yield from _not_later_than_today(row, "reported_on", "decided_on")
    organization, assessor = related.value(row, "organization"), related.value(row, "assessor")
    if assessor is not None and assessor == organization:
        yield FieldError("assessor_id", "不能由自己考核自己", "an organization does not assess itself")


def weighted(row: Any) -> float | None:
    """The final score, once all three with a weight are known; to two decimals."""
    parts = (
        (row.self_score, row.self_weight),
        (row.peer_score, row.peer_weight),
        (row.superior_score, row.superior_weight),
    )
    if any(weight is None or (weight and score is None) for score, weight in parts):
        return None
    return round(sum((score or 0) * weight for score, weight in parts) / 100, 2)
