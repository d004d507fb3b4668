"""What a street or district adjusts: it counts for those below it alone, the base rule's scores are kept beside, and a
partial run gives what a full run gives."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from app.access.actor import system_actor
from app.database.session import unit_of_work
from app.domains.organizations.models import Organization
from app.evaluation.models import IN_FORCE, Breakdown, Extent, Run, Score
from app.evaluation.progress import Progress
from app.evaluation.refreshing import refresh
from app.evaluation.running import Request, evaluate
from app.rules.library import RuleLibrary
from tests import factories

from .conftest import STRENGTH, VANGUARD, fill, marking

__all__ = ["marking"]

ADJUSTABLE = "adjustable: {weight: ±20%, lights: stricter}\n"
COLUMNS = (Score.score, Score.light, Score.adjusted_by, Score.base_order_key, Score.base_light)


class Ground:
    """A district that is evaluated again and again."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.rules_dir = engine, folder / "rules"
        self.ids = fill(engine)
        for name in ("indices", "adjustments"):
            (self.rules_dir / name).mkdir(parents=True)
        self.write("indices/strength", STRENGTH + ADJUSTABLE)
        self.write("indices/vanguard", VANGUARD)
        self.library = RuleLibrary(self.rules_dir, folder / "data")
        with unit_of_work(engine, system_actor("tests"), writes=False) as session:
            self.codes = {
                name: session.get_one(Organization, row).code for name, row in self.ids.items() if name != "member"
            }

    def write(self, name: str, text: str) -> None:
        (self.rules_dir / f"{name}.yaml").write_text(text, encoding="utf-8")

    def adjust(self, place: str, changes: str) -> None:
        code = f"strength-{place}"
        text = f"adjustment: {code}\nbase: strength\nunder: {self.codes[place]}\n{changes}\n"
        self.write(f"adjustments/{code}", text)
        self.library.refresh()

    def full(self) -> None:
        evaluate(self.engine, self.library, Request(("strength",)), progress=Progress())

    def scores(self) -> dict[str, tuple]:
        names = {row: name for name, row in self.ids.items()}
        statement = select(Score.subject_id, *COLUMNS).where(
            Score.rule_code == "strength", Score.until_run_id == IN_FORCE
        )
        with self.engine.connect() as connection:
            return {names[row[0]]: tuple(row[1:]) for row in connection.execute(statement)}

    def parts(self) -> set[str]:
        with self.engine.connect() as connection:
            return set(connection.execute(select(Breakdown.rule_code).distinct()).scalars())


@pytest.fixture
def ground(engine: Engine, tmp_path: Path) -> Ground:
    ground = Ground(engine, tmp_path)
    ground.full()
    return ground


def test_a_street_is_scored_by_its_own_version_and_nobody_else_is(ground: Ground) -> None:
    before = ground.scores()
    ground.adjust("street_a", "weights: {lectures: 65, vanguard: 35}\nlights: {yellow: 95}")
    ground.full()
    after = ground.scores()
    adjusted = {name for name, row in after.items() if row[2]}
    assert adjusted == {"street_a", "branch_a1", "branch_a2"}
    for name in before.keys() - adjusted:
        assert after[name] == before[name]
    for name in adjusted:
        assert after[name][2] == "strength-street_a"
        assert after[name][3:] == (round(before[name][0] * 1e9), before[name][1])
    assert after["branch_a1"][0] == pytest.approx(0.65 * 100 + 0.35 * 50)
    assert (before["branch_a1"][1], after["branch_a1"][1]) == ("green", "yellow")
    # The street rolls up its branches as adjusted; the district, above it, as they are by the base rule.
    assert after["street_a"][0] == pytest.approx((after["branch_a1"][0] + after["branch_a2"][0]) / 2)
    assert {"strength", "strength-street_a"} <= ground.parts()


def test_a_partial_run_gives_what_a_full_run_gives(ground: Ground) -> None:
    ground.adjust("district", "weights: {lectures: 55, vanguard: 45}")
    ground.adjust("street_a", "lights: {yellow: 95, orange: 75}")
    ground.full()
    with unit_of_work(ground.engine, system_actor("tests")) as session:
        for name in ("branch_a2", "branch_b1"):
            branch = session.get_one(Organization, ground.ids[name])
            session.add(
                factories.meeting(
                    organization=branch, kind="lecture", status="held", held_on=date(date.today().year, 1, 3)
                )
            )
    assert refresh(ground.engine, ground.library) > 0
    partial = ground.scores()
    with ground.engine.connect() as connection:
        extents = connection.execute(select(Run.extent).order_by(Run.id.desc())).scalars().all()
    assert Extent.PARTIAL in extents
    ground.full()
    assert ground.scores() == partial
    # The nearest comes last, and what it does not change is the district's.
    assert partial["branch_a1"][2] == "strength-district strength-street_a"
    assert partial["branch_b1"][2] == "strength-district"
    assert partial["branch_a2"][0] == pytest.approx(50.0)


def test_a_change_of_the_base_rule_puts_what_no_longer_fits_out_of_force(ground: Ground) -> None:
    base = ground.scores()
    ground.adjust("street_a", "weights: {lectures: 65, vanguard: 35}")
    ground.full()
    assert ground.scores()["branch_a1"][2]
    # It survives a change that leaves room for it …
    ground.write("indices/strength", (STRENGTH + ADJUSTABLE).replace('"< 60"', '"< 50"'))
    ground.library.refresh()
    ground.full()
    assert ground.scores()["branch_a1"][2]
    # … and says why it does not fit where there is none.
    ground.write("indices/strength", STRENGTH + "adjustable: {weight: ±5%, lights: stricter}\n")
    ground.library.refresh()
    [problem, *_] = ground.library.adjustments().problems_of("strength-street_a")
    assert (problem.line, problem.path) == (4, "weights.lectures")
    assert "57 到 63" in problem.label.zh
    ground.full()
    assert ground.scores() == base
    assert "strength-street_a" not in ground.parts()


def test_a_version_counts_from_its_day(ground: Ground) -> None:
    ground.adjust("street_a", "lights: {yellow: 90}")
    ground.adjust("street_a", f"lights: {{yellow: 99}}\neffective_from: {date.today().year + 1}-01-01")
    index = ground.library.rule("strength")
    [now] = ground.library.adjustments_of(index, date.today())
    [later] = ground.library.adjustments_of(index, date(date.today().year + 1, 2, 1))
    assert (now.edges, later.edges) == ({"yellow": 90.0}, {"yellow": 99.0})
