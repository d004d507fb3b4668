"""Stars and points by hours served, as data with the day they hold from. A place that counts otherwise adds an entry.

Source of the hours: 《社区志愿者注册管理办法》第十八条. Points are this project's convention.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from .code_lists import ServiceRole, StarLevel


@dataclass(frozen=True)
class ServiceTerms:
    """In force from a day on: the hours from which each star is held, and what multiplies an activity's points."""

    effective_from: date
    hours_of_star: tuple[tuple[StarLevel, int], ...]
    multipliers: dict[ServiceRole, Decimal]
    minutes_before: int = 120
    """How long before an activity begins one may sign in; ``minutes_after`` it ends likewise."""
    minutes_after: int = 120
    radius_m: int = 500


TERMS = (
    ServiceTerms(
        date(2012, 10, 1),
        (
            (StarLevel.ONE, 100),
            (StarLevel.TWO, 300),
            (StarLevel.THREE, 600),
            (StarLevel.FOUR, 1000),
            (StarLevel.FIVE, 1500),
        ),
        {ServiceRole.LEADER: Decimal("1.4"), ServiceRole.TEAM: Decimal("1.2"), ServiceRole.VOLUNTEER: Decimal(1)},
    ),
)
"""From the oldest to the newest."""


def terms_on(day: date) -> ServiceTerms:
    """The terms in force on a day; before the first, the first."""
    in_force = [terms for terms in TERMS if terms.effective_from <= day]
    return in_force[-1] if in_force else TERMS[0]


def star_of(hours: float, day: date) -> StarLevel:
    """The star that so many hours have earned."""
    reached = [star for star, needed in terms_on(day).hours_of_star if hours >= needed]
    return reached[-1] if reached else StarLevel.NONE


def points_of(points: int, role: ServiceRole, day: date) -> int:
    """An activity's points for one of a role, half a point up."""
    return int((points * terms_on(day).multipliers[role]).quantize(Decimal(1), ROUND_HALF_UP))


def hours_of(minutes: int) -> float:
    """Minutes as hours with two decimals: what the record says, neither rounded up nor away."""
    return float((Decimal(minutes) / 60).quantize(Decimal("0.01"), ROUND_HALF_UP))
