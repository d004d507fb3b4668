"""What the forms of one rule have to know of the rest: its subject, its own names, other rules; and the choices that
follow, as (value, label) pairs or groups of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from app.entity.filters import ANCHORS, PERIOD_ANCHORS, Column, FrameColumns, Operator, UnknownColumn, resolve_column
from app.entity.filters.columns import DAYS, NUMBERS, Source
from app.entity.filters.parsing import operators_for
from app.entity.labels import Label
from app.entity.periods import PeriodKind
from app.entity.registry import EntityType, FieldKind, Registry, registry
from app.rules.model import Index, Metric, Parameter, Rule, Warning
from app.rules.result_columns import INDEX_SOURCE, WARNING_SOURCE, IndexResults, warning_columns
from app.rules.sentences import Vocabulary, read_expression, read_metric
from app.rules.sentences.vocabulary import DATES, LIGHTS, PERIODS, RESULT_COLUMNS

from .documents import ABSENT, part_at

Choice = tuple[str, Label]
Group = tuple[Label | None, list[Choice]]
"""Choices under a heading; None for those that stand by themselves."""

OPERATORS = {
    Operator.EQ: Label("等于", "is"),
    Operator.NE: Label("不等于", "is not"),
    Operator.IN: Label("是其中之一", "is one of"),
    Operator.NOT_IN: Label("不是其中任何一个", "is none of"),
    Operator.LT: Label("小于", "is less than"),
    Operator.LTE: Label("不大于", "is at most"),
    Operator.GT: Label("大于", "is more than"),
    Operator.GTE: Label("不小于", "is at least"),
    Operator.BETWEEN: Label("在两者之间（含）", "is between, both included"),
    Operator.CONTAINS: Label("包含", "contains"),
    Operator.STARTS_WITH: Label("开头是", "begins with"),
    Operator.NULL: Label("是否没有填写", "is not filled in"),
}
DAY_OPERATORS = {
    Operator.LT: Label("早于", "is before"),
    Operator.LTE: Label("不晚于", "is not after"),
    Operator.GT: Label("晚于", "is after"),
    Operator.GTE: Label("不早于", "is not before"),
}
FUNCTION_WORDS = {
    "if": Label("如果…则…否则…", "if … then … else …"),
    "min": Label("最小的一个", "the smallest"),
    "max": Label("最大的一个", "the greatest"),
    "abs": Label("绝对值", "absolute value"),
    "round": Label("四舍五入", "rounded"),
    "log": Label("自然对数", "natural logarithm"),
    "coalesce": Label("没有则取下一个", "the first that is there"),
    "filled": Label("填写比例", "share filled in"),
    "days_until": Label("距某日的天数", "days until"),
    "days_since": Label("某日以来的天数", "days since"),
    "months_since": Label("某日以来的整月数", "whole months since"),
    "periods_since": Label("某日以来的期数", "periods begun since"),
    "days_between": Label("两日之间的天数", "days between"),
    "workdays_between": Label("两日之间的工作日数", "working days between"),
    "add_days": Label("若干天之后", "days later"),
    "add_months": Label("若干个月之后", "months later"),
    "date": Label("某年某月某日", "a date"),
    "year": Label("年份", "year of"),
    "month": Label("月份", "month of"),
    "day": Label("几号", "day of the month"),
    "days_held": Label("条件已持续的天数", "days for which a condition has held"),
}


@dataclass(frozen=True)
class FormGround:
    """The surroundings of one rule's forms."""

    document: dict[str, Any]
    """The rule as plain values."""
    attempt: Rule | None = None
    """What could be read of it; None for what is no rule at all."""
    others: Mapping[str, Rule] = field(default_factory=dict)
    """The rules in force by code."""
    entities: Registry = registry

    @property
    def is_index(self) -> bool:
        return "index" in self.document

    @property
    def code(self) -> str:
        return str(self.document.get("index") or self.document.get("warning") or "")

    @property
    def subject(self) -> EntityType | None:
        return self.entities.get(str(self.document.get("subject")))

    @property
    def has_period(self) -> bool:
        return self.document.get("period") in set(PeriodKind)

    @cached_property
    def words(self) -> Vocabulary | None:
        return Vocabulary(self.attempt, self.entities, self.others) if self.attempt is not None else None

    # What rows and results have

    def source(self, source: str, of: str = "") -> Source | None:
        """What a metric's conditions may name: of an entity, of the index that ``of`` names, of warnings."""
        if source == WARNING_SOURCE:
            warnings = {code for code, rule in self.others.items() if isinstance(rule, Warning)}
            return warning_columns(warnings, self.entities)
        if source == INDEX_SOURCE:
            results = self.results(of.partition(".")[0])
            return results.columns if results else None
        return self.entities.get(source)

    def results(self, code: str) -> IndexResults | None:
        rule = self.others.get(code)
        if not isinstance(rule, Index):
            return None
        return IndexResults(code, rule.subject, tuple(node.code for node in rule.root.walk())[1:])

    def column(self, source: Source | None, path: str) -> Column | None:
        if source is None or not path:
            return None
        try:
            return resolve_column(source, path, self.entities)
        except UnknownColumn:
            return None

    def column_label(self, path: str, of: str = "") -> Label:
        """A column of results in words."""
        if path in RESULT_COLUMNS:
            return RESULT_COLUMNS[path]
        return self.words.node_called(of.partition(".")[0], path) if self.words else Label(path, path)

    # Choices

    def columns(self, source: Source | None, current: str = "", *, of: str = "", only: str = "") -> list[Group]:
        """The columns of a source, those of relations in groups of their own. A relation beyond that is opened by
        choosing it (“…›”): the columns of the path chosen so far are among the choices. ``only``: ``numbers`` or
        ``days``."""
        if source is None:
            return [(None, [(current, Label(current, current))])] if current else []
        if isinstance(source, FrameColumns):
            return [(None, [(path, self.column_label(path, of)) for path in source.columns])]
        groups: list[Group] = [(None, self._own(source, "", only))]
        opened = [current.rsplit(".", 1)[0]] if "." in current else []
        for relation in source.relations.values():
            self._add(groups, source, relation.name, only)
        for path in opened:
            steps = path.split(".")
            for depth in range(2, len(steps) + 1):
                self._add(groups, source, ".".join(steps[:depth]), only)
        if current and all(current != value for _, choices in groups for value, _ in choices):
            groups.insert(0, (None, [(current, Label(current, current))]))
        return groups

    def _add(self, groups: list[Group], source: EntityType, path: str, only: str) -> None:
        entity: EntityType | None = source
        labels = []
        for step in path.split("."):
            relation = entity.relations.get(step) if entity else None
            if relation is None:
                return
            labels.append(relation.label)
            entity = self.entities.get(relation.target)
        if entity is None:
            return
        heading = Label("的".join(label.zh for label in labels), " › ".join(label.en for label in labels))
        choices = self._own(entity, f"{path}.", only)
        choices += [
            (f"{path}.{relation.name}.", Label(f"{relation.label.zh} ›", f"{relation.label.en} ›"))
            for relation in entity.relations.values()
        ]
        groups.append((heading, choices))

    def _own(self, entity: EntityType, before: str, only: str) -> list[Choice]:
        """An entity's own fields, and its relations as what they are compared by: a code."""
        kinds = {"numbers": {*NUMBERS, FieldKind.BOOLEAN}, "days": DAYS}.get(only)
        found = [
            (f"{before}{name}", field_.label)
            for name, field_ in entity.fields.items()
            if field_.kind is not FieldKind.REFERENCE and (kinds is None or field_.kind in kinds)
        ]
        if kinds is None:
            found += [(f"{before}{name}", relation.label) for name, relation in entity.relations.items()]
        return found

    def operators(self, column: Column | None) -> list[Choice]:
        """The comparisons that suit a column."""
        if column is None:
            return [("eq", OPERATORS[Operator.EQ])]
        suits = operators_for(column.kind)
        words = {**OPERATORS, **(DAY_OPERATORS if column.kind in DAYS else {})}
        return [(operator.value, words[operator]) for operator in words if operator in suits]

    def codes(self, column: Column | None) -> list[Choice] | None:
        """The codes of a column with their words; None where it has no list."""
        if column is None:
            return None
        if column.kind is FieldKind.BOOLEAN:
            return [("true", Label("是", "yes")), ("false", Label("否", "no"))]
        if column.codes is None:
            return None
        described = column.entity.fields.get(column.name) if column.entity else None
        if described is not None and described.code_list is not None:
            return [(member.value, member.label) for member in described.code_list]
        return [(code, self._result_code(column.name, code)) for code in column.codes]

    def _result_code(self, column: str, code: str) -> Label:
        found = self.words.result_code_called(column, code) if self.words else None
        return found or LIGHTS.get(code, Label(code, code))  # type: ignore[call-overload]

    def anchors(self) -> list[Choice]:
        """The dates an operand may name."""
        return [(name, DATES[name]) for name in ANCHORS if self.has_period or name not in PERIOD_ANCHORS]

    def entity_choices(self, *, results: bool = False) -> list[Choice]:
        found = [(entity.code, entity.label) for entity in self.entities]
        if results:
            found += [(INDEX_SOURCE, Label("其他指数的结果", "results of another index"))]
            found += [(WARNING_SOURCE, Label("预警", "warnings"))]
        return found

    def result_choices(self) -> list[Group]:
        """``CODE`` and ``CODE.column`` of every other index."""
        groups: list[Group] = []
        for code, rule in self.others.items():
            if not isinstance(rule, Index):
                continue
            choices: list[Choice] = [(code, RESULT_COLUMNS["score"])]
            choices += [(f"{code}.{name}", RESULT_COLUMNS[name]) for name in ("light", "rank", "peer_rank")]
            choices += [(f"{code}.{node.code}", node.label) for node in rule.root.walk() if node is not rule.root]
            groups.append((rule.label, choices))
        return groups

    def ties(self, source: str, of: str = "") -> list[Choice]:
        """The relations, and paths of two, that tie an entity's rows to the subject."""
        subject = self.subject
        results = self.results(of.partition(".")[0]) if source == INDEX_SOURCE else None
        entity = self.entities.get(results.subject if results else source)
        if entity is None or subject is None:
            return []
        found = [(relation.name, relation.label) for relation in entity.relations_to(subject.code)]
        for relation in entity.relations.values():
            through = self.entities.get(relation.target)
            for second in through.relations_to(subject.code) if through else ():
                label = Label(
                    f"{relation.label.zh}的{second.label.zh}", f"{second.label.en} of the {relation.label.en}"
                )
                found.append((f"{relation.name}.{second.name}", label))
        return found

    # The rule's own names

    def figures(self, *, before: str | None = None) -> list[Choice]:
        """The metrics and figures by name, with what they are; only those above ``before``."""
        found: list[Choice] = []
        for name in self._metrics():
            if name == before:
                break
            found.append((name, self.figure_label(name)))
        return found

    def _metrics(self) -> list[str]:
        metrics = part_at(self.document, ("metrics",))
        return [str(name) for name in metrics] if isinstance(metrics, dict) else []

    def figure_label(self, name: str) -> Label:
        """What a metric or figure is called: its label, else what it is."""
        named = self.words.named(name) if self.words else None
        if self.words is None or named is None:
            return Label("（尚未写完）", "(not finished)")
        if isinstance(named, Metric):
            return read_metric(named, self.words)
        if isinstance(named, Parameter):
            return Label(name, name)
        return read_expression(named.expression, self.words)

    def parameters(self) -> list[Choice]:
        given = part_at(self.document, ("parameters",))
        if not isinstance(given, dict):
            return []
        return [(str(name), self.parameter_label(str(name))) for name in given]

    def parameter_label(self, name: str) -> Label:
        """A parameter has no label of its own: its numbers say what it is."""
        named = self.words.named(name) if self.words else None
        if self.words is None or not isinstance(named, Parameter):
            return Label("（尚未写完）", "(not finished)")
        read = self.words.rule and _parameter_words(named, self.words)
        return Label(f"参数：{read.zh}", f"parameter: {read.en}")

    def palette(self, *, before: str | None = None, value: bool = False, rows_of: str = "") -> list[Group]:
        """What can be put into an expression, under headings."""
        dates = [(name, label) for name, label in DATES.items() if self.has_period or name in _WITHOUT_PERIOD]
        functions = [
            (f"{name}()", label) for name, label in FUNCTION_WORDS.items() if name != "days_held" or not self.is_index
        ]
        if rows_of:
            entity = self.entities.get(rows_of)
            return [*self.columns(entity), (Label("日期", "Dates"), dates), (Label("函数", "Functions"), functions)]
        own: list[Choice] = [("value", Label("取得的数值", "the value"))] if value else []
        return [
            (None, own),
            (Label("数据", "Figures"), self.figures(before=before)),
            (Label("参数", "Parameters"), self.parameters()),
            (Label("日期", "Dates"), dates),
            *[
                (heading or (self.subject.label if self.subject else None), choices)
                for heading, choices in self.columns(self.subject)
            ],
            (Label("函数", "Functions"), functions),
        ]

    def peers(self) -> list[Choice]:
        """The columns by which subjects can be compared with their like: those with code lists."""
        return [
            (path, Label(f"{heading.zh}的{label.zh}", f"{label.en} of the {heading.en}") if heading else label)
            for heading, choices in self.columns(self.subject)
            for path, label in choices
            if not path.endswith(".") and self.column(self.subject, path).codes is not None  # type: ignore[union-attr]
        ]


_WITHOUT_PERIOD = ("as_of", "year_start", "year_end")


def _parameter_words(parameter: Parameter, words: Vocabulary) -> Label:
    from_codes = parameter.by is not None
    if not from_codes:
        number = f"{parameter.default:g}" if parameter.default is not None else "—"
        return Label(number, number)
    column = words.column_called(words.subject, parameter.by or "")
    return Label(f"按{column.zh}不同", f"by {column.en}")


def period_choices() -> list[Choice]:
    return [("", Label("不分期", "none")), *((kind.value, label) for kind, label in PERIODS.items())]


def flat(groups: list[Group]) -> Iterator[Choice]:
    for _, choices in groups:
        yield from choices


__all__ = ["ABSENT", "Choice", "FormGround", "Group", "flat", "period_choices"]
