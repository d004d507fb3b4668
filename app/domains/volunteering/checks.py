"""What the records of volunteering have to satisfy beyond their single fields.

Sources: 民政部《志愿服务记录与证明出具办法（试行）》; travel is no service time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Any

from app.database.clock import now, today
from app.domains.members.checks import MOBILE, born_on, identity_number_faults
from app.domains.organizations.checks import years_later
from app.entity.faults import FieldError
from app.entity.related import Related

from .star_levels import terms_on

__all__ = ["now", "today"]

OF_AGE = 18
EARTH_RADIUS_M = 6_371_000


def distance_m(lng: float, lat: float, other_lng: float, other_lat: float) -> int:
    """Metres between two points given in degrees (haversine)."""
    up, along = radians(other_lat - lat), radians(other_lng - lng)
    inner = sin(up / 2) ** 2 + cos(radians(lat)) * cos(radians(other_lat)) * sin(along / 2) ** 2
    return round(2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(inner))))


def volunteer_faults(row: Any, related: Related) -> Iterator[FieldError]:
    number = row.id_no
    faults = list(identity_number_faults(number)) if number else []
    yield from faults
    if number and not faults and row.birth_date and row.birth_date != born_on(number):
        yield FieldError(
            "birth_date", "与公民身份号码中的出生日期不一致", "differs from the date in the identity number"
        )
    if row.mobile and not MOBILE.fullmatch(row.mobile):
        yield FieldError(
            "mobile", "应为 1 开头的 11 位手机号", "should be a mobile number: 11 digits that begin with 1"
        )
    born = row.birth_date or (born_on(number) if number and not faults else None)
    if born and row.registered_on < years_later(born, OF_AGE) and not row.guardian_consent:
        yield FieldError(
            "guardian_consent",
            "注册时未满 18 周岁，须取得监护人同意",
            "below 18 when registering: the guardian has to consent",
        )
    if row.registered_on > today():
        yield FieldError("registered_on", "不能晚于今天", "must not be later than today")
    if row.left_on and row.left_on < row.registered_on:
        yield FieldError("left_on", "不能早于注册日期", "must not be before the day of registering")
    if row.status == "left" and not row.left_on:
        yield FieldError("left_on", "已退出的要填退出日期", "one who has left needs the day")
    if row.hours_before < 0:
        yield FieldError("hours_before", "不能小于 0", "must not be below 0")


def activity_faults(row: Any, related: Related) -> Iterator[FieldError]:
    if row.ends_at <= row.starts_at:
        yield FieldError("ends_at", "应晚于开始时间", "should be later than the beginning")
    if row.enrol_by and row.enrol_by > row.ends_at:
        yield FieldError("enrol_by", "不能晚于活动结束", "must not be later than the end")
    if row.capacity < 1:
        yield FieldError("capacity", "至少 1 人", "at least 1")
    for name in ("points", "minimum_age", "radius_m"):
        if getattr(row, name) < 0:
            yield FieldError(name, "不能小于 0", "must not be below 0")
    if (row.lng is None) != (row.lat is None):
        yield FieldError("lat" if row.lat is None else "lng", "经度和纬度要一起填", "give longitude and latitude both")
    elif row.lng is not None and not (-180 <= row.lng <= 180 and -90 <= row.lat <= 90):
        yield FieldError(
            "lng", "经度应在 -180 到 180 之间，纬度在 -90 到 90 之间", "longitude lies within 180, latitude 90"
        )


def minutes_served(row: Any, related: Related) -> int:
    """Whole minutes between signing in and out that lie within the activity: who comes early or stays on is welcome,
    but serves no longer for it."""
    begin = max(row.signed_in_at, related.value(row, "activity.starts_at") or row.signed_in_at)
    end = min(row.signed_out_at, related.value(row, "activity.ends_at") or row.signed_out_at)
    return int((end - begin).total_seconds() // 60)


def check_in_faults(row: Any, related: Related) -> Iterator[FieldError]:
    activity = related.row(row, "activity")
    if row.signed_out_at and row.signed_out_at < row.signed_in_at:
        yield FieldError("signed_out_at", "不能早于签到时间", "must not be before signing in")
    if row.signed_in_at > now() + timedelta(minutes=5):
        yield FieldError("signed_in_at", "不能晚于现在", "must not be in the future")
    if activity is None or activity.starts_at is None:
        return
    terms = terms_on(activity.starts_at.date())
    first = activity.starts_at - timedelta(minutes=terms.minutes_before)
    last = activity.ends_at + timedelta(minutes=terms.minutes_after)
    for name in ("signed_in_at", "signed_out_at"):
        moment = getattr(row, name)
        if moment and not first <= moment <= last:
            yield FieldError(
                name,
                f"应在 {first:%Y-%m-%d %H:%M} 到 {last:%Y-%m-%d %H:%M} 之间（活动前后各 {terms.minutes_before} 分钟）",
                f"should be from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}",
            )
