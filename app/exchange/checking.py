"""Checks a file's rows against what is stored, without writing anything: which are new, changed, unchanged or faulty.

Rows go through in batches, so that memory stays bounded; what later rows have to know of earlier ones (codes and other
values that no two rows share) is kept for the whole file. Files of entities whose rows refer to one another (a tree of
organizations) are one batch, parents first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from app.access.bulk_check import BulkCheck
from app.entity.labels import Label
from app.entity.registry import EntityType, FieldKind
from app.entity.related import Related
from app.entity.uniqueness import double, doubles, stored_keys, unique_keys
from app.entity.validation import FieldError, check_row

from .cells import cell_words
from .codec import as_json
from .existing import CODE, Existing, StoredRow
from .headings import Column
from .reading import Table
from .references import OwnRow, References
from .rows import FileRow, RowReader
from .staging import RowState, StagedRow
from .stand_ins import stand_in, values_of

BATCH = 2_000
EMPTY = Label("不能为空", "must not be empty")
MASKED = Label("带有 *，是隐去了中间几位的内容；请填写完整", "holds *: it was masked; give it in full")


class Mode(StrEnum):
    """What a file's rows may do."""

    INSERT = "insert"
    UPDATE = "update"
    UPSERT = "upsert"


@dataclass(frozen=True)
class Task:
    """What is to be imported, and what whoever imports it may do."""

    entity: EntityType
    columns: Sequence[Column]
    mode: Mode = Mode.UPSERT
    may_add: bool = True
    may_edit: bool = True


@dataclass
class _Doubles:
    """Values that no two rows share, by the number of the row that has them first."""

    seen: dict[Any, int] = field(default_factory=dict)

    def earlier(self, key: Any, number: int) -> int | None:
        first = self.seen.setdefault(key, number)
        return None if first == number else first


Progress = Callable[[int, int], None]


class Checker:
    """Goes over one file's rows in the scope of the session's actor."""

    def __init__(self, session: Session, task: Task) -> None:
        self.session, self.task, self.entity = session, task, task.entity
        self.references = References(session, self.entity)
        self.existing = Existing(session, self.entity, task.columns)
        self.scope = BulkCheck(session, self.entity.model)
        self.related = Related(session, ())
        self.keys: dict[Any, int] = {}
        self.unique = {names: _Doubles() for names in unique_keys(self.entity) if names != ("code",)}
        self.own = [each for each in self.entity.relations.values() if each.target == self.entity.code]
        self.copied_in = self.entity.options.copied_in and not self.own
        self.required = [
            (name, described)
            for name, described in self.entity.fields.items()
            if not described.nullable and described.options.editable and not described.has_default
        ]
        self.derived = {name for name, field in self.entity.hidden_fields.items() if field.options.hash_of}
        self._headings = {}
        for column in task.columns:
            self._headings[column.field.name] = column.heading
            if column.relation is not None:
                self._headings[column.relation.name] = column.heading

    def check(self, table: Table, progress: Progress = lambda _done, _total: None) -> Iterator[StagedRow]:
        """Every row that has anything in it, in the order of the file (within a tree, parents first)."""
        reader = RowReader(self.entity, self.task.columns)
        numbered = enumerate(table.rows, start=table.first_row)
        done = 0
        while batch := list(numbered if self.own else islice(numbered, BATCH)):
            rows = [row for number, cells in batch if (row := reader.read(number, cells)) is not None]
            with self.session.no_autoflush:
                yield from self._batch(rows)
            done += len(batch)
            progress(done, max(table.total, done))

    # --- one batch ---

    def _batch(self, rows: list[FileRow]) -> list[StagedRow]:
        self._resolve(rows)
        self._refuse_doubles(rows)
        rows = self._parents_first(rows) if self.own else rows
        stored = self.existing.find(rows)
        new: list[FileRow] = []
        changed: list[tuple[FileRow, StoredRow]] = []
        staged: dict[int, StagedRow] = {}
        for row in rows:
            key = self.existing.key(row)
            known = stored.get(key) if key is not None else None
            self._require(row, known)
            self._refuse_mode(row, known)
            if row.faults:
                continue
            if known is None:
                new.append(row)
            elif self.existing.differs(row, known):
                changed.append((row, known))
            else:
                staged[row.number] = StagedRow(row.number, RowState.UNCHANGED, known.id)
        for found in (self._changed(changed), self._copied(new) if self.copied_in else self._new(new)):
            staged.update({each.number: each for each in found})
        if self.own:
            self._spread(rows)
        for row in rows:
            if row.faults:
                staged[row.number] = self._faulty(row)
        return [staged[row.number] for row in rows]

    def heading(self, name: str) -> str:
        """The file's word for a field, else the field's own."""
        found = self._headings.get(name)
        if found is None:
            described = (self.entity.fields | self.entity.hidden_fields).get(name)
            found = described.label.zh if described else ""
        return found

    def _resolve(self, rows: list[FileRow]) -> None:
        """References from codes and names to ids."""
        if self.own:
            self.references.own_codes = {row.values["code"] for row in rows if row.values.get("code")}
        for relation in self.entity.relations.values():
            given = [row for row in rows if row.references.get(relation.name)]
            self.references.expect(relation, (row.references[relation.name] for row in given))
            for row in given:
                found = self.references.find(relation, row.references[relation.name])
                if isinstance(found, Label):
                    row.faults.append((self.heading(relation.name), found))
                row.values[relation.column] = found
            for row in rows:
                if relation.name in row.references and not row.references[relation.name]:
                    row.values[relation.column] = None

    def _refuse_doubles(self, rows: list[FileRow]) -> None:
        """A row may stand only once in a file: otherwise the last one would silently win."""
        for row in rows:
            key = self.existing.key(row)
            if key is None:
                continue
            first = self.keys.setdefault(key, row.number)
            if first != row.number:
                name = "code" if key[0] == CODE else self.entity.options.natural_key[0]
                row.faults.append((self.heading(name), Label(f"与第 {first} 行重复", f"the same as row {first}")))

    def _require(self, row: FileRow, known: StoredRow | None) -> None:
        """Required fields, as far as the file can answer for them."""
        told = {heading for heading, _ in row.faults}
        for name, described in self.required:
            if row.values.get(name) is not None or self.heading(name) in told:
                continue
            if name in row.values:
                row.faults.append((self.heading(name), EMPTY))
            elif known is None:
                reason = Label("新增的行必须填这一列", "a new row needs this column")
                row.faults.append((described.label.zh, reason))
        if known is None:
            row.faults += [(self.heading(name), MASKED) for name in row.masked]

    def _refuse_mode(self, row: FileRow, known: StoredRow | None) -> None:
        task, label = self.task, self.entity.label
        where = self.heading("code") if "code" in row.values else ""
        if known is None and (task.mode is Mode.UPDATE or not task.may_add):
            if task.mode is Mode.UPDATE or task.may_edit:
                reason = Label(
                    f"没有找到这条{label.zh}记录，或不在您的管理范围内，不能更新",
                    f"there is no such record ({label.en.lower()}), or it lies outside what you look after",
                )
            else:
                reason = Label(f"您的角色不能新增{label.zh}", f"your role may not add records ({label.en.lower()})")
            row.faults.append((where, reason))
        elif known is not None and task.mode is Mode.INSERT:
            if self.existing.differs(row, known):
                reason = Label(
                    "已有这条记录，“只新增”的方式不改动它", "the record is there already; “add only” does not change it"
                )
                row.faults.append((where, reason))
        elif known is not None and not task.may_edit and self.existing.differs(row, known):
            reason = Label(f"您的角色不能修改{label.zh}", f"your role may not change records ({label.en.lower()})")
            row.faults.append((where, reason))

    def _tell(self, row: FileRow, faults: Sequence[FieldError]) -> None:
        row.faults += [(self.heading(fault.field), fault.label) for fault in faults]

    # --- new rows ---

    def _copied(self, rows: list[FileRow]) -> list[StagedRow]:
        """New rows of an entity that files copy in, checked as stand-ins."""
        if not rows:
            return []
        made = [(row, stand_in(self.entity, row.values)) for row in rows]
        self.related.expect(each for _, each in made)
        for row, each in made:
            self._tell(row, check_row(self.entity, each, self.related))
        good = {row.number: (row, values_of(each)) for row, each in made if not row.faults}
        self._refuse_shared(good)
        for number, problem in self.scope.refusals({n: values for n, (_, values) in good.items()}).items():
            good[number][0].faults.append((self.heading(problem.field or ""), problem.label))
        return [
            StagedRow(number, RowState.NEW, None, self._name(values), data=self._plain(values))
            for number, (row, values) in good.items()
            if not row.faults
        ]

    def _refuse_shared(self, good: dict[int, tuple[FileRow, dict[str, Any]]]) -> None:
        """Values that a row of the file or of the database has already, whoever may see it."""
        for names in unique_keys(self.entity):
            wanted: dict[tuple[Any, ...], FileRow] = {}
            for number, (row, values) in good.items():
                key = tuple(values.get(name) for name in names)
                if None in key:
                    continue
                first = self.unique[names].earlier(key, number) if names in self.unique else None
                if first is not None:
                    row.faults.append((self._shared(names), Label(f"与第 {first} 行重复", f"the same as row {first}")))
                wanted[key] = row
            for key in stored_keys(self.session, self.entity.model, names, list(wanted)):
                self._tell(wanted[key], [double(self.entity, names)])

    def _shared(self, names: tuple[str, ...]) -> str:
        hidden = self.entity.hidden_fields.get(names[0])
        return self.heading((hidden and hidden.options.hash_of) or names[0])

    def _new(self, rows: list[FileRow]) -> list[StagedRow]:
        """New rows checked as instances that belong to no session."""
        made: dict[int, Any] = {}
        by_code: dict[str, Any] = {}
        for row in rows:
            instance = self.entity.model()
            self._set(instance, row, by_code)
            made[row.number] = instance
            if row.values.get("code"):
                by_code[row.values["code"]] = instance
        self.related.expect(made.values())
        for row in rows:
            self._tell(row, check_row(self.entity, made[row.number], self.related))
        good = {row.number: (row, made[row.number]) for row in rows if not row.faults}
        shared = {id(instance): fault for instance, fault in doubles(self.session, [each for _, each in good.values()])}
        for row, instance in good.values():
            if id(instance) in shared:
                self._tell(row, [shared[id(instance)]])
        values = {number: self._values_of(instance) for number, (_, instance) in good.items()}
        pending = {
            number for number, each in values.items() if any(isinstance(value, OwnRow) for value in each.values())
        }
        for number, problem in self.scope.refusals({n: v for n, v in values.items() if n not in pending}).items():
            # An organization is added below one's own: it has no owner but its parent.
            good[number][0].faults.append((self.heading(problem.field or ""), problem.label))
        found = [
            StagedRow(number, RowState.NEW, None, self._name(values[number]), data=self._plain(values[number]))
            for number, (row, _) in good.items()
            if not row.faults
        ]
        self._let_go(made.values())
        return found

    def _set(self, instance: Any, row: FileRow, by_code: dict[str, Any]) -> None:
        for name, value in row.values.items():
            described = self.entity.fields[name]
            if value is None and not described.nullable and described.has_default:
                continue
            if isinstance(value, OwnRow):
                setattr(instance, name.removesuffix("_id"), by_code.get(value.code))
            elif getattr(instance, name) != value:
                setattr(instance, name, value)

    def _values_of(self, instance: Any) -> dict[str, Any]:
        values = {}
        for name in (*self.entity.fields, *self.entity.hidden_fields):
            value = getattr(instance, name)
            if value is None and name.endswith("_id"):
                pending = Related.pending_of(instance, name.removesuffix("_id"))
                value = OwnRow(pending.code) if pending is not None else None
            if value is not None:
                values[name] = value
        return values

    # --- changed rows ---

    def _changed(self, rows: list[tuple[FileRow, StoredRow]]) -> list[StagedRow]:
        if not rows:
            return []
        instances = self.existing.load([known.id for _, known in rows])
        writable = self.scope.writable(instances)
        made: list[tuple[FileRow, Any, dict[str, Any]]] = []
        for row, known in rows:
            instance = instances.get(known.id)
            if instance is None or known.id not in writable:
                self._refuse_write(row)
                continue
            before = {name: getattr(instance, name) for name in self.entity.fields}
            self._set(instance, row, {})
            made.append((row, instance, before))
        self.related.expect(instance for _, instance, _ in made)
        for row, instance, _ in made:
            self._tell(row, check_row(self.entity, instance, self.related))
        sound = [instance for row, instance, _ in made if not row.faults]
        shared = {id(instance): fault for instance, fault in doubles(self.session, sound)}
        found, moved = [], {}
        for row, instance, before in made:
            if id(instance) in shared:
                self._tell(row, [shared[id(instance)]])
            differences = {
                name: [as_json(old), as_json(getattr(instance, name))]
                for name, old in before.items()
                if getattr(instance, name) != old
            }
            if any(self.entity.fields[name].kind is FieldKind.REFERENCE for name in differences):
                moved[row.number] = (row, {name: getattr(instance, name) for name in self.entity.fields})
            state = RowState.CHANGED if differences else RowState.UNCHANGED
            found.append(StagedRow(row.number, state, instance.id, self._name_of(instance), data=differences))
        for number, problem in self.scope.refusals({n: values for n, (_, values) in moved.items()}).items():
            moved[number][0].faults.append((self.heading(problem.field or ""), problem.label))
        self._let_go(instances.values())
        faulty = {row.number for row, _, _ in made if row.faults}
        return [each for each in found if each.number not in faulty]

    def _refuse_write(self, row: FileRow) -> None:
        label = self.entity.label
        row.faults.append(
            (
                self.heading("code") if "code" in row.values else "",
                Label(
                    f"这条{label.zh}记录不在您的管理范围内，不能更新",
                    f"this record ({label.en.lower()}) lies outside what you look after",
                ),
            )
        )

    def _let_go(self, instances: Any) -> None:
        """Nothing that was tried on stays in the session."""
        for instance in list(instances):
            if instance in self.session:
                self.session.expunge(instance)

    # --- what is staged ---

    def _faulty(self, row: FileRow) -> StagedRow:
        cells = [cell_words(cell) for cell in row.cells]
        faults = [(heading, reason.zh, reason.en) for heading, reason in dict.fromkeys(row.faults)]
        return StagedRow(row.number, RowState.FAULTY, None, "", cells=cells, faults=faults)

    def _plain(self, values: dict[str, Any]) -> dict[str, Any]:
        """Values as they are staged: hashes follow from what they are of, a row of the file is named by its code."""
        return {
            name: value if type(value) not in _CONVERTED else _converted(value)
            for name, value in values.items()
            if name not in self.derived
        }

    def _name(self, values: dict[str, Any]) -> str:
        title = values.get(self.entity.options.title)
        return str(getattr(title, "label", title) or values.get("code") or "")

    def _name_of(self, instance: Any) -> str:
        return self._name({name: getattr(instance, name) for name in (self.entity.options.title, "code")})

    def _spread(self, rows: list[FileRow]) -> None:
        """Rows that refer to a faulty row of the same file cannot be taken either."""
        faulty = {row.values.get("code") for row in rows if row.faults}
        for row in rows:
            for name, value in row.values.items():
                if isinstance(value, OwnRow) and value.code in faulty and not row.faults:
                    reason = Label(
                        f"所填的“{value.code}”在本文件中有错误，改正那一行后才能导入",
                        f"“{value.code}” is faulty in this very file: mend that row first",
                    )
                    row.faults.append((self.heading(name), reason))
                    faulty.add(row.values.get("code"))

    def _parents_first(self, rows: list[FileRow]) -> list[FileRow]:
        """Rows that others of the file refer to come before them; a circle is a fault."""
        by_code = {row.values["code"]: row for row in rows if row.values.get("code")}
        waits: dict[int, list[FileRow]] = defaultdict(list)
        for row in rows:
            for relation in self.own:
                text = row.references.get(relation.name)
                if text in by_code:
                    waits[row.number].append(by_code[text])
        ordered: list[FileRow] = []
        state: dict[int, int] = {}
        for start in rows:
            stack = [start]
            while stack:
                row = stack[-1]
                if state.get(row.number) == 2:
                    stack.pop()
                    continue
                state[row.number] = 1
                waiting = [each for each in waits[row.number] if state.get(each.number) != 2]
                circle = [each for each in waiting if state.get(each.number) == 1]
                if circle:
                    code = circle[0].values["code"]
                    reason = Label(f"上下级成了一个圈：{code}", f"superior and inferior form a circle: {code}")
                    row.faults.append((self.heading(self.own[0].name), reason))
                    waiting = [each for each in waiting if each not in circle]
                if waiting:
                    stack.extend(waiting)
                    continue
                state[row.number] = 2
                ordered.append(row)
                stack.pop()
        return ordered


_CONVERTED = (Decimal, OwnRow)


def _converted(value: Any) -> Any:
    return {"code": value.code} if isinstance(value, OwnRow) else as_json(value)
