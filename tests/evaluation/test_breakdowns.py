"""Breakdowns: the newest numbers of each subject, however many partial runs have left theirs."""

from __future__ import annotations

import polars as pl
import pytest
from sqlalchemy import Engine, func, insert, select

from app.access.actor import system_actor
from app.database.clock import now, today
from app.database.session import unit_of_work
from app.evaluation.breakdowns import MOST_PARTS, read_breakdowns, read_columns, read_frame, write_breakdowns
from app.evaluation.models import BUCKET_SIZE, Breakdown, Run

FAR = BUCKET_SIZE * 3


def run(engine: Engine, numbers: dict[int, float], *, full: bool = False) -> int:
    """A run that leaves these numbers, by subject; its id."""
    with engine.begin() as connection:
        run_id = connection.execute(
            insert(Run.__table__).values(
                rule_code="r",
                rule_kind="index",
                rule_version="v",
                period_code="2026",
                as_of=today(),
                extent="full" if full else "partial",
                state="published",
                started_at=now(),
            )
        ).inserted_primary_key[0]
        frame = pl.DataFrame({"subject_id": list(numbers), "m.a": list(numbers.values())})
        write_breakdowns(connection, "r", "2026", run_id, frame, full=full)
    return run_id


def rows(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(Breakdown)).scalar_one()


@pytest.mark.parametrize("partial_runs", [1, MOST_PARTS, MOST_PARTS + 1, 3 * MOST_PARTS])
def test_the_newest_numbers_of_each_subject_are_read(engine: Engine, partial_runs: int) -> None:
    first = run(engine, {1: 0.1, 2: 0.2, FAR: 0.3}, full=True)
    second = run(engine, {2: 2.0})
    last = second
    for number in range(1, partial_runs):
        last = run(engine, {1: float(number)})
    expected = {
        1: (partial_runs - 1.0, last) if partial_runs > 1 else (0.1, first),
        2: (2.0, second),
        FAR: (0.3, first),
    }
    with unit_of_work(engine, system_actor("tests")) as session:
        found = read_breakdowns(session, "r", "2026", [1, 2, FAR])
    # Each with the run that it is of, also where several runs' numbers have been put together.
    assert {subject: (row["m.a"], row["run_id"]) for subject, row in found.items()} == expected
    with engine.connect() as connection:
        frame = read_frame(connection, "r", "2026")
        near = read_frame(connection, "r", "2026", [1])
        columns = read_columns(connection, "r", "2026", [1, FAR], ["m.a", "m.b"])
    assert {row[0]: row[1:] for row in frame.select("subject_id", "m.a", "run_id").rows()} == expected
    assert set(near["subject_id"]) == {1, 2}
    assert dict(columns.rows()) == {subject: expected[subject][0] for subject in (1, FAR)}


def test_partial_runs_do_not_pile_up(engine: Engine) -> None:
    run(engine, {1: 0.0, FAR: 0.0}, full=True)
    most = 0
    for number in range(4 * MOST_PARTS):
        run(engine, {number % 5: 1.0})
        most = max(most, rows(engine))
    assert most <= 2 + MOST_PARTS
    run(engine, {1: 0.0}, full=True)
    assert rows(engine) == 1
