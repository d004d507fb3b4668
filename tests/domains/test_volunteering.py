"""Enrolling, signing in and out, hours and stars."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from app.access.actor import system_actor
from app.access.errors import OutOfScope
from app.access.operations import NoSuchRow, NotOffered
from app.database.clock import now, today
from app.database.session import Session, unit_of_work
from app.domains.volunteering.checks import distance_m
from app.domains.volunteering.code_lists import ServiceRole, SignInMode, StarLevel
from app.domains.volunteering.models import Activity, CheckIn, Enrolment, Volunteer
from app.domains.volunteering.star_levels import hours_of, points_of, star_of
from app.domains.wishes.models import PointEntry
from app.entity.faults import InvalidRow
from app.entity.operations import Impossible
from tests import factories
from tests.domains.acting import district, do, member_actor, now_is, staff, stored

PLACE = {"lng": 121.38, "lat": 31.11}


def upcoming(**values: Any) -> Activity:
    """Begins in an hour and lasts for two."""
    begin = now().replace(microsecond=0) + timedelta(hours=1)
    return factories.activity(**{"starts_at": begin, "ends_at": begin + timedelta(hours=2), **PLACE, **values})


@pytest.fixture
def one(engine: Engine) -> dict[str, Any]:
    made = district(engine)
    made["member"] = factories.member(organization_id=made["branch_a1"].id, name="张三")
    stored(engine, made["member"])
    made["volunteer"] = factories.volunteer(member_id=made["member"].id, organization_id=made["branch_a1"].id)
    made["activity"] = upcoming(organization_id=made["street_a"].id, points=10)
    stored(engine, made["volunteer"], made["activity"])
    made["self"] = member_actor(made["member"], made["branch_a1"])
    return made


def the(engine: Engine, model: type, **values: Any) -> Any:
    with unit_of_work(engine, system_actor("tests"), writes=False) as session:
        found = session.scalars(select(model).filter_by(**values).order_by(model.id.desc())).first()
        session.expunge_all()
        return found


def begun(engine: Engine, activity: Activity, minutes_ago: int = 60) -> None:
    """Move an activity into the past, so that one may sign in and it can be closed."""
    with unit_of_work(engine, system_actor("tests")) as session:
        row = session.get_one(Activity, activity.id)
        length = row.ends_at - row.starts_at
        row.starts_at = now().replace(microsecond=0) - timedelta(minutes=minutes_ago)
        row.ends_at = row.starts_at + length


def test_twelve_enrol_at_once_for_five_places(any_engine: Engine):
    tree = district(any_engine)
    members = [factories.member(organization_id=tree["branch_a1"].id, name=f"党员{n}") for n in range(12)]
    stored(any_engine, *members)
    stored(any_engine, *[factories.volunteer(member_id=m.id, organization_id=m.organization_id) for m in members])
    activity = upcoming(organization_id=tree["street_a"].id, capacity=5)
    stored(any_engine, activity)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda m: do(any_engine, member_actor(m, tree["branch_a1"]), activity, "enrol"), members))
    with unit_of_work(any_engine, system_actor("tests"), writes=False) as session:
        states = list(session.scalars(select(Enrolment.status)))
    assert (states.count("enrolled"), states.count("waiting")) == (5, 7)


def test_one_who_withdraws_gives_their_place_to_the_first_in_waiting(one: dict[str, Any], engine: Engine):
    others = [factories.volunteer(organization_id=one["branch_a1"].id, name=name) for name in ("甲", "乙")]
    activity = upcoming(organization_id=one["street_a"].id, capacity=1)
    stored(engine, activity, *others)
    do(engine, one["self"], activity, "enrol")
    for other in others:
        do(engine, staff(one["branch_a1"]), activity, "enrol", volunteer_id=other.id)
    own = the(engine, Enrolment, volunteer_id=one["volunteer"].id)
    do(engine, one["self"], own, "give_up")
    states = [the(engine, Enrolment, volunteer_id=v.id).status for v in (one["volunteer"], *others)]
    assert states == ["cancelled", "enrolled", "waiting"]
    do(engine, one["self"], activity, "enrol")  # at the end of the queue now, on the same row
    assert the(engine, Enrolment, volunteer_id=one["volunteer"].id).status == "waiting"
    with pytest.raises(Impossible, match="已经报名"):
        do(engine, one["self"], activity, "enrol")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"enrol_by": now() - timedelta(minutes=1)}, "截止"),
        ({"minimum_age": 18}, "出生日期"),
        ({"starts_at": now() - timedelta(minutes=1), "ends_at": now() + timedelta(hours=1)}, "截止"),
    ],
)
def test_who_may_not_enrol(values: dict[str, Any], words: str, one: dict[str, Any], engine: Engine):
    activity = upcoming(organization_id=one["street_a"].id, **values)
    stored(engine, activity)
    with pytest.raises(Impossible, match=words):
        do(engine, one["self"], activity, "enrol")


def test_a_member_enrols_themselves_alone(one: dict[str, Any], engine: Engine):
    other = factories.volunteer(organization_id=one["branch_a1"].id)
    stored(engine, other)
    with pytest.raises((Impossible, OutOfScope)):
        do(engine, one["self"], one["activity"], "enrol", volunteer_id=other.id)


def enrolled(one: dict[str, Any], engine: Engine, minutes_ago: int = 60) -> Enrolment:
    do(engine, one["self"], one["activity"], "enrol")
    begun(engine, one["activity"], minutes_ago)
    return the(engine, Enrolment, volunteer_id=one["volunteer"].id)


def test_from_signing_in_to_hours_star_and_points(one: dict[str, Any], engine: Engine):
    enrolment = enrolled(one, engine)
    do(engine, one["self"], enrolment, "sign_in", mode=SignInMode.LOCATION, lng=121.381, lat=31.11, device="phone")
    entry = the(engine, CheckIn)
    # 0.001 degrees of longitude at 31.11° N are 111,195 m × cos 31.11° / 1000 = 95 m.
    assert (entry.result, entry.distance_m, entry.lng, entry.lat) == ("valid", 95, 121.38, 31.11)
    assert the(engine, Enrolment).status == "attended"
    with unit_of_work(engine, system_actor("tests")) as session:
        row = session.get_one(CheckIn, entry.id)
        row.signed_in_at = row.signed_in_at - timedelta(minutes=50)
    do(engine, one["self"], entry, "sign_out")
    entry = now_is(engine, entry)
    assert (entry.status, entry.minutes, entry.hours) == ("signed_out", 50, 0.0)
    with pytest.raises(NoSuchRow):
        do(engine, staff(one["branch_a2"]), entry, "confirm_hours")
    do(engine, staff(one["branch_a1"]), entry, "confirm_hours")
    entry, volunteer = now_is(engine, entry), now_is(engine, one["volunteer"])
    assert (entry.status, entry.hours, entry.points, volunteer.hours_total) == ("confirmed", 0.83, 10, 0.83)
    line = the(engine, PointEntry)
    assert (line.delta, line.member_id, line.idempotency_key) == (10, one["member"].id, f"check_in:{entry.id}")
    with pytest.raises(NotOffered):
        do(engine, staff(one["branch_a1"]), entry, "confirm_hours")


def test_out_of_range_and_one_phone_for_two_are_written_down(one: dict[str, Any], engine: Engine):
    other = factories.volunteer(organization_id=one["branch_a1"].id)
    stored(engine, other)
    do(engine, staff(one["branch_a1"]), one["activity"], "enrol", volunteer_id=other.id)
    first = enrolled(one, engine)
    do(engine, one["self"], first, "sign_in", mode=SignInMode.LOCATION, lng=121.38, lat=31.12, device="one phone")
    assert the(engine, CheckIn).result == "out_of_range"  # 1,112 m away, 500 m allowed
    second = the(engine, Enrolment, volunteer_id=other.id)
    do(engine, staff(one["branch_a1"]), second, "sign_in", mode=SignInMode.CODE, device="one phone")
    assert the(engine, CheckIn).result == "by_proxy"


def test_the_window_of_signing_in(one: dict[str, Any], engine: Engine):
    enrolment = enrolled(one, engine, minutes_ago=-121)
    with pytest.raises(Impossible, match="签到时间"):
        do(engine, one["self"], enrolment, "sign_in", mode=SignInMode.CODE)
    begun(engine, one["activity"], minutes_ago=-119)
    with pytest.raises(Impossible, match="位置"):
        do(engine, one["self"], enrolment, "sign_in", mode=SignInMode.LOCATION)
    with pytest.raises(Impossible, match="本人签到"):
        do(engine, one["self"], enrolment, "sign_in", mode=SignInMode.MANUAL)
    do(engine, one["self"], enrolment, "sign_in", mode=SignInMode.CODE)


def test_who_was_enrolled_and_did_not_come_is_a_no_show(one: dict[str, Any], engine: Engine):
    enrolment = enrolled(one, engine)
    with pytest.raises(NotOffered):
        do(engine, staff(one["street_a"]), one["activity"], "close_activity")
    begun(engine, one["activity"], minutes_ago=130)
    do(engine, staff(one["street_a"]), one["activity"], "close_activity")
    assert now_is(engine, enrolment).status == "no_show"
    assert now_is(engine, one["activity"]).status == "closed"


def test_a_cancelled_activity_lets_everybody_go(one: dict[str, Any], engine: Engine):
    do(engine, one["self"], one["activity"], "enrol")
    do(engine, staff(one["street_a"]), one["activity"], "cancel_activity", reason="天气原因")
    assert (now_is(engine, one["activity"]).status, the(engine, Enrolment).status) == ("cancelled", "cancelled")


def a_check_in(session: Session, **values: Any) -> CheckIn:
    """Of somebody who is enrolled already."""
    enrolment = factories.enrolment()
    session.add(enrolment)
    session.flush()
    entry = factories.check_in(enrolment_id=enrolment.id, **values)
    session.add(entry)
    return entry


def test_travel_and_lingering_are_no_service(session: Session):
    entry = a_check_in(
        session,
        signed_in_at=datetime(2026, 3, 7, 8, 20),
        signed_out_at=datetime(2026, 3, 7, 12, 30),
        status="confirmed",
    )
    session.flush()
    assert (entry.minutes, entry.hours) == (120, 2.0)  # 9 to 11, as the activity was


def test_hours_count_once_they_are_confirmed(session: Session):
    entry = a_check_in(session)
    session.flush()
    assert (entry.status, entry.minutes, entry.hours) == ("signed_out", 120, 0.0)


@pytest.mark.parametrize(
    ("make", "values", "field"),
    [
        (a_check_in, {"signed_in_at": datetime(2026, 3, 7, 6, 59)}, "signed_in_at"),
        (a_check_in, {"signed_out_at": datetime(2026, 3, 7, 13, 1)}, "signed_out_at"),
        (a_check_in, {"signed_out_at": datetime(2026, 3, 7, 8, 59)}, "signed_out_at"),
        (factories.activity, {"ends_at": datetime(2026, 3, 7, 9)}, "ends_at"),
        (factories.activity, {"capacity": 0}, "capacity"),
        (factories.activity, {"lng": 121.0}, "lat"),
        (factories.activity, {"lng": 190.0, "lat": 31.0}, "lng"),
        (factories.volunteer, {"birth_date": date(2010, 1, 1)}, "guardian_consent"),
        (factories.volunteer, {"status": "left"}, "left_on"),
        (factories.volunteer, {"mobile": "12345"}, "mobile"),
    ],
)
def test_what_cannot_be(make: Any, values: dict[str, Any], field: str, session: Session):
    if make is a_check_in:
        a_check_in(session, **values)
    else:
        session.add(make(**values))
    with pytest.raises(InvalidRow) as refused:
        session.flush()
    assert field in refused.value.by_field()


@pytest.mark.parametrize(
    ("hours", "star"),
    [(0, "none"), (99.99, "none"), (100, "one"), (300, "two"), (600, "three"), (1000, "four"), (1500, "five")],
)
def test_stars_by_hours(hours: float, star: str):
    assert star_of(hours, today()) == StarLevel(star)


def test_stars_follow_from_the_hours_before(session: Session):
    row: Volunteer = factories.volunteer(hours_before=320.0)
    session.add(row)
    session.flush()
    assert (row.hours_total, row.star) == (320.0, "two")


def test_points_and_hours_are_rounded_half_up():
    assert points_of(10, ServiceRole.LEADER, today()) == 14
    assert points_of(10, ServiceRole.TEAM, today()) == 12
    assert points_of(5, ServiceRole.LEADER, today()) == 7
    assert hours_of(50) == 0.83
    assert hours_of(125) == 2.08


def test_distances():
    # One degree of latitude: 6,371,000 m × π / 180.
    assert distance_m(121.0, 31.0, 121.0, 32.0) == 111195
    assert distance_m(121.0, 31.0, 121.0, 31.0) == 0
