"""Demonstration records: the same every time, whole or not at all, and as valid as if people had entered them."""

from __future__ import annotations

import csv
import stat
from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session as OrmSession
from werkzeug.security import check_password_hash

from app.access.accounts import Account
from app.access.actor import system_actor
from app.access.roles import ROLES
from app.database.encryption import use_keyring
from app.database.engine import make_engine
from app.database.session import make_session
from app.demonstration import filling
from app.demonstration.accounts import FILE
from app.demonstration.organizations import branch_stem
from app.demonstration.scales import SCALES
from app.domains.calendar.models import Holiday
from app.domains.members.models import Member, Post
from app.domains.organizations.models import Organization
from app.domains.party_life.models import Attendance, FeePayment, Meeting
from app.entity.labels import UserError
from app.entity.registry import EntityType, registry
from app.entity.related import Related
from app.entity.validation import value_faults
from config import Settings
from tests import factories as make
from tests.conftest import KEYRING

DAY = date(2026, 11, 24)
BRIEF = replace(SCALES["small"], name="brief", months=4, fee_months=3, attendance_months=2, study_years=1)
FILLED = [model.__tablename__.removeprefix("bc_") for model in filling.FILLED]


@pytest.fixture(autouse=True)
def _brief_scale(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(SCALES, "brief", BRIEF)


def contents(engine: Engine) -> dict[str, pl.DataFrame]:
    """All rows but what encryption makes different each time."""
    found = {}
    with engine.connect() as connection:
        for code in FILLED:
            table = registry[code].model.__table__
            columns = [column for column in table.columns if column.name not in ("id_no", "mobile")]
            rows = [tuple(row) for row in connection.execute(select(*columns).order_by(table.c.id))]
            found[code] = pl.DataFrame(
                rows, schema=[column.name for column in columns], orient="row", strict=False, infer_schema_length=None
            )
    return found


def test_fills_every_database_and_people_go_on_from_there(any_database: Settings, any_engine: Engine):
    counts = filling.fill(any_engine, "brief", as_of=DAY)
    assert min(counts.values()) > 0
    session = make_session(any_engine, system_actor("tests"))
    for model in filling.FILLED:
        assert session.scalar(select(func.count()).select_from(model)) == counts[model.__tablename__]
    branch = session.scalars(select(Organization).where(Organization.tier == "branch").limit(1)).one()
    member = make.member(organization=branch)
    session.add_all([member, make.attendance(member=member, meeting=make.meeting(organization=branch))])
    session.commit()  # ids go on after those that were given
    assert branch.path == f"{branch.parent.path}{branch.id}/"
    session.close()


def test_is_the_same_every_time(engine: Engine, tmp_path, migrated_file, monkeypatch: pytest.MonkeyPatch):
    filling.fill(engine, "brief", as_of=DAY)
    other_file = tmp_path / "other.db"
    other_file.write_bytes(migrated_file.read_bytes())
    other = make_engine(f"sqlite:///{other_file}")
    monkeypatch.setattr(filling, "BRANCHES_AT_A_TIME", 150)
    filling.fill(other, "brief", as_of=DAY)
    first, second = contents(engine), contents(other)
    for code in FILLED:
        # How rows are numbered follows from the pieces they were made in; what they say does not.
        drop = [] if code in ("organization", "member", "post", "course") else ["id", "code", "meeting_id"]
        left, right = first[code].drop(drop, strict=False), second[code].drop(drop, strict=False)
        assert left.sort(left.columns).equals(right.sort(right.columns)), code
    other.dispose()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, migrated_file) -> Engine:
    """The small demonstration of today, made once."""
    use_keyring(KEYRING)
    path = tmp_path_factory.mktemp("small") / "beacon.db"
    path.write_bytes(migrated_file.read_bytes())
    engine = make_engine(f"sqlite:///{path}")
    filling.fill(engine, "small")
    yield engine
    engine.dispose()


@pytest.fixture
def records(small: Engine) -> OrmSession:
    session = make_session(small, system_actor("tests"), writes=False)
    yield session
    session.close()


def test_sizes(records: OrmSession):
    def count(model, *where) -> int:
        return records.scalar(select(func.count()).select_from(model).where(*where))

    assert count(Organization, Organization.tier == "street") == 14
    assert 600 <= count(Organization) <= 720
    assert 5_500 <= count(Member) <= 6_500
    assert count(Holiday) > 0
    names = set(records.scalars(select(Organization.name)))
    assert {"平阳六村居民区党支部", "江川路街道党工委", "莘庄镇党委", "中共上海市闵行区委员会"} <= names
    assert all(name.startswith("演示党员") for name in records.scalars(select(Member.name)))


@pytest.mark.parametrize("code", FILLED)
def test_rows_are_as_valid_as_if_people_had_entered_them(records: OrmSession, code: str):
    """Bulk statements pass the checks by; so they are held to them here."""
    entity = registry[code]
    every = max(1, records.scalar(select(func.count()).select_from(entity.model)) // 3_000)
    rows = records.scalars(select(entity.model).where(entity.model.id % every == 0)).all()
    assert rows
    related = Related(records, rows)
    wrong = {}
    for row in rows:
        fields = (*entity.fields.values(), *entity.hidden_fields.values())
        found = [fault for field in fields for fault in value_faults(field, getattr(row, field.name))]
        found += row.find_faults(related)
        if found:
            wrong[row.code] = [str(fault) for fault in found]
        assert _follows(entity, row, related), row.code
        if "is_demonstration" in entity.fields:
            assert row.is_demonstration
    assert wrong == {}


def _follows(entity: EntityType, row, related: Related) -> bool:
    """What always comes from elsewhere is what stands there."""
    for field in (*entity.fields.values(), *entity.hidden_fields.values()):
        if field.options.filled_from and not field.options.editable:
            values = [related.value(row, path) for path in field.options.filled_from]
            if getattr(row, field.name) != next((value for value in values if value is not None), None):
                return False
    return True


def test_paths_are_right(records: OrmSession):
    paths = {row.id: row.path for row in records.execute(select(Organization.id, Organization.path))}
    for organization in records.scalars(select(Organization)):
        above = paths[organization.parent_id] if organization.parent_id else "/"
        assert organization.path == f"{above}{organization.id}/"


def test_meetings_count_those_who_came(records: OrmSession):
    counted = dict(
        records.execute(
            select(Attendance.meeting_id, func.count())
            .where(Attendance.status == "present")
            .group_by(Attendance.meeting_id)
        ).all()
    )
    assert counted
    attended = dict(records.execute(select(Meeting.id, Meeting.attended)).all())
    assert {number: attended[number] for number in counted} == counted


def test_nothing_lies_ahead_and_nobody_acts_before_joining(records: OrmSession):
    joined = dict(records.execute(select(Member.id, Member.joined_on)).all())
    for member, held in records.execute(select(Attendance.member_id, Attendance.held_on)):
        assert joined[member] <= held
    for member, pay_by in records.execute(select(FeePayment.member_id, FeePayment.pay_by)):
        assert joined[member] <= pay_by


def test_streets_differ(records: OrmSession):
    """Else every light would be the same."""
    by_street: dict[int, list[bool]] = {}
    statement = select(Organization.parent_id, Meeting.attended, Meeting.expected).join(
        Organization, Organization.id == Meeting.organization_id
    )
    for street, attended, expected in records.execute(statement.where(Meeting.kind == "theme_day")):
        by_street.setdefault(street, []).append(attended < 0.8 * expected)
    shares = [sum(found) / len(found) for found in by_street.values()]
    assert max(shares) > 0.15 + min(shares)
    lately = set(records.scalars(select(Meeting.organization_id).where(Meeting.held_on > func.date("now", "-62 days"))))
    branches = set(
        records.scalars(select(Organization.id).where(Organization.tier == "branch", Organization.status == "active"))
    )
    assert 0 < len(branches - lately) < 0.2 * len(branches), "some branches lag, most do not"
    vacant = branches - set(
        records.scalars(select(Post.organization_id).where(Post.post == "secretary", Post.ended_on.is_(None)))
    )
    assert 0 < len(vacant) < 0.1 * len(branches)


def test_first_start_fills_an_empty_database_once(database: Settings, engine: Engine, monkeypatch):
    monkeypatch.setitem(SCALES, "small", BRIEF)
    steps = []
    assert filling.fill_if_empty(database, lambda label, done, total: steps.append((done, total)))
    assert steps[0][0] == 0
    assert steps[-1][0] == steps[-1][1] > 0
    assert steps == sorted(steps)
    assert not filling.fill_if_empty(database)
    with pytest.raises(UserError, match="已有党组织"):
        filling.fill(engine, "brief")


def test_a_filling_that_fails_leaves_nothing(database: Settings, engine: Engine, monkeypatch):
    def fail(*_):
        raise RuntimeError("killed")

    monkeypatch.setitem(SCALES, "small", BRIEF)
    with monkeypatch.context() as patch:
        patch.setattr(filling.people, "posts", lambda *args: fail())
        with pytest.raises(RuntimeError):
            filling.fill_if_empty(database)
    with monkeypatch.context() as patch:
        patch.setattr(filling.accounts, "add_accounts", fail)
        with pytest.raises(RuntimeError):
            filling.fill_if_empty(database)
    assert filling.is_empty(engine)
    assert not (database.data_dir / FILE).exists()
    assert filling.fill_if_empty(database), "the next start fills it"


def test_an_account_for_every_role(database: Settings, engine: Engine, monkeypatch):
    monkeypatch.setitem(SCALES, "small", BRIEF)
    filling.fill_if_empty(database)
    path = database.data_dir / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["username", "password", "role", "organization_code"]
    assert {row["role"] for row in rows} == set(ROLES)
    session = make_session(engine, system_actor("tests"))
    codes = dict(session.execute(select(Organization.code, Organization.tier)).all())
    tiers = {row["role"]: codes.get(row["organization_code"]) for row in rows}
    assert tiers["city_administrator"] == "city"
    assert tiers["district_administrator"] == "district"
    assert tiers["street_administrator"] == "street"
    assert tiers["branch_secretary"] == tiers["member"] == "branch"
    accounts = {account.username: account for account in session.scalars(select(Account))}
    for row in rows:
        account = accounts[row["username"]]
        assert check_password_hash(account.password, row["password"])
        assert [role.name for role in account.roles] == [row["role"]]
    assert len({row["password"] for row in rows}) == len(rows)
    session.close()


@pytest.mark.parametrize(
    ("division", "stem"),
    [
        ("平阳六村居民委员会", "平阳六村居民区"),
        ("平阳六村居委会", "平阳六村居民区"),
        ("东吴村村民委员会", "东吴村"),
        ("东吴村委会", "东吴村"),
        ("莘庄工业区虚拟社区", "莘庄工业区社区"),
    ],
)
def test_branches_are_named_after_their_community(division: str, stem: str):
    assert branch_stem(division) == stem
