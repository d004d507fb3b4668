"""How much is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).with_name("data")


@dataclass(frozen=True)
class Scale:
    """Sizes of a demonstration."""

    name: str
    divisions: Path
    branches_per_community: int
    """Branches in each village or community; the first is the residents' own, the others work in other fields."""
    units_per_street: int
    """Branches of agencies, schools and enterprises that each street has besides."""
    members_per_branch: float
    """On average."""
    groups_from: int
    """From how many members on a branch has Party groups."""
    months: int
    """How far back meetings go."""
    fee_months: int
    attendance_months: int
    """For how many months who came is known by name; before, only how many."""
    required_courses: int
    """A year."""
    free_studies: int
    """Further study records of a member a year."""
    study_years: int
    activities: int
    """Of volunteers, a branch and year; the fewer, the longer each."""


SCALES = {
    scale.name: scale
    for scale in (
        Scale("small", DATA / "minhang.csv", 1, 2, 9.6, 23, 24, 24, 14, 4, 3, 2, 9),
        Scale("district", DATA / "minhang.csv", 9, 32, 20.5, 49, 14, 12, 5, 1, 1, 1, 4),
        Scale("city", DATA / "shanghai.csv", 3, 8, 18.0, 43, 14, 12, 5, 1, 1, 1, 4),
    )
}
"""small: about 600 organizations and 6,000 members; district: 6,000, 120,000 and 3 million records; city: 21,000,
400,000 and 10 million."""
