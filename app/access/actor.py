"""The one on whose behalf a session reads and writes. One session has one actor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts.

    ``unrestricted``: the system itself, or a user at the root of the tree; sees every row. Otherwise
    ``organization_id``/``organization_path`` bound what is seen (``app.access.scope``). A ``member_id`` without
    ``is_staff`` is a member who sees their own rows only. An actor with none of these sees nothing.
    """

    name: str
    user_id: int | None = None
    unrestricted: bool = False
    organization_id: int | None = None
    organization_path: str | None = None
    tier: str | None = None
    member_id: int | None = None
    is_staff: bool = False
    on_behalf: bool = False
    """Set while an operation acts for the whole system in somebody's name (``app.access.operations``)."""


NOBODY = Actor("nobody")
"""Sees nothing and writes nothing: the actor of a session that was told of none."""


def system_actor(purpose: str) -> Actor:
    """The actor of a job or command; ``purpose`` says which, for the audit trail."""
    return Actor(f"system:{purpose}", unrestricted=True)
