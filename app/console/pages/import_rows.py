"""Rows of an import as people read them before they are saved: new, changed with old and new values, faulty with the
reasons. Personal values are masked, as everywhere."""

from __future__ import annotations

from typing import Any

from app.access.masking import masked
from app.access.references import row_names
from app.entity.registry import EntityType, FieldKind, registry
from app.exchange import imports
from app.exchange.codec import Codec
from app.exchange.models import Import
from app.exchange.staging import RowState, Stage, StagedRow

from ..display import in_words, show_url, title_in_words
from ..presentation import fmt, t, text

ROWS = 25
"""On a page."""


class StagedRows:
    """Staged rows as people read them, personal values masked."""

    def __init__(self, session: Any, entity: EntityType, taken: Import) -> None:
        self.session, self.entity = session, entity
        self.codec = Codec(entity)
        self.file_heading = imports.heading_of(taken)
        self.fields = imports.fields_of(taken)
        self.heading: list[str] = []

    def page(self, stage: Stage, state: RowState, number: int) -> list[dict[str, Any]]:
        found = list(stage.rows(state, limit=ROWS, offset=(number - 1) * ROWS))
        if state is RowState.NEW:
            names = [name for name in self.fields.values() if name in self.entity.fields]
            self.heading = [text(self.entity.fields[name].label) for name in names]
            related = self._related(found, names, changed=False)
            return [self._new(row, names, related) for row in found]
        if state is RowState.CHANGED:
            names = sorted({name for row in found for name in row.data if name in self.entity.fields})
            related = self._related(found, names, changed=True)
            return [self._changed(row, related) for row in found]
        if state is RowState.FAULTY:
            self.heading = self.file_heading
            return [self._faulty(row) for row in found]
        return [{"number": row.number, "url": show_url(self.entity.code, row.row_id or 0)} for row in found]

    def _related(self, rows: list[StagedRow], names: list[str], *, changed: bool) -> dict[tuple[str, int], str]:
        """The names of rows that references lead to."""
        found: dict[tuple[str, int], str] = {}
        for name in names:
            field = self.entity.fields[name]
            if field.kind is not FieldKind.REFERENCE or field.options.target not in registry:
                continue
            ids: set[int] = set()
            for row in rows:
                value = row.data.get(name)
                ids.update(each for each in (value if changed and value else [value]) if isinstance(each, int))
            target = registry[field.options.target]
            for row_id, named in row_names(self.session, target.code, ids).items():
                found[name, row_id] = title_in_words(target, named.name, named.code)
        return found

    def _words(self, name: str, value: Any, related: dict[tuple[str, int], str]) -> str:
        field = self.entity.fields[name]
        if isinstance(value, dict):
            return str(value["code"])
        if field.kind is FieldKind.REFERENCE:
            return related.get((name, value), "—") if value is not None else "—"
        return fmt(in_words(field, self.codec.value(name, value)))

    def _new(self, row: StagedRow, names: list[str], related: Any) -> dict[str, Any]:
        return {"number": row.number, "cells": [self._words(name, row.data.get(name), related) for name in names]}

    def _changed(self, row: StagedRow, related: Any) -> dict[str, Any]:
        changes = [
            (self.entity.fields[name].label, self._words(name, old, related), self._words(name, new, related))
            for name, (old, new) in row.data.items()
        ]
        url = show_url(self.entity.code, row.row_id or 0)
        return {"number": row.number, "name": row.name, "url": url, "changes": changes}

    def _faulty(self, row: StagedRow) -> dict[str, Any]:
        wrong: dict[str, list[str]] = {}
        for heading, zh, en in row.faults:
            wrong.setdefault(heading, []).append(t(zh, en))
        cells = []
        for position, heading in enumerate(self.file_heading):
            if not heading:
                continue
            value = row.cells[position] if position < len(row.cells) else ""
            field = self.entity.fields.get(self.fields.get(position, ""))
            shown = masked(field, value) if field is not None and field.options.personal else value
            cells.append((heading, shown, wrong.pop(heading, [])))
        rest = list(wrong.items())
        return {"number": row.number, "cells": cells, "rest": rest}
