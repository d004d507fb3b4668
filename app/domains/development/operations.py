"""What moves transfers and development cases on, each all or nothing.

A transfer: issued, then received (which moves the member), returned, expired or cancelled. A case: one operation a
step, offered once the steps before it are complete; the checks of the record hold for them as for its form.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.access.actor import Actor, system_actor
from app.database.clock import today
from app.database.session import unit_of_work
from app.domains.members.models import Member, MemberType, PartyPost, Post
from app.domains.organizations.checks import years_later
from app.entity.labels import Label
from app.entity.operations import Audience, Impossible, asked, in_state, operation
from app.entity.registry import Field, FieldKind

from .checks import months_later
from .code_lists import DevelopmentStage, TransferKind, TransferStatus
from .models import DevelopmentCase, MembershipTransfer

VALIDITY_DAYS = 90

WHY = asked("closed_reason", FieldKind.TEXT, "原因", "Reason", length=200)


SENDER = ("from_organization", "to_organization")
"""Who issues and cancels: the sending side, or for one from outside the receiving side, with the letter brought."""


# --- transfers ---


@operation(
    "membership_transfer",
    "issue",
    Label("开具介绍信", "Issue the letter"),
    leads_to=TransferStatus.ISSUED,
    offered=in_state(TransferStatus.DRAFT, TransferStatus.RETURNED, TransferStatus.EXPIRED),
    party=SENDER,
    asks=(
        asked("letter_no", FieldKind.TEXT, "介绍信编号", "Letter number", length=60),
        asked("issued_on", FieldKind.DATE, "开具日期", "Issued on"),
        asked("valid_until", FieldKind.DATE, "有效期至", "Valid until"),
    ),
    initial=lambda row: {"issued_on": today(), "valid_until": today() + timedelta(days=VALIDITY_DAYS)},
)
def issue(
    session: Session, transfer: MembershipTransfer, actor: Actor, *, letter_no: str, issued_on: date, valid_until: date
) -> None:
    transfer.letter_no, transfer.issued_on, transfer.valid_until = letter_no, issued_on, valid_until
    transfer.status, transfer.closed_reason = TransferStatus.ISSUED, None


@operation(
    "membership_transfer",
    "receive",
    Label("接收", "Receive"),
    leads_to=TransferStatus.RECEIVED,
    offered=lambda row: row.status is TransferStatus.ISSUED and row.kind is not TransferKind.OUTGOING,
    asks=(asked("received_on", FieldKind.DATE, "接收日期", "Received on"),),
    party="to_organization",
    initial=lambda row: {"received_on": today()},
)
def receive(session: Session, transfer: MembershipTransfer, actor: Actor, *, received_on: date) -> None:
    """Moves the member: organization, group and posts. What they did before stays where it was done."""
    _still_valid(transfer, received_on)
    transfer.status, transfer.received_on = TransferStatus.RECEIVED, received_on
    if transfer.member_id is None:
        if transfer.joined_on is None:
            raise Impossible("请先在转接记录中填写入党日期", "Fill in the day of joining first")
        member = Member(
            name=transfer.name,
            organization_id=transfer.to_organization_id,
            joined_on=transfer.joined_on,
            is_demonstration=transfer.is_demonstration,
        )
        session.add(member)
        session.flush()
        transfer.member_id = member.id
        return
    member = session.scalars(select(Member).where(Member.id == transfer.member_id).with_for_update()).one()
    if member.organization_id != transfer.from_organization_id:
        raise Impossible("该党员已不在转出组织，不能接收", "The member is no longer in the sending organization")
    _leave(session, member, received_on)
    member.organization_id, member.group_id = transfer.to_organization_id, None


@operation(
    "membership_transfer",
    "confirm_receipt",
    Label("登记外单位接收", "Record receipt outside"),
    leads_to=TransferStatus.RECEIVED,
    offered=lambda row: row.status is TransferStatus.ISSUED and row.kind is TransferKind.OUTGOING,
    asks=(asked("received_on", FieldKind.DATE, "接收日期（回执）", "Received on (by the receipt)"),),
    party="from_organization",
    initial=lambda row: {"received_on": today()},
)
def confirm_receipt(session: Session, transfer: MembershipTransfer, actor: Actor, *, received_on: date) -> None:
    """Until the receipt has come the member belongs to the sending organization."""
    transfer.status, transfer.received_on = TransferStatus.RECEIVED, received_on
    member = session.scalars(select(Member).where(Member.id == transfer.member_id).with_for_update()).one()
    _leave(session, member, received_on)
    member.left_on = received_on


@operation(
    "membership_transfer",
    "return_transfer",
    Label("退回转出方", "Return to the sender"),
    leads_to=TransferStatus.RETURNED,
    offered=lambda row: row.status is TransferStatus.ISSUED and row.from_organization_id is not None,
    asks=(WHY,),
    party="to_organization",
)
def return_transfer(session: Session, transfer: MembershipTransfer, actor: Actor, *, closed_reason: str) -> None:
    transfer.status, transfer.closed_reason = TransferStatus.RETURNED, closed_reason


@operation(
    "membership_transfer",
    "cancel_transfer",
    Label("撤销转接", "Cancel the transfer"),
    leads_to=TransferStatus.CANCELLED,
    offered=in_state(TransferStatus.DRAFT, TransferStatus.ISSUED, TransferStatus.RETURNED, TransferStatus.EXPIRED),
    party=SENDER,
    asks=(WHY,),
)
def cancel_transfer(session: Session, transfer: MembershipTransfer, actor: Actor, *, closed_reason: str) -> None:
    transfer.status, transfer.closed_reason = TransferStatus.CANCELLED, closed_reason


def expire_transfers(engine: Engine, as_of: date) -> int:
    """Mark letters whose validity has passed without receipt; how many. Their members stay where they are."""
    with unit_of_work(engine, system_actor("transfers")) as session:
        overdue = session.scalars(
            select(MembershipTransfer)
            .where(MembershipTransfer.status == TransferStatus.ISSUED, MembershipTransfer.valid_until < as_of)
            .order_by(MembershipTransfer.id)
            .with_for_update()
        ).all()
        for transfer in overdue:
            transfer.status = TransferStatus.EXPIRED
        return len(overdue)


def _still_valid(transfer: MembershipTransfer, day: date) -> None:
    if transfer.valid_until and day > transfer.valid_until:
        raise Impossible(
            f"介绍信有效期到 {transfer.valid_until}，已过期，请转出党组织重新开具",
            f"The letter was valid until {transfer.valid_until}: the sender has to issue another",
        )


def _leave(session: Session, member: Member, day: date) -> None:
    """End the posts that a member held where they were."""
    held = select(Post).where(Post.member_id == member.id, Post.ended_on.is_(None))
    for post in session.scalars(held):
        post.ended_on = max(day, post.started_on)
    session.flush()
    member.party_post = PartyPost.NONE


# --- development ---


def _day(name: str, zh: str, en: str, *, optional: bool = False) -> Field:
    return asked(name, FieldKind.DATE, zh, en, optional=optional)


def _people(name: str, zh: str, en: str, *, optional: bool = False) -> Field:
    return asked(name, FieldKind.REFERENCE, zh, en, optional=optional, target="member")


def _votes(prefix: str) -> tuple[Field, ...]:
    return (
        asked(f"{prefix}_entitled", FieldKind.INTEGER, "应到会有表决权人数", "Entitled to vote", unit=("人", "people")),
        asked(f"{prefix}_present", FieldKind.INTEGER, "实到会有表决权人数", "Present", unit=("人", "people")),
        asked(f"{prefix}_in_favour", FieldKind.INTEGER, "赞成票", "In favour", unit=("票", "votes")),
    )


def _after(done: str, next_: str) -> Callable[[Any], bool]:
    """Offered when one step is complete and the next is not, and the case goes on."""
    return lambda row: getattr(row, done) is not None and getattr(row, next_) is None and row.ended_on is None


def _set(session: Session, case: DevelopmentCase, actor: Actor, **values: Any) -> None:
    for name, value in values.items():
        setattr(case, name, value)


def _step(
    code: str, zh: str, en: str, done: str, next_: str, *asks: Field, leads_to: DevelopmentStage | tuple[()] = ()
) -> None:
    """A step that is nothing but its dates and figures."""
    operation(
        "development_case", code, Label(zh, en), offered=_after(done, next_), leads_to=leads_to, asks=asks,
        initial=lambda row: {next_: today()},
    )(_set)  # fmt: skip


_step(
    "record_talk", "登记谈话", "Record the talk", "applied_on", "talked_on", _day("talked_on", "谈话日期", "Talked on")
)
_step(
    "make_activist", "确定为积极分子", "Make an activist", "talked_on", "activist_on",
    _day("activist_on", "确定日期", "Decided on"),
    _people("contact_one_id", "培养联系人一", "First contact"),
    _people("contact_two_id", "培养联系人二", "Second contact", optional=True),
    _day("activist_filed_on", "上级备案日期", "Filed above on", optional=True),
    leads_to=DevelopmentStage.ACTIVIST,
)  # fmt: skip
_step(
    "make_prospect", "确定为发展对象", "Make a prospect", "activist_on", "prospect_on",
    _day("publicity_from", "公示开始日期", "Made public from"),
    _day("publicity_to", "公示结束日期", "Made public to"),
    _day("prospect_on", "确定日期", "Decided on"),
    leads_to=DevelopmentStage.PROSPECT,
)  # fmt: skip
_step(
    "check_background", "登记政治审查", "Record the political review", "prospect_on", "background_checked_on",
    _day("background_checked_on", "政治审查日期", "Reviewed on"),
)  # fmt: skip
_step(
    "record_training", "登记集中培训", "Record the training", "background_checked_on", "training_ended_on",
    _day("training_ended_on", "培训结束日期", "Ended on"),
    asked("training_days", FieldKind.DECIMAL, "培训天数", "Days", optional=True, unit=("天", "days")),
    asked("training_hours", FieldKind.DECIMAL, "培训学时", "Hours", optional=True, unit=("学时", "hours")),
)  # fmt: skip
_step(
    "record_prereview", "登记预审", "Record the committee's review", "training_ended_on", "prereview_on",
    _day("prereview_on", "预审日期", "Reviewed on"),
    _people("introducer_one_id", "入党介绍人一", "First introducer"),
    _people("introducer_two_id", "入党介绍人二", "Second introducer"),
)  # fmt: skip
_step(
    "accept", "支部大会接收", "Accepted by the assembly", "prereview_on", "accepted_on",
    _day("accepted_on", "支部大会日期", "Assembly on"), *_votes("accepted"),
)  # fmt: skip


@operation(
    "development_case",
    "approve_admission",
    Label("审批接收预备党员", "Approve admission"),
    leads_to=DevelopmentStage.PROBATIONARY,
    offered=_after("accepted_on", "approved_on"),
    asks=(_day("approved_on", "党委审批日期", "Approved on"),),
    audience=Audience.SUPERIORS,
    initial=lambda row: {"approved_on": today()},
)
def approve_admission(session: Session, case: DevelopmentCase, actor: Actor, *, approved_on: date) -> None:
    """Makes the probationary member, who joined on the day of the assembly."""
    case.approved_on = approved_on
    session.flush()  # the case's own faults are said before those of the member that would follow
    member = Member(
        name=case.name,
        organization_id=case.organization_id,
        member_type=MemberType.PROBATIONARY,
        joined_on=case.accepted_on,
        birth_date=case.birth_date,
        id_no=case.id_no,
        job=(case.job or "")[:60] or None,
        is_demonstration=case.is_demonstration,
    )
    session.add(member)
    session.flush()
    case.member_id = member.id


_step("take_oath", "登记入党宣誓", "Record the oath", "approved_on", "oath_on", _day("oath_on", "宣誓日期", "Oath on"))
operation(
    "development_case",
    "extend_probation",
    Label("延长预备期", "Extend probation"),
    offered=lambda row: _after("approved_on", "probation_extended_to")(row) and row.regular_voted_on is None,
    asks=(_day("probation_extended_to", "预备期延长至", "Extended to"),),
    initial=lambda row: {"probation_extended_to": months_later(row.accepted_on, 18)},
)(_set)
_step(
    "vote_full_membership", "支部大会讨论转正", "Vote on full membership", "approved_on", "regular_voted_on",
    _day("regular_applied_on", "转正申请日期", "Applied on"),
    _day("regular_voted_on", "支部大会日期", "Assembly on"), *_votes("regular"),
)  # fmt: skip


@operation(
    "development_case",
    "approve_full_membership",
    Label("审批转正", "Approve full membership"),
    leads_to=DevelopmentStage.FULL,
    offered=_after("regular_voted_on", "regularized_on"),
    asks=(_day("regularized_on", "党委审批日期", "Approved on"),),
    audience=Audience.SUPERIORS,
    initial=lambda row: {"regularized_on": today()},
)
def approve_full_membership(session: Session, case: DevelopmentCase, actor: Actor, *, regularized_on: date) -> None:
    """Makes the member a full one. Party age counts from the day on which probation was over."""
    case.regularized_on = regularized_on
    session.flush()
    member = session.scalars(select(Member).where(Member.id == case.member_id).with_for_update()).one()
    member.member_type = MemberType.FULL
    member.regularized_on = case.probation_extended_to or years_later(case.accepted_on, 1)


_step(
    "file_away",
    "材料归档",
    "File the papers",
    "regularized_on",
    "archived_on",
    _day("archived_on", "归档日期", "Filed on"),
)


@operation(
    "development_case",
    "end_case",
    Label("终止培养", "End the case"),
    leads_to=DevelopmentStage.ENDED,
    offered=lambda row: (
        row.stage not in (DevelopmentStage.FULL, DevelopmentStage.ENDED)
        and row.stage is not DevelopmentStage.PROBATIONARY
    ),
    asks=(asked("end_reason", FieldKind.TEXT, "原因", "Reason", length=200),),
)
def end_case(session: Session, case: DevelopmentCase, actor: Actor, *, end_reason: str) -> None:
    case.ended_on, case.end_reason = today(), end_reason
