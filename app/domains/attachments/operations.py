"""How files come to a record and go. The caller has read the record in the reader's scope, and knows that the reader
may write it (``app.access.bulk_check``); what belongs to the record is then read and written past the scope, for the
record alone. One of the named modules.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from app.access.audit import AuditAction, record
from app.access.scope import actor_of
from app.database.clock import now
from app.entity.fields import new_code
from app.entity.labels import UserError
from app.entity.registry import EntityType, registry
from app.history.recording import record_changes
from app.history.trash import files_kept

from .contents import kind_of, safe_name
from .models import Attachment
from .ties import ties_of

MOST = 50
"""Files of one record."""
KEPT_DAYS = 30
"""For so long the content of a file that no record has any more stays, so that a record can be brought back."""

_table = Attachment.__table__
COLUMNS = ("id", "code", "name", "media_type", "byte_count", "content_hash", "uploaded_by", "uploaded_at")


def files_of(session: Session, entity: EntityType, row_id: int) -> Sequence[Any]:
    """The files of a record that the reader sees, the newest first."""
    columns = [_table.c[name] for name in COLUMNS]
    condition = (_table.c.record_entity == entity.code) & (_table.c.record_id == row_id)
    return session.connection().execute(select(*columns).where(condition).order_by(_table.c.id.desc())).all()


def record_of(session: Session, code: str) -> tuple[str, int] | None:
    """Which record (entity, id) a file belongs to; None for no file. Tells nothing by itself: ask for the record."""
    statement = select(_table.c.record_entity, _table.c.record_id).where(_table.c.code == code)
    found = session.connection().execute(statement).one_or_none()
    return None if found is None else (found[0], found[1])


def attach(session: Session, data_dir: Path, entity: EntityType, row: Any, name: str, content: bytes) -> None:
    """Add a file to a record; the caller commits. Raises UserError for what may not be attached."""
    kind = kind_of(content)
    organization, member = ties_of(entity, row)
    if organization is None:
        raise UserError("这类记录不能附文件", "Files cannot be attached to such records")
    connection = session.connection()
    condition = (_table.c.record_entity == entity.code) & (_table.c.record_id == row.id)
    if (connection.scalar(select(func.count(_table.c.id)).where(condition)) or 0) >= MOST:
        raise UserError(f"一条记录最多附 {MOST} 个文件", f"A record has {MOST} files at most")
    digest = hashlib.sha256(content).hexdigest()
    _keep(data_dir, digest, content)
    safe, actor = safe_name(name, kind), actor_of(session)
    values = {
        "code": new_code(),
        "name": safe,
        "organization_id": organization,
        "member_id": member,
        "record_entity": entity.code,
        "record_id": row.id,
        "media_type": kind.media_type,
        "byte_count": len(content),
        "content_hash": digest,
        "uploaded_by": actor.name[:128],
        "uploaded_at": now(),
        "revision": 1,
    }
    number = connection.execute(insert(_table).values(values)).inserted_primary_key[0]
    record_changes(session, registry["attachment"], [(number, 1, None, values)])
    record(session, actor, AuditAction.ATTACHED, entity=entity.code, row_id=row.id, detail=safe)


def detach(session: Session, entity: EntityType, row: Any, code: str) -> str | None:
    """Take a file off a record; its name, None if the record has no such file. The caller commits."""
    found = next((each for each in files_of(session, entity, row.id) if each.code == code), None)
    if found is None:
        return None
    own = select(_table).where(_table.c.id == found.id)
    before = session.connection().execute(own).mappings().one()
    session.connection().execute(delete(_table).where(_table.c.id == found.id))
    record_changes(session, registry["attachment"], [(found.id, before["revision"], before, None)])
    record(session, actor_of(session), AuditAction.DETACHED, entity=entity.code, row_id=row.id, detail=found.name)
    return found.name


def path_of(data_dir: Path, digest: str) -> Path:
    return data_dir / "attachments" / digest[:2] / digest


def _keep(data_dir: Path, digest: str, content: bytes) -> None:
    """Store a content once, whole or not at all, for the owner's eyes alone."""
    path = path_of(data_dir, digest)
    if path.is_file():
        os.utime(path)
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{digest}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    os.replace(draft, path)


def prune(session: Session, data_dir: Path) -> int:
    """Remove contents that no record, in the trash or not, has had for a while; their number."""
    in_trash = {file["content_hash"] for file in files_kept(session)}
    root, oldest, removed = data_dir / "attachments", (now() - timedelta(days=KEPT_DAYS)).timestamp(), 0
    for folder in root.iterdir() if root.is_dir() else ():
        old = {path.name: path for path in folder.iterdir() if path.stat().st_mtime < oldest}
        if not old:
            continue
        used = set(session.connection().scalars(select(_table.c.content_hash).where(_table.c.content_hash.in_(old))))
        for name in old.keys() - used - in_trash:
            old[name].unlink(missing_ok=True)
            removed += 1
    return removed
