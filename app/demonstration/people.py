"""Demonstration members and the posts they hold. Names are 演示党员 with a number; identity and mobile numbers are
valid in form, made from that number, and belong to nobody on purpose."""

from __future__ import annotations

from datetime import date

import polars as pl
from stdnum.cn import ric

from app.database.encryption import keyring
from app.domains.party_life.fee_rates import FeePayer, rates_on

from .noise import chance, one_of, whole
from .organizations import Tree

YOUNGEST, OLDEST = 23, 84
"""Ages in years at the end of the period."""
MINHANG_CODE = "310112"

EDUCATION = ["10"] + ["20"] * 6 + ["30"] * 5 + ["40"] * 2 + ["60"] * 4 + ["70"] * 2
JOBS = ["职员", "教师", "工程师", "社区工作者", "医护人员", "营业员"]
COMMITTEE_SEATS = ("organization", "publicity", "discipline", "united_front")


def members(tree: Tree, as_of: date) -> pl.DataFrame:
    """A row a member, ids from 1 in the order of their branches, with ``place`` (0 first) in the branch and the
    branch's profile beside the table's columns."""
    groups = (
        tree.organizations.filter(pl.col("tier") == "group")
        .select(pl.col("parent_id").alias("organization_id"), pl.col("id").alias("group_id"))
        .with_columns(group_place=pl.int_range(pl.len()).over("organization_id"))
    )
    rows = (
        tree.branches.rename({"id": "organization_id"})
        .with_columns(place=pl.int_ranges(0, pl.col("size")))
        .explode("place")
        .with_row_index("id", 1)
        .with_columns(pl.col("id").cast(pl.Int64), pl.col("place").cast(pl.Int64))
        .with_columns(group_place=pl.when(pl.col("groups") > 0).then(pl.col("place") % pl.col("groups")))
        .join(groups, on=["organization_id", "group_place"], how="left", maintain_order="left")
    )
    return _careers(_persons(rows, as_of), as_of)


def _persons(rows: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Birth, sex and numbers. Every member has a birthday and sequence of their own, hence an identity number."""
    latest = date(as_of.year - YOUNGEST, 1, 1)
    days = (OLDEST - YOUNGEST) * 365
    is_woman = chance(101, "id") < 0.42
    return rows.with_columns(
        code=pl.format("DY{}", pl.col("id").cast(pl.String).str.zfill(7)),
        name=pl.format("演示党员{}", pl.col("id").cast(pl.String).str.zfill(6)),
        birth_date=pl.lit(latest) - pl.duration(days=(pl.col("id") * 7919) % days),
        sequence=(pl.col("id") // days) * 2 + pl.when(is_woman).then(2).otherwise(1),
        gender=pl.when(is_woman).then(pl.lit("2")).otherwise(pl.lit("1")),
        ethnicity=pl.when(chance(102, "id") < 0.02).then(pl.lit("回族")).otherwise(pl.lit("汉族")),
        education=one_of(103, EDUCATION, "id"),
        age=as_of.year - (latest.year - ((pl.col("id") * 7919) % days) // 365),
    )


def _careers(rows: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """From joining to leaving, work, fees."""
    today = pl.lit(as_of)
    of_age = pl.col("birth_date").dt.offset_by("18y")
    # The first members of a branch have been in it for long: somebody has to have founded it.
    is_new = (chance(110, "id") < 0.028) & (pl.col("place") > 3)
    adult_days = (today - of_age).dt.total_days()
    # One in eight has joined within the last four years, so that most branches have admitted somebody lately.
    is_recent = (chance(132, "id") < 0.13) & (pl.col("place") > 1) & (adult_days > 5 * 365)
    waited = (180 + chance(111, "id") * (pl.min_horizontal(adult_days - 180 - 800, pl.lit(9000)))).cast(pl.Int64)
    rows = rows.with_columns(
        joined_on=pl.when(is_new)
        .then(today - pl.duration(days=whole(112, 20, 350, "id")))
        .when(is_recent)
        .then(today - pl.duration(days=whole(133, 400, 1400, "id")))
        .otherwise(of_age + pl.duration(days=waited)),
        is_new=is_new,
        is_employed=pl.col("age") < 60,
    )
    regularized = pl.col("joined_on").dt.offset_by("1y") + pl.duration(days=whole(113, 0, 20, "id"))
    left = (chance(114, "id") < 0.006) & ~is_new & (pl.col("place") > 8)
    suspended = (chance(115, "id") < 0.001) & ~left & (pl.col("place") > 8)
    lost = (chance(116, "id") < 0.003) & ~left & (pl.col("place") > 6)
    floating = (chance(117, "id") < 0.03) & ~left & (pl.col("place") > 3)
    rows = rows.with_columns(
        member_type=pl.when("is_new").then(pl.lit("probationary")).otherwise(pl.lit("full")),
        regularized_on=pl.when(~pl.col("is_new")).then(regularized),
        membership_status=pl.when(left)
        .then(pl.lit("left"))
        .when(suspended)
        .then(pl.lit("suspended"))
        .otherwise(pl.lit("normal")),
        left_on=pl.when(left).then(today - pl.duration(days=whole(118, 5, 300, "id"))),
        is_floating=floating,
        flow_destination=pl.when(floating).then(pl.lit("外省市")),
        flow_out_on=pl.when(floating).then(today - pl.duration(days=whole(119, 10, 260, "id"))),
        is_lost=lost,
        lost_on=pl.when(lost).then(today - pl.duration(days=whole(120, 10, 200, "id"))),
        needs_check=chance(121, "id") < 0.008,
        is_hardship=chance(122, "id") < 0.012,
        employer=pl.when("is_employed").then(pl.format("演示单位{}", pl.col("id") % 900 + 1)),
        job=pl.when("is_employed").then(
            one_of(123, ["职员", "教师", "工程师", "社区工作者", "医护人员", "营业员"], "id")
        ),
        community_id=pl.when((pl.col("unit_type").is_in(["village", "community"])) & pl.col("is_employed")).then(
            "organization_id"
        ),
        checked_in_on=pl.when(pl.col("is_employed") & (chance(124, "id") < 0.6 + 0.4 * pl.col("quality"))).then(
            today - pl.duration(days=whole(125, 20, 1400, "id"))
        ),
        mobile_number=pl.when(chance(126, "id") > 0.03 * (1 - pl.col("quality")) * 3).then(
            pl.format("199{}", pl.col("id").cast(pl.String).str.zfill(8))
        ),
        diligence=chance(127, "id"),
        is_demonstration=pl.lit(True),
    )
    rows = rows.with_columns(
        status_since=pl.when(pl.col("membership_status") == "left")
        .then("left_on")
        .when(pl.col("membership_status") == "suspended")
        .then(today - pl.duration(days=whole(128, 30, 720, "id")))
        .otherwise("joined_on"),
        fee_base=pl.when("is_employed")
        .then(3600 + (chance(129, "id") ** 2 * 12000 / 50).floor() * 50)
        .otherwise(3500 + (chance(129, "id") * 4500 / 50).floor() * 50)
        .cast(pl.Float64),
        fee_base_set_on=pl.when(chance(130, "id") < 0.9 + 0.1 * pl.col("quality"))
        .then(pl.lit(date(as_of.year, 1, 1)) + pl.duration(days=whole(131, 2, 55, "id")))
        .otherwise(pl.lit(date(as_of.year - 1, 2, 10))),
    )
    rows = rows.with_columns(
        # Early in the year the bases of the year before still stand.
        fee_base_set_on=pl.when(pl.col("fee_base_set_on") <= today)
        .then("fee_base_set_on")
        .otherwise(pl.lit(date(as_of.year - 1, 2, 10))),
        fee_rate=_rate(as_of),
    ).with_columns(fee_monthly=(pl.col("fee_base") * pl.col("fee_rate") + 1e-9).round(2))
    return rows


def _rate(as_of: date) -> pl.Expr:
    """The rate of each member's base, by the official table."""
    bands = rates_on(as_of).bands

    def of(payer: FeePayer) -> pl.Expr:
        expression = pl.lit(float(bands[payer][-1][1]))
        for largest, rate in reversed(bands[payer][:-1]):
            expression = pl.when(pl.col("fee_base") <= float(largest)).then(float(rate)).otherwise(expression)
        return expression

    return pl.when("is_employed").then(of(FeePayer.EMPLOYED)).otherwise(of(FeePayer.RETIRED))


def encrypted(rows: pl.DataFrame) -> pl.DataFrame:
    """With the columns id_no, id_no_hash, mobile and mobile_hash as the table holds them."""
    ring = keyring()
    stems = rows.select(
        pl.format(
            "{}{}{}",
            pl.lit(MINHANG_CODE),
            pl.col("birth_date").dt.to_string("%Y%m%d"),
            pl.col("sequence").cast(pl.String).str.zfill(3),
        )
    ).to_series()
    numbers = [stem + ric.calc_check_digit(f"{stem}0") for stem in stems]
    mobiles = rows["mobile_number"].to_list()
    return rows.with_columns(
        pl.Series("id_no", [ring.encrypt(number) for number in numbers]),
        pl.Series("id_no_hash", [ring.digest(number) for number in numbers]),
        pl.Series("mobile", [number and ring.encrypt(number) for number in mobiles], dtype=pl.String),
        pl.Series("mobile_hash", [number and ring.digest(number) for number in mobiles], dtype=pl.String),
    )


def posts(tree: Tree, people: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Who holds office: a secretary in every branch, a committee where there is one, leaders of groups, and the
    committees of streets, district and city. Some posts are vacant."""
    today = pl.lit(as_of)
    in_office = people.filter(pl.col("membership_status") == "normal")
    quality = pl.col("quality")
    vacancy = chance(140, "number") < 0.01 + 0.12 * (1 - quality) ** 2
    secretaries = in_office.filter(pl.col("place") == 0).select(
        "organization_id",
        member_id="id",
        post=pl.lit("secretary"),
        started_on=pl.lit(None, pl.Date),
        ended_on=pl.when(vacancy).then(today - pl.duration(days=whole(141, 3, 150, "number"))),
    )
    seats = 2 + (pl.col("size") > 15) + (pl.col("size") > 20)
    missing = (chance(142, "number") < 0.03 + 0.2 * (1 - quality) ** 2).cast(pl.Int64)
    committee = in_office.filter(
        ~pl.col("is_new") & pl.col("has_committee") & (pl.col("place") >= 1) & (pl.col("place") <= seats - missing)
    ).select(
        "organization_id",
        member_id="id",
        post=(pl.col("place") - 1).replace_strict(range(4), COMMITTEE_SEATS, return_dtype=pl.String),
        started_on=pl.lit(None, pl.Date),
        ended_on=pl.lit(None, pl.Date),
    )
    leaders = (
        in_office.filter(pl.col("group_id").is_not_null() & (pl.col("place") > 4) & ~pl.col("is_new"))
        .group_by("group_id", maintain_order=True)
        .first()
        .select(
            organization_id="group_id",
            member_id="id",
            post=pl.lit("group_leader"),
            started_on=pl.lit(None, pl.Date),
            ended_on=pl.lit(None, pl.Date),
        )
    )
    upper = (
        tree.organizations.filter(pl.col("tier").is_in(["city", "district", "street"]))
        .with_columns(post=pl.lit(["secretary", "deputy_secretary", "organization", "publicity", "discipline"]))
        .explode("post")
        .select(
            organization_id="id",
            member_id=pl.lit(None, pl.Int64),
            post="post",
            started_on=pl.lit(None, pl.Date),
            ended_on=pl.lit(None, pl.Date),
        )
    )
    terms = tree.organizations.select(organization_id="id", term_began="elected_on", founded="founded_on")
    return (
        pl.concat([secretaries, committee, leaders, upper])
        .join(terms, on="organization_id", how="left", maintain_order="left")
        .with_columns(began=pl.coalesce("term_began", "founded"))
        .with_columns(
            started_on=pl.when(pl.col("began") > pl.col("ended_on"))
            .then(pl.col("ended_on") - pl.duration(days=400))
            .otherwise("began")
        )
        .sort("organization_id", maintain_order=True)
        .with_row_index("id", 1)
        .select(
            "id",
            "organization_id",
            "member_id",
            "post",
            "started_on",
            "ended_on",
            code=pl.format("RZ{}", pl.col("id").cast(pl.String).str.zfill(7)),
            accession=pl.lit("elected"),
            is_concurrent=pl.lit(False),
            is_demonstration=pl.lit(True),
        )
    )


def with_posts(people: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """The members with ``party_post``, the highest post that each holds now."""
    own = (
        held.filter(pl.col("ended_on").is_null() & pl.col("member_id").is_not_null())
        .select(
            pl.col("member_id").alias("id"),
            party_post=pl.when(pl.col("post").is_in(["secretary", "deputy_secretary"]))
            .then("post")
            .when(pl.col("post") == "group_leader")
            .then(pl.lit("none"))
            .otherwise(pl.lit("committee")),
        )
        .unique("id", keep="first", maintain_order=True)
    )
    return people.join(own, on="id", how="left", maintain_order="left").with_columns(
        pl.col("party_post").fill_null("none")
    )
