"""Why a subject moves: which node, bonus, penalty or veto makes the largest part of the change.

What a node loses of the scale (``<code>.lost``) adds up over the leaves to all that was lost, however they are
combined; so the difference of losses is each leaf's share of the change, also where a node is new, gone or weighs
otherwise.
"""

from __future__ import annotations

import polars as pl

from app.entity.labels import Label
from app.rules.frames import SUBJECT_ID
from app.rules.model import SEVERITY, Index, Rule

REASON, REASON_POINTS = "reason", "reason_points"
THRESHOLDS, VALUE, CHILDREN, VETO, APPLIES, DATA = "thresholds", "value", "children", "veto", "applies", "data"
OTHER_REASONS = {
    THRESHOLDS: Label("亮灯界限变了", "other thresholds"),
    VALUE: Label("数值变了", "another value"),
    CHILDREN: Label("下级得分变了", "scores of those below"),
    VETO: Label("一票否决", "veto"),
    APPLIES: Label("适用范围变了", "whom the rule applies to"),
    DATA: Label("有无数据变了", "whether there are data"),
}
"""Reasons that are no node."""
_NOTHING = 1e-9


def with_reasons(
    compared: pl.DataFrame, before: pl.DataFrame | None, after: pl.DataFrame, base: Rule | None, rule: Rule
) -> pl.DataFrame:
    """The comparison with ``reason`` and ``reason_points``, null for subjects of which nothing changes."""
    change = pl.col("score_after") - pl.col("score_before")
    moved = compared.filter(
        (pl.col("light_before") != pl.col("light_after")) | (change.abs() > _NOTHING).fill_null(True)
    )
    if before is None or not isinstance(rule, Index) or not isinstance(base, Index):
        found = moved.select(SUBJECT_ID, _plain_reason().alias(REASON), change.fill_null(0.0).alias(REASON_POINTS))
    else:
        found = _of_index(moved, before, after, base, rule)
    return compared.join(found, on=SUBJECT_ID, how="left", maintain_order="left")


def _plain_reason(otherwise: str = VALUE) -> pl.Expr:
    """Of warnings, and where one of the scores is missing."""
    none = pl.lit("none")
    same = (pl.col("score_before").eq_missing(pl.col("score_after"))) | (
        (pl.col("score_after") - pl.col("score_before")).abs() <= _NOTHING
    )
    return (
        pl.when(~pl.col("in_before") | ~pl.col("in_after"))
        .then(pl.lit(APPLIES))
        .when(same & (pl.col("light_before") != pl.col("light_after")) & (pl.col("light_before") != none))
        .then(pl.lit(THRESHOLDS))
        .when(same)
        .then(pl.lit(THRESHOLDS))
        .when(pl.col("score_before").is_null() | pl.col("score_after").is_null())
        .then(pl.lit(DATA))
        .otherwise(pl.lit(otherwise))
    )


def _of_index(moved: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame, base: Index, rule: Index) -> pl.DataFrame:
    frame = (
        moved.select(SUBJECT_ID, "light_before", "light_after", "score_before", "score_after", "in_before", "in_after")
        .join(_parts(before, base, "before."), on=SUBJECT_ID, how="left", maintain_order="left")
        .join(_parts(after, rule, "after."), on=SUBJECT_ID, how="left", maintain_order="left")
    )
    codes = sorted({name.split(".", 1)[1] for name in frame.columns if name.startswith(("before.", "after."))})
    there = set(frame.columns)

    def part(side: str, code: str) -> pl.Expr:
        return pl.col(f"{side}.{code}").fill_null(0.0) if f"{side}.{code}" in there else pl.lit(0.0)

    change = pl.col("score_after") - pl.col("score_before")
    lights = {light.value: place for place, light in enumerate(SEVERITY)}
    step = pl.col("light_after").replace_strict(lights, default=None, return_dtype=pl.Int8) - pl.col(
        "light_before"
    ).replace_strict(lights, default=None, return_dtype=pl.Int8)
    direction = pl.when(change.abs() > _NOTHING).then(change.sign()).otherwise(0.0)
    parts = pl.concat_list([(part("after", code) - part("before", code)) * direction for code in codes])
    # A light that goes against the score was moved by its edge.
    against = (step.cast(pl.Float64).sign() * direction < 0).fill_null(False) | (direction == 0)
    plain = _plain_reason(otherwise="")
    return (
        frame.with_columns(parts.alias("parts"), direction.alias("direction"))
        .with_columns(pl.col("parts").list.arg_max().alias("place"), pl.col("parts").list.max().alias("most"))
        .select(
            SUBJECT_ID,
            pl.when(plain != "")
            .then(plain)
            .when(against)
            .then(pl.lit(THRESHOLDS))
            .otherwise(pl.col("place").replace_strict(dict(enumerate(codes)), default=None, return_dtype=pl.String))
            .alias(REASON),
            pl.when(against | (plain != ""))
            .then(change.fill_null(0.0))
            .otherwise(pl.col("most") * pl.col("direction"))
            .alias(REASON_POINTS),
        )
    )


def _parts(results: pl.DataFrame, index: Index, prefix: str) -> pl.DataFrame:
    """What each part adds to or takes from the score, so that differences are changes: leaves take what they lose."""
    leaves = [node for node in index.root.walk() if not node.children and node is not index.root]
    columns = [(-pl.col(f"{node.code}.lost")).alias(f"{prefix}{node.code}") for node in leaves]
    columns += [pl.col(f"{item.code}.points").alias(f"{prefix}{item.code}") for item in index.bonus]
    columns += [(-pl.col(f"{item.code}.points")).alias(f"{prefix}{item.code}") for item in index.penalty]
    rolled = pl.col("rolled") if "rolled" in results.columns else pl.col("own")
    columns.append((rolled - pl.col("own")).alias(f"{prefix}{CHILDREN}"))
    capped = pl.when(pl.col("cap").is_not_null()).then(pl.col("score") - rolled)
    columns.append(capped.alias(f"{prefix}{VETO}"))
    return results.select(SUBJECT_ID, *columns)
