"""Dry run: what a version of a rule would change, told before anybody can publish it.

Both versions, the one in force and the new one, are scored over the same kept figures at the same date, so that what
differs comes from the rule alone. All subjects are scored, because ranks and percentiles need them; what is told are
those in the reader's scope.
"""

from __future__ import annotations

import time
from collections.abc import Collection

import polars as pl
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.access.references import path_ids
from app.access.scope import actor_of
from app.entity.labels import UserError
from app.entity.registry import Registry, registry
from app.evaluation import results
from app.rules.frames import CODE, SUBJECT_ID
from app.rules.library import RuleLibrary
from app.rules.model import Index, Rule
from app.rules.rule_order import indices_read
from app.rules.scoring import score_index, score_warning

from .comparison import NONE, DryRun, bounds_of, largest, matrix_of, spread_of, units_of
from .kept_figures import PATH, Figures, KeptFigures, Memory, figures_for, kept_figures, latest_period, new_figures
from .oddities import oddities_of
from .reasons import with_reasons

_scored_in_force = Memory()


def scope_of(session: Session, rule: Rule, entities: Registry = registry) -> Collection[int] | None:
    """The ids of the subjects that the session's actor sees; None for all."""
    if actor_of(session).unrestricted:
        return None
    model = entities[rule.subject].model
    return session.scalars(select(model.id)).all()


def past_periods(session: Session, rule: Rule) -> list[str]:
    """The periods of which a rule has results, newest first."""
    return [period for period in results.periods_of(session, rule.code) if period]


def dry_run(
    engine: Engine,
    library: RuleLibrary,
    rule: Rule,
    *,
    actor: Actor,
    scope: Collection[int] | None,
    period: str | None = None,
    entities: Registry = registry,
) -> DryRun:
    """What ``rule`` would change against the version in force, for a period (by default the latest that has results).

    ``scope``: the ids of the subjects to tell of, None for all (``scope_of``). Raises UserError where there are no
    results to compare with.
    """
    started = time.perf_counter()
    base = library.rules().get(rule.code)
    kept = kept_of(engine, library, rule, base, period, entities)
    figures = figures_for(rule, kept, engine, library, entities)
    after = scored(rule, figures)
    before = None
    if base is not None:
        key = (*kept.key, base.version)
        before = _scored_in_force.get(key) if kept.key else None
        if before is None:
            before = scored(base, figures_for(base, kept, engine, library, entities))
            _scored_in_force.put(key, before)
    compared = comparison_of(before, after, kept.frame, figures.frame)
    if scope is not None:
        compared = compared.filter(pl.col(SUBJECT_ID).is_in(pl.Series(list(scope), dtype=pl.Int64).implode()))
    return told(
        rule,
        base,
        figures,
        before,
        after,
        compared,
        actor=actor,
        read_by=tuple(sorted(code for code, each in library.rules().items() if rule.code in indices_read(each))),
        started=started,
    )


def told(
    rule: Rule,
    base: Rule | None,
    figures: Figures,
    before: pl.DataFrame | None,
    after: pl.DataFrame,
    compared: pl.DataFrame,
    *,
    actor: Actor,
    read_by: tuple[str, ...],
    started: float,
) -> DryRun:
    """What a comparison of two versions' results tells the actor."""
    compared = with_reasons(compared, before, after, base, rule)
    bounds = bounds_of(rule, compared)
    depth = len(path_ids(actor.organization_path or "")) if not actor.unrestricted else 1
    return DryRun(
        rule=rule,
        base=base,
        period=str(figures.context.period or ""),
        as_of=figures.context.as_of,
        subjects=compared.height,
        matrix=matrix_of(compared),
        spread_before=spread_of(compared["score_before"], bounds),
        spread_after=spread_of(compared["score_after"], bounds),
        bounds=bounds,
        units=units_of(compared, depth),
        gains=largest(compared, gains=True),
        losses=largest(compared, gains=False),
        oddities=oddities_of(rule, figures.frame, figures.context, after, compared),
        counted=figures.counted,
        read_by=read_by,
        seconds=time.perf_counter() - started,
        frame=compared,
    )


def back_test(
    engine: Engine,
    library: RuleLibrary,
    rule: Rule,
    *,
    actor: Actor,
    scope: Collection[int] | None,
    periods: Collection[str],
    entities: Registry = registry,
) -> list[DryRun]:
    """Dry runs over past periods, newest first, with dated records as of then; columns without dates and the tree are
    as they stand now. Periods of which nothing is kept are left out."""
    found = []
    for period in sorted(periods, reverse=True):
        try:
            found.append(dry_run(engine, library, rule, actor=actor, scope=scope, period=period, entities=entities))
        except UserError:
            continue
    return found


def scored(rule: Rule, figures: Figures) -> pl.DataFrame:
    """The results frame of a rule over figures, warnings with ``score`` and ``light`` as indices have them."""
    if isinstance(rule, Index):
        return score_index(rule, figures.frame, figures.context).results
    found = score_warning(rule, figures.frame, figures.context)
    return found.with_columns(pl.col("value").alias("score"), pl.col("level").alias("light"))


def kept_of(
    engine: Engine, library: RuleLibrary, rule: Rule, base: Rule | None, period: str | None, entities: Registry
) -> KeptFigures:
    if base is None:
        return new_figures(rule, engine, library, entities)
    chosen = latest_period(engine, base) if period is None else period
    kept = kept_figures(engine, library, rule.code, chosen, entities)
    if kept is None:
        raise UserError(
            "这条规则还没有可比较的评定结果，请先评定一次",
            "There are no results of this rule to compare with; evaluate it once first",
        )
    return kept


def comparison_of(
    before: pl.DataFrame | None, after: pl.DataFrame, old_figures: pl.DataFrame, new_figures: pl.DataFrame
) -> pl.DataFrame:
    """One row for everybody to whom either version applies."""
    columns = (pl.col(SUBJECT_ID), pl.col("score").cast(pl.Float64), pl.col("light").cast(pl.String))
    if before is None:
        before = after.clear()
    joined = (
        before.select(*columns, pl.lit(True).alias("in_before"))
        .join(
            after.select(*columns, pl.lit(True).alias("in_after")),
            on=SUBJECT_ID,
            how="full",
            coalesce=True,
            suffix="_after",
        )
        .select(
            SUBJECT_ID,
            pl.col("light").fill_null(NONE).alias("light_before"),
            pl.col("light_after").fill_null(NONE),
            pl.col("score").alias("score_before"),
            "score_after",
            pl.col("in_before").fill_null(False),
            pl.col("in_after").fill_null(False),
        )
    )
    places = [frame.select(SUBJECT_ID, CODE, PATH) for frame in (new_figures, old_figures)]
    who = pl.concat(places, how="vertical_relaxed").unique(SUBJECT_ID, keep="first")
    return joined.join(who, on=SUBJECT_ID, how="left").sort(SUBJECT_ID)
