"""Files in: what people type is understood, and a bad file changes nothing and is told cell by cell."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import func, select

from app.database.session import Session, make_session
from app.domains.members.models import Member
from app.domains.observations.models import Observation
from app.domains.organizations.models import Organization
from app.entity.labels import UserError
from app.entity.registry import registry
from app.exchange.exporting import export_file
from app.exchange.faults import ImportFaulty
from app.exchange.importing import import_file
from tests import factories
from tests.domains.doing import staff

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a CSV file and give its path."""

    def write(heading: list[str], *rows: list[object], name: str = "a.csv", encoding: str = "utf-8-sig") -> Path:
        path = tmp_path / name
        with path.open("w", newline="", encoding=encoding) as file:
            csv.writer(file).writerows([heading, *rows])
        return path

    return write


def faults_of(session: Session, entity: str, path: Path) -> list[tuple[int, str, str]]:
    """(row, column, reason in Chinese) of every fault."""
    with pytest.raises(ImportFaulty) as caught:
        import_file(session, registry[entity], path)
    session.rollback()
    return [(fault.row, fault.column, fault.reason.zh) for fault in caught.value.faults]


def count(session: Session, model: type) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


ORGANIZATION = ["code", "name", "parent_code", "tier", "unit_type", "status"]


@pytest.mark.parametrize(
    ("entity", "given", "filled"),
    [
        (
            "meeting",
            {"organization_code": "A1", "kind": "lecture", "status": "held", "held_on": "2026-07-03"},
            {"topic": "党课"},
        ),
        (
            "commendation",
            {"organization_code": "A1", "kind": "fraud", "effective_on": "2026-02-01"},
            {"title": "弄虚作假", "issued_on": date(2026, 2, 1)},
        ),
        ("study_record", {"member_code": "m", "hours": 8, "completed_on": "2026-02-01"}, {"title": "线下"}),
        (
            "appraisal",
            {"member_code": "m", "period": 2025, "grade": "excellent"},
            {"appraised_on": date(2025, 1, 1)},
        ),
        ("holiday", {"day": "2026-10-01"}, {"name": "休假"}),
        (
            "observation",
            {"organization_code": "A1", "metric": "满意度", "period": "2026Q3", "value": 90},
            {"metric": "满意度"},
        ),
    ],
)
def test_figures_are_enough_and_words_for_people_follow_from_them(
    session: Session, write: Write, entity: str, given: dict[str, object], filled: dict[str, object]
) -> None:
    branch = factories.organization(code="A1", tier="branch")
    session.add_all([branch, factories.member(code="m", organization=branch)])
    session.flush()
    import_file(session, registry[entity], write(list(given), list(given.values())))
    stored = session.scalars(select(registry[entity].model).order_by(registry[entity].model.id.desc())).first()
    assert {name: getattr(stored, name) for name in filled} == filled


def test_children_may_stand_above_their_parents(session: Session, write: Write) -> None:
    path = write(
        ORGANIZATION,
        ["A1", "支部一", "A", "branch", "community", "active"],
        ["A", "街道", "", "street", "street", "active"],
    )
    receipt = import_file(session, registry["organization"], path)
    session.commit()
    child = session.scalars(select(Organization).where(Organization.code == "A1")).one()
    assert (receipt.new, child.parent.code) == (2, "A")
    assert child.path == f"/{child.parent_id}/{child.id}/"


def test_the_same_file_twice_changes_nothing(session: Session, write: Write) -> None:
    path = write(ORGANIZATION, ["A", "街道", "", "街镇", "街道", "正常"])
    import_file(session, registry["organization"], path)
    session.commit()
    receipt = import_file(session, registry["organization"], path)
    assert (receipt.new, receipt.changed, receipt.unchanged) == (0, 0, 1)


def test_columns_are_known_by_code_and_by_label_in_both_languages(session: Session, write: Write) -> None:
    session.add(factories.organization(code="A"))
    session.flush()
    path = write(
        ["党员编号", "姓名", "所在党组织代码", "Joined on", "党费计算基数"],
        ["M1", "演示党员 1", "A", "2010/5/6", "4,500.50"],
    )
    import_file(session, registry["member"], path)
    session.commit()
    member = session.scalars(select(Member)).one()
    assert (member.name, member.organization.code) == ("演示党员 1", "A")
    assert (member.joined_on, member.fee_base) == (date(2010, 5, 6), Decimal("4500.50"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-24", date(2026, 11, 24)),
        ("20261124", date(2026, 11, 24)),
        ("2026/1/4", date(2026, 1, 4)),
        ("2026.11.24", date(2026, 11, 24)),
        ("2026年11月24日", date(2026, 11, 24)),
        ("２０２６－１１－２４", date(2026, 11, 24)),
        ("46350", date(2026, 11, 24)),
    ],
)
def test_dates_in_all_their_forms(session: Session, write: Write, written: str, meant: date) -> None:
    path = write(["code", "name", "founded_on"], ["A", "支部", written])
    import_file(session, registry["organization"], path)
    assert session.scalars(select(Organization)).one().founded_on == meant


def test_observations_are_upserted_by_subject_metric_and_period(session: Session, write: Write) -> None:
    session.add(factories.organization(code="A"))
    session.flush()
    heading = ["organization_code", "metric", "period", "value", "source"]
    import_file(session, registry["observation"], write(heading, ["A", "le", "2021", "61.5", "UNDP"]))
    session.commit()
    receipt = import_file(session, registry["observation"], write(heading, ["A", "le", "2021", "62", "UNDP"]))
    session.commit()
    assert (receipt.changed, count(session, Observation)) == (1, 1)
    assert session.scalars(select(Observation.value)).one() == 62


def test_every_fault_is_told_and_nothing_is_taken(session: Session, write: Write) -> None:
    path = write(
        [*ORGANIZATION, "founded_on"],
        ["A", "好的", "", "street", "street", "active", ""],
        ["B", "没有上级", "NOPE", "branch", "community", "active", ""],
        ["C", "错的类别", "A", "branch", "moon", "active", "2026-13-40"],
        ["A", "重复", "", "street", "street", "active", ""],
        ["D", "", "A", "branch", "community", "active", ""],
    )
    found = faults_of(session, "organization", path)
    assert [(row, column) for row, column, _ in found] == [
        (3, "parent_code"),
        (4, "founded_on"),
        (4, "unit_type"),
        (5, "code"),
        (6, "name"),
    ]
    assert "NOPE" in found[0][2]
    assert "moon" in found[2][2]
    assert "社区" in found[2][2]
    assert "第 2 行" in found[3][2]
    assert count(session, Organization) == 0


def test_rules_of_the_record_are_told_by_row(session: Session, write: Write) -> None:
    session.add(factories.organization(code="A"))
    session.commit()
    path = write(
        ["code", "name", "organization_code", "id_no"],
        ["M1", "演示党员 1", "A", "11010519491231002X"],
        ["M2", "演示党员 2", "A", "110105194912310021"],
    )
    found = faults_of(session, "member", path)
    assert [row for row, _, _ in found] == [3]
    assert count(session, Member) == 0


def test_unknown_columns_name_those_there_are(session: Session, write: Write) -> None:
    ((row, column, reason),) = faults_of(session, "organization", write(["code", "name", "naem"], ["A", "x", "y"]))
    assert (row, column) == (1, "naem")
    assert "党组织名称" in reason


def test_a_circle_of_parents_is_refused(session: Session, write: Write) -> None:
    path = write(["code", "name", "parent_code"], ["A", "一", "B"], ["B", "二", "A"])
    assert any("圈" in reason for _, _, reason in faults_of(session, "organization", path))


def test_title_rows_above_the_heading_are_passed_over(session: Session, tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(["2026 年党组织登记表"])
    sheet.merge_cells("A1:C1")
    sheet.append(["code", "name", "founded_on"])
    sheet.append(["A", "支部", date(2020, 5, 1)])
    path = tmp_path / "a.xlsx"
    workbook.save(path)
    import_file(session, registry["organization"], path)
    row = session.scalars(select(Organization)).one()
    assert (row.code, row.founded_on) == ("A", date(2020, 5, 1))


def test_faults_in_a_workbook_are_numbered_as_excel_does(session: Session, tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(["登记表"])
    sheet.append(["code", "name", "founded_on"])
    sheet.append(["A", "支部", "某天"])
    path = tmp_path / "a.xlsx"
    workbook.save(path)
    ((row, column, _),) = faults_of(session, "organization", path)
    assert (row, column) == (3, "founded_on")


def test_gb18030_is_read(session: Session, write: Write) -> None:
    path = write(["党组织代码", "党组织名称"], ["A", "㑇街道𠀀支部"], encoding="gb18030")
    import_file(session, registry["organization"], path)
    assert session.scalars(select(Organization.name)).one() == "㑇街道𠀀支部"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xlsx", b"not a workbook", "打不开"),
        ("a.csv", b"\xff\xfe\x00\x81", "编码"),
        ("a.csv", b"", "空"),
        ("a.pdf", b"x", "格式"),
    ],
)
def test_files_that_cannot_be_read_are_refused_in_words(
    session: Session, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=words):
        import_file(session, registry["organization"], tmp_path / name)


def test_what_is_exported_is_imported_unchanged(session: Session, tmp_path: Path) -> None:
    session.add_all(factories.tree().values())
    session.commit()
    for name in ("out.csv", "out.xlsx"):
        exported = export_file(session, registry["organization"], tmp_path / name)
        receipt = import_file(session, registry["organization"], tmp_path / name)
        assert (receipt.new, receipt.changed, receipt.unchanged) == (0, 0, exported)


def test_exports_hold_no_formula(session: Session, tmp_path: Path) -> None:
    session.add(factories.organization(code="A", name="=HYPERLINK(1)"))
    session.commit()
    export_file(session, registry["organization"], tmp_path / "out.csv")
    assert "'=HYPERLINK(1)" in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")


def test_a_party_may_be_any_organization_as_in_the_form_and_one_party_has_to_be_ones_own(
    session: Session, write: Write
) -> None:
    own = factories.organization(code="A1", tier="branch")
    other = factories.organization(code="B1", name="别处党支部", tier="branch")
    session.add_all([own, other, factories.member(code="m", organization=own)])
    session.flush()
    for row in (own, other):
        row.path = f"/{row.id}/"
    session.commit()
    heading = ["name", "member_code", "kind", "from_organization_code", "to_organization_code"]
    with make_session(session.get_bind(), staff(own)) as secretary:
        path = write(heading, ["测试党员", "m", "within_city", "A1", "B1"])
        assert import_file(secretary, registry["membership_transfer"], path).new == 1
        secretary.rollback()
        by_name = write(heading, ["测试党员", "m", "within_city", "A1", "别处党支部"])
        assert import_file(secretary, registry["membership_transfer"], by_name).new == 1
        secretary.rollback()
        foreign = write(heading, ["他人", "", "incoming", "", "B1"])
        assert faults_of(secretary, "membership_transfer", foreign)
        elsewhere = write(["organization_code", "household", "visited_on"], ["B1", "某户", "2026-03-01"])
        assert [column for _, column, _ in faults_of(secretary, "visit", elsewhere)] == ["organization_code"]
