"""What an organization's record has to satisfy beyond its single fields.

Sources: 《关于党的基层组织任期的意见》 (terms; an extension is approved above and lasts a year at most),
《中国共产党支部工作条例（试行）》, GB 32100-2015 (credit codes).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from stdnum.cn import uscc

from app.database.clock import today
from app.entity.faults import FieldError
from app.entity.related import Related
from app.entity.visibility import Tier

RANK = {tier.value: rank for rank, tier in enumerate(Tier)}
CREDIT_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}")
DEEPEST = 40
"""Levels of a tree; a longer way up is a circle."""


def years_later(day: date, years: int) -> date:
    """The same day of the year, years later; 28 February for 29 February."""
    year = day.year + years
    return date(year, day.month, min(day.day, calendar.monthrange(year, day.month)[1]))


def is_credit_code(text: str) -> bool:
    """Whether a unified social credit code is valid in form. ``uscc.validate`` refuses the codes of registers that
    begin with a letter, such as N2 for collective economies of villages."""
    return CREDIT_CODE.fullmatch(text) is not None and uscc.calc_check_digit(text) == text[-1]


def organization_faults(row: Any, related: Related) -> Iterator[FieldError]:
    yield from _tree_faults(row, related)
    if row.uscc and not is_credit_code(row.uscc):
        yield FieldError(
            "uscc",
            "不是有效的统一社会信用代码：应为 18 位，最后一位是校验码，不用字母 I、O、Z、S、V",
            "is not a valid unified social credit code: 18 signs, the last one a check digit, no I, O, Z, S, V",
        )
    if row.founded_on and row.founded_on > today():
        yield FieldError("founded_on", "不能晚于今天", "must not be later than today")
    if row.dissolved_on and row.founded_on and row.dissolved_on < row.founded_on:
        yield FieldError("dissolved_on", "不能早于成立日期", "must not be before the day it was founded")
    if row.status == "dissolved" and not row.dissolved_on:
        yield FieldError("dissolved_on", "撤销的组织要填撤销日期", "a dissolved organization needs the day")
    if row.term_years is not None and not 1 <= row.term_years <= 5:
        yield FieldError("term_years", "应为 1 到 5 年", "should be 1 to 5 years")
    if row.term_ends_on and row.elected_on and row.term_ends_on <= row.elected_on:
        yield FieldError("term_ends_on", "应晚于本届选举日期", "should be after the day of the election")
    if row.extended_to:
        if not row.extension_approval:
            yield FieldError(
                "extension_approval", "延期要有上级批准文号", "an extension needs the number of its approval"
            )
        if not row.term_ends_on or row.extended_to <= row.term_ends_on:
            yield FieldError("extended_to", "应晚于到届日期", "should be after the end of the term")
        elif row.extended_to > years_later(row.term_ends_on, 1):
            yield FieldError(
                "extended_to",
                f"延期不得超过一年，最迟 {years_later(row.term_ends_on, 1)}",
                f"an extension lasts a year at most, until {years_later(row.term_ends_on, 1)}",
            )
    if (row.lng is None) != (row.lat is None):
        missing = "lng" if row.lng is None else "lat"
        yield FieldError(missing, "经度和纬度要同时填写", "longitude and latitude belong together")
    elif row.lng is not None and not (-180 <= row.lng <= 180 and -90 <= row.lat <= 90):
        yield FieldError("lng", "经度应在 ±180、纬度应在 ±90 以内", "longitude is within ±180, latitude within ±90")


def _tree_faults(row: Any, related: Related) -> Iterator[FieldError]:
    parent = related.row(row, "parent")
    if parent is None:
        return
    if RANK[parent.tier or Tier.BRANCH] > RANK[row.tier]:
        yield FieldError(
            "parent_id",
            "上级党组织的层级不能低于本组织",
            "the parent must not stand on a lower tier than the organization itself",
        )
    above = parent
    for _ in range(DEEPEST):
        if above is None:
            return
        if above is row or (row.id is not None and above.id == row.id):
            break
        above = related.row(above, "parent")
    yield FieldError(
        "parent_id",
        "不能把组织移到它自己或它的下级之下",
        "an organization cannot be moved below itself",
    )
