"""The history on a record's page, back to a version, and the trash."""

from __future__ import annotations

import re
from datetime import date

from sqlalchemy import select

from app.access.actor import system_actor
from app.database.session import unit_of_work
from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.history.trash_model import Trashed
from tests import factories
from tests.access.world import World
from tests.console.site import Site

ACTOR = system_actor("tests")
MOBILE = "13812348048"


def new_member(site: Site, world: World, place: str = "branch_a1") -> int:
    with unit_of_work(site.engine, ACTOR) as session:
        row = factories.member(organization_id=world.organizations[place].id, name="史某", mobile=MOBILE)
        session.add(row)
    with unit_of_work(site.engine, ACTOR) as session:
        row = session.get(Member, row.id)
        row.joined_on, row.member_type = date(2011, 7, 1), "probationary"
        row.organization_id = world.organizations["branch_a2"].id
    return row.id


def test_versions_are_told_in_words_with_personal_values_masked(site: Site, world: World) -> None:
    key = new_member(site, world)
    one = site.visitor("street")
    assert f"/history/member/{key}" in one.get(f"/records/member/show/{key}").text
    page = one.get(f"/history/member/{key}").text
    assert "入党日期 2010-07-01 → 2011-07-01" in page
    assert "人员类别 正式党员 → 预备党员" in page
    moved = [world.organizations[place].name for place in ("branch_a1", "branch_a2")]
    assert f"{moved[0]} → {moved[1]}" in page
    assert MOBILE not in page
    assert "138****8048" in page
    assert "system:tests" in page
    assert site.visitor("other_street").get(f"/history/member/{key}").status_code == 404
    for name in ("it", "auditor"):
        assert site.visitor(name).get(f"/history/member/{key}").status_code == 403
    assert site.stranger().get(f"/history/member/{key}").status_code == 302
    assert site.visitor("street").get("/history/nothing/1").status_code == 404


def test_a_record_goes_back_to_a_version_and_that_is_recorded(site: Site, world: World) -> None:
    key = new_member(site, world)
    one = site.visitor("street")
    page = one.get(f"/history/member/{key}").text
    address = f"/history/member/{key}/revert/1"
    assert address in page
    assert site.visitor("other_street").post(address).status_code == 404
    assert one.post(address).status_code == 302
    with unit_of_work(site.engine, ACTOR, writes=False) as session:
        row = session.get(Member, key)
        assert (row.joined_on, row.organization_id) == (date(2010, 7, 1), world.organizations["branch_a1"].id)
        assert row.mobile == MOBILE
    assert "退回旧版本" in one.get(f"/history/member/{key}").text
    assert one.post(f"/history/member/{key}/revert/99").status_code == 404


def test_what_is_deleted_lies_in_the_trash_of_those_who_may_delete_it(site: Site, world: World) -> None:
    with unit_of_work(site.engine, ACTOR) as session:
        row = factories.organization(parent_id=world.organizations["street_a"].id, name="待删支部")
        session.add(row)
    key = row.id
    district = site.visitor("district")
    district.get(f"/records/organization/show/{key}")
    assert district.post(f"/records/organization/delete/{key}").status_code == 302
    page = district.get("/trash/?entity=organization").text
    assert "待删支部" in page
    assert "待删支部" not in site.visitor("other_street").get("/trash/").text
    assert site.visitor("auditor").get("/trash/").status_code in (302, 403)
    trashed = int(re.findall(r"/trash/(\d+)/restore", page)[0])
    assert site.visitor("other_street").post(f"/trash/{trashed}/restore").status_code == 404
    assert site.visitor("street").post(f"/trash/{trashed}/purge").status_code in (302, 403)
    assert district.post(f"/trash/{trashed}/restore").status_code == 302
    with unit_of_work(site.engine, ACTOR, writes=False) as session:
        back = session.get(Organization, key)
        assert (back.name, back.path) == ("待删支部", f"{world.organizations['street_a'].path}{key}/")
    district.post(f"/records/organization/delete/{key}")
    trashed = int(re.findall(r"/trash/(\d+)/purge", district.get("/trash/?entity=organization").text)[0])
    assert district.post(f"/trash/{trashed}/purge").status_code == 302
    with unit_of_work(site.engine, ACTOR, writes=False) as session:
        assert session.scalars(select(Trashed).where(Trashed.row_id == key)).all() == []
