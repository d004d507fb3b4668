"""What is done about activities: published, enrolled in, signed in to and out of, confirmed.

Places and the waiting list are counted while the activity is locked, so that the last place goes to one.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.database.clock import now, today
from app.domains.organizations.checks import years_later
from app.domains.wishes.code_lists import PointReason
from app.domains.wishes.ledger import add_points
from app.entity.labels import Label
from app.entity.operations import Audience, Impossible, asked, in_state, operation
from app.entity.registry import FieldKind

from .checks import distance_m
from .code_lists import (
    ActivityStatus,
    CheckInStatus,
    EnrolmentStatus,
    ServiceRole,
    SignInMode,
    SignInResult,
    VolunteerStatus,
)
from .models import Activity, CheckIn, Enrolment, Volunteer
from .star_levels import points_of, terms_on

WHY = asked("reason", FieldKind.TEXT, "原因", "Reason", length=200)


# --- activity ---


@operation(
    "activity",
    "publish",
    Label("发布", "Publish"),
    leads_to=ActivityStatus.PUBLISHED,
    offered=in_state(ActivityStatus.DRAFT),
)
def publish(session: Session, activity: Activity, actor: Actor) -> None:
    if activity.starts_at <= now():
        raise Impossible("活动已经开始，请先修改时间", "It has begun already: change the times first")
    activity.status, activity.published_on = ActivityStatus.PUBLISHED, today()


@operation(
    "activity",
    "enrol",
    Label("报名", "Enrol"),
    offered=in_state(ActivityStatus.PUBLISHED),
    asks=(
        asked(
            "volunteer_id", FieldKind.REFERENCE, "志愿者", "Volunteer", optional=True, target="volunteer",
            help=("代他人报名时选择；不填为本人", "When enrolling somebody else; yourself if left empty"),
        ),
    ),
    audience=Audience.EVERYONE,
)  # fmt: skip
def enrol(session: Session, activity: Activity, actor: Actor, *, volunteer_id: int | None = None) -> None:
    """Onto the waiting list where all places are taken."""
    if now() >= min(activity.enrol_by or activity.starts_at, activity.starts_at):
        raise Impossible("报名已经截止", "Enrolment has closed")
    volunteer = _who(session, actor, volunteer_id)
    _fit(activity, volunteer)
    known = session.scalars(
        select(Enrolment).where(Enrolment.activity_id == activity.id, Enrolment.volunteer_id == volunteer.id)
    ).one_or_none()
    if known is not None and known.status is not EnrolmentStatus.CANCELLED:
        raise Impossible(f"{volunteer.name}已经报名", f"{volunteer.name} is enrolled already")
    is_full = _taken(session, activity) >= activity.capacity
    enrolment = known or Enrolment(activity_id=activity.id, volunteer_id=volunteer.id)
    enrolment.status = EnrolmentStatus.WAITING if is_full else EnrolmentStatus.ENROLLED
    enrolment.enrolled_at, enrolment.cancelled_at, enrolment.reason = now(), None, None
    enrolment.is_proxy = volunteer.member_id is None or volunteer.member_id != actor.member_id
    session.add(enrolment)


def _who(session: Session, actor: Actor, volunteer_id: int | None) -> Volunteer:
    own = None
    if actor.member_id is not None:
        own = session.scalars(select(Volunteer).where(Volunteer.member_id == actor.member_id)).one_or_none()
    if volunteer_id is None:
        if own is None:
            raise Impossible("您还没有注册为志愿者", "You are not registered as a volunteer")
        return own
    if actor.member_id is not None and not actor.is_staff and (own is None or own.id != volunteer_id):
        raise Impossible("只能为本人报名", "Members enrol themselves alone")
    return session.get_one(Volunteer, volunteer_id)


def _fit(activity: Activity, volunteer: Volunteer) -> None:
    if volunteer.status is not VolunteerStatus.ACTIVE:
        raise Impossible(f"{volunteer.name}不在册，不能报名", f"{volunteer.name} is not registered now")
    if activity.minimum_age:
        if volunteer.birth_date is None:
            raise Impossible(
                "活动有年龄要求，请先填写志愿者的出生日期", "An age is asked for: fill in the date of birth"
            )
        if activity.starts_at.date() < years_later(volunteer.birth_date, activity.minimum_age):
            raise Impossible(
                f"活动要求年满 {activity.minimum_age} 周岁", f"One has to be {activity.minimum_age} years old"
            )


def _taken(session: Session, activity: Activity) -> int:
    held = (EnrolmentStatus.ENROLLED, EnrolmentStatus.ATTENDED)
    statement = select(func.count(Enrolment.id)).where(Enrolment.activity_id == activity.id, Enrolment.status.in_(held))
    return session.scalar(statement) or 0


@operation(
    "activity",
    "cancel_activity",
    Label("取消活动", "Cancel the activity"),
    leads_to=ActivityStatus.CANCELLED,
    offered=in_state(ActivityStatus.DRAFT, ActivityStatus.PUBLISHED),
    asks=(WHY,),
)
def cancel_activity(session: Session, activity: Activity, actor: Actor, *, reason: str) -> None:
    if session.scalar(select(func.count(CheckIn.id)).where(CheckIn.activity_id == activity.id)):
        raise Impossible("已有人签到，不能取消", "Somebody has signed in already")
    activity.status, activity.cancel_reason = ActivityStatus.CANCELLED, reason
    for enrolment in _of(session, activity, EnrolmentStatus.ENROLLED, EnrolmentStatus.WAITING):
        _cancel(enrolment, "活动取消")


@operation(
    "activity",
    "sign_out_all",
    Label("集体签退", "Sign everybody out"),
    offered=lambda row: row.status is ActivityStatus.PUBLISHED and row.starts_at <= now(),
    confirm=Label("为所有已签到、未签退的志愿者签退？", "Sign out everybody who is signed in?"),
)
def sign_out_all(session: Session, activity: Activity, actor: Actor) -> None:
    open_ = select(CheckIn).where(CheckIn.activity_id == activity.id, CheckIn.status == CheckInStatus.SIGNED_IN)
    for entry in session.scalars(open_.with_for_update()):
        entry.signed_out_at = max(entry.signed_in_at, min(now(), activity.ends_at))


@operation(
    "activity",
    "close_activity",
    Label("结束活动", "Close the activity"),
    leads_to=ActivityStatus.CLOSED,
    offered=lambda row: row.status is ActivityStatus.PUBLISHED and row.ends_at <= now(),
    confirm=Label("结束活动？没有签到的报名将记为爽约。", "Close it? Those enrolled who did not sign in are no-shows."),
)
def close_activity(session: Session, activity: Activity, actor: Actor) -> None:
    """Who is still signed in is signed out; who was enrolled and did not come is a no-show."""
    sign_out_all(session, activity, actor)
    activity.status = ActivityStatus.CLOSED
    for enrolment in _of(session, activity, EnrolmentStatus.ENROLLED):
        enrolment.status = EnrolmentStatus.ABSENT
    for enrolment in _of(session, activity, EnrolmentStatus.WAITING):
        _cancel(enrolment, "候补未递补")


def _of(session: Session, activity: Activity, *states: EnrolmentStatus) -> list[Enrolment]:
    statement = select(Enrolment).where(Enrolment.activity_id == activity.id, Enrolment.status.in_(states))
    return list(session.scalars(statement.order_by(Enrolment.enrolled_at, Enrolment.id)))


def _cancel(enrolment: Enrolment, reason: str) -> None:
    enrolment.status, enrolment.cancelled_at, enrolment.reason = EnrolmentStatus.CANCELLED, now(), reason


# --- enrolment ---


@operation(
    "enrolment",
    "give_up",
    Label("取消报名", "Withdraw"),
    leads_to=EnrolmentStatus.CANCELLED,
    offered=in_state(EnrolmentStatus.ENROLLED, EnrolmentStatus.WAITING),
    asks=(asked("reason", FieldKind.TEXT, "原因", "Reason", optional=True, length=200),),
    audience=Audience.EVERYONE,
)
def give_up(session: Session, enrolment: Enrolment, actor: Actor, *, reason: str | None = None) -> None:
    """The first of the waiting list moves up."""
    activity = _activity(session, enrolment)
    if now() >= activity.starts_at:
        raise Impossible("活动已经开始，不能取消报名", "It has begun: too late to withdraw")
    had_place = enrolment.status is EnrolmentStatus.ENROLLED
    _cancel(enrolment, reason or "本人取消")
    session.flush()
    waiting = _of(session, activity, EnrolmentStatus.WAITING)
    if had_place and waiting and _taken(session, activity) < activity.capacity:
        waiting[0].status = EnrolmentStatus.ENROLLED


@operation(
    "enrolment",
    "sign_in",
    Label("签到", "Sign in"),
    leads_to=EnrolmentStatus.ATTENDED,
    offered=in_state(EnrolmentStatus.ENROLLED),
    asks=(
        asked("mode", FieldKind.CODE, "签到方式", "Mode", code_list=SignInMode),
        asked("lng", FieldKind.DECIMAL, "经度", "Longitude", optional=True, unit=("度", "degrees")),
        asked("lat", FieldKind.DECIMAL, "纬度", "Latitude", optional=True, unit=("度", "degrees")),
        asked("device", FieldKind.TEXT, "设备标识", "Device", optional=True, length=120),
    ),
    audience=Audience.EVERYONE,
    initial=lambda row: {"mode": SignInMode.LEADER},
)
def sign_in(
    session: Session,
    enrolment: Enrolment,
    actor: Actor,
    *,
    mode: SignInMode,
    lng: Any = None,
    lat: Any = None,
    device: str | None = None,
) -> None:
    """Within the window of the activity. Out of range, or from a device that signed in another, is recorded as such and
    waits for the secretary. Kept of the place is the distance and a point rounded to about a kilometre."""
    activity = _activity(session, enrolment)
    _in_window(activity, now())
    own_only = actor.member_id is not None and not actor.is_staff
    if own_only and mode in (SignInMode.LEADER, SignInMode.MANUAL):
        raise Impossible("本人签到请选择定位或扫码", "Sign yourself in by location or QR code")
    allowed = {SignInMode.LOCATION: activity.by_location, SignInMode.CODE: activity.by_code}.get(mode, True)
    if not allowed:
        raise Impossible("本次活动不采用这种签到方式", "This activity does not use that way of signing in")
    entry = CheckIn(enrolment_id=enrolment.id, activity_id=activity.id, mode=mode, signed_in_at=now())
    entry.result = SignInResult.VALID
    if mode is SignInMode.LOCATION:
        _locate(entry, activity, lng, lat)
    if device:
        entry.device_hash = hashlib.sha256(device.encode()).hexdigest()
        shared = select(func.count(CheckIn.id)).where(
            CheckIn.activity_id == activity.id, CheckIn.device_hash == entry.device_hash
        )
        if mode is not SignInMode.LEADER and session.scalar(shared):
            entry.result = SignInResult.BY_PROXY
    enrolment.status = EnrolmentStatus.ATTENDED
    session.add(entry)


def _in_window(activity: Activity, moment: datetime) -> None:
    terms = terms_on(activity.starts_at.date())
    first = activity.starts_at - timedelta(minutes=terms.minutes_before)
    last = activity.ends_at + timedelta(minutes=terms.minutes_after)
    if not first <= moment <= last:
        raise Impossible(
            f"签到时间为 {first:%m-%d %H:%M} 至 {last:%m-%d %H:%M}",
            f"Sign-in is open from {first:%m-%d %H:%M} to {last:%m-%d %H:%M}",
        )


def _locate(entry: CheckIn, activity: Activity, lng: Any, lat: Any) -> None:
    if lng is None or lat is None:
        raise Impossible("没有取得位置，请改用扫码签到", "No position was given: use the QR code instead")
    if activity.lng is None or activity.lat is None:
        raise Impossible("活动没有登记地点坐标，请改用扫码签到", "The activity has no coordinates: use the QR code")
    entry.distance_m = distance_m(float(lng), float(lat), activity.lng, activity.lat)
    entry.lng, entry.lat = round(float(lng), 2), round(float(lat), 2)
    if entry.distance_m > activity.radius_m:
        entry.result = SignInResult.OUT_OF_RANGE


def _activity(session: Session, row: Enrolment | CheckIn) -> Activity:
    """The activity, locked: who changes places or hours changes them one after the other."""
    statement = select(Activity).where(Activity.id == row.activity_id).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one()


# --- check-in ---


@operation(
    "check_in",
    "sign_out",
    Label("签退", "Sign out"),
    leads_to=CheckInStatus.SIGNED_OUT,
    offered=in_state(CheckInStatus.SIGNED_IN),
    audience=Audience.EVERYONE,
    confirm=Label("现在签退？", "Sign out now?"),
)
def sign_out(session: Session, entry: CheckIn, actor: Actor) -> None:
    activity = session.get_one(Activity, entry.activity_id)
    terms = terms_on(activity.starts_at.date())
    entry.signed_out_at = min(now(), activity.ends_at + timedelta(minutes=terms.minutes_after))


@operation(
    "check_in",
    "confirm_hours",
    Label("确认时长", "Confirm the hours"),
    leads_to=CheckInStatus.CONFIRMED,
    offered=in_state(CheckInStatus.SIGNED_OUT),
    confirm=Label("确认后计入服务时长并发放积分，确定？", "Hours and points follow. Confirm?"),
    party="organization",
)
def confirm_hours(session: Session, entry: CheckIn, actor: Actor) -> None:
    """By the volunteer's own secretary: hours count, stars follow, points are given once."""
    day = today()
    volunteer = session.scalars(select(Volunteer).where(Volunteer.id == entry.volunteer_id).with_for_update()).one()
    activity, enrolment = session.get_one(Activity, entry.activity_id), session.get_one(Enrolment, entry.enrolment_id)
    role = enrolment.role or ServiceRole.VOLUNTEER
    entry.status, entry.confirmed_on, entry.confirmed_by = CheckInStatus.CONFIRMED, day, actor.name[:60]
    entry.points = points_of(activity.points, role, day)
    session.flush()
    volunteer.hours_total = volunteer.hours_before + recognized_hours(session, volunteer)
    key = f"check_in:{entry.id}"
    add_points(
        session, volunteer, entry.points, PointReason.ACTIVITY, key=key, day=day, refers_to=entry.code,
        remark=activity.title,
    )  # fmt: skip


@operation(
    "check_in",
    "reject_hours",
    Label("不予认定", "Reject"),
    leads_to=CheckInStatus.REJECTED,
    offered=in_state(CheckInStatus.SIGNED_IN, CheckInStatus.SIGNED_OUT),
    asks=(asked("remark", FieldKind.TEXT, "原因", "Reason", length=200),),
    party="organization",
)
def reject_hours(session: Session, entry: CheckIn, actor: Actor, *, remark: str) -> None:
    entry.status, entry.remark = CheckInStatus.REJECTED, remark
    entry.confirmed_on, entry.confirmed_by = today(), actor.name[:60]


def recognized_hours(session: Session, volunteer: Volunteer) -> float:
    """The hours of a volunteer that were confirmed here."""
    total = select(func.sum(CheckIn.hours)).where(
        CheckIn.volunteer_id == volunteer.id, CheckIn.status == CheckInStatus.CONFIRMED
    )
    return round(session.scalar(total) or 0.0, 2)
