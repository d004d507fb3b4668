"""What differs between two versions of a rule, in words: “党课 4 → 6 分；红灯 60 → 65”."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from app.entity.labels import Label, UserError

from .editing import read_document
from .editing.operations import same
from .editing.writing import flow_text

LIGHTS = {
    "red": Label("红灯", "red"),
    "orange": Label("橙灯", "orange"),
    "yellow": Label("黄灯", "yellow"),
    "blue": Label("蓝灯", "blue"),
    "green": Label("绿灯", "green"),
}
KEYS = {
    "label": Label("名称", "name"),
    "subject": Label("对象", "subject"),
    "applies_to": Label("适用范围", "whom it applies to"),
    "period": Label("周期", "period"),
    "peers": Label("同类", "peers"),
    "scale": Label("分数范围", "scale"),
    "decimals": Label("小数位", "decimals"),
    "weights": Label("权重方式", "kind of weights"),
    "combine": Label("合成方式", "combination"),
    "missing": Label("缺数据时", "where data are missing"),
    "bonus_at_most": Label("加分上限", "most bonus"),
    "penalty_at_most": Label("扣分上限", "most penalty"),
    "bounds": Label("得分上下限", "bounds"),
    "roll_up": Label("逐级汇总", "roll-up"),
    "grades": Label("等次", "grades"),
    "recover": Label("恢复余量", "recovery margin"),
    "min_coverage": Label("最低数据覆盖", "least coverage"),
    "effective_from": Label("施行日期", "in force from"),
    "basis": Label("依据", "basis"),
    "value": Label("数值", "value"),
    "reading": Label("表述", "wording"),
    "handle_within": Label("处理期限", "time limit"),
    "notify": Label("通知", "notice"),
    "score": Label("评分", "score"),
    "reverse": Label("反向", "reversed"),
    "each": Label("每次分值", "points each"),
    "at_most": Label("上限", "at most"),
    "when": Label("条件", "condition"),
    "cap": Label("封顶", "cap"),
    "adjustable": Label("可调范围", "what may be adjusted"),
}
LISTS = {
    "tree": Label("指标", "indicator"),
    "bonus": Label("加分项", "bonus"),
    "penalty": Label("扣分项", "penalty"),
    "veto": Label("一票否决", "veto"),
}
_COMPARED = re.compile(r"\s*(<=|>=|<|>|==|!=)\s*(.+)")


def differences(before: str | None, after: str) -> list[Label]:
    """The words of a change from one text of a rule to another, the most important first. A text that cannot be read
    gives one line that says so."""
    if before is None:
        return [Label("新规则", "a new rule")]
    try:
        old, new = read_document(before).data, read_document(after).data
    except UserError:
        return [Label("文本有改动", "the text has changed")]
    if not isinstance(old, dict) or not isinstance(new, dict):
        return [Label("文本有改动", "the text has changed")]
    found = [*_nodes(old, new), *_lights(old, new), *_parameters(old, new), *_metrics(old, new), *_others(old, new)]
    if not found and before != after:
        return [Label("只改了注释或排版", "only comments or layout")]
    return found


def in_words(before: str | None, after: str) -> Label:
    """All differences in one line."""
    found = differences(before, after)
    return Label("；".join(each.zh for each in found), "; ".join(each.en for each in found))


def _name(item: dict, code: str | None = None) -> Label:
    label = item.get("label", code or item.get("code", ""))
    return Label.of(label) if isinstance(label, str | dict) else Label(str(label), str(label))


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else flow_text(value)


def _arrow(old: Any, new: Any) -> str:
    return f"{_written(old)} → {_written(new)}"


def _written(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, dict) and set(value) <= {"zh", "en"}:
        return Label.of(value).zh
    return _number(value) if isinstance(value, int | float) else value if isinstance(value, str) else flow_text(value)


def _walk(items: Any, parent: str = "") -> Iterator[tuple[str, str, dict]]:
    """(code, code of the parent, node) from the root down."""
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and isinstance(item.get("code"), str):
            yield item["code"], parent, item
            yield from _walk(item.get("children"), item["code"])


def _nodes(old: dict, new: dict) -> Iterator[Label]:
    for key, kind in LISTS.items():
        before = {code: (parent, node) for code, parent, node in _walk(old.get(key))}
        after = {code: (parent, node) for code, parent, node in _walk(new.get(key))}
        for code, (parent, node) in after.items():
            name = _name(node)
            if code not in before:
                points = node.get("weight")
                yield Label(
                    f"新增{kind.zh}“{name.zh}”" + (f" {_number(points)} 分" if points is not None else ""),
                    f"new {kind.en} “{name.en}”" + (f", {_number(points)} points" if points is not None else ""),
                )
                continue
            was_under, was = before[code]
            yield from _node(name, was, node)
            if was_under != parent:
                above = _name(after[parent][1]) if parent else Label("最上层", "the top")
                yield Label(f"“{name.zh}”移到“{above.zh}”下", f"“{name.en}” moves under “{above.en}”")
        for code, (_, node) in before.items():
            if code not in after:
                name = _name(node)
                yield Label(f"删去{kind.zh}“{name.zh}”", f"{kind.en} “{name.en}” is taken out")


def _node(name: Label, old: dict, new: dict) -> Iterator[Label]:
    if old.get("weight") != new.get("weight"):
        change = _arrow(old.get("weight"), new.get("weight"))
        yield Label(f"{name.zh} {change} 分", f"{name.en} {change} points")
    if old.get("enabled", True) != new.get("enabled", True):
        yield (
            Label(f"启用“{name.zh}”", f"“{name.en}” is switched on")
            if new.get("enabled", True)
            else Label(f"停用“{name.zh}”", f"“{name.en}” is switched off")
        )
    for key in [*old, *(key for key in new if key not in old)]:
        if key in ("code", "weight", "enabled", "children") or same(old.get(key), new.get(key)):
            continue
        called = KEYS.get(key, Label(key, key))
        change = _arrow(old.get(key), new.get(key))
        yield Label(f"{name.zh}的{called.zh} {change}", f"{called.en} of {name.en} {change}")


def _lights(old: dict, new: dict) -> Iterator[Label]:
    for key in ("lights", "levels"):
        before, after = old.get(key), new.get(key)
        before, after = before if isinstance(before, dict) else {}, after if isinstance(after, dict) else {}
        for light, name in LIGHTS.items():
            one, other = before.get(light), after.get(light)
            if same(one, other):
                continue
            yield Label(f"{name.zh} {_threshold(one, other)}", f"{name.en} {_threshold(one, other)}")


def _threshold(old: Any, new: Any) -> str:
    """Where both compare alike, what they compare with says it all."""
    one, other = (_COMPARED.fullmatch(each) if isinstance(each, str) else None for each in (old, new))
    if one and other and one[1] == other[1]:
        return f"{one[2]} → {other[2]}"
    return _arrow(old, new)


def _parameters(old: dict, new: dict) -> Iterator[Label]:
    yield from _named(old, new, "parameters", Label("参数", "parameter"))


def _metrics(old: dict, new: dict) -> Iterator[Label]:
    yield from _named(old, new, "metrics", Label("统计项", "figure"))


def _named(old: dict, new: dict, key: str, kind: Label) -> Iterator[Label]:
    before, after = old.get(key), new.get(key)
    before, after = before if isinstance(before, dict) else {}, after if isinstance(after, dict) else {}
    for code, value in after.items():
        name = _name(value, code) if isinstance(value, dict) else Label(code, code)
        if code not in before:
            yield Label(f"新增{kind.zh}“{name.zh}”", f"new {kind.en} “{name.en}”")
        elif not same(before[code], value):
            change = _arrow(before[code], value)
            yield Label(f"{kind.zh}“{name.zh}” {change}", f"{kind.en} “{name.en}” {change}")
    for code, value in before.items():
        if code not in after:
            name = _name(value, code) if isinstance(value, dict) else Label(code, code)
            yield Label(f"删去{kind.zh}“{name.zh}”", f"{kind.en} “{name.en}” is taken out")


def _others(old: dict, new: dict) -> Iterator[Label]:
    told = {*LISTS, "lights", "levels", "parameters", "metrics"}
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in told and not same(old.get(key), new.get(key)):
            called = KEYS.get(key, Label(key, key))
            change = _arrow(old.get(key), new.get(key))
            yield Label(f"{called.zh} {change}", f"{called.en} {change}")
