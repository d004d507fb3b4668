"""The measured parts of the evaluation benchmark, each in a process of its own: its peak of memory is its own, and it
finds nothing in its caches.

``python -m benchmarks.parts PART ARGUMENT…``, with DATA_DIR and DATABASE_URL, prints one line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace

from sqlalchemy import Engine
from sqlalchemy.orm import configure_mappers

import app.domains.all  # noqa: F401 - declares the entities
from app.database.clock import today
from app.database.encryption import load_keyring
from app.database.engine import make_engine
from app.database.migrations import upgrade
from app.demonstration import fill
from app.demonstration.scales import SCALES
from app.evaluation.progress import Progress
from app.evaluation.running import Request, evaluate
from app.rules.library import RuleLibrary
from config import Settings

from . import baseline, dryrun, save_to_light, straightforward

Answer = dict[str, object]

TENTH = replace(SCALES["district"], name="tenth", branches_per_community=1, units_per_street=2)
"""About a tenth of the district, with branches of the same size."""


def fill_part(engine: Engine, settings: Settings, scale: str) -> Answer:
    upgrade(settings)
    SCALES.setdefault("tenth", TENTH)
    counts = fill(engine, scale)
    return {"organizations": counts["bc_organization"], "members": counts["bc_member"], "rows": sum(counts.values())}


def ours_part(engine: Engine, settings: Settings) -> Answer:
    library = _library(settings)
    started, used = time.perf_counter(), time.process_time()
    evaluate(engine, library, Request(), progress=Progress())
    return {"seconds": time.perf_counter() - started, "cpu": time.process_time() - used}


def baseline_part(engine: Engine, settings: Settings) -> Answer:
    library = _library(settings)
    started, used = time.perf_counter(), time.process_time()
    baseline.run(engine, library, today())
    return {"seconds": time.perf_counter() - started, "cpu": time.process_time() - used}


def straightforward_part(engine: Engine, settings: Settings) -> Answer:
    return asdict(straightforward.measure(engine, today()))


def saves_part(engine: Engine, settings: Settings, saves: str) -> Answer:
    return {"seconds": save_to_light.measure(engine, settings, int(saves))}


def dryrun_part(engine: Engine, settings: Settings) -> Answer:
    return dict(dryrun.measure(engine, settings))


PARTS: dict[str, Callable[..., Answer]] = {
    "fill": fill_part,
    "ours": ours_part,
    "baseline": baseline_part,
    "straightforward": straightforward_part,
    "saves": saves_part,
    "dryrun": dryrun_part,
}


def _library(settings: Settings) -> RuleLibrary:
    """The rules, read before the clock starts, as a worker has them and its classes ready before its first job."""
    configure_mappers()
    library = RuleLibrary(settings.rules_dir, settings.data_dir)
    library.rules(today())
    return library


def main(part: str, *arguments: str) -> None:
    settings = Settings.from_environment()
    settings.create_data_dir()
    load_keyring(settings.data_dir)
    engine = make_engine(settings.database_url)
    answer = PARTS[part](engine, settings, *arguments)
    engine.dispose()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer["peak_mb"] = peak / 2**20 if sys.platform == "darwin" else peak / 2**10
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
