"""The console over the small world of ``tests.access.world``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.access.actor import system_actor
from app.database.encryption import use_keyring
from app.database.engine import make_engine
from app.database.session import make_session
from tests.access.world import World, build
from tests.conftest import KEYRING, settings_in
from tests.console.site import Site


@dataclass
class Peopled:
    """A site and what is in its database."""

    site: Site
    world: World


@pytest.fixture(scope="module")
def peopled(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peopled]:
    """One site for the tests of a module, with staff of a street and of a branch, and a member."""
    use_keyring(KEYRING)
    settings = settings_in(tmp_path_factory.mktemp("site") / "data")
    path = make_url(settings.database_url).database
    shutil.copyfile(migrated_file, path)
    engine = make_engine(settings.database_url)
    session = make_session(engine, system_actor("tests"))
    world = build(session)
    session.close()
    engine.dispose()
    site = Site(settings)
    for name, role, place in (
        ("district", "district_administrator", "district"),
        ("street", "street_administrator", "street_a"),
        ("other_street", "street_administrator", "street_b"),
        ("secretary", "branch_secretary", "branch_a1"),
    ):
        site.add_account(name, role, world.organizations[place].id)
    site.add_account("it", "it_staff")
    site.add_account("auditor", "auditor")
    member = world.members["branch_a1"]
    site.add_account("member", "member", world.organizations["branch_a1"].id, member.id)
    yield Peopled(site, world)
    site.engine.dispose()


@pytest.fixture
def site(peopled: Peopled) -> Site:
    return peopled.site


@pytest.fixture
def world(peopled: Peopled) -> World:
    return peopled.world
