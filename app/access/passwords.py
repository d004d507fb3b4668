"""Passwords: what they must be, how they are changed, and those that were used before."""

from __future__ import annotations

import secrets
import string
from datetime import timedelta

from flask_appbuilder.security.sqla.models import User
from sqlalchemy import delete, select
from sqlalchemy.orm import Session as OrmSession
from werkzeug.security import check_password_hash, generate_password_hash

from app.database.clock import now
from app.entity.labels import Label, UserError

from .accounts import UsedPassword
from .policy import AccessPolicy

SYMBOLS = "!#$%&*+-=?@^_"
CLASSES = (string.ascii_uppercase, string.ascii_lowercase, string.digits)
MOST_CHARACTERS = 128
"""More would only cost the server time."""


class WeakPassword(UserError):
    """A password that does not do; ``label`` says why."""

    def __init__(self, reason: Label) -> None:
        super().__init__(reason.zh, reason.en)


def check(password: str, username: str, policy: AccessPolicy) -> None:
    """Raises WeakPassword for a password that does not meet the policy."""
    if not policy.password_length <= len(password) <= MOST_CHARACTERS:
        raise WeakPassword(
            Label(
                f"密码应为 {policy.password_length} 到 {MOST_CHARACTERS} 个字符。",
                f"The password needs {policy.password_length} to {MOST_CHARACTERS} characters.",
            )
        )
    classes = [any(each in group for each in password) for group in CLASSES]
    if not all(classes) or all(each.isascii() and each.isalnum() for each in password):
        raise WeakPassword(
            Label(
                "密码应同时含有大写字母、小写字母、数字和符号。",
                "The password needs capital letters, small letters, digits and symbols, all of them.",
            )
        )
    if len(username) >= 3 and username.casefold() in password.casefold():
        raise WeakPassword(Label("密码不能含有用户名。", "The password must not hold the user name."))


def generate() -> str:
    """A password of 16 characters that meets every policy; about 90 random bits."""
    groups = [*CLASSES, SYMBOLS]
    characters = [secrets.choice(group) for group in groups]
    characters += [secrets.choice("".join(groups)) for _ in range(16 - len(groups))]
    secrets.SystemRandom().shuffle(characters)
    return "".join(characters)


def set_password(
    session: OrmSession, account: User, password: str, policy: AccessPolicy, *, must_change: bool = False
) -> None:
    """Give an account a password, and keep the old one's hash. Raises WeakPassword. The caller commits.

    ``must_change``: it was handed out, and has to be changed at the next sign-in.
    """
    check(password, account.username, policy)
    used = []
    if account.id is not None:
        used = list(
            session.scalars(
                select(UsedPassword).where(UsedPassword.user_id == account.id).order_by(UsedPassword.id.desc())
            )
        )
    former = [account.password, *(each.password_hash for each in used)][: policy.password_history]
    if any(old and check_password_hash(old, password) for old in former):
        raise WeakPassword(
            Label(
                f"不能使用最近 {policy.password_history} 次用过的密码。",
                f"The last {policy.password_history} passwords cannot be used again.",
            )
        )
    if account.id is not None and account.password:
        session.add(UsedPassword(user_id=account.id, password_hash=account.password, replaced_at=now()))
        surplus = [each.id for each in used[max(policy.password_history - 1, 0) :]]
        if surplus:
            session.execute(delete(UsedPassword).where(UsedPassword.id.in_(surplus)))
    account.password = generate_password_hash(password)
    account.password_changed_at = now()
    account.must_change_password = must_change


def must_be_changed(account: User, policy: AccessPolicy) -> bool:
    """Whether an account's password was handed out, or is too old."""
    if account.must_change_password or account.password_changed_at is None:
        return True
    return bool(policy.password_days) and account.password_changed_at < now() - timedelta(days=policy.password_days)
