"""Wishes, claims, and the ledger of points.

A wish is its organization's until it is published; from then on it is seen in the whole circle (``circle``): a street,
a community. Its states change by operations alone (``operations``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.domains.volunteering.models import Volunteer
from app.entity.faults import FieldError
from app.entity.fields import (
    code,
    code_of,
    day,
    encrypted,
    flag,
    hash_of,
    long_text,
    moment,
    money,
    number,
    reference,
    text,
)
from app.entity.labels import Label
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.related import Related
from app.entity.visibility import Visibility

from . import checks
from .code_lists import (
    BeneficiaryKind,
    ClaimantKind,
    ClaimStatus,
    PointReason,
    WishCategory,
    WishStatus,
)


@registry.register
class Wish(Entity):
    """A small wish of somebody in need, kept by the branch that looks after them."""

    __tablename__ = "bc_wish"
    __entity__ = EntityOptions(
        label=Label("微心愿", "Wish"),
        about=Label(
            "居民和党员的微心愿：提交、审核公布、认领到实现。",
            "Small wishes of residents and members: submitted, published, claimed, realised.",
        ),
        visibility=Visibility.SUBTREE,
        title="title",
        group="service",
        icon="fa-star",
        shown_below="circle",
        dated_by="published_on",
        valid_between=("published_on", "realised_on"),
        order_by="-published_on",
        measure="个",
        plural="Wishes",
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    organization_id: Mapped[int] = reference("organization", "受理组织", "Kept by", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    circle_id: Mapped[int | None] = reference("organization", "心愿圈", "Circle", editable=False)
    circle: Mapped[Organization | None] = relationship(foreign_keys=[circle_id])
    title: Mapped[str] = text("心愿", "Wish", 100, listed=True, searched=True)
    category: Mapped[WishCategory] = code_of(
        WishCategory, "类别", "Category", default=WishCategory.GOODS, listed=True, filtered=True
    )
    status: Mapped[WishStatus] = code_of(
        WishStatus, "状态", "Status", default=WishStatus.DRAFT, listed=True, filtered=True, editable=False
    )
    beneficiary_kind: Mapped[BeneficiaryKind] = code_of(
        BeneficiaryKind, "心愿人类别", "Beneficiary", default=BeneficiaryKind.OTHER, listed=True
    )
    public_name: Mapped[str] = text(
        "公开称呼",
        "Called in public",
        20,
        listed=True,
        help=("如“李阿姨”，不写全名", "Such as “Aunt Li”, no full name"),
    )
    beneficiary: Mapped[str | None] = encrypted("心愿人姓名", "Beneficiary's name")
    contact: Mapped[str | None] = encrypted(
        "联系电话", "Telephone", help=("对接后只向认领人提供", "Given to the claimant alone, once in contact")
    )
    contact_hash: Mapped[str | None] = hash_of("contact")
    is_minor: Mapped[bool] = flag("未成年人", "Minor")
    guardian_consent: Mapped[bool] = flag(
        "监护人同意", "Guardian consents", help=("未成年人的心愿须取得监护人同意", "Needed for wishes of minors")
    )
    quantity: Mapped[int] = number("数量", "Quantity", unit=("份", "pieces"), default=1)
    estimated_value: Mapped[Decimal | None] = money("估算价值", "Estimated value")
    amount_cap: Mapped[Decimal | None] = money("金额上限", "At most")
    expected_by: Mapped[date | None] = day("期望完成日期", "Wanted by", listed=True, filtered=True)
    description: Mapped[str | None] = long_text("说明", "Description")
    points: Mapped[int] = number("积分", "Points", unit=("分", "points"), default=10)
    submitted_on: Mapped[date | None] = day("提交日期", "Submitted on", editable=False)
    published_on: Mapped[date | None] = day("公布日期", "Published on", editable=False, index=True)
    claimed_on: Mapped[date | None] = day("认领日期", "Claimed on", editable=False)
    delivered_on: Mapped[date | None] = day("办结日期", "Delivered on", editable=False)
    realised_on: Mapped[date | None] = day("实现日期", "Realised on", editable=False)
    satisfaction: Mapped[int | None] = number("满意度", "Satisfaction", unit=("分（满分 5）", "of 5"), editable=False)
    feedback: Mapped[str | None] = text("评价", "Feedback", 200, editable=False)
    has_complaint: Mapped[bool] = flag("有投诉", "Complaint", editable=False)
    closed_reason: Mapped[str | None] = text("退回或下架原因", "Returned or withdrawn because", 200, editable=False)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("quantity >= 1 AND points >= 0", name="ck_wish_quantity"),
        CheckConstraint("estimated_value >= 0 AND amount_cap >= 0", name="ck_wish_amounts"),
        CheckConstraint("satisfaction >= 1 AND satisfaction <= 5", name="ck_wish_satisfaction"),
        CheckConstraint("status <> 'realised' OR realised_on IS NOT NULL", name="ck_wish_realised"),
        CheckConstraint("realised_on IS NULL OR realised_on >= published_on", name="ck_wish_dates"),
    )

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.wish_faults(self, related)


@registry.register
class WishClaim(Entity):
    """Somebody's undertaking to realise a wish. At most one is active: ``held_wish_id`` is unique."""

    __tablename__ = "bc_wish_claim"
    __entity__ = EntityOptions(
        label=Label("心愿认领", "Claim"),
        about=Label(
            "谁认领了哪个心愿、进展如何；在心愿页面点“认领”后出现在这里。",
            "Who has claimed which wish, and how far it is; made by “Claim” on a wish's page.",
        ),
        visibility=Visibility.PARTIES,
        title="claimant",
        group="service",
        icon="fa-hand-holding",
        owner="claimer",
        person="member",
        parties=("claimer", "organization"),
        dated_by="claimed_on",
        natural_key=("wish", "claimant", "claimed_on"),
        order_by="-claimed_on",
        measure="条",
        read_only=True,
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    claimant: Mapped[str] = text("认领人", "Claimant", 60, listed=True, searched=True, filled_from=("member.name",))
    claimant_kind: Mapped[ClaimantKind] = code_of(
        ClaimantKind, "认领方", "Kind of claimant", default=ClaimantKind.MEMBER, listed=True, filtered=True
    )
    wish_id: Mapped[int] = reference("wish", "微心愿", "Wish", listed=True)
    wish: Mapped[Wish] = relationship(foreign_keys=[wish_id])
    claimer_id: Mapped[int] = reference(
        "organization", "认领方党组织", "Claimant's organization", listed=True, filled_from=("member.organization",)
    )
    claimer: Mapped[Organization] = relationship(foreign_keys=[claimer_id])
    organization_id: Mapped[int] = reference(
        "organization", "受理组织", "Wish kept by", editable=False, filled_from=("wish.organization",)
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    member_id: Mapped[int | None] = reference("member", "党员", "Member")
    member: Mapped[Member | None] = relationship(foreign_keys=[member_id])
    status: Mapped[ClaimStatus] = code_of(
        ClaimStatus, "状态", "Status", default=ClaimStatus.ACTIVE, listed=True, filtered=True
    )
    held_wish_id: Mapped[int | None] = number("占用心愿", "Holds the wish", hidden=True, editable=False, unique=True)
    claimed_on: Mapped[date] = day("认领日期", "Claimed on", listed=True, filtered=True, default=checks.today)
    contacted_on: Mapped[date | None] = day("对接日期", "In contact since")
    delivered_on: Mapped[date | None] = day("办结日期", "Delivered on")
    realised_on: Mapped[date | None] = day("实现日期", "Realised on", listed=True, index=True)
    result: Mapped[str | None] = text("实现情况", "Result", 500, name="claim_result", key="result")
    satisfaction: Mapped[int | None] = number("满意度", "Satisfaction", unit=("分（满分 5）", "of 5"))
    ended_on: Mapped[date | None] = day("终止日期", "Ended on")
    end_reason: Mapped[str | None] = text("终止原因", "Ended because", 200)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("satisfaction >= 1 AND satisfaction <= 5", name="ck_claim_satisfaction"),
        CheckConstraint("status <> 'realised' OR realised_on IS NOT NULL", name="ck_claim_realised"),
        CheckConstraint("contacted_on IS NULL OR contacted_on >= claimed_on", name="ck_claim_contacted"),
        CheckConstraint("realised_on IS NULL OR realised_on >= claimed_on", name="ck_claim_dates"),
    )

    def fill_in(self, related: Related) -> None:
        self.held_wish_id = self.wish_id if self.status in checks.HOLDING else None

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.claim_faults(self, related)


@registry.register
class PointEntry(Entity):
    """One line of the ledger of points. Lines are added by ``ledger`` alone, never changed and never deleted."""

    __tablename__ = "bc_point_entry"
    __entity__ = EntityOptions(
        label=Label("积分流水", "Points entry"),
        about=Label(
            "积分流水：活动时长确认、心愿实现等自动记入，只增不改。",
            "The ledger of points: entries follow from confirmed hours and realised wishes, and are never changed.",
        ),
        visibility=Visibility.SUBTREE,
        title="holder",
        group="service",
        icon="fa-coins",
        person="member",
        dated_by="earned_on",
        natural_key=("idempotency_key",),
        order_by="-earned_on",
        measure="笔",
        plural="Points entries",
        read_only=True,
    )

    code: Mapped[str] = code("流水号", "Entry number")
    holder: Mapped[str] = text("持有人", "Holder", 120, listed=True, searched=True)
    organization_id: Mapped[int] = reference("organization", "党组织", "Organization", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    member_id: Mapped[int | None] = reference("member", "党员", "Member")
    member: Mapped[Member | None] = relationship(foreign_keys=[member_id])
    volunteer_id: Mapped[int | None] = reference("volunteer", "志愿者", "Volunteer")
    volunteer: Mapped[Volunteer | None] = relationship(foreign_keys=[volunteer_id])
    account: Mapped[str] = text("账户", "Account", 40, hidden=True, editable=False, name="account_key", key="account")
    serial_no: Mapped[int] = number("序号", "Number", help=("该账户的第几笔", "Within the account"))
    reason: Mapped[PointReason] = code_of(
        PointReason, "事由", "Reason", listed=True, filtered=True, name="reason_code", key="reason"
    )
    delta: Mapped[int] = number("增减", "Change", unit=("分", "points"), listed=True)
    balance: Mapped[int] = number("余额", "Balance", unit=("分", "points"), listed=True)
    earned_on: Mapped[date] = day("日期", "Day", listed=True, filtered=True)
    recorded_at: Mapped[datetime] = moment("记账时间", "Recorded at", default=checks.now)
    refers_to: Mapped[str | None] = text("凭据", "Refers to", 60)
    idempotency_key: Mapped[str] = text("防重键", "Idempotency key", 80, unique=True)
    remark: Mapped[str | None] = text("备注", "Remark", 200)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        UniqueConstraint("account", "serial_no", name="uq_point_entry_serial"),
        CheckConstraint("balance >= 0", name="ck_point_entry_balance"),
        CheckConstraint("serial_no >= 1 AND delta <> 0", name="ck_point_entry_delta"),
    )

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.point_faults(self, related)
