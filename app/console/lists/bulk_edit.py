"""One change to many rows: tried out first, so that people see how many change before anything does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError

from app.entity.labels import Label, UserError
from app.entity.registry import Entity, EntityType

from ..columns import column_of, form_columns
from ..integrity import explain
from ..saving import TOO_LARGE, refused

MOST_ROWS = 1_000
"""Changed at once. More is an import's work, which has a receipt and can be undone."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one row: ``faults`` says why it cannot be changed."""

    row_id: int
    name: str
    before: tuple[Any, ...]
    """The values of the chosen columns as they are, as people read them."""
    differs: bool
    faults: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do to the chosen rows."""

    changes: list[Change] = field(default_factory=list)

    @property
    def changing(self) -> list[Change]:
        return [change for change in self.changes if change.differs and not change.faults]

    @property
    def unchanged(self) -> list[Change]:
        return [change for change in self.changes if not change.differs]

    @property
    def refused(self) -> list[Change]:
        return [change for change in self.changes if change.faults]


def bulk_columns(entity: EntityType) -> list[str]:
    """What can be the same in many rows: what people fill in, but for what is unique to a row or a person."""
    title = column_of(entity, entity.options.title)
    own = {*entity.options.natural_key, title} if len(entity.options.natural_key) == 1 else {title}
    return [
        column
        for column in form_columns(entity)
        if column in entity.relations
        or not (entity.fields[column].unique or entity.fields[column].options.personal or column in own)
    ]


def attribute_of(entity: EntityType, column: str) -> str:
    """The attribute that a form's column sets."""
    return entity.relations[column].column if column in entity.relations else column


def try_out(session: Any, entity: EntityType, rows: Sequence[Entity], values: dict[str, Any], read: Any) -> Preview:
    """What setting ``values`` (by column) would do to each row. Nothing of it stays, and the session is left empty.

    ``read(row, column)`` gives a value as people read it.
    """
    changes = []
    try:
        for row in rows:
            before = tuple(read(row, column) for column in values)
            name = str(row)
            differs = _differs(entity, row, values)
            faults = _faults(session, entity, row, values) if differs else ()
            changes.append(Change(row.id, name, before, differs, faults))
    finally:
        session.rollback()
    return Preview(changes)


def _differs(entity: EntityType, row: Entity, values: dict[str, Any]) -> bool:
    return any(getattr(row, attribute_of(entity, column)) != value for column, value in values.items())


def _faults(session: Any, entity: EntityType, row: Entity, values: dict[str, Any]) -> tuple[Label, ...]:
    try:
        with session.begin_nested():
            set_values(entity, row, values)
            session.flush()
    except UserError as error:
        return tuple(label for labels in refused(entity, error).faults.values() for label in labels)
    except IntegrityError as error:
        return tuple(label for labels in explain(entity, error).values() for label in labels)
    except DataError:
        return (TOO_LARGE,)
    return ()


def set_values(entity: EntityType, row: Entity, values: dict[str, Any]) -> None:
    """Set the chosen columns of a row, and nothing that is as it was."""
    for column, value in values.items():
        name = attribute_of(entity, column)
        if getattr(row, name) != value:
            setattr(row, name, value)
