"""Drafts: nobody's work is overwritten, those who work on one rule see each other, and faults are told in place."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.database.clock import now
from app.entity.labels import UserError
from app.rules.library import RuleLibrary
from app.workshop import drafts
from app.workshop.models import DraftPresence, DraftState

People = dict[str, int]


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


def test_a_draft_begins_with_the_text_in_force(session: Session, library: RuleLibrary, people: People) -> None:
    draft = drafts.start(session, people["li"], "strength", library)
    assert draft.source_text == library.rule("strength").source_text
    assert draft.base_version == library.rule("strength").version
    assert drafts.start(session, people["li"], "strength", library).id == draft.id
    assert drafts.start(session, people["wang"], "strength", library).id != draft.id


def test_of_two_changes_on_one_revision_the_second_is_refused_and_told(
    session: Session, other_session: Session, library: RuleLibrary, people: People
) -> None:
    draft = drafts.start(session, people["li"], "strength", library)
    drafts.share(session, draft, people["wang"])
    session.commit()
    theirs = drafts.draft_for(other_session, draft.id, people["wang"])
    assert theirs is not None
    other_session.commit()
    first = changed(draft.source_text, "weight: 60", "weight: 50")
    drafts.save(session, draft, people["li"], 1, first)
    with pytest.raises(drafts.DraftChanged, match="li在") as refused:
        drafts.save(other_session, theirs, people["wang"], 1, "index: other")
    assert refused.value.draft.source_text == first
    drafts.save(other_session, theirs, people["wang"], 2, changed(first, "weight: 40", "weight: 50"))
    session.rollback()
    session.refresh(draft)
    assert (draft.revision, draft.source_text.count("weight: 50")) == (3, 2)


def test_a_draft_is_opened_by_its_author_and_those_it_is_shared_with(
    session: Session, library: RuleLibrary, people: People
) -> None:
    draft = drafts.start(session, people["li"], "strength", library)
    assert drafts.draft_for(session, draft.id, people["wang"]) is None
    drafts.share(session, draft, people["wang"])
    assert drafts.draft_for(session, draft.id, people["wang"]) is draft
    assert [each.id for each in drafts.drafts_of(session, people["wang"])] == [draft.id]
    drafts.unshare(session, draft, people["wang"])
    assert drafts.drafts_of(session, people["wang"]) == []


def test_those_who_have_it_open_are_seen_for_a_while(session: Session, library: RuleLibrary, people: People) -> None:
    draft = drafts.start(session, people["li"], "strength", library)
    other = drafts.start(session, people["zhao"], "strength", library)
    drafts.be_present(session, draft, people["li"])
    drafts.be_present(session, draft, people["wang"], "tree[0]")
    drafts.be_present(session, draft, people["wang"], "tree[1]")
    drafts.be_present(session, other, people["zhao"], "lights")
    seen = {each.name: each.place for each in drafts.others_present(session, draft, people["li"])}
    assert seen == {"wang": "tree[1]", "zhao": None}
    session.execute(update(DraftPresence).values(seen_at=now() - drafts.PRESENT_FOR - timedelta(seconds=1)))
    assert drafts.others_present(session, draft, people["li"]) == []


def test_faults_are_told_with_their_place(session: Session, library: RuleLibrary, people: People) -> None:
    draft = drafts.start(session, people["li"], "strength", library)
    text = changed(draft.source_text, "value: lectures, score", "value: lecture, score")
    drafts.save(session, draft, people["li"], 1, text)
    candidate = drafts.candidate_of(draft, library)
    assert candidate.rule is None
    assert [problem.path for problem in candidate.problems if not problem.is_hint] == ["tree[0].value"]
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "value: lecture," in each)
    assert candidate.problems[0].line == line
    with pytest.raises(UserError, match="还有错误"):
        drafts.submit(session, draft, people["li"], draft.revision, "改一改", library)


def test_what_it_would_break_in_other_rules_is_told(session: Session, library: RuleLibrary, people: People) -> None:
    (library.rules_dir / "indices/strength.yaml").write_text(
        library.rule("strength").source_text.replace(
            "vanguard: {average: index, of: vanguard}", "vanguard: {average: index, of: vanguard.study}"
        )
    )
    library.refresh()
    draft = drafts.start(session, people["li"], "vanguard", library)
    assert drafts.candidate_of(draft, library).is_whole
    drafts.save(session, draft, people["li"], 1, changed(draft.source_text, "code: study,", "code: learning,"))
    candidate = drafts.candidate_of(draft, library)
    assert candidate.rule is not None
    assert not candidate.is_whole
    assert [problem.file for problem in candidate.broken] == ["indices/strength.yaml"]


def test_a_cycle_through_the_draft_is_told(session: Session, library: RuleLibrary, people: People) -> None:
    draft = drafts.start(session, people["li"], "vanguard", library)
    metric = "  circle: {average: index, of: strength, via: organization}\n"
    text = changed(draft.source_text, "tree:", f"{metric}tree:").replace("value: hours", "value: hours + circle")
    drafts.save(session, draft, people["li"], 1, text)
    assert drafts.candidate_of(draft, library).rule is None


def test_a_new_rule_needs_a_free_code(session: Session, library: RuleLibrary, people: People) -> None:
    with pytest.raises(UserError, match="已经有规则"):
        drafts.start_new(session, people["li"], "index", "strength", "index: strength\n", library)
    draft = drafts.start_new(session, people["li"], "warning", "fresh", "warning: fresh\n", library)
    assert draft.base_version is None


def test_submission_wants_a_reason_and_a_difference(session: Session, library: RuleLibrary, people: People) -> None:
    draft = drafts.start(session, people["li"], "strength", library)
    with pytest.raises(UserError, match="理由"):
        drafts.submit(session, draft, people["li"], 1, " ", library)
    with pytest.raises(UserError, match="没有差别"):
        drafts.submit(session, draft, people["li"], 1, "试试", library)
    drafts.save(session, draft, people["li"], 1, changed(draft.source_text, '"< 60"', '"< 65"'))
    drafts.submit(session, draft, people["li"], 2, "从严", library)
    assert draft.state == DraftState.SUBMITTED
    with pytest.raises(UserError, match="待审批"):
        drafts.save(session, draft, people["li"], 3, "index: strength")
    drafts.withdraw(session, draft, people["li"])
    assert draft.state == DraftState.EDITING
    drafts.withdraw(session, draft, people["li"])
    assert draft.state == DraftState.WITHDRAWN
    assert drafts.drafts_of(session, people["li"]) == []


def test_a_draft_whose_rule_moved_on_says_so(session: Session, library: RuleLibrary, people: People) -> None:
    draft = drafts.start(session, people["li"], "strength", library)
    assert not drafts.is_stale(draft, library)
    path = library.rules_dir / "indices/strength.yaml"
    path.write_text(path.read_text().replace('"< 60"', '"< 55"'))
    library.refresh()
    assert drafts.is_stale(draft, library)
    drafts.rebase(session, draft, people["li"], 1, library, library.rule("strength").source_text)
    assert not drafts.is_stale(draft, library)
