"""Collecting by hand: what the rule language promises, case by case. (``test_collecting_model`` has the breadth.)"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, create_engine, event

from app.database.encryption import Keyring, use_keyring
from app.entity.filters import parse_filter
from app.entity.labels import UserError
from app.entity.registry import registry
from app.rules.expression_parser import parse_expression
from app.rules.model import Parameter
from app.rules.result_columns import IndexResults, warning_columns
from tests.rules.collecting_world import AS_OF, NoResults, collected, figures, fill, metric, rule_of

pytestmark = pytest.mark.filterwarnings("error::sqlalchemy.exc.SAWarning")

MEMBERS = [
    {"id": 1, "organization_id": 4, "joined_on": date(2020, 1, 1), "employer": "Mill", "mobile": "13800000000"},
    {"id": 2, "organization_id": 4, "joined_on": None, "employer": "mill", "birth_date": date(1980, 5, 1)},
    {"id": 3, "organization_id": 4, "joined_on": date(2020, 1, 1), "left_on": AS_OF},
    {"id": 4, "organization_id": 4, "joined_on": date(2020, 1, 1), "left_on": date(2026, 9, 29)},
    {"id": 5, "organization_id": 4, "joined_on": date(2026, 10, 1)},
    {"id": 6, "organization_id": 7, "joined_on": AS_OF},
]


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    tables = [entity.model.__table__ for entity in registry]
    registry["organization"].model.metadata.create_all(engine, tables=tables)
    yield engine
    engine.dispose()


def one(engine: Engine, subject: int = 4, entity: str = "organization", results: Any = None, **written: Any) -> Any:
    """One metric of one subject."""
    more = {key: written.pop(key) for key in ("as_of", "period") if key in written}
    with engine.connect() as connection:
        rule = rule_of(metric("it", **written), subject=entity)
        return figures(collected(connection, rule, results=results, **more), "it")[subject]


# Windows and dates ----------------------------------------------------------------------------------------------------


def test_current_takes_both_ends_in_and_an_end_not_filled_in_is_open(engine: Engine) -> None:
    fill(engine, member=MEMBERS)
    assert one(engine, count="member", window="current") == 3  # 1, 2 and 3; 4 left the day before, 5 joins later
    assert one(engine, count="member", window="current", as_of=date(2026, 9, 29)) == 4
    assert one(engine, count="member", window="current", as_of=date(2026, 10, 1)) == 3


@pytest.mark.parametrize(
    ("window", "back", "counted"),
    [
        ("month", 0, {"2026-09-01", "2026-09-30"}),
        ("month", 1, {"2026-08-31"}),
        ("quarter", 0, {"2026-07-01", "2026-07-02", "2026-08-31", "2026-09-01", "2026-09-30"}),
        ("quarter", 1, {"2026-06-30"}),
        ("half_year", 1, {"2026-06-30"}),
        ("year", 1, {"2025-09-30", "2025-10-01", "2025-12-31"}),
        ("period", 0, {"2026-06-30", "2026-07-01", "2026-07-02", "2026-08-31", "2026-09-01", "2026-09-30"}),
        ("91d", 0, {"2026-07-02", "2026-08-31", "2026-09-01", "2026-09-30"}),
        ("3m", 0, {"2026-07-01", "2026-07-02", "2026-08-31", "2026-09-01", "2026-09-30"}),
        ("1m", 0, {"2026-08-31", "2026-09-01", "2026-09-30"}),
        ("12m", 0, {"2025-10-01", "2025-12-31", "2026-06-30", "2026-07-01", "2026-07-02", "2026-08-31", "2026-09-01"}
         | {"2026-09-30"}),
        ("1y", 0, {"2025-10-01", "2025-12-31", "2026-06-30", "2026-07-01", "2026-07-02", "2026-08-31", "2026-09-01"}
         | {"2026-09-30"}),
    ],
)  # fmt: skip
def test_windows_by_the_calendar(engine: Engine, window: str, back: int, counted: set[str]) -> None:
    days = ["2025-09-30", "2025-10-01", "2025-12-31", "2026-06-30", "2026-07-01", "2026-07-02", "2026-08-31"]
    days += ["2026-09-01", "2026-09-30", "2026-10-01"]
    rows = [{"id": n, "organization_id": 4, "held_on": date.fromisoformat(day)} for n, day in enumerate(days, 1)]
    fill(engine, meeting=rows)
    assert one(engine, count="meeting", window=window, back=back) == len(counted)


def test_lengths_are_clamped_to_the_end_of_the_month(engine: Engine) -> None:
    fill(engine, meeting=[{"organization_id": 4, "held_on": date(2026, 2, day)} for day in (27, 28)])
    # One month before 31 March is 28 February, which lies before the window.
    assert one(engine, count="meeting", window="1m", as_of=date(2026, 3, 31)) == 0
    assert one(engine, count="meeting", window="1m", as_of=date(2026, 3, 27)) == 1


def test_all_takes_rows_without_a_date_but_none_of_the_future(engine: Engine) -> None:
    days = [None, date(1999, 1, 1), AS_OF, date(2026, 10, 1)]
    fill(engine, meeting=[{"organization_id": 4, "held_on": day} for day in days])
    assert one(engine, count="meeting") == 3
    assert one(engine, count="meeting", window="year") == 1


def test_periods_are_dated_by_their_first_day(engine: Engine) -> None:
    values = {"2025": 1.0, "2026-04": 2.0, "2026Q2": 3.0, "2026-10": 9.0, "2026H2": 4.0}
    rows = [
        {"id": number, "organization_id": 4, "metric": "le", "period": period, "value": value}
        for number, (period, value) in enumerate(values.items(), 1)
    ]
    fill(engine, observation=rows)
    latest = {"latest": "observation", "of": "value", "where": {"metric": "le"}}
    assert one(engine, **latest) == 4.0
    assert one(engine, **latest, as_of=date(2026, 6, 30)) == 3.0  # of two of one day, the greater id
    assert one(engine, **latest, as_of=date(2026, 3, 31)) == 1.0
    assert one(engine, **latest, window="year", as_of=date(2026, 3, 31)) is None
    assert one(engine, latest="observation", of="period") == date(2026, 7, 1)
    assert one(engine, count="observation", window="half_year") == 1


def test_a_published_index_finds_its_observations(engine: Engine) -> None:
    rows = [
        {"organization_id": organization, "metric": name, "period": "2021", "value": organization * 10.5 + number}
        for organization in (1, 2)
        for number, name in enumerate(("le", "eys", "mys", "gnipc"))
        if (organization, name) != (2, "mys")
    ]
    fill(engine, observation=rows)
    metrics = [
        metric(name, latest="observation", of="value", where={"metric": name}, window="period")
        for name in ("le", "eys", "mys", "gnipc")
    ]
    with engine.connect() as connection, counted_statements(engine) as statements:
        frame = collected(connection, rule_of(*metrics), as_of=date(2021, 12, 31), period="2021")
    assert frame.filter(pl.col("subject_id") <= 3).select("m.le", "m.eys", "m.mys", "m.gnipc").rows() == [
        (10.5, 11.5, 12.5, 13.5),
        (21.0, 22.0, None, 24.0),
        (None, None, None, None),
    ]
    assert len(statements) == 2  # the subjects, and one for all four metrics


class counted_statements:
    """The statements that an engine runs inside the block."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.statements = engine, []

    def __enter__(self) -> list[str]:
        event.listen(self.engine, "before_cursor_execute", self._note)
        return self.statements

    def __exit__(self, *_error: Any) -> None:
        event.remove(self.engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        self.statements.append(statement)


# Aggregates and ties --------------------------------------------------------------------------------------------------


def test_what_metrics_are_without_rows(engine: Engine) -> None:
    fill(engine)
    found = {
        "count": one(engine, count="meeting"),
        "sum": one(engine, sum="meeting", of="attended"),
        "distinct": one(engine, distinct="meeting", of="topic"),
        "streak": one(engine, streak="meeting", where={"status": "held"}),
        "exists": one(engine, exists="meeting"),
        "average": one(engine, average="meeting", of="attended"),
        "maximum": one(engine, maximum="meeting", of="held_on"),
        "latest": one(engine, latest="meeting", of="kind"),
        "subtree": one(engine, count="meeting", over="subtree"),
    }
    assert found == {
        "count": 0.0,
        "sum": 0.0,
        "distinct": 0.0,
        "streak": 0.0,
        "exists": False,
        "average": None,
        "maximum": None,
        "latest": None,
        "subtree": 0.0,
    }


def test_metrics_of_one_entity_share_one_statement_without_sharing_rows(engine: Engine) -> None:
    rows = [
        {"kind": "lecture", "status": "held", "held_on": date(2026, 8, 1), "expected": 10, "attended": 9},
        {"kind": "lecture", "status": "held", "held_on": date(2026, 3, 1), "expected": 10, "attended": 5},
        {"kind": "theme_day", "status": "held", "held_on": date(2026, 9, 1), "expected": 10, "attended": 10},
        {"kind": "theme_day", "status": "planned", "held_on": None},
    ]
    fill(engine, meeting=[{"organization_id": 4, **row} for row in rows])
    metrics = [
        metric("lectures", count="meeting", where={"kind": "lecture", "status": "held"}, window="quarter"),
        metric("present", sum="meeting", of="attended", where={"status": "held"}, window="year"),
        metric("planned", count="meeting", where={"status": "planned"}),
        metric("last", maximum="meeting", of="held_on", where={"kind": "lecture"}),
        metric("turnout", average="meeting", of="attended / expected", weight="expected", window="year"),
    ]
    with engine.connect() as connection, counted_statements(engine) as statements:
        frame = collected(connection, rule_of(*metrics))
    assert frame.row(by_predicate=pl.col("subject_id") == 4, named=True) | {
        "m.lectures": 1.0,
        "m.present": 24.0,
        "m.planned": 1.0,
        "m.last": date(2026, 8, 1),
        "m.turnout": 0.8,
    } == frame.row(by_predicate=pl.col("subject_id") == 4, named=True)
    assert len(statements) == 2


def test_sums_of_money_are_exact(engine: Engine) -> None:
    paid = ["0.10", "0.20", "0.30", "1000000.01"]
    rows = [
        {"organization_id": 4, "member_id": 1, "period": f"2026-0{n}", "paid": one, "paid_on": AS_OF}
        for n, one in enumerate(paid, 1)
    ]
    fill(engine, member=MEMBERS, fee_payment=rows)
    assert one(engine, sum="fee_payment", of="paid") == 1000000.61


def test_ties_by_path_and_over_subtrees(engine: Engine) -> None:
    # The tree: 1 (2 (4 (7), 5), 3 (6)).
    fill(engine, meeting=[{"organization_id": one, "held_on": AS_OF} for one in (2, 4, 4, 6, 7)])
    by_parent = {n: one(engine, n, count="meeting", via="organization.parent") for n in (1, 2, 4)}
    assert by_parent == {1: 1.0, 2: 2.0, 4: 1.0}
    assert {n: one(engine, n, count="meeting", over="subtree") for n in (1, 2, 3, 5)} == {1: 5, 2: 4, 3: 1, 5: 0}
    assert one(engine, 2, count="meeting", via="organization.parent", over="subtree") == 3  # not those of 2 itself
    assert one(engine, 2, count="organization", via="parent") == 2
    assert one(engine, 2, count="organization", over="subtree") == 4  # itself, 4, 5 and 7
    assert one(engine, 2, count="organization", via="parent", over="subtree") == 3


def test_organizations_moved_under_another_count_there_now(engine: Engine) -> None:
    fill(engine, meeting=[{"organization_id": 7, "held_on": date(2026, 1, 1)}])
    with engine.begin() as connection:
        table = registry["organization"].model.__table__
        connection.execute(table.update().where(table.c.id == 7).values(parent_id=6, path="/1/3/6/7/"))
    assert {n: one(engine, n, count="meeting", over="subtree") for n in (4, 6)} == {4: 0, 6: 1}


def test_a_streak_ends_at_the_first_row_that_fails(engine: Engine) -> None:
    statuses = ["present", "absent", "absent", "leave", "absent"]
    meetings = [{"id": n, "organization_id": 4, "status": "held", "held_on": date(2026, n, 1)} for n in range(1, 6)]
    rows = [
        {"id": n, "organization_id": 4, "member_id": 1, "meeting_id": n, "held_on": date(2026, n, 1), "status": status}
        for n, status in enumerate(statuses, 1)
    ]
    fill(engine, member=MEMBERS, meeting=meetings, attendance=rows)
    absent = {"streak": "attendance", "where": {"status": "absent"}}
    assert one(engine, 1, "member", **absent) == 1  # the leave between them ends it
    among = {"meeting.status": "held", "status": {"ne": "leave"}}
    assert one(engine, 1, "member", **absent, among=among) == 3
    assert one(engine, 1, "member", **absent, among=among, as_of=date(2026, 2, 28)) == 1
    assert one(engine, 2, "member", **absent) == 0


def test_subjects_of_any_entity(engine: Engine) -> None:
    fill(
        engine,
        member=MEMBERS,
        meeting=[{"id": n, "organization_id": 4, "held_on": AS_OF} for n in (1, 2)],
        attendance=[{"organization_id": 4, "member_id": n, "meeting_id": 1, "held_on": AS_OF} for n in (1, 2, 3)],
    )
    assert one(engine, 1, "meeting", count="attendance") == 3
    assert one(engine, 2, "meeting", count="attendance") == 0
    with engine.connect() as connection:
        rule = rule_of(subject="attendance", value=parse_expression("days_since(held_on)"))
        frame = collected(connection, rule)
    assert frame.get_column("s.held_on").to_list() == [AS_OF] * 3
    assert frame.get_column("organization_id").to_list() == [4, 4, 4]


# Personal data --------------------------------------------------------------------------------------------------------


def test_encrypted_columns_are_asked_whether_they_are_filled_and_never_decrypted(engine: Engine) -> None:
    fill(engine, member=MEMBERS)
    use_keyring(Keyring.generate())  # whatever decrypted now would fail
    assert one(engine, average="member", of="filled(mobile, birth_date)") == 0.25  # of four who joined by then
    assert one(engine, count="member", where={"mobile": {"null": False}}) == 1
    with engine.connect() as connection:
        rule = rule_of(subject="member", value=parse_expression("filled(mobile, id_no)"))
        frame = collected(connection, rule)
    assert frame.get_column("s.mobile").is_not_null().to_list() == [True, *[False] * 5]
    assert not any("13800000000" in str(value) for row in frame.rows() for value in row)
    for of in ("mobile", "coalesce(mobile, name)"):
        with pytest.raises(UserError):
            one(engine, latest="member", of=of)
    with pytest.raises(UserError):
        one(engine, distinct="member", of="mobile")


# Results of other rules -----------------------------------------------------------------------------------------------

VANGUARD = pl.DataFrame(
    {
        "subject_id": [1, 2, 6, 99],
        "score": [80.0, None, 60.0, 5.0],
        "light": ["green", "no_data", "red", "red"],
        "rank": [1, None, 2, 3],
        "study.score": [100.0, 50.0, None, 1.0],
    },
    schema_overrides={"rank": pl.UInt32},
)


def of_index(written: Any) -> Any:
    return parse_filter(written, IndexResults("vanguard", "member", ("study",)).columns)


def index_metric(where: Any = None, **written: Any) -> Any:
    made = metric("it", **written)
    return made if where is None else type(made)(**{**made.__dict__, "where": of_index(where)})


def results_of(engine: Engine, made: Any, results: NoResults, subject: str = "organization") -> dict[int, Any]:
    with engine.connect() as connection:
        return figures(collected(connection, rule_of(made, subject=subject), results=results), "it")


def test_results_of_an_index_are_those_of_subjects_tied_to_this_one(engine: Engine) -> None:
    fill(engine, member=MEMBERS)
    results = NoResults({"vanguard": ("member", VANGUARD)})

    def found(where: Any = None, **written: Any) -> Any:
        by_subject = results_of(engine, index_metric(where, **written), results)
        return by_subject[4], by_subject[7], by_subject[5]

    assert found(average="index", of="vanguard") == (80.0, 60.0, None)
    assert found(count="index", of="vanguard") == (2.0, 1.0, 0.0)
    assert found({"study": {"gte": 100}}, count="index", of="vanguard") == (1.0, 0.0, 0.0)
    assert found({"study": {"null": False}}, count="index", of="vanguard") == (2.0, 0.0, 0.0)
    assert found(sum="index", of="vanguard.study") == (150.0, 0.0, 0.0)
    assert found({"light": {"ne": "no_data"}}, latest="index", of="vanguard.light") == ("green", "red", None)
    assert found(exists="index", of="vanguard") == (True, True, False)
    assert found(minimum="index", of="vanguard.rank") == (1.0, 2.0, None)
    assert found({"score": {"lt": 1}}, count="index", of="vanguard") == (0.0, 0.0, 0.0)
    # 99 belongs to nobody any more; over a subtree the group's member counts for all above.
    by_subject = results_of(engine, index_metric(sum="index", of="vanguard", over="subtree"), results)
    assert by_subject == {1: 140.0, 2: 140.0, 3: 0.0, 4: 140.0, 5: 0.0, 6: 0.0, 7: 60.0}


def test_results_of_the_same_entity_are_the_subjects_own_or_by_a_path(engine: Engine) -> None:
    fill(engine)
    scores = pl.DataFrame({"subject_id": [4, 5, 7], "score": [10.0, 20.0, 30.0]})
    results = NoResults({"strength": ("organization", scores)})
    own = results_of(engine, metric("it", latest="index", of="strength"), results)
    assert (own[4], own[2]) == (10.0, None)
    children = results_of(engine, metric("it", average="index", of="strength", via="parent"), results)
    assert (children[2], children[4], children[5]) == (15.0, 30.0, None)


def test_back_reads_what_was_published_then(engine: Engine) -> None:
    fill(engine)
    results = NoResults({"strength": ("organization", pl.DataFrame({"subject_id": [4], "score": [10.0]}))})
    results_of(engine, metric("it", latest="index", of="strength", back=2), results)
    results_of(engine, metric("it", latest="index", of="strength", window="quarter", back=1), results)
    assert results.asked == [("strength", AS_OF, 2), ("strength", date(2026, 6, 30), 0)]


def test_an_index_that_has_no_results_leaves_metrics_empty(engine: Engine) -> None:
    fill(engine)
    nothing = pl.DataFrame(schema={"subject_id": pl.Int64, "score": pl.Float64, "light": pl.String})
    results = NoResults({"vanguard": ("organization", nothing)})
    assert results_of(engine, index_metric({"study": 1}, count="index", of="vanguard"), results)[4] == 0
    assert results_of(engine, index_metric(average="index", of="vanguard"), results)[4] is None
    assert results_of(engine, index_metric(latest="index", of="vanguard.light"), results)[4] is None


STANDING = pl.DataFrame(
    [
        ("O01", "red", "organization", date(2026, 8, 1), 4, 4, None),
        ("M02", "red", "member", date(2026, 1, 1), 1, 4, 1),
        ("M02", "yellow", "member", date(2026, 9, 1), 2, 4, 2),
        ("F01", "red", "fee_payment", date(2026, 9, 9), 77, 7, 6),
        ("F02", "no_data", "organization", date(2026, 9, 9), 4, 4, None),
    ],
    schema={
        "warning": pl.String,
        "level": pl.String,
        "entity": pl.String,
        "since": pl.Date,
        "subject_id": pl.Int64,
        "organization_id": pl.Int64,
        "member_id": pl.Int64,
    },
    orient="row",
)


def warning_metric(where: Any = None, **written: Any) -> Any:
    made = metric("it", **written)
    if where is None:
        return made
    columns = warning_columns(["O01", "M02", "F01", "F02"])
    return type(made)(**{**made.__dict__, "where": parse_filter(where, columns)})


def test_warnings_stand_on_the_subject_and_on_what_is_tied_to_it(engine: Engine) -> None:
    fill(engine, member=MEMBERS)
    results = NoResults(standing=STANDING)
    red = results_of(engine, warning_metric({"level": "red"}, count="warning"), results)
    assert (red[4], red[7], red[5]) == (2.0, 1.0, 0.0)
    any_level = results_of(engine, warning_metric(count="warning"), results)
    assert any_level[4] == 3.0  # no_data is no level that stands
    of_members = results_of(engine, warning_metric({"entity": "member"}, count="warning"), results)
    assert of_members[4] == 2.0
    members = results_of(engine, warning_metric({"level": "red"}, count="warning"), results, subject="member")
    assert (members[1], members[2], members[6]) == (1.0, 0.0, 1.0)
    below = results_of(engine, warning_metric({"level": "red"}, count="warning", over="subtree"), results)
    assert (below[1], below[2], below[3]) == (3.0, 3.0, 0.0)
    recent = results_of(engine, warning_metric(count="warning", window="quarter"), results)
    assert recent[4] == 2.0
    latest = results_of(engine, warning_metric(latest="warning", of="since"), results)
    assert latest[4] == date(2026, 9, 1)


def test_warnings_of_an_earlier_quarter_are_asked_for_by_its_days(engine: Engine) -> None:
    fill(engine)
    results = NoResults(standing=pl.concat([STANDING, STANDING]))
    found = results_of(engine, warning_metric({"level": "red"}, count="warning", window="quarter", back=1), results)
    assert results.asked == [(AS_OF, date(2026, 4, 1), date(2026, 6, 30))]
    assert found[4] == 2.0  # a level that stood twice in that time stood


# Subjects and state ---------------------------------------------------------------------------------------------------


def test_the_frame_has_what_expressions_parameters_and_filters_need(engine: Engine) -> None:
    fill(engine, member=MEMBERS)
    rule = rule_of(
        subject="member",
        value=parse_expression("days_since(coalesce(left_on, as_of)) + if(is_lost, hours_due, 0)"),
        parameters=(Parameter("hours_due", 32.0, "organization.unit_type", {"private": 56.0}),),
        applies_to=(
            parse_filter({"organization.unit_type": "private", "left_on": {"null": True}}, registry["member"]),
            parse_expression("organization.parent.code == 'O2'"),
        ),
    )
    with engine.connect() as connection:
        frame = collected(connection, rule, period=None)
    assert frame.columns == [
        "subject_id",
        "code",
        "organization_id",
        "member_id",
        "s.is_lost",
        "s.left_on",
        "s.organization.parent.code",
        "s.organization.unit_type",
        "f.0",
        "present",
    ]
    assert frame.schema["s.is_lost"] == pl.Boolean
    assert frame.schema["s.left_on"] == pl.Date
    assert frame.get_column("f.0").to_list() == [True, True, False, False, True, False]
    assert frame.get_column("s.organization.parent.code").to_list() == ["O2"] * 5 + ["O4"]


def test_few_subjects_are_the_only_ones_and_get_what_all_get(engine: Engine) -> None:
    fill(engine, member=MEMBERS, meeting=[{"organization_id": n, "held_on": AS_OF} for n in (2, 4, 7)])
    rule = rule_of(
        metric("own", count="meeting"),
        metric("below", count="meeting", over="subtree"),
        metric("groups", count="meeting", via="organization.parent"),
    )
    with engine.connect() as connection:
        everything = collected(connection, rule)
        for subjects in ([4], [1, 7], list(range(1, 8)), []):
            some = collected(connection, rule, subjects=subjects)
            assert some.equals(everything.filter(pl.col("subject_id").is_in(subjects)))


@pytest.mark.parametrize(
    "written",
    [
        {"count": "organization"},  # parent or territory: via must say
        {"count": "meeting", "via": "parent"},
        {"count": "attendance", "via": "member"},
        {"count": "meeting", "window": "current"},
        {"sum": "meeting", "of": "kind"},
        {"maximum": "meeting", "of": "kind"},
        {"sum": "meeting", "of": "held_on"},
        {"sum": "meeting", "of": "nothing"},
        {"sum": "meeting", "of": "workdays_between(held_on, as_of)"},
        {"count": "member", "via": "employer"},
    ],
)
def test_metrics_that_fit_no_entity_are_refused_in_words(engine: Engine, written: Any) -> None:
    fill(engine)
    with pytest.raises(UserError) as caught:
        one(engine, **written)
    assert caught.value.label.zh
    assert caught.value.label.en
