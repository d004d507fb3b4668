"""FAB's REST view of an entity, with what FAB's own leaves open closed (see docs/console.md)."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_appbuilder import ModelRestApi

from app.access.request_filters import FiltersOfRequest
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
from app.console.permissions import METHOD_PERMISSIONS, base_permissions, class_name
from app.console.presentation import text
from app.console.saving import NotSaved, refused, remove, save
from app.console.views import labels
from app.entity.labels import Label, UserError
from app.entity.registry import Entity, EntityType

from .bodies import read_body
from .problems import not_saved, problem
from .schemas import EntitySchemaConverter


class EntityApi(ModelRestApi):
    """Base of all generated APIs. Subclasses are made by ``api_class``."""

    entity: EntityType
    datamodel: EntityInterface

    allow_browser_login = True  # with a token against forgery: app.access.http asks for it
    method_permission_name = METHOD_PERMISSIONS
    model2schemaconverter = EntitySchemaConverter
    page_size = 25
    max_page_size = 100
    _filters = FiltersOfRequest()

    # --- reading ---

    def get_list_headless(self, **keywords: Any) -> Response:
        asked = keywords.get("rison", {})
        unknown = [name for name in asked.get("columns", []) if name not in self.list_columns]
        if unknown:
            return problem(400, {unknown[0]: [NO_COLUMN]})
        try:
            answer = super().get_list_headless(**keywords)
        except UserError as error:
            return problem(400, {"": [error.label]})
        return _as_problem(answer)

    def get_headless(self, pk: Any, **keywords: Any) -> Response:
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

    def post_headless(self) -> Response:
        try:
            row = self.entity.model(**read_body(self.entity, self._body(), self.add_columns, is_new=True))
            self._save(row)
        except NotSaved as error:
            return not_saved(error)
        return self.response(201, id=row.id, result=self._stored(row.id))

    def put_headless(self, pk: Any) -> Response:
        row = self.datamodel.get(pk, self._base_filters)
        if row is None:
            return problem(404)
        try:
            values = read_body(self.entity, self._body(), self.edit_columns, is_new=False)
            for name, value in values.items():
                if getattr(row, name) != value:
                    setattr(row, name, value)
            self._save(row)
        except NotSaved as error:
            return not_saved(error)
        return self.response(200, id=row.id, result=self._stored(row.id))

    def delete_headless(self, pk: Any) -> Response:
        row = self.datamodel.get(pk, self._base_filters)
        if row is None:
            return problem(404)
        try:
            remove(self.datamodel.session, self.entity, [row])
        except NotSaved as error:
            return not_saved(error)
        return self.response(200, message="OK")

    @staticmethod
    def _body() -> Any:
        body = request.get_json(silent=True) if request.is_json else None
        if body is None:
            raise NotSaved({"": [NO_JSON]}, 400)
        return body

    def _save(self, row: Entity) -> None:
        try:
            save(self.datamodel.session, self.entity, row)
        except UserError as error:
            raise refused(self.entity, error) from error

    def _stored(self, key: int) -> Any:
        """The row as it now is; nothing if it has gone out of the writer's sight."""
        row = self.datamodel.get(key, None, self.show_columns)
        return None if row is None else self.show_model_schema.dump(row)

    # --- what there is: `_info` ---

    def _get_fields_info(self, cols: list[str], model_schema: Any, filter_rel_fields: Any, **_pages: Any) -> list[dict]:
        """Each field in words and facts. Relations are not listed out: see ``/options/<entity>``."""
        return [self._field_info(name) for name in cols]

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

    def set_response_key_mappings(self, response: Any, func: Any, rison_args: Any, **keywords: Any) -> None:
        """FAB calls the functions of its own class; ours have their names."""
        wanted = rison_args.get("keys")
        for key, function in getattr(func, "_response_key_func_mappings", {}).items():
            if not wanted or key in wanted:
                getattr(self, function.__name__)(response, **keywords)

    def merge_search_filters(self, response: dict[str, Any], **_keywords: Any) -> None:
        offered = self._filters.get_search_filters()
        response["filters"] = {
            column: [{"name": str(choice.name), "operator": choice.operator} for choice in choices]
            for column, choices in offered.items()
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


NO_COLUMN = Label("没有这一列", "There is no such column")
NO_JSON = Label("请求内容应为 JSON", "The body has to be JSON")


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
        attributes["exclude_route_methods"] = {"post", "put", "delete"}
    return type(f"{name}Api", (EntityApi,), attributes)
