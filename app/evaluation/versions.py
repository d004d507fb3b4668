"""Rule versions: the text behind every hash that a run names, numbered for people, and who answers for it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from app.database.clock import now
from app.rules.differences import in_words
from app.rules.model import Rule

from .models import RuleVersion, VersionCause

_versions = RuleVersion.__table__


@dataclass(frozen=True)
class Answering:
    """Who answers for a version that came through the workshop, and why it was made."""

    cause: VersionCause = VersionCause.FILE
    author_id: int | None = None
    approver_id: int | None = None
    reason: str | None = None
    override_reason: str | None = None


def record_version(connection: Connection, rule: Rule, answering: Answering | None = None) -> int:
    """Keep a rule's text if it is new, with what differs from the version before in words, and give its number within
    the rule."""
    found = connection.execute(select(_versions.c.number).where(_versions.c.version == rule.version)).scalar()
    if found is not None:
        return found
    answering = answering or Answering()
    before = connection.execute(
        select(_versions.c.version, _versions.c.source_text)
        .where(_versions.c.rule_code == rule.code)
        .order_by(_versions.c.number.desc())
        .limit(1)
    ).first()
    last = connection.execute(select(func.max(_versions.c.number)).where(_versions.c.rule_code == rule.code)).scalar()
    number = (last or 0) + 1
    words = in_words(before.source_text if before else None, rule.source_text)
    connection.execute(
        insert(_versions).values(
            version=rule.version,
            rule_code=rule.code,
            number=number,
            first_used_at=now(),
            source_text=rule.source_text,
            cause=answering.cause,
            previous=before.version if before else None,
            author_id=answering.author_id,
            approver_id=answering.approver_id,
            reason=answering.reason,
            override_reason=answering.override_reason,
            words_zh=words.zh,
            words_en=words.en,
        )
    )
    return number
