"""What the console's templates are given: words in the reader's language, and figures as people write them.

FAB renders its widgets without context processors, so everything a template needs is a jinja global; `install(app)`
puts them there. Most of it needs no database. Three things know the reader and come from outside:

- `console_menu() -> list[tuple[Label | str, list[MenuEntry]]]`: the side menu, group by group. The default walks FAB's
  menu with one permission query and gives no counts.
- `reader() -> Reader`: who is looking, and at whose data. The default knows the name alone.
- `unread() -> int`: messages not read yet. The default is 0, which hides the bell.
- `page_word(name)`, `role_label(name)`: what a permission's page and a role are called. The default is the name itself.

The application is made with ``Flask(…, template_folder="console/templates", static_folder="console/static")``, because
Flask looks there before FAB's blueprints: the files under `templates/appbuilder/` replace FAB's own of the same path.

A FAB view may say, as class attributes, how its list is shown: `measure` (counting word: Label or str), `card_columns`
(columns kept on a phone), `quick_filters` (columns that always have a filter), `quick_search` (the column of the first,
free text field), `empty_text` (what belongs here, when there is nothing yet), `note` (a line below list and form).
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, current_app, request, url_for
from flask_babel import get_locale, gettext
from flask_babel.speaklater import LazyString
from flask_login import current_user
from jinja2 import Undefined

from app.entity.labels import Label
from app.entity.operations import operation_word
from config import TIME_ZONE

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The policy every page of the console keeps: no inline script, no style attribute, nothing from the network."""

MINUS = "\u2212"
NOTHING = "\u2014"
STATIC_FOLDER = Path(__file__).parent / "static"

LIGHTS = ("red", "orange", "yellow", "no_data", "green")
"""The lights in the order of bars and lists: trouble first, health last."""

LIGHT_WORDS = {
    "red": Label("红灯", "Red"),
    "orange": Label("橙灯", "Orange"),
    "yellow": Label("黄灯", "Yellow"),
    "green": Label("绿灯", "Green"),
    "no_data": Label("无数据", "No data"),
}

SEARCH_HINT = Label("查找组织、党员", "Find organizations, members")

PERMISSION_WORDS = {
    "can_purge": Label("彻底删除", "purge"),
    "can_erase": Label("删除个人信息", "erase"),
    "can_list": Label("列表", "list"),
    "can_show": Label("查看", "show"),
    "can_add": Label("新增", "add"),
    "can_edit": Label("编辑", "edit"),
    "can_delete": Label("删除", "delete"),
    "can_get": Label("读取", "read"),
    "can_post": Label("写入", "create"),
    "can_put": Label("修改", "change"),
    "can_info": Label("结构", "structure"),
    "can_read": Label("读取", "read"),
    "can_write": Label("写入", "write"),
    "can_export": Label("导出", "export"),
    "can_run": Label("评定", "evaluate"),
    "can_approve_index": Label("审批指数", "approve indices"),
    "can_approve_warning": Label("审批预警", "approve warnings"),
    "can_see": Label("可见", "see"),
    "can_reveal": Label("查看完整内容", "reveal"),
    "can_access": Label("进入", "enter"),
    "unlock": Label("解锁", "unlock"),
    "can_download": Label("下载", "download"),
    "can_userinfo": Label("我的账号", "own account"),
    "can_this_form_get": Label("打开", "open"),
    "can_this_form_post": Label("提交", "submit"),
    "menu_access": Label("菜单", "menu"),
    "muldelete": Label("批量删除", "bulk delete"),
    "resetpasswords": Label("重置密码", "reset passwords"),
    "resetmypassword": Label("修改自己的密码", "change own password"),
    "userinfoedit": Label("修改自己的资料", "edit own details"),
    "copyrole": Label("复制角色", "copy role"),
}


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One line of the side menu or of the bottom bar. `count` is shown at its end unless it is None."""

    label: Label | str
    icon: str
    url: str
    count: int | None = None
    active: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is looking. `organization` and `tier` say whose data the page shows; `bottom_bar` is for phones."""

    name: str = ""
    organization: str = ""
    tier: Label | str = ""
    is_authenticated: bool = False
    bottom_bar: tuple[MenuEntry, ...] = ()
    search_url: str | None = None
    """Where the top bar's search field sends `q`; None hides the field."""
    search_hint: Label | str = SEARCH_HINT


@dataclass(frozen=True, slots=True)
class Deadline:
    """A deadline in words, with how pressing it is: `late`, `soon` (three days or less) or nothing."""

    words: str
    state: str


# --- language ---


def language() -> str:
    """`zh` or `en`: the language of the present request, Chinese outside of one."""
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else "zh"


def html_lang() -> str:
    """The value of the `lang` attribute of a page."""
    return "en" if language() == "en" else "zh-CN"


def t(zh: str, en: str) -> str:
    """One of two texts, in the reader's language."""
    return en if language() == "en" else zh


def text(value: Any) -> str:
    """A label in the reader's language. A string of FAB's own is looked up in its translations."""
    if value is None or value == "" or isinstance(value, Undefined):
        return ""
    if isinstance(value, Label):
        return value.in_language(language())
    if hasattr(value, "__html__"):
        return value
    words = getattr(value, "label", None)
    if isinstance(value, Enum) and isinstance(words, Label):
        return words.in_language(language())
    words = str(value)
    return gettext(words) if words and isinstance(value, str) else words


def lazy(label: Label) -> LazyString:
    """A label that FAB may hold in a class attribute: it is resolved each time it is written on a page."""
    return LazyString(lambda: label.in_language(language()))


def joined(values: Iterable[Any]) -> str:
    """Words one after the other, as the language strings them together."""
    return t("、", ", ").join(text(value) for value in values)


# --- figures and dates ---


def today() -> datetime.date:
    return now().date()


def now() -> datetime.datetime:
    return datetime.datetime.now(ZoneInfo(TIME_ZONE))


def quantity(value: int | None) -> str:
    """A number of things: 6,148."""
    return NOTHING if value is None else f"{value:,}".replace("-", MINUS)


def scored(value: float | None, decimals: int = 1) -> str:
    """A score, to one decimal unless told otherwise; a dash where there is none."""
    return NOTHING if value is None else _rounded(value, decimals)


def points(value: float | None, decimals: int = 1) -> str:
    """Points won or lost with their sign: +1.0, −2.0."""
    if value is None:
        return NOTHING
    shown = _rounded(value, decimals)
    return shown if shown.startswith(MINUS) or float(shown.replace(",", "")) == 0 else f"+{shown}"


def percent(part: float | None, whole: float | None = 1, decimals: int = 1) -> str:
    """A share as a percentage: `percent(40, 596)` is 6.7%."""
    return f"{_rounded(part * 100 / whole, decimals)}%" if part is not None and whole else NOTHING


def share(part: float | None, whole: float | None) -> int:
    """How much of the whole the part is, 0 to 100: the number in a `w-`, `x-` or `f-` class (see sizes.css)."""
    if part is None or not whole:
        return 0
    return round(max(0, min(100, part * 100 / whole)))


def day(value: datetime.date | None, near: bool = True) -> str:
    """A date as it is said: 今天, 昨天 (unless `near` is False), 11月23日, and with the year when it is another one."""
    if value is None:
        return NOTHING
    value = _local(value)
    date = value.date() if isinstance(value, datetime.datetime) else value
    said = {0: ("今天", "today"), -1: ("昨天", "yesterday"), 1: ("明天", "tomorrow")}.get((date - today()).days)
    if near and said:
        return t(*said)
    month = f"{date.month}月{date.day}日"
    english = f"{date.day} {date:%b}"
    return t(month, english) if date.year == today().year else t(f"{date.year}年{month}", f"{english} {date.year}")


def moment(value: datetime.datetime | None) -> str:
    """A point in time as it is said: 今天 18:00, 11月23日 09:41. Without a zone it is taken as local time."""
    return NOTHING if value is None else f"{day(value)} {_local(value):%H:%M}"


def deadline(value: datetime.date | None) -> Deadline:
    """A date by which something is due: 11月27日前，还剩 3 天; 超时 2 天."""
    if value is None:
        return Deadline(NOTHING, "")
    left = (value - today()).days
    if left < 0:
        return Deadline(t(f"超时 {-left} 天", f"{-left} {'day' if left == -1 else 'days'} overdue"), "late")
    if left == 0:
        return Deadline(t("今天到期", "due today"), "soon")
    if left > 30:
        return Deadline(t(f"{day(value)}前", f"by {day(value)}"), "")
    days = f"{left} {'day' if left == 1 else 'days'} left"
    return Deadline(t(f"{day(value)}前，还剩 {left} 天", f"by {day(value)}, {days}"), "soon" if left <= 3 else "")


def period_name(code: str | None) -> str:
    """A period in words: `2026Q3` is 2026 年第三季度, Q3 2026. What is no period comes back as it is."""
    if not code:
        return NOTHING
    year, rest = code[:4], code[4:]
    if not year.isdigit():
        return code
    if not rest:
        return t(f"{year} 年", year)
    if rest in ("Q1", "Q2", "Q3", "Q4"):
        return t(f"{year} 年第{'一二三四'[int(rest[1]) - 1]}季度", f"{rest} {year}")
    if rest in ("H1", "H2"):
        return t(f"{year} 年{'上下'[int(rest[1]) - 1]}半年", f"{rest} {year}")
    if len(rest) == 3 and rest[0] == "-" and rest[1:].isdigit() and 1 <= int(rest[1:]) <= 12:
        month = int(rest[1:])
        return t(f"{year} 年 {month} 月", f"{datetime.date(int(year), month, 1):%b} {year}")
    return code


def period_short(code: str) -> str:
    """A period on an axis: 26Q3, 26-09, 2026."""
    return code[2:] if len(code) > 4 and code[:4].isdigit() else code


def fmt(value: Any, field: Any = None) -> str:
    """Any value of a record as people read it; a dash for none. `field.unit` (see entity/fields.py) follows numbers.

    Numbers of 10,000 and more get thousands separators, smaller ones do not, so that years stay years.
    """
    if value is None or value == "" or (isinstance(value, (list, tuple, set)) and not value):
        return NOTHING
    if isinstance(value, bool) or value in ("True", "False"):
        return t("是", "yes") if value in (True, "True") else t("否", "no")
    if isinstance(value, (list, tuple, set)):
        return joined(value) if len(value) <= 3 else t(f"{len(value)} 项", f"{len(value)} items")
    if isinstance(value, datetime.datetime):
        return f"{_local(value):%Y-%m-%d %H:%M}"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.time):
        return f"{value:%H:%M}"
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, Enum):
        unit = getattr(field, "unit", None)
        return f"{_number(value)} {text(unit)}" if unit else _number(value)
    if isinstance(value, (Label, Enum)):
        return text(value)
    return value if hasattr(value, "__html__") else str(value)


def _number(value: int | float | Decimal) -> str:
    exact = value if isinstance(value, (int, Decimal)) else Decimal(str(value)).quantize(Decimal("0.0001")).normalize()
    shown = f"{exact:,f}" if isinstance(exact, Decimal) else f"{exact:,}"
    return (shown if abs(value) >= 10000 else shown.replace(",", "")).replace("-", MINUS)


def _rounded(value: float | Decimal, decimals: int) -> str:
    """Half up, as people round: 72.25 is 72.3, not the 72.2 of binary halves."""
    exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return f"{exact if exact else abs(exact):,}".replace("-", MINUS)


def _local(value: datetime.date) -> datetime.date:
    aware = isinstance(value, datetime.datetime) and value.tzinfo is not None
    return value.astimezone(ZoneInfo(TIME_ZONE)) if aware else value


# --- what FAB's templates ask ---


def view_of(name: str | None) -> Any:
    """The FAB view of this endpoint or class name, or None."""
    for view in current_app.appbuilder.baseviews:
        if getattr(view, "endpoint", None) == name or type(view).__name__ == name:
            return view
    return None


def is_number(view_name: str, column: str) -> bool:
    """Whether a list column holds numbers, which stand at the right."""
    interface = getattr(view_of(view_name), "datamodel", None)
    if interface is None or column not in interface.list_columns or interface.is_fk(column):
        return False
    return interface.is_integer(column) or interface.is_float(column) or interface.is_numeric(column)


def first_text_column(view_name: str, columns: Sequence[str]) -> str | None:
    """The first column one can type words for: the free field of the filter row."""
    interface = getattr(view_of(view_name), "datamodel", None)
    for column in columns if interface is not None else ():
        if not interface.is_relation(column) and interface.is_string(column) and not interface.is_enum(column):
            return column
    return None


def is_related_list(filters: Any) -> bool:
    """Whether a list stands on the page of the record that its rows refer to."""
    return any(found.is_related_view for found, _ in filters.get_filters_values())


def own_columns(columns: Sequence[str], filters: Any) -> list[str]:
    """Columns of a related list without the one that leads back to the parent: it is the same in every row."""
    parents = {found.column_name for found, _ in filters.get_filters_values() if found.is_related_view}
    return [column for column in columns if column not in parents]


def page_link(view_name: str) -> Callable[[int], str]:
    """A function from a page's number, counted from 1, to its URL in a FAB list."""
    link = current_app.jinja_env.filters["link_page"]
    return lambda page: link(page - 1, view_name)


def permission_groups(permissions: Iterable[Any] | None) -> list[tuple[str, list[str]]]:
    """A role's permissions by page: `[(page, [permission, …]), …]`, in order of the pages' names."""
    groups: dict[str, list[str]] = {}
    for granted in permissions or ():
        groups.setdefault(str(granted.view_menu), []).append(str(granted.permission))
    return sorted((page, sorted(names)) for page, names in groups.items())


def permission_word(name: str) -> str:
    """What a permission allows, in a word; its own name when we have none."""
    return text(PERMISSION_WORDS.get(name) or operation_word(name)) or name


def fab_menu() -> list[tuple[str, list[MenuEntry]]]:
    """FAB's menu as far as the reader may see it, by one permission query; FAB's own group comes last."""
    menu = current_app.appbuilder.menu
    allowed = current_app.appbuilder.sm.get_user_menu_access(menu.get_flat_name_list())
    groups = []
    for top in menu.get_list():
        if top.name not in allowed or not top.should_render():
            continue
        items = top.childs or [top]
        entries = [_entry(i) for i in items if i.name != "-" and i.name in allowed and i.should_render()]
        if entries:
            groups.append((top.name == "Security", top.label if top.childs else "", entries))
    return [(label, entries) for _, label, entries in sorted(groups, key=lambda group: group[0])]


def _entry(item: Any) -> MenuEntry:
    view = item.baseview
    endpoint = view.__name__ if isinstance(view, type) else getattr(view, "endpoint", None)
    active = bool(endpoint) and endpoint == request.blueprint
    return MenuEntry(item.label, item.icon or "fa-circle-dot", item.get_url(), None, active)


def plain_reader() -> Reader:
    """The signed-in user by name, for as long as nothing says more."""
    known = current_user.is_authenticated
    return Reader(name=current_user.get_full_name() if known else "", is_authenticated=known)


# --- page ---


def big_type() -> bool:
    """Whether the reader has switched to big type (大字); kept in the cookie `big`."""
    return request.cookies.get("big") == "1"


def asset(filename: str) -> str:
    """URL of a static file, with a mark of its content so that browsers may keep it for good."""
    path = STATIC_FOLDER / filename
    return url_for("static", filename=filename, v=_mark(path, path.stat().st_mtime_ns))


@lru_cache(maxsize=256)
def _mark(path: Path, _modified: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


def script_words() -> str:
    """The words console.js and charts.js write themselves, as JSON for a data attribute."""
    words = {
        "none_found": t("没有找到", "Nothing found"),
        "loading": t("查找中…", "Searching…"),
        "choose": t("请选择", "Choose"),
        "any": t("不限", "Any"),
        "yes": t("是", "yes"),
        "no": t("否", "no"),
        "remove": t("去掉条件：", "Remove filter: "),
        "contains": gettext("Contains"),
        "no_moves": t("现在不能改变状态", "Its state cannot be changed now"),
        "not_reached": t("没有连上服务器，请稍后再试", "The server cannot be reached; try again"),
        "selected": t("（已选 {n} {measure}）", " ({n} {measure} selected)"),
        "peers": t("同类均值", "Peer average"),
        "self": t("本单位", "This one"),
        **{light: text(word) for light, word in LIGHT_WORDS.items()},
    }
    return json.dumps(words, ensure_ascii=False)


def install(
    app: Flask,
    *,
    console_menu: Callable[[], list] = fab_menu,
    reader: Callable[[], Reader] = plain_reader,
    unread: Callable[[], int] = lambda: 0,
    page_word: Callable[[str], str] = str,
    role_label: Callable[[str], Label | str] = str,
) -> None:
    """Give the templates of `app` their globals. Call it once, before the first request."""
    helpers = (
        t, text, joined, language, html_lang, fmt, quantity, scored, points, percent, share, day, moment, deadline,
        period_name, period_short, view_of, is_number, first_text_column, is_related_list, own_columns, page_link,
        permission_groups, permission_word, big_type, asset, script_words,
    )  # fmt: skip
    app.jinja_env.globals.update({helper.__name__: helper for helper in helpers})
    app.jinja_env.filters.update(words=text, short_period=period_short)
    app.jinja_env.globals.update(
        console_menu=console_menu,
        reader=reader,
        unread=unread,
        page_word=page_word,
        role_label=role_label,
        LIGHTS=LIGHTS,
        LIGHT_WORDS=LIGHT_WORDS,
    )
