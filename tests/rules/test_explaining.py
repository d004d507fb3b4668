"""Results in words: what figures are called, what values say, and what is refused of words in a rule."""

from __future__ import annotations

import pytest

from app.entity.labels import Label
from app.entity.registry import registry
from app.rules.explaining import describe_metric, explain, why
from app.rules.model import Index, Metric, Warning
from app.rules.parsing import parse_rule

from .rule_folders import WARNING, problems_of, replaced

INDEX = """\
index: words
subject: organization
period: year
metrics:
  lectures: {count: meeting, where: {kind: lecture, status: held}, window: period}
  named: {count: meeting, where: {kind: lecture}, window: period, label: {zh: 已讲党课, en: Lectures held}}
  claimed: {sum: observation, of: value, where: {metric: wishes_claimed}, label: {zh: 认领心愿, en: Wishes claimed}}
  reported: {sum: observation, of: value, where: {metric: visits}}
  appraised: {exists: meeting, where: {kind: democratic_appraisal}, label: {zh: 民主评议, en: Appraisal}}
tree:
  - {code: lecture, label: 党课, weight: 40, value: lectures, score: {target: 4}}
  - {code: visits, label: 走访, weight: 30, value: claimed / reported, score: {target: elapsed}}
  - {code: deductions, label: 应扣分, weight: 30, value: named, score: {range: [20, 0]}}
lights: {red: "< 60", green: ">= 60"}
"""


@pytest.fixture(scope="module")
def index() -> Index:
    parsed = parse_rule(INDEX.encode(), "indices/words.yaml")
    assert isinstance(parsed.rule, Index), parsed.problems
    return parsed.rule


def described(index: Index, name: str, value: object) -> Label:
    metric = next(metric for metric in index.metrics if metric.name == name)
    assert isinstance(metric, Metric)
    return describe_metric(metric, value, registry)


@pytest.mark.parametrize(
    ("name", "value", "zh", "en"),
    [
        ("lectures", 2, "组织生活（党课、已召开） 2 次", "Meeting (party lecture, held): 2"),
        ("named", 2, "已讲党课 2 次", "Lectures held: 2"),
        ("claimed", 16.0, "认领心愿 16", "Wishes claimed: 16"),
        ("claimed", None, "认领心愿 —", "Wishes claimed: —"),
        ("appraised", True, "民主评议：有", "Appraisal: yes"),
        ("appraised", False, "民主评议：无", "Appraisal: none"),
    ],
)
def test_a_figure_is_called_by_its_label_else_by_the_rows_it_is_made_of(
    index: Index, name: str, value: object, zh: str, en: str
) -> None:
    assert described(index, name, value) == Label(zh, en)


ROW = {
    "lecture.value": 2, "lecture.target": 4, "lecture.score": 50.0, "lecture.weight": 0.4, "lecture.lost": 20.0,
    "visits.value": 0.43, "visits.target": 0.9, "visits.score": 47.8, "visits.weight": 0.3, "visits.lost": 15.7,
    "deductions.value": 3, "deductions.score": 85.0, "deductions.weight": 0.3, "deductions.lost": 4.5,
    "lecture.reason": 0, "visits.reason": 0, "deductions.reason": 0,
}  # fmt: skip


def test_sentences_say_fact_and_figure(index: Index) -> None:
    said = {node.code: node.sentence for node in explain(index, ROW, registry)}
    assert said["lecture"] == Label("党课缺 2 次", "党课: 2 short of 4")
    # A share of what the elapsed part of the period asks for is a share.
    assert said["visits"].zh == "走访 43%，目标 90%"
    assert said["deductions"].zh == "应扣分 3，应为 0"
    assert why(index, ROW, registry).zh == "党课缺 2 次，失 20.0 分；走访 43%，目标 90%，失 15.7 分"


def test_a_warning_reads_its_value() -> None:
    text = replaced(WARNING, "levels:", 'reading: {zh: "还有 {value} 天", en: "{value} days"}\nlevels:')
    parsed = parse_rule(text.encode(), "warnings/expiry.yaml")
    assert isinstance(parsed.rule, Warning)
    assert parsed.rule.reading == Label("还有 {value} 天", "{value} days")


@pytest.mark.parametrize("words", ["缺额", "缺 {number} 名", "缺 {value 名", "缺 {value!r} 名", "缺 {value} {0} 名"])
def test_a_reading_needs_the_place_of_the_number_and_no_other(words: str) -> None:
    text = replaced(WARNING, "levels:", f'reading: "{words}"\nlevels:')
    (problem,) = problems_of(text)
    assert problem.path == "reading"
    assert "{value}" in problem.label.en


def test_a_reading_without_a_value_is_a_fault() -> None:
    text = replaced(WARNING, "value: days_until(term_ends_on)\n", 'reading: "{value} 天"\n')
    text = replaced(text, '{yellow: "<= 180", orange: "<= 60", red: "< 0"}', "{red: term_ends_on < as_of}")
    assert [problem.path for problem in problems_of(text)] == ["reading"]
