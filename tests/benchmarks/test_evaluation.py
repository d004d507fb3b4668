"""The benchmark runs, its baseline agrees with the evaluation, and it writes every figure. Times are never asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from benchmarks.databases import PROJECT
from benchmarks.evaluation import NAMES, Disagreement, compare


def test_small_run_writes_every_figure(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    environment = {**os.environ, "DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "app.command_line", "bench", "evaluation", "--scale", "small", "--json", str(file)]
    ended = subprocess.run(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900
    )
    assert ended.returncode == 0, ended.stdout
    figures = json.loads(file.read_text(encoding="utf-8"))
    kinds = ["sqlite"] if "postgresql is away" in ended.stdout else ["sqlite", "postgresql"]
    assert set(figures) == {f"{kind}.{name}" for kind in kinds for name in NAMES}
    assert all(value > 0 for value in figures.values())
    assert "0 of its results deviate" in ended.stdout
    assert not (tmp_path / "data/beacon.db").exists()


@pytest.mark.parametrize(("score", "light"), [(71.0, "red"), (70.0, "green"), (None, "red")])
def test_results_that_differ_are_no_comparison(score: float | None, light: str) -> None:
    def results(score: float | None, light: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        levels = pl.DataFrame({"rule_code": ["w"], "subject_id": [1], "light": ["red"]})
        return levels.with_columns(
            pl.lit("i").alias("rule_code"), pl.lit(score, pl.Float64).alias("score"), pl.lit(light).alias("light")
        ), levels

    compare(results(70.0, "red"), results(70.0, "red"))
    with pytest.raises(Disagreement, match="1 of 1"):
        compare(results(70.0, "red"), results(score, light))
