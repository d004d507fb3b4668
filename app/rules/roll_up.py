"""Scores of parent organizations from those of their children, from the leaves up."""

from __future__ import annotations

import polars as pl

from app.entity.labels import UserError

from .frames import PARENT_ID, SUBJECT_ID
from .model import RollUp

ROLLED, ROLL_WEIGHT = "rolled", "roll_weight"
"""A subject's score after the roll-up, before vetoes and rounding; and its weight among its siblings."""

_OF_CHILDREN = "#children"


def rolled_up(
    frame: pl.DataFrame, own: str, weight: pl.Expr, rule: RollUp, siblings: pl.DataFrame | None
) -> pl.DataFrame:
    """The frame with ``rolled`` and ``roll_weight``, in the same order.

    ``own`` is the column with each subject's own score. A parent gets ``own`` × it + ``children`` × the weighted mean
    of its children that have a score; where one part is missing, the other alone. Children without weight, or with
    none above 0, do not count. ``siblings`` (``subject_id``, ``parent_id``, ``rolled``, ``roll_weight``) are children
    that are not in the frame: in a partial run, as they were published last.
    """
    if PARENT_ID not in frame.columns:
        raise UserError(
            "只有组织才能把下级的得分汇总到上级；请去掉 roll_up",
            "only organizations pass scores up to their parents; leave roll_up out",
        )
    frame = frame.with_columns(weight.cast(pl.Float64).alias(ROLL_WEIGHT))
    part = [SUBJECT_ID, PARENT_ID, ROLLED, ROLL_WEIGHT]
    outside = _none(frame, part) if siblings is None else siblings.select(part).join(frame, on=SUBJECT_ID, how="anti")
    below = outside
    done: list[pl.DataFrame] = []
    for level in reversed(_levels(frame)):
        rolled = (
            level.join(_means(below), left_on=SUBJECT_ID, right_on=PARENT_ID, how="left", maintain_order="left")
            .with_columns(_joined(pl.col(own), pl.col(_OF_CHILDREN), rule).alias(ROLLED))
            .select(part)
        )
        done.append(rolled)
        below = pl.concat([rolled, outside], how="vertical_relaxed")
    scores = pl.concat(done).select(SUBJECT_ID, ROLLED) if done else _none(frame, [SUBJECT_ID, ROLLED])
    return frame.join(scores, on=SUBJECT_ID, how="left", maintain_order="left")


def _none(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    schema = {name: pl.Float64 if name in (ROLLED, ROLL_WEIGHT) else frame.schema[name] for name in columns}
    return pl.DataFrame(schema=schema)


def _levels(frame: pl.DataFrame) -> list[pl.DataFrame]:
    """The subjects by depth, those without a parent in the frame first. Parents in a circle are in no level."""
    found: list[pl.DataFrame] = []
    level = frame.filter(~pl.col(PARENT_ID).is_in(frame[SUBJECT_ID].implode()).fill_null(False))
    while level.height:
        found.append(level)
        level = frame.join(level.select(SUBJECT_ID), left_on=PARENT_ID, right_on=SUBJECT_ID, how="semi")
    return found


def _means(children: pl.DataFrame) -> pl.DataFrame:
    """``parent_id`` and the weighted mean of its children."""
    counted = children.filter(
        pl.col(ROLLED).is_not_null() & (pl.col(ROLL_WEIGHT) > 0) & pl.col(PARENT_ID).is_not_null()
    )
    mean = (pl.col(ROLLED) * pl.col(ROLL_WEIGHT)).sum() / pl.col(ROLL_WEIGHT).sum()
    return counted.group_by(PARENT_ID).agg(mean.alias(_OF_CHILDREN))


def _joined(own: pl.Expr, of_children: pl.Expr, rule: RollUp) -> pl.Expr:
    return pl.coalesce(rule.own * own + rule.children * of_children, own, of_children)
