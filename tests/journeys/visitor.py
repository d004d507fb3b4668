"""People at a browser: sign-in, pages, and what the browser complained of meanwhile."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Response

SIZES = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
REFUSAL = "the server responded with a status of"
"""What Chromium notes on its console for a 403 or 404 that a test asks for on purpose."""
LEFT = ("htmx:sendAbort", "htmx:afterRequest")
"""What htmx notes when a person leaves a page before a part of it has come; a failure is an htmx:sendError too."""


class Visitor:
    """One person with a browser of their own."""

    def __init__(self, browser: Browser, base: str, size: str = "desktop") -> None:
        self.base = base
        self.context = browser.new_context(viewport=SIZES[size], locale="zh-CN", timezone_id="Asia/Shanghai")
        self.context.set_default_timeout(15_000)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._listen)

    def _listen(self, said: Any) -> None:
        if said.type in ("error", "warning") and REFUSAL not in said.text and not said.text.startswith(LEFT):
            self.complaints.append(said.text)

    def go(self, path: str) -> Response:
        """Open an address of the console."""
        answer = self.page.goto(self.base + path)
        assert answer is not None
        return answer

    def status(self, path: str) -> int:
        """What the server answers to this person for an address, without a page for it."""
        return self.context.request.get(self.base + path, max_redirects=0).status

    def try_to_sign_in(self, username: str, password: str) -> None:
        """Fill in the form and send it, whatever comes of it."""
        self.go("/login/")
        self.page.fill("#username", username)
        self.page.fill("#password", password)
        self.follow("main form button[type=submit], form.form button[type=submit]")

    def sign_in(self, username: str, password: str) -> Visitor:
        """Sign in; the next page is shown."""
        self.try_to_sign_in(username, password)
        assert "/login" not in self.page.url, self.text("main")
        return self

    def change_password(self, old: str, new: str) -> None:
        """Fill in the form for one's own password and send it."""
        self.page.fill("input[name=old_password]", old)
        self.page.fill("input[name=password]", new)
        self.page.fill("input[name=conf_password]", new)
        self.follow("main form button[type=submit]")

    def follow(self, link: str | Locator) -> None:
        """Press a link or button, and wait for the page that it leads to."""
        found = self.page.locator(link).first if isinstance(link, str) else link
        with self.page.expect_navigation():
            found.click()

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()

    def links(self, selector: str = "main") -> set[str]:
        """The addresses that a part of the page leads to, within the console."""
        found = self.page.locator(f"{selector} a[href]").evaluate_all("links => links.map(link => link.href)")
        return {link[len(self.base) :].partition("#")[0] for link in found if link.startswith(self.base)} - {""}

    def overflows(self) -> bool:
        """Whether the page is wider than the screen."""
        return self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")

    def reload_until(self, condition: Callable[[], object], seconds: float = 15.0) -> float:
        """Look at the page again and again; after how many seconds the condition held."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < seconds, f"still not so after {seconds:g} s: {self.page.url}"
            time.sleep(0.3)
            self.page.reload()
        return time.monotonic() - began

    def close(self) -> None:
        self.context.close()


def number(words: str) -> float:
    """The first number of a text."""
    found = re.search(r"-?[\d,]+(?:\.\d+)?", words.replace("\N{MINUS SIGN}", "-"))
    assert found, words
    return float(found[0].replace(",", ""))
