"""How a value becomes points, and what a node of an index is, in words."""

from __future__ import annotations

from app.entity.labels import Label

from ..explaining import is_share, is_truth
from ..expressions import Literal, Name
from ..model import (
    Bands,
    Categories,
    Combine,
    Curve,
    Formula,
    Metric,
    Missing,
    Node,
    ObservedRange,
    Percentile,
    Range,
    Target,
    ZScore,
)
from .expressions import read_expression
from .filters import read_conditions
from .vocabulary import Vocabulary, listed, lowered, number, percentage, tidy

MISSING = {
    Missing.SKIP: Label("没有数据时，权重让给同级指标", "without data its weight goes to its siblings"),
    Missing.ZERO: Label("没有数据时按 0 分计", "without data it counts as 0"),
    Missing.PEER_AVERAGE: Label("没有数据时取同类的平均分", "without data it takes the mean of its peers"),
    Missing.FAIL: Label(
        "没有数据时整个指数不评分，灯为无数据", "without data there is no score at all, and the light is no data"
    ),
}
COMBINED = {
    Combine.ARITHMETIC: Label("按权重取平均", "the weighted mean"),
    Combine.GEOMETRIC: Label("按权重取几何平均，有一项为 0 则为 0", "the weighted geometric mean; a single 0 makes 0"),
    Combine.MINIMUM: Label("取最低的一项", "the lowest of them"),
}


def read_node(node: Node, words: Vocabulary) -> Label:
    """A node in one or a few sentences: what counts, how it becomes points, and the exceptions."""
    zh: list[str] = []
    en: list[str] = []

    def say(label: Label) -> None:
        if label.zh:
            zh.append(label.zh)
            en.append(label.en[:1].upper() + label.en[1:])

    if node.children:
        names = listed(Label(child.label.zh, child.label.en) for child in node.children if child.enabled)
        say(Label(f"由{names.zh}合成，{COMBINED[node.combine].zh}", f"made of {names.en}: {COMBINED[node.combine].en}"))
    elif node.value is not None:
        value = read_expression(node.value, words)
        shape = read_shape(node, words)
        if is_truth(words.rule, node.value):
            say(Label(f"看是否{value.zh}；{shape.zh}", f"whether {value.en}; {shape.en}"))
        else:
            say(Label(f"取{value.zh}；{shape.zh}", f"{value.en}; {shape.en}"))
    conditions = read_conditions(node.applies_to, words)
    if conditions.zh:
        say(Label(f"只在{conditions.zh}时适用", f"it applies only where {conditions.en}"))
    if not node.children or node.missing is not Missing.SKIP:
        say(MISSING[node.missing])
    if not node.enabled:
        say(Label("已停用，不参与评分", "it is disabled and does not count"))
    return tidy(Label("。".join(zh) + "。", ". ".join(en) + ".")) if zh else Label("", "")


def read_shape(node: Node, words: Vocabulary) -> Label:
    """How a node's value becomes 0 to 100 points."""
    read = _shape(node, words)
    if node.reverse:
        read = Label(f"{read.zh}，再用 100 减去所得分数", f"{read.en}, and 100 minus that is the score")
    return tidy(read)


def _shape(node: Node, words: Vocabulary) -> Label:
    share = is_share(node)

    def figure(value: float) -> str:
        return percentage(value) if share else number(value)

    match node.shape:
        case None:
            return Label("数值本身就是得分", "the value itself is the score")
        case Target(value=Literal(value=1.0)) if is_truth(words.rule, node.value):
            return Label("成立得满分，否则得 0 分", "full marks if so, otherwise 0")
        case Target(value=target):
            due = read_expression(target, words)
            if isinstance(target, Literal) and not isinstance(target.value, str | bool):
                due = Label(figure(target.value), figure(target.value))
            return Label(f"达到 {due.zh} 得满分，不足的按比例得分", f"full marks at {due.en}, in proportion below")
        case Range(low=low, high=high, logarithmic=logarithmic):
            ends = [
                Label(figure(end.value), figure(end.value))
                if isinstance(end, Literal) and not isinstance(end.value, str | bool)
                else read_expression(end, words)
                for end in (low, high)
            ]
            how = (
                Label("取对数后按比例", "in proportion of logarithms")
                if logarithmic
                else Label("按比例", "in proportion")
            )
            return Label(
                f"{ends[0].zh} 得 0 分，{ends[1].zh} 得满分，其间{how.zh}得分",
                f"0 at {ends[0].en}, full marks at {ends[1].en}, {how.en} between",
            )
        case ObservedRange(logarithmic=logarithmic):
            how = Label("（取对数后）", " (by logarithms)") if logarithmic else Label("", "")
            return Label(
                f"全体中最低的得 0 分，最高的得满分，其间按比例得分{how.zh}",
                f"0 for the lowest of all, full marks for the highest, in proportion between{how.en}",
            )
        case Bands(steps=steps):
            if len(steps) > 1 and steps[0][1] == 0:
                steps = steps[1:]  # below the next it is 0 anyway
            reached = [
                Label(f"达到 {figure(start)} 得 {number(score)} 分", f"{number(score)} from {figure(start)}")
                for start, score in steps
            ]
            first = figure(steps[0][0]) if steps else ""
            return listed([*reached, Label(f"不足 {first} 得 0 分", f"0 below {first}")], "，", ", ")
        case Curve(points=points):
            at = [
                Label(f"{figure(value)} 时得 {number(score)} 分", f"{number(score)} at {figure(value)}")
                for value, score in points
            ]
            return listed(
                [*at, Label("其间按直线过渡，两端之外不再增减", "straight lines between, flat outside")], "，", ", "
            )
        case Categories(scores=scores):
            by_code = [
                Label(f"{called.zh}得 {number(score)} 分", f"{number(score)} for {lowered(called.en)}")
                for code, score in scores.items()
                for called in [_category(node, code, words)]
            ]
            return listed([*by_code, Label("其余视为没有数据", "anything else counts as missing")], "，", ", ")
        case Percentile():
            return Label(
                "按在同类中的百分位得分，相同的各算一半",
                "scored by its percentile among peers, equal ones counting half",
            )
        case ZScore():
            return Label(
                "同类平均水平得 50 分，每高一个标准差加 10 分",
                "50 at the mean of its peers, 10 more for every standard deviation above",
            )
        case Formula(expression=expression):
            read = read_expression(expression, words)
            return Label(f"得分为 {read.zh}（0 到 100 分之间）", f"the score is {read.en} (from 0 to 100)")
    raise TypeError(node.shape)


def _category(node: Node, code: str, words: Vocabulary) -> Label:
    """The word for a code of the node's value, where that is a column or a metric that reads one."""
    if code in ("true", "false"):
        return Label("是", "yes") if code == "true" else Label("否", "no")
    if isinstance(node.value, Name):
        named = words.named(node.value.path)
        source, path = words.subject, node.value.path
        if isinstance(named, Metric) and isinstance(named.of, Name):
            source, path = words.entities.get(named.entity), named.of.path
        found = words.code_called(source, path, code)
        if found is not None:
            return found
    return Label(code, code)
