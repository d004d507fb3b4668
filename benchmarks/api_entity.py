"""The entity of the API's benchmark: 13 columns, indexes on status and score; and a database filled with its rows."""

from __future__ import annotations

import random
from datetime import date, timedelta

import polars as pl
from sqlalchemy import insert
from sqlalchemy.orm import Mapped, relationship

from app.access.actor import system_actor
from app.access.first_start import ensure_roles, new_account
from app.database.bulk import insert_frame
from app.database.engine import make_engine
from app.database.migrations import upgrade
from app.database.session import unit_of_work
from app.domains.organizations.models import Organization
from app.entity.code_lists import CodeList
from app.entity.fields import code, code_of, day, flag, long_text, number, reference, text
from app.entity.labels import Label
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.visibility import Visibility
from config import Settings

PASSWORD = "Benchmark-2026!"
STREETS, BRANCHES = 14, 600


class BenchStatus(CodeList):
    PLANNED = "planned", "计划", "Planned"
    HELD = "held", "已开展", "Held"
    CANCELLED = "cancelled", "取消", "Cancelled"


@registry.register
class BenchRecord(Entity):
    """A record as usual as can be."""

    __tablename__ = "bc_bench_record"
    __entity__ = EntityOptions(
        label=Label("测试记录", "Benchmark record"),
        visibility=Visibility.SUBTREE,
        title="name",
        group="records",
        dated_by="held_on",
        order_by="code",
    )

    code: Mapped[str] = code("编号", "Code")
    name: Mapped[str] = text("名称", "Name", 80, listed=True, searched=True)
    organization_id: Mapped[int] = reference("organization", "党组织", "Organization", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    status: Mapped[BenchStatus] = code_of(
        BenchStatus, "状态", "Status", default=BenchStatus.PLANNED, listed=True, filtered=True
    )
    score: Mapped[float | None] = number("得分", "Score", listed=True, filtered=True)
    attended: Mapped[int | None] = number("人数", "Attended")
    held_on: Mapped[date | None] = day("日期", "Held on", listed=True)
    due_on: Mapped[date | None] = day("期限", "Due on")
    place: Mapped[str | None] = text("地点", "Place", 80)
    is_open: Mapped[bool] = flag("公开", "Open")
    budget: Mapped[float | None] = number("经费", "Budget", restricted="income")
    note: Mapped[str | None] = long_text("说明", "Note")


def fill(settings: Settings, rows: int) -> None:
    """Migrate a new database and fill it: a district with its streets and branches, the rows, two accounts."""
    settings.create_data_dir()
    upgrade(settings)
    engine = make_engine(settings.database_url)
    BenchRecord.__table__.create(engine)
    ensure_roles(settings)
    organizations = [_organization(1, None, "/1/", "district")]
    organizations += [_organization(2 + n, 1, f"/1/{2 + n}/", "street") for n in range(STREETS)]
    organizations += [
        _organization(16 + n, 2 + n % STREETS, f"/1/{2 + n % STREETS}/{16 + n}/", "branch") for n in range(BRANCHES)
    ]
    with engine.begin() as connection:
        connection.execute(insert(Organization.__table__), organizations)
        insert_frame(connection, BenchRecord.__table__, _frame(rows))
    with unit_of_work(engine, system_actor("benchmark")) as session:
        for name, role, place in (("whole", "district_administrator", 1), ("scoped", "rule_administrator", 2)):
            new_account(session, name, name, [role], PASSWORD, organization_id=place, must_change_password=False)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(
            "SELECT setval(pg_get_serial_sequence('bc_bench_record', 'id'), (SELECT max(id) FROM bc_bench_record))"
        )
        connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def _organization(key: int, parent: int | None, path: str, tier: str) -> dict:
    return {"id": key, "code": f"O{key:05}", "name": f"{tier} {key}", "parent_id": parent, "path": path, "tier": tier}


def _frame(rows: int) -> pl.DataFrame:
    chance, first = random.Random(1), date(2026, 1, 1)
    return pl.DataFrame(
        [
            {
                "id": n + 1, "code": f"R{n:06}", "name": f"第 {n} 次组织生活", "organization_id": 16 + n % BRANCHES,
                "status": chance.choice(("planned", "held", "cancelled")), "score": round(chance.random() * 100, 2),
                "attended": chance.randrange(60), "held_on": first + timedelta(days=n % 365),
                "due_on": first + timedelta(days=n % 365 + 30), "place": f"会议室 {n % 40}", "is_open": n % 3 == 0,
                "budget": float(n % 5000), "note": "学习讨论，形成意见。",
            }
            for n in range(rows)
        ]
    )  # fmt: skip
