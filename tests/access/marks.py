"""Whose row is it: every text of every row of the access world marked with its place, and who may see which place."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Engine, update

from app.access.actor import system_actor
from app.access.permissions import Permission, class_name
from app.access.roles import ADMINISTRATOR, ROLES
from app.database.session import make_session
from app.entity.registry import EntityType, FieldKind, registry
from tests.access.web import ACCOUNTS
from tests.access.world import PLACES, World

MARK = re.compile(r"MARK-([a-z_]+)-([a-z]+(?:_[ab]\d?)?)-")


def mark(engine: Engine, world: World) -> None:
    """Every text of every row says whose it is: MARK-<entity>-<place>-."""
    with make_session(engine, system_actor("tests")) as session:
        for entity in registry:
            table = entity.model.__table__
            for place, row in world.rows[entity.code].items():
                words = f"MARK-{entity.code}-{place}-"
                texts = {
                    table.columns[name]: words
                    for name, field in entity.fields.items()
                    if field.kind is FieldKind.TEXT and (field.maximum_length or 99) >= len(words)
                }
                session.connection().execute(update(table).where(table.c.id == row.id).values(texts))
        session.commit()


def actor_name(visitor: str | None) -> str:
    return {
        None: "nobody",
        "street_a": "street a",
        "rules_a": "street a",
        "street_b": "street b",
        "branch_a1": "branch a1",
        "member_a1": "member of a1",
    }.get(visitor, "signed in, of no organization")


def places_seen(world: World, visitor: str | None, entity: EntityType) -> set[str]:
    if visitor in ("admin", "district"):
        return set(PLACES)
    return world.seen_places(actor_name(visitor), entity)


def may(visitor: str | None, action: str, entity: EntityType) -> bool:
    if visitor is None or (entity.options.read_only and action in ("add", "edit", "delete")):
        return False
    roles = ACCOUNTS[visitor][0]
    wanted = Permission(f"can_{action}", class_name(entity.code))
    return ADMINISTRATOR in roles or any(wanted in ROLES[role].permissions() for role in roles)


def names_known(world: World, visitor: str | None) -> set[str]:
    """Places of which the organization's own name may be read: those seen, and those above one's own."""
    if visitor in ("admin", "district"):
        return set(PLACES)
    above = {"street_a": {"district"}, "rules_a": {"district"}, "street_b": {"district"}}
    above |= {"branch_a1": {"street_a", "district"}, "member_a1": {"street_a", "district"}}
    return world.seen_places(actor_name(visitor), registry["organization"]) | above.get(str(visitor), set())


def leaks(answer: Any, world: World, visitor: str | None) -> set[tuple[str, str]]:
    """Whose rows an answer (or its text) holds without their being the visitor's to see."""
    found = set()
    for code, place in MARK.findall(answer if isinstance(answer, str) else answer.text):
        entity = registry[code]
        allowed = names_known(world, visitor) if code == "organization" else places_seen(world, visitor, entity)
        if place not in allowed:
            found.add((code, place))
    return found
