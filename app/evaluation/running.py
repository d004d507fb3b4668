"""Evaluating rules: collect, score, publish, one rule after another in the order of their dependencies.

The rules of an evaluation read the records together, at one moment, and each publishes in a transaction of its own: a
run. An evaluation that dies in between leaves what was in force or has been published; the job is tried again and
nothing is doubled, because publishing writes only what differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl
from sqlalchemy import Connection, Engine, insert, select, update

from app.database.clock import now, today
from app.database.engine import for_writing
from app.entity.labels import UserError
from app.entity.periods import Period
from app.entity.registry import registry
from app.rules.adjustments import LocalAdjustment
from app.rules.collecting import Asked, Records
from app.rules.context import Context
from app.rules.library import RuleLibrary
from app.rules.model import Index, Rule, Warning
from app.rules.scoring import PeerStatistics, ScoredIndex, score_index, score_warning

from . import periods
from .adjusting import Adjusted, Part, adjust, version_of
from .breakdowns import forget_breakdowns, write_breakdowns, write_whole
from .inputs import Places, PublishedResults, State, calendar_of, siblings_of
from .leases import Holding, lease
from .models import Extent, Run, RunState
from .progress import Progress
from .publishing import Changes, HeldChanges, held_changes, level_changes, score_changes
from .versions import record_version

_runs = Run.__table__
LEASE_WAIT_SECONDS = 600.0
HELD = "held."


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


@dataclass(frozen=True)
class Planned:
    """A rule to evaluate for one period at one date. ``subjects``: only these (a partial run), scored against the
    ``statistics`` of the last full run."""

    rule: Rule
    period: Period | None
    as_of: date
    subjects: Sequence[int] | None = None
    statistics: PeerStatistics | None = None
    adjustments: tuple[LocalAdjustment, ...] = ()
    """What districts and streets have adjusted of an index."""

    @property
    def period_code(self) -> str:
        return str(self.period or "")

    @property
    def lease_name(self) -> str:
        return f"{self.rule.code}:{self.period_code}"


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
    if not plan:
        progress.finish()
        return []
    results = PublishedResults(engine, library)
    names = [planned.lease_name for planned in plan]
    outcomes = []
    with (
        lease(engine, *names, wait_seconds=LEASE_WAIT_SECONDS, waiting=progress.waiting) as holding,
        evaluating(
            engine,
            plan,
            results,
            holding=holding,
            progress=progress,
            evaluation_id=evaluation_id,
            correction_reason=request.correction_reason,
        ) as evaluator,
    ):
        for planned in plan:
            # A past index must not bring back the warnings of its day; asked for by name, a warning is meant itself.
            meant = planned.as_of >= day or planned.rule.code in (request.rules or ())
            outcomes.append(evaluator.evaluate(planned, publish_warnings=meant))
    progress.finish()
    return outcomes


def _plan(library: RuleLibrary, request: Request, day: date) -> list[Planned]:
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
        plan.append(Planned(rule, period, rule_day, adjustments=adjustments_in_force(library, rule, rule_day)))
    return plan


def adjustments_in_force(library: RuleLibrary, rule: Rule, day: date) -> tuple[LocalAdjustment, ...]:
    """What districts and streets have adjusted of a rule on a day."""
    return library.adjustments_of(rule, day) if isinstance(rule, Index) else ()


def _refuse_closed(engine: Engine, plan: list[Planned], reason: str | None) -> None:
    """Refuse before anything is published, rather than when its turn comes to the one that is closed."""
    with engine.connect() as connection:
        for planned in plan:
            if isinstance(planned.rule, Index) and not _later_is_in_force(connection, planned):
                periods.refuse_closed(connection, planned.period, reason)


@contextmanager
def evaluating(
    engine: Engine,
    plan: Sequence[Planned],
    results: PublishedResults,
    *,
    holding: Holding,
    progress: Progress,
    evaluation_id: int | None = None,
    correction_reason: str | None = None,
) -> Iterator[Evaluator]:
    """An evaluator of planned rules, whose leases the caller is holding. All it reads of the records is of one
    moment."""
    reading = engine.connect()
    if engine.dialect.name != "sqlite":  # where a transaction sees one moment anyway
        reading = reading.execution_options(isolation_level="REPEATABLE READ")
    with reading as connection:
        calendar = calendar_of(connection, registry)
        asked = [
            Asked(planned.rule, Context(planned.as_of, planned.period, calendar), planned.subjects) for planned in plan
        ]
        with Records(connection, asked, registry, leaving_out=True) as records:
            yield Evaluator(engine, connection, records, results, holding, progress, evaluation_id, correction_reason)


class Evaluator:
    """Evaluates planned rules one after another; made by ``evaluating``."""

    def __init__(
        self,
        engine: Engine,
        connection: Connection,
        records: Records,
        results: PublishedResults,
        holding: Holding,
        progress: Progress,
        evaluation_id: int | None,
        correction_reason: str | None,
    ) -> None:
        self._engine, self._connection, self._records, self._results = engine, connection, records, results
        self._holding, self._progress = holding, progress
        self._evaluation_id, self._correction_reason = evaluation_id, correction_reason
        self._places = Places(connection, registry)

    def evaluate(self, planned: Planned, *, publish_warnings: bool = True) -> Outcome:
        """Collect, score and publish one rule. Its results are there for the rules after it."""
        outcome = self._evaluate(planned, publish_warnings)
        if planned.subjects is None:
            self._results.remember(planned.rule, planned.as_of, outcome.results, published=outcome.run_id is not None)
        return outcome

    def _evaluate(self, planned: Planned, publish_warnings: bool) -> Outcome:
        rule, progress = planned.rule, self._progress
        progress.rule(rule)
        state = State(self._connection, rule, planned.period_code, planned.subjects)
        frame = self._records.frame(rule, results=self._results, state=state)
        progress.subjects(frame.height)
        if planned.subjects is not None and isinstance(rule, Warning) and frame.is_empty() and state.is_empty:
            return Outcome(rule, planned.period, planned.as_of, frame)
        scored = self._scored(planned, frame)
        places = self._places.of(frame)
        scores = (scored.results if isinstance(scored, ScoredIndex) else scored).join(
            places, on="subject_id", how="left", maintain_order="left"
        )
        unpublished = Outcome(rule, planned.period, planned.as_of, scores)
        if (isinstance(rule, Warning) and not publish_warnings) or _later_is_in_force(self._connection, planned):
            return unpublished
        adjusted = Adjusted(scores)
        if isinstance(scored, ScoredIndex):
            adjusted = adjust(
                self._connection,
                rule,
                planned.adjustments,
                scored,
                frame,
                scores,
                places,
                self._records.context(rule),
                state,
                partial=planned.subjects is not None,
                period_code=planned.period_code,
            )
        work = _changes_of_index if isinstance(rule, Index) else _changes_of_warning
        changes, held = work(planned, adjusted.scores, state)
        statistics = scored.statistics if isinstance(scored, ScoredIndex) and planned.subjects is None else None
        if planned.subjects is not None and isinstance(rule, Warning) and not changes and not any(held):
            return unpublished  # most warnings have nothing to say of a change: that is not worth a run
        progress.publishing(rule)
        with for_writing(self._engine).begin() as connection:
            progress.require_wanted(connection)
            self._holding.require(connection)
            reason = periods.require_open(
                connection, planned.period if isinstance(rule, Index) else None, self._correction_reason
            )
            record_version(connection, rule)
            for adjustment in planned.adjustments:
                record_version(connection, adjustment)
            run_id = self._begin_run(connection, planned, frame.height, changes.subjects, statistics, reason)
            changes.publish(connection, run_id)
            for each in held:
                each.publish(connection)
            if isinstance(rule, Index) or planned.subjects is None:
                _publish_breakdowns(connection, planned, run_id, frame, scores)
            if isinstance(rule, Index):
                _publish_parts(connection, planned, run_id, adjusted.parts, state)
            connection.execute(
                update(_runs).where(_runs.c.id == run_id).values(state=RunState.PUBLISHED, finished_at=now())
            )
        return replace(unpublished, run_id=run_id, changed=changes.subjects)

    def _scored(self, planned: Planned, frame: pl.DataFrame) -> ScoredIndex | pl.DataFrame:
        """By the rule as it is for everybody."""
        rule, context = planned.rule, self._records.context(planned.rule)
        if not isinstance(rule, Index):
            return score_warning(rule, frame, context)
        siblings = None
        if rule.roll_up and planned.subjects is not None:
            siblings = siblings_of(
                self._connection, rule.code, planned.period_code, registry, frame["subject_id"].to_list()
            )
        return score_index(rule, frame, context, statistics=planned.statistics, siblings=siblings)

    def _begin_run(
        self,
        connection: Connection,
        planned: Planned,
        subjects: int,
        changed: int,
        statistics: PeerStatistics | None,
        correction_reason: str | None,
    ) -> int:
        rule = planned.rule
        return connection.execute(
            insert(_runs).values(
                evaluation_id=self._evaluation_id,
                rule_code=rule.code,
                rule_kind="index" if isinstance(rule, Index) else "warning",
                rule_version=rule.version,
                period_code=planned.period_code,
                as_of=planned.as_of,
                extent=Extent.FULL if planned.subjects is None else Extent.PARTIAL,
                state=RunState.RUNNING,
                subjects=subjects,
                changed=changed,
                started_at=now(),
                correction_reason=correction_reason,
                peer_statistics=statistics.to_bytes() if statistics else None,
                adjustments=version_of(planned.adjustments),
            )
        ).inserted_primary_key[0]


def _changes_of_index(planned: Planned, scores: pl.DataFrame, state: State) -> tuple[Changes, list[HeldChanges]]:
    changes = score_changes(
        state.in_force,
        scores,
        rule_code=planned.rule.code,
        period_code=planned.period_code,
        as_of=planned.as_of,
    )
    return changes, []


def _changes_of_warning(planned: Planned, scores: pl.DataFrame, state: State) -> tuple[Changes, list[HeldChanges]]:
    rule = planned.rule
    changes = level_changes(
        state.in_force,
        scores.rename({"level": "light", "value": "figure"}),
        rule_code=rule.code,
        subject_entity=rule.subject,
        period_code=planned.period_code,
        as_of=planned.as_of,
    )
    held = []
    for name in scores.columns:
        if name.startswith(HELD):
            condition = name.removeprefix(HELD)
            since = scores.select("subject_id", pl.col(name).alias("since"))
            held.append(held_changes(rule.code, condition, state.held(condition), since))
    return changes, held


def _joined(frame: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """The figures beside the node scores; the subject's own columns are there once."""
    figures = frame.drop(name for name in frame.columns if name in scores.columns and name != "subject_id")
    return scores.join(figures, on="subject_id", how="left", maintain_order="left")


def _publish_breakdowns(
    connection: Connection, planned: Planned, run_id: int, frame: pl.DataFrame, scores: pl.DataFrame
) -> None:
    joined = _joined(frame, scores)
    code, period = planned.rule.code, planned.period_code
    if isinstance(planned.rule, Index):
        write_breakdowns(connection, code, period, run_id, joined, full=planned.subjects is None)
    else:  # no scorecard reads those of a warning one by one, dry runs read them all
        write_whole(connection, code, period, run_id, joined)


def _publish_parts(
    connection: Connection, planned: Planned, run_id: int, parts: Mapping[str, Part], state: State
) -> None:
    """Keep what adjustments made of their parts, each under its own code; a full run forgets those that ended."""
    full, period = planned.subjects is None, planned.period_code
    for code, part in parts.items():
        write_breakdowns(connection, code, period, run_id, _joined(part.frame, part.results), full=full)
    if full:
        before = {code for codes in state.in_force["adjusted_by"].drop_nulls().unique() for code in codes.split()}
        for code in before - parts.keys():
            forget_breakdowns(connection, code, period)


def _later_is_in_force(connection: Connection, planned: Planned) -> bool:
    """Whether a run of a later date was published for the rule and period: an earlier date must not replace it. The
    levels of a warning stand whatever the period."""
    statement = select(_runs.c.id).where(
        _runs.c.rule_code == planned.rule.code,
        _runs.c.state == RunState.PUBLISHED,
        _runs.c.as_of > planned.as_of,
    )
    if isinstance(planned.rule, Index):
        statement = statement.where(_runs.c.period_code == planned.period_code)
    return connection.execute(statement.limit(1)).first() is not None


def unknown_rule(code: str, known: Sequence[str]) -> UserError:
    """The error for a rule code that is not in the rules folder."""
    return UserError(
        f"没有规则“{code}”；现有：{'、'.join(known)}", f"There is no rule “{code}”; there are: {', '.join(known)}"
    )
