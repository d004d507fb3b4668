"""What ``rules check`` finds: one broken rule for every kind of fault, with what has to be said and where."""

from __future__ import annotations

import pytest

from app.rules.library import read_rules
from app.rules.problems import faults

from .rule_folders import INDEX, MEMBER_INDEX, WARNING, problems_of, replaced


def test_the_rules_that_are_broken_below_are_whole() -> None:
    assert problems_of(INDEX) == []
    assert problems_of(WARNING) == []
    assert problems_of(MEMBER_INDEX) == []


INDEX_FAULTS = [
    # keys and types
    ("period: quarter", "period: quarter\npeers_of: x", 4, "peers_of", "unknown key “peers_of”"),
    ("period: quarter", "peroid: quarter", 3, "peroid", "did you mean “period”?"),
    ("period: quarter", "period: quarter\nperiod: year", 4, "period", "stands twice"),
    ("period: quarter", "period: fortnight", 3, "period", "there is no “fortnight”"),
    ("period: quarter", "period: quarter\nscale: [0, 0]", 4, "scale", "0 has to be less than 0"),
    ("period: quarter", "period: quarter\nscale: [0]", 4, "scale", "expected two values"),
    ("period: quarter", "period: quarter\nscale: 100", 4, "scale", "expected a list […], not 100"),
    ("period: quarter", "period: quarter\ndecimals: 1.5", 4, "decimals", "1.5 is not a whole number"),
    ("period: quarter", "period: quarter\nmin_coverage: 65", 4, "min_coverage", "65 is outside 0–1"),
    ("period: quarter", "period: quarter\nmin_coverage: -0.1", 4, "min_coverage", "-0.1 is outside 0–1"),
    ("period: quarter", "period: quarter\nrecover: -2", 4, "recover", "outside 0"),
    ("period: quarter", "period: quarter\neffective_from: soon", 4, "effective_from", "expected a date"),
    ("period: quarter", "period: quarter\nweights: shares", 4, "weights", "allowed: points, relative"),
    ("period: quarter", "period: quarter\nlabel: {zh: a, fr: b}", 4, "label.fr", "unknown key “fr”"),
    ("period: quarter", "period: quarter\nlabel: 12", 4, "label", "put it in quotes: '12'"),
    ("period: quarter", "period: quarter\npeers: unit_typ", 4, "peers", "has no “unit_typ”"),
    ("index: strength", "index: strength\nwarning: strength", 1, "", "index: or warning:"),
    ("subject: organization", "subject: organisation", 2, "subject", "did you mean “organization”?"),
    ("subject: organization\n", "", 1, "", "“subject” is missing"),
    # metrics
    ("count: meeting", "count: meetings", 5, "metrics.meetings.count", "did you mean “meeting”?"),
    ("{status: held}", "{statuss: held}", 5, "metrics.meetings.where.statuss", "no “statuss”"),
    ("{status: held}", "{status: heldd}", 5, "metrics.meetings.where.status", "“heldd” is not a code"),
    ("{status: held}", "{status: {is: held}}", 5, "metrics.meetings.where.status.is", "no operator “is”"),
    ("{status: held}", "{expected: many}", 5, "metrics.meetings.where.expected", "“many” is not a number"),
    ("{status: held}", "{held_on: {lt: asof}}", 5, "metrics.meetings.where.held_on.lt", "“asof” is not a date"),
    ("{status: held}", "{or: [{status: held}, {kind: x}]}", 5, "metrics.meetings.where.or[1].kind", "not a code"),
    ("count: meeting", "count: meeting, sum: meeting", 5, "metrics.meetings", "exactly one of count, sum"),
    ("count: meeting", "number: meeting", 5, "metrics.meetings.number", "unknown key “number”"),
    ("count: meeting", "count: meeting, of: expected", 5, "metrics.meetings.of", "takes no “of”"),
    ("sum: meeting, of: expected", "sum: meeting", 6, "metrics.expected", "sum needs of: a column"),
    ("of: expected", "of: expectd", 6, "metrics.expected.of", "there is no “expectd”"),
    ("of: expected", "of: topic", 6, "metrics.expected.of", "sum does not fit text"),
    ("of: expected", 'of: "workdays_between(held_on, held_on)"', 6, "metrics.expected.of", "cannot be used here"),
    ("sum: meeting, of: expected", "distinct: meeting, of: expected + 1", 6, "metrics.expected.of", "a column"),
    ("sum: meeting, of: expected", "maximum: meeting, of: topic", 6, "metrics.expected.of", "does not fit text"),
    ("of: expected", "of: expected, weight: attended", 6, "metrics.expected.weight", "takes no “weight”"),
    ("of: expected", "of: expected, among: {status: held}", 6, "metrics.expected.among", "takes no “among”"),
    ("sum: meeting, of: expected", "streak: meeting", 6, "metrics.expected", "streak needs where"),
    ("window: period}\n  expected", "window: fortnight}\n  expected", 5, "metrics.meetings.window", "“fortnight”"),
    ("window: period}\n  expected", "window: current}\n  expected", 5, "metrics.meetings.window", "current does not"),
    ("window: period}\n  expected", "window: 90d, back: 1}\n  expected", 5, "metrics.meetings.back", "whole units"),
    ("window: period}\n  expected", "over: below}\n  expected", 5, "metrics.meetings.over", "allowed: own, subtree"),
    ("count: meeting,", "count: meeting, via: host,", 5, "metrics.meetings.via", "no relation “host”"),
    ("count: meeting, where: {status: held}, window: period", "count: organization", 5, "metrics.meetings", "via"),
    ("count: meeting, where: {status: held}, window: period", "count: holiday", 5, "metrics.meetings", "via"),
    (
        "count: meeting, where: {status: held}, window: period",
        "count: organization, via: parent, window: year",
        5,
        "metrics.meetings.window",
        "organization has no date",
    ),
    ("count: meeting, where: {status: held}", "count: index, of: vanguards", 5, "metrics.meetings.of", "“vanguards”"),
    (
        "count: meeting, where: {status: held}",
        "average: index, of: vanguard.studies",
        5,
        "metrics.meetings.of",
        "“studies”; did you mean “study”?",
    ),
    (
        "count: meeting, where: {status: held}",
        "count: index, of: vanguard, where: {studies: 1}",
        5,
        "metrics.meetings.where.studies",
        "no “studies”",
    ),
    (
        "count: meeting, where: {status: held}",
        "count: warning, where: {level: purple}",
        5,
        "metrics.meetings.where.level",
        "“purple” is not a code",
    ),
    ("  meetings: {", "  as_of: {", 5, "metrics.as_of", "already means something"),
    ("  meetings: {", "  2nd: {", 5, "metrics.2nd", "cannot be a name"),
    ("metrics:", "parameters: {meetings: 3}\nmetrics:", 4, "parameters.meetings", "both a parameter and a metric"),
    ("metrics:", "parameters: {hours: {by: unit_typ, values: {}}}\nmetrics:", 4, "parameters.hours.by", "unit_typ"),
    (
        "metrics:",
        "parameters: {hours: {by: unit_type, values: {agencies: 5}}}\nmetrics:",
        4,
        "parameters.hours.values.agencies",
        "“agencies” is none of its codes",
    ),
    # expressions
    ("value: attended / expected", "value: attended / expectd", 10, "tree[1].value", "there is no “expectd”; did you"),
    ("value: attended / expected", "value: attended // expected", 10, "tree[1].value", "at character 11: expected a"),
    ("value: attended / expected", 'value: "if(attended, 1)"', 10, "tree[1].value", "if is written if(c, a, b)"),
    ("value: attended / expected", 'value: "1 < attended < 3"', 10, "tree[1].value", "one comparison at a time"),
    ("value: attended / expected", "value: days_until(expected)", 10, "tree[1].value", "expected a date, not a number"),
    ("value: attended / expected", "value: term_ends_on", 10, "tree[1].value", "expected a number, not a date"),
    ("value: attended / expected", "value: unit_type", 10, "tree[1].value", "scored by score: {categories: …}"),
    ("value: attended / expected", "value: unit_type == 'agencies'", 10, "tree[1].value", "“agencies” is none of its"),
    ("value: attended / expected", "value: unit_type < 'agency'", 10, "tree[1].value", "by == and != only"),
    ("value: attended / expected", "value: unit_type == 3", 10, "tree[1].value", "text cannot be compared with a"),
    ("value: attended / expected", "value: as_of - founded_on", 10, "tree[1].value", "expected a number, not a date"),
    ("value: attended / expected", "value: days_held(expected > 1)", 10, "tree[1].value", "into warnings only"),
    ("value: attended / expected", "value: attended and expected > 1", 10, "tree[1].value", "expected a condition"),
    (
        "value: attended / expected",
        'value: "coalesce(attended, founded_on)"',
        10,
        "tree[1].value",
        "have to be of one kind",
    ),
    ("value: attended / expected", 'value: "round(attended, expected)"', 10, "tree[1].value", "its digits as a whole"),
    (
        "  attended: {sum",
        "  ratio: attended / expected\n  attended: {sum",
        7,
        "metrics.ratio",
        "the metric “attended” stands below",
    ),
    # nodes
    ("code: turnout,", "code: held,", 10, "tree[1].code", "stands twice (first in line 9)"),
    ("{code: turnout,", "{", 10, "tree[1]", "“code” is missing"),
    ("code: turnout", "code: turn out", 10, "tree[1].code", "may hold letters, digits, _ and - only"),
    ("weight: 40, ", "", 8, "tree", "without one: turnout"),
    ("weight: 40", "weight: -40", 10, "tree[1].weight", "outside 0"),
    ("value: attended / expected, ", "", 10, "tree[1]", "either children or a value"),
    ("value: attended / expected, ", "value: 1, children: [{code: x, value: 1}], ", 10, "tree[1]", "either children"),
    ("{target: 3}", "{target: 3, percentile: true}", 9, "tree[0].score", "found: target, percentile"),
    ("{target: 3}", "{}", 9, "tree[0].score", "found: —"),
    ("{target: 3}", "{aim: 3}", 9, "tree[0].score.aim", "unknown key “aim”"),
    ("{target: 3}", "{target: founded_on}", 9, "tree[0].score.target", "expected a number, not a date"),
    ("{target: 3}", "{target: 3, scale: log}", 9, "tree[0].score.scale", "goes with range only"),
    ("{target: 3}", "{range: seen}", 9, "tree[0].score.range", "allowed: observed"),
    ("{target: 3}", "{range: [1, 2, 3]}", 9, "tree[0].score.range", "found 3"),
    ("{target: 3}", "{range: [3, 3]}", 9, "tree[0].score.range", "write two different numbers"),
    ("{target: 3}", "{range: [0, 9], scale: log}", 9, "tree[0].score.range[0]", "write a number above 0"),
    ("{target: 3}", "{range: [9, -1], scale: log}", 9, "tree[0].score.range[1]", "this is -1"),
    ("{target: 3}", "{percentile: false}", 9, "tree[0].score.percentile", "leave it out"),
    ("{target: 3}", "{categories: {a: 1}}", 9, "tree[0].value", "categories need text or codes"),
    (
        "value: meetings, score: {target: 3}",
        "value: unit_type, score: {categories: {agencies: 5}}",
        9,
        "tree[0].score.categories.agencies",
        "“agencies” is none of its codes",
    ),
    ("[0.8, 80], [0.95, 100]", "[0.95, 100], [0.8, 80]", 10, "tree[1].score.bands[2]", "0.8 has to be greater than"),
    ("bands: [[0, 0], [0.8, 80]", "curve: [[0, 0], [0, 80]", 10, "tree[1].score.curve[1]", "out of order"),
    (
        "value: meetings, score: {target: 3}",
        "children: [{code: a, weight: 30, value: 1}, {code: b, weight: 20, value: 1}]",
        9,
        "tree[0].weight",
        "add up to 50, not to this node's 60",
    ),
    ("value: meetings,", "value: meetings, applies_to: meetings,", 9, "tree[0].applies_to", "expected a condition"),
    ("value: meetings,", "value: meetings, applies_to: {tiers: branch},", 9, "tree[0].applies_to.tiers", "no “tiers”"),
    ("value: meetings,", "value: meetings, missing: ignore,", 9, "tree[0].missing", "allowed: skip, zero"),
    ("value: meetings,", "value: meetings, combine: minimum,", 9, "tree[0].combine", "only a node with children"),
    (
        "value: meetings, score: {target: 3}",
        "reverse: true, children: [{code: a, weight: 60, value: 1}]",
        9,
        "tree[0].reverse",
        "takes no reverse",
    ),
    # the whole
    ("lights:", "bonus: [{code: b, value: founded_on, each: 2}]\nlights:", 11, "bonus[0].value", "expected a number"),
    (
        "lights:",
        "bonus: [{code: b, value: 1}]\npenalty: [{code: b, value: 1}]\nlights:",
        12,
        "penalty[0].code",
        "twice",
    ),
    ("lights:", "veto: [{code: v, when: meetings, cap: 5}]\nlights:", 11, "veto[0].when", "expected a condition"),
    ("lights:", "veto: [{code: v, when: meetings > 1}]\nlights:", 11, "veto[0]", "“cap” is missing"),
    ("lights:", "roll_up: {own: 0.3}\nlights:", 11, "roll_up", "“children” is missing"),
    ("lights:", "roll_up: {own: 0.3, children: 0.7, weight: memberz}\nlights:", 11, "roll_up.weight", "“memberz”"),
    ("lights:", "grades: [[60, a], [0, b]]\nlights:", 11, "grades[1]", "out of order"),
    # lights
    ('red: "< 60"', 'purple: "< 60"', 11, "lights.purple", "unknown key “purple”"),
    ('red: "< 60"', "red: 60", 11, "lights.red", "expected a condition such as"),
    ('red: "< 60"', 'red: "< 60 and meetings > 1"', 11, "lights.red", "takes no and or or"),
    ('red: "< 60"', 'red: "< founded_on"', 11, "lights.red", "a number cannot be compared with a date"),
    ('red: "< 60"', 'red: "< 80"', 11, "lights.yellow", "yellow is unreachable: wherever it holds, a worse one (red)"),
    ('red: "< 60"', 'red: "< 0"', 11, "lights.red", "red is unreachable: scores lie between 0 and 100"),
    ('green: ">= 80"', 'green: ">= 85"', 11, "lights", "some scores light nothing"),
    ('green: ">= 80"', 'green: "> 80"', 11, "lights", "some scores light nothing, such as 80"),
    ('green: ">= 80"', 'green: ">= 75"', 11, "lights.green", "overlaps with yellow between 75 and 80"),
    ('green: ">= 80"', 'green: ">= 120"', 11, "lights.green", "unreachable"),
]


@pytest.mark.parametrize(("old", "new", "line", "path", "said"), INDEX_FAULTS)
def test_faults_of_an_index(old: str, new: str, line: int, path: str, said: str) -> None:
    found = faults(problems_of(replaced(INDEX, old, new), MEMBER_INDEX))
    assert (line, path) in {(problem.line, problem.path) for problem in found}, found
    told = [problem for problem in found if problem.path == path]
    assert any(said in problem.label.en for problem in told), told
    assert all(problem.label.zh != problem.label.en for problem in told)


WARNING_FAULTS = [
    ("value: days_until(term_ends_on)\n", "", 4, "levels.yellow", "needs a value to compare"),
    ("days_until(term_ends_on)", "days_until(phone)", 4, "value", "expected a date, not text"),
    ("days_until(term_ends_on)", "days_until(term_ends)", 4, "value", "did you mean “term_ends_on”?"),
    ("days_until(term_ends_on)", "periods_since(term_ends_on)", 4, "value", "needs a rule with a period"),
    ("days_until(term_ends_on)", "days_between(period_start, as_of)", 4, "value", "the rule has no period"),
    ("days_until(term_ends_on)", "days_held(status)", 4, "value", "expected a condition"),
    ("levels: {", "levelz: {", 1, "", "“levels” is missing"),
    ("levels: {", "handle_within: {yellow: soon}\nlevels: {", 5, "handle_within.yellow", "write 30d"),
    ("levels: {", "handle_within: {blue: 3d}\nlevels: {", 5, "handle_within.blue", "no blue among the levels"),
    ("levels: {", "notify: {yellow: [mayor]}\nlevels: {", 5, "notify.yellow[0]", "there is no “mayor”"),
    ('orange: "<= 60"', 'orange: "<= 180"', 5, "levels.yellow", "yellow is unreachable"),
    ('red: "< 0"', 'red: "> 100"', 5, "levels.orange", None),
    ('red: "< 0"', "red: value", 5, "levels.red", "expected a condition (a truth value such as x > 0), not a number"),
    ('red: "< 0"', "red: value < unknown", 5, "levels.red", "there is no “unknown”"),
    ('red: "< 0"', "red: true", 5, "levels.orange", "unreachable"),
    ("{status: active}", "{status: activ}", 3, "applies_to.status", "“activ” is not a code"),
    ("{status: active}", "[{status: active}, phone]", 3, "applies_to[1]", "expected a condition"),
    ("{status: active}", "tier == 'branches'", 3, "applies_to", "“branches” is none of its codes"),
    ("{status: active}", "{period: {lt: period_start}}", 3, "applies_to.period", "no “period”"),
    ("{status: active}", "{founded_on: {lt: period_start}}", 3, "applies_to.founded_on.lt", "the rule has no period"),
]


@pytest.mark.parametrize(("old", "new", "line", "path", "said"), WARNING_FAULTS)
def test_faults_of_a_warning(old: str, new: str, line: int, path: str, said: str | None) -> None:
    found = faults(problems_of(replaced(WARNING, old, new)))
    if said is None:
        assert any("overlaps" in problem.label.en for problem in found), found
        return
    assert (line, path) in {(problem.line, problem.path) for problem in found}, found
    assert any(said in problem.label.en for problem in found if problem.path == path), found


def test_members_have_no_subtree_and_pass_nothing_up() -> None:
    text = replaced(MEMBER_INDEX, "window: period", "window: period, over: subtree")
    assert "over: subtree is for organizations" in faults(problems_of(text))[0].label.en
    text = MEMBER_INDEX + "roll_up: {own: 1, children: 1}\n"
    assert "roll_up is for organizations" in faults(problems_of(text))[0].label.en


def test_encrypted_columns_can_only_be_asked_whether_they_are_there() -> None:
    text = replaced(MEMBER_INDEX, "value: hours,", 'value: "filled(mobile, id_no)",')
    assert faults(problems_of(text)) == []
    text = replaced(MEMBER_INDEX, "value: hours,", "value: mobile == '138',")
    assert "encrypted" in faults(problems_of(text))[0].label.en


def test_the_file_is_called_like_its_rule_and_lies_in_the_right_folder() -> None:
    found = read_rules({"indices/other.yaml": INDEX.encode(), "indices/expiry.yaml": WARNING.encode()}).problems
    said = " ".join(problem.label.en for problem in found)
    assert "has to be the file's name, “other”" in said
    assert "does not belong into the folder indices/" in said


def test_an_index_and_a_warning_cannot_share_a_code() -> None:
    found = problems_of(INDEX, replaced(WARNING, "warning: expiry", "warning: strength"))
    assert [problem.file for problem in found] == ["warnings/strength.yaml"]
    assert "has this code already" in found[0].label.en


READS = """\
index: {code}
subject: organization
period: quarter
metrics: {{other: {{latest: index, of: {other}{back}}}}}
tree: [{{code: a, value: other}}]
lights: {{red: "< 60", green: ">= 60"}}
"""


def test_cycles_are_faults_except_through_back() -> None:
    one = READS.format(code="one", other="two", back="")
    found = problems_of(one, READS.format(code="two", other="one", back=""))
    assert {problem.file for problem in found} == {"indices/one.yaml", "indices/two.yaml"}
    assert "in a cycle: one → two → one" in found[0].label.en
    assert problems_of(one, READS.format(code="two", other="one", back=", window: quarter, back: 1")) == []


def test_an_index_that_counts_warnings_that_read_it_is_a_cycle() -> None:
    index = replaced(INDEX, "{count: meeting, where: {status: held}, window: period}", "{count: warning}")
    reading = (
        "warning: low\nsubject: organization\nperiod: quarter\n"
        "metrics: {score: {latest: index, of: strength}}\nvalue: score\nlevels: {red: '< 20'}\n"
    )
    assert "cycle" in faults(problems_of(index, reading))[0].label.en
    other = replaced(index, "{count: warning}", "{count: warning, where: {warning: {ne: low}}}")
    assert faults(problems_of(other, reading)) == []


def test_what_reads_a_broken_index_is_told_why() -> None:
    index = replaced(INDEX, "{count: meeting, where: {status: held}, window: period}", "{average: index, of: vanguard}")
    broken = replaced(MEMBER_INDEX, "target: 8", "target: eight")
    found = {problem.file: problem.label.en for problem in problems_of(index, broken)}
    assert "not in force for its own faults" in found["indices/strength.yaml"]


HINTS = [
    (INDEX, "{target: 3}", "{target: 3 * elapsed}", None, None),
    (INDEX, "  attended: {", "  spare: {count: meeting}\n  attended: {", "metrics.spare", "never used"),
    (INDEX, "metrics:", "parameters: {spare: 3}\nmetrics:", "parameters.spare", "never used"),
    (INDEX, "{target: 3}", "{target: 0}", "tree[0].score.target", "there will never be a score"),
    (INDEX, "[0.95, 100]", "[0.95, 120]", "tree[1].score.bands[2]", "120 is clipped"),
    (INDEX, "value: meetings", "value: meetings > 3", "tree[0].score.target", "never reaches the target 3"),
    (INDEX, "value: attended / expected", "value: meetings > 3", None, None),
    (INDEX, "[0.95, 100]", "[1.2, 100]", None, None),
    (INDEX, "lights:", "grades: [[0, a], [120, b]]\nlights:", "grades[1]", "no score reaches 120"),
    (INDEX, "lights:", "veto: [{code: v, when: meetings > 1, cap: 100}]\nlights:", "veto[0].cap", "changes no score"),
    (
        INDEX,
        "value: meetings, score: {target: 3}",
        'value: "filled(phone, address)"',
        "tree[0]",
        "perhaps score: {target: 1} is meant",
    ),
    (WARNING, "days_until(term_ends_on)", "filled(phone, address)", "levels.yellow", "unreachable"),
]


@pytest.mark.parametrize(("rule", "old", "new", "path", "said"), HINTS)
def test_hints_fail_nothing(rule: str, old: str, new: str, path: str | None, said: str | None) -> None:
    found = problems_of(replaced(rule, old, new))
    assert faults(found) == []
    if path is not None:
        assert any(problem.path == path and said in problem.label.en for problem in found), found


def test_a_share_of_counts_is_known_not_to_exceed_one() -> None:
    text = replaced(
        INDEX,
        "expected: {sum: meeting, of: expected, window: period}\n  attended: {sum: meeting, of: attended, window",
        "expected: {count: meeting, window: period}\n  attended: {count: meeting, where: {status: held}, window",
    )
    found = problems_of(replaced(text, "[0.95, 100]", "[1.2, 100]"))
    assert any("at most 1 and never reaches 1.2" in problem.label.en for problem in found if problem.is_hint)


def test_disabled_nodes_may_leave_their_weight_in_or_out() -> None:
    children = (
        "children: [{code: a, weight: 30, value: 1}, {code: b, weight: 30, value: meetings},"
        " {code: c, weight: 20, value: 1, enabled: false}]"
    )
    text = replaced(INDEX, "value: meetings, score: {target: 3}", children)
    assert faults(problems_of(text)) == []
    assert faults(problems_of(replaced(text, "weight: 20", "weight: 20, missing: zero"))) == []


def test_weights_may_be_relative() -> None:
    children = "children: [{code: a, weight: 1, value: 1}, {code: b, weight: 2, value: meetings}]"
    text = replaced(INDEX, "value: meetings, score: {target: 3}", children)
    assert "add up to 3" in faults(problems_of(text))[0].label.en
    assert faults(problems_of(text + "weights: relative\n")) == []


@pytest.mark.parametrize(
    ("lights", "decimals"),
    [
        ('{red: "<= 59", green: ">= 60"}', "decimals: 0"),
        ('{red: "< 60", green: ">= 0"}', ""),
        ('{green: ">= 80", red: "< 60", yellow: "< 80"}', ""),
        ('{red: "< pass", green: ">= pass"}', "parameters: {pass: 60}"),
        ('{red: "< 60", yellow: meetings == 0, green: ">= 60"}', ""),
    ],
)
def test_lights_that_leave_nothing_out(lights: str, decimals: str) -> None:
    text = replaced(INDEX, '{red: "< 60", yellow: "< 80", green: ">= 80"}', lights) + decimals + "\n"
    assert faults(problems_of(text)) == []


def test_all_faults_of_a_file_are_told_at_once() -> None:
    text = replaced(INDEX, "count: meeting,", "count: meetings,")
    text = replaced(text, "{target: 3}", "{target: 1 +}")
    text = replaced(text, "period: quarter", "period: quarter\ncolour: red")
    assert len(faults(problems_of(text))) >= 3
