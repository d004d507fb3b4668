"""The first text of a new rule: whole enough to be tried out, small enough to be made one's own."""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.entity.labels import Label, UserError
from app.entity.registry import EntityType, FieldKind, Registry
from app.rules.editing import rewritten

CODE_HINT = Label(
    "英文字母、数字和下划线，如 volunteer_hours；定下后不再改。",
    "Letters, digits and _, such as volunteer_hours; it stays for good.",
)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,39}")


def first_text(given: Mapping[str, str], entities: Registry) -> tuple[str, str, str]:
    """(kind, code, text) of a new rule. Raises UserError for what is missing."""
    kind, code, label = (
        given.get("kind") or "index",
        (given.get("code") or "").strip(),
        (given.get("label") or "").strip(),
    )
    subject = entities.get(given.get("subject") or "")
    if not label:
        raise UserError("请填写规则的名称", "Please give the rule a name")
    if not _CODE.fullmatch(code):
        raise UserError(f"代码“{code}”不合要求：{CODE_HINT.zh}", f"The code “{code}” does not do. {CODE_HINT.en}")
    if subject is None or kind not in ("index", "warning"):
        raise UserError("请选择规则的对象", "Please choose the subject")
    head = f"{kind}: {code}\nlabel: 名称\nsubject: {subject.code}\n"
    if kind == "index":
        text = (
            f"{head}period: quarter\nmetrics:\n  {_first_metric(subject, entities)}\ntree:\n"
            "  - code: first\n    label: 第一个维度\n    weight: 100\n    children:\n"
            "      - {code: first_part, label: 第一个指标, weight: 100, value: counted, score: {target: 1}}\n"
            'lights: {red: "< 60", orange: "< 70", yellow: "< 80", green: ">= 80"}\n'
        )
    else:
        text = f'{head}value: {_first_value(subject)}\nlevels: {{yellow: "<= 30", orange: "<= 10", red: "< 0"}}\n'
    return kind, code, _with_label(text, label)


def _with_label(text: str, label: str) -> str:
    lines = text.split("\n", 2)
    named = rewritten("label: x\n", {"label": label})
    return f"{lines[0]}\n{named}{lines[2]}"


def _first_metric(subject: EntityType, entities: Registry) -> str:
    """A count of rows that are tied to the subject by themselves; else of the subject's own results nothing."""
    for entity in entities:
        if entity.code != subject.code and entity.tie_to(subject.code):
            return f"counted: {{count: {entity.code}, window: {'period' if entity.options.dated_by else 'all'}}}"
    return "counted: 1"


def _first_value(subject: EntityType) -> str:
    """The days until the first date of the subject."""
    day = next((name for name, field in subject.fields.items() if field.kind is FieldKind.DATE), None)
    return f"days_until({day})" if day else "0"
