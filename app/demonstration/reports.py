"""Demonstration commendations and punishments, and the figures that are reported rather than counted."""

from __future__ import annotations

from datetime import date

import polars as pl

from app.entity.periods import Period, PeriodKind

from .noise import chance, one_of, whole

# Metric, salt, lowest value, how much quality adds, chance adds, and how many decimals it is reported with.
QUARTERLY_METRICS = (("satisfaction", 401, 62.0, 30.0, 7.0, 1),)
YEARLY_METRICS = (
    ("households", 411, 300.0, 0.0, 900.0, 0),
    ("households_visited", 412, 60.0, 420.0, 160.0, 0),
    ("resources_published", 415, 0.0, 4.0, 2.0, 0),
    ("demands_published", 416, 0.0, 3.0, 2.0, 0),
    ("tasks_given", 417, 6.0, 0.0, 8.0, 0),
    ("matches_proposed", 418, 2.0, 0.0, 4.0, 0),
    ("projects_due", 419, 1.0, 0.0, 3.0, 0),
)
# Of how many of another figure, and which share at quality 0 and how much more at 1.
SHARES = (
    ("tasks_signed_in_time", "tasks_given", 0.6, 0.41),
    ("matches_agreed", "matches_proposed", 0.3, 0.68),
    ("projects_done", "projects_due", 0.4, 0.6),
)


def commendations(branches: pl.DataFrame, people: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Honours of good branches and members; rarely a punishment, a notice or a fraud."""
    today = pl.lit(as_of)
    issued = today - pl.duration(days=whole(420, 10, 500, "id"))
    luck = chance(421, "id")
    good = 0.02 + 0.14 * pl.col("quality") ** 3
    bad = 0.012 * (1 - pl.col("quality"))
    of_branches = branches.with_columns(
        kind=pl.when(luck < good)
        .then(pl.lit("commendation"))
        .when(luck > 1 - bad)
        .then(one_of(422, ["fraud", "punishment_notice", "punishment_notice"], "id")),
    ).select(
        "kind",
        organization_id="id",
        member_id=pl.lit(None, pl.Int64),
        holder_id="id",
        issued_on=issued,
        tier=one_of(423, ["street"] * 6 + ["district"] * 3 + ["city"], "id"),
        grade=pl.lit(None, pl.String),
    )
    luck = chance(431, "id")
    of_members = (
        people.filter(pl.col("left_on").is_null())
        .with_columns(
            kind=pl.when(luck < 0.04 * pl.col("quality") * pl.col("diligence"))
            .then(pl.lit("commendation"))
            .when(luck > 1 - 0.0035 * (1 - pl.col("diligence")))
            .then(pl.lit("punishment")),
        )
        .select(
            "kind",
            organization_id=pl.lit(None, pl.Int64),
            member_id="id",
            holder_id="organization_id",
            issued_on=pl.max_horizontal(today - pl.duration(days=whole(430, 10, 500, "id")), pl.col("joined_on")),
            tier=one_of(432, ["street"] * 8 + ["district"] * 2, "id"),
            grade=pl.when(pl.col("kind") == "punishment").then(
                one_of(433, ["warning"] * 6 + ["serious_warning"] * 3 + ["probation"], "id")
            ),
        )
    )
    titles = {
        "commendation": "先进表彰（演示）",
        "punishment": "党纪处分（演示）",
        "fraud": "材料弄虚作假（演示）",
        "punishment_notice": "违纪通报（演示）",
    }
    months = pl.col("grade").replace_strict({"warning": 12, "serious_warning": 18, "probation": 24}, default=None)
    return (
        pl.concat([of_branches, of_members], how="vertical_relaxed")
        .filter(pl.col("kind").is_not_null())
        .with_columns(
            title=pl.col("kind").replace_strict(titles),
            effective_on=pl.col("issued_on"),
            expires_on=pl.when(months.is_not_null()).then(pl.col("issued_on").dt.offset_by(pl.format("{}mo", months))),
            is_demonstration=pl.lit(True),
        )
        .sort("holder_id", "member_id", "issued_on")
    )


def observations(branches: pl.DataFrame, people: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Figures of branches by quarter and year, and a few of members."""
    frames = []

    def reported(metric: str, salt: int, low: float, by_quality: float, by_chance: float, digits: int, period: Period):
        # The first day as a whole number makes each period's chance its own.
        value = low + by_quality * pl.col("quality") + by_chance * chance(salt, "id", pl.lit(period.start.toordinal()))
        frames.append(
            branches.select(
                organization_id="id",
                holder_id="id",
                metric=pl.lit(metric),
                period_code=pl.lit(str(period)),
                metric_value=value.round(digits),
            )
        )

    for figures in QUARTERLY_METRICS:
        for back in (0, 1, 2, 3):
            reported(*figures, Period.containing(as_of, PeriodKind.QUARTER).shifted(-back))
    for figures in YEARLY_METRICS:
        reported(*figures, Period.containing(as_of, PeriodKind.YEAR))
    by_metric = {frame["metric"][0]: frame for frame in frames}
    for metric, whole_metric, low, by_quality in SHARES:
        share = low + by_quality * branches["quality"]
        frames.append(
            by_metric[whole_metric].with_columns(
                metric=pl.lit(metric), metric_value=(pl.col("metric_value") * share).round()
            )
        )
    year = str(Period.containing(as_of, PeriodKind.YEAR))
    active = people.filter(pl.col("left_on").is_null())
    for metric, salt, share, most in (
        ("suggestions_adopted", 441, 0.04, 1),
        ("complaints", 443, 0.003, 1),
    ):
        zeal = pl.lit(share) if metric == "complaints" else share * (0.4 + 0.8 * pl.col("diligence"))
        frames.append(
            active.filter(chance(salt, "id") < zeal).select(
                member_id="id",
                holder_id="organization_id",
                metric=pl.lit(metric),
                period_code=pl.lit(year),
                metric_value=whole(salt + 10, 1, most, "id").cast(pl.Float64),
            )
        )
    return pl.concat(frames, how="diagonal_relaxed").with_columns(
        source=pl.lit("演示数据"), is_demonstration=pl.lit(True)
    )
