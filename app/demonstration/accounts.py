"""Accounts to try the demonstration with: one for each role and tier, with generated passwords.

They exist in demonstrations only, and are listed in ``DATA_DIR/demo-users.csv``, which its owner alone may read.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from app.access.first_start import new_account
from app.access.passwords import generate
from app.access.roles import synchronise
from app.database.session import Session
from app.domains.members.models import Member
from app.domains.organizations.models import Organization

FILE = "demo-users.csv"
COLUMNS = ("username", "password", "role", "organization_code")


@dataclass(frozen=True)
class DemonstrationAccount:
    """Who the account is for."""

    username: str
    name: str
    role: str
    organization: Organization | None
    member_id: int | None = None


def wanted(session: Session) -> Iterator[DemonstrationAccount]:
    """An account for each role, at each tier that the role is for, and in two streets and branches, so that one can
    see that neighbours do not see each other."""

    def of_tier(tier: str, parent: Organization | None = None) -> list[Organization]:
        statement = select(Organization).where(Organization.tier == tier, Organization.status == "active")
        if parent is not None:
            statement = statement.where(Organization.parent_id == parent.id)
        return list(session.scalars(statement.order_by(Organization.id).limit(2)))

    for city in of_tier("city")[:1]:
        yield DemonstrationAccount("demo_city", "演示市级管理员", "city_administrator", city)
    for district in of_tier("district")[:1]:
        yield DemonstrationAccount("demo_district", "演示区级管理员", "district_administrator", district)
        yield DemonstrationAccount("demo_rules", "演示规则管理员", "rule_administrator", district)
        # These two see no records, hence belong nowhere.
        yield DemonstrationAccount("demo_it", "演示系统管理员", "it_staff", None)
        yield DemonstrationAccount("demo_auditor", "演示审计员", "auditor", None)
        for number, street in enumerate(of_tier("street", district), start=1):
            name = f"演示街镇管理员{number}"
            yield DemonstrationAccount(f"demo_street_{number}", name, "street_administrator", street)
            for place, branch in enumerate(of_tier("branch", street), start=1):
                suffix = f"{number}_{place}"
                yield DemonstrationAccount(f"demo_branch_{suffix}", f"演示支部书记{suffix}", "branch_secretary", branch)
                # Not the first member of the branch, who is its secretary.
                own = select(Member.id).where(Member.organization_id == branch.id, Member.left_on.is_(None))
                member = session.scalars(own.order_by(Member.id).offset(1).limit(1)).first()
                if place == 1 and member is not None:
                    name = f"演示党员账号{number}"
                    yield DemonstrationAccount(f"demo_member_{number}", name, "member", branch, member)


def add_accounts(session: Session, data_dir: Path) -> int:
    """Make the accounts in the session's transaction and write the file; how many. The caller commits."""
    synchronise(session.connection())
    rows = []
    for account in wanted(session):
        password = generate()
        new_account(
            session,
            account.username,
            account.name,
            [account.role],
            password,
            organization_id=account.organization.id if account.organization else None,
            member_id=account.member_id,
            must_change_password=False,
        )
        code = account.organization.code if account.organization else ""
        rows.append((account.username, password, account.role, code))
    session.flush()
    write(data_dir / FILE, rows)
    return len(rows)


def write(path: Path, rows: list[tuple[str, str, str, str]]) -> None:
    """Write the file, never readable by others and never half."""
    draft = path.with_suffix(f".{os.getpid()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
