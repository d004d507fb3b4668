"""Parameters: named numbers, one for all or one for each value of a column."""

from __future__ import annotations

from typing import Any

from wtforms import Form

from app.entity.labels import Label

from .documents import ABSENT
from .fields import choice, put_at, rows, text
from .ground import FormGround
from .values import number_value, text_of

PLAIN, BY = "plain", "by"


class ValueForm(Form):
    code = text(Label("取值", "Value"))
    number = text(Label("数", "Number"), inputmode="decimal")


class ParameterForm(Form):
    name = text(Label("名称（算式里用）", "Name (in formulas)"))
    kind = choice(Label("对所有对象", "For whom"))
    number = text(Label("数", "Number"), inputmode="decimal")
    by = choice(Label("按什么不同", "Differs by"))
    values = rows(ValueForm, Label("各取值的数", "Numbers"))
    default = text(Label("其他", "Otherwise"), inputmode="decimal")


class ParametersForm(Form):
    parameters = rows(ParameterForm, Label("参数", "Parameters"))


def read(document: dict[str, Any], ground: FormGround) -> dict[str, Any]:
    given = document.get("parameters")
    return {"parameters": [_read(str(name), part) for name, part in (given if isinstance(given, dict) else {}).items()]}


def _read(name: str, part: Any) -> dict[str, Any]:
    if not isinstance(part, dict):
        return {"name": name, "kind": PLAIN, "number": text_of(part), "by": "", "values": [], "default": ""}
    values = part.get("values")
    return {
        "name": name,
        "kind": BY,
        "number": "",
        "by": text_of(part.get("by")),
        "values": [
            {"code": str(code), "number": text_of(number)}
            for code, number in (values if isinstance(values, dict) else {}).items()
        ],
        "default": text_of(part.get("default")),
    }


def write(data: dict[str, Any], ground: FormGround) -> dict[str, Any]:
    written = {each["name"].strip(): _write(each) for each in data["parameters"] if (each.get("name") or "").strip()}
    return {"parameters": written or ABSENT}


def _write(each: dict[str, Any]) -> Any:
    if each.get("kind") != BY:
        number = number_value(each.get("number"))
        return "" if number is ABSENT else number
    values = {
        row["code"].strip(): number_value(row.get("number")) for row in each.get("values") or () if row.get("code")
    }
    return {"by": each.get("by") or "", "values": values, "default": number_value(each.get("default"))}


def prepare(form: Any, ground: FormGround) -> None:
    for entry in form.parameters:
        row = entry.form
        name = row.name.data or ""
        row.kind.choices = [(PLAIN, Label("同一个数", "the same number")), (BY, Label("按类别不同", "by kind"))]
        row.by.choices = [("", Label("请选择", "choose")), *_columns(ground, row.by.data or "")]
        place = ("parameters", name)
        put_at(row, place, name=(), number=(), by="by", values="values", default="default")
        row.codes = ground.codes(ground.column(ground.subject, row.by.data or ""))
        for value in row.values:
            put_at(value.form, (*place, "values"), code=value.form.code.data or "", number=value.form.code.data or "")


def _columns(ground: FormGround, current: str) -> list[tuple[str, Label]]:
    """Columns with code lists, and the present one whatever it is."""
    found = ground.peers()
    if current and current not in dict(found):
        column = ground.column(ground.subject, current)
        found.append((current, column.label if column else Label(current, current)))
    return found
