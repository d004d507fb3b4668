"""Words, figures and dates as the console writes them, in both languages."""

from __future__ import annotations

import datetime
from decimal import Decimal
from enum import Enum

import pytest
from flask import Flask, session
from flask_babel import Babel
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Undefined
from markupsafe import Markup

from app.console import presentation
from app.console.presentation import MINUS, NOTHING
from app.entity.labels import Label

TODAY = datetime.date(2026, 11, 24)


class Tier(Enum):
    STREET = "street"

    @property
    def label(self) -> Label:
        return Label("街镇", "Street")


@pytest.fixture(autouse=True)
def fixed_day(monkeypatch):
    monkeypatch.setattr(presentation, "today", lambda: TODAY)


@pytest.fixture(scope="module")
def app():
    app = Flask("words", static_folder=presentation.STATIC_FOLDER)
    app.secret_key = "words"
    Babel(app, default_locale="zh", locale_selector=lambda: session.get("locale", "zh"))
    presentation.install(app)
    return app


@pytest.fixture
def chinese(app):
    with app.test_request_context():
        yield


@pytest.fixture
def english(app):
    with app.test_request_context():
        session["locale"] = "en"
        yield


def test_words_follow_the_readers_language(app):
    label = Label("保存", "Save")
    held = presentation.lazy(label)
    for locale, words, lang in (("zh", "保存", "zh-CN"), ("en", "Save", "en")):
        with app.test_request_context():
            session["locale"] = locale
            assert presentation.t("保存", "Save") == words
            assert presentation.text(label) == words
            assert str(held) == words, "a label held in a class attribute is resolved at each reading"
            assert presentation.html_lang() == lang
            assert app.jinja_env.from_string("{{ t('保存', 'Save') }}").render() == words


@pytest.mark.usefixtures("chinese")
def test_text_of_what_has_no_words_is_empty():
    assert [presentation.text(nothing) for nothing in (None, "", Undefined())] == ["", "", ""]
    assert presentation.text(Tier.STREET) == "街镇"


@pytest.mark.usefixtures("chinese")
def test_text_keeps_markup_and_escapes_nothing_twice():
    assert presentation.text(Markup("缺 <b>6</b> 次")) == Markup("缺 <b>6</b> 次")


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, NOTHING),
        ("", NOTHING),
        ([], NOTHING),
        (True, "是"),
        ("False", "否"),
        (0, "0"),
        (2026, "2026"),
        (61480, "61,480"),
        (-3, f"{MINUS}3"),
        (32.0, "32"),
        (8.25, "8.25"),
        (1e-9, "0"),
        (Decimal("12.50"), "12.50"),
        (Decimal("12345.60"), "12,345.60"),
        (datetime.date(1988, 6, 28), "1988-06-28"),
        (datetime.datetime(2026, 11, 23, 9, 41, 30), "2026-11-23 09:41"),
        (datetime.datetime(2026, 11, 23, 16, tzinfo=datetime.UTC), "2026-11-24 00:00"),
        (Tier.STREET, "街镇"),
        (["甲", "乙"], "甲、乙"),
        (["甲"] * 4, "4 项"),
        ("演示党员", "演示党员"),
    ],
)
def test_a_value_of_a_record(value, shown):
    assert presentation.fmt(value) == shown


@pytest.mark.usefixtures("english")
def test_a_value_of_a_record_in_english():
    assert presentation.fmt(True) == "yes"
    assert presentation.fmt(Tier.STREET) == "Street"
    assert presentation.fmt(["a", "b"]) == "a, b"


@pytest.mark.usefixtures("chinese")
def test_a_unit_follows_its_number():
    field = type("Field", (), {"unit": Label("小时", "hours")})()
    assert presentation.fmt(12, field) == "12 小时"
    assert presentation.fmt(None, field) == NOTHING


def test_scores_round_half_up_and_carry_a_true_minus():
    assert presentation.scored(72.25) == "72.3"
    assert presentation.scored(None) == NOTHING
    assert presentation.scored(-0.04) == "0.0"
    assert presentation.points(1) == "+1.0"
    assert presentation.points(-2) == f"{MINUS}2.0"
    assert presentation.points(0.01) == "0.0"
    assert presentation.percent(40, 596) == "6.7%"
    assert presentation.percent(1, 0) == NOTHING
    assert presentation.quantity(6148) == "6,148"


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_a_share_always_has_its_class_in_sizes_css(part, whole):
    assert presentation.share(part, whole) in range(101)


def test_sizes_css_has_a_class_for_every_share():
    css = (presentation.STATIC_FOLDER / "css/sizes.css").read_text()
    for number in range(101):
        for prefix in "wxf":
            assert f".{prefix}-{number} " in css


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (TODAY, "今天"),
        (datetime.date(2026, 11, 23), "昨天"),
        (datetime.date(2026, 11, 25), "明天"),
        (datetime.date(2026, 11, 20), "11月20日"),
        (datetime.date(2021, 11, 20), "2021年11月20日"),
        (None, NOTHING),
    ],
)
def test_a_day_as_it_is_said(value, said):
    assert presentation.day(value) == said


@pytest.mark.usefixtures("chinese")
def test_a_moment_and_a_day_without_near_words():
    assert presentation.moment(datetime.datetime(2026, 11, 23, 16, 40)) == "昨天 16:40"
    assert presentation.day(TODAY, near=False) == "11月24日"


@pytest.mark.usefixtures("english")
def test_days_in_english():
    assert presentation.day(TODAY) == "today"
    assert presentation.day(datetime.date(2021, 11, 20)) == "20 Nov 2021"


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("left", "words", "state"),
    [
        (-2, "超时 2 天", "late"),
        (0, "今天到期", "soon"),
        (3, "11月27日前，还剩 3 天", "soon"),
        (4, "11月28日前，还剩 4 天", ""),
        (60, "2027年1月23日前", ""),
    ],
)
def test_a_deadline_says_how_long_is_left(left, words, state):
    due = presentation.deadline(TODAY + datetime.timedelta(days=left))
    assert (due.words, due.state) == (words, state)


@pytest.mark.parametrize(
    ("code", "chinese_name", "english_name", "short"),
    [
        ("2026", "2026 年", "2026", "2026"),
        ("2026H1", "2026 年上半年", "H1 2026", "26H1"),
        ("2026Q3", "2026 年第三季度", "Q3 2026", "26Q3"),
        ("2026-09", "2026 年 9 月", "Sep 2026", "26-09"),
        ("2026-13", "2026-13", "2026-13", "26-13"),
        ("spring", "spring", "spring", "spring"),
    ],
)
def test_periods_in_words(app, code, chinese_name, english_name, short):
    for locale, name in (("zh", chinese_name), ("en", english_name)):
        with app.test_request_context():
            session["locale"] = locale
            assert presentation.period_name(code) == name
    assert presentation.period_short(code) == short


def test_an_asset_changes_its_address_with_its_content(app, tmp_path, monkeypatch):
    monkeypatch.setattr(presentation, "STATIC_FOLDER", tmp_path)
    sheet = tmp_path / "a.css"
    with app.test_request_context():
        sheet.write_text("a {}")
        first = presentation.asset("a.css")
        assert presentation.asset("a.css") == first
        sheet.write_text("a { color: red }")
        assert presentation.asset("a.css") != first


def test_every_vendored_library_comes_with_its_licence():
    vendor = presentation.STATIC_FOLDER / "vendor"
    readme = (vendor / "README.md").read_text()
    folders = [folder for folder in vendor.iterdir() if folder.is_dir()]
    assert folders
    for folder in folders:
        assert list(folder.glob("LICENSE*")), folder.name
        assert f"`{folder.name}/`" in readme


def test_compiled_translations_are_those_of_the_sources():
    """The .mo files are committed: a changed .po without its .mo would be silently ignored."""
    from_source = pytest.importorskip("babel.messages.pofile")
    compiled = pytest.importorskip("babel.messages.mofile")
    for source in (presentation.STATIC_FOLDER.parent / "translations").rglob("*.po"):
        with source.open("rb") as written, source.with_suffix(".mo").open("rb") as built:
            said = {message.id: message.string for message in from_source.read_po(written) if message.id}
            assert {message.id: message.string for message in compiled.read_mo(built) if message.id} == said
