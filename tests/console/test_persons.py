"""A person's data at the member's page: handed out and erased, by whom and with what said."""

from __future__ import annotations

import io

import orjson
from openpyxl import load_workbook
from sqlalchemy import func, select

from app.access.actor import system_actor
from app.access.audit import AuditAction, AuditEvent
from app.database.session import unit_of_work
from app.domains.members.models import Member
from app.domains.party_life.models import FeePayment
from app.history.verifying import verify
from tests import factories
from tests.access.world import World
from tests.console.site import Site

ACTOR = system_actor("tests")
MOBILE, REASON = "13912340987", {"purpose": "本人书面申请"}


def new_member(site: Site, world: World, name: str) -> int:
    """A member of branch a1 whose fees were paid in branch a2."""
    with unit_of_work(site.engine, ACTOR) as session:
        row = factories.member(organization_id=world.organizations["branch_a1"].id, name=name, mobile=MOBILE)
        session.add(row)
        session.flush()
        session.add(factories.fee_payment(member_id=row.id))
    return row.id


def test_only_who_may_hands_out_and_erases_and_in_their_scope(site: Site, world: World) -> None:
    key = new_member(site, world, "权某")
    assert f"/persons/{key}" in site.visitor("district").get(f"/records/member/show/{key}").text
    assert f"/persons/{key}" not in site.visitor("street").get(f"/records/member/show/{key}").text
    for name in ("street", "other_street", "secretary", "member", "it", "auditor"):
        one = site.visitor(name)
        assert one.get(f"/persons/{key}").status_code == 403, name
        for what in ("export", "erase"):
            assert one.post(f"/persons/{key}/{what}", {**REASON, "code": "x"}).status_code == 403, (name, what)
    assert site.stranger().post(f"/persons/{key}/erase", REASON).status_code in (302, 400)
    site.add_account("elsewhere", "district_administrator", world.organizations["street_b"].id)
    for what in ("export", "erase"):
        assert site.visitor("elsewhere").post(f"/persons/{key}/{what}", REASON).status_code == 404, what
    assert site.visitor("elsewhere").get(f"/persons/{key}").status_code == 404
    with unit_of_work(site.engine, ACTOR, writes=False) as session:
        assert session.get(Member, key).mobile == MOBILE
        handed = (AuditAction.PERSON_EXPORTED, AuditAction.PERSON_ERASED)
        assert session.scalars(select(AuditEvent).where(AuditEvent.action.in_(handed))).all() == []


def test_it_is_handed_out_as_a_workbook_or_json_with_the_reason_in_the_trail(site: Site, world: World) -> None:
    key = new_member(site, world, "取某")
    one = site.visitor("district")
    refused = one.post(f"/persons/{key}/export", {"purpose": ""})
    assert refused.status_code == 422
    assert MOBILE not in refused.text
    sheet = load_workbook(io.BytesIO(one.post(f"/persons/{key}/export", REASON).data)).active
    lines = list(sheet.iter_rows(values_only=True))
    assert ("党员", "1", "手机号", MOBILE) in [tuple(str(cell) for cell in line) for line in lines]
    document = orjson.loads(one.post(f"/persons/{key}/export", {**REASON, "kind": "json"}).data)
    assert document["member"][0]["手机号"] == MOBILE
    assert len(document["fee_payment"]) == 1
    with unit_of_work(site.engine, ACTOR, writes=False) as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.row_id == key)).all()
        assert [(event.action, event.purpose, event.actor_name) for event in events] == [
            ("person_exported", "本人书面申请", "district")
        ] * 2


def test_it_is_erased_once_the_code_was_written_and_sums_stay(site: Site, world: World) -> None:
    key = new_member(site, world, "删某")
    one = site.visitor("district")
    with unit_of_work(site.engine, ACTOR, writes=False) as session:
        code, due = session.get(Member, key).code, session.scalar(select(func.sum(FeePayment.due)))
    page = one.post(f"/persons/{key}/erase", {"purpose": "本人书面申请删除", "code": "别人"})
    assert page.status_code == 422
    assert "本人书面申请删除" in page.text  # what was typed stays
    assert one.post(f"/persons/{key}/erase", {"purpose": "", "code": code}).status_code == 422
    assert one.post(f"/persons/{key}/erase", {**REASON, "code": code}).status_code == 302
    assert "已经删除" in one.get(f"/persons/{key}").text
    with unit_of_work(site.engine, ACTOR, writes=False) as session:
        row = session.get(Member, key)
        assert (row.mobile, row.mobile_hash, row.code) == (None, None, code)
        assert "删某" not in row.name
        assert session.scalar(select(func.sum(FeePayment.due))) == due
        assert verify(session.connection()).faults == []
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == AuditAction.PERSON_ERASED)).one()
        assert (event.actor_name, event.row_id) == ("district", key)
    assert "删某" not in one.get(f"/history/member/{key}").text
