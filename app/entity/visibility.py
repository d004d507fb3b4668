"""Who sees a row of an entity: the choices an entity's declaration can make. The rules themselves are in app/access."""

from __future__ import annotations

from enum import StrEnum


class Visibility(StrEnum):
    """Which rows of an entity a user of an organization sees."""

    SUBTREE = "subtree"
    """Rows of the user's organization and of those below it."""
    INHERITED = "inherited"
    """Those of organizations above as well: courses, articles, tasks."""
    PARTIES = "parties"
    """Rows of which any of several organization columns lies in the user's subtree: transfers, matches, claims."""
    SELF = "self"
    """Only the rows of the member who is signed in."""
    PUBLIC = "public"
    """Everybody who is signed in: the calendar of working days."""


class Tier(StrEnum):
    """Levels of the organization tree, from the top down. The values are the codes of ``organization.tier``."""

    CITY = "city"
    DISTRICT = "district"
    STREET = "street"
    BRANCH = "branch"
    GROUP = "group"
    """Party groups stand below their branch, so that what is asked of branches is not asked of them."""
