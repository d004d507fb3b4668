"""Nobody reads, changes or deletes a row outside of their scope, whichever statement they come with.

Every case runs for every entity of the registry and for every actor of the world; what they should see is told by
``World.seen_places`` from the declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import delete, exists, func, insert, literal, select, text, union_all, update
from sqlalchemy.orm import Mapped, aliased, joinedload, relationship, selectinload, subqueryload

from app.access.actor import NOBODY, Actor, system_actor
from app.access.errors import ActorChanged, UnscopedStatement
from app.access.predicates import Purpose
from app.database.base import Base
from app.database.session import Session
from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.domains.party_life.models import Attendance, Meeting
from app.entity.fields import code, day, reference
from app.entity.labels import Label
from app.entity.registry import Entity, EntityOptions, EntityType, registry
from app.entity.visibility import Visibility
from app.evaluation.models import Run, Score
from tests.access.world import PLACES, World

ACTORS = ["nobody", "signed in, of no organization", "district", "street a", "street b", "branch a1", "member of a1"]
Open = Callable[..., Session]


def seen(world: World, actor: str, entity: EntityType) -> set[int]:
    return {row.id for place, row in world.rows[entity.code].items() if place in world.seen_places(actor, entity)}


def everything(world: World) -> dict[str, set[int]]:
    return {code: {row.id for row in rows.values()} for code, rows in world.rows.items()}


def by_ids(session: Session, model: Any) -> set[int]:
    return set(session.scalars(select(model.id)))


def by_objects(session: Session, model: Any) -> set[int]:
    return {row.id for row in session.scalars(select(model))}


def by_query(session: Session, model: Any) -> set[int]:
    return {row.id for row in session.query(model).all()}


def by_alias(session: Session, model: Any) -> set[int]:
    other = aliased(model)
    return set(session.scalars(select(other.id).order_by(other.id)))


def by_subquery(session: Session, model: Any) -> set[int]:
    inner = select(model.id).subquery()
    return set(session.scalars(select(inner.c.id)))


def by_alias_of_subquery(session: Session, model: Any) -> set[int]:
    inner = aliased(model, select(model).subquery())
    return set(session.scalars(select(inner.id)))


def by_common_table(session: Session, model: Any) -> set[int]:
    found = select(model.id).cte("found")
    return set(session.scalars(select(found.c.id)))


def by_union(session: Session, model: Any) -> set[int]:
    return set(session.scalars(union_all(select(model.id), select(model.id).where(model.id > 0))))


def by_self_join(session: Session, model: Any) -> set[int]:
    other = aliased(model)
    return set(session.scalars(select(other.id).join(model, model.id == other.id)))


def by_outer_join(session: Session, model: Any) -> set[int]:
    anchor = select(literal(1).label("one")).subquery()
    rows = session.execute(select(anchor.c.one, model.id).outerjoin(model, literal(True)))
    return {row_id for _, row_id in rows if row_id is not None}


def by_exists(session: Session, model: Any) -> set[int]:
    other, outer = aliased(model), aliased(model)
    return set(session.scalars(select(outer.id).where(exists().where(other.id == outer.id))))


def by_get(session: Session, model: Any) -> set[int]:
    with session.get_bind().connect() as connection:
        everybodys = connection.execute(select(model.__table__.c.id)).scalars().all()
    return {each for each in everybodys if session.get(model, each) is not None}


READERS = [
    by_ids,
    by_objects,
    by_query,
    by_alias,
    by_subquery,
    by_alias_of_subquery,
    by_common_table,
    by_union,
    by_self_join,
    by_outer_join,
    by_exists,
    by_get,
]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
def test_reads_give_the_rows_in_scope_and_no_others(reader: Any, world: World, session_for: Open):
    for name, actor in world.actors().items():
        session = session_for(actor)
        for entity in registry:
            assert reader(session, entity.model) == seen(world, name, entity), (name, entity.code)


@pytest.mark.parametrize("actor", ACTORS)
def test_counts_tell_of_no_others(actor: str, world: World, session_for: Open):
    session = session_for(world.actors()[actor])
    for entity in registry:
        expected = len(seen(world, actor, entity))
        assert session.scalar(select(func.count()).select_from(entity.model)) == expected
        assert session.scalar(select(func.count(entity.model.id))) == expected
        assert session.query(entity.model).count() == expected
        assert session.scalar(select(func.max(entity.model.id))) == max(seen(world, actor, entity), default=None)


def test_the_world_shows_differences(world: World):
    """The matrix would prove nothing if everybody saw the same."""
    for entity in registry:
        counts = {name: len(seen(world, name, entity)) for name in world.actors()}
        assert counts["nobody"] == 0
        assert counts["district"] > 0
        if entity.options.visibility is Visibility.SUBTREE:
            assert counts["district"] > counts["street a"] > counts["branch a1"] > 0


def test_unrestricted_actors_get_no_predicate(world: World, world_engine: Any):
    statements: list[str] = []
    session = Session(world_engine, info={"actor": system_actor("tests")})
    connection = session.connection()
    connection.engine.dialect  # noqa: B018
    for entity in registry:
        compiled = str(session.scalars(select(entity.model.id)).all() is None or select(entity.model.id))
        statements.append(compiled)
        assert by_ids(session, entity.model) == everything(world)[entity.code]
    assert not any("WHERE" in each for each in statements)
    session.close()


def test_actors_that_alternate_on_one_statement_do_not_share_its_values(world: World, session_for: Open):
    """SQLAlchemy keeps compiled statements; what it keeps must not hold another actor's bounds."""
    member = registry["member"]
    for _ in range(3):
        for name, actor in world.actors().items():
            session = session_for(actor)
            for reader in READERS:
                assert reader(session, Member) == seen(world, name, member), (name, reader.__name__)
            session.close()


# --- relationships ---


@pytest.fixture
def crossing(world: World, session_for: Open) -> int:
    """An attendance of street a's meeting by a member of street b, held by street a: its id."""
    session = session_for(system_actor("tests"), writes=True)
    row = Attendance(
        code="crossing",
        organization_id=world.organizations["branch_a1"].id,
        meeting_id=world.rows["meeting"]["branch_a1"].id,
        member_id=world.members["branch_b1"].id,
        status="present",
    )
    session.add(row)
    session.commit()
    return row.id


@pytest.mark.parametrize("load", [None, joinedload, selectinload, subqueryload])
def test_related_rows_out_of_scope_are_not_loaded(load: Any, crossing: int, world: World, session_for: Open):
    session = session_for(world.staff("street_a"))
    statement = select(Attendance).where(Attendance.id == crossing)
    if load is not None:
        statement = statement.options(load(Attendance.member), load(Attendance.meeting))
    row = session.scalars(statement).one()
    assert row.meeting.id == world.rows["meeting"]["branch_a1"].id
    assert row.member is None
    assert row.member_id == world.members["branch_b1"].id


def test_joins_and_conditions_on_related_rows_do_not_reach_out_of_scope(crossing: int, world: World, session_for: Open):
    session = session_for(world.staff("street_a"))
    own = select(Attendance.id).where(Attendance.id == crossing)
    assert session.scalars(own.join(Attendance.member)).all() == []
    assert session.execute(
        select(Attendance.id, Member.name).where(Attendance.id == crossing).outerjoin(Attendance.member)
    ).all() == [(crossing, None)]
    # A caller who cannot see a member cannot find out the name by asking for it.
    name = world.members["branch_b1"].name
    assert session.scalars(own.where(Attendance.member.has(Member.name == name))).all() == []
    other = aliased(Member)
    assert session.scalars(own.join(other, Attendance.member_id == other.id)).all() == []
    assert session.scalars(own.where(Attendance.member_id.in_(select(Member.id)))).all() == []
    assert (
        session.scalar(
            own.with_only_columns(select(Member.name).where(Member.id == Attendance.member_id).scalar_subquery())
        )
        is None
    )


def test_a_parent_above_is_not_there(world: World, session_for: Open):
    session = session_for(world.staff("street_a"))
    street = session.get(Organization, world.organizations["street_a"].id)
    assert street.parent is None
    assert session.get(Organization, street.parent_id) is None


def test_a_row_that_is_refreshed_stays_readable(world: World, session_for: Open):
    session = session_for(world.staff("street_a"))
    row = session.get(Member, world.members["branch_a1"].id)
    session.expire(row)
    assert row.name == world.members["branch_a1"].name
    session.refresh(row)


# --- the identity map, and whose session it is ---


def test_an_actor_cannot_change_within_a_session(world: World, session_for: Open):
    session = session_for(world.staff("district"))
    assert session.get(Member, world.members["branch_b1"].id) is not None
    session.info["actor"] = world.staff("street_a")
    with pytest.raises(ActorChanged):
        session.get(Organization, world.organizations["street_b"].id)


def test_somebody_may_come_after_nobody(world: World, session_for: Open):
    session = session_for(NOBODY)
    assert by_ids(session, Member) == set()
    session.info["actor"] = world.staff("street_a")
    assert by_ids(session, Member) == seen(world, "street a", registry["member"])


def test_a_session_without_an_actor_sees_nothing(world: World, world_engine: Any):
    with Session(world_engine) as session:
        for entity in registry:
            assert by_ids(session, entity.model) == set()


@pytest.mark.parametrize("path", [None, "", "/", "1", "%", "/1", "//", "/1/x/", "~"])
def test_a_path_that_is_none_shows_nothing(path: str | None, world: World, session_for: Open):
    actor = Actor("broken", user_id=9, organization_id=1, organization_path=path, is_staff=True)
    session = session_for(actor)
    assert by_ids(session, Organization) == set()
    assert by_ids(session, Meeting) == set()


def test_a_path_is_no_prefix_of_another_number(world: World, session_for: Open):
    """``/1/2/`` must not reach ``/1/20/``."""
    session = session_for(system_actor("tests"), writes=True)
    street = world.organizations["street_a"]
    lookalike = Organization(code="LOOKALIKE", name="x", path=f"{street.path[:-1]}0/", parent_id=street.parent_id)
    session.add(lookalike)
    session.commit()
    assert lookalike.id not in by_ids(session_for(world.staff("street_a")), Organization)


# --- 条块 ---


def test_staff_of_a_territory_see_what_lies_there_and_leave_it_to_its_own_line(world: World, session_for: Open):
    system = session_for(system_actor("tests"), writes=True)
    branch = system.get(Organization, world.organizations["branch_b1"].id)
    branch.territory_id = world.organizations["branch_a2"].id
    system.commit()
    member = world.members["branch_b1"].id
    session = session_for(world.staff("street_a"), writes=True)
    assert session.get(Organization, branch.id) is not None
    assert session.get(Member, member) is not None
    assert session.get(Member, world.members["branch_b2"].id) is None
    assert session.execute(update(Member).values(job="x").where(Member.id == member)).rowcount == 0
    assert session.execute(delete(Meeting).where(Meeting.organization_id == branch.id)).rowcount == 0
    session.rollback()
    assert session_for(world.staff("street_b")).get(Member, member) is not None


def test_moving_an_organization_moves_what_is_seen_of_its_whole_subtree(world: World, session_for: Open):
    system = session_for(system_actor("tests"), writes=True)
    a, b = world.organizations["street_a"], world.organizations["street_b"]
    for place in ("street_b", "branch_b1", "branch_b2"):
        row = system.get(Organization, world.organizations[place].id)
        row.path = row.path.replace(b.path, f"{a.path}{b.id}/")
    system.commit()
    street = session_for(world.staff("street_a"))
    for entity in registry:
        if entity.options.visibility is Visibility.SUBTREE:
            below = {"street_a", "branch_a1", "branch_a2", "street_b", "branch_b1", "branch_b2"}
            expected = {row.id for place, row in world.rows[entity.code].items() if place in below}
            assert by_ids(street, entity.model) == expected, entity.code


# --- statements that change rows ---


@pytest.mark.parametrize("actor", ACTORS)
def test_updates_and_deletes_touch_rows_of_ones_own_only(actor: str, world: World, session_for: Open):
    bounds = world.actors()[actor]
    for entity in registry:
        writable = written(world, actor, entity)
        session = session_for(bounds, writes=True)
        changed = session.execute(update(entity.model).values(code=entity.model.code))
        assert changed.rowcount == len(writable), entity.code
        session.rollback()
        other = aliased(entity.model)
        changed = session.execute(
            update(entity.model).values(code=entity.model.code).where(entity.model.id.in_(select(other.id)))
        )
        assert changed.rowcount == len(writable), entity.code
        session.rollback()
        for place, row in world.rows[entity.code].items():
            if place not in writable:
                gone = session.execute(delete(entity.model).where(entity.model.id == row.id))
                assert gone.rowcount == 0, (entity.code, place)
        session.close()


def written(world: World, actor: str, entity: EntityType) -> set[str]:
    if entity.options.visibility is Visibility.PUBLIC:
        return set()
    places = world.seen_places(actor, entity)
    if actor.startswith("member"):
        return places if entity.options.person else set()
    if entity.options.visibility is Visibility.INHERITED:
        own = {"street a": "_a", "street b": "_b", "branch a1": "branch_a1"}.get(actor, "")
        return {place for place in places if own in place}
    return places


# --- what the listener cannot narrow ---


def test_what_passes_the_scope_by_is_refused(world: World, session_for: Open):
    session = session_for(world.staff("street_a"), writes=True)
    member = world.members["branch_b1"].id
    table = Member.__table__
    for statement in (
        text("SELECT id FROM bc_member"),
        select(table.c.id),
        update(table).values(name="x"),
        delete(table),
        select(exists().where(Member.id == member)),
        select(literal(1)).where(exists().where(Member.id == member)),
        select(Member).from_statement(text("SELECT * FROM bc_member")),
        insert(Member).from_select(["code", "name", "organization_id"], select(Member.code, Member.name, literal(1))),
        insert(Member).values(code="x", name="x", organization_id=world.organizations["branch_b1"].id),
    ):
        with pytest.raises(UnscopedStatement):
            session.execute(statement)
    with pytest.raises(UnscopedStatement):
        session.execute(update(Member), [{"id": member, "name": "x", "revision": 1}])
    with pytest.raises(UnscopedStatement):
        session.execute(select(Member), execution_options={"scope_purpose": Purpose.REFER})
    for method, arguments in (
        ("bulk_update_mappings", (Member, [{"id": member, "name": "x", "revision": 1}])),
        ("bulk_insert_mappings", (Member, [{"code": "x", "name": "x", "organization_id": 1}])),
        ("bulk_save_objects", ([Member(code="x", name="x", organization_id=1)],)),
    ):
        with pytest.raises(RuntimeError, match="passes the scope"):
            getattr(session, method)(*arguments)


def test_unrestricted_actors_may_use_them(world: World, session_for: Open):
    session = session_for(system_actor("tests"), writes=True)
    assert session.execute(text("SELECT count(*) FROM bc_member")).scalar_one() == len(world.rows["member"])
    session.execute(update(Member), [{"id": world.members["branch_b1"].id, "name": "x", "revision": 1}])
    session.rollback()


# --- tables of the system ---


def test_scores_and_warnings_are_scoped_like_the_records_behind_them(world: World, session_for: Open):
    system = session_for(system_actor("tests"), writes=True)
    run = Run(
        rule_code="x", rule_kind="index", rule_version="1", as_of=date(2026, 3, 1), extent="full", state="published"
    )
    run.started_at = datetime(2026, 3, 1)
    system.add(run)
    system.flush()
    for number, place in enumerate(PLACES):
        row, member = world.organizations[place], world.members[place]
        for member_id in (None, member.id):
            system.add(
                Score(
                    rule_code="x",
                    subject_id=number * 2 + bool(member_id),
                    run_id=run.id,
                    organization_id=row.id,
                    member_id=member_id,
                    light="red",
                    light_since=date(2026, 3, 1),
                )
            )
    system.commit()
    seen_rows = {
        name: {
            (organization, member)
            for organization, member in session_for(actor).execute(select(Score.organization_id, Score.member_id))
        }
        for name, actor in world.actors().items()
    }
    ids = {place: row.id for place, row in world.organizations.items()}
    both = {place: {(ids[place], None), (ids[place], world.members[place].id)} for place in PLACES}
    street_a = both["street_a"] | both["branch_a1"] | both["branch_a2"]
    assert seen_rows["nobody"] == seen_rows["signed in, of no organization"] == set()
    assert seen_rows["district"] == set().union(*both.values())
    assert seen_rows["street a"] == street_a
    assert seen_rows["branch a1"] == both["branch_a1"]
    assert seen_rows["member of a1"] == {(ids["branch_a1"], world.members["branch_a1"].id)}


# --- entities that come while the program runs ---


@pytest.fixture
def new_entity() -> Iterator[type[Entity]]:
    class Visit(Entity):
        __tablename__ = "bc_visit_at_run_time"
        __entity__ = EntityOptions(
            label=Label("走访", "Visit"), visibility=Visibility.SUBTREE, title="code", group="records", person="member"
        )
        code: Mapped[str] = code("编号", "Code")
        organization_id: Mapped[int] = reference("organization", "党组织", "Organization")
        organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
        member_id: Mapped[int] = reference("member", "党员", "Member")
        member: Mapped[Member] = relationship(foreign_keys=[member_id])
        held_on: Mapped[date] = day("日期", "Day")

    registry.register(Visit)
    yield Visit
    registry.withdraw(Visit.__tablename__.removeprefix("bc_"))
    Base.metadata.remove(Visit.__table__)
    Base.registry._dispose_cls(Visit)


def test_an_entity_registered_at_run_time_is_scoped_at_once(
    new_entity: Any, world: World, world_engine: Any, session_for: Open
):
    before = session_for(world.staff("street_a"))
    assert by_ids(before, Member)  # the actor's options have been built without it
    new_entity.__table__.create(world_engine)
    system = session_for(system_actor("tests"), writes=True)
    for number, place in enumerate(("branch_a1", "branch_b1")):
        system.add(
            new_entity(
                code=f"v{number}",
                organization_id=world.organizations[place].id,
                member_id=world.members[place].id,
                held_on=date(2026, 1, 1),
            )
        )
    system.commit()
    counts = {name: len(by_ids(session_for(actor), new_entity)) for name, actor in world.actors().items()}
    assert counts == {
        "nobody": 0,
        "signed in, of no organization": 0,
        "district": 2,
        "street a": 1,
        "street b": 1,
        "branch a1": 1,
        "member of a1": 1,
    }
