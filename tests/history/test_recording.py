"""What is recorded, for whom it can be read, and that nothing of it is lost."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies
from sqlalchemy import Engine, select, text

from app.access.actor import system_actor
from app.database.session import make_session, unit_of_work
from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.entity.faults import InvalidRow
from app.entity.labels import UserError
from app.entity.registry import registry
from app.history import trash
from app.history.models import Operation
from app.history.people import destroy_keys
from app.history.reading import values_at, versions
from app.history.recording import recorded_fields
from app.history.trash_model import Trashed
from app.history.verifying import verify
from tests import factories

ACTOR = system_actor("tests")
ORGANIZATION, MEMBER = registry["organization"], registry["member"]
IDENTITY, MOBILE = "11010519491231002X", "13812348048"


def present(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in recorded_fields(registry.of(type(row)))}


CHANGES = strategies.lists(
    strategies.fixed_dictionaries(
        {},
        optional={
            "name": strategies.sampled_from(["甲支部", "乙支部", "丙“支部”\\"]),
            "short_name": strategies.sampled_from([None, "甲", "乙"]),
            "founded_on": strategies.dates(date(1950, 1, 1), date(2020, 1, 1)),
            "unit_type": strategies.sampled_from(["community", "agency", None]),
            "term_no": strategies.one_of(strategies.none(), strategies.integers(1, 30)),
        },
    ),
    max_size=6,
)


@given(CHANGES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_replaying_the_history_gives_the_present_row(engine: Engine, changes: list[dict[str, Any]]):
    with make_session(engine, ACTOR) as session:
        row = factories.organization()
        session.add(row)
        session.commit()
        seen = {row.revision: present(row)}
        for change in changes:
            for name, value in change.items():
                setattr(row, name, value)
            session.commit()
            seen[row.revision] = present(row)
        session.expire_all()
        now, kept = present(row), versions(session, ORGANIZATION, row.id)
        replayed: dict[str, Any] = dict.fromkeys(now)
        for version in reversed(kept):
            for name, (before, after) in version.differences.items():
                assert replayed[name] == before
                replayed[name] = after
        assert replayed == now
        for revision, values in seen.items():
            assert values_at(now, kept, revision) == values


def test_who_when_and_from_where_is_recorded(engine: Engine):
    with unit_of_work(engine, ACTOR) as session:
        row = factories.organization()
        session.add(row)
    with unit_of_work(engine, ACTOR) as session:
        session.get(Organization, row.id).name = "新名"
    with unit_of_work(engine, ACTOR, writes=False) as session:
        last, first = versions(session, ORGANIZATION, row.id)
    assert (first.operation, last.operation) == (Operation.ADDED, Operation.CHANGED)
    assert (last.actor_name, last.door, last.revision) == ("system:tests", "program", 2)
    assert last.differences == {"name": ("测试党支部", "新名")}


def test_personal_values_are_under_the_persons_key(engine: Engine):
    with unit_of_work(engine, ACTOR) as session:
        row = factories.member(name="张某某", id_no=IDENTITY, mobile=MOBILE)
        session.add(row)
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT changes, personal FROM bc_history")).all()
    for plain in (IDENTITY, MOBILE, "张某某"):
        assert not any(plain in str(each) for each in stored)
    with unit_of_work(engine, ACTOR) as session:
        version = versions(session, MEMBER, row.id)[0]
        assert version.differences["mobile"] == (None, MOBILE)
        assert version.differences["name"] == (None, "张某某")
        assert destroy_keys(session.connection(), [("member", row.id)]) == 1
    with unit_of_work(engine, ACTOR) as session:
        version = versions(session, MEMBER, row.id)[0]
        assert {"mobile", "name", "id_no"} <= version.erased
        assert "mobile" not in version.differences
        found = verify(session.connection())
        assert found.faults == []


def test_what_is_deleted_can_be_brought_back_with_its_id(any_engine: Engine):
    with unit_of_work(any_engine, ACTOR) as session:
        row = factories.member(id_no=IDENTITY, mobile=MOBILE)
        session.add(row)
    before, row_id = present(row), row.id
    with unit_of_work(any_engine, ACTOR) as session:
        session.delete(session.get(Member, row_id))
    with unit_of_work(any_engine, ACTOR) as session:
        assert session.get(Member, row_id) is None
        kept = session.scalars(select(Trashed)).one()
        assert IDENTITY not in kept.kept
        back = trash.restore(session, kept)
        assert (back.id, back.revision) == (row_id, 2)
    with unit_of_work(any_engine, ACTOR) as session:
        back = session.get(Member, row_id)
        assert present(back) == before
        assert back.id_no_hash
        assert session.scalars(select(Trashed)).all() == []
        back.job = "教师"
    with unit_of_work(any_engine, ACTOR) as session:
        kinds = [version.operation for version in versions(session, MEMBER, row_id)]
        assert kinds == ["changed", "restored", "deleted", "added"]
        assert verify(session.connection()).batches >= 3


def test_a_number_taken_meanwhile_stands_in_the_way_in_words(engine: Engine):
    with unit_of_work(engine, ACTOR) as session:
        row = factories.member(id_no=IDENTITY)
        session.add(row)
    with unit_of_work(engine, ACTOR) as session:
        session.delete(session.get(Member, row.id))
    with unit_of_work(engine, ACTOR) as session:
        session.add(factories.holiday())
        session.add(factories.member(id_no=IDENTITY, organization_id=row.organization_id))
    with pytest.raises(UserError) as refused, unit_of_work(engine, ACTOR) as session:
        trash.restore(session, session.scalars(select(Trashed)).one())
    assert isinstance(refused.value, InvalidRow) or "占用" in refused.value.label.zh


def test_an_owner_that_is_gone_stands_in_the_way_in_words(engine: Engine):
    with unit_of_work(engine, ACTOR) as session:
        row = factories.organization(parent=factories.organization(tier="street"))
        session.add(row)
    with unit_of_work(engine, ACTOR) as session:
        session.delete(session.get(Organization, row.id))
    with unit_of_work(engine, ACTOR) as session:
        session.delete(session.get(Organization, row.parent_id))
    with unit_of_work(engine, ACTOR) as session:
        kept = session.scalars(select(Trashed).where(Trashed.row_id == row.id)).one()
        with pytest.raises(UserError, match="已不存在"):
            trash.restore(session, kept)


def test_purging_destroys_the_key_and_the_chain_stays_whole(engine: Engine):
    with unit_of_work(engine, ACTOR) as session:
        row = factories.member(mobile=MOBILE)
        session.add(row)
    with unit_of_work(engine, ACTOR) as session:
        session.delete(session.get(Member, row.id))
    with unit_of_work(engine, ACTOR) as session:
        trash.purge(session, session.scalars(select(Trashed)).one())
    with unit_of_work(engine, ACTOR) as session:
        kept = versions(session, MEMBER, row.id)
        assert kept[0].operation is Operation.PURGED
        assert "mobile" in kept[-1].erased
        assert verify(session.connection()).faults == []
