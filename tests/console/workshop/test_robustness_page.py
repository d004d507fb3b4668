"""How steady an index is, over HTTP: what is told, of whom, and to whom."""

from __future__ import annotations

import pytest

from tests.console.workshop.test_approval import Place, draft_of, place  # noqa: F401 - the evaluated site of a module


def test_it_tells_what_counts_and_who_is_least_steady_in_scope_alone(place: Place) -> None:  # noqa: F811
    codes = {name: place.world.organizations[name].code for name in ("branch_a1", "branch_a2", "branch_b1")}
    assert "/workshop/robustness/strength" in place.site.visitor("writer").get("/workshop/rules/strength").text
    whole = place.site.visitor("writer").get("/workshop/robustness/strength").text
    assert "实际占比" in whole
    assert all(f"/scorecard/strength/{code}" in whole for code in codes.values())
    own = place.site.visitor("local_writer", "en").get("/workshop/robustness/strength").text
    assert f"/scorecard/strength/{codes['branch_b1']}" in own
    assert codes["branch_a1"] not in own
    assert "The least steady" in own
    assert place.site.visitor("writer").get("/workshop/robustness/term").status_code == 404


def test_a_draft_is_shaken_for_its_authors_alone(place: Place) -> None:  # noqa: F811
    draft = draft_of(place, "writer", 'red: "< 60"', 'red: "< 59"')
    address = f"/workshop/robustness/drafts/{draft.id}"
    assert address in place.site.visitor("writer").get(f"/workshop/dry-runs/{draft.id}").text
    assert "最不稳的对象" in place.site.visitor("writer").get(address).text
    assert place.site.visitor("local_writer").get(address).status_code == 404


@pytest.mark.parametrize("name", ["street", "secretary"])
def test_it_is_not_for_those_who_read_no_rules(place: Place, name: str) -> None:  # noqa: F811
    assert place.site.visitor(name).get("/workshop/robustness/strength").status_code == 403
    assert "/login/" in place.site.stranger().get("/workshop/robustness/strength").headers["Location"]
