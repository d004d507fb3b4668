"""The straightforward way: SQLAlchemy objects and a Python loop, one subject after another.

For each subject and each rule the rows are loaded as objects, counted in Python and judged by plain formulas, and the
result is added as an object: both indices and 24 of the warnings, those that read most among them. The other warnings,
the peers' percentiles and the breakdowns, which would make it slower still, are left out. The sample's members' scores
and all its levels are compared with what has been published.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine, func, or_, select
from sqlalchemy.orm import joinedload

from app.access.actor import system_actor
from app.database.session import Session
from app.domains.members.models import Member, Post
from app.domains.observations.models import Observation
from app.domains.organizations.models import Organization
from app.domains.party_life.models import Appraisal, Attendance, Commendation, FeePayment, Meeting, StudyRecord
from app.domains.volunteering.models import CheckIn, Enrolment
from app.domains.wishes.models import WishClaim
from app.evaluation.models import IN_FORCE, Run, Score, WarningState

from .baseline_sources import Days
from .straightforward_warnings import BRANCH_WARNINGS, MEMBER_WARNINGS, OK, levels, rows

SAMPLE_MEMBERS, SAMPLE_ORGANIZATIONS = 150, 60
LEADERS_HOURS = "leader_study_hours"


@dataclass(frozen=True)
class Straightforward:
    """What was measured on a sample, and what all subjects would take."""

    seconds: float
    """All subjects', scaled."""
    members: int
    organizations: int
    deviating: int
    """Members' scores and levels of the sample that are others than the published ones."""


def measure(
    engine: Engine, today: date, members: int = SAMPLE_MEMBERS, organizations: int = SAMPLE_ORGANIZATIONS
) -> Straightforward:
    """Score a sample of members and branches, spread over all of them; nothing is kept."""
    days = Days(today)
    with Session(engine, info={"actor": system_actor("benchmark")}) as session:
        all_members = session.scalars(
            select(Member.id).where(Member.membership_status.in_(OK)).order_by(Member.id)
        ).all()
        branches = session.scalars(
            select(Organization.id).where(Organization.tier == "branch", Organization.status == "active")
        ).all()
        chosen_members, chosen_branches = _spread(all_members, members), _spread(branches, organizations)
        published = dict(
            session.execute(
                select(Score.subject_id, Score.score).where(
                    Score.rule_code == "member_vanguard",
                    Score.until_run_id == IN_FORCE,
                    Score.subject_id.in_(chosen_members),
                )
            ).all()
        )
        standing = set(
            session.execute(
                select(WarningState.rule_code, WarningState.subject_id, WarningState.light).where(
                    WarningState.until_run_id == IN_FORCE,
                    or_(
                        (WarningState.subject_entity == "member") & WarningState.subject_id.in_(chosen_members),
                        (WarningState.subject_entity == "organization") & WarningState.subject_id.in_(chosen_branches),
                    ),
                    WarningState.rule_code.in_([*MEMBER_WARNINGS, *BRANCH_WARNINGS, LEADERS_HOURS]),
                    WarningState.light != "no_data",
                )
            ).tuples()
        )
        standing = {(code.replace(LEADERS_HOURS, "study_hours"), subject, light) for code, subject, light in standing}
        found: set[tuple[str, int, str]] = set()
        run_id = session.scalar(select(func.max(Run.id)))
        deviating = 0
        started = time.perf_counter()
        for member_id in chosen_members:
            score = member_score(session, member_id, days)
            deviating += abs(score - published.get(member_id, -1.0)) > 1e-6
            session.add(_row("member_vanguard", member_id, score, run_id, days))
            session.flush()
            session.expunge_all()
            for code, level in levels(session, MEMBER_WARNINGS, member_id, days):
                found.add((code, member_id, level))
                session.add(_state(code, "member", member_id, level, run_id, days))
                session.flush()
        for_members = time.perf_counter() - started
        started = time.perf_counter()
        for branch_id in chosen_branches:
            score = branch_score(session, branch_id, days)
            session.add(_row("organization_strength", branch_id, score, run_id, days))
            session.flush()
            session.expunge_all()
            for code, level in levels(session, BRANCH_WARNINGS, branch_id, days):
                found.add((code, branch_id, level))
                session.add(_state(code, "organization", branch_id, level, run_id, days))
                session.flush()
        for_branches = time.perf_counter() - started
        session.rollback()
        total = session.scalar(select(func.count()).select_from(Organization))
    deviating += len(found ^ standing)
    seconds = for_members / len(chosen_members) * len(all_members) + for_branches / len(chosen_branches) * total
    return Straightforward(seconds, len(chosen_members), len(chosen_branches), deviating)


def _spread(ids: Sequence[int], count: int) -> list[int]:
    return list(ids[:: max(1, len(ids) // count)])[:count]


def _row(rule: str, subject: int, score: float | None, run_id: int, days: Days) -> Score:
    return Score(
        rule_code=rule,
        period_code="0000",  # of no period, so that no published row stands in its way
        subject_id=subject,
        run_id=run_id,
        score=score,
        light="green",
        path="",
        peers="",
        light_since=days.today,
    )


def _state(code: str, entity: str, subject: int, level: str, run_id: int, days: Days) -> WarningState:
    return WarningState(
        rule_code=f"measured.{code}",  # no rule's, so that no published row stands in its way
        subject_entity=entity,
        subject_id=subject,
        run_id=run_id,
        light=level,
        since=days.today,
        opened_on=days.today,
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _percent(value: float | None) -> float | None:
    return None if value is None else min(max(value * 100, 0.0), 100.0)


def _mean(parts: Sequence[tuple[float, float | None]]) -> float | None:
    there = [(weight, score) for weight, score in parts if score is not None]
    total = sum(weight for weight, _ in there)
    return sum(weight * score for weight, score in there) / total if total else None


def _served(since: date | None, days: Days) -> float:
    return min(days.elapsed, (days.today - (since or days.year)).days / 365)


def _figures(rows: Sequence[Observation], days: Days) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for row in rows:
        if str(row.period).startswith(str(days.today.year)):
            found.setdefault(row.metric, []).append(row.value)
    return found


def member_score(session: Session, member_id: int, days: Days) -> float:
    """先锋力指数 of one member."""
    member = session.get_one(Member, member_id)
    called = came = truant = 0
    for row in rows(session, Attendance, "member_id", member_id, joinedload(Attendance.meeting)):
        if row.meeting.status == "held" and row.held_on and days.year <= row.held_on <= days.today:
            called += row.status in ("present", "absent")
            came += row.status == "present"
            truant += row.status == "absent"
    hours = 0.0
    for row in rows(session, StudyRecord, "member_id", member_id):
        if row.completed_on and days.year <= row.completed_on <= days.today:
            hours += row.hours
    due = in_time = 0
    for row in rows(session, FeePayment, "member_id", member_id):
        this_year = str(row.period).startswith(str(days.today.year)) and str(row.period) <= f"{days.today:%Y-%m}"
        if this_year and row.exempt_reason is None and row.pay_by < days.today:
            due += 1
            in_time += row.paid is not None and row.paid >= row.due and row.paid_on and row.paid_on <= row.pay_by
    appraisals = [
        row
        for row in rows(session, Appraisal, "member_id", member_id)
        if row.status in ("submitted", "approved")
        and row.appraised_on
        and days.year_ago <= row.appraised_on <= days.today
    ]
    appraisals.sort(key=lambda row: (row.appraised_on, row.id))
    figures = _figures(rows(session, Observation, "member_id", member_id), days)
    honours = punished = crimes = 0
    for row in rows(session, Commendation, "member_id", member_id):
        honours += row.kind == "commendation" and days.year <= row.issued_on <= days.today
        if row.kind == "punishment" and (row.effective_on or date.min) <= days.today <= (row.expires_on or date.max):
            punished += 1
            crimes += row.grade in ("removed", "probation", "expelled")
    served_hours = [
        row.hours
        for row in rows(session, CheckIn, "member_id", member_id)
        if row.status == "confirmed" and days.year <= row.held_on <= days.today
    ]
    claims = sum(
        row.status == "realised" and days.year <= row.claimed_on <= days.today
        for row in rows(session, WishClaim, "member_id", member_id)
    )
    stood_up = sum(
        row.status == "no_show" and days.year <= row.enrolled_at.date() <= days.today
        for row in rows(session, Enrolment, "member_id", member_id)
    )
    served = _served(member.joined_on, days)
    leads = member.party_post in ("secretary", "deputy_secretary", "committee")
    grades = {"excellent": 1.0, "qualified": 0.8, "basically": 0.4, "unqualified": 0.0}
    graded = grades.get(appraisals[-1].grade) if appraisals and member.member_type == "full" else None
    basic = _mean(
        [
            (15, _percent(_ratio(hours, (56 if leads else 32) * served))),
            (20, _percent(_ratio(came, called))),
            (10, _percent(_ratio(in_time, due))),
            (5, _percent(graded)),
            (5, _percent(_ratio(sum(figures.get("tasks_done", [])), sum(figures.get("tasks_given", []))))),
            (5, _percent(float(member.checked_in_on is not None)) if member.is_employed else None),
        ]
    )
    volunteered = [*figures.get("volunteer_hours", []), *served_hours]
    realised = [*figures.get("wishes_realised", []), *([claims] if claims else [])]
    positive = _mean(
        [
            (8, _percent(_ratio(sum(volunteered), 30 * served)) if volunteered and not member.is_floating else None),
            (6, _percent(sum(realised) / 3) if realised else None),
            (4, _percent(honours)),
            (2, _percent(sum(figures.get("suggestions_adopted", [])))),
        ]
    )
    lost = 2 * truant + (due - in_time) + sum(figures.get("no_shows", [])) + 3 * sum(figures.get("complaints", []))
    lost += stood_up
    discipline = _percent(max(0, 20 - lost - 10 * punished) / 20)
    return 0.0 if crimes else _mean([(60, basic), (20, positive), (20, discipline)])


def branch_score(session: Session, branch_id: int, days: Days) -> float | None:
    """组织力指数 of one branch but for what it takes from warnings, peers and other results."""
    branch = session.get_one(Organization, branch_id)
    meetings = [
        row
        for row in rows(session, Meeting, "organization_id", branch_id)
        if row.status == "held" and row.held_on and days.year <= row.held_on <= days.today
    ]
    kinds: dict[str, int] = {}
    for row in meetings:
        kinds[row.kind] = kinds.get(row.kind, 0) + 1
    people = [
        row
        for row in rows(session, Member, "organization_id", branch_id)
        if row.membership_status in OK and (row.joined_on or date.min) <= days.today <= (row.left_on or date.max)
    ]
    full = sum(row.member_type == "full" for row in people)
    posts = {
        row.member_id
        for row in rows(session, Post, "organization_id", branch_id)
        if row.post != "group_leader" and row.started_on <= days.today <= (row.ended_on or date.max)
    }
    filled = sum(
        value is not None
        for row in people
        for value in (row.id_no, row.mobile, row.education, row.birth_date, row.joined_on, row.ethnicity)
    )
    due = in_time = 0
    for row in rows(session, FeePayment, "organization_id", branch_id):
        this_year = str(row.period).startswith(str(days.today.year)) and str(row.period) <= f"{days.today:%Y-%m}"
        if this_year and row.exempt_reason is None and row.pay_by < days.today:
            due += 1
            in_time += row.paid is not None and row.paid >= row.due and row.paid_on and row.paid_on <= row.pay_by
    figures = _figures(rows(session, Observation, "organization_id", branch_id), days)
    honours = len(rows(session, Commendation, "organization_id", branch_id))
    served = _served(branch.founded_on, days)
    quarters, months = int(4 * served + 1e-9), int(12 * served + 1e-9)
    attended, expected = (sum(getattr(row, name) or 0 for row in meetings) for name in ("attended", "expected"))
    ends = branch.extended_to or branch.term_ends_on
    groups = [
        _mean(
            [
                (5, _percent(_ratio(kinds.get("theory_study", 0), months))),
                (4, _percent(_ratio(kinds.get("lecture", 0), quarters))),
                (2, _percent(sum(row.kind == "lecture" and row.lecturer_post == "secretary" for row in meetings))),
            ]
        ),
        _mean(
            [
                (5, _percent(float(ends >= days.today)) if ends else None),
                (4, _percent(len(posts) / (3 if full >= 7 else 1))),
                (3, _percent(float(full >= 3 and len(people) <= 50))),
                (3, _percent(_ratio(filled, 6 * len(people)))),
            ]
        ),
        _mean(
            [
                (6, _percent(_ratio(kinds.get("branch_assembly", 0), quarters))),
                (5, _percent(_ratio(kinds.get("branch_committee", 0), months)) if full >= 7 else None),
                (5, _percent(_ratio(kinds.get("theme_day", 0), months))),
                (3, _percent(_ratio(attended, expected))),
            ]
        ),
        _percent(_ratio(in_time, due)),
        _mean([(6, _percent(_ratio(sum(figures.get("wishes_realised", [])), sum(figures.get("wishes_claimed", [])))))]),
    ]
    score = _mean(list(zip((15, 15, 25, 15, 20), groups, strict=True)))
    return None if score is None else score + min(honours, 10)
