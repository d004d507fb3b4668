"""How well resources fit demands, and the way from a demand to a project that is done."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, select

from app.access.errors import OutOfScope
from app.access.operations import NotOffered
from app.database.clock import today
from app.database.session import Session
from app.domains.partnership.matching import Fit, capacity, fits, kilometres, nearness, similarities, time_overlap
from app.domains.partnership.models import Demand, Match, Project
from app.entity.faults import InvalidRow
from app.entity.labels import UserError
from tests import factories as make
from tests.domains.doing import do, staff
from tests.domains.test_party_life import faults

DAY = date(2026, 3, 2)
"""A Monday."""
SOON = today() + timedelta(days=20)


# --- the score ---


def of(**values: object) -> SimpleNamespace:
    names = "title tags description category organization_id lng lat division_code weekdays quantity unit_of_measure"
    names += " people capacity needed_from needed_until available_from available_until"
    return SimpleNamespace(**{**dict.fromkeys(names.split()), "title": "", **values})


def test_score_is_the_weighted_sum_of_its_parts():
    assert Fit(category=1, text=1, distance=1, time=1, capacity=1).score == 100
    assert Fit(category=1, text=0, distance=0, time=0, capacity=0).score == 35
    assert Fit(category=0, text=0.5, distance=0.8, time=0.2, capacity=1).score == 40.5  # 12.5 + 16 + 2 + 10


def test_wording_is_compared_by_pairs_of_characters():
    same, like, other, nothing = similarities(["健康讲座", "健康讲座", "老年健康知识讲座", "篮球场地", ""])
    assert same == pytest.approx(1)
    assert 0.2 < like < 0.8
    assert other == nothing == 0
    assert similarities(["", "健康"]) == [0]
    assert similarities(["ＡＢ c", "ab C"]) == [pytest.approx(1)]
    assert similarities(["法", "法"]) == [pytest.approx(1)]


def test_rare_words_weigh_more():
    common = ["服务活动"] * 8
    _, by_common, by_rare, *_rest = [0, *similarities(["义诊服务活动", "服务活动", "义诊", *common])]
    assert by_rare > by_common * 0.9


def test_distance_by_coordinates_and_else_by_division():
    assert kilometres(121.4, 31.1, 121.4, 31.1) == 0
    assert kilometres(121.4, 31.0, 121.4, 32.0) == pytest.approx(111.19, abs=0.01)
    here, near = of(lng=121.4, lat=31.1), of(lng=121.4, lat=31.105)
    assert nearness(here, near) == 1
    assert nearness(here, of(lng=121.4, lat=31.1 + 10.5 / 111.19)) == pytest.approx(0.5, abs=0.001)
    assert nearness(here, of(lng=122.4, lat=31.1)) == 0
    demand = of(division_code="310112001005")
    codes = ("310112001005", "310112001009", "310112002001", "310101001001", None)
    assert [nearness(demand, of(division_code=code)) for code in codes] == [1, 0.8, 0.5, 0, 0.5]


def test_time_overlap_counts_the_days_that_suit_both():
    demand = of(needed_from=DAY, needed_until=DAY + timedelta(days=13), weekdays="67")  # two weekends
    assert time_overlap(demand, of(), DAY) == 1
    assert time_overlap(demand, of(weekdays="12345"), DAY) == 0
    assert time_overlap(demand, of(weekdays="6"), DAY) == 0.5
    assert time_overlap(demand, of(available_until=DAY + timedelta(days=7)), DAY) == 0.5
    assert time_overlap(demand, of(), DAY + timedelta(days=30)) == 0, "it is over"
    assert time_overlap(of(), of(), DAY) == 1


def test_capacity_is_that_of_the_scarcer():
    assert capacity(of(), of(capacity=10)) == 1
    assert capacity(of(people=40), of(capacity=10)) == 0.25
    assert capacity(of(people=40), of()) == 0.5
    wanted = of(people=10, quantity=4.0, unit_of_measure="次")
    assert capacity(wanted, of(capacity=20, quantity=1.0, unit_of_measure="次")) == 0.25
    assert capacity(wanted, of(capacity=20, quantity=1.0, unit_of_measure="场")) == 1


def test_fits_are_in_the_order_of_the_resources():
    demand = of(title="健康讲座", category="health", division_code="310112001005")
    found = fits(demand, [of(title="篮球场", category="venue"), of(title="健康讲座", category="health")], DAY)
    assert [fit.category for fit in found] == [0, 1]
    assert found[1].score > found[0].score


# --- what is refused ---


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (lambda: make.resource(), set()),
        (lambda: make.resource(quantity=0.0), {"quantity"}),
        (lambda: make.resource(capacity=-1), {"capacity"}),
        (lambda: make.resource(available_from=DAY, available_until=date(2026, 3, 1)), {"available_until"}),
        (lambda: make.resource(weekdays="8"), {"weekdays"}),
        (lambda: make.resource(weekdays="11"), {"weekdays"}),
        (lambda: make.resource(lng=121.4), {"lat"}),
        (lambda: make.resource(lng=221.4, lat=31.0), {"lng"}),
        (lambda: make.demand(people=0), {"people"}),
        (lambda: make.demand(needed_from=DAY, needed_until=date(2026, 3, 1)), {"needed_until"}),
        (lambda: make.match(score=100.5), {"score"}),
        (lambda: make.match(state="agreed", agreed_on=DAY, demander_agreed_on=DAY), {"state"}),
        (lambda: make.match(state="refused"), {"refused_on"}),
        (lambda: make.project(due_on=date(2026, 2, 1)), {"due_on"}),
        (lambda: make.project(status="done"), {"ended_on"}),
        (lambda: make.project(is_highlight=True), {"highlight_tier"}),
    ],
)
def test_what_is_refused(session: Session, row, wrong: set[str]):
    assert faults(session, row()) == wrong


def test_partner_is_another_organization(session: Session):
    own = make.organization()
    session.add(own)
    session.commit()
    assert faults(session, make.project(organization_id=own.id, partner_id=own.id)) == {"partner_id"}


# --- from a demand to a project ---


@pytest.fixture
def world(session: Session) -> dict:
    """Two branches in one street, and one in another."""
    found = make.tree()
    session.add_all(found.values())
    session.commit()
    rows = {
        "demand": make.demand(
            organization=found["branch_a1"], title="社区健康讲座场地", people=50, needed_from=today(), needed_until=SOON
        ),
        "fits": make.resource(organization=found["branch_a2"], title="健康讲座场地", capacity=60),
        "poor": make.resource(organization=found["branch_a2"], title="篮球教练", category="culture"),
        "away": make.resource(organization=found["branch_b1"], title="社区健康讲座场地"),
    }
    session.add_all(rows.values())
    session.commit()
    return found | rows


def publish_all(engine: Engine, world: dict) -> None:
    for name in ("fits", "poor", "away", "demand"):
        do(engine, world[name], "publish")


def only_match(session: Session) -> Match:
    return session.scalars(select(Match)).one()


def test_publishing_a_demand_suggests_what_fits_and_is_shared_with_it(engine: Engine, session: Session, world: dict):
    publish_all(engine, world)
    match = only_match(session)
    assert (match.resource_id, match.state) == (world["fits"].id, "suggested")
    assert match.by_category == match.by_time == match.by_capacity == 100
    parts = (match.by_category, match.by_text, match.by_distance, match.by_time, match.by_capacity)
    weights = (0.35, 0.25, 0.20, 0.10, 0.10)
    assert match.score == pytest.approx(sum(a * b for a, b in zip(parts, weights, strict=True)), abs=0.02)
    assert world["fits"].area_id == world["street_a"].id


def test_nothing_that_fits_is_said(engine: Engine, session: Session, world: dict):
    do(engine, world["demand"], "publish")
    with pytest.raises(UserError, match="没有匹配分"):
        do(engine, world["demand"], "suggest")


def test_suggesting_again_changes_scores_and_adds_no_second_row(engine: Engine, session: Session, world: dict):
    publish_all(engine, world)
    before = only_match(session).score
    world["fits"].capacity = 10
    session.commit()
    do(engine, world["demand"], "suggest")
    assert only_match(session).score < before


def accepted(engine: Engine, session: Session, world: dict) -> Match:
    publish_all(engine, world)
    match = only_match(session)
    do(engine, match, "accept_as_demander", staff(world["branch_a1"]))
    assert match.state == "suggested"
    do(engine, match, "accept_as_provider", staff(world["branch_a2"]))
    return match


def test_both_parties_accept_and_each_for_itself(engine: Engine, session: Session, world: dict):
    publish_all(engine, world)
    match = only_match(session)
    with pytest.raises(OutOfScope):
        do(engine, match, "accept_as_provider", staff(world["branch_a1"]))
    with pytest.raises(OutOfScope):
        do(engine, match, "accept_as_demander", staff(world["branch_a2"]))
    do(engine, match, "accept_as_provider", staff(world["branch_a2"]))
    with pytest.raises(NotOffered):
        do(engine, match, "accept_as_provider", staff(world["branch_a2"]))
    do(engine, match, "accept_as_demander", staff(world["branch_a1"]))
    assert (match.state, match.agreed_on, world["demand"].status) == ("agreed", today(), "matched")


def test_refused_is_not_suggested_again(engine: Engine, session: Session, world: dict):
    publish_all(engine, world)
    match = only_match(session)
    do(engine, match, "refuse_as_provider", staff(world["branch_a2"]), reason="当日已有安排")
    assert (match.state, match.reason) == ("refused", "当日已有安排")
    with pytest.raises(UserError):
        do(engine, world["demand"], "suggest")
    assert only_match(session).state == "refused"


def test_withdrawing_ends_suggestions_and_nothing_else(engine: Engine, session: Session, world: dict):
    match = accepted(engine, session, world)
    do(engine, world["fits"], "withdraw")
    assert match.state == "agreed"
    with pytest.raises(NotOffered):
        do(engine, world["demand"], "withdraw")


def test_nobody_accepts_for_a_demand_that_was_withdrawn(engine: Engine, session: Session, world: dict):
    publish_all(engine, world)
    do(engine, world["demand"], "withdraw")
    assert only_match(session).state == "refused"


def test_from_match_to_project_to_done_and_highlight(engine: Engine, session: Session, world: dict):
    match = accepted(engine, session, world)
    do(engine, match, "start_project", staff(world["branch_a1"]), title="健康讲座", due_on=SOON)
    project = session.scalars(select(Project)).one()
    assert (project.organization_id, project.partner_id) == (world["branch_a1"].id, world["branch_a2"].id)
    assert match.state == "project"
    with pytest.raises(NotOffered):
        do(engine, match, "start_project", title="再来一次", due_on=SOON)
    done = {"evaluation": "居民满意", "satisfaction": 5}
    with pytest.raises(InvalidRow):
        do(engine, project, "complete", ended_on=SOON, **done)
    with pytest.raises(InvalidRow):
        do(engine, project, "complete", ended_on=today(), evaluation="好", satisfaction=6)
    assert project.status == "ongoing"
    with pytest.raises(OutOfScope):
        do(engine, project, "complete", staff(world["branch_a2"]), ended_on=today(), **done)
    do(engine, project, "complete", staff(world["branch_a1"]), ended_on=today(), **done)
    assert (project.status, world["demand"].status) == ("done", "met")
    do(engine, project, "highlight", highlight_tier="street")
    assert project.is_highlight


def test_a_project_that_stops_opens_its_demand_again(engine: Engine, session: Session, world: dict):
    match = accepted(engine, session, world)
    do(engine, match, "start_project", title="健康讲座", due_on=SOON)
    do(engine, session.scalars(select(Project)).one(), "stop", reason="场地维修")
    assert session.get_one(Demand, world["demand"].id).status == "open"
