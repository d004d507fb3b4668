# ruff: noqa: E501 - the cases are lines as people write them
"""``rules test``: the contract's own examples pass, and every kind of difference is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.rules.testing import agrees, run_tests

from .rule_folders import INDEX, MEMBER_INDEX, WARNING, replaced, write_rules

THEME_DAY = """\
warning: monthly_theme_day
label: 主题党日
subject: organization
applies_to: [{tier: branch}, members > 0]
period: month
metrics:
  members: {count: member, window: current}
  last: {maximum: meeting, of: held_on, where: {kind: theme_day, status: held}}
value: periods_since(coalesce(last, founded_on))
levels: {yellow: value >= 1 and day(as_of) >= 25, orange: ">= 2", red: "value >= 3 or days_held(members < 3) > 180"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_rules(
        tmp_path,
        {
            "indices/strength.yaml": INDEX,
            "indices/vanguard.yaml": MEMBER_INDEX,
            "warnings/expiry.yaml": WARNING,
            "warnings/monthly_theme_day.yaml": THEME_DAY,
        },
    )


def said(folder: Path, cases: str) -> list[str]:
    write_rules(folder, {"tests/cases.yaml": cases})
    return [problem.in_language("en") for problem in run_tests(folder).problems]


PASSING = """\
- given: {organization: {code: A1, tier: branch}, meeting: [{kind: lecture, status: held, held_on: 2026-07-03, expected: 10, attended: 9}]}
  index: strength
  as_of: 2026-09-30
  expect: {held: 33.33, turnout: 80, meetings: 1, score: 52, light: red, rank: 1, peer_rank: 1}
- given: {organization: {code: A1, tier: branch, founded_on: 2020-01-01}, member: [{joined_on: 2020-02-01}], previous: {level: orange}, held_since: 2026-03-01}
  warning: monthly_theme_day
  as_of: 2026-09-30
  expect: {level: red, value: 80}
- name: held for half a year and a day
  given: {organization: {founded_on: 2020-01-01}, member: {}, meeting: {kind: theme_day, status: held, held_on: 2026-09-05}, held_since: 2026-03-30}
  warning: monthly_theme_day
  as_of: 2026-09-30
  expect: {level: red, value: 0, last: 2026-09-05}
- name: without members it does not apply
  given: {organization: {}}
  warning: monthly_theme_day
  as_of: 2026-09-30
  expect: {applies: false}
- name: several subjects by code
  given:
    organization: [{code: A1}, {code: A2}]
    meeting: [{organization: A1, status: held, held_on: 2026-07-03}, {organization: A2, status: held, held_on: 2026-07-03},
      {organization: A2, status: held, held_on: 2026-08-03}, {organization: A2, status: held, held_on: 2026-09-03}]
  index: strength
  period: 2026Q3
  expect: {A1: {held: 33.3, turnout: null, rank: 2}, A2: {held: 100, light: green, rank: 1}}
"""


def test_the_contracts_examples_pass(folder: Path) -> None:
    write_rules(folder, {"tests/cases.yaml": PASSING})
    run = run_tests(folder)
    assert [problem.in_language("en") for problem in run.problems] == []
    assert (run.cases, run.failed) == (5, 0)


CASE = """\
- given: {organization: {code: A1}, meeting: {status: held, held_on: 2026-07-03}}
  index: strength
  as_of: 2026-09-30
  expect: {held: 33.33}
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{held: 33.33}", "{held: 33.34}", "4: [0].expect.held: held: expected 33.34, found 33.3333333333"),
        ("{held: 33.33}", "{held: null}", "4: [0].expect.held: held: expected null, found 33.3333333333"),
        ("{held: 33.33}", "{turnout: 3}", "4: [0].expect.turnout: turnout: expected 3, found null"),
        ("{held: 33.33}", "{light: green}", "4: [0].expect.light: light: expected green, found red"),
        ("{held: 33.33}", "{applies: false}", "4: [0].expect.applies: applies: expected false, found true"),
        ("{held: 33.33}", "{A1: {held: 5}}", "4: [0].expect.A1.held: A1.held: expected 5, found 33.3333333333"),
        ("{held: 33.33}", "{A2: {held: 5}}", "no organization with the code “A2” is given"),
        ("{held: 33.33}", "{holding: 5}", "there is no “holding”; allowed: score, light"),
        ("{held: 33.33}", "{}", "nothing is expected"),
        ("index: strength", "index: strenght", "2: [0].index: there is no “strenght”; did you mean “strength”?"),
        ("index: strength", "warning: strength", "2: [0].warning: there is no “strength”"),
        ("  index: strength\n", "", "say with index: or warning:"),
        ("as_of: 2026-09-30", "as_of: someday", "3: [0].as_of: expected a date"),
        ("  as_of: 2026-09-30\n", "", "“as_of” is missing"),
        ("as_of: 2026-09-30", "period: 2026-09", "the rule's period is quarter, not month"),
        ("as_of: 2026-09-30", "asof: 2026-09-30", "unknown key “asof”"),
        ("status: held", "statuss: held", "1: [0].given.meeting.statuss: there is no “statuss”"),
        ("status: held", "status: heldd", "“heldd” does not fit status (code)"),
        ("held_on: 2026-07-03", "held_on: soon", "“soon” does not fit held_on (date)"),
        ("meeting: {", "meetings: {", "there is no “meetings”; did you mean “meeting”?"),
        ("status: held,", "status: held, organization: A9,", "there is no organization with the code “A9”"),
        ("{code: A1}", "[{code: A1}, {code: A2}]", "say which organization it belongs to; given are: A1, A2"),
    ],
)
def test_what_is_told(folder: Path, old: str, new: str, told: str) -> None:
    found = said(folder, replaced(CASE, old, new))
    assert any(told in line for line in found), found
    assert all(line.startswith("tests/cases.yaml:") for line in found)


def test_the_case_that_is_broken_above_passes(folder: Path) -> None:
    assert said(folder, CASE) == []


def test_a_broken_rule_fails_its_tests_only(folder: Path) -> None:
    write_rules(folder, {"warnings/expiry.yaml": replaced(WARNING, "term_ends_on", "term")})
    more = "- {given: {organization: {}}, warning: expiry, as_of: 2026-01-01, expect: {level: null}}\n"
    assert [line.partition(": ")[2] for line in said(folder, CASE + more)] == [
        "[1].warning: the rule “expiry” has faults (see rules check)"
    ]


READER = """\
index: reader
subject: organization
period: quarter
metrics:
  mean: {average: index, of: vanguard}
  good: {count: index, of: vanguard, where: {study: {gte: 100}}}
  before: {average: index, of: vanguard, back: 1}
  red: {count: warning, where: {level: red}}
  old: {count: warning, where: {since: {lt: as_of-90d}}}
  members: {count: member}
tree: [{code: mean, value: mean}]
lights: {red: "< 60", green: ">= 60"}
"""


def test_results_are_given_or_computed(folder: Path) -> None:
    write_rules(folder, {"indices/reader.yaml": READER})
    cases = """\
- name: given
  given: {organization: {}, index: {vanguard: [{score: 80, study: 100}, {score: 60, study: 50}]}, warning: [{level: red, since: 2026-01-01}]}
  index: reader
  as_of: 2026-09-30
  expect: {mean: 70, good: 1, red: 1, old: 1, members: 0, before: null}
- name: given for an earlier period
  given: {organization: {}, index: {vanguard: [{score: 80}, {score: 50, period: 2026Q2}]}, warning: []}
  index: reader
  as_of: 2026-09-30
  expect: {mean: 80, before: 50, red: 0}
- name: computed from the rows
  given: {organization: {term_ends_on: 2026-01-01}, member: [{code: M1}, {code: M2}], study_record: {member: M1, hours: 8, completed_on: 2026-07-01}}
  index: reader
  as_of: 2026-09-30
  expect: {mean: 50, good: 1, red: 1, members: 2}
"""
    assert said(folder, cases) == []


def test_rows_tie_to_the_only_row_and_subtrees_to_their_root(folder: Path) -> None:
    tree = replaced(INDEX, "{count: meeting, where: {status: held}, window: period}", "{count: member, over: subtree}")
    write_rules(folder, {"indices/strength.yaml": tree})
    cases = """\
- given: {organization: [{code: S}, {code: A, parent: S}, {code: B, parent_code: A}], member: [{organization: A}, {organization: B}, {organization: S}]}
  index: strength
  as_of: 2026-09-30
  expect: {S: {meetings: 3}, A: {meetings: 2}, B: {meetings: 1}}
"""
    assert said(folder, cases) == []


@pytest.mark.parametrize(
    ("expected", "text", "found", "result"),
    [
        (80, "80", 80.4, True),
        (80, "80", 80.6, False),
        (88.0, "88.0", 88.04, True),
        (88.0, "88.0", 88.06, False),
        (0.1, "0.1", 0.1 + 4e-17, True),
        (True, "true", True, True),
        (1, "1", True, True),
        (False, "false", None, False),
        (None, "null", None, True),
        ("red", "red", "red", True),
        ("red", "red", None, False),
        (3, "3", "3", False),
    ],
)
def test_numbers_agree_to_the_decimals_written(expected: object, text: str, found: object, result: bool) -> None:
    assert agrees(expected, text, found) is result
