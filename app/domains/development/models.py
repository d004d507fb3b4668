"""Transfers of membership, and the way from an application to full membership.

Sources: 《中国共产党党员教育管理工作条例》 (the sending organization is responsible until the other has received),
《中国共产党发展党员工作细则》 (steps and limits).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, relationship

from app.domains.members.checks import born_on, compact_identity_number, identity_number_faults
from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.entity.faults import FieldError
from app.entity.fields import code, code_of, day, encrypted, flag, hash_of, long_text, number, reference, text
from app.entity.labels import Label
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.related import Related
from app.entity.visibility import Visibility

from . import checks
from .code_lists import DevelopmentStage, ReviewKind, ReviewResult, TransferKind, TransferStatus

OPEN_TRANSFERS = (TransferStatus.DRAFT, TransferStatus.ISSUED, TransferStatus.RETURNED, TransferStatus.EXPIRED)
"""States in which a member is on the way: none of them has two such transfers (``open_member_id``)."""


@registry.register
class MembershipTransfer(Entity):
    """A member's way from one organization to another. Its states change by operations alone (``operations``)."""

    __tablename__ = "bc_membership_transfer"
    __entity__ = EntityOptions(
        label=Label("组织关系转接", "Membership transfer"),
        about=Label(
            "组织关系转接：从开具介绍信到接收，一人一次一条。",
            "Transfers of membership, from the letter to the receipt: one record for each.",
        ),
        visibility=Visibility.PARTIES,
        title="name",
        group="development",
        icon="fa-right-left",
        owner="from_organization",
        person="member",
        parties=("from_organization", "to_organization"),
        dated_by="issued_on",
        natural_key=("letter_no",),
        order_by="-issued_on",
        measure="件",
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    name: Mapped[str] = text("党员姓名", "Member's name", 60, listed=True, searched=True, filled_from=("member.name",))
    member_id: Mapped[int | None] = reference(
        "member", "党员", "Member", help=("市外转入的，接收后自动建立", "Made on receipt for those from outside")
    )
    member: Mapped[Member | None] = relationship(foreign_keys=[member_id])
    kind: Mapped[TransferKind] = code_of(
        TransferKind, "转接类型", "Kind", default=TransferKind.WITHIN, listed=True, filtered=True
    )
    status: Mapped[TransferStatus] = code_of(
        TransferStatus, "状态", "Status", default=TransferStatus.DRAFT, listed=True, filtered=True, editable=False
    )
    from_organization_id: Mapped[int | None] = reference("organization", "转出党组织", "From", listed=True)
    from_organization: Mapped[Organization | None] = relationship(foreign_keys=[from_organization_id])
    to_organization_id: Mapped[int | None] = reference("organization", "接收党组织", "To", listed=True)
    to_organization: Mapped[Organization | None] = relationship(foreign_keys=[to_organization_id])
    outside: Mapped[str | None] = text(
        "外单位党组织", "Organization outside", 120, help=("市外转入、转出的填写全称", "Its full name, for in and out")
    )
    joined_on: Mapped[date | None] = day("入党日期", "Joined on", filled_from=("member.joined_on",))
    reason: Mapped[str | None] = text("转接原因", "Reason", 200)
    letter_no: Mapped[str | None] = text("介绍信编号", "Letter number", 60, searched=True, editable=False)
    issued_on: Mapped[date | None] = day("开具日期", "Issued on", listed=True, filtered=True, editable=False)
    valid_until: Mapped[date | None] = day("有效期至", "Valid until", listed=True, editable=False)
    fee_paid_until: Mapped[date | None] = day("党费交至", "Fees paid until")
    received_on: Mapped[date | None] = day("接收日期", "Received on", editable=False)
    closed_reason: Mapped[str | None] = text("退回或撤销原因", "Returned or cancelled because", 200, editable=False)
    open_member_id: Mapped[int | None] = number("在途党员", "On the way", hidden=True, editable=False, unique=True)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint(
            "from_organization_id IS NOT NULL OR to_organization_id IS NOT NULL", name="ck_transfer_parties"
        ),
        CheckConstraint("valid_until IS NULL OR valid_until >= issued_on", name="ck_transfer_validity"),
        CheckConstraint("received_on IS NULL OR received_on >= issued_on", name="ck_transfer_received"),
        CheckConstraint("status <> 'received' OR received_on IS NOT NULL", name="ck_transfer_status"),
    )

    def fill_in(self, related: Related) -> None:
        # The sender of a member who is here already; not by ``filled_from``, for one from outside has none.
        if self.kind is not TransferKind.INCOMING and related.value(self, "from_organization") is None:
            sender = related.value(self, "member.organization")
            if isinstance(sender, Entity):
                self.from_organization = sender
            else:
                self.from_organization_id = sender
        self.open_member_id = self.member_id if self.status in OPEN_TRANSFERS else None

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.transfer_faults(self, related)


@registry.register
class DevelopmentCase(Entity):
    """Somebody on the way into the Party. The stage follows from the dates."""

    __tablename__ = "bc_development_case"
    __entity__ = EntityOptions(
        label=Label("发展党员", "Development case"),
        about=Label(
            "发展党员的全过程：从递交入党申请到转正，一人一条。",
            "The development of new members, from application to full membership: one record for each person.",
        ),
        visibility=Visibility.SUBTREE,
        title="name",
        group="development",
        icon="fa-seedling",
        person="member",
        dated_by="applied_on",
        order_by="-applied_on",
        measure="名",
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    name: Mapped[str] = text("姓名", "Name", 60, listed=True, searched=True)
    organization_id: Mapped[int] = reference("organization", "培养党组织", "Organization", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    stage: Mapped[DevelopmentStage] = code_of(
        DevelopmentStage,
        "阶段",
        "Stage",
        default=DevelopmentStage.APPLICANT,
        editable=False,
        listed=True,
        filtered=True,
    )
    stage_since: Mapped[date | None] = day("进入阶段日期", "In this stage since", editable=False, listed=True)
    id_no: Mapped[str | None] = encrypted("公民身份号码", "Identity number")
    id_no_hash: Mapped[str | None] = hash_of("id_no")
    birth_date: Mapped[date | None] = day("出生日期", "Date of birth")
    job: Mapped[str | None] = text("工作单位及职务", "Work", 120)
    applied_on: Mapped[date] = day("递交申请书日期", "Applied on", listed=True, filtered=True)
    talked_on: Mapped[date | None] = day(
        "谈话日期", "Talked with on", help=("细则第七条：一个月内派人谈话", "Article 7: within a month")
    )
    activist_on: Mapped[date | None] = day("确定为积极分子日期", "Activist on")
    activist_filed_on: Mapped[date | None] = day("上级备案日期", "Filed above on")
    contact_one_id: Mapped[int | None] = reference("member", "培养联系人一", "First contact")
    contact_one: Mapped[Member | None] = relationship(foreign_keys=[contact_one_id])
    contact_two_id: Mapped[int | None] = reference("member", "培养联系人二", "Second contact")
    contact_two: Mapped[Member | None] = relationship(foreign_keys=[contact_two_id])
    publicity_from: Mapped[date | None] = day("公示开始日期", "Made public from")
    publicity_to: Mapped[date | None] = day("公示结束日期", "Made public to")
    prospect_on: Mapped[date | None] = day("确定为发展对象日期", "Prospect on")
    background_checked_on: Mapped[date | None] = day("政治审查日期", "Political review on")
    training_ended_on: Mapped[date | None] = day("集中培训结束日期", "Training ended on")
    training_days: Mapped[float | None] = number("培训天数", "Days of training", unit=("天", "days"))
    training_hours: Mapped[float | None] = number("培训学时", "Hours of training", unit=("学时", "hours"))
    prereview_on: Mapped[date | None] = day("预审日期", "Reviewed by the committee on")
    introducer_one_id: Mapped[int | None] = reference("member", "入党介绍人一", "First introducer")
    introducer_one: Mapped[Member | None] = relationship(foreign_keys=[introducer_one_id])
    introducer_two_id: Mapped[int | None] = reference("member", "入党介绍人二", "Second introducer")
    introducer_two: Mapped[Member | None] = relationship(foreign_keys=[introducer_two_id])
    accepted_on: Mapped[date | None] = day("支部大会接收日期", "Accepted by the assembly on", index=True)
    accepted_entitled: Mapped[int | None] = number("接收应到会", "Entitled (acceptance)", unit=("人", "people"))
    accepted_present: Mapped[int | None] = number("接收实到会", "Present (acceptance)", unit=("人", "people"))
    accepted_in_favour: Mapped[int | None] = number("接收赞成票", "In favour (acceptance)", unit=("票", "votes"))
    approval_extended: Mapped[bool] = flag(
        "审批延长", "Approval extended", help=("特殊情况经批准延长至六个月", "To six months, in special cases")
    )
    approved_on: Mapped[date | None] = day("党委审批日期", "Approved on", editable=False)
    member_id: Mapped[int | None] = reference("member", "党员", "Member", editable=False)
    member: Mapped[Member | None] = relationship(foreign_keys=[member_id])
    oath_on: Mapped[date | None] = day("入党宣誓日期", "Oath on")
    probation_extended_to: Mapped[date | None] = day("预备期延长至", "Probation extended to")
    regular_applied_on: Mapped[date | None] = day("提出转正申请日期", "Applied for full membership on")
    regular_voted_on: Mapped[date | None] = day("转正支部大会日期", "Full membership voted on")
    regular_entitled: Mapped[int | None] = number("转正应到会", "Entitled (full membership)", unit=("人", "people"))
    regular_present: Mapped[int | None] = number("转正实到会", "Present (full membership)", unit=("人", "people"))
    regular_in_favour: Mapped[int | None] = number("转正赞成票", "In favour (full membership)", unit=("票", "votes"))
    regularized_on: Mapped[date | None] = day("审批转正日期", "Full membership approved on", editable=False)
    archived_on: Mapped[date | None] = day("材料归档日期", "Filed on")
    ended_on: Mapped[date | None] = day("终止日期", "Ended on", editable=False)
    end_reason: Mapped[str | None] = text("终止原因", "Ended because", 200, editable=False)
    remark: Mapped[str | None] = long_text("备注", "Remark")
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("talked_on IS NULL OR talked_on >= applied_on", name="ck_development_talk"),
        CheckConstraint("activist_on IS NULL OR activist_on >= talked_on", name="ck_development_activist"),
        CheckConstraint("prospect_on IS NULL OR prospect_on > activist_on", name="ck_development_prospect"),
        CheckConstraint("publicity_to IS NULL OR publicity_to >= publicity_from", name="ck_development_publicity"),
        CheckConstraint("accepted_on IS NULL OR accepted_on >= prereview_on", name="ck_development_accepted"),
        CheckConstraint("approved_on IS NULL OR approved_on >= accepted_on", name="ck_development_approved"),
        CheckConstraint("regularized_on IS NULL OR regularized_on >= regular_voted_on", name="ck_development_regular"),
        CheckConstraint("training_days >= 0 AND training_hours >= 0", name="ck_development_training"),
    )

    def fill_in(self, related: Related) -> None:
        if self.id_no:
            self.id_no = compact_identity_number(self.id_no)
            if not any(identity_number_faults(self.id_no)):
                self.birth_date = self.birth_date or born_on(self.id_no)
        self.stage, self.stage_since = self._reached()

    def _reached(self) -> tuple[DevelopmentStage, date | None]:
        """The stage that the dates have led to, and since when."""
        if self.ended_on:
            return DevelopmentStage.ENDED, self.ended_on
        for reached, since in (
            (DevelopmentStage.FULL, self.regularized_on),
            (DevelopmentStage.PROBATIONARY, self.accepted_on if self.approved_on else None),
            (DevelopmentStage.PROSPECT, self.prospect_on),
            (DevelopmentStage.ACTIVIST, self.activist_on),
        ):
            if since:
                return reached, since
        return DevelopmentStage.APPLICANT, self.applied_on

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.case_faults(self, related)


@registry.register
class DevelopmentReview(Entity):
    """A half-yearly review of an activist, or one of a probationary member."""

    __tablename__ = "bc_development_review"
    __entity__ = EntityOptions(
        label=Label("培养考察", "Development review"),
        about=Label(
            "对积极分子和预备党员的培养考察，一次一条。",
            "Reviews of activists and probationary members: one record for each review.",
        ),
        visibility=Visibility.SUBTREE,
        title="name",
        group="development",
        icon="fa-clipboard-check",
        person="member",
        dated_by="reviewed_on",
        natural_key=("case", "reviewed_on"),
        order_by="-reviewed_on",
        measure="次",
    )

    code: Mapped[str] = code("编号", "Code")
    name: Mapped[str] = text("姓名", "Name", 60, listed=True, searched=True, editable=False, filled_from=("case.name",))
    case_id: Mapped[int] = reference("development_case", "发展对象", "Development case")
    case: Mapped[DevelopmentCase] = relationship(foreign_keys=[case_id])
    organization_id: Mapped[int] = reference(
        "organization", "培养党组织", "Organization", listed=True, filled_from=("case.organization",)
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    member_id: Mapped[int | None] = reference("member", "党员", "Member", editable=False, filled_from=("case.member",))
    member: Mapped[Member | None] = relationship(foreign_keys=[member_id])
    kind: Mapped[ReviewKind] = code_of(
        ReviewKind, "考察类型", "Kind", default=ReviewKind.ACTIVIST, listed=True, filtered=True
    )
    reviewed_on: Mapped[date] = day("考察日期", "Reviewed on", listed=True, filtered=True)
    result: Mapped[ReviewResult] = code_of(
        ReviewResult, "考察意见", "Result", default=ReviewResult.QUALIFIED, listed=True, filtered=True,
        name="review_result", key="result",
    )  # fmt: skip
    reviewer: Mapped[str | None] = text("考察人", "Reviewed by", 60)
    opinion: Mapped[str | None] = long_text("考察评语", "Opinion")
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.review_faults(self, related)
