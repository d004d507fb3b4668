"""Performance targets: a project's budget, its goals on three levels, its costs and its safeguards.

Source: 财政项目支出绩效目标申报表. Amounts are in yuan. Where a goal takes its actual value from a survey, it follows
the survey (``operations.follow_surveys``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from app.domains.content.models import Survey
from app.domains.organizations.models import Organization
from app.entity.faults import FieldError
from app.entity.fields import code, code_of, day, flag, long_text, money, number, period, reference, text
from app.entity.labels import Label
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.related import Related
from app.entity.visibility import Visibility

from . import checks
from .code_lists import (
    FundingSource,
    GoalDimension,
    GoalDirection,
    GoalKind,
    GoalSource,
    ProjectCategory,
    SafeguardArea,
    TargetStatus,
)


@registry.register
class PerformanceTarget(Entity):
    """A project's declaration of what it will achieve with what money in one year."""

    __tablename__ = "bc_performance_target"
    __entity__ = EntityOptions(
        label=Label("绩效目标", "Performance target"),
        about=Label(
            "财政项目的绩效目标：预算、三级目标、成本和保障制度，申报、批复到验收。",
            "Performance targets of budgeted projects: budget, goals, costs, safeguards; from submission to closing.",
        ),
        visibility=Visibility.SUBTREE,
        title="title",
        group="performance",
        icon="fa-bullseye",
        dated_by="period",
        valid_between=("started_on", "ended_on"),
        natural_key=("organization", "title", "period"),
        order_by="-period",
        measure="项",
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    title: Mapped[str] = text("项目名称", "Project", 120, listed=True, searched=True, index=True)
    organization_id: Mapped[int] = reference("organization", "申报单位", "Organization", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    category: Mapped[ProjectCategory] = code_of(
        ProjectCategory, "项目类别", "Category", default=ProjectCategory.ONE_OFF, listed=True, filtered=True
    )
    period: Mapped[str] = period("年度", "Year", listed=True, filtered=True, name="budget_year", key="period")
    status: Mapped[TargetStatus] = code_of(
        TargetStatus, "状态", "Status", default=TargetStatus.DRAFT, listed=True, filtered=True, editable=False
    )
    started_on: Mapped[date] = day("开始日期", "Starts on", listed=True)
    ended_on: Mapped[date] = day("结束日期", "Ends on", listed=True)
    total_budget: Mapped[Decimal] = money("项目总预算", "Total budget", listed=True)
    year_budget: Mapped[Decimal] = money("当年预算", "This year's budget", default=Decimal(0))
    spent: Mapped[Decimal | None] = money("当年实际支出", "Spent this year")
    department: Mapped[str | None] = text("实施部门", "Department", 100)
    manager_post: Mapped[str | None] = text(
        "项目负责岗位", "Post in charge", 60, help=("填岗位，不填姓名", "The post, no name")
    )
    overview: Mapped[str | None] = long_text("项目概况", "Overview")
    grounds: Mapped[str | None] = long_text("立项依据", "Grounds")
    necessity: Mapped[str | None] = long_text("必要性和可行性", "Necessity and feasibility")
    overall_goal: Mapped[str | None] = long_text("项目总目标", "Overall goal")
    year_goal: Mapped[str | None] = long_text("年度绩效目标", "Goal of the year")
    schedule: Mapped[str | None] = long_text("实施计划", "Schedule")
    submitted_on: Mapped[date | None] = day("申报日期", "Submitted on", editable=False)
    approved_on: Mapped[date | None] = day("批复日期", "Approved on", editable=False)
    closed_on: Mapped[date | None] = day("验收日期", "Closed on", editable=False)
    opinion: Mapped[str | None] = text("审核意见", "Opinion", 200, editable=False)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        UniqueConstraint("organization_id", "title", "period"),
        CheckConstraint("ended_on >= started_on", name="ck_target_dates"),
        CheckConstraint("total_budget >= 0 AND year_budget >= 0 AND spent >= 0", name="ck_target_budget"),
        CheckConstraint("year_budget <= total_budget", name="ck_target_year_budget"),
        CheckConstraint("status <> 'approved' OR approved_on IS NOT NULL", name="ck_target_approved"),
        CheckConstraint("status <> 'closed' OR closed_on IS NOT NULL", name="ck_target_closed"),
    )

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.target_faults(self, related)


@registry.register
class PerformanceFunding(Entity):
    """This year's money from one source."""

    __tablename__ = "bc_performance_funding"
    __entity__ = EntityOptions(
        label=Label("资金来源", "Funding"),
        about=Label(
            "绩效目标的资金来源，合计应等于当年预算。",
            "Where a project's money comes from; together it makes this year's budget.",
        ),
        visibility=Visibility.SUBTREE,
        title="source",
        group="performance",
        icon="fa-coins",
        natural_key=("target", "source"),
        order_by="code",
        measure="笔",
        plural="Funding",
    )

    code: Mapped[str] = code("编号", "Code")
    target_id: Mapped[int] = reference("performance_target", "绩效目标", "Performance target", listed=True)
    target: Mapped[PerformanceTarget] = relationship(foreign_keys=[target_id])
    organization_id: Mapped[int] = reference(
        "organization", "申报单位", "Organization", editable=False, filled_from=("target.organization",)
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    source: Mapped[FundingSource] = code_of(FundingSource, "资金来源", "Source", listed=True, filtered=True)
    amount: Mapped[Decimal] = money("金额", "Amount", listed=True)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        UniqueConstraint("target_id", "source"),
        CheckConstraint("amount >= 0", name="ck_funding_amount"),
    )

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.funding_faults(self, related)


@registry.register
class PerformanceGoal(Entity):
    """One goal of the third level, with its target, and its actual value once it is known."""

    __tablename__ = "bc_performance_goal"
    __entity__ = EntityOptions(
        label=Label("绩效指标", "Performance goal"),
        about=Label(
            "绩效目标的各项指标：目标值、实际值和完成情况。",
            "The goals of a performance target: what was aimed at and what was reached.",
        ),
        visibility=Visibility.SUBTREE,
        title="title",
        group="performance",
        icon="fa-crosshairs",
        dated_by="measured_on",
        natural_key=("target", "dimension", "title"),
        order_by="code",
        measure="项",
    )

    code: Mapped[str] = code("编号", "Code")
    title: Mapped[str] = text("三级目标", "Goal", 120, listed=True, searched=True)
    target_id: Mapped[int] = reference("performance_target", "绩效目标", "Performance target", listed=True)
    target: Mapped[PerformanceTarget] = relationship(foreign_keys=[target_id])
    organization_id: Mapped[int] = reference(
        "organization", "申报单位", "Organization", editable=False, filled_from=("target.organization",)
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    kind: Mapped[GoalKind] = code_of(GoalKind, "一级目标", "Kind", listed=True, filtered=True)
    dimension: Mapped[GoalDimension] = code_of(GoalDimension, "二级目标", "Dimension", listed=True, filtered=True)
    direction: Mapped[GoalDirection] = code_of(GoalDirection, "目标方向", "Direction", default=GoalDirection.AT_LEAST)
    target_value: Mapped[float] = number("目标值", "Target", listed=True)
    unit_of_measure: Mapped[str] = text("计量单位", "Unit of measure", 20, default="%", listed=True)
    actual_value: Mapped[float | None] = number("实际值", "Actual value", listed=True)
    measured_on: Mapped[date | None] = day("统计日期", "Measured on", listed=True, filtered=True)
    value_source: Mapped[GoalSource] = code_of(
        GoalSource, "实际值来源", "Source", default=GoalSource.REPORTED, filtered=True
    )
    survey_id: Mapped[int | None] = reference(
        "survey", "满意度问卷", "Survey", help=("来源为问卷时填写，实际值随问卷更新", "The actual value follows it")
    )
    survey: Mapped[Survey | None] = relationship(foreign_keys=[survey_id])
    attainment: Mapped[float | None] = number("完成率", "Attainment", unit=("%", "%"), listed=True, editable=False)
    remark: Mapped[str | None] = text("备注", "Remark", 200)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        UniqueConstraint("target_id", "dimension", "title"),
        CheckConstraint("target_value > 0", name="ck_goal_target"),
        CheckConstraint("actual_value >= 0", name="ck_goal_actual"),
        CheckConstraint("actual_value IS NULL OR measured_on IS NOT NULL", name="ck_goal_measured"),
    )

    def fill_in(self, related: Related) -> None:
        survey = related.row(self, "survey") if self.value_source == GoalSource.SURVEY else None
        if survey is not None and survey.answers:
            self.actual_value, self.measured_on = checks.survey_value(survey), checks.survey_day(survey)
        self.attainment = checks.attainment(self.direction, self.target_value, self.actual_value)

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.goal_faults(self, related)


@registry.register
class PerformanceCost(Entity):
    """One line of what the project is made up of: a unit price times a quantity."""

    __tablename__ = "bc_performance_cost"
    __entity__ = EntityOptions(
        label=Label("项目构成", "Cost"),
        about=Label(
            "绩效目标的项目构成明细，合计应等于当年预算。",
            "What a project's money is spent on; together it makes this year's budget.",
        ),
        visibility=Visibility.SUBTREE,
        title="content_item",
        group="performance",
        icon="fa-receipt",
        natural_key=("target", "content_item", "detail"),
        order_by="code",
        measure="项",
    )

    code: Mapped[str] = code("编号", "Code")
    content_item: Mapped[str] = text("项目内容", "Content", 120, listed=True, searched=True)
    detail: Mapped[str] = text("明细", "Detail", 120, listed=True, searched=True)
    target_id: Mapped[int] = reference("performance_target", "绩效目标", "Performance target", listed=True)
    target: Mapped[PerformanceTarget] = relationship(foreign_keys=[target_id])
    organization_id: Mapped[int] = reference(
        "organization", "申报单位", "Organization", editable=False, filled_from=("target.organization",)
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    unit_price: Mapped[Decimal] = money("单价", "Unit price", listed=True)
    quantity: Mapped[float] = number("数量", "Quantity", listed=True)
    unit_of_measure: Mapped[str | None] = text("计量单位", "Unit of measure", 20)
    amount: Mapped[Decimal] = money("金额", "Amount", listed=True, editable=False, default=Decimal(0))
    basis: Mapped[str | None] = text("测算依据", "Basis", 200)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        UniqueConstraint("target_id", "content_item", "detail"),
        CheckConstraint("unit_price >= 0 AND quantity > 0 AND amount >= 0", name="ck_cost_amount"),
    )

    def fill_in(self, related: Related) -> None:
        self.amount = checks.cost_amount(self.unit_price, self.quantity)

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.cost_faults(self, related)


@registry.register
class PerformanceSafeguard(Entity):
    """A rule of the house that keeps the project in order, and in which stages it does."""

    __tablename__ = "bc_performance_safeguard"
    __entity__ = EntityOptions(
        label=Label("制度保障", "Safeguard"),
        about=Label("保障项目实施的制度和措施。", "The rules and measures that safeguard a project."),
        visibility=Visibility.SUBTREE,
        title="document_name",
        group="performance",
        icon="fa-shield-halved",
        natural_key=("target", "area", "document_name"),
        order_by="code",
        measure="项",
    )

    code: Mapped[str] = code("编号", "Code")
    document_name: Mapped[str] = text("文件名称", "Document", 200, listed=True, searched=True)
    target_id: Mapped[int] = reference("performance_target", "绩效目标", "Performance target", listed=True)
    target: Mapped[PerformanceTarget] = relationship(foreign_keys=[target_id])
    organization_id: Mapped[int] = reference(
        "organization", "申报单位", "Organization", editable=False, filled_from=("target.organization",)
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    area: Mapped[SafeguardArea] = code_of(SafeguardArea, "制度类别", "Area", listed=True, filtered=True)
    measure_taken: Mapped[str | None] = long_text("具体措施", "Measure")
    at_planning: Mapped[bool] = flag("立项和计划阶段", "Planning", listed=True)
    at_implementation: Mapped[bool] = flag("实施阶段", "Implementation", listed=True)
    at_completion: Mapped[bool] = flag("收尾和完成阶段", "Completion", listed=True)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (UniqueConstraint("target_id", "area", "document_name"),)

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.safeguard_faults(self, related)
