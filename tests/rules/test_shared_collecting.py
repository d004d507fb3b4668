"""Rules that are collected together get what each would get alone, in fewer statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import Engine, create_engine, event, update

from app.entity.filters import parse_filter
from app.entity.labels import Label
from app.entity.periods import Period
from app.entity.registry import registry
from app.rules.collecting import Asked, Records, collect
from app.rules.context import Context
from app.rules.expression_parser import parse_expression
from app.rules.model import Index, RollUp, Warning
from tests.rules.collecting_world import AS_OF, NoResults, NoState, fill, metric, rule_of


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    tables = [entity.model.__table__ for entity in registry]
    registry["organization"].model.metadata.create_all(engine, tables=tables)
    yield engine
    engine.dispose()


def filter_of(**written: Any) -> Any:
    return parse_filter(written, registry["organization"])


def called(code: str, rule: Warning, **more: Any) -> Warning:
    return replace(rule, code=code, **more)


HELD = {"status": "held"}
QUARTER = Context(AS_OF, Period.parse("2026Q3"))
YEAR = Context(AS_OF, Period.parse("2026"))
RULES = (
    Asked(
        called(
            "quarter",
            rule_of(
                metric("members", count="member", where={"membership_status": "normal"}, window="current"),
                metric("held", count="meeting", where=HELD, window="period"),
                metric("late", count="meeting", where={"held_on": {"gt": "period_start+40d"}}),
                metric("below", count="member", window="current", over="subtree"),
            ),
            applies_to=(filter_of(founded_on={"lt": "period_start"}), parse_expression("members > 0")),
        ),
        QUARTER,
    ),
    Asked(
        called(
            "year",
            rule_of(
                metric("heads", count="member", where={"membership_status": "normal"}, window="current"),
                metric("held", count="meeting", where=HELD, window="period"),
                metric("late", count="meeting", where={"held_on": {"gt": "period_start+40d"}}),
                metric("came", sum="meeting", of="attended", where=HELD, window="quarter"),
            ),
            applies_to=(filter_of(founded_on={"lt": "period_start"}), parse_expression("unit_type == 'soe'")),
        ),
        YEAR,
    ),
    Asked(
        called("plain", rule_of(metric("held", count="meeting", where=HELD, window="quarter"))),
        Context(AS_OF),
    ),
)
"""The same in other words, and other things in the same words."""


def fill_world(engine: Engine) -> None:
    fill(
        engine,
        member=[{"id": 1, "organization_id": 4}, {"id": 2, "organization_id": 7}],
        meeting=[
            {"organization_id": 4, **HELD, "held_on": date(2026, 2, 1), "expected": 9, "attended": 3},
            {"organization_id": 4, **HELD, "held_on": date(2026, 8, 1), "expected": 9, "attended": 5},
            {"organization_id": 4, **HELD, "held_on": date(2026, 8, 20), "expected": 9, "attended": 7},
            {"organization_id": 5, "status": "planned", "held_on": date(2026, 9, 1)},
        ],
    )
    organizations = registry["organization"].model.__table__
    with engine.begin() as connection:
        connection.execute(update(organizations).values(founded_on=date(2026, 5, 1)))


def alone(engine: Engine, asked: Asked) -> Any:
    with engine.connect() as connection:
        return collect(
            connection,
            asked.rule,
            registry,
            asked.context,
            subjects=asked.subjects,
            results=NoResults(),
            state=NoState(),
        )


@pytest.mark.parametrize("subjects", [None, {"quarter": [4, 7], "year": [4, 5], "plain": []}])
def test_together_and_alone_agree(engine: Engine, subjects: dict[str, list[int]] | None) -> None:
    fill_world(engine)
    asked = [replace(each, subjects=subjects and subjects[each.rule.code]) for each in RULES]
    with engine.connect() as connection, Records(connection, asked, registry) as records:
        for each in asked:
            frame = records.frame(each.rule, results=NoResults(), state=NoState())
            assert_frame_equal(frame, alone(engine, each))
            if subjects is not None:
                assert frame["subject_id"].to_list() == sorted(subjects[each.rule.code])


def test_a_statement_answers_all_rules_that_can_share_it(engine: Engine) -> None:
    fill_world(engine)
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    with engine.connect() as connection, Records(connection, RULES, registry) as records:
        for each in RULES:
            records.frame(each.rule, results=NoResults(), state=NoState())
    # Subjects; members; members below; the tree above; meetings; and, for each of two periods, those it dates.
    assert len(statements) == 7
    (members,) = [text for text in statements if "FROM bc_member" in text and "membership_status" in text]
    assert members.count("sum(") == 1


def test_subjects_that_no_rule_applies_to_are_not_read(engine: Engine) -> None:
    fill_world(engine)
    asked = [
        Asked(called("a", rule_of(applies_to=(filter_of(code="O4"),))), YEAR),
        Asked(called("b", rule_of(applies_to=(filter_of(code={"in": ["O5", "O6"]}),))), YEAR),
    ]
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    with engine.connect() as connection, Records(connection, asked, registry, leaving_out=True) as records:
        frames = [records.frame(each.rule, results=NoResults(), state=NoState()) for each in asked]
    assert [frame["subject_id"].to_list() for frame in frames] == [[4], [5, 6]]
    assert len(statements) == 1
    assert "WHERE" in statements[0]


@pytest.mark.parametrize("subjects", [None, [1, 2, 4, 7]])
def test_figures_that_no_result_depends_on_are_all_that_is_left_out(engine: Engine, subjects: list[int] | None) -> None:
    fill_world(engine)
    figures = (
        metric("held", count="meeting", where=HELD, window="year"),
        metric("below", count="member", window="current", over="subtree"),
    )
    index = Index(
        "index",
        Label("指数", "Index"),
        "organization",
        "index.yaml",
        "0" * 64,
        metrics=figures,
        applies_to=(filter_of(code={"in": ["O4", "O7"]}),),
        roll_up=RollUp(0.5, 0.5, "below"),
    )
    asked = Asked(index, YEAR, subjects)
    with engine.connect() as connection, Records(connection, [asked], registry, leaving_out=True) as records:
        frame = records.frame(index, results=NoResults(), state=NoState())
    whole = alone(engine, replace(asked, subjects=None)).filter(
        pl.col("subject_id").is_in(frame["subject_id"].implode())
    )
    assert_frame_equal(frame.select("subject_id", "f.0", "m.below"), whole.select("subject_id", "f.0", "m.below"))
    assert_frame_equal(frame.filter("f.0"), whole.filter("f.0"))
    assert frame.filter("f.0")["m.held"].to_list() == [3.0, 0.0]


def test_rules_of_different_dates_are_kept_apart(engine: Engine) -> None:
    fill_world(engine)
    rule = rule_of(metric("held", count="meeting", where=HELD, window="year"))
    days = (date(2026, 7, 1), AS_OF)
    asked = [Asked(called(str(day), rule), Context(day)) for day in days]
    with engine.connect() as connection, Records(connection, asked, registry) as records:
        held = [
            records.frame(each.rule, results=NoResults(), state=NoState()).filter(subject_id=4)["m.held"].item()
            for each in asked
        ]
    assert held == [1.0, 3.0]
