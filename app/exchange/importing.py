"""Rows of a file into an entity: insert or update by code, all or nothing, every fault named by row and column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Float, Numeric, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.entity.labels import Label, UserError
from app.entity.registry import EntityType, FieldKind, registry
from app.entity.validation import InvalidRow

from .cells import text_of, value_of
from .faults import Fault, ImportFaulty
from .files import Table, read_table
from .headings import Column, match

Progress = Callable[[Label, int, int], None]
BATCH = 500

CHECKING = Label("核对", "Checking")
SAVING = Label("保存", "Saving")


@dataclass
class Receipt:
    """What an import did."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    @property
    def rows(self) -> int:
        return self.new + self.changed + self.unchanged


@dataclass
class _Row:
    """A row of the file: its number, and its values by field name. References are codes until they are resolved."""

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    references: dict[str, str | None] = field(default_factory=dict)
    """Code by relation name."""


def import_file(session: Session, entity: EntityType, path: Path, progress: Progress | None = None) -> Receipt:
    """Take a file's rows into an entity within the session's transaction; the caller commits.

    Raises ImportFaulty with every fault; the caller then rolls back, and nothing has been taken.
    """
    return import_table(session, entity, read_table(path), path.name, progress)


def import_table(
    session: Session, entity: EntityType, table: Table, name: str, progress: Progress | None = None
) -> Receipt:
    """As ``import_file``, for a table that has been read."""
    return _Import(session, entity, table, name, progress or (lambda _label, _done, _total: None)).run()


class _Import:
    def __init__(
        self,
        session: Session,
        entity: EntityType,
        table: Table,
        name: str,
        progress: Progress,
    ) -> None:
        self.session, self.entity, self.table, self.name, self.progress = session, entity, table, name, progress
        self.faults: list[Fault] = []
        self.columns: list[Column] = []

    def run(self) -> Receipt:
        self.columns, self.faults = match(self.entity, self.table.heading, self.table.first_row - 1)
        self._stop_if_faulty()
        rows = self._read_rows()
        self._refuse_doubles(rows)
        self._require(rows)
        references = self._resolve(rows)
        self._stop_if_faulty()
        with self.session.no_autoflush:
            return self._save(rows, references)

    def _stop_if_faulty(self) -> None:
        if self.faults:
            raise ImportFaulty(self.faults, self.name)

    def _fault(self, row: _Row, column: str, reason: Label) -> None:
        self.faults.append(Fault(row.number, column, reason))

    def _heading(self, field_name: str) -> str:
        for column in self.columns:
            if column.field.name == field_name or (column.relation and column.relation.name == field_name):
                return column.heading
        described = self.entity.fields.get(field_name)
        return described.label.zh if described else field_name

    def _read_rows(self) -> list[_Row]:
        rows = []
        total = len(self.table.rows)
        for position, cells in enumerate(self.table.rows):
            row = _Row(self.table.first_row + position)
            if not any(str(cell).strip() for cell in cells if cell is not None):
                continue
            for column in self.columns:
                cell = cells[column.position] if column.position < len(cells) else None
                if column.relation is not None:
                    row.references[column.relation.name] = text_of(cell) or None if cell is not None else None
                    continue
                try:
                    row.values[column.field.name] = self._typed(column, value_of(column.field, cell))
                except UserError as problem:
                    self._fault(row, column.heading, problem.label)
            rows.append(row)
            if position % BATCH == 0:
                self.progress(CHECKING, position, total)
        return rows

    def _typed(self, column: Column, value: Any) -> Any:
        type_ = self.entity.model.__table__.c[column.field.name].type
        if value is not None and isinstance(type_, Numeric) and not isinstance(type_, Float):
            return Decimal(str(value)).quantize(Decimal(1).scaleb(-(type_.scale or 0)))
        return value

    def _refuse_doubles(self, rows: Sequence[_Row]) -> None:
        """A row may stand only once in a file: otherwise the last one would silently win."""
        seen: dict[Any, int] = {}
        for row in rows:
            key = self._key(row)
            if key is None:
                continue
            if key in seen:
                self._fault(
                    row,
                    self._heading("code") if "code" in row.values else self._heading(self._natural_key()[0]),
                    Label(f"与第 {seen[key]} 行重复", f"the same as row {seen[key]}"),
                )
            seen.setdefault(key, row.number)

    def _natural_key(self) -> tuple[str, ...]:
        return self.entity.options.natural_key

    def _key(self, row: _Row) -> Any:
        """What identifies the row: its code, else its natural key; None if it is simply new."""
        if row.values.get("code"):
            return ("code", row.values["code"])
        parts = self._natural_key()
        if not parts or any(part not in row.values and part not in row.references for part in parts):
            given = [part for part in parts if row.values.get(part) or row.references.get(part)]
            if not parts or not given or "code" in row.values:
                return None
        return tuple(
            row.references.get(part) if part in self.entity.relations else row.values.get(part) for part in parts
        )

    def _require(self, rows: Sequence[_Row]) -> None:
        """Required fields of rows, as far as the file can answer for them: an empty cell in a required column, or a
        required column that is absent where no row exists yet (checked when it is saved)."""
        for row in rows:
            for name, described in self.entity.fields.items():
                if described.nullable or described.has_default or described.kind is FieldKind.REFERENCE:
                    continue
                if name in row.values and row.values[name] is None and not self._is_faulty(row, name):
                    self._fault(row, self._heading(name), Label("不能为空", "must not be empty"))

    def _is_faulty(self, row: _Row, name: str) -> bool:
        heading = self._heading(name)
        return any(fault.row == row.number and fault.column == heading for fault in self.faults)

    def _resolve(self, rows: Sequence[_Row]) -> dict[str, dict[str, Any]]:
        """The rows that codes refer to, by relation name and code: those of the database, in the session's scope. A
        code that this very file brings is resolved when its row is there."""
        found: dict[str, dict[str, Any]] = {}
        own_codes = {row.values.get("code") for row in rows} - {None}
        for relation in self.entity.relations.values():
            codes = {row.references.get(relation.name) for row in rows} - {None}
            target = registry[relation.target]
            known = _by_code(self.session, target.model, codes)
            found[relation.name] = known
            own = own_codes if relation.target == self.entity.code else set()
            for row in rows:
                code = row.references.get(relation.name)
                if code and code not in known and code not in own:
                    self._fault(
                        row,
                        self._heading(relation.name),
                        Label(
                            f"没有代码为“{code}”的{target.label.zh}，请先导入或改正代码",
                            f"there is no {target.label.en.lower()} with the code “{code}”",
                        ),
                    )
                elif code is None and relation.name in row.references and not relation.nullable:
                    self._fault(row, self._heading(relation.name), Label("不能为空", "must not be empty"))
        return found

    def _save(self, rows: list[_Row], references: dict[str, dict[str, Any]]) -> Receipt:
        existing = self._existing(rows, references)
        receipt = Receipt()
        instances: dict[str, Any] = {}
        number_of: dict[int, _Row] = {}
        ordered = self._parents_first(rows)
        for position, row in enumerate(ordered):
            instance = existing.get(self._key(row)) if self._key(row) is not None else None
            is_new = instance is None
            if is_new:
                instance = self.entity.model()
            changed = self._assign(instance, row, references, instances, is_new)
            if row.values.get("code"):
                instances[row.values["code"]] = instance
            number_of[id(instance)] = row
            if is_new:
                self._require_of_new(row)
                self.session.add(instance)
                receipt.new += 1
            elif changed:
                receipt.changed += 1
            else:
                receipt.unchanged += 1
            if position % BATCH == BATCH - 1:
                self._stop_if_faulty()
                self._flush(number_of)
                self.progress(SAVING, position, len(ordered))
        self._stop_if_faulty()
        self._flush(number_of)
        self.progress(SAVING, len(ordered), len(ordered))
        return receipt

    def _existing(self, rows: Sequence[_Row], references: dict[str, dict[str, Any]]) -> dict[Any, Any]:
        """The rows that are there already, by key."""
        model: Any = self.entity.model
        codes = {row.values["code"] for row in rows if row.values.get("code")}
        found: dict[Any, Any] = {
            ("code", code): instance for code, instance in _by_code(self.session, model, codes).items()
        }
        parts = self._natural_key()
        keyed = [row for row in rows if not row.values.get("code") and self._key(row) is not None]
        if not parts or not keyed:
            return found
        relation = next((part for part in parts if part in self.entity.relations), None)
        by_id: dict[str, dict[int, str]] = {
            name: {instance.id: code for code, instance in known.items()} for name, known in references.items()
        }
        if relation is None:
            candidates: Iterable[Any] = self.session.scalars(select(model))
        else:
            ids = sorted(by_id[relation])
            candidates = _in_batches(self.session, model, getattr(model, f"{relation}_id"), ids)
            others = [part for part in parts if part in self.entity.relations and part != relation]
            for other in others:
                more = _in_batches(self.session, model, getattr(model, f"{other}_id"), sorted(by_id[other]))
                candidates = [*candidates, *more]
        for instance in candidates:
            key = tuple(
                by_id[part].get(getattr(instance, f"{part}_id"))
                if part in self.entity.relations
                else getattr(instance, part)
                for part in parts
            )
            found[key] = instance
        return found

    def _parents_first(self, rows: list[_Row]) -> list[_Row]:
        """Rows that others of the file refer to come before them; a circle is a fault."""
        own = [relation.name for relation in self.entity.relations.values() if relation.target == self.entity.code]
        by_code = {row.values["code"]: row for row in rows if row.values.get("code")}
        if not own or not by_code:
            return rows
        ordered: list[_Row] = []
        state: dict[int, int] = {}
        for start in rows:
            stack = [start]
            while stack:
                row = stack[-1]
                if state.get(row.number) == 2:
                    stack.pop()
                    continue
                state[row.number] = 1
                waiting = [
                    by_code[code]
                    for name in own
                    if (code := row.references.get(name)) in by_code and state.get(by_code[code].number) != 2
                ]
                circle = [other for other in waiting if state.get(other.number) == 1]
                if circle:
                    code = circle[0].values["code"]
                    self._fault(
                        row,
                        self._heading(own[0]),
                        Label(f"上下级成了一个圈：{code}", f"superior and inferior form a circle: {code}"),
                    )
                    self._stop_if_faulty()
                if waiting:
                    stack.extend(waiting)
                    continue
                state[row.number] = 2
                ordered.append(row)
                stack.pop()
        return ordered

    def _assign(
        self,
        instance: Any,
        row: _Row,
        references: dict[str, dict[str, Any]],
        instances: dict[str, Any],
        is_new: bool,
    ) -> bool:
        """Set what the file says; whether anything differs. Empty cells of new rows leave the default."""
        changed = False
        for name, value in row.values.items():
            described = self.entity.fields[name]
            if value is None and (is_new or (not described.nullable)) and described.has_default:
                continue
            if getattr(instance, name) != value:
                setattr(instance, name, value)
                changed = True
        for name, code in row.references.items():
            relation = self.entity.relations[name]
            target = references[name].get(code) if code else None
            if target is None and code and relation.target == self.entity.code:
                target = instances.get(code)
            present = getattr(instance, relation.column)
            if target is not None and target.id is not None:
                if present != target.id:
                    setattr(instance, relation.column, target.id)
                    changed = True
            elif target is not None:
                setattr(instance, name, target)
                changed = True
            elif present is not None:
                setattr(instance, relation.column, None)
                changed = True
        return changed

    def _require_of_new(self, row: _Row) -> None:
        """A new row needs every required column, whether or not the file has it."""
        for name, described in self.entity.fields.items():
            relation = name.removesuffix("_id")
            given = row.values.get(name) is not None or row.references.get(relation) is not None
            if described.nullable or described.has_default or given or not described.options.editable:
                continue
            if name in row.values or relation in row.references:
                continue  # said already
            self._fault(row, described.label.zh, Label("新增的行必须填这一列", "a new row needs this column"))

    def _flush(self, number_of: dict[int, _Row]) -> None:
        try:
            self.session.flush()
        except InvalidRow as problem:
            for instance, faults in problem.faults.items():
                row = number_of.get(id(instance))
                for fault in faults:
                    self._fault(row or _Row(0), self._heading(fault.field), fault.label)
            self._stop_if_faulty()
            raise
        except IntegrityError as problem:
            reason = Label(
                "与已有记录冲突：代码、证件号码等不能重复",
                "conflicts with an existing record: codes and identity numbers are unique",
            )
            row = next((known for known in number_of.values()), _Row(0))
            raise ImportFaulty([Fault(row.number, "", reason)], self.name) from problem


def _by_code(session: Session, model: Any, codes: Iterable[str | None]) -> dict[str, Any]:
    """Rows by code, in the session's scope."""
    wanted = sorted(code for code in codes if code)
    return {instance.code: instance for instance in _in_batches(session, model, model.code, wanted)}


def _in_batches(session: Session, model: Any, column: Any, values: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(values), BATCH):
        found += session.scalars(select(model).where(column.in_(values[start : start + BATCH]))).all()
    return found
