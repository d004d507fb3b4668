"""Visits to households, tasks from above and the reports on them, yearly assessments of organizations.

States change by ``operations`` alone; what they have to satisfy is in ``checks``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from app.domains.members.models import Member
from app.domains.organizations.models import Organization, UnitType
from app.entity.faults import FieldError
from app.entity.fields import code, code_of, day, flag, long_text, number, period, reference, text
from app.entity.labels import Label
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.related import Related
from app.entity.visibility import Visibility

from . import checks
from .code_lists import (
    AssessmentStatus,
    IssueCategory,
    ReportStatus,
    TaskKind,
    TaskStatus,
    TaskTargets,
    TaskTier,
    Urgency,
    VisitMode,
    VisitStatus,
)


@registry.register
class Visit(Entity):
    """A visit to a household, and what became of the issue that was raised there."""

    __tablename__ = "bc_visit"
    __entity__ = EntityOptions(
        label=Label("走访", "Visit"),
        about=Label(
            "走访党员群众的记录，以及走访中发现、需要办理的问题。",
            "Visits to members and residents, and the issues found that have to be dealt with.",
        ),
        visibility=Visibility.SUBTREE,
        title="household",
        group="duties",
        icon="fa-person-walking",
        person="member",
        dated_by="visited_on",
        valid_between=("visited_on", "closed_on"),
        order_by="-visited_on",
        measure="次",
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    household: Mapped[str] = text(
        "走访对象", "Household", 60, listed=True, searched=True, index=True,
        help=("填门牌或户号，不写姓名，如“3号楼201室”", "The door or household number, no names"),
    )  # fmt: skip
    organization_id: Mapped[int] = reference(
        "organization", "走访组织", "Organization", listed=True, filled_from=("member.organization",)
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    member_id: Mapped[int | None] = reference("member", "走访党员", "Member")
    member: Mapped[Member | None] = relationship(foreign_keys=[member_id])
    visitor: Mapped[str] = text("走访人", "Visitor", 60, listed=True, searched=True, filled_from=("member.name",))
    visited_on: Mapped[date] = day("走访日期", "Visited on", listed=True, filtered=True)
    mode: Mapped[VisitMode] = code_of(
        VisitMode, "走访方式", "Mode", default=VisitMode.HOME, name="visit_mode", key="mode"
    )
    issue: Mapped[str | None] = long_text("反映问题", "Issue", help=("没有问题则不填", "Empty if there is none"))
    category: Mapped[IssueCategory | None] = code_of(IssueCategory, "问题类别", "Category", listed=True, filtered=True)
    urgency: Mapped[Urgency | None] = code_of(Urgency, "紧急程度", "Urgency")
    status: Mapped[VisitStatus] = code_of(
        VisitStatus, "状态", "Status", default=VisitStatus.RECORDED, listed=True, filtered=True, editable=False
    )
    due_on: Mapped[date | None] = day("办理期限", "Due on", listed=True, filtered=True)
    handled_by: Mapped[str | None] = text("办理人或部门", "Handled by", 60)
    handled_on: Mapped[date | None] = day("办理完成日期", "Handled on", editable=False)
    outcome: Mapped[str | None] = long_text("办理结果", "Outcome", editable=False)
    closed_on: Mapped[date | None] = day("办结日期", "Closed on", editable=False, index=True)
    satisfaction: Mapped[int | None] = number("满意度", "Satisfaction", unit=("分（满分 5）", "of 5"), editable=False)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("satisfaction >= 1 AND satisfaction <= 5", name="ck_visit_satisfaction"),
        CheckConstraint("due_on IS NULL OR due_on >= visited_on", name="ck_visit_due"),
        CheckConstraint("handled_on IS NULL OR handled_on >= visited_on", name="ck_visit_handled"),
        CheckConstraint("closed_on IS NULL OR closed_on >= visited_on", name="ck_visit_dates"),
        CheckConstraint("status <> 'closed' OR closed_on IS NOT NULL", name="ck_visit_closed"),
    )

    def fill_in(self, related: Related) -> None:
        if self.issue and self.status == VisitStatus.RECORDED:
            self.status = VisitStatus.PENDING
        elif not self.issue and self.status == VisitStatus.PENDING:
            self.status = VisitStatus.RECORDED
        if self.issue:
            self.category = self.category or IssueCategory.OTHER
            self.urgency = self.urgency or Urgency.NORMAL
            self.due_on = self.due_on or checks.issue_due_on(self.visited_on, self.urgency)

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.visit_faults(self, related)


@registry.register
class Task(Entity):
    """Something an organization asks of those below it. A draft is its own; once issued, everybody below sees it."""

    __tablename__ = "bc_task"
    __entity__ = EntityOptions(
        label=Label("任务", "Task"),
        about=Label(
            "上级布置的任务；下达后，各有关党组织在“任务办理”中签收和反馈。",
            "Tasks set from above; once issued, the organizations concerned sign for them and report.",
        ),
        visibility=Visibility.INHERITED,
        title="title",
        group="duties",
        icon="fa-list-check",
        inherited_since="issued_on",
        dated_by="issued_on",
        valid_between=("issued_on", "closed_on"),
        order_by="-issued_on",
        measure="项",
        refers_to_wider=True,
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    title: Mapped[str] = text("任务名称", "Task", 200, listed=True, searched=True)
    organization_id: Mapped[int] = reference("organization", "下达组织", "Issued by", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    kind: Mapped[TaskKind] = code_of(TaskKind, "类别", "Kind", default=TaskKind.ROUTINE, listed=True, filtered=True)
    tier: Mapped[TaskTier | None] = code_of(TaskTier, "级别", "Tier", filtered=True)
    status: Mapped[TaskStatus] = code_of(
        TaskStatus, "状态", "Status", default=TaskStatus.DRAFT, listed=True, filtered=True, editable=False
    )
    requirements: Mapped[str | None] = long_text("任务要求", "Requirements")
    targets: Mapped[TaskTargets] = code_of(TaskTargets, "下达对象", "Given to", default=TaskTargets.CHILDREN)
    unit_type: Mapped[UnitType | None] = code_of(
        UnitType, "仅限单位类别", "Unit type", help=("不填为各类单位", "All of them if left empty")
    )
    target_id: Mapped[int | None] = reference(
        "organization",
        "指定党组织",
        "Organization chosen",
        help=("下达对象为“指定一个党组织”时填写", "For a task given to one organization"),
    )
    target: Mapped[Organization | None] = relationship(foreign_keys=[target_id])
    needs_feedback: Mapped[bool] = flag(
        "需要反馈", "Feedback required", default=True, help=("否则签收即完成", "Otherwise done once signed for")
    )
    issued_on: Mapped[date | None] = day("下达日期", "Issued on", listed=True, filtered=True, editable=False)
    sign_by: Mapped[date | None] = day("签收期限", "Sign by", help=("不填为下达后第 3 天", "Three days later if empty"))
    due_on: Mapped[date] = day("完成期限", "Due on", listed=True, filtered=True)
    closed_on: Mapped[date | None] = day("办结日期", "Closed on", editable=False)
    reports_due: Mapped[int | None] = number("下达数", "Given to", unit=("个党组织", "organizations"), editable=False)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("status NOT IN ('issued', 'closed') OR issued_on IS NOT NULL", name="ck_task_issued"),
        CheckConstraint("issued_on IS NULL OR due_on >= issued_on", name="ck_task_due"),
        CheckConstraint("sign_by IS NULL OR due_on >= sign_by", name="ck_task_sign"),
        CheckConstraint("issued_on IS NULL OR closed_on IS NULL OR closed_on >= issued_on", name="ck_task_dates"),
    )

    def fill_in(self, related: Related) -> None:
        issuer = related.row(self, "organization")
        if self.tier is None and issuer is not None:
            self.tier = TaskTier.find(str(issuer.tier))

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.task_faults(self, related)


@registry.register
class TaskReport(Entity):
    """One organization's part in a task: made when the task is issued, signed for, reported on, reviewed."""

    __tablename__ = "bc_task_report"
    __entity__ = EntityOptions(
        label=Label("任务办理", "Task report"),
        about=Label(
            "各党组织对任务的签收、反馈和审核；任务下达后自动产生。",
            "What each organization has to report on a task; made when the task is issued.",
        ),
        visibility=Visibility.SUBTREE,
        title="title",
        group="duties",
        icon="fa-clipboard-check",
        dated_by="issued_on",
        valid_between=("issued_on", "reviewed_on"),
        natural_key=("task", "organization"),
        order_by="-issued_on",
        measure="件",
        read_only=True,
    )

    code: Mapped[str] = code("编号", "Code")
    title: Mapped[str] = text(
        "任务名称", "Task", 200, listed=True, searched=True, editable=False, filled_from=("task.title",)
    )
    task_id: Mapped[int] = reference("task", "任务", "Task record")
    task: Mapped[Task] = relationship(foreign_keys=[task_id])
    organization_id: Mapped[int] = reference("organization", "办理组织", "Organization", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    issuer_id: Mapped[int] = reference(
        "organization", "下达组织", "Issued by", listed=True, editable=False, filled_from=("task.organization",)
    )
    issuer: Mapped[Organization] = relationship(foreign_keys=[issuer_id])
    status: Mapped[ReportStatus] = code_of(
        ReportStatus, "状态", "Status", default=ReportStatus.TO_SIGN, listed=True, filtered=True
    )
    issued_on: Mapped[date] = day("下达日期", "Issued on", listed=True, filtered=True)
    sign_by: Mapped[date] = day("签收期限", "Sign by")
    due_on: Mapped[date] = day(
        "完成期限", "Due on", listed=True, filtered=True, editable=False, filled_from=("task.due_on",)
    )
    signed_on: Mapped[date | None] = day("签收日期", "Signed for on")
    signed_by: Mapped[str | None] = text("签收人", "Signed for by", 60)
    reported_on: Mapped[date | None] = day("反馈日期", "Reported on")
    report: Mapped[str | None] = long_text("办理情况", "Report")
    reviewed_on: Mapped[date | None] = day("审核日期", "Reviewed on")
    opinion: Mapped[str | None] = text("审核意见", "Opinion", 200)
    return_count: Mapped[int] = number("退回次数", "Times returned", unit=("次", "times"), default=0)
    overdue_on: Mapped[date | None] = day("逾期日期", "Overdue since", listed=True, index=True)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        UniqueConstraint("task_id", "organization_id"),
        CheckConstraint("due_on >= sign_by AND sign_by >= issued_on", name="ck_report_due"),
        CheckConstraint("signed_on IS NULL OR signed_on >= issued_on", name="ck_report_signed"),
        CheckConstraint("reported_on IS NULL OR reported_on >= signed_on", name="ck_report_reported"),
        CheckConstraint("status <> 'done' OR reviewed_on IS NOT NULL", name="ck_report_done"),
        CheckConstraint("return_count >= 0", name="ck_report_returns"),
    )

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.report_faults(self, related)


@registry.register
class Assessment(Entity):
    """The assessment of an organization for a period: its own score, its peers' and its superior's, weighted."""

    __tablename__ = "bc_assessment"
    __entity__ = EntityOptions(
        label=Label("考核", "Assessment"),
        about=Label(
            "党组织的考核：自评、评分、公示和结果，一期一条。",
            "Assessments of organizations: own score, scores, publication and result, one for each period.",
        ),
        visibility=Visibility.SUBTREE,
        title="scheme",
        group="duties",
        icon="fa-ranking-star",
        dated_by="period",
        natural_key=("organization", "scheme", "period"),
        order_by="-period",
        measure="项",
    )

    code: Mapped[str] = code("编号", "Code")
    scheme: Mapped[str] = text("考核方案", "Scheme", 100, listed=True, searched=True, index=True)
    period: Mapped[str] = period("考核周期", "Period", listed=True, filtered=True, name="period_code", key="period")
    organization_id: Mapped[int] = reference("organization", "被考核组织", "Organization", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    assessor_id: Mapped[int | None] = reference(
        "organization", "考核组织", "Assessed by", filled_from=("organization.parent",)
    )
    assessor: Mapped[Organization | None] = relationship(foreign_keys=[assessor_id])
    status: Mapped[AssessmentStatus] = code_of(
        AssessmentStatus, "状态", "Status", default=AssessmentStatus.DRAFT, listed=True, filtered=True, editable=False
    )
    report_by: Mapped[date | None] = day("材料上报期限", "Own report due", filtered=True)
    reported_on: Mapped[date | None] = day("自评日期", "Reported on", editable=False)
    self_report: Mapped[str | None] = long_text("自评报告", "Own report", editable=False)
    self_score: Mapped[float | None] = number("自评分", "Own score", unit=("分", "points"), editable=False)
    peer_score: Mapped[float | None] = number("党员群众评分", "Peers' score", unit=("分", "points"), editable=False)
    superior_score: Mapped[float | None] = number("上级评分", "Superior's score", unit=("分", "points"), editable=False)
    self_weight: Mapped[int] = number("自评权重", "Weight of its own", unit=("%", "%"), default=checks.SELF_WEIGHT)
    peer_weight: Mapped[int] = number("党员群众权重", "Weight of peers", unit=("%", "%"), default=checks.PEER_WEIGHT)
    superior_weight: Mapped[int] = number(
        "上级权重", "Weight of the superior", unit=("%", "%"), default=checks.SUPERIOR_WEIGHT
    )
    final_score: Mapped[float | None] = number(
        "考核得分", "Final score", unit=("分", "points"), listed=True, editable=False, index=True
    )
    final_rank: Mapped[int | None] = number("名次", "Rank", listed=True, editable=False)
    objection_from: Mapped[date | None] = day("公示起始日", "Objections from", editable=False)
    objection_until: Mapped[date | None] = day("公示截止日", "Objections until", editable=False)
    objection: Mapped[str | None] = long_text("异议", "Objection", editable=False)
    objection_reply: Mapped[str | None] = long_text("异议答复", "Reply", editable=False)
    decided_on: Mapped[date | None] = day("确定日期", "Decided on", editable=False)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        UniqueConstraint("organization_id", "scheme", "period"),
        CheckConstraint("self_weight + peer_weight + superior_weight = 100", name="ck_assessment_weights"),
        CheckConstraint("self_weight >= 0 AND peer_weight >= 0 AND superior_weight >= 0", name="ck_assessment_weight"),
        CheckConstraint("self_score >= 0 AND self_score <= 100", name="ck_assessment_self"),
        CheckConstraint("peer_score >= 0 AND peer_score <= 100", name="ck_assessment_peer"),
        CheckConstraint("superior_score >= 0 AND superior_score <= 100", name="ck_assessment_superior"),
        CheckConstraint("objection_until >= objection_from", name="ck_assessment_objection"),
        CheckConstraint("status <> 'final' OR decided_on IS NOT NULL", name="ck_assessment_final"),
    )

    def fill_in(self, related: Related) -> None:
        self.final_score = checks.weighted(self)

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.assessment_faults(self, related)
