"""From a demand and a resource to a project: publish, match, accept by both, carry out.

Each runs in one transaction on a row that is locked (``app.access.operations``); a match locks its demand as well.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.database.clock import today
from app.domains.organizations.models import Organization, OrganizationTier
from app.entity.faults import FieldError, InvalidRow
from app.entity.labels import Label
from app.entity.operations import Audience, Impossible, asked, in_state, operation
from app.entity.registry import FieldKind

from .code_lists import DemandStatus, HighlightTier, MatchState, ProjectStatus, ResourceStatus
from .matching import Fit, fits
from .models import BETWEEN, Demand, Match, Project, Resource

SUGGESTED_AT_MOST = 10
LOWEST_SCORE = 40.0
"""A resource of another category, far away, is no suggestion (this project's convention)."""

AREA = asked(
    "area_id",
    FieldKind.REFERENCE,
    "范围",
    "Area",
    optional=True,
    target="organization",
    help=(
        "所选党组织及其下级都能看到；不填为上级党组织的范围",
        "Seen there and below; within the organization above if left empty",
    ),
)
WHY = asked("reason", FieldKind.TEXT, "原因", "Reason")


def _area(session: Session, organization_id: int, area_id: int | None) -> int:
    own = session.get_one(Organization, organization_id)
    is_leaf = own.tier in (OrganizationTier.BRANCH, OrganizationTier.GROUP)
    return area_id or (own.parent_id if is_leaf and own.parent_id else own.id)


# --- resources and demands ---


@operation(
    "resource",
    "publish",
    Label("发布", "Publish"),
    leads_to=ResourceStatus.OPEN,
    offered=in_state(ResourceStatus.DRAFT, ResourceStatus.WITHDRAWN),
    asks=(AREA,),
)
def publish_resource(session: Session, resource: Resource, actor: Actor, *, area_id: int | None = None) -> None:
    resource.area_id = _area(session, resource.organization_id, area_id)
    resource.status, resource.published_on = ResourceStatus.OPEN, today()


@operation(
    "resource",
    "withdraw",
    Label("下架", "Withdraw"),
    leads_to=ResourceStatus.WITHDRAWN,
    offered=in_state(ResourceStatus.OPEN),
)
def withdraw_resource(session: Session, resource: Resource, actor: Actor) -> None:
    """Suggestions nobody has agreed to go with it; what was agreed stays."""
    resource.status, resource.area_id = ResourceStatus.WITHDRAWN, None
    _end_suggestions(session, Match.resource_id == resource.id, "资源已下架")


@operation("demand", "publish", Label("发布", "Publish"), leads_to=DemandStatus.OPEN,
    offered=in_state(DemandStatus.DRAFT, DemandStatus.WITHDRAWN),
           asks=(AREA,))  # fmt: skip
def publish_demand(session: Session, demand: Demand, actor: Actor, *, area_id: int | None = None) -> None:
    """Resources that fit are suggested at once."""
    demand.area_id = _area(session, demand.organization_id, area_id)
    demand.status, demand.published_on = DemandStatus.OPEN, today()
    suggest(session, demand)


@operation("demand", "suggest", Label("匹配资源", "Find resources"), offered=in_state(DemandStatus.OPEN))
def suggest_again(session: Session, demand: Demand, actor: Actor) -> None:
    if not suggest(session, demand):
        raise Impossible(
            f"没有匹配分达到 {LOWEST_SCORE:g} 分的资源；可以写明类别、时间和人数，或等待新的资源发布",
            f"no resource reaches {LOWEST_SCORE:g} points: say category, time and people, or wait for new resources",
        )


@operation(
    "demand",
    "withdraw",
    Label("撤回", "Withdraw"),
    leads_to=DemandStatus.WITHDRAWN,
    offered=in_state(DemandStatus.OPEN, DemandStatus.DRAFT),
)
def withdraw_demand(session: Session, demand: Demand, actor: Actor) -> None:
    demand.status, demand.area_id = DemandStatus.WITHDRAWN, None
    _end_suggestions(session, Match.demand_id == demand.id, "需求已撤回")


@operation(
    "demand",
    "met",
    Label("确认满足", "Confirm as met"),
    leads_to=DemandStatus.MET,
    offered=in_state(DemandStatus.MATCHED),
)
def meet(session: Session, demand: Demand, actor: Actor) -> None:
    demand.status, demand.met_on = DemandStatus.MET, today()


def suggest(session: Session, demand: Demand) -> list[Match]:
    """The best-fitting resources that are published for the demand's organization, as suggestions: new ones, and old
    ones with their present score. What somebody has decided on is left alone."""
    candidates = candidates_for(session, demand)
    known = {match.resource_id: match for match in session.scalars(select(Match).where(Match.demand_id == demand.id))}
    ranked = sorted(
        zip(fits(demand, candidates, today()), candidates, strict=True),
        key=lambda pair: (-pair[0].score, pair[1].id),
    )
    chosen = [(fit, resource) for fit, resource in ranked if fit.score >= LOWEST_SCORE][:SUGGESTED_AT_MOST]
    found = []
    for fit, resource in chosen:
        match = known.get(resource.id)
        if match is None:
            match = Match(demand_id=demand.id, resource_id=resource.id, suggested_on=today())
            session.add(match)
        if match.state in (None, MatchState.SUGGESTED):
            _keep(match, fit)
            found.append(match)
    return found


def candidates_for(session: Session, demand: Demand) -> list[Resource]:
    """Resources on offer, not over yet, published for an area that the demand's organization lies in."""
    path = session.get_one(Organization, demand.organization_id).path
    line = [int(part) for part in path.split("/") if part]
    begins = max(demand.needed_from or today(), today())
    statement = select(Resource).where(
        Resource.status == ResourceStatus.OPEN,
        Resource.area_id.in_(line),
        Resource.organization_id != demand.organization_id,
        or_(Resource.available_until.is_(None), Resource.available_until >= begins),
    )
    return list(session.scalars(statement.order_by(Resource.id)))


def _keep(match: Match, fit: Fit) -> None:
    match.score = fit.score
    for part in ("category", "text", "distance", "time", "capacity"):
        setattr(match, f"by_{part}", round(100 * getattr(fit, part), 2))


def _end_suggestions(session: Session, which: object, reason: str) -> None:
    for match in session.scalars(select(Match).where(which, Match.state == MatchState.SUGGESTED)):  # type: ignore[arg-type]
        match.state, match.refused_on, match.reason = MatchState.REFUSED, today(), reason


# --- matches ---


@operation(
    "match",
    "accept_as_demander",
    Label("需求方同意", "Accept for the demander"),
    leads_to=(MatchState.SUGGESTED, MatchState.AGREED),
    offered=lambda match: match.state == MatchState.SUGGESTED and match.demander_agreed_on is None,
    party="organization",
)
def accept_as_demander(session: Session, match: Match, actor: Actor) -> None:
    match.demander_agreed_on = today()
    _agree_if_both(session, match)


@operation(
    "match",
    "accept_as_provider",
    Label("资源方同意", "Accept for the provider"),
    leads_to=(MatchState.SUGGESTED, MatchState.AGREED),
    offered=lambda match: match.state == MatchState.SUGGESTED and match.provider_agreed_on is None,
    party="provider",
)
def accept_as_provider(session: Session, match: Match, actor: Actor) -> None:
    match.provider_agreed_on = today()
    _agree_if_both(session, match)


def _agree_if_both(session: Session, match: Match) -> None:
    demand = _locked_demand(session, match.demand_id)
    if demand.status not in (DemandStatus.OPEN, DemandStatus.MATCHED):
        raise Impossible("这项需求已经撤回或满足", "The demand was withdrawn or met meanwhile")
    if not (match.demander_agreed_on and match.provider_agreed_on):
        return
    match.state, match.agreed_on = MatchState.AGREED, today()
    demand.status, demand.matched_on = DemandStatus.MATCHED, demand.matched_on or today()


def _locked_demand(session: Session, key: int) -> Demand:
    statement = select(Demand).where(Demand.id == key).with_for_update().execution_options(populate_existing=True)
    return session.scalars(statement).one()


def _refuse(session: Session, match: Match, reason: str) -> None:
    match.state, match.refused_on, match.reason = MatchState.REFUSED, today(), reason


@operation("match", "refuse_as_demander", Label("需求方拒绝", "Refuse for the demander"),
           leads_to=MatchState.REFUSED,
    offered=in_state(MatchState.SUGGESTED, field="state"), asks=(WHY,), party="organization")  # fmt: skip
def refuse_as_demander(session: Session, match: Match, actor: Actor, *, reason: str) -> None:
    _refuse(session, match, reason)


@operation("match", "refuse_as_provider", Label("资源方拒绝", "Refuse for the provider"),
           leads_to=MatchState.REFUSED,
    offered=in_state(MatchState.SUGGESTED, field="state"), asks=(WHY,), party="provider")  # fmt: skip
def refuse_as_provider(session: Session, match: Match, actor: Actor, *, reason: str) -> None:
    _refuse(session, match, reason)


@operation(
    "match",
    "start_project",
    Label("转为项目", "Make it a project"),
    leads_to=MatchState.PROJECT,
    offered=in_state(MatchState.AGREED, field="state"),
    asks=(
        asked("title", FieldKind.TEXT, "项目名称", "Project", length=100),
        asked("due_on", FieldKind.DATE, "计划完成日期", "Due on"),
    ),
    initial=lambda match: {"title": match.title.split(BETWEEN)[0]},
)
def start_project(session: Session, match: Match, actor: Actor, *, title: str, due_on: date) -> None:
    """Led by the demander, with the provider as partner."""
    match.state = MatchState.PROJECT
    session.add(
        Project(
            title=title,
            organization_id=match.organization_id,
            partner_id=match.provider_id if match.provider_id != match.organization_id else None,
            demand_id=match.demand_id,
            resource_id=match.resource_id,
            started_on=today(),
            due_on=due_on,
            status=ProjectStatus.ONGOING,
        )
    )


# --- projects ---


@operation(
    "project",
    "begin",
    Label("启动", "Begin"),
    leads_to=ProjectStatus.ONGOING,
    offered=in_state(ProjectStatus.PLANNED),
    party="organization",
)
def begin(session: Session, project: Project, actor: Actor) -> None:
    project.status, project.started_on = ProjectStatus.ONGOING, project.started_on or today()


@operation(
    "project",
    "complete",
    Label("办结", "Complete"),
    leads_to=ProjectStatus.DONE,
    offered=in_state(ProjectStatus.ONGOING),
    asks=(
        asked("ended_on", FieldKind.DATE, "完成日期", "Done on"),
        asked("evaluation", FieldKind.LONG_TEXT, "成效评价", "Evaluation"),
        asked("satisfaction", FieldKind.INTEGER, "满意度", "Satisfaction", help=("1 到 5 分", "From 1 to 5")),
    ),
    initial=lambda project: {"ended_on": today(), "evaluation": project.evaluation},
    party="organization",
)
def complete(
    session: Session, project: Project, actor: Actor, *, ended_on: date, evaluation: str, satisfaction: int
) -> None:
    """The demand that it answers is met with it."""
    if ended_on > today():
        raise InvalidRow({project: [FieldError("ended_on", "不能晚于今天", "must not be later than today")]})
    if not 1 <= satisfaction <= 5:
        raise InvalidRow({project: [FieldError("satisfaction", "应为 1 到 5 分", "should be from 1 to 5")]})
    project.status, project.ended_on = ProjectStatus.DONE, ended_on
    project.evaluation, project.satisfaction = evaluation, satisfaction
    if project.demand_id is not None:
        demand = _locked_demand(session, project.demand_id)
        if demand.status == DemandStatus.MATCHED:
            demand.status, demand.met_on = DemandStatus.MET, ended_on


@operation("project", "stop", Label("终止", "Stop"), leads_to=ProjectStatus.STOPPED,
    offered=in_state(ProjectStatus.PLANNED, ProjectStatus.ONGOING),
           asks=(WHY,), party="organization")  # fmt: skip
def stop(session: Session, project: Project, actor: Actor, *, reason: str) -> None:
    """The demand is open again."""
    project.status, project.ended_on, project.end_reason = ProjectStatus.STOPPED, today(), reason
    if project.demand_id is not None:
        demand = _locked_demand(session, project.demand_id)
        if demand.status == DemandStatus.MATCHED:
            demand.status, demand.matched_on = DemandStatus.OPEN, None


@operation(
    "project",
    "highlight",
    Label("评为亮点项目", "Choose as a highlight"),
    offered=lambda project: project.status == ProjectStatus.DONE and not project.is_highlight,
    asks=(asked("highlight_tier", FieldKind.CODE, "亮点级别", "Chosen by", code_list=HighlightTier),),
    audience=Audience.SUPERIORS,
)
def highlight(session: Session, project: Project, actor: Actor, *, highlight_tier: HighlightTier) -> None:
    project.is_highlight, project.highlight_tier, project.published_on = True, highlight_tier, today()
