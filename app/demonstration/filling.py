"""Fills an empty database with demonstration records, in one transaction: all of them or none.

One of the named modules that write by bulk statements past the row scope and the checks at flush: the records are
made to satisfy what those check, and a test holds them to it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, Engine, Table, func, select, text

from app.access.actor import system_actor
from app.database.bulk import insert_frame
from app.database.clock import today
from app.database.encryption import load_keyring
from app.database.engine import for_writing, make_engine
from app.database.session import Session
from app.database.statistics import refresh_statistics
from app.domains.calendar.operations import load_published
from app.domains.content.models import Article, Survey, SurveyAnswer
from app.domains.development.models import DevelopmentCase, DevelopmentReview, MembershipTransfer
from app.domains.duties.models import Assessment, Task, TaskReport, Visit
from app.domains.members.models import Member, Post
from app.domains.observations.models import Observation
from app.domains.organizations.models import Organization
from app.domains.partnership.models import Demand, Match, Project, Resource
from app.domains.party_life.models import Appraisal, Attendance, Commendation, Course, FeePayment, Meeting, StudyRecord
from app.domains.performance.models import (
    PerformanceCost,
    PerformanceFunding,
    PerformanceGoal,
    PerformanceSafeguard,
    PerformanceTarget,
)
from app.domains.volunteering.models import Activity, CheckIn, Enrolment, Volunteer
from app.domains.wishes.models import PointEntry, Wish, WishClaim
from app.entity.labels import UserError
from config import Settings

from . import accounts, development, duties, meetings, organizations, partnership, people, publications, reports, tasks
from .scales import SCALES, Scale
from .services import services

Progress = Callable[[str, int, int], None]
LABEL = "生成演示数据 / Making demonstration records"
BRANCHES_AT_A_TIME = 400
"""Bounds the memory; what is made does not depend on it."""

FILLED = (Organization, Member, Post, Course, Meeting, Attendance, FeePayment, StudyRecord, Appraisal, Commendation)
FILLED += (Observation,)
FILLED += (DevelopmentCase, DevelopmentReview, MembershipTransfer)
FILLED += (Wish, WishClaim, Volunteer, Activity, Enrolment, CheckIn, PointEntry)
FILLED += (Resource, Demand, Match, Project, Visit, Task, TaskReport, Assessment, Article, Survey, SurveyAnswer)
FILLED += (PerformanceTarget, PerformanceFunding, PerformanceGoal, PerformanceCost, PerformanceSafeguard)
PREFIXES = {
    Attendance: "DH",
    FeePayment: "DF",
    StudyRecord: "XX",
    Appraisal: "PY",
    Commendation: "JC",
    Observation: "ZB",
}


def fill_if_empty(settings: Settings, progress: Progress | None = None) -> bool:
    """Fill a database that holds no organization with the small demonstration; whether it was empty."""
    load_keyring(settings.data_dir)
    engine = make_engine(settings.database_url)
    try:
        if not is_empty(engine):
            return False
        fill(engine, "small", progress, data_dir=settings.data_dir)
        return True
    finally:
        engine.dispose()


def is_empty(engine: Engine) -> bool:
    """Whether there is no organization yet."""
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(Organization.__table__)).scalar_one() == 0


def fill(
    engine: Engine,
    scale: str,
    progress: Progress | None = None,
    *,
    as_of: date | None = None,
    data_dir: Path | None = None,
) -> dict[str, int]:
    """Fill an empty database with a scale of ``SCALES``, as it would stand on ``as_of`` (today); the number of rows of
    each table. With ``data_dir``, demonstration accounts are made too and listed in a file there.

    The encryption keys have to be loaded. Raises UserError if there are organizations already.
    """
    as_of = as_of or today()
    if not is_empty(engine):
        raise UserError(
            "数据库中已有党组织，不能再生成演示数据。请用 DATA_DIR 或 DATABASE_URL 指定一个空的数据库。",
            "The database holds organizations already, so no demonstration records are made. "
            "Name an empty one with DATA_DIR or DATABASE_URL.",
        )
    with for_writing(engine).begin() as connection:
        counts = _Filling(connection, SCALES[scale], as_of, progress).run()
        # Within the same transaction: the session's commit is that of the connection.
        with Session(bind=connection, info={"actor": system_actor("demonstration")}) as session:
            load_published(session)
            if data_dir is not None:
                accounts.add_accounts(session, data_dir)
            session.commit()
    refresh_statistics(engine)
    return counts


class _Filling:
    """One filling: the state between its steps."""

    def __init__(self, connection: Connection, scale: Scale, as_of: date, progress: Progress | None) -> None:
        self.connection = connection
        self.scale = scale
        self.as_of = as_of
        self.progress = progress or (lambda label, done, total: None)
        self.counts = {model.__tablename__: 0 for model in FILLED}

    def run(self) -> dict[str, int]:
        tree = organizations.build(self.scale, self.as_of)
        members = people.members(tree, self.as_of)
        posts = people.posts(tree, members, self.as_of)
        members = people.with_posts(members, posts)
        courses = duties.courses(self.scale, tree, self.as_of)
        self.insert(Organization, tree.organizations)
        self.insert(Course, courses)
        groups = tree.organizations.filter(pl.col("tier") == "group").select("id", "parent_id")
        total = tree.branches.height
        for start in range(0, total, BRANCHES_AT_A_TIME):
            self.progress(LABEL, start, total)
            branches = tree.branches.slice(start, BRANCHES_AT_A_TIME)
            own = members.join(branches.select(organization_id="id"), on="organization_id", how="semi")
            self.insert(Member, people.encrypted(own))
            self.insert_records(tree, courses, branches, groups, own)
            self.insert_services(tree, branches, own)
        self.insert(Post, posts)
        self.insert_common_work(tree)
        self.progress(LABEL, total, total)
        self._continue_ids()
        return self.counts

    def insert_common_work(self, tree: organizations.Tree) -> None:
        """What organizations do with and for each other."""
        found = partnership.partnership(tree, self.as_of)
        given = tasks.tasks(tree, self.as_of)
        asked = publications.surveys(tree, self.as_of)
        declared = publications.performance(tree, asked.surveys, self.as_of)
        for model, frame in (
            (Resource, found.resources),
            (Demand, found.demands),
            (Match, found.matches),
            (Project, found.projects),
            (Visit, tasks.visits(tree, self.as_of)),
            (Task, given.tasks),
            (TaskReport, given.reports),
            (Assessment, tasks.assessments(tree, self.as_of)),
            (Article, publications.articles(tree, self.as_of)),
            (Survey, asked.surveys),
            (SurveyAnswer, asked.answers),
            (PerformanceTarget, declared.targets),
            (PerformanceFunding, declared.funding),
            (PerformanceGoal, declared.goals),
            (PerformanceCost, declared.costs),
            (PerformanceSafeguard, declared.safeguards),
        ):
            self.insert(model, frame)

    def insert_records(
        self,
        tree: organizations.Tree,
        courses: pl.DataFrame,
        branches: pl.DataFrame,
        groups: pl.DataFrame,
        own: pl.DataFrame,
    ) -> None:
        """The records of some branches and their members."""
        of_branches = groups.join(branches.select(parent_id="id"), on="parent_id", how="semi")
        first = self.counts[Meeting.__tablename__] + 1
        held = meetings.gatherings(self.scale, branches, of_branches, own, self.as_of, first)
        self.insert(Meeting, held.meetings)
        self.insert(Attendance, held.attendance)
        self.insert(FeePayment, duties.fees(self.scale, own, self.as_of))
        self.insert(StudyRecord, duties.studies(self.scale, tree, courses, own, self.as_of))
        self.insert(Appraisal, duties.appraisals(own, self.as_of))
        self.insert(Commendation, reports.commendations(branches, own, self.as_of))
        self.insert(Observation, reports.observations(branches, own, self.as_of))

    def insert_services(self, tree: organizations.Tree, branches: pl.DataFrame, own: pl.DataFrame) -> None:
        """Who is on the way into the Party or to another branch; wishes, volunteering and the points for them."""
        cases = development.cases(branches, own, self.as_of, self.next(DevelopmentCase))
        self.insert(DevelopmentCase, cases)
        self.insert(DevelopmentReview, development.reviews(cases, self.as_of, self.next(DevelopmentReview)))
        first = self.next(MembershipTransfer)
        self.insert(MembershipTransfer, development.transfers(tree.branches, own, self.as_of, first))
        models = (Wish, WishClaim, Volunteer, Activity, Enrolment, CheckIn, PointEntry)
        first_ids = {model.__tablename__: self.next(model) for model in models}
        made = services(self.scale, branches, tree.organizations, own, self.as_of, first_ids)
        frames = (made.wishes, made.claims, made.volunteers, made.activities, made.enrolments, made.check_ins)
        for model, frame in zip(models, (*frames, made.points), strict=True):
            self.insert(model, frame)

    def next(self, model: type) -> int:
        """The id of the next row of a table."""
        return self.counts[model.__tablename__] + 1

    def insert(self, model: type, frame: pl.DataFrame) -> None:
        """Insert the columns that the table has; rows without an id are numbered on, and named by that number."""
        table: Table = model.__table__
        done = self.counts[table.name]
        if "id" not in frame.columns:
            frame = frame.with_row_index("id", done + 1)
            frame = frame.with_columns(
                code=pl.format("{}{}", pl.lit(PREFIXES[model]), pl.col("id").cast(pl.String).str.zfill(8))
            )
        names = [column.name for column in table.columns if column.name in frame.columns]
        self.counts[table.name] = done + insert_frame(self.connection, table, frame.select(names))

    def _continue_ids(self) -> None:
        """Let PostgreSQL number on after the ids that were given; the others do so by themselves."""
        if self.connection.dialect.name == "postgresql":
            for name in self.counts:
                highest = f"(SELECT COALESCE(MAX(id), 1) FROM {name})"
                self.connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {highest})"))
