"""Demonstration visits, tasks with their reports, and assessments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from .noise import chance, one_of, whole
from .organizations import Tree
from .partnership import numbered

VISITS_OF_A_BRANCH = 4
ISSUES = ("楼道堆物影响通行", "独居老人需要定期探望", "小区停车矛盾", "路灯损坏", "咨询就业补贴政策")
CATEGORIES = ("environment", "livelihood", "dispute", "safety", "policy")
DISTRICT_TASKS = ("报送党建工作要点落实情况", "开展安全隐患排查", "报送年度统计数据")
STREET_TASKS = ("报送主题教育开展情况", "走访困难党员", "组织志愿服务活动", "报送换届准备情况", "整改党费收缴问题")
SCHEME = "基层党建工作年度考核"


def visits(tree: Tree, as_of: date) -> pl.DataFrame:
    """A few of each branch; about half raised an issue, and most issues are settled."""
    keys = ("organization_id", "number")
    rows = (
        tree.branches.select("quality", organization_id="id")
        .join(pl.DataFrame({"number": list(range(VISITS_OF_A_BRANCH))}), how="cross")
        .filter(chance(600, *keys) < 0.35 + 0.6 * pl.col("quality"))
        .with_columns(
            visited_on=pl.lit(as_of) - pl.duration(days=whole(601, 0, 300, *keys)),
            has_issue=chance(602, *keys) < 0.5,
            kind=whole(603, 0, len(ISSUES) - 1, *keys),
        )
        .with_columns(
            due_on=pl.when("has_issue").then(pl.col("visited_on") + pl.duration(days=15)),
            handled_on=pl.col("visited_on") + pl.duration(days=whole(604, 1, 16, *keys)),
        )
        .with_columns(closed_on=pl.col("handled_on") + pl.duration(days=whole(605, 0, 4, *keys)))
    )
    works = chance(606, *keys) < 0.72 + 0.27 * pl.col("quality")
    is_closed = pl.col("has_issue") & works & (pl.col("closed_on") <= as_of)
    is_handled = pl.col("has_issue") & works & (pl.col("handled_on") <= as_of)
    kinds = list(range(len(ISSUES)))
    rows = rows.with_columns(
        household=pl.format(
            "{}号楼{}0{}室", whole(607, 1, 30, *keys), whole(608, 1, 6, *keys), whole(609, 1, 4, *keys)
        ),
        visitor=pl.lit("演示走访人"),
        mode=one_of(610, ["home", "home", "home", "telephone"], *keys),
        issue=pl.when("has_issue").then(pl.col("kind").replace_strict(kinds, list(ISSUES), return_dtype=pl.String)),
        category=pl.when("has_issue").then(
            pl.col("kind").replace_strict(kinds, list(CATEGORIES), return_dtype=pl.String)
        ),
        urgency=pl.when("has_issue").then(pl.lit("normal")),
        status=pl.when(~pl.col("has_issue"))
        .then(pl.lit("recorded"))
        .when(is_closed)
        .then(pl.lit("closed"))
        .when(is_handled)
        .then(pl.lit("handled"))
        .otherwise(pl.lit("pending")),
        handled_by=pl.when("has_issue").then(pl.lit("居民区工作站")),
        outcome=pl.when(is_handled).then(pl.lit("已协调解决（演示）")),
        satisfaction=pl.when(is_closed).then(whole(611, 3, 5, *keys)),
        is_demonstration=pl.lit(True),
    )
    rows = rows.with_columns(
        handled_on=pl.when(is_handled).then("handled_on"), closed_on=pl.when(is_closed).then("closed_on")
    ).rename({"mode": "visit_mode"})
    return numbered(rows.sort("organization_id", "visited_on", "number").drop("number"), "ZF")


@dataclass
class Tasks:
    tasks: pl.DataFrame
    reports: pl.DataFrame


def tasks(tree: Tree, as_of: date) -> Tasks:
    """What districts ask of streets and streets of branches this year, and how far it is done."""
    rows = []
    first = date(as_of.year, 1, 8)
    for tier, titles in (("district", DISTRICT_TASKS), ("street", STREET_TASKS)):
        issuers = tree.organizations.filter(pl.col("tier") == tier)["id"]
        for number, title in enumerate(titles):
            issued = first + timedelta(days=number * 62 + (11 if tier == "street" else 0))
            if issued <= as_of:
                rows += [(issuer, tier, title, issued, number) for issuer in issuers]
    frame = pl.DataFrame(rows, schema=["organization_id", "tier", "title", "issued_on", "number"], orient="row")
    frame = numbered(
        frame.with_columns(
            pl.col("organization_id").cast(pl.Int64),
            pl.col("issued_on").cast(pl.Date),
            kind=pl.when(pl.col("number") == 1).then(pl.lit("key")).otherwise(pl.lit("routine")),
            sign_by=pl.col("issued_on").cast(pl.Date) + pl.duration(days=3),
            due_on=pl.col("issued_on").cast(pl.Date) + pl.duration(days=35),
            targets=pl.lit("children"),
            requirements=pl.lit("请按要求完成并反馈办理情况（演示）"),
            needs_feedback=pl.lit(True),
            is_demonstration=pl.lit(True),
        ).sort("issued_on", "organization_id"),
        "RW",
    )
    reports = _reports(tree, frame, as_of)
    owed = reports.group_by("task_id").agg(
        reports_due=pl.len(), is_done=(pl.col("status") == "done").all(), last=pl.col("reviewed_on").max()
    )
    frame = frame.join(owed, left_on="id", right_on="task_id", how="left", maintain_order="left").with_columns(
        status=pl.when("is_done").then(pl.lit("closed")).otherwise(pl.lit("issued")),
        closed_on=pl.when("is_done").then("last"),
    )
    return Tasks(frame.drop("number", "is_done", "last"), reports)


def _reports(tree: Tree, given: pl.DataFrame, as_of: date) -> pl.DataFrame:
    below = tree.organizations.filter(
        pl.col("tier").is_in(["street", "branch"]) & (pl.col("status").fill_null("active") == "active")
    ).select("parent_id", organization_id="id")
    qualities = tree.branches.select("quality", organization_id="id")
    keys = ("task_id", "organization_id")
    rows = (
        given.select("title", "issued_on", "sign_by", "due_on", task_id="id", issuer_id="organization_id")
        .join(below, left_on="issuer_id", right_on="parent_id")
        .join(qualities, on="organization_id", how="left")
        .with_columns(pl.col("quality").fill_null(0.9))
        .with_columns(
            signed=pl.col("issued_on")
            + pl.duration(
                days=pl.when(chance(620, *keys) < 0.55 + 0.45 * pl.col("quality"))
                .then(whole(621, 0, 3, *keys))
                .otherwise(whole(622, 4, 12, *keys))
            ),
            diligent=chance(623, *keys) < 0.8 + 0.2 * pl.col("quality"),
        )
        .with_columns(reported=pl.col("signed") + pl.duration(days=whole(624, 5, 24, *keys)))
        .with_columns(reviewed=pl.col("reported") + pl.duration(days=whole(625, 0, 5, *keys)))
    )
    is_signed = pl.col("signed") <= as_of
    is_reported = pl.col("diligent") & (pl.col("reported") <= as_of)
    is_done = pl.col("diligent") & (pl.col("reviewed") <= as_of)
    rows = rows.with_columns(
        status=pl.when(is_done)
        .then(pl.lit("done"))
        .when(is_reported)
        .then(pl.lit("submitted"))
        .when(is_signed)
        .then(pl.lit("in_progress"))
        .otherwise(pl.lit("to_sign")),
        signed_on=pl.when(is_signed).then("signed"),
        signed_by=pl.when(is_signed).then(pl.lit("组织委员")),
        reported_on=pl.when(is_reported).then("reported"),
        report=pl.when(is_reported).then(pl.lit("已按要求完成（演示）")),
        reviewed_on=pl.when(is_done).then("reviewed"),
        return_count=pl.lit(0),
        is_demonstration=pl.lit(True),
    )
    is_overdue = pl.col("status").is_in(["to_sign", "in_progress"]) & (pl.col("due_on") < as_of)
    rows = rows.with_columns(overdue_on=pl.when(is_overdue).then(pl.col("due_on") + pl.duration(days=1)))
    return numbered(rows.sort("task_id", "organization_id"), "BL")


def assessments(tree: Tree, as_of: date) -> pl.DataFrame:
    """The last finished year's of each branch by its street, and this year's, to which reports are still owed."""
    year = (as_of - timedelta(days=60)).year
    branches = tree.branches.select("quality", organization_id="id").join(
        tree.organizations.select(organization_id="id", assessor_id="parent_id"), on="organization_id", how="left"
    )

    def scored(salt: int, low: int) -> pl.Expr:
        return (low + 14 * pl.col("quality") + 6 * chance(salt, "organization_id")).round(1)

    last = branches.with_columns(
        period_code=pl.lit(str(year - 1)),
        status=pl.lit("final"),
        report_by=pl.lit(date(year - 1, 12, 20)),
        reported_on=pl.lit(date(year - 1, 12, 15)),
        self_report=pl.lit("年度工作自评（演示）"),
        self_score=scored(640, 80),
        peer_score=scored(641, 76),
        superior_score=scored(642, 74),
        objection_from=pl.lit(date(year, 1, 12)),
        objection_until=pl.lit(date(year, 1, 19)),
        decided_on=pl.lit(date(year, 1, 20)),
    )
    final = (10 * pl.col("self_score") + 70 * pl.col("peer_score") + 20 * pl.col("superior_score")) / 100
    last = last.with_columns(final_score=final.round(2)).with_columns(
        final_rank=pl.col("final_score").rank("min", descending=True).over("assessor_id").cast(pl.Int64)
    )
    now = branches.with_columns(
        period_code=pl.lit(str(year)), status=pl.lit("draft"), report_by=pl.lit(date(year, 12, 20))
    )
    rows = pl.concat([last, now], how="diagonal").with_columns(
        scheme=pl.lit(SCHEME),
        self_weight=pl.lit(10),
        peer_weight=pl.lit(70),
        superior_weight=pl.lit(20),
        is_demonstration=pl.lit(True),
    )
    return numbered(rows.sort("organization_id", "period_code"), "KH")
