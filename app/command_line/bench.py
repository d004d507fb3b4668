"""`run.py bench [NAME] [--json FILE]`: the benchmarks, as a table and as numbers by name."""

import argparse
import json
import os
import signal
import sys
from importlib import import_module
from pathlib import Path

from config import Settings

BENCHMARKS = {"api": "api", "evaluation": "evaluation", "dryrun": "dryrun", "export": "exports", "import": "imports"}
"""By name: the module beside the application."""
SCALES = ("district", "small")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", choices=BENCHMARKS, help="默认全部 / all by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="把数字写入这个文件 / write the numbers by name")
    parser.add_argument(
        "--scale",
        choices=SCALES,
        default="district",
        help="small：很快看一眼，数字不作数 / small: a quick look whose figures prove nothing",
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Measures on databases of its own: those of the settings are left alone."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the databases are dropped then too
    names = [arguments.name] if arguments.name else list(BENCHMARKS)
    print(f"{os.cpu_count()} CPU，负载 / load {', '.join(f'{load:.1f}' for load in os.getloadavg())}", flush=True)
    figures: dict[str, float] = {}
    for name in names:
        # Beside the application, not in it: imported when it is asked for.
        figures |= import_module(f"benchmarks.{BENCHMARKS[name]}").run(arguments.scale)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0
