"""Trying an adjustment out: what it would change for the organization that it belongs to and all below it."""

from __future__ import annotations

import time
from dataclasses import replace

import polars as pl
from sqlalchemy import Engine

from app.access.actor import Actor
from app.entity.labels import UserError
from app.entity.registry import Registry, registry
from app.evaluation.adjusting import adjust, chain_of, places_of
from app.evaluation.inputs import State
from app.rules.adjustments import LocalAdjustment, applied
from app.rules.frames import SUBJECT_ID
from app.rules.library import RuleLibrary
from app.rules.model import Index
from app.rules.scoring import score_index

from .comparison import DryRun
from .dry_run import comparison_of, kept_of, told
from .kept_figures import PATH, figures_for


def try_adjustment(
    engine: Engine, library: RuleLibrary, adjustment: LocalAdjustment, *, actor: Actor, entities: Registry = registry
) -> DryRun:
    """What an adjustment would change against what is in force below its organization, as far as the actor sees it.

    Raises UserError where there are no results to compare with, or no such organization in the actor's scope.
    """
    started = time.perf_counter()
    index = library.rule(adjustment.base)
    assert isinstance(index, Index)
    kept = kept_of(engine, library, index, index, None, entities)
    figures = figures_for(index, kept, engine, library, entities)
    context = figures.context
    current = library.adjustments_of(index, context.as_of)
    planned = [*(each for each in current if each.code != adjustment.code), adjustment]
    base = score_index(index, figures.frame, context)
    places = figures.frame.select(SUBJECT_ID, PATH)
    scores = base.results.join(places, on=SUBJECT_ID, how="left", maintain_order="left")
    period = str(context.period or "")
    with engine.connect() as connection:
        found = places_of(connection, planned)
        above = next((path for path, each in found if each.code == adjustment.code), None)
        if above is None or not (actor.unrestricted or above.startswith(actor.organization_path or "?")):
            raise UserError("没有这个组织", "There is no such organization")
        state = State(connection, index, period)
        before, after = (
            adjust(
                connection,
                index,
                adjustments,
                base,
                figures.frame,
                scores,
                places,
                context,
                state,
                partial=False,
                period_code=period,
            ).scores.filter(pl.col(PATH).str.starts_with(above))
            for adjustments in (current, planned)
        )
    below = replace(figures, frame=figures.frame.filter(pl.col(PATH).str.starts_with(above)))
    was = applied(index, chain_of(places_of_known(found, current), above))
    compared = comparison_of(before, after, below.frame, below.frame)
    return told(
        replace(applied(index, chain_of(found, above)), code=index.code),
        replace(was, code=index.code),
        below,
        before,
        after,
        compared,
        actor=actor,
        read_by=(),
        started=started,
    )


def places_of_known(
    found: list[tuple[str, LocalAdjustment]], current: tuple[LocalAdjustment, ...]
) -> list[tuple[str, LocalAdjustment]]:
    """Where the adjustments in force are, from where those that are planned are."""
    by_code = {each.code: each for each in current}
    return [(path, by_code[each.code]) for path, each in found if each.code in by_code]
