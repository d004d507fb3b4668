"""JSON Schemas of what the API takes and gives, from declarations as one reader sees them (OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Numeric

from app.console.columns import all_columns, field_of, form_columns
from app.console.values import LARGEST_INTEGER, LONGEST_ENCRYPTED, LONGEST_TEXT
from app.entity.filters.parsing import operators_for
from app.entity.filters.tree import Operator
from app.entity.operations import Operation
from app.entity.registry import EntityType, Field, FieldKind, registry

from .names import is_sortable, may_filter
from .operating import asked_name
from .parameters import MOST_LISTED

Schema = dict[str, Any]

DAY = r"(0[1-9]|1[0-9]|2[0-8])"
DATE = rf"[12][0-9]{{3}}-(0[1-9]|1[0-2])-{DAY}"
MOMENT = rf"{DATE}T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
ANCHOR = r"(as_of|year_start|year_end)([+-][1-9][0-9]{0,2}[dmy])?"
PERIOD = r"(19|20)[0-9]{2}(H[12]|Q[1-4]|-(0[1-9]|1[0-2]))?"
PRINTABLE = r"^[^\u0000]*$"

REFERENCE: Schema = {
    "type": ["object", "null"],
    "description": "The other row; further columns of it where `fields` asks for them. Null where there is none.",
    "properties": {
        "id": {"type": ["integer", "null"]},
        "code": {"type": ["string", "null"]},
        "name": {"type": ["string", "null"]},
    },
}
GIVEN_REFERENCE: list[Schema] = [
    {"type": "integer", "minimum": 1, "maximum": LARGEST_INTEGER, "description": "Its id"},
    {"type": "string", "minLength": 1, "maxLength": 40, "description": "Its code"},
    {
        "type": "object",
        "properties": {"id": {"type": "integer", "minimum": 1, "maximum": LARGEST_INTEGER}},
        "required": ["id"],
        "additionalProperties": False,
    },
    {
        "type": "object",
        "properties": {"code": {"type": "string", "minLength": 1, "maxLength": 40}},
        "required": ["code"],
        "additionalProperties": False,
    },
]


def row(entity: EntityType) -> Schema:
    """A row as it is answered; any of its fields may be left out by ``fields``."""
    properties: Schema = {"id": {"type": "integer"}}
    for name in all_columns(entity):
        properties[name] = {**_answered(field_of(entity, name)), **_described(field_of(entity, name))}
        if name in entity.relations:
            properties[name] = {"$ref": "#/components/schemas/Reference"}
    return {"type": "object", "description": _both(entity), "properties": properties}


def body(entity: EntityType, *, is_new: bool) -> Schema:
    """The fields that may be written."""
    properties, required = {}, []
    for name in form_columns(entity):
        field = field_of(entity, name)
        needed = not field.nullable and not (field.has_default or field.options.filled_from)
        properties[name] = {**_taken(entity, field), **_described(field)}
        if is_new and needed:
            required.append(name)
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": required} if required else made


def asked(operation: Operation) -> Schema:
    """What an operation asks for."""
    entity, properties, required = registry[operation.entity], {}, []
    for field in operation.asks:
        name = asked_name(field)
        properties[name] = {**_taken(entity, field), **_described(field)}
        if not field.nullable and field.kind is not FieldKind.BOOLEAN:
            required.append(name)
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": required} if required else made


def bulk(code: str, most: int, parts: Iterable[str]) -> Schema:
    """Rows to create, change and delete together, as far as the reader may."""
    key: list[Schema] = [
        {"type": "integer", "minimum": 1, "maximum": LARGEST_INTEGER},
        {"type": "string", "minLength": 1, "maxLength": 40},
    ]
    found: Schema = {
        "type": "object",
        "properties": {
            "create": {"type": "array", "items": {"$ref": f"#/components/schemas/{code}.new"}, "maxItems": most},
            "change": {
                "type": "array",
                "maxItems": most,
                "items": {
                    "type": "object",
                    "description": "`id` or `code` names the row; the other fields are set.",
                    "properties": {"id": key[0], "code": key[1]},
                    "anyOf": [{"required": ["id"]}, {"required": ["code"]}],
                },
            },
            "delete": {"type": "array", "items": {"anyOf": key}, "maxItems": most},
        },
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {**found, "properties": {part: found["properties"][part] for part in parts}}


def filters(entity: EntityType) -> list[tuple[str, Schema, str]]:
    """The filter parameters of an entity's own fields and relations: name, schema and what it compares."""
    found = []
    for name in all_columns(entity):
        field = field_of(entity, name)
        if not may_filter(entity, field.name):
            continue
        one = _compared(entity, field, name)
        for operator in Operator:
            if operator in operators_for(field.kind):
                found.append((f"filter[{name}][{operator}]", _operand(operator, one), _both(field)))
    return found


def readable_names(entity: EntityType, targets: dict[str, EntityType]) -> list[str]:
    """What ``fields`` may name: own columns, and columns one relation away."""
    return ["id", *all_columns(entity), *_reached(entity, targets, lambda field: True)]


def sortable_names(entity: EntityType, targets: dict[str, EntityType]) -> list[str]:
    own = []
    for name in all_columns(entity):
        field = field_of(entity, name)
        if name in entity.relations:
            target = registry[entity.relations[name].target]
            field = target.fields[target.options.title]
        if is_sortable(field):
            own.append(name)
    return [*own, *_reached(entity, targets, is_sortable)]


def numbers(entity: EntityType, *kinds: FieldKind) -> list[str]:
    return [name for name, field in entity.fields.items() if field.kind in kinds and is_sortable(field)]


def _reached(entity: EntityType, targets: dict[str, EntityType], suits: Any) -> list[str]:
    found = []
    for name, relation in entity.relations.items():
        target = targets.get(relation.target)
        if target is not None:
            found += [
                f"{name}.{column}"
                for column in all_columns(target)
                if column not in target.relations and suits(field_of(target, column))
            ]
    return found


def _both(described: Any) -> str:
    return f"{described.label.zh} · {described.label.en}"


def _described(field: Field) -> Schema:
    return {"description": _both(field)}


def _answered(field: Field) -> Schema:
    kind: Schema = {
        FieldKind.INTEGER: {"type": "integer"},
        FieldKind.DECIMAL: {"type": "number"},
        FieldKind.BOOLEAN: {"type": "boolean"},
        FieldKind.DATE: {"type": "string", "format": "date"},
        FieldKind.REFERENCE: {"type": "integer"},
    }.get(field.kind, {"type": "string"})
    if field.options.personal:
        kind = {"type": "string"}  # masked
    if field.code_list is not None:
        kind = {"type": "string", "enum": [member.value for member in field.code_list]}
    return _nullable(kind) if field.nullable else kind


def _nullable(schema: Schema) -> Schema:
    made = {**schema, "type": [schema["type"], "null"]}
    return {**made, "enum": [*schema["enum"], None]} if "enum" in schema else made


def _taken(entity: EntityType, field: Field) -> Schema:
    if field.options.target:
        return {"anyOf": [*GIVEN_REFERENCE, *([{"type": "null"}] if field.nullable else [])]}
    match field.kind:
        case FieldKind.INTEGER:
            made: Schema = {"type": "integer", "minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER}
        case FieldKind.DECIMAL:
            bound = _bound(entity, field)
            made = {"type": "number", "minimum": -bound, "maximum": bound}
        case FieldKind.BOOLEAN:
            made = {"type": "boolean"}
        case FieldKind.CODE:
            assert field.code_list is not None
            made = {"type": "string", "enum": [member.value for member in field.code_list]}
        case FieldKind.DATE:
            made = {"type": "string", "pattern": f"^{DATE}$"}
        case FieldKind.MOMENT:
            made = {"type": "string", "pattern": f"^{MOMENT}$"}
        case FieldKind.PERIOD:
            made = {"type": "string", "pattern": f"^{PERIOD}$"}
        case FieldKind.ENCRYPTED:
            made = {"type": "string", "maxLength": LONGEST_ENCRYPTED}
        case _:
            made = {"type": "string", "maxLength": field.maximum_length or LONGEST_TEXT}
    return _nullable(made) if field.nullable or field.has_default else made


def _bound(entity: EntityType, field: Field) -> float:
    column = entity.model.__table__.columns.get(field.name)
    type_ = column.type if column is not None else None  # asked for by an operation and kept elsewhere
    if isinstance(type_, Numeric) and type_.asdecimal and type_.precision:
        return 10 ** (type_.precision - (type_.scale or 0)) - 1
    return 1e300


def _compared(entity: EntityType, field: Field, name: str) -> Schema:
    match field.kind:
        case FieldKind.INTEGER | FieldKind.DECIMAL:
            return {"type": "number"}
        case FieldKind.BOOLEAN:
            return {"type": "string", "enum": ["true", "false", "1", "0"]}
        case FieldKind.CODE:
            assert field.code_list is not None
            return {"type": "string", "enum": [member.value for member in field.code_list]}
        case FieldKind.DATE:
            return {"type": "string", "pattern": f"^({DATE}|{ANCHOR})$"}
        case FieldKind.MOMENT:
            return {"type": "string", "pattern": f"^({DATE}|{MOMENT}|{ANCHOR})$"}
        case FieldKind.PERIOD:
            return {"type": "string", "pattern": f"^({DATE}|{PERIOD}|{ANCHOR})$"}
    return {"type": "string", "pattern": PRINTABLE}


def _operand(operator: Operator, one: Schema) -> Schema:
    if operator is Operator.NULL:
        return {"type": "string", "enum": ["true", "false", "1", "0"]}
    if operator in (Operator.IN, Operator.NOT_IN):
        return {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_LISTED}
    if operator is Operator.BETWEEN:
        return {"type": "array", "items": one, "minItems": 2, "maxItems": 2}
    return one
