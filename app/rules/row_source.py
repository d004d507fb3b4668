"""The rows of an entity as a query sees them: an alias, the to-one relations joined to it, the key of their subject."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, false, select
from sqlalchemy.orm import aliased

from app.database.bulk import one_of
from app.entity.labels import UserError
from app.entity.registry import EntityType, Registry, Relation

Keys = Sequence[int] | BindParameter[int] | None
"""Ids of subjects: a few, those a kept statement is told when it is executed, or None for all."""


def tie_of(
    entity: EntityType, subject: str, via: str | None, *, subtree: bool, entities: Registry
) -> tuple[Relation, ...]:
    """The relations from a row to its subject. Empty if the row is the subject itself: organizations counted over
    their own subtree. Raises UserError if ``via`` leads elsewhere, or must be said."""
    if via is None:
        if entity.code == subject and (subtree or subject != "organization"):
            return ()
        via = entity.tie_to(subject)
        if via is None:
            choices = ", ".join(relation.name for relation in entity.relations_to(subject)) or "—"
            raise UserError(
                f"“{entity.label.zh}”如何归到 {subject}，要用 via 说明；可用：{choices}",
                f"say with via how {entity.code} is tied to {subject}; allowed: {choices}",
            )
    hops: list[Relation] = []
    at: EntityType | None = entity
    for step in via.split("."):
        relation = None
        if at is not None:
            by_column = (relation for relation in at.relations.values() if relation.column == step)
            relation = at.relations.get(step) or next(by_column, None)
        if relation is None:
            known = ", ".join(at.relations) if at is not None else "—"
            raise UserError(
                f"via：没有关系“{step}”；可用：{known}", f"via: there is no relation “{step}”; allowed: {known}"
            )
        hops.append(relation)
        at = entities.get(relation.target)
    if hops[-1].target != subject:
        raise UserError(
            f"via：“{via}”通向 {hops[-1].target}，不是 {subject}",
            f"via: “{via}” leads to {hops[-1].target}, not to {subject}",
        )
    return tuple(hops)


class RowSource:
    """An alias of an entity's class and the outer joins that names with dots need. To-one joins multiply no rows."""

    def __init__(self, entity: EntityType, entities: Registry) -> None:
        self.entity, self._entities = entity, entities
        self.root: Any = aliased(entity.model)
        self._joined: dict[tuple[Relation, ...], Any] = {}

    def reach(self, hops: tuple[Relation, ...]) -> Any:
        """The alias at the end of a chain of relations; joined once."""
        if not hops:
            return self.root
        if hops not in self._joined:
            self.reach(hops[:-1])
            self._joined[hops] = aliased(self._entities[hops[-1].target].model)
        return self._joined[hops]

    def key(self, tie: tuple[Relation, ...]) -> ColumnElement[int]:
        """The id of the subject that a row is tied to."""
        if not tie:
            return self.root.id
        return getattr(self.reach(tie[:-1]), tie[-1].column)

    def key_is_nullable(self, tie: tuple[Relation, ...]) -> bool:
        return any(relation.nullable for relation in tie)

    def join(self, statement: Select[Any]) -> Select[Any]:
        """The statement with the joins reached so far; call it when all names have been translated."""
        for hops, end in self._joined.items():
            start = self._joined[hops[:-1]] if len(hops) > 1 else self.root
            statement = statement.outerjoin(end, end.id == getattr(start, hops[-1].column))
        return statement

    def of_subjects(self, tie: tuple[Relation, ...], keys: Keys) -> list[ColumnElement[bool]]:
        """Conditions: the row is tied to a subject, to one of ``keys`` if given."""
        if isinstance(keys, BindParameter) or keys:
            return [self._leads_to(tie, keys)]
        if keys is not None:
            return [false()]
        key = self.key(tie)
        return [key.is_not(None)] if self.key_is_nullable(tie) else []

    def _leads_to(self, tie: tuple[Relation, ...], keys: Sequence[int] | BindParameter[int]) -> ColumnElement[bool]:
        """The tie leads to one of some ids. Told from their end, so that indexes find the few rows of a long tie."""
        if not tie:
            return one_of(self.root.id, keys)
        *hops, last = tie
        ends = [aliased(self._entities[hop.target].model) for hop in hops]
        column = getattr(ends[-1] if ends else self.root, last.column)
        clause = one_of(column, keys)
        for position in range(len(hops) - 1, -1, -1):
            start = ends[position - 1] if position else self.root
            clause = getattr(start, hops[position].column).in_(select(ends[position].id).where(clause))
        return clause
