"""Lists as files: what is in them, for whom, for how long, and that it is written down."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import select, update

from app.access.actor import system_actor
from app.access.audit import AuditEvent
from app.database.clock import now
from app.database.session import unit_of_work
from app.domains.members.models import Gender, Member
from app.entity.registry import registry
from app.exchange import exports
from app.exchange.models import Export
from tests.access.world import World
from tests.exchange.test_import_steps import words

PURPOSE = "季度报表核对"
COLUMNS = ["name", "organization", "gender", "joined_on", "id_no", "employer", "is_employed"]


def ask(one: Any, entity: str = "member", query: str = "", **changed: Any) -> Any:
    given = {"kind": "xlsx", "purpose": PURPOSE, "column": COLUMNS, "conditions": query} | changed
    return one.post(f"/exports/new/{entity}", given, follow_redirects=True)


def latest(web: Flask) -> Export:
    with unit_of_work(web.extensions["engine"], system_actor("tests"), writes=False) as session:
        return session.scalars(select(Export).order_by(Export.id.desc())).first()


def fetch(one: Any, web: Flask) -> Any:
    return one.get(f"/exports/file/{latest(web).token}")


@pytest.fixture
def member(web: Flask, web_world: World) -> Member:
    with unit_of_work(web.extensions["engine"], system_actor("tests")) as session:
        row = session.get(Member, web_world.members["branch_a1"].id)
        row.name, row.id_no, row.gender = "=HYPERLINK(1)", "11010519491231002X", Gender.FEMALE
        row.birth_date, row.joined_on = date(1949, 12, 31), date(1980, 7, 1)
        return row


def test_a_workbook_holds_words_masked_numbers_and_no_formula(browser, web: Flask, at_once, member) -> None:
    one = browser("street_a")
    assert words(ask(one, query=f"_flt_0_any_text={member.code}")).count("下载") >= 1
    answer = fetch(one, web)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    heading, row = openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True)
    assert heading == (
        "姓名", "所在党组织", "所在党组织代码", "性别", "入党日期", "公民身份号码", "工作单位", "在职",
    )  # fmt: skip
    assert row[0] == "'=HYPERLINK(1)"
    assert (row[1], row[2], row[3]) == ("A1支部", "DA1", "女")
    assert row[4].date() == date(1980, 7, 1)
    assert (row[5], row[6], row[7]) == ("110105********002X", None, "是")


def test_csv_and_json(browser, web: Flask, at_once, member) -> None:
    one = browser("street_a")
    ask(one, kind="csv", query=f"_flt_0_any_text={member.code}")
    rows = list(csv.reader(io.StringIO(fetch(one, web).data.decode("utf-8-sig"))))
    assert rows[1][0] == "'=HYPERLINK(1)"
    assert rows[1][4] == "1980-07-01"
    ask(one, kind="json", query=f"_flt_0_any_text={member.code}")
    (row,) = json.loads(fetch(one, web).data)
    assert (row["name"], row["gender"], row["organization_code"]) == ("=HYPERLINK(1)", "2", "DA1")
    assert row["is_employed"] is True
    assert row["id_no"] == "110105********002X"


@pytest.mark.parametrize("visitor", ["district", "street_a", "street_b"])
def test_a_file_holds_the_rows_in_scope_and_no_others(
    visitor: str, browser, web: Flask, at_once, web_world: World
) -> None:
    one = browser(visitor)
    actor = {"district": "district", "street_a": "street a", "street_b": "street b"}[visitor]
    for entity in registry:
        answer = ask(one, entity.code, kind="json", column=["code"])
        if answer.status_code == 404:
            assert entity.code in ("holiday",)
            continue
        found = {row["code"] for row in json.loads(fetch(one, web).data)}
        places = web_world.seen_places(actor, entity)
        assert found == {web_world.rows[entity.code][place].code for place in places}, entity.code


def test_order_and_conditions_are_those_of_the_list(browser, web: Flask, at_once, web_world: World) -> None:
    one = browser("district")
    branch = web_world.organizations["branch_a1"].id
    ask(one, kind="json", column=["code"], query="_oc_MemberView=code&_od_MemberView=desc")
    codes = [row["code"] for row in json.loads(fetch(one, web).data)]
    assert codes == sorted(codes, reverse=True)
    assert len(codes) > 1
    ask(one, kind="json", column=["code"], query=f"_flt_0_organization={branch}")
    assert len(json.loads(fetch(one, web).data)) == 1


@pytest.mark.parametrize("visitor", [None, "no_role", "branch_a1", "rules_a", "it_staff", "auditor", "member_a1"])
def test_who_may_not_export_cannot(visitor: str | None, browser, web: Flask, at_once) -> None:
    one = browser(visitor)
    for answer in (one.get("/exports/new/member"), one.post("/exports/new/member", {"purpose": PURPOSE})):
        assert answer.status_code in (302, 403, 404)
        assert not answer.headers.get("Location", "/login/").startswith("/exports")
    assert latest(web) is None


def test_the_link_is_its_owners_and_expires(browser, web: Flask, at_once) -> None:
    one = browser("street_a")
    ask(one)
    token = latest(web).token
    assert one.get(f"/exports/file/{token}").status_code == 200
    for other in ("district", "street_b", "admin"):
        assert browser(other).get(f"/exports/file/{token}").status_code == 404
    with unit_of_work(web.extensions["engine"], system_actor("tests")) as session:
        session.execute(update(Export).values(expires_at=now() - timedelta(seconds=1)))
    assert one.get(f"/exports/file/{token}").status_code == 404
    with unit_of_work(web.extensions["engine"], system_actor("tests")) as session:
        data_dir = web.config["SETTINGS"].data_dir
        assert exports.prune(session, data_dir) == 1
    assert not list((data_dir / "exports").iterdir())


def test_a_purpose_is_asked_for_and_kept_with_every_download(browser, web: Flask, at_once) -> None:
    one = browser("street_a")
    assert "请说明导出的用途" in ask(one, purpose=" 看 ").text
    assert latest(web) is None
    ask(one)
    fetch(one, web)
    with unit_of_work(web.extensions["engine"], system_actor("tests"), writes=False) as session:
        events = session.execute(
            select(AuditEvent.action, AuditEvent.entity, AuditEvent.purpose, AuditEvent.actor_name).where(
                AuditEvent.entity == "member"
            )
        ).all()
    assert [tuple(event) for event in events] == [
        ("exported", "member", PURPOSE, "street_a"),
        ("export_fetched", "member", PURPOSE, "street_a"),
    ]
