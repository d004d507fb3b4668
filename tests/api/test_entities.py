"""FAB's REST views of every entity: the pages' rows and permissions, existing rows only, refusals with a field."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from app.access.actor import system_actor
from app.database.session import unit_of_work
from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.entity.registry import registry
from tests.console.site import Site

ENTITIES = [entity.code for entity in registry]


class Program:
    """A program that has signed in with a token."""

    def __init__(self, site: Site, name: str = "admin") -> None:
        self.site, self.headers = site, site.token(name)

    def ask(self, method: str, url: str, **keywords: Any) -> Any:
        return self.site.app.test_client().open(f"/api/v1/{url}", method=method, headers=self.headers, **keywords)

    def get(self, url: str) -> Any:
        return self.ask("GET", url)

    def post(self, url: str, body: Any) -> Any:
        return self.ask("POST", url, json=body)

    def put(self, url: str, body: Any) -> Any:
        return self.ask("PUT", url, json=body)


@pytest.fixture(scope="module")
def programs(peopled) -> dict[str, Program]:
    return {name: Program(peopled.site, name) for name in ("admin", "district", "street", "secretary", "auditor")}


def fields(answer: Any) -> set[str]:
    assert answer.content_type == "application/problem+json", answer.text
    return {error.get("field", "") for error in answer.get_json()["errors"]}


def count(site: Site, model: Any) -> int:
    with unit_of_work(site.engine, system_actor("tests"), writes=False) as session:
        return session.scalar(select(func.count(model.id)))


@pytest.mark.parametrize("code", ENTITIES)
def test_rows_are_listed_and_shown_with_declared_columns_only(site, world, programs, code: str) -> None:
    entity = registry[code]
    listed = programs["admin"].get(f"{code}/").get_json()
    row = programs["admin"].get(f"{code}/{world.rows[code]['branch_a1'].id}").get_json()["result"]
    assert listed["count"] == count(site, entity.model)
    readable = {"id", *entity.relations} | {name for name in entity.fields if not name.endswith("_id")}
    assert set(row) == set(listed["result"][0]) == readable
    for name in entity.relations:
        assert row[name] is None or set(row[name]) == {"id", "code", "name"}


@pytest.mark.parametrize("code", ENTITIES)
def test_rows_elsewhere_are_not_there(site, world, programs, code: str) -> None:
    if registry[code].options.visibility == "public":
        pytest.skip("everybody sees these")
    program, row = programs["street"], world.rows[code]["branch_b1"]
    assert row.id not in program.get(f"{code}/?q=(page_size:100)").get_json()["ids"]
    assert program.get(f"{code}/{row.id}").status_code == 404
    assert program.put(f"{code}/{row.id}", {}).status_code == (405 if registry[code].options.read_only else 404)
    assert program.ask("DELETE", f"{code}/{row.id}").status_code in (403, 404, 405)


def test_whoever_has_no_permission_gets_nothing(site, programs) -> None:
    client = site.app.test_client()
    assert client.get("/api/v1/member/").status_code == 401
    assert client.post("/api/v1/member/", json={}).status_code == 401
    assert programs["auditor"].get("member/").status_code == 403
    assert programs["secretary"].post("organization/", {"name": "x"}).status_code == 403


def test_a_cookie_alone_reads_but_does_not_write(site) -> None:
    visitor = site.visitor("street")
    assert visitor.client.get("/api/v1/member/").status_code == 200
    refused = visitor.client.post("/api/v1/member/", json={"name": "x"})
    assert refused.status_code == 400
    with_token = visitor.client.post("/api/v1/member/", json={"name": "x"}, headers={"X-CSRFToken": visitor.token})
    assert with_token.status_code == 422


def test_encrypted_columns_are_masked_and_hidden_ones_absent(site, world, programs) -> None:
    with unit_of_work(site.engine, system_actor("tests")) as session:
        session.get(Member, world.members["branch_a1"].id).mobile = "13812348048"
    answer = programs["admin"].get(f"member/{world.members['branch_a1'].id}")
    assert answer.get_json()["result"]["mobile"] == "138****8048"
    assert "13812348048" not in answer.text
    assert "hash" not in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "(filters:!((col:mobile_hash,opr:eq,value:a)))",
        "(filters:!((col:path,opr:sw,value:'/1/')))",
        "(filters:!((col:mobile,opr:ct,value:'138')))",
        "(filters:!((col:organization.name,opr:ct,value:a)))",
        "(filters:!((col:organization_id,opr:eq,value:1)))",
        "(order_column:mobile,order_direction:asc)",
        "(order_column:path,order_direction:asc)",
        "(order_column:organization.name,order_direction:asc)",
        "(columns:!(mobile_hash))",
        "(columns:!(organization.path))",
        "(filters:!((col:joined_on,opr:gte,value:gestern)))",
    ],
)
def test_what_one_may_not_see_can_be_neither_filtered_nor_sorted_nor_asked_for(programs, query: str) -> None:
    for entity in ("member", "organization"):
        if entity == "organization" and "joined_on" in query:
            continue
        answer = programs["admin"].get(f"{entity}/?q={query}")
        assert answer.status_code == 400, answer.text
        assert answer.content_type == "application/problem+json"
        assert answer.get_json()["errors"]


def test_filters_and_order_narrow_the_list(world, programs) -> None:
    def names(query: str) -> list[str]:
        return [row["name"] for row in programs["admin"].get(f"organization/?q={query}").get_json()["result"]]

    street = world.organizations["street_a"]
    assert sorted(names(f"(filters:!((col:parent,opr:under,value:{street.id})))")) == ["A1支部", "A2支部"]
    assert names("(filters:!((col:any_text,opr:search,value:da2)))") == ["A2支部"]
    assert sorted(names("(filters:!((col:tier,opr:eq,value:!(street,district))))")) == ["A街道", "B街道", "测试区"]
    ordered = names("(order_column:code,order_direction:desc)")
    assert ordered[0] == "B2支部"


def test_pages_are_never_larger_than_a_hundred(programs) -> None:
    for size in (100000, -1, 0):
        answer = programs["admin"].get(f"member/?q=(page_size:{size},page:-3)")
        assert answer.status_code == 200
        assert len(answer.get_json()["result"]) <= 100


@pytest.mark.parametrize(
    "given",
    [
        {"organization": 0},
        {"organization": "branch"},
        {"organization": "code"},
        {"organization": "object"},
        {"organization_id": 0},
        {"organization_code": "code"},
    ],
)
def test_a_relation_is_given_by_id_or_code_of_an_existing_row(site, world, programs, given: dict) -> None:
    branch = world.organizations["branch_a1"]
    values = {"branch": branch.id, "code": branch.code, "object": {"code": branch.code}, 0: branch.id}
    body = {"name": "经接口新增", **{key: values[value] for key, value in given.items()}}
    answer = programs["street"].post("member/", body)
    assert answer.status_code == 201, answer.text
    assert answer.get_json()["result"]["organization"] == {"id": branch.id, "code": branch.code, "name": branch.name}


@pytest.mark.parametrize(
    "make",
    [
        lambda world: 999_999,
        lambda world: "no-such-code",
        lambda world: {"name": "新组织", "tier": "branch"},
        lambda world: {"id": 999_999, "name": "新组织"},
        lambda world: [1, 2],
        lambda world: True,
        lambda world: world.organizations["branch_b1"].id,
        lambda world: world.organizations["branch_b1"].code,
    ],
)
def test_another_row_is_neither_made_nor_reached_by_writing(site, world, programs, make: Any) -> None:
    before = count(site, Organization), count(site, Member)
    row = world.members["branch_a2"]
    for answer in (
        programs["street"].post("member/", {"name": "不应出现", "organization": make(world)}),
        programs["street"].put(f"member/{row.id}", {"organization": make(world)}),
    ):
        assert answer.status_code == 422, answer.text
        assert fields(answer) == {"organization"}
    assert (count(site, Organization), count(site, Member)) == before


def test_a_row_for_an_organization_that_one_may_only_refer_to_is_refused(site, world, programs) -> None:
    body = {"organization": world.organizations["street_a"].id, "kind": "theme_day", "topic": "越权"}
    answer = programs["secretary"].post("meeting/", body)
    assert answer.status_code in (403, 422)
    assert answer.content_type == "application/problem+json"


def test_every_fault_of_a_body_is_named(world, programs) -> None:
    body = {
        "organization": "no-such", "joined_on": "2026-02-30", "fee_base": 12.345, "member_type": "x",
        "is_lost": "vielleicht", "id": 7, "mobile_hash": "x", "is_demonstration": True, "nonsense": 1,
    }  # fmt: skip
    answer = programs["street"].post("member/", body)
    assert answer.status_code == 422
    assert fields(answer) == {
        "organization", "joined_on", "fee_base", "member_type", "is_lost", "id", "mobile_hash", "is_demonstration",
        "nonsense", "name",
    }  # fmt: skip
    english = programs["street"].post("member/?_l_=en", {"organization": 1}).get_json()
    assert {"field": "name", "message": "Has to be filled in"} in english["errors"]


def test_a_value_that_is_taken_is_a_422_at_its_field(world, programs) -> None:
    branch = world.organizations["branch_a1"]
    taken = {"name": "重号", "organization": branch.id, "code": world.members["branch_b1"].code}
    answer = programs["street"].post("member/", taken)
    assert answer.status_code == 422
    assert fields(answer) == {"code"}
    assert "UNIQUE" not in answer.text
    twin = world.rows["fee_payment"]["branch_a1"]
    body = {"member": twin.member_id, "organization": branch.id, "period": twin.period, "due": 1}
    answer = programs["street"].post("fee_payment/", body)
    assert answer.status_code == 422
    assert "member" in fields(answer)


def test_a_put_changes_what_it_names_and_leaves_the_rest(site, world, programs) -> None:
    row = world.members["branch_a2"]
    answer = programs["street"].put(f"member/{row.id}", {"employer": "某单位"})
    assert answer.status_code == 200
    result = answer.get_json()["result"]
    assert (result["employer"], result["name"], result["organization"]["id"]) == (
        "某单位",
        row.name,
        row.organization_id,
    )
    assert fields(programs["street"].put(f"member/{row.id}", {"name": None})) == {"name"}
    assert fields(programs["street"].put(f"member/{row.id}", {"mobile": "138****8048"})) == {"mobile"}


@pytest.mark.parametrize("body", ["[]", '"x"', "nonsense", "", "1"])
def test_what_is_no_json_object_is_refused(programs, body: str) -> None:
    for method, url in (("POST", "member/"), ("PUT", "member/1")):
        answer = programs["admin"].ask(method, url, data=body, content_type="application/json")
        assert answer.status_code == 400, answer.text
    assert programs["admin"].ask("POST", "member/", data={"name": "x"}).status_code == 400


def test_a_row_that_others_refer_to_is_not_deleted(site, world, programs) -> None:
    street = world.organizations["street_b"]
    answer = programs["admin"].ask("DELETE", f"organization/{street.id}")
    assert answer.status_code == 409
    assert answer.get_json()["errors"]
    made = programs["street"].post("member/", {"name": "可删除", "organization": world.organizations["branch_a1"].id})
    assert programs["street"].ask("DELETE", f"member/{made.get_json()['id']}").status_code == 200


def test_info_names_fields_choices_and_filters_without_listing_rows(site, programs) -> None:
    with site.statements() as statements:
        info = programs["admin"].get("member/_info").get_json()
    by_name = {field["name"]: field for field in info["add_columns"]}
    assert by_name["organization"] == {
        "name": "organization", "label": "所在党组织", "description": "", "type": "reference", "required": True,
        "unique": False, "target": "organization",
    }  # fmt: skip
    assert {"value": "full", "label": "正式党员"} in by_name["member_type"]["choices"]
    assert {"name": "是", "operator": "eq"} in info["filters"]["organization"]
    assert "mobile_hash" not in info["filters"]
    assert not any("bc_organization" in statement and "LIMIT" in statement for statement in statements)
