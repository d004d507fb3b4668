"""The way of a performance target: submitted, approved or returned, closed; and the surveys that its goals follow."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.database.clock import today
from app.database.session import Session as OwnSession
from app.domains.content.models import Survey
from app.entity.labels import Label
from app.entity.operations import Audience, Impossible, asked, in_state, operation
from app.entity.registry import FieldKind

from .checks import attainment, survey_day, survey_value
from .code_lists import GoalKind, GoalSource, TargetStatus
from .models import PerformanceCost, PerformanceFunding, PerformanceGoal, PerformanceTarget


@operation(
    "performance_target",
    "submit",
    Label("申报", "Submit"),
    leads_to=TargetStatus.SUBMITTED,
    offered=in_state(TargetStatus.DRAFT, TargetStatus.RETURNED),
)
def submit_target(session: Session, target: PerformanceTarget, actor: Actor) -> None:
    """Complete and adding up: goals of every level, sources and costs that make the year's budget."""
    kinds = set(session.scalars(select(PerformanceGoal.kind).where(PerformanceGoal.target_id == target.id)))
    missing = [kind for kind in GoalKind if kind not in kinds]
    if missing:
        raise Impossible(
            f"还缺少{'、'.join(kind.label.zh for kind in missing)}",
            f"goals are missing: {', '.join(kind.label.en.lower() for kind in missing)}",
        )
    for model, zh, en in (
        (PerformanceFunding, "资金来源", "sources of money"),
        (PerformanceCost, "项目构成明细", "costs"),
    ):
        total = _total(session, model, target)
        if total != target.year_budget:
            raise Impossible(
                f"{zh}合计 {total} 元，与当年预算 {target.year_budget} 元不一致",
                f"the {en} make {total} yuan, not the {target.year_budget} of this year's budget",
            )
    target.status, target.submitted_on, target.opinion = TargetStatus.SUBMITTED, today(), None


def _total(session: Session, model: Any, target: PerformanceTarget) -> Decimal:
    found = session.scalar(select(func.sum(model.amount)).where(model.target_id == target.id))
    return Decimal(str(found or 0)).quantize(Decimal("0.01"))


@operation(
    "performance_target",
    "approve",
    Label("批复", "Approve"),
    leads_to=TargetStatus.APPROVED,
    offered=in_state(TargetStatus.SUBMITTED),
    asks=(asked("opinion", FieldKind.TEXT, "审核意见", "Opinion", optional=True),),
    audience=Audience.SUPERIORS,
)
def approve_target(session: Session, target: PerformanceTarget, actor: Actor, *, opinion: str | None = None) -> None:
    target.status, target.approved_on, target.opinion = TargetStatus.APPROVED, today(), opinion


@operation(
    "performance_target",
    "send_back",
    Label("退回", "Send back"),
    leads_to=TargetStatus.RETURNED,
    offered=in_state(TargetStatus.SUBMITTED),
    asks=(asked("reason", FieldKind.TEXT, "原因", "Reason"),),
    audience=Audience.SUPERIORS,
)
def send_back_target(session: Session, target: PerformanceTarget, actor: Actor, *, reason: str) -> None:
    target.status, target.opinion = TargetStatus.RETURNED, reason


@operation(
    "performance_target",
    "close",
    Label("验收", "Close"),
    leads_to=TargetStatus.CLOSED,
    offered=in_state(TargetStatus.APPROVED),
    audience=Audience.SUPERIORS,
)
def close_target(session: Session, target: PerformanceTarget, actor: Actor) -> None:
    unmeasured = session.scalar(
        select(func.count(PerformanceGoal.id)).where(
            PerformanceGoal.target_id == target.id, PerformanceGoal.actual_value.is_(None)
        )
    )
    if unmeasured:
        raise Impossible(
            f"还有 {unmeasured} 项绩效指标没有实际值，不能验收", f"{unmeasured} goals have no actual value yet"
        )
    target.status, target.closed_on = TargetStatus.CLOSED, today()


@event.listens_for(OwnSession, "before_flush")
def follow_surveys(session: Session, _context: Any, _instances: Any) -> None:
    """Goals that take their value from a survey are worked out anew with each answer, within the same transaction."""
    changed = [row for row in session.dirty if isinstance(row, Survey) and session.is_modified(row) and row.answers]
    if not changed:
        return
    with session.no_autoflush:
        for survey in changed:
            goals = select(PerformanceGoal).where(
                PerformanceGoal.survey_id == survey.id, PerformanceGoal.value_source == GoalSource.SURVEY
            )
            for goal in session.scalars(goals):
                # Whole, for whoever checks and fills in rows may have been here already.
                goal.actual_value = survey_value(survey)
                goal.measured_on = survey_day(survey)
                goal.attainment = attainment(goal.direction, goal.target_value, goal.actual_value)
