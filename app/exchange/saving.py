"""Writes what was checked (``staging``) in the caller's transaction, and notes what an undoing would need.

New rows of entities that are ``copied_in`` go into the table by COPY; this is one of the named modules that write past
the session's listeners. It answers for what those would have done: the rows were checked as they would (``checking``),
belong to the actor's scope (``app.access.bulk_check``, asked again here), are recorded in the history and marked for
evaluation. Everything else is written through the session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.access.bulk_check import BulkCheck
from app.database.bulk import insert_rows
from app.database.encryption import keyring
from app.entity.labels import UserError
from app.entity.registry import EntityType, FieldKind
from app.evaluation.changes import COARSE_FROM, mark_all, mark_rows
from app.history.origin import DOOR, Door
from app.history.recording import record_changes

from .codec import Codec
from .existing import Existing
from .staging import RowState, Stage, StagedRow

BATCH, FLUSHED = 2_000, 500

Progress = Callable[[int, int], None]


class Outdated(UserError):
    """What is stored is no longer what the rows were checked against."""

    def __init__(self, why: UserError | None = None) -> None:
        zh, en = (f"（{why.label.zh}）", f" ({why.label.en})") if why else ("", "")
        super().__init__(
            f"核对之后有的记录又有变动{zh}，没有导入任何数据；请重新核对",
            f"Records have changed since they were checked{en}; nothing was imported. Check again",
        )


@dataclass
class Receipt:
    """What an import did."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    faulty: int = 0

    @property
    def rows(self) -> int:
        return self.new + self.changed + self.unchanged


class Saver:
    """Saves one import's rows."""

    def __init__(self, session: Session, entity: EntityType, stage: Stage) -> None:
        self.session, self.entity, self.stage = session, entity, stage
        self.codec = Codec(entity)
        self.is_tree = any(relation.target == entity.code for relation in entity.relations.values())
        hidden = entity.hidden_fields
        self.hashes = [(name, field.options.hash_of) for name, field in hidden.items() if field.options.hash_of]
        self.noted = [name for name, field in entity.fields.items() if field.options.editable]
        self.encrypted = {name for name, field in entity.fields.items() if field.kind is FieldKind.ENCRYPTED}
        self.scope = BulkCheck(session, entity.model)
        self.is_coarse = stage.counts()[RowState.NEW] > COARSE_FROM

    def save(self, progress: Progress = lambda _done, _total: None) -> Receipt:
        """Write new and changed rows; the caller commits. Raises Outdated, with nothing written that stays."""
        self.session.info[DOOR] = Door.IMPORT
        counts = self.stage.counts()
        total = counts[RowState.NEW] + counts[RowState.CHANGED]
        self.stage.begin_done()
        done = 0
        try:
            for batch in _batches(self.stage.rows(RowState.CHANGED), FLUSHED):
                self._change(batch)
                done += len(batch)
                progress(done, total)
            copied = self.entity.options.copied_in and not self.is_tree
            size = BATCH if copied else counts[RowState.NEW] if self.is_tree else FLUSHED
            for batch in _batches(self.stage.rows(RowState.NEW), max(size, 1)):
                (self._copy if copied else self._add)(batch)
                done += len(batch)
                progress(done, total)
            if copied and self.is_coarse:
                mark_all(self.session.connection(), self.entity.code)
        except (IntegrityError, DataError, OperationalError, StaleDataError) as problem:
            if isinstance(problem, OperationalError) and not _is_refusal(problem):
                raise
            raise Outdated from problem
        except Outdated:
            raise
        except UserError as problem:
            raise Outdated(problem) from problem
        self.stage.commit()
        return Receipt(counts["new"], counts["changed"], counts["unchanged"], counts["faulty"])

    # --- new rows ---

    def _copy(self, batch: list[StagedRow]) -> None:
        values = {row.number: self.codec.read(row.data) for row in batch}
        refused = self.scope.refusals(values)
        if refused:
            raise Outdated(next(iter(refused.values())))
        for each in values.values():
            for name, source in self.hashes:
                if each.get(source):
                    each[name] = keyring().digest(each[source])
        connection = self.session.connection()
        ids = insert_rows(connection, self.entity.model.__table__, list(values.values()))
        if not self.is_coarse:
            ties = (self._tie(row_id, each) for row_id, each in zip(ids, values.values(), strict=True))
            mark_rows(connection, self.entity.code, ties)
        added = zip(ids, values.values(), strict=True)
        record_changes(self.session, self.entity, ((row_id, 1, None, each) for row_id, each in added))
        self.stage.add_done(
            (row_id, True, row.name, self._note(values[row.number])) for row_id, row in zip(ids, batch, strict=True)
        )

    def _tie(self, row_id: int, values: dict[str, Any]) -> tuple[int, int | None, int | None]:
        """The row with the organization and the member that rules tie it to."""
        ties = []
        for subject in ("organization", "member"):
            relation = self.entity.tie_to(subject)
            ties.append(row_id if self.entity.code == subject else values.get(f"{relation}_id") if relation else None)
        return row_id, ties[0], ties[1]

    def _add(self, batch: list[StagedRow]) -> None:
        made: list[tuple[StagedRow, Any, dict[str, Any]]] = []
        by_code: dict[str, Any] = {}
        for row in batch:
            plain = {name: value for name, value in row.data.items() if not isinstance(value, dict)}
            values = self.codec.read(plain)
            # What is filled in follows by itself, so that it is still true.
            fields = self.entity.fields
            given = {name: value for name, value in values.items() if name in fields and fields[name].options.editable}
            instance = self.entity.model(**given)
            made.append((row, instance, given))
            if values.get("code"):
                by_code[values["code"]] = instance
        for row, instance, _ in made:
            for name, value in row.data.items():
                if isinstance(value, dict):
                    setattr(instance, name.removesuffix("_id"), by_code[value["code"]])
        self.session.add_all(instance for _, instance, _ in made)
        self.session.flush()
        self.stage.add_done(
            (instance.id, True, row.name, self._note({name: getattr(instance, name) for name in self.noted}))
            for row, instance, _ in made
        )

    # --- changed rows ---

    def _change(self, batch: list[StagedRow]) -> None:
        stored = Existing(self.session, self.entity, ()).load([row.row_id for row in batch if row.row_id])
        for row in batch:
            instance = stored.get(row.row_id or 0)
            if instance is None:
                raise Outdated
            for name, (old, new) in row.data.items():
                if getattr(instance, name) != self.codec.value(name, old):
                    raise Outdated
                if self.entity.fields[name].options.editable:
                    setattr(instance, name, self.codec.value(name, new))
        self.session.flush()
        self.stage.add_done((row.row_id or 0, False, row.name, self._note_change(row.data)) for row in batch)

    # --- what undoing needs ---

    def _note(self, values: dict[str, Any]) -> dict[str, Any]:
        """A new row's values to compare with; of encrypted ones the keyed hash."""
        noted = {name: value for name in self.noted if (value := values.get(name)) is not None}
        hashed = {source: values.get(name) for name, source in self.hashes}
        for name in self.encrypted & noted.keys():
            noted[name] = hashed.get(name) or keyring().digest(noted[name])
        return noted

    def _note_change(self, data: dict[str, Any]) -> dict[str, Any]:
        """A changed row's old values, to restore, and new ones, to compare with."""
        noted = {}
        for name, (old, new) in data.items():
            if not self.entity.fields[name].options.editable:
                continue
            if name in self.encrypted:
                old, new = keyring().encrypt(old) if old else None, keyring().digest(new) if new else None
            noted[name] = [old, new]
        return noted


def _batches(rows: Iterable[StagedRow], size: int) -> Iterator[list[StagedRow]]:
    source = iter(rows)
    while batch := list(islice(source, size)):
        yield batch


def _is_refusal(problem: OperationalError) -> bool:
    """MySQL and MariaDB call a failed CHECK operational."""
    return getattr(problem.orig, "args", (None,))[0] in (3819, 4025)
