"""Articles and surveys. A draft is its organization's own; once published, everybody below sees it.

Answers are given by ``operations`` alone: once by each member. The answer to an anonymous survey keeps no member, only
a keyed hash that tells that this member has answered, and belongs to the organization that asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, relationship

from app.database.clock import today
from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.entity.faults import FieldError
from app.entity.fields import code, code_of, day, flag, long_text, number, reference, text
from app.entity.labels import Label
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.related import Related
from app.entity.visibility import Visibility

from . import checks
from .code_lists import AnswerChannel, ArticleKind, ArticleStatus, Rating, SurveyKind, SurveyStatus


@registry.register
class Article(Entity):
    """Something to read: news, a notice, experience shared with others."""

    __tablename__ = "bc_article"
    __entity__ = EntityOptions(
        label=Label("文章", "Article"),
        about=Label(
            "通知、动态等文章；发布后本组织和下级都能看到。",
            "Notices and news; once published, the organization and those below see them.",
        ),
        visibility=Visibility.INHERITED,
        title="title",
        group="content",
        icon="fa-newspaper",
        inherited_since="published_on",
        dated_by="published_on",
        valid_between=("published_on", "expires_on"),
        order_by="-published_on",
        measure="篇",
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    title: Mapped[str] = text("标题", "Title", 200, listed=True, searched=True)
    organization_id: Mapped[int] = reference("organization", "发布组织", "Published by", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    kind: Mapped[ArticleKind] = code_of(
        ArticleKind, "类别", "Kind", default=ArticleKind.NEWS, listed=True, filtered=True
    )
    status: Mapped[ArticleStatus] = code_of(
        ArticleStatus, "状态", "Status", default=ArticleStatus.DRAFT, listed=True, filtered=True, editable=False
    )
    summary: Mapped[str | None] = text("摘要", "Summary", 300, searched=True)
    body: Mapped[str] = long_text("正文", "Text", name="article_text", key="body")
    author: Mapped[str | None] = text("作者", "Author", 60)
    origin: Mapped[str | None] = text("来源", "Source", 100)
    published_on: Mapped[date | None] = day("发布日期", "Published on", listed=True, filtered=True, editable=False)
    expires_on: Mapped[date | None] = day("有效期至", "Valid until", listed=True)
    is_pinned: Mapped[bool] = flag("置顶", "Pinned", listed=True, filtered=True)
    withdrawn_reason: Mapped[str | None] = text("撤下原因", "Withdrawn because", 200, editable=False)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("status <> 'published' OR published_on IS NOT NULL", name="ck_article_published"),
        CheckConstraint(
            "published_on IS NULL OR expires_on IS NULL OR expires_on >= published_on", name="ck_article_dates"
        ),
    )

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.article_faults(self, related)


@registry.register
class Survey(Entity):
    """A question put to members and residents, answered by a rating and in their own words."""

    __tablename__ = "bc_survey"
    __entity__ = EntityOptions(
        label=Label("问卷", "Survey"),
        about=Label(
            "满意度等问卷；发布后由党员填写或代录纸质问卷。",
            "Surveys such as of satisfaction; once published, members answer them or paper is entered.",
        ),
        visibility=Visibility.INHERITED,
        title="title",
        group="content",
        icon="fa-square-poll-vertical",
        inherited_since="published_on",
        dated_by="opens_on",
        valid_between=("opens_on", "closes_on"),
        order_by="-opens_on",
        measure="份",
    )

    code: Mapped[str] = code("编号", "Code", searched=True)
    title: Mapped[str] = text("问卷名称", "Survey", 200, listed=True, searched=True)
    organization_id: Mapped[int] = reference("organization", "发起组织", "Asked by", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    kind: Mapped[SurveyKind] = code_of(
        SurveyKind, "类别", "Kind", default=SurveyKind.SATISFACTION, listed=True, filtered=True
    )
    status: Mapped[SurveyStatus] = code_of(
        SurveyStatus, "状态", "Status", default=SurveyStatus.DRAFT, listed=True, filtered=True, editable=False
    )
    question: Mapped[str] = long_text("问题", "Question", help=("请对方评分的内容", "What is to be rated"))
    further_question: Mapped[str | None] = long_text(
        "补充问题", "Further question", help=("用文字回答", "Answered in words")
    )
    is_anonymous: Mapped[bool] = flag(
        "匿名", "Anonymous", default=True, help=("不保存答卷人，只防止重复填写", "Who answered is not kept")
    )
    opens_on: Mapped[date] = day("开始日期", "Opens on", listed=True, filtered=True)
    closes_on: Mapped[date] = day("截止日期", "Closes on", listed=True, filtered=True)
    published_on: Mapped[date | None] = day("发布日期", "Published on", editable=False)
    expected: Mapped[int | None] = number("应答人数", "Expected answers", unit=("人", "people"))
    answers: Mapped[int] = number("答卷数", "Answers", unit=("份", "answers"), default=0, listed=True, editable=False)
    points: Mapped[int] = number("总分", "Points in all", default=0, hidden=True, editable=False)
    satisfaction: Mapped[float | None] = number(
        "满意度", "Satisfaction", unit=("分", "points"), help=("满分 100", "Of 100"), listed=True, editable=False
    )
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("closes_on >= opens_on", name="ck_survey_dates"),
        CheckConstraint("status = 'draft' OR published_on IS NOT NULL", name="ck_survey_published"),
        CheckConstraint("answers >= 0 AND expected >= 0", name="ck_survey_answers"),
        CheckConstraint("satisfaction >= 0 AND satisfaction <= 100", name="ck_survey_satisfaction"),
    )

    def fill_in(self, related: Related) -> None:
        # Five points are 100: what is reported as satisfaction everywhere else.
        self.satisfaction = round(20 * self.points / self.answers, 2) if self.answers else None

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.survey_faults(self, related)


@registry.register
class SurveyAnswer(Entity):
    """One answer to a survey."""

    __tablename__ = "bc_survey_answer"
    __entity__ = EntityOptions(
        label=Label("答卷", "Answer"),
        about=Label(
            "对问卷的答卷；在问卷页面点“填写问卷”或“代录纸质问卷”后出现在这里。",
            "Answers to surveys; they come from “Answer” or “Enter a paper answer” on a survey's page.",
        ),
        visibility=Visibility.SUBTREE,
        title="title",
        group="content",
        icon="fa-square-check",
        person="member",
        dated_by="answered_on",
        order_by="-answered_on",
        measure="份",
        read_only=True,
    )

    code: Mapped[str] = code("编号", "Code")
    title: Mapped[str] = text("问卷", "Survey", 200, listed=True, searched=True, filled_from=("survey.title",))
    survey_id: Mapped[int] = reference("survey", "问卷", "Survey record")
    survey: Mapped[Survey] = relationship(foreign_keys=[survey_id])
    organization_id: Mapped[int] = reference(
        "organization",
        "答卷人所在组织",
        "Organization",
        listed=True,
        filled_from=("member.organization", "survey.organization"),
    )
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    member_id: Mapped[int | None] = reference("member", "答卷党员", "Member")
    member: Mapped[Member | None] = relationship(foreign_keys=[member_id])
    rating: Mapped[Rating] = code_of(Rating, "评分", "Rating", listed=True, filtered=True)
    opinion: Mapped[str | None] = long_text("意见", "Opinion")
    channel: Mapped[AnswerChannel] = code_of(
        AnswerChannel, "来源", "Channel", default=AnswerChannel.ONLINE, listed=True
    )
    answered_on: Mapped[date] = day("答卷日期", "Answered on", listed=True, filtered=True, default=today)
    once_key: Mapped[str | None] = text("防重复标记", "Answered once", 64, hidden=True, editable=False, unique=True)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return checks.answer_faults(self, related)
