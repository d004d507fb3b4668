"""The benchmark of the rule workshop runs, and gives its figures by name."""

from __future__ import annotations

from sqlalchemy import Engine

from app.demonstration import fill
from benchmarks import dryrun
from config import Settings


def test_the_figures_are_there(engine: Engine, database: Settings) -> None:
    fill(engine, "small")
    figures = dryrun.measure(engine, database)
    assert set(figures) == set(dryrun.NAMES)
    assert all(value > 0 for value in figures.values())
