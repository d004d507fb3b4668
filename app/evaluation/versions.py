"""Rule versions: the text behind every hash that a run names, numbered for people."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select

from app.database.clock import now
from app.rules.model import Rule

from .models import RuleVersion

_versions = RuleVersion.__table__


def record_version(connection: Connection, rule: Rule) -> int:
    """Keep a rule's text if it is new, and give its number within the rule."""
    found = connection.execute(select(_versions.c.number).where(_versions.c.version == rule.version)).scalar()
    if found is not None:
        return found
    last = connection.execute(select(func.max(_versions.c.number)).where(_versions.c.rule_code == rule.code)).scalar()
    number = (last or 0) + 1
    connection.execute(
        insert(_versions).values(
            version=rule.version,
            rule_code=rule.code,
            number=number,
            first_used_at=now(),
            source_text=rule.source_text,
        )
    )
    return number
