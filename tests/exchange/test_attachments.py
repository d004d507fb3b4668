"""A record's files: seen, added and removed by whoever sees and may change the record, and gone with it."""

from __future__ import annotations

import io
import os
import zipfile
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import select

from app.access.actor import system_actor
from app.database.session import unit_of_work
from app.domains.attachments import operations as attachments
from app.domains.attachments.contents import kind_of, safe_name
from app.domains.attachments.models import Attachment
from app.domains.attachments.operations import path_of
from app.entity.labels import UserError
from app.entity.registry import registry
from app.history.reading import versions
from app.history.trash import kept_values, restore
from app.history.trash_model import Trashed
from app.history.verifying import verify
from tests.access.world import World

PDF = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\n%%EOF\n"
SEES = {"admin": True, "district": True, "street_a": True, "branch_a1": True, "rules_a": True, "street_b": False}
SEES |= {"no_role": False, "it_staff": False, "auditor": False, "member_a1": True}


def attach(one: Any, record: str, content: bytes = PDF, name: str = "会议记录.pdf") -> Any:
    return one.post(f"/attachments/{record}", {"file": (io.BytesIO(content), name)}, follow_redirects=True)


def stored(web: Flask) -> list[Attachment]:
    with unit_of_work(web.extensions["engine"], system_actor("tests"), writes=False) as session:
        return list(session.scalars(select(Attachment).where(Attachment.uploaded_by != "tests")))


@pytest.fixture
def record(web_world: World) -> str:
    return f"member/{web_world.members['branch_a1'].id}"


def test_a_file_is_fetched_by_those_who_see_its_record(browser, web: Flask, web_world: World, record: str) -> None:
    page = attach(browser("branch_a1"), record)
    assert "会议记录.pdf" in page.text
    (row,) = stored(web)
    path = f"/attachments/{row.code}/file"
    for visitor, sees in SEES.items():
        answer = browser(visitor).get(path)
        assert (answer.status_code == 200) is sees, (visitor, answer.status_code)
        if sees:
            assert answer.data == PDF
            assert answer.headers["Content-Disposition"].startswith("attachment")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in answer.headers["Content-Security-Policy"]
        else:
            assert PDF not in answer.data
    assert browser(None).get(path).status_code == 302


@pytest.mark.parametrize("visitor", ["street_b", "rules_a", "no_role", "it_staff", "auditor", "member_a1", None])
def test_who_may_not_change_the_record_changes_no_files(visitor, browser, web: Flask, record: str) -> None:
    attach(browser("street_a"), record)
    (row,) = stored(web)
    other = browser(visitor)
    for answer in (
        other.post(f"/attachments/{record}", {"file": (io.BytesIO(PDF), "a.pdf")}),
        other.post(f"/attachments/{row.code}/delete"),
    ):
        assert answer.status_code in (302, 403, 404)
        assert answer.status_code != 302 or "/login" in answer.headers["Location"] or answer.headers["Location"] == "/"
    assert [each.code for each in stored(web)] == [row.code]


def test_files_go_with_their_record_and_move_with_it(browser, web: Flask, web_world: World, record: str) -> None:
    attach(browser("street_a"), record)
    with unit_of_work(web.extensions["engine"], system_actor("tests")) as session:
        member = session.get(type(web_world.members["branch_a1"]), web_world.members["branch_a1"].id)
        member.organization_id = web_world.organizations["branch_a2"].id
    (row,) = stored(web)
    assert row.organization_id == web_world.organizations["branch_a2"].id
    one = browser("street_a")
    one.post(f"/attachments/{row.code}/delete")
    assert stored(web) == []
    attach(one, f"observation/{web_world.rows['observation']['branch_a1'].id}")
    assert len(stored(web)) == 1
    with unit_of_work(web.extensions["engine"], system_actor("tests")) as session:
        model = registry["observation"].model
        session.delete(session.get(model, web_world.rows["observation"]["branch_a1"].id))
    assert stored(web) == []


def test_files_come_and_go_in_the_history_and_come_back_from_the_trash(browser, web: Flask, web_world: World) -> None:
    key, model = web_world.rows["observation"]["branch_a1"].id, registry["observation"].model
    attach(browser("street_a"), f"observation/{key}")
    (row,) = stored(web)
    engine, acting = web.extensions["engine"], system_actor("tests")
    with unit_of_work(engine, acting) as session:
        session.delete(session.get(model, key))
    content = path_of(web.config["SETTINGS"].data_dir, row.content_hash)
    os.utime(content, (0, 0))  # long ago
    with unit_of_work(engine, acting) as session:
        attachments.prune(session, web.config["SETTINGS"].data_dir)
        (kept,) = session.scalars(select(Trashed).where(Trashed.entity == "observation", Trashed.row_id == key))
        assert "attachments" not in kept_values(session, [kept])[kept.id]
        restore(session, kept)
    (back,) = stored(web)
    assert (back.id, back.code, back.organization_id) == (row.id, row.code, row.organization_id)
    assert browser("street_a").get(f"/attachments/{row.code}/file").data == PDF
    assert browser("street_a").post(f"/attachments/{row.code}/delete").status_code == 302
    with unit_of_work(engine, acting, writes=False) as session:
        found = versions(session, registry["attachment"], row.id)
        assert [version.operation for version in found] == ["deleted", "restored", "deleted", "added"]
        assert found[-1].differences["name"] == (None, "会议记录.pdf")
        assert {found[0].actor_name, found[-1].actor_name} == {"street_a"}
        assert verify(session.connection()).faults == []


def test_the_kind_follows_from_the_content_and_not_from_the_name(browser, web: Flask, record: str) -> None:
    one = browser("street_a")
    for content, name in (
        (b"MZ\x90\x00\x03" + b"\0" * 60, "a.pdf"),
        (b"<html><script>alert(1)</script></html>", "a.txt"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.png"),
        (b"#!/bin/sh\n", "a.txt"),
        (b"", "a.pdf"),
        (_archive("xl/workbook.xml", "xl/vbaProject.bin"), "a.xlsx"),
        (_archive("a.exe"), "a.docx"),
    ):
        page = attach(one, record, content, name)
        assert "不能附这种文件" in page.text or "文件是空的" in page.text, name
    assert stored(web) == []


def _archive(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return content.getvalue()


def test_kinds_that_offices_use_are_known() -> None:
    book = io.BytesIO()
    openpyxl.Workbook().save(book)
    assert kind_of(book.getvalue()).endings[0] == ".xlsx"
    assert kind_of(PDF).endings[0] == ".pdf"
    assert kind_of(_archive("OFD.xml")).endings[0] == ".ofd"
    assert kind_of("姓名,年龄\n".encode("gb18030")).endings[0] == ".txt"
    with pytest.raises(UserError, match="20 MB"):
        kind_of(PDF + b"\0" * 21 * 2**20)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/会议 记录.pdf", "会议 记录.pdf"),
        ("C:\\文件\\a.PDF", "a.pdf"),
        ("bad\r\nname\u202efdp.exe", "badnamefdp.exe.pdf"),
        (".pdf", "附件.pdf"),
        ("长" * 300 + ".pdf", "长" * 120 + ".pdf"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name, kind_of(PDF)) == safe
