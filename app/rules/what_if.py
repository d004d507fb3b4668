"""“What would it take?”: the shortest ways of one subject to a better light.

A way changes figures that can be worked on: counts, sums and whether something exists. It is counted in units (one more
meeting, one late fee less), whatever a unit costs in the world; the fewest units come first. What one record changes in
several figures at once (a lecture also counts in the turnout) is not followed: each figure is moved by itself.

Fewer of what others are divided by or measured against (members, fees due) is no way, though it would help.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from .expressions import Arithmetic, Expression, names, walk
from .frames import column_of_metric, expressions_of_node
from .model import SEVERITY, Aggregate, Figure, Index, Light, Metric, Range, Target
from .result_columns import WARNING_SOURCE
from .standing import Outcome, Standing, Value, outcomes

WORKABLE = (Aggregate.COUNT, Aggregate.SUM, Aggregate.DISTINCT, Aggregate.STREAK, Aggregate.EXISTS)
MOST_UNITS = 60
MOST_WAYS = 5
STEPS = (1, 2, 3, 5, 8, 13, 21, 34)
"""Units tried at once."""

Lever = tuple[str, int]
"""(figure, step): one unit more or one less of it."""


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


def margins(standing: Standing) -> list[Margin]:
    """What one unit of each workable figure is worth, the most first; those that are worth nothing left out."""
    return _Search(standing).margins


def shortest_ways(standing: Standing, *, light: str | None = None) -> list[Way]:
    """The ways with the fewest units to ``light`` (by default the next better one), fewest first; empty where there is
    none within reach or nothing better. Recovery counts as it would in the next run."""
    search = _Search(standing)
    wanted = light or next_light(standing.index, search.now.light)
    return [] if wanted is None else search.ways(SEVERITY.index(Light(wanted)))


def next_light(index: Index, light: str) -> str | None:
    """The next better light that the index has; None for its best one and where there is none."""
    lit = [rule.light for rule in index.lights]
    if light not in lit:
        return None
    better = [each for each in SEVERITY if each in lit and SEVERITY.index(each) > SEVERITY.index(Light(light))]
    return better[0] if better else None


def workable(index: Index) -> list[Metric]:
    """The metrics that the score is made of and that somebody can still work on: not those of times gone by."""
    figures = {metric.name: metric.expression for metric in index.metrics if isinstance(metric, Figure)}
    used = {name for node in index.root.walk() for part in expressions_of_node(node) for name in names(part)}
    used |= {name for item in (*index.bonus, *index.penalty) for name in names(item.value)}
    used |= {name for veto in index.veto for name in names(veto.when)}
    used = _behind(used, figures)
    return [
        metric
        for metric in index.metrics
        if isinstance(metric, Metric)
        and metric.name in used
        and metric.aggregate in WORKABLE
        and not metric.window.back
    ]


def due(index: Index) -> set[str]:
    """The metrics that something is divided by or measured against."""
    figures = {metric.name: metric.expression for metric in index.metrics if isinstance(metric, Figure)}
    against: list[Expression] = []
    values = [*figures.values(), *(item.value for item in (*index.bonus, *index.penalty))]
    for node in index.root.walk():
        values += expressions_of_node(node)
        match node.shape:
            case Target(value=value):
                against.append(value)
            case Range(low=low, high=high):
                against += [low, high]
    for value in values:
        against += [part.right for part in walk(value) if isinstance(part, Arithmetic) and part.operator == "/"]
    return _behind({name for part in against for name in names(part)}, figures)


def _behind(used: set[str], figures: Mapping[str, Expression]) -> set[str]:
    """The names, and those that figures among them are worked out from."""
    used, todo = set(used), [name for name in used if name in figures]
    while todo:
        new = names(figures[todo.pop()]) - used
        used |= new
        todo += [name for name in new if name in figures]
    return used


class _Search:
    """Tries variants of one subject."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.levers = list(self._levers())
        self.now, *ones = self._tried([{}, *({lever: 1} for lever in self.levers)])
        self.margins = self._margins(ones)

    def _margins(self, ones: Sequence[Outcome]) -> list[Margin]:
        found = [
            Margin(metric, step, outcome.score - self.now.score)
            for (metric, step), outcome in zip(self.levers, ones, strict=True)
            if outcome.score is not None and self.now.score is not None
        ]
        return sorted((each for each in found if each.points > 1e-9), key=lambda each: (-each.points, each.metric))

    def ways(self, wanted: int) -> list[Way]:
        found = sorted(self._singles(wanted), key=lambda way: (way.units, -way.score))[: MOST_WAYS - 1]
        together = self._together(wanted)
        if together is not None and (not found or together.units < found[0].units):
            found.append(together)
        return sorted(found, key=lambda way: (way.units, -way.score))

    def _singles(self, wanted: int) -> Iterator[Way]:
        """The fewest units of each figure alone that reach the light. Points never fall with more units of what helps,
        so the numbers are closed in on, all at once; a step that is worth nothing by itself (a band) may still help
        further on."""
        useful = {(each.metric, each.step) for each in self.margins}
        furthest = self._tried([{lever: self._most(lever)} for lever in self.levers])
        between = {
            lever: (0, self._most(lever))
            for lever, outcome in zip(self.levers, furthest, strict=True)
            if _reaches(outcome, wanted) and (lever in useful or outcome.score != self.now.score)
        }
        while tries := [(lever, units) for lever, span in between.items() for units in _inside(*span)]:
            for (lever, units), outcome in zip(
                tries, self._tried([{lever: units} for lever, units in tries]), strict=True
            ):
                low, high = between[lever]
                if low < units < high:
                    between[lever] = (low, units) if _reaches(outcome, wanted) else (units, high)
        taken = [{lever: high} for lever, (_low, high) in between.items()]
        for way, outcome in zip(taken, self._tried(taken), strict=True):
            yield self._way(way, outcome)

    def _together(self, wanted: int) -> Way | None:
        """Step after step of whatever is worth most a unit then; the last step is the shortest that reaches."""
        taken: dict[Lever, int] = {}
        levers, score = self.levers, self.now.score
        while score is not None and sum(taken.values()) < MOST_UNITS:
            steps = [
                (lever, units)
                for lever in levers
                for units in STEPS
                if taken.get(lever, 0) + units <= self._most(lever)
            ]
            variants = [{**taken, lever: taken.get(lever, 0) + units} for lever, units in steps]
            found = [
                (units, outcome, variant, lever)
                for (lever, units), variant, outcome in zip(steps, variants, self._tried(variants), strict=True)
                if outcome.score is not None and outcome.score > score + 1e-9
            ]
            if not found:
                return None
            there = [each for each in found if _reaches(each[1], wanted)]
            if there:
                _units, outcome, variant, _lever = min(there, key=lambda each: (each[0], -each[1].score))
                return self._way(variant, outcome)
            now, helpful = score, {each[3] for each in found}
            best = max(found, key=lambda each: (round((each[1].score - now) / each[0], 9), each[0]))
            levers = [lever for lever in levers if lever in helpful]
            taken, score = best[2], best[1].score
        return None

    def _way(self, taken: Mapping[Lever, int], outcome: Outcome) -> Way:
        changes = tuple(
            Change(metric, self._value(metric), self._moved(metric, step, units), units)
            for (metric, step), units in taken.items()
        )
        assert outcome.score is not None
        return Way(changes, outcome.score, outcome.light)

    def _levers(self) -> Iterator[Lever]:
        asked_for = due(self.standing.index)
        for metric in workable(self.standing.index):
            for step in (1, -1):
                is_no_way = (step < 0 and metric.name in asked_for) or (step > 0 and metric.entity == WARNING_SOURCE)
                if not is_no_way and self._most((metric.name, step)) > 0:
                    yield metric.name, step

    def _value(self, metric: str) -> float | bool:
        row, column = self.standing.row, column_of_metric(metric)
        value = row[column][0] if not row.is_empty() else None
        return value if row.schema.get(column) == pl.Boolean and value is not None else float(value or 0.0)

    def _most(self, lever: Lever) -> int:
        """How many units there can be: nothing falls below 0, something that exists is there once."""
        metric, step = lever
        value = self._value(metric)
        if isinstance(value, bool):
            return int(value is (step < 0))
        return MOST_UNITS if step > 0 else min(MOST_UNITS, int(value))

    def _moved(self, metric: str, step: int, units: int) -> Value:
        value = self._value(metric)
        return (step > 0) if isinstance(value, bool) else value + step * units

    def _tried(self, variants: Sequence[Mapping[Lever, int]]) -> list[Outcome]:
        moved = [
            {metric: self._moved(metric, step, units) for (metric, step), units in variant.items()}
            for variant in variants
        ]
        return outcomes(self.standing, moved)


def _inside(low: int, high: int) -> list[int]:
    """Some numbers between two, evenly."""
    parts = min(high - low, len(STEPS) + 1)
    return [low + (high - low) * place // parts for place in range(1, parts)]


def _reaches(outcome: Outcome, wanted: int) -> bool:
    return outcome.light in SEVERITY and SEVERITY.index(Light(outcome.light)) >= wanted
