"""Evaluating rules as a whole: collect, score, publish, one rule after another in the order of their dependencies.

Each rule is one run: it reads in one transaction, and publishes in one. A run that dies in between leaves what was in
force; the job is tried again and nothing is doubled, because publishing writes only what differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl
from sqlalchemy import Connection, Engine, insert, select, update

from app.database.clock import now, today
from app.database.engine import for_writing
from app.entity.labels import UserError
from app.entity.periods import Period
from app.entity.registry import registry
from app.rules.collecting import collect
from app.rules.context import Context
from app.rules.library import RuleLibrary
from app.rules.model import Index, Rule, Warning
from app.rules.scoring import PeerStatistics, score_index, score_warning

from . import periods
from .breakdowns import write_breakdowns
from .inputs import PublishedResults, State, calendar_of, places_of, siblings_of
from .leases import Holding, lease
from .models import Extent, Run, RunState
from .progress import Progress
from .publishing import publish_held, publish_levels, publish_scores
from .versions import record_version

_runs = Run.__table__
LEASE_WAIT_SECONDS = 600.0


@dataclass(frozen=True)
class Request:
    """What to evaluate. ``rules``: codes, or None for every rule in force; what they read from other rules is
    evaluated with them."""

    rules: tuple[str, ...] | None = None
    period: str | None = None
    as_of: date | None = None
    correction_reason: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of one rule. ``results``: the results frame with ``code`` of each subject. ``run_id`` is None where
    nothing was published because results of a later date are in force."""

    rule: Rule
    period: Period | None
    as_of: date
    results: pl.DataFrame = field(repr=False)
    run_id: int | None = None
    changed: int = 0


def evaluate(
    engine: Engine, library: RuleLibrary, request: Request, *, progress: Progress, evaluation_id: int | None = None
) -> list[Outcome]:
    """Evaluate the request's rules and those they read from, in order.

    Raises UserError for a rule that is unknown, not in force at the date, or asked for a period that does not fit it
    or is closed.
    """
    day = today()
    plan = _plan(library, request, day)
    _refuse_closed(engine, plan, request.correction_reason)
    progress.start(rules=len(plan))
    results = PublishedResults(engine, library)
    outcomes = []
    for rule, period, as_of in plan:
        with lease(
            engine, f"{rule.code}:{period or ''}", wait_seconds=LEASE_WAIT_SECONDS, waiting=progress.waiting
        ) as holding:
            outcome = evaluate_rule(
                engine,
                rule,
                period,
                as_of,
                results,
                holding=holding,
                progress=progress,
                evaluation_id=evaluation_id,
                correction_reason=request.correction_reason,
                publish_warnings=as_of >= day,
            )
        results.remember(outcome.rule, outcome.as_of, outcome.results, published=outcome.run_id is not None)
        outcomes.append(outcome)
    progress.finish()
    return outcomes


def _plan(library: RuleLibrary, request: Request, day: date) -> list[tuple[Rule, Period | None, date]]:
    """The rules to evaluate in the order of their dependencies, each with its period and date."""
    wanted = request.rules
    as_of = request.as_of
    if wanted and request.period:
        for code in wanted:
            rule = library.rule(code, as_of or day)
            _, as_of = periods.choose(rule.period, request.period, request.as_of, day)
    elif request.period:
        as_of = as_of or min(Period.parse(request.period).end, day)
    as_of = as_of or day
    plan = []
    for rule in library.ordered(wanted, as_of):
        asked = request.period if wanted and rule.code in wanted else None
        period, rule_day = periods.choose(rule.period, asked, as_of, day)
        plan.append((rule, period, rule_day))
    return plan


def _refuse_closed(engine: Engine, plan: list[tuple[Rule, Period | None, date]], reason: str | None) -> None:
    """Refuse before anything is published, rather than when its turn comes to the one that is closed."""
    with engine.connect() as connection:
        for rule, period, as_of in plan:
            if isinstance(rule, Index) and not _later_is_in_force(connection, rule.code, str(period or ""), as_of):
                periods.refuse_closed(connection, period, reason)


def evaluate_rule(
    engine: Engine,
    rule: Rule,
    period: Period | None,
    as_of: date,
    results: PublishedResults,
    *,
    holding: Holding,
    progress: Progress,
    evaluation_id: int | None = None,
    correction_reason: str | None = None,
    publish_warnings: bool = True,
    subjects: Sequence[int] | None = None,
    statistics: PeerStatistics | None = None,
) -> Outcome:
    """Collect, score and publish one rule for one period at one date; the caller is holding its lease.

    ``subjects``: only these (a partial run, scored against the ``statistics`` of the last full one).
    """
    period_code = str(period or "")
    progress.rule(rule)
    with engine.connect() as connection:
        context = Context(as_of, period, calendar_of(connection, registry))
        state = State(connection, rule, period_code)
        frame = collect(connection, rule, registry, context, subjects=subjects, results=results, state=state)
        places = places_of(connection, rule.subject, registry)
        siblings = None
        if isinstance(rule, Index) and rule.roll_up and subjects is not None:
            siblings = siblings_of(connection, rule, period_code, registry, frame["subject_id"].to_list())
        superseded = _later_is_in_force(connection, rule.code, period_code, as_of)
    progress.subjects(frame.height)
    if isinstance(rule, Index):
        scored = score_index(rule, frame, context, statistics=statistics, siblings=siblings)
        scores, new_statistics = scored.results, scored.statistics
    else:
        scores, new_statistics = score_warning(rule, frame, context), None
    scores = scores.join(places, on="subject_id", how="left")
    if superseded or (isinstance(rule, Warning) and not publish_warnings):
        return Outcome(rule, period, as_of, scores)
    progress.publishing(rule)
    with for_writing(engine).begin() as connection:
        progress.require_wanted(connection)
        holding.require(connection)
        periods.require_open(connection, period if isinstance(rule, Index) else None, correction_reason)
        record_version(connection, rule)
        run_id = connection.execute(
            insert(_runs).values(
                evaluation_id=evaluation_id,
                rule_code=rule.code,
                rule_kind="index" if isinstance(rule, Index) else "warning",
                rule_version=rule.version,
                period_code=period_code,
                as_of=as_of,
                extent=Extent.FULL if subjects is None else Extent.PARTIAL,
                state=RunState.RUNNING,
                subjects=frame.height,
                started_at=now(),
                correction_reason=correction_reason,
                peer_statistics=new_statistics.to_bytes() if new_statistics and subjects is None else None,
            )
        ).inserted_primary_key[0]
        publish = _publish_index if isinstance(rule, Index) else _publish_warning
        changed = publish(connection, rule, period_code, run_id, as_of, frame, scores, subjects)
        connection.execute(
            update(_runs)
            .where(_runs.c.id == run_id)
            .values(state=RunState.PUBLISHED, finished_at=now(), changed=changed)
        )
    return Outcome(rule, period, as_of, scores, run_id, changed)


def _publish_index(
    connection: Connection,
    rule: Index,
    period_code: str,
    run_id: int,
    as_of: date,
    frame: pl.DataFrame,
    scores: pl.DataFrame,
    subjects: Sequence[int] | None,
) -> int:
    changed = publish_scores(
        connection,
        rule_code=rule.code,
        period_code=period_code,
        run_id=run_id,
        as_of=as_of,
        frame=scores,
        subjects=subjects,
    )
    joined = scores.join(frame, on="subject_id", how="left", suffix="_subject")
    write_breakdowns(connection, rule.code, period_code, run_id, joined, full=subjects is None)
    return changed


def _publish_warning(
    connection: Connection,
    rule: Warning,
    period_code: str,
    run_id: int,
    as_of: date,
    frame: pl.DataFrame,
    scores: pl.DataFrame,
    subjects: Sequence[int] | None,
) -> int:
    held = {
        name.removeprefix("held."): scores.select("subject_id", pl.col(name).alias("since"))
        for name in scores.columns
        if name.startswith("held.")
    }
    publish_held(connection, rule_code=rule.code, held=held, subjects=subjects)
    return publish_levels(
        connection,
        rule_code=rule.code,
        subject_entity=rule.subject,
        period_code=period_code,
        run_id=run_id,
        as_of=as_of,
        frame=scores.rename({"level": "light", "value": "figure"}),
        subjects=subjects,
    )


def _later_is_in_force(connection: Connection, rule_code: str, period_code: str, as_of: date) -> bool:
    """Whether a run of a later date was published for the rule and period: an earlier date must not replace it."""
    statement = select(_runs.c.id).where(
        _runs.c.rule_code == rule_code,
        _runs.c.period_code == period_code,
        _runs.c.state == RunState.PUBLISHED,
        _runs.c.as_of > as_of,
    )
    return connection.execute(statement.limit(1)).first() is not None


def unknown_rule(code: str, known: Sequence[str]) -> UserError:
    """The error for a rule code that is not in the rules folder."""
    return UserError(
        f"没有规则“{code}”；现有：{'、'.join(known)}", f"There is no rule “{code}”; there are: {', '.join(known)}"
    )
