"""Expressions from text: what parses, to what, and what is said of what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.expression_parser import (
    COMPARISONS,
    FUNCTIONS,
    MAXIMUM_DEPTH,
    RESERVED,
    ExpressionError,
    Threshold,
    parse_expression,
    parse_light,
)
from app.rules.expressions import (
    Arithmetic,
    Call,
    Comparison,
    Expression,
    Literal,
    Logical,
    Name,
    Negation,
    Not,
    written,
)

words = st.from_regex(r"[a-z党课][a-z0-9_课]{0,6}", fullmatch=True).filter(lambda word: word not in RESERVED)
paths = st.lists(words, min_size=1, max_size=3).map(".".join)
leaves = st.one_of(
    st.floats(min_value=0, allow_nan=False, allow_infinity=False).map(Literal),
    st.integers(0, 10**9).map(float).map(Literal),
    st.text("ab'’ (,)<党", max_size=6).map(Literal),
    st.booleans().map(Literal),
    paths.map(Name),
)


def _calls(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    def call(function: str) -> st.SearchStrategy[Expression]:
        arity = FUNCTIONS[function]
        arguments = st.lists(inner, min_size=arity.least, max_size=arity.most or arity.least + 2)
        return arguments.map(lambda given: Call(function, tuple(given)))

    return st.sampled_from(sorted(FUNCTIONS)).flatmap(call)


def _branches(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.one_of(
        inner.map(Negation),
        inner.map(Not),
        st.builds(Arithmetic, st.sampled_from("+-*/"), inner, inner),
        st.builds(Comparison, st.sampled_from(COMPARISONS), inner, inner),
        st.builds(Logical, st.sampled_from(["and", "or"]), several),
        _calls(inner),
    )


expressions = st.recursive(leaves, _branches, max_leaves=12)


@given(expressions)
def test_what_is_written_parses_to_the_same(expression: Expression) -> None:
    assert parse_expression(written(expression)) == expression


@given(st.text("ab1.'\"()<>=!+-*/, andornt", max_size=30))
def test_any_text_parses_or_is_refused_at_a_position_within_it(text: str) -> None:
    position = 0
    try:
        parse_expression(text)
    except ExpressionError as error:
        position = error.position
    assert 0 <= position <= len(text)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("present / due", "(present / due)"),
        ("1 - 2 - 3", "((1 - 2) - 3)"),
        ("8 / 4 / 2", "((8 / 4) / 2)"),
        ("1 + 2 * 3", "(1 + (2 * 3))"),
        ("(1 + 2) * 3", "((1 + 2) * 3)"),
        ("-a * b", "((-a) * b)"),
        ("a - -b", "(a - (-b))"),
        ("a + 1 >= b * 2", "((a + 1) >= (b * 2))"),
        ("not a == b", "(not (a == b))"),
        ("a or b and not c", "(a or (b and (not c)))"),
        ("a and b and c", "(a and b and c)"),
        ("(a < b) == true", "((a < b) == true)"),
        ("organization.tier == 'branch'", "(organization.tier == 'branch')"),
        ("if(full >= 7, 1, 0)", "if((full >= 7), 1, 0)"),
        ("value >= 3 or days_held(members < 3) > 180", "((value >= 3) or (days_held((members < 3)) > 180))"),
        ("'it''s'", "'it''s'"),
        ("min + max (1, 2)", "(min + max(1, 2))"),  # a metric may be called like a function
        ("1.50", "1.5"),
        ("ordering and notable", "(ordering and notable)"),
    ],
)
def test_precedence_and_association(text: str, meaning: str) -> None:
    assert written(parse_expression(text)) == meaning


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("a < b < c", 7, "one comparison at a time"),
        ("a == b != c", 8, "one comparison at a time"),
        ("a = b", 3, "equality is written =="),
        ("a <", 4, "expected a number, name, function or parenthesis, found the expression ends"),
        ("(a + b", 7, "expected “)”"),
        ("a + b)", 6, "expected an operator or the end of the expression, found “)”"),
        ("a b", 3, "found “b”"),
        ("", 1, "found the expression ends"),
        ('unit == "x"', 9, "single quotes"),
        ("'open", 1, "no closing quote"),
        ("2x", 1, "not a number"),
        ("1.2.3", 1, "not a number"),
        ("a ** 2", 4, "found “*”"),
        ("a % 2", 3, "“%” does not belong"),
        ("a[0]", 2, "“[” does not belong"),
        ("+a", 1, "found “+”"),
        ("a.", 2, "not a number"),
        ("days_untill(d)", 1, "did you mean days_until?"),
        ("exec(a)", 1, "there is no function “exec”"),
        ("abs()", 1, "abs is written abs(x); it was given 0 arguments"),
        ("round(a)", 1, "round is written round(x, digits); it was given 1 arguments"),
        ("if(a, b)", 1, "if is written if(c, a, b)"),
        ("if > 2", 1, "if is written if(c, a, b)"),
        ("a and", 6, "found the expression ends"),
        ("and a", 1, "found “and”"),
        ("a == not b", 6, "found “not”"),
        ("max(a, b", 9, "expected “,” or “)”"),
        ("(" * (MAXIMUM_DEPTH + 1) + "a" + ")" * (MAXIMUM_DEPTH + 1), MAXIMUM_DEPTH + 2, "nested too deeply"),
        (" + ".join(["a"] * 101), 400, "too long"),
    ],
)
def test_faults_are_told_with_their_position(text: str, position: int, said: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)
    assert said in caught.value.label.en
    assert f"at character {position}:" in caught.value.label.en or said == "too long"
    assert f"第 {caught.value.position + 1} 个字符处" in caught.value.label.zh


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("< 60", Threshold("<", Literal(60.0))),
        (">=80", Threshold(">=", Literal(80.0))),
        ("> -15", Threshold(">", Negation(Literal(15.0)))),
        ("== 0", Threshold("==", Literal(0.0))),
        (">= hours_due * 2", Threshold(">=", Arithmetic("*", Name("hours_due"), Literal(2.0)))),
        ("value >= 1", Comparison(">=", Name("value"), Literal(1.0))),
    ],
)
def test_text_that_begins_with_an_operator_is_a_threshold(text: str, meaning: object) -> None:
    assert parse_light(text) == meaning


@pytest.mark.parametrize("text", ["< 60 and a", "<", "< 1 < 2", "=< 3", "< not a"])
def test_what_is_no_threshold_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_light(text)
