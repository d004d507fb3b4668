"""Chance that is the same everywhere and looks like chance."""

from __future__ import annotations

import polars as pl
import pytest

from app.demonstration.noise import chance, one_of, whole

ROWS = pl.DataFrame({"a": range(1, 20_001)}).with_columns(b=pl.col("a") // 7)
COLUMNS = {
    "one": chance(1, "a"),
    "two": chance(2, "a"),
    "pair": chance(1, "b", "a"),
    "turned": chance(1, "a", "b"),
    "literal": chance(1, "a", pl.lit(3)),
}


def test_is_the_same_on_every_machine():
    values = pl.DataFrame({"a": [1, 2, 3]}).select(chance(7, "a")).to_series().to_list()
    assert values == pytest.approx([0.2001233804, 0.4764138514, 0.2887415467], abs=1e-9)


@pytest.mark.parametrize("name", COLUMNS)
def test_is_evenly_spread(name: str):
    values = ROWS.select(COLUMNS[name]).to_series()
    assert values.min() >= 0
    assert values.max() < 1
    for share in (0.1, 0.25, 0.5, 0.9):
        assert (values < share).mean() == pytest.approx(share, abs=0.015)


def test_different_questions_have_answers_of_their_own():
    frame = ROWS.select(**COLUMNS).with_columns(next=pl.col("one").shift(1).fill_null(0))
    for left in frame.columns:
        for right in frame.columns:
            if left < right:
                assert abs(frame.select(pl.corr(left, right)).item()) < 0.03, (left, right)


def test_does_not_depend_on_the_rows_around():
    whole_frame = ROWS.select(chance(1, "a")).to_series()
    assert ROWS.tail(100).select(chance(1, "a")).to_series().to_list() == whole_frame.tail(100).to_list()


def test_whole_numbers_and_choices():
    numbers = ROWS.select(whole(3, 4, 9, "a")).to_series()
    assert set(numbers) == {4, 5, 6, 7, 8, 9}
    words = ROWS.select(word=one_of(4, ["x", "x", "x", "y"], "a")).to_series()
    assert (words == "x").mean() == pytest.approx(0.75, abs=0.02)
