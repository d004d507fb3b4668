"""``group_by``: how many rows there are of each kind, with sums, means and extremes of their numbers.

    group_by=status,organization.tier&sum=score  →
    {"result": [{"status": "held", "organization": {"tier": "street"}, "count": 12, "sum": {"score": 34.0}}, …]}

One statement over the rows in the reader's scope. Rows out of sight that a relation leads to count as none.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float, cast, func, literal_column, select

from app.entity.registry import EntityType, FieldKind

from .names import Entities
from .parameters import ListRequest
from .reading import Reader, conditions_of
from .selection import Selection

FUNCTIONS = {"sum": func.sum, "avg": func.avg, "min": func.min, "max": func.max}


def list_groups(reader: Reader, entity: EntityType, asked: ListRequest) -> dict[str, Any]:
    """A page of groups, in the order asked for or else by what they are grouped by."""
    selection = Selection(entity, asked.group_by, Entities(reader.clearance))
    grouped = list(selection.columns)
    figures: dict[str, Any] = {"count": func.count(entity.model.id)}
    for function, names in asked.aggregates.items():
        for name in names:
            figures[f"{function}.{name}"] = _aggregate(entity, function, name)
    columns = [*grouped, *[figure.label(f"g{number}") for number, figure in enumerate(figures.values())]]
    statement = selection.joins.join(select(*columns)).where(*conditions_of(reader, entity, asked)).group_by(*grouped)
    order = []
    for key in asked.sort:
        if key.path in figures:
            column: Any = literal_column(f"g{list(figures).index(key.path)}")
        else:
            column = selection.columns[selection.named[key.path]]
        order.append(column.desc() if key.descending else column.asc())
    statement = statement.order_by(*order, *grouped)
    first = (asked.page - 1) * asked.page_size
    rows = reader.session.execute(statement.limit(asked.page_size + 1).offset(first)).all()
    page = rows[: asked.page_size]
    items = selection.items(page, reader.session)
    for item, row in zip(items, page, strict=True):
        for name, value in zip(figures, row[len(grouped) :], strict=True):
            function, _, field = name.partition(".")
            if field:
                item.setdefault(function, {})[field] = value
            else:
                item[function] = value
    return {"page_size": asked.page_size, "has_more": len(rows) > asked.page_size, "result": items}


def _aggregate(entity: EntityType, function: str, name: str) -> Any:
    column = getattr(entity.model, name)
    if function == "avg" and entity.fields[name].kind in (FieldKind.INTEGER, FieldKind.DECIMAL):
        column = cast(column, Float)  # the mean of whole numbers is a fraction on every database
    return FUNCTIONS[function](column)
