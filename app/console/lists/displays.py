"""How a list can be seen besides as a table: as a calendar of a date, as a board of its states.

Both follow from the declaration: the calendar from the date fields (``dated_by`` first), the board from
``EntityType.state``. What the reader may not see is not offered.
"""

from __future__ import annotations

from app.access.field_access import may_see
from app.entity.registry import EntityType, Field, FieldKind

from ..filters import comparisons
from ..memory import clearance

CALENDAR, BOARD = "calendar", "board"
MONTH = "month"
"""The parameter that says which month a calendar shows; a saved view always opens the present one."""
DAY_KINDS = (FieldKind.DATE, FieldKind.MOMENT)
TONES = 8
"""Colours of states in ``boards.css``, given out in the order of the code list and from the first again."""


def calendar_columns(entity: EntityType) -> list[str]:
    """The dates a calendar can go by, the one that places a row in time first."""
    found = [
        name
        for name, field in entity.fields.items()
        if field.kind in DAY_KINDS
        and not field.options.personal
        and comparisons(entity, name)
        and may_see(field, clearance())
    ]
    return sorted(found, key=lambda name: name != entity.options.dated_by)


def state_of(entity: EntityType) -> Field | None:
    """The field whose codes are the columns of a board; None for what has no state that the reader may see."""
    field = entity.state
    return field if field is not None and may_see(field, clearance()) else None


def displays(entity: EntityType) -> list[str]:
    """The ways besides the table."""
    return [*([CALENDAR] if calendar_columns(entity) else []), *([BOARD] if state_of(entity) else [])]


def tones(entity: EntityType) -> dict[str, int]:
    """The colour of each state, by code."""
    state = state_of(entity)
    if state is None or state.code_list is None:
        return {}
    return {code.value: place % TONES for place, code in enumerate(state.code_list)}
