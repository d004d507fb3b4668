"""Demonstration wishes and volunteering: what branches took on for their residents, and who served how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from .noise import chance, one_of, whole
from .scales import Scale

WISHES = (
    "想要一辆轮椅",
    "想要一台收音机",
    "希望有人帮忙修电灯",
    "希望有人教用手机",
    "想有人陪着聊聊天",
    "想要一个新书包",
    "想学剪纸",
    "希望找一份附近的工作",
    "想要一床厚被子",
    "希望有人陪同就医",
)
KIND_OF_WISH = (
    "goods",
    "goods",
    "service",
    "learning",
    "company",
    "goods",
    "learning",
    "employment",
    "goods",
    "company",
)
WISHERS = ("李阿姨", "王叔叔", "陈奶奶", "张师傅", "小周", "赵阿婆", "小吴同学", "孙老师")
KIND_OF_WISHER = ("elderly", "disabled", "elderly", "low_income", "new_employment", "frail", "child", "member")
ACTIVITIES = (
    "社区清洁志愿行动",
    "文明交通劝导",
    "为老服务进家门",
    "垃圾分类宣传",
    "防诈骗宣传",
    "防汛防台巡查",
    "阅读陪伴小课堂",
    "义诊和健康咨询",
)
KIND_OF_ACTIVITY = (
    "environment",
    "public_order",
    "care",
    "environment",
    "public_order",
    "emergency",
    "education",
    "health",
)
CANCELLED = "临时有事"


@dataclass
class Services:
    """Frames as the tables hold them."""

    wishes: pl.DataFrame
    claims: pl.DataFrame
    volunteers: pl.DataFrame
    activities: pl.DataFrame
    enrolments: pl.DataFrame
    check_ins: pl.DataFrame
    points: pl.DataFrame


def services(
    scale: Scale, branches: pl.DataFrame, streets: pl.DataFrame, people: pl.DataFrame, as_of: date, first: dict
) -> Services:
    """Those of some branches. ``streets``: ``id`` and ``parent_id`` of organizations; ``first``: the number from which
    each table goes on."""
    here = people.filter(pl.col("left_on").is_null() & (pl.col("membership_status") == "normal"))
    wishes = _wishes(branches.join(streets.select("id", circle_id="parent_id"), on="id"), as_of, first["bc_wish"])
    claims = _claims(wishes, here, as_of, first["bc_wish_claim"])
    volunteers = _volunteers(here, as_of, first["bc_volunteer"])
    activities = _activities(scale, branches, as_of, first["bc_activity"])
    enrolments = _enrolments(activities, volunteers, as_of, first["bc_enrolment"])
    check_ins = _check_ins(enrolments, as_of, first["bc_check_in"])
    volunteers = _with_hours(volunteers, check_ins)
    points = _points(claims, wishes, check_ins, people, first["bc_point_entry"])
    marked = pl.lit(True)
    frames = (wishes, claims, volunteers, activities, enrolments, check_ins, points)
    return Services(*[frame.with_columns(is_demonstration=marked) for frame in frames])


def _numbered(frame: pl.DataFrame, first: int, prefix: str) -> pl.DataFrame:
    frame = frame.with_row_index("id", first)
    number = pl.col("id").cast(pl.String).str.zfill(8)
    return frame.with_columns(pl.col("id").cast(pl.Int64), code=pl.format("{}{}", pl.lit(prefix), number))


def _days(salt: int, low: int, high: int, *keys: str) -> pl.Expr:
    return pl.duration(days=whole(salt, low, high, *keys))


def _until(as_of: date, *names: str) -> list[pl.Expr]:
    """Days that lie ahead are not there yet."""
    return [pl.when(pl.col(name) <= as_of).then(pl.col(name)).alias(name) for name in names]


# --- wishes ---


def _wishes(branches: pl.DataFrame, as_of: date, first: int) -> pl.DataFrame:
    """Up to six a branch and year, from every state; good branches see theirs through."""
    keys = ("organization_id", "place")
    theme = whole(501, 0, len(WISHES) - 1, *keys)
    wisher = whole(502, 0, len(WISHERS) - 1, *keys)
    rows = (
        branches.select("quality", "circle_id", "founded_on", organization_id="id")
        .with_columns(place=pl.int_ranges(0, whole(500, 1, 6, "organization_id")))
        .explode("place")
        .with_columns(
            submitted_on=pl.lit(as_of) - _days(503, 0, 340, *keys),
            eager=pl.col("quality") + 0.35 * chance(505, *keys),
        )
        .with_columns(published_on=pl.col("submitted_on") + _days(506, 0, 3, *keys))
        .with_columns(claimed_on=pl.col("published_on") + _days(507, 0, 9, *keys))
        .with_columns(contacted_on=pl.col("claimed_on") + _days(508, 0, 5, *keys))
        .with_columns(delivered_on=pl.col("contacted_on") + _days(509, 1, 20, *keys))
        .with_columns(realised_on=pl.col("delivered_on") + _days(510, 0, 4, *keys))
        # Where nobody is eager a recent wish waits: to be claimed, to be contacted, to be delivered. An older one has
        # gone back to the pool after a claim that nobody followed up, and was taken down.
        .with_columns(
            is_given_up=(pl.col("eager") < 0.7) & (pl.col("submitted_on") < pl.lit(as_of) - pl.duration(days=60)),
            is_claimed=pl.col("eager") > 0.5,
        )
        .with_columns(taken_on=pl.when("is_claimed").then("claimed_on"))
        .with_columns(
            claimed_on=pl.when(pl.col("is_claimed") & ~pl.col("is_given_up")).then("claimed_on"),
            contacted_on=pl.when((pl.col("eager") > 0.55) & ~pl.col("is_given_up")).then("contacted_on"),
            delivered_on=pl.when((pl.col("eager") > 0.65) & ~pl.col("is_given_up")).then("delivered_on"),
            realised_on=pl.when(pl.col("eager") > 0.7).then("realised_on"),
        )
        # A claim without contact for fifteen days has ended.
        .with_columns(
            claimed_on=pl.when(
                pl.col("contacted_on").is_not_null() | (pl.col("claimed_on") > pl.lit(as_of) - pl.duration(days=15))
            ).then("claimed_on")
        )
        .with_columns(
            _until(as_of, "published_on", "claimed_on", "contacted_on", "delivered_on", "realised_on", "taken_on")
        )
    )
    is_minor = wisher == WISHERS.index("小吴同学")
    rows = rows.with_columns(
        title=theme.replace_strict(dict(enumerate(WISHES)), return_dtype=pl.String),
        category=theme.replace_strict(dict(enumerate(KIND_OF_WISH)), return_dtype=pl.String),
        public_name=wisher.replace_strict(dict(enumerate(WISHERS)), return_dtype=pl.String),
        beneficiary_kind=wisher.replace_strict(dict(enumerate(KIND_OF_WISHER)), return_dtype=pl.String),
        is_minor=is_minor,
        guardian_consent=is_minor,
        quantity=pl.lit(1),
        estimated_value=(whole(511, 2, 30, *keys) * 10).cast(pl.Float64),
        amount_cap=pl.lit(500.0),
        expected_by=pl.col("submitted_on") + _days(512, 30, 60, *keys),
        points=pl.lit(10),
        has_complaint=chance(513, *keys) < 0.004,
        satisfaction=pl.when(pl.col("realised_on").is_not_null()).then(
            one_of(514, ["5"] * 12 + ["4"] * 6 + ["3", "2"], *keys).cast(pl.Int64)
        ),
        status=pl.when(pl.col("realised_on").is_not_null())
        .then(pl.lit("realised"))
        .when(pl.col("delivered_on").is_not_null())
        .then(pl.lit("delivered"))
        .when(pl.col("contacted_on").is_not_null())
        .then(pl.lit("in_progress"))
        .when(pl.col("claimed_on").is_not_null())
        .then(pl.lit("claimed"))
        .when("is_given_up")
        .then(pl.lit("withdrawn"))
        .when(pl.col("published_on").is_not_null())
        .then(pl.lit("published"))
        .otherwise(pl.lit("submitted")),
    )
    rows = rows.with_columns(
        closed_reason=pl.when(pl.col("status") == "withdrawn").then(pl.lit("长期无人认领，由社区另行帮助")),
        circle_id=pl.when(pl.col("published_on").is_not_null()).then("circle_id"),
        has_complaint=pl.col("has_complaint") & (pl.col("status") == "realised"),
    )
    return _numbered(rows.sort("organization_id", "place"), first, "XY")


def _claims(wishes: pl.DataFrame, people: pl.DataFrame, as_of: date, first: int) -> pl.DataFrame:
    """By a member of the branch, whose number is drawn anew for each wish."""
    counted = people.sort("organization_id", "id").with_columns(
        turn=pl.int_range(pl.len()).over("organization_id"), among=pl.len().over("organization_id")
    )
    sizes = counted.select("organization_id", "among").unique()
    rows = (
        wishes.filter(pl.col("taken_on").is_not_null())
        .join(sizes, on="organization_id")
        .with_columns(turn=(chance(520, "organization_id", "place") * pl.col("among")).floor().cast(pl.Int64))
        .join(
            counted.select("organization_id", "turn", member_id="id", claimant="name"), on=["organization_id", "turn"]
        )
        .sort("organization_id", "place")
        .with_columns(is_held=pl.col("claimed_on").is_not_null())
    )
    status = pl.when("is_held").then(
        pl.col("status").replace_strict(
            {"claimed": "active", "in_progress": "contacted", "delivered": "delivered", "realised": "realised"},
            default=None,
            return_dtype=pl.String,
        )
    )
    rows = rows.select(
        "organization_id",
        "member_id",
        "claimant",
        "contacted_on",
        "delivered_on",
        "realised_on",
        "satisfaction",
        "points",
        "title",
        claimed_on="taken_on",
        wish_id="id",
        held_wish_id=pl.when("is_held").then("id"),
        claimer_id="organization_id",
        claimant_kind=pl.lit("member"),
        status=status.fill_null("expired"),
        ended_on=pl.when(~pl.col("is_held")).then(
            pl.min_horizontal(pl.col("taken_on") + pl.duration(days=16), pl.lit(as_of))
        ),
        end_reason=pl.when(~pl.col("is_held")).then(pl.lit("认领后 15 天未对接")),
        claim_result=pl.when(pl.col("delivered_on").is_not_null()).then(pl.lit("已送到家中，心愿人当面签收")),
    )
    return _numbered(rows, first, "RL")


# --- volunteering ---


def _volunteers(people: pl.DataFrame, as_of: date, first: int) -> pl.DataFrame:
    """Half of the members, the diligent ones more often."""
    rows = (
        people.filter(chance(530, "id") < 0.3 + 0.45 * pl.col("diligence"))
        .sort("organization_id", "id")
        .select(
            "organization_id",
            "name",
            "birth_date",
            "diligence",
            "quality",
            member_id="id",
            registered_on=pl.max_horizontal(
                pl.lit(as_of) - _days(531, 30, 1800, "id"), pl.col("birth_date").dt.offset_by("18y")
            ),
            skills=one_of(532, ["急救", "法律咨询", "家电维修", "摄影", "外语", "文艺", "心理疏导", "电脑维修"], "id"),
            status=pl.lit("active"),
            guardian_consent=pl.lit(False),
            hours_before=(whole(533, 0, 8, "id") ** 2 * 5).cast(pl.Float64) * (chance(534, "id") < 0.6),
        )
    )
    return _numbered(rows, first, "ZYZ")


def _activities(scale: Scale, branches: pl.DataFrame, as_of: date, first: int) -> pl.DataFrame:
    """Those of a year, evenly spread, fewer in branches that are behind; and one that is open for enrolment."""
    apart = 340 // scale.activities
    shortest = max(2, 40 // scale.activities)
    keys = ("organization_id", "place")
    theme = whole(541, 0, len(ACTIVITIES) - 1, *keys)
    rows = (
        branches.select("quality", "founded_on", organization_id="id")
        .with_columns(
            place=pl.int_ranges(0, 2 + (scale.activities * (0.4 + 0.6 * pl.col("quality"))).round().cast(pl.Int64))
        )
        .explode("place")
        .with_columns(
            held_on=pl.when(pl.col("place") == 0)
            .then(pl.lit(as_of) + _days(542, 1, 20, *keys))
            .otherwise(
                pl.lit(as_of) - pl.duration(days=(pl.col("place") - 1) * apart + whole(543, 2, apart - 2, *keys))
            ),
            length=whole(544, shortest, shortest + 3, *keys),
        )
    )
    begin = pl.col("held_on").cast(pl.Datetime("us")) + pl.duration(
        hours=one_of(545, ["8", "9", "13"], *keys).cast(pl.Int64)
    )
    rows = rows.with_columns(
        title=theme.replace_strict(dict(enumerate(ACTIVITIES)), return_dtype=pl.String),
        category=theme.replace_strict(dict(enumerate(KIND_OF_ACTIVITY)), return_dtype=pl.String),
        status=pl.when(pl.col("place") == 0).then(pl.lit("published")).otherwise(pl.lit("closed")),
        starts_at=begin,
        ends_at=begin + pl.duration(hours=pl.col("length")),
        published_on=pl.min_horizontal(pl.col("held_on") - _days(546, 15, 25, *keys), pl.lit(as_of)),
        capacity=whole(547, 12, 30, *keys),
        minimum_age=pl.lit(18),
        place_name=pl.lit("社区党群服务站"),
        radius_m=pl.lit(500),
        by_location=pl.lit(True),
        by_code=pl.lit(True),
        points=pl.lit(5),
        description=pl.lit("演示活动，请准时到达，服从现场负责人安排。"),
    )
    return _numbered(rows.sort(*keys), first, "HD").rename({"place": "number", "place_name": "place"})


def _enrolments(activities: pl.DataFrame, volunteers: pl.DataFrame, as_of: date, first: int) -> pl.DataFrame:
    """Who put their name down; those beyond the capacity wait, a few withdraw or do not show up."""
    calls = activities.select(
        "organization_id", "held_on", "starts_at", "ends_at", "capacity", "points", "title", activity_status="status",
        activity_id="id", activity_number="number", activity_published_on="published_on",
    )  # fmt: skip
    keys = ("member_id", "activity_number")
    rows = (
        calls.join(
            volunteers.select(
                "organization_id", "name", "member_id", "diligence", "registered_on", "birth_date", volunteer_id="id"
            ),
            on="organization_id",
        )
        .filter(
            (pl.col("registered_on") <= pl.col("activity_published_on"))
            & (chance(550, *keys) < 0.4 + 0.5 * pl.col("diligence"))
        )
        .sort("activity_id", "volunteer_id")
        .with_columns(turn=pl.int_range(1, pl.len() + 1).over("activity_id"), luck=chance(551, *keys))
    )
    is_over = pl.col("activity_status") == "closed"
    rows = rows.with_columns(
        status=pl.when(pl.col("luck") < 0.03)
        .then(pl.lit("cancelled"))
        .when((pl.col("turn") > pl.col("capacity")) & is_over)
        .then(pl.lit("cancelled"))
        .when(pl.col("turn") > pl.col("capacity"))
        .then(pl.lit("waiting"))
        .when(~is_over)
        .then(pl.lit("enrolled"))
        .when(pl.col("luck") > 0.985)
        .then(pl.lit("no_show"))
        .otherwise(pl.lit("attended")),
        enrolled_at=pl.col("activity_published_on").cast(pl.Datetime("us")) + pl.duration(hours=10),
        is_proxy=pl.lit(False),
        organizer_id="organization_id",
        service_role=pl.when(pl.col("turn") == 1).then(pl.lit("leader")).otherwise(pl.lit("volunteer")),
    ).with_columns(
        cancelled_at=pl.when(pl.col("status") == "cancelled").then(pl.col("enrolled_at") + pl.duration(hours=5)),
        reason=pl.when(pl.col("status") == "cancelled").then(pl.lit(CANCELLED)),
    )
    return _numbered(rows, first, "BM")


def _check_ins(enrolments: pl.DataFrame, as_of: date, first: int) -> pl.DataFrame:
    """Of those who came: punctual, mostly in order, and confirmed within days but for what is recent or forgotten."""
    keys = ("member_id", "activity_number")
    rows = (
        enrolments.filter(pl.col("status") == "attended")
        .with_columns(
            signed_in_at=pl.col("starts_at") - pl.duration(minutes=whole(560, 0, 25, *keys)),
            signed_out_at=pl.col("ends_at") + pl.duration(minutes=whole(561, 0, 20, *keys)),
            confirmed_on=pl.col("held_on") + _days(562, 0, 3, *keys),
            luck=chance(563, *keys),
            minutes=((pl.col("ends_at") - pl.col("starts_at")).dt.total_minutes()),
            sign_in_result=pl.when(chance(564, *keys) < 0.008)
            .then(pl.lit("out_of_range"))
            .when(chance(565, *keys) < 0.002)
            .then(pl.lit("by_proxy"))
            .otherwise(pl.lit("valid")),
        )
        .with_columns(is_confirmed=(pl.col("confirmed_on") <= as_of) & (pl.col("luck") > 0.006))
    )
    rows = rows.select(
        "name",
        "activity_id",
        "volunteer_id",
        "organization_id",
        "organizer_id",
        "member_id",
        "held_on",
        "title",
        "signed_in_at",
        "signed_out_at",
        "sign_in_result",
        "minutes",
        enrolment_id="id",
        sign_in_mode=one_of(566, ["location"] * 5 + ["qr_code"] * 3 + ["leader"], *keys),
        distance_m=whole(567, 3, 320, *keys),
        status=pl.when("is_confirmed").then(pl.lit("confirmed")).otherwise(pl.lit("signed_out")),
        hours=pl.when("is_confirmed").then((pl.col("minutes") / 60).round(2)).otherwise(0.0),
        confirmed_on=pl.when("is_confirmed").then("confirmed_on"),
        confirmed_by=pl.when("is_confirmed").then(pl.lit("支部书记")),
        # 1.4 times the points for who leads, half a point up.
        points=pl.when("is_confirmed")
        .then(pl.when(pl.col("service_role") == "leader").then(7).otherwise(pl.col("points")))
        .otherwise(0),
    )
    return _numbered(rows, first, "QD")


def _with_hours(volunteers: pl.DataFrame, check_ins: pl.DataFrame) -> pl.DataFrame:
    """Hours in all, and the star that they have earned."""
    served = check_ins.group_by("volunteer_id").agg(served=pl.col("hours").sum())
    rows = volunteers.join(served, left_on="id", right_on="volunteer_id", how="left", maintain_order="left")
    rows = rows.with_columns(hours_total=(pl.col("hours_before") + pl.col("served").fill_null(0.0)).round(2))
    hours = pl.col("hours_total")
    star = pl.lit("none")
    for word, needed in (("one", 100), ("two", 300), ("three", 600), ("four", 1000), ("five", 1500)):
        star = pl.when(hours >= needed).then(pl.lit(word)).otherwise(star)
    return rows.with_columns(star=star)


# --- points ---


def _points(
    claims: pl.DataFrame, wishes: pl.DataFrame, check_ins: pl.DataFrame, people: pl.DataFrame, first: int
) -> pl.DataFrame:
    """A line for each wish realised and each attendance confirmed, numbered and summed up by member."""
    owners = people.select("organization_id", "name", member_id="id")
    of_wishes = claims.filter(pl.col("status") == "realised").select(
        "member_id",
        refers_to="code",
        remark="title",
        reason_code=pl.lit("wish_realised"),
        delta=pl.col("points").cast(pl.Int64),
        earned_on="realised_on",
        idempotency_key=pl.format("wish_claim:{}", "id"),
    )
    of_service = check_ins.filter(pl.col("status") == "confirmed").select(
        "member_id",
        refers_to="code",
        remark="title",
        reason_code=pl.lit("activity"),
        delta=pl.col("points").cast(pl.Int64),
        earned_on="confirmed_on",
        idempotency_key=pl.format("check_in:{}", "id"),
    )
    rows = (
        pl.concat([of_wishes, of_service])
        .join(owners, on="member_id")
        .sort("organization_id", "member_id", "earned_on", "idempotency_key")
        .with_columns(
            account_key=pl.format("member:{}", "member_id"),
            serial_no=pl.int_range(1, pl.len() + 1).over("member_id"),
            balance=pl.col("delta").cum_sum().over("member_id"),
            recorded_at=pl.col("earned_on").cast(pl.Datetime("us")) + pl.duration(hours=17),
            holder="name",
        )
    )
    return _numbered(rows, first, "JF")
