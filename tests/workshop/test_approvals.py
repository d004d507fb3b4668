"""Approval by a second person, publication as a whole or not at all, rollback, and files changed by hand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from app.access.actor import system_actor
from app.database.clock import today
from app.database.session import unit_of_work
from app.entity.labels import UserError
from app.evaluation.models import RuleVersion
from app.rules.library import RuleLibrary
from app.workshop import approvals, drafts
from app.workshop.models import Draft, DraftState

People = dict[str, int]


@pytest.fixture
def submitted(session: Session, engine: Engine, library: RuleLibrary, people: People) -> Draft:
    """Li's draft with other weights and a stricter light."""
    approvals.take_up_files(engine, library)
    draft = drafts.start(session, people["li"], "strength", library)
    text = draft.source_text.replace("weight: 60", "weight: 50").replace("weight: 40", "weight: 50")
    text = text.replace('red: "< 60"', 'red: "< 65"')
    drafts.save(session, draft, people["li"], 1, text)
    return drafts.submit(session, draft, people["li"], 2, "突出先锋", library)


def versions(engine: Engine, code: str = "strength") -> list[RuleVersion]:
    with unit_of_work(engine, system_actor("tests"), writes=False) as session:
        wanted = select(RuleVersion).where(RuleVersion.rule_code == code).order_by(RuleVersion.number)
        return list(session.scalars(wanted))


def test_a_second_person_approves_and_it_is_in_force(
    session: Session, engine: Engine, library: RuleLibrary, people: People, submitted: Draft, tmp_path: Path
) -> None:
    elsewhere = RuleLibrary(library.rules_dir, tmp_path / "elsewhere")
    elsewhere.rules()
    approvals.approve(session, submitted, people["wang"], submitted.revision, library)
    approvals.publish(engine, submitted.id, library)
    session.refresh(submitted)
    assert submitted.state == DraftState.PUBLISHED
    assert library.rule("strength").source_text == submitted.source_text
    elsewhere.refresh()
    assert elsewhere.rule("strength").version == submitted.published_version
    newest = versions(engine)[-1]
    assert (newest.number, newest.author_id, newest.approver_id) == (2, people["li"], people["wang"])
    assert newest.reason == "突出先锋"
    assert newest.words_zh == "党课 60 → 50 分；先锋 40 → 50 分；红灯 60 → 65"
    assert newest.previous == versions(engine)[0].version


def test_nobody_approves_what_they_worked_on(
    session: Session, library: RuleLibrary, people: People, submitted: Draft
) -> None:
    drafts.share(session, submitted, people["zhao"])
    for name in ("li", "zhao"):
        with pytest.raises(UserError, match="另一个人"):
            approvals.approve(session, submitted, people[name], submitted.revision, library)
    with pytest.raises(UserError, match="另一个人"):
        approvals.reject(session, submitted, people["li"], submitted.revision, "不行")


def test_of_two_decisions_one_wins(
    session: Session, other_session: Session, library: RuleLibrary, people: People, submitted: Draft
) -> None:
    theirs = other_session.get_one(Draft, submitted.id)
    other_session.commit()
    revision = submitted.revision
    session.commit()
    approvals.approve(session, submitted, people["wang"], revision, library)
    with pytest.raises(UserError, match="wang处理"):
        approvals.reject(other_session, theirs, people["zhao"], revision, "不行")


def test_what_was_changed_after_it_was_looked_at_is_not_approved(
    session: Session, library: RuleLibrary, people: People, submitted: Draft
) -> None:
    seen = submitted.revision
    drafts.withdraw(session, submitted, people["li"])
    drafts.save(session, submitted, people["li"], submitted.revision, submitted.source_text.replace("< 65", "< 69"))
    drafts.submit(session, submitted, people["li"], submitted.revision, "再严些", library)
    with pytest.raises(UserError, match="重新打开"):
        approvals.approve(session, submitted, people["wang"], seen, library)


def test_sent_back_with_a_reason(session: Session, library: RuleLibrary, people: People, submitted: Draft) -> None:
    with pytest.raises(UserError, match="理由"):
        approvals.reject(session, submitted, people["wang"], submitted.revision, "  ")
    approvals.reject(session, submitted, people["wang"], submitted.revision, "先试一个街道")
    assert (submitted.state, submitted.decision_reason) == (DraftState.REJECTED, "先试一个街道")
    drafts.save(session, submitted, people["li"], submitted.revision, submitted.source_text + "# 改\n")


def test_a_failing_test_blocks_until_a_reason_answers_for_it(
    session: Session, engine: Engine, library: RuleLibrary, people: People, submitted: Draft
) -> None:
    (library.rules_dir / "tests").mkdir()
    (library.rules_dir / "tests/strength.yaml").write_text(
        "- given: {organization: {code: A1, tier: branch}}\n"
        "  index: strength\n  as_of: 2026-09-30\n  expect: {lectures: 100}\n",
        encoding="utf-8",
    )
    with pytest.raises(UserError, match="1 个测试不通过"):
        approvals.approve(session, submitted, people["wang"], submitted.revision, library)
    approvals.approve(session, submitted, people["wang"], submitted.revision, library, override="用例已过时")
    approvals.publish(engine, submitted.id, library)
    assert versions(engine)[-1].override_reason == "用例已过时"


def test_cases_of_the_draft_are_run_and_join_the_rules_tests(
    session: Session, engine: Engine, library: RuleLibrary, people: People, submitted: Draft
) -> None:
    case = (
        "- given:\n    organization: {code: A1, tier: branch}\n"
        "    meeting: [{kind: lecture, status: held, held_on: 2026-03-01},"
        " {kind: lecture, status: held, held_on: 2026-04-01}]\n"
        "  index: strength\n  as_of: 2026-09-30\n  expect: {党课: 50}\n"
    )
    drafts.withdraw(session, submitted, people["li"])
    drafts.save_tests(session, submitted, people["li"], submitted.revision, case)
    drafts.submit(session, submitted, people["li"], submitted.revision, "加测试", library)
    with pytest.raises(UserError, match="测试不通过"):
        approvals.approve(session, submitted, people["wang"], submitted.revision, library)
    drafts.withdraw(session, submitted, people["li"])
    good = case.replace("{党课: 50}", "{lectures: 50, score: 50}")
    drafts.save_tests(session, submitted, people["li"], submitted.revision, good)
    drafts.submit(session, submitted, people["li"], submitted.revision, "加测试", library)
    tests = approvals.approve(session, submitted, people["wang"], submitted.revision, library)
    assert (tests.cases, tests.failed) == (1, 0)
    approvals.publish(engine, submitted.id, library)
    assert (library.rules_dir / "tests/strength.yaml").read_text(encoding="utf-8") == good


def test_publication_waits_for_its_day(
    session: Session, engine: Engine, library: RuleLibrary, people: People, submitted: Draft
) -> None:
    before = library.rule("strength").version
    tomorrow = today() + timedelta(days=1)
    approvals.approve(session, submitted, people["wang"], submitted.revision, library, publish_on=tomorrow)
    assert approvals.publish_due(engine, library) == 0
    assert library.rule("strength").version == before
    session.execute(update(Draft).values(publish_on=today()))
    session.commit()
    assert approvals.publish_due(engine, library) == 1
    assert library.rule("strength").version != before


@pytest.mark.parametrize("moment", ["before the file", "after the file"])
def test_a_crash_leaves_the_old_or_the_new_and_is_mended(
    session: Session,
    engine: Engine,
    library: RuleLibrary,
    people: People,
    submitted: Draft,
    moment: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class PowerCut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise PowerCut

    old = library.rule("strength").source_text
    approvals.approve(session, submitted, people["wang"], submitted.revision, library)
    with monkeypatch.context() as patch:
        if moment == "before the file":
            patch.setattr(approvals, "write_rule", cut)
        else:
            patch.setattr(
                library,
                "refresh",
                lambda: (
                    approvals.version_on_disk(library.rules_dir, "index", "strength") == submitted.published_version
                    or True
                ),
            )
            written = approvals.write_rule
            patch.setattr(approvals, "write_rule", lambda *arguments: (written(*arguments), cut()))
        with pytest.raises(PowerCut):
            approvals.publish(engine, submitted.id, library)
    found = (library.rules_dir / "indices/strength.yaml").read_text(encoding="utf-8")
    assert found == (old if moment == "before the file" else submitted.source_text)
    session.refresh(submitted)
    assert submitted.state == DraftState.PUBLISHING
    session.commit()
    assert approvals.recover(engine, library) == 1
    session.refresh(submitted)
    assert submitted.state == DraftState.PUBLISHED
    assert library.rule("strength").source_text == submitted.source_text
    assert [each.number for each in versions(engine)] == [1, 2]
    assert not list(library.rules_dir.rglob(".*"))


def test_a_file_changed_while_the_draft_was_open_is_not_overwritten(
    session: Session, engine: Engine, library: RuleLibrary, people: People, submitted: Draft
) -> None:
    path = library.rules_dir / "indices/strength.yaml"
    revision = submitted.revision
    approvals.approve(session, submitted, people["wang"], revision, library)
    by_hand = path.read_text(encoding="utf-8").replace('"< 60"', '"< 50"')
    path.write_text(by_hand, encoding="utf-8")
    with pytest.raises(UserError, match="文件已被改动"):
        approvals.publish(engine, submitted.id, library)
    session.refresh(submitted)
    assert submitted.state == DraftState.REJECTED
    assert path.read_text(encoding="utf-8") == by_hand


def test_a_changed_file_becomes_a_version_with_its_words(engine: Engine, library: RuleLibrary) -> None:
    assert approvals.take_up_files(engine, library) == 3
    path = library.rules_dir / "indices/strength.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("weight: 60", "weight: 55").replace("weight: 40", "weight: 45"),
        encoding="utf-8",
    )
    library.refresh()
    assert approvals.take_up_files(engine, library) == 1
    assert (versions(engine)[-1].cause, versions(engine)[-1].words_zh) == ("file", "党课 60 → 55 分；先锋 40 → 45 分")
    path.write_text("index: strength\ntree: nonsense\n", encoding="utf-8")
    library.refresh()
    assert approvals.take_up_files(engine, library) == 0


def test_a_rollback_is_a_new_version_with_a_reason(
    session: Session, engine: Engine, library: RuleLibrary, people: People, submitted: Draft
) -> None:
    approvals.approve(session, submitted, people["wang"], submitted.revision, library)
    approvals.publish(engine, submitted.id, library)
    session.commit()
    first = versions(engine)[0]
    with pytest.raises(UserError, match="理由"):
        approvals.roll_back(session, engine, first.version, people["zhao"], "", library)
    approvals.roll_back(session, engine, first.version, people["zhao"], "效果不好", library)
    newest = versions(engine)[-1]
    assert (newest.number, newest.cause, newest.reason) == (3, "rollback", "效果不好")
    assert newest.words_zh == "党课 50 → 60 分；先锋 50 → 40 分；红灯 65 → 60"
    assert library.rule("strength").version == newest.version
    assert newest.source_text.startswith(first.source_text)
    session.commit()
    with pytest.raises(UserError, match="现行版本"):
        approvals.roll_back(session, engine, newest.version, people["zhao"], "再来", library)
