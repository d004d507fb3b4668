"""A list as a board: a column for each state, with its first records and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.entity.code_lists import CodeList
from app.entity.registry import Entity, Field

from ..display import name_of, shown
from ..interface import EntityInterface
from ..presentation import NOTHING, fmt, text
from .displays import tones
from .groups import counted, first_of_each

CARDS = 20
"""Records of a column that are shown; the others are counted."""
MOST_VALUES = 4
"""Values on a card, below its title."""


@dataclass(frozen=True, slots=True)
class Card:
    """A record. ``values``: what stands below its title, by column, as people read it; empty ones are left out."""

    row_id: int
    name: str
    values: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Column:
    state: CodeList
    tone: int
    count: int
    cards: tuple[Card, ...]

    @property
    def more(self) -> int:
        return self.count - len(self.cards)


def card_columns(interface: EntityInterface, columns: Sequence[str], state: Field) -> list[str]:
    """What stands on a card: the first of a list's columns, and when it was."""
    dated, title = interface.entity.options.dated_by, columns[0]
    shown_ones = [name for name in columns if name not in (title, state.name, dated)]
    return [*shown_ones[: MOST_VALUES - 1], *([dated] if dated and dated != title else [])]


def read_board(
    interface: EntityInterface, filters: Any, state: Field, columns: Sequence[str], order: tuple[str, str]
) -> list[Column]:
    """The columns of a board under a list's filters, in the order of the code list. Where the list is narrowed to some
    states, the others are left out."""
    entity, attribute = interface.entity, getattr(interface.obj, state.name)
    counts, kept = counted(interface, filters, attribute), card_columns(interface, columns, state)
    groups = [attribute == code for code in counts]
    rows = first_of_each(interface, filters, groups, CARDS, order, [columns[0], state.name, *kept])
    cards: dict[CodeList, list[Card]] = {}
    for row in rows:
        cards.setdefault(getattr(row, state.name), []).append(_card(interface, row, kept))
    narrowed = any(found.column_name == state.name for found in filters.filters)
    colours = tones(entity)
    return [
        Column(code, colours.get(code.value, 0), counts.get(code, 0), tuple(cards.get(code, ())))
        for code in state.code_list or ()
        if code in counts or not narrowed
    ]


def _card(interface: EntityInterface, row: Entity, columns: Sequence[str]) -> Card:
    values = ((column, fmt(shown(interface.entity, row, column, linked=False))) for column in columns)
    return Card(row.id, name_of(row), tuple((column, text(value)) for column, value in values if value != NOTHING))
