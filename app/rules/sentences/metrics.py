"""What a metric counts, in words: “本季度组织生活（类型为党课，且状态为已召开）的次数”."""

from __future__ import annotations

from app.entity.labels import Label
from app.entity.registry import EntityType

from ..expressions import Name
from ..model import Aggregate, Metric, Window, WindowKind
from ..result_columns import INDEX_SOURCE, WARNING_SOURCE
from . import expressions, filters
from .vocabulary import PERIODS, RESULT_COLUMNS, Vocabulary

_UNITS = {
    WindowKind.MONTH: Label("月", "month"),
    WindowKind.QUARTER: Label("季度", "quarter"),
    WindowKind.HALF_YEAR: Label("半年", "half-year"),
    WindowKind.YEAR: Label("年", "year"),
}
_LENGTHS = {
    WindowKind.DAYS: Label("天", "day"),
    WindowKind.MONTHS: Label("个月", "month"),
    WindowKind.YEARS: Label("年", "year"),
}


def read_metric(metric: Metric, words: Vocabulary, *, in_full: bool = False) -> Label:
    """What the number is: its own label, or in full how it is made."""
    if metric.label is not None and not in_full:
        return metric.label
    rows, column = rows_in_words(metric, words), _column(metric, words)
    match metric.aggregate:
        case Aggregate.COUNT:
            return Label(f"{rows.zh}的{_counted(metric, words)}", f"the number of {rows.en}")
        case Aggregate.EXISTS:
            return Label(f"是否有{rows.zh}", f"whether there are {rows.en}")
        case Aggregate.SUM:
            return Label(f"{rows.zh}的{column.zh}合计", f"the total {column.en} of {rows.en}")
        case Aggregate.AVERAGE:
            by = words.column_called(words.entities.get(metric.entity), metric.weight) if metric.weight else None
            weighted = Label(f"（按{by.zh}加权）", f" (weighted by {by.en})") if by else Label("", "")
            return Label(
                f"{rows.zh}的{column.zh}平均值{weighted.zh}", f"the average {column.en} of {rows.en}{weighted.en}"
            )
        case Aggregate.MINIMUM | Aggregate.MAXIMUM:
            zh, en = _extreme(metric, words)
            return Label(f"{rows.zh}中{zh}的{column.zh}", f"the {en} {column.en} of {rows.en}")
        case Aggregate.DISTINCT:
            return Label(
                f"{rows.zh}中不同{column.zh}的个数", f"the number of different values of {column.en} of {rows.en}"
            )
        case Aggregate.LATEST:
            return Label(f"最近一条{rows.zh}的{column.zh}", f"the {column.en} of the latest of {rows.en}")
        case Aggregate.STREAK:
            return Label(
                f"最近连续的{rows.zh}的{_counted(metric, words)}", f"how many in a row, latest first, of {rows.en}"
            )
    raise TypeError(metric.aggregate)


def rows_in_words(metric: Metric, words: Vocabulary) -> Label:
    """The rows that are counted, with their window, tie and conditions."""
    rows = _source_called(metric, words)
    window = read_window(metric.window, words, of_index=metric.entity == INDEX_SOURCE)
    over = Label("本组织及全部下级", "the organization and all below it") if metric.over_subtree else Label("", "")
    conditions = [each for each in (_conditions(metric, words), _among(metric, words), _tie(metric, words)) if each]
    zh = "；".join(each.zh for each in conditions)
    en = "; ".join(each.en for each in conditions)
    zh_over = f"{over.zh}的" if over.zh else ""
    return Label(
        f"{zh_over}{window.zh}{rows.zh}" + (f"（{zh}）" if zh else ""),
        rows.en
        + (f" of {over.en}" if over.en else "")
        + (f" {window.en}" if window.en else "")
        + (f" ({en})" if en else ""),
    )


def read_window(window: Window, words: Vocabulary, *, of_index: bool = False) -> Label:
    """“本季度”, “上一季度”, “近 90 天”; nothing for all rows."""
    kind, length, back = window.kind, window.length, window.back
    if kind is WindowKind.ALL:
        if of_index and back:
            return Label(f"往前第 {back} 期的", f"of the {_ordinal(back)} period before")
        return Label("", "")
    if kind is WindowKind.CURRENT:
        return Label("现有的", "valid now")
    if kind in _LENGTHS:
        unit = _LENGTHS[kind]
        return Label(
            f"近 {length} {unit.zh}的", f"in the last {unit.en}" if length == 1 else f"in the last {length} {unit.en}s"
        )
    unit = _UNITS.get(kind) or (PERIODS[words.rule.period] if words.rule.period else Label("期", "period"))
    if not back:
        return Label(f"本{unit.zh}", f"this {unit.en}")
    if back == 1:
        return Label(
            "去年" if unit.zh == "年" else f"上{'个' if unit.zh != '年' else ''}{unit.zh}", f"in the {unit.en} before"
        )
    return Label(f"往前第 {back} 个{unit.zh}的", f"in the {_ordinal(back)} {unit.en} before")


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"


def _source_called(metric: Metric, words: Vocabulary) -> Label:
    if metric.entity == INDEX_SOURCE and isinstance(metric.of, Name):
        called = words.rule_called(metric.of.path.partition(".")[0])
        return Label(f"{called.zh}结果", f"results of the {called.en}")
    return words.source_called(metric.entity)


def _source(metric: Metric, words: Vocabulary) -> EntityType | str | None:
    if metric.entity == INDEX_SOURCE:
        return metric.of.path.partition(".")[0] if isinstance(metric.of, Name) else ""
    return WARNING_SOURCE if metric.entity == WARNING_SOURCE else words.entities.get(metric.entity)


def _conditions(metric: Metric, words: Vocabulary) -> Label | None:
    return filters.read_filter(metric.where, words, _source(metric, words)) if metric.where is not None else None


def _among(metric: Metric, words: Vocabulary) -> Label | None:
    if metric.among is None:
        return None
    read = filters.read_filter(metric.among, words, _source(metric, words))
    return Label(f"只看{read.zh}的", f"looking only at those where {read.en}")


def _tie(metric: Metric, words: Vocabulary) -> Label | None:
    if metric.via is None:
        return None
    scored = words.others.get(_source(metric, words)) if metric.entity == INDEX_SOURCE else None  # type: ignore[arg-type]
    entity = words.entities.get(scored.subject if scored else metric.entity)
    called = words.column_called(entity, metric.via)
    return Label(f"按{called.zh}归集", f"tied by {called.en}")


def _column(metric: Metric, words: Vocabulary) -> Label:
    """What is summed, averaged or read."""
    if metric.of is None:
        return Label("", "")
    if metric.entity == INDEX_SOURCE and isinstance(metric.of, Name):
        code, _, column = metric.of.path.partition(".")
        return words.node_called(code, column or "score")
    if metric.entity == WARNING_SOURCE and isinstance(metric.of, Name):
        return RESULT_COLUMNS.get(metric.of.path, Label("", ""))
    read = expressions.read_expression(metric.of, words, rows_of=words.entities.get(metric.entity))
    return read if isinstance(metric.of, Name) else Label(f"“{read.zh}”", f"“{read.en}”")


def _counted(metric: Metric, words: Vocabulary) -> str:
    """“次数” for what is counted in 次; people are counted as 人数."""
    entity = words.entities.get(metric.entity)
    measure = entity.options.measure if entity else "项" if metric.entity == WARNING_SOURCE else "个"
    return "人数" if measure == "名" else f"{measure}数"


def _extreme(metric: Metric, words: Vocabulary) -> tuple[str, str]:
    least = metric.aggregate is Aggregate.MINIMUM
    column = None
    if isinstance(metric.of, Name):
        column = words.column(words.entities.get(metric.entity), metric.of.path)
    if column is not None and column.kind in filters.DAYS:
        return ("最早", "earliest") if least else ("最晚", "latest")
    return ("最小", "lowest") if least else ("最大", "highest")
