"""What a dry run tells: from two versions' results, subject by subject, to counts, spreads, units and moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from app.entity.labels import Label
from app.rules.frames import CODE, SUBJECT_ID
from app.rules.model import SEVERITY, Index, Light, Rule

from .kept_figures import PATH
from .reasons import REASON, REASON_POINTS

NONE = "none"
"""In place of a light: the rule does not apply to the subject, or a warning has no level."""
LIGHTS = (*(str(light) for light in SEVERITY), str(Light.NO_DATA), NONE)
MOST_SHOWN = 10
BINS = 20
UNCHANGED = 1e-9


@dataclass(frozen=True)
class Spread:
    """How scores (or values of a warning) are spread over the subjects that have one."""

    count: int
    mean: float | None
    quartiles: tuple[float, float, float] | None
    bins: tuple[int, ...]
    """How many lie in each of equal parts between the bounds, from low to high."""


@dataclass(frozen=True)
class Unit:
    """A unit directly below the reader's own, with everybody in it."""

    organization_id: int
    subjects: int
    better: int
    worse: int
    mean_before: float | None
    mean_after: float | None
    lights_before: dict[str, int]
    lights_after: dict[str, int]


@dataclass(frozen=True)
class Move:
    """A subject whose light or score changes."""

    subject_id: int
    code: str
    path: str
    light_before: str
    light_after: str
    score_before: float | None
    score_after: float | None
    reason: str
    """The code of what moves it most: a node, bonus, penalty or veto, or one of ``reasons.OTHER_REASONS``."""
    reason_points: float
    """By how many points of the scale that alone moves it."""


@dataclass(frozen=True)
class DryRun:
    """What would change. Counts are of subjects in the reader's scope."""

    rule: Rule
    base: Rule | None
    period: str
    as_of: date
    subjects: int
    matrix: dict[tuple[str, str], int]
    """(light before, light after): how many."""
    spread_before: Spread
    spread_after: Spread
    bounds: tuple[float, float]
    """Of the spreads."""
    units: tuple[Unit, ...]
    gains: tuple[Move, ...]
    losses: tuple[Move, ...]
    oddities: tuple[Label, ...]
    """What is absurd although it is allowed, in words."""
    counted: tuple[str, ...]
    """Metrics that were counted anew."""
    read_by: tuple[str, ...]
    """Codes of rules in force that read the results; what follows in theirs is not told here."""
    seconds: float
    frame: pl.DataFrame = field(repr=False)
    """One row a subject in scope: ``subject_id, code, path, light_before, light_after, score_before, score_after,
    reason, reason_points``."""

    @property
    def moved(self) -> int:
        """How many change their light."""
        return self._count(lambda before, after: before != after)

    @property
    def better(self) -> int:
        return self._count(lambda before, after: step(before, after) > 0)

    @property
    def worse(self) -> int:
        return self._count(lambda before, after: step(before, after) < 0)

    @property
    def opened(self) -> int:
        """Of a warning: how many cases would open."""
        return self._count(lambda before, after: not _stands(before) and _stands(after))

    @property
    def rose(self) -> int:
        """Of a warning: how many would stand at a worse level."""
        return self._count(lambda before, after: _stands(before) and _stands(after) and step(before, after) < 0)

    @property
    def fell(self) -> int:
        """Of a warning: how many would stand at a milder level."""
        return self._count(lambda before, after: _stands(before) and _stands(after) and step(before, after) > 0)

    @property
    def closed(self) -> int:
        """Of a warning: how many cases would close. Missing data closes none."""
        return self._count(lambda before, after: _stands(before) and after == NONE)

    def _count(self, holds: Callable[[str, str], bool]) -> int:
        return sum(count for pair, count in self.matrix.items() if holds(*pair))

    def moves(self, before: str | None = None, after: str | None = None, *, limit: int = 200) -> list[Move]:
        """Those who change their light, of one cell of the matrix if it is named, the largest change of score first."""
        frame = self.frame.filter(pl.col("light_before") != pl.col("light_after"))
        if before is not None:
            frame = frame.filter(pl.col("light_before") == before)
        if after is not None:
            frame = frame.filter(pl.col("light_after") == after)
        by_change = (pl.col("score_after") - pl.col("score_before")).abs()
        return list(moves(frame.sort(by_change, pl.col(CODE), descending=[True, False], nulls_last=True).head(limit)))


def step(before: str, after: str) -> int:
    """1 if the light gets better, −1 if worse, 0 if it stays or either says nothing. None at all is better than any
    level of a warning."""
    places = {light: place for place, light in enumerate(LIGHTS) if light != Light.NO_DATA}
    if before not in places or after not in places:
        return 0
    return (places[after] > places[before]) - (places[after] < places[before])


def _stands(light: str) -> bool:
    return light not in (NONE, Light.NO_DATA)


def matrix_of(compared: pl.DataFrame) -> dict[tuple[str, str], int]:
    """(before, after): how many, worst first."""
    counts = compared.group_by("light_before", "light_after").len().iter_rows()
    found = {(before, after): count for before, after, count in counts}
    return {pair: found[pair] for pair in ((one, other) for one in LIGHTS for other in LIGHTS) if pair in found}


def spread_of(values: pl.Series, bounds: tuple[float, float]) -> Spread:
    """The spread of numbers; missing ones do not count."""
    known = values.drop_nulls()
    low, high = bounds
    if known.is_empty():
        return Spread(0, None, None, (0,) * BINS)
    place = ((known - low) / (high - low) * BINS).floor().clip(0, BINS - 1).cast(pl.Int64)
    counts = dict(place.value_counts().iter_rows())
    quartiles = tuple(float(known.quantile(part, "linear") or 0.0) for part in (0.25, 0.5, 0.75))
    return Spread(known.len(), float(known.mean()), quartiles, tuple(counts.get(number, 0) for number in range(BINS)))


def bounds_of(rule: Rule, compared: pl.DataFrame) -> tuple[float, float]:
    """Between which numbers spreads are counted: an index's bounds, or the lowest and highest value of a warning."""
    if isinstance(rule, Index):
        return rule.bounds or rule.scale
    values = pl.concat([compared["score_before"], compared["score_after"]]).drop_nulls()
    if values.is_empty():
        return (0.0, 1.0)
    # The middle 98 of a hundred: one wrong date must not press all others into one bin.
    low, high = values.quantile(0.01, "nearest"), values.quantile(0.99, "nearest")
    return (float(low), float(high)) if low < high else (float(low) - 0.5, float(low) + 0.5)


def units_of(compared: pl.DataFrame, depth: int) -> tuple[Unit, ...]:
    """What changes in each unit ``depth`` steps below the root, in order of their ids; subjects above are left out.
    Where all lie in one unit, those below it are told."""
    depth = _forked(compared, depth)
    unit = (
        pl.col(PATH).str.strip_chars("/").str.split("/").list.get(depth, null_on_oob=True).cast(pl.Int64, strict=False)
    )
    frame = compared.with_columns(unit.alias("unit")).filter(pl.col("unit").is_not_null())
    found = []
    for (unit_id,), part in sorted(frame.partition_by("unit", as_dict=True).items()):
        pairs = matrix_of(part)
        found.append(
            Unit(
                unit_id,
                part.height,
                sum(count for pair, count in pairs.items() if step(*pair) > 0),
                sum(count for pair, count in pairs.items() if step(*pair) < 0),
                part["score_before"].mean(),
                part["score_after"].mean(),
                dict(part["light_before"].value_counts().iter_rows()),
                dict(part["light_after"].value_counts().iter_rows()),
            )
        )
    return tuple(found)


def _forked(compared: pl.DataFrame, depth: int) -> int:
    """The first depth from here at which there are several units; this one if there is none."""
    ids = compared.select(pl.col(PATH).str.strip_chars("/").str.split("/").alias("ids"))["ids"]
    for deeper in range(depth, depth + 3):
        several = ids.list.get(deeper, null_on_oob=True).drop_nulls().n_unique()
        if several != 1:
            return deeper if several else depth
    return depth


def largest(compared: pl.DataFrame, *, gains: bool) -> tuple[Move, ...]:
    """The subjects whose score rises most, or falls most."""
    change = pl.col("score_after") - pl.col("score_before")
    changed = compared.with_columns(change.alias("change")).filter(
        pl.col("change") > UNCHANGED if gains else pl.col("change") < -UNCHANGED
    )
    return moves(changed.sort("change", CODE, descending=[gains, False]).head(MOST_SHOWN))


def moves(frame: pl.DataFrame) -> tuple[Move, ...]:
    """Rows of a comparison as values."""
    columns = (
        SUBJECT_ID,
        CODE,
        PATH,
        "light_before",
        "light_after",
        "score_before",
        "score_after",
        REASON,
        REASON_POINTS,
    )
    return tuple(Move(*row) for row in frame.select(columns).iter_rows())
