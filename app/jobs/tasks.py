"""The work of every kind of job (`kinds.py`), each function named like its kind.

Arguments are what JSON can hold. A function acts for the system, opens its own units of work, and leaves the same
behind when it is done twice.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from importlib import import_module

from sqlalchemy import Engine, delete, select, update

from app.access import idempotent_answers
from app.access.actor import Actor, system_actor
from app.access.audit import AuditAction, record
from app.database.clock import now, today
from app.database.encryption import load_keyring
from app.database.engine import for_writing, make_engine
from app.database.session import unit_of_work
from app.database.statistics import refresh_statistics
from app.domains import all as domains
from app.domains.attachments import operations as attachments
from app.domains.content.operations import close_ended
from app.domains.development.operations import expire_transfers
from app.domains.duties.operations import mark_overdue
from app.domains.party_life import duties
from app.domains.wishes.operations import return_overdue
from app.entity.labels import Label, UserError
from app.entity.periods import Period
from app.evaluation import periods
from app.evaluation.models import Evaluation, PeriodRecord, PeriodState, RunState
from app.evaluation.progress import INTERRUPTED, Progress, RecordedProgress, Stopped, request_evaluation
from app.evaluation.refreshing import refresh
from app.evaluation.retention import forget_versions
from app.evaluation.running import Request
from app.evaluation.running import evaluate as evaluate_rules
from app.exchange import exports, imports
from app.history import pruning as history
from app.history.origin import Door, use_door
from app.history.verifying import verify
from app.jobs.freshness import keep_fresh
from app.jobs.progress import report
from app.jobs.queue import enqueue
from app.rules.library import RuleLibrary
from app.rules.model import Index
from app.workshop import approvals
from config import Settings

__all__ = ["domains"]

ABANDONED_AFTER = timedelta(minutes=5)
"""An evaluation that has not been heard of for so long was interrupted."""
LEFT_WAITING_AFTER = timedelta(seconds=10)
"""A request that nobody has begun for so long may have missed the queue."""
KEPT_FOR = timedelta(days=180)
"""How long requests for evaluations are remembered; their runs and results are kept."""

_evaluations, _periods = Evaluation.__table__, PeriodRecord.__table__


def evaluate(
    evaluation_id: int | None = None,
    rules: list[str] | None = None,
    period: str | None = None,
    as_of: str | None = None,
) -> None:
    """Evaluate rules (their codes; all in force if None) for a period, at an ISO date.

    ``evaluation_id``: the row of ``request_evaluation`` that asked for it, says what is wanted and shows the progress;
    one is made of the other arguments if it is None. One that has been stopped or is done already is left alone.
    """
    engine = _engine()
    if evaluation_id is None:
        _give_up_abandoned(engine)
        evaluation_id = request_evaluation(
            engine,
            cause="schedule",
            rules=tuple(rules or ()),
            period=period,
            as_of=date.fromisoformat(as_of) if as_of else None,
        )
    with engine.connect() as connection:
        wanted = connection.execute(select(_evaluations).where(_evaluations.c.id == evaluation_id)).one_or_none()
    if wanted is None or wanted.state not in (RunState.QUEUED, RunState.RUNNING, RunState.FAILED):
        return
    progress = RecordedProgress(engine, evaluation_id, _tell)
    codes = tuple((wanted.requested_rules or "").split()) or None
    request = Request(codes, wanted.requested_period, wanted.as_of, wanted.correction_reason)
    try:
        evaluate_rules(engine, _library(), request, progress=progress, evaluation_id=evaluation_id)
    except Stopped:
        return
    except UserError as problem:  # another try would end alike
        progress.fail(problem)
    except Exception:
        progress.fail(None)
        raise


def refresh_changed() -> int:
    """Score again the subjects that committed changes have marked; the number of results that changed."""
    return refresh(_engine(), _library(), progress=Progress(_tell))


def take_up_evaluations() -> int:
    """Queue the evaluations that people asked for while the queue was away; the number queued."""
    engine = _engine()
    _give_up_abandoned(engine)
    wanted = select(_evaluations.c.id).where(
        _evaluations.c.state == RunState.QUEUED,
        _evaluations.c.cause == "console",
        _evaluations.c.created_at < now() - LEFT_WAITING_AFTER,
    )
    with engine.connect() as connection:
        found = connection.execute(wanted.order_by(_evaluations.c.id)).scalars().all()
    for number in found:
        # In the very words of the console, so that a job that does wait is not added a second time.
        enqueue("evaluate", evaluation_id=number)
    return len(found)


def tend_rules() -> int:
    """Publish the drafts whose day has come, carry on with publications that a crash cut off, and make versions of rule
    files that were changed by hand; the number of all of them."""
    engine, library = _engine(), _library()
    done = approvals.recover(engine, library) + approvals.publish_due(engine, library)
    return done + approvals.take_up_files(engine, library)


def close_due_periods() -> None:
    """Evaluate the periods that have ended once more, with the records that came late, and close those that are due."""
    engine, day = _engine(), today()
    with engine.connect() as connection:
        codes = periods.ended(connection, day)
        waiting = select(_periods.c.period_code).where(_periods.c.state == PeriodState.PROVISIONAL)
        codes += connection.execute(waiting.order_by(_periods.c.ends_on)).scalars()
    for code in codes:
        period = Period.parse(code)
        rules = [rule.code for rule in _library().ordered(None, period.end) if _is_for(rule, period)]
        if rules:
            evaluate(rules=rules, period=code)
    with for_writing(engine).begin() as connection:
        periods.advance(connection, day)


def create_due() -> int:
    """Make rows of what is owed today and is not there yet; the number made."""
    return sum(duties.create_due(_engine(), today(), _tell).values())


def check_import(import_id: int) -> None:
    """Check the rows of an uploaded file."""
    _step(imports.check, import_id)


def save_import(import_id: int) -> None:
    """Write the rows of a file that were checked."""
    _step(imports.save, import_id)


def undo_import(import_id: int) -> None:
    """Take back what an import wrote."""
    _step(imports.undo, import_id)


def _step(work: Callable[..., None], import_id: int) -> None:
    try:
        work(_engine(), _settings().data_dir, import_id, report)
    except Exception:
        imports.give_up(_engine(), import_id)
        raise


def write_export(export_id: int) -> None:
    """Write a list into a file."""
    # The console knows how to read a list's address; no other job of this worker needs it.
    narrowing = import_module("app.console.list_address").narrowing
    try:
        exports.write(_engine(), _settings().data_dir, export_id, narrowing, report)
    except Exception:
        exports.fail(_engine(), export_id)
        raise


def take_up_files() -> int:
    """Queue steps of imports and exports that were asked for while the queue was away; the number queued."""
    with unit_of_work(_engine(), system_actor("files"), writes=False) as session:
        steps = imports.waiting(session, LEFT_WAITING_AFTER)
        files = exports.waiting(session, LEFT_WAITING_AFTER)
    for job, import_id in steps:
        enqueue(job, import_id=import_id)
    for export_id in files:
        enqueue("write_export", export_id=export_id)
    return len(steps) + len(files)


def end_overdue() -> int:
    """End letters of introduction, claims of wishes and surveys whose time is over, and say of tasks that they are
    overdue; how many."""
    return sum(each(_engine(), today()) for each in (expire_transfers, return_overdue, close_ended, mark_overdue))


def prune() -> int:
    """Forget old requests for evaluations, replaced versions of scores, history beyond its retention, and files of
    imports, exports and attachments; the number forgotten. The planner hears of how much is left, and of what the
    day has brought."""
    with for_writing(_engine()).begin() as connection:
        old = delete(_evaluations).where(_evaluations.c.created_at < now() - KEPT_FOR)
        count = connection.execute(old).rowcount + idempotent_answers.prune(connection)
    count += forget_versions(_engine(), now() - timedelta(days=_settings().keep_versions_days))
    count += history.prune(_engine(), now() - timedelta(days=_settings().history_keep_days))
    with unit_of_work(_engine(), system_actor("prune")) as session:
        data_dir = _settings().data_dir
        count += imports.prune(session, data_dir) + exports.prune(session, data_dir)
        count += attachments.prune(session, data_dir)
    refresh_statistics(_engine())
    return count


def verify_history(asked_by: str, user_id: int | None = None) -> int:
    """Verify history and audit trail; what was found is an audit event of whoever asked. The number of faults."""
    with _engine().connect() as connection:
        found = verify(connection, report)
    asker = Actor(asked_by, user_id)
    with unit_of_work(_engine(), system_actor("audit")) as session:
        record(session, asker, AuditAction.CHAIN_VERIFIED, detail=found.said())
    return len(found.faults)


def _is_for(rule: object, period: Period) -> bool:
    return isinstance(rule, Index) and rule.period == period.kind


def _tell(label: Label, done: int, total: int) -> None:
    report(done, total, label.zh)


def _give_up_abandoned(engine: Engine) -> None:
    """Mark evaluations whose process died, so that none seems to be under way for ever. Where the job is done again
    after all, it says so on the same row, or on one of its own if it is the schedule's."""
    with for_writing(engine).begin() as connection:
        connection.execute(
            update(_evaluations)
            .where(_evaluations.c.state == RunState.RUNNING, _evaluations.c.heartbeat_at < now() - ABANDONED_AFTER)
            .values(state=RunState.FAILED, finished_at=now(), problem_zh=INTERRUPTED.zh, problem_en=INTERRUPTED.en)
        )


@cache
def _settings() -> Settings:
    settings = Settings.from_environment()
    load_keyring(settings.data_dir)
    keep_fresh(settings)
    use_door(Door.JOB)
    return settings


@cache
def _engine() -> Engine:
    """One engine for the life of the worker; its pool survives a restart of the database."""
    return make_engine(_settings().database_url)


@cache
def _library() -> RuleLibrary:
    """The rules folder as this worker knows it; it notices changed files by itself."""
    return RuleLibrary(_settings().rules_dir, _settings().data_dir)
