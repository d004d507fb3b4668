"""A change of a rule in words."""

from __future__ import annotations

from app.rules.differences import differences, in_words

TEXT = """\
index: strength
label: {zh: 组织力, en: Strength}
parameters: {hours_due: 32}
metrics:
  lectures: {count: meeting, where: {kind: lecture}, window: period, label: {zh: 党课, en: Lectures}}
tree:
  - code: life
    label: {zh: 组织生活, en: Party life}
    children:
      - {code: lecture, label: {zh: 党课, en: Lecture}, weight: 4, value: lectures, score: {target: 4}}
      - {code: turnout, label: 到会率, weight: 6, value: lectures}
lights: {red: "< 60", green: ">= 60"}
recover: 2
"""


def test_weights_and_thresholds_as_people_say_them() -> None:
    words = in_words(
        TEXT, TEXT.replace("weight: 4", "weight: 6").replace('"< 60"', '"< 65"').replace('">= 60"', '">= 65"')
    )
    assert words.zh == "党课 4 → 6 分；红灯 60 → 65；绿灯 60 → 65"
    assert words.en == "Lecture 4 → 6 points; red 60 → 65; green 60 → 65"


def test_nodes_that_come_and_go() -> None:
    added = TEXT.replace("lights:", "  - {code: hours, label: 志愿时长, weight: 5, value: lectures}\nlights:")
    assert in_words(TEXT, added).zh == "新增指标“志愿时长” 5 分"
    assert in_words(added, TEXT).en == "indicator “志愿时长” is taken out"
    off = TEXT.replace("weight: 6, value", "weight: 6, enabled: false, value")
    assert in_words(TEXT, off).zh == "停用“到会率”"


def test_other_parts() -> None:
    changed = TEXT.replace("hours_due: 32", "hours_due: 40").replace("recover: 2", "recover: 3")
    changed = changed.replace("score: {target: 4}", "score: {target: 6}").replace("window: period", "window: year")
    assert [each.zh for each in differences(TEXT, changed)] == [
        "党课的评分 {target: 4} → {target: 6}",
        "参数“hours_due” 32 → 40",
        "统计项“党课” {count: meeting, where: {kind: lecture}, window: period, label: {zh: 党课, en: Lectures}} → "
        "{count: meeting, where: {kind: lecture}, window: year, label: {zh: 党课, en: Lectures}}",
        "恢复余量 2 → 3",
    ]


def test_a_moved_node_and_a_comment() -> None:
    moved = TEXT.replace("      - {code: turnout", "  - {code: turnout")
    assert in_words(TEXT, moved).zh == "“到会率”移到“最上层”下"
    assert in_words(TEXT, TEXT + "# why\n").zh == "只改了注释或排版"
    assert in_words(None, TEXT).zh == "新规则"
