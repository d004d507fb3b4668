"""The lean API: fields, cursors, groups, bulk calls, tags, idempotency keys, API keys and restricted fields."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask_appbuilder.security.sqla.models import ApiKey, Role, User
from sqlalchemy import func, select

from app.access.actor import system_actor
from app.access.api_keys import make_key, revoke_key
from app.database.session import unit_of_work
from app.domains.members.models import Member
from tests.api.test_entities import Program


@pytest.fixture(scope="module")
def admin(peopled: Any) -> Program:
    return Program(peopled.site)


@pytest.fixture(scope="module")
def street(peopled: Any) -> Program:
    return Program(peopled.site, "street")


def members(site: Any) -> int:
    with unit_of_work(site.engine, system_actor("tests"), writes=False) as session:
        return session.scalar(select(func.count(Member.id)))


@pytest.mark.parametrize("sort", ["member_type", "-organization,member_type", "joined_on,-name", "-code", "left_on"])
def test_a_cursor_gives_every_row_once_in_the_order_of_pages(admin: Program, sort: str) -> None:
    whole = [row["id"] for row in admin.get(f"member/?sort={sort}&fields=id&page_size=100").json["result"]]
    found: list[int] = []
    cursor = None
    while cursor is not None or not found:
        page = admin.get(f"member/?sort={sort}&fields=id&page_size=2" + (f"&cursor={cursor}" if cursor else "")).json
        found += [row["id"] for row in page["result"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == whole
    assert len(set(found)) == len(found)


def test_a_cursor_of_another_list_is_refused(admin: Program) -> None:
    cursor = admin.get("member/?sort=code&page_size=1").json["next_cursor"]
    assert admin.get(f"member/?sort=-code&cursor={cursor}").status_code == 422
    assert admin.get(f"organization/?sort=code&cursor={cursor}").status_code == 422
    assert admin.get("member/?cursor=invented").status_code == 422


@pytest.mark.parametrize(
    "query", ["nonsense=1", "page=0", "fields=id_no_hash", "sort=id_no", "filter[path]=1", "count=x"]
)
def test_unknown_parameters_and_names_are_refused_with_those_allowed(admin: Program, query: str) -> None:
    for language, word in (("zh", "有误"), ("en", "Bad request")):
        headers = {**admin.headers, "Accept-Language": language}
        answer = admin.site.app.test_client().get(f"/api/v1/member/?{query}", headers=headers)
        assert answer.status_code == 400
        assert answer.content_type == "application/problem+json"
        assert word in answer.get_json()["title"]
        assert answer.get_json()["errors"][0]["field"]


def test_groups_count_what_the_reader_sees(admin: Program, street: Program) -> None:
    everywhere = admin.get("member/?group_by=organization.tier&sort=-count").json["result"]
    own = street.get("member/?group_by=organization.tier").json["result"]
    assert sum(group["count"] for group in own) == street.get("member/").json["count"]
    assert sum(group["count"] for group in own) < sum(group["count"] for group in everywhere)


def test_restricted_fields_are_not_there_without_clearance(peopled: Any, admin: Program) -> None:
    peopled.site.add_account("rules", "rule_administrator", peopled.world.organizations["district"].id)
    rules = Program(peopled.site, "rules")
    assert "fee_base" in admin.get("member/").json["result"][0]
    assert "fee_base" not in rules.get("member/").json["result"][0]
    assert '"fee_base"' not in rules.get("member/?q=()").text
    for query in (
        "fields=fee_base", "sort=fee_base", "filter[fee_base][gte]=1", "group_by=fee_base",
        "group_by=gender&sum=fee_base",
        "q=(columns:!(fee_base))", "q=(order_column:fee_base,order_direction:asc)",
        "q=(filters:!((col:fee_base,opr:gte,value:1)))",
    ):  # fmt: skip
        assert rules.get(f"member/?{query}").status_code == 400, query
        assert admin.get(f"member/?{query}").status_code == 200, query
    assert '"fee_base"' not in rules.get("_openapi").text
    assert '"fee_base"' in admin.get("_openapi").text


def test_a_bulk_call_is_done_whole_or_not_at_all(peopled: Any, street: Program) -> None:
    branch, before = peopled.world.organizations["branch_a1"].id, members(peopled.site)
    good = {"name": "批量一", "organization": branch}
    elsewhere = peopled.world.members["branch_b1"].id
    for body in (
        {"create": [good, {"name": "批量二", "organization": "nowhere"}]},
        {"create": [good], "delete": [elsewhere]},
        {"create": [good], "change": [{"id": elsewhere, "job": "x"}]},
    ):
        answer = street.post("member/_bulk", body)
        assert answer.status_code == 422, answer.text
        assert "[" in answer.get_json()["errors"][0]["field"]
        assert members(peopled.site) == before
    done = street.post("member/_bulk", {"create": [good, {**good, "name": "批量三"}]})
    assert done.status_code == 200, done.text
    assert members(peopled.site) == before + 2
    gone = street.post("member/_bulk", {"delete": [row["id"] for row in done.get_json()["created"]]})
    assert gone.status_code == 200, gone.text
    assert members(peopled.site) == before


def test_a_change_of_what_somebody_else_has_changed_is_refused(peopled: Any, street: Program) -> None:
    path, client = f"/api/v1/member/{peopled.world.members['branch_a1'].id}", peopled.site.app.test_client()
    first = client.get(path, headers=street.headers)
    tag = first.headers["ETag"]
    assert client.get(path, headers={**street.headers, "If-None-Match": tag}).status_code == 304
    matching = {**street.headers, "If-Match": tag}
    assert client.patch(path, json={"job": "第一人"}, headers=matching).status_code == 200
    late = client.patch(path, json={"job": "第二人"}, headers=matching)
    assert late.status_code == 412
    assert client.get(path, headers=street.headers).get_json()["result"]["job"] == "第一人"
    assert client.get(path, headers={**street.headers, "If-None-Match": tag}).status_code == 200


def test_a_request_that_comes_again_is_done_once(peopled: Any, street: Program) -> None:
    client, before = peopled.site.app.test_client(), members(peopled.site)
    body = {"name": "只加一次", "organization": peopled.world.organizations["branch_a1"].id}
    headers = {**street.headers, "Idempotency-Key": "9f1c"}
    answers = [client.post("/api/v1/member/", json=body, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.data for answer in answers}) == 1
    assert members(peopled.site) == before + 1
    other = client.post("/api/v1/member/", json={**body, "name": "另一人"}, headers=headers)
    assert other.status_code == 422
    assert members(peopled.site) == before + 1


def test_a_key_acts_in_its_organization_and_ends_when_it_is_revoked(peopled: Any) -> None:
    site, branch = peopled.site, peopled.world.organizations["branch_a1"]
    with site.app.app_context(), unit_of_work(site.engine, system_actor("tests")) as session:
        account = session.scalars(select(User).where(User.username == "street")).one()
        role = session.scalars(select(Role).where(Role.name == "street_administrator")).one()
        key, text = make_key(
            session, system_actor("tests"), account, name="门户", role_id=role.id, organization_id=branch.id, days=30,
            secret=site.app.config["SECRET_KEY"],
        )  # fmt: skip
        key_id = key.id
    client, headers = site.app.test_client(), {"Authorization": f"Bearer {text}"}
    first = client.get("/api/v1/member/?fields=id,organization", headers=headers)
    assert first.status_code == 200, first.text
    assert first.headers["RateLimit-Limit"] == "600"
    assert {row["organization"]["id"] for row in first.get_json()["result"]} == {branch.id}
    with unit_of_work(site.engine, system_actor("tests")) as session:
        stored = session.get(ApiKey, key_id)
        assert text not in (stored.key_hash, stored.lookup_hash)
        revoke_key(session, system_actor("tests"), stored)
    assert client.get("/api/v1/member/", headers=headers).status_code == 401


def test_keys_are_made_and_revoked_on_their_page(peopled: Any) -> None:
    visitor = peopled.site.visitor("street")
    page = visitor.get("/api-keys/")
    assert page.status_code == 200
    with unit_of_work(peopled.site.engine, system_actor("tests"), writes=False) as session:
        role = session.scalars(select(Role.id).where(Role.name == "street_administrator")).one()
        other = session.scalars(select(Role.id).where(Role.name == "district_administrator")).one()
    form = {"name": "表格", "role": role, "organization": "", "days": 30}
    assert 'class="key"' not in visitor.post("/api-keys/", {**form, "role": other}).text
    assert "alert-danger" in visitor.post("/api-keys/", {**form, "organization": "DB1"}).text
    made = visitor.post("/api-keys/", form)
    text = re.search(r'<code class="key">(beacon_[^<]+)</code>', made.text).group(1)
    client, headers = peopled.site.app.test_client(), {"Authorization": f"Bearer {text}"}
    assert client.get("/api/v1/member/", headers=headers).status_code == 200
    assert text not in visitor.get("/api-keys/").text
    key_id = re.search(r"/api-keys/(\d+)/revoke", visitor.get("/api-keys/").text).group(1)
    assert visitor.post(f"/api-keys/{key_id}/revoke", {}).status_code == 302
    assert client.get("/api/v1/member/", headers=headers).status_code == 401
    assert peopled.site.visitor("secretary").post(f"/api-keys/{key_id}/revoke", {}).status_code == 404
