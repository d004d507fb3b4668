"""Demonstration resources, demands, matches and projects: neighbours within a street find each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from .noise import chance, one_of, whole
from .organizations import Tree

CATEGORIES = ["venue", "teaching", "health", "culture", "law", "care", "youth", "volunteers"]
RESOURCES = {
    "venue": "党群服务站会议室",
    "teaching": "政策理论宣讲师资",
    "health": "家庭医生健康义诊",
    "culture": "文体活动指导",
    "law": "公益法律咨询",
    "care": "助老服务队上门服务",
    "youth": "青少年课后辅导",
    "volunteers": "志愿者队伍支援",
}
DEMANDS = {
    "venue": "需要能开会议的场地",
    "teaching": "需要政策理论宣讲",
    "health": "希望开展健康义诊",
    "culture": "希望有人指导文体活动",
    "law": "需要法律咨询服务",
    "care": "独居老人上门服务",
    "youth": "青少年暑期课后辅导",
    "volunteers": "大型活动志愿者支援",
}
MATCHES_OF_A_DEMAND = 2
# The parts of a score: salt, lowest and highest value; neighbours of one street are near by definition.
PARTS = {"text": (508, 15, 70), "time": (509, 55, 100), "capacity": (510, 50, 100)}


@dataclass
class Partnership:
    """Frames as the tables hold them."""

    resources: pl.DataFrame
    demands: pl.DataFrame
    matches: pl.DataFrame
    projects: pl.DataFrame


def partnership(tree: Tree, as_of: date) -> Partnership:
    """What branches offer and ask for, and what came of it."""
    branches = tree.branches.select("id", "quality").join(
        tree.organizations.select("id", "parent_id", "division_code"), on="id", how="left"
    )
    resources = _offers(branches, as_of, 500, 0.5, RESOURCES, 200, "ZY").rename({"people": "capacity"})
    demands = _offers(branches, as_of, 520, 0.55, DEMANDS, 90, "XQ")
    matches = _matches(demands, resources, as_of)
    projects = _projects(matches, as_of)
    demands = _settled(demands, matches, projects)
    drop = ["quality", "parent_id"]
    return Partnership(
        resources.rename({"begins": "available_from", "ends": "available_until"}).drop(drop),
        demands.rename({"begins": "needed_from", "ends": "needed_until"}).drop(drop),
        matches,
        projects,
    )


def numbered(frame: pl.DataFrame, prefix: str) -> pl.DataFrame:
    return frame.with_row_index("id", 1).with_columns(
        pl.col("id").cast(pl.Int64), code=pl.format("{}{}", pl.lit(prefix), pl.col("id").cast(pl.String).str.zfill(6))
    )


def _offers(
    branches: pl.DataFrame, as_of: date, salt: int, share: float, titles: dict[str, str], oldest: int, prefix: str
) -> pl.DataFrame:
    """What resources and demands have in common; most are published within the street."""
    state = chance(salt + 1, "organization_id")
    rows = branches.rename({"id": "organization_id"}).filter(
        chance(salt, "organization_id") < share * (0.5 + 0.5 * pl.col("quality"))
    )
    rows = rows.with_columns(
        category=one_of(salt + 2, CATEGORIES, "organization_id"),
        published_on=pl.when(state > 0.08).then(
            pl.lit(as_of) - pl.duration(days=whole(salt + 3, 3, oldest, "organization_id"))
        ),
        status=pl.when(state <= 0.08)
        .then(pl.lit("draft"))
        .when(state > 0.95)
        .then(pl.lit("withdrawn"))
        .otherwise(pl.lit("open")),
    )
    rows = rows.with_columns(
        title=pl.col("category").replace_strict(titles, return_dtype=pl.String),
        area_id=pl.when(pl.col("status") == "open").then("parent_id"),
        audience=one_of(salt + 4, ["everyone", "everyone", "elderly", "children", "members"], "organization_id"),
        people=whole(salt + 5, 2, 10, "organization_id") * 10,
        begins="published_on",
        ends=pl.col("published_on") + pl.duration(days=360),
        weekdays=one_of(salt + 6, ["12345", "67", "1234567"], "organization_id"),
        is_demonstration=pl.lit(True),
    )
    return numbered(rows.sort("organization_id"), prefix)


def _matches(demands: pl.DataFrame, resources: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Resources of the same street and category; what good branches are offered they take up."""
    wanted = demands.filter(pl.col("status") == "open").select(
        "organization_id", "parent_id", "category", "quality", demand_id="id", wanted="title", wanted_on="published_on"
    )
    offered = resources.filter(pl.col("status") == "open").select(
        "parent_id", "category", provider_id="organization_id", resource_id="id", offered="title", on="published_on"
    )
    keys = ("demand_id", "resource_id")
    pairs = wanted.join(offered, on=["parent_id", "category"]).filter(
        pl.col("organization_id") != pl.col("provider_id")
    )
    pairs = pairs.with_columns(
        *(
            (whole(salt, low, high, *keys).cast(pl.Float64)).alias(f"by_{part}")
            for part, (salt, low, high) in PARTS.items()
        ),
        by_category=pl.lit(100.0),
        by_distance=pl.lit(80.0),
        suggested_on=pl.max_horizontal("wanted_on", "on"),
    )
    pairs = pairs.with_columns(
        score=(35 + 0.25 * pl.col("by_text") + 16 + 0.1 * pl.col("by_time") + 0.1 * pl.col("by_capacity")).round(2)
    )
    place = pl.struct(-pl.col("score"), pl.col("resource_id")).rank("ordinal").over("demand_id")
    luck = chance(511, "demand_id")
    chosen = pairs.with_columns(place=place).filter(pl.col("place") <= MATCHES_OF_A_DEMAND)
    chosen = chosen.with_columns(
        state=pl.when((pl.col("place") == 1) & (luck < 0.2 + 0.3 * pl.col("quality")))
        .then(pl.lit("project"))
        .when((pl.col("place") == 1) & (luck < 0.3 + 0.4 * pl.col("quality")))
        .then(pl.lit("agreed"))
        .when(luck > 0.92)
        .then(pl.lit("refused"))
        .otherwise(pl.lit("suggested")),
        decided_on=pl.min_horizontal(
            pl.col("suggested_on") + pl.duration(days=whole(512, 1, 20, *keys)), pl.lit(as_of)
        ),
    )
    agreed = pl.when(pl.col("state").is_in(["agreed", "project"])).then("decided_on")
    refused = pl.col("state") == "refused"
    chosen = chosen.with_columns(
        title=pl.format("{} ← {}", "wanted", "offered"),
        demander_agreed_on=agreed,
        provider_agreed_on=agreed,
        agreed_on=agreed,
        refused_on=pl.when(refused).then("decided_on"),
        reason=pl.when(refused).then(pl.lit("时间不合适")),
        is_demonstration=pl.lit(True),
    )
    return numbered(chosen.sort("demand_id", "resource_id"), "DJ").drop("place", "parent_id", "category", "quality")


def _projects(matches: pl.DataFrame, as_of: date) -> pl.DataFrame:
    keys = ("demand_id", "resource_id")
    rows = matches.filter(pl.col("state") == "project").with_columns(
        started_on="agreed_on", due_on=pl.col("agreed_on") + pl.duration(days=whole(540, 20, 70, *keys))
    )
    late = pl.duration(days=whole(541, -10, 6, *keys))
    rows = rows.with_columns(ended=pl.max_horizontal(pl.col("due_on") + late, pl.col("started_on")))
    is_done = (pl.col("ended") <= as_of) & (chance(542, *keys) < 0.85)
    rows = rows.with_columns(
        title=pl.format("{}共建项目", "offered"),
        partner_id="provider_id",
        status=pl.when(is_done).then(pl.lit("done")).otherwise(pl.lit("ongoing")),
        ended_on=pl.when(is_done).then("ended"),
        evaluation=pl.when(is_done).then(pl.lit("按计划完成，居民反映良好（演示）")),
        satisfaction=pl.when(is_done).then(whole(543, 3, 5, *keys)),
        is_highlight=is_done & (chance(544, *keys) < 0.06),
        budget=(whole(545, 1, 20, *keys) * 500).cast(pl.Float64),
    ).with_columns(highlight_tier=pl.when("is_highlight").then(pl.lit("street")))
    rows = rows.with_columns(published_on=pl.when("is_highlight").then("ended_on"))
    return numbered(rows.sort("demand_id").drop("id", "code"), "XM")


def _settled(demands: pl.DataFrame, matches: pl.DataFrame, projects: pl.DataFrame) -> pl.DataFrame:
    """Demands with what became of their matches."""
    agreed = matches.filter(pl.col("agreed_on").is_not_null()).select("demand_id", matched_on="agreed_on")
    met = projects.filter(pl.col("status") == "done").select("demand_id", met_on="ended_on")
    rows = demands.join(agreed, left_on="id", right_on="demand_id", how="left", maintain_order="left")
    rows = rows.join(met, left_on="id", right_on="demand_id", how="left", maintain_order="left")
    return rows.with_columns(
        status=pl.when(pl.col("met_on").is_not_null())
        .then(pl.lit("met"))
        .when(pl.col("matched_on").is_not_null())
        .then(pl.lit("matched"))
        .otherwise("status")
    )
