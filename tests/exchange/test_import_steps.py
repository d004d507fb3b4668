"""An import in the console, step by step: what is checked, shown, saved and undone, and for whom."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import select

from app.access.actor import system_actor
from app.access.audit import AuditEvent
from app.database.session import unit_of_work
from app.domains.members.models import Member
from app.entity.registry import registry
from app.exchange import saving
from app.exchange.models import Import, ImportState
from tests.access.world import World
from tests.exchange.conftest import Workbook

HEADING = ["姓名", "所在党组织", "入党日期", "公民身份号码", "手机号"]


def upload(one: Any, entity: str, path: Path, way: str = "upsert") -> str:
    """Upload a file; gives the import's address."""
    answer = one.post(f"/imports/new/{entity}", {"way": way, "file": (io.BytesIO(path.read_bytes()), path.name)})
    assert answer.status_code == 302, words(answer)
    return answer.headers["Location"]


def match(one: Any, address: str) -> Any:
    """Take the columns as they were guessed, and have them checked."""
    page = one.get(address).text
    selects = re.findall(r'<select[^>]*name="(column-\d+)">(.*?)</select>', page, re.DOTALL)
    chosen = {name: found[1] for name, options in selects if (found := re.search(r'value="(\w+)" selected', options))}
    return one.post(f"{address}columns", chosen, follow_redirects=True)


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def counts(web: Flask, address: str) -> tuple[int, int, int, int]:
    taken = stored(web, address)
    return taken.new_count, taken.changed_count, taken.unchanged_count, taken.faulty_count


def stored(web: Flask, address: str) -> Import:
    with unit_of_work(web.extensions["engine"], system_actor("tests"), writes=False) as session:
        return session.get(Import, int(address.rstrip("/").rsplit("/", 1)[1]))


def members(web: Flask) -> dict[str, Member]:
    with unit_of_work(web.extensions["engine"], system_actor("tests"), writes=False) as session:
        return {row.name: row for row in session.scalars(select(Member))}


@pytest.fixture
def rows(web_world: World) -> list[list[object]]:
    own, other = web_world.organizations["branch_a1"].code, web_world.organizations["branch_b1"].code
    return [
        ["街道党员花名册", None, None, None, None],
        HEADING,
        ["王一", own, "２０１５．０７．０１", "11010519491231002X", "１３８００００００１"],
        ["王二", "A2支部", 20160501, None, None],
        ["王三", other, "2016/5/1", None, None],
        ["王四", own, "某天", None, None],
        ["王五", own, "2016年5月1日", "110105194912310021", None],
    ]


def test_a_messy_file_goes_all_the_way_and_back(browser, web: Flask, at_once, workbook: Workbook, rows) -> None:
    one, before = browser("street_a"), members(web)
    address = upload(one, "member", workbook(*rows))
    page = match(one, address)
    assert counts(web, address) == (1, 0, 0, 4)  # 王一's number has 10 digits after the full width is taken off
    assert "公民身份号码" in page.text
    assert members(web).keys() == before.keys()
    one.post(f"{address}save")
    assert members(web).keys() - before.keys() == {"王二"}
    assert stored(web, address).state == ImportState.SAVED

    # The faulty rows come back as a workbook with reasons; mended, it is uploaded as it is.
    answer = one.get(f"{address}faulty.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    assert [cell.value for cell in sheet[1]] == ["错误原因", *HEADING]
    reasons = [sheet.cell(number, 1).value for number in range(2, 6)]
    assert ["手机" in reasons[0], "没有代码或名称" in reasons[1], "不是日期" in reasons[2], "校验码" in reasons[3]] == [
        True
    ] * 4
    sheet["F2"], sheet["C3"], sheet["D4"], sheet["E5"] = "13800000001", sheet["C2"].value, "2016-05-01", None
    mended = io.BytesIO()
    sheet.parent.save(mended)
    path = workbook(name="b.xlsx")
    path.write_bytes(mended.getvalue())
    second = upload(one, "member", path)
    match(one, second)
    assert counts(web, second) == (4, 0, 0, 0)
    one.post(f"{second}save")
    assert members(web).keys() - before.keys() == {"王一", "王二", "王三", "王四", "王五"}
    assert members(web)["王一"].birth_date.isoformat() == "1949-12-31"

    # Undone as a whole, the first import stays.
    one.post(f"{second}undo")
    assert stored(web, second).state == ImportState.UNDONE, stored(web, second).problem_zh
    assert members(web).keys() - before.keys() == {"王二"}
    with unit_of_work(web.extensions["engine"], system_actor("tests"), writes=False) as session:
        actions = list(session.scalars(select(AuditEvent.action).where(AuditEvent.entity == "member")))
    assert actions == ["imported", "imported", "import_undone"]


def test_the_same_file_twice_changes_nothing(browser, web: Flask, at_once, workbook: Workbook, web_world) -> None:
    one, own = browser("street_a"), web_world.organizations["branch_a1"].code
    path = workbook(["党员编号", *HEADING], ["X1", "王一", own, "2015-07-01", "11010519491231002x", "13800000001"])
    first = upload(one, "member", path)
    match(one, first)
    one.post(f"{first}save")
    second = upload(one, "member", path)
    page = match(one, second)
    assert counts(web, second) == (0, 0, 1, 0)
    assert "完全相同" in page.text


def test_changes_are_shown_with_old_and_new_values_and_undone(
    browser, web: Flask, at_once, workbook: Workbook, web_world
) -> None:
    one, member = browser("street_a"), web_world.members["branch_a1"]
    path = workbook(["党员编号", "姓名", "手机号"], [member.code, "改名", "13900000002"])
    address = upload(one, "member", path)
    page = words(match(one, address))
    assert counts(web, address) == (0, 1, 0, 0)
    assert "测试党员" in page
    assert "改名" in page
    assert "139****0002" in page
    assert "13900000002" not in page
    one.post(f"{address}save")
    assert members(web)["改名"].mobile == "13900000002"
    one.post(f"{address}undo")
    assert stored(web, address).state == ImportState.UNDONE
    with unit_of_work(web.extensions["engine"], system_actor("tests"), writes=False) as session:
        restored = session.get(Member, member.id)
    assert (restored.name, restored.mobile) == ("测试党员", None)


def test_undoing_is_refused_in_words_where_something_has_happened_since(
    browser, web: Flask, at_once, workbook: Workbook, web_world
) -> None:
    one, own = browser("street_a"), web_world.organizations["branch_a1"].code
    path = workbook(["党员编号", "姓名", "所在党组织"], ["X1", "王一", own], ["X2", "王二", own])
    address = upload(one, "member", path)
    match(one, address)
    one.post(f"{address}save")
    with unit_of_work(web.extensions["engine"], system_actor("tests")) as session:
        session.scalars(select(Member).where(Member.code == "X1")).one().employer = "新单位"
    page = one.post(f"{address}undo", follow_redirects=True)
    assert "“王一”之后又有改动" in page.text
    assert stored(web, address).state == ImportState.SAVED
    assert {"王一", "王二"} <= members(web).keys()


def test_what_changed_after_the_preview_is_checked_again_and_not_overwritten(
    browser, web: Flask, at_once, workbook: Workbook, web_world
) -> None:
    one, member = browser("street_a"), web_world.members["branch_a1"]
    address = upload(one, "member", workbook(["党员编号", "姓名"], [member.code, "新名"]))
    match(one, address)
    with unit_of_work(web.extensions["engine"], system_actor("tests")) as session:
        session.get(Member, member.id).name = "别人改的"
    page = one.post(f"{address}save", follow_redirects=True)
    assert "核对之后有的记录又有变动" in page.text
    assert "别人改的" in page.text
    assert stored(web, address).state == ImportState.CHECKED
    assert "别人改的" in members(web)


def test_a_choice_of_columns_is_remembered_for_the_same_headings(
    browser, web: Flask, at_once, workbook: Workbook, web_world
) -> None:
    one, own = browser("street_a"), web_world.organizations["branch_a1"].code
    path = workbook(["大名", "单位码"], ["王一", own])
    first = upload(one, "member", path)
    one.post(f"{first}columns", {"column-0": "name", "column-1": "organization_id"})
    assert counts(web, first) == (1, 0, 0, 0)
    second = upload(one, "member", workbook(["单位码", "大名"], [own, "王二"], name="c.xlsx"))
    match(one, second)
    assert counts(web, second) == (1, 0, 0, 0)


def test_rows_out_of_scope_answer_as_unknown(browser, web: Flask, at_once, workbook: Workbook, web_world) -> None:
    one, stranger = browser("street_a"), web_world.members["branch_b1"]
    path = workbook(["党员编号", "姓名"], [stranger.code, "夺来"], ["NEVER-WAS", "夺来"])
    address = upload(one, "member", path, way="update")
    page = words(match(one, address))
    assert counts(web, address) == (0, 0, 0, 2)
    assert page.count("没有找到这条党员记录，或不在您的管理范围内") == 2
    assert stranger.name in members(web)


@pytest.mark.parametrize(
    "visitor", ["street_b", "district", "branch_a1", "rules_a", "it_staff", "auditor", "member_a1"]
)
def test_an_import_is_nobody_elses_business(
    visitor: str, browser, web: Flask, at_once, workbook: Workbook, web_world
) -> None:
    own = web_world.organizations["branch_a1"].code
    one, other = browser("street_a"), browser(visitor)
    address = upload(one, "member", workbook(["姓名", "所在党组织"], ["王一", own]))
    match(one, address)
    for path in (address, f"{address}progress", f"{address}faulty.xlsx"):
        assert other.get(path).status_code in (403, 404)
    for step in ("columns", "back", "save", "undo", "resume", "discard"):
        assert other.post(f"{address}{step}").status_code in (403, 404)
    assert "王一" not in members(web)


@pytest.mark.parametrize("entity", [entity.code for entity in registry])
def test_every_entity_has_a_template_that_is_imported_as_it_is(entity: str, browser, web: Flask, at_once) -> None:
    one = browser("district")
    answer = one.get(f"/imports/template/{entity}.xlsx")
    if answer.status_code == 404:
        assert registry[entity].options.read_only
        return
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert len(book.worksheets) == 3
    path = io.BytesIO(answer.data)
    sent = one.post(f"/imports/new/{entity}", {"way": "upsert", "file": (path, "t.xlsx")})
    assert sent.status_code == 302, words(sent)
    match(one, sent.headers["Location"])
    # Nothing but the example, which is passed over.
    assert counts(web, sent.headers["Location"]) == (0, 0, 0, 0)


def test_a_worker_that_dies_half_way_leaves_nothing_half_done(
    browser, web: Flask, at_once, workbook: Workbook, web_world, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, own = browser("street_a"), web_world.organizations["branch_a1"].code
    address = upload(one, "member", workbook(["姓名", "所在党组织"], *[[f"王{n}", own] for n in range(6)]))
    match(one, address)
    monkeypatch.setattr(saving, "BATCH", 2)
    written, copy = [], saving.Saver._copy

    def dies(saver: saving.Saver, batch: list) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        copy(saver, batch)
        written.append(batch)

    monkeypatch.setattr(saving.Saver, "_copy", dies)
    with pytest.raises(KeyboardInterrupt):
        one.post(f"{address}save")
    assert not [name for name in members(web) if name.startswith("王")]
    assert stored(web, address).state == ImportState.SAVING
    monkeypatch.setattr(saving.Saver, "_copy", copy)
    one.post(f"{address}resume")
    assert stored(web, address).state == ImportState.SAVED
    assert len([name for name in members(web) if name.startswith("王")]) == 6
    one.post(f"{address}undo")
    assert not [name for name in members(web) if name.startswith("王")]
