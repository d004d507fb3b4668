"""Any filter finds the same rows through the API, in the collecting of rules, and read plainly in Python."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from app.access.actor import system_actor
from app.database.clock import today
from app.database.engine import for_reading
from app.database.session import unit_of_work
from app.domains.organizations.models import Organization
from app.domains.party_life.models import Meeting
from app.entity.filters import DateContext, parse_filter
from app.entity.filters.columns import resolve_column
from app.entity.filters.dates import ANCHORS
from app.entity.filters.parsing import operators_for
from app.entity.filters.tree import Operator
from app.entity.periods import Period, PeriodKind
from app.entity.registry import FieldKind, registry
from app.rules.context import Context
from app.rules.metric_rows import rows_behind
from tests.api.test_entities import Program
from tests.entity.filters_world import combined, holds
from tests.rules.collecting_world import metric

MEETING = registry["meeting"]
TEXTS = ["", "a", "A", "á", "ab%c", "AB_C", "a\\b", "主题", "o'b", "“引”", "a&b=c", "[x]"]
"""Neither commas nor spaces at the ends: a query string has lists with commas, and trims."""
DAYS = [today() - timedelta(days=days) for days in (0, 1, 15, 31, 90, 200, 366, 800)]
MOMENTS = [datetime.combine(day, datetime.min.time()).replace(hour=hour) for day in DAYS[:4] for hour in (0, 9)]
PATHS = [
    "topic", "kind", "status", "held_on", "reviewed_on", "planned_at", "place", "expected", "attended", "is_double",
    "lecturer_post", "organization", "organization.name", "organization.tier", "organization.parent",
    "organization.parent.name", "organization.parent.tier",
]  # fmt: skip


@dataclass
class Meetings:
    program: Program
    site: Any
    rows: dict[int, Mapping[str, Any]]
    """By id, with their relations as rows."""
    organizations: list[int]


@pytest.fixture(scope="module")
def meetings(peopled: Any) -> Meetings:
    """Meetings with many kinds of values, and many that are missing; the same on every run."""
    chance = random.Random(5)

    def pick(values: Any) -> Any:
        return None if chance.random() < 0.25 else chance.choice(list(values))

    with unit_of_work(peopled.site.engine, system_actor("tests")) as session:
        organizations = {row.id: row for row in session.scalars(select(Organization))}
        codes = {name: list(MEETING.fields[name].code_list) for name in ("kind", "status", "lecturer_post")}
        for number in range(60):
            expected, status = pick([0, 1, 2, 40]), chance.choice(codes["status"])
            held_on = chance.choice(DAYS) if status == "held" else pick(DAYS)
            session.connection().execute(
                insert(Meeting.__table__).values(
                    code=f"F{number}", organization_id=chance.choice(list(organizations)),
                    topic=chance.choice(TEXTS[1:]), kind=chance.choice(codes["kind"]),
                    status=status, held_on=held_on, reviewed_on=pick(DAYS),
                    planned_at=pick(MOMENTS), place=pick(TEXTS[1:]), lecturer_post=pick(codes["lecturer_post"]),
                    expected=expected, attended=pick(range(min(expected or 0, 2) + 1)), is_double=chance.random() < 0.5,
                )
            )  # fmt: skip
    with unit_of_work(peopled.site.engine, system_actor("tests"), writes=False) as session:
        plain = {
            key: {name: getattr(row, name) for name in ("code", "name", "tier")} for key, row in organizations.items()
        }
        for key, row in organizations.items():
            plain[key]["parent"] = plain.get(row.parent_id)
        rows = {
            row.id: {name: getattr(row, name) for name in MEETING.fields} | {"organization": plain[row.organization_id]}
            for row in session.scalars(select(Meeting))
        }
    return Meetings(Program(peopled.site), peopled.site, rows, list(organizations))


def operands(path: str, column: Any) -> list[Any]:
    if column.relation:
        return ["DD", "DA", "DA1", "none", {"field": "organization"}, {"field": "organization.parent"}]
    match column.kind:
        case FieldKind.TEXT:
            return [*TEXTS[1:], "A街道", {"field": "place"}, {"field": "organization.name"}]
        case FieldKind.CODE:
            return list(map(str, column.codes))
        case FieldKind.INTEGER:
            return [0, 1, 2, 40, 1.5, {"field": "attended"}]
        case FieldKind.BOOLEAN:
            return [True, False]
        case FieldKind.DATE:
            fields = [{"field": "reviewed_on"}, {"field": "held_on+15d"}, {"field": "planned_at"}]
            return [*map(str, DAYS), "as_of", "as_of-15d", "as_of-1m", "year_start", "year_end+1d", *fields]
    return [*(moment.isoformat() for moment in MOMENTS), str(DAYS[1]), "as_of-15d", {"field": "held_on"}]


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    path = draw(st.sampled_from(PATHS))
    column = resolve_column(MEETING, path)
    operator = draw(st.sampled_from(sorted(operators_for(column.kind))))
    operand = st.sampled_from(operands(path, column))
    plain = st.sampled_from([each for each in operands(path, column) if not isinstance(each, dict)])
    match operator:
        case Operator.NULL:
            return {path: {"null": draw(st.booleans())}}
        case Operator.CONTAINS | Operator.STARTS_WITH:
            return {path: {operator: draw(st.sampled_from(TEXTS[1:]))}}
        case Operator.BETWEEN:
            return {path: {operator: [draw(plain), draw(plain)]}}
        case Operator.IN | Operator.NOT_IN:
            return {path: {operator: draw(st.lists(plain, min_size=1, max_size=3))}}
    return {path: {operator: draw(operand)}}


filters = combined(comparisons())


def in_query(written: Any, name: str = "filter") -> list[tuple[str, str]]:
    """A filter as parameters: ``filter[or][0][status][eq]=held``."""
    if isinstance(written, Mapping):
        return [each for key, value in written.items() for each in in_query(value, f"{name}[{key}]")]
    if isinstance(written, list) and written and isinstance(written[0], Mapping):
        return [each for number, value in enumerate(written) for each in in_query(value, f"{name}[{number}]")]
    if isinstance(written, list):
        return [(name, ",".join(map(in_text, written)))]
    return [(name, in_text(written))]


def in_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@given(written=filters)
@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_filter_finds_the_same_rows_everywhere(meetings: Meetings, written: dict[str, Any]) -> None:
    context = Context(today(), Period.containing(today(), PeriodKind.YEAR))
    dates = DateContext(today(), context.period)
    anchors: dict[str, date] = {name: dates.anchor(name) for name in ANCHORS}
    tree = parse_filter(written, MEETING)
    wanted = {key for key, row in meetings.rows.items() if holds(tree, row, anchors)}

    answer = meetings.program.get("meeting/?" + urlencode([*in_query(written), ("fields", "id"), ("page_size", "100")]))
    assert answer.status_code == 200, answer.text
    assert {row["id"] for row in answer.get_json()["result"]} == wanted
    assert answer.get_json()["count"] == len(wanted)

    behind = rows_behind(
        metric("found", count="meeting", where=written), "organization", meetings.organizations, context, registry
    )
    with for_reading(meetings.site.engine).connect() as connection:
        assert set(connection.scalars(behind)) == {key for key in wanted if is_past(meetings.rows[key])}


def is_past(row: Mapping[str, Any]) -> bool:
    """Rules count nothing that is dated after their day."""
    return row["held_on"] is None or row["held_on"] <= today()
