"""Entities that are declared, changed and withdrawn while the program runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Mapped, relationship

from app.access.actor import system_actor
from app.database.base import metadata
from app.database.session import unit_of_work
from app.domains.organizations.models import Organization
from app.entity.fields import code, reference, text
from app.entity.labels import Label
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.visibility import Visibility
from tests.access.world import World
from tests.console.site import Site


def declare(name: str, **more: Any) -> type[Entity]:
    """An entity as administrators may declare one, not registered yet."""
    members: dict[str, Any] = {
        "__tablename__": name,
        "__entity__": EntityOptions(
            label=Label("兴趣小组", "Club"),
            visibility=Visibility.SUBTREE,
            title="name",
            group="records",
            icon="fa-chess",
            measure="个",
        ),
        "__annotations__": {"code": Mapped[str], "name": Mapped[str], "organization_id": Mapped[int]},
        "code": code("编号", "Code"),
        "name": text("名称", "Name", 60, listed=True, searched=True),
        "organization_id": reference("organization", "党组织", "Organization", listed=True),
        "__module__": __name__,
        **more,
    }
    model = type("Club", (Entity,), members)
    model.organization = relationship(Organization, foreign_keys=[model.__table__.c.organization_id])
    return model


@pytest.fixture
def club(site: Site) -> Iterator[type[Entity]]:
    model = declare("x_club")
    model.__table__.create(site.engine)
    yield model
    if "x_club" in registry:
        registry.withdraw("x_club")
    site.stranger().get("/login/")
    model.__table__.drop(site.engine)
    metadata.remove(model.__table__)


def test_an_entity_declared_after_the_first_request_has_all_its_pages(site: Site, world: World, club: Any) -> None:
    visitor = site.visitor()
    assert visitor.get("/records/x_club/list/").status_code == 404
    registry.register(club)
    branch = world.organizations["branch_a1"]

    listed = visitor.get("/records/x_club/list/")
    assert listed.status_code == 200
    assert "兴趣小组" in listed.text
    assert 'href="/records/x_club/list/"' in visitor.get("/records/member/list/").text  # in the menu
    visitor.get("/records/x_club/add")
    added = visitor.post("/records/x_club/add", {"name": "象棋", "organization": str(branch.id)})
    assert added.status_code == 302
    assert "象棋" in visitor.get("/records/x_club/list/?_flt_0_any_text=象").text
    assert "象棋" in visitor.get(added.headers["Location"]).text
    tab = f"/records/organization/show/{branch.id}?tab=x_club.organization"
    assert "象棋" in visitor.get(tab).text

    rows = site.app.test_client().get("/api/v1/x_club/", headers=site.token()).get_json()["result"]
    assert [(row["name"], row["organization"]["id"]) for row in rows] == [("象棋", branch.id)]


def test_scope_and_roles_hold_for_it(site: Site, world: World, club: Any) -> None:
    registry.register(club)
    site.visitor().get("/records/x_club/list/")
    with unit_of_work(site.engine, system_actor("tests")) as session:
        for place in ("branch_a1", "branch_b1"):
            session.add(club(name=f"小组 {place}", organization_id=world.organizations[place].id))
    street = site.visitor("street").get("/records/x_club/list/").text
    assert "小组 branch_a1" in street
    assert "小组 branch_b1" not in street
    assert site.visitor("auditor").get("/records/x_club/list/").status_code == 403


def test_an_entity_that_is_withdrawn_is_not_found_and_may_come_back_changed(site: Site, club: Any) -> None:
    registry.register(club)
    visitor = site.visitor()
    assert visitor.get("/records/x_club/list/").status_code == 200
    registry.withdraw("x_club")
    headers = site.token()
    assert visitor.get("/records/x_club/list/").status_code == 404
    assert site.app.test_client().get("/api/v1/x_club/", headers=headers).status_code == 404
    assert "x_club" not in visitor.get("/records/member/list/").text
    assert visitor.get("/records/member/list/").status_code == 200
    registry.register(club)
    assert visitor.get("/records/x_club/list/").status_code == 200
    assert site.app.test_client().get("/api/v1/x_club/", headers=headers).status_code == 200
