"""What transfers and development cases have to satisfy.

Sources: 《中国共产党发展党员工作细则》 (as re-issued in May 2026), by article; 《中国共产党章程》 on probation;
《中国共产党党员教育管理工作条例》 on transfers. The articles are those that public systems name: have them confirmed
before going live.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from app.database.clock import today
from app.domains.calendar.models import DayKind, Holiday
from app.domains.members.checks import born_on, identity_number_faults
from app.domains.organizations.checks import years_later
from app.entity.faults import FieldError
from app.entity.related import Related

RULES = "《中国共产党发展党员工作细则》"
RULES_EN = "Rules on developing Party members"
LONGEST_VALIDITY_DAYS = 92
"""Of a letter of introduction: three months at most, by practice."""

PUBLICITY_WORKDAYS = 5
TRAINING_DAYS, TRAINING_HOURS = 3, 24

STEPS = (
    ("applied_on", "递交入党申请书", "Applied on"),
    ("talked_on", "党组织派人谈话", "Talked with on"),
    ("activist_on", "确定为入党积极分子", "Activist on"),
    ("publicity_from", "公示开始", "Made public from"),
    ("publicity_to", "公示结束", "Made public to"),
    ("prospect_on", "确定为发展对象", "Prospect on"),
    ("background_checked_on", "政治审查", "Political review on"),
    ("training_ended_on", "短期集中培训结束", "Training ended on"),
    ("prereview_on", "基层党委预审", "Reviewed by the committee on"),
    ("accepted_on", "支部大会讨论接收", "Accepted by the branch assembly on"),
    ("approved_on", "党委审批", "Approved by the committee on"),
    ("oath_on", "入党宣誓", "Oath on"),
    ("regular_applied_on", "提出转正申请", "Applied for full membership on"),
    ("regular_voted_on", "支部大会讨论转正", "Full membership voted on"),
    ("regularized_on", "党委审批转正", "Full membership approved on"),
    ("archived_on", "材料归档", "Filed on"),
)
"""The steps that leave a date, in their order. None is taken before all former ones are complete, but for the oath.

What is late but valid all the same (a talk after a month, an assembly long after the review) is a matter of warnings:
what has happened can be recorded. What makes a step void is refused with the article.
"""

OPTIONAL = ("oath_on",)
"""Steps that others do not wait for: an oath that comes late is a warning (D08), no bar to the rest."""


def months_later(day: date, months: int) -> date:
    """The same day of the month, months later; the last day where that month is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def article(number: str, zh: str, en: str, field: str) -> FieldError:
    """A fault that a rule blocks on entry, with its article."""
    return FieldError(field, f"{RULES}第{number}条：{zh}", f"{RULES_EN}, article {number}: {en}")


def workdays(session: Any, first: date, last: date) -> int:
    """Working days from ``first`` to ``last``, both included, by the calendar."""
    kinds = dict(
        session.execute(select(Holiday.day, Holiday.kind).where(Holiday.day >= first, Holiday.day <= last)).all()
    )
    count, day = 0, first
    while day <= last:
        kind = kinds.get(day)
        count += kind is DayKind.WORKING_DAY if kind else day.weekday() < 5
        day += timedelta(days=1)
    return count


# --- transfers ---


def transfer_faults(row: Any, related: Related) -> Iterator[FieldError]:
    source, target = related.value(row, "from_organization"), related.value(row, "to_organization")
    if row.kind == "incoming":
        if source is not None or not row.outside:
            yield FieldError(
                "outside", "市外转入的要填外单位党组织，转出组织留空", "name the outside organization only"
            )
        if target is None:
            yield FieldError("to_organization_id", "要填接收的党组织", "say which organization receives")
    elif row.kind == "outgoing":
        if target is not None or not row.outside:
            yield FieldError(
                "outside", "转往市外的要填外单位党组织，接收组织留空", "name the outside organization only"
            )
        if source is None:
            yield FieldError("from_organization_id", "要填转出的党组织", "say which organization sends")
    else:
        for name, value in (("from_organization_id", source), ("to_organization_id", target)):
            if value is None:
                yield FieldError(name, "要填转出和接收的党组织", "say which organizations send and receive")
        if source is not None and source == target:
            yield FieldError("to_organization_id", "不能与转出组织相同", "must differ from the sending organization")
    if row.kind != "incoming" and related.value(row, "member") is None:
        yield FieldError("member_id", "要选择转出的党员", "choose the member")
    yield from _letter_faults(row)


def _letter_faults(row: Any) -> Iterator[FieldError]:
    for name in ("issued_on", "received_on"):
        if getattr(row, name) and getattr(row, name) > today():
            yield FieldError(name, "不能晚于今天", "must not be later than today")
    if row.status in ("issued", "received", "expired") and not (row.issued_on and row.valid_until and row.letter_no):
        yield FieldError(
            "letter_no",
            "已开具的要填介绍信编号、开具日期和有效期",
            "an issued letter needs its number, day and validity",
        )
    if row.issued_on and row.valid_until:
        if row.valid_until < row.issued_on:
            yield FieldError("valid_until", "不能早于开具日期", "must not be before it was issued")
        elif (row.valid_until - row.issued_on).days > LONGEST_VALIDITY_DAYS:
            yield FieldError("valid_until", "介绍信有效期一般不超过 3 个月", "a letter is valid for 3 months at most")
    if row.received_on and row.issued_on and row.received_on < row.issued_on:
        yield FieldError("received_on", "不能早于开具日期", "must not be before the letter was issued")
    if row.status == "received" and not row.received_on:
        yield FieldError("received_on", "已接收的要填接收日期", "a transfer that was received needs the day")


# --- development ---


def case_faults(row: Any, related: Related) -> Iterator[FieldError]:
    number = row.id_no
    faults = list(identity_number_faults(number)) if number else []
    yield from faults
    if number and not faults and row.birth_date and row.birth_date != born_on(number):
        yield FieldError(
            "birth_date", "与公民身份号码中的出生日期不一致", "differs from the date in the identity number"
        )
    for name, _, _ in STEPS:
        if name not in ("publicity_to",) and getattr(row, name) and getattr(row, name) > today():
            yield FieldError(name, "不能晚于今天", "must not be later than today")
    if row.birth_date and row.applied_on and row.applied_on < years_later(row.birth_date, 18):
        yield article("六", "申请入党的应年满 18 周岁", "one who applies is at least 18 years old", "applied_on")
    in_order = list(_order_faults(row))
    yield from in_order
    if not in_order:
        yield from _activist_faults(row, related)
        yield from _prospect_faults(row, related)
        yield from _admission_faults(row, related)
        yield from _probation_faults(row)


def _order_faults(row: Any) -> Iterator[FieldError]:
    """No step before the former ones are complete, and dates in their order."""
    last_name, last_label = None, None
    missing: tuple[str, str] | None = None
    for name, zh, en in STEPS:
        value = getattr(row, name)
        if value is None:
            if name not in OPTIONAL and missing is None:
                missing = (zh, en)
            continue
        if missing is not None:
            yield FieldError(name, f"前一步“{missing[0]}”还没有完成", f"the step before is not complete: {missing[1]}")
            return
        if last_name and value < getattr(row, last_name):
            yield FieldError(name, f"不能早于“{last_label[0]}”", f"must not be before “{last_label[1]}”")
            return
        if name not in OPTIONAL:
            last_name, last_label = name, (zh, en)


def _activist_faults(row: Any, related: Related) -> Iterator[FieldError]:
    if not row.activist_on:
        return
    contacts = [related.row(row, name) for name in ("contact_one", "contact_two")]
    if contacts[0] is None:
        yield article(
            "九",
            "应指定一至两名正式党员作培养联系人",
            "one or two full members are named as contacts",
            "contact_one_id",
        )
    yield from _two_full_members(row, "contact", contacts, row.activist_on, "九", "培养联系人", "contacts")


def _prospect_faults(row: Any, related: Related) -> Iterator[FieldError]:
    if row.publicity_from and row.publicity_to:
        days = workdays(related.session, row.publicity_from, row.publicity_to)
        if days < PUBLICITY_WORKDAYS:
            yield article(
                "十三",
                f"确定发展对象前应公示不少于 {PUBLICITY_WORKDAYS} 个工作日，现为 {days} 个",
                f"a prospect is made public for at least {PUBLICITY_WORKDAYS} working days, here {days}",
                "publicity_to",
            )
    if row.prospect_on and row.prospect_on < years_later(row.activist_on, 1):
        yield article(
            "十三",
            "入党积极分子应经过一年以上培养教育和考察才能列为发展对象",
            "an activist is educated and reviewed for at least a year before becoming a prospect",
            "prospect_on",
        )
    if (
        row.training_ended_on
        and (row.training_days or 0) < TRAINING_DAYS
        and (row.training_hours or 0) < TRAINING_HOURS
    ):
        yield article(
            "十七",
            f"发展对象的短期集中培训应不少于 {TRAINING_DAYS} 天或 {TRAINING_HOURS} 学时",
            f"the training lasts at least {TRAINING_DAYS} days or {TRAINING_HOURS} hours",
            "training_days",
        )


def _admission_faults(row: Any, related: Related) -> Iterator[FieldError]:
    if row.prereview_on:
        introducers = [related.row(row, name) for name in ("introducer_one", "introducer_two")]
        if None in introducers:
            yield article(
                "十五",
                "发展对象应有两名正式党员作入党介绍人",
                "two full members introduce a prospect",
                "introducer_one_id",
            )
        yield from _two_full_members(
            row, "introducer", introducers, row.prereview_on, "十五", "入党介绍人", "introducers"
        )
    if row.accepted_on:
        yield from _vote_faults(row, "accepted", "二十二")
    if row.approved_on:
        longest = 6 if row.approval_extended else 3
        if row.approved_on > months_later(row.accepted_on, longest):
            yield article(
                "二十五",
                f"党委应在支部大会通过后三个月内审批，特殊情况不超过六个月；现超过 {longest} 个月，须重新履行手续",
                f"the committee decides within three months, six at most; here more than {longest}: start over",
                "approved_on",
            )


def _vote_faults(row: Any, prefix: str, number: str) -> Iterator[FieldError]:
    entitled, present, votes = (getattr(row, f"{prefix}_{name}") for name in ("entitled", "present", "in_favour"))
    if None in (entitled, present, votes):
        yield FieldError(
            f"{prefix}_entitled", "要填应到会、到会有表决权人数和赞成票", "give those entitled, present and in favour"
        )
    elif not 0 <= votes <= present <= entitled:
        yield FieldError(
            f"{prefix}_in_favour", "赞成票不多于到会人数，到会不多于应到会", "in favour ≤ present ≤ entitled"
        )
    elif present * 2 <= entitled or votes * 2 <= entitled:
        yield article(
            number,
            "有表决权的到会人数和赞成人数都应超过应到会有表决权人数的半数",
            "those present and those in favour are more than half of those entitled to vote",
            f"{prefix}_in_favour",
        )


def _probation_faults(row: Any) -> Iterator[FieldError]:
    if row.probation_extended_to:
        if not row.approved_on:
            yield FieldError("probation_extended_to", "还没有成为预备党员", "not a probationary member yet")
        else:
            first, last = (months_later(row.accepted_on, months) for months in (18, 24))
            if not first <= row.probation_extended_to <= last:
                yield FieldError(
                    "probation_extended_to",
                    "《中国共产党章程》第七条：预备期只能延长一次，时间为半年到一年",
                    "Party Constitution, article 7: probation is extended once, by half a year to a year",
                )
    if row.regular_voted_on:
        due = row.probation_extended_to or years_later(row.accepted_on, 1)
        if row.regular_voted_on < due:
            yield article(
                "三十一", f"预备期到 {due} 才满，不能提前转正", f"probation lasts until {due}", "regular_voted_on"
            )
        yield from _vote_faults(row, "regular", "三十二")


def _two_full_members(
    row: Any, prefix: str, found: Iterable[Any], day: date, number: str, zh: str, en: str
) -> Iterator[FieldError]:
    names = [f"{prefix}_one_id", f"{prefix}_two_id"]
    members = list(found)
    if None not in members and members[0].id is not None and members[0].id == members[1].id:
        yield FieldError(names[1], f"两名{zh}不能是同一人", f"the two {en} must differ")
    for name, member in zip(names, members, strict=True):
        if member is None:
            continue
        became = member.regularized_on or member.joined_on
        if member.member_type == "probationary" or (became and became > day):
            yield article(number, f"{zh}应为正式党员", f"{en} are full members", name)


def review_faults(row: Any, related: Related) -> Iterator[FieldError]:
    case = related.row(row, "case")
    if row.reviewed_on > today():
        yield FieldError("reviewed_on", "不能晚于今天", "must not be later than today")
    if case is None:
        return
    begin = case.activist_on if row.kind == "activist" else case.accepted_on
    if begin is None:
        yield FieldError("kind", "该对象还没有到这一阶段", "the person has not come to this stage yet")
    elif row.reviewed_on < begin:
        yield FieldError("reviewed_on", "不能早于该阶段开始日期", "must not be before the stage began")
