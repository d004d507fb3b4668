"""The lean API gives, changes and counts no row outside of its reader's scope, by whatever way it is asked.

Generated from the registry, over the marked world of ``marks``: every entity, for a visitor of every tier.
``test_exits.py`` has the plain exits (lists, single rows, writing one row, references); here are those that reach
further: paths through relations, groups, cursors, codes, bulk calls.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from app.api import openapi_schemas as names
from app.api.parameters import MOST_FIELDS
from app.console.filters import searched_fields
from app.entity.operations import operations_of
from app.entity.registry import EntityType, FieldKind, registry
from tests.access.conftest import Walk
from tests.access.marks import leaks, may, places_seen

VISITORS = [None, "no_role", "street_a", "branch_a1", "member_a1", "district", "admin"]
"""Nobody, without permission, own street, other street, branch, member, district, the whole city."""
AWAY = "branch_b1"
ALL = {entity.code: entity for entity in registry}
EMPTY = {"create": [], "change": [], "delete": []}


def ids(walk: Walk, entity: EntityType, visitor: str | None) -> set[int]:
    return {walk.world.rows[entity.code][place].id for place in places_seen(walk.world, visitor, entity)}


def texts(entity: EntityType, near: str = "") -> list[str]:
    """The columns that hold marks, and the relations, whose names do."""
    held = [
        name for name, field in entity.fields.items() if field.kind is FieldKind.TEXT and not field.options.personal
    ]
    return [f"{near}{name}" for name in (*held, *entity.relations)]


def readable(entity: EntityType, visitor: str | None) -> list[str]:
    """What a visitor may name of it: own columns, those of related rows, and those two relations away."""
    found = ["id", *texts(entity)]
    for name, relation in entity.relations.items():
        target = registry[relation.target]
        if not may(visitor, "list", target):
            continue
        found += texts(target, f"{name}.")
        for further, other in target.relations.items():
            if may(visitor, "list", registry[other.target]):
                found += texts(registry[other.target], f"{name}.{further}.")
    return found[:MOST_FIELDS]


def asked(walk: Walk, visitor: str | None, entity: EntityType, query: str) -> Any:
    """The answer to a list, which holds nothing foreign; None where the visitor may not list at all."""
    answer = walk.browser(visitor).get(f"/api/v1/{entity.code}/?{query}")
    assert not leaks(answer, walk.world, visitor), (entity.code, query[:200])
    if may(visitor, "list", entity):
        assert answer.status_code == 200, (entity.code, query[:200], answer.text[:300])
        return answer.json
    assert answer.status_code == (401 if visitor is None else 403), (entity.code, answer.status_code)
    return None


@pytest.mark.parametrize("visitor", VISITORS)
def test_paths_through_relations_show_no_foreign_row(visitor: str | None, walk: Walk):
    for entity in registry:
        fields = readable(entity, visitor)
        found = asked(walk, visitor, entity, f"page_size=100&fields={','.join(fields)}")
        if found is not None:
            assert {row["id"] for row in found["result"]} == ids(walk, entity, visitor), entity.code
            assert found["count"] == len(found["result"])
        for name, relation in entity.relations.items():
            if visitor is not None and not may(visitor, "list", registry[relation.target]):
                continue
            # What is asked for by the content of a foreign row is not found through a row of one's own either.
            target = registry[relation.target]
            if "code" in target.fields:
                content = f"filter[{name}.code][contains]=MARK-{target.code}-{AWAY}-&sort={name}.code,-id"
                found = asked(walk, visitor, entity, content)
                if AWAY not in places_seen(walk.world, visitor, target) and found is not None:
                    assert found["count"] == 0, (entity.code, name)
        if searched_fields(entity):
            asked(walk, visitor, entity, f"search=MARK-{entity.code}-{AWAY}")


@pytest.mark.parametrize("visitor", VISITORS)
def test_groups_and_sums_are_of_rows_in_sight(visitor: str | None, walk: Walk):
    for entity in registry:
        seen = ids(walk, entity, visitor)
        numbers = names.numbers(entity, FieldKind.INTEGER, FieldKind.DECIMAL)
        sums = "".join(f"&{function}={','.join(numbers)}" for function in ("sum", "min", "max") if numbers)
        offered = {code: each for code, each in ALL.items() if may(visitor, "list", each)}
        sortable = set(names.sortable_names(entity, offered))
        near = [texts(registry[relation.target], f"{name}.") for name, relation in entity.relations.items()]
        for wanted in (texts(entity), list(entity.relations), *near):
            group = ",".join([name for name in wanted if name in sortable][:3])
            if not group:
                continue
            found = asked(walk, visitor, entity, f"page_size=100&group_by={group}{sums}")
            if found is not None:
                assert sum(each["count"] for each in found["result"]) == len(seen), (entity.code, group)
        if numbers and visitor is not None and may(visitor, "list", entity):
            model: Any = entity.model
            with walk.system(writes=False) as session:
                wanted = session.execute(
                    select(*[func.sum(getattr(model, name)) for name in numbers]).where(model.id.in_(seen))
                ).one()
            for name, whole in zip(numbers, wanted, strict=True):
                given = [each["sum"][name] for each in found["result"] if each["sum"][name] is not None]
                assert float(whole or 0) == pytest.approx(sum(given)), (entity.code, name)


def test_a_cursor_of_one_reader_shows_another_their_own_rows_only(walk: Walk):
    for entity in registry:
        first = asked(walk, "district", entity, "page_size=1&fields=id&sort=id")
        cursor = first["next_cursor"]
        if cursor is None:
            continue
        passed = first["result"][0]["id"]
        for visitor in VISITORS:
            found = asked(walk, visitor, entity, f"page_size=100&sort=id&cursor={cursor}")
            if found is not None:
                later = {number for number in ids(walk, entity, visitor) if number > passed}
                assert {row["id"] for row in found["result"]} == later, (visitor, entity.code)


@pytest.fixture(scope="module")
def codes(walk: Walk) -> dict[tuple[str, str], str]:
    """The codes of rows, by entity and place."""
    with walk.system(writes=False) as session:
        return {
            (entity.code, place): session.scalar(
                select(entity.model.code).where(entity.model.id == walk.world.rows[entity.code][place].id)
            )
            for entity in registry
            if "code" in entity.fields
            for place in ("branch_a1", AWAY)
        }


@pytest.mark.parametrize("visitor", VISITORS)
def test_codes_name_rows_in_sight_and_no_others(visitor: str | None, walk: Walk, codes: dict):
    one = walk.browser(visitor)
    for entity in registry:
        if "code" not in entity.fields:
            continue
        for place in ("branch_a1", AWAY):
            answer = one.get(f"/api/v1/{entity.code}/{codes[entity.code, place]}")
            assert not leaks(answer, walk.world, visitor), (entity.code, place)
            if may(visitor, "show", entity):
                seen = place in places_seen(walk.world, visitor, entity)
                assert answer.status_code == (200 if seen else 404), (entity.code, place)
            else:
                assert answer.status_code == (401 if visitor is None else 403)


@pytest.mark.parametrize("visitor", VISITORS)
def test_bulk_calls_reach_no_foreign_row_and_do_nothing_by_halves(visitor: str | None, walk: Walk, codes: dict):
    one, before = walk.browser(visitor), revisions(walk)
    for entity in registry:
        if entity.options.read_only:
            assert one.send("POST", f"/api/v1/{entity.code}/_bulk", EMPTY).status_code in (404, 405)
            continue
        foreign, own = walk.world.rows[entity.code][AWAY], walk.world.rows[entity.code]["branch_a1"]
        keys = [{"id": foreign.id}, *([{"code": codes[entity.code, AWAY]}] if "code" in entity.fields else [])]
        if visitor in ("district", "admin") or AWAY in places_seen(walk.world, visitor, entity):
            continue  # it is theirs, or public: what else may be done with it is test_exits' matter
        for key in keys:
            for body, action in (
                ({"change": [key]}, "edit"),
                ({"change": [{"id": own.id}, key]}, "edit"),
                ({"delete": list(key.values())}, "delete"),
                ({"delete": [own.id, *key.values()]}, "delete"),
            ):
                answer = one.send("POST", f"/api/v1/{entity.code}/_bulk", body)
                assert not leaks(answer, walk.world, visitor), (entity.code, body)
                if visitor is None:
                    assert answer.status_code == 401
                else:
                    wanted = 422 if may(visitor, action, entity) else 403
                    assert answer.status_code == wanted, (entity.code, body, answer.text)
    assert revisions(walk) == before


@pytest.mark.parametrize("visitor", [None, "no_role", "street_a", "branch_a1", "member_a1"])
def test_operations_reach_no_foreign_row(visitor: str | None, walk: Walk, codes: dict):
    one, before = walk.browser(visitor), revisions(walk)
    for entity in registry:
        keys = [walk.world.rows[entity.code][AWAY].id]
        keys += [codes[entity.code, AWAY]] if "code" in entity.fields else []
        for operation in operations_of(entity.code):
            for key in keys:
                answer = one.send("POST", f"/api/v1/{entity.code}/{key}/{operation.code}", {})
                assert answer.status_code in ((401,) if visitor is None else (403, 404)), (entity.code, operation.code)
                assert not leaks(answer, walk.world, visitor), (entity.code, operation.code)
    assert revisions(walk) == before


def revisions(walk: Walk) -> dict[str, Any]:
    """Every row there is, and how often it has changed."""
    with walk.system(writes=False) as session:
        models = [entity.model for entity in registry]
        return {
            str(model): session.execute(select(model.id, model.revision).order_by(model.id)).all() for model in models
        }


def test_rows_that_are_only_seen_are_not_deleted_in_bulk(walk: Walk):
    one = walk.browser("street_a")
    for entity in registry:
        row = walk.world.rows[entity.code]["district"]
        if "district" in places_seen(walk.world, "street_a", entity) and may("street_a", "delete", entity):
            answer = one.send("POST", f"/api/v1/{entity.code}/_bulk", {"delete": [row.id]})
            assert answer.status_code in (403, 409), (entity.code, answer.text)  # 409: others refer to it besides
            with walk.system(writes=False) as session:
                assert session.get(entity.model, row.id) is not None, entity.code


def test_a_clearance_that_is_missing_hides_its_fields_everywhere(walk: Walk):
    restricted = [
        (entity, name) for entity in registry for name, field in entity.fields.items() if field.options.restricted
    ]
    assert restricted
    one = walk.browser("rules_a")
    for entity, name in restricted:
        for query in (f"fields={name}", f"sort={name}", f"group_by={name}", f"filter[{name}][null]=true"):
            answer = one.get(f"/api/v1/{entity.code}/?{query}")
            assert answer.status_code == 400, query
            assert f'"{name}"' not in answer.text.replace(f"“{name}”", ""), query
        for other in registry:
            for path in (
                f"{relation}.{name}" for relation, each in other.relations.items() if each.target == entity.code
            ):
                answer = one.get(f"/api/v1/{other.code}/?fields={path}")
                assert answer.status_code == (400 if may("rules_a", "list", other) else 403), path
