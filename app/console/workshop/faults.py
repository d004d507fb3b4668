"""The faults of a draft, found as ``rules check`` finds them, and the field, panel or node that each concerns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.entity.labels import Label
from app.entity.registry import Registry, registry
from app.rules.checking import check_rule
from app.rules.model import Rule
from app.rules.parsing import ParsedRule, parse_rule, read_file, results_of
from app.rules.problems import Problem, faults, path_text
from app.rules.result_columns import Catalogue, IndexResults

from .forms.fields import placed
from .forms.panels import ADJUSTMENTS, FIGURE, GENERAL, LIGHTS, NODE, PARAMETERS, Panel, nodes

_PANEL_OF_KEY = {
    "parameters": PARAMETERS,
    **dict.fromkeys(("bonus", "penalty", "bonus_at_most", "penalty_at_most", "bounds", "veto", "roll_up"), ADJUSTMENTS),
    **dict.fromkeys(
        ("lights", "grades", "recover", "min_coverage", "value", "reading", "levels", "handle_within", "notify"), LIGHTS
    ),
}


def checked(text: str, file: str, rules: Mapping[str, Rule], entities: Registry = registry) -> ParsedRule:
    """A draft's text, parsed and checked among the rules in force. ``problems`` has hints too."""
    content = text.encode()
    own = results_of(read_file(content, file)[0], file)
    code = own.code if isinstance(own, IndexResults) else own
    others = Catalogue.of(rule for rule in rules.values() if rule.code != code)
    indices, warnings = dict(others.indices), set(others.warnings)
    if isinstance(own, IndexResults):
        indices[own.code] = own
    elif own is not None:
        warnings.add(own)
    catalogue = Catalogue(indices, frozenset(warnings))
    parsed = parse_rule(content, file, catalogue=catalogue, entities=entities)
    if parsed.rule is not None and parsed.root is not None:
        parsed.problems.extend(check_rule(parsed.rule, parsed.root, catalogue=catalogue, entities=entities))
    return parsed


def of_panel(panel: Panel, form: Any, problems: Iterable[Problem]) -> tuple[dict[str, list[Label]], list[Label]]:
    """(faults by the name of the field that they concern, those of the panel's part without a field)."""
    places = [(name, path_text(path)) for name, path in placed(form)]
    base = path_text(panel.path)
    by_field: dict[str, list[Label]] = {}
    others: list[Label] = []
    for problem in problems:
        if base and not _within(problem.path, base):
            continue
        fitting = [(name, path) for name, path in places if path and _within(problem.path, path) and path != base]
        longest = max((len(path) for _, path in fitting), default=0)
        names = [name for name, path in fitting if len(path) == longest]
        for name in names:
            by_field.setdefault(name, []).append(in_words(problem))
        if not names and (
            problem.path == base if base else panel.kind == GENERAL and panel_key(problem, {}) == GENERAL
        ):
            others.append(in_words(problem))
    return by_field, others


def _within(path: str, base: str) -> bool:
    return path == base or (path.startswith(base) and path[len(base) : len(base) + 1] in (".", "["))


def panel_key(problem: Problem, document: Mapping[str, Any]) -> str:
    """The panel where a problem is mended."""
    first = re.split(r"[.\[]", problem.path, maxsplit=1)[0]
    if first == "metrics" and "." in problem.path:
        return f"{FIGURE}:{problem.path.split('.')[1]}"
    if first == "tree":
        inside = [(path, node) for path, node in nodes(dict(document)) if _within(problem.path, path_text(path))]
        if inside:
            return f"{NODE}:{inside[-1][1].get('code')}"
    return _PANEL_OF_KEY.get(first, GENERAL)


def by_panel(problems: Sequence[Problem], document: Mapping[str, Any]) -> dict[str, list[Problem]]:
    """The faults (hints left out) by the panel where they are mended."""
    found: dict[str, list[Problem]] = {}
    for problem in faults(list(problems)):
        found.setdefault(panel_key(problem, document), []).append(problem)
    return found


_WORDS = {
    "red": "红灯",
    "orange": "橙灯",
    "yellow": "黄灯",
    "blue": "蓝灯",
    "green": "绿灯",
    "weight": "分值",
    "children": "下级指标",
    "value": "数值",
    "score": "得分方式",
    "lights": "灯",
    "levels": "级别",
    "where": "条件",
    "among": "范围条件",
    "via": "归属",
    "window": "时间范围",
    "period": "周期",
    "missing": "没有数据时",
    "target": "目标",
    "cap": "上限",
    "of": "统计项",
    "weights": "分值关系",
    "relative": "不必相等",
    "back": "往前几期",
    "over": "统计范围",
    "subtree": "含全部下级",
    "roll_up": "向上汇总",
    "own": "自身",
    "categories": "类别",
    "code": "代码",
    "label": "名称",
    "true": "是",
    "false": "否",
    "each": "每 1 个几分",
}
"""What the keys of rule files are called in the forms."""
_QUOTED = re.compile(r"(“[^”]*”)")
_WORD = re.compile(r"[A-Za-z_]+")


def in_words(problem: Problem) -> Label:
    """A problem in the words of the forms: keys of the file by the names that their fields have. What stands in
    quotation marks was written by people and stays."""
    zh = "".join(
        part if part.startswith("“") else _WORD.sub(lambda found: _WORDS.get(found[0], found[0]), part)
        for part in _QUOTED.split(problem.label.zh)
    )
    for key in ("red", "orange", "yellow", "blue", "green"):
        zh = zh.replace(f"“{key}”", f"“{_WORDS[key]}”")
    return Label(zh, problem.label.en)
