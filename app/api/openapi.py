"""The OpenAPI document (3.1): what this reader may ask of which entity, field by field, and every answer there is.

Made for each reader from the declarations as they see them, so that what one may not see is not described either.
``tests/api/test_openapi.py`` holds the document and the API to each other with schemathesis.
"""

from __future__ import annotations

from typing import Any

from app.access.field_access import seen_by
from app.console.filters import searched_fields
from app.console.operating import may_operate
from app.console.permissions import base_permissions, may
from app.entity.operations import operations_of
from app.entity.registry import EntityType, FieldKind, registry

from . import openapi_schemas as schemas
from .conditions import TAGS
from .idempotency import HEADER as IDEMPOTENCY
from .idempotency import KEYS
from .parameters import AGGREGATES, LARGEST_PAGE, LARGEST_PAGE_SIZE, LONGEST_SEARCH, PAGE_SIZE
from .reading import LARGEST_COUNT, Reader
from .writing import ACTIONS, MOST_ROWS

Node = dict[str, Any]
JSON, PROBLEM = "application/json", "application/problem+json"

INTRODUCTION = """\
组织力建设信息化平台的接口：每类记录同一种用法，范围和权限与网页相同。
The API of the platform: every kind of record in the same way, with the rows and permissions of the pages.

**Signing in.** A bearer token from `POST /api/v1/security/login`, or an API key made in the console, as
`Authorization: Bearer …`. A browser that is signed in may use its session, and sends `X-CSRFToken` with what changes
something.

**Filters.** `filter[field][operator]=value` as listed; `filter[field]=value` for `eq`; paths over relations such as
`filter[organization.name][contains]=…`, three deep; `filter[or][0][status]=held&filter[or][1][status]=planned`,
`filter[not][…]`. A comparison with a missing value is false. `{DAY}` may be `as_of` (today), `year_start`, `year_end`
with an offset: `as_of-15d`.

**Paging.** `page` and `page_size`, or `cursor` with the answer's `next_cursor`, however deep. Counting ends at
{COUNT} rows, which `count_is_exact` tells.

**Writing.** `PUT` and `PATCH` change what they name and leave the rest. Relations are given by id or code of a row that
one may refer to. `ETag` and `If-Match` keep changes of others from being lost.

**Refusals** are problem documents (RFC 9457) in the language of `_l_` or `Accept-Language`. 400: not as described here.
422: as described, but not possible with the records there are. FAB's own `q=` (rison) is taken as well, by itself.
"""


def document(reader: Reader, version: str, server: str) -> Node:
    """The document for a reader."""
    entities = {entity.code: seen_by(entity, reader.clearance) for entity in registry if may("list", entity)}
    components: Node = {
        "schemas": {"Problem": _PROBLEM, "Reference": schemas.REFERENCE, "Tokens": _TOKENS, "Sign-in": _SIGN_IN},
        "responses": _RESPONSES,
        "parameters": _PARAMETERS,
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer", "description": "A token or an API key"},
        },
    }
    paths: Node = dict(_SECURITY)
    for entity in entities.values():
        paths |= _paths(entity, entities, components["schemas"])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "组织力建设信息化平台 · Beacon",
            "version": version,
            "description": INTRODUCTION.replace("{DAY}", "A day").replace("{COUNT}", f"{LARGEST_COUNT:,}"),
        },
        "servers": [{"url": server}],
        "security": [{"bearer": []}],
        "tags": [
            {"name": each.code, "description": f"{each.label.zh} · {each.label.en}"} for each in entities.values()
        ],
        "paths": paths,
        "components": components,
    }


def _paths(entity: EntityType, entities: dict[str, EntityType], components: Node) -> Node:
    code, base = entity.code, f"/api/v1/{entity.code}"
    components[f"{code}.row"] = schemas.row(entity)
    one = {"type": "object", "properties": {"id": {"type": "integer"}, "result": _ref(f"{code}.row")}}
    saved = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "result": {"anyOf": [_ref(f"{code}.row"), {"type": "null"}]}},
        "required": ["id", "result"],
    }
    label = f"{entity.label.zh} · {entity.label.en}"
    collection: Node = {"get": _operation(code, "list", f"列表 · List: {label}", _list_parameters(entity, entities))}
    collection["get"]["responses"] = {"200": _answer(_listed(code)), **_refused(400, 401, 403, 422, 429)}
    single: Node = {"parameters": [{"$ref": "#/components/parameters/pk"}]}
    if may("show", entity):
        fields = _parameter("fields", _names(schemas.readable_names(entity, entities)), explode=False)
        none_match = {
            "name": "If-None-Match",
            "in": "header",
            "schema": {"type": "string", "pattern": f"^{TAGS}$"},
        }
        single["get"] = _operation(code, "read", f"读取 · Read: {label}", [fields, none_match, _LANGUAGE])
        single["get"]["responses"] = {
            "200": _answer({**one, "required": ["id", "result"]}, tagged=True),
            "304": {"description": "Not changed since"},
            **_refused(400, 401, 403, 404, 429),
        }
    paths: Node = {f"{base}/": collection, f"{base}/_info": {"get": _info(code, label)}}
    permitted = base_permissions(entity)
    if "can_add" in permitted and may("add", entity):
        components[f"{code}.new"] = schemas.body(entity, is_new=True)
        collection["post"] = _writing(code, "create", f"新增 · Create: {label}", _ref(f"{code}.new"), [_IDEMPOTENCY])
        collection["post"]["responses"] = {"201": _answer(saved), **_refused(400, 401, 403, 409, 422, 429)}
    if "can_edit" in permitted and may("edit", entity):
        components[f"{code}.change"] = schemas.body(entity, is_new=False)
        for method in ("put", "patch"):
            single[method] = _writing(code, method, f"修改 · Change: {label}", _ref(f"{code}.change"), [_IF_MATCH])
            single[method]["responses"] = {"200": _answer(saved), **_refused(400, 401, 403, 404, 409, 412, 422, 429)}
    if "can_delete" in permitted and may("delete", entity):
        single["delete"] = _operation(code, "delete", f"删除 · Delete: {label}", [_IF_MATCH, _LANGUAGE])
        done = {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}
        single["delete"]["responses"] = {"200": _answer(done), **_refused(400, 401, 403, 404, 409, 412, 422, 429)}
    parts = [part for part, action in ACTIONS.items() if f"can_{action}" in permitted and may(action, entity)]
    if parts:
        components[f"{code}.bulk"] = schemas.bulk(code, MOST_ROWS, parts)
        many = _writing(code, "bulk", f"批量 · Many at once: {label}", _ref(f"{code}.bulk"), [_IDEMPOTENCY])
        many["responses"] = {"200": _answer(_BULK_DONE), **_refused(400, 401, 403, 409, 422, 429)}
        paths[f"{base}/_bulk"] = {"post": many}
    if len(single) > 1:
        paths[f"{base}/{{pk}}"] = single
    for operation in filter(may_operate, operations_of(code) if may("show", entity) else ()):
        words = f"{operation.label.zh} · {operation.label.en}: {label}"
        done = _writing(code, operation.code, words, schemas.asked(operation), [])
        done["requestBody"]["required"] = bool(operation.asks)
        done["responses"] = {"200": _answer(saved), **_refused(400, 401, 403, 404, 409, 422, 429)}
        pk = {"$ref": "#/components/parameters/pk"}
        paths[f"{base}/{{pk}}/{operation.code}"] = {"parameters": [pk], "post": done}
    if "post" in collection:
        of_row = [method for path, methods in paths.items() if "{pk}" in path for method in methods.values()]
        names = [method["operationId"] for method in of_row if "operationId" in method]
        collection["post"]["responses"]["201"]["links"] = {
            name: {"operationId": name, "parameters": {"pk": "$response.body#/id"}} for name in names
        }
    return paths


def _list_parameters(entity: EntityType, entities: dict[str, EntityType]) -> list[Node]:
    sortable = schemas.sortable_names(entity, entities)
    found = [
        _parameter("fields", _names(schemas.readable_names(entity, entities)), explode=False),
        _parameter("sort", _names([*sortable, *(f"-{name}" for name in sortable)], 5), explode=False),
        _parameter("page", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": 1}),
        _parameter(
            "page_size",
            {"type": "integer", "minimum": 1, "default": PAGE_SIZE},
            f"At most {LARGEST_PAGE_SIZE} are given",
        ),
        _parameter(
            "cursor",
            {"type": "string", "minLength": 1, "pattern": schemas.PRINTABLE},
            "`next_cursor` of the page before",
        ),
        _parameter("count", {"type": "string", "enum": ["exact", "none"]}),
        _parameter("group_by", _names(sortable, 3), explode=False),
        _LANGUAGE,
    ]
    if searched_fields(entity):
        found.append(
            _parameter("search", {"type": "string", "maxLength": LONGEST_SEARCH, "pattern": schemas.PRINTABLE})
        )
    numeric = schemas.numbers(entity, FieldKind.INTEGER, FieldKind.DECIMAL)
    ordered = schemas.numbers(entity, FieldKind.INTEGER, FieldKind.DECIMAL, FieldKind.DATE, FieldKind.MOMENT)
    for function in AGGREGATES:
        names = numeric if function in ("sum", "avg") else ordered
        if names:
            found.append(_parameter(function, _names(names), "Of each group", explode=False))
    for name, schema, words in schemas.filters(entity):
        found.append(_parameter(name, schema, words, explode=False if schema.get("type") == "array" else None))
    return found


def _listed(code: str) -> Node:
    return {
        "type": "object",
        "properties": {
            "count": {"type": "integer", "minimum": 0},
            "count_is_exact": {"type": "boolean", "description": "False where there are more than counted"},
            "page_size": {"type": "integer"},
            "next_cursor": {"type": ["string", "null"]},
            "has_more": {"type": "boolean", "description": "Of groups"},
            "result": {"type": "array", "items": _ref(f"{code}.row")},
        },
        "required": ["page_size", "result"],
    }


def _info(code: str, label: str) -> Node:
    made = _operation(code, "info", f"结构 · Fields and choices: {label}", [_LANGUAGE])
    made["responses"] = {"200": _answer({"type": "object"}), **_refused(400, 401, 403, 429)}
    return made


# --- building blocks ---


def _operation(code: str, what: str, summary: str, parameters: list[Node]) -> Node:
    return {"operationId": f"{code}_{what}", "tags": [code], "summary": summary, "parameters": parameters}


def _writing(code: str, what: str, summary: str, body: Node, parameters: list[Node]) -> Node:
    made = _operation(code, what, summary, [*parameters, _LANGUAGE])
    made["requestBody"] = {"required": True, "content": {JSON: {"schema": body}}}
    return made


def _parameter(name: str, schema: Node, words: str = "", *, explode: bool | None = None) -> Node:
    made: Node = {"name": name, "in": "query", "schema": schema}
    if words:
        made["description"] = words
    if explode is not None:
        made |= {"style": "form", "explode": explode}
    return made


def _names(names: list[str], most: int = 200) -> Node:
    return {
        "type": "array",
        "items": {"type": "string", "enum": names},
        "minItems": 1,
        "maxItems": most,
        "uniqueItems": True,
    }


def _ref(name: str) -> Node:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(schema: Node, *, tagged: bool = False) -> Node:
    made: Node = {"description": "OK", "content": {JSON: {"schema": schema}}}
    if tagged:
        made["headers"] = {"ETag": {"schema": {"type": "string"}, "required": True}}
    return made


def _refused(*statuses: int) -> Node:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


_LANGUAGE: Node = {"$ref": "#/components/parameters/language"}
_IDEMPOTENCY: Node = {"$ref": "#/components/parameters/idempotency_key"}
_IF_MATCH: Node = {"$ref": "#/components/parameters/if_match"}
_PARAMETERS: Node = {
    "pk": {
        "name": "pk",
        "in": "path",
        "required": True,
        "description": "The row's id or its code",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9-]{1,40}$"},
    },
    "language": _parameter("_l_", {"type": "string", "enum": ["zh", "en"]}, "The language of refusals"),
    "idempotency_key": {
        "name": IDEMPOTENCY,
        "in": "header",
        "schema": {"type": "string", "pattern": f"^{KEYS}$"},
        "description": "A request that comes again with this key is not done again, but answered the same",
    },
    "if_match": {
        "name": "If-Match",
        "in": "header",
        "schema": {"type": "string", "pattern": f"^{TAGS}$"},
        "description": "The `ETag` of the row that was read: 412 if it has changed since",
    },
}
_PROBLEM: Node = {
    "type": "object",
    "description": "RFC 9457",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "message": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                    "allowed": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["message"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "errors"],
}
_RESPONSES: Node = {
    str(status): {"description": words, "content": {PROBLEM: {"schema": _ref("Problem")}}}
    for status, words in {
        400: "The request is not as described here",
        401: "Not signed in, or no longer",
        403: "Not allowed to this role, or out of its reach",
        404: "No such row in sight",
        409: "Others refer to the row, or somebody else is changing it",
        412: "Changed since it was read",
        422: "As described, but not possible with the records there are",
        429: "Too many requests with this key",
    }.items()
}
_BULK_DONE: Node = {
    "type": "object",
    "properties": {
        "created": {"type": "array", "items": _ref("Reference")},
        "changed": {"type": "array", "items": _ref("Reference")},
        "deleted": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["created", "changed", "deleted"],
}
_SIGN_IN: Node = {
    "type": "object",
    "properties": {
        "username": {"type": "string", "maxLength": 64},
        "password": {"type": "string", "maxLength": 256},
        "provider": {"type": "string", "enum": ["db"]},
        "refresh": {"type": "boolean"},
    },
    "required": ["username", "password"],
    "additionalProperties": False,
}
_TOKENS: Node = {
    "type": "object",
    "properties": {"access_token": {"type": "string"}, "refresh_token": {"type": "string"}},
    "required": ["access_token"],
}
_SECURITY: Node = {
    "/api/v1/security/login": {
        "post": {
            "operationId": "sign_in",
            "tags": ["security"],
            "summary": "登录 · Sign in: tokens for a name and password",
            "security": [],
            "requestBody": {"required": True, "content": {JSON: {"schema": _ref("Sign-in")}}},
            "responses": {"200": _answer(_ref("Tokens")), **_refused(400, 401, 403)},
        }
    },
    "/api/v1/security/refresh": {
        "post": {
            "operationId": "refresh",
            "tags": ["security"],
            "summary": "续期 · A new access token for a refresh token",
            "responses": {"200": _answer(_ref("Tokens")), **_refused(401, 429)},
        }
    },
}
