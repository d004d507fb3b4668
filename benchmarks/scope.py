"""What the row scope costs: CPU of the listener a statement, and time of a page of members among 120,000.

``python -m benchmarks.scope`` prints a table. Runs on SQLite in memory, with the declared entities and 6,000
organizations in a tree of 14 streets.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Engine, func, insert, select

import app.access.scope
import app.domains.all
import app.evaluation.models
from app.access.actor import Actor, system_actor
from app.access.scoped import scoped_tables
from app.database.base import Base
from app.database.engine import make_engine
from app.database.session import Session
from app.domains.members.models import Member
from app.domains.organizations.models import Organization

DECLARED = (app.access.scope, app.domains.all, app.evaluation.models)
STREETS, BRANCHES, MEMBERS = 14, 6_000, 120_000


def filled() -> Engine:
    """A database with one district, its streets, branches and members."""
    engine = make_engine("sqlite://")
    Base.metadata.create_all(engine)
    rows = [{"id": 1, "code": "D", "name": "district", "parent_id": None, "path": "/1/", "tier": "district"}]
    for number in range(STREETS):
        row = number + 2
        rows.append(
            {"id": row, "code": f"S{row}", "name": "street", "parent_id": 1, "path": f"/1/{row}/", "tier": "street"}
        )
    for number in range(BRANCHES):
        row, street = number + 2 + STREETS, number % STREETS + 2
        rows.append(
            {"id": row, "code": f"B{row}", "name": "branch", "parent_id": street, "path": f"/1/{street}/{row}/"}
            | {"tier": "branch"}
        )
    members = [
        {"code": f"M{each}", "name": f"member {each}", "organization_id": each % BRANCHES + 2 + STREETS}
        for each in range(MEMBERS)
    ]
    with engine.begin() as connection:
        connection.execute(insert(Organization.__table__), rows)
        connection.execute(insert(Member.__table__), members)
    return engine


def milliseconds(work: Callable[[], object], times: int, clock: Callable[[], float] = time.process_time) -> float:
    """Milliseconds a call, after a few calls that fill the caches."""
    for _ in range(5):
        work()
    started = clock()
    for _ in range(times):
        work()
    return (clock() - started) / times * 1000


def main() -> None:
    engine = filled()
    actors = {
        "unrestricted": system_actor("benchmark"),
        "street": Actor("street", 1, organization_id=2, organization_path="/1/2/", is_staff=True),
        "branch": Actor("branch", 1, organization_id=16, organization_path="/1/2/16/", is_staff=True),
        "member": Actor("member", 1, organization_id=16, organization_path="/1/2/16/", member_id=1),
    }
    print(f"{len(scoped_tables())} scoped tables, {MEMBERS:,} members, milliseconds")
    print(f"{'actor':<14}{'by id':>8}{'page of 25':>12}{'count':>8}")
    by_id = select(Member.id, Member.name).where(Member.id == 5)
    page = select(Member.id, Member.code, Member.name).order_by(Member.code, Member.id).limit(25)
    count = select(func.count(Member.id))
    for name, actor in actors.items():
        with Session(engine, info={"actor": actor}) as session:
            figures = [
                milliseconds(lambda: session.execute(by_id).all(), 2000),
                milliseconds(lambda: session.execute(page).all(), 20),
                milliseconds(lambda: session.execute(count).all(), 20),
            ]
        print(f"{name:<14}{figures[0]:>8.3f}{figures[1]:>12.2f}{figures[2]:>8.2f}")


if __name__ == "__main__":
    main()
