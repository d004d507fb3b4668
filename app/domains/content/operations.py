"""Publishing articles and surveys, and answering a survey once, each in one transaction on a locked row."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine, exists, select
from sqlalchemy.orm import Session

from app.access.actor import Actor, system_actor
from app.database.clock import today
from app.database.encryption import keyring
from app.database.session import unit_of_work
from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.entity.labels import Label
from app.entity.operations import Audience, Impossible, asked, in_state, operation
from app.entity.registry import FieldKind

from .code_lists import AnswerChannel, ArticleStatus, Rating, SurveyStatus
from .models import Article, Survey, SurveyAnswer

RATING = asked("rating", FieldKind.CODE, "评分", "Rating", code_list=Rating)
OPINION = asked("opinion", FieldKind.LONG_TEXT, "意见", "Opinion", optional=True)

# --- articles ---


@operation(
    "article",
    "publish",
    Label("发布", "Publish"),
    leads_to=ArticleStatus.PUBLISHED,
    offered=in_state(ArticleStatus.DRAFT, ArticleStatus.WITHDRAWN),
    confirm=Label("发布后，本组织和下级都能看到。确定发布？", "Everybody here and below will see it. Publish it?"),
)
def publish_article(session: Session, article: Article, actor: Actor) -> None:
    if article.expires_on and article.expires_on < today():
        raise Impossible("有效期已过，请先修改", "It is no longer valid: change until when it is")
    article.status, article.published_on, article.withdrawn_reason = ArticleStatus.PUBLISHED, today(), None


@operation(
    "article",
    "withdraw",
    Label("撤下", "Withdraw"),
    leads_to=ArticleStatus.WITHDRAWN,
    offered=in_state(ArticleStatus.PUBLISHED),
    asks=(asked("reason", FieldKind.TEXT, "原因", "Reason"),),
)
def withdraw_article(session: Session, article: Article, actor: Actor, *, reason: str) -> None:
    """Nobody below sees it any more."""
    article.status, article.published_on, article.withdrawn_reason = ArticleStatus.WITHDRAWN, None, reason


# --- surveys ---


@operation(
    "survey", "publish", Label("发布", "Publish"), leads_to=SurveyStatus.OPEN, offered=in_state(SurveyStatus.DRAFT)
)
def publish_survey(session: Session, survey: Survey, actor: Actor) -> None:
    if survey.closes_on < today():
        raise Impossible("截止日期已过，请先修改", "It is past the day it closes on: change that first")
    survey.status, survey.published_on = SurveyStatus.OPEN, today()


@operation(
    "survey", "close", Label("结束调查", "Close"), leads_to=SurveyStatus.CLOSED, offered=in_state(SurveyStatus.OPEN)
)
def close_survey(session: Session, survey: Survey, actor: Actor) -> None:
    survey.status = SurveyStatus.CLOSED


def takes_answers(survey: Survey) -> bool:
    return survey.status == SurveyStatus.OPEN and survey.opens_on <= today() <= survey.closes_on


@operation(
    "survey",
    "answer",
    Label("填写问卷", "Answer"),
    offered=takes_answers,
    asks=(RATING, OPINION),
    audience=Audience.EVERYONE,
)
def answer(session: Session, survey: Survey, actor: Actor, *, rating: Rating, opinion: str | None = None) -> None:
    """For oneself, once. Whoever sees a survey may answer it if it was put to their organization."""
    if actor.member_id is None:
        raise Impossible(
            "问卷由党员本人填写，请用党员账号登录；纸质问卷请用“代录纸质问卷”",
            "Members answer for themselves: sign in as a member. Paper is entered by “Enter a paper answer”",
        )
    member = session.get_one(Member, actor.member_id)
    own, asking = (session.get_one(Organization, key) for key in (member.organization_id, survey.organization_id))
    if not own.path.startswith(asking.path):
        raise Impossible("这份问卷不是发给您所在组织的", "This survey was not put to your organization")
    key = once_key(survey, member.id)
    if session.scalar(select(exists().where(SurveyAnswer.once_key == key))):
        raise Impossible("您已经填写过这份问卷", "You have answered this survey already")
    given = SurveyAnswer(
        survey_id=survey.id, rating=Rating(rating), opinion=opinion, channel=AnswerChannel.ONLINE, once_key=key
    )
    if survey.is_anonymous:
        given.organization_id = survey.organization_id
    else:
        given.member_id, given.organization_id = member.id, member.organization_id
    _count(session, survey, given)


@operation(
    "survey",
    "enter_paper",
    Label("代录纸质问卷", "Enter a paper answer"),
    offered=takes_answers,
    asks=(RATING, OPINION),
)
def enter_paper(session: Session, survey: Survey, actor: Actor, *, rating: Rating, opinion: str | None = None) -> None:
    """The answer of somebody without an account, such as a resident."""
    given = SurveyAnswer(survey_id=survey.id, organization_id=survey.organization_id, rating=Rating(rating),
                         opinion=opinion, channel=AnswerChannel.PAPER)  # fmt: skip
    _count(session, survey, given)


def once_key(survey: Survey, member_id: int) -> str:
    """Tells that a member has answered, without telling which: a keyed hash."""
    return keyring().digest(f"survey {survey.id} member {member_id}")


def _count(session: Session, survey: Survey, given: SurveyAnswer) -> None:
    """The survey is locked, so that no answer is lost from its sums."""
    session.add(given)
    survey.answers += 1
    survey.points += int(given.rating)


def close_ended(engine: Engine, as_of: date) -> int:
    """Close the surveys whose last day is over; how many. Nightly."""
    with unit_of_work(engine, system_actor("surveys")) as session:
        ended = select(Survey).where(Survey.status == SurveyStatus.OPEN, Survey.closes_on < as_of)
        found = session.scalars(ended.order_by(Survey.id).with_for_update()).all()
        for survey in found:
            survey.status = SurveyStatus.CLOSED
        return len(found)
