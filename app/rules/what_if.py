"""“What would it take?”: one subject's score with other figures, and the shortest ways to a better light.

A way changes figures that can be worked on: counts, sums and whether something exists. It is counted in units (one more
meeting, one late fee less), whatever a unit costs in the world; the fewest units come first. What one record changes in
several figures at once (a lecture also counts in the turnout) is not followed: each figure is moved by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from app.entity.labels import UserError

from .context import Context
from .expressions import names
from .frames import PRESENT, SUBJECT_ID, column_of_metric, expressions_of_node
from .lights import COMPARED_DIGITS
from .model import SEVERITY, Aggregate, Figure, Index, Light, Metric
from .ranking import ORDER_KEY
from .result_columns import INDEX_SOURCE, WARNING_SOURCE
from .scoring import score_index

WORKABLE = (Aggregate.COUNT, Aggregate.SUM, Aggregate.DISTINCT, Aggregate.STREAK, Aggregate.EXISTS)
MOST_UNITS = 60
MOST_WAYS = 5
Value = float | bool


@dataclass(frozen=True)
class Outcome:
    """What a subject has."""

    score: float | None
    light: str
    rank: int | None
    nodes: dict[str, float | None]
    """Each node's score."""


@dataclass(frozen=True)
class Change:
    """A figure moved. ``units``: how many steps."""

    metric: str
    before: Value
    after: Value
    units: int


@dataclass(frozen=True)
class Way:
    """Changes that together reach the light."""

    changes: tuple[Change, ...]
    score: float
    light: str

    @property
    def units(self) -> int:
        return sum(change.units for change in self.changes)


@dataclass(frozen=True)
class Margin:
    """What one unit of a figure is worth now, in points of the scale; ``step`` says which way it helps."""

    metric: str
    step: int
    points: float


def with_figures(
    index: Index, subjects: pl.DataFrame, context: Context, subject_id: int, figures: Mapping[str, Value]
) -> tuple[Outcome, Outcome]:
    """What the subject has among ``subjects`` (a whole subjects frame), and what it would have with other figures.

    Raises UserError for a figure that the index does not count.
    """
    known = {metric.name for metric in index.metrics if isinstance(metric, Metric)}
    for name in figures:
        if name not in known:
            raise UserError(f"指数里没有统计项“{name}”", f"The index has no figure “{name}”")
    before = _outcome(score_index(index, subjects, context).results, subject_id)
    changed = _with(subjects, subject_id, figures)
    return before, _outcome(score_index(index, changed, context).results, subject_id)


def margins(index: Index, subjects: pl.DataFrame, context: Context, subject_id: int) -> list[Margin]:
    """What one unit of each workable figure is worth, the most first; those that are worth nothing left out."""
    return _Search(index, subjects, context, subject_id).margins()


def shortest_ways(
    index: Index, subjects: pl.DataFrame, context: Context, subject_id: int, *, light: str | None = None
) -> list[Way]:
    """The ways with the fewest units to ``light`` (by default the next better one), fewest first; empty where there is
    none within reach or nothing better. Recovery counts as it would in the next run."""
    search = _Search(index, subjects, context, subject_id)
    wanted = light or search.next_light()
    return [] if wanted is None else search.ways(SEVERITY.index(Light(wanted)))


class _Search:
    """Scores many variants of one subject, each alone among the others."""

    def __init__(self, index: Index, subjects: pl.DataFrame, context: Context, subject_id: int) -> None:
        self.index, self.context, self.subject_id = index, context, subject_id
        scored = score_index(index, subjects, context)
        self.statistics = scored.statistics
        self.now = _outcome(scored.results, subject_id)
        own = subjects.filter(pl.col(SUBJECT_ID) == subject_id)
        self.row = own.with_columns(pl.lit(self.now.light).alias(PRESENT))
        self.looks_at_others = len(self.statistics.frame.columns) > 2
        self.levers = list(self._levers())

    def next_light(self) -> str | None:
        lit = [light.light for light in self.index.lights]
        if self.now.light not in lit:
            return None
        better = [
            light for light in SEVERITY if light in lit and SEVERITY.index(light) > SEVERITY.index(self.now.light)
        ]
        return better[0] if better else None

    def margins(self) -> list[Margin]:
        found = [
            Margin(metric, step, outcome.score - self.now.score)
            for (metric, step), outcome in zip(
                self.levers, self._tried([{lever: 1} for lever in self.levers]), strict=True
            )
            if outcome.score is not None and self.now.score is not None
        ]
        return sorted((each for each in found if each.points > 1e-9), key=lambda each: (-each.points, each.metric))

    def ways(self, wanted: int) -> list[Way]:
        useful = {(each.metric, each.step) for each in self.margins()}
        singles = [way for lever in self.levers if (way := self._single(lever, wanted, lever in useful)) is not None]
        found = sorted(singles, key=lambda way: (way.units, -way.score))[: MOST_WAYS - 1]
        together = self._together(wanted)
        if together is not None and (not found or together.units < found[0].units):
            found.append(together)
        return sorted(found, key=lambda way: (way.units, -way.score))

    def _single(self, lever: tuple[str, int], wanted: int, useful: bool) -> Way | None:
        """The fewest units of one figure that reach the light. Points never fall with more units of what helps, so
        the number is halved down; a step that is worth nothing by itself (a band) may still help further on."""
        most = self._most(lever)
        if most < 1:
            return None
        furthest = self._tried([{lever: most}])[0]
        if not _reaches(furthest, wanted) or (not useful and furthest.score == self.now.score):
            return None
        low, high = 0, most
        while high - low > 1:
            middle = (low + high) // 2
            if _reaches(self._tried([{lever: middle}])[0], wanted):
                high = middle
            else:
                low = middle
        return self._way({lever: high}, self._tried([{lever: high}])[0])

    def _together(self, wanted: int) -> Way | None:
        """One unit after another of whatever is worth most then."""
        taken: dict[tuple[str, int], int] = {}
        score = self.now.score
        for _ in range(MOST_UNITS):
            levers = [lever for lever in self.levers if taken.get(lever, 0) < self._most(lever)]
            variants = [{**taken, lever: taken.get(lever, 0) + 1} for lever in levers]
            tried = self._tried(variants)
            best = max(range(len(tried)), key=lambda place: tried[place].score or float("-inf"), default=None)
            if best is None or tried[best].score is None or score is None or tried[best].score <= score + 1e-9:
                return None
            taken, score = variants[best], tried[best].score
            if _reaches(tried[best], wanted):
                return self._way(taken, tried[best])
        return None

    def _way(self, taken: Mapping[tuple[str, int], int], outcome: Outcome) -> Way:
        changes = tuple(
            Change(metric, self._value(metric), self._moved(metric, step, units), units)
            for (metric, step), units in taken.items()
        )
        assert outcome.score is not None
        return Way(changes, outcome.score, outcome.light)

    def _levers(self) -> Iterable[tuple[str, int]]:
        """(figure, step) of what the subject's nodes are made of and what bonus, penalty and vetoes read."""
        figures = {metric.name: metric.expression for metric in self.index.metrics if isinstance(metric, Figure)}
        used = {name for node in self.index.root.walk() for part in expressions_of_node(node) for name in names(part)}
        used |= {name for item in (*self.index.bonus, *self.index.penalty) for name in names(item.value)}
        used |= {name for veto in self.index.veto for name in names(veto.when)}
        todo = [name for name in used if name in figures]
        while todo:
            new = set(names(figures[todo.pop()])) - used
            used |= new
            todo += [name for name in new if name in figures]
        for metric in self.index.metrics:
            if not isinstance(metric, Metric) or metric.name not in used or metric.aggregate not in WORKABLE:
                continue
            if metric.entity in (INDEX_SOURCE, WARNING_SOURCE):
                continue
            for step in (1, -1):
                if self._most((metric.name, step)) > 0:
                    yield metric.name, step

    def _value(self, metric: str) -> Value:
        value = self.row[column_of_metric(metric)][0] if not self.row.is_empty() else None
        return value if isinstance(value, bool) else float(value or 0.0)

    def _most(self, lever: tuple[str, int]) -> int:
        """How many units there can be: nothing falls below 0, something that exists is there once."""
        metric, step = lever
        value = self._value(metric)
        if isinstance(value, bool):
            return int(value is (step < 0))
        return MOST_UNITS if step > 0 else min(MOST_UNITS, int(value))

    def _moved(self, metric: str, step: int, units: int) -> Value:
        value = self._value(metric)
        return (step > 0) if isinstance(value, bool) else value + step * units

    def _tried(self, variants: Sequence[Mapping[tuple[str, int], int]]) -> list[Outcome]:
        if not variants:
            return []
        if self.looks_at_others:  # variants must not be compared with one another
            return [self._scored([variant])[0] for variant in variants]
        return self._scored(variants)

    def _scored(self, variants: Sequence[Mapping[tuple[str, int], int]]) -> list[Outcome]:
        frames = []
        for place, variant in enumerate(variants):
            row = _with(
                self.row,
                self.subject_id,
                {metric: self._moved(metric, step, units) for (metric, step), units in variant.items()},
            )
            frames.append(row.with_columns(pl.lit(self.subject_id if place == 0 else -place).alias(SUBJECT_ID)))
        results = score_index(self.index, pl.concat(frames), self.context, statistics=self.statistics).results
        return [_outcome(results, self.subject_id if place == 0 else -place) for place in range(len(variants))]


def _with(subjects: pl.DataFrame, subject_id: int, figures: Mapping[str, Value]) -> pl.DataFrame:
    changed = [
        pl.when(pl.col(SUBJECT_ID) == subject_id)
        .then(pl.lit(value).cast(subjects.schema[column_of_metric(name)]))
        .otherwise(pl.col(column_of_metric(name)))
        .alias(column_of_metric(name))
        for name, value in figures.items()
    ]
    return subjects.with_columns(changed)


def _reaches(outcome: Outcome, wanted: int) -> bool:
    return outcome.light in SEVERITY and SEVERITY.index(Light(outcome.light)) >= wanted


def _outcome(results: pl.DataFrame, subject_id: int) -> Outcome:
    rows = results.filter(pl.col(SUBJECT_ID) == subject_id).to_dicts()
    if not rows:
        return Outcome(None, str(Light.NO_DATA), None, {})
    row = rows[0]
    key = row[ORDER_KEY]
    score = row["score"] if key is None else round(row["score"], COMPARED_DIGITS)
    nodes = {name.removesuffix(".score"): value for name, value in row.items() if name.endswith(".score")}
    return Outcome(score, row["light"], row["rank"], nodes)
