"""What is added to the tree's score or taken from it, what caps it, and how organizations above sum up those below."""

from __future__ import annotations

from typing import Any

from wtforms import Form

from app.entity.labels import Label

from .documents import ABSENT
from .fields import choice, put_at, rows, text, tick
from .ground import FormGround
from .values import expression_value, label_texts, label_value, number_value, pair_texts, pair_values, text_of


class AdjustmentForm(Form):
    """A bonus or a penalty."""

    code = text(Label("代码", "Code"))
    label_zh = text(Label("名称", "Name (Chinese)"))
    label_en = text(Label("英文名称", "Name (English)"))
    value = text(Label("数据或算式", "Figure or formula"))
    each = text(Label("每 1 个几分", "Points for each"), inputmode="decimal")
    at_most = text(Label("至多几分", "At most"), inputmode="decimal")


class VetoForm(Form):
    code = text(Label("代码", "Code"))
    label_zh = text(Label("名称", "Name (Chinese)"))
    label_en = text(Label("英文名称", "Name (English)"))
    when = text(Label("什么情况下", "When"))
    cap = text(Label("得分至多", "Score at most"), inputmode="decimal")


class AdjustmentsForm(Form):
    bonus = rows(AdjustmentForm, Label("加分", "Bonus"))
    bonus_at_most = text(Label("加分合计至多", "Bonus at most"), inputmode="decimal")
    penalty = rows(AdjustmentForm, Label("扣分", "Penalty"))
    penalty_at_most = text(Label("扣分合计至多", "Penalty at most"), inputmode="decimal")
    bounds_low = text(Label("加扣分后不低于", "Not below"), inputmode="decimal")
    bounds_high = text(Label("加扣分后不高于", "Not above"), inputmode="decimal")
    veto = rows(VetoForm, Label("一票否决", "Veto"))
    rolls_up = tick(Label("上级党组织的得分由下级汇总", "Organizations above sum up those below"))
    own = text(Label("自身得分占", "Own score counts"), inputmode="decimal")
    children = text(Label("下级平均分占", "Mean of those below counts"), inputmode="decimal")
    weight = choice(Label("下级按什么加权", "Those below are weighted by"))


def read(document: dict[str, Any], ground: FormGround) -> dict[str, Any]:
    low, high = pair_texts(document.get("bounds"))
    roll_up = document.get("roll_up")
    shares = roll_up if isinstance(roll_up, dict) else {}
    veto = document.get("veto")
    return {
        "bonus": _read(document.get("bonus")),
        "bonus_at_most": text_of(document.get("bonus_at_most")),
        "penalty": _read(document.get("penalty")),
        "penalty_at_most": text_of(document.get("penalty_at_most")),
        "bounds_low": low,
        "bounds_high": high,
        "veto": [
            {
                **_named(item),
                "when": text_of(item.get("when")),
                "cap": text_of(item.get("cap")),
            }
            for item in (veto if isinstance(veto, list) else [])
            if isinstance(item, dict)
        ],
        "rolls_up": "roll_up" in document,
        **{key: text_of(shares.get(key)) for key in ("own", "children", "weight")},
    }


def _named(item: dict[str, Any]) -> dict[str, str]:
    zh, en = label_texts(item.get("label"))
    return {"code": text_of(item.get("code")), "label_zh": zh, "label_en": en}


def _read(items: Any) -> list[dict[str, str]]:
    return [
        {**_named(item), **{key: text_of(item.get(key)) for key in ("value", "each", "at_most")}}
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, dict)
    ]


def write(data: dict[str, Any], ground: FormGround) -> dict[str, Any]:
    roll_up: Any = ABSENT
    if data.get("rolls_up"):
        roll_up = {
            "own": number_value(data.get("own")),
            "children": number_value(data.get("children")),
            "weight": data.get("weight") or ABSENT,
        }
    return {
        "bonus": _written(data["bonus"], "bonus"),
        "bonus_at_most": number_value(data.get("bonus_at_most")),
        "penalty": _written(data["penalty"], "penalty"),
        "penalty_at_most": number_value(data.get("penalty_at_most")),
        "bounds": pair_values(data.get("bounds_low"), data.get("bounds_high")),
        "veto": _vetoes(data["veto"]),
        "roll_up": roll_up,
    }


def _written(items: list[dict[str, Any]], kind: str) -> Any:
    return [
        {
            "code": _code(item, kind, position),
            "label": label_value(item.get("label_zh"), item.get("label_en")),
            "value": _expected(expression_value(item.get("value"))),
            "each": number_value(item.get("each")),
            "at_most": number_value(item.get("at_most")),
        }
        for position, item in enumerate(items)
    ] or ABSENT


def _vetoes(items: list[dict[str, Any]]) -> Any:
    return [
        {
            "code": _code(item, "veto", position),
            "label": label_value(item.get("label_zh"), item.get("label_en")),
            "when": _expected(expression_value(item.get("when"))),
            "cap": _expected(number_value(item.get("cap"))),
        }
        for position, item in enumerate(items)
    ] or ABSENT


def _code(item: dict[str, Any], kind: str, position: int) -> str:
    """What was given, else a code of our own: people need not think of one."""
    return (item.get("code") or "").strip() or f"{kind}_{position + 1}"


def _expected(value: Any) -> Any:
    return "" if value is ABSENT else value


def prepare(form: Any, ground: FormGround) -> None:
    form.weight.choices = [
        (None, [("", Label("不加权，直接平均", "not weighted"))]),
        (Label("数据", "Figures"), ground.figures()),
        *ground.columns(ground.subject, only="numbers"),
    ]
    for key in ("bonus", "penalty"):
        for position, entry in enumerate(getattr(form, key)):
            names = ("code", "value", "each", "at_most")
            put_at(entry.form, (key, position), label_zh="label", **{name: name for name in names})
    for position, entry in enumerate(form.veto):
        put_at(entry.form, ("veto", position), code="code", label_zh="label", when="when", cap="cap")
    put_at(
        form, (), bonus="bonus", bonus_at_most="bonus_at_most", penalty="penalty", penalty_at_most="penalty_at_most",
        bounds_low="bounds", bounds_high="bounds", veto="veto", rolls_up="roll_up", own=("roll_up", "own"),
        children=("roll_up", "children"), weight=("roll_up", "weight"),
    )  # fmt: skip
