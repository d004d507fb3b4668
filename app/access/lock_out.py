"""Names that are locked after too many failures in a row, whether an account bears them or not."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session as OrmSession

from app.database.clock import now

from .accounts import SignInFailure
from .policy import AccessPolicy


def _key(username: str) -> str:
    return username.strip().casefold()[:128]


def locked_minutes(session: OrmSession, username: str) -> int:
    """For how many more minutes a name is locked; 0 if it is not."""
    found = session.get(SignInFailure, _key(username))
    if found is None or found.locked_until is None or found.locked_until <= now():
        return 0
    return -(-int((found.locked_until - now()).total_seconds()) // 60)


def count_failure(session: OrmSession, username: str, policy: AccessPolicy) -> bool:
    """Note a failure; True if it locks the name. Failures that are older than the lock are forgotten. The caller
    commits."""
    moment, patience = now(), timedelta(minutes=policy.lock_minutes)
    found = session.get(SignInFailure, _key(username))
    if found is None:
        found = SignInFailure(name=_key(username), failures=0, failed_at=moment)
        session.add(found)
        session.execute(
            delete(SignInFailure).where(SignInFailure.failed_at < moment - max(patience, timedelta(days=1)))
        )
    elif found.failed_at < moment - patience:
        found.failures = 0
    found.failures += 1
    found.failed_at = moment
    locks = found.failures >= policy.sign_in_attempts
    if locks:
        found.failures, found.locked_until = 0, moment + patience
    return locks


def forgive(session: OrmSession, username: str) -> None:
    """Forget a name's failures, after a success or by an administrator. The caller commits."""
    found = session.get(SignInFailure, _key(username))
    if found is not None:
        session.delete(found)
