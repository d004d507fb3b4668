"""The hand-written baseline: the result of one evaluation, programmed for just these rules.

One aggregate query a source table and kind of subject, Polars by hand, COPY or executemany of the same rows: scores,
levels, held conditions, breakdowns. What it does not do: tell what changed (it is for an empty database), statistics
for later partial runs, progress, leases.
"""

from __future__ import annotations

from datetime import date

import polars as pl
from adbc_driver_postgresql import dbapi as adbc
from sqlalchemy import Engine, insert

from app.database.bulk import insert_frame
from app.database.clock import now
from app.database.engine import for_writing
from app.entity.periods import Period
from app.evaluation.breakdowns import write_breakdowns
from app.evaluation.models import IN_FORCE, Extent, Held, Run, RunState, Score, WarningState
from app.evaluation.publishing import condition_key
from app.rules.library import RuleLibrary
from app.rules.model import Index

from . import baseline_partnership as partnership
from . import baseline_scores as scores
from . import baseline_services as services
from . import baseline_sources as sources
from .baseline_sources import Days, Read


def run(engine: Engine, library: RuleLibrary, today: date) -> None:
    """Evaluate both indices and all warnings on a day, and publish them. ``library`` names the runs' rule versions."""
    days = Days(today)
    members, organizations, courses, punishments, records = read_all(engine, days)
    warned = scores.Warned()
    vanguard = scores.vanguard(members, days)
    scores.member_warnings(warned, members, days)
    scores.record_warnings(warned, courses, punishments, days)
    services.warnings(warned, records, members, days)
    partnership.warnings(warned, records, days)
    scores.organization_warnings(warned, organizations, days)
    levels = pl.concat(warned.levels, how="vertical_relaxed")
    strength = scores.strength(with_results(organizations, vanguard, levels), days)
    indices = {"member_vanguard": vanguard, "organization_strength": strength}
    indices["project_performance"] = partnership.performance(records["target"], days)
    publish(engine, library, days, indices, levels, warned)


def reader(engine: Engine) -> tuple[Read, object]:
    """How rows are read fastest on a database, and what to close afterwards."""
    if engine.dialect.name == "postgresql":
        connection = adbc.connect(engine.url.set(drivername="postgresql").render_as_string(hide_password=False))

        def read(statement: str, types: dict[str, object]) -> pl.DataFrame:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return pl.from_arrow(cursor.fetch_arrow_table().rename_columns(list(types))).cast(types)

        return read, connection
    connection = engine.raw_connection()

    def read_rows(statement: str, types: dict[str, object]) -> pl.DataFrame:
        rows = connection.cursor().execute(statement).fetchall()
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(types)
        texts = {name: pl.String if kind == pl.Date else kind for name, kind in types.items()}
        frame = pl.DataFrame(
            [pl.Series(name, values, texts[name], strict=False) for name, values in zip(types, columns, strict=True)]
        )
        return frame.with_columns(
            pl.col(name).str.to_date("%Y-%m-%d") for name, kind in types.items() if kind == pl.Date
        )

    return read_rows, connection


def read_all(
    engine: Engine, days: Days
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame, dict[str, pl.DataFrame]]:
    """Members, organizations, courses, punishments and the other records, with all their figures."""
    read, connection = reader(engine)
    try:
        organizations = sources.organizations(read)
        places = organizations.select(organization_id="id", path="path", unit_type="unit_type", of_tier="tier")
        members = sources.members(read).join(places, on="organization_id", how="left")
        members = members.with_columns(member_id="id").rename({"of_tier": "tier"})
        for figures in (
            sources.study_by_member(read, days),
            sources.attendance_by_member(read, days, engine.dialect.name),
            sources.fees_by_member(read, days),
            sources.appraisal_by_member(read, days),
            sources.observations(read, days, "member"),
            sources.commendations_by_member(read, days),
            services.served_by(read, days, "member"),
            services.claims_by(read, days, "member_id"),
            services.no_shows_by_member(read, days),
            services.registered_members(read, days),
        ):
            members = members.join(figures, on="id", how="left")
        organizations = organizations.with_columns(organization_id="id", member_id=pl.lit(None, pl.Int64))
        for figures in (
            sources.members_by_organization(read, days),
            sources.posts_by_organization(read, days),
            sources.meetings_by_organization(read, days),
            sources.talks_by_organization(read, days),
            sources.fees_by_organization(read, days),
            sources.appraisal_by_organization(read, days),
            sources.observations(read, days, "organization"),
            sources.reported_last(read, days),
            sources.commendations_by_organization(read, days),
            services.served_by(read, days, "organization"),
            services.claims_by(read, days, "claimer_id"),
            *partnership.figures_by_organization(read, days),
        ):
            organizations = organizations.join(figures, on="id", how="left")
        courses = sources.courses_due(read).join(places, on="organization_id", how="left")
        punishments = sources.punishments_open(read).join(places, on="organization_id", how="left")
        records = services.read_records(read, days) | partnership.read_records(read, days)
        records = {
            name: frame.join(places, on="organization_id", how="left") if name != "holiday" else frame
            for name, frame in records.items()
        }
    finally:
        connection.close()
    members = counted(members, "hours", "hours_last", "called", "came", "truant", "in_a_row", "months_due", "in_time")
    members = counted(members, "unpaid", "paid_lately", "honours", "punished", "crimes")
    members = counted(members, "claims_realised", "stood_up", "registered")
    members = reported(members, "tasks_given", "tasks_done", "volunteer_hours", "wishes_realised")
    members = reported(members, "suggestions_adopted", "no_shows", "complaints")
    return members, figures_of_organizations(organizations), courses, punishments, records


def counted(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Counts and sums, which are 0 where there are no rows."""
    return frame.with_columns(pl.col(name).fill_null(0) for name in names)


def reported(frame: pl.DataFrame, *metrics: str) -> pl.DataFrame:
    """The columns of reported figures, also of those that nobody reported."""
    names = [f"{metric}.{part}" for metric in metrics for part in ("sum", "n")]
    return frame.with_columns(pl.lit(None, pl.Float64).alias(name) for name in names if name not in frame.columns)


def figures_of_organizations(organizations: pl.DataFrame) -> pl.DataFrame:
    """Counts of nothing are 0; group meetings for the branch; members below."""
    whole = ("full", "members", "filled", "units", "members_last", "seats", "committee_members", "secretaries")
    whole += (*sources.KINDS, "by_secretary", "attended", "expected", "attended_quarter", "expected_quarter")
    whole += ("talked", "talked_last", "fees_due", "fees_in_time", "due", "paid", "excellent", "graded", "approved")
    whole += ("excellent_last", "graded_last", "approved_last", "high", "district", "street", "frauds", "notices")
    whole += ("claims", "claims_realised", *partnership.COUNTED)
    frame = counted(organizations, *whole).with_columns(pl.col("due", "paid").round(2))
    frame = reported(frame, "tasks_given", "tasks_signed_in_time", "wishes_claimed", "wishes_realised")
    frame = reported(frame, "volunteer_hours", "households_visited", "resources_published", "demands_published")
    frame = reported(frame, "matches_proposed", "matches_agreed", "projects_due", "projects_done", "highlight_projects")
    groups = frame.filter(pl.col("org_type") == "group")
    active = (pl.col("status") == "active").sum()
    of_groups = groups.group_by("parent_id").agg(
        active.alias("groups"), pl.col("group_meeting").sum().alias("of_groups")
    )
    frame = frame.join(of_groups, left_on="id", right_on="parent_id", how="left")
    frame = counted(frame, "groups", "of_groups").rename({"of_groups": "group_meetings"})
    above = frame.select(
        "members", pl.col("path").str.strip_chars("/").str.split("/").cast(pl.List(pl.Int64)).alias("id")
    )
    below = above.explode("id").group_by("id").agg(pl.col("members").sum().alias("members_below"))
    return counted(frame.join(below, on="id", how="left"), "members_below")


def with_results(organizations: pl.DataFrame, vanguard: pl.DataFrame, levels: pl.DataFrame) -> pl.DataFrame:
    """What the organizations' index reads of the other results."""
    met = (pl.col("study") >= 100).sum()
    of_members = vanguard.group_by("organization_id").agg(
        pl.col("score").mean().alias("vanguard"), (met / pl.col("study").count() * 100).alias("study_rate")
    )
    standing = (
        levels.filter(pl.col("light") != "no_data")
        .group_by("organization_id")
        .agg((pl.col("light") == light).sum().alias(light) for light in ("red", "orange", "yellow"))
    )
    frame = organizations
    for figures in (of_members, standing):
        frame = frame.join(figures, left_on="id", right_on="organization_id", how="left")
    finite = pl.when(pl.col("study_rate").is_finite()).then("study_rate").alias("study_rate")
    return counted(frame, "red", "orange", "yellow").with_columns(finite)


def publish(
    engine: Engine,
    library: RuleLibrary,
    days: Days,
    indices: dict[str, pl.DataFrame],
    levels: pl.DataFrame,
    warned: scores.Warned,
) -> None:
    """Write everything in one transaction; the rows that the evaluation writes."""
    parts = levels.partition_by("warning", as_dict=True)
    with for_writing(engine).begin() as connection:
        for rule in library.ordered(None, days.today):
            period = str(Period.containing(days.today, rule.period)) if rule.period else ""
            run_id = connection.execute(
                insert(Run.__table__).values(
                    rule_code=rule.code,
                    rule_kind="index" if isinstance(rule, Index) else "warning",
                    rule_version=rule.version,
                    period_code=period,
                    as_of=days.today,
                    extent=Extent.FULL,
                    state=RunState.PUBLISHED,
                    started_at=now(),
                    finished_at=now(),
                )
            ).inserted_primary_key[0]
            common = [
                pl.lit(rule.code).alias("rule_code"),
                pl.lit(period).alias("period_code"),
                pl.lit(run_id).alias("run_id"),
                pl.lit(IN_FORCE).alias("until_run_id"),
            ]
            if rule.code in indices:
                frame = indices[rule.code].rename({"id": "subject_id"})
                columns = ["subject_id", "score", "organization_id", "member_id", "path", "tier", "peers", "order_key"]
                columns += ["light", "grade", "coverage", pl.lit(days.today).alias("light_since")]
                insert_frame(connection, Score.__table__, frame.select(*common, *columns))
                write_breakdowns(connection, rule.code, period, run_id, frame, full=True)
            elif (rule.code,) in parts:
                rows = parts[rule.code,].select(
                    *common,
                    pl.lit(rule.subject).alias("subject_entity"),
                    pl.exclude("warning"),
                    pl.lit(days.today).alias("since"),
                    pl.lit(days.today).alias("opened_on"),
                )
                insert_frame(connection, WarningState.__table__, rows)
        for code, condition, frame in warned.held:
            rows = frame.select(
                pl.lit(code).alias("rule_code"),
                pl.lit(condition_key(condition)).alias("condition_key"),
                "subject_id",
                pl.lit(days.today).alias("since"),
            )
            insert_frame(connection, Held.__table__, rows)
