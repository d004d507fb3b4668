"""Observations: figures that are reported rather than counted, by any metric code. Indices can use both."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.entity.faults import FieldError
from app.entity.fields import code, flag, long_text, number, period, reference, text
from app.entity.labels import Label
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.related import Related
from app.entity.visibility import Visibility

ONE_SUBJECT = (
    "(organization_id IS NULL AND member_id IS NOT NULL) OR (organization_id IS NOT NULL AND member_id IS NULL)"
)


@registry.register
class Observation(Entity):
    """One value of one metric for one organization or member in one period."""

    __tablename__ = "bc_observation"
    __entity__ = EntityOptions(
        label=Label("填报指标", "Observation"),
        about=Label(
            "由人填报、不能从记录中数出来的指标数值，按组织或党员、指标和周期各一条。",
            "Figures that are reported rather than counted: one for each subject, metric and period.",
        ),
        visibility=Visibility.SUBTREE,
        title="metric",
        group="records",
        icon="fa-chart-line",
        person="member",
        scope="holder",
        dated_by="period",
        natural_key=("organization", "member", "metric", "period"),
        order_by="-period",
        measure="条",
        copied_in=True,
    )

    code: Mapped[str] = code("编号", "Code")
    organization_id: Mapped[int | None] = reference("organization", "党组织", "Organization", listed=True)
    organization: Mapped[Organization | None] = relationship(foreign_keys=[organization_id])
    member_id: Mapped[int | None] = reference("member", "党员", "Member", listed=True)
    member: Mapped[Member | None] = relationship(foreign_keys=[member_id])
    holder_id: Mapped[int] = reference(
        "organization",
        "归属组织",
        "Held by",
        hidden=True,
        editable=False,
        filled_from=("organization", "member.organization"),
    )
    holder: Mapped[Organization] = relationship(foreign_keys=[holder_id])
    metric: Mapped[str] = text("指标代码", "Metric", 60, listed=True, searched=True, filtered=True, pattern=r"\S+")
    period: Mapped[str] = period("周期", "Period", listed=True, filtered=True, name="period_code", key="period")
    value: Mapped[float] = number("数值", "Value", listed=True, name="metric_value", key="value")
    source: Mapped[str | None] = text("来源", "Source", 200)
    evidence: Mapped[str | None] = long_text("依据", "Evidence")
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        # One of the two is null, so that each constraint speaks only of its own kind of subject.
        UniqueConstraint("organization_id", "metric", "period", name="uq_observation_organization"),
        UniqueConstraint("member_id", "metric", "period", name="uq_observation_member"),
        CheckConstraint(
            ONE_SUBJECT,
            name="ck_observation_subject",
        ),
    )

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        has_organization = related.value(self, "organization") is not None
        if has_organization == (related.value(self, "member") is not None):
            yield FieldError(
                "member_id" if has_organization else "organization_id",
                "党组织和党员要填一个，且只填一个",
                "give either an organization or a member",
            )
        if not math.isfinite(self.value):
            yield FieldError("value", "应为数字", "should be a number")
