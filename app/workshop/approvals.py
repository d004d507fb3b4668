"""Approval by a second person, publication at once or on a date, rollback, and what a crash leaves to be done.

The database is written first: the version, who answers for it, and the draft as *being published*, in one transaction.
Then the file is put in place as a whole, then the draft is *published*. A crash in between leaves the old file or the
new one; ``recover`` carries on. The lease of the rule keeps two publications of one rule apart.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Engine, delete, exists, select, update
from sqlalchemy.orm import Session

from app.access.actor import system_actor
from app.access.permissions import APPROVE_ADJUSTMENTS, APPROVE_INDICES, APPROVE_WARNINGS, Permission
from app.database.clock import now, today
from app.database.session import unit_of_work
from app.entity.labels import UserError
from app.evaluation.leases import LeaseTaken, lease
from app.evaluation.models import RuleVersion, Run, VersionCause
from app.evaluation.versions import Answering, record_version
from app.rules.candidate import ADJUSTMENT
from app.rules.library import RuleLibrary
from app.rules.parsing import content_version
from app.rules.testing import TestRun

from .cases import run_draft_cases
from .drafts import candidate_of, is_stale, name_of
from .models import Draft, DraftShare, DraftState
from .rule_files import add_cases, version_on_disk, write_rule

LEASE_SECONDS = 20.0
_PUBLISHABLE = (DraftState.SCHEDULED, DraftState.SUBMITTED)


def permission_for(kind: str) -> Permission:
    """Who may approve an index, a warning or an adjustment."""
    return {"index": APPROVE_INDICES, ADJUSTMENT: APPROVE_ADJUSTMENTS}.get(kind, APPROVE_WARNINGS)


def waiting(session: Session, kinds: list[str]) -> list[Draft]:
    """The drafts of these kinds that wait for approval, oldest first."""
    wanted = select(Draft).where(Draft.state == DraftState.SUBMITTED, Draft.rule_kind.in_(kinds))
    return list(session.scalars(wanted.order_by(Draft.submitted_at, Draft.id)))


def may_decide(session: Session, draft: Draft, user_id: int) -> bool:
    """Whether a user had no hand in a draft. Permission is asked for beside this."""
    shared = session.get(DraftShare, (draft.id, user_id)) is not None
    return user_id not in (draft.author_id, draft.submitted_by_id, draft.changed_by_id) and not shared


def reject(session: Session, draft: Draft, user_id: int, revision: int, reason: str) -> Draft:
    """Send a draft back to its authors. Raises UserError without a reason, for an author, or if it was decided."""
    if not reason.strip():
        raise UserError("退回要写明理由", "Say why it is sent back")
    _require_second_person(session, draft, user_id)
    _decide(session, draft, user_id, revision, state=DraftState.REJECTED, decision_reason=reason.strip())
    return draft


def approve(
    session: Session,
    draft: Draft,
    user_id: int,
    revision: int,
    library: RuleLibrary,
    *,
    publish_on: date | None = None,
    note: str = "",
    override: str = "",
) -> TestRun:
    """Approve a submitted draft: it is to be published today (call ``publish`` then), or on a later date.

    Raises UserError for an author, for a draft with faults, made from a version that is no longer in force, or with
    failing tests that no ``override`` reason answers for; and if somebody else decided first.
    """
    _require_second_person(session, draft, user_id)
    _require_publishable(draft, library)
    tests = run_draft_cases(draft, library)
    if (tests.failed or tests.problems) and not override.strip():
        raise UserError(
            f"有 {tests.failed} 个测试不通过；确要发布，请写明理由",
            f"{tests.failed} tests fail; to publish all the same, say why",
        )
    day = publish_on if publish_on is not None and publish_on > today() else None
    _decide(
        session,
        draft,
        user_id,
        revision,
        state=DraftState.SCHEDULED,
        publish_on=day or today(),
        decision_reason=note.strip() or None,
        override_reason=override.strip() or None if tests.failed or tests.problems else None,
    )
    return tests


def publish(engine: Engine, draft_id: int, library: RuleLibrary) -> None:
    """Put an approved draft into force. Done twice, it is done once.

    Raises UserError where the draft does not fit what is in force any more: it then goes back to its authors.
    """
    with unit_of_work(engine, system_actor("publication"), writes=False) as session:
        draft = session.get(Draft, draft_id)
        if draft is None or draft.state not in (DraftState.SCHEDULED, DraftState.PUBLISHING):
            return
        code = draft.rule_code
    try:
        with lease(engine, f"publish:{code}", wait_seconds=LEASE_SECONDS):
            if _begin(engine, draft_id, library):
                _finish(engine, draft_id, library)
    except LeaseTaken:
        raise UserError(
            "这条规则的另一个版本正在发布，请稍后再试", "Another version of this rule is being published; try again"
        ) from None


def publish_due(engine: Engine, library: RuleLibrary) -> int:
    """Publish the approved drafts whose day has come; how many there were."""
    with unit_of_work(engine, system_actor("publication"), writes=False) as session:
        due = session.scalars(
            select(Draft.id)
            .where(Draft.state == DraftState.SCHEDULED, Draft.publish_on <= today())
            .order_by(Draft.publish_on, Draft.id)
        ).all()
    for draft_id in due:
        _published_or_sent_back(engine, draft_id, library)
    return len(due)


def recover(engine: Engine, library: RuleLibrary) -> int:
    """Carry on with publications that a crash cut off; how many there were."""
    with unit_of_work(engine, system_actor("publication"), writes=False) as session:
        cut_off = session.scalars(select(Draft.id).where(Draft.state == DraftState.PUBLISHING)).all()
    for draft_id in cut_off:
        _published_or_sent_back(engine, draft_id, library)
    return len(cut_off)


def _published_or_sent_back(engine: Engine, draft_id: int, library: RuleLibrary) -> None:
    try:
        publish(engine, draft_id, library)
    except UserError:
        return  # it says so on the draft


def roll_back(session: Session, engine: Engine, version: str, user_id: int, reason: str, library: RuleLibrary) -> Draft:
    """Bring an earlier version of a rule back, at once, as a version of its own. Raises UserError without a reason, for
    a version that is in force, or for one that does not fit any more."""
    reason = reason.strip()
    if not reason:
        raise UserError("恢复旧版本要写明理由", "Say why the earlier version is brought back")
    earlier = session.get(RuleVersion, version)
    if earlier is None:
        raise UserError("没有这个版本", "There is no such version")
    current = library.known(earlier.rule_code)
    if current is not None and current.version == version:
        raise UserError("这个版本就是现行版本", "This version is in force")
    keys = _first_keys(earlier.source_text)
    kind = next((kind for kind in ("index", ADJUSTMENT) if f"{kind}:" in keys), "warning")
    moment = now()
    draft = Draft(
        author_id=user_id,
        rule_kind=kind,
        rule_code=earlier.rule_code,
        base_version=current.version if current else None,
        source_text=_renewed(earlier.source_text, earlier.number, moment),
        tests_text="",
        state=DraftState.SCHEDULED,
        revision=1,
        restores=version,
        reason=reason,
        created_at=moment,
        changed_at=moment,
        changed_by_id=user_id,
        submitted_by_id=user_id,
        submitted_at=moment,
        decided_by_id=user_id,
        decided_at=moment,
        publish_on=moment.date(),
    )
    _require_publishable(draft, library)
    session.add(draft)
    session.commit()
    publish(engine, draft.id, library)
    session.refresh(draft)
    return draft


def take_up_files(engine: Engine, library: RuleLibrary) -> int:
    """Make versions of rules whose files were changed by hand and are whole; how many were new."""
    in_force = library.rules()
    with unit_of_work(engine, system_actor("rule files"), writes=False) as session:
        known = set(session.scalars(select(RuleVersion.version)))
    rules = [*in_force.values(), *library.adjustments().fitting.values()]
    new = [rule for rule in rules if rule.version not in known]
    if new:
        with unit_of_work(engine, system_actor("rule files")) as session:
            for rule in new:
                record_version(session.connection(), rule)
    return len(new)


# One step each -------------------------------------------------------------------------------------------------------


def _require_second_person(session: Session, draft: Draft, user_id: int) -> None:
    if not may_decide(session, draft, user_id):
        raise UserError(
            "不能审批自己参与修改的草稿，请由另一个人审批",
            "Whoever worked on a draft cannot approve it; ask somebody else",
        )


def _require_publishable(draft: Draft, library: RuleLibrary) -> None:
    library.refresh()
    if is_stale(draft, library):
        raise UserError(
            "草稿提交之后现行规则已经变了（可能有人直接改了文件）。请退回，由作者对照现行版本更新草稿",
            "The rule in force has changed since the draft was begun (perhaps its file was edited). Send it back, so "
            "that its authors bring it up to date",
        )
    if not candidate_of(draft, library).is_whole:
        raise UserError("规则有错误，不能发布", "The rule has faults and cannot be published")


def _decide(session: Session, draft: Draft, user_id: int, revision: int, **values: object) -> None:
    """Decide a submitted draft if nobody else has: asked in the statement that writes."""
    decided = session.execute(
        update(Draft)
        .where(Draft.id == draft.id, Draft.state == DraftState.SUBMITTED, Draft.revision == revision)
        .values(revision=revision + 1, decided_by_id=user_id, decided_at=now(), **values)
        .execution_options(synchronize_session=False)
    ).rowcount
    session.refresh(draft)
    name = name_of(session, draft.decided_by_id)
    session.commit()
    if not decided:
        state = DraftState(draft.state).label
        raise UserError(
            f"这份草稿已经由{name}处理，现在是“{state.zh}”；或者作者又改动了它，请重新打开",
            f"This draft was decided by {name}: {state.en.lower()}; or its authors changed it. Open it again",
        )


def _begin(engine: Engine, draft_id: int, library: RuleLibrary) -> bool:
    """Enter the version and mark the draft as being published, in one transaction. False if there is nothing to do."""
    with unit_of_work(engine, system_actor("publication")) as session:
        draft = session.get_one(Draft, draft_id, populate_existing=True)
        if draft.state not in (DraftState.SCHEDULED, DraftState.PUBLISHING):
            return False
        version = content_version(draft.source_text.encode())
        on_disk = version_on_disk(library.rules_dir, draft.rule_kind, draft.rule_code)
        if on_disk == version and draft.state == DraftState.PUBLISHING:
            return True
        library.refresh()
        candidate = candidate_of(draft, library)
        problem = None
        if on_disk != draft.base_version:
            problem = UserError(
                "发布时发现规则文件已被改动，没有发布；请对照现行版本更新草稿",
                "The rule's file had been changed: it was not published. Bring the draft up to date",
            )
        elif not candidate.is_whole:
            problem = UserError(
                "发布时规则已有错误（它引用的内容可能没有了），没有发布",
                "The rule had faults by then (something it refers to may be gone): it was not published",
            )
        if problem is None:
            assert candidate.rule is not None
            rolled_back = draft.restores is not None
            record_version(
                session.connection(),
                candidate.rule,
                Answering(
                    VersionCause.ROLLBACK if rolled_back else VersionCause.WORKSHOP,
                    draft.author_id,
                    draft.decided_by_id,
                    draft.reason,
                    draft.override_reason,
                ),
            )
            draft.state = DraftState.PUBLISHING
            draft.published_version = version
        else:
            if draft.published_version is not None:  # entered, and then its file never came
                unused = ~exists().where(Run.rule_version == draft.published_version)
                session.execute(
                    delete(RuleVersion)
                    .where(RuleVersion.version == draft.published_version, unused)
                    .execution_options(synchronize_session=False)
                )
            draft.state = DraftState.REJECTED
            draft.decision_reason = problem.label.zh
            draft.published_version = None
        draft.revision += 1
    if problem is not None:
        raise problem
    return True


def _finish(engine: Engine, draft_id: int, library: RuleLibrary) -> None:
    """Put the file in place, then say so."""
    with unit_of_work(engine, system_actor("publication"), writes=False) as session:
        draft = session.get_one(Draft, draft_id)
        try:
            add_cases(library.rules_dir, draft.rule_code, draft.tests_text)
            write_rule(library.rules_dir, draft.rule_kind, draft.rule_code, draft.source_text)
        except OSError as problem:
            raise UserError(
                f"规则文件夹暂时写不进去（{problem.strerror}）；已批准，恢复后会自动发布",
                f"The rules folder cannot be written ({problem.strerror}); it is approved and will be published by "
                "itself once it can",
            ) from problem
    library.refresh()
    with unit_of_work(engine, system_actor("publication")) as session:
        session.execute(
            update(Draft)
            .where(Draft.id == draft_id, Draft.state == DraftState.PUBLISHING)
            .values(state=DraftState.PUBLISHED, published_at=now(), revision=Draft.revision + 1)
            .execution_options(synchronize_session=False)
        )


def _renewed(text: str, number: int, moment: datetime) -> str:
    """An earlier text as a new version: its bytes have to differ, because a version is known by them."""
    lines = text.rstrip("\n").split("\n")
    if lines[-1].startswith("# 恢复第 "):
        lines.pop()
    return "\n".join([*lines, f"# 恢复第 {number} 版 {moment:%Y-%m-%d %H:%M:%S}", ""])


def _first_keys(text: str) -> set[str]:
    return {line.split(" ", 1)[0] for line in text.lstrip("\ufeff").splitlines() if line and line[0].isalpha()}
