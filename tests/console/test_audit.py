"""The audit trail: who sees it, in words, narrowed, verified and as a file."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, ViewMenu
from openpyxl import load_workbook
from sqlalchemy import select, tuple_, update

from app.access.actor import system_actor
from app.access.audit import AuditAction, AuditEvent
from app.database.session import unit_of_work
from app.domains.members.models import Member
from app.history.models import RecordedChange
from app.jobs import tasks
from tests import factories
from tests.access.world import World
from tests.console.site import Site

ACTOR = system_actor("tests")
MOBILE = "13812348048"


@pytest.fixture(scope="module")
def changed(peopled: Any) -> Member:
    """A member of branch a1, made by the tests and changed by the street."""
    site, world = peopled.site, peopled.world
    with unit_of_work(site.engine, ACTOR) as session:  # a role that administrators made, for people of organizations
        pages = select(PermissionView).join(ViewMenu).join(Permission)
        wanted = [("can_list", "AuditEvent"), ("can_show", "Member")]
        pages = pages.where(tuple_(Permission.name, ViewMenu.name).in_(wanted))
        session.add(Role(name="reviewer", permissions=list(session.scalars(pages))))
    site.add_account("street_auditor", "reviewer", world.organizations["street_a"].id)
    site.add_account("other_auditor", "reviewer", world.organizations["street_b"].id)
    with unit_of_work(site.engine, ACTOR) as session:
        row = factories.member(organization_id=world.organizations["branch_a1"].id, name="审某", mobile=MOBILE)
        session.add(row)
    one = site.visitor("street")
    answer = one.client.patch(f"/api/v1/member/{row.id}", json={"job": "审计测试职业"}, headers=site.token("street"))
    assert answer.status_code == 200, answer.text
    return row


def body(page: Any) -> str:
    """The list's rows; nothing where it is empty."""
    return (
        page.text.partition('<table class="table table-hover cards">')[2].partition("<tbody")[2].partition("</tbody")[0]
    )


def test_auditors_see_what_accounts_of_their_organization_did(site: Site, world: World, changed: Member) -> None:
    whole = site.visitor("auditor").get("/audit/list/?entity=member&record=" + changed.code)
    assert whole.status_code == 200
    assert "新增" in body(whole)
    assert "修改" in body(whole)
    assert "工作岗位" in body(whole)  # which fields, and no record's values
    assert "审计测试职业" not in whole.text
    assert changed.code not in body(whole)
    everything = site.visitor().get(f"/audit/list/?entity=member&record={changed.code}").text
    assert "审计测试职业" in everything
    assert MOBILE not in everything
    assert "138****8048" in everything
    mine = body(site.visitor("street_auditor").get(f"/audit/list/?entity=member&record={changed.code}"))
    assert "审计测试职业" in mine
    assert "system:tests" not in mine
    assert body(site.visitor("other_auditor").get(f"/audit/list/?entity=member&record={changed.code}")) == ""
    assert "street" not in body(site.visitor("other_auditor").get("/audit/list/?tab=events")).replace(
        "other_street", ""
    )
    assert site.visitor("street_auditor").post("/audit/verify").status_code == 403
    assert "/audit/export" not in site.visitor("street_auditor").get("/audit/list/").text
    for name in ("it", "district", "street", "secretary", "member"):
        assert site.visitor(name).get("/audit/list/").status_code == 403, name
        for path in ("/audit/verify", "/audit/export"):
            assert site.visitor(name).post(path).status_code == 403, (name, path)
    assert site.stranger().get("/audit/list/").status_code == 302


def test_filters_are_in_words_and_narrow(site: Site, changed: Member) -> None:
    one = site.visitor("auditor")
    page = one.get(f"/audit/list/?entity=member&record=%23{changed.id}&operation=changed&who=street")
    assert body(page).count("<tr>") == 1
    assert '<option value="changed" selected>修改</option>' in page.text
    english = site.visitor("auditor", "en").get("/audit/list/?tab=events")
    assert '<option value="signed_in">Signed in</option>' in english.text
    assert body(one.get("/audit/list/?until=2001-01-01")) == ""
    assert "请先选择记录种类" in one.get("/audit/list/?record=X").text
    assert "不是日期" in one.get("/audit/list/?since=morgen").text
    assert one.get("/audit/list/?before=1-1&tab=changes").status_code == 200


def test_older_entries_follow_without_a_gap(site: Site, changed: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.console.pages.audit.PAGE_SIZE", 1)
    one = site.visitor("auditor")
    address, seen = f"/audit/list/?entity=member&record={changed.code}", []
    while address:
        page = one.get(address)
        seen.append("新增" if "<b>新增</b>" in body(page) else "修改")
        found = page.text.partition('<nav class="pager"')[2].rpartition('">更早')[0].rpartition('href="')[2]
        address = found.replace("&amp;", "&")
    assert seen == ["修改", "新增"]


def test_the_result_is_a_file_with_its_purpose_in_the_trail(site: Site, changed: Member) -> None:
    one = site.visitor("auditor")
    address = f"/audit/export?entity=member&record={changed.code}"
    assert one.post(address, {"purpose": "?"}).status_code == 422
    answer = one.post(address, {"purpose": "季度审计抽查"})
    sheet = load_workbook(io.BytesIO(answer.data)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert [row[3] for row in rows] == ["操作", "修改", "新增"]
    assert not any(MOBILE in str(row) for row in rows)
    with unit_of_work(site.engine, ACTOR, writes=False) as session:
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert (event.action, event.purpose, event.actor_name) == ("trail_exported", "季度审计抽查", "auditor")


def test_a_job_verifies_and_the_page_says_what_it_found(site: Site, changed: Member, monkeypatch: pytest.MonkeyPatch):
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr("app.console.pages.audit.enqueue", lambda name, **given: asked.append(given) or "job")
    monkeypatch.setattr(tasks, "_engine", lambda: site.engine)
    one = site.visitor("auditor")
    assert "还没有验证过" in one.get("/audit/list/").text
    assert one.post("/audit/verify").status_code == 302
    assert tasks.verify_history(**asked[0]) == 0
    assert "链条完整" in one.get("/audit/list/").text
    with site.engine.begin() as connection:
        connection.execute(update(RecordedChange).where(RecordedChange.row_id == changed.id).values(operation="added"))
    assert tasks.verify_history(**asked[0]) > 0
    page = one.get("/audit/list/").text
    assert "处改动" in page
    assert f"（member {changed.id}）被改动" in page
    monkeypatch.setattr("app.console.pages.audit.enqueue", lambda name, **given: None)
    one.post("/audit/verify")
    assert "任务队列暂时不可用" in one.get("/audit/list/").text
    with unit_of_work(site.engine, ACTOR, writes=False) as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == AuditAction.CHAIN_VERIFIED)).all()
        assert {event.actor_name for event in events} == {"auditor"}
