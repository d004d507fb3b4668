"""The records as the hand-written baseline reads them: one aggregate query for each source table and kind of subject.

Plain SQL, written for these rules alone, as somebody would who did not need a rule language. SQLite compares dates as
the text it stores, PostgreSQL casts the literals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

OK = "('normal', 'restored')"
GRADED = "('submitted', 'approved')"


@dataclass(frozen=True)
class Days:
    """The dates that the queries and the scores need."""

    today: date

    @property
    def year(self) -> date:
        return self.today.replace(month=1, day=1)

    @property
    def last_year(self) -> date:
        return date(self.today.year - 1, 1, 1)

    @property
    def year_end(self) -> date:
        return date(self.today.year, 12, 31)

    @property
    def quarter(self) -> date:
        return date(self.today.year, (self.today.month - 1) // 3 * 3 + 1, 1)

    @property
    def quarter_end(self) -> date:
        following = date(self.today.year + self.today.month // 10, (self.today.month + 2) // 3 * 3 % 12 + 1, 1)
        return following - timedelta(days=1)

    @property
    def year_ago(self) -> date:
        """The day after the same day of the last year: the first of the last twelve months."""
        day = 28 if (self.today.month, self.today.day) == (2, 29) else self.today.day
        return date(self.today.year - 1, self.today.month, day) + timedelta(days=1)

    @property
    def first_month(self) -> str:
        """The first month that began in the last twelve months."""
        first = self.year_ago
        if first.day > 1:
            first = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        return f"{first:%Y-%m}"

    @property
    def elapsed(self) -> float:
        return ((self.today - self.year).days + 1) / ((self.year_end - self.year).days + 1)


Read = Callable[[str, dict[str, object]], pl.DataFrame]
"""Runs a statement; gives its rows in columns of these types."""

N, F, S, D, B = pl.Int64, pl.Float64, pl.String, pl.Date, pl.Boolean


def members(read: Read) -> pl.DataFrame:
    return read(
        """
        SELECT id, code, organization_id, member_type, membership_status, party_post, joined_on, left_on, is_employed,
               is_floating, checked_in_on, is_lost, lost_on, status_since, fee_base_set_on, needs_check
        FROM bc_member
        """,
        {
            "id": N, "code": S, "organization_id": N, "member_type": S, "membership_status": S, "party_post": S,
            "joined_on": D, "left_on": D, "is_employed": B, "is_floating": B, "checked_in_on": D, "is_lost": B,
            "lost_on": D, "status_since": D, "fee_base_set_on": D, "needs_check": B,
        },
    )  # fmt: skip


def organizations(read: Read) -> pl.DataFrame:
    return read(
        """
        SELECT id, code, name, parent_id, path, tier, org_type, unit_type, status, status_since, division_code, uscc,
               founded_on, approval_no, term_no, term_years, elected_on, term_ends_on, extended_to, expires_on,
               rectify_by, phone, address, lng, lat
        FROM bc_organization
        """,
        {
            "id": N, "code": S, "name": S, "parent_id": N, "path": S, "tier": S, "org_type": S, "unit_type": S,
            "status": S, "status_since": D, "division_code": S, "uscc": S, "founded_on": D, "approval_no": S,
            "term_no": N, "term_years": N, "elected_on": D, "term_ends_on": D, "extended_to": D, "expires_on": D,
            "rectify_by": D, "phone": S, "address": S, "lng": F, "lat": F,
        },
    )  # fmt: skip


def study_by_member(read: Read, days: Days) -> pl.DataFrame:
    return read(
        f"""
        SELECT member_id, SUM(CASE WHEN completed_on >= '{days.year}' THEN hours ELSE 0 END),
               SUM(CASE WHEN completed_on < '{days.year}' THEN hours ELSE 0 END)
        FROM bc_study_record WHERE completed_on BETWEEN '{days.last_year}' AND '{days.today}' GROUP BY member_id
        """,
        {"id": N, "hours": F, "hours_last": F},
    )


def courses_due(read: Read) -> pl.DataFrame:
    return read(
        """
        SELECT r.id, r.organization_id, r.member_id, c.due_on
        FROM bc_study_record r JOIN bc_course c ON c.id = r.course_id
        WHERE r.completed_on IS NULL AND c.is_required AND c.status = 'published' AND c.due_on IS NOT NULL
        """,
        {"id": N, "organization_id": N, "member_id": N, "due_on": D},
    )


def attendance_by_member(read: Read, days: Days, dialect: str) -> pl.DataFrame:
    day = "CAST(julianday(a.held_on) AS INTEGER)" if dialect == "sqlite" else "(a.held_on - DATE '2000-01-01')"
    return read(
        f"""
        SELECT member_id,
               SUM(CASE WHEN held = 1 AND held_on >= '{days.year}' THEN 1 ELSE 0 END),
               SUM(CASE WHEN held = 1 AND held_on >= '{days.year}' AND status = 'present' THEN 1 ELSE 0 END),
               SUM(CASE WHEN held = 1 AND held_on >= '{days.year}' AND status = 'absent' THEN 1 ELSE 0 END),
               MAX(CASE WHEN status = 'present' THEN held_on END),
               MIN(CASE WHEN status = 'absent' THEN held_on END),
               SUM(CASE WHEN held = 1 AND place > COALESCE(last_come, -1) THEN 1 ELSE 0 END)
        FROM (
            SELECT *, MAX(CASE WHEN held = 1 AND status = 'present' THEN place END) OVER (PARTITION BY member_id)
                      AS last_come
            FROM (
                SELECT a.member_id, a.status, a.held_on, CASE WHEN m.status = 'held' THEN 1 ELSE 0 END AS held,
                       CAST({day} AS BIGINT) * 1000000000 + a.id AS place
                FROM bc_attendance a JOIN bc_meeting m ON m.id = a.meeting_id
                WHERE a.status IN ('present', 'absent') AND a.held_on <= '{days.today}'
            ) AS placed
        ) AS followed GROUP BY member_id
        """,
        {"id": N, "called": N, "came": N, "truant": N, "last_present": D, "first_absent": D, "in_a_row": N},
    )


def talks_by_organization(read: Read, days: Days) -> pl.DataFrame:
    return read(
        f"""
        SELECT a.organization_id, COUNT(DISTINCT CASE WHEN a.held_on >= '{days.year}' THEN a.member_id END),
               COUNT(DISTINCT CASE WHEN a.held_on < '{days.year}' THEN a.member_id END)
        FROM bc_attendance a JOIN bc_meeting m ON m.id = a.meeting_id
        WHERE m.kind = 'heart_talk' AND m.status = 'held' AND a.status = 'present'
              AND a.held_on BETWEEN '{days.last_year}' AND '{days.today}'
        GROUP BY a.organization_id
        """,
        {"id": N, "talked": N, "talked_last": N},
    )


def _fees_of(days: Days) -> str:
    due = f"exempt_reason IS NULL AND pay_by < '{days.today}' AND fee_month LIKE '{days.today.year}-%'"
    return f"{due} AND fee_month <= '{days.today:%Y-%m}'"


def fees_by_member(read: Read, days: Days) -> pl.DataFrame:
    unpaid = "due > 0 AND exempt_reason IS NULL AND (paid_on IS NULL OR paid < due)"
    lately = f"paid_on IS NOT NULL AND due > 0 AND fee_month >= '{days.first_month}'"
    deviation = "ABS(CAST(paid AS DOUBLE PRECISION) - due) / CAST(due AS DOUBLE PRECISION)"
    return read(
        f"""
        SELECT member_id, SUM(CASE WHEN {_fees_of(days)} THEN 1 ELSE 0 END),
               SUM(CASE WHEN {_fees_of(days)} AND paid >= due AND paid_on <= pay_by THEN 1 ELSE 0 END),
               SUM(CASE WHEN {unpaid} THEN 1 ELSE 0 END), MIN(CASE WHEN {unpaid} THEN fee_month END),
               SUM(CASE WHEN {lately} THEN 1 ELSE 0 END), MAX(CASE WHEN {lately} THEN {deviation} END)
        FROM bc_fee_payment WHERE fee_month <= '{days.today:%Y-%m}' GROUP BY member_id
        """,
        {
            "id": N, "months_due": N, "in_time": N, "unpaid": N, "oldest": S, "paid_lately": N, "worst": F,
        },
    )  # fmt: skip


def fees_by_organization(read: Read, days: Days) -> pl.DataFrame:
    return read(
        f"""
        SELECT organization_id, COUNT(*), SUM(CASE WHEN paid >= due AND paid_on <= pay_by THEN 1 ELSE 0 END),
               CAST(SUM(due) AS DOUBLE PRECISION), CAST(SUM(paid) AS DOUBLE PRECISION)
        FROM bc_fee_payment WHERE {_fees_of(days)} GROUP BY organization_id
        """,
        {"id": N, "fees_due": N, "fees_in_time": N, "due": F, "paid": F},
    )


def appraisal_by_member(read: Read, days: Days) -> pl.DataFrame:
    return read(
        f"""
        SELECT member_id, grade FROM (
            SELECT member_id, grade, ROW_NUMBER() OVER (PARTITION BY member_id ORDER BY appraised_on DESC, id DESC) AS n
            FROM bc_appraisal
            WHERE status IN {GRADED} AND appraised_on BETWEEN '{days.year_ago}' AND '{days.today}'
        ) AS numbered WHERE n = 1
        """,
        {"id": N, "grade": S},
    )


def appraisal_by_organization(read: Read, days: Days) -> pl.DataFrame:
    def count(condition: str, comparison: str) -> str:
        return f"SUM(CASE WHEN {condition} AND appraised_on {comparison} '{days.year}' THEN 1 ELSE 0 END)"

    conditions = ("grade = 'excellent'", "grade IS NOT NULL", "grade IS NOT NULL AND status = 'approved'")
    columns = [count(condition, comparison) for comparison in (">=", "<") for condition in conditions]
    names = ("excellent", "graded", "approved", "excellent_last", "graded_last", "approved_last")
    return read(
        f"""
        SELECT organization_id, {", ".join(columns)} FROM bc_appraisal
        WHERE status IN {GRADED} AND appraised_on BETWEEN '{days.last_year}' AND '{days.today}'
        GROUP BY organization_id
        """,
        {"id": N, **dict.fromkeys(names, N)},
    )


def observations(read: Read, days: Days, subject: str) -> pl.DataFrame:
    """Sums and numbers of this year's figures, a column each (``<metric>.sum``, ``<metric>.n``)."""
    rows = read(
        f"""
        SELECT {subject}_id, metric, SUM(metric_value), COUNT(metric_value) FROM bc_observation
        WHERE {subject}_id IS NOT NULL AND period_code LIKE '{days.today.year}%' GROUP BY {subject}_id, metric
        """,
        {"id": N, "metric": S, "sum": F, "n": F},
    )
    wide = rows.pivot(on="metric", index="id", values=["sum", "n"], separator=":")
    return wide.rename({name: f"{name.partition(':')[2]}.{name.partition(':')[0]}" for name in wide.columns[1:]})


def reported_last(read: Read, days: Days) -> pl.DataFrame:
    """The latest households, satisfaction (of the last year) and members reported by the tier above."""
    rows = read(
        """
        SELECT organization_id, metric, period_code, id, metric_value FROM bc_observation
        WHERE metric IN ('households', 'satisfaction', 'members_reported_above') AND organization_id IS NOT NULL
        """,
        {"id": N, "metric": S, "period": S, "row": N, "value": F},
    )
    tail = pl.col("period").str.slice(4)
    month = (
        pl.when(tail.str.starts_with("Q"))
        .then((tail.str.slice(1, 1).cast(N, strict=False) - 1) * 3 + 1)
        .when(tail.str.starts_with("H"))
        .then((tail.str.slice(1, 1).cast(N, strict=False) - 1) * 6 + 1)
        .when(tail.str.starts_with("-"))
        .then(tail.str.slice(1, 2).cast(N, strict=False))
        .otherwise(1)
    )
    rows = rows.with_columns(pl.date(pl.col("period").str.slice(0, 4).cast(N), month, 1).alias("day"))
    fresh = (pl.col("metric") != "satisfaction") | (pl.col("day") >= days.year_ago)
    rows = rows.filter((pl.col("day") <= days.today) & fresh).sort("day", "row")
    last = rows.group_by("id", "metric", maintain_order=True).last().pivot(on="metric", index="id", values="value")
    names = ("households", "satisfaction", "members_reported_above")
    return last.with_columns(pl.lit(None, F).alias(name) for name in names if name not in last.columns)


def commendations_by_member(read: Read, days: Days) -> pl.DataFrame:
    current = (
        f"kind = 'punishment' AND (effective_on IS NULL OR effective_on <= '{days.today}') "
        f"AND (expires_on IS NULL OR expires_on >= '{days.today}')"
    )
    return read(
        f"""
        SELECT member_id,
               SUM(CASE WHEN kind = 'commendation' AND issued_on >= '{days.year}' THEN 1 ELSE 0 END),
               SUM(CASE WHEN {current} THEN 1 ELSE 0 END),
               SUM(CASE WHEN {current} AND grade IN ('removed', 'probation', 'expelled') THEN 1 ELSE 0 END)
        FROM bc_commendation
        WHERE member_id IS NOT NULL AND (issued_on IS NULL OR issued_on <= '{days.today}') GROUP BY member_id
        """,
        {"id": N, "honours": N, "punished": N, "crimes": N},
    )


def commendations_by_organization(read: Read, days: Days) -> pl.DataFrame:
    honour = "SUM(CASE WHEN kind = 'commendation' AND tier {} THEN 1 ELSE 0 END)"
    return read(
        f"""
        SELECT organization_id, {honour.format("IN ('city', 'national')")}, {honour.format("= 'district'")},
               {honour.format("= 'street'")}, SUM(CASE WHEN kind = 'fraud' THEN 1 ELSE 0 END),
               SUM(CASE WHEN kind = 'punishment_notice' THEN 1 ELSE 0 END)
        FROM bc_commendation
        WHERE organization_id IS NOT NULL AND issued_on BETWEEN '{days.year}' AND '{days.today}'
        GROUP BY organization_id
        """,
        {"id": N, "high": N, "district": N, "street": N, "frauds": N, "notices": N},
    )


def punishments_open(read: Read) -> pl.DataFrame:
    return read(
        """
        SELECT id, holder_id, member_id, expires_on FROM bc_commendation
        WHERE kind = 'punishment' AND closed_on IS NULL AND expires_on IS NOT NULL
        """,
        {"id": N, "organization_id": N, "member_id": N, "expires_on": D},
    )


def members_by_organization(read: Read, days: Days) -> pl.DataFrame:
    here = (
        f"membership_status IN {OK} AND (joined_on IS NULL OR joined_on <= '{days.today}') "
        f"AND (left_on IS NULL OR left_on >= '{days.today}')"
    )
    filled = " + ".join(
        f"CASE WHEN {name} IS NULL THEN 0 ELSE 1 END"
        for name in ("id_no", "mobile", "education", "birth_date", "joined_on", "ethnicity")
    )
    return read(
        f"""
        SELECT organization_id, SUM(CASE WHEN {here} AND member_type = 'full' THEN 1 ELSE 0 END),
               SUM(CASE WHEN {here} THEN 1 ELSE 0 END),
               SUM(CASE WHEN {here} THEN ({filled}) / CAST(6 AS DOUBLE PRECISION) END),
               MAX(CASE WHEN joined_on <= '{days.today}' THEN joined_on END),
               COUNT(DISTINCT CASE WHEN {here} THEN employer END),
               SUM(CASE WHEN {here} AND joined_on < '{days.year}' THEN 1 ELSE 0 END)
        FROM bc_member GROUP BY organization_id
        """,
        {
            "id": N, "full": N, "members": N, "filled": F, "last_joined": D, "units": N, "members_last": N,
        },
    )  # fmt: skip


def posts_by_organization(read: Read, days: Days) -> pl.DataFrame:
    now = "(ended_on IS NULL OR ended_on >= '" + str(days.today) + "')"
    rank_and_file = "('secretary', 'deputy_secretary', 'group_leader')"
    return read(
        f"""
        SELECT organization_id, COUNT(DISTINCT CASE WHEN post <> 'group_leader' AND {now} THEN member_id END),
               SUM(CASE WHEN post NOT IN {rank_and_file} AND {now} THEN 1 ELSE 0 END),
               SUM(CASE WHEN post = 'secretary' AND {now} THEN 1 ELSE 0 END),
               MAX(CASE WHEN post = 'secretary' THEN ended_on END)
        FROM bc_post WHERE started_on IS NULL OR started_on <= '{days.today}' GROUP BY organization_id
        """,
        {"id": N, "seats": N, "committee_members": N, "secretaries": N, "secretary_left": D},
    )


KINDS = (
    "theory_study", "lecture", "branch_assembly", "branch_committee", "group_meeting", "theme_day",
    "org_life_meeting", "democratic_appraisal",
)  # fmt: skip


def meetings_by_organization(read: Read, days: Days) -> pl.DataFrame:
    """``<kind>`` (this year), ``last.<kind>``, and who came."""
    this_year, quarter = f"held_on >= '{days.year}'", f"held_on >= '{days.quarter}' AND kind <> 'heart_talk'"
    columns = [f"SUM(CASE WHEN kind = '{kind}' AND {this_year} THEN 1 ELSE 0 END)" for kind in KINDS]
    columns += [f"MAX(CASE WHEN kind = '{kind}' THEN held_on END)" for kind in KINDS]
    columns.append(f"SUM(CASE WHEN kind = 'lecture' AND lecturer_post = 'secretary' AND {this_year} THEN 1 ELSE 0 END)")
    for span in (this_year, quarter):
        columns += [
            f"SUM(CASE WHEN expected > 0 AND {span} THEN {name} ELSE 0 END)" for name in ("attended", "expected")
        ]
    return read(
        f"""
        SELECT organization_id, {", ".join(columns)} FROM bc_meeting
        WHERE status = 'held' AND held_on <= '{days.today}' GROUP BY organization_id
        """,
        {
            "id": N,
            **dict.fromkeys(KINDS, N),
            **{f"last.{kind}": D for kind in KINDS},
            **dict.fromkeys(("by_secretary", "attended", "expected", "attended_quarter", "expected_quarter"), N),
        },
    )
