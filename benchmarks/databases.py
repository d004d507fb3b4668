"""A database of a benchmark's own, and its parts, each run in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Database:
    """A database of the benchmark's own, with its data folder."""

    data_dir: Path
    url: str

    def part(self, name: str, *arguments: str) -> dict:
        """Run a part (``benchmarks.parts``) in a process of its own."""
        environment = {
            **os.environ,
            "DATA_DIR": str(self.data_dir),
            "DATABASE_URL": self.url,
            "PYTHONPATH": str(PROJECT),
            "QUEUE_PREFIX": self.data_dir.name.replace(".", "-"),
        }
        environment.pop("REDIS_URL", None)
        answer = subprocess.run(
            [sys.executable, "-m", "benchmarks.parts", name, *arguments],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            check=True,
        )
        return json.loads(answer.stdout.splitlines()[-1])
