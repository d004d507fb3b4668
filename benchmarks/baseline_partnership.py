"""The baseline's part for partnership, visits, tasks, assessments and project performance: what it reads, the warnings
about it, and the index of projects."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from .baseline_scores import Dates, Warned, finished, ratio, scored
from .baseline_sources import D, Days, F, N, Read, S

NOBODY = pl.lit(None, N).alias("member_id")
DIMENSIONS = ("quantity", "quality", "timeliness", "cost", "satisfaction")


def read_records(read: Read, days: Days) -> dict[str, pl.DataFrame]:
    """The records that warnings and the index are about, by entity."""
    common, today = {"id": N, "organization_id": N}, days.today
    found = {
        "demand": read(
            "SELECT id, organization_id, published_on FROM bc_demand WHERE status = 'open'",
            {**common, "published_on": D},
        ),
        "resource": read(
            f"""
            SELECT r.id, r.organization_id, COALESCE(MAX(m.agreed_on), r.published_on)
            FROM bc_resource r LEFT JOIN bc_match m
              ON m.resource_id = r.id AND m.state IN ('agreed', 'project') AND m.suggested_on <= '{today}'
            WHERE r.status = 'open' GROUP BY r.id, r.organization_id, r.published_on
            """,
            {**common, "used_on": D},
        ),
        "project": read(
            "SELECT id, organization_id, due_on FROM bc_project WHERE status IN ('planned', 'ongoing')",
            {**common, "due_on": D},
        ),
        "task_report": read(
            "SELECT id, organization_id, due_on FROM bc_task_report"
            " WHERE status IN ('to_sign', 'in_progress', 'returned')",
            {**common, "due_on": D},
        ),
        "assessment": read(
            "SELECT id, organization_id, report_by FROM bc_assessment WHERE status = 'draft' AND report_by IS NOT NULL",
            {**common, "due_on": D},
        ),
        "goal": read(
            """
            SELECT g.id, g.organization_id, g.dimension, g.actual_value, g.attainment
            FROM bc_performance_goal g JOIN bc_performance_target t ON t.id = g.target_id
            WHERE g.actual_value IS NOT NULL AND t.status IN ('approved', 'closed')
            """,
            {**common, "dimension": S, "actual_value": F, "attainment": F},
        ),
        "target": _targets(read, days),
    }
    visits = read(
        "SELECT id, organization_id, member_id, due_on FROM bc_visit WHERE issue IS NOT NULL AND closed_on IS NULL",
        {**common, "member_id": N, "due_on": D},
    )
    return {name: frame.with_columns(NOBODY) for name, frame in found.items()} | {"visit": visits}


def _targets(read: Read, days: Days) -> pl.DataFrame:
    """This year's targets with what their goals attain on average, each at most in full."""
    part = "CASE WHEN attainment < 100 THEN attainment ELSE 100 END"
    means = [f"AVG(CASE WHEN g.dimension = '{name}' THEN {part} END)" for name in DIMENSIONS]
    means.append(f"AVG(CASE WHEN g.kind = 'effect' THEN {part} END)")
    means.append(f"AVG(CASE WHEN g.dimension IN ('facilities', 'information') THEN {part} END)")
    group = "t.id, t.organization_id, t.category, t.spent, t.year_budget"
    return read(
        f"""
        SELECT t.id, t.organization_id, t.category, CAST(t.spent AS DOUBLE PRECISION),
               CAST(t.year_budget AS DOUBLE PRECISION), {", ".join(means)}
        FROM bc_performance_target t LEFT JOIN bc_performance_goal g
          ON g.target_id = t.id AND g.attainment IS NOT NULL AND g.measured_on <= '{days.today}'
        WHERE t.status IN ('approved', 'closed') AND t.budget_year = '{days.today.year}' GROUP BY {group}
        """,
        {"id": N, "organization_id": N, "category": S, "spent": F, "year_budget": F}
        | dict.fromkeys((*DIMENSIONS, "effects", "lasting"), F),
    )


COUNTED = ("tasks_due", "tasks_signed", "visited", "resources", "demands", "demands_due", "demands_matched")
COUNTED += ("own_projects_due", "own_projects_done", "own_highlights")


def figures_by_organization(read: Read, days: Days) -> list[pl.DataFrame]:
    """This year's tasks to be signed for, households visited, what was published and what came of it; the latest
    survey of the last twelve months."""
    year = f"BETWEEN '{days.year}' AND '{days.today}'"
    aged = f"published_on <= '{days.today - timedelta(days=15)}'"
    due, signed = f"sign_by < '{days.today}'", "signed_on <= sign_by"
    statements = {
        ("tasks_due", "tasks_signed"): f"SUM(CASE WHEN {due} THEN 1 ELSE 0 END), "
        f"SUM(CASE WHEN {due} AND {signed} THEN 1 ELSE 0 END) FROM bc_task_report "
        f"WHERE status <> 'cancelled' AND issued_on {year}",
        ("visited",): f"COUNT(DISTINCT household) FROM bc_visit WHERE visited_on {year}",
        ("resources",): f"COUNT(*) FROM bc_resource WHERE status <> 'draft' AND published_on {year}",
        ("demands", "demands_due", "demands_matched"): "COUNT(*), "
        f"SUM(CASE WHEN status IN ('open', 'matched', 'met') AND {aged} THEN 1 ELSE 0 END), "
        f"SUM(CASE WHEN status IN ('matched', 'met') AND {aged} THEN 1 ELSE 0 END) FROM bc_demand "
        f"WHERE status <> 'draft' AND published_on {year}",
        ("own_projects_due", "own_projects_done", "own_highlights"): "SUM(CASE WHEN status <> 'stopped' THEN 1 ELSE 0 "
        "END), SUM(CASE WHEN status = 'done' THEN 1 ELSE 0 END), SUM(CASE WHEN is_highlight THEN 1 ELSE 0 END) "
        f"FROM bc_project WHERE due_on {year}",
    }
    frames = [
        read(f"SELECT organization_id, {statement} GROUP BY organization_id", {"id": N, **dict.fromkeys(names, N)})
        for names, statement in statements.items()
    ]
    surveys = read(
        f"""
        SELECT organization_id, satisfaction FROM bc_survey
        WHERE kind = 'satisfaction' AND status = 'closed' AND satisfaction IS NOT NULL
          AND opens_on BETWEEN '{days.year_ago}' AND '{days.today}' ORDER BY opens_on, id
        """,
        {"id": N, "surveyed": F},
    )
    return [*frames, surveys.group_by("id").agg(pl.col("surveyed").last())]


def warnings(warned: Warned, records: dict[str, pl.DataFrame], days: Days) -> None:
    dates, c = Dates(days), pl.col
    since = dates.since("published_on")
    warned.add("demand_unmatched", records["demand"], since, red=since > 60, orange=since > 30, yellow=since > 15)
    since = dates.since("used_on")
    warned.add("resource_idle", records["resource"], since, red=since >= 180, orange=since >= 120, yellow=since >= 60)
    left = dates.until("due_on")
    for code, entity, red, yellow in (
        ("project_overdue", "project", -15, 7),
        ("task_overdue", "task_report", -7, 3),
        ("visit_issue_open", "visit", -7, 2),
        ("assessment_report_overdue", "assessment", -7, 7),
    ):
        warned.add(code, records[entity], left, red=left < red, orange=left <= 0, yellow=left <= yellow)
    share = c("attainment") / 100
    unhappy = (c("dimension") == "satisfaction") & (c("actual_value") < 85)
    warned.add(
        "performance_gap", records["goal"], share, red=(share < 0.8) | unhappy, orange=share < 0.9, yellow=share < 1
    )


def performance(targets: pl.DataFrame, days: Days) -> pl.DataFrame:
    """项目绩效指数 of the targets of this year."""
    frame = targets.with_columns(
        (ratio("spent", "year_budget") / pl.lit(days.elapsed) * 100).alias("budget"),
        pl.col("effects").alias("effect"),
        pl.col("of_tier").alias("tier"),
    )
    tree = {
        "budget": 10,
        "output": {"quantity": 20, "quality": 15, "timeliness": 10, "cost": 5},
        "effect": 25,
        "influence": {"lasting": 5, "satisfaction": 10},
    }
    frame = scored(frame, tree, {})
    enough = pl.col("coverage") >= 0.3 - 1e-9
    frame = frame.with_columns(pl.when(enough).then("root").alias("score"))
    limits = ((90, "yellow"), (80, "orange"), (60, "red"))
    return finished(frame, (0, 60, 80, 90), pl.col("category"), limits)
