"""Both indices and the warnings on members, organizations, courses and punishments in Polars by hand.

Nothing in here knows of rule files: weights and thresholds are written where they are used. It is for a first
evaluation: no light is in force to recover from, and what holds has held since today.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from .baseline_sources import Days

COMMITTEE_FROM = 7


@dataclass
class Warned:
    """Levels of all warnings, and conditions held since today."""

    levels: list[pl.DataFrame] = field(default_factory=list)
    """``warning, subject_id, organization_id, member_id, path, light, figure``."""
    held: list[tuple[str, str, pl.DataFrame]] = field(default_factory=list)
    """Rule, condition as the engine writes it, and subjects."""

    def add(
        self,
        code: str,
        frame: pl.DataFrame,
        value: pl.Expr,
        missing: pl.Expr | None = None,
        **conditions: pl.Expr,
    ) -> None:
        """``conditions``: by level, worst first; ``missing``: where data are wanting, if that is not said by a value
        or a condition that is null."""
        light = pl.coalesce(
            *(pl.when(condition).then(pl.lit(level)) for level, condition in conditions.items()),
            pl.lit(None, pl.String),
        )
        if missing is None:
            missing = pl.any_horizontal(value.is_null(), *(condition.is_null() for condition in conditions.values()))
        columns = ["organization_id", "member_id", "path"]
        levels = frame.select(
            pl.lit(code).alias("warning"),
            pl.col("id").alias("subject_id"),
            *columns,
            pl.when(light.is_null() & missing).then(pl.lit("no_data")).otherwise(light).alias("light"),
            value.cast(pl.Float64).alias("figure"),
        )
        self.levels.append(levels.filter(pl.col("light").is_not_null()))

    def hold(self, code: str, condition: str, frame: pl.DataFrame) -> None:
        self.held.append((code, condition, frame.select(pl.col("id").alias("subject_id"))))


def ratio(part: pl.Expr | str, whole: pl.Expr | str) -> pl.Expr:
    part, whole = (pl.col(each) if isinstance(each, str) else each for each in (part, whole))
    return pl.when(whole != 0).then(part / whole)


def recorded_and_reported(recorded: pl.Expr, reported: pl.Expr) -> pl.Expr:
    """What is kept here and what is reported from elsewhere; missing where there is neither."""
    return pl.coalesce(reported + recorded, reported, recorded)


def scored(frame: pl.DataFrame, tree: dict[str, dict[str, float] | float], applies: dict[str, pl.Expr]) -> pl.DataFrame:
    """The weighted means of a tree of two levels whose leaves' scores are columns; ``root`` and ``coverage``. A group
    that is a number is a leaf itself."""
    leaves = {code: weight for node, part in tree.items() for code, weight in _leaves(node, part).items()}
    frame = frame.with_columns(pl.col(code).clip(0.0, 100.0) for code in leaves)
    frame = frame.with_columns(
        pl.when(applies.get(code, pl.lit(True))).then(pl.col(code)).alias(code) for code in leaves
    )
    frame = frame.with_columns(_mean(part).alias(node) for node, part in tree.items() if isinstance(part, dict))
    tops = {node: sum(part.values()) if isinstance(part, dict) else part for node, part in tree.items()}
    there = pl.sum_horizontal(weight * pl.col(code).is_not_null() for code, weight in leaves.items())
    due = pl.sum_horizontal(
        weight * applies.get(code, pl.lit(True)).fill_null(False) for code, weight in leaves.items()
    )
    return frame.with_columns(_mean(tops).alias("root"), (there / due).alias("coverage"))


def _leaves(node: str, part: dict[str, float] | float) -> dict[str, float]:
    return part if isinstance(part, dict) else {node: part}


def _mean(weights: dict[str, float]) -> pl.Expr:
    total = pl.sum_horizontal(weight * pl.col(code).is_not_null() for code, weight in weights.items())
    return pl.when(total > 0).then(pl.sum_horizontal(weight * pl.col(code) for code, weight in weights.items()) / total)


LIMITS = ((80, "yellow"), (70, "orange"), (60, "red"))


def finished(
    frame: pl.DataFrame,
    grades: tuple[float, ...],
    peers: pl.Expr,
    limits: tuple[tuple[float, str], ...] = LIMITS,
) -> pl.DataFrame:
    """``order_key``, ``light``, ``grade``, ``peers`` and both ranks of a ``score``."""
    key = (pl.col("score") * 1e9).round().cast(pl.Int64)
    compared = pl.col("score").round(9)
    light = pl.lit("green")
    for limit, name in limits:
        light = pl.when(compared < limit).then(pl.lit(name)).otherwise(light)
    grade = pl.lit(None, pl.Int32)
    for position, start in enumerate(grades):
        grade = pl.when(compared >= start).then(pl.lit(position, pl.Int32)).otherwise(grade)
    rank = pl.col("order_key").rank("min", descending=True).cast(pl.Int32)
    return frame.with_columns(
        key.alias("order_key"),
        pl.when(pl.col("score").is_null()).then(pl.lit("no_data")).otherwise(light).alias("light"),
        grade.alias("grade"),
        peers.alias("peers"),
    ).with_columns(rank.alias("rank"), rank.over("peers").alias("peer_rank"))


class Dates:
    """Differences of dates on one day."""

    def __init__(self, days: Days) -> None:
        self.days, self.today = days, pl.lit(days.today)

    def since(self, day: pl.Expr | str) -> pl.Expr:
        day = pl.col(day) if isinstance(day, str) else day
        return (self.today - day).dt.total_days()

    def until(self, day: pl.Expr | str) -> pl.Expr:
        return -self.since(day)

    def months_since(self, day: pl.Expr) -> pl.Expr:
        today = self.days.today
        months = today.year * 12 + today.month - day.dt.year().cast(pl.Int32) * 12 - day.dt.month()
        last_day = pl.lit(today).dt.month_end().dt.day()
        return months - (pl.min_horizontal(day.dt.day(), last_day) > today.day)

    def periods_since(self, day: pl.Expr, months: int) -> pl.Expr:
        now = (self.days.today.year * 12 + self.days.today.month - 1) // months
        return (now - (day.dt.year().cast(pl.Int32) * 12 + day.dt.month() - 1) // months).clip(0)

    def served(self, since: str) -> pl.Expr:
        days = self.since(pl.coalesce(since, pl.lit(self.days.year)))
        return pl.min_horizontal(pl.lit(self.days.elapsed), days / 365)


def vanguard(members: pl.DataFrame, days: Days) -> pl.DataFrame:
    """先锋力指数 of members with their figures."""
    ok = pl.col("membership_status").is_in(["normal", "restored"])
    frame = members.filter(ok & (pl.col("left_on").is_null() | (pl.col("left_on") >= days.today)))
    leader = pl.col("party_post").is_in(["secretary", "deputy_secretary", "committee"]).fill_null(False)
    frame = frame.with_columns(
        Dates(days).served("joined_on").alias("served"), pl.when(leader).then(56.0).otherwise(32.0).alias("hours_due")
    )

    def target(value: pl.Expr, due: pl.Expr) -> pl.Expr:
        return pl.when(due > 0).then(value / due) * 100

    def mean_times_number(metric: str) -> pl.Expr:
        return ratio(f"{metric}.sum", f"{metric}.n") * pl.col(f"{metric}.n")

    reported = ("no_shows", "complaints", "suggestions_adopted")
    zero = [pl.col(f"{name}.sum").fill_null(0.0) for name in reported]
    lost = (
        2 * pl.col("truant")
        + (pl.col("months_due") - pl.col("in_time"))
        + pl.col("no_shows.sum")
        + pl.col("stood_up")
        + 3 * pl.col("complaints.sum")
        + 10 * pl.col("punished")
    )
    claimed = pl.when(pl.col("claims_realised") > 0).then("claims_realised")
    grades = {"excellent": 100.0, "qualified": 80.0, "basically": 40.0, "unqualified": 0.0}
    frame = frame.with_columns(zero).with_columns(
        target(pl.col("hours"), pl.col("hours_due") * pl.col("served")).alias("study"),
        (ratio("came", "called") * 100).alias("party_life"),
        (ratio("in_time", "months_due") * 100).alias("fees"),
        pl.col("grade").replace_strict(grades, default=None, return_dtype=pl.Float64).alias("appraised"),
        (ratio("tasks_done.sum", "tasks_given.sum") * 100).alias("tasks"),
        (pl.col("checked_in_on").is_not_null() * 100.0).alias("reported"),
        target(
            recorded_and_reported(pl.col("served_hours"), mean_times_number("volunteer_hours")), 30 * pl.col("served")
        ).alias("volunteering"),
        (recorded_and_reported(claimed, mean_times_number("wishes_realised")) / 3 * 100).alias("wishes"),
        (pl.col("honours") * 100.0).alias("honoured"),
        (pl.col("suggestions_adopted.sum") * 100).alias("ideas"),
        ((20 - lost).clip(0) / 20 * 100).alias("discipline"),
    )
    tree = {
        "basic": {"study": 15, "party_life": 20, "fees": 10, "appraised": 5, "tasks": 5, "reported": 5},
        "positive": {"volunteering": 8, "wishes": 6, "honoured": 4, "ideas": 2},
        "discipline": 20,
    }
    applies = {
        "appraised": pl.col("member_type") == "full",
        "reported": pl.col("is_employed"),
        "volunteering": ~pl.col("is_floating"),
    }
    frame = scored(frame, tree, applies)
    own = pl.when(pl.col("coverage") >= 0.3 - 1e-9).then(pl.col("root").clip(0, 100))
    frame = frame.with_columns(
        pl.when(own.is_not_null() & (pl.col("crimes") > 0)).then(0.0).otherwise(own).alias("score")
    )
    peers = pl.concat_str(pl.col("member_type").fill_null(""), pl.col("unit_type").fill_null(""), separator="|")
    return finished(frame, (0, 60, 80, 90), peers)


def member_warnings(warned: Warned, members: pl.DataFrame, days: Days) -> None:
    dates, today = Dates(days), days.today
    frame = members.filter(pl.col("membership_status").is_in(["normal", "restored"]))
    unset = pl.col("fee_base_set_on").is_null() | (pl.col("fee_base_set_on") < days.year)
    since = dates.since(pl.max_horizontal(pl.lit(days.year), pl.coalesce("joined_on", pl.lit(days.year))))
    warned.add("fee_base_unset", frame.filter(unset), since, red=since >= 120, orange=since >= 90, yellow=since >= 60)
    worst = pl.col("worst")
    warned.add("fee_deviation", frame.filter(pl.col("paid_lately") > 0), worst, orange=worst > 0.3, yellow=worst > 0.1)
    check = frame.filter(pl.col("needs_check"))
    warned.hold("information_check", "(needs_check == true)", check)
    warned.add("information_check", check, pl.lit(0), pl.lit(False), yellow=pl.lit(True))
    months = dates.months_since(pl.col("lost_on"))
    lost = frame.filter(pl.col("is_lost"))
    warned.add("lost_contact", lost, months, red=months >= 6, orange=months >= 3, yellow=months >= 1)
    row = pl.col("in_a_row")
    away = dates.months_since(pl.coalesce("last_present", "first_absent"))
    absent = frame.filter(row > 0)
    warned.add("repeated_absence", absent, row, red=away >= 6, orange=away >= 3, yellow=row >= 2)
    oldest = pl.col("oldest_day")
    months = dates.months_since(oldest)
    late = oldest.dt.offset_by("1mo").dt.offset_by("4d") <= today
    unpaid = frame.filter(pl.col("unpaid") > 0).with_columns(
        (pl.col("oldest") + "-01").str.to_date("%Y-%m-%d").alias("oldest_day")
    )
    warned.add("unpaid_fees", unpaid, months, red=months >= 5, orange=months >= 2, yellow=late)

    old = frame.filter((pl.col("joined_on") < days.year).fill_null(True))
    post = pl.col("party_post").is_in(["secretary", "deputy_secretary", "committee"]).fill_null(False)
    before = pl.coalesce(pl.col("joined_on") < days.last_year, pl.lit(True))
    for code, due, who in (("leader_study_hours", 56, post), ("study_hours", 32, ~post)):
        value = pl.col("hours") / due
        missed = pl.lit(today.month == 1) & (pl.col("hours_last") < due) & before
        warned.add(
            code,
            old.filter(who),
            value,
            red=(pl.lit(today == days.year_end) & (value < 1)) | missed,
            orange=pl.lit((today.month, today.day) >= (11, 30)) & (value < 0.8),
            yellow=pl.lit((today.month, today.day) >= (9, 30)) & (value < 0.6),
        )
    left = dates.until(pl.col("status_since").dt.offset_by("24mo"))
    suspended = members.filter(pl.col("membership_status") == "suspended")
    warned.add("suspended_membership", suspended, left, red=left <= 0, orange=left <= 30, yellow=left <= 90)


def record_warnings(warned: Warned, courses: pl.DataFrame, punishments: pl.DataFrame, days: Days) -> None:
    left = Dates(days).until("due_on")
    warned.add("required_course", courses, left, red=left < -15, orange=left <= 0, yellow=left <= 7)
    left = Dates(days).until("expires_on")
    warned.add("punishment_expiry", punishments, left, red=left < -30, orange=left <= 0, yellow=left <= 30)


FILLED = (
    "code", "name", "parent_id", "tier", "org_type", "unit_type", "status", "division_code", "uscc", "founded_on",
    "status_since", "approval_no", "term_no", "term_years", "elected_on", "term_ends_on", "phone", "address", "lng",
    "lat",
)  # fmt: skip


def organization_warnings(warned: Warned, organizations: pl.DataFrame, days: Days) -> None:
    dates, today, c = Dates(days), days.today, pl.col
    active = organizations.filter(c("status") == "active")
    branches = active.filter(c("tier") == "branch")
    manned = branches.filter(c("members") > 0)
    plain = active.filter(c("org_type") == "branch")
    members, full, below, seats = c("members"), c("full"), c("members_below"), c("seats")
    no, held = pl.lit(False), pl.lit(0)

    over = members > 50
    warned.hold("branch_too_large", "(value > 50)", plain.filter(over))
    warned.add("branch_too_large", plain, members, red=members > 60, orange=over, yellow=members >= 46)
    over = below > 100
    general = active.filter(c("org_type") == "general_branch")
    warned.hold("general_branch_too_large", "(value > 100)", general.filter(over))
    warned.add("general_branch_too_large", general, below, no, orange=over, yellow=below >= 90)
    warned.hold("too_few_members", "(full < 3)", plain.filter(full < 3))
    warned.add("too_few_members", plain.filter(full < 3), held, yellow=pl.lit(True))
    due = active.filter(c("org_type").is_in(["branch", "joint_branch"]))
    lacking = due.filter((full >= COMMITTEE_FROM) & (c("committee_members") == 0))
    warned.hold("committee_missing", "((full >= 7) and (committee == 0))", lacking)

    large = c("org_type").is_in(["committee", "general_branch"])
    vacant = pl.when(large).then(5).otherwise(3) - seats
    may = active.filter(large | ((full >= COMMITTEE_FROM) & (seats >= 2)))
    warned.hold("committee_vacancy", "(value >= 1)", may.filter(vacant >= 1))
    warned.add("committee_vacancy", may, vacant, red=seats < 3, orange=vacant >= 2, yellow=vacant >= 1)

    graded = c("graded") > 0
    share = pl.when(graded).then(ratio("excellent", "graded")).otherwise(ratio("excellent_last", "graded_last"))
    approved = pl.when(graded).then("approved").otherwise("approved_last") > 0
    rated = organizations.filter(c("graded") + c("graded_last") > 0)
    warned.add("excellent_share", rated, share, red=(share > 1 / 3) & approved, orange=share > 1 / 3)

    left = dates.until("extended_to")
    warned.add(
        "extension_limit",
        active.filter(c("extended_to").is_not_null()),
        left,
        red=c("extended_to") > c("term_ends_on").dt.offset_by("12mo"),
        orange=left <= 30,
        yellow=left <= 90,
    )
    share = ratio("paid", "due")
    warned.add(
        "fee_collection",
        organizations.filter(c("due") > 0),
        share,
        red=share < 0.8,
        orange=share < 0.9,
        yellow=share < 0.98,
    )
    share = ratio("talked", "members")
    missed = pl.lit(today.month == 1) & (c("talked_last") < c("members_last"))
    warned.add(
        "heart_talks",
        manned,
        share,
        orange=(pl.lit(today == days.year_end) & (share < 1)) | missed,
        yellow=pl.lit(today.month >= 10) & (share < 0.8),
    )
    share = pl.sum_horizontal(c(name).is_not_null() for name in FILLED) / len(FILLED)
    known = active.filter(c("tier").is_in(["branch", "street"]))
    warned.add("incomplete_organization", known, share, red=share < 0.9, orange=share < 0.95, yellow=share < 0.98)
    units = c("units")
    joint = active.filter(c("org_type") == "joint_branch")
    warned.add("joint_branch_units", joint, units, red=units > 8, orange=units > 5, yellow=units >= 5)
    off = ratio((below - c("members_reported_above")).abs(), "members_reported_above")
    reported = active.filter(c("members_reported_above").is_not_null())
    warned.add("member_count_mismatch", reported, off, red=off > 0.05, orange=off > 0.02, yellow=off > 0.005)

    late_month, late_quarter = pl.lit(today.day >= 25), pl.lit((days.quarter_end - today).days <= 20)
    for code, kind, months, who, late, red in (
        ("monthly_committee", "branch_committee", 1, branches.filter(c("committee_members") > 0), late_month, 3),
        ("monthly_group_meeting", "group_meeting", 1, active.filter(c("org_type") == "group"), late_month, 4),
        ("monthly_theme_day", "theme_day", 1, manned, late_month, 3),
        ("quarterly_assembly", "branch_assembly", 3, manned, late_quarter, 3),
        ("quarterly_lecture", "lecture", 3, manned, late_quarter, 3),
    ):
        gone = dates.periods_since(pl.coalesce(f"last.{kind}", "founded_on"), months)
        warned.add(code, who, gone, red=gone >= red, orange=gone >= 2, yellow=(gone >= 1) & late)
    monthday = (today.month, today.day)
    for code, kind in (("yearly_life_meeting", "org_life_meeting"), ("yearly_appraisal", "democratic_appraisal")):
        gone = dates.periods_since(pl.coalesce(c(f"last.{kind}").dt.offset_by("-1mo"), "founded_on"), 12)
        warned.add(
            code,
            manned,
            gone,
            red=((gone >= 2) & pl.lit(monthday >= (1, 31))) | (gone >= 3),
            orange=((gone >= 1) & pl.lit(today == days.year_end)) | (gone >= 2),
            yellow=(gone >= 1) & pl.lit(monthday >= (11, 30)),
        )
    months = dates.months_since(pl.coalesce("last_joined", "founded_on"))
    growing = branches.filter(
        (c("unit_type") != "retired").fill_null(True) & (c("org_type") != "temp_branch").fill_null(True)
    )
    warned.add("no_new_members", growing, months, red=months >= 36, orange=months >= 24, yellow=months >= 12)
    left = dates.until("rectify_by")
    rectifying = organizations.filter(c("status") == "rectifying")
    warned.add("rectification_overdue", rectifying, left, red=left < -30, orange=left <= 0, yellow=left <= 30)
    gone = dates.since(pl.coalesce("secretary_left", "founded_on"))
    without = active.filter((c("org_type") != "group").fill_null(True) & (c("secretaries") == 0))
    warned.add("secretary_vacancy", without, gone, red=gone > 90, orange=gone > 30, yellow=gone > 0)
    left = dates.until("expires_on")
    temporary = active.filter(c("org_type") == "temp_branch")
    warned.add("temporary_branch_expiry", temporary, left, red=left < -60, orange=left <= 0, yellow=left <= 30)
    left = dates.until(pl.coalesce("extended_to", "term_ends_on"))
    others = ["group", "temp_branch", "work_committee", "leading_group"]
    elected = active.filter(~c("org_type").is_in(others).fill_null(False))
    warned.add("term_expiry", elected, left, red=left < 0, orange=left <= 60, yellow=left <= 180)
    share = ratio("attended_quarter", "expected_quarter")
    met = organizations.filter(c("expected_quarter") > 0)
    warned.add("turnout", met, share, red=share < 0.5, orange=share < 0.65, yellow=share < 0.8)


def strength(organizations: pl.DataFrame, days: Days) -> pl.DataFrame:
    """组织力指数 of branches, and of all above them by roll-up. The frame has their figures, with ``vanguard``,
    ``study_rate`` and the numbers of standing warnings."""
    c = pl.col
    judged = (c("tier") == "branch") & (c("status") == "active")
    frame = organizations.with_columns(judged.fill_null(False).alias("judged"))
    frame = frame.with_columns(Dates(days).served("founded_on").alias("served"))
    frame = frame.with_columns(
        (4 * c("served") + 1e-9).floor().alias("quarters"), (12 * c("served") + 1e-9).floor().alias("months")
    )

    def times(kind: str, due: pl.Expr) -> pl.Expr:
        return pl.when(due > 0).then(c(kind) / due) * 100

    def mean_times_number(*metrics: str) -> pl.Expr:
        total = pl.sum_horizontal(f"{metric}.sum" for metric in metrics)
        number = pl.sum_horizontal(f"{metric}.n" for metric in metrics)
        return ratio(total, number) * number

    def added(recorded: str, *metrics: str) -> pl.Expr:
        found = pl.when(c(recorded) > 0).then(recorded)
        return recorded_and_reported(found, mean_times_number(*metrics))

    def both(reported: str, recorded: str, of_reported: str, of_recorded: str) -> pl.Expr:
        part = c(f"{reported}.sum").fill_null(0.0) + c(recorded)
        return ratio(part, c(f"{of_reported}.sum").fill_null(0.0) + c(of_recorded))

    frame = frame.with_columns((c("resources") + c("demands")).alias("listed"))
    share = ratio("attended", "expected")
    hours = recorded_and_reported(c("served_hours"), mean_times_number("volunteer_hours")) / c("members")
    frame = frame.with_columns(
        pl.when(c("judged") & hours.is_finite()).then(hours).alias("hours_each"), share.alias("share")
    )
    wishes_done = c("wishes_realised.sum").fill_null(0.0) + c("claims_realised")
    wishes_due = c("wishes_claimed.sum").fill_null(0.0) + c("claims")
    position = c("hours_each").rank("average").over("unit_type") - 1
    count = c("hours_each").count().over("unit_type")
    turnout = pl.when(c("share").is_null()).then(pl.lit(None, pl.Float64))
    for start, points in ((0.95, 100.0), (0.8, 80.0), (0.65, 60.0), (0.5, 40.0)):
        turnout = turnout.when(c("share") >= start).then(pl.lit(points))
    ends = pl.coalesce("extended_to", "term_ends_on")
    seats_due = pl.when(c("full") >= COMMITTEE_FROM).then(3).otherwise(1)
    frame = frame.with_columns(
        times("theory_study", c("months")).alias("theory"),
        times("lecture", c("quarters")).alias("lectures"),
        (c("by_secretary") * 100.0).alias("secretary_lecture"),
        (both("tasks_signed_in_time", "tasks_signed", "tasks_given", "tasks_due") * 100).alias("task_signing"),
        ((ends >= days.today) * 100.0).alias("term"),
        (c("seats") / seats_due * 100).alias("seats_filled"),
        (((c("full") >= 3) & (c("members") <= 50)) * 100.0).alias("size"),
        (ratio("filled", "members") * 100).alias("information"),
        times("branch_assembly", c("quarters")).alias("assembly"),
        times("branch_committee", c("months")).alias("committee"),
        times("group_meetings", c("groups") * c("months")).alias("group_meeting"),
        times("theme_day", c("months")).alias("theme_days"),
        (((c("org_life_meeting") > 0).cast(pl.Float64) + (c("democratic_appraisal") > 0)) / 2 * 100).alias("yearly"),
        turnout.otherwise(0.0).alias("turnout"),
        (ratio("fees_in_time", "fees_due") * 100).alias("fee_rate"),
        (ratio(wishes_done, wishes_due) * 100).alias("wishes"),
        (ratio(position, count - 1) * 100).alias("volunteering"),
        (ratio(added("visited", "households_visited"), "households") / pl.lit(days.elapsed) * 100).alias("visiting"),
        ((pl.coalesce("surveyed", "satisfaction") - 60) / (95 - 60) * 100).alias("satisfied"),
        (added("listed", "resources_published", "demands_published") / (4 * days.elapsed) * 100).alias("lists"),
        (both("matches_agreed", "demands_matched", "matches_proposed", "demands_due") * 100).alias("match_rate"),
        (both("projects_done", "own_projects_done", "projects_due", "own_projects_due") * 100).alias("project_rate"),
    )
    tree = {
        "leadership": {"theory": 5, "lectures": 4, "secretary_lecture": 2, "task_signing": 4},
        "coverage_power": {"term": 5, "seats_filled": 4, "size": 3, "information": 3},
        "party_life": {
            "assembly": 6, "committee": 5, "group_meeting": 3, "theme_days": 5, "yearly": 3, "turnout": 3,
        },
        "members_power": {"vanguard": 8, "study_rate": 4, "fee_rate": 3},
        "service": {"wishes": 6, "volunteering": 6, "visiting": 4, "satisfied": 4},
        "partnership": {"lists": 3, "match_rate": 4, "project_rate": 3},
    }  # fmt: skip
    applies = {
        "theory": c("months") > 0,
        "lectures": c("quarters") > 0,
        "secretary_lecture": c("quarters") >= 2,
        "seats_filled": c("members") > 0,
        "size": ~c("org_type").is_in(["temp_branch", "group"]).fill_null(False),
        "assembly": c("quarters") > 0,
        "committee": (c("full") >= COMMITTEE_FROM) & (c("months") > 0),
        "group_meeting": (c("groups") > 0) & (c("months") > 0),
        "theme_days": c("months") > 0,
        "yearly": pl.lit(days.elapsed == 1),
    }
    frame = scored(frame, tree, applies)
    bonus = (
        5 * c("high")
        + 3 * c("district")
        + c("street")
        + 2 * (c("highlight_projects.sum").fill_null(0.0) + c("own_highlights"))
    )
    penalty = 2 * c("red") + c("orange") + 0.5 * c("yellow")
    own = (c("root") + bonus.clip(upper_bound=10) - penalty.clip(upper_bound=15)).clip(0, 110)
    frame = frame.with_columns(pl.when(c("judged") & (c("coverage") >= 0.4 - 1e-9)).then(own).alias("own"))
    frame = rolled_up(frame)
    capped = c("judged") & ((c("frauds") > 0) | (c("notices") > 0))
    score = pl.when(capped).then(pl.min_horizontal("rolled", 59.0)).otherwise(c("rolled"))
    frame = frame.with_columns(pl.when(c("rolled").is_not_null()).then(score).alias("score"))
    frame = frame.filter(c("judged") | c("rolled").is_not_null())
    frame = frame.with_columns(pl.when("judged").then("coverage").alias("coverage"))
    return finished(frame, (0, 60, 80, 90), c("unit_type").fill_null(""))


def rolled_up(frame: pl.DataFrame) -> pl.DataFrame:
    """0.3 of one's own score and 0.7 of the children's mean weighted by members, from the deepest level up."""
    frame = frame.with_columns(pl.col("path").str.count_matches("/", literal=True).alias("depth"))
    done: list[pl.DataFrame] = []
    below: pl.DataFrame | None = None
    for depth in sorted(frame["depth"].unique(), reverse=True):
        level = frame.filter(pl.col("depth") == depth).select("id", "parent_id", "own", "members_below")
        if below is None:
            level = level.with_columns(pl.lit(None, pl.Float64).alias("of_children"))
        else:
            weight = pl.col("members_below")
            mean = (pl.col("rolled") * weight).sum() / weight.sum()
            counted = below.filter(pl.col("rolled").is_not_null() & (weight > 0))
            means = counted.group_by("parent_id").agg(mean.alias("of_children")).rename({"parent_id": "id"})
            level = level.join(means, on="id", how="left")
        both = 0.3 * pl.col("own") + 0.7 * pl.col("of_children")
        below = level.with_columns(pl.coalesce(both, "own", "of_children").alias("rolled"))
        done.append(below.select("id", "rolled"))
    return frame.join(pl.concat(done), on="id", how="left")
