"""The demonstration tree: real divisions, with branches named after villages and communities.

Each branch gets a profile (how good, how many members, how late) that all its records follow.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl
from stdnum.cn import uscc

from .noise import chance, whole
from .scales import Scale

MINHANG = (121.38, 31.11)
"""Longitude and latitude, in degrees."""

# Branches beside the residents' own: unit type, organization type, what follows the name of the street or community.
STREET_UNITS = (
    ("school", "branch", "第{n}小学党支部"),
    ("private", "branch", "演示企业{n:03d}党支部"),
    ("social_org", "branch", "演示社会组织{n:03d}党支部"),
    ("hospital", "branch", "社区卫生服务中心第{n}党支部"),
    ("soe", "branch", "演示国企{n:03d}党支部"),
    ("institution", "branch", "社区事务中心第{n}党支部"),
    ("private", "joint_branch", "商务楼宇{n:03d}联合党支部"),
)
COMMUNITY_UNITS = (
    ("community", "branch", "第{n}网格党支部"),
    ("private", "joint_branch", "沿街商铺第{n}联合党支部"),
    ("retired", "branch", "离退休第{n}党支部"),
    ("social_org", "branch", "社团第{n}党支部"),
)


@dataclass
class Tree:
    """The organizations and, for those that keep records, their profiles."""

    organizations: pl.DataFrame
    """Columns as in the table, ids from 1 without gaps, parents before children."""
    branches: pl.DataFrame
    """A row a branch: id, number, street, unit_type, quality, size, has_committee, groups, lag, founded_on."""
    districts: list[int] = field(default_factory=list)


def branch_stem(name: str) -> str:
    """``平阳六村居委会`` → ``平阳六村居民区``, ``东吴村民委员会`` → ``东吴村``."""
    for ending, kept in (("居民委员会", "居民区"), ("居委会", "居民区"), ("村民委员会", "村"), ("村委会", "村")):
        if name.endswith(ending):
            stem = name.removesuffix(ending)
            return stem if stem.endswith(kept) else stem + kept
    return re.sub(r"虚拟社区$", "社区", name)


class _Builder:
    """Collects the rows of the tree from the top down."""

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        self.rows: list[dict] = []
        self.districts: list[int] = []
        self.children: dict[str, list[dict[str, str]]] = {}
        with Path(scale.divisions).open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                self.children.setdefault(row["parent_code"], []).append(row)
        self.streets = 0

    def add(self, parent: dict | None, code: str, name: str, tier: str, org_type: str, unit_type: str, **more) -> dict:
        number = len(self.rows) + 1
        row = {
            "id": number,
            "code": code,
            "name": name,
            "short_name": None,
            "parent_id": parent["id"] if parent else None,
            "path": f"{parent['path'] if parent else '/'}{number}/",
            "tier": tier,
            "org_type": org_type,
            "unit_type": unit_type,
            "division_code": None,
            "street": self.streets,
            **more,
        }
        self.rows.append(row)
        return row

    def build(self) -> list[dict]:
        province = self.children[""][0]
        city = self.add(
            None, "C01", f"中共{province['name']}委员会", "city", "committee", "agency", division_code=province["code"]
        )
        for prefecture in self.children[province["code"]]:
            for division in self.children.get(prefecture["code"], []):
                self.add_district(city, province["name"], division)
        return self.rows

    def add_district(self, city: dict, province: str, division: dict[str, str]) -> None:
        district = self.add(
            city,
            f"{city['code']}D{division['code'][-2:]}",
            f"中共{province}{division['name']}委员会",
            "district",
            "committee",
            "agency",
            division_code=division["code"],
            short_name=f"{division['name']}委",
        )
        self.districts.append(district["id"])
        for position, street in enumerate(self.children.get(division["code"], []), start=1):
            self.streets += 1
            self.add_street(district, street, position)

    def add_street(self, district: dict, division: dict[str, str], position: int) -> None:
        town = division["name"].endswith(("镇", "乡"))
        street = self.add(
            district,
            f"{district['code']}S{position:02d}",
            f"{division['name']}{'党委' if town else '党工委'}",
            "street",
            "committee" if town else "work_committee",
            "street",
            division_code=division["code"],
            short_name=division["name"],
        )
        branches = list(self.branches_of(division))
        for number, (name, org_type, unit_type, code) in enumerate(branches, start=1):
            self.add(street, f"{street['code']}{number:03d}", name, "branch", org_type, unit_type, division_code=code)

    def branches_of(self, division: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
        """Name, organization type, unit type and division code of each branch of a street."""
        yield f"{division['name']}机关党支部", "branch", "agency", division["code"]
        for number in range(self.scale.units_per_street - 1):
            # Each street begins with another field, so that few branches cover all of them.
            unit_type, org_type, pattern = STREET_UNITS[(self.streets + number) % len(STREET_UNITS)]
            name = pattern.format(n=number // len(STREET_UNITS) + 1)
            yield f"{division['name']}{name}", org_type, unit_type, division["code"]
        for community in self.children.get(division["code"], []):
            stem = branch_stem(community["name"])
            unit_type = "village" if stem.endswith("村") else "community"
            yield f"{stem}党支部", "branch", unit_type, community["code"]
            for number in range(self.scale.branches_per_community - 1):
                unit_type, org_type, pattern = COMMUNITY_UNITS[number % len(COMMUNITY_UNITS)]
                name = pattern.format(n=number // len(COMMUNITY_UNITS) + 1)
                yield f"{stem}{name}", org_type, unit_type, community["code"]


def build(scale: Scale, as_of: date) -> Tree:
    """The tree of a scale, as it stands on ``as_of``."""
    builder = _Builder(scale)
    rows = pl.DataFrame(builder.build(), infer_schema_length=None)
    branches = _profiles(rows, scale)
    groups = _groups(rows, branches)
    rows = pl.concat([rows, groups], how="diagonal").join(
        branches.select("id", "quality", "is_dissolved"), on="id", how="left"
    )
    organizations = _described(rows, as_of)
    founded = organizations.select("id", "founded_on")
    branches = branches.filter(~pl.col("is_dissolved")).join(founded, on="id")
    return Tree(organizations, branches, builder.districts)


def _profiles(rows: pl.DataFrame, scale: Scale) -> pl.DataFrame:
    """What each branch is like. ``quality`` is 0 to 1: most streets are good, some branches of each are not."""
    street_quality = 0.62 + 0.33 * chance(1, "street")
    return (
        rows.filter(pl.col("tier") == "branch")
        .with_row_index("number", 1)
        .with_columns(
            pl.col("number").cast(pl.Int64),
            quality=(street_quality + 0.42 * (chance(2, "number") - 0.55)).clip(0.08, 1.0),
            spread=chance(3, "number"),
            oddity=chance(4, "number"),
        )
        .with_columns(is_dissolved=pl.col("oddity") > 0.996)
        .with_columns(
            size=pl.when(pl.col("oddity") < 0.012)
            .then(2)  # fewer full members than a branch needs
            .when(pl.col("oddity") < 0.016)
            .then(52)  # more than a branch should have
            .otherwise((scale.members_per_branch * (0.3 + 2.1 * pl.col("spread") ** 2)).round().clip(3))
            .cast(pl.Int64)
        )
        .with_columns(
            # A branch of fewer than 7 full members has a secretary alone; one in thirty of the others is behind.
            has_committee=(pl.col("size") >= 8) & (chance(5, "number") > 0.03),
            groups=pl.when(pl.col("size") >= scale.groups_from).then(pl.col("size") // 15 + 1).otherwise(0),
            # Months for which a branch that lags has recorded nothing.
            lag=pl.when((pl.col("quality") < 0.55) & (chance(6, "number") < 0.35))
            .then(whole(7, 1, 4, "number"))
            .otherwise(0),
        )
        .select(
            "id", "number", "street", "unit_type", "quality", "size", "has_committee", "groups", "lag", "is_dissolved"
        )
    )


def _groups(rows: pl.DataFrame, branches: pl.DataFrame) -> pl.DataFrame:
    """The Party groups of large branches."""
    parents = branches.filter((pl.col("groups") > 0) & ~pl.col("is_dissolved")).select("id", "groups")
    groups = (
        parents.join(rows.select("id", "code", "path", "unit_type", "street", "division_code"), on="id")
        .sort("id")
        .with_columns(place=pl.int_ranges(1, pl.col("groups") + 1))
        .explode("place")
        .rename({"id": "parent_id"})
        .with_row_index("id", rows.height + 1)
    )
    return groups.select(
        pl.col("id").cast(pl.Int64),
        pl.format("{}G{}", "code", pl.col("place").cast(pl.String).str.zfill(2)).alias("code"),
        pl.format("第{}党小组", "place").alias("name"),
        "parent_id",
        pl.format("{}{}/", "path", "id").alias("path"),
        pl.lit("group").alias("tier"),
        pl.lit("group").alias("org_type"),
        "unit_type",
        "division_code",
        "street",
    )


def _described(rows: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """All columns of the table."""
    today = pl.lit(as_of)
    quality = pl.col("quality").fill_null(0.9)
    days = pl.col("term_years") * 365
    is_group = pl.col("tier") == "group"
    fate = chance(20, "id")
    expired = 0.015 + 0.3 * (1 - quality) ** 2
    since_election = (
        pl.when(fate < expired)
        .then(days + whole(21, 8, 200, "id"))
        .when(fate < expired + 0.08)
        .then(days - whole(22, 5, 175, "id"))
        .otherwise(30 + ((days - 240) * chance(23, "id")).cast(pl.Int64))
    )
    rows = (
        rows.with_columns(
            is_dissolved=pl.col("is_dissolved").fill_null(False),
            # 《关于党的基层组织任期的意见》: five years for committees and in villages and communities, else three.
            term_years=pl.when(
                pl.col("tier").is_in(["city", "district", "street"])
                | pl.col("unit_type").is_in(["village", "community"])
            )
            .then(5)
            .otherwise(3)
            .cast(pl.Int64),
            founded_on=today - pl.duration(days=whole(24, 6 * 365, 30 * 365, "id")),
        )
        .with_columns(elected_on=today - pl.duration(days=since_election))
        .with_columns(term_ends_on=pl.col("elected_on").dt.offset_by(pl.format("{}y", "term_years")))
        .with_columns(is_extended=(pl.col("term_ends_on") < today) & (chance(25, "id") < 0.5) & (quality > 0.5))
    )
    rectifying = (pl.col("quality") < 0.5) & (chance(26, "id") < 0.2) & ~pl.col("is_dissolved")
    since = today - pl.duration(days=whole(27, 30, 300, "id"))
    incomplete = chance(28, "id") < 0.04 + 0.2 * (1 - quality) ** 2
    rows = rows.with_columns(
        status=pl.when("is_dissolved")
        .then(pl.lit("dissolved"))
        .when(rectifying)
        .then(pl.lit("rectifying"))
        .otherwise(pl.lit("active")),
        extended_to=pl.when("is_extended").then(pl.col("term_ends_on").dt.offset_by("9mo")),
        extension_approval=pl.when("is_extended").then(pl.format("演示批〔{}〕{}号", as_of.year, "id")),
        approval_no=pl.format("演示组〔{}〕{}号", pl.col("founded_on").dt.year(), "id"),
        term_no=((today - pl.col("founded_on")).dt.total_days() // days + 1),
        phone=pl.when(~incomplete).then(pl.format("021-{}", pl.col("id") + 54000000)),
        address=pl.when(~incomplete).then(pl.format("演示路{}号", "id")),
        lng=MINHANG[0] + 0.15 * (chance(29, "id") - 0.5),
        lat=MINHANG[1] + 0.2 * (chance(30, "id") - 0.5),
    ).with_columns(
        rectify_by=pl.when(pl.col("status") == "rectifying").then(since.dt.offset_by("8mo")),
        dissolved_on=pl.when(pl.col("status") == "dissolved").then(since),
        status_since=pl.when(pl.col("status") == "active").then(pl.col("founded_on")).otherwise(since),
        is_demonstration=pl.lit(True),
    )
    elected = ["elected_on", "term_ends_on", "extended_to", "extension_approval", "term_no", "term_years"]
    rows = rows.with_columns(pl.when(~is_group).then(pl.col(name)).alias(name) for name in elected)
    codes = [_credit_code(number) for number in rows["id"]]
    return rows.with_columns(uscc=pl.when(~is_group & ~incomplete).then(pl.Series("uscc", codes))).drop(
        "street", "quality", "is_dissolved", "is_extended"
    )


def _credit_code(number: int) -> str:
    """A unified social credit code that is valid in form: a grass-roots body of Minhang, numbered."""
    stem = f"54310112{number:09d}"
    return stem + uscc.calc_check_digit(stem)
