"""Pairwise comparison over HTTP: weights beside today's, contradictions, and the points taken into the draft."""

from __future__ import annotations

import html
import itertools
import re

import pytest

from app.access.actor import system_actor
from app.database.session import unit_of_work
from app.workshop.drafts import start
from app.workshop.models import Draft
from tests.console.workshop.test_approval import Place, draft_of, place, state  # noqa: F401 - the site of a module


def pairs_of(page: str) -> list[str]:
    """The names of the first person's fields."""
    return re.findall(r'name="(j\.0\.[\w.]+)"', page)


def test_judgements_give_points_that_a_click_takes_into_the_draft(place: Place) -> None:  # noqa: F811
    draft = draft_of(place, "writer", 'red: "< 60"', 'red: "< 57"')
    writer = place.site.visitor("writer")
    address = f"/workshop/weighing/{draft.id}/-"
    page = writer.get(address).text
    names = pairs_of(page)
    assert f"还有 {len(names)} 对没有比较" in page
    # Everything alike but the first, which is three times as important: consistent by definition.
    first = names[0].split(".")[2]
    query = "&".join(f"{name}={'3' if name.split('.')[2] == first else '1'}" for name in names)
    page = writer.get(f"{address}?people=1&{query}").text
    assert re.search(r"一致性比率 <b>0\.000</b>", page)
    points = {code: float(value) for code, value in re.findall(r'name="points\.(\w+)" value="([\d.]+)"', page)}
    others = [value for code, value in points.items() if code != first]
    assert points[first] == pytest.approx(3 * sum(others) / len(others), abs=1.5)
    writer.post(address, {"revision": "1", **{f"points.{code}": str(value) for code, value in points.items()}})
    written = state(place, draft).source_text
    assert re.search(rf"code: {first}\b.*?weight: {points[first]:g}\b", written, re.S)
    # Made on a revision that is gone by now: refused, and nothing changes.
    writer.post(address, {"revision": "1", f"points.{first}": "1"})
    assert state(place, draft).source_text == written


def test_contradictions_are_pointed_out_and_people_count_together(place: Place) -> None:  # noqa: F811
    draft = draft_of(place, "writer", 'red: "< 60"', 'red: "< 56"')
    visitor = place.site.visitor("writer", "en")
    address = f"/workshop/weighing/{draft.id}/-"
    names = pairs_of(visitor.get(address).text)
    codes = list(dict.fromkeys(itertools.chain.from_iterable(name.split(".")[2:] for name in names)))
    if len(codes) > 2:
        circle = "&".join(f"{name}={'9' if place_ % 2 else '1/9'}" for place_, name in enumerate(names))
        page = html.unescape(visitor.get(f"{address}?people=1&{circle}").text)
        assert "some judgements contradict" in page or "acceptable" in page
    both = "&".join(f"j.{person}.{name[4:]}={value}" for name in names for person, value in ((0, "9"), (1, "1/9")))
    page = visitor.get(f"{address}?people=2&{both}").text
    # Two opposite people cancel out: all alike.
    assert len(set(re.findall(r'class="num">([\d.]+%)', page))) == 1
    assert not re.search(r"[\u4e00-\u9fff]{2,}比较", page)


@pytest.mark.parametrize("name", ["street", "secretary", "local_writer", "approver"])
def test_it_is_for_those_who_work_on_the_draft(place: Place, name: str) -> None:  # noqa: F811
    draft = draft_of(place, "writer", 'red: "< 60"', 'red: "< 54"')
    address = f"/workshop/weighing/{draft.id}/-"
    before = state(place, draft).source_text
    assert place.site.visitor(name).get(address).status_code in (403, 404)
    place.site.visitor(name).post(address, {"revision": "1", "points.party_life": "99"})
    assert state(place, draft).source_text == before
    assert "/login/" in place.site.stranger().get(address).headers["Location"]


def test_what_has_nothing_to_compare_is_not_there(place: Place) -> None:  # noqa: F811
    with unit_of_work(place.site.engine, system_actor("tests")) as session:
        user = session.query(Draft).first().author_id
        draft = start(session, user, "term", place.library)
    assert place.site.visitor("writer").get(f"/workshop/weighing/{draft.id}/-").status_code == 404
