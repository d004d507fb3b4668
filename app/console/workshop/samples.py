"""The few real subjects that stand beside a form, with what the draft makes of them: chosen by the reader, else spread
over the present scores from the lowest to the highest. Only subjects in the reader's scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import session as browser
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.entity.registry import registry
from app.evaluation import results
from app.evaluation.models import Score

from ..pages.context import titles

SHOWN = 5
KEPT = "workshop-samples"


@dataclass(frozen=True)
class Sample:
    """A subject by id, with its title."""

    id: int
    code: str
    title: str


def scope_of(session: Session, actor: Actor, entity: str) -> list[int] | None:
    """The ids of an entity's rows in the reader's scope; None for all there are."""
    if actor.unrestricted:
        return None
    model: Any = registry[entity].model
    return sorted(session.scalars(select(model.id)))


def samples(session: Session, rule_code: str, period: str, entity: str) -> list[Sample]:
    """At most five subjects. A chosen one that is out of scope by now is left out."""
    wanted = [int(each) for each in browser.get(KEPT, {}).get(entity, [])][:SHOWN]
    known = titles(session, entity, wanted) if wanted else {}
    ids = [each for each in wanted if each in known]
    if not ids:
        ids = spread_over_scores(session, rule_code, period) or first_of(session, entity)
        known = titles(session, entity, ids)
    return [Sample(each, *known[each]) for each in ids if each in known]


def choose(entity: str, ids: Sequence[int]) -> None:
    """Keep the reader's choice for the session of their browser."""
    browser[KEPT] = {**browser.get(KEPT, {}), entity: list(dict.fromkeys(ids))[:SHOWN]}


def spread_over_scores(session: Session, rule_code: str, period: str) -> list[int]:
    """Five subjects from the lowest score to the highest; none where nothing is scored yet."""
    ids = session.scalars(
        select(Score.subject_id)
        .where(results.in_force(rule_code, period), results.leaves(), Score.order_key.is_not(None))
        .order_by(Score.order_key, Score.id)
    ).all()
    return _spread(ids)


def first_of(session: Session, entity: str) -> list[int]:
    """Five rows of an entity, evenly over their ids; of organizations those of the lowest tier."""
    model: Any = registry[entity].model
    statement = select(model.id).order_by(model.id)
    if entity == "organization":
        statement = statement.where(model.tier == results.LEAF_TIER)
    return _spread(session.scalars(statement.limit(2000)).all())


def _spread(ids: Sequence[int]) -> list[int]:
    if len(ids) <= SHOWN:
        return list(ids)
    return [ids[round(place * (len(ids) - 1) / (SHOWN - 1))] for place in range(SHOWN)]
