"""What the records of Party life have to satisfy beyond their single fields.

Sources: 《中国共产党支部工作条例（试行）》 (a branch assembly needs more than half of those entitled to vote),
《党费收缴、使用和管理的规定》, 《民主评议党员》 practice: probationary members take part without a grade.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from app.database.clock import today
from app.entity.faults import FieldError
from app.entity.periods import Period, PeriodKind
from app.entity.related import Related


def _not_later_than_today(row: Any, *names: str) -> Iterator[FieldError]:
    now = today()
    for name in names:
        value = getattr(row, name)
        if value and value > now:
            yield FieldError(name, "不能晚于今天", "must not be later than today")


def _not_negative(row: Any, *names: str) -> Iterator[FieldError]:
    for name in names:
        value = getattr(row, name)
        if value is not None and value < 0:
            yield FieldError(name, "不能小于 0", "must not be below 0")


def _of_kind(row: Any, kind: PeriodKind, zh: str, en: str) -> Iterator[FieldError]:
    if Period.parse(row.period).kind is not kind:
        yield FieldError("period", zh, en)


def meeting_faults(row: Any, related: Related) -> Iterator[FieldError]:
    yield from _not_negative(row, "expected", "attended", "on_leave", "absent")
    yield from _not_later_than_today(row, "reviewed_on")
    if row.status == "held":
        if not row.held_on:
            yield FieldError("held_on", "已召开的要填召开日期", "a meeting that was held needs its day")
        else:
            yield from _not_later_than_today(row, "held_on")
    came = sum(count or 0 for count in (row.attended, row.on_leave, row.absent))
    if row.expected is not None and came > row.expected:
        yield FieldError(
            "attended",
            f"实到、请假、缺席合计 {came} 人，多于应到 {row.expected} 人",
            f"attended, on leave and absent make {came}, more than the {row.expected} expected",
        )
    elif _lacks_quorum(row):
        yield FieldError(
            "attended",
            f"应到 {row.expected} 人，实到 {row.attended} 人，未超过半数，支部党员大会无效；"
            "请另行召开，或把状态改为“退回”",
            f"{row.attended} of {row.expected} is not more than half, so the assembly was not valid: "
            "hold it again, or set the status to “Returned”",
        )
    if row.held_on and row.reviewed_on and row.reviewed_on < row.held_on:
        yield FieldError("reviewed_on", "不能早于召开日期", "must not be before the meeting")


def _lacks_quorum(row: Any) -> bool:
    counted = row.expected is not None and row.attended is not None
    return row.kind == "branch_assembly" and row.status == "held" and counted and row.attended * 2 <= row.expected


def attendance_faults(row: Any, related: Related) -> Iterator[FieldError]:
    member = related.row(row, "member")
    if member is None or row.held_on is None:
        return
    if member.joined_on and row.held_on < member.joined_on:
        yield FieldError("member_id", "召开时该党员尚未入党", "this member had not joined by then")
    if member.left_on and row.held_on > member.left_on:
        yield FieldError("member_id", "召开时该党员已经离开", "this member had left by then")


def fee_faults(row: Any, related: Related) -> Iterator[FieldError]:
    yield from _of_kind(row, PeriodKind.MONTH, "应为月份，如 2026-09", "should be a month such as 2026-09")
    yield from _not_negative(row, "base", "due", "paid")
    if row.rate is not None and not 0 <= row.rate <= 1:
        yield FieldError("rate", "应在 0 和 1 之间，0.01 即 1%", "should be from 0 to 1; 0.01 is 1%")
    if row.paid and not row.paid_on:
        yield FieldError("paid_on", "有实缴金额的要填交纳日期", "an amount paid needs its day")
    if row.paid_on and row.paid is None:
        yield FieldError("paid", "有交纳日期的要填实缴金额", "a day of payment needs the amount")
    yield from _not_later_than_today(row, "paid_on")
    month = Period.parse(row.period)
    if row.pay_by and row.pay_by < month.start:
        yield FieldError("pay_by", "不能早于所属月份", "must not be before the month it is for")
    member = related.row(row, "member")
    if member and member.joined_on and member.joined_on > month.end:
        yield FieldError("period", "该党员当月尚未入党，不用交纳", "this member had not joined by that month")


def course_faults(row: Any, related: Related) -> Iterator[FieldError]:
    yield from _not_negative(row, "hours")
    if row.status == "published" and not row.published_on:
        yield FieldError("published_on", "已发布的要填发布日期", "a published course needs the day")
    if row.due_on and row.published_on and row.due_on < row.published_on:
        yield FieldError("due_on", "不能早于发布日期", "must not be before it is published")
    if row.status == "published" and row.is_required and not row.due_on:
        yield FieldError("due_on", "必修课要填完成期限", "a required course needs a day to complete it by")


def study_faults(row: Any, related: Related) -> Iterator[FieldError]:
    yield from _not_negative(row, "hours")
    yield from _not_later_than_today(row, "completed_on")
    if row.hours is not None and row.hours > 24 * 31:
        yield FieldError("hours", "一次学习的学时过多", "too many hours for one study")


def appraisal_faults(row: Any, related: Related) -> Iterator[FieldError]:
    yield from _of_kind(row, PeriodKind.YEAR, "应为年度，如 2026", "should be a year such as 2026")
    yield from _not_negative(row, "votes_excellent", "votes_qualified", "votes_basically", "votes_unqualified")
    yield from _not_later_than_today(row, "appraised_on")
    if row.self_score is not None and not 0 <= row.self_score <= 100:
        yield FieldError("self_score", "应在 0 和 100 之间", "should be from 0 to 100")
    year = Period.parse(row.period)
    if row.appraised_on < year.start:
        yield FieldError("appraised_on", "不能早于所评议的年度", "must not be before the year it is about")
    member = related.row(row, "member")
    if row.grade and member is not None and _is_probationary(member, row.appraised_on):
        yield FieldError(
            "grade", "预备党员参加评议，但不评定等次", "a probationary member takes part but gets no grade"
        )


def _is_probationary(member: Any, day: date) -> bool:
    """On that day: becoming a full member later does not give a grade for the past."""
    if member.member_type == "probationary":
        return True
    return bool(member.regularized_on and member.regularized_on > day)


def commendation_faults(row: Any, related: Related) -> Iterator[FieldError]:
    has_organization = related.value(row, "organization") is not None
    has_member = related.value(row, "member") is not None
    if has_organization == has_member:
        yield FieldError(
            "member_id" if has_organization else "organization_id",
            "党组织和党员要填一个，且只填一个",
            "give either an organization or a member",
        )
    if row.grade and row.kind != "punishment":
        yield FieldError("grade", "只有处分才填处分种类", "only punishments have one")
    if row.kind == "punishment" and not row.grade and has_member:
        yield FieldError("grade", "处分要填处分种类", "a punishment needs its kind")
    yield from _not_later_than_today(row, "issued_on", "closed_on")
    if row.expires_on and row.effective_on and row.expires_on < row.effective_on:
        yield FieldError("expires_on", "不能早于生效日期", "must not be before it takes effect")
    if row.closed_on and row.closed_on < row.issued_on:
        yield FieldError("closed_on", "不能早于作出日期", "must not be before it was issued")
