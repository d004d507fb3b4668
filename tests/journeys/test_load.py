"""Programs ask and write steadily while the workers evaluate: everything is answered, nothing with a fault of ours."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from .conftest import Installation
from .visitor import Visitor

SECONDS = 8
A_SECOND = 20
"""Requests: few enough for a machine that is busy with other tests."""
TOGETHER = 8
ASKED = (
    "member/?fields=code,name,organization.name&page_size=25",
    "meeting/?filter[status]=held&sort=-held_on&count=none",
    "organization/?group_by=tier",
    "fee_payment/?filter[organization.tier]=branch&page_size=10",
)


@dataclass(frozen=True)
class Answered:
    """What became of a request."""

    what: str
    status: int
    seconds: float


def ask_steadily(
    base: str, headers: dict[str, str], members: list[int], a_second: float, seconds: float, together: int
) -> list[Answered]:
    """Ask so many times a second, one request in ten a change of a member, and say how each was answered. Those that
    cannot be sent in time are sent late, and all are sent."""
    whole, begun = int(a_second * seconds), time.monotonic()
    numbers, lock, answered = iter(range(whole)), threading.Lock(), []

    def work() -> None:
        with closing(HTTPConnection(urlsplit(base).netloc, timeout=60)) as connection:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                time.sleep(max(0.0, begun + number / a_second - time.monotonic()))
                path, body = ASKED[number % len(ASKED)], None
                if number % 10 == 0:
                    path, body = f"member/{members[number // 10 % len(members)]}", {"employer": f"第{number}单位"}
                elif number % 10 == 5:
                    path = f"member/{members[number % len(members)]}"
                started = time.monotonic()
                status, _ = ask(connection, "PATCH" if body else "GET", path, body, headers)
                answered.append(Answered(path.partition("?")[0], status, time.monotonic() - started))

    threads = [threading.Thread(target=work) for _ in range(together)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answered) == whole, "some requests were not answered at all"
    return answered


def ask(
    connection: HTTPConnection, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """The status and content of an answer of the API."""
    sent = {**(headers or {}), "Content-Type": "application/json"}
    connection.request(method, f"/api/v1/{path}", json.dumps(body) if body is not None else None, sent)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def prepared(base: str, username: str, password: str) -> tuple[dict[str, str], list[int]]:
    """The headers of a program that has signed in, and members that it may change."""
    with closing(HTTPConnection(urlsplit(base).netloc, timeout=60)) as connection:
        _, tokens = ask(connection, "POST", "security/login", {"username": username, "password": password})
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        _, found = ask(connection, "GET", "member/?fields=id&page_size=50", headers=headers)
        return headers, [row["id"] for row in found["result"]]


def test_programs_are_answered_while_the_workers_evaluate(
    installation: Installation, visit: Callable[..., Visitor]
) -> None:
    account = next(each for each in installation.accounts.values() if each.role == "district_administrator")
    headers, members = prepared(installation.base, account.username, account.password)
    before = len(installation.served.evaluations())
    visitor = visit("demo_rules")
    visitor.go("/evaluations/")
    visitor.follow("main button:has-text('开始评定')")

    answered = ask_steadily(installation.base, headers, members, A_SECOND, SECONDS, TOGETHER)

    assert {each.status for each in answered} == {200}, sorted({(each.what, each.status) for each in answered})
    visitor.page.wait_for_selector("#progress .tag:has-text('已完成')", timeout=90_000)
    assert len(installation.served.evaluations()) > before
