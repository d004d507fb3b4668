"""What the things that rules name are called: metrics, parameters, columns, codes, other rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from app.entity.filters import UnknownColumn, resolve_column
from app.entity.filters.columns import DAYS, Column
from app.entity.labels import Label
from app.entity.periods import PeriodKind
from app.entity.registry import EntityType, Field, FieldKind, Registry, registry

from ..model import Figure, Index, Light, Metric, Parameter, Rule
from ..result_columns import INDEX_SOURCE, WARNING_SOURCE

LIGHTS = {
    Light.RED: Label("红灯", "red"),
    Light.ORANGE: Label("橙灯", "orange"),
    Light.YELLOW: Label("黄灯", "yellow"),
    Light.BLUE: Label("蓝灯", "blue"),
    Light.GREEN: Label("绿灯", "green"),
    Light.NO_DATA: Label("无数据", "no data"),
}
DATES = {
    "as_of": Label("截至日", "the as-of date"),
    "period_start": Label("本期首日", "the first day of the period"),
    "period_end": Label("本期末日", "the last day of the period"),
    "year_start": Label("本年首日", "the first day of the year"),
    "year_end": Label("本年末日", "the last day of the year"),
    "elapsed": Label("本期已过的比例", "the share of the period gone by"),
}
PERIODS = {
    PeriodKind.MONTH: Label("月", "month"),
    PeriodKind.QUARTER: Label("季度", "quarter"),
    PeriodKind.HALF_YEAR: Label("半年", "half-year"),
    PeriodKind.YEAR: Label("年", "year"),
}
RESULT_COLUMNS = {
    "score": Label("得分", "score"),
    "light": Label("灯", "light"),
    "rank": Label("名次", "rank"),
    "peer_rank": Label("同类名次", "rank among peers"),
    "warning": Label("预警项", "warning"),
    "level": Label("级别", "level"),
    "entity": Label("对象", "subject"),
    "since": Label("起始日期", "begun on"),
}
UNKNOWN = Label("（未指定）", "(not given)")


@dataclass(frozen=True)
class Vocabulary:
    """Words for one rule. ``others``: the other rules by code, for what it reads from them."""

    rule: Rule
    entities: Registry = registry
    others: Mapping[str, Rule] = field(default_factory=dict)

    @property
    def subject(self) -> EntityType | None:
        return self.entities.get(self.rule.subject)

    def named(self, name: str) -> Metric | Figure | Parameter | None:
        """The metric, figure or parameter of a name."""
        for known in (*self.rule.metrics, *self.rule.parameters):
            if known.name == name:
                return known
        return None

    def rule_called(self, code: str) -> Label:
        found = self.others.get(code)
        return found.label if found is not None else Label("另一规则", "another rule")

    def node_called(self, index: str, node: str) -> Label:
        found = self.others.get(index)
        for known in found.root.walk(disabled=True) if isinstance(found, Index) else ():
            if known.code == node:
                return known.label
        return RESULT_COLUMNS.get(node, UNKNOWN)

    def column(self, source: EntityType | None, path: str) -> Column | None:
        """A column of an entity by its path; None for one that it does not have."""
        if source is None:
            return None
        try:
            return resolve_column(source, path, self.entities)
        except UnknownColumn:
            return None

    def column_called(self, source: EntityType | None, path: str) -> Label:
        """“所属党组织的单位类别” for ``organization.unit_type``."""
        column = self.column(source, path)
        if column is None:
            return UNKNOWN
        zh = "的".join([*(hop.label.zh for hop in column.hops), column.label.zh])
        en = " of the ".join([lowered(column.label.en), *(lowered(hop.label.en) for hop in reversed(column.hops))])
        return Label(zh, en)

    def field_of(self, source: EntityType | None, path: str) -> Field | None:
        """The field that a path leads to; None for a relation or an unknown path."""
        column = self.column(source, path)
        if column is None or column.entity is None or column.relation is not None:
            return None
        return column.entity.fields.get(column.name)

    def is_day(self, source: EntityType | None, path: str) -> bool:
        column = self.column(source, path)
        return column is not None and column.kind in DAYS

    def code_called(self, source: EntityType | None, path: str, code: object) -> Label | None:
        """The word for a code of a column; None where the column has no code list, or not this code."""
        described = self.field_of(source, path)
        if described is not None and described.kind is FieldKind.BOOLEAN:
            return yes_or_no(code in (True, "true"))
        if described is None or described.code_list is None:
            return None
        found = described.code_list.find(str(code))
        return found.label if found else None

    def result_code_called(self, column: str, code: object) -> Label | None:
        """The word for a code among the columns of results: a light, a warning, an entity."""
        text = str(code)
        if column in ("light", "level"):
            return LIGHTS[Light(text)] if text in set(Light) else None
        if column == WARNING_SOURCE:
            return self.rule_called(text)
        if column == "entity":
            entity = self.entities.get(text)
            return entity.label if entity else None
        return None

    def source_called(self, source: str) -> Label:
        """What rows are called: an entity's label, results of an index, warnings."""
        if source == INDEX_SOURCE:
            return Label("指数结果", "index results")
        if source == WARNING_SOURCE:
            return Label("预警", "warnings")
        entity = self.entities.get(source)
        return Label(entity.label.zh, plural(entity)) if entity else UNKNOWN


def plural(entity: EntityType) -> str:
    return lowered(entity.options.plural or f"{entity.label.en}s")


def lowered(words: str) -> str:
    """English words within a sentence: without article, and without capital unless it abbreviates or is the Party."""
    words = words.removeprefix("The ")
    first = words.split(" ")[0]
    return words if first.isupper() or first == "Party" else words[:1].lower() + words[1:]


_BETWEEN_WORDS = re.compile(r"(?<=[\u4e00-\u9fff”）]) +(?=[\u4e00-\u9fff“（])")
_BEFORE_FIGURE = re.compile(r"(?<=[\u4e00-\u9fff])(?<![年月])(?=[−\d])")
_AFTER_FIGURE = re.compile(r"(?<=[\d%])(?=[\u4e00-\u9fff])(?![年月日])")


def tidy(label: Label) -> Label:
    """Chinese with one space between words and figures and none between words; English without double spaces."""
    zh = _BETWEEN_WORDS.sub("", label.zh)
    zh = _AFTER_FIGURE.sub(" ", _BEFORE_FIGURE.sub(" ", zh))
    return Label(" ".join(zh.split()), " ".join(label.en.split()))


def yes_or_no(value: object) -> Label:
    return Label("是", "yes") if value else Label("否", "no")


def number(value: float) -> str:
    """A number as people write it: grouped from 10,000 on, at most six decimals, a true minus sign."""
    text = f"{round(float(value), 6):,.6f}".rstrip("0").rstrip(".")
    text = text.replace(",", "") if abs(value) < 10_000 else text
    return text.replace("-", "−")


def percentage(value: float) -> str:
    return f"{number(round(value * 100, 4))}%"


def day(value: date) -> Label:
    return Label(f"{value.year}年{value.month}月{value.day}日", f"{value.day} {value:%B} {value.year}")


def listed(words: Iterable[Label], zh: str = "、", en: str = ", ") -> Label:
    """Words one after the other."""
    found = list(words)
    return Label(zh.join(word.zh for word in found), en.join(word.en for word in found))


def chosen(words: Iterable[Label]) -> Label:
    """Words of which one is meant: “甲、乙或丙”, “a, b or c”."""
    *first, last = list(words) or [UNKNOWN]
    if not first:
        return last
    before = listed(first)
    return Label(f"{before.zh}或{last.zh}", f"{before.en} or {last.en}")
