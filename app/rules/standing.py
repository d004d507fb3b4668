"""Where one subject stands, and where it would stand with other figures, among the others of the last full run.

Others stay as they are, so a subject's own figures and the peer statistics of the run are all it takes: nobody else is
scored again. Its rank is a count over everybody's scores and is asked elsewhere, by ``order_key``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from app.entity.labels import UserError

from .context import Context
from .expressions import Literal
from .frames import PARENT_ID, PRESENT, SUBJECT_ID, column_of_metric, column_of_subject
from .lights import COMPARED_DIGITS
from .model import Index, Light, Metric, Node, ObservedRange, Range
from .peer_statistics import PEERS, PeerStatistics, column_of_node, columns_of
from .ranking import ORDER_KEY
from .scoring import score_index

Value = float | bool | str

_WORLD = "#world"
"""A peers column of our own: variants that are scored together must not be compared with one another."""
_MOST_ROWS = 1_000_000
"""Of others, each variant's own, in one pass."""


@dataclass(frozen=True)
class Standing:
    """A subject among others. ``row``: its one row of a subjects frame, with the light in force as ``present``."""

    index: Index
    row: pl.DataFrame = field(repr=False)
    context: Context
    statistics: PeerStatistics = field(repr=False)
    siblings: pl.DataFrame | None = field(default=None, repr=False)
    """As ``score_index`` takes them, where the index rolls up."""

    @classmethod
    def among(cls, index: Index, subjects: pl.DataFrame, context: Context, subject_id: int) -> Standing:
        """A subject of a whole subjects frame, which is scored for it."""
        scored = score_index(index, subjects, context)
        light = scored.results.filter(pl.col(SUBJECT_ID) == subject_id)["light"]
        row = subjects.filter(pl.col(SUBJECT_ID) == subject_id)
        present = pl.lit(light[0] if light.len() else None, dtype=pl.String)
        return cls(index, row.with_columns(present.alias(PRESENT)), context, scored.statistics)


@dataclass(frozen=True)
class Given:
    """What is otherwise: metrics by name, and values of nodes by code, whatever they would be worked out from."""

    figures: Mapping[str, Value] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a subject has. ``columns``: its row of the results frame."""

    score: float | None
    light: str
    order_key: int | None
    columns: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def nodes(self) -> dict[str, float | None]:
        """Each node's score by code."""
        return {name.removesuffix(".score"): score for name, score in self.columns.items() if name.endswith(".score")}


NOTHING = Outcome(None, str(Light.NO_DATA), None)


def with_other(standing: Standing, given: Given) -> Outcome:
    """What the subject would have. Raises UserError for a figure or node that the index does not have."""
    index = standing.index
    known = {metric.name for metric in index.metrics if isinstance(metric, Metric)}
    leaves = {node.code for node in index.root.walk() if node.value is not None}
    for name in (*(given.figures.keys() - known), *(given.values.keys() - leaves)):
        raise UserError(f"指数里没有统计项“{name}”", f"The index has no figure “{name}”")
    changed = replace(standing, index=replace(index, root=_valued(index.root, given.values)))
    return outcomes(changed, [given.figures])[0]


def outcomes(standing: Standing, variants: Sequence[Mapping[str, Value]]) -> list[Outcome]:
    """What the subject would have with each of these sets of figures, each alone among the others."""
    if not variants or standing.row.is_empty():
        return [NOTHING for _ in variants]
    standing = _with_ranges_of_others(standing)
    index = standing.index
    apart = bool(columns_of(index))
    if any(isinstance(node.shape, ObservedRange) for node in index.root.walk()):
        most = 1  # what reaches beyond peers cannot be kept apart
    elif apart:
        most = max(1, _MOST_ROWS // max(1, standing.statistics.frame.height))
    else:
        most = len(variants)
    parts = [variants[start : start + most] for start in range(0, len(variants), most)]
    return [outcome for part in parts for outcome in _together(standing, part, apart=apart and most > 1)]


def _with_ranges_of_others(standing: Standing) -> Standing:
    """Observed ranges as those of the others alone: whoever lies beyond them is clipped to the same 0 or 100. Where the
    others are all equal that is not so, and the shape stays."""
    others = standing.statistics.frame.filter(pl.col(SUBJECT_ID) != standing.row[SUBJECT_ID][0])

    def ranged(node: Node) -> Node:
        node = replace(node, children=tuple(ranged(child) for child in node.children))
        if not isinstance(node.shape, ObservedRange):
            return node
        seen = others[column_of_node(node.code, "value")].drop_nulls()
        low, high = (seen.min(), seen.max()) if seen.len() else (None, None)
        if low is None or high is None or not low < high:
            return node
        return replace(node, shape=Range(Literal(low), Literal(high), node.shape.logarithmic))

    return replace(standing, index=replace(standing.index, root=ranged(standing.index.root)))


def _together(standing: Standing, variants: Sequence[Mapping[str, Value]], *, apart: bool) -> list[Outcome]:
    index, row, statistics = standing.index, standing.row, standing.statistics
    own_id = row[SUBJECT_ID][0]
    ids = [own_id, *(-place for place in range(1, len(variants)))]
    frame = pl.concat(
        _with(row, variant).with_columns(pl.lit(number).cast(row.schema[SUBJECT_ID]).alias(SUBJECT_ID))
        for number, variant in zip(ids, variants, strict=True)
    )
    if apart:
        worlds = pl.Series(_WORLD, [str(place) for place in range(len(variants))])
        index = replace(index, peers=(*index.peers, _WORLD))
        frame = frame.with_columns(worlds.alias(column_of_subject(_WORLD)))
        statistics = replace(statistics, frame=_in_worlds(standing, worlds))
    siblings = standing.siblings
    if siblings is not None:  # the same children below each
        parents = pl.DataFrame({PARENT_ID: ids}, schema={PARENT_ID: siblings.schema[PARENT_ID]})
        siblings = siblings.drop(PARENT_ID).join(parents, how="cross")
    results = score_index(index, frame, standing.context, statistics=statistics, siblings=siblings).results
    by_id = {found[SUBJECT_ID]: found for found in results.iter_rows(named=True)}
    return [_outcome(by_id.get(number)) for number in ids]


def _in_worlds(standing: Standing, worlds: pl.Series) -> pl.DataFrame:
    """The subject's peers, once for each variant."""
    frame, own_id = standing.statistics.frame, standing.row[SUBJECT_ID][0]
    columns = [pl.col(column_of_subject(path)).cast(pl.String).fill_null("") for path in standing.index.peers]
    own = standing.row.select(pl.concat_str(columns, separator="|").alias(PEERS))[PEERS][0] if columns else ""
    peers = frame.filter((pl.col(PEERS) == own) & (pl.col(SUBJECT_ID) != own_id))
    name = pl.concat_str(PEERS, pl.lit("|"), _WORLD) if columns else pl.col(_WORLD)
    return peers.join(worlds.to_frame(), how="cross").with_columns(name.alias(PEERS)).drop(_WORLD)


def _with(row: pl.DataFrame, figures: Mapping[str, Value]) -> pl.DataFrame:
    columns = {column_of_metric(name): value for name, value in figures.items()}
    return row.with_columns(pl.lit(value).cast(row.schema[name]).alias(name) for name, value in columns.items())


def _valued(node: Node, values: Mapping[str, Value]) -> Node:
    """The tree with the values of some leaves as they are given."""
    if node.code in values and node.value is not None:
        return replace(node, value=Literal(values[node.code]))
    return replace(node, children=tuple(_valued(child, values) for child in node.children)) if node.children else node


def _outcome(found: Mapping[str, Any] | None) -> Outcome:
    if found is None:
        return NOTHING
    score, key = found["score"], found[ORDER_KEY]
    return Outcome(None if key is None else round(score, COMPARED_DIGITS), found["light"], key, found)
