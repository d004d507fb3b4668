"""Saved views of lists: one's own, and those that others share with a role one holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from app.database.clock import now
from app.entity.labels import UserError

from .addresses import LONGEST_ADDRESS
from .models import SavedView

LONGEST_NAME = 40
MOST_VIEWS = 30
"""Of one person for one list; more would not be found again."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks: their account, and the names of the roles they hold."""

    user_id: int
    roles: tuple[str, ...]


class ViewRefused(UserError):
    """A view that cannot be saved."""


def offered(session: Any, reader: Reader, entity: str) -> list[SavedView]:
    """The views of a list that a reader is offered, their own first, by name."""
    found = session.scalars(
        select(SavedView).where(
            SavedView.entity == entity,
            or_(SavedView.user_id == reader.user_id, SavedView.shared_with.in_(reader.roles)),
        )
    )
    return sorted(found, key=lambda view: (view.user_id != reader.user_id, view.name, view.id))


def save(
    session: Any, reader: Reader, entity: str, name: str, address: str, *, shared_with: str, opens_first: bool
) -> SavedView:
    """Save a view, in place of one's own of the same name. Raises ViewRefused; commits nothing."""
    name = " ".join(name.split())
    if not name:
        raise ViewRefused("请给视图起个名称", "Give the view a name")
    if len(name) > LONGEST_NAME:
        raise ViewRefused(f"视图名称最多 {LONGEST_NAME} 个字", f"A view's name has at most {LONGEST_NAME} characters")
    if len(address) > LONGEST_ADDRESS:
        raise ViewRefused("条件太多，存不下：请去掉一些再保存", "Too many filters to save: remove some of them")
    if shared_with and shared_with not in reader.roles:
        raise ViewRefused("只能共享给自己担任的角色", "A view can be shared only with a role you hold yourself")
    own = list(session.scalars(_own(reader, entity)))
    view = next((each for each in own if each.name == name), None)
    if view is None:
        if len(own) >= MOST_VIEWS:
            raise ViewRefused(
                f"一个列表最多保存 {MOST_VIEWS} 个视图：请先删除不用的",
                f"At most {MOST_VIEWS} views of a list: delete one that you no longer use",
            )
        view = SavedView(user_id=reader.user_id, entity=entity, name=name)
        session.add(view)
    if opens_first:
        for each in own:
            each.opens_first = False
    view.address, view.shared_with, view.opens_first, view.saved_at = address, shared_with, opens_first, now()
    session.flush()
    return view


def remove(session: Any, reader: Reader, entity: str, view_id: int) -> bool:
    """Delete one's own view; whether there was one."""
    view = session.scalar(_own(reader, entity).where(SavedView.id == view_id))
    if view is None:
        return False
    session.delete(view)
    session.flush()
    return True


def first_of(views: Sequence[SavedView], reader: Reader) -> SavedView | None:
    """The view that its owner wants to see first."""
    return next((view for view in views if view.opens_first and view.user_id == reader.user_id), None)


def _own(reader: Reader, entity: str) -> Any:
    return select(SavedView).where(SavedView.user_id == reader.user_id, SavedView.entity == entity)
