"""Demonstration articles, surveys with their answers, and performance targets whose satisfaction surveys give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from app.domains.performance.checks import attainment

from .noise import chance, one_of, whole
from .organizations import Tree
from .partnership import numbered

ARTICLES = (
    ("notice", "关于做好近期党建重点工作的通知"),
    ("news", "各支部开展主题党日活动"),
    ("experience", "“小板凳”议事会的做法和体会"),
    ("model", "先进基层党组织事迹选登"),
    ("policy", "支部工作条例要点解读"),
)
ANSWERS_OF_A_BRANCH = 3
GOALS = (
    # kind, dimension, title, target, unit, lowest and highest attainment
    ("output", "quantity", "信息化建设计划完成率", 100.0, "%", 86, 104),
    ("output", "quality", "验收合格率", 100.0, "%", 92, 100),
    ("output", "timeliness", "建设及时性", 100.0, "%", 84, 100),
    ("effect", "social", "平台完善率", 100.0, "%", 85, 102),
    ("influence", "facilities", "各项功能建设完成率", 100.0, "%", 88, 100),
    ("influence", "satisfaction", "社会公众满意度", 85.0, "%", 0, 0),
)
COSTS = (("系统建设", "软件开发", 0.5), ("系统建设", "测试和部署", 0.2), ("人员培训", "师资和场地", 0.3))
SAFEGUARDS = (
    ("project", "项目管理办法", "立项评审、过程检查、竣工验收", (True, True, True)),
    ("budget", "预算管理办法", "专款专用，按进度拨付", (True, True, False)),
    ("finance", "财务管理制度", "专账核算，定期审计", (False, True, True)),
)


def articles(tree: Tree, as_of: date) -> pl.DataFrame:
    """Of districts and streets."""
    above = tree.organizations.filter(pl.col("tier").is_in(["district", "street"])).select(organization_id="id")
    keys = ("organization_id", "number")
    rows = above.join(pl.DataFrame({"number": list(range(len(ARTICLES)))}), how="cross").with_columns(
        published_on=pl.lit(as_of) - pl.duration(days=whole(700, 2, 250, *keys)),
        is_draft=(chance(701, *keys) < 0.08),
    )
    numbers = list(range(len(ARTICLES)))
    rows = rows.with_columns(
        title=pl.col("number").replace_strict(numbers, [title for _, title in ARTICLES], return_dtype=pl.String),
        kind=pl.col("number").replace_strict(numbers, [kind for kind, _ in ARTICLES], return_dtype=pl.String),
        status=pl.when("is_draft").then(pl.lit("draft")).otherwise(pl.lit("published")),
        published_on=pl.when(~pl.col("is_draft")).then("published_on"),
        summary=pl.lit("演示文章摘要"),
        article_text=pl.lit("这是一篇用于演示的文章，内容不代表任何单位。"),
        author=pl.lit("演示作者"),
        is_pinned=pl.lit(False),
        is_demonstration=pl.lit(True),
    )
    return numbered(rows.sort("organization_id", "number").drop("number", "is_draft"), "WZ")


@dataclass
class Surveys:
    surveys: pl.DataFrame
    answers: pl.DataFrame


def surveys(tree: Tree, as_of: date) -> Surveys:
    """Each street asks twice: one survey is over, one is open. Branches of quality make for better ratings."""
    streets = tree.organizations.filter(pl.col("tier") == "street").select(organization_id="id")
    rows = streets.join(pl.DataFrame({"number": [0, 1]}), how="cross")
    over, still = (as_of - timedelta(days=75), as_of - timedelta(days=45)), (as_of - timedelta(days=12), as_of)
    is_over = pl.col("number") == 0
    rows = numbered(
        rows.with_columns(
            opens_on=pl.when(is_over).then(pl.lit(over[0])).otherwise(pl.lit(still[0])),
            closes_on=pl.when(is_over).then(pl.lit(over[1])).otherwise(pl.lit(still[1] + timedelta(days=18))),
            title=pl.when(is_over).then(pl.lit("党群服务满意度测评")).otherwise(pl.lit("基层治理意见征集")),
            kind=pl.when(is_over).then(pl.lit("satisfaction")).otherwise(pl.lit("opinion")),
            status=pl.when(is_over).then(pl.lit("closed")).otherwise(pl.lit("open")),
            question=pl.lit("您对所在社区的党群服务是否满意？"),
            further_question=pl.lit("您有什么建议？"),
            is_anonymous=pl.lit(True),
            is_demonstration=pl.lit(True),
        ).sort("organization_id", "number"),
        "WJ",
    ).with_columns(published_on="opens_on")
    answers = _answers(tree, rows, as_of)
    sums = answers.group_by("survey_id").agg(answers=pl.len(), points=pl.col("rating").cast(pl.Int64).sum())
    rows = rows.join(sums, left_on="id", right_on="survey_id", how="left", maintain_order="left").with_columns(
        pl.col("answers", "points").fill_null(0)
    )
    satisfaction = pl.when(pl.col("answers") > 0).then((20 * pl.col("points") / pl.col("answers")).round(2))
    return Surveys(rows.with_columns(satisfaction=satisfaction), answers)


def _answers(tree: Tree, asked: pl.DataFrame, as_of: date) -> pl.DataFrame:
    branches = tree.branches.select("id", "quality").join(
        tree.organizations.select("id", street_id="parent_id"), on="id", how="left"
    )
    keys = ("survey_id", "id", "number")
    rows = (
        asked.select("title", "opens_on", "closes_on", "organization_id", survey_id="id")
        .join(branches, left_on="organization_id", right_on="street_id")
        .join(pl.DataFrame({"number": list(range(ANSWERS_OF_A_BRANCH))}), how="cross")
    )
    luck = chance(711, *keys) + 0.35 * pl.col("quality")
    rows = rows.with_columns(
        answered_on=pl.min_horizontal(pl.col("opens_on") + pl.duration(days=whole(710, 0, 12, *keys)), pl.lit(as_of)),
        rating=pl.when(luck > 0.55)
        .then(pl.lit("5"))
        .when(luck > 0.25)
        .then(pl.lit("4"))
        .when(luck > 0.12)
        .then(pl.lit("3"))
        .otherwise(pl.lit("2")),
        channel=one_of(712, ["online", "online", "paper"], *keys),
        opinion=pl.when(chance(713, *keys) < 0.1).then(pl.lit("希望多组织活动（演示）")),
        is_demonstration=pl.lit(True),
    ).sort("survey_id", "id", "number")
    return numbered(rows.drop("id", "number", "quality", "opens_on", "closes_on"), "DA")


@dataclass
class Performance:
    """Rows of the five tables."""

    targets: pl.DataFrame
    funding: pl.DataFrame
    goals: pl.DataFrame
    costs: pl.DataFrame
    safeguards: pl.DataFrame


def performance(tree: Tree, asked: pl.DataFrame, as_of: date) -> Performance:
    """A project of each street, paid from this year's budget; the satisfaction is that of the street's survey."""
    streets = tree.organizations.filter(pl.col("tier") == "street").select("id")
    streets = streets.with_columns(
        *(whole(730 + n, goal[5], goal[6], "id").alias(f"goal{n}") for n, goal in enumerate(GOALS)),
        budget=whole(720, 20, 90, "id") * 10_000,
        spent=chance(721, "id"),
        behind=pl.when(chance(722, "id") < 0.2).then(28).when(chance(722, "id") < 0.45).then(12).otherwise(0),
    )
    closed = {row["organization_id"]: row for row in asked.filter(pl.col("status") == "closed").iter_rows(named=True)}
    targets, funding, goals, costs, safeguards = [], [], [], [], []
    for number, street in enumerate(streets.sort("id").iter_rows(named=True), start=1):
        own = {"organization_id": street["id"], "target_id": number, "is_demonstration": True}
        budget = Decimal(street["budget"])
        targets.append(_target(number, street, budget, as_of))
        shares = (("own", Decimal("0.7")), ("superior", Decimal("0.3")))
        funding += [own | {"source": source, "amount": budget * share} for source, share in shares]
        goals += [
            own | _goal(goal, street[f"goal{n}"], street["behind"], closed.get(street["id"]), as_of)
            for n, goal in enumerate(GOALS)
        ]
        for content, detail, share in COSTS:
            amount = budget * Decimal(str(share))
            costs.append(own | {"content_item": content, "detail": detail, "unit_price": amount, "quantity": 1.0,
                                "unit_of_measure": "项", "amount": amount, "basis": "市场询价（演示）"})  # fmt: skip
        for area, document, measure, stages in SAFEGUARDS:
            flags = dict(zip(("at_planning", "at_implementation", "at_completion"), stages, strict=True))
            safeguards.append(own | {"area": area, "document_name": document, "measure_taken": measure} | flags)
    frames = [
        _frame(rows, prefix)
        for rows, prefix in ((funding, "ZJLY"), (goals, "JXZB"), (costs, "XMGC"), (safeguards, "ZDBZ"))
    ]
    return Performance(_frame(targets, "JX"), *frames)


def _frame(rows: list[dict], prefix: str) -> pl.DataFrame:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    money = [name for name, kind in frame.schema.items() if kind == pl.Decimal]
    return numbered(frame.with_columns(pl.col(money).cast(pl.Float64)), prefix)


def _target(number: int, street: dict, budget: Decimal, as_of: date) -> dict:
    year = as_of.year
    return {
        "organization_id": street["id"],
        "title": "智慧党建平台建设和运行",
        "category": ("one_off", "recurring", "pilot")[number % 3],
        "budget_year": str(year),
        "status": "approved",
        "started_on": date(year, 1, 1),
        "ended_on": date(year, 12, 31),
        "total_budget": budget,
        "year_budget": budget,
        "spent": Decimal(round(float(budget) * (as_of.timetuple().tm_yday / 365) * (0.7 + 0.35 * street["spent"]))),
        "department": "党建服务中心（演示）",
        "manager_post": "项目负责人",
        "overview": "建设和运行街镇智慧党建平台（演示）。",
        "grounds": "年度工作计划（演示）。",
        "overall_goal": "党建工作数字化，服务党员群众。",
        "year_goal": "按计划完成建设，公众满意度不低于85%。",
        "submitted_on": date(year - 1, 11, 20),
        "approved_on": date(year - 1, 12, 25),
        "is_demonstration": True,
    }


def _goal(goal: tuple, percent: int, behind: int, survey: dict | None, as_of: date) -> dict:
    kind, dimension, title, target, unit, *_ = goal
    actual, measured = target * max(percent - behind, 0) / 100, as_of - timedelta(days=20)
    follows = dimension == "satisfaction" and survey is not None and survey["answers"] > 0
    if follows:
        actual, measured = survey["satisfaction"], survey["closes_on"]
    elif dimension == "satisfaction":
        actual = None
    return {
        "title": title,
        "kind": kind,
        "dimension": dimension,
        "direction": "at_least",
        "target_value": target,
        "unit_of_measure": unit,
        "actual_value": actual,
        "measured_on": None if actual is None else measured,
        "value_source": "survey" if follows else "reported",
        "survey_id": survey["id"] if follows else None,
        "attainment": attainment("at_least", target, actual),
        "remark": "工作计划",
    }
