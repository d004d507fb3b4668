"""A rule read back in words: every construct of the language, in both languages, and no name of the file in any."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from app.entity.labels import Label
from app.rules.library import read_contents, read_rules
from app.rules.model import Index, Node, Rule, Warning
from app.rules.parsing import parse_rule
from app.rules.result_columns import Catalogue
from app.rules.sentences import (
    Vocabulary,
    read_conditions,
    read_expression,
    read_light,
    read_metric,
    read_node,
    read_rule,
)
from config import PROJECT_DIR

from .rule_folders import MEMBER_INDEX

METRICS = """\
  lectures: {count: meeting, where: {kind: lecture, status: held}, window: period}
  last_year: {count: meeting, window: year, back: 1}
  before: {count: meeting, window: quarter, back: 2}
  present: {sum: meeting, of: attended, window: 90d}
  due: {sum: meeting, of: expected, window: 1y}
  late: {count: fee_payment, where: {paid_on: {gt: {field: pay_by+15d}}}, window: period}
  deviation: {maximum: fee_payment, of: abs(paid - due) / due}
  members: {count: member, window: current}
  below: {count: member, over: subtree}
  groups: {count: organization, via: parent, where: {org_type: group}}
  kinds: {distinct: meeting, of: kind}
  last: {maximum: meeting, of: held_on}
  mean: {average: meeting, of: attended, weight: expected}
  latest: {latest: observation, of: value, where: {metric: satisfaction}}
  life: {exists: meeting, where: {kind: org_life_meeting}, window: year}
  absent: {streak: attendance, where: {status: absent}, among: {status: {ne: leave}}}
  vanguard: {average: index, of: vanguard}
  met: {count: index, of: vanguard, where: {study: {gte: 100}}}
  red: {count: warning, where: {level: red}}
  named: {count: meeting, label: {zh: 已开会议, en: Meetings held}}
  turnout: present / due
"""
INDEX = f"""\
index: words
subject: organization
period: quarter
peers: [unit_type]
parameters:
  hours: {{by: unit_type, values: {{agency: 56}}, default: 32}}
  plain: 4
metrics:
{METRICS}
tree: [{{code: node, value: lectures}}]
lights: {{red: "< 60", green: ">= 60"}}
"""


def parsed(text: str, file: str) -> Rule:
    others = [parse_rule(MEMBER_INDEX.encode(), "indices/vanguard.yaml").rule]
    own = parse_rule(text.encode(), file)
    known = [rule for rule in (*others, own.attempt) if rule is not None]
    found = parse_rule(text.encode(), file, catalogue=Catalogue.of(known))
    assert found.rule is not None, found.problems
    return found.rule


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    labelled = MEMBER_INDEX.replace("subject:", "label: {zh: 先锋指数, en: Vanguard index}\nsubject:", 1)
    vanguard = parse_rule(labelled.encode(), "indices/vanguard.yaml").rule
    assert vanguard is not None
    return Vocabulary(parsed(INDEX, "indices/words.yaml"), others={"vanguard": vanguard})


@pytest.mark.parametrize(
    ("name", "zh", "en"),
    [
        ("lectures", "本季度组织生活（类型为党课，且状态为已召开）的次数",
         "the number of meetings this quarter (kind is Party lecture and status is held)"),
        ("last_year", "去年组织生活的次数", "the number of meetings in the year before"),
        ("before", "往前第 2 个季度的组织生活的次数", "the number of meetings in the 2nd quarter before"),
        ("present", "近 90 天的组织生活的实到合计", "the total attended of meetings in the last 90 days"),
        ("due", "近 1 年的组织生活的应到合计", "the total expected of meetings in the last year"),
        ("late", "本季度党费（交纳日期晚于交纳期限后 15 天）的笔数",
         "the number of fees this quarter (paid on is after 15 days after pay by)"),
        ("deviation", "党费中最大的“实缴 − 应缴的绝对值 ÷ 应缴”",
         "the highest “the absolute value of paid − due ÷ due” of fees"),
        ("members", "现有的党员的人数", "the number of members valid now"),
        ("below", "本组织及全部下级的党员的人数", "the number of members of the organization and all below it"),
        ("groups", "党组织（组织类别为党小组；按上级党组织归集）的个数",
         "the number of organizations (organization type is Party group; tied by parent organization)"),
        ("kinds", "组织生活中不同类型的个数", "the number of different values of kind of meetings"),
        ("last", "组织生活中最晚的召开日期", "the latest held on of meetings"),
        ("mean", "组织生活的实到平均值（按应到加权）", "the average attended of meetings (weighted by expected)"),
        ("latest", "最近一条填报指标（指标代码为“satisfaction”）的数值",
         "the value of the latest of observations (metric is “satisfaction”)"),
        ("life", "是否有本年组织生活（类型为组织生活会）",
         "whether there are meetings this year (kind is organizational life meeting)"),
        ("vanguard", "先锋指数结果的得分平均值", "the average score of results of the Vanguard index"),
        ("red", "预警（级别为红灯）的项数", "the number of warnings (level is red)"),
        ("named", "已开会议", "Meetings held"),
    ],
)  # fmt: skip
def test_what_a_metric_counts(words: Vocabulary, name: str, zh: str, en: str) -> None:
    metric = words.named(name)
    assert read_metric(metric, words) == Label(zh, en)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("turnout * 2", "近 90 天的组织生活的实到合计 ÷ 近 1 年的组织生活的应到合计 × 2",
         "the total attended of meetings in the last 90 days ÷ the total expected of meetings in the last year × 2"),
        ("1 - (named - 2)", "1 − （已开会议 − 2）", "1 − (Meetings held − 2)"),
        ("-named / plain", "−已开会议 ÷ 4", "−Meetings held ÷ 4"),
        ("hours * elapsed", "（机关 56、其他 32） × 本期已过的比例",
         "(56 for government agency, otherwise 32) × the share of the period gone by"),
        ("if(named > 0, 1, 2)", "已开会议大于 0 时为 1，否则为 2", "1 if Meetings held is more than 0, otherwise 2"),
        ("min(named, 3)", "已开会议和 3 中最小的一个", "the smallest of Meetings held, 3"),
        ("round(named / 3, 0)", "“已开会议 ÷ 3”四舍五入取整", "“Meetings held ÷ 3” rounded to a whole number"),
        ("days_until(coalesce(extended_to, term_ends_on)) >= 0", "距延期至（没有则取到届日期）的天数不小于 0",
         "the days until extended to (where there is none, term ends on) is at least 0"),
        ("filled(founded_on) == 0", "没有填写成立日期", "founded on is not filled in"),
        ("filled(founded_on, term_ends_on)", "成立日期、到届日期的填写比例",
         "the share filled in of founded on, term ends on"),
        ("life == 1 and not (unit_type == 'agency')", "有本年组织生活（类型为组织生活会），且不满足“单位类别为机关”",
         "there are meetings this year (kind is organizational life meeting) and not (unit type is government agency)"),
        ("founded_on >= add_months(year_start, -12)", "成立日期不早于本年首日之前 12 个月",
         "founded on is not before the day 12 months before the first day of the year"),
        ("as_of >= date(year(as_of), 9, 30)", "截至日不早于截至日当年 9月30日",
         "the as-of date is not before 30 September of the year of the as-of date"),
        ("periods_since(last)", "组织生活中最晚的召开日期以来经过的季度数",
         "the number of quarters begun since the latest held on of meetings"),
        ("workdays_between(founded_on, as_of)", "从成立日期到截至日的工作日数",
         "the working days from founded on to the as-of date"),
    ],
)  # fmt: skip
def test_what_an_expression_says(words: Vocabulary, text: str, zh: str, en: str) -> None:
    rule = parsed(INDEX.replace("value: lectures", f'value: "{text}"'), "indices/words.yaml")
    assert isinstance(rule, Index)
    value = rule.root.children[0].value
    assert value is not None
    assert read_expression(value, words) == Label(zh, en)


def node_of(text: str) -> Node:
    rule = parsed(INDEX.replace("{code: node, value: lectures}", text), "indices/words.yaml")
    assert isinstance(rule, Index)
    return rule.root.children[0]


SKIP_ZH, SKIP_EN = "。没有数据时，权重让给同级指标。", ". Without data its weight goes to its siblings."


@pytest.mark.parametrize(
    ("score", "zh", "en"),
    [
        ("{target: 3 * elapsed}", "达到 3 × 本期已过的比例得满分，不足的按比例得分",
         "full marks at 3 × the share of the period gone by, in proportion below"),
        ("{range: [10, 0]}", "10 得 0 分，0 得满分，其间按比例得分", "0 at 10, full marks at 0, in proportion between"),
        ("{range: [1, 100], scale: log}", "1 得 0 分，100 得满分，其间取对数后按比例得分",
         "0 at 1, full marks at 100, in proportion of logarithms between"),
        ("{range: observed}", "全体中最低的得 0 分，最高的得满分，其间按比例得分",
         "0 for the lowest of all, full marks for the highest, in proportion between"),
        ("{bands: [[0, 0], [10, 60], [20, 100]]}", "达到 10 得 60 分，达到 20 得 100 分，不足 10 得 0 分",
         "60 from 10, 100 from 20, 0 below 10"),
        ("{curve: [[0, 0], [4, 80]]}", "0 时得 0 分，4 时得 80 分，其间按直线过渡，两端之外不再增减",
         "0 at 0, 80 at 4, straight lines between, flat outside"),
        ("{percentile: true}", "按在同类中的百分位得分，相同的各算一半",
         "scored by its percentile among peers, equal ones counting half"),
        ("{zscore: true, reverse: true}", "同类平均水平得 50 分，每高一个标准差加 10 分，再用 100 减去所得分数",
         "50 at the mean of its peers, 10 more for every standard deviation above, and 100 minus that is the score"),
        ("{formula: 100 - value * 5}", "得分为 100 − 指标值 × 5（0 到 100 分之间）",
         "the score is 100 − the value × 5 (from 0 to 100)"),
    ],
)  # fmt: skip
def test_how_a_value_becomes_points(words: Vocabulary, score: str, zh: str, en: str) -> None:
    node = node_of(f"{{code: node, value: named, score: {score}}}")
    said = read_node(node, words)
    assert said == Label(f"取已开会议；{zh}{SKIP_ZH}", f"Meetings held; {en}{SKIP_EN}")


def test_categories_truth_shares_and_the_rest_of_a_node(words: Vocabulary) -> None:
    by_code = read_node(
        node_of("{code: node, value: unit_type, score: {categories: {agency: 100, village: 40}}}"), words
    )
    assert by_code.zh.startswith("取单位类别；机关得 100 分，建制村得 40 分，其余视为没有数据。")
    truth = read_node(node_of("{code: node, value: named > 2, score: {target: 1}, missing: zero}"), words)
    assert truth.zh == "看是否已开会议大于 2；成立得满分，否则得 0 分。没有数据时按 0 分计。"
    share = read_node(node_of("{code: node, value: present / due, score: {target: 0.8}, missing: peer_average}"), words)
    assert "达到 80% 得满分" in share.zh
    assert share.zh.endswith("没有数据时取同类的平均分。")
    plain = "{code: node, value: named, enabled: false, missing: fail, applies_to: [{tier: branch}, named > 0]}"
    off = read_node(node_of(plain), words)
    assert off.zh == (
        "取已开会议；数值本身就是得分。只在层级为支部，且已开会议大于 0 时适用。"
        "没有数据时整个指数不评分，灯为无数据。已停用，不参与评分。"
    )
    parent = read_node(
        node_of(
            "{code: node, combine: geometric, "
            "children: [{code: a, label: 甲, value: named}, {code: b, label: 乙, value: due}]}"
        ),
        words,
    )
    assert parent.zh == "由甲、乙合成，按权重取几何平均，有一项为 0 则为 0。"


@pytest.mark.parametrize(
    ("condition", "zh"),
    [
        ("{unit_type: {in: [agency, school]}}", "单位类别为机关或中小学"),
        ("{unit_type: {not_in: [agency]}}", "单位类别不是机关"),
        ("{not: {unit_type: agency}}", "单位类别不是机关"),
        ("{founded_on: {between: [2020-01-01, as_of-1y]}}", "成立日期在 2020年1月1日至截至日前 12 个月之间"),
        ("{founded_on: {lt: period_start}}", "成立日期早于本期首日"),
        ("{founded_on: {null: true}}", "没有填写成立日期"),
        ("{name: {contains: 社区}}", "党组织名称包含“社区”"),
        ("{name: {starts_with: 上海}}", "党组织名称的开头是“上海”"),
        ("{or: [{tier: branch}, {tier: street}]}", "层级为支部，或层级为街镇"),
        ("{not: {or: [{tier: branch}, {unit_type: agency}]}}", "不满足“层级为支部，或单位类别为机关”"),
        ("{parent.tier: street, status: active}", "上级党组织的层级为街镇，且状态为正常"),
    ],
)
def test_conditions(words: Vocabulary, condition: str, zh: str) -> None:
    rule = parsed(INDEX.replace("peers:", f"applies_to: {condition}\npeers:"), "indices/words.yaml")
    assert read_conditions(rule.applies_to, words).zh == zh


def test_lights_of_a_warning() -> None:
    text = (
        "warning: w\nsubject: organization\nvalue: days_until(term_ends_on)\nrecover: 5\n"
        'levels: {yellow: "<= 180", orange: value < 9 and day(as_of) > 3, red: days_held(value < 0) > 30}\n'
        "handle_within: {yellow: 30d}\nnotify: {yellow: [secretary, parent]}\n"
    )
    rule = parsed(text, "warnings/w.yaml")
    assert isinstance(rule, Warning)
    words = Vocabulary(rule)
    value = Label("该数值", "that value")
    assert [read_light(level, words, value).zh for level in rule.levels] == [
        "“该数值小于 0”已持续的天数大于 30 时亮红灯",
        "该数值小于 9，且截至日在当月的日数大于 3 时亮橙灯",
        "该数值不大于 180 时亮黄灯",
    ]
    whole = [sentence.text.zh for section in read_rule(rule, words) for sentence in section.sentences]
    assert "该数值不大于 180 时亮黄灯，30 天内处理，通知支部书记、上级党组织。" in whole
    assert "变差立即变灯；变好要越过界线 5 才变灯。" in whole


def shipped() -> Iterator[tuple[str, Rule, dict[str, Rule]]]:
    rules = read_rules(read_contents(PROJECT_DIR / "rules")).rules
    for code, rule in rules.items():
        yield code, rule, rules


CODE = re.compile(r"[A-Za-z]+(?:_[A-Za-z]+)+|[{}\[\]]|==|[<>]=?|(?<![“\w])[a-z]{2,}(?![\w”])")
QUOTED = re.compile(r"“[^”]*”")


@pytest.mark.parametrize(("code", "rule", "rules"), [pytest.param(*each, id=each[0]) for each in shipped()])
def test_no_name_of_the_file_is_left_in_the_words_of_a_shipped_rule(
    code: str, rule: Rule, rules: dict[str, Rule]
) -> None:
    sections = read_rule(rule, Vocabulary(rule, others=rules))
    assert sections
    for section in sections:
        for sentence in section.sentences:
            zh, en = (QUOTED.sub("", text) for text in (sentence.text.zh, sentence.text.en))
            assert not CODE.search(zh), (code, sentence.text.zh)
            assert not re.search(r"\w_\w|[{}]|==|not given", en), (code, sentence.text.en)
            assert "未指定" not in zh
            assert not re.search(r"[\u4e00-\u9fff]", en), (code, sentence.text.en)
