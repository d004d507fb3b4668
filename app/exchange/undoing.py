"""Takes back what an import wrote: all of it, or nothing and the reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from app.access.bulk_check import BulkCheck
from app.database.encryption import keyring
from app.entity.faults import InvalidRow
from app.entity.labels import Label, UserError
from app.entity.registry import EntityType, FieldKind

from .codec import Codec, as_json
from .existing import Existing
from .staging import Stage

BATCH = 500
SHOWN = 10

CHANGED = Label("之后又有改动", "was changed since")
MISSING = Label("之后已被删除", "was deleted since")
AWAY = Label("已不在您的管理范围内", "no longer lies in what you look after")

Progress = Callable[[int, int], None]


def undo_rows(session: Session, entity: EntityType, stage: Stage, progress: Progress) -> None:
    """Restore and remove within the session's transaction. Raises UserError that names what stands against it."""
    undoing = _Undoing(session, entity)
    changed, new = list(stage.done(is_new=False)), list(stage.done(is_new=True))
    against = [*undoing.against(changed), *undoing.against(new)]
    if against:
        raise _refusal(against)
    total, done = len(changed) + len(new), 0
    for batch in _batches(changed):
        undoing.restore(batch)
        done += len(batch)
        progress(done, total)
    is_tree = any(relation.target == entity.code for relation in entity.relations.values())
    for batch in [new] if is_tree and new else _batches(new):
        undoing.remove(batch)
        done += len(batch)
        progress(done, total)


Done = tuple[int, str, dict[str, Any]]


class _Undoing:
    def __init__(self, session: Session, entity: EntityType) -> None:
        self.session, self.entity = session, entity
        self.codec, self.existing = Codec(entity), Existing(session, entity, ())
        self.scope = BulkCheck(session, entity.model)
        self.fields = [name for name, field in entity.fields.items() if field.options.editable]
        self.encrypted = {name for name, field in entity.fields.items() if field.kind is FieldKind.ENCRYPTED}

    def against(self, rows: list[Done]) -> Iterator[tuple[str, Label]]:
        """(name, reason) of rows that cannot be taken back."""
        for batch in _batches(rows):
            stored = self.existing.load([row_id for row_id, _, _ in batch])
            writable = self.scope.writable(stored)
            for row_id, name, data in batch:
                row = stored.get(row_id)
                if row is None:
                    yield name, MISSING
                elif row_id not in writable:
                    yield name, AWAY
                elif not self._is_as_written(row, data):
                    yield name, CHANGED

    def _is_as_written(self, row: Any, data: dict[str, Any]) -> bool:
        if data and all(isinstance(value, list) for value in data.values()):
            return all(self._comparable(row, name) == new for name, (_, new) in data.items())
        return all(self._comparable(row, name) == data.get(name) for name in self.fields)

    def _comparable(self, row: Any, name: str) -> Any:
        value = getattr(row, name)
        if value is None:
            return None
        if name in self.encrypted:
            return keyring().digest(value)
        value = as_json(value)
        return value.isoformat() if hasattr(value, "isoformat") else value

    def restore(self, batch: list[Done]) -> None:
        stored = self.existing.load([row_id for row_id, _, _ in batch])
        for row_id, _name, data in batch:
            for name, (old, _new) in data.items():
                value = keyring().decrypt(old) if old and name in self.encrypted else self.codec.value(name, old)
                setattr(stored[row_id], name, value)
        self.session.flush()

    def remove(self, batch: list[Done]) -> None:
        stored = self.existing.load([row_id for row_id, _, _ in batch])
        for row in stored.values():
            self.session.delete(row)
        try:
            self.session.flush()
        except InvalidRow as problem:
            names = {row_id: name for row_id, name, _ in batch}
            against = [
                (names.get(row.id, ""), fault.label) for row, faults in problem.faults.items() for fault in faults
            ]
            raise _refusal(against) from problem


def _refusal(against: list[tuple[str, Label]]) -> UserError:
    zh = "；".join(f"“{name}”{reason.zh}" for name, reason in against[:SHOWN])
    en = "; ".join(f"“{name}” {reason.en}" for name, reason in against[:SHOWN])
    more_zh, more_en = (f"；共 {len(against)} 条", f"; {len(against)} in all") if len(against) > SHOWN else ("", "")
    return UserError(
        f"不能撤销这次导入，数据没有改变：{zh}{more_zh}。请先处理这些记录，或逐条修改",
        f"This import cannot be undone, and nothing was changed: {en}{more_en}. See to these records first, or change "
        "them one by one",
    )


def _batches(rows: Iterable[Done]) -> Iterator[list[Done]]:
    source = iter(rows)
    while batch := list(islice(source, BATCH)):
        yield batch
