"""A dry run as pages show it: names instead of codes, links to the lists behind the figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.access.references import organization_names
from app.access.scope import actor_of
from app.entity.labels import Label, UserError
from app.rules.model import Index, Rule
from app.workshop.comparison import LIGHTS, NONE, DryRun, Move, step
from app.workshop.dry_run import dry_run, scope_of
from app.workshop.reasons import OTHER_REASONS

from ..pages.context import library, record_url, scorecard_url, titles
from ..presentation import LIGHT_WORDS

NOT_LIT = {"index": Label("不适用", "Not concerned"), "warning": Label("未亮灯", "Not lit")}


@dataclass(frozen=True)
class Trial:
    """What a page needs of a dry run; ``problem`` instead if there could be none."""

    run: DryRun | None
    problem: Label | None = None


def try_out(session: Session, rule: Rule, period: str | None = None) -> Trial:
    """The dry run of a rule in the session's scope."""
    try:
        run = dry_run(
            session.get_bind(),
            library(),
            rule,
            actor=actor_of(session),
            scope=scope_of(session, rule),
            period=period,
        )
    except UserError as error:
        return Trial(None, error.label)
    return Trial(run)


def matrix(run: DryRun, link: Callable[[str, str], str]) -> dict[str, Any]:
    """The lights there are, and a row for each with its cells: count, kind (same, better, worse, zero) and link."""
    used = [light for light in LIGHTS if any(light in pair for pair in run.matrix)]
    rows = []
    for before in used:
        cells = []
        for after in used:
            count = run.matrix.get((before, after), 0)
            way = step(before, after)
            kind = "zero" if not count else "same" if before == after else _WAYS[way]
            cells.append(
                {"count": count, "kind": kind, "url": link(before, after) if count and before != after else None}
            )
        rows.append({"light": before, "cells": cells, "sum": sum(cell["count"] for cell in cells)})
    totals = [
        (
            after,
            sum(count for pair, count in run.matrix.items() if pair[1] == after),
            sum(count for pair, count in run.matrix.items() if pair[0] == after),
        )
        for after in used
    ]
    return {"lights": used, "rows": rows, "totals": totals}


_WAYS = {1: "better", -1: "worse", 0: "aside"}


def words_of_light(light: str, rule: Rule) -> Label:
    if light == NONE:
        return NOT_LIT["index" if isinstance(rule, Index) else "warning"]
    return LIGHT_WORDS.get(light, Label("蓝灯", "Blue"))


def moves(session: Session, run: DryRun, found: list[Move] | tuple[Move, ...]) -> list[dict[str, Any]]:
    """Rows of a list of subjects."""
    names = titles(session, run.rule.subject, [move.subject_id for move in found])
    labels = _parts(run.rule) | (_parts(run.base) if run.base else {})
    rows = []
    for move in found:
        code, title = names.get(move.subject_id, (move.code, move.code))
        is_index = isinstance(run.rule, Index) and run.base is not None
        rows.append(
            {
                "title": title,
                "code": code,
                "url": scorecard_url(run.rule.code, code, run.period or None)
                if is_index
                else record_url(run.rule.subject, move.subject_id),
                "before": move.light_before,
                "after": move.light_after,
                "score_before": move.score_before,
                "score_after": move.score_after,
                "reason": OTHER_REASONS.get(move.reason) or labels.get(move.reason) or Label("", ""),
                "points": move.reason_points if move.reason not in OTHER_REASONS else None,
            }
        )
    return rows


def _parts(rule: Rule) -> dict[str, Label]:
    if not isinstance(rule, Index):
        return {}
    parts = [*rule.root.walk(disabled=True), *rule.bonus, *rule.penalty, *rule.veto]
    return {part.code: part.label for part in parts}


def units(session: Session, run: DryRun) -> list[dict[str, Any]]:
    """Rows of the table of units, those with most changes first."""
    names = organization_names(session, [unit.organization_id for unit in run.units])
    rows = [
        {
            "name": names[unit.organization_id].name if unit.organization_id in names else "—",
            "subjects": unit.subjects,
            "better": unit.better,
            "worse": unit.worse,
            "mean_before": unit.mean_before,
            "mean_after": unit.mean_after,
            "before": unit.lights_before,
            "after": unit.lights_after,
        }
        for unit in run.units
    ]
    return sorted(rows, key=lambda row: -(row["better"] + row["worse"]))


def columns(run: DryRun) -> list[tuple[int, int]]:
    """Heights in per cent of the columns before and after, a pair for each part of the scale."""
    most = max([*run.spread_before.bins, *run.spread_after.bins, 1])
    return [
        (round(100 * before / most), round(100 * after / most))
        for before, after in zip(run.spread_before.bins, run.spread_after.bins, strict=True)
    ]


def decimals(run: DryRun) -> int:
    """How many decimals tell figures apart: shares of a warning need more than points of a scale."""
    return 1 if run.bounds[1] - run.bounds[0] > 10 else 3
