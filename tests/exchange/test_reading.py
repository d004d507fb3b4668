"""Files that would take memory, run something, or say nothing are refused in words, whatever they are called."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Engine, select

from app.access.actor import system_actor
from app.database.among import among
from app.database.session import Session, unit_of_work
from app.domains.members.models import Gender, Member
from app.entity.labels import UserError
from app.entity.registry import registry
from app.exchange import reading
from app.exchange.importing import import_file
from app.exchange.reading import read_table
from tests import factories

SHEET = "xl/worksheets/sheet1.xml"


def rewritten(source: Path, target: Path, changed: dict[str, bytes]) -> Path:
    """A copy of a workbook with some of its parts replaced or added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in changed:
                new.writestr(name, old.read(name))
        for name, content in changed.items():
            new.writestr(name, content)
    return target


@pytest.fixture
def book(tmp_path: Path) -> Path:
    workbook = openpyxl.Workbook()
    workbook.active.append(["姓名", "年龄"])
    workbook.active.append(["王一", 30])
    workbook.save(tmp_path / "book.xlsx")
    return tmp_path / "book.xlsx"


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        list(read_table(path).rows)
    assert caught.value.label.en
    return caught.value.label.zh


def test_what_is_read(book: Path) -> None:
    table = read_table(book)
    assert (table.heading, list(table.rows), table.first_row) == (["姓名", "年龄"], [["王一", 30]], 2)


def test_macros_are_refused_whatever_the_name(book: Path, tmp_path: Path) -> None:
    for name in ("a.xlsm", "a.xlsx"):
        assert "宏" in refusal(rewritten(book, tmp_path / name, {"xl/vbaProject.bin": b"x"}))


def test_a_password_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(reading.OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600)
    assert "密码" in refusal(path)


def test_what_unpacks_without_end_is_refused_whatever_it_says_of_itself(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_UNPACKED_BYTES", 5 * 2**20)
    bomb = rewritten(book, tmp_path / "bomb.xlsx", {"xl/sharedStrings.xml": b"<sst>" + b" " * 20 * 2**20})
    content = bytearray(bomb.read_bytes())
    with zipfile.ZipFile(bomb) as archive:
        size = archive.getinfo("xl/sharedStrings.xml").file_size.to_bytes(4, "little")
    while (place := content.find(size)) >= 0:  # the archive says 100 bytes, here and in its directory
        content[place : place + 4] = (100).to_bytes(4, "little")
    bomb.write_bytes(content)
    assert "解压后过大" in refusal(bomb)


def test_a_million_rows_and_far_columns_are_refused_before_they_are_read(book: Path, tmp_path: Path) -> None:
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in (1, 2, 1_000_000))
    sheet = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
    assert "超过 200,000 行" in refusal(rewritten(book, tmp_path / "a.xlsx", {SHEET: sheet % rows}))
    wide = b'<row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>1</v></c></row>'
    assert "列" in refusal(rewritten(book, tmp_path / "b.xlsx", {SHEET: sheet % wide}))


def test_formulas_count_by_their_stored_result_and_are_named_without_one(book: Path, tmp_path: Path) -> None:
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c></row>'
        b'<row r="2"><c r="A2"><f>1+1</f>%s</c><c r="B2"><v>3</v></c></row></sheetData></worksheet>'
    )
    table = read_table(rewritten(book, tmp_path / "a.xlsx", {SHEET: sheet % b"<v>2</v>"}))
    assert list(table.rows) == [[2.0, 3.0]]
    assert "A2" in refusal(rewritten(book, tmp_path / "b.xlsx", {SHEET: sheet % b""}))
    workbook = openpyxl.Workbook()
    workbook.active.append(["姓名", "年龄"])
    workbook.active.append(["=A1", 3])
    workbook.save(tmp_path / "c.xlsx")
    assert "A2 单元格是公式" in refusal(tmp_path / "c.xlsx")


def test_a_csv_of_too_many_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 5)
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n" * 100)
    assert "超过 5 行" in refusal(tmp_path / "a.csv")


def test_rows_are_copied_in_alike_on_every_database(any_engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "code,name,organization_code,id_no,employer,joined_on,fee_base\n"
        'M1,"甲,""乙""",B,11010519491231002X,"第一行\n第二行",1980-07-01,4500.50\n'
        "M2,𠀀丙,B,,\\N,,\n"
        'M3,丁,B,,"一\r二",,\n',
        encoding="utf-8",
    )
    with unit_of_work(any_engine, system_actor("tests")) as session:
        session.add(factories.organization(code="B"))
        session.flush()
        receipt = import_file(session, registry["member"], path)
        assert receipt.new == 3
    with unit_of_work(any_engine, system_actor("tests")) as session:
        one, two, three = session.scalars(select(Member).order_by(Member.code))
        assert (one.name, one.employer, str(one.fee_base), one.id_no, one.gender) == (
            '甲,"乙"', "第一行\n第二行", "4500.50", "11010519491231002X", "2",
        )  # fmt: skip
        assert (two.name, two.employer.strip(), two.joined_on, two.is_employed) == ("𠀀丙", "\\N", None, True)
        assert three.employer.split() == ["一", "二"]
        assert import_file(session, registry["member"], path).unchanged >= 1
        check_among(session, [one.id, two.id])


def check_among(session: Session, ids: list[int]) -> None:
    """Many values asked for together find what each finds alone, however long they are."""

    def found(column: Any, values: list[Any]) -> list[str]:
        conditions = among(session.get_bind(), column, values)
        return sorted(code for each in conditions for code in session.scalars(select(Member.code).where(each)))

    longer = "M1" + "0" * 60
    assert found(Member.code, ["M1", "M3", longer, *(f"other{number}" for number in range(1200))]) == ["M1", "M3"]
    assert found(Member.id, [*ids, 2**40]) == ["M1", "M2"]
    assert found(Member.gender, [Gender.FEMALE]) == ["M1"]
    assert found(Member.code, []) == []
