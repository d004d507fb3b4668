"""The tests of a draft: the folder's cases of its rule, and those that the draft adds."""

from __future__ import annotations

from app.entity.registry import Registry, registry
from app.rules.library import RuleLibrary
from app.rules.testing import DRAFT_CASES, TestRun, read_cases, run_cases

from .drafts import candidate_of
from .models import Draft


def run_draft_cases(draft: Draft, library: RuleLibrary, entities: Registry = registry) -> TestRun:
    """Run every case of the draft's rule against the draft; nothing is run while it has faults."""
    rule = candidate_of(draft, library, entities).rule
    if rule is None:
        return TestRun()
    contents = read_cases(library.rules_dir)
    if draft.tests_text.strip():
        contents[DRAFT_CASES] = draft.tests_text.encode()
    rules = {**library.rules(), rule.code: rule}
    return run_cases(contents, rules, (), entities, only=rule.code)
