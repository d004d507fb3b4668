"""What a rule is called, whom it concerns, when it counts."""

from __future__ import annotations

from typing import Any

from wtforms import Form

from app.entity.labels import Label
from app.rules.model import Combine, Missing
from app.rules.sentences.scores import COMBINED, MISSING

from . import bounds_form, condition_form
from .condition_form import ConditionForm
from .documents import ABSENT
from .fields import choice, put_at, rows, several, text, tick
from .ground import FormGround, period_choices
from .values import day_value, label_texts, label_value, number_value, pair_texts, pair_values, text_of

BOUNDS = Label("如 ±20%、±1、[4, 8]，或 代码: ±1", "such as ±20%, ±1, [4, 8], or code: ±1")

PARAMETER_BOUNDS = Label("如 lectures_due: +4", "such as lectures_due: +4")
LIGHT_BOUNDS = Label("如 stricter（只可更严）、±5", "such as stricter, ±5")


class GeneralForm(Form):
    label_zh = text(Label("名称", "Name (Chinese)"))
    label_en = text(Label("英文名称", "Name (English)"))
    subject = choice(Label("对象", "Subject"))
    conditions = rows(ConditionForm, Label("哪些对象", "Which of them"))
    period = choice(Label("评定周期", "Period"))
    effective_from = text(Label("施行日期", "In force from"), type="date")
    peers = several(Label("同类按什么划分", "Peers are those with the same"))
    scale_low = text(Label("得分从", "Score from"), inputmode="decimal")
    scale_high = text(Label("到", "to"), inputmode="decimal")
    decimals = text(Label("得分保留几位小数", "Decimals of the score"), inputmode="numeric")
    weights_relative = tick(Label("下级分值之和不必等于上级", "The points of parts need not add up to their whole"))
    combine = choice(Label("各维度怎样合成", "How dimensions are combined"))
    missing = choice(Label("一项得分都没有时", "Without any score"))
    adjustable_weight = text(Label("权重可调", "Weights"), BOUNDS)
    adjustable_target = text(Label("目标可调", "Targets"), BOUNDS)
    adjustable_parameters = text(
        Label("参数可调", "Parameters"), Label("如 lectures_due: +4", "such as lectures_due: +4")
    )
    adjustable_lights = text(
        Label("亮灯分界可调", "Edges of lights"), Label("如 stricter（只可更严）、±5", "such as stricter, ±5")
    )
    basis_zh = text(Label("依据", "Basis (Chinese)"))
    basis_en = text(Label("依据（英文）", "Basis (English)"))


def read(document: dict[str, Any], ground: FormGround) -> dict[str, Any]:
    label, basis = label_texts(document.get("label")), label_texts(document.get("basis"))
    low, high = pair_texts(document.get("scale"))
    peers = document.get("peers")
    return {
        "label_zh": label[0],
        "label_en": label[1],
        "subject": text_of(document.get("subject")),
        "conditions": condition_form.read(document.get("applies_to", ABSENT)),
        "period": text_of(document.get("period")),
        "effective_from": text_of(document.get("effective_from")),
        "peers": [str(each) for each in (peers if isinstance(peers, list) else [peers] if peers else [])],
        "scale_low": low,
        "scale_high": high,
        "decimals": text_of(document.get("decimals")),
        "weights_relative": document.get("weights") == "relative",
        "combine": text_of(document.get("combine")) or Combine.ARITHMETIC.value,
        "missing": text_of(document.get("missing")) or Missing.SKIP.value,
        **bounds_form.read(document.get("adjustable")),
        "basis_zh": basis[0],
        "basis_en": basis[1],
    }


def write(data: dict[str, Any], ground: FormGround) -> dict[str, Any]:
    written: dict[str, Any] = {
        "label": label_value(data.get("label_zh"), data.get("label_en")),
        "subject": data.get("subject") or ABSENT,
        "applies_to": condition_form.write(data.get("conditions"), ground),
        "period": data.get("period") or ABSENT,
        "effective_from": day_value(data.get("effective_from")),
        "basis": label_value(data.get("basis_zh"), data.get("basis_en")),
    }
    if not ground.is_index:
        return written
    known = [path for path, _ in ground.peers()]
    peers = [each for each in data.get("peers") or () if each]
    peers.sort(key=lambda path: known.index(path) if path in known else len(known))
    combine, missing = data.get("combine"), data.get("missing")
    return written | {
        "peers": peers[0] if len(peers) == 1 else peers or ABSENT,
        "scale": pair_values(data.get("scale_low"), data.get("scale_high")),
        "decimals": number_value(data.get("decimals")),
        "weights": "relative" if data.get("weights_relative") else ABSENT,
        "combine": combine if combine not in (None, "", Combine.ARITHMETIC) else ABSENT,
        "adjustable": bounds_form.write(data),
        "missing": missing if missing not in (None, "", Missing.SKIP) else ABSENT,
    }


def prepare(form: Any, ground: FormGround) -> None:
    form.subject.choices = ground.entity_choices()
    form.period.choices = period_choices()
    known = ground.peers()
    missing = [path for path in form.peers.data or () if path not in dict(known)]
    form.peers.choices = [*known, *((path, Label(path, path)) for path in missing)]
    form.combine.choices = [(kind.value, words) for kind, words in COMBINED.items()]
    form.missing.choices = [(kind.value, words) for kind, words in MISSING.items()]
    condition_form.prepare(form.conditions, ("applies_to",))
    put_at(form, ("adjustable",), **{f"adjustable_{kind}": kind for kind in bounds_form.KINDS})
    names = ("subject", "period", "effective_from", "peers", "decimals", "combine", "missing")
    put_at(
        form, (), label_zh="label", conditions="applies_to", scale_low="scale", scale_high="scale",
        weights_relative="weights", basis_zh="basis", **{name: name for name in names},
    )  # fmt: skip
