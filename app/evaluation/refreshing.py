"""Scoring again just what changed: the subjects that committed changes have marked.

They are scored against the peer statistics (observed ranges, distributions, means) of the last full run; ranks are
counted when they are read, so they are always of now. Marks are removed only once their results are published, so a
worker killed in between does the work again, with the same outcome.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, Engine, Row, select

from app.database.bulk import delete_by_id, listed
from app.database.clock import today
from app.database.engine import for_writing
from app.entity.periods import Period
from app.entity.registry import Registry, registry
from app.rules.library import RuleLibrary
from app.rules.model import Index, Rule
from app.rules.result_columns import INDEX_SOURCE, WARNING_SOURCE
from app.rules.scoring import PeerStatistics

from .adjusting import version_of
from .dependencies import entities_read, subjects_of_rows
from .inputs import PublishedResults
from .leases import LeaseTaken, lease
from .models import Change, Extent, Run, RunState
from .progress import Progress
from .running import Planned, Request, adjustments_in_force, evaluate, evaluating

MOST_SUBJECTS = 2_000
"""More changed subjects of a rule than this are scored by a full run of the rule, which costs less."""
LEASE_WAIT_SECONDS = 120.0
LONGEST_SECONDS = 5.0
"""After this what is marked meanwhile is left to the next job, so that others have their turn."""

_changes, _runs = Change.__table__, Run.__table__


@dataclass
class Marks:
    """The changes waiting, gathered."""

    ids: list[int] = field(default_factory=list)
    """Those that are gathered and no others: a mark of a lower number may be committed at any later moment."""
    coarse: bool = False
    rows: dict[str, set[int]] = field(default_factory=dict)
    """Changed rows by entity."""
    organizations: set[int] = field(default_factory=set)
    """Organizations that changed rows are or were tied to, those of their members, and all organizations above."""
    members: set[int] = field(default_factory=set)


def refresh(engine: Engine, library: RuleLibrary, *, progress: Progress | None = None) -> int:
    """Score again what is marked; the number of results that changed. Does nothing while another process does it.

    What is marked meanwhile is done too, but not for ever: where people keep saving, the next job goes on.
    """
    progress = progress or Progress()
    until = time.monotonic() + LONGEST_SECONDS
    changed = 0
    try:
        with lease(engine, "refresh"):
            while (marks := _gather(engine)) is not None:
                changed += _refresh(engine, library, marks, progress)
                with for_writing(engine).begin() as connection:
                    delete_by_id(connection, _changes, marks.ids)
                if time.monotonic() > until:
                    break
    except LeaseTaken:
        return changed
    return changed


def _gather(engine: Engine) -> Marks | None:
    with engine.connect() as connection:
        marks = Marks()
        statement = select(
            _changes.c.id, _changes.c.entity, _changes.c.row_id, _changes.c.organization_id, _changes.c.member_id
        )
        for number, entity, row, organization, member in connection.execute(statement):
            marks.ids.append(number)
            if row is None:
                marks.coarse = True
                continue
            marks.rows.setdefault(entity, set()).add(row)
            marks.organizations |= {organization} - {None}
            marks.members |= {member} - {None}
        if not marks.ids:
            return None
        _widen(connection, marks, registry)
        return marks


def _widen(connection: Connection, marks: Marks, registry: Registry) -> None:
    """Add the organizations of marked members, and all organizations above any that is marked."""
    if marks.members and "member" in registry:
        members = registry["member"].model.__table__
        statement = select(members.c.organization_id).where(members.c.id.op("IN")(listed(sorted(marks.members))))
        marks.organizations |= set(connection.execute(statement.distinct()).scalars()) - {None}
    if marks.organizations:
        organizations = registry["organization"].model.__table__
        statement = select(organizations.c.path).where(organizations.c.id.op("IN")(listed(sorted(marks.organizations))))
        for path in connection.execute(statement).scalars():
            marks.organizations |= {int(part) for part in (path or "").split("/") if part}


def _refresh(engine: Engine, library: RuleLibrary, marks: Marks, progress: Progress) -> int:
    day = today()
    if marks.coarse:
        return sum(outcome.changed for outcome in evaluate(engine, library, Request(), progress=progress))
    rules = [rule for rule in library.ordered(None, day) if _may_change(rule, marks)]
    if not rules:
        return 0
    progress.start(rules=len(rules))
    names = [f"{rule.code}:{_period(rule, day) or ''}" for rule in rules]
    with lease(engine, *names, wait_seconds=LEASE_WAIT_SECONDS, waiting=progress.waiting) as holding:
        with engine.connect() as connection:
            plan = _plan(connection, library, rules, marks, day)
        changed = 0
        results = PublishedResults(engine, library)
        with evaluating(engine, plan, results, holding=holding, progress=progress) as evaluator:
            for planned in plan:
                if changed or entities_read(planned.rule, registry) & set(marks.rows):
                    changed += evaluator.evaluate(planned).changed
    progress.finish()
    return changed


def _may_change(rule: Rule, marks: Marks) -> bool:
    """Whether the rule reads what is marked, or results of rules that may."""
    return bool(entities_read(rule, registry) & {*marks.rows, INDEX_SOURCE, WARNING_SOURCE})


def _period(rule: Rule, day: date) -> Period | None:
    return Period.containing(day, rule.period) if rule.period else None


def _plan(
    connection: Connection, library: RuleLibrary, rules: Sequence[Rule], marks: Marks, day: date
) -> list[Planned]:
    """The rules that have subjects to score again: just those, or all where that costs less or there is nothing to
    compare with."""
    plan = []
    for rule in rules:
        period = _period(rule, day)
        subjects = _subjects(connection, rule, marks, registry)
        if not subjects:
            continue
        last = _last_full_run(connection, rule, str(period or ""))
        adjustments = adjustments_in_force(library, rule, day)
        same = last is not None and (last.rule_version, last.adjustments) == (rule.version, version_of(adjustments))
        whole = not same or len(subjects) > MOST_SUBJECTS
        statistics = None
        if last is not None and not whole and isinstance(rule, Index):
            statistics = _statistics(connection, last.id)
            whole = statistics is None
        plan.append(Planned(rule, period, day, None if whole else sorted(subjects), statistics, adjustments))
    return plan


def _subjects(connection: Connection, rule: Rule, marks: Marks, registry: Registry) -> set[int]:
    """The rule's subjects that the marks touch."""
    if rule.subject == "organization":
        subjects = set(marks.organizations)
    elif rule.subject == "member":
        subjects = set(marks.members)
    else:
        subjects = set()
    for entity, rows in marks.rows.items():
        subjects |= subjects_of_rows(connection, rule, registry, entity, rows)
    return subjects


def _last_full_run(connection: Connection, rule: Rule, period_code: str) -> Row | None:
    statement = (
        select(_runs.c.id, _runs.c.rule_version, _runs.c.adjustments)
        .where(
            _runs.c.rule_code == rule.code,
            _runs.c.period_code == period_code,
            _runs.c.extent == Extent.FULL,
            _runs.c.state == RunState.PUBLISHED,
        )
        .order_by(_runs.c.id.desc())
    )
    return connection.execute(statement.limit(1)).first()


def _statistics(connection: Connection, run_id: int) -> PeerStatistics | None:
    content = connection.execute(select(_runs.c.peer_statistics).where(_runs.c.id == run_id)).scalar()
    return PeerStatistics.from_bytes(content) if content else None
