"""Reading rows of an entity for FAB: only the columns a page shows, related titles in the same query, counts without
joins.

FAB's own interface counts over a subselect with every join, loads whole rows and asks for each related title again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Load, aliased, joinedload, load_only

from app.access.field_access import may_see
from app.entity.registry import Entity, EntityType, registry

from .columns import all_columns
from .display import name_unseen, shown
from .filters import EntityFilterConverter, RequestFilters
from .memory import clearance
from .values import identifier


class EntityInterface(SQLAInterface):
    """``columns`` are those that lists show; all of them unless told otherwise."""

    filter_converter_class = EntityFilterConverter

    def __init__(self, obj: type[Entity], session: Any = None, columns: Sequence[str] = ()) -> None:
        super().__init__(obj, session)
        entity = registry.of(obj)
        assert entity is not None, f"{obj.__name__} is not registered"
        self.entity: EntityType = entity
        self.columns = list(columns) or all_columns(entity)

    # --- what FAB asks ---

    def get_filters(self, search_columns: Any = None, search_filters: Any = None) -> RequestFilters:
        return RequestFilters(
            self.filter_converter_class, self, search_columns=search_columns or [], search_filters=search_filters
        )

    def get_columns_list(self) -> list[str]:
        """Readable columns only: what FAB generates from this never holds a hidden one."""
        return all_columns(self.entity)

    get_user_columns_list = get_columns_list
    get_search_columns_list = get_columns_list

    def query(
        self,
        filters: Any = None,
        order_column: str = "",
        order_direction: str = "",
        page: int | None = None,
        page_size: int | None = None,
        select_columns: Iterable[str] | None = None,
        outer_default_load: bool = False,
    ) -> tuple[int, list[Entity]]:
        """How many rows there are, and one page of them."""
        count = self.count(filters)
        if not count:
            return 0, []
        statement = select(self.obj).options(*self.loading(select_columns or self.columns))
        if filters is not None:
            statement = filters.apply_all(statement)
        statement = self.ordered(statement, order_column, order_direction)
        if page_size:
            statement = statement.limit(page_size).offset((page or 0) * page_size)
        rows = list(self.session.scalars(statement))
        name_unseen(self.entity, rows, select_columns or self.columns)
        return count, rows

    def count(self, filters: Any = None) -> int:
        statement = select(func.count(self.obj.id))
        if filters is not None:
            statement = filters.apply_all(statement)
        return int(self.session.scalar(statement) or 0)

    def get(
        self,
        id: Any,
        filters: Any = None,
        select_columns: Iterable[str] | None = None,
        outer_default_load: bool = False,
    ) -> Entity | None:
        """A row by its id, None for what is not there, out of sight, or no id at all."""
        key = identifier(id)
        if key is None:
            return None
        statement = select(self.obj).where(self.obj.id == key)
        if select_columns is not None:
            statement = statement.options(*self.loading(select_columns))
        if filters is not None:
            statement = filters.apply_all(statement)
        row = self.session.scalars(statement).one_or_none()
        if row is not None and select_columns is not None:
            name_unseen(self.entity, [row], select_columns)
        return row

    def get_values(self, lst: Iterable[Entity], list_columns: Sequence[str]) -> Iterable[dict[str, Any]]:
        """Each row as people read it. The first column is left without a link: lists make it the record's own."""
        for row in lst:
            yield {
                column: shown(self.entity, row, column, linked=place > 0) for place, column in enumerate(list_columns)
            }

    def get_values_item(self, item: Entity, show_columns: Sequence[str]) -> list[Any]:
        return [shown(self.entity, item, column, linked=place > 0) for place, column in enumerate(show_columns)]

    # --- how it is read ---

    def loading(self, columns: Iterable[str]) -> list[Load]:
        """Load options: the columns' own values and, for relations, the other row's name, code and id."""
        names, joins = {"id", "code"}, []
        for column in columns:
            relation = self.entity.relations.get(column)
            if relation is None:
                names.add(column)
                continue
            names.add(relation.column)
            joins.append(joinedload(getattr(self.obj, column)).load_only(*naming_columns(relation.target)))
        own = [getattr(self.obj, name) for name in names if name == "id" or name in self.entity.fields]
        return [load_only(*own), *joins]

    def ordered(self, statement: Select[Any], column: str, direction: str) -> Select[Any]:
        """Sorted by an own column or by a relation's title, and by id, so that pages never overlap."""
        descending = direction == "desc"
        key: Any = None
        relation = self.entity.relations.get(column)
        if relation is not None:
            other = aliased(registry[relation.target].model)
            statement = statement.outerjoin(other, getattr(self.obj, relation.column) == other.id)
            key = getattr(other, registry[relation.target].options.title)
        elif column in self.entity.fields and may_see(self.entity.fields[column], clearance()):
            key = getattr(self.obj, column)
        keys = [self.obj.id] if key is None else [key, self.obj.id]
        return statement.order_by(*[each.desc() if descending else each.asc() for each in keys])


def naming_columns(entity_code: str) -> list[Any]:
    """The columns of an entity that a link to one of its rows needs."""
    target = registry[entity_code]
    names = dict.fromkeys(["id", *(["code"] if "code" in target.fields else []), target.options.title])
    return [getattr(target.model, name) for name in names]
