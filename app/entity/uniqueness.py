"""Rows against the other rows of the database: values that no two may share, and rows that others refer to.

Read through ``session.connection()``, past the row scope: a code is unique in the whole tree, and a refusal tells no
more than that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import UniqueConstraint, inspect, select, tuple_
from sqlalchemy.orm import Session

from app.database.among import among, in_chunks

from .faults import FieldError
from .registry import Entity, EntityType, registry


def unique_keys(entity: EntityType) -> list[tuple[str, ...]]:
    """The sets of columns, by attribute, whose values no two rows share."""
    table = entity.model.__table__
    keys = [(column.key,) for column in table.columns if column.unique]
    keys += [
        tuple(column.key for column in constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    return list(dict.fromkeys(keys))


def doubles(
    session: Session, rows: list[Entity], made_up: Collection[Entity] = ()
) -> Iterable[tuple[Entity, FieldError]]:
    """Rows that have what another row has already, in the database or in this very flush. The codes of ``made_up``
    are random, and not asked for."""
    by_model: dict[type[Entity], list[Entity]] = defaultdict(list)
    for row in rows:
        by_model[type(row)].append(row)
    for model, own in by_model.items():
        entity = registry.of(model)
        for names in unique_keys(entity) if entity else ():
            wanted: dict[tuple[Any, ...], Entity] = {}
            for row in own:
                if (names == ("code",) and row in made_up) or not any(_has_changed(row, name) for name in names):
                    continue
                key = tuple(_comparable(getattr(row, name)) for name in names)
                if None in key:
                    continue
                if key in wanted:
                    yield row, double(entity, names)
                wanted.setdefault(key, row)
            for key, number in _stored(session, model, names, list(wanted)):
                row = wanted.get(key)
                if row is not None and row.id != number and not _is_leaving(session, model, number):
                    yield row, double(entity, names)


def _has_changed(row: Entity, name: str) -> bool:
    return not inspect(row).persistent or inspect(row).attrs[name].history.has_changes()


def _comparable(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value


def _stored(
    session: Session, model: type[Entity], names: tuple[str, ...], keys: list[tuple[Any, ...]]
) -> Iterable[tuple[tuple[Any, ...], int]]:
    table = model.__table__
    columns = [table.columns[name] for name in names]
    connection = session.connection()
    if len(columns) == 1:
        conditions = among(connection, columns[0], [key[0] for key in keys])
    else:
        conditions = in_chunks(tuple_(*columns), keys)
    for condition in conditions:
        for row in connection.execute(select(*columns, table.c.id).where(condition)):
            yield tuple(_comparable(value) for value in row[:-1]), row[-1]


def _is_leaving(session: Session, model: type[Entity], number: int) -> bool:
    return any(type(row) is model and row.id == number for row in session.deleted)


def stored_keys(
    session: Session, model: type[Entity], names: tuple[str, ...], keys: list[tuple[Any, ...]]
) -> set[tuple[Any, ...]]:
    """Those of the keys (values of the columns ``names``) that a stored row has."""
    wanted = {tuple(_comparable(value) for value in key): key for key in keys}
    return {wanted[key] for key, _ in _stored(session, model, names, list(wanted)) if key in wanted}


def double(entity: EntityType, names: tuple[str, ...]) -> FieldError:
    """That there is a row with the same values of these columns already."""
    fields = entity.fields | entity.hidden_fields
    named = [fields[name].options.hash_of or name for name in names]
    zh = "、".join(fields[name].label.zh for name in named)
    en = ", ".join(fields[name].label.en.lower() for name in named)
    return FieldError(
        named[0],
        f"已有{zh}相同的{entity.label.zh}，不能重复",
        f"there is a {entity.label.en.lower()} with the same {en} already",
    )


def still_referred_to(session: Session) -> Iterable[tuple[Entity, FieldError]]:
    """Rows to be deleted that rows which stay refer to."""
    leaving: dict[type[Entity], dict[int, Entity]] = defaultdict(dict)
    for row in session.deleted:
        if isinstance(row, Entity):
            leaving[type(row)][row.id] = row
    for model, rows in leaving.items():
        target = registry.of(model)
        for entity in registry if target else ():
            going = leaving.get(entity.model, {})
            for field in (*entity.fields.values(), *entity.hidden_fields.values()):
                if field.options.target != target.code:
                    continue
                table = entity.model.__table__
                column = table.columns[field.name]
                statement = select(column, table.c.id).where(column.in_(list(rows))).limit(len(going) + 1)
                for number, own in session.connection().execute(statement):
                    if own not in going:
                        yield (
                            rows[number],
                            FieldError(
                                target.options.title,
                                f"还有{entity.label.zh}与它关联，不能删除；请先处理这些记录",
                                f"records ({entity.label.en.lower()}) refer to it, so it cannot be deleted; "
                                "see to those first",
                            ),
                        )
                        break
