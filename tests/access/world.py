"""A small world to look for leaks in: a district with two streets of two branches each, a member in each place, and one
row there of every entity that the registry knows. Rows of an entity that ``tests.factories`` has no function for are
made up from its declaration, so that a new entity is covered without a line here.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app.access.actor import NOBODY, Actor
from app.access.scoped import ScopedTable, scoped_tables
from app.database.session import Session
from app.entity.fields import new_code
from app.entity.registry import Entity, EntityType, Field, FieldKind, registry
from app.entity.visibility import Visibility
from tests import factories

PLACES = ("district", "street_a", "branch_a1", "branch_a2", "street_b", "branch_b1", "branch_b2")
ABOVE = {"street": "district", "branch": "street"}
_numbers = itertools.count(1)


@dataclass
class World:
    organizations: dict[str, Any]
    members: dict[str, Any]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By entity and place: the row that belongs to the organization there (and to its member, if it has a person)."""

    def staff(self, place: str) -> Actor:
        found = self.organizations[place]
        return Actor(
            f"staff of {place}",
            user_id=1,
            organization_id=found.id,
            organization_path=found.path,
            tier=str(found.tier),
            is_staff=True,
        )

    def member(self, place: str) -> Actor:
        organization, member = self.organizations[place], self.members[place]
        return Actor(
            f"member of {place}",
            user_id=2,
            organization_id=organization.id,
            organization_path=organization.path,
            tier=str(organization.tier),
            member_id=member.id,
        )

    def actors(self) -> dict[str, Actor]:
        """Everybody who comes and looks."""
        return {
            "nobody": NOBODY,
            "signed in, of no organization": Actor("nowhere", user_id=3, is_staff=True),
            "district": self.staff("district"),
            "street a": self.staff("street_a"),
            "street b": self.staff("street_b"),
            "branch a1": self.staff("branch_a1"),
            "member of a1": self.member("branch_a1"),
        }

    def seen_places(self, actor: str, entity: EntityType) -> set[str]:
        """Where the rows lie that an actor sees, told from the declaration alone and by other means than SQL."""
        options = entity.options
        if actor == "nobody":
            return set()
        if options.visibility is Visibility.PUBLIC:
            return set(PLACES)
        if actor == "signed in, of no organization":
            return set()
        if actor.startswith("member") or options.visibility is Visibility.SELF:
            own = {"branch_a1"} if actor == "member of a1" else set()
            above = {"street_a", "district"} if options.visibility is Visibility.INHERITED and own else set()
            return own | above
        below = {
            "district": set(PLACES),
            "street a": {"street_a", "branch_a1", "branch_a2"},
            "street b": {"street_b", "branch_b1", "branch_b2"},
            "branch a1": {"branch_a1"},
        }[actor]
        above = {"street a": {"district"}, "street b": {"district"}, "branch a1": {"street_a", "district"}}
        return below | (above.get(actor, set()) if options.visibility is Visibility.INHERITED else set())


def build(session: Session) -> World:
    """Fill an empty database. ``session`` acts for the system."""
    organizations = factories.tree()
    session.add_all(organizations.values())
    session.flush()
    for place in PLACES:
        row = organizations[place]
        row.path = f"{row.parent.path if row.parent else '/'}{row.id}/"
        session.flush()
    members = {place: factories.member(organization_id=organizations[place].id) for place in PLACES}
    session.add_all(members.values())
    session.flush()
    world = World(organizations, members)
    for entity in registry:
        world.rows[entity.code] = {place: world_row(session, world, entity, place) for place in PLACES}
    session.commit()
    return world


def world_row(session: Session, world: World, entity: EntityType, place: str) -> Any:
    if entity.code == "organization":
        return world.organizations[place]
    if entity.code == "member":
        return world.members[place]
    row = make_row(world, entity, place)
    session.add(row)
    session.flush()
    return row


def make_row(world: World, entity: EntityType, place: str) -> Entity:
    """A row of an entity that belongs to a place, not added to a session. References are given by their ids."""
    values = tied_values(world, entity, place)
    maker = getattr(factories, entity.code, None)
    if maker is None:
        return entity.model(**made_up(entity) | values)
    number = next(_numbers)
    if entity.code == "development_case":
        values["contact_one_id"] = world.members[place].id
    if entity.code == "holiday":
        values["day"] = date.fromordinal(date(2026, 1, 1).toordinal() + number)
    return maker(**values)


def tied_values(world: World, entity: EntityType, place: str) -> dict[str, int]:
    """The references of a row that ties it to a place: every relation to an organization, member or other entity."""
    table = scoped_tables()[entity.model]
    fields = entity.fields | entity.hidden_fields
    values: dict[str, int] = {}
    one_subject = {"organization_id", "member_id"} <= set(fields) and fields["organization_id"].nullable
    for name, described in fields.items():
        target = described.options.target
        if target is None or (one_subject and name == "organization_id"):
            continue
        # Of several parties one is enough to see a row; the others may be told by its kind to be empty.
        is_owner = name == f"{entity.options.owner}_id" if entity.options.parties else name in table.organizations
        required = not described.nullable or is_owner or name == table.person
        if not required and not one_subject:
            continue
        if target == "organization":
            values[name] = world.organizations[place].id
        elif target == "member":
            values[name] = world.members[place].id
        elif target in world.rows:
            values[name] = world.rows[target][place].id
    return values


def made_up(entity: EntityType) -> dict[str, Any]:
    """A value for every field that must have one."""
    return {
        name: _value(described)
        for name, described in entity.fields.items()
        if not described.nullable and not described.has_default and described.kind is not FieldKind.REFERENCE
    }


def _value(described: Field) -> Any:
    number = next(_numbers)
    match described.kind:
        case FieldKind.CODE:
            return next(iter(described.code_list))
        case FieldKind.INTEGER | FieldKind.DECIMAL:
            return number
        case FieldKind.BOOLEAN:
            return False
        case FieldKind.DATE:
            return date.fromordinal(date(2026, 1, 1).toordinal() + number % 300)
        case FieldKind.MOMENT:
            return datetime(2026, 1, 1, number % 24)
        case FieldKind.PERIOD:
            return "2026-03"
        case _:
            return new_code()[: described.maximum_length]


def scope_of(entity: EntityType) -> ScopedTable:
    return scoped_tables()[entity.model]


SHARED_BY_NO_TWO = {
    ("wish_claim", "wish_id"),
    ("membership_transfer", "member_id"),
    ("enrolment", "volunteer_id"),
    ("task_report", "task_id"),
    ("match", "demand_id"),
    ("performance_funding", "target_id"),
    ("performance_goal", "target_id"),
    ("performance_cost", "target_id"),
    ("performance_safeguard", "target_id"),
}
"""References that two rows at once may not share, though their column is not unique by itself."""


def fresh_row(world: World, entity: EntityType, place: str, session: Session) -> Entity:
    """One more row for a place, beside the one that is there: of another period, or of another meeting. ``session``
    acts for the system."""
    row = factories.organization(parent_id=world.organizations[place].id) if entity.code == "organization" else None
    row = row or make_row(world, entity, place)
    for name, described in entity.fields.items():
        target = described.options.target
        if target and (described.unique or (entity.code, name) in SHARED_BY_NO_TWO):
            other = fresh_row(world, registry[target], place, session)
            session.add(other)
            session.commit()
            setattr(row, name, other.id)
    if "period" in entity.fields:
        row.period = {"appraisal": "2023", "performance_target": "2026"}.get(entity.code, "2024-01")
    if entity.code == "attendance":
        meeting = factories.meeting(organization_id=row.organization_id or world.organizations[place].id)
        session.add(meeting)
        session.commit()
        row.meeting_id = meeting.id
    return row
