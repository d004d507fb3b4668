"""A workbook of 100,000 members imported, as the console does it: checked against what is stored, then written with
everything that goes with a row. ``run.py bench import``; docs/benchmarks.md says what the figures mean.

The figures are of the checking and the saving together, each in a process of its own like a worker's, on PostgreSQL.
Memory is what the process needs above what it holds when idle with everything imported.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import xlsxwriter
from stdnum.cn import ric

from .databases import PROJECT
from .evaluation import postgresql_databases

SIZES = {"district": 100_000, "small": 2_000}
ORGANIZATIONS = 500
HEADING = [
    "党员编号", "姓名", "所在党组织代码", "性别", "民族", "公民身份号码", "出生日期", "学历", "人员类别", "入党日期",
    "转正日期", "手机号", "工作单位",
]  # fmt: skip
LABELS = {
    "rows_per_s": "rows a second, checked and saved (at least 5,000)",
    "extra_mb": "memory above the idle worker, MB (at most 300)",
    "check_s": "of that: checking, seconds",
    "save_s": "of that: saving, seconds",
    "check_cpu_s": "the worker's own CPU: checking, seconds",
    "save_cpu_s": "the worker's own CPU: saving, seconds",
}


def run(scale: str = "district") -> dict[str, float]:
    """Measure, and print a table; the figures by name."""
    size = SIZES[scale]
    with tempfile.TemporaryDirectory(prefix="beacon-bench-") as folder, postgresql_databases(1) as (url,):
        path = Path(folder, "members.xlsx")
        write_members(path, size)
        print(f"{size:,} members, {path.stat().st_size / 2**20:.1f} MB as a workbook", flush=True)
        environment = {**os.environ, "DATA_DIR": folder, "DATABASE_URL": url, "PYTHONPATH": str(PROJECT)}
        parts = [_part(environment, name, str(path)) for name in ("fill", "check", "save")]
    _, check, save = parts
    figures = {
        "rows_per_s": size / (check["seconds"] + save["seconds"]),
        "extra_mb": max(check["extra_mb"], save["extra_mb"]),
        "check_s": check["seconds"],
        "save_s": save["seconds"],
        "check_cpu_s": check["cpu_s"],
        "save_cpu_s": save["cpu_s"],
    }
    for name, words in LABELS.items():
        print(f"{words:<56}{figures[name]:>12,.1f}")
    return figures


def _part(environment: dict[str, str], name: str, path: str) -> dict[str, float]:
    started = time.perf_counter()
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.import_parts", name, path],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    figures = json.loads(answer.stdout.splitlines()[-1])
    print(f"{name}: {figures['seconds']:.2f} s ({time.perf_counter() - started:.1f} s with its start)", flush=True)
    return figures


def write_members(path: Path, size: int) -> None:
    """A workbook of made-up members with valid identity numbers."""
    chance = random.Random(7)
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, HEADING)
        for number in range(1, size + 1):
            born = date(1950, 1, 1) + timedelta(days=chance.randrange(18_000))
            joined = born + timedelta(days=19 * 366 + chance.randrange(1_000))
            serial = chance.randrange(1, 1000)
            identity = f"310112{born:%Y%m%d}{serial:03d}"
            identity += ric.calc_check_digit(identity + "0")
            gender = "男" if serial % 2 else "女"
            cells = [
                f"B{number:07d}", f"党员{number}", f"BENCH{number % ORGANIZATIONS}", gender, "汉族",
                _distinct(identity, number), born, "大学本科", "正式党员", joined, joined + timedelta(days=400),
                f"13{number:09d}", "某某街道办事处",
            ]  # fmt: skip
            for column, cell in enumerate(cells):
                if isinstance(cell, date):
                    sheet.write_datetime(number, column, cell, day)
                else:
                    sheet.write_string(number, column, cell)


def _distinct(identity: str, number: int) -> str:
    """Another district's code for each thousand rows, so that no two are the same."""
    changed = f"31{number % 9000 + 1000:04d}{identity[6:17]}"
    return changed + ric.calc_check_digit(changed + "0")
