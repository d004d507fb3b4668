"""Articles and surveys: who sees drafts, who answers, and what the answers make."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, select

from app.access.actor import Actor
from app.access.errors import OutOfScope
from app.access.operations import NoSuchRow, NotOffered
from app.database.clock import today
from app.database.session import Session, make_session
from app.domains.content import operations
from app.domains.content.models import Article, Survey, SurveyAnswer
from app.entity.labels import UserError
from tests import factories as make
from tests.domains.doing import do, staff
from tests.domains.test_party_life import TOMORROW, faults

NOW = {"opens_on": today() - timedelta(days=1), "closes_on": TOMORROW, "published_on": today()}


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (lambda: make.article(), set()),
        (lambda: make.article(published_on=None), {"published_on"}),
        (lambda: make.article(published_on=TOMORROW), {"published_on"}),
        (lambda: make.article(expires_on=date(2026, 3, 1)), {"expires_on"}),
        (lambda: make.article(body=""), {"body"}),
        (lambda: make.survey(), set()),
        (lambda: make.survey(closes_on=date(2026, 2, 1)), {"closes_on"}),
        (lambda: make.survey(published_on=None), {"published_on"}),
        (lambda: make.survey(expected=-1), {"expected"}),
        (lambda: make.survey_answer(rating="6"), {"rating"}),
        (lambda: make.survey_answer(answered_on=date(2026, 2, 1)), {"answered_on"}),
    ],
)
def test_what_is_refused(session: Session, row, wrong: set[str]):
    assert faults(session, row()) == wrong


@pytest.fixture
def tree(session: Session) -> dict:
    found = make.tree()
    session.add_all(found.values())
    session.commit()
    return found


def member_of(session: Session, branch, user_id: int = 5) -> Actor:
    member = make.member(organization=branch)
    session.add(member)
    session.commit()
    return Actor("member", user_id=user_id, organization_id=branch.id, organization_path=branch.path,
                 tier="branch", member_id=member.id)  # fmt: skip


def seen(engine: Engine, actor: Actor, model: type) -> set[str]:
    session = make_session(engine, actor, writes=False)
    try:
        return set(session.scalars(select(model.title)))
    finally:
        session.close()


def test_drafts_are_seen_by_those_who_keep_them_alone(engine: Engine, session: Session, tree: dict):
    for place in ("street_a", "branch_a1"):
        session.add(make.article(organization=tree[place], title=f"{place} out"))
        draft = {"status": "draft", "published_on": None}
        session.add(make.article(organization=tree[place], title=f"{place} draft", **draft))
    session.commit()
    member = member_of(session, tree["branch_a1"])
    assert seen(engine, staff(tree["street_a"]), Article) == {
        "street_a out",
        "street_a draft",
        "branch_a1 out",
        "branch_a1 draft",
    }
    assert seen(engine, staff(tree["branch_a1"]), Article) == {"street_a out", "branch_a1 out", "branch_a1 draft"}
    assert seen(engine, member, Article) == {"street_a out", "branch_a1 out"}
    assert seen(engine, staff(tree["branch_b1"]), Article) == set()


def test_an_article_is_published_and_withdrawn_by_those_who_keep_it(engine: Engine, session: Session, tree: dict):
    article = make.article(organization=tree["street_a"], status="draft", published_on=None)
    session.add(article)
    session.commit()
    below = staff(tree["branch_a1"])
    with pytest.raises(NoSuchRow):
        do(engine, article, "publish", below)
    do(engine, article, "publish", staff(tree["street_a"]))
    assert (article.status, article.published_on) == ("published", today())
    with pytest.raises(OutOfScope):
        do(engine, article, "withdraw", below, reason="不归我管")
    do(engine, article, "withdraw", staff(tree["street_a"]), reason="内容有误")
    assert (article.status, article.published_on) == ("withdrawn", None)
    assert seen(engine, below, Article) == set()


def test_an_article_that_is_no_longer_valid_is_not_published(engine: Engine, session: Session):
    article = make.article(status="draft", published_on=None, expires_on=date(2026, 3, 1))
    session.add(article)
    session.commit()
    with pytest.raises(UserError, match="有效期"):
        do(engine, article, "publish")


def survey_in(session: Session, organization, **values) -> Survey:
    row = make.survey(organization=organization, **{**NOW, **values})
    session.add(row)
    session.commit()
    return row


@pytest.mark.parametrize("is_anonymous", [True, False])
def test_each_member_answers_once(engine: Engine, session: Session, tree: dict, is_anonymous: bool):
    survey = survey_in(session, tree["street_a"], is_anonymous=is_anonymous)
    one, other = member_of(session, tree["branch_a1"]), member_of(session, tree["branch_a2"], 6)
    do(engine, survey, "answer", one, rating="5", opinion="很好")
    with pytest.raises(UserError, match="已经填写过"):
        do(engine, survey, "answer", one, rating="1", opinion=None)
    do(engine, survey, "answer", other, rating="4")
    assert (survey.answers, survey.points, survey.satisfaction) == (2, 9, 90.0)
    answers = session.scalars(select(SurveyAnswer).order_by(SurveyAnswer.id)).all()
    members = [None, None] if is_anonymous else [one.member_id, other.member_id]
    assert [answer.member_id for answer in answers] == members
    places = ("street_a", "street_a") if is_anonymous else ("branch_a1", "branch_a2")
    assert [answer.organization_id for answer in answers] == [tree[place].id for place in places]


def test_a_survey_is_answered_by_those_it_was_put_to(engine: Engine, session: Session, tree: dict):
    survey = survey_in(session, tree["street_a"])
    with pytest.raises(NoSuchRow):
        do(engine, survey, "answer", member_of(session, tree["branch_b1"]), rating="5")
    with pytest.raises(UserError, match="党员本人"):
        do(engine, survey, "answer", staff(tree["branch_a1"]), rating="5")
    do(engine, survey, "enter_paper", staff(tree["street_a"]), rating="3", opinion="一般")
    with pytest.raises(OutOfScope):
        do(engine, survey, "enter_paper", staff(tree["branch_a1"]), rating="5")
    assert (survey.answers, survey.satisfaction) == (1, 60.0)


def test_answers_are_taken_on_its_days_only(engine: Engine, session: Session, tree: dict):
    early = survey_in(session, tree["street_a"], opens_on=TOMORROW)
    over = survey_in(session, tree["street_a"], closes_on=today() - timedelta(days=1))
    member = member_of(session, tree["branch_a1"])
    for survey in (early, over):
        with pytest.raises(NotOffered):
            do(engine, survey, "answer", member, rating="5")
    assert operations.close_ended(engine, today()) == 1
    session.expire_all()
    assert (early.status, over.status) == ("open", "closed")


def test_a_survey_that_is_over_is_not_published(engine: Engine, session: Session):
    survey = make.survey(status="draft", published_on=None)
    session.add(survey)
    session.commit()
    with pytest.raises(UserError, match="截止日期"):
        do(engine, survey, "publish")
