"""How many statements each page costs, pinned, over 5,000 organizations and 100,000 members.

A number that rises shows an N+1 or a check that is asked again and again; one that falls is a gain to write down.
Write them anew with ``PIN_QUERY_COUNTS=1 python run.py test tests/console/test_query_counts.py``, and read the diff.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, make_url

from app.console import menu
from app.database.encryption import use_keyring
from app.database.engine import for_writing, make_engine
from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from tests.conftest import KEYRING, settings_in
from tests.console.site import Site

PINNED = Path(__file__).with_name("query_counts.json")
STREETS, BRANCHES, MEMBERS = 20, 4979, 100_000
FIRST_BRANCH = 2 + STREETS

PAGES = {
    "organization list": "/records/organization/list/",
    "member list": "/records/member/list/",
    "member list, 100 rows": "/records/member/list/?psize_MemberView=100",
    "member list, searched and sorted by organization": (
        "/records/member/list/?_flt_0_any_text=党员&_flt_1_organization=2"
        "&_oc_MemberView=organization&_od_MemberView=desc"
    ),
    "member list, last page": "/records/member/list/?page_MemberView=3999",
    "member calendar": "/records/member/list/?display=calendar&month=1999-06",
    "member board": "/records/member/list/?display=board",
    "organization": f"/records/organization/show/{FIRST_BRANCH}",
    "organization, its members": f"/records/organization/show/{FIRST_BRANCH}?tab=member.organization",
    "member": "/records/member/show/1",
    "member add": "/records/member/add",
    "member edit": "/records/member/edit/1",
    "choices of an organization": "/options/organization?q=支部12",
    "search": "/search/?q=支部12",
    "API member list": "/api/v1/member/",
    "API member": "/api/v1/member/1",
}


@pytest.fixture(scope="module")
def big_site(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    use_keyring(KEYRING)
    settings = settings_in(tmp_path_factory.mktemp("big") / "data")
    shutil.copyfile(migrated_file, make_url(settings.database_url).database)
    engine = make_engine(settings.database_url)
    with for_writing(engine).begin() as connection:
        connection.execute(insert(Organization.__table__), list(_organizations()))
        connection.execute(insert(Member.__table__), list(_members()))
    engine.dispose()
    site = Site(settings)
    site.add_account("street", "street_administrator", 2)
    yield site
    site.engine.dispose()


def _organizations() -> Iterator[dict]:
    same = {"unit_type": "community", "status": "active", "is_demonstration": False}
    yield {"id": 1, "code": "D", "name": "测试区", "tier": "district", "parent_id": None, "path": "/1/", **same}
    for number in range(STREETS):
        key = 2 + number
        yield {"id": key, "code": f"S{number:03}", "name": f"街道{number}", "tier": "street", "parent_id": 1,
               "path": f"/1/{key}/", **same}  # fmt: skip
    for number in range(BRANCHES):
        key, street = FIRST_BRANCH + number, 2 + number % STREETS
        yield {"id": key, "code": f"B{number:05}", "name": f"支部{number}", "tier": "branch", "parent_id": street,
               "path": f"/1/{street}/{key}/", **same}  # fmt: skip


def _members() -> Iterator[dict]:
    flags = "is_employed is_floating is_lost is_hardship needs_check is_demonstration"
    for number in range(MEMBERS):
        yield {
            "id": number + 1,
            "code": f"M{number:06}",
            "name": f"测试党员{number}",
            "organization_id": FIRST_BRANCH + number % BRANCHES,
            "member_type": "full",
            "membership_status": "normal",
            "party_post": "none",
            "joined_on": date(1980, 1, 1) + timedelta(days=number % 15000),
            **dict.fromkeys(flags.split(), False),
        }


def test_pages_cost_no_more_statements_than_pinned(big_site: Site) -> None:
    found: dict[str, dict[str, int]] = {}
    for name in ("admin", "street"):
        visitor = big_site.visitor(name)
        found[name] = {}
        for page, url in PAGES.items():
            visitor.get(url)  # compiled statements and templates are no matter here
            menu.forget_counts()
            with big_site.statements() as statements:
                assert visitor.get(url).status_code == 200, url
            found[name][page] = len(_reading(statements))
    if os.environ.get("PIN_QUERY_COUNTS"):
        PINNED.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    assert found == json.loads(PINNED.read_text())


def test_counting_needs_neither_joins_nor_a_subselect(big_site: Site) -> None:
    url = PAGES["member list, searched and sorted by organization"]
    with big_site.statements() as statements:
        big_site.visitor().get(url)
    counts = [each for each in statements if re.search(r"count\(bc_member\.id\)", each) and "LIKE" in each]
    assert len(counts) == 1
    assert "JOIN" not in counts[0]
    assert "FROM (SELECT" not in counts[0]


def test_a_list_reads_only_the_columns_it_shows(big_site: Site) -> None:
    with big_site.statements() as statements:
        big_site.visitor().get(PAGES["member list"])
    rows = next(each for each in statements if "LIMIT" in each and "bc_member.name" in each)
    assert "employer" not in rows
    assert "id_no" not in rows
    assert "bc_organization_1.address" not in rows


def _reading(statements: list[str]) -> list[str]:
    return [each for each in statements if not each.startswith(("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA"))]
