"""Party life as it is recorded: meetings and who came, fees, study, the yearly appraisal, commendations.

What is owed is a row as well: a fee of the month, an expected attendance, a required course (``duties`` makes them).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.entity.faults import FieldError
from app.entity.fields import (
    FieldOptions,
    code,
    code_of,
    day,
    flag,
    long_text,
    moment,
    money,
    number,
    period,
    reference,
    text,
)
from app.entity.labels import Label
from app.entity.periods import Period
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.related import Related
from app.entity.visibility import Visibility

from . import checks
from .code_lists import (
    AppraisalGrade,
    AppraisalStatus,
    AttendanceStatus,
    CommendationKind,
    CommendationTier,
    CourseCategory,
    CourseStatus,
    ExemptReason,
    FeeChannel,
    LecturerPost,
    MeetingKind,
    MeetingStatus,
    PunishmentGrade,
    StudySource,
)


@registry.register
class Meeting(Entity):
    """A meeting or other occasion of Party life, planned or held."""

    __tablename__ = "bc_meeting"
    __entity__ = EntityOptions(
        label=Label("组织生活", "Meeting"),
        about=Label(
            "三会一课、主题党日等组织生活：什么类型、何时召开、应到实到。",
            "Meetings such as branch assemblies, party lectures and theme days: which kind, when, who was there.",
        ),
        visibility=Visibility.SUBTREE,
        title="topic",
        group="records",
        icon="fa-calendar-check",
        dated_by="held_on",
        order_by="-held_on",
        measure="次",
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    organization_id: Mapped[int] = reference("organization", "召开组织", "Organization", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    kind: Mapped[MeetingKind] = code_of(MeetingKind, "类型", "Kind", listed=True, filtered=True)
    topic: Mapped[str] = text("主题", "Topic", 200, listed=True, searched=True, filled_from=("kind",))
    planned_at: Mapped[datetime | None] = moment("计划时间", "Planned for")
    held_on: Mapped[date | None] = day("召开日期", "Held on", listed=True, filtered=True)
    held_at: Mapped[str | None] = text(
        "开始时间", "Time", 5, pattern=r"([01]\d|2[0-3]):[0-5]\d", help=("形如 09:30", "Such as 09:30")
    )
    status: Mapped[MeetingStatus] = code_of(
        MeetingStatus, "状态", "Status", default=MeetingStatus.PLANNED, listed=True, filtered=True
    )
    reviewed_on: Mapped[date | None] = day("审核日期", "Reviewed on")
    place: Mapped[str | None] = text("地点", "Place", 200)
    host: Mapped[str | None] = text("主持人", "Chaired by", 60)
    recorder: Mapped[str | None] = text("记录人", "Recorded by", 60)
    lecturer: Mapped[str | None] = text("授课人", "Lecturer", 60)
    lecturer_post: Mapped[LecturerPost | None] = code_of(LecturerPost, "授课人职务", "Lecturer's post")
    expected: Mapped[int | None] = number("应到", "Expected", unit=("人", "people"))
    attended: Mapped[int | None] = number("实到", "Attended", unit=("人", "people"), listed=True)
    on_leave: Mapped[int | None] = number("请假", "On leave", unit=("人", "people"))
    absent: Mapped[int | None] = number("缺席", "Absent", unit=("人", "people"), name="absent_count", key="absent")
    is_double: Mapped[bool] = flag(
        "双重组织生活",
        "Leaders take part",
        help=("党员领导干部以普通党员身份参加", "Leaders take part as ordinary members"),
    )
    minutes: Mapped[str | None] = long_text("会议记录", "Minutes")
    resolution: Mapped[str | None] = long_text("决议", "Resolution")
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("status <> 'held' OR held_on IS NOT NULL", name="ck_meeting_held"),
        CheckConstraint("expected >= 0 AND attended >= 0", name="ck_meeting_expected"),
        CheckConstraint("on_leave >= 0 AND absent_count >= 0", name="ck_meeting_absent"),
        CheckConstraint(
            "expected IS NULL OR COALESCE(attended, 0) + COALESCE(on_leave, 0) + COALESCE(absent_count, 0) <= expected",
            name="ck_meeting_counts",
        ),
    )

    def fill_in(self, related: Related) -> None:
        if self.status == MeetingStatus.HELD and not self.held_on and self.planned_at:
            self.held_on = self.planned_at.date()

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.meeting_faults(self, related)


@registry.register
class Attendance(Entity):
    """One member at one meeting: expected, and then present, on leave or absent."""

    __tablename__ = "bc_attendance"
    __entity__ = EntityOptions(
        label=Label("到会记录", "Attendance"),
        about=Label(
            "会议的到会记录，一人一条；登记会议后逐人产生，这里记下出席或缺席。",
            "Who was present at a meeting: one record for each person expected.",
        ),
        visibility=Visibility.SUBTREE,
        title="held_on",
        group="records",
        icon="fa-user-check",
        person="member",
        dated_by="held_on",
        natural_key=("meeting", "member"),
        order_by="-held_on",
        measure="条",
        copied_in=True,
        plural="Attendance",
    )

    code: Mapped[str] = code("编号", "Code")
    organization_id: Mapped[int] = reference(
        "organization",
        "党员所在组织",
        "Member's organization",
        filled_from=("member.organization", "meeting.organization"),
        help=("不填则为党员当时所在组织", "The member's organization of the day if left empty"),
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    meeting_id: Mapped[int] = reference("meeting", "组织生活", "Meeting", listed=True)
    meeting: Mapped[Meeting] = relationship(foreign_keys=[meeting_id])
    member_id: Mapped[int] = reference("member", "党员", "Member", listed=True)
    member: Mapped[Member] = relationship(foreign_keys=[member_id])
    status: Mapped[AttendanceStatus] = code_of(
        AttendanceStatus,
        "到会情况",
        "Status",
        default=AttendanceStatus.EXPECTED,
        listed=True,
        filtered=True,
        index=False,
    )
    held_on: Mapped[date | None] = day(
        "召开日期", "Held on", listed=True, filtered=True, editable=False, filled_from=("meeting.held_on",)
    )
    is_double: Mapped[bool] = flag("双重组织生活", "As a leader among members")
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (UniqueConstraint("meeting_id", "member_id"),)

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.attendance_faults(self, related)


@registry.register
class FeePayment(Entity):
    """The fee that a member owes for one month, and its payment."""

    __tablename__ = "bc_fee_payment"
    __entity__ = EntityOptions(
        label=Label("党费", "Fee"),
        about=Label(
            "每名党员每月的应交和实交党费；应交记录按月自动产生。",
            "What each member owes and has paid each month; what is owed is added month by month.",
        ),
        visibility=Visibility.SUBTREE,
        title="period",
        group="records",
        icon="fa-coins",
        person="member",
        dated_by="period",
        natural_key=("member", "period"),
        order_by="-period",
        measure="笔",
        copied_in=True,
    )

    code: Mapped[str] = code("编号", "Code")
    organization_id: Mapped[int] = reference(
        "organization", "收缴组织", "Organization", listed=True, filled_from=("member.organization",)
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    member_id: Mapped[int] = reference("member", "党员", "Member", listed=True)
    member: Mapped[Member] = relationship(foreign_keys=[member_id])
    period: Mapped[str] = period("月份", "Month", listed=True, filtered=True, name="fee_month", key="period")
    base: Mapped[Decimal | None] = money("计算基数", "Base")
    rate: Mapped[Decimal | None] = mapped_column(
        Numeric(6, 4), info={"field": FieldOptions(Label("比例", "Rate"), help=Label("0.01 即 1%", "0.01 is 1%"))}
    )
    due: Mapped[Decimal] = money("应缴", "Due", listed=True)
    paid: Mapped[Decimal | None] = money("实缴", "Paid", listed=True)
    pay_by: Mapped[date | None] = day("交纳期限", "Pay by")
    paid_on: Mapped[date | None] = day("交纳日期", "Paid on", listed=True, filtered=True)
    channel: Mapped[FeeChannel | None] = code_of(FeeChannel, "交纳方式", "Channel")
    exempt_reason: Mapped[ExemptReason | None] = code_of(
        ExemptReason, "免交原因", "Exempt because", filtered=True, index=False
    )
    receipt_no: Mapped[str | None] = text("收据号", "Receipt number", 60)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        UniqueConstraint("member_id", "period"),
        CheckConstraint("due >= 0 AND paid >= 0 AND base >= 0", name="ck_fee_payment_amounts"),
        CheckConstraint("rate >= 0 AND rate <= 1", name="ck_fee_payment_rate"),
        CheckConstraint("COALESCE(paid, 0) = 0 OR paid_on IS NOT NULL", name="ck_fee_payment_paid"),
    )

    def fill_in(self, related: Related) -> None:
        if not self.pay_by and self.period:
            self.pay_by = Period.parse(self.period).end

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.fee_faults(self, related)


@registry.register
class Course(Entity):
    """A course that an organization offers to itself and to those below it."""

    __tablename__ = "bc_course"
    __entity__ = EntityOptions(
        label=Label("课程", "Course"),
        about=Label(
            "党员学习课程；发布后，下级党员的应学记录随之产生。",
            "Courses of study; once published, members below are expected to complete them.",
        ),
        visibility=Visibility.INHERITED,
        title="title",
        group="records",
        icon="fa-book",
        dated_by="published_on",
        valid_between=("published_on", "due_on"),
        order_by="-published_on",
        measure="门",
        refers_to_wider=True,
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    organization_id: Mapped[int] = reference("organization", "发布组织", "Published by", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    title: Mapped[str] = text("名称", "Title", 200, listed=True, searched=True)
    category: Mapped[CourseCategory | None] = code_of(CourseCategory, "类别", "Category", listed=True, filtered=True)
    is_required: Mapped[bool] = flag("必修", "Required", listed=True, filtered=True)
    hours: Mapped[float] = number("学时", "Hours", unit=("学时", "hours"), default=0.0, listed=True)
    status: Mapped[CourseStatus] = code_of(
        CourseStatus, "状态", "Status", default=CourseStatus.DRAFT, listed=True, filtered=True
    )
    published_on: Mapped[date | None] = day("发布日期", "Published on", listed=True, filtered=True)
    due_on: Mapped[date | None] = day("完成期限", "Complete by", listed=True)
    summary: Mapped[str | None] = long_text("简介", "Summary")
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("hours >= 0", name="ck_course_hours"),
        CheckConstraint("status <> 'published' OR published_on IS NOT NULL", name="ck_course_published"),
        CheckConstraint("due_on IS NULL OR published_on IS NULL OR due_on >= published_on", name="ck_course_dates"),
    )

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.course_faults(self, related)


@registry.register
class StudyRecord(Entity):
    """Hours that a member studied; without ``completed_on``, a required course that is still owed."""

    __tablename__ = "bc_study_record"
    __entity__ = EntityOptions(
        label=Label("学习记录", "Study record"),
        about=Label(
            "党员学习课程的完成情况，一人一门一条。",
            "How far members have come with their courses: one record for each member and course.",
        ),
        visibility=Visibility.SUBTREE,
        title="title",
        group="records",
        icon="fa-graduation-cap",
        person="member",
        dated_by="completed_on",
        order_by="-completed_on",
        measure="条",
        copied_in=True,
    )

    code: Mapped[str] = code("编号", "Code")
    organization_id: Mapped[int] = reference(
        "organization", "党员所在组织", "Member's organization", filled_from=("member.organization",)
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    member_id: Mapped[int] = reference("member", "党员", "Member", listed=True)
    member: Mapped[Member] = relationship(foreign_keys=[member_id])
    course_id: Mapped[int | None] = reference("course", "课程", "Course")
    course: Mapped[Course | None] = relationship(foreign_keys=[course_id])
    title: Mapped[str] = text("内容", "Title", 200, listed=True, searched=True, filled_from=("course.title", "source"))
    hours: Mapped[float] = number("学时", "Hours", unit=("学时", "hours"), default=0.0, listed=True)
    completed_on: Mapped[date | None] = day("完成日期", "Completed on", listed=True, filtered=True)
    source: Mapped[StudySource] = code_of(
        StudySource, "来源", "Source", default=StudySource.OFFLINE, listed=True, filtered=True, index=False
    )
    verified_by: Mapped[str | None] = text("审核人", "Verified by", 60)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        # Databases let any number of rows without a course pass.
        UniqueConstraint("member_id", "course_id"),
        CheckConstraint("hours >= 0", name="ck_study_record_hours"),
    )

    def fill_in(self, related: Related) -> None:
        # A required course that is now completed counts with its hours unless others are given.
        if self.completed_on and not self.hours:
            self.hours = related.value(self, "course.hours") or 0.0

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.study_faults(self, related)


@registry.register
class Appraisal(Entity):
    """What the yearly democratic appraisal found about one member."""

    __tablename__ = "bc_appraisal"
    __entity__ = EntityOptions(
        label=Label("民主评议", "Appraisal"),
        about=Label(
            "民主评议党员的结果，一人一年一条。",
            "Results of the yearly appraisal: one record for each member and year.",
        ),
        visibility=Visibility.SUBTREE,
        title="period",
        group="records",
        icon="fa-star-half-alt",
        person="member",
        dated_by="appraised_on",
        natural_key=("member", "period"),
        order_by="-period",
        measure="条",
        copied_in=True,
    )

    code: Mapped[str] = code("编号", "Code")
    organization_id: Mapped[int] = reference(
        "organization", "评议组织", "Organization", listed=True, filled_from=("member.organization",)
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    member_id: Mapped[int] = reference("member", "党员", "Member", listed=True)
    member: Mapped[Member] = relationship(foreign_keys=[member_id])
    period: Mapped[str] = period("年度", "Year", listed=True, filtered=True, name="appraisal_year", key="period")
    appraised_on: Mapped[date] = day("评议日期", "Appraised on", listed=True, filtered=True, filled_from=("period",))
    self_score: Mapped[float | None] = number("自评分", "Own score", unit=("分", "points"))
    votes_excellent: Mapped[int | None] = number("优秀票", "Votes: excellent", unit=("票", "votes"))
    votes_qualified: Mapped[int | None] = number("合格票", "Votes: qualified", unit=("票", "votes"))
    votes_basically: Mapped[int | None] = number("基本合格票", "Votes: basically qualified", unit=("票", "votes"))
    votes_unqualified: Mapped[int | None] = number("不合格票", "Votes: unqualified", unit=("票", "votes"))
    grade: Mapped[AppraisalGrade | None] = code_of(AppraisalGrade, "等次", "Grade", listed=True, filtered=True)
    opinion: Mapped[str | None] = long_text("评议意见", "Opinion")
    measure: Mapped[str | None] = long_text("整改措施", "Measure")
    status: Mapped[AppraisalStatus] = code_of(
        AppraisalStatus, "状态", "Status", default=AppraisalStatus.DRAFT, listed=True, filtered=True
    )
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        UniqueConstraint("member_id", "period"),
        CheckConstraint("self_score >= 0 AND self_score <= 100", name="ck_appraisal_self_score"),
        CheckConstraint(
            "votes_excellent >= 0 AND votes_qualified >= 0 AND votes_basically >= 0 AND votes_unqualified >= 0",
            name="ck_appraisal_votes",
        ),
    )

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.appraisal_faults(self, related)


@registry.register
class Commendation(Entity):
    """A commendation, punishment or notice, of either an organization or a member."""

    __tablename__ = "bc_commendation"
    __entity__ = EntityOptions(
        label=Label("奖惩", "Commendation or punishment"),
        about=Label("表彰奖励和处分，记在党组织或党员名下。", "Honours and sanctions of organizations and members."),
        visibility=Visibility.SUBTREE,
        title="title",
        group="records",
        icon="fa-medal",
        person="member",
        scope="holder",
        dated_by="issued_on",
        valid_between=("effective_on", "expires_on"),
        order_by="-issued_on",
        measure="项",
        copied_in=True,
        plural="Commendations and punishments",
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    organization_id: Mapped[int | None] = reference(
        "organization",
        "党组织",
        "Organization",
        listed=True,
        help=("奖惩对象为党组织时填写", "When an organization is meant"),
    )
    organization: Mapped[Organization | None] = relationship(foreign_keys=[organization_id])
    member_id: Mapped[int | None] = reference(
        "member", "党员", "Member", listed=True, help=("奖惩对象为党员时填写", "When a member is meant")
    )
    member: Mapped[Member | None] = relationship(foreign_keys=[member_id])
    holder_id: Mapped[int] = reference(
        "organization",
        "归属组织",
        "Held by",
        hidden=True,
        editable=False,
        filled_from=("organization", "member.organization"),
    )
    holder: Mapped[Organization] = relationship(foreign_keys=[holder_id])
    kind: Mapped[CommendationKind] = code_of(CommendationKind, "类别", "Kind", listed=True, filtered=True)
    tier: Mapped[CommendationTier | None] = code_of(CommendationTier, "级别", "Tier", listed=True, filtered=True)
    grade: Mapped[PunishmentGrade | None] = code_of(PunishmentGrade, "处分种类", "Punishment", listed=True)
    title: Mapped[str] = text("名称", "Title", 200, listed=True, searched=True, filled_from=("kind",))
    doc_no: Mapped[str | None] = text("文号", "Document number", 60, searched=True)
    issued_on: Mapped[date] = day("作出日期", "Issued on", listed=True, filtered=True, filled_from=("effective_on",))
    effective_on: Mapped[date | None] = day("生效日期", "Effective on", filled_from=("issued_on",))
    expires_on: Mapped[date | None] = day("影响期满日期", "Expires on")
    closed_on: Mapped[date | None] = day("期满处理日期", "Closed on")
    remark: Mapped[str | None] = long_text("说明", "Remark")
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint(
            "(organization_id IS NULL AND member_id IS NOT NULL)"
            " OR (organization_id IS NOT NULL AND member_id IS NULL)",
            name="ck_commendation_subject",
        ),
        CheckConstraint(
            "expires_on IS NULL OR effective_on IS NULL OR expires_on >= effective_on", name="ck_comm_dates"
        ),
        CheckConstraint("grade IS NULL OR kind = 'punishment'", name="ck_commendation_grade"),
    )

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.commendation_faults(self, related)
