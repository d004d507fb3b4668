"""What can be done with the tree of organizations, each in the caller's unit of work: all of it or nothing.

Paths follow by themselves (``tree``), and what makes an organization valid is checked when it is written (``checks``);
these operations say what else goes with a change.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domains.members.models import Member, MembershipStatus, Post
from app.entity.faults import FieldError, InvalidRow

from .models import Organization, OrganizationStatus


def create(session: Session, parent: Organization | None, **values: Any) -> Organization:
    """A new organization below ``parent``. Raises InvalidRow."""
    organization = Organization(parent=parent, **values)
    session.add(organization)
    session.flush()
    return organization


def move(session: Session, organization: Organization, parent: Organization | None) -> None:
    """Put an organization, and all below it, under another parent. Raises InvalidRow for a circle, and for a parent on
    a lower tier."""
    organization.parent = parent
    session.flush()


def rename(session: Session, organization: Organization, name: str, short_name: str | None = None) -> None:
    """Give it another name. Raises InvalidRow."""
    organization.name = name
    organization.short_name = short_name
    session.flush()


def dissolve(session: Session, organization: Organization, day: date) -> None:
    """Close an organization at the end of ``day``, and end the posts in it.

    Raises InvalidRow while organizations below it are open or members belong to it: they have to be moved first, so
    that nobody is left without an organization.
    """
    faults = list(_in_the_way(session, organization))
    if faults:
        raise InvalidRow({organization: faults}, status=409)
    organization.status = OrganizationStatus.DISSOLVED
    organization.status_since = organization.dissolved_on = day
    for post in session.scalars(select(Post).where(Post.organization_id == organization.id, Post.ended_on.is_(None))):
        post.ended_on = max(day, post.started_on)
    session.flush()


def _in_the_way(session: Session, organization: Organization) -> list[FieldError]:
    faults = []
    below = session.scalar(
        select(func.count(Organization.id)).where(
            Organization.parent_id == organization.id, Organization.status != OrganizationStatus.DISSOLVED
        )
    )
    if below:
        faults.append(
            FieldError(
                "status",
                f"下面还有 {below} 个党组织，请先调整或撤销它们",
                f"{below} organizations below it are open: move or dissolve those first",
            )
        )
    members = session.scalar(
        select(func.count(Member.id)).where(
            Member.organization_id == organization.id,
            Member.left_on.is_(None),
            Member.membership_status != MembershipStatus.EXPELLED,
        )
    )
    if members:
        faults.append(
            FieldError(
                "status",
                f"还有 {members} 名党员，请先转移他们的组织关系",
                f"{members} members belong to it: move them to other organizations first",
            )
        )
    return faults
