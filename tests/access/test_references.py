"""The two narrow doors past the row scope give names, and nothing but names."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.access.actor import NOBODY
from app.access.errors import UnscopedStatement
from app.access.references import (
    RowName,
    organization_names,
    path_ids,
    referable,
    row_names,
    run_referable,
)
from app.database.session import Session
from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from tests.access.world import World

Open = Callable[..., Session]


def test_superiors_are_named_to_those_below(world: World, session_for: Open):
    session = session_for(world.staff("branch_a1"))
    branch = session.get(Organization, world.organizations["branch_a1"].id)
    ids = path_ids(branch.path)
    assert ids == [world.organizations[place].id for place in ("district", "street_a", "branch_a1")]
    names = organization_names(session, [*ids, None, 987654])
    assert [names[each].name for each in ids] == ["测试区", "A街道", "A1支部"]
    assert set(names) == set(ids)
    assert set(RowName.__slots__) == {"id", "code", "name"}
    assert session.get(Organization, ids[0]) is None, "its row stays out of sight"


def test_nobody_is_told_a_name(world: World, session_for: Open):
    assert organization_names(session_for(NOBODY), [world.organizations["district"].id]) == {}


def test_rows_that_only_their_readers_see_are_named_to_them_alone(world: World, session_for: Open):
    wanted = [world.members[place].id for place in ("branch_a1", "branch_b1")]
    assert set(row_names(session_for(world.staff("street_a")), "member", wanted)) == {wanted[0]}


@pytest.mark.parametrize(
    ("actor", "places"),
    [
        ("street_a", {"district", "street_a", "branch_a1", "branch_a2"}),
        ("branch_a1", {"district", "street_a", "branch_a1"}),
    ],
)
def test_a_form_offers_ones_own_organizations_and_those_above(
    actor: str, places: set[str], world: World, session_for: Open
):
    found = run_referable(session_for(world.staff(actor)), referable("organization"))
    assert {each.id for each in found} == {world.organizations[place].id for place in places}


def test_a_form_offers_members_of_ones_own_alone(world: World, session_for: Open):
    found = run_referable(session_for(world.staff("street_a")), referable("member").order_by(Member.id))
    assert [each.id for each in found] == [world.members[place].id for place in ("street_a", "branch_a1", "branch_a2")]


def test_no_more_than_names_can_be_read_that_way(world: World, session_for: Open):
    session = session_for(world.staff("street_a"))
    for statement in (select(Organization), select(Organization.id, Organization.phone), select(Member.mobile)):
        with pytest.raises(UnscopedStatement):
            run_referable(session, statement)
