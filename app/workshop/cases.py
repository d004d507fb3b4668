"""The tests of a draft: the folder's cases of its rule, and those that the draft adds."""

from __future__ import annotations

import hashlib
import threading

from app.entity.registry import Registry, registry
from app.rules.library import RuleLibrary
from app.rules.model import Rule
from app.rules.testing import DRAFT_CASES, TestRun, read_cases, run_cases, with_adjusted

from .drafts import candidate_of
from .models import Draft

REMEMBERED = 16
_remembered: dict[str, TestRun] = {}
_one_at_a_time = threading.Lock()


def known_outcome(draft: Draft, library: RuleLibrary, entities: Registry = registry) -> TestRun | None:
    """What the draft's cases came to lately; None where they have to be run, which takes half a second a case."""
    rule = candidate_of(draft, library, entities).rule
    if rule is None:
        return TestRun()
    return _remembered.get(_key(rule, _contents(draft, library), library, entities))


def run_draft_cases(draft: Draft, library: RuleLibrary, entities: Registry = registry) -> TestRun:
    """Run every case of the draft's rule against the draft; nothing is run while it has faults. What came out lately is
    remembered: whoever decides looks at the same texts more than once."""
    rule = candidate_of(draft, library, entities).rule
    if rule is None:
        return TestRun()
    contents = _contents(draft, library)
    key = _key(rule, contents, library, entities)
    with _one_at_a_time:  # whoever approves while the page still runs them waits for what it finds
        run = _remembered.get(key)
        if run is None:
            run = run_cases(contents, with_adjusted(library.rules(), {rule.code: rule}), (), entities, only=rule.code)
            _remembered[key] = run
            while len(_remembered) > REMEMBERED:
                _remembered.pop(next(iter(_remembered)), None)
    return run


def _contents(draft: Draft, library: RuleLibrary) -> dict[str, bytes]:
    contents = read_cases(library.rules_dir)
    if draft.tests_text.strip():
        contents[DRAFT_CASES] = draft.tests_text.encode()
    return contents


def _key(rule: Rule, contents: dict[str, bytes], library: RuleLibrary, entities: Registry) -> str:
    """Changes with whatever the outcome depends on."""
    return hashlib.sha256(
        repr((rule.version, library.version(), entities.version, sorted(contents.items()))).encode()
    ).hexdigest()
