"""The rule workshop at district scale: how soon a dry run shows what a change would do. ``run.py bench dryrun``.

- ``threshold_change_s``: the median dry run of a changed weight, band or threshold of the index over all members, as
  whoever edits sees it after the first. ``first_change_s`` is the first, which reads the kept figures.
- ``metric_change_ratio_to_query``: the dry run of a changed metric, in times of the query that counts it.
- ``robustness_s``: the weights of the index over all organizations shaken a thousand times.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from app.access.actor import system_actor
from app.entity.registry import registry
from app.evaluation.inputs import PublishedResults
from app.evaluation.progress import Progress
from app.evaluation.running import Request, evaluate
from app.rules.candidate import check_candidate
from app.rules.collecting import Asked, Records
from app.rules.editing import set_value
from app.rules.library import RuleLibrary
from app.rules.model import Index, Rule
from app.rules.robustness import shaken
from app.workshop.dry_run import dry_run, scored
from app.workshop.kept_figures import AsKept, figures_for, kept_figures, latest_period
from config import Settings

from .databases import Database

NAMES = ("threshold_change_s", "first_change_s", "metric_change_ratio_to_query", "robustness_s")
MEMBERS, ORGANIZATIONS = "member_vanguard", "organization_strength"
CHANGES: tuple[tuple[tuple[str | int, ...], Any], ...] = (
    (("lights", "red"), "< 62"),
    (("lights", "orange"), "< 72"),
    (("tree", 2, "children", 0, "score", "range"), [18, 0]),
    (("parameters", "wishes_due"), 4),
    (("recover",), 1),
)
"""One after another, each as somebody would try it."""
TURNS = 3


def run(scale: str = "district") -> dict[str, float]:
    """Measure on SQLite, and print a table; the figures by name."""
    with tempfile.TemporaryDirectory(prefix="beacon-bench-") as folder:
        database = Database(Path(folder), f"sqlite:///{Path(folder) / 'beacon.db'}")
        filled = database.part("fill", scale)
        print(f"{filled['organizations']:,} organizations, {filled['members']:,} members", flush=True)
        figures = {name: value for name, value in database.part("dryrun").items() if name in NAMES}
    print("\n".join(f"{name:<32}{figures[name]:>10.2f}" for name in NAMES))
    return {name: float(figures[name]) for name in NAMES}


def measure(engine: Engine, settings: Settings) -> dict[str, float]:
    """The figures, on a database that is filled and was never evaluated."""
    library = RuleLibrary(settings.rules_dir, settings.data_dir)
    evaluate(engine, library, Request((MEMBERS, ORGANIZATIONS)), progress=Progress())
    text = library.rule(MEMBERS).source_text
    first, *others = [_changed(library, set_value(text, steps, value)) for steps, value in CHANGES]
    first_seconds = _seconds(lambda: _tried(engine, library, first))
    return {
        "threshold_change_s": statistics.median(_seconds(partial(_tried, engine, library, rule)) for rule in others),
        "first_change_s": first_seconds,
        "metric_change_ratio_to_query": _metric_ratio(engine, library, text),
        "robustness_s": _robustness(engine, library),
    }


def _tried(engine: Engine, library: RuleLibrary, rule: Rule) -> None:
    dry_run(engine, library, rule, actor=system_actor("benchmark"), scope=None)


def _changed(library: RuleLibrary, text: str) -> Rule:
    candidate = check_candidate(text, "index", MEMBERS, library.rules())
    assert candidate.rule is not None, candidate.problems
    return candidate.rule


def _metric_ratio(engine: Engine, library: RuleLibrary, text: str) -> float:
    """The best of a few turns of both, taken in turns."""
    rule = _changed(library, set_value(text, ("metrics", "called", "window"), "1y"))
    kept = kept_figures(engine, library, MEMBERS, latest_period(engine, library.rule(MEMBERS)))
    assert kept is not None
    alone = replace(rule, metrics=tuple(metric for metric in rule.metrics if metric.name == "called"))
    assert isinstance(alone, Index)
    alone = replace(
        alone, root=replace(alone.root, children=()), veto=(), bonus=(), penalty=(), parameters=(), peers=()
    )

    def query() -> None:
        with engine.connect() as connection, Records(connection, [Asked(alone, kept.context)], registry) as records:
            records.frame(alone, results=PublishedResults(engine, library), state=AsKept(kept))

    queries, tries = [], []
    for _ in range(TURNS):
        queries.append(_seconds(query))
        tries.append(_seconds(lambda: _tried(engine, library, rule)))
    return min(tries) / min(queries)


def _robustness(engine: Engine, library: RuleLibrary) -> float:
    rule = library.rule(ORGANIZATIONS)
    assert isinstance(rule, Index)
    kept = kept_figures(engine, library, ORGANIZATIONS, latest_period(engine, rule))
    assert kept is not None
    results = scored(rule, figures_for(rule, kept, engine, library))
    return _seconds(lambda: shaken(rule, results))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
