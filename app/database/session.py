"""Sessions and units of work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from sqlalchemy import Engine
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import sessionmaker

from app.database.engine import for_writing


class Session(OrmSession):
    """A session that acts for one actor, kept in ``info["actor"]`` and never changed once it has been used.

    ``app.access.scope`` listens to this class: it narrows every SELECT, UPDATE and DELETE to what the actor sees and
    checks every write.
    """

    def _pass_by(self, *_arguments: Any, **_keywords: Any) -> NoReturn:
        raise RuntimeError("This method passes the scope and the checks by: use session.add, or app.database.bulk")

    bulk_save_objects = bulk_insert_mappings = bulk_update_mappings = _pass_by


def make_session(engine: Engine, actor: Any, *, writes: bool = True) -> Session:
    """A session for an ``app.access.actor.Actor``. The caller closes it."""
    return sessionmaker(
        for_writing(engine) if writes else engine, class_=Session, expire_on_commit=False, info={"actor": actor}
    )()


@contextmanager
def unit_of_work(engine: Engine, actor: Any, *, writes: bool = True) -> Iterator[Session]:
    """A session that commits at the end of the block, or rolls back when it raises."""
    session = make_session(engine, actor, writes=writes)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.close()
