"""How rows look in JSON: one marshmallow schema an entity, cut to the columns that are asked for.

A relation is ``{"id", "code", "name"}`` of the other row, never more of it. Codes stay codes, dates are ISO, amounts
are numbers, personal columns are masked.
"""

from __future__ import annotations

from typing import Any

from flask_appbuilder.api.convert import BaseModel2SchemaConverter
from marshmallow import Schema, fields

from app.access.masking import masked
from app.console.columns import all_columns, field_of
from app.console.display import title_in_words
from app.console.memory import memory
from app.entity.registry import EntityType, Field, FieldKind, registry


class Masked(fields.String):
    """A personal column as it may be shown."""

    def __init__(self, declared: Field, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.declared = declared

    def _serialize(self, value: Any, attr: Any, obj: Any, **keywords: Any) -> Any:
        return None if value is None else masked(self.declared, value)


class Referred(fields.Nested):
    """The row that a relation leads to."""

    def __init__(self, entity: EntityType, relation_name: str, **keywords: Any) -> None:
        super().__init__(NamedRow, **keywords)
        self.relation, self.target_code = entity.relations[relation_name], entity.relations[relation_name].target

    def _serialize(self, value: Any, attr: Any, obj: Any, **keywords: Any) -> Any:
        key = getattr(obj, self.relation.column)
        if key is None:
            return None
        if value is None:  # out of sight: its name may still be known
            return {"id": key, "code": None, "name": memory("unseen_names").get((self.target_code, key))}
        target = registry[self.target_code]
        code = getattr(value, "code", None)
        return {"id": key, "code": code, "name": title_in_words(target, getattr(value, target.options.title), code)}


class NamedRow(Schema):
    """A row as others refer to it."""

    id = fields.Integer()
    code = fields.String(allow_none=True)
    name = fields.String(allow_none=True)


_FIELDS: dict[FieldKind, type[fields.Field]] = {
    FieldKind.TEXT: fields.String,
    FieldKind.LONG_TEXT: fields.String,
    FieldKind.ENCRYPTED: fields.String,
    FieldKind.PERIOD: fields.String,
    FieldKind.CODE: fields.String,
    FieldKind.INTEGER: fields.Integer,
    FieldKind.DECIMAL: fields.Float,
    FieldKind.BOOLEAN: fields.Boolean,
    FieldKind.DATE: fields.Date,
    FieldKind.MOMENT: fields.DateTime,
}


def schema_class(entity: EntityType) -> type[Schema]:
    """The schema of all readable columns. Kept out of marshmallow's table of classes, which never forgets one."""
    members: dict[str, fields.Field] = {"id": fields.Integer(dump_only=True)}
    for column in all_columns(entity):
        members[column] = _field(entity, column)
    return Schema.from_dict(members, name=f"{entity.code}Row")


def _field(entity: EntityType, column: str) -> fields.Field:
    declared = field_of(entity, column)
    keywords: dict[str, Any] = {
        "required": not declared.nullable and not declared.has_default and not declared.options.filled_from,
        "allow_none": declared.nullable,
        "metadata": {"description": declared.label.zh},
    }
    made: fields.Field
    if column in entity.relations:
        made = Referred(entity, column, **keywords)
    elif declared.options.personal:
        made = Masked(declared, **keywords)
    else:
        made = _FIELDS[declared.kind](**keywords)
    made.unique = declared.unique  # type: ignore[attr-defined]  # FAB asks for it
    return made


class EntitySchemaConverter(BaseModel2SchemaConverter):
    """Gives FAB the schema of some columns; dotted names stand for their relation."""

    def __init__(self, datamodel: Any, validators_columns: Any) -> None:
        super().__init__(datamodel, validators_columns)
        self.schema = schema_class(datamodel.entity)

    def convert(
        self, columns: list[str], model: Any = None, nested: bool = True, parent_schema_name: str | None = None
    ) -> Schema:
        return self.schema(only=list(dict.fromkeys(column.split(".")[0] for column in columns)))
