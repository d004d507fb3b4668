"""A small district with rules of its own, and helpers to evaluate it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from app.access.actor import system_actor
from app.database.session import unit_of_work
from app.domains.organizations.models import Organization
from app.evaluation import changes
from app.evaluation.models import IN_FORCE, Score, WarningState
from app.evaluation.progress import Progress
from app.evaluation.running import Outcome, Request, evaluate
from app.rules.library import RuleLibrary
from tests import factories

STRENGTH = """
index: strength
label: {zh: 强度, en: Strength}
subject: organization
applies_to: {tier: branch}
period: year
peers: unit_type
metrics:
  lectures: {count: meeting, where: {kind: lecture, status: held}, window: period}
  vanguard: {average: index, of: vanguard}
  red: {count: warning, where: {level: red}}
tree:
  - {code: lectures, label: 党课, weight: 60, value: lectures, score: {target: 4}}
  - {code: vanguard, label: 先锋, weight: 40, value: vanguard, missing: skip}
penalty: [{code: reds, label: 红灯, value: red, each: 5}]
roll_up: {own: 0.3, children: 0.7}
lights: {red: "< 60", orange: "< 70", yellow: "< 80", green: ">= 80"}
"""
VANGUARD = """
index: vanguard
label: {zh: 先锋, en: Vanguard}
subject: member
period: year
metrics:
  hours: {sum: study_record, of: hours, window: period}
tree:
  - {code: study, label: 学习, value: hours, score: {target: 32}}
lights: {red: "< 60", yellow: "< 80", green: ">= 80"}
"""
TERM = """
warning: term
label: {zh: 换届到期, en: Term expiry}
subject: organization
applies_to: {tier: branch}
value: days_until(term_ends_on)
levels: {yellow: "<= 180", orange: "<= 60", red: "< 0"}
"""


@pytest.fixture(autouse=True)
def marking() -> None:
    changes.install()


@pytest.fixture
def rules_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    (folder / "indices").mkdir(parents=True)
    (folder / "warnings").mkdir()
    (folder / "indices/strength.yaml").write_text(STRENGTH, encoding="utf-8")
    (folder / "indices/vanguard.yaml").write_text(VANGUARD, encoding="utf-8")
    (folder / "warnings/term.yaml").write_text(TERM, encoding="utf-8")
    return folder


@pytest.fixture
def library(rules_dir: Path, tmp_path: Path) -> RuleLibrary:
    return RuleLibrary(rules_dir, tmp_path / "data")


def fill(engine: Engine) -> dict[str, int]:
    """The factories' tree, with lectures: a1 has 4 this year, a2 has 1, b1 and b2 none; ids by name."""
    year = date.today().year
    with unit_of_work(engine, system_actor("tests")) as session:
        tree = factories.tree()
        session.add_all(tree.values())
        for number in range(4):
            session.add(
                factories.meeting(
                    organization=tree["branch_a1"], kind="lecture", status="held", held_on=date(year, 1, 2 + number)
                )
            )
        session.add(
            factories.meeting(organization=tree["branch_a2"], kind="lecture", status="held", held_on=date(year, 1, 2))
        )
        member = factories.member(organization=tree["branch_a1"])
        session.add(member)
        session.add(factories.study_record(member=member, hours=16, completed_on=date(year, 1, 5)))
        session.flush()
        return {name: row.id for name, row in tree.items()} | {"member": member.id}


@pytest.fixture
def tree(engine: Engine) -> dict[str, int]:
    return fill(engine)


Run = Callable[..., list[Outcome]]


@pytest.fixture
def run(engine: Engine, library: RuleLibrary) -> Run:
    def run(*codes: str, **asked: object) -> list[Outcome]:
        return evaluate(engine, library, Request(codes or None, **asked), progress=Progress())

    return run


def scores(engine: Engine, rule: str = "strength") -> dict[int, tuple[float | None, str]]:
    """(score, light) in force by subject."""
    with engine.connect() as connection:
        rows = connection.execute(
            select(Score.subject_id, Score.score, Score.light).where(
                Score.rule_code == rule, Score.until_run_id == IN_FORCE
            )
        ).all()
    assert len(rows) == len({row[0] for row in rows})
    return {subject: (score, light) for subject, score, light in rows}


def levels(engine: Engine) -> dict[tuple[str, int], str]:
    """Standing levels by rule and subject; those that say nothing left out."""
    with engine.connect() as connection:
        rows = connection.execute(
            select(WarningState.rule_code, WarningState.subject_id, WarningState.light).where(
                WarningState.until_run_id == IN_FORCE, WarningState.light != "no_data"
            )
        )
        return {(rule, subject): light for rule, subject, light in rows}


def change(engine: Engine, organization: int, **values: object) -> None:
    """Change an organization's record as a person would, and commit."""
    with unit_of_work(engine, system_actor("tests")) as session:
        row = session.get_one(Organization, organization)
        for name, value in values.items():
            setattr(row, name, value)
