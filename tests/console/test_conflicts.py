"""Two people who edit one record: the second is told, and loses nothing of what they typed."""

from __future__ import annotations

import re

from app.access.actor import system_actor
from app.database.session import unit_of_work
from app.domains.organizations.models import Organization
from tests.access.world import World
from tests.console.site import Site, errors


def form_of(page: str) -> dict[str, str]:
    """What a form page would send as it stands."""
    texts = dict(re.findall(r'<input[^>]*?id="[\w-]+"[^>]*?name="([\w-]+)"[^>]*?value="([^"]*)"', page))
    texts |= dict(re.findall(r'<input[^>]*?name="(revision)"[^>]*?value="([^"]*)"', page))
    for name, body in re.findall(r'<select[^>]*?name="([\w-]+)"[^>]*?>(.*?)</select>', page, re.S):
        chosen = re.search(
            r'<option[^>]*?selected[^>]*?value="([^"]*)"|<option[^>]*?value="([^"]*)"[^>]*?selected', body
        )
        texts[name] = (chosen[1] or chosen[2] or "") if chosen else ""
    return {name: value for name, value in texts.items() if name != "csrf_token"}


def test_what_was_typed_is_kept_and_compared_with_what_was_saved_meanwhile(site: Site, world: World) -> None:
    row = world.organizations["branch_a2"]
    page = f"/records/organization/edit/{row.id}"
    mine, theirs = site.visitor("district"), site.visitor("street")
    typed = form_of(mine.get(page).text)
    assert typed["revision"].isdigit()
    other = form_of(theirs.get(page).text)
    assert theirs.post(page, {**other, "name": "街道改的名"}).status_code == 302

    answer = mine.post(page, {**typed, "name": "区里改的名"})
    assert answer.status_code == 200
    said = errors(answer)
    assert "已被他人修改" in answer.text
    assert "街道改的名" in said["name"]
    told = re.sub(r"<[^>]+>|\s+", " ", answer.text)
    assert re.search(rf"street 于今天 \d\d:\d\d修改：[^ ]+ {row.name} → 街道改的名", told)
    assert set(said) - {""} == {"name"}
    again = form_of(answer.text)
    assert again["name"] == "区里改的名"  # nothing typed was lost
    assert again["revision"] != typed["revision"]

    assert mine.post(page, again).status_code == 302
    with unit_of_work(site.engine, system_actor("tests"), writes=False) as session:
        assert session.get(Organization, row.id).name == "区里改的名"


def test_a_form_that_does_not_say_its_revision_is_taken(site: Site, world: World) -> None:
    row = world.organizations["branch_b2"]
    page = f"/records/organization/edit/{row.id}"
    one = site.visitor("district")
    typed = form_of(one.get(page).text)
    typed.pop("revision")
    assert one.post(page, {**typed, "name": "没有说明版本"}).status_code == 302
