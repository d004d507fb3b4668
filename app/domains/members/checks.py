"""What a member's and a post's record has to satisfy beyond its single fields.

Sources: GB 11643-1999 (identity numbers), the Party Constitution (admission at 18, a year of probation).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache, lru_cache
from typing import Any

from stdnum import numdb
from stdnum.cn import ric

from app.database.clock import today
from app.domains.organizations.checks import years_later
from app.entity.faults import FieldError
from app.entity.related import Related

MOBILE = re.compile(r"1[3-9]\d{9}")
EARLIEST_BIRTH = date(1900, 1, 1)
ADMISSION_AGE, PROBATION_YEARS = 18, 1
MALE, FEMALE = "1", "2"
_PLACES = numdb.get("cn/loc")


@cache
def _is_province(digits: str) -> bool:
    return bool(_PLACES.info(digits)[0][1])


def compact_identity_number(text: str) -> str:
    """Without spaces and hyphens, with a capital X."""
    return re.sub(r"[\s-]", "", text).upper()


def born_on(identity_number: str) -> date | None:
    """The date of birth in an identity number of 18 digits; None if that is no date."""
    try:
        return date.fromisoformat(f"{identity_number[6:10]}-{identity_number[10:12]}-{identity_number[12:14]}")
    except ValueError:
        return None


def gender_of(identity_number: str) -> str:
    """GB/T 2261.1: odd in the 17th digit is male."""
    return MALE if int(identity_number[16]) % 2 else FEMALE


def identity_number_faults(number: str) -> Iterator[FieldError]:
    """Form, date and check digit."""
    fault = _identity_number_fault(number, today())
    if fault is not None:
        yield fault


@lru_cache(maxsize=1)  # a row's number is asked for more than once
def _identity_number_fault(number: str, day: date) -> FieldError | None:
    if len(number) == 15 and number.isdigit():
        return FieldError(
            "id_no", "15 位旧号码已停用，请填 18 位号码", "numbers of 15 digits are no longer valid; give all 18"
        )
    if not re.fullmatch(r"\d{17}[\dX]", number):
        return FieldError("id_no", "应为 18 位：17 位数字和一位校验码", "should be 17 digits and a check digit")
    born = born_on(number)
    if born is None or not EARLIEST_BIRTH <= born <= day:
        return FieldError("id_no", "其中的出生日期不对", "the date of birth in it is wrong")
    if ric.calc_check_digit(number) != number[-1]:
        return FieldError("id_no", "校验码不对，请核对是否抄错", "the check digit is wrong: look for a slip")
    if not _is_province(number[:2]):
        # Not ric.validate: it asks whether the county had its code in the year of birth, but numbers are given later.
        return FieldError("id_no", "前两位不是省级行政区代码", "the first two digits are no province's code")
    return None


def member_faults(row: Any, related: Related) -> Iterator[FieldError]:
    number = row.id_no
    faults = list(identity_number_faults(number)) if number else []
    yield from faults
    if number and not faults:
        if row.birth_date and row.birth_date != born_on(number):
            yield FieldError(
                "birth_date", "与公民身份号码中的出生日期不一致", "differs from the date in the identity number"
            )
        if row.gender in (MALE, FEMALE) and row.gender != gender_of(number):
            yield FieldError("gender", "与公民身份号码不一致", "differs from the identity number")
    if row.mobile and not MOBILE.fullmatch(row.mobile):
        yield FieldError(
            "mobile", "应为 1 开头的 11 位手机号", "should be a mobile number: 11 digits that begin with 1"
        )
    yield from _career_faults(row)
    if row.group_id is not None or Related.pending_of(row, "group") is not None:
        group = related.row(row, "group")
        if group is not None and group.org_type != "group":
            yield FieldError("group_id", "所选组织不是党小组", "the organization chosen is no Party group")
    if row.fee_base is not None and row.fee_base < 0:
        yield FieldError("fee_base", "不能小于 0", "must not be below 0")
    if row.fee_monthly is not None and row.fee_monthly < 0:
        yield FieldError("fee_monthly", "不能小于 0", "must not be below 0")


def _career_faults(row: Any) -> Iterator[FieldError]:
    now = today()
    for name in ("birth_date", "joined_on", "left_on", "lost_on", "flow_out_on", "checked_in_on", "fee_base_set_on"):
        if getattr(row, name) and getattr(row, name) > now:
            yield FieldError(name, "不能晚于今天", "must not be later than today")
    if row.joined_on and row.birth_date and row.joined_on < years_later(row.birth_date, ADMISSION_AGE):
        yield FieldError("joined_on", "入党时应年满 18 周岁", "a member is at least 18 years old when joining")
    if row.regularized_on:
        if row.member_type == "probationary":
            yield FieldError(
                "regularized_on", "预备党员还没有转正日期", "a probationary member has no day of full membership yet"
            )
        elif row.joined_on and row.regularized_on < years_later(row.joined_on, PROBATION_YEARS):
            yield FieldError(
                "regularized_on",
                "应在入党满一年以后（预备期一年）",
                "should be a year after joining or later: probation lasts a year",
            )
        elif row.regularized_on > now:
            yield FieldError("regularized_on", "不能晚于今天", "must not be later than today")
    if row.left_on and row.joined_on and row.left_on < row.joined_on:
        yield FieldError("left_on", "不能早于入党日期", "must not be before the day of joining")
    if row.is_lost and not row.lost_on:
        yield FieldError("lost_on", "失联党员要填失联日期", "a member out of contact needs the day")


def post_faults(row: Any, related: Related) -> Iterator[FieldError]:
    if row.ended_on and row.ended_on < row.started_on:
        yield FieldError("ended_on", "不能早于任职日期", "must not be before the post began")
    member = related.row(row, "member")
    if member is None or row.ended_on is not None:
        return
    if member.member_type == "probationary":
        # Probationary members have no right to be elected (Party Constitution, article 7).
        yield FieldError("member_id", "预备党员没有被选举权", "a probationary member cannot be elected")
    if member.left_on and member.left_on < today():
        yield FieldError("member_id", "该党员已离开，请先填免职日期", "this member has left: end the post first")
