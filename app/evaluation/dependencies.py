"""What a rule reads: the entities whose changes can change its results, and which of its subjects a change touches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, Select, select

from app.database.bulk import listed
from app.entity.filters import All, AnyOf, FieldOperand, Filter, NoneOf, Test
from app.entity.registry import EntityType, Registry
from app.rules.expressions import names
from app.rules.frames import expressions_of, filters_of
from app.rules.model import Index, Metric, Rule


def entities_read(rule: Rule, registry: Registry) -> set[str]:
    """Every entity a change of whose rows can change the rule's results by itself; ``index`` and ``warning`` stand
    for the results of other rules."""
    read = {rule.subject}
    subject = registry[rule.subject]
    for path in _subject_paths(rule):
        read |= {entity.code for entity, _ in _along(subject, path, registry)}
    for metric in rule.metrics:
        if not isinstance(metric, Metric):
            continue
        read.add(metric.entity)
        if metric.entity in registry:
            for path in _row_paths(metric):
                read |= {entity.code for entity, _ in _along(registry[metric.entity], path, registry)}
    return read


def subjects_of_rows(
    connection: Connection, rule: Rule, registry: Registry, entity: str, rows: Iterable[int]
) -> set[int]:
    """The subjects that changed rows of an entity reach through dotted paths: a meeting's status reaches the members
    who attended, a course's due date the study records. Ties that the rows hold themselves are in the marks."""
    ids = sorted(set(rows))
    found: set[int] = set()
    if not ids:
        return found
    subject = registry[rule.subject]
    if entity == rule.subject:
        found |= set(ids)
    for path in _subject_paths(rule):
        for _target, columns in _along(subject, path, registry):
            if _target.code == entity:
                found |= set(connection.execute(_reaching(subject, "id", columns, ids, registry)).scalars())
    for metric in rule.metrics:
        if not isinstance(metric, Metric) or metric.entity not in registry:
            continue
        source = registry[metric.entity]
        tie = metric.via or source.tie_to(rule.subject)
        if tie is None or "." in tie or tie == "parent":
            continue
        for path in _row_paths(metric):
            for target, columns in _along(source, path, registry):
                if target.code == entity:
                    statement = _reaching(source, f"{tie}_id", columns, ids, registry)
                    found |= {value for value in connection.execute(statement).scalars() if value is not None}
    return found


def reads_below(rule: Rule) -> bool:
    """Whether an organization's result depends on organizations below it."""
    return (isinstance(rule, Index) and rule.roll_up is not None) or any(
        isinstance(metric, Metric) and (metric.over_subtree or (metric.via or "").endswith("parent"))
        for metric in rule.metrics
    )


def _subject_paths(rule: Rule) -> Iterator[str]:
    for expression in expressions_of(rule):
        yield from names(expression)
    for condition in filters_of(rule):
        yield from _paths(condition)
    if isinstance(rule, Index):
        yield from rule.peers
    for parameter in rule.parameters:
        if parameter.by:
            yield parameter.by


def _row_paths(metric: Metric) -> Iterator[str]:
    for part in (metric.where, metric.among):
        if part is not None:
            yield from _paths(part)
    if metric.of is not None:
        yield from names(metric.of)
    if metric.via:
        yield f"{metric.via}.id"


def _paths(condition: Filter) -> Iterator[str]:
    match condition:
        case Test(path=path, operand=operand):
            yield path
            if isinstance(operand, FieldOperand):
                yield operand.path
        case All(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from _paths(part)
        case NoneOf(part=part):
            yield from _paths(part)


def _along(entity: EntityType, path: str, registry: Registry) -> Iterator[tuple[EntityType, tuple[str, ...]]]:
    """The entities a dotted path passes, each with the reference columns that lead there."""
    columns: tuple[str, ...] = ()
    for name in path.split(".")[:-1]:
        relation = entity.relations.get(name)
        if relation is None:
            return
        columns = (*columns, relation.column)
        entity = registry[relation.target]
        yield entity, columns


def _reaching(entity: EntityType, wanted: str, columns: tuple[str, ...], ids: list[int], registry: Registry) -> Select:
    """Rows of an entity whose chain of references ends in one of the ids."""
    table = entity.model.__table__
    statement = select(table.c[wanted]).distinct()
    current, current_entity = table, entity
    for column in columns[:-1]:
        current_entity = registry[current_entity.relations[column.removesuffix("_id")].target]
        joined = current_entity.model.__table__.alias()
        statement = statement.join(joined, joined.c.id == current.c[column])
        current = joined
    return statement.where(current.c[columns[-1]].op("IN")(listed(ids)))
