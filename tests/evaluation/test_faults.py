"""What an evaluation promises when something is in its way: a stop, a rival, a late mark, a closed period."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, func, insert, select, update

from app.access.actor import system_actor
from app.command_line.evaluate import export
from app.database.clock import now, today
from app.database.engine import for_writing
from app.database.session import unit_of_work
from app.domains.organizations.models import Organization
from app.entity.labels import Label
from app.evaluation import periods, refreshing
from app.evaluation.leases import LeaseLost
from app.evaluation.models import (
    IN_FORCE,
    Change,
    Evaluation,
    Lease,
    PeriodRecord,
    PeriodState,
    Run,
    RunState,
    Score,
)
from app.evaluation.periods import PeriodClosed
from app.evaluation.progress import Progress, RecordedProgress, Stopped, request_evaluation
from app.evaluation.refreshing import refresh
from app.evaluation.running import Request, evaluate
from app.rules.library import RuleLibrary
from tests import factories

from . import conftest
from .conftest import change, scores

evaluations, leases, records = Evaluation.__table__, Lease.__table__, PeriodRecord.__table__
LAST_YEAR = str(today().year - 1)
QUARTERLY = """
index: quarterly
label: {zh: 季度, en: Quarterly}
subject: member
period: quarter
metrics:
  vanguard: {average: index, of: vanguard}
tree:
  - {code: vanguard, label: 先锋, value: vanguard}
lights: {red: "< 60", green: ">= 60"}
"""


def hold_lectures(engine: Engine, organization: int, count: int, year: int | None = None) -> None:
    with unit_of_work(engine, system_actor("tests")) as session:
        branch = session.get_one(Organization, organization)
        for number in range(count):
            day = date(year or today().year, 1, 3 + number)
            session.add(factories.meeting(organization=branch, kind="lecture", status="held", held_on=day))


def runs(engine: Engine) -> list[tuple[str, str, int]]:
    """Rule, state and how many results changed, of every run."""
    with engine.connect() as connection:
        found = connection.execute(select(Run.rule_code, Run.state, Run.changed).order_by(Run.id)).all()
    return [tuple(row) for row in found]


def everything(engine: Engine) -> list[Any]:
    """All that readers could see of scores, of every period and run."""
    with engine.connect() as connection:
        return connection.execute(select(Score.__table__).order_by(Score.id)).all()


def set_state(engine: Engine, period: str, state: PeriodState) -> None:
    with for_writing(engine).begin() as connection:
        connection.execute(update(records).where(records.c.period_code == period).values(state=state))


class TestStopping:
    """What is stopped publishes nothing more."""

    def stop(self, engine: Engine) -> None:
        with for_writing(engine).begin() as connection:
            connection.execute(update(evaluations).values(state=RunState.STOPPED, finished_at=now()))

    def test_a_stop_just_before_publishing_is_heard(
        self, engine: Engine, library: RuleLibrary, tree: dict[str, int]
    ) -> None:
        """In the moment after progress was last told, which is told only so often."""
        number = request_evaluation(engine, cause="console")
        order = [rule.code for rule in library.ordered(None, today())]
        published: list[str] = []

        class Stopping(RecordedProgress):
            def publishing(self, rule: Any) -> None:
                super().publishing(rule)
                if rule.code == order[1]:
                    case.stop(engine)
                else:
                    published.append(rule.code)

        case = self
        with pytest.raises(Stopped):
            evaluate(engine, library, Request(), progress=Stopping(engine, number), evaluation_id=number)
        assert published == order[:1]
        assert [rule for rule, _, _ in runs(engine)] == order[:1]
        with engine.connect() as connection:
            assert connection.execute(select(evaluations.c.state)).scalar_one() == RunState.STOPPED
            assert connection.execute(select(leases)).all() == []

    def test_what_goes_on_never_unstops_it(self, engine: Engine) -> None:
        number = request_evaluation(engine, cause="console")
        self.stop(engine)
        progress = RecordedProgress(engine, number)
        progress.start(rules=3)
        progress.fail(None)
        with engine.connect() as connection:
            assert connection.execute(select(evaluations.c.state)).scalar_one() == RunState.STOPPED


class TestRivals:
    """Who has lost the lease publishes nothing: what it has read is older than what is in force."""

    def test_a_holder_that_stood_still_too_long_does_not_publish_over_its_successor(
        self, engine: Engine, library: RuleLibrary, tree: dict[str, int], run: conftest.Run
    ) -> None:
        run()

        class Slow(Progress):
            def publishing(self, rule: Any) -> None:
                if rule.code != "strength":
                    return
                # It has read the records. Now its lease goes void, another takes it, and publishes newer records.
                with for_writing(engine).begin() as connection:
                    connection.execute(update(leases).values(heartbeat_at=now() - timedelta(hours=1)))
                hold_lectures(engine, tree["branch_b1"], 4)
                run("strength")

        with pytest.raises(LeaseLost):
            evaluate(engine, library, Request(), progress=Slow())
        assert scores(engine)[tree["branch_b1"]] == (100.0, "green")
        assert {state for _, state, _ in runs(engine)} == {RunState.PUBLISHED}

    def test_a_mark_that_is_committed_late_is_not_lost(
        self,
        engine: Engine,
        library: RuleLibrary,
        tree: dict[str, int],
        run: conftest.Run,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A transaction may draw its mark's number early and commit late: while later marks are being scored."""
        run()
        refresh(engine, library)
        lower, higher, score_again = 1_000, 2_000, refreshing._refresh
        with for_writing(engine).begin() as connection:
            connection.execute(insert(Change).values(id=higher, entity="organization", row_id=1, marked_at=now()))
        seen = []

        def meanwhile(engine: Engine, library: RuleLibrary, marks: Any, progress: Any) -> int:
            seen.append(sorted(marks.ids))
            if len(seen) == 1:
                with for_writing(engine).begin() as connection:
                    values = {"entity": "organization", "row_id": tree["branch_a1"], "marked_at": now()}
                    connection.execute(insert(Change).values(id=lower, **values))
            return score_again(engine, library, marks, progress)

        monkeypatch.setattr(refreshing, "_refresh", meanwhile)
        refresh(engine, library)
        assert seen == [[higher], [lower]]
        with engine.connect() as connection:
            assert connection.execute(select(func.count()).select_from(Change)).scalar() == 0


class TestClosedPeriods:
    @pytest.fixture
    def closed(self, engine: Engine, tree: dict[str, int], run: conftest.Run) -> None:
        """Last year was evaluated and closed; then a branch brings lectures that it had forgotten."""
        run("strength", period=LAST_YEAR)
        set_state(engine, LAST_YEAR, PeriodState.CLOSED)
        hold_lectures(engine, tree["branch_a2"], 4, int(LAST_YEAR))

    def test_without_a_reason_it_is_refused_in_words_and_nothing_changes(
        self, engine: Engine, closed: None, run: conftest.Run
    ) -> None:
        before, runs_before = everything(engine), runs(engine)
        with pytest.raises(PeriodClosed) as refused:
            run("strength", period=LAST_YEAR)
        label = refused.value.label
        assert f"{LAST_YEAR} 已经封账" in label.zh
        assert "更正原因" in label.zh
        assert f"{LAST_YEAR} is closed" in label.en
        assert "reason" in label.en
        assert everything(engine) == before
        assert runs(engine) == runs_before

    def test_with_a_reason_it_changes_and_the_reason_is_kept(
        self, engine: Engine, tree: dict[str, int], closed: None, run: conftest.Run
    ) -> None:
        outcome = run("strength", period=LAST_YEAR, correction_reason="补录四次党课")[-1]
        assert outcome.changed
        with engine.connect() as connection:
            reason = select(Run.correction_reason).where(Run.id == outcome.run_id)
            assert connection.execute(reason).scalar() == "补录四次党课"
            corrected = select(Score.score, Score.run_id).where(
                Score.subject_id == tree["branch_a2"],
                Score.rule_code == "strength",
                Score.period_code == LAST_YEAR,
                Score.until_run_id == IN_FORCE,
            )
            assert connection.execute(corrected).one() == (100.0, outcome.run_id)
            state = select(records.c.state).where(records.c.period_code == LAST_YEAR)
            assert connection.execute(state).scalar() == PeriodState.CLOSED

    def test_what_it_reads_is_not_published_before_the_refusal(
        self, engine: Engine, tree: dict[str, int], rules_dir: Path, run: conftest.Run
    ) -> None:
        """The year may be open when its quarter is closed."""
        (rules_dir / "indices/quarterly.yaml").write_text(QUARTERLY, encoding="utf-8")
        quarter = f"{LAST_YEAR}Q3"
        with for_writing(engine).begin() as connection:
            values = {"period_code": quarter, "state": PeriodState.CLOSED, "ends_on": date(int(LAST_YEAR), 9, 30)}
            connection.execute(insert(records).values(values))
        with pytest.raises(PeriodClosed):
            run("quarterly", period=quarter)
        assert runs(engine) == []
        assert [outcome.rule.code for outcome in run("quarterly", period=quarter, correction_reason="复核")] == [
            "vanguard",
            "quarterly",
        ]

    def test_a_period_is_open_then_provisional_then_closed(
        self, engine: Engine, tree: dict[str, int], run: conftest.Run
    ) -> None:
        run("strength", period=LAST_YEAR)
        end = date(int(LAST_YEAR), 12, 31)

        def state_on(day: date) -> str:
            with for_writing(engine).begin() as connection:
                periods.advance(connection, day)
                return connection.execute(select(records.c.state)).scalar_one()

        assert state_on(end) == PeriodState.OPEN
        assert state_on(end + timedelta(days=1)) == PeriodState.PROVISIONAL
        hold_lectures(engine, tree["branch_b1"], 1, int(LAST_YEAR))
        assert run("strength", period=LAST_YEAR)[-1].changed  # records that come late still count
        assert state_on(end + timedelta(days=periods.DAYS_UNTIL_CLOSED)) == PeriodState.PROVISIONAL
        assert state_on(end + timedelta(days=periods.DAYS_UNTIL_CLOSED + 1)) == PeriodState.CLOSED
        with pytest.raises(PeriodClosed):
            run("strength", period=LAST_YEAR)


def test_a_run_repeated_gives_the_same_bytes(
    engine: Engine, tree: dict[str, int], run: conftest.Run, tmp_path: Path
) -> None:
    change(engine, tree["branch_b2"], term_ends_on=today() - timedelta(days=1))
    for name in ("once", "twice"):
        export(run("strength")[-1], tmp_path / name)
    assert (tmp_path / "once").read_bytes() == (tmp_path / "twice").read_bytes()
    assert pl.read_csv(tmp_path / "once").height == 7
    hold_lectures(engine, tree["branch_b2"], 1)
    export(run("strength")[-1], tmp_path / "changed")
    assert (tmp_path / "changed").read_bytes() != (tmp_path / "once").read_bytes()


def test_a_failed_try_leaves_no_words_behind_when_the_next_succeeds(
    engine: Engine, library: RuleLibrary, tree: dict[str, int]
) -> None:
    number = request_evaluation(engine, cause="console")
    RecordedProgress(engine, number).fail(None)
    evaluate(
        engine, library, Request(), progress=RecordedProgress(engine, number, told := Told()), evaluation_id=number
    )
    with engine.connect() as connection:
        row = connection.execute(select(evaluations)).one()
    assert (row.state, row.problem_zh, row.problem_en) == (RunState.PUBLISHED, None, None)
    assert row.finished_at
    assert told.last == (3, 3)


class Told:
    """A listener that keeps how far things were said to be."""

    last = (0, 0)

    def __call__(self, _label: Label, done: int, total: int) -> None:
        self.last = (done, total)
