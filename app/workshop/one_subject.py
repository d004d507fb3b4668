"""One subject among the others of the last full run, as runs have kept it: what “What would it take?” starts from."""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, select

from app.entity.registry import Registry, registry
from app.evaluation.breakdowns import read_frame
from app.evaluation.inputs import siblings_of
from app.evaluation.models import Run
from app.rules.adjustments import applied
from app.rules.frames import SUBJECT_ID
from app.rules.library import RuleLibrary
from app.rules.model import Index
from app.rules.peer_statistics import PeerStatistics
from app.rules.standing import Standing

from .kept_figures import context_of, last_full_run, rule_of_run, subjects_of

_runs = Run.__table__


def standing_of(
    connection: Connection,
    library: RuleLibrary,
    code: str,
    period: str,
    subject_id: int,
    adjusted_by: str | None = None,
    entities: Registry = registry,
) -> Standing | None:
    """Where a subject stands by the rule that scored it, with the adjustments that did (their codes, as its score has
    them); None if nothing is kept of it. Only its own figures and nameless ones of its peers are read; that the reader
    may see the subject, the caller answers for."""
    run = last_full_run(connection, code, period)
    stored = read_frame(connection, code, period, [subject_id]) if run is not None else None
    if run is None or stored is None:
        return None
    rule = rule_of_run(connection, run, code, library, entities)
    statistics = connection.execute(select(_runs.c.peer_statistics).where(_runs.c.id == run.id)).scalar()
    row = subjects_of(stored.filter(pl.col(SUBJECT_ID) == subject_id))
    if not isinstance(rule, Index) or statistics is None or row.is_empty():
        return None
    by_code = {each.code: each for each in library.adjustments_of(rule, run.as_of)} if adjusted_by else {}
    rule = applied(rule, [by_code[each] for each in (adjusted_by or "").split() if each in by_code])
    siblings = siblings_of(connection, rule.code, period, entities, [subject_id]) if rule.roll_up else None
    return Standing(
        rule, row, context_of(connection, run, period, entities), PeerStatistics.from_bytes(statistics), siblings
    )
