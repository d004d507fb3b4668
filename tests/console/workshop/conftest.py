"""A console with the shipped rules, rule administrators of a district, and everybody else of ``tests.console``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.console.conftest import Peopled, peopled  # noqa: F401 - the site of a module
from tests.console.site import Site


@dataclass(frozen=True)
class Workshop:
    """The site and its rule administrators, ``rules`` and ``other_rules``."""

    site: Site


@pytest.fixture(scope="module")
def workshop(peopled: Peopled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:  # noqa: F811
    district = peopled.world.organizations["district"].id
    for name in ("rules", "other_rules"):
        peopled.site.add_account(name, "rule_administrator", district)
    return Workshop(peopled.site)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
