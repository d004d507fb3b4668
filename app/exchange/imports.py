"""An import in steps: uploaded, its columns matched, checked, looked at, saved, and undone if need be.

Requests take the small steps and ask for the long ones, which jobs do (``check``, ``save``, ``undo``). A job that dies
leaves nothing half done and can be done again: a check writes its stage as a whole, and saving and undoing are one
transaction each, with the import's own state in it.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from app.access.acting import Acting, acting
from app.access.actor import system_actor
from app.access.audit import AuditAction, record
from app.database.clock import now
from app.database.session import unit_of_work
from app.entity.labels import UserError
from app.entity.registry import EntityType, registry

from .checking import Checker, Mode, Task
from .headings import Column, columns_from, guess, heading_key, is_known
from .models import AT_WORK, Import, ImportState
from .reading import Table, read_table
from .saving import Outdated, Saver
from .staging import opened, private_folder, written_to
from .undoing import undo_rows

KEPT_DAYS = 30
"""For so long an import's files are kept, and with them the way to undo it."""
LONGEST_NAME = 200
SOURCE, ROWS = "source", "rows.db"

Tell = Callable[[int, int], None]


def folder_of(data_dir: Path, taken: Import) -> Path:
    return data_dir / "imports" / taken.folder


def gone() -> UserError:
    return UserError(
        f"这次导入的文件已按规定清理（保留 {KEPT_DAYS} 天），请重新上传",
        f"The files of this import have been cleared away after {KEPT_DAYS} days; upload again",
    )


# --- small steps, in requests ---


def upload(
    session: Session, data_dir: Path, user_id: int, entity: EntityType, way: Mode, name: str, content: BinaryIO
) -> Import:
    """Keep a file, read its heading and guess its columns. Raises UserError for one that cannot be read."""
    private_folder(data_dir / "imports")
    folder = private_folder(data_dir / "imports" / secrets.token_hex(16))
    name = plain_name(name)
    try:
        with os.fdopen(os.open(folder / SOURCE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            shutil.copyfileobj(content, file)
        table = read_table(folder / SOURCE, name, lambda text: is_known(entity, text))
        key = heading_key(table.heading)
        fields = guess(entity, table.heading, _earlier_choice(session, user_id, entity, key))
        taken = Import(
            user_id=user_id,
            folder=folder.name,
            entity=entity.code,
            file_name=name,
            way=way.value,
            heading_key=key,
            row_count=table.total,
            chosen=json.dumps(
                {
                    "heading": table.heading,
                    "first_row": table.first_row,
                    "fields": {str(position): field for position, field in fields.items()},
                },
                ensure_ascii=False,
            ),
        )
        session.add(taken)
        session.commit()
    except BaseException:
        session.rollback()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return taken


def plain_name(name: str) -> str:
    """A file's name without folders and signs that do not print."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(sign for sign in last if sign.isprintable()).strip() or "file"
    return kept[-LONGEST_NAME:]


def _earlier_choice(session: Session, user_id: int, entity: EntityType, key: str) -> dict[str, str]:
    """What the same person chose for a file with the same headings: field name by heading, "" for none."""
    statement = (
        select(Import.chosen)
        .where(
            Import.user_id == user_id,
            Import.entity == entity.code,
            Import.heading_key == key,
            Import.state != ImportState.UPLOADED,
        )
        .order_by(Import.id.desc())
        .limit(1)
    )
    found = session.scalar(statement)
    if found is None:
        return {}
    choice = json.loads(found)
    fields = choice["fields"]
    return {text: fields.get(str(position), "") for position, text in enumerate(choice["heading"]) if text}


def heading_of(taken: Import) -> list[str]:
    return json.loads(taken.chosen)["heading"]


def fields_of(taken: Import) -> dict[int, str]:
    """The field chosen for each column of the file, by position."""
    return {int(position): field for position, field in json.loads(taken.chosen)["fields"].items()}


def choose(taken: Import, entity: EntityType, fields: Mapping[int, str]) -> None:
    """Settle which column is which field. Raises UserError for a field chosen twice, or none chosen."""
    heading = heading_of(taken)
    known = {name for name, field in entity.fields.items() if field.options.editable}
    kept = {place: name for place, name in fields.items() if name in known and 0 <= place < len(heading)}
    if not kept:
        raise UserError("请至少对应一列", "Match at least one column")
    seen: dict[str, int] = {}
    for place, name in kept.items():
        if name in seen:
            label = entity.fields[name].label
            raise UserError(
                f"“{heading[seen[name]]}”和“{heading[place]}”都对应了“{label.zh}”，请只留一个",
                f"“{heading[seen[name]]}” and “{heading[place]}” are both matched with “{label.en}”; keep one",
            )
        seen[name] = place
    choice = json.loads(taken.chosen)
    choice["fields"] = {str(place): name for place, name in kept.items()}
    taken.chosen = json.dumps(choice, ensure_ascii=False)


def ask_for(session: Session, taken: Import, before: tuple[ImportState, ...], step: ImportState) -> bool:
    """Put an import into the hands of a worker; False if it is no longer where the reader saw it. Commits."""
    statement = (
        update(Import)
        .where(Import.id == taken.id, Import.state.in_(before))
        .values(state=step, asked_at=now(), problem_zh=None, problem_en=None)
    )
    done = session.execute(statement, execution_options={"synchronize_session": False}).rowcount == 1
    session.refresh(taken)
    session.commit()
    return done


def discard(session: Session, data_dir: Path, taken: Import) -> None:
    """Drop an import of which nothing has been saved, with its files. Commits."""
    folder = folder_of(data_dir, taken)
    session.delete(taken)
    session.commit()
    shutil.rmtree(folder, ignore_errors=True)


JOBS = {
    ImportState.CHECKING: "check_import",
    ImportState.SAVING: "save_import",
    ImportState.UNDOING: "undo_import",
}


# --- long steps, in jobs ---


def check(engine: Engine, data_dir: Path, import_id: int, tell: Tell) -> None:
    """Check all rows and stage them."""
    taken = _in_state(engine, import_id, ImportState.CHECKING)
    if taken is not None:
        _told(engine, taken, lambda: _check(engine, data_dir, taken, tell))


def _check(engine: Engine, data_dir: Path, taken: Import, tell: Tell) -> None:
    person, entity = _person_and_entity(engine, taken)
    folder = folder_of(data_dir, taken)
    if not (folder / SOURCE).is_file():
        raise gone()
    with (
        unit_of_work(engine, person.actor, writes=False) as session,
        written_to(folder / ROWS) as stage,
    ):
        table, columns = _table(folder, taken, entity)
        task = Task(entity, columns, Mode(taken.way), person.may("add", entity), person.may("edit", entity))
        stage.add(Checker(session, task).check(table, tell))
        counts = stage.counts()
        session.rollback()
    values = {f"{state}_count": count for state, count in counts.items()} | {"row_count": sum(counts.values())}
    values |= {"problem_zh": None, "problem_en": None}
    _move(engine, taken, ImportState.CHECKING, ImportState.CHECKED, **values)


def _table(folder: Path, taken: Import, entity: EntityType) -> tuple[Table, list[Column]]:
    """The file's rows, and its columns as they were chosen."""
    table = read_table(folder / SOURCE, taken.file_name, lambda text: is_known(entity, text))
    return table, columns_from(entity, table.heading, fields_of(taken))


def save(engine: Engine, data_dir: Path, import_id: int, tell: Tell) -> None:
    """Write what was checked. What no longer holds is checked again instead, and its owner looks at it once more."""
    taken = _in_state(engine, import_id, ImportState.SAVING)
    if taken is None:
        return
    try:
        _told(engine, taken, lambda: _save(engine, data_dir, taken, tell), but=Outdated)
    except Outdated as problem:
        _move(engine, taken, ImportState.SAVING, ImportState.CHECKING)
        _told(engine, taken, lambda: _check(engine, data_dir, taken, tell))
        _say(engine, taken, problem)


def _save(engine: Engine, data_dir: Path, taken: Import, tell: Tell) -> None:
    person, entity = _person_and_entity(engine, taken)
    folder = folder_of(data_dir, taken)
    try:
        with opened(folder / ROWS) as stage:
            with unit_of_work(engine, person.actor) as session:
                own = session.get(Import, taken.id, with_for_update=True)
                if own is None or own.state != ImportState.SAVING:
                    return
                counts = stage.counts()
                if (counts["new"] and not person.may("add", entity)) or (
                    counts["changed"] and not person.may("edit", entity)
                ):
                    raise Outdated
                receipt = Saver(session, entity, stage).save(tell)
                own.state, own.saved_at = ImportState.SAVED, now()
                own.problem_zh = own.problem_en = None
                detail = f"{taken.file_name}: +{receipt.new} ~{receipt.changed}"
                record(session, person.actor, AuditAction.IMPORTED, entity=entity.code, detail=detail)
            stage.forget_values()
    except FileNotFoundError:
        raise gone() from None
    (folder / SOURCE).unlink(missing_ok=True)


def undo(engine: Engine, data_dir: Path, import_id: int, tell: Tell) -> None:
    """Give changed rows their old values and take new ones out: all of it, or a refusal in words."""
    taken = _in_state(engine, import_id, ImportState.UNDOING)
    if taken is not None:
        _told(engine, taken, lambda: _undo(engine, data_dir, taken, tell), back_to=ImportState.SAVED)


def _undo(engine: Engine, data_dir: Path, taken: Import, tell: Tell) -> None:
    person, entity = _person_and_entity(engine, taken)
    try:
        with opened(folder_of(data_dir, taken) / ROWS) as stage, unit_of_work(engine, person.actor) as session:
            own = session.get(Import, taken.id, with_for_update=True)
            if own is None or own.state != ImportState.UNDOING:
                return
            undo_rows(session, entity, stage, tell)
            own.state, own.undone_at = ImportState.UNDONE, now()
            own.problem_zh = own.problem_en = None
            detail = f"{taken.file_name}: -{taken.new_count} ~{taken.changed_count}"
            record(session, person.actor, AuditAction.IMPORT_UNDONE, entity=entity.code, detail=detail)
    except FileNotFoundError:
        raise gone() from None


def _in_state(engine: Engine, import_id: int, state: ImportState) -> Import | None:
    with unit_of_work(engine, system_actor("imports"), writes=False) as session:
        taken = session.get(Import, import_id)
        return taken if taken is not None and taken.state == state else None


def _person_and_entity(engine: Engine, taken: Import) -> tuple[Acting, EntityType]:
    entity = registry.get(taken.entity)
    if entity is None:
        raise UserError("这类记录已不再使用", "Such records are no longer kept")
    return acting(engine, taken.user_id), entity


def _told(
    engine: Engine,
    taken: Import,
    work: Callable[[], None],
    *,
    back_to: ImportState | None = None,
    but: type[UserError] | tuple[()] = (),
) -> None:
    """Do it; what a person can mend is said on the import, which goes back to where they can."""
    try:
        work()
    except but:
        raise
    except UserError as problem:
        state = ImportState(_state(engine, taken) or taken.state)
        before = back_to or (ImportState.CHECKED if state is ImportState.SAVING else ImportState.UPLOADED)
        _move(engine, taken, state, before)
        _say(engine, taken, problem)


def _state(engine: Engine, taken: Import) -> str | None:
    with unit_of_work(engine, system_actor("imports"), writes=False) as session:
        return session.scalar(select(Import.state).where(Import.id == taken.id))


def _move(engine: Engine, taken: Import, before: ImportState, after: ImportState, **values: object) -> None:
    with unit_of_work(engine, system_actor("imports")) as session:
        session.execute(
            update(Import).where(Import.id == taken.id, Import.state == before).values(state=after, **values)
        )


def _say(engine: Engine, taken: Import, problem: UserError) -> None:
    with unit_of_work(engine, system_actor("imports")) as session:
        values = {"problem_zh": problem.label.zh, "problem_en": problem.label.en}
        session.execute(update(Import).where(Import.id == taken.id).values(**values))


def give_up(engine: Engine, import_id: int) -> None:
    """A step that failed for reasons of the program's own: say so; it can be asked for again."""
    problem = UserError(
        "处理中断，没有写入任何数据；可以继续", "Interrupted; nothing was written. You can go on from here"
    )
    taken = Import(id=import_id)
    _say(engine, taken, problem)


def waiting(session: Session, before: timedelta) -> list[tuple[str, int]]:
    """(job, import id) of steps that were asked for so long ago and may never have reached the queue."""
    statement = select(Import.id, Import.state).where(
        Import.state.in_(AT_WORK), Import.job_id.is_(None), Import.asked_at < now() - before
    )
    return [(JOBS[ImportState(state)], import_id) for import_id, state in session.execute(statement)]


def prune(session: Session, data_dir: Path) -> int:
    """Remove files that are older than they are kept; the number of folders removed."""
    oldest = now() - timedelta(days=KEPT_DAYS)
    root = data_dir / "imports"
    young = set(session.scalars(select(Import.folder).where(Import.created_at >= oldest)))
    removed = 0
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.name not in young and folder.stat().st_mtime < oldest.timestamp():
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed
