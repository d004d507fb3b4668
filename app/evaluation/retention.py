"""How long replaced versions of scores are kept.

A version that a later run replaced says what stood in between; pages read none of them. What is in force is never
forgotten, and so are neither period ends nor trends nor what other rules read of former periods: that is what is in
force in its period. What stood when a period was closed, and was corrected afterwards, is kept as well.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, select

from app.database.bulk import BATCH, delete_by_id
from app.database.engine import for_writing

from .models import IN_FORCE, Run, Score

_scores, _runs = Score.__table__, Run.__table__


def forget_versions(engine: Engine, before: datetime) -> int:
    """Delete versions that were replaced before a moment, other than by a correction; how many.

    A few thousand at a time, so that nobody who saves has to wait long.
    """
    replaced = (
        select(_scores.c.id)
        .join(_runs, _runs.c.id == _scores.c.until_run_id)
        .where(_scores.c.until_run_id != IN_FORCE, _runs.c.finished_at < before, _runs.c.correction_reason.is_(None))
        .limit(BATCH)
    )
    count = 0
    while True:
        with for_writing(engine).begin() as connection:
            ids = list(connection.execute(replaced).scalars())
            delete_by_id(connection, _scores, ids)
        count += len(ids)
        if len(ids) < BATCH:
            return count
