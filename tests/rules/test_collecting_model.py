"""Collecting held to a plain computation: random metrics over random rows, on every database."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine

from app.database.encryption import use_keyring
from app.entity.filters import DateContext
from app.entity.filters.dates import ANCHORS, shifted
from app.entity.periods import Period, PeriodKind
from app.entity.registry import registry
from app.rules.model import Aggregate, Metric, WindowKind
from tests.conftest import KEYRING, server_database
from tests.entity.filters_world import holds, value_of
from tests.rules.collecting_world import HARMLESS, TREE, below, collected, figures, fill, metric, rule_of

# A relation that was named but not joined would multiply rows: SQLAlchemy warns of it.
pytestmark = pytest.mark.filterwarnings("error::sqlalchemy.exc.SAWarning")

Row = Mapping[str, Any]
DATED = {
    "meeting": "held_on",
    "attendance": "held_on",
    "fee_payment": "period",
    "observation": "period",
    "post": "started_on",
}
DAYS = [date(2025, 1, 1) + timedelta(days=17 * step) for step in range(42)]
PERIODS = [
    "2025",
    "2026",
    "2025H2",
    "2026H1",
    "2026Q1",
    "2026Q3",
    "2026-01",
    "2026-07",
    "2026-09",
    "2026-10",
    "2025-12",
]


def random_rows() -> dict[str, list[dict[str, Any]]]:
    """Rows of five entities, some without a date, some dated after every ``as_of`` asked for; always the same."""
    chance = random.Random(11)

    def pick(values: Any, missing: float = 0.15) -> Any:
        return None if chance.random() < missing else chance.choice(values)

    organizations = list(TREE)
    members = [
        {
            "id": one,
            "code": f"M{one}",
            "name": "N",
            "organization_id": chance.choice(organizations),
            "joined_on": pick(DAYS),
        }
        for one in range(1, 13)
    ]
    meetings = []
    for one in range(1, 71):
        expected = pick([0, 2, 4, 10])
        day = pick(DAYS)
        meetings.append(
            {
                "id": one,
                "organization_id": chance.choice(organizations),
                "kind": chance.choice(["lecture", "theme_day", "group_meeting"]),
                "status": "planned" if day is None else chance.choice(["held", "held", "planned"]),
                "held_on": day,
                "expected": expected,
                "attended": None if expected is None else pick([0, expected // 2, expected]),
                "is_double": chance.random() < 0.3,
                "topic": chance.choice(["a", "A", "b "]),
            }
        )
    attendance = [
        {
            "id": one,
            "meeting_id": meeting["id"],
            "member_id": member,
            "organization_id": members[member - 1]["organization_id"],
            "held_on": meeting["held_on"],
            "status": chance.choice(["present", "absent", "leave"]),
        }
        for one, (meeting, member) in enumerate(
            ((meeting, member) for meeting in meetings for member in (1, 2, 3 + meeting["id"] % 10)), 1
        )
    ]
    fees = [
        {
            "id": member * 100 + month,
            "member_id": member,
            "organization_id": members[member - 1]["organization_id"],
            "period": f"{2025 + month // 12}-{month % 12 + 1:02d}",
            "due": chance.choice(["0.00", "0.10", "0.20", "3.30"]),
            "paid": chance.choice(["0.00", "0.10", "3.30"]),
            "paid_on": chance.choice(DAYS),
            "pay_by": pick(DAYS),
        }
        for member in range(1, 9)
        for month in range(0, 24, 2)
    ]
    observations = [
        {
            "id": one * 100 + number + 1,
            "holder_id": organization,
            "organization_id": organization,
            "metric": name,
            "period": period,
            "value": chance.choice([0.0, 1.5, -2.0, 1e6]),
        }
        for one, organization in enumerate(organizations)
        for number, (name, period) in enumerate((n, p) for n in ("le", "gni") for p in PERIODS if chance.random() < 0.6)
    ]
    posts = []
    for one in range(1, 41):
        start = chance.choice(DAYS)
        end = start + timedelta(days=chance.choice([0, 30, 300])) if chance.random() < 0.6 else None
        posts.append(
            {
                "id": one,
                "organization_id": chance.choice(organizations),
                "member_id": pick(range(1, 13)),
                "post": chance.choice(["secretary", "youth"]),
                "started_on": start,
                "ended_on": end,
            }
        )
    return {
        "member": members,
        "meeting": meetings,
        "attendance": attendance,
        "fee_payment": fees,
        "observation": observations,
        "post": posts,
    }


ROWS = random_rows()


def _linked() -> dict[str, list[dict[str, Any]]]:
    """The rows with their relations as rows, and money as what it is worth."""
    organizations: dict[int, dict[str, Any]] = {}
    for one, parent in TREE.items():
        unit_type = "soe" if one % 2 else "private"
        organizations[one] = {
            "id": one,
            "code": f"O{one}",
            "unit_type": unit_type,
            "parent_id": parent,
            "parent": organizations.get(parent or 0),
        }
    linked: dict[str, list[dict[str, Any]]] = {"organization": list(organizations.values())}
    by_id: dict[str, dict[int, dict[str, Any]]] = {"organization": organizations}
    for entity, rows in ROWS.items():
        complete = []
        for row in rows:
            whole: dict[str, Any] = {**HARMLESS.get(entity, {}), **row}
            for relation in registry[entity].relations.values():
                whole[relation.name] = by_id.get(relation.target, {}).get(whole.get(relation.column, 0))
            for money in ("due", "paid"):
                if entity == "fee_payment":
                    whole[money] = float(whole[money])
            complete.append(whole)
        linked[entity] = complete
        by_id[entity] = {row["id"]: row for row in complete}
    return linked


LINKED = _linked()


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "sqlite":
        yield from _filled("sqlite://")
        return
    with server_database(request.param) as url:
        yield from _filled(url)


def _filled(url: str) -> Iterator[Engine]:
    use_keyring(KEYRING)
    engine = create_engine(url)
    metadata = registry["organization"].model.metadata
    metadata.create_all(engine, tables=[entity.model.__table__ for entity in registry])
    fill(engine, **ROWS)
    yield engine
    engine.dispose()


WHERE: dict[str, list[Any]] = {
    "meeting": [
        {"status": "held"},
        {"status": "held", "kind": "lecture"},
        {"kind": {"in": ["lecture", "theme_day"]}},
        {"attended": {"gte": {"field": "expected"}}},
        {"not": {"attended": {"gt": 2}}},
        {"organization.unit_type": "soe"},
        {"held_on": {"gte": "as_of-3m"}},
    ],
    "attendance": [
        {"status": "present"},
        {"meeting.status": "held", "status": {"ne": "leave"}},
        {"meeting.kind": "lecture"},
        {"meeting.organization.unit_type": {"not_in": ["soe"]}},
        {"member": {"in": ["M1", "M2"]}},
    ],
    "fee_payment": [
        {"paid": {"gte": {"field": "due"}}},
        {"paid_on": {"gt": {"field": "pay_by"}}},
        {"period": {"lt": "as_of-1m"}},
        {"pay_by": {"null": True}},
    ],
    "observation": [{"metric": "le"}, {"metric": "gni"}, {"period": {"between": ["2026", "2026-08"]}}],
    "post": [{"post": "secretary"}, {"member": {"null": False}}, {"started_on": {"gt": "year_start"}}],
}
OF: dict[str, list[str]] = {
    "meeting": ["attended", "attended / expected", "abs(attended - expected)", "is_double", "filled(attended, kind)"],
    "attendance": ["meeting.attended", "meeting.expected - meeting.attended", "max(meeting.attended, 3)"],
    "fee_payment": ["paid", "abs(paid - due) / due", "coalesce(days_between(pay_by, paid_on), 7)", "round(paid, 1)"],
    "observation": ["value", "log(value)", "if(value > 1, value, -value)"],
    "post": ["days_since(started_on)", "year(started_on)", "months_since(started_on)"],
}
DATES = {
    "meeting": ["held_on"],
    "attendance": ["meeting.held_on"],
    "fee_payment": ["period", "paid_on"],
    "observation": ["period"],
    "post": ["ended_on"],
}
COLUMNS = {
    "meeting": ["kind", "topic", "attended", "held_on", "is_double"],
    "attendance": ["member", "status", "meeting.kind"],
    "fee_payment": ["member", "paid", "period"],
    "observation": ["metric", "value"],
    "post": ["member", "post", "ended_on"],
}
VIAS = {
    "attendance": ["meeting.organization", "member.organization"],
    "meeting": ["organization.parent"],
    "fee_payment": ["member.organization.parent"],
    "post": ["member.organization"],
}
WINDOWS = ["all", "period", "month", "quarter", "half_year", "year", "90d", "12m", "1y", "3m"]
AS_OF = [date(2026, 9, 30), date(2026, 2, 28), date(2025, 12, 31), date(2026, 7, 1)]


@st.composite
def written_metrics(draw: st.DrawFn, entity: str) -> dict[str, Any]:
    aggregate = draw(st.sampled_from(sorted(Aggregate)))
    written: dict[str, Any] = {aggregate: entity}
    numbers = OF[entity]
    match aggregate:
        case Aggregate.SUM | Aggregate.AVERAGE:
            written["of"] = draw(st.sampled_from(numbers))
        case Aggregate.MINIMUM | Aggregate.MAXIMUM:
            written["of"] = draw(st.sampled_from(numbers + DATES[entity]))
        case Aggregate.LATEST | Aggregate.DISTINCT:
            written["of"] = draw(st.sampled_from(COLUMNS[entity]))
    if aggregate == Aggregate.AVERAGE and entity == "meeting" and draw(st.booleans()):
        written["weight"] = "expected"
    if draw(st.booleans()) or aggregate == Aggregate.STREAK:
        written["where"] = draw(st.sampled_from(WHERE[entity]))
    if aggregate == Aggregate.STREAK and draw(st.booleans()):
        written["among"] = draw(st.sampled_from(WHERE[entity]))
    if VIAS.get(entity) and draw(st.integers(0, 3)) == 0:
        written["via"] = draw(st.sampled_from(VIAS[entity]))
    if draw(st.integers(0, 2)) == 0:
        written["over"] = "subtree"
    windows = [*WINDOWS, "current"] if entity == "post" else WINDOWS
    written["window"] = draw(st.sampled_from(windows))
    if written["window"] in ("period", "month", "quarter", "half_year", "year"):
        written["back"] = draw(st.sampled_from([0, 0, 1, 2]))
    return written


@st.composite
def rules(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Several metrics, most of them over one entity, so that they share statements."""
    entity = draw(st.sampled_from(sorted(DATED)))
    metrics = draw(st.lists(written_metrics(entity), min_size=1, max_size=4))
    return metrics + draw(st.lists(written_metrics("meeting"), max_size=1))


# The plain computation ------------------------------------------------------------------------------------------------


def expected_figure(wanted: Metric, organization: int, as_of: date) -> Any:
    """A metric of one organization, row by row."""
    dates = DateContext(as_of, Period.containing(as_of, PeriodKind.QUARTER))
    anchors = {name: dates.anchor(name) for name in ANCHORS}
    owners = below(organization) if wanted.over_subtree else {organization}
    via = wanted.via or "organization"
    rows = [
        row
        for row in LINKED[wanted.entity]
        if (owner := value_of(via, row)) is not None and owner["id"] in owners and _in_window(wanted, row, dates)
    ]
    rows.sort(key=lambda row: (_day(wanted.entity, row) or date.min, row["id"]))
    if wanted.aggregate is Aggregate.STREAK:
        among = [row for row in rows if wanted.among is None or holds(wanted.among, row, anchors)]
        length = 0
        for row in reversed(among):
            if not holds(wanted.where, row, anchors):
                break
            length += 1
        return float(length)
    if wanted.where is not None:
        rows = [row for row in rows if holds(wanted.where, row, anchors)]
    return _aggregated(wanted, rows, as_of)


def _aggregated(wanted: Metric, rows: list[Row], as_of: date) -> Any:
    match wanted.aggregate:
        case Aggregate.COUNT:
            return float(len(rows))
        case Aggregate.EXISTS:
            return bool(rows)
    values = [evaluated(wanted.of, row, as_of) for row in rows]
    there = [value for value in values if value is not None]
    match wanted.aggregate:
        case Aggregate.SUM:
            return float(sum(there))
        case Aggregate.DISTINCT:
            return float(len(set(there)))
        case Aggregate.LATEST:
            return values[-1] if values else None
        case Aggregate.MINIMUM:
            return min(there, default=None)
        case Aggregate.MAXIMUM:
            return max(there, default=None)
    weights = [1.0 if wanted.weight is None else row[wanted.weight] for row in rows]
    pairs = [(v, w) for v, w in zip(values, weights, strict=True) if v is not None and w is not None]
    total = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / total if total else None


def _day(entity: str, row: Row) -> date | None:
    value = row[DATED[entity]]
    return Period.parse(value).start if isinstance(value, str) else value


def _in_window(wanted: Metric, row: Row, dates: DateContext) -> bool:
    day, as_of, window = _day(wanted.entity, row), dates.as_of, wanted.window
    if day is not None and day > as_of:
        return False
    if window.kind is WindowKind.ALL:
        return True
    if window.kind is WindowKind.CURRENT:
        return row["started_on"] <= as_of and (row["ended_on"] is None or row["ended_on"] >= as_of)
    if day is None:
        return False
    lengths: dict[WindowKind, Callable[[], date]] = {
        WindowKind.DAYS: lambda: as_of - timedelta(days=window.length),
        WindowKind.MONTHS: lambda: shifted(as_of, months=-window.length),
        WindowKind.YEARS: lambda: shifted(as_of, months=-12 * window.length),
    }
    if window.kind in lengths:
        return day > lengths[window.kind]()
    kind = PeriodKind.QUARTER if window.kind is WindowKind.PERIOD else PeriodKind(window.kind.value)
    return day in Period.containing(as_of, kind).shifted(-window.back)


def evaluated(expression: Any, row: Row, as_of: date) -> Any:
    """The expressions of ``OF``, each written again in Python."""
    from_text = PLAIN.get(_written(expression))
    return from_text(row, as_of) if from_text else _plain_value(_written(expression), row)


def _written(expression: Any) -> str:
    return TEXT_OF[expression]


def _plain_value(path: str, row: Row) -> Any:
    value = value_of(path, row)
    if isinstance(value, dict):
        return value.get("code", value["id"])
    if path == "period":
        return Period.parse(value).start
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _missing_in_missing_out(compute: Callable[..., Any]) -> Callable[..., Any]:
    def safely(row: Row, as_of: date) -> Any:
        try:
            return compute(row, as_of)
        except (TypeError, ZeroDivisionError):
            return None

    return safely


def _months(start: date, end: date) -> float:
    months = 0
    while shifted(start, months=months + 1) <= end:
        months += 1
    while shifted(start, months=months) > end:
        months -= 1
    return float(months)


PLAIN = {
    text: _missing_in_missing_out(compute)
    for text, compute in {
        "attended / expected": lambda row, _: row["attended"] / row["expected"],
        "abs(attended - expected)": lambda row, _: float(abs(row["attended"] - row["expected"])),
        "filled(attended, kind)": lambda row, _: ((row["attended"] is not None) + (row["kind"] is not None)) / 2,
        "meeting.expected - meeting.attended": lambda row, _: row["meeting"]["expected"] - row["meeting"]["attended"],
        "max(meeting.attended, 3)": lambda row, _: float(max(row["meeting"]["attended"], 3)),
        "abs(paid - due) / due": lambda row, _: abs(row["paid"] - row["due"]) / row["due"],
        "coalesce(days_between(pay_by, paid_on), 7)": lambda row, _: float(
            (row["paid_on"] - row["pay_by"]).days if row["pay_by"] else 7
        ),
        "round(paid, 1)": lambda row, _: round(row["paid"], 1),
        "log(value)": lambda row, _: math.log(row["value"]) if row["value"] > 0 else None,
        "if(value > 1, value, -value)": lambda row, _: row["value"] if row["value"] > 1 else -row["value"],
        "days_since(started_on)": lambda row, as_of: float((as_of - row["started_on"]).days),
        "year(started_on)": lambda row, _: float(row["started_on"].year),
        "months_since(started_on)": lambda row, as_of: _months(row["started_on"], as_of),
    }.items()
}
TEXT_OF: dict[Any, str] = {}


@hypothesis_settings(deadline=None, max_examples=120)
@given(written=rules(), as_of=st.sampled_from(AS_OF), few=st.booleans())
def test_metrics_are_what_a_plain_computation_finds(
    engine: Engine, written: list[dict[str, Any]], as_of: date, few: bool
) -> None:
    metrics = []
    for position, one in enumerate(written):
        made = metric(f"m{position}", **one)
        if made.of is not None:
            TEXT_OF[made.of] = one["of"]
        metrics.append(made)
    subjects = [2, 3, 7] if few else None
    with engine.connect() as connection:
        frame = collected(connection, rule_of(*metrics), as_of=as_of, period=str(_quarter(as_of)), subjects=subjects)
    for wanted in metrics:
        found = figures(frame, wanted.name)
        assert found.keys() == set(subjects or TREE)
        for organization, figure in found.items():
            expected = expected_figure(wanted, organization, as_of)
            if isinstance(expected, float):
                expected = pytest.approx(expected, rel=1e-12, abs=1e-12)
            assert figure == expected, (wanted, organization)


def _quarter(day: date) -> Period:
    return Period.containing(day, PeriodKind.QUARTER)
