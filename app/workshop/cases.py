"""The tests of a draft: the folder's cases of its rule, and those that the draft adds."""

from __future__ import annotations

import hashlib

from app.entity.registry import Registry, registry
from app.rules.library import RuleLibrary
from app.rules.testing import DRAFT_CASES, TestRun, read_cases, run_cases, with_adjusted

from .drafts import candidate_of
from .models import Draft

REMEMBERED = 16
_remembered: dict[str, TestRun] = {}


def run_draft_cases(draft: Draft, library: RuleLibrary, entities: Registry = registry) -> TestRun:
    """Run every case of the draft's rule against the draft; nothing is run while it has faults. What came out lately is
    remembered: whoever decides looks at the same texts more than once."""
    rule = candidate_of(draft, library, entities).rule
    if rule is None:
        return TestRun()
    contents = read_cases(library.rules_dir)
    if draft.tests_text.strip():
        contents[DRAFT_CASES] = draft.tests_text.encode()
    key = hashlib.sha256(
        repr((rule.version, library.version(), entities.version, sorted(contents.items()))).encode()
    ).hexdigest()
    run = _remembered.get(key)
    if run is None:
        run = run_cases(contents, with_adjusted(library.rules(), {rule.code: rule}), (), entities, only=rule.code)
        _remembered[key] = run
        while len(_remembered) > REMEMBERED:
            _remembered.pop(next(iter(_remembered)), None)
    return run
