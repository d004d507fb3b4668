"""A metric: what is counted, summed or averaged over which rows; or a figure computed from others."""

from __future__ import annotations

import re
from typing import Any

from wtforms import Form

from app.entity.labels import Label
from app.rules.metric_parsing import WITHOUT_OF
from app.rules.model import Aggregate, WindowKind
from app.rules.problems import PathSteps
from app.rules.result_columns import INDEX_SOURCE, WARNING_SOURCE
from app.rules.sentences.vocabulary import PERIODS

from .documents import ABSENT, same, with_keys, without_absent
from .fields import FilterField, choice, put_at, text, tick
from .filter_data import read_filter, write_filter
from .ground import FormGround
from .values import expression_value, label_texts, label_value, number_value, text_of

FIGURE = "figure"
KINDS = {
    Aggregate.COUNT.value: Label("计数", "count"),
    Aggregate.SUM.value: Label("合计", "total"),
    Aggregate.AVERAGE.value: Label("平均", "average"),
    Aggregate.MINIMUM.value: Label("最小（最早）", "lowest or earliest"),
    Aggregate.MAXIMUM.value: Label("最大（最晚）", "highest or latest"),
    Aggregate.LATEST.value: Label("最近一条", "latest value"),
    Aggregate.DISTINCT.value: Label("不同值的个数", "number of different values"),
    Aggregate.EXISTS.value: Label("有没有", "whether there are any"),
    Aggregate.STREAK.value: Label("最近连续次数", "how many in a row"),
    FIGURE: Label("由上面的数据计算", "computed from figures above"),
}
LENGTH = "length"
WINDOWS = {
    "": Label("不限时间", "at any time"),
    WindowKind.PERIOD.value: Label("本期", "in the period"),
    WindowKind.MONTH.value: Label("本月", "in the month"),
    WindowKind.QUARTER.value: Label("本季度", "in the quarter"),
    WindowKind.HALF_YEAR.value: Label("本半年", "in the half-year"),
    WindowKind.YEAR.value: Label("本年", "in the year"),
    WindowKind.CURRENT.value: Label("现有（截至日有效的）", "valid on the as-of date"),
    LENGTH: Label("近一段时间", "in the time up to now"),
}
CALENDAR = ("period", "month", "quarter", "half_year", "year")
UNITS = {"d": Label("天", "days"), "m": Label("个月", "months"), "y": Label("年", "years")}
_LENGTH = re.compile(r"(\d{1,5})([dmy])")
COLUMN, ARITHMETIC = "column", "arithmetic"
_PLAIN = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


class MetricForm(Form):
    """A metric or figure of the rule."""

    kind = choice(Label("怎样得出", "How it is made"))
    expression = text(Label("算式", "Formula"))
    source = choice(Label("统计什么记录", "Which records"))
    of_kind = choice(Label("统计的是", "What of them"))
    column = choice(Label("哪一项", "Which column"))
    arithmetic = text(Label("每条记录的算式", "Formula over each record"))
    result = choice(Label("哪个指数的哪一项", "Which index and score"))
    weight = choice(Label("按什么加权", "Weighted by"))
    where = FilterField(Label("只统计符合条件的", "Only those where"))
    among = FilterField(Label("在哪些记录中看", "Looking only at"))
    window = choice(Label("时间范围", "When"))
    length = text(Label("长度", "How long"), inputmode="numeric")
    unit = choice(Label("单位", "Unit"))
    back = text(Label("往前几期", "Periods back"), inputmode="numeric")
    via = choice(Label("按什么归到对象", "Tied by"))
    subtree = tick(Label("含全部下级组织", "With all organizations below"))
    label_zh = text(Label("这个数叫什么", "What it is called (Chinese)"))
    label_en = text(Label("英文名称", "What it is called (English)"))


def read(part: Any, ground: FormGround) -> dict[str, Any]:
    if not isinstance(part, dict):
        return {"kind": FIGURE, "expression": text_of(part), **_EMPTY}
    kind = next((key for key in KINDS if key in part), Aggregate.COUNT.value)
    source, of = text_of(part.get(kind)), text_of(part.get("of"))
    window = text_of(part.get("window"))
    length = _LENGTH.fullmatch(window)
    label = label_texts(part.get("label"))
    is_column = source not in (INDEX_SOURCE,) and (not of or _PLAIN.fullmatch(of) is not None)
    return {
        "kind": kind,
        "expression": "",
        "source": source,
        "of_kind": COLUMN if is_column else ARITHMETIC,
        "column": of if is_column else "",
        "arithmetic": of if not is_column and source != INDEX_SOURCE else "",
        "result": of if source == INDEX_SOURCE else "",
        "weight": text_of(part.get("weight")),
        "where": read_filter(part.get("where", {})),
        "among": read_filter(part.get("among", {})),
        "window": LENGTH if length else "" if window == WindowKind.ALL else window,
        "length": length[1] if length else "",
        "unit": length[2] if length else "d",
        "back": text_of(part.get("back")),
        "via": text_of(part.get("via")),
        "subtree": part.get("over") == "subtree",
        "label_zh": label[0],
        "label_en": label[1],
    }


_EMPTY: dict[str, Any] = {
    **dict.fromkeys(("source", "column", "arithmetic", "result", "weight", "window", "length", "back", "via"), ""),
    **dict.fromkeys(("label_zh", "label_en"), ""),
    "of_kind": COLUMN,
    "unit": "d",
    "subtree": False,
}


def write(data: dict[str, Any], ground: FormGround) -> Any:
    kind, source = data.get("kind") or Aggregate.COUNT.value, data.get("source") or ""
    if kind == FIGURE:
        value = expression_value(data.get("expression"))
        return "" if value is ABSENT else value
    of = _of(data, kind, source)
    rows = ground.source(source, data.get("result") or "")

    def column_of(path: str) -> Any:
        return ground.column(rows, path)

    return {
        kind: source,
        "of": of,
        "weight": (data.get("weight") or ABSENT) if kind == Aggregate.AVERAGE and source not in _RESULTS else ABSENT,
        "where": write_filter(data["where"], column_of) if data.get("where") else ABSENT,
        "among": write_filter(data["among"], column_of) if kind == Aggregate.STREAK and data.get("among") else ABSENT,
        "via": (data.get("via") or ABSENT) if source != WARNING_SOURCE else ABSENT,
        "over": "subtree" if data.get("subtree") else ABSENT,
        "window": _window(data),
        "back": _back(data, source),
        "label": label_value(data.get("label_zh"), data.get("label_en")),
    }


_RESULTS = (INDEX_SOURCE, WARNING_SOURCE)


def _of(data: dict[str, Any], kind: str, source: str) -> Any:
    if source == INDEX_SOURCE:
        return data.get("result") or ABSENT
    if kind in WITHOUT_OF:
        return ABSENT
    takes_column = kind in (Aggregate.DISTINCT, Aggregate.LATEST)
    if data.get("of_kind") == ARITHMETIC and not takes_column:
        return expression_value(data.get("arithmetic"))
    return data.get("column") or ABSENT


def _window(data: dict[str, Any]) -> Any:
    if data.get("window") != LENGTH:
        return data.get("window") or ABSENT
    length = number_value(data.get("length"))
    return f"{'' if length is ABSENT else length}{data.get('unit') or 'd'}"


def _back(data: dict[str, Any], source: str) -> Any:
    counts = data.get("window") in CALENDAR or (source == INDEX_SOURCE and not data.get("window"))
    back = number_value(data.get("back"))
    return back if counts and back != 0 else ABSENT


def changed(part: Any, before: Any, after: Any) -> Any:
    """The metric as it becomes: one that counts something else is written anew, else its keys change one by one."""
    before, after = without_absent(before), without_absent(after)
    if same(before, after):
        return part
    if not isinstance(before, dict) or not isinstance(after, dict) or _aggregate(before) != _aggregate(after):
        return after
    return with_keys(part, before, after)


def _aggregate(part: dict[str, Any]) -> Any:
    return next(iter(part.items()), None)


def prepare(form: Any, ground: FormGround, path: PathSteps) -> None:
    """Choices, and where each field stands."""
    source, of = form.source.data or "", form.result.data or ""
    rows = ground.source(source, of)
    please: list[Any] = [("", Label("请选择", "choose"))]
    form.kind.choices = list(KINDS.items())
    form.source.choices = [*please, *ground.entity_choices(results=True)]
    form.of_kind.choices = [(COLUMN, Label("一项数据", "a column")), (ARITHMETIC, Label("算式", "a formula"))]
    only = "numbers" if form.kind.data in (Aggregate.SUM, Aggregate.AVERAGE) else ""
    form.column.choices = [(None, please), *ground.columns(rows, form.column.data or "", of=of, only=only)]
    form.weight.choices = [
        (None, [("", Label("不加权", "not weighted"))]),
        *ground.columns(rows, form.weight.data or "", only="numbers"),
    ]
    form.result.choices = [(None, please), *ground.result_choices()]
    form.window.choices = _windows(ground, rows)
    form.unit.choices = list(UNITS.items())
    ties = ground.ties(source, of)
    if form.via.data and form.via.data not in dict(ties):
        ties.append((form.via.data, Label(form.via.data, form.via.data)))
    form.via.choices = [("", Label("通常的归属", "the usual tie")), *ties]
    put_at(
        form, path, kind=(), expression=(), source=form.kind.data or "count", column="of", arithmetic="of", result="of",
        weight="weight", where="where", among="among", window="window", length="window", back="back", via="via",
        subtree="over", label_zh="label",
    )  # fmt: skip


def _windows(ground: FormGround, rows: Any) -> list[Any]:
    """The windows that fit: the period where the rule has one, “valid” where rows say from when until when."""
    found = []
    period = ground.document.get("period")
    for code, label in WINDOWS.items():
        if code == WindowKind.PERIOD and not ground.has_period:
            continue
        if code == WindowKind.PERIOD and period in PERIODS:
            unit = next(words for kind, words in PERIODS.items() if kind == period)
            label = Label(f"本期（{unit.zh}）", f"in the period ({unit.en})")
        options = getattr(rows, "options", None)
        if code == WindowKind.CURRENT and options is not None and options.valid_between is None:
            continue
        found.append((code, label))
    return found
