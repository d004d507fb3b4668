"""Exports that people asked for: kept as files of their own, for a few days, for nobody but them."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Select, select, update
from sqlalchemy.orm import Session

from app.access.acting import acting
from app.access.actor import Actor, system_actor
from app.access.audit import AuditAction, record
from app.access.field_access import seen_by
from app.access.masking import LONGEST_PURPOSE, SHORTEST_PURPOSE
from app.database.clock import now
from app.database.session import make_session, unit_of_work
from app.entity.labels import UserError
from app.entity.registry import EntityType, registry

from .exporting import headings, list_columns, written_rows
from .files import write_table
from .models import Export, ExportState
from .staging import private_folder

KEPT_DAYS = 7
"""For so long a file can be fetched."""
KINDS = ("xlsx", "csv", "json")

Tell = Callable[[int, int], None]
Narrowing = Callable[[EntityType, Session, str], tuple[int, Callable[[Select[Any]], Select[Any]]]]
"""Gives for an entity, a session and a list's address how many rows the list has, and what narrows a SELECT to it."""


def ask(
    session: Session,
    actor: Actor,
    entity: EntityType,
    *,
    kind: str,
    conditions: str,
    columns: Iterable[str],
    purpose: str,
    language: str,
) -> Export:
    """Note that a person wants a list as a file, with the purpose, in the audit trail too; the caller commits.

    Raises UserError for a purpose that says nothing and for columns that there are not.
    """
    purpose = " ".join(purpose.split())
    if not SHORTEST_PURPOSE <= len(purpose) <= LONGEST_PURPOSE:
        raise UserError(
            f"请说明导出的用途（{SHORTEST_PURPOSE} 到 {LONGEST_PURPOSE} 个字）",
            f"Say what the file is needed for, in {SHORTEST_PURPOSE} to {LONGEST_PURPOSE} characters",
        )
    names = [column.name for column in list_columns(entity, list(columns))]
    if not names:
        raise UserError("请至少选一列", "Choose at least one column")
    if kind not in KINDS:
        raise UserError("请选择文件格式", "Choose a format")
    export = Export(
        user_id=actor.user_id,
        token=secrets.token_urlsafe(32),
        entity=entity.code,
        kind=kind,
        conditions=conditions,
        columns=" ".join(names),
        purpose=purpose,
        reader_language=language,
        scope_mark=scope_mark(actor),
        state=ExportState.WAITING,
    )
    session.add(export)
    session.flush()
    detail = f"#{export.id} {kind}: {export.columns}"
    record(session, actor, AuditAction.EXPORTED, entity=entity.code, detail=detail, purpose=purpose)
    return export


def scope_mark(actor: Actor) -> str:
    """The same for actors who see the same rows."""
    bounds = (actor.unrestricted, actor.organization_path, actor.member_id, actor.is_staff)
    return hashlib.sha256(repr(bounds).encode()).hexdigest()


def path_of(data_dir: Path, export: Export) -> Path:
    return data_dir / "exports" / f"{hashlib.sha256(export.token.encode()).hexdigest()}.{export.kind}"


def is_open_to(export: Export, actor: Actor) -> bool:
    """Whether its file may be handed out to an actor now."""
    return (
        export.user_id == actor.user_id
        and export.state == ExportState.READY
        and export.scope_mark == scope_mark(actor)
        and export.expires_at is not None
        and export.expires_at > now()
    )


def write(engine: Engine, data_dir: Path, export_id: int, narrowing: Narrowing, tell: Tell) -> None:
    """Write the file, in the scope and columns of whoever asked, as they are now."""
    with unit_of_work(engine, system_actor("exports"), writes=False) as session:
        export = session.get(Export, export_id)
    if export is None or export.state != ExportState.WAITING:
        return
    try:
        count, size = _write(engine, data_dir, export, narrowing, tell)
    except UserError as problem:
        fail(engine, export_id, problem)
        return
    moment = now()
    _set(
        engine,
        export_id,
        state=ExportState.READY,
        row_count=count,
        byte_count=size,
        ready_at=moment,
        expires_at=moment + timedelta(days=KEPT_DAYS),
        problem_zh=None,
        problem_en=None,
    )


def _write(engine: Engine, data_dir: Path, export: Export, narrowing: Narrowing, tell: Tell) -> tuple[int, int]:
    entity = registry.get(export.entity)
    person = acting(engine, export.user_id)
    if entity is None or not person.may("export", entity) or export.scope_mark != scope_mark(person.actor):
        raise UserError(
            "您的角色或管理范围已变动，请重新导出", "Your role or what you look after has changed: export again"
        )
    columns = list_columns(seen_by(entity, person.clearance), export.columns.split())
    path = path_of(data_dir, export)
    private_folder(path.parent)
    draft = path.with_name(f".{os.getpid()}.{path.name}")
    sessions = [make_session(engine, person.actor, writes=False) for _ in range(2)]
    try:
        total, narrowed = narrowing(entity, sessions[0], export.conditions)
        plain = export.kind == "json"
        rows = written_rows(*sessions, entity, columns, narrowed, export.reader_language, plain=plain)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        count = write_table(
            draft, headings(columns, export.reader_language, by_name=plain), _counted(rows, total, tell)
        )
        os.chmod(draft, 0o600)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
        for session in sessions:
            session.close()
    return count, path.stat().st_size


def _counted(rows: Iterable[list[Any]], total: int, tell: Tell) -> Iterable[list[Any]]:
    done = 0
    for done, row in enumerate(rows, start=1):
        if done % 1_000 == 0:
            tell(done, max(total, done))
        yield row
    tell(done, done)


def _set(engine: Engine, export_id: int, **values: Any) -> None:
    with unit_of_work(engine, system_actor("exports")) as session:
        session.execute(update(Export).where(Export.id == export_id).values(**values))


def fail(engine: Engine, export_id: int, problem: UserError | None = None) -> None:
    """Say why there is no file."""
    problem = problem or UserError("导出中断，请重新导出", "Interrupted; export again")
    _set(engine, export_id, problem_zh=problem.label.zh, problem_en=problem.label.en)


def waiting(session: Session, before: timedelta) -> list[int]:
    """Exports asked for so long ago that may never have reached the queue."""
    statement = select(Export.id).where(
        Export.state == ExportState.WAITING,
        Export.job_id.is_(None),
        Export.problem_zh.is_(None),
        Export.created_at < now() - before,
    )
    return list(session.scalars(statement))


def prune(session: Session, data_dir: Path) -> int:
    """Remove files that nobody may fetch any more; their number."""
    moment, removed = now(), 0
    over = session.scalars(select(Export).where(Export.state == ExportState.READY, Export.expires_at < moment)).all()
    for export in over:
        path_of(data_dir, export).unlink(missing_ok=True)
        export.state = ExportState.EXPIRED
        removed += 1
    root = data_dir / "exports"
    oldest = (moment - timedelta(days=KEPT_DAYS + 1)).timestamp()
    for path in root.iterdir() if root.is_dir() else ():
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
    return removed
