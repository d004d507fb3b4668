"""Verifying the chain: goes over every batch, change and audit event, and says which were tampered with.

One of the named modules that read past the row scope: it reads hashes and ciphertext, and says numbers only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from app.access.audit import AuditEvent
from app.entity.labels import Label

from .chain import BEGINNING, change_hash, content_hash, event_hash, running_hash, seal_of
from .models import Batch, ChainHead, Operation, RecordedChange

MOST_FAULTS = 200
"""Faults that are listed; after so many the chain is broken beyond doubt."""
MOST_NAMED = 20
"""Faults whose words are kept with a result."""
AT_A_TIME = 2_000

_batches, _changes, _events, _head = (
    Batch.__table__,
    RecordedChange.__table__,
    AuditEvent.__table__,
    ChainHead.__table__,
)


@dataclass
class Verification:
    """What was looked at and what is wrong with it."""

    batches: int = 0
    changes: int = 0
    events: int = 0
    older_events: int = 0
    """Audit events from before the chain, which it does not cover."""
    first_no: int = 1
    """The first batch that is still there; those before were removed when their time was up."""
    last_no: int = 0
    last_seal: str = BEGINNING
    faults: list[Label] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.faults

    def said(self) -> str:
        """The result as an audit event keeps it: JSON with ``first``, ``last``, ``changes``, ``events``, ``seal``, the
        number of ``faults`` and of the first of them, in ``named``, the words in Chinese and English."""
        named = [(fault.zh, fault.en) for fault in self.faults[:MOST_NAMED]]
        said = {"first": self.first_no, "last": self.last_no, "changes": self.changes, "events": self.events}
        return orjson.dumps({**said, "seal": self.last_seal, "faults": len(self.faults), "named": named}).decode()


def verify(connection: Connection, progress: Callable[[int, int], None] = lambda _done, _total: None) -> Verification:
    """Verify everything. Reads in one transaction; memory does not grow with the history."""
    return _Verifier(connection, progress).run()


class _Verifier:
    def __init__(self, connection: Connection, progress: Callable[[int, int], None]) -> None:
        self.connection, self.progress = connection, progress
        self.found = Verification()

    def run(self) -> Verification:
        found = self.found
        head = self.connection.execute(select(_head)).one_or_none()
        pruned_no, previous = self._pruned()
        expected = pruned_no + 1
        found.first_no = expected
        # What the walk needs is read side by side, in the order of the batches' ids and of their places.
        for batches in self._chunks():
            ids = [batch.id for batch in batches]
            changes = self._grouped(_changes, ids)
            events = self._grouped(_events, ids)
            for batch in batches:
                if batch.chain_no != expected:
                    self._missing(expected, batch.chain_no)
                elif batch.previous_seal != previous:
                    self._fault(
                        f"批次 {batch.chain_no} 接不上前一批次：前一批次被改动、插入或调换",
                        f"batch {batch.chain_no} does not follow on the one before, which was changed or moved",
                    )
                if seal_of(batch) != batch.seal:
                    self._fault(
                        f"批次 {batch.chain_no} 的内容（时间、账号、来源或条数）被改动",
                        f"batch {batch.chain_no} was changed: its time, account, door or counts",
                    )
                self._contents(batch, changes.get(batch.id, []), events.get(batch.id, []))
                expected, previous = batch.chain_no + 1, batch.seal
                found.batches += 1
            self.progress(found.batches, head.chain_no if head else found.batches)
            if len(found.faults) > MOST_FAULTS:
                break
        found.last_no, found.last_seal = expected - 1, previous
        if head is not None and (head.chain_no, head.seal) != (expected - 1, previous):
            self._fault(
                f"链条末端应为批次 {head.chain_no}，实际止于 {expected - 1}：末尾的批次被删除或改动",
                f"the chain should end with batch {head.chain_no} but ends with {expected - 1}: the last were removed "
                "or changed",
            )
        self._strays(head.first_event_id if head else 0)
        return found

    def _fault(self, zh: str, en: str) -> None:
        self.found.faults.append(Label(zh, en))

    def _missing(self, first: int, found: int) -> None:
        if found > first:
            zh, en = (f"{first}", f"{first}") if found == first + 1 else (f"{first} 至 {found - 1}",) * 2
            self._fault(f"批次 {zh} 被删除", f"batch {en.replace(' 至 ', ' to ')} was removed")
        else:
            self._fault(f"批次 {found} 重复或调换", f"batch {found} stands twice or was moved")

    def _contents(self, batch: Any, changes: list[Any], events: list[Any]) -> None:
        running, places = running_hash(), []
        for row in changes:
            own = change_hash(*row[:-1])
            if own != row.row_hash:
                self._fault(
                    f"变更记录 {batch.chain_no}-{row.place}（{row.entity} {row.row_id}）被改动",
                    f"change {batch.chain_no}-{row.place} ({row.entity} {row.row_id}) was changed",
                )
            running.update(row.row_hash.encode())
            places.append(row.place)
        self._places(batch, places, batch.change_count, "变更记录", "change")
        running_events, event_places = running_hash(), []
        for row in events:
            if event_hash(row) != row.row_hash:
                self._fault(
                    f"审计记录 {row.id}（{row.action}）被改动", f"audit event {row.id} ({row.action}) was changed"
                )
            running_events.update((row.row_hash or "").encode())
            event_places.append(row.place)
        self._places(batch, event_places, batch.event_count, "审计记录", "audit event")
        if content_hash(running, running_events) != batch.content_hash:
            self._fault(
                f"批次 {batch.chain_no} 的记录与封存时不一致",
                f"batch {batch.chain_no}: its records are not those that were sealed",
            )
        self.found.changes += len(changes)
        self.found.events += len(events)

    def _places(self, batch: Any, places: list[int], count: int, zh: str, en: str) -> None:
        wanted = set(range(1, count + 1))
        for place in sorted(wanted - set(places)):
            self._fault(f"{zh} {batch.chain_no}-{place} 被删除", f"{en} {batch.chain_no}-{place} was removed")
        for place in sorted(set(places) - wanted):
            self._fault(f"{zh} {batch.chain_no}-{place} 是插入的", f"{en} {batch.chain_no}-{place} was inserted")

    def _chunks(self) -> Iterator[list[Any]]:
        last = -1
        while True:
            statement = (
                select(_batches).where(_batches.c.chain_no > last).order_by(_batches.c.chain_no).limit(AT_A_TIME)
            )
            rows = self.connection.execute(statement).all()
            if not rows:
                return
            # Big batches are taken by themselves, so that no more than some thousand changes are in memory at once.
            part: list[Any] = []
            size = 0
            for row in rows:
                if part and size + row.change_count > AT_A_TIME * 5:
                    yield part
                    part, size = [], 0
                part.append(row)
                size += row.change_count
            yield part
            last = rows[-1].chain_no

    def _grouped(self, table: Any, ids: list[int]) -> dict[int, list[Any]]:
        statement = select(table).where(table.c.batch_id.in_(ids)).order_by(table.c.batch_id, table.c.place)
        rows = self.connection.execute(statement)
        return {batch_id: list(group) for batch_id, group in groupby(rows, key=lambda row: row.batch_id)}

    def _pruned(self) -> tuple[int, str]:
        """Up to which batch the history was removed when its time was up, and its seal: as the latest record of it
        says, which the walk verifies with the batch that holds it. What was removed has to be gone."""
        statement = (
            select(_changes.c.changes, _batches.c.chain_no)
            .join(_batches, _batches.c.id == _changes.c.batch_id)
            .where(_changes.c.entity == "", _changes.c.operation == Operation.PRUNED.value)
        )
        through, seal, holder = 0, BEGINNING, 1
        for said, chain_no in self.connection.execute(statement):
            read = orjson.loads(said)
            if read["through"] > through:
                through, seal, holder = read["through"], read["seal"], chain_no
        there = self.connection.scalar(select(func.min(_batches.c.chain_no)))
        if through and (holder <= through or there <= through):
            self._fault(
                f"批次 {there} 早于到期清理的界限（{through}）却仍在：清理的记录或批次是插入的",
                f"batch {there} lies before what was removed by age (up to {through}) and is there: it, or the record "
                "of the removal, was inserted",
            )
            return 0, BEGINNING
        return through, seal

    def _strays(self, first_event_id: int) -> None:
        """Changes and events that belong to no batch."""
        statement = (
            select(_changes.c.batch_id, _changes.c.place, _changes.c.entity, _changes.c.row_id)
            .where(~select(_batches.c.id).where(_batches.c.id == _changes.c.batch_id).exists())
            .limit(MOST_FAULTS)
        )
        for row in self.connection.execute(statement):
            self._fault(
                f"变更记录（{row.entity} {row.row_id}）不属于任何批次，是插入的，或其批次被删除",
                f"a change ({row.entity} {row.row_id}) belongs to no batch: it was inserted, or its batch removed",
            )
        batch_is_there = select(_batches.c.id).where(_batches.c.id == _events.c.batch_id).exists()
        statement = (
            select(_events.c.id)
            .where(_events.c.id > first_event_id, _events.c.batch_id.is_(None) | ~batch_is_there)
            .limit(MOST_FAULTS)
        )
        for number in self.connection.scalars(statement):
            self._fault(
                f"审计记录 {number} 不属于任何批次，是插入的",
                f"audit event {number} was inserted: no batch has it",
            )
        older = select(_events.c.id).where(_events.c.id <= first_event_id, _events.c.batch_id.is_(None))
        self.found.older_events = len(self.connection.scalars(older).all())
