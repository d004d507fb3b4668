"""Volunteers and what they do.

Source: 民政部《志愿服务记录与证明出具办法（试行）》 (records are true, exact, complete, free of charge and timely).
Where somebody signed in is a track of movement (Personal Information Protection Law, article 28): kept are the distance
and a point rounded to about a kilometre.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from app.domains.members.checks import compact_identity_number
from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.entity.faults import FieldError
from app.entity.fields import code, code_of, day, encrypted, flag, hash_of, long_text, moment, number, reference, text
from app.entity.labels import Label
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.related import Related
from app.entity.visibility import Visibility

from . import checks
from .code_lists import (
    ActivityCategory,
    ActivityStatus,
    CheckInStatus,
    EnrolmentStatus,
    ServiceRole,
    SignInMode,
    SignInResult,
    StarLevel,
    VolunteerStatus,
)
from .star_levels import hours_of, star_of


@registry.register
class Volunteer(Entity):
    """A registered volunteer, member of the Party or not."""

    __tablename__ = "bc_volunteer"
    __entity__ = EntityOptions(
        label=Label("志愿者", "Volunteer"),
        about=Label(
            "注册志愿者，服务时长和星级随签到确认累计。",
            "Registered volunteers; hours and stars grow with each confirmed check-in.",
        ),
        visibility=Visibility.SUBTREE,
        title="name",
        group="service",
        icon="fa-hand-holding-heart",
        person="member",
        valid_between=("registered_on", "left_on"),
        dated_by="registered_on",
        order_by="code",
        measure="名",
    )

    code: Mapped[str] = code("志愿者编号", "Volunteer number", listed=True, searched=True)
    name: Mapped[str] = text("姓名", "Name", 60, listed=True, searched=True, index=True, filled_from=("member.name",))
    organization_id: Mapped[int] = reference(
        "organization", "注册组织", "Registered with", listed=True, filled_from=("member.organization",)
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    member_id: Mapped[int | None] = reference(
        "member", "党员", "Member", unique=True, help=("是党员的，选择其党员记录", "If the volunteer is a member")
    )
    member: Mapped[Member | None] = relationship(foreign_keys=[member_id])
    id_no: Mapped[str | None] = encrypted("公民身份号码", "Identity number")
    id_no_hash: Mapped[str | None] = hash_of("id_no", unique=True)
    birth_date: Mapped[date | None] = day("出生日期", "Date of birth", filled_from=("member.birth_date",))
    mobile: Mapped[str | None] = encrypted("手机号", "Mobile number")
    mobile_hash: Mapped[str | None] = hash_of("mobile")
    guardian_consent: Mapped[bool] = flag(
        "监护人同意", "Guardian consents", help=("未满 18 周岁的须取得监护人同意", "Needed below the age of 18")
    )
    skills: Mapped[str | None] = text(
        "技能特长", "Skills", 200, searched=True, help=("多项用顿号分开", "Separated by commas")
    )
    registered_on: Mapped[date] = day("注册日期", "Registered on", listed=True, filtered=True)
    status: Mapped[VolunteerStatus] = code_of(
        VolunteerStatus, "状态", "Status", default=VolunteerStatus.ACTIVE, listed=True, filtered=True
    )
    left_on: Mapped[date | None] = day("退出日期", "Left on")
    hours_before: Mapped[float] = number(
        "历史时长",
        "Hours before",
        unit=("小时", "hours"),
        default=0.0,
        help=("本平台启用前已认定的服务时长", "Recognized before this platform was used"),
    )
    hours_total: Mapped[float] = number(
        "累计时长", "Hours in all", unit=("小时", "hours"), default=0.0, editable=False, listed=True
    )
    star: Mapped[StarLevel] = code_of(
        StarLevel, "星级", "Stars", default=StarLevel.NONE, editable=False, listed=True, filtered=True
    )
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("left_on IS NULL OR left_on >= registered_on", name="ck_volunteer_left"),
        CheckConstraint("hours_before >= 0 AND hours_total >= 0", name="ck_volunteer_hours"),
    )

    def fill_in(self, related: Related) -> None:
        if self.id_no:
            self.id_no = compact_identity_number(self.id_no)
        if (self.hours_total or 0) < (self.hours_before or 0):
            self.hours_total = self.hours_before
        self.star = star_of(self.hours_total or 0, checks.today())

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.volunteer_faults(self, related)


@registry.register
class Activity(Entity):
    """Something that volunteers are wanted for."""

    __tablename__ = "bc_activity"
    __entity__ = EntityOptions(
        label=Label("志愿活动", "Activity"),
        about=Label(
            "志愿服务活动；发布后志愿者可以报名，到场签到签退。",
            "Volunteering activities; once published, volunteers enrol, sign in and sign out.",
        ),
        visibility=Visibility.INHERITED,
        title="title",
        group="service",
        icon="fa-people-carry-box",
        dated_by="starts_at",
        order_by="-starts_at",
        measure="场",
        plural="Activities",
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    organization_id: Mapped[int] = reference("organization", "组织单位", "Organized by", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    title: Mapped[str] = text("活动名称", "Title", 200, listed=True, searched=True)
    category: Mapped[ActivityCategory] = code_of(
        ActivityCategory, "类别", "Category", default=ActivityCategory.OTHER, listed=True, filtered=True
    )
    status: Mapped[ActivityStatus] = code_of(
        ActivityStatus, "状态", "Status", default=ActivityStatus.DRAFT, listed=True, filtered=True, editable=False
    )
    starts_at: Mapped[datetime] = moment("开始时间", "Starts at", listed=True, filtered=True)
    ends_at: Mapped[datetime] = moment("结束时间", "Ends at")
    enrol_by: Mapped[datetime | None] = moment(
        "报名截止", "Enrol by", help=("不填则到活动开始为止", "Until it begins if left empty")
    )
    capacity: Mapped[int] = number("招募人数", "Capacity", unit=("人", "people"), listed=True)
    minimum_age: Mapped[int] = number("最低年龄", "Minimum age", unit=("周岁", "years"), default=0)
    place: Mapped[str | None] = text("地点", "Place", 200, searched=True)
    lng: Mapped[float | None] = number("经度", "Longitude", unit=("度", "degrees"))
    lat: Mapped[float | None] = number("纬度", "Latitude", unit=("度", "degrees"))
    radius_m: Mapped[int] = number("签到范围", "Sign-in radius", unit=("米", "metres"), default=500)
    by_location: Mapped[bool] = flag("可定位签到", "Sign-in by location", default=True)
    by_code: Mapped[bool] = flag("可扫码签到", "Sign-in by QR code", default=True)
    points: Mapped[int] = number("积分", "Points", unit=("分", "points"), default=0)
    leader_id: Mapped[int | None] = reference("member", "负责人", "Leader")
    leader: Mapped[Member | None] = relationship(foreign_keys=[leader_id])
    description: Mapped[str | None] = long_text("活动说明", "Description")
    published_on: Mapped[date | None] = day("发布日期", "Published on", editable=False)
    cancel_reason: Mapped[str | None] = text("取消原因", "Cancelled because", 200, editable=False)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ck_activity_times"),
        CheckConstraint("capacity >= 1", name="ck_activity_capacity"),
        CheckConstraint("points >= 0 AND minimum_age >= 0 AND radius_m >= 0", name="ck_activity_numbers"),
        CheckConstraint("enrol_by IS NULL OR enrol_by <= ends_at", name="ck_activity_enrol_by"),
    )

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.activity_faults(self, related)


@registry.register
class Enrolment(Entity):
    """A volunteer's place in an activity, or on its waiting list. Made by the operations of the activity."""

    __tablename__ = "bc_enrolment"
    __entity__ = EntityOptions(
        label=Label("活动报名", "Enrolment"),
        about=Label(
            "志愿者对活动的报名；在活动页面点“报名”后出现在这里。",
            "Who has enrolled in an activity; made by “Enrol” on the activity's page.",
        ),
        visibility=Visibility.PARTIES,
        title="name",
        group="service",
        icon="fa-clipboard-user",
        person="member",
        parties=("organization", "organizer"),
        # Not by the day of the activity: who has enrolled counts before it is held.
        dated_by="enrolled_at",
        natural_key=("activity", "volunteer"),
        order_by="-held_on",
        measure="条",
        read_only=True,
    )

    code: Mapped[str] = code("编号", "Code")
    name: Mapped[str] = text(
        "姓名", "Name", 60, listed=True, searched=True, editable=False, filled_from=("volunteer.name",)
    )
    activity_id: Mapped[int] = reference("activity", "志愿活动", "Activity", listed=True)
    activity: Mapped[Activity] = relationship(foreign_keys=[activity_id])
    volunteer_id: Mapped[int] = reference("volunteer", "志愿者", "Volunteer")
    volunteer: Mapped[Volunteer] = relationship(foreign_keys=[volunteer_id])
    organization_id: Mapped[int] = reference(
        "organization",
        "志愿者所在组织",
        "Volunteer's organization",
        listed=True,
        filled_from=("volunteer.organization",),
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    organizer_id: Mapped[int] = reference(
        "organization", "组织单位", "Organizer", editable=False, filled_from=("activity.organization",)
    )
    organizer: Mapped[Organization] = relationship(foreign_keys=[organizer_id])
    member_id: Mapped[int | None] = reference(
        "member", "党员", "Member", editable=False, filled_from=("volunteer.member",)
    )
    member: Mapped[Member | None] = relationship(foreign_keys=[member_id])
    held_on: Mapped[date] = day("活动日期", "Held on", listed=True, filtered=True, editable=False, default=checks.today)
    status: Mapped[EnrolmentStatus] = code_of(
        EnrolmentStatus, "状态", "Status", default=EnrolmentStatus.ENROLLED, listed=True, filtered=True
    )
    role: Mapped[ServiceRole] = code_of(
        ServiceRole, "服务角色", "Role", default=ServiceRole.VOLUNTEER, name="service_role", key="role"
    )
    enrolled_at: Mapped[datetime] = moment("报名时间", "Enrolled at", listed=True, index=True, default=checks.now)
    is_proxy: Mapped[bool] = flag("代报名", "Enrolled by others")
    cancelled_at: Mapped[datetime | None] = moment("取消时间", "Cancelled at")
    reason: Mapped[str | None] = text("取消原因", "Cancelled because", 200)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        UniqueConstraint("activity_id", "volunteer_id"),
        CheckConstraint("status <> 'cancelled' OR cancelled_at IS NOT NULL", name="ck_enrolment_cancelled"),
    )

    def fill_in(self, related: Related) -> None:
        starts_at = related.value(self, "activity.starts_at")
        if starts_at:
            self.held_on = starts_at.date()


@registry.register
class CheckIn(Entity):
    """When an enrolled volunteer signed in and out, and the hours that were recognized."""

    __tablename__ = "bc_check_in"
    __entity__ = EntityOptions(
        label=Label("签到记录", "Check-in"),
        about=Label(
            "志愿活动的签到签退和服务时长；在报名页面点“签到”后出现在这里。",
            "Signing in and out of activities, and the hours served; made by “Sign in” on an enrolment's page.",
        ),
        visibility=Visibility.PARTIES,
        title="name",
        group="service",
        icon="fa-location-dot",
        person="member",
        parties=("organization", "organizer"),
        dated_by="held_on",
        natural_key=("enrolment",),
        order_by="-held_on",
        measure="条",
    )

    code: Mapped[str] = code("编号", "Code")
    name: Mapped[str] = text(
        "姓名", "Name", 60, listed=True, searched=True, editable=False, filled_from=("enrolment.name",)
    )
    enrolment_id: Mapped[int] = reference("enrolment", "活动报名", "Enrolment", unique=True)
    enrolment: Mapped[Enrolment] = relationship(foreign_keys=[enrolment_id])
    activity_id: Mapped[int] = reference(
        "activity", "志愿活动", "Activity", listed=True, editable=False, filled_from=("enrolment.activity",)
    )
    activity: Mapped[Activity] = relationship(foreign_keys=[activity_id])
    volunteer_id: Mapped[int] = reference(
        "volunteer", "志愿者", "Volunteer", editable=False, filled_from=("enrolment.volunteer",)
    )
    volunteer: Mapped[Volunteer] = relationship(foreign_keys=[volunteer_id])
    organization_id: Mapped[int] = reference(
        "organization",
        "志愿者所在组织",
        "Volunteer's organization",
        listed=True,
        editable=False,
        filled_from=("enrolment.organization",),
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    organizer_id: Mapped[int] = reference(
        "organization", "组织单位", "Organizer", editable=False, filled_from=("enrolment.organizer",)
    )
    organizer: Mapped[Organization] = relationship(foreign_keys=[organizer_id])
    member_id: Mapped[int | None] = reference(
        "member", "党员", "Member", editable=False, filled_from=("enrolment.member",)
    )
    member: Mapped[Member | None] = relationship(foreign_keys=[member_id])
    held_on: Mapped[date] = day(
        "活动日期", "Held on", filtered=True, editable=False, filled_from=("enrolment.held_on",)
    )
    mode: Mapped[SignInMode] = code_of(
        SignInMode, "签到方式", "Mode", default=SignInMode.MANUAL, filtered=True, name="sign_in_mode", key="mode"
    )
    signed_in_at: Mapped[datetime] = moment("签到时间", "Signed in at", listed=True)
    signed_out_at: Mapped[datetime | None] = moment("签退时间", "Signed out at", listed=True)
    distance_m: Mapped[int | None] = number("距活动地点", "Distance", unit=("米", "metres"), editable=False)
    lng: Mapped[float | None] = number(
        "经度（约）", "Longitude (about)", unit=("度", "degrees"), editable=False, sensitive=True
    )
    lat: Mapped[float | None] = number(
        "纬度（约）", "Latitude (about)", unit=("度", "degrees"), editable=False, sensitive=True
    )
    device_hash: Mapped[str | None] = text("设备", "Device", 64, hidden=True, editable=False, index=True)
    result: Mapped[SignInResult] = code_of(
        SignInResult, "签到结果", "Result", default=SignInResult.VALID, filtered=True, editable=False,
        name="sign_in_result", key="result",
    )  # fmt: skip
    status: Mapped[CheckInStatus] = code_of(
        CheckInStatus, "状态", "Status", default=CheckInStatus.SIGNED_IN, listed=True, filtered=True, editable=False
    )
    minutes: Mapped[int] = number("分钟", "Minutes", unit=("分钟", "minutes"), default=0, editable=False)
    hours: Mapped[float] = number(
        "认定时长",
        "Hours recognized",
        unit=("小时", "hours"),
        default=0.0,
        editable=False,
        listed=True,
        help=("确认后计入；不含路途时间", "Counted once confirmed; travel is left out"),
    )
    confirmed_on: Mapped[date | None] = day("确认日期", "Confirmed on", editable=False)
    confirmed_by: Mapped[str | None] = text("确认人", "Confirmed by", 60, editable=False)
    points: Mapped[int] = number("积分", "Points", unit=("分", "points"), default=0, editable=False)
    remark: Mapped[str | None] = text("备注", "Remark", 200)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("signed_out_at IS NULL OR signed_out_at >= signed_in_at", name="ck_check_in_times"),
        CheckConstraint("hours >= 0 AND minutes >= 0", name="ck_check_in_hours"),
        CheckConstraint("hours = 0 OR status = 'confirmed'", name="ck_check_in_confirmed"),
    )

    def fill_in(self, related: Related) -> None:
        if self.signed_out_at and self.signed_in_at and self.status in (None, CheckInStatus.SIGNED_IN):
            self.status = CheckInStatus.SIGNED_OUT
        if self.signed_out_at and self.signed_in_at:
            self.minutes = max(0, checks.minutes_served(self, related))
        # Zero until it is confirmed, so that any sum over hours is a sum of what was recognized.
        self.hours = hours_of(self.minutes or 0) if self.status == CheckInStatus.CONFIRMED else 0.0

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.check_in_faults(self, related)
