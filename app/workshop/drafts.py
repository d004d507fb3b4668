"""Drafts: who may open one, changing its text without overwriting anybody's work, sharing, presence, submission.

Functions take the session of whoever acts and commit what they do. Whether the actor may edit rules at all is a
permission that pages ask for; here it is asked whose draft it is and what state it is in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.accounts import User
from app.database.clock import now
from app.entity.labels import UserError
from app.entity.registry import Registry, registry
from app.rules.candidate import Candidate, check_candidate
from app.rules.library import RuleLibrary
from app.rules.model import Index

from .models import EDITABLE, OPEN, Draft, DraftPresence, DraftShare, DraftState

PRESENT_FOR = timedelta(seconds=45)
"""Who had a draft open so recently is there; pages tell every 15 seconds or so."""

MAXIMUM_TEXT = 1_000_000
"""Characters, as for a rule file."""


class DraftChanged(UserError):
    """Somebody else has changed the draft meanwhile. Nothing was stored; ``draft`` is as it stands now."""

    def __init__(self, draft: Draft, name: str) -> None:
        at = draft.changed_at.strftime("%H:%M")
        super().__init__(
            f"{name}在 {at} 已改动这份草稿，您的这次改动没有保存。请看过现在的内容后再改",
            f"{name} changed this draft at {at}; your change was not saved. Look at it as it is now, then change it",
        )
        self.draft = draft


@dataclass(frozen=True)
class Presence:
    """Somebody who has a draft open."""

    user_id: int
    name: str
    seen_at: datetime
    place: str | None


def start(session: Session, user_id: int, code: str, library: RuleLibrary) -> Draft:
    """A draft of a rule in force, or the one that this user has been working on. Raises UserError for an unknown
    rule."""
    rule = library.rule(code)
    mine = session.scalar(
        select(Draft)
        .where(Draft.author_id == user_id, Draft.rule_code == code, Draft.state.in_(EDITABLE))
        .order_by(Draft.id.desc())
    )
    if mine is not None:
        return mine
    kind = "index" if isinstance(rule, Index) else "warning"
    return add(session, user_id, kind, code, rule.source_text, base_version=rule.version)


def start_new(session: Session, user_id: int, kind: str, code: str, text: str, library: RuleLibrary) -> Draft:
    """A draft of a rule that there is not yet, from a first text. Raises UserError if the code is taken."""
    if code in library.rules():
        raise UserError(f"代码“{code}”已经有规则在用", f"There is a rule “{code}” already")
    return add(session, user_id, kind, code, text)


def add(
    session: Session,
    user_id: int,
    kind: str,
    code: str,
    text: str,
    *,
    base_version: str | None = None,
    restores: str | None = None,
    reason: str | None = None,
    organization_id: int | None = None,
) -> Draft:
    """A draft with a text, committed. ``organization_id``: whose adjustment it is."""
    moment = now()
    draft = Draft(
        author_id=user_id,
        rule_kind=kind,
        rule_code=code,
        base_version=base_version,
        source_text=text,
        tests_text="",
        state=DraftState.EDITING,
        revision=1,
        restores=restores,
        reason=reason,
        organization_id=organization_id,
        created_at=moment,
        changed_at=moment,
        changed_by_id=user_id,
    )
    session.add(draft)
    session.commit()
    return draft


def drafts_of(session: Session, user_id: int, *, code: str | None = None, states: Sequence[str] = OPEN) -> list[Draft]:
    """The drafts that are a user's own or shared with them, last changed first."""
    shared = select(DraftShare.draft_id).where(DraftShare.user_id == user_id)
    wanted = select(Draft).where(or_(Draft.author_id == user_id, Draft.id.in_(shared)), Draft.state.in_(states))
    if code is not None:
        wanted = wanted.where(Draft.rule_code == code)
    return list(session.scalars(wanted.order_by(Draft.changed_at.desc(), Draft.id.desc())))


def drafts_on(session: Session, code: str) -> list[Draft]:
    """All open drafts of a rule, whoever's: so that two who change one rule know of each other."""
    return list(session.scalars(select(Draft).where(Draft.rule_code == code, Draft.state.in_(OPEN)).order_by(Draft.id)))


def draft_for(session: Session, draft_id: int, user_id: int) -> Draft | None:
    """A draft that this user works on; None if there is none or it is not theirs."""
    draft = session.get(Draft, draft_id)
    return draft if draft is not None and may_edit(session, draft, user_id) else None


def may_edit(session: Session, draft: Draft, user_id: int) -> bool:
    """Whether a user is the draft's author or it is shared with them."""
    return draft.author_id == user_id or session.get(DraftShare, (draft.id, user_id)) is not None


def save(session: Session, draft: Draft, user_id: int, revision: int, text: str) -> Draft:
    """Store a new text that was made from the draft at ``revision``.

    Raises DraftChanged if the draft has changed since, UserError if it is not being edited any more.
    """
    if len(text) > MAXIMUM_TEXT:
        raise UserError("规则文本超过 1 MB", "The text is larger than 1 MB")
    if text == draft.source_text and revision == draft.revision:
        return draft
    return _change(session, draft, user_id, revision, source_text=text)


def save_tests(session: Session, draft: Draft, user_id: int, revision: int, tests: str) -> Draft:
    """Store the cases that the draft adds to the rule's tests. Raises as ``save`` does."""
    return _change(session, draft, user_id, revision, tests_text=tests)


def rebase(session: Session, draft: Draft, user_id: int, revision: int, library: RuleLibrary, text: str) -> Draft:
    """Take the version in force now as what the draft changes, with the text that its authors made of both."""
    current = library.known(draft.rule_code)
    version = current.version if current else None
    return _change(session, draft, user_id, revision, source_text=text, base_version=version)


def submit(session: Session, draft: Draft, user_id: int, revision: int, reason: str, library: RuleLibrary) -> Draft:
    """Send a draft for approval. Raises UserError while it has faults, changes nothing, or no reason is given."""
    reason = reason.strip()
    if not reason:
        raise UserError("请写明修改理由", "Please say why")
    candidate = candidate_of(draft, library)
    if not candidate.is_whole:
        raise UserError("规则还有错误，改正后才能送审", "The rule has faults; it can be submitted once they are mended")
    current = library.known(draft.rule_code)
    if current is not None and current.source_text == draft.source_text and not draft.tests_text.strip():
        raise UserError("草稿和现行规则没有差别", "The draft does not differ from the rule in force")
    return _change(
        session,
        draft,
        user_id,
        revision,
        state=DraftState.SUBMITTED,
        reason=reason,
        submitted_by_id=user_id,
        submitted_at=now(),
        decided_by_id=None,
        decided_at=None,
        decision_reason=None,
    )


def withdraw(session: Session, draft: Draft, user_id: int) -> None:
    """Give a draft up, or take a submitted one back into editing. Raises UserError once it is being published."""
    back = DraftState.EDITING if draft.state in (DraftState.SUBMITTED, DraftState.SCHEDULED) else DraftState.WITHDRAWN
    if draft.state not in (*EDITABLE, DraftState.SUBMITTED, DraftState.SCHEDULED):
        raise UserError("这份草稿已经发布或撤回", "This draft has been published or withdrawn")
    changed = session.execute(
        update(Draft)
        .where(Draft.id == draft.id, Draft.state == draft.state, Draft.revision == draft.revision)
        .values(state=back, revision=Draft.revision + 1, publish_on=None, changed_at=now(), changed_by_id=user_id)
        .execution_options(synchronize_session=False)
    ).rowcount
    session.refresh(draft)
    name = name_of(session, draft.changed_by_id)
    session.commit()
    if not changed:
        raise DraftChanged(draft, name)


def share(session: Session, draft: Draft, user_id: int) -> None:
    """Let somebody else work on a draft."""
    if draft.author_id == user_id or session.get(DraftShare, (draft.id, user_id)) is not None:
        return
    session.add(DraftShare(draft_id=draft.id, user_id=user_id, shared_at=now()))
    session.commit()


def unshare(session: Session, draft: Draft, user_id: int) -> None:
    """Let somebody no longer work on a draft."""
    session.execute(delete(DraftShare).where(DraftShare.draft_id == draft.id, DraftShare.user_id == user_id))
    session.commit()


def shared_with(session: Session, draft: Draft) -> list[tuple[int, str]]:
    """(id, name) of those who work on it beside the author."""
    users = session.scalars(select(DraftShare.user_id).where(DraftShare.draft_id == draft.id))
    return sorted(((user_id, name_of(session, user_id)) for user_id in users), key=lambda pair: pair[1])


def be_present(session: Session, draft: Draft, user_id: int, place: str | None = None) -> None:
    """Note that a user has the draft open, and where in it they are."""
    moment = now()
    noted = session.execute(
        update(DraftPresence)
        .where(DraftPresence.draft_id == draft.id, DraftPresence.user_id == user_id)
        .values(seen_at=moment, place=(place or None) and place[:200])
        .execution_options(synchronize_session=False)
    ).rowcount
    if not noted:
        session.add(
            DraftPresence(draft_id=draft.id, user_id=user_id, seen_at=moment, place=(place or "")[:200] or None)
        )
    try:
        session.commit()
    except IntegrityError:  # the same user, in another window, was quicker
        session.rollback()


def others_present(session: Session, draft: Draft, user_id: int) -> list[Presence]:
    """Who else has the draft open, or another open draft of the same rule."""
    rows = session.scalars(
        select(DraftPresence)
        .join(Draft, Draft.id == DraftPresence.draft_id)
        .where(
            Draft.rule_code == draft.rule_code,
            Draft.state.in_(OPEN),
            DraftPresence.user_id != user_id,
            DraftPresence.seen_at > now() - PRESENT_FOR,
        )
        .order_by(DraftPresence.seen_at.desc())
    )
    found: dict[int, Presence] = {}
    for row in rows:
        place = row.place if row.draft_id == draft.id else None
        found.setdefault(row.user_id, Presence(row.user_id, name_of(session, row.user_id), row.seen_at, place))
    return list(found.values())


def candidate_of(draft: Draft, library: RuleLibrary, entities: Registry = registry) -> Candidate:
    """The draft's rule, or its faults and hints with path and line, checked beside the other rules in force."""
    return check_candidate(draft.source_text, draft.rule_kind, draft.rule_code, library.rules(), entities)


def is_stale(draft: Draft, library: RuleLibrary) -> bool:
    """Whether the rule in force is no longer the one that the draft began with."""
    current = library.known(draft.rule_code)
    return (current.version if current else None) != draft.base_version


def name_of(session: Session, user_id: int | None) -> str:
    """What people call a user; a dash if the account is gone."""
    user = session.get(User, user_id) if user_id is not None else None
    return user.get_full_name() if user is not None else "—"


def _change(session: Session, draft: Draft, user_id: int, revision: int, **values: object) -> Draft:
    """Write a change if the draft still is at ``revision`` and being edited: asked in the statement that writes."""
    draft_id = draft.id
    changed = session.execute(
        update(Draft)
        .where(Draft.id == draft_id, Draft.revision == revision, Draft.state.in_(EDITABLE))
        .values(revision=revision + 1, changed_at=now(), changed_by_id=user_id, **values)
        .execution_options(synchronize_session=False)
    ).rowcount
    session.refresh(draft)
    name = name_of(session, draft.changed_by_id)
    session.commit()  # at once, and nothing read after it: on SQLite a session that writes keeps others from writing
    if changed:
        return draft
    if draft.state not in EDITABLE:
        state = DraftState(draft.state).label
        raise UserError(f"这份草稿现在是“{state.zh}”，不能改动", f"This draft cannot be changed: {state.en.lower()}")
    raise DraftChanged(draft, name)
