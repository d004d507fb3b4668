"""The scoring engine: from a frame of subjects and their metrics to scores, lights, ranks and their explanation.

The order is the contract's: tree → scale → bonus − penalty → bounds → roll-up → vetoes → decimals → light, grade,
ranks. Each step is one or a few passes over whole columns; nothing is done subject by subject.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from .column_arithmetic import half_away
from .context import Context
from .expression_frames import Kind, missing
from .frames import PRESENT, SUBJECT_ID, column_of_held, column_of_metric, column_of_subject, held_conditions
from .lights import anything_missing, comparable, level_of_value, light_of_score, named
from .model import Adjustment, Index, Light, RollUp, Target, Warning
from .peer_statistics import PEERS, PeerStatistics, Population, column_of_node, columns_of, columns_of_others
from .ranking import ORDER_KEY, order_key, ranked
from .roll_up import ROLL_WEIGHT, ROLLED, rolled_up
from .rule_figures import APPLIES, Figures
from .tree import COVERAGE, FAILED, Tree

_COMPARED = "#compared"
_NODE_COLUMNS = ("value", "score", "weight", "lost", "reason")


@dataclass(frozen=True)
class ScoredIndex:
    """The results of one run of an index (``app.rules.frames`` names the columns), and what partial runs need."""

    results: pl.DataFrame
    statistics: PeerStatistics
    of_others: pl.DataFrame
    """``subject_id`` and ``columns_of_others(index)``: what adjusted versions of the index take from here."""


def score_index(
    index: Index,
    subjects: pl.DataFrame,
    context: Context,
    *,
    statistics: PeerStatistics | None = None,
    siblings: pl.DataFrame | None = None,
    base: pl.DataFrame | None = None,
) -> ScoredIndex:
    """Scores every subject of the frame.

    A full run has all subjects. A partial run has some of them: with the ``statistics`` of the last full run, and, if
    the index rolls up, with the published ``subject_id, parent_id, rolled, roll_weight`` of their children that are
    not in the frame as ``siblings``. Ranks of a partial run are among its own subjects only: ``ranking.ranked`` gives
    them anew for all. Statistics of a partial run are those it was given. ``base``: of an index that a district or
    street has adjusted, ``of_others`` of the base rule's run over the same subjects.

    Raises UserError if an expression names what the frame lacks or mixes kinds, ValueError for statistics of another
    version of the rule.
    """
    figures = Figures(index, subjects, context)
    figures.frame = figures.frame.with_columns(_peers(index, figures.frame).alias(PEERS))
    population = Population(index, subjects, statistics) if base is None else Population.of_base(index, base)
    Tree(index, figures, population).score()
    _adjust(index, figures)
    of_others = figures.frame.select(SUBJECT_ID, *columns_of_others(index))
    _roll_up(index, figures, siblings)
    figures.frame = figures.frame.filter(pl.col(APPLIES) | pl.col(ROLLED).is_not_null())
    _cap_and_light(index, figures)
    results = ranked(figures.frame)
    if statistics is None:
        frame = figures.frame.filter(APPLIES).select(SUBJECT_ID, PEERS, *columns_of(index))
        statistics = PeerStatistics(index.version, context.as_of, frame)
    return ScoredIndex(results.select(_result_columns(index)), statistics, of_others)


def score_warning(warning: Warning, subjects: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The level of every subject to which the warning applies: ``subject_id``, ``value``, ``level`` (null for none),
    ``held.<key>`` (since when each condition of ``days_held`` has been true). Raises UserError as ``score_index``."""
    figures = Figures(warning, subjects, context)
    value = known_value = None
    if warning.value is not None:
        found = figures.compiler.value(warning.value)
        asked = figures.compiler.asking_for_data().value(warning.value)
        value = figures.add("#value", found, "value")
        known_value = value if asked.frame.meta.eq(found.frame) else figures.add("#known_value", asked)
    compiler = figures.compiler
    asking = compiler.asking_for_data()
    if known_value is not None:
        asking = asking.knowing("value", known_value)
    held = held_conditions(warning)
    frame = figures.frame.filter(APPLIES)
    frame = frame.lazy().with_columns(
        level_of_value(warning.levels, value, PRESENT, warning.recover, compiler).alias("#level"),
        anything_missing(warning.levels, known_value, asking).alias("#missing"),
        *(compiler.held_since(condition).alias(f"#since.{column_of_held(condition)}") for condition in held),
    )
    level = named(pl.col("#level"))
    # Only numbers can be shown and kept; a date or text is for the levels to compare.
    numeric = value is not None and value.kind in (Kind.NUMBER, Kind.TRUTH)
    shown = value.frame.cast(pl.Float64) if numeric else missing()
    return frame.select(
        SUBJECT_ID,
        shown.alias("value"),
        pl.when(level.is_null() & pl.col("#missing")).then(pl.lit(Light.NO_DATA.value)).otherwise(level).alias("level"),
        *(pl.col(f"#since.{column_of_held(condition)}").alias(column_of_held(condition)) for condition in held),
    ).collect()


def _peers(index: Index, frame: pl.DataFrame) -> pl.Expr:
    """The subject's values of the peers columns as one text; a missing value is an empty one."""
    columns = [pl.col(column_of_subject(path)).cast(pl.String).fill_null("") for path in index.peers]
    return pl.concat_str(columns, separator="|") if columns else pl.lit("")


def _adjust(index: Index, figures: Figures) -> None:
    """The tree onto the scale, bonus and penalty, bounds: ``base``, ``bonus``, ``penalty``, ``own``."""
    low, high = index.scale
    lowest, highest = index.bounds or index.scale
    applies = pl.col(APPLIES)
    points = [
        pl.when(applies).then(_points(item, figures)).alias(_points_column(item))
        for item in (*index.bonus, *index.penalty)
    ]
    held = [
        (applies & figures.compiler.condition(veto.when)).alias(column_of_node(veto.code, "held"))
        for veto in index.veto
    ]
    root = pl.col(column_of_node(index.root.code, "score"))
    # A coverage of exactly the minimum may come out of its sum a hair below it.
    enough = ~pl.col(FAILED) & (pl.col(COVERAGE) >= index.min_coverage - 1e-9)
    figures.frame = (
        figures.frame.lazy()
        .with_columns(*points, *held, (low + root / 100.0 * (high - low)).alias("base"))
        .with_columns(
            _sum_of(index.bonus, index.bonus_at_most).alias("bonus"),
            _sum_of(index.penalty, index.penalty_at_most).alias("penalty"),
        )
        .with_columns(
            pl.when(applies & enough)
            .then((pl.col("base") + pl.col("bonus") - pl.col("penalty")).clip(lowest, highest))
            .alias("own")
        )
        .collect()
    )


def _points(item: Adjustment, figures: Figures) -> pl.Expr:
    """An item's points, at most so many. A missing value gives none; a bonus never takes, a penalty never gives."""
    points = (figures.compiler.number(item.value) * item.each).fill_null(0.0).clip(lower_bound=0.0)
    return points if item.at_most is None else points.clip(upper_bound=item.at_most)


def _points_column(item: Adjustment) -> str:
    return column_of_node(item.code, "points")


def _sum_of(items: tuple[Adjustment, ...], at_most: float | None) -> pl.Expr:
    total = pl.sum_horizontal(_points_column(item) for item in items) if items else pl.lit(0.0)
    total = total if at_most is None else total.clip(upper_bound=at_most)
    return pl.when(APPLIES).then(total)


def _roll_up(index: Index, figures: Figures, siblings: pl.DataFrame | None) -> None:
    if index.roll_up is None:
        figures.frame = figures.frame.with_columns(pl.col("own").alias(ROLLED))
    else:
        weight = _child_weight(index.roll_up, figures)
        figures.frame = rolled_up(figures.frame, "own", weight, index.roll_up, siblings)


def _child_weight(rule: RollUp, figures: Figures) -> pl.Expr:
    if rule.weight is None:
        return pl.lit(1.0)
    for column in (column_of_metric(rule.weight), column_of_subject(rule.weight)):
        if column in figures.frame.columns:
            return pl.col(column)
    raise KeyError(rule.weight)


def _cap_and_light(index: Index, figures: Figures) -> None:
    """Vetoes, decimals, light and grade of the score after the roll-up."""
    caps = [
        pl.when(column_of_node(veto.code, "held")).then(pl.lit(float(veto.cap))).alias(veto.code) for veto in index.veto
    ]
    cap = pl.min_horizontal(caps) if caps else missing()
    score = pl.min_horizontal(ROLLED, pl.when(pl.col(ROLLED).is_not_null()).then(pl.col("cap")))
    score = score if index.decimals is None else half_away(score, index.decimals)
    figures.frame = (
        figures.frame.lazy()
        .with_columns(cap.alias("cap"))
        .with_columns(score.alias("score"))
        .with_columns(order_key(pl.col("score")).alias(ORDER_KEY), comparable(pl.col("score")).alias(_COMPARED))
        .with_columns(
            light_of_score(index.lights, _COMPARED, PRESENT, index.recover, figures.compiler).alias("light"),
            _grade(index).alias("grade"),
        )
        .collect()
    )


def _grade(index: Index) -> pl.Expr:
    """The position in the rule's grades of the last that the score reaches, Int32."""
    reached = pl.lit(None, dtype=pl.Int32)
    for position, (start, _) in sorted(enumerate(index.grades), key=lambda grade: grade[1][0]):
        reached = pl.when(pl.col(_COMPARED) >= start).then(pl.lit(position, dtype=pl.Int32)).otherwise(reached)
    return reached


def _result_columns(index: Index) -> list[pl.Expr]:
    whole = ["score", ORDER_KEY, "light", "grade", "rank", "peer_rank", PEERS, "own", "base", "bonus", "penalty"]
    rolled = [ROLLED, ROLL_WEIGHT] if index.roll_up else []
    nodes = [node for node in index.root.walk() if node is not index.root]
    parts = [(node.code, what) for node in nodes for what in _NODE_COLUMNS if what != "value" or not node.children]
    parts += [(node.code, "target") for node in nodes if isinstance(node.shape, Target)]
    parts += [(item.code, "points") for item in (*index.bonus, *index.penalty)]
    parts += [(veto.code, "held") for veto in index.veto]
    return [
        *(pl.col(name) for name in [SUBJECT_ID, *whole, COVERAGE, "cap", *rolled]),
        *(pl.col(column_of_node(code, what)).alias(f"{code}.{what}") for code, what in parts),
        *(missing().alias(f"{node.code}.value") for node in nodes if node.children),
    ]
