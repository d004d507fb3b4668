"""Frozen cases hold for the rule that made them and fail for another; coverage tells what nothing reaches."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.access.actor import system_actor
from app.entity.labels import UserError
from app.evaluation.progress import Progress
from app.evaluation.running import Request, evaluate
from app.rules.library import RuleLibrary
from app.rules.model import Index
from app.workshop import drafts
from app.workshop.cases import run_draft_cases
from app.workshop.coverage import coverage
from app.workshop.dry_run import dry_run
from app.workshop.freezing import frozen_case


@pytest.fixture
def evaluated(engine: Engine, library: RuleLibrary, tree: dict[str, int]) -> dict[str, int]:
    evaluate(engine, library, Request(), progress=Progress())
    return tree


def period_of(engine: Engine, library: RuleLibrary, code: str = "strength") -> str:
    return dry_run(engine, library, library.rule(code), actor=system_actor("tests"), scope=None).period


def frozen(session: Session, engine: Engine, library: RuleLibrary, code: str, subject: int) -> str:
    return frozen_case(session, engine, library, code, period_of(engine, library, code), subject, name="一个支部")


def test_a_frozen_case_names_nobody_and_holds(
    session: Session, engine: Engine, library: RuleLibrary, evaluated: dict[str, int], people: dict[str, int]
) -> None:
    case = frozen(session, engine, library, "strength", evaluated["branch_a1"])
    session.commit()
    for word in ("A1", "支部", "branch_a1"):
        assert word not in case.replace("一个支部", "")
    draft = drafts.start(session, people["li"], "strength", library)
    drafts.save_tests(session, draft, people["li"], draft.revision, case)
    run = run_draft_cases(draft, library)
    assert (run.cases, run.failed, [str(each.label) for each in run.problems]) == (1, 0, [])
    text = draft.source_text.replace("weight: 60", "weight: 20").replace("weight: 40", "weight: 80")
    drafts.save(session, draft, people["li"], draft.revision, text)
    assert run_draft_cases(draft, library).failed == 1


def test_members_and_warnings_can_be_frozen_too(
    session: Session, engine: Engine, library: RuleLibrary, evaluated: dict[str, int], people: dict[str, int]
) -> None:
    cases = frozen(session, engine, library, "vanguard", evaluated["member"])
    session.commit()
    draft = drafts.start(session, people["li"], "vanguard", library)
    drafts.save_tests(session, draft, people["li"], draft.revision, cases)
    assert (run_draft_cases(draft, library).cases, run_draft_cases(draft, library).problems) == (1, [])


def test_a_score_of_those_below_is_not_frozen(
    session: Session, engine: Engine, library: RuleLibrary, evaluated: dict[str, int]
) -> None:
    with pytest.raises(UserError, match="下级"):
        frozen(session, engine, library, "strength", evaluated["street_a"])


def test_coverage_tells_what_neither_tests_nor_subjects_reach(
    session: Session, engine: Engine, library: RuleLibrary, evaluated: dict[str, int], people: dict[str, int]
) -> None:
    draft = drafts.start(session, people["li"], "strength", library)
    text = (
        draft.source_text.replace("score: {target: 4}}", "score: {bands: [[0, 0], [1, 25], [3, 75], [4, 100]]}}")
        + "veto: [{code: never, label: 从不, when: lectures > 99, cap: 10}]\n"
    )
    drafts.save(session, draft, people["li"], draft.revision, text)
    drafts.save_tests(
        session,
        draft,
        people["li"],
        draft.revision,
        "- given: {organization: {code: A1, tier: branch}, warning: []}\n"
        "  index: strength\n  as_of: 2026-09-30\n  expect: {lectures: 0}\n",
    )
    tests = run_draft_cases(draft, library)
    assert tests.problems == []
    rule = drafts.candidate_of(draft, library).rule
    assert isinstance(rule, Index)
    found = {
        (part.kind, part.code): (part.by_tests, part.by_subjects) for part in coverage(rule, tests, engine, library)
    }
    assert found["node", "lectures"] == (True, True)
    assert found["node", "vanguard"] == (False, True)
    assert found["band", "lectures:0"] == (True, True)
    assert found["band", "lectures:3"] == (False, False)
    assert found["band", "lectures:4"] == (False, True)
    assert found["veto", "never"] == (False, False)
    assert found["light", "red"] == (True, True)
    assert found["light", "green"] == (False, True)
