"""Evaluation measured: against a hand-written program, against the straightforward way, at a tenth of the size, and
from saving a record to the new light. ``run.py bench evaluation``; docs/benchmarks.md says what the figures mean.

All times of one database are of one run of the benchmark, so that their ratios hold on a busy machine too; the
evaluation and the baseline take turns, and the best of each counts.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from sqlalchemy import Engine, delete, make_url, select, text
from sqlalchemy.exc import OperationalError

from app.database.engine import for_writing, make_engine
from app.database.transfer import fetch
from app.evaluation.models import IN_FORCE, Breakdown, Change, Held, Run, Score, WarningState

from .databases import Database

POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql+psycopg://root@127.0.0.1:5432/postgres")
NAMES = (
    "seconds",
    "ratio_to_baseline",
    "ratio_straightforward",
    "growth_10x",
    "peak_mb",
    "save_to_light_p50_s",
    "save_to_light_p95_s",
)


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    full: str
    tenth: str
    turns: int
    """How often at most the evaluation and the baseline are run, each from nothing published."""
    saves: int


LONGEST_TURNS_SECONDS = 150.0
"""After this no further turn is begun, so that all ends in reasonable time on a slow or busy machine."""
SIZES = {"district": Size("district", "tenth", 3, 50), "small": Size("small", "small", 1, 2)}


class Disagreement(Exception):
    """The baseline and the evaluation do not give the same results: their times are not of the same work."""


def run(scale: str = "district") -> dict[str, float]:
    """Measure, and print a table; the figures by name. PostgreSQL is left out, saying so, where there is none."""
    figures: dict[str, float] = {}
    for kind in ("sqlite", "postgresql"):
        try:
            with _databases(kind) as databases:
                measured = _Measuring(kind, SIZES[scale], databases).run()
        except OperationalError as problem:
            reason = str(problem.orig).strip().splitlines()[0]
            print(f"{kind} 不可用，略过 / {kind} is away, left out: {reason}")
            continue
        figures |= {f"{kind}.{name}": measured[name] for name in NAMES}
    print(table(figures))
    return figures


class _Measuring:
    """The measurements on one database."""

    def __init__(self, kind: str, size: Size, databases: list[Database]) -> None:
        self.kind, self.size = kind, size
        self.full, self.tenth = databases

    def run(self) -> dict[str, float]:
        filled = self.full.part("fill", self.size.full)
        self.say(f"{filled['organizations']:,} organizations, {filled['members']:,} members, {filled['rows']:,} rows")
        ours, theirs = [], []
        began = time.monotonic()
        for _ in range(self.size.turns):
            if ours and time.monotonic() - began > LONGEST_TURNS_SECONDS:
                break
            if ours:
                forget(self.full)
            theirs.append(self.full.part("baseline"))
            expected = results(self.full)
            forget(self.full)
            ours.append(self.full.part("ours"))
            compare(results(self.full), expected)
            self.say(
                f"evaluation {ours[-1]['seconds']:.2f} s ({ours[-1]['cpu']:.2f} CPU, {ours[-1]['peak_mb']:.0f} MB), "
                f"baseline {theirs[-1]['seconds']:.2f} s ({theirs[-1]['cpu']:.2f} CPU, {theirs[-1]['peak_mb']:.0f} MB)"
            )
        seconds, baseline = (min(each["seconds"] for each in turns) for turns in (ours, theirs))
        plain = self.full.part("straightforward")
        self.say(
            f"straightforward: {plain['seconds']:,.0f} s, scaled from {plain['members']} members and "
            f"{plain['organizations']} branches; {plain['deviating']} of its results deviate"
        )
        saves = self.full.part("saves", str(self.size.saves))["seconds"]
        growth = self.growth(filled, seconds)
        return {
            "seconds": seconds,
            "ratio_to_baseline": seconds / baseline,
            "ratio_straightforward": plain["seconds"] / seconds,
            "growth_10x": growth,
            "peak_mb": max(each["peak_mb"] for each in ours),
            "save_to_light_p50_s": statistics.median(saves),
            "save_to_light_p95_s": sorted(saves)[max(0, round(0.95 * len(saves)) - 1)],
        }

    def growth(self, filled: dict, seconds: float) -> float:
        """How the time grows from a tenth of the subjects; where there is not exactly a tenth, in proportion."""
        fewer, database = filled, self.full
        if self.size.tenth != self.size.full:
            database = self.tenth
            fewer = database.part("fill", self.size.tenth)
        small = []
        for _ in range(self.size.turns):
            forget(database)
            small.append(database.part("ours")["seconds"])
        times = sum(filled[name] for name in ("organizations", "members")) / sum(
            fewer[name] for name in ("organizations", "members")
        )
        self.say(f"{fewer['members']:,} members ({times:.1f}× fewer): {min(small):.2f} s")
        return seconds / min(small) * 10 / times

    def say(self, words: str) -> None:
        print(f"{self.kind}: {words}", flush=True)


def results(database: Database) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scores and levels in force."""
    engine = make_engine(database.url)
    with engine.connect() as connection:
        scores = fetch(
            connection,
            select(Score.rule_code, Score.subject_id, Score.score, Score.light).where(Score.until_run_id == IN_FORCE),
        )
        levels = fetch(
            connection,
            select(WarningState.rule_code, WarningState.subject_id, WarningState.light).where(
                WarningState.until_run_id == IN_FORCE
            ),
        )
    engine.dispose()
    return scores, levels


def compare(ours: tuple[pl.DataFrame, pl.DataFrame], theirs: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    """Raises Disagreement unless every subject has the same score and light, and the same level of every warning."""
    for mine, other in zip(ours, theirs, strict=True):
        both = mine.join(other, on=["rule_code", "subject_id"], how="full", suffix="_baseline", coalesce=True)
        differs = pl.col("light").ne_missing(pl.col("light_baseline"))
        if "score" in both.columns:
            apart = (pl.col("score") - pl.col("score_baseline")).abs() > 1e-9
            differs |= apart.fill_null(pl.col("score").is_null() != pl.col("score_baseline").is_null())
        wrong = both.filter(differs)
        if not wrong.is_empty():
            raise Disagreement(f"{wrong.height} of {both.height} results differ, such as {wrong.head(3).to_dicts()}")


def forget(database: Database) -> None:
    """Remove everything that has been published."""
    engine = make_engine(database.url)
    with for_writing(engine).begin() as connection:
        for model in (Score, WarningState, Breakdown, Held, Change, Run):
            connection.execute(delete(model.__table__))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("VACUUM"))
        else:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()


@contextmanager
def _databases(kind: str) -> Iterator[list[Database]]:
    """Two empty databases, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="beacon-bench-") as folder:
        folders = [Path(folder) / name for name in ("full", "tenth")]
        if kind == "sqlite":
            yield [Database(each, f"sqlite:///{each / 'beacon.db'}") for each in folders]
            return
        with postgresql_databases(len(folders)) as urls:
            yield [Database(each, url) for each, url in zip(folders, urls, strict=True)]


@contextmanager
def postgresql_databases(count: int) -> Iterator[list[str]]:
    """URLs of empty databases on the PostgreSQL server, gone afterwards."""
    server = make_url(POSTGRESQL)
    names = [f"bench_{os.getpid()}_{uuid.uuid4().hex[:8]}" for _ in range(count)]
    admin = make_engine(POSTGRESQL, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    made: list[str] = []
    try:
        with admin.connect() as connection:
            for name in names:
                connection.execute(text(f"CREATE DATABASE {name}"))
                made.append(name)
        yield [server.set(database=name).render_as_string(hide_password=False) for name in names]
    finally:
        _drop(admin, made)


def _drop(admin: Engine, names: list[str]) -> None:
    if names:
        with admin.connect() as connection:
            for name in names:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


LABELS = {
    "seconds": "whole evaluation, seconds",
    "ratio_to_baseline": "× hand-written baseline (at most 1.5)",
    "ratio_straightforward": "× faster than straightforward (at least 20)",
    "growth_10x": "× time for 10 × subjects (at most 11)",
    "peak_mb": "peak memory, MB (at most 1,500)",
    "save_to_light_p50_s": "from save to light, p50, seconds",
    "save_to_light_p95_s": "from save to light, p95, seconds (below 1)",
}


def table(figures: dict[str, float]) -> str:
    """The figures as text, a column a database."""
    kinds = [kind for kind in ("sqlite", "postgresql") if f"{kind}.seconds" in figures]
    lines = [f"{'':<48}" + "".join(f"{kind:>14}" for kind in kinds)]
    for name in NAMES:
        values = (figures[f"{kind}.{name}"] for kind in kinds)
        lines.append(f"{LABELS[name]:<48}" + "".join(f"{value:>14,.2f}" for value in values))
    return "\n".join(lines)
