"""A node of an index's tree: its name and points, what it takes, how that scores, and the exceptions."""

from __future__ import annotations

from typing import Any

from app.entity.labels import Label
from app.rules.expression_parser import ExpressionError, parse_expression
from app.rules.expressions import Arithmetic, Name
from app.rules.model import Combine, Missing
from app.rules.problems import PathSteps
from app.rules.sentences.scores import COMBINED, MISSING

from . import condition_form, shape_form
from .condition_form import ConditionForm
from .documents import ABSENT
from .fields import choice, put_at, rows, text, tick
from .ground import FormGround
from .shape_form import ShapeFields
from .values import expression_value, label_texts, label_value, number_value, text_of

ONE, RATIO, FORMULA = "one", "ratio", "formula"
VALUE_KINDS = {
    ONE: Label("一项数据", "One figure"),
    RATIO: Label("两项相除", "One by another"),
    FORMULA: Label("算式", "A formula"),
}


class NodeForm(ShapeFields):
    """A node, with children or with a value."""

    label_zh = text(Label("名称", "Name (Chinese)"))
    label_en = text(Label("英文名称", "Name (English)"))
    weight = text(Label("分值", "Points"), inputmode="decimal")
    enabled = tick(Label("启用", "In use"), default=True)
    combine = choice(Label("下级怎样合成", "How its parts are combined"))
    value_kind = choice(Label("取什么数", "What it takes"))
    figure = choice(Label("数据", "Figure"))
    part = choice(Label("分子", "Divide"))
    whole = choice(Label("分母", "By"))
    value = text(Label("算式", "Formula"))
    missing = choice(Label("没有数据时", "Without data"))
    conditions = rows(ConditionForm, Label("适用条件", "Where it applies"))
    basis_zh = text(Label("依据", "Basis (Chinese)"))
    basis_en = text(Label("依据（英文）", "Basis (English)"))


def read(node: dict[str, Any], ground: FormGround) -> dict[str, Any]:
    label, basis = label_texts(node.get("label")), label_texts(node.get("basis"))
    return {
        **shape_form.read(node),
        **_value_data(node, ground),
        "label_zh": label[0],
        "label_en": label[1],
        "weight": text_of(node.get("weight")),
        "enabled": node.get("enabled") is not False,
        "combine": text_of(node.get("combine")) or Combine.ARITHMETIC.value,
        "missing": text_of(node.get("missing")) or Missing.SKIP.value,
        "conditions": condition_form.read(node.get("applies_to", ABSENT)),
        "basis_zh": basis[0],
        "basis_en": basis[1],
    }


def _value_data(node: dict[str, Any], ground: FormGround) -> dict[str, Any]:
    """The value as one figure, two figures, or whatever else it is."""
    written = text_of(node.get("value"))
    data = {"value": written, "value_kind": FORMULA, "figure": "", "part": "", "whole": ""}
    known = {name for name, _ in ground.figures()}
    if not written:
        return {**data, "value_kind": ONE}
    try:
        expression = parse_expression(written)
    except ExpressionError:
        return data
    match expression:
        case Name(path=path) if path in known:
            return {**data, "value_kind": ONE, "figure": path}
        case Arithmetic("/", Name(path=part), Name(path=whole)) if {part, whole} <= known:
            return {**data, "value_kind": RATIO, "part": part, "whole": whole, "figure": part}
    return data


def write(data: dict[str, Any], ground: FormGround, *, has_children: bool) -> dict[str, Any]:
    """The keys of a node that the form looks after: all but ``code`` and ``children``."""
    combine, missing = data.get("combine"), data.get("missing")
    written: dict[str, Any] = {
        "label": label_value(data.get("label_zh"), data.get("label_en")),
        "weight": number_value(data.get("weight")),
        "missing": missing if missing not in (None, "", Missing.SKIP) else ABSENT,
        "applies_to": condition_form.write(data.get("conditions"), ground),
        "enabled": ABSENT if data.get("enabled") else False,
        "basis": label_value(data.get("basis_zh"), data.get("basis_en")),
    }
    if has_children:
        written["combine"] = combine if combine not in (None, "", Combine.ARITHMETIC) else ABSENT
        return written
    return {**written, "value": written_value(data), **shape_form.write(data)}


def written_value(data: dict[str, Any]) -> Any:
    """The value as the file writes it."""
    match data.get("value_kind"):
        case "one":
            return data.get("figure") or ""
        case "ratio":
            return (
                f"{data['part']} / {data['whole']}"
                if data.get("part") and data.get("whole")
                else data.get("part") or ""
            )
    value = expression_value(data.get("value"))
    return "" if value is ABSENT else value


def prepare(form: Any, ground: FormGround, path: PathSteps) -> None:
    """Choices, and where each field stands."""
    shape_form.prepare(form, path)
    figures = [("", Label("请选择", "choose")), *ground.figures()]
    form.figure.choices = form.part.choices = form.whole.choices = figures
    form.value_kind.choices = list(VALUE_KINDS.items())
    form.combine.choices = [(kind.value, words) for kind, words in COMBINED.items()]
    form.missing.choices = [(kind.value, words) for kind, words in MISSING.items()]
    condition_form.prepare(form.conditions, (*path, "applies_to"))
    put_at(
        form,
        path,
        label_zh="label",
        weight="weight",
        enabled="enabled",
        combine="combine",
        value="value",
        figure="value",
        part="value",
        whole="value",
        missing="missing",
        conditions="applies_to",
        basis_zh="basis",
    )
