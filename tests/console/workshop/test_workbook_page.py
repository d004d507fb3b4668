"""An index to Excel and back over HTTP: a draft with its differences, faults by cell, and for whom it is."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from app.access.actor import system_actor
from app.database.session import unit_of_work
from app.workshop.models import Draft
from tests.console.workshop.test_approval import Place, place  # noqa: F401 - the evaluated site of a module

ADDRESS = "/workshop/workbooks/strength"


def with_value(content: bytes, path: str, value: object) -> io.BytesIO:
    book = load_workbook(io.BytesIO(content))
    for sheet in book:
        for row in sheet.iter_rows(min_row=2):
            if row[0].value == path:
                row[3].value = value
    found = io.BytesIO()
    book.save(found)
    found.seek(0)
    return found


def test_a_changed_workbook_is_a_draft_with_its_differences(place: Place) -> None:  # noqa: F811
    writer = place.site.visitor("writer")
    assert ADDRESS in writer.get("/workshop/rules/strength").text
    assert "上传" in writer.get(ADDRESS).text
    content = writer.client.get(f"{ADDRESS}/export").get_data()
    faulty = writer.post(ADDRESS, {"workbook": (with_value(content, "lights.red", "many"), "a.xlsx")})
    assert faulty.status_code == 422
    assert "阈值 D" in faulty.text
    answer = writer.post(ADDRESS, {"workbook": (with_value(content, "lights.red", 61), "a.xlsx")})
    assert answer.status_code == 302, answer.text
    assert "红灯 60 → 61" in writer.get(answer.headers["Location"]).text
    with unit_of_work(place.site.engine, system_actor("tests"), writes=False) as session:
        draft = session.scalars(select(Draft).order_by(Draft.id.desc())).first()
        assert draft.source_text == place.library.rule("strength").source_text.replace('red: "< 60"', 'red: "< 61"')


@pytest.mark.parametrize("name", ["street", "secretary"])
def test_it_is_not_for_those_who_read_no_rules(place: Place, name: str) -> None:  # noqa: F811
    visitor = place.site.visitor(name)
    for address in (ADDRESS, f"{ADDRESS}/export"):
        assert visitor.get(address).status_code == 403
        assert "/login/" in place.site.stranger().get(address).headers["Location"]
    assert visitor.post(ADDRESS, {"workbook": (io.BytesIO(b"x"), "a.xlsx")}).status_code in (302, 403)


def test_those_who_only_read_rules_export_and_upload_nothing(place: Place) -> None:  # noqa: F811
    approver = place.site.visitor("approver")
    assert "改好的工作簿" not in approver.get(ADDRESS).text
    assert approver.client.get(f"{ADDRESS}/export").status_code == 200
    assert approver.post(ADDRESS, {"workbook": (io.BytesIO(b"x"), "a.xlsx")}).status_code in (302, 403)
    assert approver.get("/workshop/workbooks/term").status_code == 404
