"""Somebody who reads and writes all the time: read, then write what depends on it, in one transaction.

``python -m tests.evaluation.writing DATABASE_URL STOP_FILE NAME`` does so until the file is there, prints how often it
has written, and ends with a traceback at the first failure.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from sqlalchemy import Engine, func, select

import app.domains.all  # noqa: F401 - declares the entities
from app.access.actor import system_actor
from app.database.encryption import load_keyring
from app.database.engine import make_engine
from app.database.session import unit_of_work
from app.domains.organizations.models import Organization
from app.domains.party_life.models import Meeting
from app.evaluation import changes
from app.evaluation.models import Score
from config import Settings

SECONDS_BETWEEN = 0.02


def write_until(ended: Callable[[], bool], engine: Engine, name: str) -> int:
    """How many transactions were committed until ``ended`` said so."""
    count = 0
    actor = system_actor("tests")
    while not ended():
        with unit_of_work(engine, actor) as session:
            branches = session.scalars(
                select(Organization).where(Organization.tier == "branch").order_by(Organization.id)
            ).all()
            branch = branches[count % len(branches)]
            held = session.scalar(select(func.count(Meeting.id)).where(Meeting.organization_id == branch.id))
            session.add(
                Meeting(
                    code=f"{name}-{count}",
                    organization_id=branch.id,
                    kind="lecture",
                    topic=f"第 {held + 1} 次党课",
                    status="held",
                    held_on=date(date.today().year, 1, 5),
                )
            )
        with unit_of_work(engine, actor, writes=False) as session:
            session.scalars(select(Score.light).where(Score.rule_code == "strength")).all()
        count += 1
        time.sleep(SECONDS_BETWEEN)
    return count


if __name__ == "__main__":
    url, stop, name = sys.argv[1:]
    load_keyring(Settings.from_environment().data_dir)  # history encrypts what is personal
    changes.install()
    print(write_until(Path(stop).exists, make_engine(url), name))
