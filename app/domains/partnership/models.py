"""Resources, demands, how well they fit, and the projects that come of it.

Source: 区域化党建三张清单 (需求清单、资源清单、项目清单; 普陀区). A resource or demand is its organization's own until
it is published, and from then on seen in the whole area that it was published for. Whether two fit is worked out by
``matching``; states change by ``operations``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from app.database.clock import today
from app.domains.organizations.models import Organization
from app.entity.faults import FieldError
from app.entity.fields import code, code_of, day, flag, long_text, money, number, reference, text
from app.entity.labels import Label
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.related import Related
from app.entity.visibility import Visibility

from . import checks
from .code_lists import (
    Audience,
    DemandStatus,
    HighlightTier,
    MatchState,
    PartnershipCategory,
    ProjectStatus,
    ResourceStatus,
)

WEEKDAYS = r"[1-7]{1,7}"
WEEKDAYS_HELP = ("1 为周一、7 为周日，如 12345；不填为每天", "1 is Monday, 7 Sunday, such as 12345; every day if empty")
DIVISION_HELP = ("统计用 12 位代码，用于估算远近", "Statistical code; says how near two places are")
BETWEEN = " ← "
"""Between demand and resource in a match's title."""
TAGS_HELP = ("用顿号或逗号分开", "Separated by commas")


@registry.register
class Resource(Entity):
    """Something that an organization or its unit offers: a hall, a doctor's time, money."""

    __tablename__ = "bc_resource"
    __entity__ = EntityOptions(
        label=Label("共建资源", "Resource"),
        about=Label(
            "可以提供给别的党组织的场地、师资、服务等资源；发布后参与供需匹配。",
            "What an organization can offer others: rooms, teachers, services. Once published it is matched.",
        ),
        visibility=Visibility.SUBTREE,
        title="title",
        group="partnership",
        icon="fa-gift",
        shown_below="area",
        dated_by="published_on",
        valid_between=("available_from", "available_until"),
        order_by="-published_on",
        measure="项",
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    title: Mapped[str] = text("资源名称", "Resource", 100, listed=True, searched=True)
    category: Mapped[PartnershipCategory] = code_of(PartnershipCategory, "类别", "Category", listed=True, filtered=True)
    organization_id: Mapped[int] = reference("organization", "提供组织", "Offered by", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    unit_name: Mapped[str | None] = text("提供单位", "Unit", 100, searched=True)
    area_id: Mapped[int | None] = reference("organization", "共享范围", "Shared within", editable=False)
    area: Mapped[Organization | None] = relationship(foreign_keys=[area_id])
    status: Mapped[ResourceStatus] = code_of(
        ResourceStatus, "状态", "Status", default=ResourceStatus.DRAFT, listed=True, filtered=True, editable=False
    )
    audience: Mapped[Audience] = code_of(Audience, "服务对象", "For", default=Audience.EVERYONE)
    tags: Mapped[str | None] = text("标签", "Tags", 200, searched=True, help=TAGS_HELP)
    description: Mapped[str | None] = long_text("说明", "Description")
    quantity: Mapped[float | None] = number("数量", "Quantity")
    unit_of_measure: Mapped[str | None] = text("计量单位", "Unit of measure", 20)
    capacity: Mapped[int | None] = number("可容纳人数", "Capacity", unit=("人", "people"))
    available_from: Mapped[date | None] = day("可用起始日期", "Available from", listed=True)
    available_until: Mapped[date | None] = day("可用截止日期", "Available until", listed=True)
    weekdays: Mapped[str | None] = text("可用星期", "Weekdays", 7, pattern=WEEKDAYS, help=WEEKDAYS_HELP)
    venue: Mapped[str | None] = text("地点", "Venue", 200)
    division_code: Mapped[str | None] = text(
        "所在区划",
        "Division code",
        12,
        pattern=r"\d{6,12}",
        help=DIVISION_HELP,
        filled_from=("organization.division_code",),
    )
    lng: Mapped[float | None] = number("经度", "Longitude")
    lat: Mapped[float | None] = number("纬度", "Latitude")
    published_on: Mapped[date | None] = day("发布日期", "Published on", listed=True, filtered=True, editable=False)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("quantity > 0 AND capacity > 0", name="ck_resource_quantity"),
        CheckConstraint(
            "available_from IS NULL OR available_until IS NULL OR available_until >= available_from",
            name="ck_resource_dates",
        ),
        CheckConstraint("status <> 'open' OR published_on IS NOT NULL", name="ck_resource_open"),
    )

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.resource_faults(self, related)


@registry.register
class Demand(Entity):
    """Something that an organization or the people around it need."""

    __tablename__ = "bc_demand"
    __entity__ = EntityOptions(
        label=Label("共建需求", "Demand"),
        about=Label(
            "希望别的党组织帮助解决的需求；发布后自动匹配合适的资源。",
            "What an organization needs from others; once published, resources that fit are suggested.",
        ),
        visibility=Visibility.SUBTREE,
        title="title",
        group="partnership",
        icon="fa-hand",
        shown_below="area",
        dated_by="published_on",
        valid_between=("needed_from", "needed_until"),
        order_by="-published_on",
        measure="项",
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    title: Mapped[str] = text("需求名称", "Demand", 100, listed=True, searched=True)
    category: Mapped[PartnershipCategory] = code_of(PartnershipCategory, "类别", "Category", listed=True, filtered=True)
    organization_id: Mapped[int] = reference("organization", "提出组织", "Asked for by", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    area_id: Mapped[int | None] = reference("organization", "公布范围", "Published within", editable=False)
    area: Mapped[Organization | None] = relationship(foreign_keys=[area_id])
    status: Mapped[DemandStatus] = code_of(
        DemandStatus, "状态", "Status", default=DemandStatus.DRAFT, listed=True, filtered=True, editable=False
    )
    audience: Mapped[Audience] = code_of(Audience, "服务对象", "For", default=Audience.EVERYONE)
    tags: Mapped[str | None] = text("标签", "Tags", 200, searched=True, help=TAGS_HELP)
    description: Mapped[str | None] = long_text("说明", "Description")
    quantity: Mapped[float | None] = number("数量", "Quantity")
    unit_of_measure: Mapped[str | None] = text("计量单位", "Unit of measure", 20)
    people: Mapped[int | None] = number("参加人数", "People", unit=("人", "people"))
    needed_from: Mapped[date | None] = day("需要起始日期", "Needed from", listed=True)
    needed_until: Mapped[date | None] = day("需要截止日期", "Needed until", listed=True)
    weekdays: Mapped[str | None] = text("适合星期", "Weekdays", 7, pattern=WEEKDAYS, help=WEEKDAYS_HELP)
    venue: Mapped[str | None] = text("地点", "Venue", 200)
    division_code: Mapped[str | None] = text(
        "所在区划",
        "Division code",
        12,
        pattern=r"\d{6,12}",
        help=DIVISION_HELP,
        filled_from=("organization.division_code",),
    )
    lng: Mapped[float | None] = number("经度", "Longitude")
    lat: Mapped[float | None] = number("纬度", "Latitude")
    published_on: Mapped[date | None] = day("发布日期", "Published on", listed=True, filtered=True, editable=False)
    matched_on: Mapped[date | None] = day("对接日期", "Matched on", editable=False)
    met_on: Mapped[date | None] = day("满足日期", "Met on", editable=False)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("quantity > 0 AND people > 0", name="ck_demand_quantity"),
        CheckConstraint(
            "needed_from IS NULL OR needed_until IS NULL OR needed_until >= needed_from", name="ck_demand_dates"
        ),
        CheckConstraint("status <> 'open' OR published_on IS NOT NULL", name="ck_demand_open"),
        CheckConstraint("status <> 'met' OR met_on IS NOT NULL", name="ck_demand_met"),
    )

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.demand_faults(self, related)


def _part(zh: str, en: str) -> Mapped[float]:
    return number(zh, en, unit=("分", "points"), help=("满分 100", "Of 100"), default=0.0)


@registry.register
class Match(Entity):
    """A resource that fits a demand: suggested with its score and the parts of it, accepted or refused by both."""

    __tablename__ = "bc_match"
    __entity__ = EntityOptions(
        label=Label("供需对接", "Match"),
        about=Label(
            "需求与资源的匹配建议和双方意见；发布需求或点“匹配资源”后自动产生。",
            "Suggested pairs of demands and resources, and what both sides say; made when a demand is published.",
        ),
        visibility=Visibility.PARTIES,
        title="title",
        group="partnership",
        icon="fa-handshake",
        parties=("organization", "provider"),
        dated_by="suggested_on",
        natural_key=("resource", "demand"),
        order_by="-score",
        measure="条",
        plural="Matches",
        read_only=True,
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    title: Mapped[str] = text("对接内容", "Match", 200, searched=True, listed=True)
    demand_id: Mapped[int] = reference("demand", "需求", "Demand")
    demand: Mapped[Demand] = relationship(foreign_keys=[demand_id])
    resource_id: Mapped[int] = reference("resource", "资源", "Resource")
    resource: Mapped[Resource] = relationship(foreign_keys=[resource_id])
    organization_id: Mapped[int] = reference(
        "organization", "需求方", "Asked for by", listed=True, editable=False, filled_from=("demand.organization",)
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    provider_id: Mapped[int] = reference(
        "organization", "资源方", "Offered by", listed=True, editable=False, filled_from=("resource.organization",)
    )
    provider: Mapped[Organization] = relationship(foreign_keys=[provider_id])
    state: Mapped[MatchState] = code_of(
        MatchState, "状态", "State", default=MatchState.SUGGESTED, listed=True, filtered=True, editable=False
    )
    score: Mapped[float] = number(
        "匹配分", "Score", unit=("分", "points"), help=("满分 100", "Of 100"), listed=True, default=0.0, index=True
    )
    by_category: Mapped[float] = _part("类别", "By category")
    by_text: Mapped[float] = _part("文字相近", "By wording")
    by_distance: Mapped[float] = _part("远近", "By distance")
    by_time: Mapped[float] = _part("时间", "By time")
    by_capacity: Mapped[float] = _part("容量", "By capacity")
    suggested_on: Mapped[date] = day("推荐日期", "Suggested on", listed=True, filtered=True, default=today)
    demander_agreed_on: Mapped[date | None] = day("需求方同意日期", "Accepted by the demander on")
    provider_agreed_on: Mapped[date | None] = day("资源方同意日期", "Accepted by the provider on")
    agreed_on: Mapped[date | None] = day("对接日期", "Agreed on", index=True)
    refused_on: Mapped[date | None] = day("拒绝日期", "Refused on")
    reason: Mapped[str | None] = text("拒绝原因", "Refused because", 200)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        UniqueConstraint("resource_id", "demand_id"),
        CheckConstraint("score >= 0 AND score <= 100", name="ck_match_score"),
        CheckConstraint(
            "state NOT IN ('agreed', 'project') OR (demander_agreed_on IS NOT NULL AND provider_agreed_on IS NOT NULL"
            " AND agreed_on IS NOT NULL)",
            name="ck_match_agreed",
        ),
        CheckConstraint("state <> 'refused' OR refused_on IS NOT NULL", name="ck_match_refused"),
    )

    def fill_in(self, related: Related) -> None:
        demand, resource = related.row(self, "demand"), related.row(self, "resource")
        if not self.title and demand is not None and resource is not None:
            self.title = f"{demand.title[:95]}{BETWEEN}{resource.title[:95]}"

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.match_faults(self, related)


@registry.register
class Project(Entity):
    """What two organizations do together."""

    __tablename__ = "bc_project"
    __entity__ = EntityOptions(
        label=Label("共建项目", "Project"),
        about=Label(
            "几家党组织共同实施的共建项目；可以由双方同意的对接生成，也可以直接新增。",
            "Projects that organizations carry out together; begun from an agreed match, or added here.",
        ),
        visibility=Visibility.PARTIES,
        title="title",
        group="partnership",
        icon="fa-diagram-project",
        parties=("organization", "partner"),
        dated_by="due_on",
        valid_between=("started_on", "ended_on"),
        order_by="-due_on",
        measure="个",
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    title: Mapped[str] = text("项目名称", "Project", 100, listed=True, searched=True, filled_from=("demand.title",))
    organization_id: Mapped[int] = reference(
        "organization", "牵头组织", "Led by", listed=True, filled_from=("demand.organization",)
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    partner_id: Mapped[int | None] = reference(
        "organization", "共建组织", "Partner", listed=True, filled_from=("resource.organization",)
    )
    partner: Mapped[Organization | None] = relationship(foreign_keys=[partner_id])
    other_partners: Mapped[str | None] = text("其他共建单位", "Other partners", 300, searched=True)
    resource_id: Mapped[int | None] = reference("resource", "所用资源", "Resource")
    resource: Mapped[Resource | None] = relationship(foreign_keys=[resource_id])
    demand_id: Mapped[int | None] = reference("demand", "对应需求", "Demand")
    demand: Mapped[Demand | None] = relationship(foreign_keys=[demand_id])
    status: Mapped[ProjectStatus] = code_of(
        ProjectStatus, "状态", "Status", default=ProjectStatus.PLANNED, listed=True, filtered=True, editable=False
    )
    summary: Mapped[str | None] = long_text("项目内容", "Summary")
    milestones: Mapped[str | None] = long_text("进度安排", "Milestones")
    budget: Mapped[Decimal | None] = money("预算", "Budget")
    started_on: Mapped[date | None] = day("开始日期", "Started on", listed=True)
    due_on: Mapped[date] = day("计划完成日期", "Due on", listed=True, filtered=True)
    ended_on: Mapped[date | None] = day("完成或终止日期", "Ended on", editable=False, index=True)
    evaluation: Mapped[str | None] = long_text("成效评价", "Evaluation")
    satisfaction: Mapped[int | None] = number("满意度", "Satisfaction", unit=("分（满分 5）", "of 5"), editable=False)
    is_highlight: Mapped[bool] = flag("亮点项目", "Highlight", listed=True, filtered=True, editable=False)
    highlight_tier: Mapped[HighlightTier | None] = code_of(HighlightTier, "亮点级别", "Chosen by", editable=False)
    published_on: Mapped[date | None] = day("推广日期", "Published on", editable=False)
    end_reason: Mapped[str | None] = text("终止原因", "Stopped because", 200, editable=False)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("budget >= 0", name="ck_project_budget"),
        CheckConstraint("satisfaction >= 1 AND satisfaction <= 5", name="ck_project_satisfaction"),
        CheckConstraint("status NOT IN ('done', 'stopped') OR ended_on IS NOT NULL", name="ck_project_ended"),
        CheckConstraint("started_on IS NULL OR due_on >= started_on", name="ck_project_dates"),
        CheckConstraint("started_on IS NULL OR ended_on IS NULL OR ended_on >= started_on", name="ck_project_end"),
    )

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.project_faults(self, related)
