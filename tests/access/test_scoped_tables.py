"""Every table that ties its rows to an organization or member is scoped, and described as the flush check needs it."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect
from sqlalchemy.orm import RelationshipDirection

import app.application
from app.access.predicates import Bounds, Purpose, predicate
from app.access.scope import scope_options
from app.access.scoped import scoped_table, scoped_tables
from app.database.base import Base
from app.entity.registry import registry
from app.entity.visibility import Visibility
from tests.access.world import World

assert app.application  # everything that declares tables

TIES = {"organization_id", "member_id", "owner_id", "holder_id"}

NOT_SCOPED = {
    "ab_user": "accounts are seen under a permission of their own, and read before anybody acts",
    "bc_draft": "most drafts are of no organization; their pages ask whose each is and test it for each tier",
    "bc_change": "marks for the worker, written with the change itself and read by jobs alone",
}


def mapped_classes() -> list[type]:
    tables = set(Base.metadata.tables.values())  # without those that other tests declared and took back
    return [mapper.class_ for mapper in Base.registry.mappers if mapper.local_table in tables]


def test_every_table_with_a_tie_is_scoped():
    open_tables = {
        model.__tablename__
        for model in mapped_classes()
        if TIES & set(model.__table__.columns.keys()) and scoped_table(model) is None
    }
    assert open_tables <= set(NOT_SCOPED), "Register them with app.access.scoped.scoped, or say here why not"


def test_every_entity_is_scoped_by_something():
    for entity in registry:
        table = scoped_tables()[entity.model]
        assert (
            table.organizations
            or table.is_tree
            or (table.person and table.visibility is Visibility.SELF)
            or table.visibility is Visibility.PUBLIC
        ), f"nobody but the system would ever see a row of {entity.code}"
        for name in (*table.organizations, *([table.person] if table.person else [])):
            assert hasattr(entity.model, name), (entity.code, name)


def test_columns_that_bound_a_scope_are_indexed():
    for entity in registry:
        for name in scoped_tables()[entity.model].organizations:
            column = entity.model.__table__.columns[name]
            assert column.index or any(name == next(iter(ix.columns)).key for ix in entity.model.__table__.indexes)


def test_lists_of_rows_write_the_other_side_where_the_check_sees_it():
    """The rows of a one-to-many list get their foreign key within the flush, behind the check, unless the relation on
    the other side is set along."""
    for entity in registry:
        for relation in inspect(entity.model).relationships:
            if relation.direction is RelationshipDirection.ONETOMANY:
                assert relation.back_populates or relation.backref or relation.viewonly, (entity.code, relation.key)
            assert relation.direction is not RelationshipDirection.MANYTOMANY, (entity.code, relation.key)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_unknown_actors_have_no_table_at_all(purpose: Purpose):
    for table in scoped_tables().values():
        assert str(predicate(table, Bounds(known=False), purpose)) == "false"


def test_options_are_built_once_for_all_who_share_their_bounds(world: World):
    first, second = world.staff("street_a"), world.staff("street_a")
    assert first is not second
    assert scope_options(first) is scope_options(second)
    assert scope_options(first) is not scope_options(world.staff("street_b"))
