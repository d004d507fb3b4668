"""A whole rule in words, in sections from whom it concerns to when which light is lit."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.entity.labels import Label

from ..adjustments import KINDS, changeable, name_of
from ..expressions import Name
from ..model import Index, Metric, Missing, Node, Rule, Warning
from .expressions import read_expression, read_light
from .filters import read_conditions
from .metrics import read_metric
from .scores import COMBINED, MISSING, read_node
from .vocabulary import PERIODS, Vocabulary, day, listed, lowered, number, percentage, tidy

RECIPIENTS = {
    "self": Label("本人", "the person"),
    "handler": Label("经办人", "the handler"),
    "secretary": Label("支部书记", "the secretary"),
    "parent": Label("上级党组织", "the organization above"),
    "street": Label("街镇", "the street"),
    "district": Label("区级", "the district"),
    "city": Label("市级", "the city"),
}


@dataclass(frozen=True)
class Sentence:
    """One line: of a node with its name, points and depth, or a plain sentence."""

    text: Label
    title: Label | None = None
    points: float | None = None
    depth: int = 0
    basis: Label | None = None
    code: str | None = None


@dataclass(frozen=True)
class Section:
    """Sentences under a heading."""

    title: Label
    sentences: tuple[Sentence, ...]


def read_rule(rule: Rule, words: Vocabulary) -> tuple[Section, ...]:
    """The rule in words; sections that have nothing to say are left out."""
    sections = [Section(Label("对象", "Whom it concerns"), tuple(_whom(rule, words)))]
    if isinstance(rule, Index):
        sections += [
            Section(Label("指标", "Indicators"), tuple(_tree(rule, words))),
            Section(Label("加分、扣分和否决", "Bonus, penalty and veto"), tuple(_adjustments(rule, words))),
            Section(Label("得分、亮灯和等次", "Score, lights and grades"), tuple(_lights(rule, words))),
            Section(Label("各级可调范围", "What districts and streets may change"), tuple(_changeable(rule))),
        ]
    elif isinstance(rule, Warning):
        sections += [
            Section(Label("看什么", "What is looked at"), tuple(_value(rule, words))),
            Section(Label("何时亮灯", "When it lights"), tuple(_levels(rule, words))),
        ]
    counted = [
        Sentence(_sentence(read_metric(each, words, in_full=True)), title=each.label) for each in _labelled(rule)
    ]
    sections.append(Section(Label("其中", "Where"), tuple(counted)))
    return tuple(
        Section(section.title, tuple(replace(each, text=tidy(each.text)) for each in section.sentences))
        for section in sections
        if section.sentences
    )


def _sentence(label: Label) -> Label:
    return Label(f"{label.zh}。", f"{label.en[:1].upper()}{label.en[1:]}.")


def _labelled(rule: Rule) -> list[Metric]:
    """The metrics that other sentences call by a name of their own."""
    return [metric for metric in rule.metrics if isinstance(metric, Metric) and metric.label is not None]


def _whom(rule: Rule, words: Vocabulary) -> list[Sentence]:
    subject = words.subject
    called = subject.label if subject else Label("", "")
    conditions = read_conditions(rule.applies_to, words)
    each = Label(
        f"每个{called.zh}" if not conditions.zh else f"符合条件的{called.zh}：{conditions.zh}",
        f"every {lowered(called.en)}" if not conditions.en else f"every {lowered(called.en)} where {conditions.en}",
    )
    found = [Sentence(_sentence(each))]
    if rule.period is not None:
        unit = PERIODS[rule.period]
        found.append(Sentence(Label(f"每{unit.zh}评定一次。", f"It is evaluated for each {unit.en}.")))
    if isinstance(rule, Index) and rule.peers:
        columns = listed(words.column_called(words.subject, path) for path in rule.peers)
        found.append(
            Sentence(Label(f"{columns.zh}相同的为同类，在同类中比较。", f"Those with the same {columns.en} are peers."))
        )
    if rule.effective_from is not None:
        begun = day(rule.effective_from)
        found.append(Sentence(Label(f"自{begun.zh}起施行。", f"It is in force from {begun.en}.")))
    return found


def _tree(index: Index, words: Vocabulary) -> list[Sentence]:
    found: list[Sentence] = []

    def add(node: Node, depth: int) -> None:
        found.append(
            Sentence(
                read_node(node, words), node.label, node.weight if node.enabled else None, depth, node.basis, node.code
            )
        )
        for child in node.children:
            add(child, depth + 1)

    for child in index.root.children:
        add(child, 0)
    root = index.root
    if root.combine.value != "arithmetic" or root.missing is not Missing.SKIP:
        found.insert(
            0,
            Sentence(
                Label(
                    f"各项{COMBINED[root.combine].zh}；{MISSING[root.missing].zh}。",
                    f"The index is {COMBINED[root.combine].en}; {MISSING[root.missing].en}.",
                )
            ),
        )
    return found


def _changeable(index: Index) -> list[Sentence]:
    """Each number that may be adjusted, with its bounds."""
    return [
        Sentence(
            Label(
                f"{KINDS[kind].zh} {what.value:g}，可调到 {what.limits[0]:g} 至 {what.limits[1]:g}",
                f"{KINDS[kind].en} {what.value:g}, may be {what.limits[0]:g} to {what.limits[1]:g}",
            ),
            title=name_of(index, kind, code),
        )
        for kind, found in changeable(index).items()
        for code, what in found.items()
    ]


def _adjustments(index: Index, words: Vocabulary) -> list[Sentence]:
    found: list[Sentence] = []
    kinds = (
        (index.bonus, index.bonus_at_most, Label("加", "adds")),
        (index.penalty, index.penalty_at_most, Label("扣", "takes")),
    )
    for items, limit, verb in kinds:
        for item in items:
            value = read_expression(item.value, words)
            most = number(item.at_most) if item.at_most is not None else None
            found.append(
                Sentence(
                    Label(
                        f"{value.zh}每 1 {verb.zh} {number(item.each)} 分"
                        + (f"，至多 {most} 分" if most else "")
                        + "。",
                        f"Each 1 of {value.en} {verb.en} {number(item.each)} points"
                        + (f", at most {most}" if most else "")
                        + ".",
                    ),
                    item.label,
                )
            )
        if items and limit is not None:
            found.append(
                Sentence(
                    Label(
                        f"{verb.zh}分合计至多 {number(limit)} 分。",
                        f"All of these together: at most {number(limit)} points.",
                    )
                )
            )
    for veto in index.veto:
        when = read_expression(veto.when, words)
        found.append(
            Sentence(
                Label(
                    f"{when.zh}时，得分最高 {number(veto.cap)} 分。",
                    f"Where {when.en}, the score is {number(veto.cap)} at most.",
                ),
                veto.label,
            )
        )
    return found


def _lights(index: Index, words: Vocabulary) -> list[Sentence]:
    low, high = index.scale
    found = []
    if index.scale != (0.0, 100.0):
        found.append(
            Sentence(
                Label(
                    f"得分从 {number(low)} 到 {number(high)}。", f"The score runs from {number(low)} to {number(high)}."
                )
            )
        )
    if index.bounds is not None:
        least, most = map(number, index.bounds)
        found.append(
            Sentence(
                Label(
                    f"加扣分之后在 {least} 到 {most} 之间。", f"With bonus and penalty it stays from {least} to {most}."
                )
            )
        )
    if index.roll_up is not None:
        found.append(Sentence(_roll_up(index, words)))
    if index.decimals is not None:
        found.append(
            Sentence(
                Label(f"得分保留 {index.decimals} 位小数。", f"The score is rounded to {index.decimals} decimals.")
            )
        )
    score = Label("得分", "the score")
    if index.lights:
        lights = listed([read_light(light, words, score) for light in index.lights], "；", "; ")
        found.append(Sentence(_sentence(lights)))
    found += _recovery(index.recover, Label("分", "points"))
    if index.grades:
        grades = listed(
            [
                Label(f"{number(start)} 分起为{label.zh}", f"{lowered(label.en)} from {number(start)}")
                for start, label in index.grades
            ],
            "，",
        )
        found.append(Sentence(_sentence(grades)))
    if index.min_coverage:
        share = percentage(index.min_coverage)
        found.append(
            Sentence(
                Label(
                    f"有数据的指标不足权重的 {share} 时不评分，灯为无数据。",
                    f"Where indicators with data carry less than {share} of the weight, there is no score.",
                )
            )
        )
    return found


def _roll_up(index: Index, words: Vocabulary) -> Label:
    assert index.roll_up is not None
    own, below = index.roll_up.own, index.roll_up.children
    whole = own + below
    by = Label("", "")
    if index.roll_up.weight:
        called = read_expression(Name(index.roll_up.weight), words)
        by = Label(f"（按{called.zh}加权）", f" (weighted by {called.en})")
    return Label(
        f"有下级的党组织，自身得分占 {percentage(own / whole)}，下级平均分{by.zh}占 {percentage(below / whole)}。",
        f"Where there are organizations below, the own score counts {percentage(own / whole)} and their mean{by.en} "
        f"{percentage(below / whole)}.",
    )


def _recovery(recover: float, unit: Label) -> list[Sentence]:
    if not recover:
        return []
    return [
        Sentence(
            Label(
                f"变差立即变灯；变好要越过界线 {number(recover)} {unit.zh}才变灯。",
                f"Worse takes effect at once; better only once {number(recover)} {unit.en} past the edge.".replace(
                    "  ", " "
                ),
            )
        )
    ]


def _value(warning: Warning, words: Vocabulary) -> list[Sentence]:
    if warning.value is None:
        return []
    found = [Sentence(_sentence(read_expression(warning.value, words)))]
    if warning.reading is not None:
        reading = Label(_filled(warning.reading.zh), _filled(warning.reading.en))
        found.append(Sentence(Label(f"页面上写作“{reading.zh}”。", f"Pages say “{reading.en}”.")))
    return found


def _filled(words: str) -> str:
    return words.replace("{value}", "N").replace("{percent}", "N%")


def _levels(warning: Warning, words: Vocabulary) -> list[Sentence]:
    found = []
    value = Label("该数值", "that value")
    for level in warning.levels:
        text = read_light(level, words, value)
        days, told = warning.handle_within.get(level.light), warning.notify.get(level.light)
        if days:
            text = Label(f"{text.zh}，{days} 天内处理", f"{text.en}; to be handled within {days} days")
        if told:
            who = listed(RECIPIENTS[each] for each in told)
            text = Label(f"{text.zh}，通知{who.zh}", f"{text.en}; told to {who.en}")
        found.append(Sentence(_sentence(text)))
    return [*found, *_recovery(warning.recover, Label("", ""))]
