"""A saved record changes its organization's and member's lights, and only what it touches is scored again."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, select

from app.access.actor import system_actor
from app.database.clock import today
from app.database.session import unit_of_work
from app.domains.organizations.models import Organization
from app.domains.party_life.models import Meeting
from app.evaluation import changes, refreshing
from app.evaluation.models import Change, Extent, Run
from app.evaluation.refreshing import refresh
from app.rules.library import RuleLibrary
from tests import factories

from . import conftest
from .conftest import change, levels, scores


def marks(engine: Engine) -> int:
    with engine.connect() as connection:
        return len(connection.execute(select(Change.id)).all())


def add_lectures(engine: Engine, organization: int, count: int) -> None:
    with unit_of_work(engine, system_actor("tests")) as session:
        branch = session.get_one(Organization, organization)
        for number in range(count):
            session.add(
                factories.meeting(
                    organization=branch, kind="lecture", status="held", held_on=date(today().year, 1, 10 + number)
                )
            )


def test_a_saved_meeting_changes_its_branch_and_all_above(
    engine: Engine, library: RuleLibrary, tree: dict[str, int], run: conftest.Run
) -> None:
    run()
    refresh(engine, library)
    add_lectures(engine, tree["branch_a2"], 3)
    assert marks(engine) > 0
    refresh(engine, library)
    found = scores(engine)
    assert found[tree["branch_a2"]] == (100.0, "green")
    assert found[tree["street_a"]] == (90.0, "green")
    assert found[tree["district"]] == (45.0, "red")
    assert marks(engine) == 0
    with engine.connect() as connection:
        extents = connection.execute(select(Run.extent).order_by(Run.id.desc()).limit(1)).scalars().all()
    assert extents == [Extent.PARTIAL]


def test_a_partial_run_and_a_full_one_agree(
    engine: Engine, library: RuleLibrary, tree: dict[str, int], run: conftest.Run
) -> None:
    run()
    refresh(engine, library)
    add_lectures(engine, tree["branch_b1"], 2)
    change(engine, tree["branch_a1"], term_ends_on=today() - timedelta(days=1))
    refresh(engine, library)
    partial = scores(engine)
    outcomes = run()
    assert scores(engine) == partial
    assert [outcome.changed for outcome in outcomes] == [0, 0, 0]


def test_study_hours_reach_the_member_and_the_branch(
    engine: Engine, library: RuleLibrary, tree: dict[str, int], run: conftest.Run
) -> None:
    run()
    refresh(engine, library)
    with unit_of_work(engine, system_actor("tests")) as session:
        member = session.get_one(factories.Member, tree["member"])
        session.add(factories.study_record(member=member, hours=16, completed_on=date(today().year, 1, 9)))
    refresh(engine, library)
    assert scores(engine, "vanguard")[tree["member"]] == (100.0, "green")
    assert scores(engine)[tree["branch_a1"]] == (100.0, "green")


def test_a_moved_record_touches_both_sides(
    engine: Engine, library: RuleLibrary, tree: dict[str, int], run: conftest.Run
) -> None:
    run()
    refresh(engine, library)
    with unit_of_work(engine, system_actor("tests")) as session:
        meeting = session.scalars(select(Meeting).where(Meeting.organization_id == tree["branch_a1"]).limit(1)).one()
        meeting.organization_id = tree["branch_b1"]
    refresh(engine, library)
    found = scores(engine)
    assert found[tree["branch_a1"]][0] == pytest.approx(65.0)
    assert found[tree["branch_b1"]][0] == pytest.approx(25.0)


def test_a_deleted_record_touches_its_branch(
    engine: Engine, library: RuleLibrary, tree: dict[str, int], run: conftest.Run
) -> None:
    run()
    refresh(engine, library)
    with unit_of_work(engine, system_actor("tests")) as session:
        session.delete(session.scalars(select(Meeting).where(Meeting.organization_id == tree["branch_a2"])).one())
    refresh(engine, library)
    assert scores(engine)[tree["branch_a2"]] == (0.0, "red")


def test_warnings_follow_a_change(
    engine: Engine, library: RuleLibrary, tree: dict[str, int], run: conftest.Run
) -> None:
    run()
    refresh(engine, library)
    change(engine, tree["branch_a1"], term_ends_on=today() + timedelta(days=30))
    refresh(engine, library)
    assert levels(engine) == {("term", tree["branch_a1"]): "orange"}
    change(engine, tree["branch_a1"], term_ends_on=today() + timedelta(days=900))
    refresh(engine, library)
    assert levels(engine) == {}


def test_a_warning_that_has_nothing_to_say_of_a_change_makes_no_run(
    engine: Engine, library: RuleLibrary, tree: dict[str, int], run: conftest.Run
) -> None:
    run()
    refresh(engine, library)

    def runs(rule: str) -> int:
        with engine.connect() as connection:
            return len(connection.execute(select(Run.id).where(Run.rule_code == rule)).all())

    before = runs("term"), runs("strength")
    change(engine, tree["branch_a1"], name="改名")
    refresh(engine, library)
    assert (runs("term"), runs("strength")) == (before[0], before[1] + 1)
    change(engine, tree["branch_a1"], term_ends_on=today())
    refresh(engine, library)
    assert runs("term") == before[0] + 1


def test_a_rolled_back_change_leaves_no_mark(engine: Engine, tree: dict[str, int], library: RuleLibrary) -> None:
    refresh(engine, library)
    with pytest.raises(RuntimeError), unit_of_work(engine, system_actor("tests")) as session:  # noqa: PT012
        session.get_one(Organization, tree["branch_a1"]).name = "改名"
        session.flush()
        raise RuntimeError
    assert marks(engine) == 0


def test_a_commit_is_announced_once_it_is_there(engine: Engine, tree: dict[str, int]) -> None:
    heard = []
    changes.install(lambda: heard.append(marks(engine)))
    try:
        change(engine, tree["branch_a1"], name="改名")
    finally:
        changes.install()
    assert heard
    assert heard[0] > 0


def test_many_rows_are_marked_as_one(
    engine: Engine, library: RuleLibrary, tree: dict[str, int], monkeypatch: pytest.MonkeyPatch, run: conftest.Run
) -> None:
    run()
    refresh(engine, library)
    monkeypatch.setattr(changes, "COARSE_FROM", 2)
    add_lectures(engine, tree["branch_b2"], 4)
    refresh(engine, library)
    assert scores(engine)[tree["branch_b2"]] == (100.0, "green")
    assert marks(engine) == 0


def test_people_who_keep_saving_do_not_keep_a_refresh_for_ever(
    engine: Engine, library: RuleLibrary, tree: dict[str, int], monkeypatch: pytest.MonkeyPatch, run: conftest.Run
) -> None:
    run()
    refresh(engine, library)
    add_lectures(engine, tree["branch_b2"], 1)
    score_again, times = refreshing._refresh, []

    def meanwhile(*arguments: object) -> int:
        times.append(1)
        assert len(times) < 10
        add_lectures(engine, tree["branch_b1"], 1)
        return score_again(*arguments)

    monkeypatch.setattr(refreshing, "_refresh", meanwhile)
    monkeypatch.setattr(refreshing, "LONGEST_SECONDS", 0.0)
    refresh(engine, library)
    assert len(times) == 1
    assert marks(engine) > 0  # left to the next
