"""A person's data handed out and erased, and keys rotated under concurrent writes."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import Engine, func, select, text

from app.access.actor import system_actor
from app.access.audit import AuditAction, AuditEvent
from app.database.encryption import keyring, load_keyring
from app.database.session import unit_of_work
from app.domains.members.models import Member
from app.domains.party_life.models import FeePayment
from app.entity import key_rotation
from app.entity.key_rotation import add_key, encrypt_anew, rows_under_other_keys
from app.entity.labels import UserError
from app.entity.registry import registry
from app.history.erasing import ERASED_NAME, erase_person, export_person
from app.history.reading import versions
from app.history.verifying import verify
from config import Settings
from tests import factories

ACTOR = system_actor("tests")
IDENTITY, MOBILE = "11010519491231002X", "13812348048"


def fill(engine: Engine) -> int:
    with unit_of_work(engine, ACTOR) as session:
        member = factories.member(name="王某某", id_no=IDENTITY, mobile=MOBILE, job="教师")
        session.add(member)
        session.flush()
        session.add(factories.fee_payment(member_id=member.id))
    return member.id


def test_a_persons_data_is_handed_out_whole_with_a_purpose(engine: Engine):
    key = fill(engine)
    with unit_of_work(engine, ACTOR) as session:
        member = session.get(Member, key)
        with pytest.raises(UserError):
            export_person(session, member, " ")
        document = export_person(session, member, "本人申请查阅")
    assert document["member"][0]["公民身份号码"] == IDENTITY
    assert len(document["fee_payment"]) == 1
    with unit_of_work(engine, ACTOR) as session:
        event = session.scalars(select(AuditEvent)).one()
        assert (event.action, event.purpose) == (AuditAction.PERSON_EXPORTED, "本人申请查阅")
        assert IDENTITY not in event.detail


def test_erasing_leaves_sums_and_a_whole_chain_and_nothing_personal(any_engine: Engine):
    key = fill(any_engine)
    with unit_of_work(any_engine, ACTOR) as session:
        due = session.scalar(select(func.sum(FeePayment.due)))
        erased = erase_person(session, session.get(Member, key), "本人申请删除")
        assert erased["member"] >= 5
    with unit_of_work(any_engine, ACTOR) as session:
        member = session.get(Member, key)
        assert (member.name, member.id_no, member.mobile, member.birth_date) == (ERASED_NAME, None, None, None)
        assert member.id_no_hash is None
        assert session.scalar(select(func.sum(FeePayment.due))) == due
        for version in versions(session, registry["member"], key):
            said = str(version.differences)
            assert not any(value in said for value in (IDENTITY, MOBILE, "王某某", "教师", "1949"))
        assert verify(session.connection()).faults == []
        assert (
            session.connection().execute(text("SELECT COUNT(*) FROM bc_person_key WHERE salt IS NOT NULL")).scalar()
            == 0
        )


def test_keys_are_rotated_while_others_write(
    any_database: Settings, any_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(key_rotation, "RELOAD_SECONDS", 0.05)
    monkeypatch.setattr("app.database.encryption.RELOAD_SECONDS", 0.02)
    load_keyring(any_database.data_dir, {})
    with unit_of_work(any_engine, ACTOR) as session:
        owner = factories.organization()
        session.add(owner)
        session.flush()
        members = [factories.member(organization_id=owner.id, mobile=f"138{number:08d}") for number in range(60)]
        session.add_all(members)
    done, problems = threading.Event(), []

    def write() -> None:
        turn = 0
        while not done.is_set():
            turn += 1
            try:
                with unit_of_work(any_engine, ACTOR) as session:
                    session.get(Member, members[turn % 60].id).mobile = f"139{turn:08d}"
            except BaseException as problem:
                problems.append(problem)
                return

    thread = threading.Thread(target=write)
    thread.start()
    try:
        old, new = add_key(any_database.data_dir)
        assert encrypt_anew(any_engine, keyring()) > 0  # others have written some under the new key themselves
    finally:
        done.set()
        thread.join()
    assert not problems
    assert (old, new) == ("k1", "k2")
    assert rows_under_other_keys(any_engine, new) == 0
    with unit_of_work(any_engine, ACTOR) as session:
        assert all(member.mobile for member in session.scalars(select(Member)))
    without = replace(keyring(), keys={new: keyring().keys[new]})
    with any_engine.connect() as connection:
        for stored in connection.execute(text("SELECT mobile FROM bc_member")).scalars():
            assert without.decrypt(stored).startswith("13")
