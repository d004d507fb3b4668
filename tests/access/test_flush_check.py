"""What is written lies in the writer's scope; what it refers to as well. Nothing else is ever stored."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import event, func, select

from app.access.actor import system_actor
from app.access.errors import OutOfScope, ReadOnly
from app.access.flush_check import note_referable
from app.database.session import Session
from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.domains.party_life.models import Attendance, Course, Meeting, StudyRecord
from app.entity.labels import UserError
from app.entity.registry import EntityType, registry
from app.entity.visibility import Visibility
from app.evaluation.models import Score
from tests.access.world import PLACES, World, fresh_row, make_row, scope_of
from tests.factories import organization

Open = Callable[..., Session]
BOUND = ["street a", "street b", "branch a1"]
HOME = {"street a": "branch_a1", "street b": "branch_b1", "branch a1": "branch_a1"}
AWAY = {"street a": "branch_b1", "street b": "branch_a1", "branch a1": "branch_a2"}
OWNED = [each for each in registry if each.options.visibility in (Visibility.SUBTREE, Visibility.INHERITED)]


def stored(session_for: Open, entity: EntityType) -> int:
    session = session_for(system_actor("tests"))
    count = session.scalar(select(func.count(entity.model.id)))
    session.close()
    return count


def entities() -> list[EntityType]:
    return [each for each in registry if each.options.visibility is not Visibility.PUBLIC]


def new_row(world: World, entity: EntityType, place: str) -> Any:
    if entity.code == "organization":
        return organization(parent_id=world.organizations[place].id)
    return make_row(world, entity, place)


@pytest.mark.parametrize("actor", BOUND)
def test_rows_of_ones_own_can_be_added_and_others_not(actor: str, world: World, session_for: Open):
    for entity in entities():
        if entity.code == "organization" and actor == "branch a1":
            continue  # nothing lies below a branch here
        before = stored(session_for, entity)
        session = session_for(world.actors()[actor], writes=True)
        session.add(new_row(world, entity, AWAY[actor]))
        with pytest.raises(UserError):
            session.commit()
        session.close()
        assert stored(session_for, entity) == before, entity.code
        if entity.options.read_only:
            continue  # nobody adds these by hand, not even at home

        with session_for(system_actor("tests"), writes=True) as system:
            another = fresh_row(world, entity, HOME[actor], system)
        session = session_for(world.actors()[actor], writes=True)
        session.add(another)
        session.commit()
        session.close()
        assert stored(session_for, entity) == before + 1, entity.code


@pytest.mark.parametrize("place", [place for place in PLACES if place not in ("street_a", "branch_a1", "branch_a2")])
def test_a_row_cannot_be_given_away(place: str, world: World, session_for: Open):
    for entity in entities():
        table = scope_of(entity)
        if table.is_tree or entity.code == "attendance":
            continue
        column = next((name for name in table.organizations if name in entity.fields), None)
        if column is None:
            continue
        session = session_for(world.staff("street_a"), writes=True)
        row = session.get(entity.model, world.rows[entity.code]["branch_a1"].id)
        if getattr(row, column) is None:
            continue
        setattr(row, column, world.organizations[place].id)
        with suppress(UserError):  # or it follows from what the row belongs to, and is as it was
            session.commit()
        session.close()
        session = session_for(system_actor("tests"))
        kept = session.get(entity.model, row.id)
        assert getattr(kept, column) == world.organizations["branch_a1"].id, entity.code
        session.close()


def test_a_reference_out_of_scope_is_refused_like_one_that_does_not_exist(world: World, session_for: Open):
    said = set()
    for target in (world.members["branch_b1"].id, 987654):
        session = session_for(world.staff("street_a"), writes=True)
        session.add(
            Attendance(
                meeting_id=world.rows["meeting"]["branch_a1"].id,
                organization_id=world.organizations["branch_a1"].id,
                member_id=target,
                status="present",
            )
        )
        with pytest.raises(OutOfScope) as refused:
            session.commit()
        assert refused.value.field == "member"
        assert refused.value.status == 422
        said.add(str(refused.value))
        session.close()
    assert len(said) == 1


def test_a_reference_by_a_loaded_row_is_checked_too(world: World, session_for: Open):
    """The relationship, not its column, is what forms set."""
    other = session_for(system_actor("tests"))
    foreign = other.get(Organization, world.organizations["branch_b1"].id)
    other.expunge(foreign)
    session = session_for(world.staff("street_a"), writes=True)
    row = session.get(Meeting, world.rows["meeting"]["branch_a1"].id)
    with session.no_autoflush:
        row.organization = session.merge(foreign, load=False)
        with pytest.raises(OutOfScope):
            session.flush()


def test_references_that_were_not_touched_do_not_stand_in_the_way(world: World, session_for: Open):
    """The district may note a community that lies in another street; the street goes on working with the member."""
    system = session_for(system_actor("tests"), writes=True)
    system.get(Member, world.members["branch_a1"].id).community_id = world.organizations["branch_b1"].id
    system.commit()
    system.close()
    session = session_for(world.staff("street_a"), writes=True)
    member = session.get(Member, world.members["branch_a1"].id)
    member.job = "teacher"
    session.commit()
    member.community_id = world.organizations["branch_b2"].id
    with pytest.raises(OutOfScope):
        session.commit()


def test_what_refers_to_wider_may_be_referred_to_from_below(world: World, session_for: Open):
    course = world.rows["course"]["district"].id
    session = session_for(world.staff("branch_a1"), writes=True)
    session.add(
        StudyRecord(
            organization_id=world.organizations["branch_a1"].id,
            member_id=world.members["branch_a1"].id,
            course_id=course,
            title="x",
            hours=1,
        )
    )
    session.commit()
    foreign = world.rows["course"]["street_b"].id
    session.add(
        StudyRecord(
            organization_id=world.organizations["branch_a1"].id,
            member_id=world.members["branch_a1"].id,
            course_id=foreign,
            title="y",
            hours=1,
        )
    )
    with pytest.raises(OutOfScope):
        session.commit()


def test_what_is_only_seen_cannot_be_changed(world: World, session_for: Open):
    session = session_for(world.staff("street_a"), writes=True)
    inherited = session.get(Course, world.rows["course"]["district"].id)
    inherited.title = "mine"
    with pytest.raises(OutOfScope):
        session.commit()
    session.rollback()
    session.delete(session.get(Course, world.rows["course"]["district"].id))
    with pytest.raises(UserError):
        session.commit()
    session.rollback()
    public = session.get(registry["holiday"].model, world.rows["holiday"]["district"].id)
    public.name = "mine"
    with pytest.raises(OutOfScope):
        session.commit()


def test_an_organization_is_moved_within_ones_own_subtree_only(world: World, session_for: Open):
    ids = {place: row.id for place, row in world.organizations.items()}
    for place, parent in (
        ("branch_a1", "street_b"),  # to a neighbour
        ("branch_a1", "district"),  # upwards, out of one's own sight
        ("branch_a1", None),  # to the root
        ("street_a", "branch_a1"),  # oneself
    ):
        session = session_for(world.staff("street_a"), writes=True)
        row = session.get(Organization, ids[place])
        row.parent_id = ids[parent] if parent else None
        with pytest.raises(UserError):
            session.commit()
        session.close()
    session = session_for(system_actor("tests"))
    for place, row in world.organizations.items():
        assert session.get(Organization, ids[place]).parent_id == row.parent_id


def test_nobody_removes_the_organization_they_stand_on(world: World, session_for: Open):
    session = session_for(world.staff("branch_a1"), writes=True)
    session.delete(session.get(Organization, world.organizations["branch_a1"].id))
    with pytest.raises(UserError):
        session.commit()


def test_a_row_with_an_id_of_its_own_is_not_made(world: World, session_for: Open):
    """FAB's API makes up the related row that it does not find."""
    for actor in (world.staff("street_a"), world.staff("district")):
        session = session_for(actor, writes=True)
        session.add(Meeting(id=4242, organization_id=world.organizations["branch_a1"].id, kind="theme_day", topic="x"))
        with pytest.raises(UserError):
            session.commit()
        session.close()
    assert session_for(system_actor("tests")).get(Meeting, 4242) is None


@pytest.mark.parametrize("actor", ["nobody", "signed in, of no organization"])
def test_who_sees_nothing_writes_nothing(actor: str, world: World, session_for: Open):
    for entity in registry:
        session = session_for(world.actors()[actor], writes=True)
        session.add(new_row(world, entity, "branch_a1"))
        with pytest.raises(UserError):
            session.commit()
        session.close()


def test_members_write_rows_of_their_own_only(world: World, session_for: Open):
    actor = world.member("branch_a1")
    session = session_for(actor, writes=True)
    row = session.get(StudyRecord, world.rows["study_record"]["branch_a1"].id)
    row.hours = 2
    session.commit()
    session.add(
        StudyRecord(organization_id=actor.organization_id, member_id=world.members["branch_a2"].id, title="x", hours=1)
    )
    with pytest.raises(OutOfScope):
        session.commit()
    session.rollback()
    meeting = session.get(Meeting, world.rows["meeting"]["branch_a1"].id)
    meeting.topic = "mine"
    with pytest.raises(OutOfScope):
        session.commit()


def test_figures_of_the_system_are_read_only(world: World, session_for: Open):
    session = session_for(world.staff("district"), writes=True)
    session.add(Score(rule_code="x", subject_id=1, run_id=1, light="red", organization_id=1))
    with pytest.raises(ReadOnly):
        session.flush()


def test_the_system_is_not_checked(world: World, session_for: Open):
    session = session_for(system_actor("tests"), writes=True)
    row = session.get(Member, world.members["branch_a1"].id)
    row.organization_id = world.organizations["branch_b1"].id
    session.commit()


def test_one_flush_costs_a_query_for_each_table_and_not_for_each_row(
    world: World, session_for: Open, world_engine: Any
):
    session = session_for(world.staff("street_a"), writes=True)
    asked: list[str] = []
    rows = [make_row(world, registry["meeting"], "branch_a1") for _ in range(50)]
    event.listen(world_engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    session.add_all(rows)
    session.commit()
    checks = [each for each in asked if each.startswith("SELECT bc_organization.id")]
    assert 1 <= len(checks) <= 3, checks


def test_what_was_found_in_reach_counts_for_one_transaction(world: World, session_for: Open):
    session = session_for(world.staff("street_a"), writes=True)
    member = session.get(Member, world.members["branch_a1"].id)
    foreign = world.organizations["branch_b2"].id
    note_referable(session, "organization", foreign)
    session.rollback()
    member.community_id = foreign
    with pytest.raises(OutOfScope):
        session.commit()
