"""The look on real FAB pages in Chromium: accessible, within the content security policy, and at home on a phone."""

from __future__ import annotations

import re
import threading

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from tests.console.gallery import ROWS, create_gallery, native_fields

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
LANGUAGES = {"zh": "zh-CN", "en": "en"}
OWN_PAGES = ["dashboard", "no_index", "scorecard", "league", "warnings", "run", "home", "member"]
FAB_PAGES = {
    "list": "/personview/list/",
    "filtered": "/personview/list/?_flt_3_name=1000&_flt_0_standing=FULL&_flt_1_joined=1980-01-01",
    "no match": "/personview/list/?_flt_3_name=zzz",
    "show": "/personview/show/3",
    "related": "/unitview/show/1#PersonView",
    "edit": "/personview/edit/3",
    "role": "/roles/show/3",
    "role edit": "/roles/edit/3",
    "users": "/users/list/",
    "new user": "/users/add",
    "own password": "/resetmypassword/form",
    "index": "/",
}
PAGES = FAB_PAGES | {name: f"/page/{name}" for name in OWN_PAGES}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with native_fields():
        app = create_gallery(tmp_path_factory.mktemp("gallery"))
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser(chromium: Browser) -> Browser:
    return chromium


class Reading:
    """A page with what the browser complained of."""

    def __init__(self, page, address: str) -> None:
        self.page, self.address, self.complaints, self.foreign = page, address, [], []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on(
            "request",
            lambda asked: None if asked.url.startswith((address, "data:")) else self.foreign.append(asked.url),
        )

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)
        self.page.wait_for_load_state("networkidle" if "/page/run" not in path else "load")

    def sign_in(self, username: str, password: str = "gallery") -> None:
        self.open("/login/")
        self.page.fill("#username", username)
        self.page.fill("#password", password)
        self.page.click("button[type=submit]")
        self.page.wait_for_load_state("networkidle")

    def faults(self) -> list[str]:
        """What must not be on a page: every fault as a line."""
        page = self.page
        repeated = page.evaluate(
            "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i)"
        )
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found = [f"axe: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in Axe().run(page).response["violations"]]
        found += [f"browser: {said}" for said in self.complaints]
        found += [f"not from here: {url}" for url in self.foreign]
        found += [f"id twice: {name}" for name in repeated]
        return found + ([f"{wide} px wider than the screen"] if wide > 0 else [])


@pytest.fixture(scope="module")
def contexts(browser, address):
    """One signed-in page for each size and language, opened when first asked for."""
    made = {}

    def reading(size: str, language: str = "zh", username: str = "admin") -> Reading:
        key = (size, language, username)
        if key not in made:
            width, height = SIZES[size]
            context = browser.new_context(viewport={"width": width, "height": height})
            made[key] = Reading(context.new_page(), address)
            made[key].sign_in(username)
            made[key].open(f"/lang/{language}")
        made[key].complaints.clear()
        return made[key]

    return reading


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound(contexts, name, language, size):
    reading = contexts(size, language)
    reading.open(PAGES[name])
    assert reading.faults() == []
    assert reading.page.get_attribute("html", "lang") == LANGUAGES[language]


@pytest.mark.parametrize("size", SIZES)
def test_sign_in_and_its_refusal(browser, address, size):
    width, height = SIZES[size]
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    reading = Reading(page, address)
    reading.open("/login/")
    assert reading.faults() == []
    reading.sign_in("admin", "wrong")
    assert "用户名或密码不对" in page.inner_text("[role=alert]")
    assert reading.faults() == []
    page.click("text=English")
    assert page.get_attribute("html", "lang") == "en"
    page.context.close()


def test_no_chinese_is_left_in_the_english_frame(contexts):
    reading = contexts("desktop", "en")
    for path in ("/personview/list/", "/personview/add", "/unitview/add", "/resetmypassword/form"):
        reading.open(path)
        for part in (".pagehead", ".breadcrumb", ".side", ".filters, .beacon-form", ".pager-row, .formbar"):
            for words in reading.page.locator(part).all_inner_texts():
                assert not re.search("[\u4e00-\u9fff]", words), (path, words)


def test_an_unknown_page_says_so(contexts):
    reading = contexts("phone")
    reading.open("/nothing")
    assert "没有找到这一页" in reading.page.inner_text("h1")
    reading.complaints.clear()
    assert reading.faults() == []


def test_wrong_fields_are_named_and_tied_to_their_messages(contexts):
    reading = contexts("desktop")
    reading.open("/personview/add")
    reading.page.click(".beacon-form button[type=submit]")
    reading.page.wait_for_load_state("networkidle")
    assert "没有保存" in reading.page.inner_text("[role=alert]")
    name = reading.page.locator("#name")
    assert name.get_attribute("aria-invalid") == "true"
    assert (
        "请填写" in reading.page.inner_text(f"#{name.get_attribute('aria-describedby')}")
        or reading.page.locator("#name-help").is_visible()
    )
    assert reading.page.evaluate("document.activeElement.id") == "name"
    assert reading.faults() == []


def test_a_selection_shows_what_can_be_done_with_it_and_asks_first(contexts):
    page = contexts("desktop").page
    page.goto(contexts("desktop").address + "/personview/list/")
    assert not page.locator(".bulk").is_visible()
    page.check("[data-all]")
    page.locator("input[name=rowid]").nth(0).uncheck()
    shown = page.locator("input[name=rowid]").count()
    assert page.inner_text(".bulk b") == f"已选 {shown - 1} 名"
    page.click("button[value=trash]")
    page.wait_for_selector("#modal-confirm.in")
    assert page.inner_text("#confirm-text") == f"移入回收站？（已选 {shown - 1} 名）"
    assert page.inner_text("#modal-confirm-ok") == "移入回收站"
    assert contexts("desktop").faults() == []
    with page.expect_request(lambda asked: asked.method == "POST") as sent:
        page.click("#modal-confirm-ok")
    assert f"{sent.value.post_data}".count("rowid") == shown - 1
    assert "action=trash" in sent.value.post_data


def test_a_relation_is_searched_as_one_types_and_stays_in_the_filter(contexts):
    reading = contexts("desktop")
    page = reading.page
    reading.open("/personview/list/")
    with page.expect_response("**/choices/units?*"):
        page.click(".seg[data-col=unit] .ts-control")
    with page.expect_response(re.compile("q=%E6%A2%85%E9%99%87")):
        page.keyboard.type("梅陇")
    page.wait_for_selector(".ts-dropdown .option:has-text('梅陇镇')")
    assert reading.faults() == []
    page.keyboard.press("Enter")
    page.click(".filters button:has-text('查询')")
    page.wait_for_load_state("networkidle")
    assert "_flt_0_unit=3" in page.url
    assert "_flt_0_standing" not in page.url, "empty filters stay out of the address"
    names = set(page.locator("td[data-l='所在党组织']").all_inner_texts())
    assert names == {"梅陇镇平阳第3居民区党支部"}
    assert "梅陇镇" in page.inner_text(".seg[data-col=unit] .item")


@pytest.mark.parametrize(("choice", "word"), [("y", "是"), ("n", "否")])
def test_a_filter_can_be_added_and_is_kept(contexts, choice, word):
    reading = contexts("desktop")
    page = reading.page
    reading.open("/personview/list/")
    page.click(".filters .dropdown > button")
    page.click("[data-add=retired]")
    page.select_option(".segs > .seg:has(.x) select:not(.op)", choice)
    assert reading.faults() == []
    page.click(".filters button:has-text('查询')")
    page.wait_for_load_state("networkidle")
    assert set(page.locator("td[data-l='已退休']").all_inner_texts()) == {word}
    assert page.input_value(".segs > .seg:has(.x) select:not(.op)") == choice


def test_pages_of_a_list_are_counted_in_words(contexts):
    reading = contexts("desktop")
    reading.open("/personview/list/")
    assert f"共 {ROWS} 名" in reading.page.inner_text(".pager-row")
    reading.page.click("a[rel=next]")
    assert "第 21–" in reading.page.inner_text(".pager-row") or "第 26–" in reading.page.inner_text(".pager-row")


def test_the_menu_is_a_drawer_on_phones_and_leaves_with_escape(contexts):
    reading = contexts("phone")
    reading.open("/personview/list/")
    page = reading.page
    assert not page.locator("#side").is_visible()
    page.click("[data-side]")
    assert page.locator("#side").is_visible()
    assert page.evaluate("document.activeElement.closest('#side') !== null")
    assert reading.faults() == []
    page.keyboard.press("Escape")
    assert not page.locator("#side").is_visible()


def test_a_branch_secretary_has_the_bottom_bar_on_phones_alone(contexts):
    phone = contexts("phone", username="secretary")
    phone.open("/page/home")
    assert phone.page.locator(".tabbar a").all_inner_texts()[0] == "首页"
    assert phone.faults() == []
    desktop = contexts("desktop", username="secretary")
    desktop.open("/page/home")
    assert not desktop.page.locator(".tabbar").is_visible()


def test_big_type_is_remembered(contexts):
    reading = contexts("desktop")
    reading.open("/page/scorecard")
    size = "parseFloat(getComputedStyle(document.body).fontSize)"
    small = reading.page.evaluate(size)
    reading.page.click("[data-big]")
    reading.open("/personview/list/")
    assert reading.page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") == pytest.approx(
        small * 18 / 16
    )
    assert reading.page.get_attribute("[data-big]", "aria-pressed") == "true"
    reading.page.click("[data-big]")
    reading.open("/personview/list/")
    assert reading.page.get_attribute("html", "class") is None


def test_unsaved_changes_are_not_lost_without_asking(contexts):
    reading = contexts("desktop")
    reading.open("/personview/edit/3")
    asked = []
    reading.page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    reading.page.fill("#note", "changed")
    reading.open("/personview/list/")
    assert asked == ["beforeunload"]


def test_progress_is_asked_for_again_while_an_evaluation_runs(contexts):
    reading = contexts("desktop")
    with reading.page.expect_response("**/page/run_progress", timeout=5000):
        reading.open("/page/run")
    assert reading.page.get_attribute("progress", "value") == "1"
    reading.open("/personview/list/")


def test_charts_are_drawn_and_say_their_figures_in_a_table(contexts):
    reading = contexts("desktop")
    reading.open("/page/scorecard")
    assert reading.page.locator("[data-chart] svg").count() == 2
    reading.page.locator(".figures summary").nth(1).click()
    cells = reading.page.locator(".figures").nth(1).locator("tbody tr").nth(3).all_inner_texts()[0]
    assert cells.split() == ["2025", "年第四季度", "—", "82.3"], "a period without score is a dash, never a nought"


def test_without_script_the_pages_still_say_everything(browser, contexts, address):
    signed_in = contexts("desktop").page.context.storage_state()
    page = browser.new_context(java_script_enabled=False, storage_state=signed_in).new_page()
    page.goto(address + "/page/scorecard")
    assert page.locator(".leaf").count() > 3
    assert page.locator(".stat, .verdict-score").first.is_visible()
    page.goto(address + "/personview/list/")
    assert page.locator("tbody tr").count() > 10
    page.context.close()
