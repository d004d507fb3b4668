"""Scoring again, by their own version of an index, those for whom a district or street has adjusted it.

The base rule has scored everybody before, and its results stay: other rules read them, units above roll them up, and
whoever compares across streets looks at them. Each adjustment in force then scores the organization that it belongs to
and all below it; of several above one another, the nearest counts. What depends on others (percentiles, observed
ranges, peers' averages) is taken from the base rule's run, so a partial run gives what a full run gives. Within an
adjusted organization, parents roll up their children's adjusted scores.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl
from sqlalchemy import Connection, select

from app.entity.registry import registry
from app.rules.adjustments import LocalAdjustment, applied
from app.rules.context import Context
from app.rules.frames import PRESENT, SUBJECT_ID
from app.rules.model import Index
from app.rules.scoring import ScoredIndex, score_index

from .inputs import State, siblings_of

ADJUSTED_BY, BASE_ORDER_KEY, BASE_LIGHT = "adjusted_by", "base_order_key", "base_light"
"""Columns of scores that are null where no adjustment applies: the codes of those that do, the nearest last, parted by
spaces; and what the base rule says."""


@dataclass(frozen=True)
class Part:
    """What one adjustment makes of the organization that it belongs to, and of all below it."""

    frame: pl.DataFrame = field(repr=False)
    results: pl.DataFrame = field(repr=False)


@dataclass(frozen=True)
class Adjusted:
    """The scores that come into force, and the parts that adjustments have scored, by code."""

    scores: pl.DataFrame = field(repr=False)
    parts: dict[str, Part] = field(default_factory=dict)


def version_of(adjustments: Sequence[LocalAdjustment]) -> str | None:
    """What changes whenever the adjustments of an index do; None where there are none."""
    if not adjustments:
        return None
    return hashlib.sha256(repr(sorted(each.version for each in adjustments)).encode()).hexdigest()


def places_of(connection: Connection, adjustments: Sequence[LocalAdjustment]) -> list[tuple[str, LocalAdjustment]]:
    """The paths of the organizations that adjust, the highest first; those of unknown organizations are left out."""
    if not adjustments:
        return []
    table = registry["organization"].model.__table__
    statement = select(table.c.code, table.c.path).where(table.c.code.in_([each.under for each in adjustments]))
    paths = dict(iter(connection.execute(statement)))
    found = [(paths[each.under], each) for each in adjustments if paths.get(each.under)]
    return sorted(found, key=lambda pair: (len(pair[0]), pair[0]))


def chain_of(places: Sequence[tuple[str, LocalAdjustment]], path: str) -> list[LocalAdjustment]:
    """The adjustments that apply at a path, the highest first."""
    return [each for above, each in places if path.startswith(above)]


def adjust(
    connection: Connection,
    index: Index,
    adjustments: Sequence[LocalAdjustment],
    base: ScoredIndex,
    frame: pl.DataFrame,
    scores: pl.DataFrame,
    places: pl.DataFrame,
    context: Context,
    state: State,
    *,
    partial: bool,
    period_code: str,
) -> Adjusted:
    """``scores``: the base rule's results with ``places`` (``app.evaluation.inputs.PLACE_SCHEMA``), which are of all in
    the frame. Without adjustments nothing is computed."""
    unadjusted = [pl.lit(None, kind).alias(name) for name, kind in _COLUMNS.items()]
    found = places_of(connection, adjustments)
    if not found:
        return Adjusted(scores.with_columns(unadjusted))
    parts: dict[str, Part] = {}
    nearest = pl.lit(None, pl.String)
    for path, adjustment in found:  # from the top down: whoever is nearer has the last word
        nearest = pl.when(pl.col("path").str.starts_with(path)).then(pl.lit(adjustment.code)).otherwise(nearest)
    where = places.select(SUBJECT_ID, "path", nearest.alias("nearest"))
    chosen = []
    for path, adjustment in found:
        within = where.filter(pl.col("path").str.starts_with(path))
        part = frame.join(within, on=SUBJECT_ID, how="semi")
        if part.is_empty():
            continue
        chain = chain_of(found, path)
        siblings = None
        if partial and index.roll_up:
            siblings = siblings_of(connection, adjustment.code, period_code, registry, part[SUBJECT_ID].to_list())
        part = part.drop(PRESENT).join(state.in_force_lights(), on=SUBJECT_ID, how="left", maintain_order="left")
        scored = score_index(applied(index, chain), part, context, siblings=siblings, base=base.of_others)
        results = scored.results.join(places, on=SUBJECT_ID, how="left", maintain_order="left")
        parts[adjustment.code] = Part(part, results)
        own = within.filter(pl.col("nearest") == adjustment.code)
        codes = " ".join(each.code for each in chain)
        chosen.append(
            results.join(own, on=SUBJECT_ID, how="semi").with_columns(pl.lit(codes, pl.String).alias(ADJUSTED_BY))
        )
    by_base = scores.select(SUBJECT_ID, pl.col("order_key").alias(BASE_ORDER_KEY), pl.col("light").alias(BASE_LIGHT))
    adjusted = pl.concat(chosen).join(by_base, on=SUBJECT_ID, how="left") if chosen else None
    plain = scores.join(where.filter(pl.col("nearest").is_not_null()), on=SUBJECT_ID, how="anti")
    plain = plain.with_columns(unadjusted)
    if adjusted is None:
        return Adjusted(plain, parts)
    return Adjusted(pl.concat([plain, adjusted], how="diagonal_relaxed").sort(SUBJECT_ID), parts)


_COLUMNS: Mapping[str, pl.DataType] = {ADJUSTED_BY: pl.String(), BASE_ORDER_KEY: pl.Int64(), BASE_LIGHT: pl.String()}
