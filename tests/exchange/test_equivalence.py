"""Rows out of files are checked fast, and told exactly what a form would tell them."""

from __future__ import annotations

import hmac
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from app.access.actor import system_actor
from app.database.encryption import Keyring
from app.database.engine import make_engine
from app.database.session import Session, make_session
from app.database.sm3 import hmac_sm3, sm3
from app.entity import normalization
from app.entity.labels import Label, UserError
from app.entity.normalization import normalized
from app.entity.registry import EntityType, Field, FieldKind, registry
from app.entity.related import Related
from app.entity.validation import check_row, quick_test_of, value_faults
from app.exchange.cells import longest_of, value_of
from app.exchange.files import write_table
from app.exchange.rows import reader_of
from app.exchange.stand_ins import stand_in
from tests import factories

COPIED_IN = [entity.code for entity in registry if entity.options.copied_in]
TEXTS = ["", " 张三 ", "ＡＢ１２", "阿里木·买买提", "阿里木•买买提", "a\u200bb", "二\u3000三", "长" * 300, "7"]
NUMBERS = ["11010519491231002X", "110105194912310021", "110105491231002", "13912345678", "1391234567", " 1391234 5678"]
DAYS = [date(1949, 12, 31), date(1968, 1, 1), date(1969, 1, 1), date(2020, 2, 29), date(2026, 7, 1), date(2199, 1, 1)]
PERIODS = ["2026", "2026H1", "2026Q3", "2026-09", "２０２６", "2026-13", "soon"]


@pytest.fixture(scope="module")
def stored(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session that sees an organization and a member, each with the id 1."""
    path = tmp_path_factory.mktemp("equivalence") / "beacon.db"
    shutil.copyfile(migrated_file, path)
    engine = make_engine(f"sqlite:///{path}")
    session = make_session(engine, system_actor("tests"))
    session.add(factories.member(organization=factories.organization()))
    session.commit()
    yield session
    session.close()
    engine.dispose()


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """Sound and wrong values of a field, as cells and forms give them; None is an empty one."""
    match field.kind:
        case FieldKind.CODE:
            found: list[Any] = [*(field.code_list or ()), "nonsense"]
        case FieldKind.BOOLEAN:
            found = [True, False]
        case FieldKind.DATE:
            found = DAYS
        case FieldKind.PERIOD:
            found = PERIODS
        case FieldKind.INTEGER:
            found = [-1, 0, 3]
        case FieldKind.DECIMAL:
            found = [Decimal("-0.01"), Decimal(0), Decimal("4500.50")]
        case FieldKind.ENCRYPTED:
            found = NUMBERS
        case FieldKind.REFERENCE:
            found = [1, 99]
        case _:
            found = [*TEXTS, *PERIODS]
    return st.sampled_from([None, *found])


def rows_of(entity: EntityType) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {}, optional={name: values_of(field) for name, field in entity.fields.items() if field.options.editable}
    )


def faults_of(entity: EntityType, row: Any, session: Session) -> list[tuple[str, Label]]:
    try:
        return [(fault.field, fault.label) for fault in check_row(entity, row, Related(session, ()))]
    except UserError as refusal:
        return [("", refusal.label)]


@pytest.mark.parametrize("code", COPIED_IN)
def test_a_row_out_of_a_file_is_checked_and_completed_like_one_from_a_form(code: str, stored: Session) -> None:
    entity = registry[code]
    names = [*entity.fields, *entity.hidden_fields]

    @settings(max_examples=30)
    @given(rows_of(entity))
    def check(values: dict[str, Any]) -> None:
        given_ = {name: value for name, value in values.items() if value is not None}
        fast, usual = stand_in(entity, given_), entity.model(**given_)
        with stored.no_autoflush:
            assert faults_of(entity, fast, stored) == faults_of(entity, usual, stored)
        # A code that nobody declared is made up by default: two rows have two of them.
        kept = [name for name in names if name != "code" or "code" in given_]
        assert [getattr(fast, name) for name in kept] == [getattr(usual, name) for name in kept]

    check()


def test_a_quick_test_passes_nothing_that_is_wrong() -> None:
    passed = 0
    for entity in registry:
        for field in (*entity.fields.values(), *entity.hidden_fields.values()):
            test = quick_test_of(field)
            for value in _pool(field):
                if test(value):
                    passed += 1
                    assert list(value_faults(field, value)) == [], (entity.code, field.name, value)
    assert passed > 1000


def _pool(field: Field) -> list[Any]:
    match field.kind:
        case FieldKind.CODE:
            return [*(field.code_list or ()), "nonsense", ""]
        case FieldKind.PERIOD:
            return [*PERIODS, ""]
        case FieldKind.TEXT | FieldKind.LONG_TEXT | FieldKind.ENCRYPTED:
            limit = field.maximum_length or 10
            return [*TEXTS, *NUMBERS, *PERIODS, "a" * limit, "a" * (limit + 1)]
        case FieldKind.DATE:
            return DAYS
        case _:
            return [0, 1, True, False]


@given(st.text(max_size=20) | st.text("ab１ＡB·•一龥鿿 ～~-\u3000\u200b\t", max_size=12))
def test_plain_texts_come_out_the_same_by_the_short_way(text: str) -> None:
    for strictly in (False, True):
        short = normalized(text, strictly=strictly)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(normalization, "_PLAIN", normalization.re.compile(r"(?!)"))
            assert short == normalized(text, strictly=strictly)


def test_the_keyed_hash_is_hmac_sm3() -> None:
    ring = Keyring.generate()
    assert ring.digest(" 11010519491231002x ") == hmac.new(ring.hash_key, b"11010519491231002X", "sm3").hexdigest()
    for key in (b"", b"k" * 64, b"k" * 65):
        assert hmac_sm3(key, b"text") == hmac.digest(key, b"text", "sm3")
    assert (
        sm3(b"abc").hexdigest() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )  # the standard's


@pytest.mark.parametrize("code", ["member", "meeting", "observation"])
def test_texts_are_read_alike_the_short_way(code: str) -> None:
    entity = registry[code]
    for field in entity.fields.values():
        if longest_of(field) is None:
            continue
        read = reader_of(entity, field)
        for cell in [*TEXTS, *NUMBERS, "'=1+1", "'a", "'", "a" * 41, "长" * 61, "   ", None, 7.0, 1.5]:
            assert told(read, cell) == told(lambda cell, field=field: value_of(field, cell), cell), (field.name, cell)


def told(read: Callable[[Any], Any], cell: Any) -> Any:
    try:
        return read(cell)
    except UserError as refusal:
        return refusal.label


def test_days_have_the_numbers_that_xlsxwriter_gives_them(tmp_path: Path) -> None:
    days = [date(1900, 1, 1), date(1900, 2, 28), date(1900, 3, 1), *DAYS]
    write_table(tmp_path / "ours.xlsx", ["日期"], [[day] for day in days])
    with xlsxwriter.Workbook(str(tmp_path / "theirs.xlsx")) as workbook:
        sheet = workbook.add_worksheet()
        for row, day in enumerate(days, start=1):
            sheet.write_datetime(row, 0, day)
    numbers = [
        re.findall(r"<v>(\d+)</v>", zipfile.ZipFile(tmp_path / name).read("xl/worksheets/sheet1.xml").decode())
        for name in ("ours.xlsx", "theirs.xlsx")
    ]
    assert numbers[0][-len(days) :] == numbers[1] != []
