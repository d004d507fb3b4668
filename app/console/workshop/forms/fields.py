"""Fields of the rule forms: WTForms fields that know where in the document their value stands, so that every fault of
the rule is shown at the field it concerns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wtforms import BooleanField, Field, FieldList, Form, FormField, SelectField, SelectMultipleField, StringField

from app.entity.labels import Label
from app.rules.problems import PathSteps

from .filter_data import COLUMN, LITERAL, Group, Operand, Row

MOST_PARTS = 60
"""Rows of a filter that a form takes; far beyond any that people write."""


def text(label: Label, hint: Label | None = None, **render: Any) -> StringField:
    return StringField(label, description=hint or "", render_kw=render, filters=[lambda value: (value or "").strip()])


def choice(label: Label, hint: Label | None = None, **render: Any) -> SelectField:
    """A select; ``FormGround`` gives the choices once the form is made."""
    return SelectField(label, description=hint or "", choices=[], validate_choice=False, render_kw=render, default="")


def several(label: Label, hint: Label | None = None) -> SelectMultipleField:
    return SelectMultipleField(label, description=hint or "", choices=[], validate_choice=False)


def tick(label: Label, hint: Label | None = None, *, default: bool = False, **render: Any) -> BooleanField:
    return BooleanField(label, description=hint or "", default=default, render_kw=render)


def rows(form: type[Form], label: Label) -> FieldList:
    return FieldList(FormField(form), label)


class FilterField(Field):
    """A filter as rows that can be nested: its names are ``<name>-p0-field``, ``<name>-p1-p0-operator``, …"""

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        self.process_errors = []
        self.object_data = self.data = data if isinstance(data, Group) else Group()
        if formdata is not None and f"{self.name}-join" in formdata:
            self.data = _group(formdata, self.name)


def _group(formdata: Any, prefix: str) -> Group:
    group = Group(formdata.get(f"{prefix}-join") or "all")
    for number in range(MOST_PARTS):
        part = f"{prefix}-p{number}"
        if f"{part}-join" in formdata:
            group.parts.append(_group(formdata, part))
        elif f"{part}-field" in formdata:
            group.parts.append(_row(formdata, part))
        else:
            break
    return group


def _row(formdata: Any, prefix: str) -> Row:
    operator = formdata.get(f"{prefix}-operator") or "eq"
    chosen = formdata.getlist(f"{prefix}-codes") if f"{prefix}-codes-shown" in formdata else None
    if chosen is not None:
        operands = [Operand(LITERAL, code) for code in chosen]
    else:
        operands = []
        for number in range(MOST_PARTS):
            operand = f"{prefix}-o{number}"
            if f"{operand}-kind" not in formdata and f"{operand}-text" not in formdata:
                break
            kind = formdata.get(f"{operand}-kind") or LITERAL
            text_ = formdata.get(f"{operand}-{'column' if kind == COLUMN else 'text'}") or ""
            shift, unit = formdata.get(f"{operand}-shift") or "", formdata.get(f"{operand}-unit") or "d"
            operands.append(Operand(kind, text_, shift, unit))
    return Row(formdata.get(f"{prefix}-field") or "", operator, operands or [Operand()])


def placed(form: Form, path: PathSteps = ()) -> Iterator[tuple[str, PathSteps]]:
    """(name, place in the document) of every field of a form that has a place, those of rows included."""
    for field in form:
        at = getattr(field, "at", None)
        if at is not None:
            yield field.name, at
        if isinstance(field, FormField):
            yield from placed(field.form)
        elif isinstance(field, FieldList):
            for entry in field:
                if isinstance(entry, FormField):
                    yield from placed(entry.form)


def put_at(form: Form, path: PathSteps, **relative: Any) -> None:
    """Say where fields stand: ``put_at(form, ("tree", 0), value="value", low=("score", "range", 0))``."""
    for name, steps in relative.items():
        found = getattr(form, name, None)
        if found is not None:
            found.at = (*path, *(steps if isinstance(steps, tuple) else (steps,)))
