"""The longest expressions that parse are scored in seconds, whatever their operators."""

from __future__ import annotations

import time
from datetime import date

import polars as pl
import pytest

from app.rules.context import Context
from app.rules.expression_frames import Compiler, column
from app.rules.expression_parser import parse_expression


@pytest.mark.parametrize("operator", ["+", "-", "*", "/"])
def test_a_chain_of_a_hundred_terms(operator: str) -> None:
    frame = pl.DataFrame({"a": [1.0, None]})
    started = time.monotonic()
    expression = parse_expression(f" {operator} ".join(["a"] * 100))
    compiler = Compiler({"a": column("a", frame.schema["a"])}, Context(date(2026, 9, 30)))
    value = {"+": 100.0, "-": -98.0}.get(operator, 1.0)
    assert frame.select(compiler.number(expression)).to_series().to_list() == [value, None]
    assert time.monotonic() - started < 20
