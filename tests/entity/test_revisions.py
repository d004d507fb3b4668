"""A change that somebody else made in the meantime is never written over."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm.exc import StaleDataError

from app.access.actor import system_actor
from app.database.session import make_session, unit_of_work
from app.domains.organizations.models import Organization
from app.entity.registry import registry
from tests import factories

ACTOR = system_actor("tests")


def test_each_change_counts(any_engine: Engine):
    with unit_of_work(any_engine, ACTOR) as session:
        row = factories.organization()
        session.add(row)
        session.flush()
        assert row.revision == 1
        row.name = "改名后的党支部"
        session.flush()
        row.name = "改名后的党支部"  # nothing new
        session.flush()
        assert row.revision == 2


def test_of_two_who_change_a_row_the_second_is_refused(any_engine: Engine):
    with unit_of_work(any_engine, ACTOR) as session:
        row = factories.organization()
        session.add(row)
    first, second = make_session(any_engine, ACTOR), make_session(any_engine, ACTOR)
    one = first.get(Organization, row.id)
    first.commit()  # what was read stays as it was read, as in a form that has been open for a while
    other = second.get(Organization, row.id)
    second.commit()
    one.name = "先改的"
    first.commit()
    other.name = "后改的"
    with pytest.raises(StaleDataError):
        second.commit()
    second.rollback()
    assert second.get(Organization, row.id).name == "先改的"
    first.close()
    second.close()


def test_every_entity_has_a_revision_that_people_do_not_see():
    for entity in registry:
        assert "revision" in entity.hidden_fields
        assert entity.model.__table__.columns["revision"].server_default is not None
        assert entity.model.__mapper__.version_id_col is entity.model.__table__.columns["revision"]
