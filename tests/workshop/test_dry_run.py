"""What a draft would change, worked out by hand on a small district: a1 has 4 lectures and a member with 16 of 32
hours, a2 has 1 lecture, b1 and b2 none. By the rule in force a1 has (60·100 + 40·50) / 100 = 80 (green), a2 25, b1 and
b2 0."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from app.access.actor import Actor, system_actor
from app.database.session import make_session
from app.entity.labels import UserError
from app.evaluation.progress import Progress
from app.evaluation.running import Request, evaluate
from app.rules.candidate import check_candidate
from app.rules.library import RuleLibrary
from app.workshop.comparison import DryRun
from app.workshop.dry_run import back_test, dry_run, scope_of

LIGHTS = 'lights: {red: "< 60", orange: "< 70", yellow: "< 80", green: ">= 80"}'
EVERYBODY = system_actor("tests")


@pytest.fixture
def evaluated(engine: Engine, library: RuleLibrary, tree: dict[str, int]) -> dict[str, int]:
    evaluate(engine, library, Request(), progress=Progress())
    return tree


@pytest.fixture
def run(engine: Engine, library: RuleLibrary, evaluated: dict[str, int]) -> Callable[..., DryRun]:
    def run(*changes: tuple[str, str], code: str = "strength", actor: Actor = EVERYBODY, scope=None) -> DryRun:
        text = library.rule(code).source_text
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        kind = "warning" if text.lstrip().startswith("warning") else "index"
        candidate = check_candidate(text, kind, code, library.rules())
        assert candidate.rule is not None, candidate.problems
        return dry_run(engine, library, candidate.rule, actor=actor, scope=scope)

    return run


def branches(found: DryRun, tree: dict[str, int]) -> dict[str, tuple[float, float, str, str]]:
    names = {subject: name for name, subject in tree.items() if name.startswith("branch")}
    return {
        names[row["subject_id"]]: (row["score_before"], row["score_after"], row["light_before"], row["light_after"])
        for row in found.frame.iter_rows(named=True)
        if row["subject_id"] in names
    }


def test_other_weights_move_those_whose_nodes_differ(run, evaluated) -> None:
    found = run(("weight: 60", "weight: 20"), ("weight: 40", "weight: 80"))
    changed = branches(found, evaluated)
    assert changed["branch_a1"] == pytest.approx((80.0, 60.0, "green", "orange"))
    assert changed["branch_a2"][:2] == pytest.approx((25.0, 25.0))  # no members: the weight goes to the lectures
    a1 = next(move for move in found.moves() if move.subject_id == evaluated["branch_a1"])
    assert (a1.reason, a1.reason_points) == ("vanguard", pytest.approx(-20.0))
    assert found.matrix["green", "orange"] == 1
    assert found.losses[0].score_after - found.losses[0].score_before == pytest.approx(-20.0)


def test_another_threshold_moves_lights_alone(run, evaluated) -> None:
    found = run(('yellow: "< 80"', 'yellow: "< 85"'), ('green: ">= 80"', 'green: ">= 85"'))
    moved = {move.subject_id: (move.reason, move.light_after) for move in found.moves()}
    assert moved[evaluated["branch_a1"]] == ("thresholds", "yellow")
    assert found.gains == found.losses == ()
    assert found.worse == found.moved


def test_a_weight_asks_the_records_nothing(run, evaluated, engine: Engine) -> None:
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    assert run(("weight: 60", "weight: 50"), ("weight: 40", "weight: 50")).counted == ()
    assert not [each for each in statements if "bc_meeting" in each or "bc_study_record" in each]


def test_a_changed_metric_is_counted_and_the_others_are_not(run, evaluated, engine: Engine) -> None:
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    found = run(("where: {kind: lecture, status: held}", "where: {kind: theme_day, status: held}"))
    assert found.counted == ("lectures",)
    assert branches(found, evaluated)["branch_a1"][1] == pytest.approx(20.0)
    assert not [each for each in statements if "bc_study_record" in each]


def test_other_subjects_are_collected(run, evaluated) -> None:
    found = run(("applies_to: {tier: branch}", "applies_to: {tier: branch, code: {ne: none}}"))
    assert found.moved == 0
    found = run(("applies_to: {tier: branch}", "applies_to: {tier: street}"))
    assert {move.reason for move in found.moves() if move.subject_id == evaluated["branch_a1"]} == {"applies"}


def test_units_are_those_below_the_readers_own(run, evaluated) -> None:
    found = run(('red: "< 60"', 'red: "< 75"'), ('orange: "< 70"', 'orange: "< 78"'))
    assert {unit.organization_id for unit in found.units} == {evaluated["street_a"], evaluated["street_b"]}


def test_only_those_in_scope_are_told(run, evaluated, engine: Engine, library: RuleLibrary) -> None:
    path = f"/{evaluated['district']}/{evaluated['street_b']}/"
    actor = Actor(
        "staff of b", organization_id=evaluated["street_b"], organization_path=path, tier="street", is_staff=True
    )
    session: Session = make_session(engine, actor, writes=False)
    scope = scope_of(session, library.rule("strength"))
    session.close()
    found = run(("weight: 60", "weight: 20"), ("weight: 40", "weight: 80"), actor=actor, scope=scope)
    seen = set(found.frame["subject_id"])
    assert seen
    assert seen <= {evaluated[name] for name in ("street_b", "branch_b1", "branch_b2")}
    assert found.moved == 0


def test_a_warning_tells_what_opens_and_closes(run, evaluated) -> None:
    found = run(('yellow: "<= 180"', 'yellow: "<= 100000"'), code="term")
    lit = {pair: count for pair, count in found.matrix.items() if pair[0] == "none" and pair[1] != "none"}
    assert found.opened == sum(lit.values())
    back = run(
        ('red: "< 0"', 'red: "< -100000"'),
        ('orange: "<= 60"', 'orange: "<= -90000"'),
        ('yellow: "<= 180"', 'yellow: "<= -80000"'),
        code="term",
    )
    assert back.opened == 0


def test_a_rule_that_is_new_is_tried_on_the_records_of_today(
    engine: Engine, library: RuleLibrary, evaluated: dict[str, int]
) -> None:
    text = library.rule("strength").source_text.replace("index: strength", "index: fresh")
    rule = check_candidate(text, "index", "fresh", library.rules()).rule
    assert rule is not None
    found = dry_run(engine, library, rule, actor=EVERYBODY, scope=None)
    assert branches(found, evaluated)["branch_a1"] == (None, pytest.approx(80.0), "none", "green")


def test_nothing_evaluated_says_so(engine: Engine, library: RuleLibrary, tree: dict[str, int]) -> None:
    with pytest.raises(UserError, match="评定一次"):
        dry_run(engine, library, library.rule("strength"), actor=EVERYBODY, scope=None)


def test_a_back_test_covers_the_periods_that_are_kept(engine: Engine, library: RuleLibrary, evaluated) -> None:
    period = dry_run(engine, library, library.rule("strength"), actor=EVERYBODY, scope=None).period
    found = back_test(engine, library, library.rule("strength"), actor=EVERYBODY, scope=None, periods=[period, "2001"])
    assert [each.period for each in found] == [period]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            [("value: lectures, score", "value: lectures / (red - red), score")],
            "“党课”算不出来：除数对所有对象都是 0 或缺失",
        ),
        ([(LIGHTS, 'lights: {red: "<= 100"}')], "所有对象都亮红灯"),
        ([("applies_to: {tier: branch}", "applies_to: {code: nobody}")], "没有任何对象适用这条规则"),
        (
            [
                ("score: {target: 4}", "score: {formula: 50}"),
                ("missing: skip", "enabled: false"),
                ("each: 5", "each: 0"),
            ],
            "所有对象得分相同：50.00 分",
        ),
    ],
    ids=["division by zero", "every light red", "nobody", "all equal"],
)
def test_the_absurd_is_said_in_words(run, changes: list[tuple[str, str]], words: str) -> None:
    assert words in [each.zh for each in run(*changes).oddities]
