"""What demonstration members owe and do by themselves: fees, courses and study, the yearly appraisal."""

from __future__ import annotations

from datetime import date

import polars as pl

from .meetings import last_months
from .noise import chance, one_of, whole
from .organizations import Tree
from .scales import Scale

COURSES = ("党章和党内法规专题", "形势与政策专题", "基层治理专题", "党史学习专题", "纪律教育专题", "业务能力专题")
REQUIRED_HOURS = 4.0


def fees(scale: Scale, people: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The fees of each month since a member joined. Branches that are behind have members that are; some have paid
    nothing for months."""
    months = pl.DataFrame({"month": last_months(as_of, scale.fee_months)}).with_row_index("month_number", 1)
    owing = people.select(
        "organization_id", "joined_on", "left_on", "quality", "fee_base", "fee_rate", "fee_monthly", member_id="id"
    ).with_columns(
        arrears=pl.when(chance(301, "member_id") < 0.002 + 0.06 * (1 - pl.col("quality")) ** 2)
        .then(whole(302, 1, 7, "member_id"))
        .otherwise(0),
        is_exempt=chance(303, "member_id") < 0.004,
    )
    keys = ("member_id", "month_number")
    punctual = chance(304, *keys) < 1 - 0.3 * (1 - pl.col("quality"))
    rows = (
        owing.join(months, how="cross")
        .filter(
            (pl.col("joined_on") <= pl.col("month").dt.month_end())
            & (pl.col("left_on").is_null() | (pl.col("left_on") >= pl.col("month")))
        )
        .with_columns(
            paid_on=pl.col("month")
            + pl.duration(days=pl.when(punctual).then(whole(305, 2, 26, *keys)).otherwise(whole(306, 31, 62, *keys)))
        )
        .with_columns(
            is_paid=(pl.col("paid_on") <= as_of)
            & ~pl.col("is_exempt")
            & (pl.col("month_number") <= scale.fee_months - pl.col("arrears"))
        )
    )
    return rows.select(
        "organization_id",
        "member_id",
        fee_month=pl.col("month").dt.to_string("%Y-%m"),
        base=pl.col("fee_base"),
        rate=pl.col("fee_rate"),
        due=pl.when("is_exempt").then(0.0).otherwise(pl.col("fee_monthly")),
        paid=pl.when("is_paid").then(pl.col("fee_monthly")),
        pay_by=pl.col("month").dt.month_end(),
        paid_on=pl.when("is_paid").then("paid_on"),
        channel=pl.when("is_paid").then(
            one_of(307, ["party_fee_pass", "party_fee_pass", "wechat", "alipay", "transfer", "cash"], "member_id")
        ),
        exempt_reason=pl.when("is_exempt").then(pl.lit("hardship")),
        is_demonstration=pl.lit(True),
    ).sort("member_id", "fee_month")


def courses(scale: Scale, tree: Tree, as_of: date) -> pl.DataFrame:
    """Required courses that each district published, by year, and their deadlines."""
    rows = []
    for year in range(as_of.year - scale.study_years + 1, as_of.year + 1):
        for number in range(scale.required_courses):
            published = date(year, 1 + number * 9 // scale.required_courses, 20)
            if published <= as_of:
                due = date(year, min(published.month + 3, 12), 28)
                rows += [(district, f"{year}年{COURSES[number]}", published, due) for district in tree.districts]
    frame = pl.DataFrame(rows, schema=["organization_id", "title", "published_on", "due_on"], orient="row")
    return frame.with_row_index("id", 1).with_columns(
        pl.col("id").cast(pl.Int64),
        code=pl.format("KC{}", pl.col("id").cast(pl.String).str.zfill(5)),
        category=pl.lit("theory"),
        is_required=pl.lit(True),
        hours=pl.lit(REQUIRED_HOURS),
        status=pl.lit("published"),
        is_demonstration=pl.lit(True),
    )


def studies(scale: Scale, tree: Tree, offered: pl.DataFrame, people: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Required courses, done or still owed, and further study."""
    districts = tree.organizations.select(
        "id", district=pl.col("path").str.split("/").list.get(2, null_on_oob=True).cast(pl.Int64, strict=False)
    )
    learners = (
        people.filter(pl.col("left_on").is_null())
        .select("organization_id", "joined_on", "quality", "diligence", "party_post", member_id="id")
        .join(districts, left_on="organization_id", right_on="id", how="left")
    )
    zeal = (1 - 0.55 * (1 - pl.col("quality")) + 0.3 * (pl.col("diligence") - 0.5)).clip(0.1, 0.995)
    keys = ("member_id", "course_id")
    required = (
        learners.join(
            offered.select("title", "published_on", "due_on", district="organization_id", course_id="id"), on="district"
        )
        .filter(pl.col("joined_on") <= pl.col("due_on"))
        .with_columns(done_on=pl.col("published_on") + pl.duration(days=whole(310, 3, 110, *keys)))
        .with_columns(is_done=(pl.col("done_on") <= as_of) & (chance(311, *keys) < 0.82 + 0.18 * zeal))
        .select(
            "organization_id",
            "member_id",
            "course_id",
            "title",
            hours=pl.when("is_done").then(REQUIRED_HOURS).otherwise(0.0),
            completed_on=pl.when("is_done").then("done_on"),
            source=one_of(312, ["online", "xuexi", "offline"], *keys),
        )
    )
    # Hours that lead a member of average zeal just past the 32 (office-holders: 56) of a whole year.
    target = pl.when(pl.col("party_post") == "none").then(40.0).otherwise(66.0)
    each = (target - REQUIRED_HOURS * scale.required_courses) / scale.free_studies
    free_keys = ("member_id", "year", "number")
    years = list(range(as_of.year - scale.study_years + 1, as_of.year + 1))
    free = (
        learners.join(pl.DataFrame({"year": years}), how="cross")
        .join(pl.DataFrame({"number": list(range(scale.free_studies))}), how="cross")
        .with_columns(
            completed_on=pl.date(pl.col("year"), 1, 5)
            + pl.duration(
                days=((pl.col("number") + chance(313, *free_keys)) * (330 / scale.free_studies)).cast(pl.Int64)
            ),
            hours=((each * (0.35 + 0.8 * zeal) * (0.8 + 0.4 * chance(314, *free_keys))) * 2).round() / 2,
        )
        .filter(
            (pl.col("completed_on") <= as_of)
            & (pl.col("completed_on") >= pl.col("joined_on"))
            & (chance(315, *free_keys) < zeal + 0.1)
        )
        .select(
            "organization_id",
            "member_id",
            "hours",
            "completed_on",
            title=one_of(316, ["集中培训", "网络课程", "学习强国学习", "专题讲座"], *free_keys),
            source=one_of(317, ["offline", "online", "xuexi", "import"], *free_keys),
        )
    )
    return (
        pl.concat([required, free], how="diagonal_relaxed")
        .sort("member_id", "completed_on", "course_id")
        .with_columns(is_demonstration=pl.lit(True))
    )


def appraisals(people: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Last year's and, once held, this year's appraisal. At most a third are excellent; probationary members take
    part without a grade."""
    years = [year for year in (as_of.year - 1, as_of.year) if date(year, 12, 28) <= as_of]
    graded = chance(320, "member_id", "year")
    share = pl.col("rank") / pl.col("count")
    return (
        people.filter(pl.col("left_on").is_null())
        .select("organization_id", "joined_on", "regularized_on", "quality", "diligence", member_id="id")
        .join(pl.DataFrame({"year": years}, schema={"year": pl.Int64}), how="cross")
        .filter(pl.col("joined_on") < pl.date(pl.col("year"), 12, 1))
        .with_columns(full=(pl.col("regularized_on") <= pl.date(pl.col("year"), 12, 1)).fill_null(False))
        .with_columns(
            rank=(pl.col("diligence") + 0.5 * graded).rank("ordinal", descending=True).over("organization_id", "year"),
            count=pl.len().over("organization_id", "year"),
        )
        .select(
            "organization_id",
            "member_id",
            appraisal_year=pl.col("year").cast(pl.String),
            appraised_on=pl.date(pl.col("year"), 12, 26),
            self_score=(80 + 18 * pl.col("diligence")).round(),
            grade=pl.when(~pl.col("full"))
            .then(None)
            .when(share <= 0.32)
            .then(pl.lit("excellent"))
            .when(graded < 0.004)
            .then(pl.lit("unqualified"))
            .when(graded < 0.02 + 0.03 * (1 - pl.col("quality")))
            .then(pl.lit("basically"))
            .otherwise(pl.lit("qualified")),
            status=pl.lit("approved"),
            is_demonstration=pl.lit(True),
        )
        .sort("member_id", "appraisal_year")
    )
