"""The rules of who sees, may refer to and may write which rows, as SQL.

| visibility | staff see | and write | a member sees | and writes |
|---|---|---|---|---|
| subtree | rows of their organizations and of those in their territory | of their organizations | their own rows; \
without a person, their branch's | their own rows |
| inherited | also rows of organizations above, drafts left out | of their organizations | also those above, drafts \
left out | nothing |
| parties | rows of which any party is theirs | the same | of which their branch is a party | nothing |
| shown below | as above, and rows shown below an organization that is theirs or above | as above | as above | nothing |
| self | their own rows, if they are members | their own rows | their own rows | their own rows |
| public | everything | nothing | everything | nothing |

Staff's organizations are those whose path begins with theirs. One that lies in their territory without being below
them (条块) is seen, and written by its own line. Whoever acts unrestricted has no predicate at all; whoever is unknown
sees and writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, column, false, or_, select, table, true
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from app.entity.visibility import Visibility

from .actor import Actor
from .scoped import ScopedTable

# Named without the mapped class: a Core table keeps the predicates out of their own reach, and out of the domains.
ORGANIZATIONS = table("bc_organization", column("id"), column("path"), column("territory_id"), column("parent_id"))

AFTER_PATH = "~"
"""Sorts behind every character of a path, so that ``path`` and all below it are ``p <= path < p + "~"``."""

_PATH = re.compile(r"/(\d+/)+")


class Purpose(StrEnum):
    """What rows are wanted for."""

    READ = "read"
    REFER = "refer"
    PARTY = "party"
    """As the other party of a transfer, match or claim: any organization, by its name. As ``REFER`` for the rest."""
    WRITE = "write"


REFERRING = (Purpose.REFER, Purpose.PARTY)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What of an actor decides on rows; two actors with the same bounds see the same."""

    known: bool
    path: str | None = None
    organization_id: int | None = None
    member_id: int | None = None
    is_member: bool = False

    @classmethod
    def of(cls, actor: Actor) -> Bounds:
        """The bounds of a restricted actor. A path that is none counts as no organization, never as the root."""
        path = actor.organization_path if _PATH.fullmatch(actor.organization_path or "") else None
        return cls(
            known=actor.user_id is not None or path is not None or actor.member_id is not None,
            path=path,
            organization_id=actor.organization_id if path else None,
            member_id=actor.member_id,
            is_member=actor.member_id is not None and not actor.is_staff,
        )

    @property
    def line(self) -> list[int]:
        """The ids of the organizations from the root down to the actor's own: a path holds them."""
        return [int(part) for part in (self.path or "").split("/") if part]

    @property
    def ancestors(self) -> list[int]:
        """Those above the actor's own."""
        return self.line[:-1]


Columns = ReadOnlyColumnCollection[str, Any]


def within(columns: Columns, path: str) -> ColumnElement[bool]:
    """The organizations of a subtree, as a condition on ``path``: a range of its index."""
    return and_(columns.path >= path, columns.path < path + AFTER_PATH)


@lru_cache(maxsize=4096)
def subtree(path: str) -> Select[Any]:
    """The ids of the organizations of a subtree."""
    return select(ORGANIZATIONS.c.id).where(within(ORGANIZATIONS.c, path))


@lru_cache(maxsize=4096)
def subtree_and_territory(path: str) -> Select[Any]:
    """The same, with the organizations that lie in its territory."""
    return select(ORGANIZATIONS.c.id).where(
        or_(within(ORGANIZATIONS.c, path), ORGANIZATIONS.c.territory_id.in_(_territory(path)))
    )


def _territory(path: str) -> Select[Any]:
    place = ORGANIZATIONS.alias("territory")
    return select(place.c.id).where(within(place.c, path))


@lru_cache(maxsize=4096)
def predicate(table: ScopedTable, bounds: Bounds, purpose: Purpose) -> ColumnElement[bool] | None:
    """The condition on rows of a table for one with these bounds; None if all rows qualify."""
    if not bounds.known:
        return false()
    if table.visibility is Visibility.PUBLIC:
        return false() if purpose is Purpose.WRITE else None
    if table.visibility is Visibility.SELF:
        return _own(table, bounds)
    if bounds.is_member and table.person:
        return _own(table, bounds)
    if bounds.path is None or (bounds.is_member and purpose is Purpose.WRITE):
        return false()
    if table.is_tree and purpose is Purpose.PARTY:
        return None
    return (_organizations if table.is_tree else _rows)(table, bounds, purpose)


def _own(table: ScopedTable, bounds: Bounds) -> ColumnElement[bool]:
    if table.person is None or bounds.member_id is None:
        return false()
    return getattr(table.model, table.person) == bounds.member_id


def _organizations(table: ScopedTable, bounds: Bounds, purpose: Purpose) -> ColumnElement[bool]:
    model: Any = table.model
    if bounds.is_member:
        seen = model.id == bounds.organization_id
    elif purpose is Purpose.WRITE:
        return within(model, bounds.path)
    else:
        seen = or_(within(model, bounds.path), model.territory_id.in_(_territory(bounds.path)))
    return or_(seen, model.id.in_(bounds.ancestors)) if _reaches_up(table, purpose) else seen


def _rows(table: ScopedTable, bounds: Bounds, purpose: Purpose) -> ColumnElement[bool]:
    belongs: Callable[[Any], ColumnElement[bool]]
    if bounds.is_member:
        belongs = lambda owner: owner == bounds.organization_id  # noqa: E731
    else:
        organizations = subtree(bounds.path) if purpose is Purpose.WRITE else subtree_and_territory(bounds.path)
        belongs = lambda owner: owner.in_(organizations)  # noqa: E731
    owners = [getattr(table.model, name) for name in table.organizations]
    conditions = [belongs(owner) for owner in owners]
    is_out = getattr(table.model, table.inherited_since).is_not(None) if table.inherited_since else true()
    if bounds.is_member and table.inherited_since:
        conditions = [and_(condition, is_out) for condition in conditions]
    if _reaches_up(table, purpose):
        conditions += [and_(owner.in_(bounds.ancestors), is_out) for owner in owners]
    if table.shown_below and purpose is not Purpose.WRITE:
        conditions.append(getattr(table.model, table.shown_below).in_(bounds.line))
    # A table without an owner belongs to nobody that is known here: nobody sees it.
    return or_(false(), *conditions)


def _reaches_up(table: ScopedTable, purpose: Purpose) -> bool:
    if purpose is Purpose.WRITE:
        return False
    return table.visibility is Visibility.INHERITED or (purpose in REFERRING and table.refers_to_wider)
