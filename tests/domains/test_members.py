"""What members, posts and their numbers have to satisfy."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from stdnum.cn import ric

from app.database.clock import today
from app.database.encryption import keyring
from app.database.session import Session
from app.domains.members.checks import identity_number_faults
from app.domains.members.models import Member
from app.entity.faults import InvalidRow
from tests import factories as make

NUMBER = "11010519491231002X"
"""The example of GB 11643-1999."""


def faults(session: Session, row: object) -> set[str]:
    session.add(row)
    try:
        session.flush()
        return set()
    except InvalidRow as refused:
        return set(refused.by_field())
    finally:
        session.rollback()


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"id_no": NUMBER}, set()),
        ({"id_no": "11010519491231002x"}, set()),
        ({"id_no": " 110105 19491231 002X "}, set()),
        ({"id_no": "１１０１０５１９４９１２３１００２Ｘ"}, set()),
        ({"id_no": "110105194912310021"}, {"id_no"}),
        ({"id_no": "110105491231002"}, {"id_no"}),
        ({"id_no": "11010519490230002X"}, {"id_no"}),
        ({"id_no": "99010519491231002X"}, {"id_no"}),
        ({"id_no": NUMBER, "birth_date": date(1949, 12, 30)}, {"birth_date"}),
        ({"id_no": NUMBER, "gender": "1"}, {"gender"}),
        ({"id_no": NUMBER, "gender": "2"}, set()),
        ({"id_no": NUMBER, "gender": "9"}, set()),
        ({"birth_date": date(1992, 7, 2)}, {"joined_on"}),
        ({"birth_date": date(1992, 7, 1)}, set()),
        ({"joined_on": date(2020, 5, 1), "regularized_on": date(2021, 4, 30)}, {"regularized_on"}),
        ({"joined_on": date(2020, 5, 1), "regularized_on": date(2021, 5, 1)}, set()),
        ({"member_type": "probationary", "regularized_on": date(2021, 5, 1)}, {"regularized_on"}),
        ({"joined_on": today() + timedelta(days=1)}, {"joined_on"}),
        ({"joined_on": today()}, set()),
        ({"left_on": date(2009, 1, 1)}, {"left_on"}),
        ({"mobile": "13912345678"}, set()),
        ({"mobile": "１３９１２３４５６７８"}, set()),
        ({"mobile": "12912345678"}, {"mobile"}),
        ({"mobile": "021-54123456"}, {"mobile"}),
        ({"is_lost": True}, {"lost_on"}),
        ({"name": " "}, {"name"}),
        ({"name": None}, {"name"}),
        ({"fee_base": -1}, {"fee_base"}),
        ({"organization": None}, {"organization_id"}),
        ({"id_no": "1", "mobile": "1", "is_lost": True}, {"id_no", "mobile", "lost_on"}),
    ],
)
def test_what_a_member_has_to_satisfy(session: Session, values: dict, wrong: set[str]):
    assert faults(session, make.member(**values)) == wrong


@given(
    born=st.dates(date(1930, 1, 1), date(2005, 12, 31)),
    sequence=st.integers(0, 999),
    place=st.sampled_from(["310112", "310000", "650102", "810000"]),
)
def test_valid_numbers_pass_and_every_slip_of_a_digit_is_found(born: date, sequence: int, place: str):
    stem = f"{place}{born:%Y%m%d}{sequence:03d}"
    number = stem + ric.calc_check_digit(stem + "0")
    assert not list(identity_number_faults(number))
    for position in range(17):
        wrong = number[:position] + str((int(number[position]) + 1) % 10) + number[position + 1 :]
        assert list(identity_number_faults(wrong)), wrong


def test_birth_and_sex_follow_from_the_number(session: Session):
    member = make.member(id_no=NUMBER.lower())
    session.add(member)
    session.commit()
    assert (member.id_no, member.birth_date, member.gender) == (NUMBER, date(1949, 12, 31), "2")


def test_numbers_are_stored_encrypted_and_found_by_their_hash(session: Session):
    member = make.member(id_no=NUMBER, mobile="13912345678")
    session.add(member)
    session.commit()
    row = session.execute(text("SELECT id_no, id_no_hash, mobile, mobile_hash FROM bc_member")).one()
    assert NUMBER not in "".join(row)
    assert "13912345678" not in "".join(row)
    assert row.id_no_hash == keyring().digest(NUMBER)
    found = select(Member).where(Member.mobile_hash == keyring().digest("13912345678"))
    assert session.scalars(found).one() is member
    member.mobile = "13900000000"
    session.commit()
    assert session.scalars(found).first() is None, "the hash follows the number"
    member.mobile = ""
    session.commit()
    assert (member.mobile, member.mobile_hash) == (None, None)


def test_one_person_is_one_member(session: Session):
    first = make.member(id_no=NUMBER)
    session.add(first)
    session.commit()
    session.add(make.member(id_no=NUMBER.lower()))
    with pytest.raises(InvalidRow) as refused:
        session.commit()
    assert set(refused.value.by_field()) == {"id_no"}
    assert NUMBER not in str(refused.value), "other people's data is not repeated"
    session.rollback()
    first.name = "另一个名字"
    session.commit()


def test_dots_in_names_are_written_one_way(session: Session):
    members = [make.member(name=name) for name in ("买买提•阿不都", "买买提 · 阿不都", " 买买提・阿不都\u200b ")]
    session.add_all(members)
    session.commit()
    assert {member.name for member in members} == {"买买提·阿不都"}


def test_punctuation_and_rare_characters_stay(session: Session):
    member = make.member(name="𠮷野（党员）", employer="上海：演示，单位")
    session.add(member)
    session.commit()
    session.expire_all()
    assert (member.name, member.employer) == ("𠮷野（党员）", "上海：演示，单位")


def test_posts(session: Session):
    assert faults(session, make.post(started_on=date(2023, 5, 1), ended_on=date(2023, 4, 30))) == {"ended_on"}
    newcomer = make.member(member_type="probationary", joined_on=today() - timedelta(days=90))
    assert faults(session, make.post(member=newcomer)) == {"member_id"}
    gone = make.member(left_on=date(2025, 1, 1))
    assert faults(session, make.post(member=gone)) == {"member_id"}
    gone = make.member(left_on=date(2025, 1, 1))
    assert faults(session, make.post(member=gone, ended_on=date(2025, 1, 1))) == set()


def test_group_is_a_party_group(session: Session):
    branch = make.organization()
    assert faults(session, make.member(organization=branch, group=make.organization())) == {"group_id"}
    group = make.organization(org_type="group", tier="group")
    assert faults(session, make.member(organization=make.organization(), group=group)) == set()


def test_all_faults_of_all_rows_come_together(session: Session):
    good, bad, worse = make.member(), make.member(mobile="1"), make.member(id_no="2", is_lost=True)
    session.add_all([good, bad, worse])
    with pytest.raises(InvalidRow) as refused:
        session.flush()
    found = {row: {fault.field for fault in faults} for row, faults in refused.value.faults.items()}
    assert found == {bad: {"mobile"}, worse: {"id_no", "lost_on"}}
    session.rollback()
    assert session.scalars(select(Member)).all() == []
