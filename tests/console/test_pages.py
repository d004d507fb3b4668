"""The generated pages, as people use them: every entity, both languages, every way to say no."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from app.access.actor import system_actor
from app.database.session import unit_of_work
from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.entity.registry import EntityType, registry
from tests.access.world import World
from tests.console.site import Site, errors

ENTITIES = [entity.code for entity in registry]
WRITTEN = [entity.code for entity in registry if not entity.options.read_only]


def stored(site: Site, model: type, **values: Any) -> Any:
    """The one row of these values, None if there is none."""
    with unit_of_work(site.engine, system_actor("tests"), writes=False) as session:
        return session.scalars(select(model).filter_by(**values)).one_or_none()


def count(site: Site, model: type) -> int:
    with unit_of_work(site.engine, system_actor("tests"), writes=False) as session:
        return session.scalar(select(func.count(model.id)))


@pytest.mark.parametrize("code", ENTITIES)
def test_every_entity_has_its_pages_in_both_languages(site: Site, world: World, code: str) -> None:
    entity: EntityType = registry[code]
    row = world.rows[code]["branch_a1"]
    for language in ("zh", "en"):
        visitor = site.visitor(language=language)
        pages = [f"list/?psize_{code}=10", f"show/{row.id}"]
        pages += [] if entity.options.read_only else ["add", f"edit/{row.id}"]
        for page in pages:
            answer = visitor.get(f"/records/{code}/{page}")
            assert answer.status_code == 200, f"{page}: {answer.text[-300:]}"
            assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in answer.text
        listed = visitor.get(f"/records/{code}/list/").text
        for field in entity.fields.values():
            if field.options.listed:
                assert field.label.in_language(language) in listed
        for hidden in entity.hidden_fields:
            assert f'"{hidden}"' not in listed


@pytest.mark.parametrize("code", ENTITIES)
def test_pages_of_rows_elsewhere_are_not_there(site: Site, world: World, code: str) -> None:
    if registry[code].options.visibility == "public":
        pytest.skip("everybody sees these")
    row = world.rows[code]["branch_b1"]
    visitor = site.visitor("street")
    for page in ("show", "edit"):
        assert visitor.get(f"/records/{code}/{page}/{row.id}").status_code == 404
    removed = visitor.post(f"/records/{code}/delete/{row.id}")
    assert removed.status_code == (403 if code == "organization" else 404)  # streets delete no organizations at all
    bulk = visitor.post(f"/records/{code}/action_post", {"action": "muldelete", "rowid": str(row.id)})
    assert bulk.status_code in (403, 404)
    assert stored(site, registry[code].model, id=row.id) is not None
    assert f'value="{row.id}"' not in visitor.get(f"/records/{code}/list/?psize_x=100").text.split("<tbody>")[-1]


def test_an_address_that_is_no_row_is_not_found(site: Site) -> None:
    visitor = site.visitor()
    for key in ("0", "-1", "abc", "99999999999999999999", "1e3", " 1"):
        assert visitor.get(f"/records/member/show/{key}").status_code == 404


def test_strangers_are_sent_to_sign_in_and_readers_may_not_write(site: Site, world: World) -> None:
    stranger = site.stranger()
    assert "/login/" in stranger.get("/records/member/list/").headers["Location"]
    auditor = site.visitor("auditor")
    assert auditor.get("/records/member/list/").status_code == 403
    secretary = site.visitor("secretary")
    assert secretary.get("/records/organization/add").status_code == 403
    own = world.organizations["branch_a1"]
    assert f"/organization/delete/{own.id}" not in secretary.get(f"/records/organization/show/{own.id}").text


def test_values_are_shown_as_words_and_personal_ones_masked(site: Site, world: World) -> None:
    with unit_of_work(site.engine, system_actor("tests")) as session:
        member = session.get(Member, world.members["branch_a1"].id)
        member.mobile, member.fee_monthly, member.is_floating = "13812348048", 12.5, True
    row = world.members["branch_a1"]
    shown = site.visitor().get(f"/records/member/show/{row.id}").text
    assert "138****8048" in shown
    assert "13812348048" not in shown
    for words in ("正式党员", "12.50 元", "2010-07-01", ">是<"):
        assert words in shown, words
    english = site.visitor(language="en").get(f"/records/member/show/{row.id}").text
    for words in ("Full member", "12.50 yuan", ">yes<", "Joined on"):
        assert words in english, words
    form = site.visitor().get(f"/records/member/edit/{row.id}").text
    assert "13812348048" not in form
    assert 'value="138****8048"' in form


def test_a_relation_is_a_link_with_the_name_of_the_row(site: Site, world: World) -> None:
    branch, street = world.organizations["branch_a1"], world.organizations["street_a"]
    listed = site.visitor().get("/records/member/list/").text
    assert f'<a href="/records/organization/show/{branch.id}">{branch.name}</a>' in listed
    # A superior is named to its branch, but not linked: its page is not the branch's to open.
    shown = site.visitor("secretary").get(f"/records/organization/show/{branch.id}").text
    assert street.name in shown
    assert f"/records/organization/show/{street.id}" not in shown


def test_adding_stores_the_row_and_shows_it(site: Site, world: World) -> None:
    visitor = site.visitor("street")
    branch = world.organizations["branch_a1"]
    visitor.get("/records/member/add")
    answer = visitor.post(
        "/records/member/add",
        {
            "name": " 新党员 ",
            "organization": str(branch.id),
            "member_type": "probationary",
            "membership_status": "normal",
            "party_post": "none",
            "joined_on": "2026-03-02",
            "is_employed": "y",
        },
    )
    row = stored(site, Member, name="新党员")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith(f"/records/member/show/{row.id}")
    assert (row.organization_id, str(row.member_type), str(row.joined_on)) == (branch.id, "probationary", "2026-03-02")
    assert row.code  # left empty, so it was made up
    assert not row.is_demonstration


def test_what_is_refused_is_said_at_its_field_and_what_was_typed_stays(site: Site, world: World) -> None:
    visitor = site.visitor("street")
    before = count(site, Member)
    visitor.get("/records/member/add")
    typed = {
        "name": "",
        "organization": str(world.organizations["branch_b1"].id),
        "joined_on": "2026-02-30",
        "fee_base": "12.345",
        "employer": "某单位<b>",
        "member_type": "no-such-code",
        "membership_status": "normal",
        "party_post": "none",
    }
    answer = visitor.post("/records/member/add", typed)
    said = errors(answer)
    assert answer.status_code == 200
    assert said["name"] == "请填写"
    assert said["organization"] == "没有这个选项，请重新选择"
    assert "2026-11-23" in said["joined_on"]
    assert said["fee_base"] == "最多 2 位小数"
    assert said["member_type"] == "没有这个选项，请重新选择"
    assert "5 处需要改正" in said[""]
    assert 'value="某单位&lt;b&gt;"' in answer.text
    assert 'value="2026-02-30"' in answer.text
    assert count(site, Member) == before


def test_a_contradiction_and_a_value_that_is_taken_are_said_in_words(site: Site, world: World) -> None:
    visitor = site.visitor()
    row, other = world.members["branch_a2"], world.members["branch_b1"]
    page = f"/records/member/edit/{row.id}"
    values = {
        "code": row.code,
        "name": row.name,
        "organization": str(row.organization_id),
        "member_type": "full",
        "membership_status": "normal",
        "party_post": "none",
        "joined_on": "2020-05-01",
    }
    visitor.get(page)
    assert "不能早于" in errors(visitor.post(page, {**values, "left_on": "2019-01-01"}))["left_on"]
    assert "已有" in errors(visitor.post(page, {**values, "code": other.code}))["code"]
    assert "bc_member" not in visitor.post(page, {**values, "code": other.code}).text
    appraisal = world.rows["appraisal"]["branch_a1"]
    twin = {
        "organization": str(appraisal.organization_id),
        "member": str(appraisal.member_id),
        "period": appraisal.period,
        "appraised_on": "2026-01-05",
        "status": "draft",
    }
    said = errors(visitor.post("/records/appraisal/add", twin))
    assert "年度" in said["member"]


def test_a_masked_value_stays_unless_it_is_typed_anew(site: Site, world: World) -> None:
    with unit_of_work(site.engine, system_actor("tests")) as session:
        session.get(Member, world.members["street_b"].id).mobile = "13900001234"
    row = world.members["street_b"]
    visitor = site.visitor()
    page = f"/records/member/edit/{row.id}"
    values = {
        "code": row.code,
        "name": "改了名字",
        "organization": str(row.organization_id),
        "member_type": "full",
        "membership_status": "normal",
        "party_post": "none",
    }
    visitor.get(page)
    assert visitor.post(page, {**values, "mobile": "139****1234"}).status_code == 302
    assert (stored(site, Member, id=row.id).mobile, stored(site, Member, id=row.id).name) == ("13900001234", "改了名字")
    assert "星号" in errors(visitor.post(page, {**values, "mobile": "139**1234"}))["mobile"]
    assert visitor.post(page, {**values, "mobile": "13700000000"}).status_code == 302
    assert stored(site, Member, id=row.id).mobile == "13700000000"


def test_a_relation_that_is_out_of_sight_survives_an_edit(site: Site, world: World) -> None:
    with unit_of_work(site.engine, system_actor("tests")) as session:
        elsewhere = world.organizations["branch_b2"].id
        session.get(Member, world.members["branch_a1"].id).community_id = elsewhere
    row = world.members["branch_a1"]
    visitor = site.visitor("secretary")
    page = f"/records/member/edit/{row.id}"
    form = visitor.get(page).text
    assert "（不在管辖范围内）" in form
    values = {
        "code": row.code,
        "name": "改名",
        "organization": str(row.organization_id),
        "community": str(elsewhere),
        "member_type": "full",
        "membership_status": "normal",
        "party_post": "none",
    }
    answer = visitor.post(page, values)
    assert answer.status_code == 302, errors(answer)
    assert stored(site, Member, id=row.id).community_id == elsewhere


def test_an_organization_outside_is_refused_in_words(site: Site, world: World) -> None:
    """A branch may refer to its street, but not write rows for it."""
    visitor = site.visitor("secretary")
    visitor.get("/records/meeting/add")
    meeting = {
        "organization": str(world.organizations["street_a"].id),
        "kind": "theme_day",
        "topic": "越权",
        "status": "planned",
    }
    said = errors(visitor.post("/records/meeting/add", meeting))
    assert any("管" in words for words in said.values()), said
    assert stored(site, registry["meeting"].model, topic="越权") is None


def test_deleting_needs_a_post_with_a_token_and_spares_what_others_refer_to(site: Site, world: World) -> None:
    visitor = site.visitor()
    row = world.rows["commendation"]["branch_b2"]
    page = f"/records/commendation/delete/{row.id}"
    assert visitor.get(page).status_code == 405
    assert visitor.client.post(page).status_code == 400
    assert stored(site, registry["commendation"].model, id=row.id) is not None
    assert visitor.post(page).status_code == 302
    assert stored(site, registry["commendation"].model, id=row.id) is None
    street = world.organizations["street_b"]
    visitor.post(f"/records/organization/delete/{street.id}")
    assert stored(site, Organization, id=street.id) is not None
    assert "与它关联，不能删除" in visitor.get("/records/organization/list/").text


def test_selected_rows_are_deleted_together(site: Site, world: World) -> None:
    visitor = site.visitor("street")
    rows = [world.rows["study_record"][place] for place in ("branch_a1", "branch_a2", "branch_b1")]
    visitor.get("/records/study_record/list/")
    answer = visitor.post(
        "/records/study_record/action_post", {"action": "muldelete", "rowid": [str(row.id) for row in rows]}
    )
    assert answer.status_code == 302
    left = [stored(site, registry["study_record"].model, id=row.id) is not None for row in rows]
    assert left == [False, False, True]  # the last lies in another street
    assert visitor.post("/records/study_record/action_post", {"action": "no-such", "rowid": "1"}).status_code == 404


def test_search_filters_and_order_narrow_a_list(site: Site, world: World) -> None:
    visitor = site.visitor()

    def names(query: str) -> list[str]:
        page = visitor.get(f"/records/organization/list/?{query}").text
        return re.findall(r'<td class="nm"><a href="[^"]+"><b>([^<]+)</b>', page)

    assert names("_flt_0_any_text=a1支部") == ["A1支部"]
    assert names("_flt_0_any_text=支部 da2") == ["A2支部"]
    assert names("_flt_0_any_text=100%25") == []
    street = world.organizations["street_a"]
    assert sorted(names(f"_flt_1_parent={street.id}")) == ["A1支部", "A2支部"]
    assert sorted(names("_flt_0_tier=street")) == ["A街道", "B街道"]
    assert len(names("_flt_0_tier=street&_flt_0_tier=branch")) == 6
    assert sorted(names("_flt_1_tier=branch")) == ["A街道", "B街道", "测试区"]
    ordered = names("_oc_OrganizationView=name&_od_OrganizationView=desc")
    assert ordered == sorted(ordered, reverse=True)
    by_parent = names("_oc_OrganizationView=parent&_od_OrganizationView=asc")
    assert by_parent[0] == "测试区"
    assert len(by_parent) == 7


def test_what_cannot_be_read_is_left_out_and_said(site: Site) -> None:
    page = site.visitor().get("/records/member/list/?_flt_0_joined_on=gestern&_flt_9_name=x&_flt_0_id_no_hash=a").text
    assert "条件“入党日期”没有用上" in page
    assert page.count('class="nm"') == 8 or page.count('class="nm"') >= 7


def test_pages_are_never_larger_than_a_hundred(site: Site) -> None:
    for size in ("100000", "-5", "abc", "1e9"):
        with site.statements() as statements:
            assert (
                site.visitor().get(f"/records/member/list/?psize_MemberView={size}&page_MemberView=x").status_code
                == 200
            )
        assert any("LIMIT" in statement for statement in statements)


def test_what_refers_to_a_row_is_counted_and_listed_on_its_page(site: Site, world: World) -> None:
    branch = world.organizations["branch_a2"]
    visitor = site.visitor()
    page = visitor.get(f"/records/organization/show/{branch.id}").text
    tabs = dict(re.findall(r"tab=([\w.]+)\">[^<]*<span class=\"n\">(\d+)", page))
    assert tabs["member.organization"] == "1"
    assert tabs["course.organization"] == "1"
    assert "organization.parent" not in tabs  # nothing below it, and nothing is added to it that way
    above = visitor.get(f"/records/organization/show/{world.organizations['street_a'].id}").text
    assert 'tab=organization.parent">' in above
    listed = visitor.get(f"/records/organization/show/{branch.id}?tab=member.organization").text
    assert world.members["branch_a2"].name in listed
    assert f"/records/member/add?_flt_0_organization={branch.id}" in listed
    given = visitor.get(f"/records/member/add?_flt_0_organization={branch.id}").text
    assert f'<option selected value="{branch.id}">' in given or f'<option value="{branch.id}" selected>' in given


def test_the_reader_finds_members_by_their_whole_mobile_number_only(site: Site, world: World) -> None:
    with unit_of_work(site.engine, system_actor("tests")) as session:
        session.get(Member, world.members["branch_b2"].id).mobile = "13655556666"
    visitor = site.visitor()
    found = visitor.get("/records/member/list/?_flt_0_mobile=13655556666").text
    assert found.count('class="nm"') == 1
    assert 'class="nm"' not in visitor.get("/records/member/list/?_flt_0_mobile=1365555").text
    assert visitor.get("/records/member/list/?_flt_0_any_text=13655556666").text.count('class="nm"') == 1
