"""What follows from a declaration alone when a row is written: for any entity, also one declared while running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Mapped, relationship

from app.access.actor import system_actor
from app.database.base import Base
from app.database.encryption import keyring
from app.database.session import Session, make_session
from app.domains.organizations.models import Organization
from app.entity.code_lists import CodeList
from app.entity.faults import InvalidRow
from app.entity.fields import code, code_of, encrypted, hash_of, number, period, reference, text
from app.entity.labels import Label
from app.entity.normalization import normalized
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.visibility import Visibility
from tests import factories as make


class Colour(CodeList):
    RED = "red", "红", "Red"


@pytest.fixture(scope="module")
def hall() -> Iterator[type[Entity]]:
    """An entity that is declared while the program runs."""

    class Hall(Entity):
        __tablename__ = "bc_test_hall"
        __entity__ = EntityOptions(
            label=Label("场馆", "Hall"), visibility=Visibility.SUBTREE, title="name", group="records"
        )

        code: Mapped[str] = code("编号", "Code")
        organization_id: Mapped[int] = reference("organization", "党组织", "Organization")
        organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
        name: Mapped[str] = text("名称", "Name", 5)
        nickname: Mapped[str | None] = text("别名", "Nickname", 5)
        door: Mapped[str | None] = text("门号", "Door", 5, pattern=r"\d+", help=("只填数字", "Digits only"))
        colour: Mapped[Colour] = code_of(Colour, "颜色", "Colour", default=Colour.RED)
        seats: Mapped[int | None] = number("座位", "Seats")
        since: Mapped[str | None] = period("启用", "Since")
        phone: Mapped[str | None] = encrypted("电话", "Phone")
        phone_hash: Mapped[str | None] = hash_of("phone", unique=True)
        place: Mapped[str | None] = text("地点", "Place", 120, filled_from=("organization.name",))
        above: Mapped[str | None] = text(
            "上级", "Above", 120, editable=False, filled_from=("organization.parent.name", "organization.name")
        )

    registry.register(Hall)
    yield Hall
    registry.withdraw("test_hall")
    Base.metadata.remove(Hall.__table__)


@pytest.fixture
def session(hall: type[Entity], engine: Engine) -> Iterator[Session]:
    hall.__table__.create(engine)
    session = make_session(engine, system_actor("tests"))
    yield session
    session.close()


@pytest.fixture
def branch(session: Session) -> Organization:
    branch = make.organization(parent=make.organization(name="上级组织", tier="street"))
    session.add(branch)
    session.commit()
    return branch


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({}, {}),
        ({"name": None}, {"name": "不能为空"}),
        ({"name": " \u3000"}, {"name": "不能为空"}),
        ({"name": "六个字的名称"}, {"name": "最多 5 个字"}),
        ({"organization": None}, {"organization_id": "不能为空"}),
        ({"door": "12a"}, {"door": "“12a”格式不对：只填数字"}),
        ({"door": "１２"}, {}),
        ({"colour": "blue"}, {"colour": "没有“blue”这个选项；可以填：红"}),
        ({"colour": "red"}, {}),
        ({"since": "2026-9"}, {"since": "“2026-9”不是周期；请写 2026、2026H1、2026Q3 或 2026-09"}),
        ({"since": "2026Q3"}, {}),
    ],
)
def test_fields_are_checked_by_their_declaration(
    session: Session, hall: type[Entity], branch: Organization, values: dict, wrong: dict[str, str]
):
    session.add(hall(**{"organization": branch, "name": "礼堂", **values}))
    if not wrong:
        session.commit()
        return
    with pytest.raises(InvalidRow) as refused:
        session.commit()
    assert {field: label.zh for field, label in refused.value.by_field().items()} == wrong
    assert refused.value.status == 422
    field = next(iter(wrong))
    assert registry["test_hall"].fields[field].label.zh in str(refused.value), "the sentence names the field"


def test_a_stored_row_is_checked_when_it_is_changed(session: Session, hall: type[Entity], branch: Organization):
    row = hall(organization=branch, name="礼堂")
    session.add(row)
    session.commit()
    for field, value in {"name": "", "door": "x", "organization_id": None, "colour": None}.items():
        setattr(row, field, value)
        with pytest.raises(InvalidRow) as refused:
            session.commit()
        assert set(refused.value.by_field()) == {field}
        session.rollback()
        session.refresh(row)


def test_values_are_filled_in_from_elsewhere(session: Session, hall: type[Entity], branch: Organization):
    row = hall(organization_id=branch.id, name="礼堂")
    own = hall(organization=branch, name="礼堂", place="自己的地点", above="自己的上级")
    session.add_all([row, own])
    session.commit()
    assert (row.place, row.above) == (branch.name, "上级组织")
    assert (own.place, own.above) == ("自己的地点", "上级组织"), "what is not editable is not for people to set"
    top = hall(organization=make.organization(name="顶层"), name="礼堂")
    session.add(top)
    session.commit()
    assert top.above == "顶层", "the second path, where the first leads nowhere"


def test_hashes_follow_and_are_unique(session: Session, hall: type[Entity], branch: Organization):
    row = hall(organization=branch, name="礼堂", phone="１３９００００１１１１")
    session.add(row)
    session.commit()
    assert row.phone_hash == keyring().digest("13900001111")
    session.add(hall(organization=branch, name="二号", phone="13900001111"))
    with pytest.raises(InvalidRow) as refused:
        session.commit()
    assert set(refused.value.by_field()) == {"phone"}
    session.rollback()
    session.add_all([hall(organization=branch, name="三号"), hall(organization=branch, name="四号")])
    session.commit()  # any number of rows have none


def test_a_value_may_be_taken_over_from_a_row_that_is_deleted(
    session: Session, hall: type[Entity], branch: Organization
):
    row = hall(organization=branch, name="礼堂", code="A")
    session.add(row)
    session.commit()
    session.delete(row)
    session.flush()
    session.add(hall(organization=branch, name="新礼堂", code="A"))
    session.commit()


def test_what_others_refer_to_is_not_deleted(session: Session, hall: type[Entity], branch: Organization):
    row = hall(organization=branch, name="礼堂")
    session.add(row)
    session.commit()
    session.delete(branch)
    with pytest.raises(InvalidRow, match="场馆") as refused:
        session.commit()
    assert refused.value.status == 409


@given(st.text(max_size=40))
def test_normalizing_twice_changes_nothing(words: str):
    for strictly in (False, True):
        once = normalized(words, strictly=strictly)
        assert normalized(once, strictly=strictly) == once


@pytest.mark.parametrize(
    ("given_", "kept", "strictly"),
    [
        ("  ２０２６年Ａ楼 ", "2026年A楼", "2026年A楼"),
        ("学习（一）：要求，", "学习（一）：要求，", "学习(一):要求,"),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提", "阿卜杜拉·买买提"),
        ("a\u200bb\ufeff\x00", "ab", "ab"),
        ("第一行\n第二行", "第一行\n第二行", "第一行\n第二行"),
    ],
)
def test_texts_are_written_one_way(given_: str, kept: str, strictly: str):
    assert normalized(given_) == kept
    assert normalized(given_, strictly=True) == strictly
