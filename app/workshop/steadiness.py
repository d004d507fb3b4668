"""How much an index, in force or on a draft, depends on its exact weights: shaken over the figures that runs have kept.

All subjects are shaken, because ranks are among all; whom the reader may be told of is asked by whoever shows it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from sqlalchemy import Engine

from app.entity.labels import UserError
from app.entity.registry import Registry, registry
from app.rules.library import RuleLibrary
from app.rules.model import Index
from app.rules.robustness import DRAWS, Robustness, shaken

from .dry_run import scored
from .kept_figures import figures_for, kept_figures, latest_period

REMEMBERED = 4
MOST_PLACES = 6_000_000
"""Subjects × draws: some four seconds. An index of very many subjects is shaken less often."""
LEAST_DRAWS = 50

_lock = threading.Lock()
_remembered: OrderedDict[tuple, Robustness] = OrderedDict()


def robustness_of(
    engine: Engine, library: RuleLibrary, index: Index, *, entities: Registry = registry
) -> tuple[Robustness, str]:
    """(what shaking the weights comes to, the period it was done for: the latest with results). Raises UserError where
    there are no results."""
    period = latest_period(engine, index)
    kept = kept_figures(engine, library, index.code, period, entities)
    if kept is None:
        raise UserError(
            "这个指数还没有评定结果，请先评定一次", "There are no results of this index; evaluate it once first"
        )
    key = (*kept.key, index.version)
    with _lock:
        found = _remembered.get(key)
    if found is None:
        results = scored(index, figures_for(index, kept, engine, library, entities))
        draws = max(LEAST_DRAWS, min(DRAWS, MOST_PLACES // max(1, results.height)))
        found = shaken(index, results, draws=draws)
        with _lock:
            _remembered[key] = found
            while len(_remembered) > REMEMBERED:
                _remembered.popitem(last=False)
    return found, period
