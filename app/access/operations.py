"""Running an operation on a row for somebody: the one way, for pages and API alike.

What is asked is asked here and not in each operation: that the row is seen (or, for operations on one's own records,
may be written), that what is referred to may be referred to, that the values are there and of their kind, and that the
row's state, read again under a lock, still allows it. The operation itself then acts for the whole system in that
person's name: receiving a transfer moves a member whom the receiving branch does not see yet. So an operation writes
only what follows from its row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session as OrmSession

from app.database.engine import as_committed
from app.database.session import unit_of_work
from app.entity.faults import InvalidRow
from app.entity.labels import UserError
from app.entity.operations import Operation, operations_of
from app.entity.registry import Field, FieldKind, registry
from app.entity.validation import value_faults

from .actor import Actor
from .errors import OutOfScope
from .permissions import Permission, class_name
from .predicates import Bounds, Purpose, predicate
from .scoped import scoped_table_of

TRIES = 3


class NoSuchRow(UserError):
    """The row is not there, or out of sight."""

    status = 404


class NotOffered(UserError):
    """The row's state does not allow it, or no longer."""

    status = 409


def permission_for(operation: Operation) -> Permission:
    """What one must be permitted in order to do it."""
    return Permission(operation.permission, class_name(operation.entity))


def perform(engine: Engine, actor: Actor, operation: Operation, key: int, values: dict[str, Any]) -> str:
    """Do it to the row with the id ``key``, in a transaction of its own; what the row is called.

    The caller has seen to the permission (``permission_for``). Raises NoSuchRow, NotOffered, OutOfScope, InvalidRow
    (faults by the names of what is asked, or of the row's fields) and whatever UserError the operation has.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            return _perform(engine, actor, operation, key, values)
        except IntegrityError as error:
            # Only what somebody else has just done can be in the way: everything else was checked before.
            if not tries_left:
                raise NotOffered(
                    "刚有他人办理了同一事项，本次没有办理。请刷新后再看。",
                    "Somebody else has just done the same; nothing was done. Reload the page to see.",
                ) from error
        except OperationalError:
            # Two that wait for each other's rows: the database has ended one of them, which is done once more.
            if not tries_left:
                raise
    raise AssertionError


def _perform(engine: Engine, actor: Actor, operation: Operation, key: int, values: dict[str, Any]) -> str:
    with unit_of_work(as_committed(engine), replace(actor, unrestricted=True, on_behalf=True)) as session:
        row = _locked(session, actor, operation, key)
        if not operation.offered(row):
            raise _not_offered(operation, row)
        operation.run(session, row, actor, **_checked(session, actor, operation, row, values))
        session.flush()
        return str(row)


def offered(session: OrmSession, actor: Actor, row: Any) -> Iterable[Operation]:
    """The operations that a row's state and the scope allow; which of them are permitted is the caller's to ask."""
    entity = registry.of(type(row))
    found = [each for each in operations_of(entity.code) if each.offered(row)] if entity else []
    known: dict[tuple[str, ...], bool] = {}
    for each in found:
        if each.on_own_rows and each.party not in known:
            known[each.party] = _is_own(session, actor, each, row)
    return [each for each in found if not each.on_own_rows or known[each.party]]


def _is_own(session: OrmSession, actor: Actor, operation: Operation, row: Any) -> bool:
    """Whether the row lies where the actor writes or, for the operation of one party, that party's organization."""
    if not operation.party:
        return within_reach(session, actor, operation.entity, row.id, Purpose.WRITE)
    ids = [number for number in (getattr(row, f"{name}_id") for name in operation.party) if number is not None]
    return within_reach(session, actor, "organization", ids[0], Purpose.WRITE) if ids else actor.unrestricted


def _not_offered(operation: Operation, row: Any) -> NotOffered:
    label = operation.label
    return NotOffered(
        f"“{row}”现在不能“{label.zh}”，可能刚被他人办理。请刷新后再看。",
        f"“{row}”: “{label.en}” is not possible now, perhaps somebody else has just acted. Reload the page to see.",
    )


def _locked(session: OrmSession, actor: Actor, operation: Operation, key: int) -> Any:
    entity = registry[operation.entity]
    statement = select(entity.model).where(entity.model.id == key).with_for_update()
    row = session.scalar(statement) if within_reach(session, actor, entity.code, key, Purpose.READ) else None
    if row is None:
        raise NoSuchRow("没有这条记录，或不在您的管理范围内。", "There is no such record, or you may not see it.")
    if operation.on_own_rows and not _is_own(session, actor, operation, row):
        raise OutOfScope.row(entity.code, entity.label)
    return row


def within_reach(session: OrmSession, actor: Actor, entity: str, key: int, purpose: Purpose) -> bool:
    """Whether a row lies where the actor reads, writes or refers."""
    table = scoped_table_of(entity)
    condition = None if actor.unrestricted else predicate(table, Bounds.of(actor), purpose)
    found = select(table.model.id).where(table.model.id == key)
    return session.scalar(found if condition is None else found.where(condition)) is not None


def _checked(
    session: OrmSession, actor: Actor, operation: Operation, row: Any, values: dict[str, Any]
) -> dict[str, Any]:
    """What was asked for, complete and each of its kind."""
    unknown = values.keys() - {field.name for field in operation.asks}
    if unknown:
        raise UserError(f"没有“{min(unknown)}”这一项", f"There is nothing called “{min(unknown)}” to give")
    given = {field.name: _value(field, values.get(field.name)) for field in operation.asks}
    faults = [fault for field in operation.asks for fault in value_faults(field, given[field.name])]
    if faults:
        raise InvalidRow({row: faults})
    for field in operation.asks:
        target, key = field.options.target, given[field.name]
        if target and key is not None and not within_reach(session, actor, target, key, Purpose.REFER):
            raise OutOfScope.reference(operation.entity, field.name, field.label)
    return given


def _value(field: Field, value: Any) -> Any:
    if value == "":
        value = None
    return False if value is None and field.kind is FieldKind.BOOLEAN else value
