"""A rule administrator starts an evaluation and watches it to its end."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable

import pytest

from .conftest import Installation
from .visitor import Visitor, number

DONE_WITHIN = 60


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_an_evaluation_is_started_and_its_progress_told_to_the_end(visit: Callable[..., Visitor], size: str) -> None:
    visitor = visit("demo_rules", size)
    visitor.go("/evaluations/")
    before = len(visitor.texts("main table.cards tbody tr"))
    visitor.page.select_option("#rule", "member_vanguard")
    visitor.follow("main button:has-text('开始评定')")
    address = visitor.page.url
    assert re.search(r"\?run=\d+$", address)
    assert "先锋力指数" in visitor.text("#progress")
    assert "演示规则管理员" in visitor.text("#progress")

    # The page itself asks on: it is not loaded again.
    visitor.page.evaluate("window.stays = true")
    visitor.page.wait_for_selector("#progress .tag:has-text('已完成')", timeout=DONE_WITHIN * 1000)
    assert visitor.page.evaluate("window.stays") is True
    assert "规则 1 / 1" in visitor.text("#progress")
    assert "100%" in visitor.text("#progress")
    assert number(visitor.text("#progress [role=status]")) > 1000
    assert "停止" not in visitor.text("#progress")

    visitor.page.reload()
    rows = visitor.texts("main table.cards tbody tr")
    assert len(rows) == before + 1
    assert "已完成" in rows[0]
    visitor.follow("#progress a:has-text('看结果')")
    assert visitor.page.url.endswith("/dashboard/")


def test_two_evaluations_are_not_asked_for_at_once(visit: Callable[..., Visitor]) -> None:
    visitor = visit("demo_rules")
    visitor.go("/evaluations/")
    form = {
        "csrf_token": visitor.page.locator("main form.run-form input[name=csrf_token]").input_value(),
        "rule": "",
        "period": "",
    }
    first = visitor.context.request.post(visitor.base + "/evaluations/start", form=form)
    second = visitor.context.request.post(visitor.base + "/evaluations/start", form=form)
    assert first.ok
    assert second.ok
    if first.url == second.url:
        assert "已经有一次评定在进行" in second.text()
    visitor.page.goto(second.url)
    visitor.page.wait_for_selector("#progress .tag:has-text('已完成')", timeout=DONE_WITHIN * 1000)


def test_an_evaluation_is_stopped(installation: Installation, visit: Callable[..., Visitor]) -> None:
    visitor, worker = visit("demo_rules"), installation.worker()
    os.kill(worker, signal.SIGSTOP)  # so that there is time to stop it
    try:
        visitor.go("/evaluations/")
        visitor.follow("main button:has-text('开始评定')")
        address = visitor.page.url
        stop = visitor.page.locator("#progress button:has-text('停止')")
        stop.click()
        assert "停止这次评定？已有的结果不变。" in visitor.page.locator("#confirm-text").inner_text()
        visitor.page.locator("#modal-confirm [data-dismiss]").last.click()
        visitor.page.wait_for_selector("#modal-confirm", state="hidden")
        assert stop.is_visible(), "whoever thinks better of it stops nothing"
        stop.click()
        visitor.page.wait_for_selector("#modal-confirm-ok", state="visible")
        for _ in range(2):  # what is asked about is not exchanged while the question stands
            visitor.page.wait_for_event("response", lambda answer: answer.url.endswith("/progress"))
        visitor.follow("#modal-confirm-ok")
        assert visitor.page.url == address
        assert visitor.text("#progress .tag") == "已停止"
    finally:
        os.kill(worker, signal.SIGCONT)
    # It stays so when the worker comes to it, and another can be started.
    visitor.follow("main button:has-text('开始评定')")
    visitor.page.wait_for_selector("#progress .tag:has-text('已完成')", timeout=DONE_WITHIN * 1000)
    visitor.page.goto(address)
    assert visitor.text("#progress .tag") == "已停止"
    assert visitor.page.locator("#progress button").count() == 0
