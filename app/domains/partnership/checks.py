"""What the records of partnership have to satisfy beyond their single fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.entity.faults import FieldError
from app.entity.related import Related

from .code_lists import MatchState, ProjectStatus

LARGEST_LONGITUDE, LARGEST_LATITUDE = 180, 90


def _place_faults(row: Any) -> Iterator[FieldError]:
    if (row.lng is None) != (row.lat is None):
        missing = "lng" if row.lng is None else "lat"
        yield FieldError(missing, "经度和纬度要一起填写", "give longitude and latitude together")
    for name, largest in (("lng", LARGEST_LONGITUDE), ("lat", LARGEST_LATITUDE)):
        value = getattr(row, name)
        if value is not None and abs(value) > largest:
            yield FieldError(name, f"应在 -{largest} 和 {largest} 之间", f"should be from -{largest} to {largest}")


def _offer_faults(row: Any, people: str, first: str, last: str) -> Iterator[FieldError]:
    """What a resource and a demand have to satisfy alike."""
    for name in ("quantity", people):
        value = getattr(row, name)
        if value is not None and value <= 0:
            yield FieldError(name, "应大于 0", "should be above 0")
    beginning, end = getattr(row, first), getattr(row, last)
    if beginning and end and end < beginning:
        yield FieldError(last, "不能早于起始日期", "must not be before it begins")
    if row.weekdays and len(set(row.weekdays)) < len(row.weekdays):
        yield FieldError("weekdays", "同一天写了两次", "the same day stands there twice")
    yield from _place_faults(row)


def resource_faults(row: Any, related: Related) -> Iterator[FieldError]:
    yield from _offer_faults(row, "capacity", "available_from", "available_until")


def demand_faults(row: Any, related: Related) -> Iterator[FieldError]:
    yield from _offer_faults(row, "people", "needed_from", "needed_until")


def match_faults(row: Any, related: Related) -> Iterator[FieldError]:
    is_agreed = row.state in (MatchState.AGREED, MatchState.PROJECT)
    if is_agreed and not (row.demander_agreed_on and row.provider_agreed_on and row.agreed_on):
        yield FieldError("state", "需求方和资源方都同意后才算对接", "both parties have to accept first")
    if row.state == MatchState.REFUSED and not row.refused_on:
        yield FieldError("refused_on", "已拒绝的要填拒绝日期", "a refused match needs the day")
    if not 0 <= row.score <= 100:
        yield FieldError("score", "应在 0 和 100 之间", "should be from 0 to 100")


def project_faults(row: Any, related: Related) -> Iterator[FieldError]:
    if row.budget is not None and row.budget < 0:
        yield FieldError("budget", "不能小于 0", "must not be below 0")
    if row.started_on and row.due_on < row.started_on:
        yield FieldError("due_on", "不能早于开始日期", "must not be before it starts")
    if row.ended_on and row.started_on and row.ended_on < row.started_on:
        yield FieldError("ended_on", "不能早于开始日期", "must not be before it starts")
    if row.status in (ProjectStatus.DONE, ProjectStatus.STOPPED) and not row.ended_on:
        yield FieldError("ended_on", "已结束的项目要填日期", "a project that has ended needs the day")
    partner, organization = related.value(row, "partner"), related.value(row, "organization")
    if partner is not None and partner == organization:
        yield FieldError("partner_id", "共建组织不能是牵头组织自己", "the partner is another organization")
    if row.is_highlight and not row.highlight_tier:
        yield FieldError("highlight_tier", "亮点项目要填级别", "a highlight needs the tier that chose it")
