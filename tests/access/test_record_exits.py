"""History, trash, files and saved views of every entity are open to those who may see the record, and to nobody else.

Over the marked world of ``marks``, for a visitor of every tier. Imports and exports, whose steps need a worker, are
walked in ``tests/exchange``.
"""

from __future__ import annotations

import io
import re
from typing import Any

import openpyxl
import pytest
from flask_appbuilder.security.sqla.models import PermissionView, Role
from sqlalchemy import func, select, update

from app.access import permissions as may_permission
from app.access.first_start import new_account
from app.access.roles import ROLES
from app.console.lists.models import SavedView
from app.domains.attachments.models import Attachment
from app.domains.attachments.operations import attach
from app.domains.attachments.ties import ties_of
from app.entity.registry import EntityType, FieldKind, registry
from app.entity.visibility import Visibility
from app.history.trash_model import Trashed
from tests.access.conftest import Walk
from tests.access.marks import leaks, may, places_seen
from tests.access.test_exits import form_of
from tests.access.web import PASSWORD
from tests.access.world import fresh_row

VISITORS = [None, "no_role", "street_a", "branch_a1", "member_a1", "district", "admin"]
OWN, AWAY = "branch_a1", "branch_b1"
BELOW = {
    "street_a": {"street_a", "branch_a1", "branch_a2"},
    "street_b": {"street_b", "branch_b1", "branch_b2"},
    "branch_a1": {"branch_a1"},
    "district": {OWN, AWAY},
    "admin": {OWN, AWAY},
}
"""Where a visitor writes."""
LONGEST_MARK = 40
PDF = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\n%%EOF\n"


def is_turned_away(answer: Any) -> bool:
    """Refused, or sent to the sign-in page or home."""
    if answer.status_code == 302:
        return answer.headers["Location"] == "/" or "/login" in answer.headers["Location"]
    return answer.status_code in (401, 403, 404)


# --- history ---


@pytest.mark.parametrize("visitor", VISITORS)
def test_the_history_of_a_record_is_open_like_the_record(visitor: str | None, walk: Walk):
    one = walk.browser(visitor)
    for entity in registry:
        for place in (OWN, AWAY):
            row = walk.world.rows[entity.code][place]
            page = one.get(f"/history/{entity.code}/{row.id}")
            is_open = may(visitor, "show", entity) and place in places_seen(walk.world, visitor, entity)
            assert page.status_code == 200 if is_open else is_turned_away(page), (entity.code, place, page.status_code)
            assert not leaks(page, walk.world, visitor), (entity.code, place)
            if not is_open:
                back = one.post(f"/history/{entity.code}/{row.id}/revert/1")
                assert is_turned_away(back), (entity.code, place, back.status_code)


def test_a_history_names_no_place_that_its_reader_does_not_see(walk: Walk):
    organizations = walk.world.organizations
    with walk.system() as session:
        row = fresh_row(walk.world, registry["member"], AWAY, session)
        session.add(row)
    with walk.system() as session:
        session.get(type(row), row.id).organization_id = organizations[OWN].id
    mark = f"MARK-organization-{AWAY}-"
    assert mark in walk.browser("district").get(f"/history/member/{row.id}").text
    assert mark not in walk.browser("street_a").get(f"/history/member/{row.id}").text
    with walk.system() as session:
        session.delete(session.get(type(row), row.id))


def test_a_history_says_nothing_of_fields_that_are_not_there_for_its_reader(walk: Walk):
    member = registry["member"]
    with walk.system() as session:
        row = fresh_row(walk.world, member, OWN, session)
        row.fee_base = 98765
        session.add(row)
    with walk.system() as session:
        session.get(type(row), row.id).fee_base = 87654
    address = f"/history/member/{row.id}"
    assert "87654" in walk.browser("street_a").get(address).text.replace(",", "")
    shown = walk.browser("rules_a").get(address)
    assert shown.status_code == 200
    assert member.fields["fee_base"].label.zh not in shown.text
    assert "87654" not in shown.text.replace(",", "")
    with walk.system() as session:
        session.delete(session.get(type(row), row.id))


# --- trash ---


@pytest.fixture(scope="module")
def trashed(walk: Walk) -> dict[tuple[str, str], int]:
    """A deleted row of each entity and place, by the trash's id."""
    with walk.system() as session:
        for entity in registry:
            for place in (OWN, AWAY) if not entity.options.read_only else ():
                row = fresh_row(walk.world, entity, place, session)
                title = entity.fields[entity.options.title]
                if title.kind is FieldKind.TEXT and (title.maximum_length or 99) >= LONGEST_MARK:
                    setattr(row, title.name, f"MARK-{entity.code}-{place}-gone")
                session.add(row)
                session.flush()
                session.delete(row)
                session.flush()
        found: dict[tuple[str, str], int] = {}
        for number, entity_code in session.execute(select(Trashed.id, Trashed.entity).order_by(Trashed.id)):
            place = OWN if (entity_code, OWN) not in found else AWAY
            found[entity_code, place] = number
    return found


@pytest.mark.parametrize("visitor", VISITORS)
def test_the_trash_holds_what_one_could_have_deleted(visitor: str | None, walk: Walk, trashed: dict):
    one, own = walk.browser(visitor), BELOW.get(str(visitor), set())
    whole = count(walk, Trashed)
    for entity in registry:
        page = one.get(f"/trash/?entity={entity.code}")
        found = set(re.findall(r"/trash/(\d+)/restore", page.text))
        if not own:
            assert is_turned_away(page), page.status_code
            assert not found
        for place in (OWN, AWAY):
            key = trashed.get((entity.code, place))
            if key is None:
                continue
            is_own = may(visitor, "delete", entity) and place in own and _has_owner(walk, key, visitor)
            assert (str(key) in found) is is_own, (entity.code, place)
            if not is_own:
                assert is_turned_away(one.post(f"/trash/{key}/restore")), (entity.code, place)
                assert is_turned_away(one.post(f"/trash/{key}/purge")), (entity.code, place)
        assert not leaks(page, walk.world, visitor) or own == {OWN, AWAY}, entity.code
    assert count(walk, Trashed) == whole


def _has_owner(walk: Walk, key: int, visitor: str | None) -> bool:
    """What belongs to no organization is written at the root alone."""
    with walk.system(writes=False) as session:
        return session.get(Trashed, key).organization_id is not None or visitor in ("district", "admin")


def count(walk: Walk, model: Any) -> int:
    with walk.system(writes=False) as session:
        return session.scalar(select(func.count(model.id)))


# --- files ---


@pytest.fixture(scope="module")
def files(walk: Walk) -> dict[tuple[str, str], str]:
    """A file at a row of each entity that can have one, here and elsewhere; their codes."""
    found = {}
    with walk.system() as session:
        data_dir = walk.app.config["SETTINGS"].data_dir
        for entity in registry:
            for place in (OWN, AWAY):
                row = session.get(entity.model, walk.world.rows[entity.code][place].id)
                if entity.code == "attachment" or ties_of(entity, row)[0] is None:
                    continue
                attach(session, data_dir, entity, row, "a.pdf", PDF)
                found[entity.code, place] = session.scalar(select(Attachment.code).order_by(Attachment.id.desc()))
        for (code, place), name in found.items():
            session.connection().execute(
                update(Attachment.__table__).where(Attachment.code == name).values(name=f"MARK-{code}-{place}-.pdf")
            )
    return found


@pytest.mark.parametrize("visitor", VISITORS)
def test_files_are_open_like_their_records(visitor: str | None, walk: Walk, files: dict):
    one, whole = walk.browser(visitor), count(walk, Attachment)
    attachment = registry["attachment"]
    for (code, place), name in files.items():
        entity = registry[code]
        sees = place in places_seen(walk.world, visitor, entity)
        is_open = may(visitor, "show", entity) and may(visitor, "show", attachment) and sees
        answer = one.get(f"/attachments/{name}/file")
        assert answer.status_code == 200 if is_open else is_turned_away(answer), (code, place, answer.status_code)
        if not may_write(visitor, entity, place):
            row = walk.world.rows[code][place]
            given = {"file": (io.BytesIO(PDF), "b.pdf")}
            assert is_turned_away(one.post(f"/attachments/{code}/{row.id}", given)), (code, place)
            assert is_turned_away(one.post(f"/attachments/{name}/delete")), (code, place)
    for path in ("/records/attachment/list/", "/api/v1/attachment/?page_size=100"):
        assert not leaks(one.get(path), walk.world, visitor), path
    assert count(walk, Attachment) == whole


def may_write(visitor: str | None, entity: EntityType, place: str) -> bool:
    if entity.options.visibility is Visibility.PUBLIC:
        return visitor in ("district", "admin")
    return may(visitor, "edit", entity) and place in BELOW.get(str(visitor), set())


# --- saved views ---


@pytest.mark.parametrize("visitor", VISITORS)
def test_a_saved_view_is_its_owners_and_shows_others_their_own_rows(visitor: str | None, walk: Walk):
    owner = walk.browser("street_b")
    owner.post("/records/member/views/save", {"name": "自用视图", "address": f"_flt_0_any_text=MARK-member-{AWAY}-"})
    with walk.system(writes=False) as session:
        view = session.scalar(select(SavedView.id).where(SavedView.name == "自用视图"))
    assert view is not None
    one = walk.browser(visitor)
    page = one.get(f"/records/member/list/?view={view}")
    assert "自用视图" not in page.text
    assert not leaks(page, walk.world, visitor)
    assert is_turned_away(one.post(f"/records/member/views/{view}/delete"))
    assert count(walk, SavedView) == 1


# --- restricted fields ---


def test_restricted_fields_are_nowhere_in_the_console_without_clearance(walk: Walk):
    member = registry["member"]
    restricted = {name: field for name, field in member.fields.items() if field.options.restricted}
    assert restricted
    see_income = may_permission.see("income")
    with walk.system() as session:
        known = {(each.permission.name, each.view_menu.name): each for each in session.scalars(select(PermissionView))}
        held = [known[tuple(each)] for each in ROLES["street_administrator"].permissions() if each != see_income]
        session.add(Role(name="clerk", permissions=held))
        session.flush()
        place = walk.world.organizations["street_a"].id
        new_account(session, "clerk", "clerk", ["clerk"], PASSWORD, organization_id=place, must_change_password=False)
    row, clerk = walk.world.members[OWN].id, walk.browser("clerk")
    pages = (
        "/records/member/list/", f"/records/member/list/?columns=name,{','.join(restricted)}", "/records/member/add",
        f"/records/member/show/{row}", f"/records/member/edit/{row}", "/records/member/list/?_flt_1_fee_base=1",
        "/records/member/bulk_edit/all", f"/history/member/{row}", "/exports/new/member",
    )  # fmt: skip
    for path in pages:
        whole, page = walk.browser("street_a").get(path), clerk.get(path)
        assert page.status_code == whole.status_code, path
        for name, field in restricted.items():
            words = page.text.replace(path.partition("?")[2], "")  # links repeat what was asked
            assert not re.search(rf"\b{name}\b", re.sub(r'(href|action|value|hx-get)="[^"]*"', "", words)), (path, name)
            assert field.label.zh not in page.text, (path, name)
    shown = walk.browser("street_a").get(f"/records/member/show/{row}").text
    assert all(field.label.zh in shown for field in restricted.values())
    template = openpyxl.load_workbook(io.BytesIO(clerk.get("/imports/template/member.xlsx").data))
    headings = {cell.value for sheet in template for line in sheet.iter_rows() for cell in line}
    assert not headings & {field.label.zh for field in restricted.values()}
    # What is not there cannot be set either, and stays as it is.
    with walk.system() as session:
        session.get(member.model, row).fee_base = 4321
        before = session.get(member.model, row).job
    token = re.search(r'name="revision"[^>]*value="(\d+)"', clerk.get(f"/records/member/edit/{row}").text)
    form = form_of_member(walk, row) | {"fee_base": "1", "job": "teacher"} | ({"revision": token[1]} if token else {})
    answer = clerk.post(f"/records/member/edit/{row}", form)
    assert answer.status_code == 302, answer.text[-3000:]
    assert clerk.send("PATCH", f"/api/v1/member/{row}", {"fee_base": 1}).status_code == 422
    with walk.system() as session:
        stored = session.get(member.model, row)
        assert (float(stored.fee_base), str(stored.job)) == (4321, "teacher")
        stored.job = before


def form_of_member(walk: Walk, row: int) -> dict[str, Any]:
    with walk.system(writes=False) as session:
        return form_of(session.get(registry["member"].model, row), registry["member"])
