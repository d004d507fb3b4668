"""Removing what is older than the retention, so that what stays can still be verified.

The oldest batches go, whole and without a gap, changes and audit events with them. In the same transaction a record of
it (``Operation.PRUNED``: up to which batch, and that batch's seal) takes its place at the end of the chain: verifying
begins behind it, and finds whatever was removed by anybody else.

One of the named modules that work past the row scope: it removes by age and shows nothing.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from app.access.actor import system_actor
from app.access.audit import AuditEvent
from app.database.session import unit_of_work

from .models import Batch, ChainHead, Operation, RecordedChange
from .recording import record_by_system

AT_ONCE = 1_000
"""Batches of one transaction; an import is one batch, however many rows it has."""

_batches, _changes, _events = Batch.__table__, RecordedChange.__table__, AuditEvent.__table__
_head = ChainHead.__table__


def prune(engine: Engine, before: datetime) -> int:
    """Remove all batches before the first one of this moment or later; how many. The last of all stays."""
    with engine.connect() as connection:
        later = select(func.min(_batches.c.chain_no)).where(_batches.c.happened_at >= before)
        # Found once: the record of each removal is a batch itself.
        kept_from = connection.scalar(later) or connection.scalar(select(func.max(_batches.c.chain_no))) or 0
    count = 0
    while True:
        with unit_of_work(engine, system_actor("prune")) as session:
            removed = _prune_some(session, kept_from, before)
        if not removed:
            return count
        count += removed


def _prune_some(session: Session, kept_from: int, before: datetime) -> int:
    connection = session.connection()
    going = connection.execute(
        select(_batches.c.id, _batches.c.chain_no, _batches.c.seal)
        .where(_batches.c.chain_no < kept_from)
        .order_by(_batches.c.chain_no)
        .limit(AT_ONCE)
    ).all()
    if not going:
        return 0
    last = going[-1]
    own = select(_batches.c.id).where(_batches.c.chain_no <= last.chain_no)
    for table in (_changes, _events):
        connection.execute(delete(table).where(table.c.batch_id.in_(own)))
    first_event = select(_head.c.first_event_id).scalar_subquery()
    older = (_events.c.batch_id.is_(None), _events.c.id <= first_event, _events.c.happened_at < before)
    connection.execute(delete(_events).where(*older))
    connection.execute(delete(_batches).where(_batches.c.chain_no <= last.chain_no))
    record_by_system(session, Operation.PRUNED, {"through": last.chain_no, "seal": last.seal})
    return len(going)
