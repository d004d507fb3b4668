"""Demonstration meetings and who came: what each branch ought to hold, less what its profile says it left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from .noise import chance, one_of, whole
from .scales import Scale

# Kind, its number (a key of chance), months in which it is held, how many, and whether attendance is kept by name.
MONTHLY = (("theme_day", 1, True), ("branch_committee", 2, False), ("theory_study", 3, False))
QUARTERLY = (("branch_assembly", 4, True), ("lecture", 5, True))
YEARLY = (("org_life_meeting", 6, 12, True), ("democratic_appraisal", 7, 12, True), ("heart_talk", 8, 6, True))
GROUP_MEETING = ("group_meeting", 9)
BY_NAME = [kind for kind, _, by_name in (*MONTHLY, *QUARTERLY) if by_name] + [kind for kind, *_ in YEARLY]

TOPICS = {
    "theme_day": ["主题党日：社区志愿清洁", "主题党日：重温入党誓词", "主题党日：参观红色场馆", "主题党日：走访慰问"],
    "branch_committee": ["研究支部工作计划", "研究党员发展工作", "研究党费收缴和活动安排"],
    "theory_study": ["学习党章", "学习重要讲话精神", "学习党内法规"],
    "branch_assembly": ["支部党员大会：工作报告", "支部党员大会：讨论发展党员", "支部党员大会：通报党费"],
    "lecture": ["党课：党的光辉历程", "党课：践行群众路线", "党课：严守党的纪律"],
    "org_life_meeting": ["年度组织生活会"],
    "democratic_appraisal": ["民主评议党员"],
    "heart_talk": ["谈心谈话"],
    "group_meeting": ["党小组会：学习讨论", "党小组会：通报情况"],
}


@dataclass
class Gatherings:
    """Frames as the tables hold them."""

    meetings: pl.DataFrame
    attendance: pl.DataFrame


def gatherings(
    scale: Scale, branches: pl.DataFrame, groups: pl.DataFrame, people: pl.DataFrame, as_of: date, first_id: int
) -> Gatherings:
    """The meetings of some branches (and of their groups: ``id``, ``parent_id``) and those who were expected.
    Meetings are numbered from ``first_id``; attendance has no id yet."""
    months = pl.DataFrame({"month": last_months(as_of, scale.months)}).with_row_index("month_number", 1)
    owed = pl.concat(_owed(branches, groups, months), how="diagonal")
    meetings = _held(owed, as_of)
    meetings = meetings.sort("organization_id", "held_on", "kind_number").with_row_index("id", first_id)
    expected = _expected(meetings, people)
    counts = expected.group_by("meeting_id").agg(
        expected=pl.len(),
        attended=(pl.col("status") == "present").sum(),
        on_leave=(pl.col("status") == "leave").sum(),
        absent_count=(pl.col("status") == "absent").sum(),
    )
    meetings = _described(meetings.join(counts, left_on="id", right_on="meeting_id", how="left"), as_of)
    known_from = last_months(as_of, scale.attendance_months)[0]
    by_name = meetings.filter(pl.col("kind").is_in(BY_NAME) & (pl.col("held_on") >= known_from))
    attendance = expected.join(by_name.select(meeting_id="id"), on="meeting_id", how="semi").select(
        "organization_id",
        "meeting_id",
        "member_id",
        "status",
        "held_on",
        is_double=pl.lit(False),
        is_demonstration=pl.lit(True),
    )
    return Gatherings(meetings.drop("scope", "kind_number", "quality", "number", "month_number"), attendance)


def last_months(as_of: date, count: int) -> list[date]:
    """First days of the last ``count`` months, the present one included, oldest first."""
    index = as_of.year * 12 + as_of.month - 1
    return [date(month // 12, month % 12 + 1, 1) for month in range(index - count + 1, index + 1)]


def _owed(branches: pl.DataFrame, groups: pl.DataFrame, months: pl.DataFrame) -> list[pl.DataFrame]:
    """What is to be held: organization, scope of those expected, kind, month."""
    known = branches.select(
        "number", "quality", "lag", "has_committee", "founded_on", organization_id="id", scope=pl.lit("branch")
    )
    calendar = known.join(months, how="cross")
    month = pl.col("month").dt.month()
    owed = []

    def add(rows: pl.DataFrame, kind: str, kind_number: int) -> None:
        owed.append(rows.with_columns(kind=pl.lit(kind), kind_number=pl.lit(kind_number)))

    for kind, kind_number, _ in MONTHLY:
        rows = calendar
        if kind == "branch_committee":
            rows = calendar.filter("has_committee").with_columns(scope=pl.lit("committee"))
        add(rows, kind, kind_number)
    for kind, kind_number, _ in QUARTERLY:
        # In the first or second month of the quarter, so that the present quarter's is mostly held by now.
        chosen = whole(200 + kind_number, 0, 1, "number", (pl.col("month_number") + 2) // 3)
        add(calendar.filter((month - 1) % 3 == chosen), kind, kind_number)
    for kind, kind_number, due_month, _ in YEARLY:
        add(calendar.filter(month == due_month), kind, kind_number)
    if groups.height:
        of_groups = groups.select(group_id="id", organization_id="parent_id").join(calendar, on="organization_id")
        kind, kind_number = GROUP_MEETING
        add(
            of_groups.with_columns(number=pl.col("group_id"), organization_id="group_id", scope=pl.lit("group")).drop(
                "group_id"
            ),
            kind,
            kind_number,
        )
    return owed


def _held(owed: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Those that were held until ``as_of``, with their day."""
    keys = ("number", "month_number", "kind_number")
    held = 1 - 0.85 * (1 - pl.col("quality")) ** 2
    last = pl.lit(as_of).dt.month_start().dt.offset_by(pl.format("-{}mo", "lag"))
    return owed.with_columns(
        held_on=pl.col("month") + pl.duration(days=whole(210, 4, 24, *keys)),
    ).filter(
        (pl.col("held_on") <= as_of)
        & (pl.col("held_on") >= pl.col("founded_on"))
        & (chance(211, *keys) < held)
        & ((pl.col("lag") == 0) | (pl.col("month") < last))
    )


def _expected(meetings: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Each member who was expected at each meeting, and whether they came."""
    calls = meetings.select("scope", "organization_id", "held_on", "number", "quality", "kind_number", meeting_id="id")
    present = people.filter(~pl.col("is_lost") & (pl.col("membership_status") != "suspended")).select(
        "joined_on", "left_on", "diligence", "party_post", "is_floating", "group_id", "organization_id", member_id="id"
    )
    of_branches = calls.filter(pl.col("scope") != "group").join(present.drop("group_id"), on="organization_id")
    of_branches = of_branches.filter((pl.col("scope") == "branch") | (pl.col("party_post") != "none"))
    of_groups = calls.filter(pl.col("scope") == "group").join(
        present.filter(pl.col("group_id").is_not_null()).rename({"organization_id": "branch_id"}),
        left_on="organization_id",
        right_on="group_id",
    )
    rows = pl.concat(
        [
            of_branches,
            of_groups.with_columns(organization_id="branch_id").select(of_branches.columns),
        ]
    ).filter(
        (pl.col("joined_on") <= pl.col("held_on"))
        & (pl.col("left_on").is_null() | (pl.col("left_on") >= pl.col("held_on")))
    )
    turnout = 1 - 0.5 * (1 - pl.col("quality")) ** 1.3
    likely = (turnout + 0.24 * (pl.col("diligence") - 0.5) - 0.4 * pl.col("is_floating")).clip(0.05, 0.995)
    came = chance(220, "number", "held_on", "kind_number", "member_id")
    return rows.select(
        "organization_id",
        "meeting_id",
        "member_id",
        "held_on",
        status=pl.when(came < likely)
        .then(pl.lit("present"))
        .when(came < likely + (1 - likely) * 0.65)
        .then(pl.lit("leave"))
        .otherwise(pl.lit("absent")),
    ).sort("meeting_id", "member_id")


def _described(meetings: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """All columns of the table. An assembly without a quorum is returned: it has to be held again."""
    keys = ("number", "month_number", "kind_number")
    topic = pl.lit("组织生活")
    for place, (kind, topics) in enumerate(TOPICS.items()):
        topic = pl.when(pl.col("kind") == kind).then(one_of(230 + place, topics, *keys)).otherwise(topic)
    by_secretary = chance(240, *keys) < 0.25 + 0.35 * pl.col("quality")
    is_lecture = pl.col("kind") == "lecture"
    no_quorum = (pl.col("kind") == "branch_assembly") & (pl.col("attended") * 2 <= pl.col("expected"))
    return (
        meetings.filter(pl.col("expected").is_not_null())
        .drop("lag", "has_committee", "founded_on", "month")
        .with_columns(
            code=pl.format("HY{}", pl.col("id").cast(pl.String).str.zfill(8)),
            topic=topic,
            status=pl.when(no_quorum).then(pl.lit("returned")).otherwise(pl.lit("held")),
            reviewed_on=pl.when(
                ~no_quorum & (pl.col("held_on") + pl.duration(days=9) <= as_of) & (chance(241, *keys) < 0.9)
            ).then(pl.col("held_on") + pl.duration(days=whole(242, 1, 9, *keys))),
            held_at=one_of(243, ["09:00", "09:30", "13:30", "14:00", "18:30"], *keys),
            place=one_of(244, ["党群服务站", "支部会议室", "社区活动中心"], *keys),
            host=pl.lit("支部书记"),
            recorder=pl.lit("组织委员"),
            lecturer=pl.when(is_lecture).then(pl.lit("演示授课人")),
            lecturer_post=pl.when(is_lecture & by_secretary)
            .then(pl.lit("secretary"))
            .when(is_lecture)
            .then(one_of(245, ["committee", "member", "superior", "expert"], *keys)),
            is_double=pl.lit(False),
            is_demonstration=pl.lit(True),
        )
    )
