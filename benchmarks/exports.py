"""100,000 members × 12 columns as a workbook, in the scope, columns and masking of whoever exports, against xlsxwriter
alone writing the same cells from memory (``constant_memory``). ``run.py bench export``; on PostgreSQL.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy import Engine, select

import app.access.scope
import app.domains.all
from app.access.actor import system_actor
from app.database.bulk import insert_rows
from app.database.encryption import Keyring, use_keyring
from app.database.engine import make_engine
from app.database.migrations import upgrade
from app.database.session import make_session, unit_of_work
from app.domains.members.models import Education, Gender, Member, MembershipStatus, MemberType, PartyPost
from app.domains.organizations.models import Organization
from app.entity.registry import registry
from app.exchange.exporting import headings, list_columns, written_rows
from app.exchange.files import write_table
from config import Settings

from .evaluation import postgresql_databases

DECLARED = (app.access.scope, app.domains.all)
SIZES = {"district": 100_000, "small": 2_000}
ORGANIZATIONS, BATCH, TURNS = 500, 10_000, 3
COLUMNS = ["code", "name", "organization", "gender", "ethnicity", "birth_date", "education", "member_type", "joined_on",
           "mobile", "employer"]  # fmt: skip
"""Twelve in the file: the organization stands there by name and by code."""
LABELS = {
    "ratio_to_xlsxwriter": "× xlsxwriter's own time (at most 1.2)",
    "export_s": "export, seconds",
    "xlsxwriter_s": "xlsxwriter alone, seconds",
}


def run(scale: str = "district") -> dict[str, float]:
    """Measure, and print a table; the figures by name."""
    size = SIZES[scale]
    with tempfile.TemporaryDirectory(prefix="beacon-bench-") as folder, postgresql_databases(1) as (url,):
        use_keyring(Keyring.generate())
        settings = Settings.from_environment({**os.environ, "DATA_DIR": folder, "DATABASE_URL": url})
        upgrade(settings)
        engine = make_engine(settings.database_url)
        fill(engine, size)
        columns = list_columns(registry["member"], COLUMNS)
        heading = headings(columns, "zh")
        cells = list(_rows(engine, columns))
        ours, theirs = [], []
        # In turns, so that a busy machine slows both.
        for _ in range(TURNS):
            theirs.append(_timed(lambda: _plainly(Path(folder, "theirs.xlsx"), heading, cells)))
            ours.append(_timed(lambda: write_table(Path(folder, "ours.xlsx"), heading, _rows(engine, columns))))
        engine.dispose()
    figures = {
        "ratio_to_xlsxwriter": min(ours) / min(theirs),
        "export_s": min(ours),
        "xlsxwriter_s": min(theirs),
    }
    print(f"{len(cells):,} rows × {len(heading)} columns")
    for name, words in LABELS.items():
        print(f"{words:<56}{figures[name]:>12,.2f}")
    return figures


def fill(engine: Engine, size: int) -> None:
    """Members of one street, whose staff export them."""
    with unit_of_work(engine, system_actor("benchmark")) as session:
        root = Organization(code="BENCH", name="区", tier="district")
        session.add(root)
        session.add_all(Organization(code=f"B{n}", name=f"第 {n} 党支部", parent=root) for n in range(ORGANIZATIONS))
        session.flush()
        owners = list(session.scalars(select(Organization.id).where(Organization.parent_id == root.id)))
        for start in range(0, size, BATCH):
            insert_rows(
                session.connection(),
                Member.__table__,
                [_member(number, owners[number % len(owners)]) for number in range(start, min(start + BATCH, size))],
            )


def _member(number: int, organization: int) -> dict[str, Any]:
    born = date(1950, 1, 1) + timedelta(days=number % 18_000)
    return {
        "code": f"B{number:07d}",
        "name": f"党员{number}",
        "organization_id": organization,
        "gender": Gender.MALE if number % 2 else Gender.FEMALE,
        "ethnicity": "汉族",
        "birth_date": born,
        "education": Education.BACHELOR,
        "member_type": MemberType.FULL,
        "joined_on": born + timedelta(days=7_000),
        "mobile": f"13{number:09d}",
        "employer": "某某街道办事处",
        "membership_status": MembershipStatus.NORMAL,
        "party_post": PartyPost.NONE,
        "revision": 1,
    } | dict.fromkeys(
        ("is_employed", "is_floating", "is_lost", "is_hardship", "needs_check", "is_demonstration"), False
    )


def _rows(engine: Engine, columns: Any) -> Iterable[list[Any]]:
    sessions = [make_session(engine, system_actor("benchmark"), writes=False) for _ in range(2)]
    try:
        yield from written_rows(
            *sessions, registry["member"], columns, lambda statement: statement.order_by(Member.code), "zh"
        )
    finally:
        for session in sessions:
            session.close()


def _plainly(path: Path, heading: list[str], rows: list[list[Any]]) -> None:
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}
    with xlsxwriter.Workbook(str(path), options) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, heading)
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, row)


def _timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
