"""The chain: nothing forks it, nothing is left out of it, and whatever is tampered with is named."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from app.access.actor import system_actor
from app.access.audit import AuditAction, AuditEvent, record
from app.database.clock import now
from app.database.session import make_session, unit_of_work
from app.entity.registry import registry
from app.history import chain, pruning
from app.history.models import Batch, RecordedChange
from app.history.pruning import prune
from app.history.recording import record_changes
from app.history.verifying import Verification, verify
from tests import factories

ACTOR = system_actor("tests")
changes, batches, events = RecordedChange.__table__, Batch.__table__, AuditEvent.__table__


def verified(engine: Engine) -> Verification:
    with engine.connect() as connection:
        return verify(connection)


def fill(engine: Engine, count: int = 4) -> None:
    """Some transactions, each with changes and an audit event."""
    for number in range(count):
        with unit_of_work(engine, ACTOR) as session:
            row = factories.organization()
            session.add(row)
            session.flush()
            row.name = f"第 {number} 支部"
            record(session, ACTOR, AuditAction.REVEALED, entity="organization", row_id=row.id, purpose="核对")
            record(session, ACTOR, AuditAction.UNLOCKED)


def test_what_was_not_tampered_with_is_whole(any_engine: Engine):
    assert verified(any_engine).is_whole
    fill(any_engine)
    found = verified(any_engine)
    assert found.faults == []
    assert (found.batches, found.changes, found.events) == (4, 8, 8)


def test_a_transaction_that_is_rolled_back_leaves_nothing(any_engine: Engine):
    session = make_session(any_engine, ACTOR)
    session.add(factories.organization())
    session.flush()
    session.rollback()
    session.add(kept := factories.organization())
    with session.begin_nested() as savepoint:
        session.add(factories.organization())
        session.flush()
        savepoint.rollback()
    kept.name = "保存点之后"
    session.commit()
    session.close()
    found = verified(any_engine)
    assert found.faults == []
    assert (found.batches, found.changes) == (1, 2)


def test_eight_writers_at_once_make_one_chain(any_engine: Engine):
    """Each saves ten times, now and then two rows in the other order; nobody forks the chain or waits for ever."""
    problems: list[BaseException] = []
    with unit_of_work(any_engine, ACTOR) as session:
        rows = [factories.organization() for _ in range(8)]
        session.add_all(rows)
        session.flush()
        ids = [row.id for row in rows]
    model = registry["organization"].model

    def write(number: int) -> None:
        try:
            for turn in range(10):
                with unit_of_work(any_engine, ACTOR) as session:
                    session.get(model, ids[number]).name = f"{number}-{turn}"
                    session.add(factories.organization(code=f"W{number}-{turn}"))
                    record(session, ACTOR, AuditAction.UNLOCKED)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=90)
    assert not problems, problems[0]
    assert not any(thread.is_alive() for thread in threads)
    found = verified(any_engine)
    assert found.faults == []
    assert (found.batches, found.changes, found.events) == (81, 168, 80)


def test_bulk_changes_are_sealed_with_the_rest(any_engine: Engine):
    entity = registry["organization"]
    with unit_of_work(any_engine, ACTOR) as session:
        session.add(factories.organization())
        session.flush()
        rows = ((number, 2, {"name": "旧"}, {"name": f"新{number}", "tier": None}) for number in range(1, 6001))
        assert record_changes(session, entity, rows) == 6000
        assert record_changes(session, entity, [(1, 3, {"name": "同"}, {"name": "同"})]) == 0
    found = verified(any_engine)
    assert found.faults == []
    assert (found.batches, found.changes) == (1, 6001)


# --- tampering ---

Tamper = Callable[[Connection], None]


def _batch(connection: Connection, number: int) -> int:
    return connection.execute(select(batches.c.id).where(batches.c.chain_no == number)).scalar_one()


def change_values(connection: Connection) -> None:
    connection.execute(update(changes).where(changes.c.batch_id == _batch(connection, 2), changes.c.place == 2)
                       .values(changes='{"name":["a","b"]}'))  # fmt: skip


def change_values_and_hash(connection: Connection) -> None:
    change_values(connection)
    connection.execute(update(changes).where(changes.c.batch_id == _batch(connection, 2), changes.c.place == 2)
                       .values(row_hash="f" * 64))  # fmt: skip


def remove_change(connection: Connection) -> None:
    connection.execute(delete(changes).where(changes.c.batch_id == _batch(connection, 3), changes.c.place == 1))


def insert_change(connection: Connection) -> None:
    row = connection.execute(select(changes).where(changes.c.batch_id == _batch(connection, 1))).mappings().first()
    connection.execute(insert(changes).values({**row, "place": 9}))


def insert_stray(connection: Connection) -> None:
    row = connection.execute(select(changes).where(changes.c.batch_id == _batch(connection, 1))).mappings().first()
    connection.execute(insert(changes).values({**row, "batch_id": 77}))


def reorder_changes(connection: Connection) -> None:
    batch_id = _batch(connection, 2)
    for before, after in ((1, 50), (2, 1), (50, 2)):
        connection.execute(
            update(changes).where(changes.c.batch_id == batch_id, changes.c.place == before).values(place=after)
        )


def change_account(connection: Connection) -> None:
    connection.execute(update(batches).where(batches.c.chain_no == 2).values(actor_name="somebody else"))


def change_time(connection: Connection) -> None:
    row = connection.execute(select(batches.c.happened_at).where(batches.c.chain_no == 2)).scalar_one()
    connection.execute(update(batches).where(batches.c.chain_no == 2).values(happened_at=row - timedelta(days=1)))


def remove_batch(connection: Connection) -> None:
    batch_id = _batch(connection, 2)
    connection.execute(delete(changes).where(changes.c.batch_id == batch_id))
    connection.execute(delete(events).where(events.c.batch_id == batch_id))
    connection.execute(delete(batches).where(batches.c.id == batch_id))


def remove_last_batch(connection: Connection) -> None:
    batch_id = _batch(connection, 4)
    connection.execute(delete(changes).where(changes.c.batch_id == batch_id))
    connection.execute(delete(events).where(events.c.batch_id == batch_id))
    connection.execute(delete(batches).where(batches.c.id == batch_id))


def swap_batches(connection: Connection) -> None:
    for before, after in ((2, 90), (3, 2), (90, 3)):
        connection.execute(update(batches).where(batches.c.chain_no == before).values(chain_no=after))


def change_event(connection: Connection) -> None:
    connection.execute(update(events).where(events.c.id == 3).values(purpose="别的用途"))


def remove_event(connection: Connection) -> None:
    connection.execute(delete(events).where(events.c.id == 3))


def insert_event(connection: Connection) -> None:
    row = connection.execute(select(events).where(events.c.id == 2)).mappings().first()
    connection.execute(insert(events).values({**row, "id": 500, "batch_id": None, "place": None, "row_hash": None}))


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (change_values, "变更记录 2-2"),
        (change_values_and_hash, "变更记录 2-2"),
        (remove_change, "变更记录 3-1 被删除"),
        (insert_change, "变更记录 1-9 是插入的"),
        (insert_stray, "不属于任何批次"),
        (reorder_changes, "变更记录 2-1"),
        (change_account, "批次 2 的内容"),
        (change_time, "批次 2 的内容"),
        (remove_batch, "批次 2 被删除"),
        (remove_last_batch, "止于 3"),
        (swap_batches, "批次 2"),
        (change_event, "审计记录 3"),
        (remove_event, "审计记录 2-1 被删除"),
        (insert_event, "审计记录 500"),
    ],
)
def test_tampering_is_found_and_named(engine: Engine, tamper: Tamper, named: str):
    fill(engine)
    with engine.begin() as connection:
        tamper(connection)
    found = verified(engine)
    assert any(named in fault.zh for fault in found.faults), [fault.zh for fault in found.faults]
    assert all(fault.en for fault in found.faults)


# --- retention ---


def _later(engine: Engine, numbers: int, days: int) -> None:
    """Add batches on a later day."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "now", lambda: now() + timedelta(days=days))
        fill(engine, numbers)


def test_after_pruning_what_stays_is_whole(any_engine: Engine):
    fill(any_engine, 3)
    _later(any_engine, 2, 20)
    assert prune(any_engine, now() + timedelta(days=10)) == 3
    found = verified(any_engine)
    assert found.faults == []
    assert (found.first_no, found.last_no, found.batches) == (4, 6, 3)
    assert found.events == 4
    with any_engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(changes)) == 5
    assert prune(any_engine, now() + timedelta(days=10)) == 0


def test_pruning_again_begins_where_it_ended_and_leaves_the_last(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pruning, "AT_ONCE", 2)
    fill(engine, 5)
    assert prune(engine, now() + timedelta(days=1)) == 4
    fill(engine, 2)
    found = verified(engine)
    assert found.faults == []
    with engine.connect() as connection:
        there = set(connection.scalars(select(batches.c.chain_no)))
    assert there == set(range(found.first_no, found.last_no + 1))


def _record_of_pruning(connection: Connection, batch_id: int, through: int) -> None:
    seal = connection.scalar(select(batches.c.seal).where(batches.c.chain_no == through))
    row = {"batch_id": batch_id, "place": 9, "entity": "", "row_id": 0, "revision": 0, "operation": "pruned"}
    said = f'{{"through":{through},"seal":"{seal}"}}'
    connection.execute(insert(changes).values(**row, changes=said, row_hash=""))


def remove_more(connection: Connection) -> None:
    connection.execute(delete(batches).where(batches.c.chain_no == 4))


def claim_pruning_in_the_last_batch(connection: Connection) -> None:
    _record_of_pruning(connection, _batch(connection, 6), 5)
    connection.execute(delete(batches).where(batches.c.chain_no <= 5))


def claim_pruning_in_a_batch_before(connection: Connection) -> None:
    _record_of_pruning(connection, _batch(connection, 4), 5)
    connection.execute(update(batches).where(batches.c.chain_no == 5).values(actor_name="somebody else"))


def change_seal_of_pruning(connection: Connection) -> None:
    connection.execute(update(changes).where(changes.c.operation == "pruned")
                       .values(changes='{"through":3,"seal":"00"}'))  # fmt: skip


def insert_before_pruning(connection: Connection) -> None:
    row = connection.execute(select(batches).where(batches.c.chain_no == 4)).mappings().one()
    connection.execute(insert(batches).values({**row, "id": 5, "chain_no": 3}))


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (remove_more, "批次 4 被删除"),
        (claim_pruning_in_the_last_batch, "6-9 是插入的"),
        (claim_pruning_in_a_batch_before, "却仍在"),
        (change_seal_of_pruning, "变更记录 6-1"),
        (insert_before_pruning, "却仍在"),
    ],
)
def test_tampering_after_pruning_is_found_and_named(engine: Engine, tamper: Tamper, named: str):
    fill(engine, 3)
    _later(engine, 2, 20)
    prune(engine, now() + timedelta(days=10))
    with engine.begin() as connection:
        tamper(connection)
    faults = [fault.zh for fault in verified(engine).faults]
    assert any(named in fault for fault in faults), faults
