"""Writing rows for pages and API, and what to say when the database or a rule refuses.

Every refusal becomes a ``NotSaved`` with words for people: by field where one is to blame, else for the whole record.
Nothing of a refused write stays in the session.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, inspect, select
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError

from app.entity.faults import InvalidRow
from app.entity.labels import Label, UserError
from app.entity.registry import Entity, EntityType

from .integrity import explain, is_refusal
from .menu import forget_counts

WHOLE = ""
"""The key of what is said of the whole record."""


class NotSaved(UserError):
    """A write that was refused. ``faults``: by view column or ``WHOLE``; ``status``: the API's answer."""

    def __init__(self, faults: dict[str, list[Label]], status: int = 422) -> None:
        first = next(iter(faults.values()))[0]
        super().__init__(first.zh, first.en)
        self.faults, self.status = faults, status


class LostUpdate(NotSaved):
    """Somebody else changed the row in the meantime. 409; the API says 412 where an ``If-Match`` was given."""

    def __init__(self) -> None:
        super().__init__({WHOLE: [CHANGED]}, 409)


def check_revision(row: Entity, revision: int | None) -> None:
    """Raises LostUpdate unless the row still is the revision that a form or program has seen; None asks nothing. A
    change between this check and the write is found by the session, and refused alike."""
    if revision is not None and row.revision != revision:
        raise LostUpdate


def save(session: Any, entity: EntityType, row: Entity) -> None:
    """Store a row that is new or was changed. Raises NotSaved."""
    commit_change(session, entity, lambda: session.add(row), [row])


def save_all(session: Any, entity: EntityType, rows: Sequence[Entity]) -> None:
    """Store rows that were changed, all of them or none. Raises NotSaved."""
    commit_change(session, entity, lambda: session.add_all(rows), rows)


def remove(session: Any, entity: EntityType, rows: list[Entity]) -> None:
    """Delete rows, all of them or none. Raises NotSaved."""

    def delete() -> None:
        for row in rows:
            session.delete(row)

    commit_change(session, entity, delete, rows, deleting=True)


def refused(entity: EntityType, error: UserError) -> NotSaved:
    """A rule's refusal as faults of this entity's form."""
    if isinstance(error, NotSaved):
        return error
    if isinstance(error, InvalidRow):
        return NotSaved(_by_column(entity, error), error.status)
    name = getattr(error, "field", None)
    column = _column(entity, name) if getattr(error, "entity", entity.code) == entity.code else WHOLE
    return NotSaved({column: [error.label]}, getattr(error, "status", 422))


def _by_column(entity: EntityType, error: InvalidRow) -> dict[str, list[Label]]:
    """The faults of the row at its columns; what is wrong with rows that go with it is said of the whole."""
    faults: dict[str, list[Label]] = {}
    for row, found in error.faults.items():
        own = type(row) is entity.model and error.status != 409
        for fault in found:
            column = _column(entity, fault.field) if own else WHOLE
            faults.setdefault(column, []).append(fault.label)
    return faults


def _column(entity: EntityType, name: str | None) -> str:
    if not name:
        return WHOLE
    if name in entity.relations or (name in entity.fields and not name.endswith("_id")):
        return name
    relation = name.removesuffix("_id")
    return relation if relation in entity.relations else WHOLE


def commit_change(
    session: Any, entity: EntityType, change: Any, rows: Iterable[Entity] = (), *, deleting: bool = False
) -> None:
    """Make a change and commit it, all of it or nothing. ``rows``: those that somebody else may be changing too.
    Raises NotSaved."""
    try:
        change()
        session.commit()
        forget_counts()
    except UserError as error:
        session.rollback()
        raise refused(entity, error) from error
    except (IntegrityError, OperationalError) as error:
        session.rollback()
        if not is_refusal(error):
            raise
        raise NotSaved(explain(entity, error, deleting=deleting), 409 if deleting else 422) from error
    except DataError as error:
        session.rollback()
        raise NotSaved({WHOLE: [TOO_LARGE]}) from error
    except StaleDataError as error:
        session.rollback()
        raise (LostUpdate() if _are_there(session, entity, rows) else NotSaved({WHOLE: [GONE]}, 404)) from error
    except BaseException:
        session.rollback()
        raise


TOO_LARGE = Label("有的值太大，数据库存不下。", "A value is too large for the database.")


def _are_there(session: Any, entity: EntityType, rows: Iterable[Entity]) -> bool:
    keys = [inspect(row).identity[0] for row in rows if inspect(row).identity]
    found = session.scalar(select(func.count(entity.model.id)).where(entity.model.id.in_(keys)))
    return found == len(keys)


CHANGED = Label(
    "您打开之后，这条记录已被他人修改，本次没有保存。请核对下面的内容；再次保存将以您填写的为准。",
    "Somebody else has changed this record since you opened it; nothing was saved. Compare below; saving again "
    "writes what you entered.",
)
GONE = Label("这条记录刚被他人删除。", "Somebody else has just deleted this record.")
