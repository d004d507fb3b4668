"""Lights of an index, levels of a warning: when each is lit, who is told, how long there is to act, and the margin."""

from __future__ import annotations

import re
from typing import Any

from wtforms import Form, HiddenField

from app.entity.labels import Label
from app.rules.expression_parser import COMPARISONS
from app.rules.model import SEVERITY
from app.rules.sentences.vocabulary import LIGHTS
from app.rules.sentences.whole import RECIPIENTS

from .documents import ABSENT
from .fields import choice, put_at, rows, several, text
from .ground import FormGround
from .values import expression_value, label_texts, label_value, number_value, text_of

OFF, CONDITION = "", "condition"
COMPARED = {
    "<": Label("低于", "below"),
    "<=": Label("不高于", "at most"),
    ">": Label("高于", "above"),
    ">=": Label("不低于", "at least"),
    "==": Label("等于", "equal to"),
    "!=": Label("不等于", "other than"),
}
_THRESHOLD = re.compile(
    rf"\s*({'|'.join(map(re.escape, sorted(COMPARISONS, key=len, reverse=True)))})\s*(.*)", re.DOTALL
)


class LightForm(Form):
    """One colour. ``how``: not used, one of the comparisons, or a condition."""

    light = HiddenField()
    how = choice(Label("怎样亮", "How it is lit"))
    edge = text(Label("界线", "Edge"))
    condition = text(Label("条件", "Condition"))
    days = text(Label("几天内处理", "Days to handle it"), inputmode="numeric")
    told = several(Label("通知谁", "Who is told"))


class GradeForm(Form):
    start = text(Label("从几分起", "From"), inputmode="decimal")
    label_zh = text(Label("等次", "Grade (Chinese)"))
    label_en = text(Label("英文", "Grade (English)"))


class LightsForm(Form):
    """The lights of an index, or the value and levels of a warning."""

    lights = rows(LightForm, Label("灯", "Lights"))
    recover = text(Label("变好要越过界线几分", "Margin past the edge to get better"), inputmode="decimal")
    grades = rows(GradeForm, Label("等次", "Grades"))
    min_coverage = text(
        Label("有数据的权重至少占多少才评分", "Share of the weight that must have data"), inputmode="decimal"
    )
    value = text(Label("看什么数", "What is looked at"))
    reading_zh = text(Label("页面上怎样说这个数", "How pages say it (Chinese)"))
    reading_en = text(Label("英文说法", "How pages say it (English)"))


def _key(ground: FormGround) -> str:
    return "lights" if ground.is_index else "levels"


def read(document: dict[str, Any], ground: FormGround) -> dict[str, Any]:
    given = document.get(_key(ground))
    given = given if isinstance(given, dict) else {}
    days, told = (
        document.get(key) if isinstance(document.get(key), dict) else {} for key in ("handle_within", "notify")
    )
    zh, en = label_texts(document.get("reading"))
    grades = document.get("grades")
    return {
        "lights": [
            {
                "light": str(light),
                **_read(given.get(str(light), ABSENT)),
                "days": text_of(days.get(str(light))).removesuffix("d"),  # type: ignore[union-attr]
                "told": _listed(told.get(str(light))),  # type: ignore[union-attr]
            }
            for light in SEVERITY
        ],
        "recover": text_of(document.get("recover")),
        "grades": [
            {"start": text_of(pair[0]), **dict(zip(("label_zh", "label_en"), label_texts(pair[1]), strict=True))}
            for pair in (grades if isinstance(grades, list) else [])
            if isinstance(pair, list) and len(pair) == 2
        ],
        "min_coverage": text_of(document.get("min_coverage")),
        "value": text_of(document.get("value")),
        "reading_zh": zh,
        "reading_en": en,
    }


def _read(value: Any) -> dict[str, str]:
    if value is ABSENT:
        return {"how": OFF, "edge": "", "condition": ""}
    written = text_of(value)
    found = _THRESHOLD.fullmatch(written)
    if found:
        return {"how": found[1], "edge": found[2].strip(), "condition": ""}
    return {"how": CONDITION, "edge": "", "condition": written}


def _listed(value: Any) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value] if value else [])]


def write(data: dict[str, Any], ground: FormGround) -> dict[str, Any]:
    lit = [each for each in data["lights"] if each.get("how")]
    written: dict[str, Any] = {
        _key(ground): {each["light"]: _write(each) for each in lit} or ABSENT,
        "recover": number_value(data.get("recover")),
    }
    if ground.is_index:
        return written | {
            "grades": [
                [
                    _expected(number_value(each.get("start"))),
                    _expected(label_value(each.get("label_zh"), each.get("label_en"))),
                ]
                for each in data["grades"]
                if (each.get("start") or each.get("label_zh") or each.get("label_en"))
            ]
            or ABSENT,
            "min_coverage": number_value(data.get("min_coverage")),
        }
    return written | {
        "value": expression_value(data.get("value")),
        "reading": label_value(data.get("reading_zh"), data.get("reading_en")),
        "handle_within": {each["light"]: f"{each['days'].strip()}d" for each in lit if (each.get("days") or "").strip()}
        or ABSENT,
        "notify": {each["light"]: sorted(each["told"], key=_place) for each in lit if each.get("told")} or ABSENT,
    }


def _place(recipient: str) -> int:
    """The order of the tick boxes: whom a level tells counts, not in which order they are named."""
    return list(RECIPIENTS).index(recipient) if recipient in RECIPIENTS else len(RECIPIENTS)


def _write(each: dict[str, Any]) -> Any:
    if each["how"] == CONDITION:
        return _expected(expression_value(each.get("condition")))
    return f"{each['how']} {' '.join((each.get('edge') or '').split())}"


def _expected(value: Any) -> Any:
    return "" if value is ABSENT else value


def prepare(form: Any, ground: FormGround) -> None:
    key = _key(ground)
    for entry in form.lights:
        row = entry.form
        light = row.light.data
        row.how.choices = [
            (OFF, Label("不用", "not used")),
            *COMPARED.items(),
            (CONDITION, Label("符合条件时", "where a condition holds")),
        ]
        row.told.choices = list(RECIPIENTS.items())
        row.called = next((words for known, words in LIGHTS.items() if known == light), Label(light, light))
        put_at(row, (), how=(key, light), edge=(key, light), condition=(key, light))
        put_at(row, (), days=("handle_within", light), told=("notify", light))
    for position, entry in enumerate(form.grades):
        put_at(entry.form, ("grades", position), start=0, label_zh=1)
    names = ("recover", "grades", "min_coverage", "value")
    put_at(form, (), lights=key, reading_zh="reading", **{name: name for name in names})
