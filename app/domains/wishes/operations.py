"""The way of a wish: draft, reviewed, published, claimed, in contact, delivered, realised; and its ways back.

Each operation runs in one transaction on a row that is locked (``app.access.operations``), a claim's on its wish too,
and asks under the lock for the state that it goes on from. That a wish is held by one claim at most is a unique column
of the claims as well, for whatever comes by another way.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.access.actor import Actor, system_actor
from app.database.clock import today
from app.database.session import unit_of_work
from app.domains.members.models import Member
from app.domains.organizations.models import Organization, OrganizationTier
from app.entity.labels import Label
from app.entity.operations import Audience, Impossible, asked, in_state, operation
from app.entity.registry import FieldKind

from .checks import HOLDING
from .code_lists import ClaimantKind, ClaimStatus, PointReason, WishStatus
from .ledger import add_points
from .models import Wish, WishClaim

BACK_AFTER_DAYS = 15
"""Days after which a claim without contact ends and its wish is open again (W03, this project's convention)."""

WHY = asked("reason", FieldKind.TEXT, "原因", "Reason", length=200)


@operation(
    "wish",
    "submit",
    Label("提交审核", "Submit for review"),
    leads_to=WishStatus.SUBMITTED,
    offered=in_state(WishStatus.DRAFT, WishStatus.RETURNED),
)
def submit(session: Session, wish: Wish, actor: Actor) -> None:
    wish.status, wish.submitted_on, wish.closed_reason = WishStatus.SUBMITTED, today(), None


@operation(
    "wish",
    "approve",
    Label("审核通过并公布", "Approve and publish"),
    leads_to=WishStatus.OPEN,
    offered=in_state(WishStatus.SUBMITTED),
    asks=(
        asked(
            "circle_id", FieldKind.REFERENCE, "公布范围（心愿圈）", "Publish within (circle)", optional=True,
            target="organization",
            help=("所选党组织及其下级都能看到并认领；不填为受理组织的上级",
                  "Seen and claimed there and below; the level above the keeper if left empty"),
        ),
    ),
    audience=Audience.SUPERIORS,
)  # fmt: skip
def approve(session: Session, wish: Wish, actor: Actor, *, circle_id: int | None) -> None:
    keeper = session.get_one(Organization, wish.organization_id)
    is_leaf = keeper.tier in (OrganizationTier.BRANCH, OrganizationTier.GROUP)
    wish.circle_id = circle_id or (keeper.parent_id if is_leaf and keeper.parent_id else keeper.id)
    wish.status, wish.published_on = WishStatus.OPEN, today()


@operation(
    "wish",
    "send_back",
    Label("退回修改", "Send back"),
    leads_to=WishStatus.RETURNED,
    offered=in_state(WishStatus.SUBMITTED),
    asks=(WHY,),
    audience=Audience.SUPERIORS,
)
def send_back(session: Session, wish: Wish, actor: Actor, *, reason: str) -> None:
    wish.status, wish.closed_reason = WishStatus.RETURNED, reason


@operation(
    "wish",
    "withdraw",
    Label("下架", "Withdraw"),
    leads_to=WishStatus.WITHDRAWN,
    offered=in_state(WishStatus.DRAFT, WishStatus.SUBMITTED, WishStatus.RETURNED, WishStatus.OPEN),
    asks=(WHY,),
)
def withdraw(session: Session, wish: Wish, actor: Actor, *, reason: str) -> None:
    wish.status, wish.closed_reason = WishStatus.WITHDRAWN, reason


@operation(
    "wish",
    "claim",
    Label("认领", "Claim"),
    leads_to=WishStatus.CLAIMED,
    offered=in_state(WishStatus.OPEN),
    asks=(
        asked(
            "claimant_kind", FieldKind.CODE, "认领方", "Claimant", optional=True, code_list=ClaimantKind,
            help=("不填：党员为本人认领，工作人员为本组织认领", "Yourself for members, your organization for staff"),
        ),
        asked(
            "member_id", FieldKind.REFERENCE, "认领党员", "Member", optional=True, target="member",
            help=("代党员认领时选择", "When claiming for a member"),
        ),
        asked(
            "claimant", FieldKind.TEXT, "单位或群众名称", "Unit or resident", optional=True, length=60,
            help=("单位、群众认领时填写", "For claims of units and residents"),
        ),
    ),
    audience=Audience.EVERYONE,
)  # fmt: skip
def claim(
    session: Session,
    wish: Wish,
    actor: Actor,
    *,
    claimant_kind: ClaimantKind | None = None,
    member_id: int | None = None,
    claimant: str | None = None,
) -> None:
    made = _claimed_by(session, wish, actor, claimant_kind, member_id, claimant)
    wish.status, wish.claimed_on = WishStatus.CLAIMED, made.claimed_on
    session.add(made)


def _claimed_by(
    session: Session,
    wish: Wish,
    actor: Actor,
    kind: ClaimantKind | None,
    member_id: int | None,
    name: str | None,
) -> WishClaim:
    own_only = actor.member_id is not None and not actor.is_staff
    if own_only and (member_id not in (None, actor.member_id) or kind not in (None, ClaimantKind.MEMBER)):
        raise Impossible("党员只能为本人认领", "Members claim for themselves alone")
    if own_only:
        member_id = actor.member_id
    kind = kind or (ClaimantKind.MEMBER if member_id else ClaimantKind.UNIT if name else ClaimantKind.ORGANIZATION)
    claimer_id = actor.organization_id or wish.organization_id
    if kind is ClaimantKind.MEMBER:
        if member_id is None:
            raise Impossible("请选择认领的党员", "Choose the member who claims")
        member = session.get_one(Member, member_id)
        name, claimer_id = member.name, member.organization_id
    elif kind is ClaimantKind.ORGANIZATION:
        name = session.get_one(Organization, claimer_id).name
    elif not name:
        raise Impossible("请填写认领的单位或群众", "Say which unit or resident claims")
    return WishClaim(
        wish_id=wish.id,
        claimant=(name or "")[:60],
        claimant_kind=kind,
        claimer_id=claimer_id,
        organization_id=wish.organization_id,
        member_id=member_id if kind is ClaimantKind.MEMBER else None,
        claimed_on=today(),
    )


@operation(
    "wish_claim",
    "make_contact",
    Label("登记对接", "Record contact"),
    leads_to=ClaimStatus.CONTACTED,
    offered=in_state(ClaimStatus.ACTIVE),
    asks=(asked("contacted_on", FieldKind.DATE, "对接日期", "In contact since"),),
    audience=Audience.EVERYONE,
    initial=lambda row: {"contacted_on": today()},
)
def make_contact(session: Session, claimed: WishClaim, actor: Actor, *, contacted_on: date) -> None:
    _wish(session, claimed, WishStatus.CLAIMED).status = WishStatus.IN_PROGRESS
    claimed.status, claimed.contacted_on = ClaimStatus.CONTACTED, contacted_on


@operation(
    "wish_claim",
    "deliver",
    Label("提交办结", "Report as done"),
    leads_to=ClaimStatus.DELIVERED,
    offered=in_state(ClaimStatus.CONTACTED),
    asks=(
        asked("delivered_on", FieldKind.DATE, "办结日期", "Delivered on"),
        asked("result", FieldKind.LONG_TEXT, "实现情况", "Result", length=500),
    ),
    audience=Audience.EVERYONE,
    initial=lambda row: {"delivered_on": today()},
)
def deliver(session: Session, claimed: WishClaim, actor: Actor, *, delivered_on: date, result: str) -> None:
    wish = _wish(session, claimed, WishStatus.IN_PROGRESS)
    wish.status, wish.delivered_on = WishStatus.DELIVERED, delivered_on
    claimed.status, claimed.delivered_on, claimed.result = ClaimStatus.DELIVERED, delivered_on, result


@operation(
    "wish_claim",
    "cancel_claim",
    Label("取消认领", "Cancel the claim"),
    leads_to=ClaimStatus.CANCELLED,
    offered=in_state(ClaimStatus.ACTIVE, ClaimStatus.CONTACTED),
    asks=(WHY,),
    audience=Audience.EVERYONE,
)
def cancel_claim(session: Session, claimed: WishClaim, actor: Actor, *, reason: str) -> None:
    _back_to_pool(session, claimed, ClaimStatus.CANCELLED, reason)


@operation(
    "wish_claim",
    "revoke_claim",
    Label("撤销认领", "Revoke the claim"),
    leads_to=ClaimStatus.REVOKED,
    offered=in_state(ClaimStatus.ACTIVE, ClaimStatus.CONTACTED, ClaimStatus.DELIVERED),
    asks=(WHY,),
    party="organization",
)
def revoke_claim(session: Session, claimed: WishClaim, actor: Actor, *, reason: str) -> None:
    _back_to_pool(session, claimed, ClaimStatus.REVOKED, reason)


@operation(
    "wish",
    "confirm_realised",
    Label("确认实现", "Confirm"),
    leads_to=WishStatus.REALISED,
    offered=in_state(WishStatus.DELIVERED),
    asks=(
        asked("satisfaction", FieldKind.INTEGER, "满意度", "Satisfaction", help=("1 到 5 分", "From 1 to 5")),
        asked("feedback", FieldKind.TEXT, "评价", "Feedback", optional=True, length=200),
        asked("has_complaint", FieldKind.BOOLEAN, "心愿人有投诉", "The beneficiary complains"),
    ),
)
def confirm_realised(
    session: Session, wish: Wish, actor: Actor, *, satisfaction: int, feedback: str | None, has_complaint: bool
) -> None:
    """By the wisher's word, through those who keep the wish; never by the claimant."""
    if not 1 <= satisfaction <= 5:
        raise Impossible("满意度应为 1 到 5 分", "Satisfaction is from 1 to 5")
    claimed = _active_claim(session, wish)
    day = today()
    wish.status, wish.realised_on = WishStatus.REALISED, day
    wish.satisfaction, wish.feedback, wish.has_complaint = satisfaction, feedback, has_complaint
    claimed.status, claimed.realised_on, claimed.satisfaction = ClaimStatus.REALISED, day, satisfaction
    holder: Any = session.get(Member, claimed.member_id) if claimed.member_id else None
    if holder is None and claimed.claimant_kind is ClaimantKind.ORGANIZATION:
        holder = session.get_one(Organization, claimed.claimer_id)
    if holder is not None:
        add_points(
            session,
            holder,
            wish.points,
            PointReason.WISH_REALISED,
            key=f"wish_claim:{claimed.id}",
            day=day,
            refers_to=claimed.code,
            remark=wish.title,
        )


@operation(
    "wish",
    "not_realised",
    Label("退回继续实现", "Not realised yet"),
    leads_to=WishStatus.IN_PROGRESS,
    offered=in_state(WishStatus.DELIVERED),
    asks=(WHY,),
)
def not_realised(session: Session, wish: Wish, actor: Actor, *, reason: str) -> None:
    claimed = _active_claim(session, wish)
    wish.status, wish.delivered_on, wish.feedback = WishStatus.IN_PROGRESS, None, reason
    claimed.status, claimed.delivered_on = ClaimStatus.CONTACTED, None


def return_overdue(engine: Engine, as_of: date) -> int:
    """End the claims that nobody has followed up, and open their wishes again; how many."""
    latest = as_of - timedelta(days=BACK_AFTER_DAYS)
    with unit_of_work(engine, system_actor("wishes")) as session:
        overdue = session.scalars(
            select(WishClaim)
            .where(WishClaim.status == ClaimStatus.ACTIVE, WishClaim.claimed_on < latest)
            .order_by(WishClaim.wish_id)
            .with_for_update()
        ).all()
        for claimed in overdue:
            _back_to_pool(session, claimed, ClaimStatus.EXPIRED, f"认领后 {BACK_AFTER_DAYS} 天未对接")
        return len(overdue)


def _wish(session: Session, claimed: WishClaim, *states: WishStatus) -> Wish:
    wish = session.scalars(
        select(Wish).where(Wish.id == claimed.wish_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if wish.status not in states:
        raise Impossible("心愿的状态已经变化，请刷新后再看", "The wish has changed since: reload the page")
    return wish


def _active_claim(session: Session, wish: Wish) -> WishClaim:
    held = select(WishClaim).where(WishClaim.wish_id == wish.id, WishClaim.status.in_(HOLDING))
    found = session.scalars(held.with_for_update()).one_or_none()
    if found is None or found.status is not ClaimStatus.DELIVERED:
        raise Impossible("没有待确认的认领", "There is no claim to confirm")
    return found


def _back_to_pool(session: Session, claimed: WishClaim, status: ClaimStatus, reason: str) -> None:
    wish = _wish(session, claimed, WishStatus.CLAIMED, WishStatus.IN_PROGRESS, WishStatus.DELIVERED)
    wish.status, wish.claimed_on, wish.delivered_on = WishStatus.OPEN, None, None
    claimed.status, claimed.ended_on, claimed.end_reason = status, today(), reason
    # The wish is free before anybody else can claim it: within one flush rows may be written in any order.
    session.flush()
