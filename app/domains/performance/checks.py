"""What performance targets have to satisfy, and what their lines amount to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from app.database.clock import today
from app.entity.faults import FieldError
from app.entity.periods import Period, PeriodKind
from app.entity.related import Related

from .code_lists import DIMENSIONS, GoalDimension, GoalDirection, GoalKind, GoalSource

CENT = Decimal("0.01")


def attainment(direction: GoalDirection | None, target: float | None, actual: float | None) -> float | None:
    """How much of a goal is reached, in percent, to two decimals; above 100 where it is surpassed. Of a goal that is
    an upper limit, staying at or below it is 100."""
    if not target or actual is None:
        return None
    if direction == GoalDirection.AT_MOST:
        return 100.0 if actual <= target else round(100 * target / actual, 2)
    return round(100 * actual / target, 2)


def survey_value(survey: Any) -> float | None:
    """A survey's satisfaction out of 100, from its sums: five points are 100."""
    return round(20 * survey.points / survey.answers, 2) if survey.answers else None


def survey_day(survey: Any) -> date:
    """As of when a survey's satisfaction stands."""
    return min(today(), survey.closes_on)


def cost_amount(unit_price: Decimal | None, quantity: float | None) -> Decimal:
    """Unit price times quantity, to the cent."""
    if unit_price is None or quantity is None:
        return Decimal(0)
    return (Decimal(str(unit_price)) * Decimal(str(quantity))).quantize(CENT, ROUND_HALF_UP)


def target_faults(row: Any, related: Related) -> Iterator[FieldError]:
    if Period.parse(row.period).kind is not PeriodKind.YEAR:
        yield FieldError("period", "应为年度，如 2026", "should be a year such as 2026")
    if row.ended_on < row.started_on:
        yield FieldError("ended_on", "不能早于开始日期", "must not be before it starts")
    for name in ("total_budget", "year_budget", "spent"):
        value = getattr(row, name)
        if value is not None and value < 0:
            yield FieldError(name, "不能小于 0", "must not be below 0")
    if row.year_budget > row.total_budget:
        yield FieldError("year_budget", "不能多于项目总预算", "must not be above the total budget")
    year = Period.parse(row.period)
    if row.ended_on < year.start or row.started_on > year.end:
        yield FieldError("period", "不在项目起止日期之内", "lies outside of when the project runs")


def funding_faults(row: Any, related: Related) -> Iterator[FieldError]:
    if row.amount < 0:
        yield FieldError("amount", "不能小于 0", "must not be below 0")


def goal_faults(row: Any, related: Related) -> Iterator[FieldError]:
    allowed = DIMENSIONS[GoalKind(row.kind)]
    if row.dimension not in allowed:
        zh = "、".join(each.label.zh for each in allowed)
        en = ", ".join(each.label.en.lower() for each in allowed)
        yield FieldError(
            "dimension", f"“{GoalKind(row.kind).label.zh}”的二级目标可以是：{zh}", f"may be one of these: {en}"
        )
    if row.target_value <= 0:
        yield FieldError("target_value", "应大于 0", "should be above 0")
    if row.actual_value is not None and row.actual_value < 0:
        yield FieldError("actual_value", "不能小于 0", "must not be below 0")
    if row.actual_value is not None and not row.measured_on:
        yield FieldError("measured_on", "有实际值的要填统计日期", "an actual value needs its day")
    if row.measured_on and row.measured_on > today():
        yield FieldError("measured_on", "不能晚于今天", "must not be later than today")
    has_survey = related.value(row, "survey") is not None
    if row.value_source == GoalSource.SURVEY and not has_survey:
        yield FieldError("survey_id", "请选择满意度问卷", "choose the survey")
    if row.value_source == GoalSource.SURVEY and row.dimension != GoalDimension.SATISFACTION:
        yield FieldError("value_source", "只有满意度目标才从问卷取值", "only satisfaction is taken from a survey")


def cost_faults(row: Any, related: Related) -> Iterator[FieldError]:
    if row.unit_price < 0:
        yield FieldError("unit_price", "不能小于 0", "must not be below 0")
    if row.quantity <= 0:
        yield FieldError("quantity", "应大于 0", "should be above 0")


def safeguard_faults(row: Any, related: Related) -> Iterator[FieldError]:
    if not (row.at_planning or row.at_implementation or row.at_completion):
        yield FieldError("at_planning", "至少选一个保障阶段", "choose at least one stage")
