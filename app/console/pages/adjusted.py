"""By which version of an index a subject was scored: the base rule, or what districts and streets have made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from app.access.references import organization_names, path_ids
from app.entity.labels import Label
from app.evaluation import results
from app.evaluation.models import Score
from app.rules.adjustments import LocalAdjustment, applied, changed_numbers, in_words
from app.rules.model import Index

from .context import library


@dataclass(frozen=True)
class Standing:
    """The index that a score was made by, and where its breakdown is kept."""

    index: Index
    breakdown: str
    chain: tuple[LocalAdjustment, ...] = ()


def standing_of(index: Index, score: Score | None, as_of: date) -> Standing:
    """How a score in force came about. Adjustments that ended since its run are unknown; their breakdown is not."""
    if score is None or score.adjusted_by is None:
        return Standing(index, index.code)
    codes = score.adjusted_by.split()
    known = {each.code: each for each in library().adjustments_of(index, as_of)}
    chain = tuple(known[code] for code in codes if code in known)
    return Standing(applied(index, chain), codes[-1], chain)


def told(session: Session, base: Index, standing: Standing, score: Score | None) -> dict[str, object] | None:
    """What a scorecard says of it: ``by`` [{name, changes: [Label]}], and the base rule's ``score`` and ``light``; None
    where nothing is adjusted."""
    if score is None or score.adjusted_by is None:
        return None
    points, light = results.standing(score, base=True)
    return {"by": _by(session, base, standing.chain, score.path or ""), "score": points, "light": light}


def _by(session: Session, base: Index, chain: Sequence[LocalAdjustment], path: str) -> list[dict[str, object]]:
    names = {each.code: each.name for each in organization_names(session, path_ids(path)).values()}
    found: list[dict[str, object]] = []
    for position, each in enumerate(chain):
        # What those above had decided already is theirs.
        before = {(one.kind, one.code): one.value for one in changed_numbers(base, chain[:position])}
        changed = [
            one for one in changed_numbers(base, chain[: position + 1]) if before.get((one.kind, one.code)) != one.value
        ]
        found.append({"name": names.get(each.under) or Label("上级", "A level above"), "changes": in_words(changed)})
    return found
