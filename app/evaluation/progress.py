"""How far an evaluation has come: counted, kept on its row for pages, and told to whoever listens."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

from sqlalchemy import Connection, Engine, insert, select, update

from app.database.clock import now
from app.database.engine import for_writing
from app.entity.labels import Label, UserError
from app.rules.model import Rule

from .models import Evaluation, RunState

Listener = Callable[[Label, int, int], None]
"""Called with what is being done, and how many rules of how many are done."""

SECONDS_BETWEEN_BEATS = 0.2

NO_PROBLEM = {"finished_at": None, "problem_zh": None, "problem_en": None}
"""What a further try leaves of the one that failed."""

_evaluations = Evaluation.__table__

COLLECTING = Label("汇总记录：{rule}", "Collecting: {rule}")
PUBLISHING = Label("公布结果：{rule}", "Publishing: {rule}")
WAITING = Label("等待另一次评定完成", "Waiting for another evaluation to finish")
INTERRUPTED = Label(
    "评定中断了，很久没有进展。已公布的结果不受影响；需要时请重新发起",
    "The evaluation was interrupted. Published results are not affected; start another if it is needed",
)
DONE = Label("评定完成", "Evaluated")


class Stopped(Exception):
    """Somebody asked the evaluation to stop; what was published until then stays."""


class Progress:
    """Progress that only a listener hears: the base for evaluations without a row of their own."""

    def __init__(self, listener: Listener | None = None) -> None:
        self._listener = listener
        self.rules_total = self.rules_done = 0
        self.subjects_done = 0
        self._started_rule = False

    def start(self, *, rules: int) -> None:
        self.rules_total = rules

    def rule(self, rule: Rule) -> None:
        """A rule begins; the one before it is done."""
        self.rules_done += self._started_rule
        self._started_rule = True
        self._tell(COLLECTING.format(rule=rule.label), rule)

    def subjects(self, count: int) -> None:
        self.subjects_done += count

    def publishing(self, rule: Rule) -> None:
        self._tell(PUBLISHING.format(rule=rule.label), rule)

    def require_wanted(self, connection: Connection) -> None:
        """Raises Stopped if somebody has asked for an end: asked in the transaction that publishes."""

    def waiting(self) -> None:
        self._tell(WAITING, None)

    def finish(self) -> None:
        self.rules_done = self.rules_total
        self._tell(DONE, None)

    def _tell(self, label: Label, rule: Rule | None) -> None:
        if self._listener:
            self._listener(label, self.rules_done, self.rules_total)


class RecordedProgress(Progress):
    """Progress kept on an Evaluation row. Raises Stopped when the row has been told to stop."""

    def __init__(self, engine: Engine, evaluation_id: int, listener: Listener | None = None) -> None:
        super().__init__(listener)
        self._engine, self._id = engine, evaluation_id
        self._next_beat = 0.0

    def start(self, *, rules: int) -> None:
        super().start(rules=rules)
        self._write(
            state=RunState.RUNNING, rules_total=rules, rules_done=0, subjects_done=0, started_at=now(), **NO_PROBLEM
        )

    def _tell(self, label: Label, rule: Rule | None) -> None:
        super()._tell(label, rule)
        if time.monotonic() < self._next_beat and self.rules_done < self.rules_total:
            return
        self._next_beat = time.monotonic() + SECONDS_BETWEEN_BEATS
        with self._engine.connect() as connection:
            self.require_wanted(connection)
        self._write(
            rules_done=self.rules_done,
            subjects_done=self.subjects_done,
            current_rule=rule.code if rule else None,
        )

    def require_wanted(self, connection: Connection) -> None:
        state = connection.execute(select(_evaluations.c.state).where(_evaluations.c.id == self._id)).scalar()
        if state == RunState.STOPPED:
            raise Stopped

    def finish(self) -> None:
        super().finish()
        self._write(
            state=RunState.PUBLISHED,
            rules_done=self.rules_total,
            subjects_done=self.subjects_done,
            current_rule=None,
            **{**NO_PROBLEM, "finished_at": now()},
        )

    def fail(self, problem: UserError | None) -> None:
        """The evaluation ended with an error: the user's words for it, or that the system failed."""
        label = (
            problem.label
            if problem
            else Label(
                "评定没有完成：系统出错。已公布的结果不受影响，稍后会自动重试",
                "The evaluation failed. Published results are not affected; it will be tried again",
            )
        )
        self._write(state=RunState.FAILED, finished_at=now(), problem_zh=label.zh, problem_en=label.en)

    def _write(self, **values: object) -> None:
        """Keep how things stand; that somebody stopped the evaluation is never written over."""
        mine = update(_evaluations).where(_evaluations.c.id == self._id, _evaluations.c.state != RunState.STOPPED)
        with for_writing(self._engine).begin() as connection:
            connection.execute(mine.values(heartbeat_at=now(), **values))


def request_evaluation(
    engine: Engine,
    *,
    cause: str,
    rules: tuple[str, ...] | None = None,
    period: str | None = None,
    as_of: date | None = None,
    correction_reason: str | None = None,
    requested_by: int | None = None,
) -> int:
    """Record that an evaluation is wanted, before its job is queued; the row's id."""
    with for_writing(engine).begin() as connection:
        return connection.execute(
            insert(_evaluations).values(
                cause=cause,
                requested_rules=" ".join(rules) if rules else None,
                requested_period=period,
                as_of=as_of,
                correction_reason=correction_reason,
                requested_by=requested_by,
                state=RunState.QUEUED,
                created_at=now(),
            )
        ).inserted_primary_key[0]
