"""FAB's REST view of an entity, with what FAB's own leaves open closed (see docs/console.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, current_app, request
from flask_appbuilder import ModelRestApi
from flask_appbuilder.api import expose
from flask_appbuilder.security.decorators import permission_name, protect
from sqlalchemy import select

from app.access.operations import perform
from app.access.request_filters import FiltersOfRequest
from app.access.scope import actor_of
from app.access.web_session import identity, key_name
from app.console.columns import (
    all_columns,
    default_order,
    field_of,
    form_columns,
    order_columns,
    search_columns,
)
from app.console.filters import NotOffered
from app.console.interface import EntityInterface
from app.console.menu import forget_counts
from app.console.operating import may_operate
from app.console.permissions import METHOD_PERMISSIONS, base_permissions, class_name
from app.console.presentation import text
from app.console.saving import commit_change, remove
from app.console.values import identifier
from app.console.views import labels
from app.entity.labels import Label, UserError
from app.entity.operations import operation_of, operations_of
from app.entity.registry import EntityType

from . import conditions
from .answers import as_json, in_words, json_body
from .grouping import list_groups
from .idempotency import answer, once
from .names import Entities, names_of
from .operating import read_asked, refusal
from .parameters import LANGUAGE, BadParameters, read_fields, read_list, read_no_parameters
from .problems import problem
from .reading import FoundRow, Reader, list_rows, read_row
from .schemas import EntitySchemaConverter
from .writing import NOT_ALLOWED, Bulk, change_row, new_row, stored


class EntityApi(ModelRestApi):
    """Base of all generated APIs. Subclasses are made by ``api_class``."""

    entity: EntityType
    datamodel: EntityInterface

    allow_browser_login = True  # with a token against forgery: app.access.http asks for it
    method_permission_name = {**METHOD_PERMISSIONS, "patch": "edit", "bulk": "list"}
    model2schemaconverter = EntitySchemaConverter
    page_size = 25
    max_page_size = 100
    _filters = FiltersOfRequest()

    # --- reading ---

    @expose("/", methods=["GET"])
    @protect()
    @permission_name("get")
    @in_words
    def get_list(self) -> Response:
        """A page of rows. With ``q`` in FAB's own way, else in ours (``parameters``)."""
        if "q" in request.args:
            return self._in_fabs_way("get_list", ("q", LANGUAGE))
        reader = self.reader()
        entity = reader.entity(self.entity)
        asked = read_list(request.args, entity, Entities(reader.clearance))
        return as_json((list_groups if asked.group_by else list_rows)(reader, entity, asked))

    @expose("/<row_key:pk>", methods=["GET"])
    @protect()
    @permission_name("get")
    @in_words
    def get(self, pk: str) -> Response:
        """One row, by its id or its code."""
        if "q" in request.args:
            return self._in_fabs_way("get", ("q", LANGUAGE), pk=pk)
        reader = self.reader()
        entity = reader.entity(self.entity)
        fields = read_fields(request.args, entity, Entities(reader.clearance))
        row = self._find(reader, entity, pk, fields)
        if row is None:
            return problem(404)
        return conditions.tagged(as_json({"id": row.id, "result": row.item}), row.revision)

    def reader(self) -> Reader:
        security, session = current_app.appbuilder.sm, self.datamodel.session()
        found = identity(session)
        access = (found.role_ids, found.version) if found else ()
        return Reader(session, security.clearance(), access)

    @staticmethod
    def _find(reader: Reader, entity: EntityType, pk: str, fields: tuple[str, ...] | None) -> FoundRow | None:
        """A row by its id or, where no row has that, by its code."""
        key = identifier(pk)
        row = read_row(reader, entity, key, fields) if key is not None else None
        if row is None and "code" in entity.fields and 0 < len(pk) <= LONGEST_CODE and "\0" not in pk:
            row = read_row(reader, entity, pk, fields, "code")
        return row

    def _in_fabs_way(self, method: str, allowed: tuple[str, ...], **keywords: Any) -> Response:
        """FAB's own method without its permission check, which has been passed."""
        for name in request.args:
            if name not in allowed:
                raise BadParameters({name[:60]: [NOT_WITH_Q]}, {name[:60]: allowed}, 422)
        return getattr(ModelRestApi, method).__wrapped__(self, **keywords)

    def get_list_headless(self, **keywords: Any) -> Response:
        asked = keywords.get("rison", {})
        seen = self._seen()
        named = [
            *asked.get("columns", []),
            *asked.get("select_columns", []),
            *(each["col"] for each in asked.get("filters", [])),
        ]
        named += [asked["order_column"]] if asked.get("order_column") else []
        unknown = [name for name in named if name not in seen and name not in self.search_columns]
        hidden = [name for name in named if name in self.list_columns and name not in seen]
        if unknown or hidden:
            return problem(400, {(unknown or hidden)[0]: [NO_COLUMN]})
        if not asked.get("columns") and not asked.get("select_columns"):
            keywords["rison"] = {**asked, "columns": seen}
        try:
            answer = super().get_list_headless(**keywords)
        except UserError as error:
            return problem(400, {"": [error.label]})
        return _as_problem(answer)

    def _seen(self) -> list[str]:
        """The columns that are there for the reader."""
        return names_of(self.reader().entity(self.entity))

    def get_headless(self, pk: Any, **keywords: Any) -> Response:
        asked = keywords.get("rison", {})
        seen = self._seen()
        named = [*asked.get("columns", []), *asked.get("select_columns", [])]
        unknown = [name for name in named if name not in seen]
        if unknown:
            return problem(400, {unknown[0]: [NO_COLUMN]})
        if not asked.get("columns") and not asked.get("select_columns"):
            keywords["rison"] = {**asked, "columns": seen}
        return _as_problem(super().get_headless(pk, **keywords))

    def _handle_filters_args(self, rison_args: dict[str, Any]) -> Any:
        filters = self._filters
        filters.clear_filters()
        filters.rest_add_filters(rison_args.get("filters", []))
        return filters.get_joined_filters(self._base_filters)

    def _handle_order_args(self, rison_args: dict[str, Any]) -> tuple[str, str]:
        column = rison_args.get("order_column") or ""
        if not column:
            return self.base_order
        if column not in self.order_columns:
            raise NotOffered(f"不能按“{column}”排序", f"“{column}” cannot be sorted by")
        return column, rison_args.get("order_direction") or "asc"

    def _handle_page_args(self, rison_args: dict[str, Any]) -> tuple[int, int]:
        page, size = super()._handle_page_args(rison_args)
        return max(page or 0, 0), size or self.page_size

    # --- writing ---

    @expose("/", methods=["POST"])
    @protect()
    @permission_name("post")
    @in_words
    def post(self) -> Response:
        """A new row. With an ``Idempotency-Key`` it is made once, however often the request comes."""
        reader, entity = self._writer()

        def create() -> tuple[int, Any]:
            row = new_row(entity, json_body())
            reader.session.add(row)
            reader.session.flush()
            return 201, {"id": row.id, "result": stored(reader, entity, row.id)}

        return self._write_once(reader, entity, create)

    @expose("/_bulk", methods=["POST"])
    @protect()
    @permission_name("bulk")
    @in_words
    def bulk(self) -> Response:
        """Many rows created, changed and deleted, all of them or none (``writing``)."""
        reader, entity = self._writer()
        return self._write_once(reader, entity, lambda: (200, Bulk(reader, entity, json_body()).apply()))

    @expose("/<row_key:pk>", methods=["PUT"])
    @protect()
    @permission_name("put")
    @in_words
    def put(self, pk: str) -> Response:
        """Change what the body names of a row; the rest stays, as FAB's own PUT has it."""
        return self._change(pk)

    @expose("/<row_key:pk>", methods=["PATCH"])
    @protect()
    @permission_name("patch")
    @in_words
    def patch(self, pk: str) -> Response:
        """The same as PUT."""
        return self._change(pk)

    @expose("/<row_key:pk>", methods=["DELETE"])
    @protect()
    @permission_name("delete")
    @in_words
    def delete(self, pk: str) -> Response:
        """Delete a row that no other refers to."""
        reader, entity = self._writer()
        row = self._row(reader, entity, pk)
        if row is None:
            return problem(404)
        conditions.check(row)
        conditions.not_lost(lambda: remove(reader.session, entity, [row]))
        return as_json({"message": "OK"})

    @expose("/<row_key:pk>/<operation>", methods=["POST"])
    @protect()
    @permission_name("operate")
    @in_words
    def operate(self, pk: str, operation: str) -> Response:
        """Do with a row what a button of its page does (``operating``)."""
        reader, entity = self._writer()
        described = operation_of(entity.code, operation)
        if described is None:
            return problem(404)
        if not may_operate(described):
            return self.response_403()
        body = json_body() if described.asks or request.get_data() else {}
        row = self._row(reader, entity, pk)
        if row is None:
            return problem(404)
        key, values, actor = row.id, read_asked(described, body), actor_of(reader.session)
        # The reader's own transaction ends here, so that the operation waits for nobody and the answer sees it.
        reader.session.rollback()
        try:
            perform(current_app.extensions["engine"], actor, described, key, values)
        except UserError as error:
            raise refusal(described, error) from error
        forget_counts()
        return as_json({"id": key, "result": stored(reader, entity, key)})

    def _change(self, pk: str) -> Response:
        reader, entity = self._writer()
        row = self._row(reader, entity, pk)
        if row is None:
            return problem(404)
        conditions.check(row)
        body, answer = json_body(), {}

        def change() -> None:
            change_row(entity, row, body)
            reader.session.flush()
            answer.update(id=row.id, result=stored(reader, entity, row.id))

        conditions.not_lost(lambda: commit_change(reader.session, entity, change, [row]))
        return as_json(answer)

    def _writer(self) -> tuple[Reader, EntityType]:
        read_no_parameters(request.args)
        reader = self.reader()
        return reader, reader.entity(self.entity)

    @staticmethod
    def _row(reader: Reader, entity: EntityType, pk: str) -> Any:
        """The row to change or delete, by its id or, where no row has that, by its code."""
        model: Any = entity.model
        key = identifier(pk)
        row = reader.session.scalars(select(model).where(model.id == key)).one_or_none() if key is not None else None
        if row is None and "code" in entity.fields and 0 < len(pk) <= LONGEST_CODE and "\0" not in pk:
            row = reader.session.scalars(select(model).where(model.code == pk)).one_or_none()
        return row

    @staticmethod
    def _write_once(reader: Reader, entity: EntityType, work: Callable[[], tuple[int, Any]]) -> Response:
        found: list[Any] = []
        caller = actor_of(reader.session)

        def change() -> None:
            found[:] = once(reader.session, caller.user_id or 0, key_name(), work)

        commit_change(reader.session, entity, change)
        return answer(*found)

    # --- FAB's own refusals ---

    def response_400(self, message: str | None = None) -> Response:
        return problem(400, {"q": [BAD_Q]} if "q" in request.args else None)

    def response_401(self) -> Response:
        return problem(401)

    def response_403(self) -> Response:
        return problem(403, {"": [NOT_ALLOWED]})

    def response_404(self) -> Response:
        return problem(404)

    # --- what there is: `_info` ---

    def _get_fields_info(self, cols: list[str], model_schema: Any, filter_rel_fields: Any, **_pages: Any) -> list[dict]:
        """Each field in words and facts. Relations are not listed out: see ``/options/<entity>``."""
        seen = self._seen()
        return [self._field_info(name) for name in cols if name in seen]

    def _field_info(self, column: str) -> dict[str, Any]:
        field = field_of(self.entity, column)
        relation = self.entity.relations.get(column)
        found: dict[str, Any] = {
            "name": column,
            "label": text(field.label),
            "description": text(field.options.help),
            "type": str(field.kind),
            "required": not field.nullable and not field.has_default and not field.options.filled_from,
            "unique": field.unique,
        }
        if relation is not None:
            found["target"] = relation.target
        if field.code_list is not None:
            found["choices"] = [{"value": code.value, "label": text(code.label)} for code in field.code_list]
        return found

    @expose("/_info", methods=["GET"])
    @protect()
    @permission_name("info")
    @in_words
    def info(self) -> Response:
        """Fields, choices and comparisons, in the reader's language; ``q`` as FAB has it."""
        read_no_parameters(request.args, "q")
        return ModelRestApi.info.__wrapped__(self)

    def set_response_key_mappings(self, response: Any, func: Any, rison_args: Any, **keywords: Any) -> None:
        """FAB calls the functions of its own class; ours have their names."""
        wanted = rison_args.get("keys")
        for key, function in getattr(func, "_response_key_func_mappings", {}).items():
            if not wanted or key in wanted:
                getattr(self, function.__name__)(response, **keywords)

    def merge_search_filters(self, response: dict[str, Any], **_keywords: Any) -> None:
        offered, seen = self._filters.get_search_filters(), self._seen()
        response["filters"] = {
            column: [{"name": str(choice.name), "operator": choice.operator} for choice in choices]
            for column, choices in offered.items()
            if column in seen or column not in self.list_columns
        }

    def _label_columns_json(self, cols: Any = None) -> dict[str, Any]:
        return {name: str(self.label_columns[name]) for name in cols or [] if name in self.label_columns}

    def _description_columns_json(self, cols: Any = None) -> dict[str, Any]:
        return {}

    def merge_list_title(self, response: dict[str, Any], **_keywords: Any) -> None:
        response["list_title"] = text(self.entity.label)

    def merge_show_title(self, response: dict[str, Any], **_keywords: Any) -> None:
        response["show_title"] = text(self.entity.label)

    def merge_add_title(self, response: dict[str, Any], **_keywords: Any) -> None:
        response["add_title"] = text(self.entity.label)

    def merge_edit_title(self, response: dict[str, Any], **_keywords: Any) -> None:
        response["edit_title"] = text(self.entity.label)


LONGEST_CODE = 40
NOT_WITH_Q = Label(
    "不能与 q 一起使用；q 是 FAB 自己的写法", "Does not go together with q, which is FAB's own way of asking"
)
BAD_Q = Label("q 无法读取，应为 rison", "q cannot be read; it has to be rison")
NO_COLUMN = Label("没有这一列", "There is no such column")


for _name in ("get_list", "get", "info"):  # what FAB adds to its answers hangs on its methods
    getattr(EntityApi, _name)._response_key_func_mappings = getattr(ModelRestApi, _name)._response_key_func_mappings


def _as_problem(answer: Response) -> Response:
    """FAB's refusal ``{"message": …}`` as a problem document."""
    if answer.status_code < 400:
        return answer
    words = str((answer.get_json(silent=True) or {}).get("message", ""))
    return problem(answer.status_code, {"": [Label(words, words)]} if words else None)


def api_class(entity: EntityType) -> type[EntityApi]:
    """The FAB API of an entity. Its endpoint is ``<Entity>Api``, its address ``/api/v1/<code>/``."""
    name, columns = class_name(entity.code), ["id", *all_columns(entity)]
    attributes: dict[str, Any] = {
        "__module__": __name__,
        "entity": entity,
        "datamodel": EntityInterface(entity.model, columns=columns),
        "resource_name": entity.code,
        "class_permission_name": name,
        "base_permissions": base_permissions(entity),
        "openapi_spec_tag": entity.label.en,
        "label_columns": labels(entity),
        "list_columns": columns,
        "show_columns": columns,
        "add_columns": form_columns(entity),
        "edit_columns": form_columns(entity),
        "search_columns": search_columns(entity),
        "order_columns": order_columns(entity),
        "base_order": default_order(entity),
    }
    if entity.options.read_only:
        attributes["exclude_route_methods"] = {"post", "put", "patch", "delete", "bulk"}
    if not operations_of(entity.code):
        attributes["exclude_route_methods"] = {*attributes.get("exclude_route_methods", ()), "operate"}
    return type(f"{name}Api", (EntityApi,), attributes)
