"""A rule administrator who has never seen YAML changes an index, in as few interactions as the work needs."""

from __future__ import annotations

from collections.abc import Callable

from .visitor import Visitor

MOST_INTERACTIONS = 25


class Hand:
    """What one person does on a page, counted: a press, a choice or a field filled in is one interaction."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.page, self.count = visitor, visitor.page, 0

    def follow(self, selector: str) -> None:
        self.count += 1
        self.visitor.follow(selector)

    def press(self, selector: str) -> None:
        self.count += 1
        self.page.locator(selector).first.click()

    def fill(self, selector: str, text: str) -> None:
        self.count += 1
        self.page.fill(selector, text)

    def choose(self, selector: str, label: str) -> None:
        self.count += 1
        self.page.select_option(selector, label=label)

    def saved(self) -> None:
        """Wait until what was done has reached the server and the page has followed."""
        self.page.wait_for_function("!document.querySelector('.htmx-request')")
        self.page.wait_for_load_state("networkidle")


def add_study_hours(hand: Hand) -> None:
    """An indicator for hours of study, with bands, and 5 points that two others give up."""
    page = hand.page
    hand.follow("nav.side a:has-text('规则工坊')")
    hand.follow("button[aria-label='修改 组织力指数']")
    hand.press("a[data-open=add-node]")
    hand.fill("#new-name", "学习学时")
    hand.choose("#new-under", "服务凝聚力")
    hand.fill("#new-weight", "5")
    hand.choose("#add-node [data-source]", "学习记录")
    hand.choose("#add-node [data-how]", "合计")
    page.wait_for_selector("#add-node select[name=column] option[value=hours]", state="attached")
    hand.choose("#add-node select[name=column]", "学时")
    hand.choose("#add-node select[name=window]", "本年")
    hand.press("#add-node button.btn-primary")
    page.wait_for_selector("#part:has-text('学习学时') #preview svg")
    hand.press(".shape label:has-text('分段')")
    page.wait_for_selector("#bands-1-start")
    hand.fill("#bands-1-start", "40")
    page.wait_for_selector("#sentence:has-text('达到 40 得')")
    assert "多 5 分" in page.inner_text("#tree")
    hand.fill("#weight-wishes", "4")
    hand.fill("#weight-volunteering", "3")
    page.keyboard.press("Tab")
    page.wait_for_selector("#draft-state:has-text('没有错误')")


def test_an_indicator_of_points_of_two_others_is_sent_for_approval(visit: Callable[..., Visitor]) -> None:
    visitor = visit("demo_rules")
    visitor.page.set_default_timeout(120_000)  # the tests of the rule are run while approval is asked for
    hand = Hand(visitor)
    add_study_hours(hand)
    page = visitor.page
    assert "学习记录的学时合计" in page.inner_text("#sentence") or "学习学时" in page.inner_text("#sentence")
    # How many of today's branches lie in each band stands beside it, and what real ones get.
    assert sum(int(cell) for cell in page.locator("[data-count]").all_inner_texts()) > 100
    assert page.locator(".five tbody tr").count() == 5
    # A point that is dragged moves its row, and the sentence follows.
    before = page.input_value("#bands-1-score")
    chart = page.locator("#preview .chart")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    place = page.evaluate(
        "echarts.getInstanceByDom(document.querySelector('[data-chart-shape]'))"
        f".convertToPixel({{xAxisIndex: 0, yAxisIndex: 1}}, [40, {before}])"
    )
    page.mouse.move(box["x"] + place[0], box["y"] + place[1])
    page.mouse.down()
    page.mouse.move(box["x"] + place[0], box["y"] + place[1] + 20, steps=4)
    page.mouse.up()
    page.wait_for_function(f"document.getElementById('bands-1-score').value !== '{before}'")
    moved = page.input_value("#bands-1-score")
    page.wait_for_selector(f"#sentence:has-text('得 {moved} 分')")
    # The text says the same, for whoever likes it.
    page.click("#text-panel summary")
    assert "label: 学习学时" in page.input_value("#rule-text")
    assert not visitor.overflows()

    # Who changes light, and to approval.
    hand.follow(".pagehead a:has-text('试算')")
    assert page.locator("table.mx").is_visible()
    hand.follow(".pagehead a:has-text('送审')")
    assert "学习学时" in visitor.text("main")
    page.wait_for_selector("main:has-text('个用例')")  # the tests of the rule, which are run meanwhile
    hand.fill("#reason", "把学习情况计入服务凝聚力")
    hand.follow("main form button.btn-primary")
    assert "待审批" in visitor.text("h1")
    assert hand.count <= MOST_INTERACTIONS, hand.count
    # It waits for somebody else, and cannot be edited meanwhile.
    visitor.go("/workshop/")
    assert "把学习情况计入服务凝聚力" in visitor.text("main")


def test_rules_are_read_on_a_phone(visit: Callable[..., Visitor]) -> None:
    visitor = visit("demo_rules", "phone")
    visitor.go("/workshop/")
    assert not visitor.overflows()
    visitor.follow("a:has-text('到会率')")
    assert "到会率" in visitor.text("h1")
    assert not visitor.overflows()
