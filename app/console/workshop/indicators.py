"""New parts of a rule in one step: an indicator with the figure that it takes, a dimension, a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.entity.labels import Label, UserError
from app.rules.metric_parsing import WITHOUT_OF

from .desk import Desk
from .forms import metric_form
from .forms.documents import ABSENT, without_absent
from .forms.filter_data import Group
from .forms.values import number_value

EXISTING, COUNTED, DIMENSION = "existing", "counted", "dimension"
INDICATOR_KINDS = {
    COUNTED: Label("统计一种记录", "count records"),
    EXISTING: Label("用已有的数据", "use a figure that is there"),
    DIMENSION: Label("只是一个维度", "a dimension only"),
}


def new_node(desk: Desk, form: Mapping[str, str]) -> tuple[str, str]:
    """(the text with a new node, its code). Raises UserError for what is not filled in."""
    label = (form.get("name") or "").strip()
    if not label:
        raise UserError("请填写指标的名称", "Please give the indicator a name")
    kind, under = form.get("kind") or COUNTED, form.get("under") or ""
    weight = number_value(form.get("weight"))
    figure, text, measured = "", desk.text, desk
    if kind == COUNTED:
        text, figure = new_figure(desk, form)
        measured = _with_text(desk, text)
    elif kind == EXISTING:
        figure = form.get("figure") or ""
        if not figure:
            raise UserError("请选择用哪一项数据", "Please choose a figure")
    wanted = figure or (under and f"{under}_part") or "dimension"
    code = desk.free_name(wanted, desk.node_codes)
    node: dict[str, Any] = {"code": code, "label": label}
    if weight is not ABSENT:
        node["weight"] = weight
    per = form.get("per") or ""
    if kind == DIMENSION:
        # A dimension is not empty: it begins with an indicator of its own, which is to be filled in.
        first = desk.free_name(f"{code}_1", desk.node_codes)
        share = {} if weight is ABSENT else {"weight": weight}
        node["children"] = [
            {"code": first, "label": f"{label} 1", **share, "value": _first_figure(desk), "score": {"target": 1}}
        ]
    else:
        node |= {"value": f"{figure} / {per}" if per else figure, "score": {"target": 1}}
    return measured.with_node(node, under), code


def _first_figure(desk: Desk) -> Any:
    return next(iter(desk.document.get("metrics") or ()), 0)


def new_figure(desk: Desk, form: Mapping[str, str]) -> tuple[str, str]:
    """(the text with a new metric, its name)."""
    kind, source = form.get("how") or "count", form.get("source") or ""
    if not source:
        raise UserError("请选择统计什么记录", "Please choose which records are counted")
    column = form.get("column") or ""
    if kind not in WITHOUT_OF and not column:
        raise UserError("请选择统计哪一项", "Please choose which column")
    data = {
        "kind": kind,
        "source": source,
        "of_kind": metric_form.COLUMN,
        "column": column,
        "window": form.get("window") or "",
        "where": Group(),
        "label_zh": (form.get("name") or "").strip(),
    }
    name = desk.free_name("_".join(part for part in (source, column.replace(".", "_")) if part), desk.figure_names)
    return desk.with_figure(name, without_absent(metric_form.write(data, desk.ground))), name


def _with_text(desk: Desk, text: str) -> Desk:
    return Desk(desk.kind, desk.code, text, desk.base, desk.library)
