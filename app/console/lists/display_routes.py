"""Calendar and board of a generated list, and moving a card from state to state.

A mixin of ``ConsoleModelView``: the list itself shows them (``/list/?display=calendar``), so that they have its
permission, its filters and its saved views. A card is moved by the operation that its record's page offers, or, where
people may edit the state, by the same change that its form would make.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from flask import abort, flash, jsonify, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.widgets import RenderTemplateWidget

from app.access.operations import within_reach
from app.access.predicates import Purpose
from app.access.web_session import present_actor
from app.entity.labels import UserError
from app.entity.operations import operations_of
from app.entity.registry import Entity, EntityType, Field

from ..display import name_of, show_url
from ..operating import may_operate
from ..paging import Page
from ..permissions import may
from ..presentation import t, text, today
from ..saving import save
from .addresses import BY, DISPLAY, VIEW, kept, written
from .board import read_board
from .calendar import beside, month_asked, place_of_day, read_month
from .displays import BOARD, CALENDAR, MONTH, calendar_columns, displays, state_of, tones

BACK = "back"
"""The parameter that holds the query string of the list to return to."""


class CalendarWidget(RenderTemplateWidget):
    template = "beacon/calendar.html"


class BoardWidget(RenderTemplateWidget):
    template = "beacon/board.html"


class DisplayRoutes:
    """Lists as calendars and boards."""

    entity: EntityType
    datamodel: Any

    def display(self) -> str:
        """How the present address wants the list to be seen; empty for the table."""
        asked = request.args.get(DISPLAY, "")
        return asked if asked in displays(self.entity) else ""

    def display_choices(self) -> list[tuple[str, str, bool]]:
        """``(way, address, is the present one)`` for the switch above the list; none where there is the table alone."""
        ways = displays(self.entity)
        return [(way, self._list_at({DISPLAY: way}), way == self.display()) for way in ("", *ways)] if ways else []

    def display_widget(self, filters: Any) -> RenderTemplateWidget | None:
        """The calendar or board that the present address asks for, None for the table."""
        filters = filters.get_joined_filters(self._base_filters)
        way = self.display()
        return self._calendar(filters) if way == CALENDAR else self._board(filters) if way == BOARD else None

    def _list_at(self, changes: dict[str, str], without: tuple[str, ...] = ()) -> str:
        """The present list under the same filters, with some parameters changed or, if empty, left out."""
        dropped = {*changes, *without, MONTH, f"page_{type(self).__name__}"}
        others = [(name, value) for name, value in request.args.items(multi=True) if name not in dropped and value]
        parameters = [*others, *((name, value) for name, value in changes.items() if value)]
        return f"{url_for(f'{self.endpoint}.list')}?{written(parameters) or VIEW + '='}"

    def narrowed_to(self, column: str, place: int, value: Any) -> str:
        """The table under the same filters, narrowed to one value of a column."""
        replaced = tuple(f"_flt_{number}_{column}" for number in range(4))
        return self._list_at({DISPLAY: "", BY: "", f"_flt_{place}_{column}": str(value)}, replaced)

    # --- calendar ---

    def _calendar(self, filters: Any) -> CalendarWidget:
        choices, asked = calendar_columns(self.entity), request.args.get(BY, "")
        column = asked if asked in choices else choices[0]
        month = read_month(self.datamodel, filters, column, month_asked(request.args.get(MONTH, ""), today()))
        place, can_show = place_of_day(self.entity, column), may("show", self.entity)

        def month_url(first: Any) -> str:
            return self._list_at({DISPLAY: CALENDAR, MONTH: f"{first:%Y-%m}"})

        return CalendarWidget(
            view=self,
            month=month,
            column=column,
            choices=[
                (name, text(self.label_columns.get(name)), self._list_at({BY: name, MONTH: f"{month.first:%Y-%m}"}))
                for name in choices
            ],
            previous_url=month_url(beside(month.first, -1)),
            next_url=month_url(beside(month.first, 1)),
            today_url=self._list_at({DISPLAY: CALENDAR}),
            nearest_url=month_url(month.nearest) if month.nearest else None,
            day_url=lambda day: self.narrowed_to(column, place, day.isoformat()),
            row_url=lambda key: show_url(self.entity.code, key) if can_show else None,
            states=self._states(),
            today=today(),
            measure=text(self.measure),
        )

    def _states(self) -> list[tuple[str, int]]:
        state = state_of(self.entity)
        colours = tones(self.entity)
        return [(text(code), colours[code.value]) for code in state.code_list or ()] if state else []

    # --- board ---

    def _board(self, filters: Any) -> BoardWidget:
        state: Field = state_of(self.entity)  # type: ignore[assignment]
        page = Page.of(type(self).__name__, self.page_size, self.order_columns)
        order = (page.order_column, page.order_direction) if page.order_column else self.base_order
        can_show = may("show", self.entity)
        columns = read_board(self.datamodel, filters, state, self.chosen_columns(), order)
        return BoardWidget(
            view=self,
            columns=columns,
            count=sum(column.count for column in columns),
            column_url=lambda code: self.narrowed_to(state.name, 0, code.value),
            row_url=lambda key: show_url(self.entity.code, key) if can_show else None,
            moves_url=(lambda key: url_for(f"{self.endpoint}.moves", pk=key, back=self._own_query()))
            if can_show and self._can_move()
            else None,
            label_columns=self.label_columns,
            measure=text(self.measure),
        )

    def _own_query(self) -> str:
        return written(kept(request.args.items(multi=True), type(self).__name__, self.search_columns))

    def _can_move(self) -> bool:
        """Whether the reader may change states of this entity at all."""
        if self._may_edit_state():
            return True
        return any(each.leads_to and may_operate(each) for each in operations_of(self.entity.code))

    def _may_edit_state(self) -> bool:
        state = state_of(self.entity)
        return state is not None and state.name in self.edit_columns and may("edit", self.entity)

    @expose("/moves/<pk>", methods=["GET"])
    @has_access
    def moves(self, pk: str) -> Any:
        """``[{to: [state, …], label, url, asks, question}]``: what leads a record to another state."""
        row, state = self._row(pk), state_of(self.entity)
        if state is None:
            abort(404)
        back = request.args.get(BACK, "")
        found = [
            {
                "to": [code.value for code in each.operation.leads_to],
                "label": text(each.label),
                "url": url_for(f"{self.endpoint}.operate", name=each.operation.code, pk=row.id, back=back),
                "asks": each.asks,
                "question": each.question,
            }
            for each in self.offered_operations(row)
            if each.operation.leads_to
        ]
        if self._may_edit_state() and within_reach(
            self.datamodel.session, present_actor(), self.entity.code, row.id, Purpose.WRITE
        ):
            found += [self._edit_move(row, state, code, back) for code in state.code_list or ()
                      if code != getattr(row, state.name)]  # fmt: skip
        answer = jsonify(found)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _edit_move(self, row: Entity, state: Field, code: Any, back: str) -> dict[str, Any]:
        word = text(code)
        return {
            "to": [code.value],
            "label": t(f"改为“{word}”", f"Set to “{word}”"),
            "url": url_for(f"{self.endpoint}.move", pk=row.id, to=code.value, back=back),
            "asks": False,
            "question": t(f"把“{name_of(row)}”的{text(state.label)}改为“{word}”？",
                          f"Set the {text(state.label).lower()} of “{name_of(row)}” to “{word}”?"),
        }  # fmt: skip

    @expose("/move/<pk>/<to>", methods=["POST"])
    @has_access
    def move(self, pk: str, to: str) -> Any:
        """Set a record's state, as its form would."""
        row, state = self._row(pk), state_of(self.entity)
        code = next((each for each in (state.code_list or ()) if each.value == to), None) if state else None
        if code is None:
            abort(404)
        if not self._may_edit_state():
            abort(403)
        name, word = name_of(row), text(code)
        try:
            setattr(row, state.name, code)
            save(self.datamodel.session, self.entity, row)
        except UserError as error:
            self.datamodel.session.rollback()
            flash(t(f"“{name}”没有改为“{word}”：", f"“{name}” was not set to “{word}”: ") + text(error.label), "danger")
        else:
            flash(t(f"“{name}”已改为“{word}”", f"“{name}” is now “{word}”"), "success")
        return redirect(self.list_to_return_to() or url_for(f"{self.endpoint}.list"))

    def list_to_return_to(self) -> str | None:
        """The list that somebody came from, of this entity alone; None if the address names none."""
        if BACK not in request.args:
            return None
        parameters = kept(parse_qsl(request.args[BACK][:4_000]), type(self).__name__, self.search_columns)
        return f"{url_for(f'{self.endpoint}.list')}?{written(parameters) or VIEW + '='}"
