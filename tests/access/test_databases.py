"""The scope means the same on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import aliased, joinedload

from app import create_app
from app.access.actor import system_actor
from app.database.session import make_session, unit_of_work
from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.entity.registry import registry
from config import Settings
from tests.access.test_row_scope import by_alias, by_ids, by_outer_join, by_self_join, seen, written
from tests.access.web import Browser, add_accounts
from tests.access.world import PLACES, build


def test_reads_and_writes_reach_the_same_rows_everywhere(any_engine: Engine):
    with unit_of_work(any_engine, system_actor("tests")) as session:
        world = build(session)
    for name, actor in world.actors().items():
        with make_session(any_engine, actor) as session:
            for entity in registry:
                expected = seen(world, name, entity)
                for reader in (by_ids, by_alias, by_self_join, by_outer_join):
                    assert reader(session, entity.model) == expected, (name, entity.code, reader.__name__)
                changed = session.execute(update(entity.model).values(code=entity.model.code))
                if any_engine.dialect.name != "mysql":  # which counts rows that really changed
                    assert changed.rowcount == len(written(world, name, entity)), (name, entity.code)
            foreign = world.rows["study_record"]["branch_b1"].id
            gone = session.execute(
                delete(registry["study_record"].model).where(registry["study_record"].model.id == foreign)
            )
            assert gone.rowcount == (1 if "branch_b1" in written(world, name, registry["study_record"]) else 0)
            session.rollback()


def test_people_sign_in_and_work_everywhere(any_database: Settings, any_engine: Engine):
    with unit_of_work(any_engine, system_actor("tests")) as session:
        world = build(session)
    add_accounts(any_engine, world)
    application = create_app(any_database)
    try:
        browser = Browser.of(application, "street_a")
        listed = browser.get("/api/v1/member/").json
        assert {row["id"] for row in listed["result"]} == {
            world.members[place].id for place in ("street_a", "branch_a1", "branch_a2")
        }
        body = {"organization_id": world.organizations["branch_a1"].id, "kind": "theme_day", "topic": "x"}
        assert browser.send("POST", "/api/v1/meeting/", body | {"status": "planned"}).status_code == 201
        body["organization_id"] = world.organizations["branch_b1"].id
        assert browser.send("POST", "/api/v1/meeting/", body | {"status": "planned"}).status_code in (403, 422)
        assert browser.get("/records/member/list/").status_code == 200
        for shown in ("meeting/list/?display=calendar&month=2026-03", "meeting/list/?display=board",
                      "activity/list/?display=calendar&month=2026-03"):  # fmt: skip
            page = browser.get(f"/records/{shown}")
            places = [place for place in PLACES if f'/show/{world.rows[shown.split("/")[0]][place].id}"' in page.text]
            assert len(places) == 3, (shown, places)  # as many as a day names
            assert not {"street_b", "branch_b1", "branch_b2"} & set(places), (shown, places)
        stranger = Browser.of(application)
        for _ in range(5):
            stranger.sign_in("street_a", "Wrong#Password1")
        assert "已锁定" in stranger.get("/login/").text
    finally:
        application.extensions["engine"].dispose()


def test_paths_are_compared_byte_by_byte(any_engine: Engine):
    """Another collation would sort ``/`` and ``~`` elsewhere, and let a range of paths miss rows or hold others."""
    with unit_of_work(any_engine, system_actor("tests")) as session:
        world = build(session)
    with make_session(any_engine, world.staff("street_b"), writes=False) as session:
        found = session.scalars(select(Member).options(joinedload(Member.organization)).order_by(Member.id)).all()
        assert [row.id for row in found] == [
            world.members[place].id for place in ("street_b", "branch_b1", "branch_b2")
        ]
        parent = aliased(Organization)
        pairs = session.execute(
            select(Organization.id, parent.id).outerjoin(parent, Organization.parent_id == parent.id)
        ).all()
        assert {each for _, each in pairs} == {None, world.organizations["street_b"].id}
