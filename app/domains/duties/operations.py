"""The ways of an issue, a task and an assessment, each step in one transaction on a locked row."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.access.actor import Actor, system_actor
from app.database.clock import today
from app.database.session import unit_of_work
from app.domains.calendar.operations import working_days_later
from app.domains.organizations.models import Organization, OrganizationStatus, OrganizationTier
from app.entity.faults import FieldError, InvalidRow
from app.entity.labels import Label
from app.entity.operations import Audience, Impossible, asked, in_state, operation
from app.entity.registry import FieldKind

from .checks import SETTLED, SIGN_WITHIN_DAYS
from .code_lists import AssessmentStatus, ReportStatus, TaskStatus, TaskTargets, VisitStatus
from .models import Assessment, Task, TaskReport, Visit

WHY = asked("reason", FieldKind.TEXT, "原因", "Reason")
OBJECTION_WORKING_DAYS = 5
"""For how many working days a result is publicised (this project's convention)."""


# --- visits ---


@operation(
    "visit",
    "assign",
    Label("转办", "Assign"),
    leads_to=VisitStatus.HANDLING,
    offered=in_state(VisitStatus.PENDING, VisitStatus.HANDLING),
    asks=(
        asked("handled_by", FieldKind.TEXT, "办理人或部门", "Handled by", length=60),
        asked("due_on", FieldKind.DATE, "办理期限", "Due on"),
    ),
    initial=lambda visit: {"handled_by": visit.handled_by, "due_on": visit.due_on},
)
def assign(session: Session, visit: Visit, actor: Actor, *, handled_by: str, due_on: date) -> None:
    visit.status, visit.handled_by, visit.due_on = VisitStatus.HANDLING, handled_by, due_on


@operation(
    "visit",
    "handle",
    Label("登记办理结果", "Record the outcome"),
    leads_to=VisitStatus.HANDLED,
    offered=in_state(VisitStatus.PENDING, VisitStatus.HANDLING),
    asks=(
        asked("handled_on", FieldKind.DATE, "办理完成日期", "Handled on"),
        asked("outcome", FieldKind.LONG_TEXT, "办理结果", "Outcome"),
    ),
    initial=lambda visit: {"handled_on": today()},
)
def handle(session: Session, visit: Visit, actor: Actor, *, handled_on: date, outcome: str) -> None:
    visit.status, visit.handled_on, visit.outcome = VisitStatus.HANDLED, handled_on, outcome


@operation(
    "visit",
    "close",
    Label("回访办结", "Close"),
    leads_to=VisitStatus.CLOSED,
    offered=in_state(VisitStatus.HANDLED),
    asks=(asked("satisfaction", FieldKind.INTEGER, "满意度", "Satisfaction", help=("1 到 5 分", "From 1 to 5")),),
)
def close_visit(session: Session, visit: Visit, actor: Actor, *, satisfaction: int) -> None:
    visit.status, visit.closed_on, visit.satisfaction = VisitStatus.CLOSED, today(), satisfaction


@operation(
    "visit",
    "reopen",
    Label("重新办理", "Handle again"),
    leads_to=VisitStatus.HANDLING,
    offered=in_state(VisitStatus.HANDLED),
)
def reopen_visit(session: Session, visit: Visit, actor: Actor) -> None:
    """The household does not agree that it is settled. What was done stays on record."""
    visit.status, visit.handled_on = VisitStatus.HANDLING, None


# --- tasks ---


@operation(
    "task",
    "issue",
    Label("下达", "Issue"),
    leads_to=TaskStatus.ISSUED,
    offered=in_state(TaskStatus.DRAFT),
    confirm=Label(
        "下达后，各有关党组织都会收到这项任务。确定下达？", "All organizations concerned will get it. Issue it?"
    ),
)
def issue(session: Session, task: Task, actor: Actor) -> None:
    """A report is owed by every organization that it is given to."""
    chosen = organizations_for(session, task)
    if not chosen:
        raise Impossible("没有符合条件的党组织，请检查下达对象", "No organization fits: look at whom it is given to")
    day = today()
    if task.due_on < day:
        raise InvalidRow({task: [FieldError("due_on", "完成期限已过，请先修改", "it is past: change it first")]})
    task.status, task.issued_on = TaskStatus.ISSUED, day
    task.sign_by = task.sign_by if task.sign_by and task.sign_by >= day else default_sign_by(day, task.due_on)
    task.reports_due = len(chosen)
    session.add_all(_report(task, key) for key in chosen)


def default_sign_by(issued_on: date, due_on: date) -> date:
    return min(issued_on + timedelta(days=SIGN_WITHIN_DAYS), due_on)


def _report(task: Task, organization_id: int) -> TaskReport:
    return TaskReport(
        task_id=task.id, organization_id=organization_id, issued_on=today(), sign_by=task.sign_by, due_on=task.due_on
    )


def organizations_for(session: Session, task: Task) -> list[int]:
    """The ids of those that a task is given to: open organizations below its issuer."""
    issuer = session.get_one(Organization, task.organization_id)
    statement = select(Organization.id).where(
        Organization.path.startswith(issuer.path, autoescape=True),
        Organization.id != issuer.id,
        Organization.status.in_([OrganizationStatus.ACTIVE, OrganizationStatus.RECTIFYING]),
    )
    if task.targets == TaskTargets.ONE:
        statement = statement.where(Organization.id == task.target_id)
    elif task.targets == TaskTargets.CHILDREN:
        statement = statement.where(Organization.parent_id == issuer.id, Organization.tier != OrganizationTier.GROUP)
    else:
        statement = statement.where(Organization.tier == OrganizationTier.BRANCH)
    if task.unit_type is not None:
        statement = statement.where(Organization.unit_type == task.unit_type)
    return list(session.scalars(statement.order_by(Organization.id)))


@operation(
    "task",
    "add_organization",
    Label("增加下达对象", "Give it to one more"),
    offered=in_state(TaskStatus.ISSUED),
    asks=(asked("organization_id", FieldKind.REFERENCE, "党组织", "Organization", target="organization"),),
)
def add_organization(session: Session, task: Task, actor: Actor, *, organization_id: int) -> None:
    issuer, added = (session.get_one(Organization, key) for key in (task.organization_id, organization_id))
    if not added.path.startswith(issuer.path) or added.id == issuer.id:
        raise Impossible("只能下达给下级党组织", "It can be given to organizations below only")
    if session.scalar(_reports(task).where(TaskReport.organization_id == organization_id)) is not None:
        raise Impossible("该党组织已经收到这项任务", "That organization has it already")
    if task.due_on < today():
        raise Impossible("完成期限已过", "It is past its due date")
    report = _report(task, organization_id)
    report.sign_by = default_sign_by(today(), task.due_on)
    session.add(report)
    task.reports_due = (task.reports_due or 0) + 1


def _reports(task: Task):
    return select(TaskReport).where(TaskReport.task_id == task.id)


@operation("task", "close", Label("办结", "Close"), leads_to=TaskStatus.CLOSED, offered=in_state(TaskStatus.ISSUED))
def close_task(session: Session, task: Task, actor: Actor) -> None:
    open_reports = list(session.scalars(_reports(task).where(TaskReport.status.not_in(SETTLED)).with_for_update()))
    if open_reports:
        raise Impossible(
            f"还有 {len(open_reports)} 个党组织没有完成，不能办结；可以取消任务",
            f"{len(open_reports)} organizations have not done it, so it cannot be closed; it can be cancelled",
        )
    task.status, task.closed_on = TaskStatus.CLOSED, today()


@operation(
    "task",
    "cancel",
    Label("取消任务", "Cancel"),
    leads_to=TaskStatus.CANCELLED,
    offered=in_state(TaskStatus.ISSUED, TaskStatus.DRAFT),
    asks=(WHY,),
)
def cancel_task(session: Session, task: Task, actor: Actor, *, reason: str) -> None:
    """What is still owed is cancelled with it."""
    task.status, task.closed_on = TaskStatus.CANCELLED, today()
    for report in session.scalars(_reports(task).where(TaskReport.status.not_in(SETTLED)).with_for_update()):
        report.status, report.opinion = ReportStatus.CANCELLED, reason


# --- task reports ---


@operation(
    "task_report",
    "sign",
    Label("签收", "Sign for"),
    leads_to=(ReportStatus.IN_PROGRESS, ReportStatus.DONE),
    offered=in_state(ReportStatus.TO_SIGN),
    asks=(asked("signed_by", FieldKind.TEXT, "签收人", "Signed for by", length=60),),
    party="organization",
)
def sign(session: Session, report: TaskReport, actor: Actor, *, signed_by: str) -> None:
    report.status, report.signed_on, report.signed_by = ReportStatus.IN_PROGRESS, today(), signed_by
    if not session.get_one(Task, report.task_id).needs_feedback:
        report.status, report.reported_on, report.reviewed_on = ReportStatus.DONE, today(), today()


@operation(
    "task_report",
    "submit",
    Label("反馈办理情况", "Report"),
    leads_to=ReportStatus.SUBMITTED,
    offered=in_state(ReportStatus.IN_PROGRESS, ReportStatus.RETURNED),
    asks=(asked("report", FieldKind.LONG_TEXT, "办理情况", "Report"),),
    initial=lambda report: {"report": report.report},
    party="organization",
)
def submit_report(session: Session, row: TaskReport, actor: Actor, *, report: str) -> None:
    row.status, row.reported_on, row.report, row.reviewed_on = ReportStatus.SUBMITTED, today(), report, None


@operation(
    "task_report",
    "approve",
    Label("审核通过", "Approve"),
    leads_to=ReportStatus.DONE,
    offered=in_state(ReportStatus.SUBMITTED),
    asks=(asked("opinion", FieldKind.TEXT, "审核意见", "Opinion", optional=True),),
    party="issuer",
)
def approve_report(session: Session, report: TaskReport, actor: Actor, *, opinion: str | None = None) -> None:
    report.status, report.reviewed_on, report.opinion = ReportStatus.DONE, today(), opinion


@operation(
    "task_report",
    "send_back",
    Label("退回", "Send back"),
    leads_to=ReportStatus.RETURNED,
    offered=in_state(ReportStatus.SUBMITTED),
    asks=(WHY,),
    party="issuer",
)
def send_back_report(session: Session, report: TaskReport, actor: Actor, *, reason: str) -> None:
    report.status, report.reviewed_on, report.opinion = ReportStatus.RETURNED, today(), reason
    report.return_count += 1


def mark_overdue(engine: Engine, as_of: date) -> int:
    """Say of reports that are still owed after their day since when they are overdue; how many more are. Nightly."""
    with unit_of_work(engine, system_actor("tasks")) as session:
        owed = select(TaskReport).where(
            TaskReport.status.not_in((*SETTLED, ReportStatus.SUBMITTED)),
            TaskReport.due_on < as_of,
            TaskReport.overdue_on.is_(None),
        )
        found = session.scalars(owed.order_by(TaskReport.id).with_for_update()).all()
        for report in found:
            report.overdue_on = report.due_on + timedelta(days=1)
        return len(found)


# --- assessments ---

SCORE_HELP = ("0 到 100 分", "From 0 to 100")


@operation(
    "assessment",
    "score_self",
    Label("自评上报", "Report with its own score"),
    leads_to=AssessmentStatus.SELF_SCORED,
    offered=in_state(AssessmentStatus.DRAFT, AssessmentStatus.SELF_SCORED),
    asks=(
        asked("self_score", FieldKind.DECIMAL, "自评分", "Own score", help=SCORE_HELP),
        asked("self_report", FieldKind.LONG_TEXT, "自评报告", "Own report"),
    ),
    initial=lambda row: {"self_score": row.self_score, "self_report": row.self_report},
    party="organization",
)
def score_self(session: Session, row: Assessment, actor: Actor, *, self_score: float, self_report: str) -> None:
    row.status, row.reported_on = AssessmentStatus.SELF_SCORED, today()
    row.self_score, row.self_report = float(self_score), self_report


@operation(
    "assessment",
    "score",
    Label("登记评分", "Record scores"),
    offered=in_state(AssessmentStatus.SELF_SCORED),
    asks=(
        asked("peer_score", FieldKind.DECIMAL, "党员群众评分", "Peers' score", help=SCORE_HELP),
        asked("superior_score", FieldKind.DECIMAL, "上级评分", "Superior's score", help=SCORE_HELP),
    ),
    initial=lambda row: {"peer_score": row.peer_score, "superior_score": row.superior_score},
    audience=Audience.SUPERIORS,
    party="assessor",
)
def score(session: Session, row: Assessment, actor: Actor, *, peer_score: float, superior_score: float) -> None:
    row.peer_score, row.superior_score = float(peer_score), float(superior_score)


@operation(
    "assessment",
    "publicise",
    Label("公示结果", "Publicise"),
    leads_to=AssessmentStatus.PUBLICISED,
    offered=lambda row: row.status == AssessmentStatus.SELF_SCORED and row.final_score is not None,
    audience=Audience.SUPERIORS,
    party="assessor",
)
def publicise(session: Session, row: Assessment, actor: Actor) -> None:
    """Ranks all that are scored by the same scheme, period and assessor."""
    row.status, row.objection_from = AssessmentStatus.PUBLICISED, today()
    row.objection_until = working_days_later(session, today(), OBJECTION_WORKING_DAYS)
    session.flush()
    _rank(session, row)


def _rank(session: Session, row: Assessment) -> None:
    """1, 2, 2, 4: highest score first, among those whose scores are public."""
    compared = select(Assessment).where(
        Assessment.scheme == row.scheme,
        Assessment.period == row.period,
        Assessment.assessor_id == row.assessor_id,
        Assessment.final_score.is_not(None),
        Assessment.objection_from.is_not(None),
    )
    rows = list(session.scalars(compared.order_by(Assessment.id).with_for_update()))
    for one in rows:
        one.final_rank = 1 + sum(other.final_score > one.final_score for other in rows)


@operation(
    "assessment",
    "object",
    Label("提出异议", "Object"),
    leads_to=AssessmentStatus.OBJECTED,
    offered=lambda row: row.status == AssessmentStatus.PUBLICISED and row.objection_until >= today(),
    asks=(asked("objection", FieldKind.LONG_TEXT, "异议", "Objection"),),
    party="organization",
)
def raise_objection(session: Session, row: Assessment, actor: Actor, *, objection: str) -> None:
    row.status, row.objection = AssessmentStatus.OBJECTED, objection


@operation(
    "assessment",
    "answer_objection",
    Label("答复异议", "Answer the objection"),
    leads_to=AssessmentStatus.PUBLICISED,
    offered=in_state(AssessmentStatus.OBJECTED),
    asks=(
        asked("objection_reply", FieldKind.LONG_TEXT, "异议答复", "Reply"),
        asked("superior_score", FieldKind.DECIMAL, "上级评分", "Superior's score", help=SCORE_HELP),
    ),
    initial=lambda row: {"superior_score": row.superior_score},
    audience=Audience.SUPERIORS,
    party="assessor",
)
def answer_objection(
    session: Session, row: Assessment, actor: Actor, *, objection_reply: str, superior_score: float
) -> None:
    """The score may change with it; the ranks follow."""
    row.status, row.objection_reply = AssessmentStatus.PUBLICISED, objection_reply
    row.superior_score = float(superior_score)
    session.flush()
    _rank(session, row)


@operation(
    "assessment",
    "decide",
    Label("确定结果", "Make it final"),
    leads_to=AssessmentStatus.FINAL,
    offered=lambda row: row.status == AssessmentStatus.PUBLICISED and row.objection_until < today(),
    audience=Audience.SUPERIORS,
    party="assessor",
)
def decide(session: Session, row: Assessment, actor: Actor) -> None:
    row.status, row.decided_on = AssessmentStatus.FINAL, today()
