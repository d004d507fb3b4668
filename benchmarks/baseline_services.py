"""The baseline's part for development, transfers, wishes and volunteering: what it reads, and the warnings about it."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from .baseline_scores import Dates, Warned
from .baseline_sources import D, Days, F, N, Read, S


def read_records(read: Read, days: Days) -> dict[str, pl.DataFrame]:
    """The records that warnings are about, by entity, with what they need of other tables."""
    today = days.today
    case_days = ("applied_on", "talked_on", "activist_on", "prereview_on", "accepted_on", "approved_on", "oath_on")
    case_days += ("probation_extended_to", "regular_voted_on", "regularized_on", "ended_on")
    wish_days = ("submitted_on", "published_on", "claimed_on", "expected_by", "realised_on")
    common = {"id": N, "organization_id": N, "member_id": N}
    return {
        "case": read(
            f"""
            SELECT c.id, c.organization_id, c.member_id, c.stage, {", ".join(f"c.{name}" for name in case_days)},
                   MAX(r.reviewed_on)
            FROM bc_development_case c LEFT JOIN bc_development_review r
              ON r.case_id = c.id AND r.kind = 'activist' AND r.reviewed_on <= '{today}'
            GROUP BY c.id, c.organization_id, c.member_id, c.stage, {", ".join(f"c.{name}" for name in case_days)}
            """,
            {**common, "stage": S, **dict.fromkeys(case_days, D), "reviewed_on": D},
        ),
        "transfer": read(
            """
            SELECT id, from_organization_id, member_id, valid_until FROM bc_membership_transfer
            WHERE status IN ('issued', 'expired')
            """,
            {**common, "valid_until": D},
        ),
        "wish": read(
            f"""
            SELECT id, organization_id, status, satisfaction, CASE WHEN has_complaint THEN 1 ELSE 0 END,
                   {", ".join(wish_days)}
            FROM bc_wish WHERE status IN ('submitted', 'published', 'claimed', 'in_progress')
              OR (status = 'realised' AND realised_on >= '{today - timedelta(days=90)}')
            """,
            {"id": N, "organization_id": N, "status": S, "satisfaction": N, "complaint": N}
            | dict.fromkeys(wish_days, D),
        ).with_columns(member_id=pl.lit(None, N)),
        "check_in": read(
            """
            SELECT id, organization_id, member_id, DATE(signed_out_at) FROM bc_check_in WHERE status = 'signed_out'
            """,
            {**common, "signed_out_on": D},
        ),
        "activity": read(
            f"""
            SELECT a.id, a.organization_id, DATE(a.starts_at), a.capacity, COUNT(e.id)
            FROM bc_activity a LEFT JOIN bc_enrolment e ON e.activity_id = a.id
              AND e.status IN ('enrolled', 'attended') AND DATE(e.enrolled_at) <= '{today}'
            WHERE a.status = 'published' AND DATE(a.starts_at) >= '{today}'
            GROUP BY a.id, a.organization_id, a.starts_at, a.capacity
            """,
            {"id": N, "organization_id": N, "starts_on": D, "capacity": N, "enrolled": N},
        ).with_columns(member_id=pl.lit(None, N)),
        "volunteer": read(
            f"""
            SELECT v.id, v.organization_id, v.member_id, COUNT(c.id)
            FROM bc_volunteer v LEFT JOIN bc_check_in c ON c.volunteer_id = v.id
              AND c.sign_in_result IN ('out_of_range', 'by_proxy')
              AND c.held_on BETWEEN '{days.year_ago}' AND '{today}'
            WHERE v.status = 'active' GROUP BY v.id, v.organization_id, v.member_id
            """,
            {**common, "odd": N},
        ),
        "holiday": read("SELECT calendar_day, kind FROM bc_holiday", {"day": D, "kind": S}),
    }


def served_by(read: Read, days: Days, subject: str) -> pl.DataFrame:
    """Hours recognized this year, by ``member`` or ``organization``; missing where there are none."""
    rows = read(
        f"""
        SELECT {subject}_id, SUM(hours), COUNT(hours) FROM bc_check_in
        WHERE {subject}_id IS NOT NULL AND status = 'confirmed' AND held_on BETWEEN '{days.year}' AND '{days.today}'
        GROUP BY {subject}_id
        """,
        {"id": N, "hours": F, "times": N},
    )
    # The mean times the number, as the rules have it: ranks tell apart what a sum would round alike.
    hours = pl.col("hours") / pl.col("times") * pl.col("times")
    return rows.select("id", hours.alias("served_hours"))


def claims_by(read: Read, days: Days, column: str) -> pl.DataFrame:
    """Claims of this year, by ``member_id`` or ``claimer_id``: realised, and due by now."""
    due = (
        "status IN ('realised', 'cancelled', 'expired') OR (status IN ('active', 'contacted', 'delivered') "
        f"AND claimed_on <= '{days.today - timedelta(days=30)}')"
    )
    return read(
        f"""
        SELECT {column}, SUM(CASE WHEN status = 'realised' THEN 1 ELSE 0 END), SUM(CASE WHEN {due} THEN 1 ELSE 0 END)
        FROM bc_wish_claim
        WHERE {column} IS NOT NULL AND claimed_on BETWEEN '{days.year}' AND '{days.today}' GROUP BY {column}
        """,
        {"id": N, "claims_realised": N, "claims": N},
    )


def no_shows_by_member(read: Read, days: Days) -> pl.DataFrame:
    return read(
        f"""
        SELECT member_id, COUNT(*) FROM bc_enrolment
        WHERE member_id IS NOT NULL AND status = 'no_show'
          AND DATE(enrolled_at) BETWEEN '{days.year}' AND '{days.today}'
        GROUP BY member_id
        """,
        {"id": N, "stood_up": N},
    )


def registered_members(read: Read, days: Days) -> pl.DataFrame:
    return read(
        f"""
        SELECT member_id, COUNT(*) FROM bc_volunteer
        WHERE member_id IS NOT NULL AND status = 'active' AND registered_on < '{days.year}' GROUP BY member_id
        """,
        {"id": N, "registered": N},
    )


def warnings(warned: Warned, records: dict[str, pl.DataFrame], members: pl.DataFrame, days: Days) -> None:
    _development(warned, records["case"], days)
    dates, c = Dates(days), pl.col
    left = dates.until("valid_until")
    warned.add("transfer_unreceived", records["transfer"], left, red=left < -30, orange=left <= 0, yellow=left <= 15)
    _wishes(warned, records["wish"], records["holiday"], days)
    waited = dates.since("signed_out_on")
    warned.add("hours_unconfirmed", records["check_in"], waited, red=waited > 15, orange=waited > 7, yellow=waited > 3)
    share, left = c("enrolled") / c("capacity"), dates.until("starts_on")
    few = share < 0.6
    warned.add("enrolment_low", records["activity"], share, orange=(left <= 1) & few, yellow=(left <= 3) & few)
    odd = c("odd")
    warned.add("sign_in_anomalies", records["volunteer"], odd, red=odd >= 5, orange=odd >= 3, yellow=odd >= 1)
    today = (days.today.month, days.today.day)
    own = members.filter(
        c("membership_status").is_in(["normal", "restored"]) & ~c("is_floating") & (c("registered") > 0)
    )
    share = (c("served_hours").fill_null(0.0) + c("volunteer_hours.sum").fill_null(0.0)) / 15
    warned.add(
        "volunteer_hours",
        own,
        share,
        red=pl.lit(days.today == days.year_end) & (share < 1),
        orange=pl.lit(today >= (10, 31)) & (share < 0.7),
        yellow=pl.lit(today >= (6, 30)) & (share < 0.4),
    )


def _development(warned: Warned, cases: pl.DataFrame, days: Days) -> None:
    dates, c = Dates(days), pl.col
    goes_on = c("ended_on").is_null()

    def past(day: str, months: int) -> pl.Expr:
        return c(day).dt.offset_by(f"{months}mo") < days.today

    since = dates.since("applied_on")
    new = cases.filter((c("stage") == "applicant") & c("talked_on").is_null())
    warned.add("talk_overdue", new, since, red=past("applied_on", 1), orange=since > 25, yellow=since >= 20)
    left = dates.until(pl.coalesce("reviewed_on", "activist_on").dt.offset_by("6mo"))
    activists = cases.filter(c("stage") == "activist")
    warned.add("activist_review_overdue", activists, left, red=left < -30, orange=left <= 0, yellow=left <= 15)
    since = dates.since("prereview_on")
    reviewed = cases.filter((c("stage") == "prospect") & c("prereview_on").is_not_null() & c("accepted_on").is_null())
    warned.add("assembly_overdue", reviewed, since, red=past("prereview_on", 1), orange=since > 25, yellow=since >= 20)
    since = dates.since("accepted_on")
    accepted = cases.filter(c("accepted_on").is_not_null() & c("approved_on").is_null() & goes_on)
    warned.add(
        "admission_overdue",
        accepted,
        since,
        red=past("accepted_on", 6),
        orange=past("accepted_on", 3),
        yellow=since >= 60,
    )
    since = dates.since("approved_on")
    approved = cases.filter(c("approved_on").is_not_null() & c("oath_on").is_null() & goes_on)
    warned.add(
        "oath_overdue", approved, since, red=past("approved_on", 2), orange=past("approved_on", 1), yellow=since >= 20
    )
    left = dates.until(pl.coalesce("probation_extended_to", c("accepted_on").dt.offset_by("12mo")))
    probationary = cases.filter((c("stage") == "probationary") & c("regular_voted_on").is_null())
    warned.add("probation_over", probationary, left, red=left < -30, orange=left <= 0, yellow=left <= 30)
    since = dates.since("regular_voted_on")
    voted = cases.filter(c("regular_voted_on").is_not_null() & c("regularized_on").is_null() & goes_on)
    warned.add(
        "regular_approval_overdue",
        voted,
        since,
        red=past("regular_voted_on", 3),
        orange=since >= 80,
        yellow=since >= 60,
    )


def _wishes(warned: Warned, wishes: pl.DataFrame, holidays: pl.DataFrame, days: Days) -> None:
    dates, c = Dates(days), pl.col

    def of(*states: str) -> pl.DataFrame:
        return wishes.filter(c("status").is_in(states))

    kinds = dict(holidays.iter_rows())
    waiting = of("submitted").filter(c("submitted_on").is_not_null())
    waited = [_workdays(day, days.today, kinds) for day in waiting["submitted_on"]]
    waiting, value = waiting.with_columns(pl.Series("waited", waited, N)), c("waited")
    warned.add("wish_review_overdue", waiting, value, red=value > 10, orange=value > 5, yellow=value > 2)
    since = dates.since("published_on")
    warned.add("wish_unclaimed", of("published"), since, red=since > 30, orange=since > 15, yellow=since > 7)
    since = dates.since("claimed_on")
    warned.add("wish_no_contact", of("claimed"), since, red=since > 15, orange=since > 7, yellow=since > 3)
    left = dates.until("expected_by")
    under_way = of("claimed", "in_progress").filter(c("expected_by").is_not_null())
    warned.add("wish_overdue", under_way, left, red=left < -15, orange=left <= 0, yellow=left <= 3)
    told = c("satisfaction")
    warned.add(
        "wish_low_satisfaction", of("realised"), told, red=c("complaint") > 0, orange=told <= 2, yellow=told <= 3
    )


def _workdays(after: date, until: date, kinds: dict[date, str]) -> int:
    """Working days later than ``after`` up to and including ``until``."""
    days = (after + timedelta(days=number) for number in range(1, (until - after).days + 1))
    return sum(kinds[day] == "working_day" if day in kinds else day.weekday() < 5 for day in days)
