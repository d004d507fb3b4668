"""Eight threads ask one view for different rows; each gets its own.

FAB keeps the conditions of a view in one object for all requests. With that object in place of
``app.access.request_filters`` these tests fail at every try (checked by taking the descriptor away).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask_appbuilder.models.filters import Filters

from app.access.actor import system_actor
from app.console.filters import RequestFilters
from app.database.session import unit_of_work
from app.domains.organizations.models import Organization
from tests.access.world import World
from tests.console.site import Site

THREADS, REQUESTS = 8, 96


@pytest.fixture(autouse=True)
def _pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading a request's conditions and using them every thread waits a moment, in which others come by."""
    for filters in (Filters, RequestFilters):
        monkeypatch.setattr(filters, "get_joined_filters", _after_a_moment(filters.get_joined_filters))


def _after_a_moment(join: Callable[..., Any]) -> Callable[..., Any]:
    def waiting(*arguments: Any) -> Any:
        time.sleep(0.003)
        return join(*arguments)

    return waiting


@pytest.fixture(scope="module")
def numbered(peopled) -> list[str]:
    """Organizations that only their own number finds."""
    names = [f"线程{number}号" for number in range(THREADS)]
    with unit_of_work(peopled.site.engine, system_actor("tests")) as session:
        for number, name in enumerate(names):
            session.add(
                Organization(code=f"T{number}", name=name, tier="branch", path="/1/9/", status="active", parent_id=1)
            )
    return names


def ask_all(ask, names: list[str]) -> list[tuple[str, set[str]]]:
    with ThreadPoolExecutor(THREADS) as pool:
        jobs = [names[number % len(names)] for number in range(REQUESTS)]
        return list(zip(jobs, pool.map(ask, jobs), strict=True))


def wrong(answers: list[tuple[str, set[str]]]) -> list[tuple[str, set[str]]]:
    return [(asked, got) for asked, got in answers if got != {asked}]


def test_pages_answer_each_thread_with_its_own_rows(site: Site, world: World, numbered: list[str]) -> None:
    cookies = site.visitor().client.get_cookie("beacon")

    def ask(name: str) -> set[str]:
        client = site.app.test_client()
        client.set_cookie("beacon", cookies.value)
        page = client.get(f"/records/organization/list/?_flt_0_any_text={name}").text
        return set(re.findall(r'<td class="nm"><a href="[^"]+"><b>([^<]+)</b>', page))

    assert wrong(ask_all(ask, numbered)) == []


def test_the_api_answers_each_thread_with_its_own_rows(site: Site, world: World, numbered: list[str]) -> None:
    headers = site.token()

    def ask(name: str) -> set[str]:
        query = f"(columns:!(name),filters:!((col:any_text,opr:search,value:'{name}')))"
        answer = site.app.test_client().get(f"/api/v1/organization/?q={query}", headers=headers)
        return {row["name"] for row in answer.get_json()["result"]}

    assert wrong(ask_all(ask, numbered)) == []


def test_fabs_own_pages_answer_each_thread_with_its_own_rows(site: Site) -> None:
    names = [f"konto{number}" for number in range(THREADS)]
    for name in names:
        site.add_account(name, "auditor")
    cookies = site.visitor().client.get_cookie("beacon")

    def ask(name: str) -> set[str]:
        client = site.app.test_client()
        client.set_cookie("beacon", cookies.value)
        page = client.get(f"/users/list/?_flt_3_username={name}").text
        return set(re.findall(r"konto\d", page.split("<tbody>")[1].split("</tbody>")[0]))

    assert wrong(ask_all(ask, names)) == []
