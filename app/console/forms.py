"""Form fields, built from what an entity declares. FAB's own load all rows of a relation and cannot read a time.

Every field reads what was typed with ``values.parse``, keeps the typed text when it cannot be read, and says why at
the field. Errors are Labels, written in the language of the page.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import wtforms
from flask import url_for
from markupsafe import Markup
from wtforms import widgets
from wtforms.validators import StopValidation

from app.access.masking import is_masked, masked
from app.access.predicates import Purpose
from app.access.references import purpose_of
from app.entity.labels import Label
from app.entity.registry import EntityType, Field, FieldKind

from . import relations
from .columns import field_of, form_columns, search_columns
from .display import OUT_OF_SIGHT
from .filters import ANY_TEXT, searched_fields
from .presentation import lazy, text
from .seen_columns import SeenForm
from .values import Unreadable, default, identifier, parse

REQUIRED = Label("请填写", "Has to be filled in")
REVISION = "revision"
NO_SUCH_CHOICE = Label("没有这个选项，请重新选择", "There is no such choice, choose again")


class Required:
    """A value has to be given. Says nothing of one that could not be read: that has been said."""

    field_flags = {"required": True}

    def __call__(self, form: Any, field: Any) -> None:
        if field.data is None and not field.process_errors:
            raise StopValidation(REQUIRED)


class EntityField(wtforms.Field):
    """Base of all: ``entity`` and ``declared`` say what it holds, ``is_new`` whether the row is made by this form."""

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        entity: EntityType | None = None,
        declared: Field | None = None,
        is_new: bool = False,
        **keywords: Any,
    ) -> None:
        super().__init__(label, validators, **keywords)
        self.entity, self.declared, self.is_new = entity, declared, is_new
        self.typed: str | None = None

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist:
            return
        self.typed = valuelist[0]
        try:
            self.data = self.read(valuelist[0])
        except Unreadable as error:
            self.data = None
            raise ValueError(error.label) from None

    def read(self, raw: str) -> Any:
        return parse(self.entity, self.declared, raw) if self.declared is not None else raw

    def _value(self) -> str:
        if self.typed is not None:
            return self.typed
        return "" if self.data is None else self.written(self.data)

    def written(self, value: Any) -> str:
        return str(value)

    def populate_obj(self, obj: Any, name: str) -> None:
        # What is left empty in a new row keeps its declared default.
        if self.data is None and self.is_new and self.declared is not None and self.declared.has_default:
            return
        setattr(obj, name, self.data)


class Input(widgets.Input):
    """An ``input`` with the attributes of a field of its kind."""

    validation_attrs = ("required", "disabled")

    def __init__(self, input_type: str, **attributes: Any) -> None:
        super().__init__(input_type)
        self.attributes = attributes

    def __call__(self, field: Any, **keywords: Any) -> Markup:
        longest = field.declared.maximum_length if field.declared and self.input_type == "text" else None
        fixed = {"class": "form-control", **({"maxlength": longest} if longest else {}), **self.attributes}
        return super().__call__(field, **{**fixed, **keywords})


class TextField(EntityField):
    widget = Input("text")


class TextAreaField(EntityField):
    widget = widgets.TextArea()

    def __call__(self, **keywords: Any) -> Markup:
        return super().__call__(**{"class": "form-control", "rows": 4, **keywords})


class IntegerField(EntityField):
    widget = Input("number", step="1", inputmode="numeric")


class DecimalField(EntityField):
    widget = Input("number", step="any", inputmode="decimal")

    def written(self, value: Any) -> str:
        return f"{value:g}" if isinstance(value, float) and abs(value) < 1e15 else str(value)


class DateField(EntityField):
    widget = Input("date")

    def written(self, value: date) -> str:
        return value.isoformat()


class MomentField(EntityField):
    widget = Input("datetime-local")

    def written(self, value: datetime) -> str:
        return value.strftime("%Y-%m-%dT%H:%M")


class PeriodField(EntityField):
    widget = Input("text", placeholder="2026-09 / 2026Q3 / 2026", size=10)


class EncryptedField(EntityField):
    """Shows the masked value; left as it is, the value stays."""

    widget = Input("text", autocomplete="off")

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist and self.object_data and valuelist[0].strip() == masked(self.declared, self.object_data):
            self.data = self.object_data
            return
        super().process_formdata(valuelist)

    def read(self, raw: str) -> Any:
        if is_masked(raw):
            raise Unreadable(
                "含有星号：请填写完整的新值，或保持原样",
                "Contains asterisks: type the whole new value, or leave it as it was",
            )
        return super().read(raw)

    def written(self, value: str) -> str:
        return masked(self.declared, value)


class BooleanField(EntityField):
    """A tick."""

    widget = widgets.CheckboxInput()
    false_values = (False, "false", "")

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = bool(valuelist) and valuelist[0] not in self.false_values

    def _value(self) -> str:
        return "y"


class SelectField(EntityField):
    """One of a few words. ``choices`` are ``(value, Label)``."""

    def __init__(self, *arguments: Any, choices: Any = (), **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.words = list(choices)

    def written(self, value: Any) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value.value)

    def __call__(self, **keywords: Any) -> Markup:
        chosen = self._value()
        return _select(
            {"id": self.id, "name": self.name, **keywords},
            [("", "", False), *((value, text(word), value == chosen) for value, word in self.words)],
        )


def _select(attributes: dict[str, Any], options: list[tuple[Any, str, bool]]) -> Markup:
    """A ``select`` of ``(value, word, chosen)``."""
    inner = Markup("").join(
        Markup("<option {}>{}</option>").format(
            Markup(widgets.html_params(value=value, **({"selected": True} if chosen else {}))), word
        )
        for value, word, chosen in options
    )
    return Markup("<select {}>{}</select>").format(
        Markup(widgets.html_params(**{"class": "form-control", **attributes})), inner
    )


class ReferenceField(EntityField):
    """A row of another entity, found while typing. Holds its id; the others are never loaded."""

    def __init__(
        self, *arguments: Any, target: str, column: str, purpose: Purpose = Purpose.REFER, **keywords: Any
    ) -> None:
        super().__init__(*arguments, **keywords)
        self.target, self.column, self.purpose = target, column, purpose

    def process_formdata(self, valuelist: list[str]) -> None:
        raw = valuelist[0].strip() if valuelist else ""
        before = self.data
        self.data = identifier(raw)
        if self.data is None or self.data == before:
            if raw and self.data is None:
                raise ValueError(NO_SUCH_CHOICE)
            return
        if not relations.find(self.target, [self.data], self.purpose):
            self.data = None
            raise ValueError(NO_SUCH_CHOICE)

    def populate_obj(self, obj: Any, name: str) -> None:
        if getattr(obj, self.column) != self.data:
            setattr(obj, self.column, self.data)

    def __call__(self, **keywords: Any) -> Markup:
        options: list[tuple[Any, str, bool]] = [("", "", False)]
        if self.data is not None:
            found = relations.find(self.target, [self.data], self.purpose).get(self.data)
            options.append((self.data, found.name if found else text(OUT_OF_SIGHT), True))
        party = {"party": 1} if self.purpose is Purpose.PARTY else {}
        address = url_for("Options.find", entity=self.target, **party)
        return _select({"id": self.id, "name": self.name, "data-ajax": address, **keywords}, options)


class RevisionField(wtforms.HiddenField):
    """The revision of the row that the form was opened with; None for a form that does not say. Never written."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = identifier(valuelist[0]) if valuelist else None

    def populate_obj(self, obj: Any, name: str) -> None:
        pass


FIELDS: dict[FieldKind, type[EntityField]] = {
    FieldKind.TEXT: TextField,
    FieldKind.LONG_TEXT: TextAreaField,
    FieldKind.INTEGER: IntegerField,
    FieldKind.DECIMAL: DecimalField,
    FieldKind.BOOLEAN: BooleanField,
    FieldKind.DATE: DateField,
    FieldKind.MOMENT: MomentField,
    FieldKind.PERIOD: PeriodField,
    FieldKind.CODE: SelectField,
    FieldKind.ENCRYPTED: EncryptedField,
}

YES_OR_NO = (("true", Label("是", "yes")), ("false", Label("否", "no")))


def edit_form(entity: EntityType, *, is_new: bool) -> type[SeenForm]:
    """The form that adds a row of an entity, or edits one."""
    fields = {column: _edit_field(entity, column, is_new) for column in form_columns(entity)}
    if not is_new:
        fields[REVISION] = RevisionField()
    return type(f"{'Add' if is_new else 'Edit'}Form", (SeenForm,), fields)


def _edit_field(entity: EntityType, column: str, is_new: bool) -> Any:
    declared = field_of(entity, column)
    fills_itself = declared.has_default or declared.options.filled_from
    required = not declared.nullable and declared.kind is not FieldKind.BOOLEAN and not (is_new and fills_itself)
    keywords: dict[str, Any] = {
        "label": lazy(declared.label),
        "validators": [Required()] if required else [],
        "entity": entity,
        "declared": declared,
        "is_new": is_new,
        "description": lazy(_description(declared)),
    }
    if is_new:
        keywords["default"] = default(entity, declared.name)
    return _build(entity, column, declared, keywords)


def _build(entity: EntityType, column: str, declared: Field, keywords: dict[str, Any]) -> Any:
    if column in entity.relations:
        relation = entity.relations[column]
        purpose = purpose_of(entity, column)
        return ReferenceField(target=relation.target, column=relation.column, purpose=purpose, **keywords)
    if declared.kind is FieldKind.CODE and declared.code_list is not None:
        return SelectField(choices=[(code.value, code.label) for code in declared.code_list], **keywords)
    if declared.kind is FieldKind.BOOLEAN and declared.nullable:
        return SelectField(choices=YES_OR_NO, **keywords)
    return FIELDS[declared.kind](**keywords)


def asked_field(entity: EntityType, declared: Field) -> Any:
    """A field for something that an operation of an entity asks for (``app.entity.operations``)."""
    required = not declared.nullable and declared.kind is not FieldKind.BOOLEAN
    keywords: dict[str, Any] = {
        "label": lazy(declared.label),
        "validators": [Required()] if required else [],
        "entity": entity,
        "declared": declared,
        "description": lazy(_description(declared)),
    }
    if declared.options.target:
        return ReferenceField(target=declared.options.target, column=declared.name, **keywords)
    if declared.kind is FieldKind.CODE and declared.code_list is not None:
        return SelectField(choices=[(code.value, code.label) for code in declared.code_list], **keywords)
    return FIELDS[declared.kind](**keywords)


def _description(declared: Field) -> Label:
    """The help below a field: its unit, and what the declaration says."""
    options = declared.options
    parts = [part for part in (_unit(options.unit), options.help) if part is not None]
    return Label("；".join(part.zh for part in parts), "; ".join(part.en for part in parts))


def _unit(unit: Label | None) -> Label | None:
    return Label(f"单位：{unit.zh}", f"Unit: {unit.en}") if unit is not None else None


def search_form(entity: EntityType) -> type[SeenForm]:
    """The fields of the filter row. Nothing is checked here: ``filters`` reads the values."""
    fields = {column: _search_field(entity, column) for column in search_columns(entity)}
    return type("SearchForm", (SeenForm,), fields)


def _search_field(entity: EntityType, column: str) -> Any:
    if column == ANY_TEXT:
        return TextField(label=lazy(search_label(entity)), entity=entity)
    declared = field_of(entity, column)
    keywords = {"label": lazy(declared.label), "entity": entity, "declared": declared}
    if declared.kind is FieldKind.BOOLEAN:
        return SelectField(choices=YES_OR_NO, **keywords)
    if declared.kind is FieldKind.MOMENT:
        return DateField(**keywords)
    if declared.kind in (FieldKind.LONG_TEXT, FieldKind.ENCRYPTED):
        return TextField(**keywords)
    return _build(entity, column, declared, keywords)


def search_label(entity: EntityType) -> Label:
    """What the search box looks into."""
    names = [entity.fields[name].label for name in searched_fields(entity)]
    return Label("、".join(name.zh for name in names[:3]), ", ".join(name.en for name in names[:3]))
