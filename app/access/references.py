"""What may be known of rows that are not seen: the names of superiors, and what a form may refer to.

Two narrow doors past the row scope, for display and for forms. Each gives the id, the code and the title of a row and
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session as OrmSession

from app.entity.registry import EntityType, registry
from app.entity.visibility import Visibility

from .errors import UnscopedStatement
from .predicates import Bounds, Purpose
from .scope import actor_of

CHUNK = 500


@dataclass(frozen=True, slots=True)
class RowName:
    """How a row is called."""

    id: int
    code: str
    name: Any
    """The title as it is stored: a text, or a code of a code list."""


def row_names(session: OrmSession, entity: str, ids: Iterable[int | None]) -> dict[int, RowName]:
    """The names of rows by id, for ids that the caller read from rows the actor sees (a parent, a breadcrumb).

    Rows of an entity that ``refers_to_wider`` are named to everybody who is signed in; of others, those that the
    actor sees. Ids without such a row are left out. One query.
    """
    described = registry[entity]
    wanted = sorted({each for each in ids if each is not None})
    actor = actor_of(session)
    if not wanted or not (actor.unrestricted or Bounds.of(actor).known):
        return {}
    model: Any = described.model
    statement = select(model.id, model.code, getattr(model, described.options.title))
    found: dict[int, RowName] = {}
    for start in range(0, len(wanted), CHUNK):
        chunk = statement.where(model.id.in_(wanted[start : start + CHUNK]))
        rows = session.connection().execute(chunk) if described.options.refers_to_wider else session.execute(chunk)
        found.update({row_id: RowName(row_id, code, name) for row_id, code, name in rows})
    return found


def organization_names(session: OrmSession, ids: Iterable[int | None]) -> dict[int, RowName]:
    """The names of organizations by id, those above the actor's own included."""
    return row_names(session, "organization", ids)


def path_ids(path: str) -> list[int]:
    """The ids that a materialized path holds, from the root down: ``/1/15/240/`` is [1, 15, 240]."""
    return [int(part) for part in path.split("/") if part]


def referable(entity: str) -> Select[Any]:
    """A SELECT of (id, code, title) of the rows that a form may refer to; narrow, order and limit it, then run it on
    the actor's session with ``run_referable``."""
    described = registry[entity]
    model: Any = described.model
    return select(model.id, model.code, getattr(model, described.options.title))


def purpose_of(entity: EntityType, relation: str) -> Purpose:
    """What a row of an entity wants the rows of a relation for. The other party of a transfer or a match may be any
    organization; which ones are theirs is checked when the row is written."""
    is_party = entity.options.visibility is Visibility.PARTIES and relation in entity.options.parties
    return Purpose.PARTY if is_party else Purpose.REFER


def run_referable(session: OrmSession, statement: Select[Any], purpose: Purpose = Purpose.REFER) -> list[RowName]:
    """Run a statement made with ``referable`` for a purpose that refers. Raises UnscopedStatement if it selects
    anything else."""
    described = next((each for each in registry if each.model in _entities(statement)), None)
    names = [each["name"] for each in statement.column_descriptions]
    if described is None or names != ["id", "code", described.options.title]:
        raise UnscopedStatement("Only the id, code and title of rows that are not seen may be read")
    rows = session.execute(statement, execution_options={"scope_purpose": purpose})
    return [RowName(row_id, code, name) for row_id, code, name in rows]


def _entities(statement: Select[Any]) -> set[Any]:
    return {each["entity"] for each in statement.column_descriptions}
